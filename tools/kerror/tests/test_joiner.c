// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the joiner: lines of several messages become one event each, whatever comes
 * between their parts; no event is lost, doubled or held too long.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "build.h"

static struct kerror_joiner *joiner;
static struct kerror_origin *origin;
static uint32_t sequence;

static int begin(void **state)
{
	(void)state;
	joiner = kerror_joiner_new();
	origin = build_origin("x");
	sequence = 0;
	return !joiner || !origin;
}

static int end(void **state)
{
	(void)state;
	kerror_joiner_free(joiner);
	kerror_origin_release(origin);
	return 0;
}

static void add_of(uint32_t group, const struct build *build, uint64_t now)
{
	struct kerror_event *event = kerror_event_new(group, sequence++, 6, build->data,
						      build->size);

	assert_non_null(event);
	kerror_event_set_origin(event, origin);
	assert_int_equal(kerror_joiner_add(joiner, event, now), 0);
	kerror_event_free(event);
}

/* A message of a task, without arguments or with a text and a number */
static void add(uint32_t tid, uint32_t flags, const char *format, int32_t number,
		const char *text, uint64_t now)
{
	struct build build;

	build_begin(&build, NULL, EVL_FORMAT_PRINTF, format);
	build.header.flags = EVL_FLAG_PRINTK | flags;
	build.header.tid = tid;
	if (strstr(format, "%s"))
		build_argument(&build, EVL_ARG_STRING, 0, text, strlen(text));
	if (strstr(format, "%d"))
		build_argument(&build, EVL_ARG_S32, 0, &number, 4);
	add_of(KERROR_GROUP_PRINTK, &build, now);
}

/* The next line is this, or none if @text is NULL. */
static void expect(uint64_t now, const char *text, uint32_t number)
{
	struct kerror_event *event = kerror_joiner_next(joiner, now);
	char its[256];

	if (!text) {
		assert_null(event);
		return;
	}
	assert_non_null(event);
	kerror_event_text(event, its, sizeof(its));
	assert_string_equal(its, text);
	assert_int_equal(kerror_event_sequence(event), number);
	assert_ptr_equal(kerror_event_origin(event), origin);
	kerror_event_free(event);
}

#define OPEN		EVL_FLAG_OPEN
#define CONTINUES	EVL_FLAG_CONTINUES

static void test_line(void **state)
{
	const struct kerror_event *first;
	struct kerror_argument argument;
	struct kerror_event *event, *copy;

	(void)state;
	add(7, OPEN, "oom-kill:constraint=%s", 0, "MEMCG", 0);
	expect(0, NULL, 0);
	add(7, OPEN | CONTINUES, ",task_memcg=%s", 0, "/pod1", 1);
	expect(1, NULL, 0);
	/* Others are not held. */
	add(8, 0, "other", 0, NULL, 2);
	expect(2, "other", 2);
	expect(2, NULL, 0);
	add(7, CONTINUES, ",task=%s,pid=%d", 109, "hlp", 3);
	event = kerror_joiner_next(joiner, 3);
	assert_non_null(event);
	assert_string_equal(kerror_event_format(event),
			    "oom-kill:constraint=%s,task_memcg=%s,task=%s,pid=%d");
	assert_int_equal(kerror_event_argument_count(event), 4);
	assert_int_equal(kerror_event_argument(event, 1, &argument), 0);
	assert_memory_equal(argument.text, "/pod1", 5);
	assert_int_equal(kerror_event_sequence(event), 0);
	assert_int_equal(kerror_event_header(event)->flags, EVL_FLAG_PRINTK);
	first = kerror_event_first_part(event);
	assert_non_null(first);
	assert_string_equal(kerror_event_format(first), "oom-kill:constraint=%s");
	assert_null(kerror_event_first_part(first));
	copy = kerror_event_copy(event);
	kerror_event_free(event);
	assert_string_equal(kerror_event_format(kerror_event_first_part(copy)),
			    "oom-kill:constraint=%s");
	kerror_event_free(copy);
	expect(UINT64_MAX, NULL, 0);
	assert_int_equal(kerror_joiner_wait(joiner, 3), -1);
}

/* The next line of a task ends the one before; a CPU is no task of that number. */
static void test_writers(void **state)
{
	struct build build;

	(void)state;
	add(7, OPEN, "a", 0, NULL, 0);
	add(9, OPEN, "b", 0, NULL, 0);
	for (int i = 0; i < 2; i++) {
		build_begin(&build, NULL, EVL_FORMAT_PRINTF, i ? "d" : "c");
		build.header.flags = EVL_FLAG_PRINTK | EVL_FLAG_INTERRUPT |
				     (i ? CONTINUES : OPEN);
		build.header.cpu = 7;
		build.header.tid = 9;
		add_of(KERROR_GROUP_PRINTK, &build, 0);
		expect(0, i ? "cd" : NULL, 2);
	}
	add(9, CONTINUES, "B", 0, NULL, 0);
	expect(0, "bB", 1);
	add(7, OPEN, "e", 0, NULL, 0);
	expect(0, "a", 0);
	expect(0, NULL, 0);
	add(7, 0, "f", 0, NULL, 0);
	expect(0, "e", 5);
	expect(0, "f", 6);
	expect(UINT64_MAX, NULL, 0);
}

/* A continuation of no known line; a line that does not end */
static void test_time(void **state)
{
	(void)state;
	add(7, CONTINUES, "tail", 0, NULL, 0);
	expect(0, "tail", 0);
	add(7, OPEN, "head", 0, NULL, 1000);
	expect(1000, NULL, 0);
	assert_int_equal(kerror_joiner_wait(joiner, 1040), KERROR_JOIN_MS - 40);
	/* Each part begins the time anew: its writer may be held up again and again. */
	add(7, OPEN | CONTINUES, " goes on", 0, NULL, 1060);
	expect(1060 + KERROR_JOIN_MS - 1, NULL, 0);
	assert_int_equal(kerror_joiner_wait(joiner, 1060 + KERROR_JOIN_MS), 0);
	/* While there is more to read, no time counts. */
	expect(0, NULL, 0);
	expect(1060 + KERROR_JOIN_MS, "head goes on", 1);
	add(7, CONTINUES, " late", 0, NULL, 2000);
	expect(2000, " late", 3);
	add(7, OPEN, "last", 0, NULL, 2100);
	expect(2100, NULL, 0);
	expect(UINT64_MAX, "last", 4);
}

/* Parts that do not fit together are given one by one. */
static void test_apart(void **state)
{
	static char much[EVL_VARIABLE_MAX - 64];
	struct kerror_event *event;
	struct build build;

	(void)state;
	add(7, OPEN | EVL_FLAG_TRUNCATED, "cut %d", 1, NULL, 0);
	add(7, CONTINUES, "x", 0, NULL, 0);
	expect(0, "cut 1", 0);
	expect(0, "x", 1);
	memset(much, 'm', sizeof(much) - 1);
	add(7, OPEN, much, 0, NULL, 0);
	add(7, OPEN | CONTINUES, much, 0, NULL, 0);
	for (uint32_t i = 2; i < 4; i++) {
		event = kerror_joiner_next(joiner, i == 2 ? 0 : UINT64_MAX);
		assert_non_null(event);
		assert_int_equal(kerror_event_sequence(event), i);
		kerror_event_free(event);
	}
	/* Only messages have lines. */
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "driver");
	build.header.flags = OPEN;
	add_of(KERROR_GROUP_EVLOG, &build, 0);
	expect(0, "driver", 4);
	add_of(KERROR_GROUP_RAW, &build, 0);
	event = kerror_joiner_next(joiner, 0);
	assert_int_equal(kerror_event_group(event), KERROR_GROUP_RAW);
	kerror_event_free(event);
	expect(UINT64_MAX, NULL, 0);
}

/* A text is an argument, so that it may have any byte; a %p keeps to itself. */
static void test_parts(void **state)
{
	uint64_t pointer = 0x1234;
	struct kerror_event *event;
	struct build build;
	char text[64];

	(void)state;
	build_begin(&build, "+pci:0000:00:1f.2", EVL_FORMAT_STRING, NULL);
	build.header.flags = EVL_FLAG_PRINTK | OPEN;
	build.header.tid = 7;
	build_bytes(&build, "100%d", 5);
	add_of(KERROR_GROUP_PRINTK, &build, 0);
	add(7, CONTINUES, "=%d", 5, NULL, 0);
	event = kerror_joiner_next(joiner, 0);
	assert_non_null(event);
	assert_string_equal(kerror_event_device(event), "+pci:0000:00:1f.2");
	kerror_event_text(event, text, sizeof(text));
	assert_string_equal(text, "100%d=5");
	kerror_event_free(event);

	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "at %p");
	build.header.flags = EVL_FLAG_PRINTK | OPEN;
	build.header.tid = 7;
	build_argument(&build, EVL_ARG_POINTER, 0, &pointer, 8);
	add_of(KERROR_GROUP_PRINTK, &build, 0);
	add(7, CONTINUES, "S%d", 6, NULL, 0);
	expect(0, "at 0000000000001234S6", 2);
}

/* However many lines are open: all come, the oldest first, and none is held. */
static void test_many(void **state)
{
	uint32_t next = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct kerror_event *event;

		add(i, OPEN, "line", 0, NULL, i / 100);
		while ((event = kerror_joiner_next(joiner, i / 100))) {
			assert_int_equal(kerror_event_sequence(event), next++);
			kerror_event_free(event);
		}
		assert_true(i + 1 - next <= 64);
	}
	while (next < 1000)
		expect(UINT64_MAX, "line", next++);
	expect(UINT64_MAX, NULL, 0);
}

/* Of random messages each part comes once, those of a writer in order. */
static void test_random(void **state)
{
	static const uint32_t flags[] = {
		0, OPEN, CONTINUES, OPEN | CONTINUES, OPEN | CONTINUES,
		OPEN | EVL_FLAG_TRUNCATED, OPEN | CONTINUES,
	};
	uint32_t added[4] = { 0 }, given[4] = { 0 };
	uint64_t random = 4711, now = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t tid = build_random(&random) % 4;
		struct kerror_event *event;
		bool last = i == 19999;

		now += build_random(&random) % 8;
		add(tid, flags[build_random(&random) % (sizeof(flags) / sizeof(*flags))], "%d",
		    added[tid]++, NULL, now);
		while ((event = kerror_joiner_next(joiner, last ? UINT64_MAX : now))) {
			struct kerror_argument argument;

			tid = kerror_event_header(event)->tid;
			for (size_t j = 0; j < kerror_event_argument_count(event); j++) {
				assert_int_equal(kerror_event_argument(event, j, &argument), 0);
				assert_int_equal(argument.number, given[tid]++);
			}
			kerror_event_free(event);
		}
	}
	assert_memory_equal(added, given, sizeof(added));
}

static void test_busy(void **state)
{
	struct kerror_event *event;
	struct build build;

	(void)state;
	build_example(&build);
	add_of(KERROR_GROUP_EVLOG, &build, 0);
	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 6, build.data, build.size);
	assert_int_equal(kerror_joiner_add(joiner, event, 0), -EBUSY);
	kerror_event_set_severity(event, 1);
	expect(0, BUILD_EXAMPLE_TEXT, 0);
	assert_int_equal(kerror_joiner_add(joiner, event, 0), 0);
	kerror_event_free(event);
	event = kerror_joiner_next(joiner, 0);
	assert_int_equal(kerror_event_header(event)->severity, 1);
	kerror_event_free(event);
	kerror_joiner_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_line),
		TEST(test_writers),
		TEST(test_time),
		TEST(test_apart),
		TEST(test_parts),
		TEST(test_many),
		TEST(test_random),
		TEST(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
