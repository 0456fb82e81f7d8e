// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same event in all outputs: each field that libkerror visits has the same
 * value in JSON, lines for people, the journal, syslog and the environment of
 * commands, and nothing in them controls a terminal.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include "outputs.h"

/* ---- Reading a value back ---- */

/* Begins the variable, and the field in the journal: "KERROR_FACILITY=" */
static void variable_name(char *name, const struct kerror_field *field)
{
	size_t length = sprintf(name, "KERROR_%s", field->name);

	for (size_t i = 0; i < length; i++)
		name[i] = name[i] == '.' ? '_' : toupper((unsigned char)name[i]);
	if (field->id == KERROR_FIELD_ARG)
		length += sprintf(name + length, "_%zu", field->index);
	strcpy(name + length, "=");
}

static void check_environment(const struct outputs *outputs, const char *name,
			      const struct buffer *value)
{
	size_t length = strlen(name), i;
	/* A command gets no longer ones. */
	bool cut = value->size > VARIABLE_BYTES;

	for (i = 0; outputs->variables[i]; i++)
		if (!strncmp(outputs->variables[i], name, length))
			break;
	if (!outputs->variables[i]) {
		assert_true(!strncmp(name, "KERROR_ARG_", 11) && i > VARIABLES - 12);
		return;
	}
	if (cut)
		assert_memory_equal(outputs->variables[i] + length, value->bytes,
				    strlen(outputs->variables[i] + length));
	else
		assert_string_equal(outputs->variables[i] + length, value->bytes);
}

static void check_journal(const struct outputs *outputs, const char *name,
			  const struct buffer *value)
{
	size_t length = strlen(name), i, count = 0;

	for (i = 0; i < outputs->entry.count; i++) {
		const struct iovec *field = &outputs->entry.field[i];

		if (field->iov_len < length || memcmp(field->iov_base, name, length))
			continue;
		count++;
		assert_int_equal(field->iov_len, length + value->size);
		assert_memory_equal((char *)field->iov_base + length, value->bytes,
				    value->size);
	}
	assert_true(count == 1 || outputs->entry.count >= JOURNAL_FIELDS - 12);
}

/* The value between quotes, of which a backslash is a part of the format */
static void check_syslog(const struct outputs *outputs,
			 const struct kerror_field *field, const struct buffer *value)
{
	struct buffer read = { 0 };
	char name[64], *at;

	if (field->id == KERROR_FIELD_ARG)
		sprintf(name, " arg%zu=\"", field->index);
	else
		sprintf(name, " %s=\"", field->name);
	at = strstr(outputs->syslog.bytes, field->id == KERROR_FIELD_ARG ?
		    "[kerrorArguments@32473" : "[kerror@32473");
	assert_non_null(at);
	at = strstr(at, name);
	assert_non_null(at);
	for (at += strlen(name); *at != '"'; at++) {
		assert_true(*at && *at != ']');
		if (*at == '\\') {
			at++;
			assert_true(*at == '"' || *at == '\\' || *at == ']');
		}
		buffer_byte(&read, *at);
	}
	buffer_terminate(&read);
	assert_string_equal(read.bytes, value->bytes);
	buffer_free(&read);
}

/* ---- JSON, with another parser ---- */

/* The value as other outputs have it */
static void add_json_value(struct buffer *buffer, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		buffer_printable(buffer, json_object_get_string(value),
				 json_object_get_string_len(value));
		break;
	case json_type_boolean:
		buffer_byte(buffer, json_object_get_boolean(value) ? '1' : '0');
		break;
	default:
		buffer_string(buffer, json_object_to_json_string(value));
	}
}

static void check_json_value(struct json_object *value, const struct buffer *expected)
{
	struct buffer read = { 0 };

	add_json_value(&read, value);
	buffer_terminate(&read);
	assert_string_equal(read.bytes, expected->bytes);
	buffer_free(&read);
}

static void check_json(struct json_object *line, const struct kerror_field *field,
		       const struct buffer *expected)
{
	const char *key = field->id == KERROR_FIELD_ID ? "event_id" :
			  field->id == KERROR_FIELD_TYPE ? "event_type" : field->name;
	struct json_object *value, *list;

	if (field->id == KERROR_FIELD_ARG) {
		assert_true(json_object_object_get_ex(line, "arguments", &list));
		value = json_object_array_get_idx(list, field->index);
		assert_non_null(value);
		assert_int_equal(json_object_object_get_ex(value, "value", &value),
				 field->value != KERROR_VALUE_NONE);
		if (field->value == KERROR_VALUE_NONE)
			return;
	} else if (!json_object_object_get_ex(line, key, &value)) {
		/* Data in hexadecimal are there as such. */
		assert_int_equal(field->id, KERROR_FIELD_TEXT);
		return;
	}
	check_json_value(value, expected);
}

/* ---- Lines for people ---- */

static void check_line(const struct outputs *outputs,
		       const struct kerror_field *field, const struct buffer *value)
{
	static const enum kerror_field_id shown[] = {
		KERROR_FIELD_CPU, KERROR_FIELD_UID, KERROR_FIELD_GID, KERROR_FIELD_PID,
		KERROR_FIELD_TID, KERROR_FIELD_COMM, KERROR_FIELD_ID,
		KERROR_FIELD_ARG, KERROR_FIELD_TEXT, KERROR_FIELD_FACILITY,
		KERROR_FIELD_DEVICE, KERROR_FIELD_CONTEXT, KERROR_FIELD_SEVERITY,
		KERROR_FIELD_FORMAT, KERROR_FIELD_HOST, KERROR_FIELD_RELEASE,
		KERROR_FIELD_LIVEPATCH, KERROR_FIELD_TAG,
	};
	struct buffer wanted = { 0 };
	const char *quote = field->value == KERROR_VALUE_TEXT && !field->invalid ? "\"" : "";
	bool is_shown = false;

	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		is_shown |= shown[i] == field->id;
	if (!is_shown)
		return;
	if (field->id == KERROR_FIELD_ARG) {
		buffer_string(&wanted, kerror_argument_name(field->type));
		buffer_byte(&wanted, '=');
		buffer_string(&wanted, quote);
		buffer_string(&wanted, value->bytes);
		buffer_string(&wanted, quote);
	} else if (field->id > KERROR_FIELD_ARGC) {
		buffer_string(&wanted, field->name);
		buffer_string(&wanted, "=\"");
		buffer_string(&wanted, value->bytes);
		buffer_byte(&wanted, '"');
	} else {
		if (field->id < KERROR_FIELD_FORMAT && field->id >= KERROR_FIELD_CPU) {
			buffer_string(&wanted, field->name);
			buffer_byte(&wanted, '=');
		}
		buffer_string(&wanted, field->value == KERROR_VALUE_FLAG ?
			      field->name : value->bytes);
	}
	buffer_terminate(&wanted);
	assert_non_null(strstr(outputs->line.bytes, wanted.bytes));
	buffer_free(&wanted);
}

static void check_event(struct kerror_event *event)
{
	static const struct print_style style;
	struct kerror_field field = { 0 };
	struct json_object *line;
	struct outputs outputs;

	make(&outputs, event);
	check_all_bytes(&outputs);
	line = json_tokener_parse(outputs.json.bytes);
	assert_non_null(line);
	while (next_field(&style, event, &field)) {
		struct buffer value = { 0 };
		char name[64];
		bool is_text = field.id == KERROR_FIELD_TEXT &&
			       field.value == KERROR_VALUE_TEXT;

		buffer_value(&value, &field, "");
		buffer_terminate(&value);
		variable_name(name, &field);
		check_environment(&outputs, name, &value);
		check_journal(&outputs, is_text ? "MESSAGE=" : name, &value);
		if (is_text)
			assert_string_equal(outputs.syslog.bytes + outputs.syslog.size -
					    value.size, value.bytes);
		else
			check_syslog(&outputs, &field, &value);
		/* If the text was cut, JSON cuts before it escapes. */
		check_json(line, &field, &value);
		check_line(&outputs, &field, &value);
		buffer_free(&value);
	}
	json_object_put(line);
	free_outputs(&outputs);
}

static void check_group(uint32_t group, struct build *build, int severity)
{
	struct kerror_event *event = kerror_event_new(group, 5, 6, build->data,
						      build->size);

	assert_non_null(event);
	if (severity >= 0)
		kerror_event_set_severity(event, severity);
	check_event(event);
	kerror_event_free(event);
}

/* ---- The tests ---- */

static void test_example(void **state)
{
	struct build build;

	(void)state;
	build_example(&build);
	check_group(KERROR_GROUP_EVLOG, &build, -1);
	check_group(KERROR_GROUP_EVLOG, &build, 6);
	check_group(KERROR_GROUP_RAW, &build, -1);
	for (unsigned int bit = 0; bit < 10; bit++) {
		build.header.flags = 1 << bit;
		check_group(KERROR_GROUP_PRINTK, &build, -1);
	}
	build.header.flags = ~0;
	check_group(KERROR_GROUP_PRINTK, &build, -1);
	for (unsigned int severity = 0; severity < 256; severity++) {
		build.header.severity = severity;
		check_group(KERROR_GROUP_EVLOG, &build, -1);
	}
}

static void test_kinds(void **state)
{
	struct build build;

	(void)state;
	for (unsigned int kind = 0; kind < 6; kind++) {
		build_begin(&build, "n2", kind, kind == EVL_FORMAT_PRINTF ? "" : NULL);
		check_group(KERROR_GROUP_EVLOG, &build, -1);
		build_bytes(&build, "\x1b[31m\xc2\x9b\xff\0]\"\\ ", 12);
		check_group(KERROR_GROUP_EVLOG, &build, -1);
		check_group(KERROR_GROUP_RAW, &build, -1);
	}
}

static void test_many_arguments(void **state)
{
	char format[2 * 800 + 1] = "";
	struct build build;

	(void)state;
	for (int i = 0; i < 800; i++)
		memcpy(format + 2 * i, "%u", 3);
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, format);
	for (uint32_t i = 0; i < 800; i++)
		build_argument(&build, EVL_ARG_U32, 0, &i, 4);
	check_group(KERROR_GROUP_EVLOG, &build, -1);
}

static void test_hostile(void **state)
{
	struct build build;

	(void)state;
	for (uint64_t number = 1; number <= 300; number++) {
		hostile_event(&build, number);
		check_group(KERROR_GROUP_EVLOG, &build, -1);
	}
}

/* In every place where a number has to be a level, it is the same one. */
static void test_unknown_severity(void **state)
{
	struct kerror_event *event;
	struct outputs outputs;
	struct build build;

	(void)state;
	build_example(&build);
	build.header.severity = 104;
	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, build.data, build.size);
	make(&outputs, event);
	assert_memory_equal(outputs.syslog.bytes, "<4>1 ", 5);
	assert_non_null(strstr(outputs.syslog.bytes, " severity=\"unknown\" "));
	assert_memory_equal(outputs.entry.field[0].iov_base, "PRIORITY=4", 10);
	assert_non_null(strstr(outputs.json.bytes, "\"severity\":\"unknown\""));
	assert_non_null(strstr(outputs.line.bytes, " unknown driver["));
	free_outputs(&outputs);
	kerror_event_free(event);
}

/* A shortened message has the same header, whole elements and the begin of the text. */
static void check_shortened(struct kerror_event *event, size_t most)
{
	struct record record = { .kind = RECORD_EVENT, .event = event };
	struct buffer whole = { 0 }, cut = { 0 };
	const char *text, *end;
	size_t size, length;

	syslog_message(&whole, 0, &record);
	syslog_message(&cut, 0, &record);
	cut.size = syslog_shorten(cut.bytes, cut.size, most);
	buffer_terminate(&whole);
	buffer_terminate(&cut);
	assert_true(cut.size <= most);
	if (cut.size != whole.size)
		assert_non_null(strstr(cut.bytes, " text_truncated=\"1\""));
	check_bytes(cut.bytes, cut.size);
	end = strstr(whole.bytes, "[kerror@32473 ");
	assert_memory_equal(cut.bytes, whole.bytes, end - whole.bytes + 14);
	text = strstr(cut.bytes, "text_truncated=\"1\"] ");
	if (text && cut.size != whole.size) {
		struct kerror_field field = { 0 };
		static const struct print_style style;
		struct buffer value = { 0 };

		text += 20;
		while (next_field(&style, event, &field) &&
		       field.id != KERROR_FIELD_TEXT)
			;
		buffer_value(&value, &field, "");
		size = strlen(text);
		length = size < value.size ? size : value.size;
		/* Arguments may stand between. */
		if (*text != '[')
			assert_memory_equal(text, value.bytes, length);
		buffer_free(&value);
	}
	buffer_free(&whole);
	buffer_free(&cut);
}

static void test_shortened(void **state)
{
	struct build build;

	(void)state;
	for (uint64_t number = 0; number < 2000; number++) {
		struct kerror_event *event;

		hostile_event(&build, number);
		event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, build.data, build.size);
		check_shortened(event, 1024);
		check_shortened(event, SYSLOG_SHORT);
		kerror_event_free(event);
	}
}

/* The keys and their order are a promise. */
static void test_json(void **state)
{
	static const char expected[] =
		"{\"item\":\"event\",\"boot_id\":\"01234567-89ab-cdef-0123-456789abcdef\","
		"\"instance\":4000001,\"group\":\"evlog\",\"sequence\":1,\"thread\":2,"
		"\"time_realtime\":1700000000123456789,"
		"\"time_realtime_string\":\"1700000000123456789\",\"time_boot\":5000000000,"
		"\"severity\":\"err\",\"facility\":\"driver\","
		"\"device\":\"+pci:0000:00:1f.2\",\"context\":\"nmi\",\"boot\":true,"
		"\"cpu\":3,\"uid\":1000,\"gid\":0,\"pid\":42,\"tid\":43,"
		"\"comm\":\"task\",\"event_type\":7,\"event_id\":\"00000abc\","
		"\"kind\":\"printf\","
		"\"format\":\"%d %u %lld %llx %c [%*.*s] %s %p %pI4 100%%\",\"own_id\":false,"
		"\"arguments\":[{\"type\":\"s32\",\"value\":-5},"
		"{\"type\":\"u32\",\"value\":4294967291},"
		"{\"type\":\"s64\",\"value\":-5},"
		"{\"type\":\"u64\",\"value\":18446744073709551615,"
		"\"value_string\":\"18446744073709551615\"},"
		"{\"type\":\"char\",\"value\":99},"
		"{\"type\":\"string\",\"value\":\"abc\"},"
		"{\"type\":\"string\",\"value\":\"(null)\",\"invalid\":true},"
		"{\"type\":\"pointer\",\"value\":\"fffffffb\"},"
		"{\"type\":\"text\",\"value\":\"10.0.0.1\"}],"
		"\"text\":\"" BUILD_EXAMPLE_TEXT "\","
		"\"machine\":\"0123456789abcdef0123456789abcdef\",\"host\":\"host\","
		"\"release\":\"6.1.0-50-amd64\",\"version\":\"#1 SMP Debian 6.1.192-1\","
		"\"arch\":\"x86_64\",\"livepatch\":\"one two\","
		"\"tag.hostile\":\"\\\"]\\\\ \\u001b[31m\\\\xff\\u202e \xc3\xa4\","
		"\"tag.rack\":\"r17\"}\n";
	struct kerror_event *event;
	struct outputs outputs;
	struct build build;

	(void)state;
	build_example(&build);
	build.header.event_id = 0xabc;
	build.header.flags = EVL_FLAG_NMI | EVL_FLAG_BOOT;
	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, build.data, build.size);
	make(&outputs, event);
	assert_string_equal(outputs.json.bytes, expected);
	free_outputs(&outputs);
	kerror_event_free(event);
}

/* Losses and reports have the same origin as events. */
static void test_other_records(void **state)
{
	struct kerror_origin *origin = build_whole_origin(), *other = build_origin("x");
	struct print_style style = { .origin = origin };
	struct record record = {
		.kind = RECORD_LOSS, .cause = "sink", .origin = origin,
		.loss = { .group = KERROR_GROUP_EVLOG, .count = 7, .total = 9 },
	};
	struct buffer json = { 0 }, line = { 0 }, syslog = { 0 };
	struct journal_entry entry = { 0 };
	bool host = false;

	(void)state;
	loss_json(&json, &style, &record.loss);
	assert_non_null(strstr(buffer_terminate(&json), "\"total\":9,\"machine\":\"01"));
	assert_non_null(strstr(json.bytes, "\"tag.rack\":\"r17\"}\n"));
	assert_null(strstr(strstr(json.bytes, "boot_id") + 1, "boot_id"));
	loss_line(&line, &style, &record.loss);
	assert_non_null(strstr(buffer_terminate(&line), " <host=\"host\" release=\"6.1"));
	/* Lines do not repeat what is the same everywhere. */
	line.size = 0;
	style.own = origin;
	report_line(&line, &style, "text");
	assert_string_equal(buffer_terminate(&line), "-- kerrord: text\n");
	line.size = 0;
	style.own = other;
	report_line(&line, &style, "text");
	assert_non_null(strstr(buffer_terminate(&line), "text <host=\"host\" "));
	syslog_message(&syslog, 0, &record);
	assert_non_null(strstr(buffer_terminate(&syslog), "Z host kerrord - loss [kerrorLoss@"));
	assert_non_null(strstr(syslog.bytes, " total=\"9\" machine=\"01"));
	assert_int_equal(journal_entry(&entry, &record), 0);
	for (size_t i = 0; i < entry.count; i++)
		host |= !strncmp(entry.field[i].iov_base, "KERROR_HOST=host", 16);
	assert_true(host);
	free_journal_entry(&entry);
	buffer_free(&json);
	buffer_free(&line);
	buffer_free(&syslog);
	kerror_origin_release(origin);
	kerror_origin_release(other);
}

static void test_time(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 40000; i++) {
		uint64_t time = i < 20000 ? i * 86399999999999 :
				i * 922337203685477;
		time_t seconds = time / 1000000000;
		char date[40], expected[64];
		struct buffer made = { 0 };
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
		sprintf(expected, "%s.%06uZ", date,
			(unsigned int)(time % 1000000000 / 1000));
		buffer_time(&made, time);
		assert_string_equal(buffer_terminate(&made), expected);
		buffer_free(&made);
	}
}

static int done(void **state)
{
	(void)state;
	event_text_done();
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_many_arguments),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_unknown_severity),
		cmocka_unit_test(test_shortened),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_other_records),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests_name("outputs", tests, NULL, done);
}
