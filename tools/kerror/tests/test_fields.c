// SPDX-License-Identifier: GPL-2.0-only
/*
 * The visit of an event's fields: each that it has, once and in order, of any event;
 * and the cost of texts that do not fit.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "hostile.h"

static struct kerror_event *event_of(struct build *build)
{
	struct kerror_event *event = kerror_event_new(KERROR_GROUP_EVLOG, 7, 42,
						      build->data, build->size);

	assert_non_null(event);
	return event;
}

static void test_example(void **state)
{
	static const struct {
		const char *name;
		enum kerror_value value;
		uint64_t number;
		const char *text;
		size_t size;
	} expected[] = {
		{ "group", KERROR_VALUE_TEXT, 0, "evlog", 5 },
		{ "sequence", KERROR_VALUE_NUMBER, 7, NULL, 0 },
		{ "thread", KERROR_VALUE_NUMBER, 42, NULL, 0 },
		{ "time_realtime", KERROR_VALUE_NUMBER, 1700000000123456789, NULL, 0 },
		{ "time_boot", KERROR_VALUE_NUMBER, 5000000000, NULL, 0 },
		{ "severity", KERROR_VALUE_TEXT, 0, "warning", 7 },
		{ "kernel_severity", KERROR_VALUE_TEXT, 0, "err", 3 },
		{ "facility", KERROR_VALUE_TEXT, 0, "driver", 6 },
		{ "device", KERROR_VALUE_TEXT, 0, "+pci:0000:00:1f.2", 17 },
		{ "context", KERROR_VALUE_TEXT, 0, "softirq", 7 },
		{ "boot", KERROR_VALUE_FLAG, 1, NULL, 0 },
		{ "cpu", KERROR_VALUE_NUMBER, 3, NULL, 0 },
		{ "uid", KERROR_VALUE_NUMBER, 1000, NULL, 0 },
		{ "gid", KERROR_VALUE_NUMBER, 0, NULL, 0 },
		{ "pid", KERROR_VALUE_NUMBER, 42, NULL, 0 },
		{ "tid", KERROR_VALUE_NUMBER, 43, NULL, 0 },
		{ "comm", KERROR_VALUE_TEXT, 0, "task", 4 },
		{ "type", KERROR_VALUE_NUMBER, 7, NULL, 0 },
		{ "id", KERROR_VALUE_HEX, 0xabc, NULL, 4 },
		{ "kind", KERROR_VALUE_TEXT, 0, "printf", 6 },
		{ "format", KERROR_VALUE_TEXT, 0,
		  "%d %u %lld %llx %c [%*.*s] %s %p %pI4 100%%", 43 },
		{ "arg", KERROR_VALUE_SIGNED, -5, NULL, 0 },
		{ "arg", KERROR_VALUE_NUMBER, 0xfffffffb, NULL, 0 },
		{ "arg", KERROR_VALUE_SIGNED, -5, NULL, 0 },
		{ "arg", KERROR_VALUE_NUMBER, UINT64_MAX, NULL, 0 },
		{ "arg", KERROR_VALUE_NUMBER, 'c', NULL, 0 },
		{ "arg", KERROR_VALUE_TEXT, 0, "abc", 3 },
		{ "arg", KERROR_VALUE_TEXT, 0, "(null)", 6 },
		{ "arg", KERROR_VALUE_HEX, 0xfffffffb, NULL, 4 },
		{ "arg", KERROR_VALUE_TEXT, 0, "10.0.0.1", 8 },
		{ "text", KERROR_VALUE_NONE, 0, NULL, 0 },
	};
	struct kerror_field field = { 0 }, again;
	struct kerror_event *event;
	struct build build;
	size_t count = 0;

	(void)state;
	build_example(&build);
	build.header.flags = EVL_FLAG_BOOT | EVL_FLAG_SOFTIRQ;
	build.header.event_id = 0xabc;
	event = event_of(&build);
	kerror_event_set_severity(event, 4);
	while (kerror_event_next_field(event, &field)) {
		assert_true(count < sizeof(expected) / sizeof(*expected));
		assert_string_equal(field.name, expected[count].name);
		assert_int_equal(field.value, expected[count].value);
		assert_int_equal(field.number, expected[count].number);
		assert_int_equal(field.size, expected[count].size);
		if (expected[count].text)
			assert_memory_equal(field.text, expected[count].text, field.size);
		assert_int_equal(kerror_event_field(event, field.id, field.index, &again), 0);
		assert_memory_equal(&again, &field, sizeof(field));
		count++;
	}
	assert_int_equal(count, sizeof(expected) / sizeof(*expected));
	assert_int_equal(kerror_event_field(event, KERROR_FIELD_ARG, 9, &again), -ENOENT);
	assert_int_equal(kerror_event_field(event, KERROR_FIELD_DATA, 0, &again), -ENOENT);
	assert_int_equal(kerror_event_field(event, 1000, 0, &again), -ENOENT);
	kerror_event_free(event);
}

/* A raw event has no context; arguments are those of kerror_event_argument(). */
static void test_hostile(void **state)
{
	struct kerror_argument argument;
	struct build build;

	(void)state;
	for (uint64_t number = 0; number < 20000; number++) {
		struct kerror_field field = { 0 };
		enum kerror_field_id last = KERROR_FIELD_NONE;
		struct kerror_event *event;
		size_t arguments = 0;

		hostile_event(&build, number);
		event = event_of(&build);
		while (kerror_event_next_field(event, &field)) {
			assert_true(field.id > last ||
				    (field.id == KERROR_FIELD_ARG && last == field.id));
			last = field.id;
			assert_true(kerror_event_header(event) ||
				    field.id <= KERROR_FIELD_THREAD ||
				    field.id >= KERROR_FIELD_TEXT);
			if (field.id != KERROR_FIELD_ARG)
				continue;
			assert_int_equal(field.index, arguments);
			assert_int_equal(kerror_event_argument(event, arguments++,
							       &argument), 0);
			assert_int_equal(field.type, argument.type);
			if (field.value == KERROR_VALUE_TEXT)
				assert_ptr_equal(field.text, argument.text);
			else if (field.value != KERROR_VALUE_NONE)
				assert_int_equal(field.number, argument.number);
		}
		assert_int_equal(arguments, kerror_event_argument_count(event));
		assert_in_range(kerror_event_memory(event), build.size + 16 * arguments,
				5 * build.size + 512);
		kerror_event_free(event);
	}
}

static void test_origin(void **state)
{
	static const char *const refused[] = {
		"", "severity", "tag", "tag.", "tag.A", "tag.NAME", "tag.a b", "argc", "Host",
		"tag.a23456789012345678901234567890123",
	};
	static const char *const expected[] = {
		"machine", "host", "boot_id", "instance", "release", "version", "arch",
		"livepatch", "tag.hostile", "tag.rack",
	};
	struct kerror_origin *origin = build_whole_origin(), *other = build_origin("x");
	struct kerror_field field = { .id = KERROR_FIELD_DATA }, again;
	struct kerror_event *event, *copy;
	const char *name, *value;
	struct build build;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		assert_int_equal(kerror_origin_set(origin, refused[i], "x"), -EINVAL);
	assert_int_equal(kerror_origin_set(origin, "tag.rack", "r1"), 0);
	assert_int_equal(kerror_origin_set(origin, "tag.rack", "r17"), 0);
	assert_int_equal(kerror_origin_count(origin), 10);
	assert_int_equal(kerror_origin_count(NULL), 0);
	assert_null(kerror_origin_get(NULL, "host"));
	assert_null(kerror_origin_get(origin, "tag.none"));
	build_begin(&build, NULL, EVL_FORMAT_NODATA, NULL);
	event = kerror_event_new(KERROR_GROUP_RAW, 7, 42, build.data, build.size);
	assert_null(kerror_event_origin(event));
	assert_false(kerror_event_next_field(event, &field));
	kerror_event_set_origin(event, other);
	kerror_event_set_origin(event, origin);
	kerror_event_set_origin(event, kerror_event_origin(event));
	/* The event has its own reference. */
	kerror_origin_release(origin);
	field = (struct kerror_field) { .id = KERROR_FIELD_DATA };
	while (kerror_event_next_field(event, &field)) {
		name = kerror_origin_at(kerror_event_origin(event), count, &value);
		assert_string_equal(field.name, expected[count]);
		assert_string_equal(name, expected[count]);
		assert_string_equal(field.text, value);
		assert_int_equal(field.size, strlen(value));
		assert_int_equal(kerror_event_field(event, field.id, field.index, &again), 0);
		assert_memory_equal(&again, &field, sizeof(field));
		count++;
	}
	assert_int_equal(count, 10);
	assert_null(kerror_origin_at(kerror_event_origin(event), 10, &value));
	assert_int_equal(kerror_event_field(event, KERROR_FIELD_TAG, 2, &again), -ENOENT);
	assert_false(kerror_origin_same(kerror_event_origin(event), other));
	origin = build_whole_origin();
	assert_true(kerror_origin_same(kerror_event_origin(event), origin));
	for (int i = 0; i < KERROR_TAGS_MAX - 2; i++) {
		char tag[24];

		sprintf(tag, "tag.t%d", i);
		assert_int_equal(kerror_origin_set(origin, tag, ""), 0);
	}
	assert_int_equal(kerror_origin_set(origin, "tag.more", ""), -E2BIG);
	copy = kerror_event_new(KERROR_GROUP_RAW, 7, 42, build.data, build.size);
	kerror_event_set_origin(copy, origin);
	kerror_event_free(event);
	kerror_event_free(copy);
	assert_string_equal(kerror_origin_get(origin, "tag.t13"), "");
	kerror_origin_release(origin);
	kerror_origin_release(other);
}

static void test_names(void **state)
{
	(void)state;
	for (int id = KERROR_FIELD_GROUP; id <= KERROR_FIELD_DATA; id++)
		assert_int_equal(kerror_field_number(kerror_field_name(id)), id);
	assert_int_equal(kerror_field_number("argc"), -EINVAL);
	assert_int_equal(kerror_field_number(""), -EINVAL);
	assert_string_equal(kerror_field_name(0), "unknown");
	assert_string_equal(kerror_field_name(1000), "unknown");
	assert_int_equal(kerror_severity_level(7), 7);
	assert_int_equal(kerror_severity_level(104), 4);
}

/* 168 MB of text that are counted: a thousand times in less than a second */
static void test_wide(void **state)
{
	struct kerror_event *event;
	struct build build;
	char text[65537];
	clock_t begin;

	(void)state;
	hostile_wide(&build);
	event = event_of(&build);
	begin = clock();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(kerror_event_text(event, text, sizeof(text)),
				 20 * (size_t)WIDEST);
	assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
	print_message("20 widths of %d: %.1f us\n", WIDEST,
		      (clock() - begin) * 1e6 / CLOCKS_PER_SEC / 1000);
	assert_int_equal(strlen(text), sizeof(text) - 1);
	kerror_event_free(event);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_wide),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
