// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record that a sink cannot write is skipped, told and counted; all others are
 * written once and in order. One that only its peer is the reason of stays.
 */
#include <errno.h>
#include <stdio.h>
#include "build.h"
#include "../kerrord/kerrord.h"

#define EVENTS 100
#define POISON 40		/* cannot be written */
#define LATE 70			/* fails as if its disk were full, at first */

static struct {
	uint32_t sequence[EVENTS + 10];
	bool loss[EVENTS + 10];
	unsigned int count;
} had;

static unsigned int failures[EVENTS], reports;

static int open_broken(struct sink *sink, char *message, size_t size)
{
	(void)sink;
	(void)message;
	(void)size;
	return 0;
}

static void close_broken(struct sink *sink)
{
	(void)sink;
}

/* All or nothing */
static int write_broken(struct sink *sink, struct record *const *records,
			size_t count, char *message, size_t size)
{
	(void)sink;
	for (size_t i = 0; i < count; i++) {
		uint32_t sequence = records[i]->kind == RECORD_EVENT ?
				    kerror_event_sequence(records[i]->event) : 0;

		if (sequence == POISON) {
			failures[POISON] += count == 1;
			snprintf(message, size, "too large");
			return -E2BIG;
		}
		if (sequence == LATE && !failures[LATE]++) {
			snprintf(message, size, "full");
			return -ENOSPC;
		}
	}
	for (size_t i = 0; i < count; i++) {
		const struct record *record = records[i];

		had.loss[had.count] = record->kind == RECORD_LOSS;
		if (record->kind == RECORD_LOSS)
			assert_string_equal(record->cause, "poison");
		had.sequence[had.count++] = record->kind == RECORD_EVENT ?
			kerror_event_sequence(record->event) : record->next - 1;
	}
	return count;
}

static const struct sink_type broken_sink = {
	.name = "broken",
	.open = open_broken,
	.write = write_broken,
	.close = close_broken,
};

static void report(struct sink *about, unsigned int severity, const char *text)
{
	(void)about;
	(void)severity;
	reports++;
	print_message("%s\n", text);
}

static void test_poison(void **state)
{
	struct sink_settings settings = {
		.type = &broken_sink, .name = "broken", .queue = 1 << 20,
	};
	static const struct series series = { .boot_id = "boot" };
	struct sink *sink = sink_new(&settings, &series, "/nonexistent", report);
	struct build build;

	(void)state;
	assert_non_null(sink);
	build_example(&build);
	for (uint32_t sequence = 0; sequence < EVENTS; sequence++) {
		struct kerror_event *event = kerror_event_new(KERROR_GROUP_EVLOG,
							      sequence, 1, build.data,
							      build.size);
		struct explanations *none = explanations_read("/nonexistent");
		struct record *record = record_of_event(event, none);

		sink_offer(sink, record);
		record_put(record);
		explanations_free(none);
		kerror_event_free(event);
	}
	sink_start(sink);
	assert_true(sink->started);
	for (int i = 0; i < 600 && sink->written < EVENTS - 1; i++)
		nanosleep(&(struct timespec) { .tv_nsec = 100000000 }, NULL);
	sink_stop(sink);
	pthread_join(sink->thread, NULL);
	assert_int_equal(sink->written, EVENTS - 1);
	assert_int_equal(sink->poison, 1);
	assert_int_equal(failures[POISON], 4);
	assert_int_equal(had.count, EVENTS);
	for (uint32_t sequence = 0; sequence < EVENTS; sequence++) {
		assert_int_equal(had.sequence[sequence], sequence);
		assert_int_equal(had.loss[sequence], sequence == POISON);
	}
	sink_free(sink);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poison),
	};

	return cmocka_run_group_tests_name("poison", tests, NULL, NULL);
}
