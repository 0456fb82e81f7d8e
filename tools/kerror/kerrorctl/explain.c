// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl explain: what an event id stands for. Puts together what kerrord has
 * stored of it, and what somebody who knows the driver has written about it in
 * a catalogue of explanations.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <zlib.h>
#include "explanations.h"
#include "kerror_paths.h"
#include "tally.h"

static const char usage[] =
"Usage: kerrorctl explain [OPTION]... EVENT-ID | FORMAT\n"
"Tell what an event means, what to do, and how often kerrord has stored it.\n"
"EVENT-ID has 8 hexadecimal digits; FORMAT is the format string in the driver.\n"
"\n"
"      --explanations=FILE  only this one, instead of those in " EXPLANATIONS_FOLDER "\n"
"                       and " KERROR_DATADIR "/explain.d\n"
"  -j, --json           as a JSON object\n"
"  -t, --translate      show the format in the language of the environment, too\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n";

/* Events of one id in the store */
struct stored {
	uint32_t id;
	struct tally formats, facilities, devices;
};

static int found(void *context, const struct store_item *item)
{
	const struct evl_header *header;
	struct stored *stored = context;

	header = item->event ? kerror_event_header(item->event) : NULL;
	if (!header || header->format != EVL_FORMAT_PRINTF ||
	    header->event_id != stored->id)
		return 0;
	tally_add(&stored->formats, item->event, item->time);
	tally_add(&stored->facilities, item->event, item->time);
	if (*kerror_event_device(item->event))
		tally_add(&stored->devices, item->event, item->time);
	return 0;
}

/* A catalogue is of use without a store, too. */
static void search_store(struct stored *stored, const struct common *common)
{
	struct kerror_filter *filter = NULL;
	struct store_query query = { 0 };
	struct store *store;
	char text[16];

	/* The store has an index for that. */
	snprintf(text, sizeof(text), "id==%08" PRIx32, stored->id);
	if (kerror_filter_new(&filter, text, NULL, 0))
		errx(EXIT_FAILURE, "out of memory");
	query.filter = filter;
	if (store_open(&store, common->store ? common->store : STORE_PATH,
		       false) ||
	    store_query(store, &query, found, stored))
		warnx("%s", store_message(store));
	store_close(store);
	kerror_filter_free(filter);
	tally_sort(&stored->formats);
	tally_sort(&stored->facilities);
	tally_sort(&stored->devices);
}

/* An id as it stands, or that of a format as it stands in the source. */
static uint32_t parse_id(const char *text)
{
	size_t length = strlen(text);

	if (length == 8 && strspn(text, "0123456789abcdefABCDEF") == 8)
		return strtoul(text, NULL, 16);
	if (length && text[length - 1] == '\n')
		length--;
	else if (length > 1 && !strcmp(text + length - 2, "\\n"))
		length -= 2;
	return crc32(0, (const Bytef *)text, length);
}

static const char *facility_of(const struct kerror_event *event)
{
	return kerror_event_header(event)->facility;
}

static void print_name(const struct print_style *style, const char *name)
{
	printf("%s%-11s%s ", color_begin(style, LOG_INFO), name,
	       color_end(style));
}

static void print_field(const struct print_style *style, const char *name,
			const char *text)
{
	print_name(style, name);
	print_printable(stdout, text, strlen(text));
	putchar('\n');
}

static void print_all(const struct print_style *style, const char *name,
		      const struct tally *tally,
		      const char *(*text_of)(const struct kerror_event *event))
{
	for (size_t i = 0; i < tally->size; i++)
		print_field(style, i ? "" : name,
			    text_of(tally->entries[i]->event));
}

static void print_time_field(const struct print_style *style, const char *name,
			     uint64_t time)
{
	print_name(style, name);
	print_time(stdout, time);
	putchar('\n');
}

/* Of all entries: all that are counted have the same id. */
static struct tally_entry sum_of(const struct tally *tally)
{
	struct tally_entry sum = { .first = UINT64_MAX, .worst = UINT8_MAX };

	for (size_t i = 0; i < tally->size; i++) {
		const struct tally_entry *entry = tally->entries[i];

		sum.count += entry->count;
		if (entry->first < sum.first)
			sum.first = entry->first;
		if (entry->last > sum.last)
			sum.last = entry->last;
		if (entry->worst < sum.worst)
			sum.worst = entry->worst;
	}
	return sum;
}

/* @explanation may be NULL. */
static const char *value_of(const struct explanation *explanation,
			    enum explanation_key key)
{
	return explanation ? explanation->value[key] : NULL;
}

static void print(const struct print_style *style,
		  const struct explanation *explanation,
		  const struct stored *stored)
{
	struct tally_entry sum = sum_of(&stored->formats);
	const char *format = value_of(explanation, EXPLANATION_FORMAT);
	const char *text = value_of(explanation, EXPLANATION_TEXT);
	const char *action = value_of(explanation, EXPLANATION_ACTION);
	bool rated = explanation && explanation->severity >= 0;

	print_name(style, "event");
	printf("%08" PRIx32 "\n", stored->id);
	if (stored->formats.size) {
		format = kerror_event_format(stored->formats.entries[0]->event);
		print_all(style, "format", &stored->formats, kerror_event_format);
	} else if (format) {
		print_field(style, "format", format);
	}
	if (format && style->translate)
		print_field(style, "translation", style->translate(format));
	print_all(style, "facility", &stored->facilities, facility_of);
	print_all(style, "device", &stored->devices, kerror_event_device);
	if (rated || sum.count)
		print_field(style, "severity",
			    kerror_severity_name(rated ? explanation->severity :
						 (int)sum.worst));
	if (sum.count) {
		print_name(style, "count");
		printf("%" PRIu64 "\n", sum.count);
		print_time_field(style, "first", sum.first);
		print_time_field(style, "last", sum.last);
	}
	if (text)
		print_field(style, "meaning", text);
	if (action)
		print_field(style, "action", action);
}

static void add_list(struct json_object *object, const char *name,
		     const struct tally *tally,
		     const char *(*text_of)(const struct kerror_event *event))
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < tally->size; i++)
		json_object_array_add(list,
				      json_string(text_of(tally->entries[i]->event)));
	json_add(object, name, list);
}

static void print_json(const struct explanation *explanation,
		       const struct stored *stored)
{
	struct json_object *object = must_have(json_object_new_object());
	struct tally_entry sum = sum_of(&stored->formats);
	char id[9];

	json_add(object, "item", json_string("explanation"));
	snprintf(id, sizeof(id), "%08" PRIx32, stored->id);
	json_add(object, "event_id", json_string(id));
	add_list(object, "formats", &stored->formats, kerror_event_format);
	add_list(object, "facilities", &stored->facilities, facility_of);
	add_list(object, "devices", &stored->devices, kerror_event_device);
	json_add(object, "count", json_number(sum.count));
	if (sum.count) {
		json_add(object, "first", json_number(sum.first));
		json_add(object, "last", json_number(sum.last));
	}
	for (int key = 0; key < EXPLANATION_KEYS; key++)
		if (value_of(explanation, key))
			json_add(object, explanation_keys[key],
				 json_string(value_of(explanation, key)));
	if (explanation && explanation->severity >= 0)
		json_add(object, "severity",
			 json_string(kerror_severity_name(explanation->severity)));
	json_print(stdout, object);
}

int command_explain(int argc, char **argv)
{
	static const struct option longs[] = {
		EXPLANATIONS_OPTION,
		CATALOGUE_OPTION,
		JSON_OPTION,
		TRANSLATE_OPTION,
		STORE_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct stored stored = {
		.formats.keys = parse_keys("event"),
		.facilities.keys = parse_keys("facility"),
		.devices.keys = parse_keys("device"),
	};
	struct common common = { .usage = usage };
	const struct explanation *explanation;
	struct explanations *explanations;

	while (next_option(&common, argc, argv, ":jts:h", longs) >= 0)
		;
	if (optind == argc)
		wrong_use("no event id and no format; see kerrorctl explain --help");
	stored.id = parse_id(argv[optind++]);
	no_arguments(argc, argv);
	explanations = read_explanations(&common);
	explanation = explanations_find(explanations, stored.id);
	search_store(&stored, &common);
	if (!explanation && !stored.formats.size)
		errx(EXIT_FAILURE,
		     "neither the store nor a file of explanations knows event %08" PRIx32 "; kerrorctl query --count-by=event lists those stored",
		     stored.id);
	if (common.json)
		print_json(explanation, &stored);
	else
		print(&common.style, explanation, &stored);
	explanations_free(explanations);
	flush_output();
	return EXIT_SUCCESS;
}
