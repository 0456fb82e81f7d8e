// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sink that was behind has each line of several events once: from its history, or from
 * the receiver, which comes to the same events later. Nothing is written: the queue tells.
 */
#include <stdio.h>
#include "build.h"
#include "../kerrord/kerrord.h"

#define OPEN		(EVL_FLAG_PRINTK | EVL_FLAG_OPEN)
#define CONTINUES	(EVL_FLAG_PRINTK | EVL_FLAG_CONTINUES)

static bool wants_line(const struct sink *sink, const struct kerror_event *line)
{
	(void)sink;
	(void)line;
	return true;
}

static const struct sink_type queue_sink = { .name = "queue", .wants_line = wants_line };
static struct explanations *none;
static struct kerror_joiner *joiner;	/* the receiver's */

static void report(struct sink *about, unsigned int severity, const char *text)
{
	(void)about;
	(void)severity;
	print_message("%s\n", text);
}

/* As the receiver does: an event, then the lines that it completes. Whether these waited. */
static bool offers(struct sink *sink, uint32_t sequence, uint32_t flags)
{
	struct kerror_event *event;
	struct record *record;
	struct build build;
	size_t queued;

	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "part");
	build.header.flags = flags;
	build.header.tid = 7;
	event = kerror_event_new(KERROR_GROUP_PRINTK, sequence, 1, build.data, build.size);
	assert_non_null(event);
	record = record_of_event(event, none);
	kerror_event_free(event);
	assert_non_null(record);
	sink_offer(sink, record);
	lines_add(joiner, record->event);
	record_put(record);
	queued = sink_queued(sink);
	while ((record = lines_next(joiner, 0))) {
		sink_offer(sink, record);
		record_put(record);
	}
	return sink_queued(sink) > queued;
}

static void test_history_is_ahead(void **state)
{
	struct sink_settings settings = { .type = &queue_sink, .name = "queue", .queue = 1 << 20 };
	static const struct series series = { .boot_id = "boot" };
	struct sink *sink = sink_new(&settings, &series, "/nonexistent", report);
	struct progress *messages;
	size_t queued;

	(void)state;
	assert_non_null(sink);
	messages = &sink->progress[kerror_group_index(KERROR_GROUP_PRINTK)];
	assert_false(offers(sink, 1, OPEN));
	assert_true(offers(sink, 2, CONTINUES));
	assert_false(offers(sink, 3, OPEN));

	/* It is behind from 4 on, and has had all up to 9 from the history when that ends. */
	sink->behind = true;
	sink->behind_at = 4;
	assert_int_equal(messages->next, 4);
	messages->next = 10;
	sink->behind = false;

	/* The history did not have the first part of this one. */
	assert_true(offers(sink, 4, CONTINUES));
	queued = sink_queued(sink);
	assert_false(offers(sink, 5, OPEN));
	assert_false(offers(sink, 6, CONTINUES));
	assert_false(offers(sink, 7, OPEN));
	assert_false(offers(sink, 8, CONTINUES));
	assert_int_equal(sink_queued(sink), queued);
	/* Of this one, the history had the first part only. */
	assert_false(offers(sink, 9, OPEN));
	assert_int_equal(sink_queued(sink), queued);
	assert_true(offers(sink, 10, CONTINUES));
	sink_free(sink);
}

/* It is another group that puts it behind. */
static void test_behind_by_others(void **state)
{
	struct sink_settings settings = { .type = &queue_sink, .name = "queue", .queue = 1 << 20 };
	static const struct series series = { .boot_id = "boot" };
	struct sink *sink = sink_new(&settings, &series, "/nonexistent", report);
	struct record *record;
	struct kerror_event *event;
	struct build build;

	(void)state;
	assert_non_null(sink);
	assert_false(offers(sink, 20, OPEN));
	assert_true(offers(sink, 21, CONTINUES));
	/* No room */
	settings.queue = 0;
	build_example(&build);
	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 1, build.data, build.size);
	record = record_of_event(event, none);
	kerror_event_free(event);
	sink_offer(sink, record);
	record_put(record);
	assert_true(sink->behind);
	assert_int_equal(sink->behind_at, 22);
	sink_free(sink);
}

static int begin(void **state)
{
	(void)state;
	none = explanations_read("/nonexistent");
	joiner = kerror_joiner_new();
	return !none || !joiner;
}

static int end(void **state)
{
	(void)state;
	explanations_free(none);
	kerror_joiner_free(joiner);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history_is_ahead),
		cmocka_unit_test(test_behind_by_others),
	};

	return cmocka_run_group_tests_name("sink lines", tests, begin, end);
}
