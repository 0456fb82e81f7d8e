// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record that a sink cannot write is skipped, told and counted; all others are
 * written once and in order. One that only its peer is the reason of stays. The loss in
 * its place may be one that the sink cannot write, too.
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
static bool refuses_losses;

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
		if (records[i]->kind == RECORD_LOSS && refuses_losses)
			return -EINVAL;
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

/* All but the one are written, and it is counted once. */
static void write_all(void)
{
	struct sink_settings settings = {
		.type = &broken_sink, .name = "broken", .queue = 1 << 20,
	};
	static const struct series series = { .boot_id = "boot" };
	struct sink *sink = sink_new(&settings, &series, "/nonexistent", report);
	struct build build;

	memset(&had, 0, sizeof(had));
	memset(failures, 0, sizeof(failures));
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
	sink_free(sink);
}

static void test_poison(void **state)
{
	(void)state;
	write_all();
	assert_int_equal(had.count, EVENTS);
	for (uint32_t sequence = 0; sequence < EVENTS; sequence++) {
		assert_int_equal(had.sequence[sequence], sequence);
		assert_int_equal(had.loss[sequence], sequence == POISON);
	}
}

static void test_refused_loss(void **state)
{
	(void)state;
	refuses_losses = true;
	write_all();
	assert_int_equal(had.count, EVENTS - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poison),
		cmocka_unit_test(test_refused_loss),
	};

	return cmocka_run_group_tests_name("poison", tests, NULL, NULL);
}
