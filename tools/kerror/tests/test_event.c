// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the decoder: what is well-formed gives its parts, everything else
 * is raw bytes, and no bytes whatever make it read outside of them (which the
 * sanitizers, or valgrind, notice).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "build.h"

#define MUTATIONS 200000

static struct kerror_event *event_of(const struct build *build)
{
	struct kerror_event *event = kerror_event_new(KERROR_GROUP_EVLOG, 5, 6,
						      build->data, build->size);

	assert_non_null(event);
	return event;
}

static void assert_text(const struct kerror_event *event, const char *expected)
{
	char text[1024];

	assert_int_equal(kerror_event_text(event, text, sizeof(text)),
			 strlen(expected));
	assert_string_equal(text, expected);
}

static void assert_number(const struct kerror_event *event, size_t index,
			  uint8_t type, uint64_t number, size_t size)
{
	struct kerror_argument argument;

	assert_int_equal(kerror_event_argument(event, index, &argument), 0);
	assert_int_equal(argument.type, type);
	assert_false(argument.invalid);
	assert_true(argument.number == number);
	assert_null(argument.text);
	assert_int_equal(argument.size, size);
}

static void assert_string(const struct kerror_event *event, size_t index,
			  uint8_t type, bool invalid, const char *text)
{
	struct kerror_argument argument;

	assert_int_equal(kerror_event_argument(event, index, &argument), 0);
	assert_int_equal(argument.type, type);
	assert_int_equal(argument.invalid, invalid);
	assert_int_equal(argument.size, strlen(text));
	assert_memory_equal(argument.text, text, argument.size);
}

static void test_printf(void **state)
{
	struct kerror_argument argument;
	const struct evl_header *header;
	struct kerror_event *event;
	struct build build;
	const void *data;
	size_t size;

	(void)state;
	build_example(&build);
	event = event_of(&build);
	assert_int_equal(kerror_event_group(event), KERROR_GROUP_EVLOG);
	assert_int_equal(kerror_event_sequence(event), 5);
	assert_int_equal(kerror_event_thread(event), 6);
	data = kerror_event_data(event, &size);
	assert_ptr_not_equal(data, build.data);
	assert_int_equal(size, build.size);
	assert_memory_equal(data, build.data, size);

	header = kerror_event_header(event);
	assert_non_null(header);
	assert_memory_equal(header, build.data, sizeof(*header));
	assert_string_equal(kerror_event_device(event), "+pci:0000:00:1f.2");
	assert_string_equal(kerror_event_format(event),
			    "%d %u %lld %llx %c [%*.*s] %s %p %pI4 100%%");
	assert_null(kerror_event_payload(event, &size));
	assert_int_equal(size, 0);

	assert_int_equal(kerror_event_argument_count(event), 9);
	assert_number(event, 0, EVL_ARG_S32, (uint64_t)-5, 4);
	assert_number(event, 1, EVL_ARG_U32, 0xfffffffb, 4);
	assert_number(event, 2, EVL_ARG_S64, (uint64_t)-5, 8);
	assert_number(event, 3, EVL_ARG_U64, UINT64_MAX, 8);
	assert_number(event, 4, EVL_ARG_CHAR, 'c', 1);
	assert_string(event, 5, EVL_ARG_STRING, false, "abc");
	assert_string(event, 6, EVL_ARG_STRING, true, "(null)");
	assert_number(event, 7, EVL_ARG_POINTER, 0xfffffffb, 4);
	assert_string(event, 8, EVL_ARG_TEXT, false, "10.0.0.1");
	assert_int_equal(kerror_event_argument(event, 9, &argument), -ENOENT);
	assert_text(event, BUILD_EXAMPLE_TEXT);
	kerror_event_free(event);
}

static void test_payload(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x41, 0xff };
	static const char *const texts[] = {
		[EVL_FORMAT_BINARY] = "00 41 ff",
		[EVL_FORMAT_STRING] = "\0A\xff",
		[EVL_FORMAT_PRINTF + 1] = "00 41 ff",	/* not known yet */
	};
	struct kerror_event *event;
	struct build build;
	const void *payload;
	char text[16];
	size_t size;

	(void)state;
	for (uint8_t i = 0; i <= EVL_FORMAT_PRINTF + 1; i++) {
		if (!texts[i])
			continue;
		build_begin(&build, NULL, i, NULL);
		build_bytes(&build, bytes, sizeof(bytes));
		event = event_of(&build);
		payload = kerror_event_payload(event, &size);
		assert_int_equal(size, sizeof(bytes));
		assert_memory_equal(payload, bytes, size);
		assert_null(kerror_event_format(event));
		assert_string_equal(kerror_event_device(event), "");
		size = kerror_event_text(event, text, sizeof(text));
		assert_int_equal(size, i == EVL_FORMAT_STRING ? 3 : 8);
		assert_memory_equal(text, texts[i], size + 1);
		kerror_event_free(event);
	}
	build_begin(&build, NULL, EVL_FORMAT_NODATA, NULL);
	event = event_of(&build);
	assert_non_null(kerror_event_header(event));
	assert_text(event, "");
	kerror_event_free(event);
}

static void assert_raw(struct kerror_event *event, const uint8_t *data,
		       size_t size)
{
	struct kerror_argument argument;
	char *expected = malloc(3 * size + 1), *text = malloc(3 * size + 1);
	const void *bytes;
	size_t count;

	assert_null(kerror_event_header(event));
	assert_null(kerror_event_format(event));
	assert_null(kerror_event_payload(event, &count));
	assert_string_equal(kerror_event_device(event), "");
	assert_int_equal(kerror_event_argument_count(event), 0);
	assert_int_equal(kerror_event_argument(event, 0, &argument), -ENOENT);
	bytes = kerror_event_data(event, &count);
	assert_int_equal(count, size);
	assert_memory_equal(bytes, data, size);

	expected[0] = '\0';
	for (size_t i = 0; i < size; i++)
		sprintf(expected + 3 * i - !!i, i ? " %02x" : "%02x", data[i]);
	count = kerror_event_text(event, text, 3 * size + 1);
	assert_int_equal(count, size ? 3 * size - 1 : 0);
	assert_string_equal(text, expected);
	free(expected);
	free(text);
	kerror_event_free(event);
}

static void test_raw_group(void **state)
{
	struct build build;

	(void)state;
	build_example(&build);
	assert_raw(kerror_event_new(KERROR_GROUP_RAW, 0, 0, build.data,
				    build.size), build.data, build.size);
	assert_raw(kerror_event_new(KERROR_GROUP_RAW, 0, 0, NULL, 0), NULL, 0);
}

/* Messages of the kernel are evlog's, too; anything else in that group is bytes. */
static void test_printk_group(void **state)
{
	struct kerror_event *event;
	struct build build;
	char text[256];

	(void)state;
	build_example(&build);
	build.header.flags = EVL_FLAG_PRINTK;
	event = kerror_event_new(KERROR_GROUP_PRINTK, 5, 6, build.data,
				 build.size);
	assert_int_equal(kerror_event_group(event), KERROR_GROUP_PRINTK);
	assert_non_null(kerror_event_header(event));
	assert_int_equal(kerror_event_header(event)->flags, EVL_FLAG_PRINTK);
	kerror_event_text(event, text, sizeof(text));
	assert_string_equal(text, BUILD_EXAMPLE_TEXT);
	kerror_event_free(event);
	assert_raw(kerror_event_new(KERROR_GROUP_PRINTK, 5, 6, build.data,
				    build.size - 1), build.data, build.size - 1);
}

static void test_prefixes(void **state)
{
	struct build build;
	size_t size;

	(void)state;
	build_example(&build);
	size = build.size;
	for (build.size = 0; build.size < size; build.size++)
		assert_raw(event_of(&build), build.data, build.size);
	build.size = size + 1;
	assert_raw(event_of(&build), build.data, build.size);
}

static void test_header_grown(void **state)
{
	struct kerror_event *event;
	struct build build;

	(void)state;
	build_example(&build);
	memmove(build.data + EVL_HEADER_SIZE + 20, build.data + EVL_HEADER_SIZE,
		build.size - EVL_HEADER_SIZE);
	memset(build.data + EVL_HEADER_SIZE, 0xaa, 20);
	build.size += 20;
	build.header.header_size += 20;
	build.header.version++;
	event = event_of(&build);
	assert_string_equal(kerror_event_device(event), "+pci:0000:00:1f.2");
	assert_text(event, BUILD_EXAMPLE_TEXT);
	kerror_event_free(event);
}

/* One byte of the example that is set to a value makes it malformed. */
#define FIELD(field) (offsetof(struct evl_header, field))
#define DEVICE EVL_HEADER_SIZE
#define FORMAT (DEVICE + 18)
#define ARGUMENTS (FORMAT + 44)

static void test_malformed(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} cases[] = {
		{ "magic", FIELD(magic), 0 },
		{ "header_size too small", FIELD(header_size), 143 },
		{ "header_size too large", FIELD(header_size) + 1, 0xff },
		{ "header_size does not add up", FIELD(header_size), 148 },
		{ "device_size too small", FIELD(device_size), 0 },
		{ "device_size too large", FIELD(device_size) + 1, 0xff },
		{ "variable_size too small", FIELD(variable_size), 0 },
		{ "variable_size too large", FIELD(variable_size) + 3, 0xff },
		{ "device without NUL", DEVICE + 17, 'x' },
		{ "device with two NULs", DEVICE + 3, 0 },
		{ "comm without NUL", FIELD(comm) + 15, 'x' },
		{ "facility without NUL", FIELD(facility) + 59, 'x' },
		{ "no format_size", FIELD(format_size), 0 },
		{ "format_size too small", FIELD(format_size), 43 },
		{ "format_size too large", FIELD(format_size) + 1, 0xff },
		{ "format without NUL", FORMAT + 43, 'x' },
		{ "format with two NULs", FORMAT + 3, 0 },
		{ "argument too large", ARGUMENTS + 2, 0xff },
		{ "s32 of 8 bytes", ARGUMENTS + 2, 8 },
		{ "s64 of 4 bytes", ARGUMENTS, EVL_ARG_S64 },
		{ "u64 of 4 bytes", ARGUMENTS, EVL_ARG_U64 },
		{ "char of 4 bytes", ARGUMENTS, EVL_ARG_CHAR },
		{ "char of 0 bytes", ARGUMENTS + 40 + 2, 0 },
		{ "pointer of 3 bytes", ARGUMENTS + 84 + 2, 3 },
		{ "padding that is no zero", ARGUMENTS + 40 + 7, 1 },
		{ "data without data", FIELD(format), EVL_FORMAT_NODATA },
		{ "an unknown conversion", FORMAT + 1, 'w' },
		{ "an integer of s", FORMAT + 1, 's' },
		{ "an integer of p", FORMAT + 1, 'p' },
		{ "an integer of %", FORMAT + 1, '%' },
		{ "a char of d", FORMAT + 16, 'd' },
		{ "a pointer with a letter", FORMAT + 32, 'p' },
		{ "text of d", FORMAT + 34, 'd' },
		{ "a star in %%", FORMAT + 23, '%' },
		{ "a width of no star", FORMAT + 20, '0' },
		{ "a precision of no star", FORMAT + 22, '0' },
		{ "a format that ends in a conversion", FORMAT + 42, 'l' },
	};
	struct kerror_event *event;
	struct build build;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		build_example(&build);
		assert_int_not_equal(build.data[cases[i].at], cases[i].value);
		build.data[cases[i].at] = cases[i].value;
		event = event_of(&build);
		if (kerror_event_header(event))
			fail_msg("not noticed: %s", cases[i].what);
		assert_raw(event, build.data, build.size);
	}
	/* Bytes behind the last argument that are less than one. */
	for (size_t i = 1; i < 4; i++) {
		build_example(&build);
		build_bytes(&build, "\0\0\0", i);
		assert_raw(event_of(&build), build.data, build.size);
	}
	/* An argument of a type that is not known may have any size. */
	build_example(&build);
	build.data[ARGUMENTS] = EVL_ARG_TEXT + 1;
	event = event_of(&build);
	assert_int_equal(kerror_event_argument_count(event), 9);
	kerror_event_free(event);
}

/* Whatever it holds, a short buffer gets the beginning of the whole text. */
static void assert_consistent(const struct kerror_event *event, size_t room)
{
	static char whole[1 << 16], part[1 << 16];
	size_t length = kerror_event_text(event, whole, sizeof(whole));
	size_t shown = length < sizeof(whole) ? length : sizeof(whole) - 1;
	struct kerror_argument argument;
	size_t i;

	assert_int_equal(whole[shown], 0);
	assert_int_equal(kerror_event_text(event, NULL, 0), length);
	memset(part, 0x55, room + 1);
	assert_int_equal(kerror_event_text(event, part, room), length);
	assert_int_equal(part[room], 0x55);
	if (room) {
		if (shown > room - 1)
			shown = room - 1;
		assert_memory_equal(part, whole, shown);
		assert_int_equal(part[shown], 0);
	}
	for (i = 0; !kerror_event_argument(event, i, &argument); i++)
		if (argument.text && argument.size)
			assert_true(memchr(argument.text, argument.text[0],
					   argument.size) == argument.text);
	assert_int_equal(i, kerror_event_argument_count(event));
}

static void test_mutations(void **state)
{
	uint64_t random = 0x6b6572726f72;
	struct build example, build;
	struct kerror_event *event;
	unsigned int structured = 0;

	(void)state;
	build_example(&example);
	for (int i = 0; i < MUTATIONS; i++) {
		unsigned int changes = 1 + build_random(&random) % 4;

		build = example;
		while (changes--) {
			uint64_t value = build_random(&random);
			/* Mostly where decoding depends on it. */
			size_t at = value & 1 ?
				FIELD(variable_size) + (value >> 8) % 16 :
				(value >> 8) % build.size;

			build.data[at] = value & 2 ? (uint8_t)(value >> 56) :
				build.data[at] ^ 1 << (value >> 56) % 8;
		}
		if (!(build_random(&random) % 16))
			build.size -= build_random(&random) % build.size;
		event = event_of(&build);
		structured += !!kerror_event_header(event);
		assert_consistent(event, build_random(&random) % 128);
		kerror_event_free(event);
	}
	/* Else the test would be one of the header only. */
	assert_in_range(structured, MUTATIONS / 10, MUTATIONS * 9 / 10);
}

static void test_set_severity(void **state)
{
	struct kerror_filter *filter;
	struct kerror_event *event;
	struct build build;
	const void *data;
	size_t size;

	(void)state;
	build_example(&build);
	event = event_of(&build);
	assert_int_equal(kerror_filter_new(&filter, "severity==crit", NULL, 0), 0);
	assert_false(kerror_filter_matches(filter, event));
	kerror_event_set_severity(event, 2);
	assert_int_equal(kerror_event_header(event)->severity, 2);
	assert_true(kerror_filter_matches(filter, event));
	data = kerror_event_data(event, &size);
	assert_memory_equal(data, build.data, size);
	kerror_event_free(event);

	/* An event that is not well-formed has the kernel's, for filters. */
	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, build.data, build.size - 1);
	kerror_event_set_severity(event, 2);
	assert_null(kerror_event_header(event));
	assert_false(kerror_filter_matches(filter, event));
	kerror_event_free(event);
	kerror_filter_free(filter);
}

/* Each value is that of the header, none that of another field. */
static void test_header(void **state)
{
	const struct evl_header *header;
	struct kerror_event *event;
	struct build build;

	(void)state;
	build_example(&build);
	build.header.flags = EVL_FLAG_SOFTIRQ | EVL_FLAG_BOOT;
	build.header.event_id = 0xfedcba98;
	build.header.gid = 1001;
	event = event_of(&build);
	kerror_event_set_severity(event, 200);
	header = kerror_event_header(event);
	assert_int_equal(kerror_event_severity(event), 200);
	assert_int_equal(kerror_event_kind(event), EVL_FORMAT_PRINTF);
	assert_int_equal(kerror_event_flags(event), EVL_FLAG_SOFTIRQ | EVL_FLAG_BOOT);
	assert_true(kerror_event_time_realtime(event) == header->time_realtime);
	assert_true(kerror_event_time_boot(event) == header->time_boot);
	assert_true(header->time_boot != header->time_realtime);
	assert_string_equal(kerror_event_facility(event), "driver");
	assert_string_equal(kerror_event_comm(event), "task");
	assert_int_equal(kerror_event_id(event), 0xfedcba98);
	assert_int_equal(kerror_event_type(event), 7);
	assert_int_equal(kerror_event_cpu(event), 3);
	assert_int_equal(kerror_event_uid(event), 1000);
	assert_int_equal(kerror_event_gid(event), 1001);
	assert_int_equal(kerror_event_pid(event), 42);
	assert_int_equal(kerror_event_tid(event), 43);
	kerror_event_free(event);

	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, build.data, build.size - 1);
	assert_int_equal(kerror_event_severity(event), -ENODATA);
	assert_int_equal(kerror_event_kind(event), -ENODATA);
	assert_true(kerror_event_time_realtime(event) == 0);
	assert_true(kerror_event_time_boot(event) == 0);
	assert_string_equal(kerror_event_facility(event), "");
	assert_string_equal(kerror_event_comm(event), "");
	assert_int_equal(kerror_event_flags(event) | kerror_event_id(event) |
			 kerror_event_type(event) | kerror_event_cpu(event) |
			 kerror_event_uid(event) | kerror_event_gid(event) |
			 kerror_event_pid(event) | kerror_event_tid(event), 0);
	kerror_event_free(event);
}

/* A copy has nothing of the original, which can go. */
static void test_copy(void **state)
{
	struct kerror_origin *origin = build_origin("x");
	struct kerror_event *event, *copy;
	struct build build;
	const void *data;
	size_t size;

	(void)state;
	build_example(&build);
	event = event_of(&build);
	kerror_event_set_severity(event, 2);
	kerror_event_set_origin(event, origin);
	kerror_origin_release(origin);
	copy = kerror_event_copy(event);
	assert_non_null(copy);
	assert_int_equal(kerror_event_memory(copy), kerror_event_memory(event));
	assert_ptr_not_equal(kerror_event_format(copy), kerror_event_format(event));
	kerror_event_free(event);
	assert_int_equal(kerror_event_group(copy), KERROR_GROUP_EVLOG);
	assert_int_equal(kerror_event_sequence(copy), 5);
	assert_int_equal(kerror_event_thread(copy), 6);
	assert_int_equal(kerror_event_severity(copy), 2);
	assert_string_equal(kerror_origin_get(kerror_event_origin(copy), "boot_id"), "x");
	assert_text(copy, BUILD_EXAMPLE_TEXT);
	data = kerror_event_data(copy, &size);
	assert_int_equal(size, build.size);
	assert_memory_equal(data, build.data, size);
	assert_null(kerror_event_first_part(copy));
	kerror_event_free(copy);

	event = kerror_event_new(KERROR_GROUP_RAW, 1, 2, NULL, 0);
	copy = kerror_event_copy(event);
	kerror_event_free(event);
	data = kerror_event_data(copy, &size);
	assert_int_equal(size, 0);
	assert_null(kerror_event_header(copy));
	assert_null(kerror_event_origin(copy));
	kerror_event_free(copy);
}

static void assert_json(const struct kerror_event *event, const char *expected)
{
	const size_t length = strlen(expected);
	char json[1024];

	assert_int_equal(kerror_event_json(event, NULL, 0), length);
	memset(json, 'x', sizeof(json));
	assert_int_equal(kerror_event_json(event, json, 10), length);
	assert_memory_equal(json, expected, 9);
	assert_int_equal(json[9], 0);
	assert_int_equal(json[10], 'x');
	assert_int_equal(kerror_event_json(event, json, sizeof(json)), length);
	assert_string_equal(json, expected);
}

/* decode_events.c compares the JSON of more events with that of the tools. */
static void test_json(void **state)
{
	static const struct kerror_loss loss = {
		.count = 7, .total = UINT64_MAX, .group = KERROR_GROUP_PRINTK,
		.cause = KERROR_LOST_RATE_LIMIT,
	};
	struct kerror_origin *origin = kerror_origin_new();
	struct kerror_event *event = kerror_event_new(KERROR_GROUP_RAW, 5, 6, "\0\xff", 2);
	struct build build;
	char json[512];
	size_t size;

	(void)state;
	assert_json(event, "{\"item\":\"event\",\"group\":\"raw\",\"sequence\":5,\"thread\":6,"
		    "\"data\":\"00ff\"}");
	kerror_origin_set(origin, "tag.rack", "a\"b\\\t\x1b\xff\xc3\xa9\u202e");
	kerror_origin_set(origin, "boot_id", "x");
	kerror_origin_set(origin, "instance", "9007199254740993");
	kerror_event_set_origin(event, origin);
	assert_json(event, "{\"item\":\"event\",\"boot_id\":\"x\",\"instance\":9007199254740993,"
		    "\"instance_string\":\"9007199254740993\",\"group\":\"raw\",\"sequence\":5,"
		    "\"thread\":6,\"data\":\"00ff\",\"tag.rack\":"
		    "\"a\\\"b\\\\\\t\\u001b\\\\xff\xc3\xa9\\u202e\"}");
	kerror_event_free(event);

	size = kerror_loss_json(&loss, NULL, json, sizeof(json));
	assert_int_equal(size, strlen(json));
	assert_string_equal(json, "{\"item\":\"loss\",\"group\":\"printk\",\"cause\":\"rate-limit\","
			    "\"count\":7,\"total\":18446744073709551615,"
			    "\"total_string\":\"18446744073709551615\"}");
	kerror_loss_json(&loss, origin, json, sizeof(json));
	assert_ptr_equal(strstr(json, "{\"item\":\"loss\",\"boot_id\":\"x\",\"instance\":900"), json);
	assert_non_null(strstr(json, "_string\":\"18446744073709551615\",\"tag.rack\":\"a\\\"b"));
	kerror_origin_release(origin);

	/* A byte can be told from the text that shows it. */
	for (int i = 0; i < 2; i++) {
		build_begin(&build, NULL, EVL_FORMAT_STRING, NULL);
		build_bytes(&build, i ? "a\xff" : "a\\xff", i ? 2 : 5);
		event = event_of(&build);
		size = kerror_event_json(event, json, sizeof(json));
		assert_in_range(size, 1, sizeof(json) - 1);
		assert_string_equal(strstr(json, ",\"text\":"), i ?
				    ",\"text\":\"a\\\\xff\",\"text_bytes\":\"61ff\"}" :
				    ",\"text\":\"a\\\\xff\"}");
		kerror_event_free(event);
	}

	build_example(&build);
	event = event_of(&build);
	assert_int_equal(kerror_event_json(event, json, sizeof(json)) > sizeof(json), true);
	assert_ptr_equal(strstr(json, "{\"item\":\"event\",\"group\":\"evlog\","), json);
	kerror_event_free(event);
}

/* Indices have no gap, and only what is one group has one. */
static void test_groups(void **state)
{
	uint32_t group;

	(void)state;
	for (int i = 0; i < KERROR_GROUP_COUNT; i++) {
		group = kerror_group_at(i);
		assert_int_equal(kerror_group_index(group), i);
		assert_int_equal(kerror_group_number(kerror_group_name(group)),
				 group);
	}
	assert_int_equal(kerror_group_at(KERROR_GROUP_COUNT), 0);
	assert_int_equal(kerror_group_index(0), -1);
	assert_int_equal(kerror_group_index(KERROR_GROUP_RAW |
					    KERROR_GROUP_EVLOG), -1);
	assert_int_equal(kerror_group_index(KERROR_GROUP_PRINTK_BATCH), -1);
	assert_int_equal(kerror_group_index(KERROR_GROUP_ALL), -1);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(kerror_severity_name(0), "emerg");
	assert_string_equal(kerror_severity_name(7), "debug");
	assert_string_equal(kerror_severity_name(8), "unknown");
	assert_string_equal(kerror_cause_name(KERROR_LOST_HISTORY), "history");
	assert_string_equal(kerror_cause_name(KERROR_CAUSES), "unknown");
	assert_string_equal(kerror_group_name(KERROR_GROUP_RAW), "raw");
	assert_string_equal(kerror_group_name(KERROR_GROUP_EVLOG), "evlog");
	assert_string_equal(kerror_group_name(KERROR_GROUP_PRINTK), "printk");
	assert_string_equal(kerror_group_name(KERROR_GROUP_ALL), "unknown");
	assert_int_equal(kerror_group_number("raw"), 1);
	assert_int_equal(kerror_group_number("evlog"), 2);
	assert_int_equal(kerror_group_number("printk"), 0x10);
	assert_int_equal(kerror_group_number(""), -EINVAL);
	assert_int_equal(kerror_group_number("unknown"), -EINVAL);
	assert_int_equal(kerror_group_number("printk "), -EINVAL);
	assert_string_equal(kerror_context_name(EVL_FLAG_NMI |
						EVL_FLAG_SOFTIRQ), "nmi");
	assert_string_equal(kerror_context_name(EVL_FLAG_BOOT), "process");
	assert_string_equal(kerror_argument_name(EVL_ARG_TEXT), "text");
	assert_string_equal(kerror_argument_name(0), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_raw_group),
		cmocka_unit_test(test_printk_group),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_header_grown),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_set_severity),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
