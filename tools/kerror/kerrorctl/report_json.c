// SPDX-License-Identifier: GPL-2.0-only
/* kerrorctl report as one JSON object. */
#include <json-c/json.h>
#include "report.h"

static struct json_object *bands_json(const uint64_t *counts)
{
	static const char *const keys[BANDS] = { "crit", "err", "warning", "other" };
	struct json_object *object = must_have(json_object_new_object());

	for (int band = 0; band < BANDS; band++)
		json_add(object, keys[band], json_number(counts[band]));
	return object;
}

static struct json_object *severities_json(const uint64_t *counts)
{
	struct json_object *object = must_have(json_object_new_object());

	for (int i = 0; i < 9; i++)
		json_add(object, i < 8 ? kerror_severity_name(i) : "none",
			 json_number(counts[i]));
	return object;
}

static struct json_object *boots_json(const struct report *report)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < report->boots_count; i++) {
		const struct report_boot *boot = &report->boots[i];
		struct json_object *object = must_have(json_object_new_object());

		json_add(object, "boot_id", json_string(boot->id));
		if (*boot->host)
			json_add(object, "host", json_string(boot->host));
		json_add(object, "first", json_number(boot->first));
		json_add(object, "last", json_number(boot->last));
		json_add(object, "end", json_string(ending_text(boot)));
		json_add(object, "events", bands_json(boot->events));
		json_add(object, "oopses", json_number(boot->oopses));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *conditions_json(const struct report *report)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < report->conditions_count; i++)
		json_object_array_add(list, condition_json(&report->conditions[i]));
	return list;
}

static struct json_object *slots_json(const struct report *report)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < report->slots; i++) {
		struct json_object *object = bands_json(report->slot[i]);

		json_add(object, "begin", json_number(report->begin + i * report->slot_ns));
		json_object_array_add(list, object);
	}
	return list;
}

/* All of them: only people need to have a list cut. */
static struct json_object *tally_json(const struct tally *tally)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < tally->size; i++)
		json_object_array_add(list, tally_entry_json(tally->entries[i], 0));
	return list;
}

static struct json_object *losses_json(const struct report *report)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < report->losses_count; i++) {
		struct json_object *object = must_have(json_object_new_object());

		json_add(object, "group", json_string(report->losses[i].group));
		json_add(object, "cause", json_string(report->losses[i].cause));
		json_add(object, "count", json_number(report->losses[i].count));
		json_object_array_add(list, object);
	}
	return list;
}

void report_as_json(const struct report *report)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("overview"));
	json_add(object, "host", json_string(report->host));
	json_add(object, "since", json_number(report->since));
	json_add(object, "until", json_number(report->until));
	json_add(object, "oldest", json_number(report->oldest));
	json_add(object, "events", json_number(report->events));
	json_add(object, "unacknowledged", json_number(report->unacknowledged));
	json_add(object, "lost", json_number(report->losses_total));
	json_add(object, "deleted", json_number(report->deleted));
	json_add(object, "severities", severities_json(report->by_severity));
	json_add(object, "conditions", conditions_json(report));
	json_add(object, "boots", boots_json(report));
	json_add(object, "slot", json_number(report->slot_ns));
	json_add(object, "slots", slots_json(report));
	json_add(object, "kinds", tally_json(&report->kinds));
	json_add(object, "new_kinds", tally_json(&report->new_kinds));
	json_add(object, "devices", tally_json(&report->devices));
	json_add(object, "facilities", tally_json(&report->facilities));
	json_add(object, "losses", losses_json(report));
	json_print(stdout, object);
}
