// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the messages of the stream that nats_sink.c makes. Trusts nothing in them: they
 * are of other machines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <gnutls/gnutls.h>
#include <nats/nats.h>
#include "json_values.h"
#include "nats_record.h"

void nats_machine(const struct kerror_origin *origin, char *token, size_t size)
{
	const char *name = kerror_origin_get(origin, "machine");

	if (!name)
		name = kerror_origin_get(origin, "host");
	snprintf(token, size, "%s", name && *name ? name : "unknown");
	for (char *at = token; *at; at++)
		if ((*at < '0' || *at > '9') && (*at < 'a' || *at > 'z') &&
		    (*at < 'A' || *at > 'Z') && *at != '-' && *at != '_')
			*at = '_';
}

bool nats_record_is_heartbeat(const char *subject)
{
	const char *last = strrchr(subject, '.');

	return last && !strcmp(last + 1, NATS_HEARTBEATS);
}

void nats_record_free(struct nats_record *record)
{
	kerror_event_free(record->event);
	kerror_origin_release(record->origin);
	*record = (struct nats_record) { 0 };
}

/* All strings that are fields of an origin; an instance is a number. */
static struct kerror_origin *read_origin(struct json_object *object)
{
	struct kerror_origin *origin = kerror_origin_new();
	uint64_t instance = json_get_number(object, "instance");
	char digits[24];
	bool good = origin;

	json_object_object_foreach(object, name, value) {
		if (good && json_object_is_type(value, json_type_string) &&
		    strcmp(name, "instance"))
			good = kerror_origin_set(origin, name,
						 json_object_get_string(value)) != -ENOMEM;
	}
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)instance);
	if (good && instance)
		good = !kerror_origin_set(origin, "instance", digits);
	if (good)
		return origin;
	kerror_origin_release(origin);
	return NULL;
}

/* The bytes of an event are those of the kernel that raised it. */
static const char *read_event(struct nats_record *record, struct json_object *object,
			      uint32_t group, natsMsg *msg)
{
	uint64_t sequence = json_get_number(object, "sequence");
	uint64_t thread = json_get_number(object, "thread");
	int severity = kerror_severity_number(json_get_string(object, "severity"));
	const char *text = NULL;
	gnutls_datum_t encoded, data;
	struct json_object *value;

	if (natsMsgHeader_Get(msg, NATS_DATA, &text) != NATS_OK || !text)
		return "it has no header " NATS_DATA;
	if (!json_object_object_get_ex(object, "sequence", &value) ||
	    !json_object_is_type(value, json_type_int) || sequence > UINT32_MAX ||
	    thread > UINT32_MAX)
		return "it has no sequence number";
	encoded = (gnutls_datum_t) { .data = (void *)text, .size = strlen(text) };
	if (gnutls_base64_decode2(&encoded, &data) < 0)
		return "its header " NATS_DATA " is not base64";
	record->event = kerror_event_new(group, sequence, thread, data.data, data.size);
	gnutls_free(data.data);
	if (!record->event)
		return "out of memory";
	if (json_object_object_get_ex(object, "severity", &value) &&
	    !kerror_event_header(record->event))
		return "its bytes are of another byte order, or none of an event";
	if (severity >= 0)
		kerror_event_set_severity(record->event, severity);
	kerror_event_set_origin(record->event, record->origin);
	record->time = json_get_number(object, "time_realtime");
	record->kind = NATS_EVENT;
	return NULL;
}

static const char *read_loss(struct nats_record *record, struct json_object *object,
			     uint32_t group)
{
	const char *cause = json_get_string(object, "cause");

	if (!*cause || strlen(cause) >= sizeof(record->cause) ||
	    is_collapsed(cause) != is_collapsed(json_get_string(object, "item")))
		return "a loss without a cause";
	snprintf(record->cause, sizeof(record->cause), "%s", cause);
	record->time = json_get_number(object, "time_realtime");
	record->loss = (struct kerror_loss) {
		.group = group, .cause = KERROR_CAUSES,
		.count = json_get_number(object, "count"),
		.total = json_get_number(object, "total"),
	};
	for (unsigned int i = 0; i < KERROR_CAUSES; i++)
		if (!strcmp(cause, kerror_cause_name(i)))
			record->loss.cause = i;
	if (record->loss.count > INT64_MAX || record->loss.total > INT64_MAX ||
	    record->time > INT64_MAX)
		return "a loss without a number";
	record->kind = NATS_LOSS;
	return NULL;
}

static const char *read_heartbeat(struct nats_record *record, struct json_object *object)
{
	struct store_heartbeat *heartbeat = &record->heartbeat;
	struct json_object *groups;
	size_t count = json_get_array(object, "groups", &groups);

	heartbeat->time = json_get_number(object, "time_realtime");
	heartbeat->interval = json_get_number(object, "interval");
	heartbeat->behind = json_get_bool(object, "behind");
	heartbeat->filtered = json_get_bool(object, "filtered");
	if (!heartbeat->interval || heartbeat->interval > UINT32_MAX ||
	    heartbeat->time > INT64_MAX)
		return "a heartbeat without an interval";
	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(groups, i);
		int group = kerror_group_number(json_get_string(entry, "group"));
		uint64_t next = json_get_number(entry, "next");
		uint64_t lost = json_get_number(entry, "lost");

		/* A group that this release does not know */
		if (group < 0 || kerror_group_index(group) < 0)
			continue;
		if (next > UINT32_MAX || lost > INT64_MAX ||
		    heartbeat->count == KERROR_GROUP_COUNT)
			return "a heartbeat without numbers";
		heartbeat->group[heartbeat->count].group = group;
		heartbeat->group[heartbeat->count].next = next;
		heartbeat->group[heartbeat->count++].lost = lost;
	}
	record->kind = NATS_HEARTBEAT;
	return NULL;
}

static const char *read_item(struct nats_record *record, struct json_object *object,
			     natsMsg *msg)
{
	const char *item = json_get_string(object, "item"), *filtered = NULL;
	const char *boot_id;
	char machine[64], name[16], subject[128];
	int group;

	if (!json_object_is_type(object, json_type_object))
		return "it is no JSON object";
	record->origin = read_origin(object);
	if (!record->origin)
		return "out of memory";
	boot_id = kerror_origin_get(record->origin, "boot_id");
	if (!boot_id || !*boot_id || strlen(boot_id) >= BOOT_ID_SIZE)
		return "it has no boot_id";
	record->filtered = natsMsgHeader_Get(msg, NATS_FILTERED, &filtered) == NATS_OK;
	nats_machine(record->origin, machine, sizeof(machine));
	snprintf(name, sizeof(name), "%.15s", strcmp(item, "heartbeat") ?
		 json_get_string(object, "group") : NATS_HEARTBEATS);
	snprintf(subject, sizeof(subject), "kerror.%s.%s", machine, name);
	if (strcmp(subject, natsMsg_GetSubject(msg)))
		return "it says that it is of another machine or group than its subject";
	if (!strcmp(item, "heartbeat"))
		return read_heartbeat(record, object);
	group = kerror_group_number(name);
	if (group < 0 || kerror_group_index(group) < 0)
		return "its group is not known";
	return !strcmp(item, "event") ? read_event(record, object, group, msg) :
	       !strcmp(item, "loss") || is_collapsed(item) ?
	       read_loss(record, object, group) :
	       "it is neither an event nor a loss nor a heartbeat";
}

bool nats_record_read(struct nats_record *record, natsMsg *msg, char *reason, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = NULL;
	const char *wrong = "out of memory";

	*record = (struct nats_record) { 0 };
	if (tokener && natsMsg_GetData(msg))
		object = json_tokener_parse_ex(tokener, natsMsg_GetData(msg),
					       natsMsg_GetDataLength(msg));
	if (tokener)
		wrong = read_item(record, object, msg);
	json_object_put(object);
	if (tokener)
		json_tokener_free(tokener);
	if (!wrong)
		return true;
	nats_record_free(record);
	snprintf(reason, size, "%s", wrong);
	return false;
}
