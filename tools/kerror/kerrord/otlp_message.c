// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes OTLP's request for records: events, losses and reports as log records, each
 * below the resource that is its origin. Numbers and names are those of
 * opentelemetry/proto/logs/v1/logs.proto and the files that it imports.
 */
#include <stdio.h>
#include "otlp.h"

#define SCOPE "kerror"

/* The fields of a message that have attributes */
#define OF_RESOURCE	1
#define OF_RECORD	6

/* ---- Attributes ---- */

/* Begins an attribute: of AnyValue, the value itself is to follow. */
static void begin_attribute(struct otlp_writer *writer, unsigned int of, const char *key,
			    size_t begin[2])
{
	begin[0] = otlp_begin(writer, of, NULL);
	otlp_text(writer, 1, "key", key, strlen(key));
	begin[1] = otlp_begin(writer, 2, "value");
}

static void end_attribute(struct otlp_writer *writer, const size_t begin[2])
{
	otlp_end(writer, begin[1]);
	otlp_end(writer, begin[0]);
}

static void add_string(struct otlp_writer *writer, unsigned int of, const char *key,
		       const char *value)
{
	size_t begin[2];

	begin_attribute(writer, of, key, begin);
	otlp_text(writer, 1, "stringValue", value, strlen(value));
	end_attribute(writer, begin);
}

/* A number that is no int64 is text. */
static void add_number(struct otlp_writer *writer, const char *key, uint64_t value)
{
	const struct kerror_field field = { .value = KERROR_VALUE_NUMBER, .number = value };
	size_t begin[2];

	begin_attribute(writer, OF_RECORD, key, begin);
	if (value <= INT64_MAX)
		otlp_int(writer, 3, "intValue", value);
	else
		otlp_shown(writer, 1, "stringValue", &field);
	end_attribute(writer, begin);
}

static void add_flag(struct otlp_writer *writer, const char *key, bool value)
{
	size_t begin[2];

	begin_attribute(writer, OF_RECORD, key, begin);
	otlp_bool(writer, 2, "boolValue", value);
	end_attribute(writer, begin);
}

static void add_field(struct otlp_writer *writer, const struct kerror_field *field)
{
	static const char *const keys[] = {
		[KERROR_FIELD_CPU] = "cpu.logical_number",
		[KERROR_FIELD_PID] = "process.pid",
		[KERROR_FIELD_UID] = "process.real_user.id",
		[KERROR_FIELD_TYPE] = "kerror.event_type",
		[KERROR_FIELD_ID] = "kerror.event_id",
		[KERROR_FIELD_DATA] = NULL,
	};
	char key[48];
	size_t begin[2];

	snprintf(key, sizeof(key), "kerror.%s", field->name);
	if (keys[field->id])
		snprintf(key, sizeof(key), "%s", keys[field->id]);
	switch (field->value) {
	case KERROR_VALUE_NUMBER:
		add_number(writer, key, field->number);
		return;
	case KERROR_VALUE_FLAG:
		add_flag(writer, key, true);
		return;
	default:
		break;
	}
	begin_attribute(writer, OF_RECORD, key, begin);
	if (field->value == KERROR_VALUE_BYTES)
		otlp_bytes(writer, 7, "bytesValue", field->text, field->size);
	else
		otlp_shown(writer, 1, "stringValue", field);
	end_attribute(writer, begin);
}

/* A list of strings: the arguments' values, or their types */
static void add_arguments(struct otlp_writer *writer, const struct kerror_event *event,
			  bool types)
{
	struct kerror_field field = { .id = KERROR_FIELD_FORMAT };
	size_t begin[2], array, value;

	begin_attribute(writer, OF_RECORD, types ? "kerror.argument_types" :
			"kerror.arguments", begin);
	array = otlp_begin(writer, 5, "arrayValue");
	otlp_list(writer, "values");
	while (kerror_event_next_field(event, &field) && field.id == KERROR_FIELD_ARG) {
		const char *type = kerror_argument_name(field.type);

		value = otlp_begin(writer, 1, NULL);
		if (types)
			otlp_text(writer, 1, "stringValue", type, strlen(type));
		else
			otlp_shown(writer, 1, "stringValue", &field);
		otlp_end(writer, value);
	}
	otlp_end_list(writer);
	otlp_end(writer, array);
	end_attribute(writer, begin);
}

/* ---- Log records ---- */

static void add_head(struct otlp_writer *writer, const struct record *record,
		     uint64_t time, unsigned int severity, const char *name)
{
	static const unsigned char numbers[] = { 21, 19, 18, 17, 13, 10, 9, 5 };

	otlp_time(writer, 1, "timeUnixNano", time);
	otlp_time(writer, 11, "observedTimeUnixNano", record->time);
	otlp_small(writer, 2, "severityNumber", numbers[kerror_severity_level(severity)]);
	otlp_text(writer, 3, "severityText", name, strlen(name));
}

static void add_body(struct otlp_writer *writer, const char *text, size_t size)
{
	size_t body = otlp_begin(writer, 5, "body");

	otlp_text(writer, 1, "stringValue", text, size);
	otlp_end(writer, body);
}

/* kerror.FACILITY.ID, or what stands for what an event lacks of these */
static void add_event_name(struct otlp_writer *writer, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	size_t name = otlp_begin_text(writer, 12, "eventName");
	char end[24];

	otlp_add_text(writer, "kerror.", 7);
	if (header && kerror_event_format(event))
		snprintf(end, sizeof(end), ".%08x", header->event_id);
	else if (header)
		snprintf(end, sizeof(end), ".type%u", header->event_type);
	else
		snprintf(end, sizeof(end), "%s", kerror_group_name(kerror_event_group(event)));
	if (header)
		otlp_add_text(writer, header->facility, strlen(header->facility));
	otlp_add_text(writer, end, strlen(end));
	otlp_end_text(writer, name);
}

static void add_uid(struct otlp_writer *writer, const struct kerror_event *event)
{
	const struct kerror_origin *origin = kerror_event_origin(event);
	const char *boot_id = kerror_origin_get(origin, "boot_id");
	const char *instance = kerror_origin_get(origin, "instance");
	char uid[112];

	snprintf(uid, sizeof(uid), "%.48s:%.20s:%s:%u", boot_id ? boot_id : "",
		 instance ? instance : "0",
		 kerror_group_name(kerror_event_group(event)), kerror_event_sequence(event));
	add_string(writer, OF_RECORD, "log.record.uid", uid);
}

/*
 * A loss has no number of its own. What tells two of them apart is where its events end, the
 * total that the kernel counts, or when the record was made, which a second request repeats.
 */
static void add_loss_uid(struct otlp_writer *writer, const struct record *record)
{
	bool numbered = record_is_numbered_loss(record);
	char end[64], uid[176];

	if (numbered && record->next)
		snprintf(end, sizeof(end), "next:%u", record->next);
	else if (!numbered && record->loss.cause < KERROR_CAUSES)
		snprintf(end, sizeof(end), "total:%llu", (unsigned long long)record->loss.total);
	else
		snprintf(end, sizeof(end), "time:%llu", (unsigned long long)record->time);
	snprintf(uid, sizeof(uid), "%.48s:%.20s:%s:loss:%.24s:%s",
		 kerror_origin_get(record->origin, "boot_id") ? : "",
		 kerror_origin_get(record->origin, "instance") ? : "0",
		 kerror_group_name(record->loss.group), record->cause, end);
	add_string(writer, OF_RECORD, "log.record.uid", uid);
}

static bool is_attribute(enum kerror_field_id id)
{
	return id != KERROR_FIELD_TIME_REALTIME && id != KERROR_FIELD_SEVERITY &&
	       id != KERROR_FIELD_ARG && id != KERROR_FIELD_TEXT &&
	       id <= KERROR_FIELD_DATA;
}

static void add_event(struct otlp_writer *writer, const struct record *record)
{
	const struct kerror_event *event = record->event;
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_field field = { 0 };
	size_t size;
	const char *text = event_text(event, &size);

	add_head(writer, record, header ? header->time_realtime : record->time,
		 header ? header->severity : 4,
		 header ? kerror_severity_name(header->severity) : "unknown");
	add_body(writer, text, size);
	add_event_name(writer, event);
	otlp_list(writer, "attributes");
	add_uid(writer, event);
	if (event_text_truncated())
		add_flag(writer, "kerror.text_truncated", true);
	if (header && header->format == EVL_FORMAT_PRINTF &&
	    !kerror_format_own_id(kerror_event_format(event)))
		add_flag(writer, "kerror.own_id", false);
	while (kerror_event_next_field(event, &field))
		if (is_attribute(field.id))
			add_field(writer, &field);
	if (kerror_event_argument_count(event)) {
		add_arguments(writer, event, false);
		add_arguments(writer, event, true);
	}
	otlp_end_list(writer);
}

static void add_loss(struct otlp_writer *writer, const struct record *record)
{
	const struct print_style style = { .cause = record->cause };
	const char *group = kerror_group_name(record->loss.group);
	struct buffer text = { 0 };

	loss_text(&text, &style, &record->loss);
	add_head(writer, record, record->time, 4, kerror_severity_name(4));
	add_body(writer, text.bytes, text.size);
	if (is_collapsed(record->cause))
		otlp_text(writer, 12, "eventName", "kerror.collapsed", 16);
	else
		otlp_text(writer, 12, "eventName", "kerror.loss", 11);
	otlp_list(writer, "attributes");
	add_loss_uid(writer, record);
	add_string(writer, OF_RECORD, "kerror.group", group);
	add_string(writer, OF_RECORD, "kerror.loss.cause", record->cause);
	add_number(writer, "kerror.loss.count", record->loss.count);
	add_number(writer, "kerror.loss.total", record->loss.total);
	otlp_end_list(writer);
	writer->buffer->failed |= text.failed;
	buffer_free(&text);
}

static void add_report(struct otlp_writer *writer, const struct record *record)
{
	add_head(writer, record, record->time, record->severity,
		 kerror_severity_name(record->severity));
	add_body(writer, record->text, strlen(record->text));
	otlp_text(writer, 12, "eventName", "kerror.report", 13);
}

static void add_record(struct otlp_writer *writer, const struct record *record)
{
	size_t begin = otlp_begin(writer, 2, NULL);

	switch (record->kind) {
	case RECORD_EVENT:
	case RECORD_LINE:
		add_event(writer, record);
		break;
	case RECORD_LOSS:
		add_loss(writer, record);
		break;
	case RECORD_REPORT:
		add_report(writer, record);
		break;
	}
	otlp_end(writer, begin);
}

/* ---- The request ---- */

/* Architectures have names of their own there. */
static const char *arch_of(const char *machine)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "x86" },
		{ "armv7l", "arm32" }, { "armv6l", "arm32" }, { "ppc64le", "ppc64" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(machine, names[i][0]))
			return names[i][1];
	return machine;
}

static void add_resource(struct otlp_writer *writer, const struct kerror_origin *origin)
{
	static const char *const keys[][2] = {
		{ "machine", "host.id" }, { "host", "host.name" },
		{ "release", "service.version" }, { "version", "os.description" },
		{ "arch", "host.arch" },
	};
	size_t resource = otlp_begin(writer, 1, "resource");
	const char *name, *value;
	char key[64];

	otlp_list(writer, "attributes");
	add_string(writer, OF_RESOURCE, "service.name", "linux-kernel");
	add_string(writer, OF_RESOURCE, "os.type", "linux");
	for (size_t at = 0; (name = kerror_origin_at(origin, at, &value)); at++) {
		snprintf(key, sizeof(key), "kerror.%s", name);
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (!strcmp(name, keys[i][0]))
				snprintf(key, sizeof(key), "%s", keys[i][1]);
		add_string(writer, OF_RESOURCE, key,
			   strcmp(name, "arch") ? value : arch_of(value));
	}
	otlp_end_list(writer);
	otlp_end(writer, resource);
}

size_t otlp_request(struct buffer *buffer, bool json, struct record *const *records,
		    size_t count, size_t most)
{
	struct otlp_writer writer = { .buffer = buffer, .json = json };
	size_t done = 0;

	if (json)
		buffer_byte(buffer, '{');
	otlp_list(&writer, "resourceLogs");
	while (done < count && buffer->size < most) {
		struct kerror_origin *origin = record_origin(records[done]);
		size_t of_resource = otlp_begin(&writer, 1, NULL), of_scope, scope;

		add_resource(&writer, origin);
		otlp_list(&writer, "scopeLogs");
		of_scope = otlp_begin(&writer, 2, NULL);
		scope = otlp_begin(&writer, 1, "scope");
		otlp_text(&writer, 1, "name", SCOPE, strlen(SCOPE));
		otlp_end(&writer, scope);
		otlp_list(&writer, "logRecords");
		do
			add_record(&writer, records[done++]);
		while (done < count && buffer->size < most &&
		       record_origin(records[done]) == origin);
		otlp_end_list(&writer);
		otlp_end(&writer, of_scope);
		otlp_end_list(&writer);
		otlp_end(&writer, of_resource);
	}
	otlp_end_list(&writer);
	if (json)
		buffer_byte(buffer, '}');
	return done;
}
