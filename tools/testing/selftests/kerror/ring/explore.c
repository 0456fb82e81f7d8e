// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs net/netlink/kerror_ring.h through all interleavings of a thread that
 * raises events, interrupts that do so, too, and the worker.
 *
 * "make check" runs it. mutants.sh runs it with rings that are broken on
 * purpose.
 *
 * usage: explore [-q]
 *
 * Promise: it prints a line of TAP for each scenario, and the steps of the first
 * run in which the ring did not do as check.c says. -q begins at one offset only,
 * and ends after the first of them.
 *
 * The table of scenarios has the limits of what is explored: mainly the number
 * of preemptions. The rings are small, so that records of four kinds wrap, fill the
 * ring, and need padding. Their positions pass the largest number.
 */
#include <stdio.h>
#include <time.h>
#include "explore.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Bytes that are reserved, and those that are used */
static const struct {
	size_t size, used;
} variants[VARIANTS] = { { 8, 8 }, { 40, 40 }, { 40, 7 }, { 24, 0 } };

struct source *newest;
static struct source *abandoned_in;
static struct event *unfinished;
static u32 thread;
static unsigned long base;
static unsigned int kinds;

/* ------------------------------------------------------------------ */
/* The producers. */

static void fill_in(struct event *event)
{
	struct kerror_record *record = event->record;
	u8 fill = 0x81 | record->groups << 1;

	__builtin_memset(record->data, fill, event->size);
	point("sets what is behind the data back to 0", record->data, true);
	__builtin_memset(record->data + event->used, 0,
			 event->size - event->used);
}

static struct event *reserve(unsigned int variant)
{
	struct source *source = READ_ONCE(newest);
	struct event *event = check_reserve(source, variants[variant].size,
					    variants[variant].used, thread);
	struct kerror_record *record;

	record = kerror_ring_reserve(&source->ring, event->size,
				     event - events + 1, event->pid);
	check_reserved(event, record);
	if (record)
		fill_in(event);
	return event;
}

static void commit(struct event *event)
{
	check_commit(event);
	kerror_ring_commit(&event->source->ring, event->record, event->used);
	check_committed(event);
}

/* Raises one event, in a thread or in an interrupt. */
void produce(unsigned int variant)
{
	struct event *event = reserve(variant);

	if (event->record)
		commit(event);
}

/* Of all sequences of kinds, each run has one. */
static unsigned int next_kind(void)
{
	unsigned int kind = kinds % VARIANTS;

	kinds /= VARIANTS;
	return kind;
}

static void three_events(void)
{
	for (thread = 1; thread <= 3; thread++)
		produce(next_kind());
}

static void two_events(void)
{
	for (thread = 1; thread <= 2; thread++)
		produce(next_kind());
}

/* The first thread dies while it writes an event. */
static void abandoned_event(void)
{
	thread = 1;
	unfinished = reserve(next_kind());
	unfinished->abandoned = true;
	for (thread = 2; thread <= 3; thread++)
		produce(next_kind());
}

/* It comes back, after the worker had all the time it wants. */
static void late_event(void)
{
	unsigned int last = kinds % VARIANTS;

	thread = 1;
	unfinished = reserve(next_kind());
	unfinished->abandoned = true;
	thread = 2;
	produce(next_kind());
	worker_finishes();
	thread = 1;
	if (!unfinished->source->ring.retired)
		unfinished->abandoned = false;
	if (unfinished->record)
		commit(unfinished);
	thread = 3;
	produce(last);
}

/* ------------------------------------------------------------------ */
/* The worker. */

/* Returns the record to be delivered next, as kerror_drain.c does after a tick. */
static struct kerror_record *source_first(struct source *source)
{
	struct kerror_record *record = kerror_ring_peek(&source->ring), *behind;

	if (!record || kerror_record_committed(record))
		return record;
	check_peeked(source, record);
	behind = kerror_ring_behind(&source->ring);
	if (kerror_record_committed(record))
		return record;
	if (behind && behind->pid != record->pid && source == newest)
		abandoned_in = source;
	return behind;
}

/* Does what kerror_replace_ring() does. */
static void replace_ring(void)
{
	struct kerror_ring *ring = &abandoned_in->ring;
	struct kerror_record *record = kerror_ring_peek(ring);

	if (record && !kerror_record_committed(record)) {
		check_abandoned(abandoned_in, record);
		WRITE_ONCE(ring->retired, true);
		kerror_ring_advance(ring, kerror_record_bytes(record));
		smp_store_release(&newest, &sources[1]);
	}
	abandoned_in = NULL;
}

static void worker(void)
{
	struct kerror_record *record;
	struct source *source;

	for (;;) {
		for (source = newest; source >= sources; source--) {
			while ((record = source_first(source))) {
				check_deliver(source, record);
				kerror_ring_consume(&source->ring, record);
			}
		}
		if (abandoned_in)
			replace_ring();
		else
			worker_idles();
	}
}

/* ------------------------------------------------------------------ */

struct scenario {
	const char *name;
	void (*cpu)(void);
	unsigned int events;		/* whose kinds vary */
	unsigned int preemptions;	/* by interrupts and between the threads */
	unsigned int offsets;		/* in the ring, at which it begins */
};

static const struct scenario scenarios[] = {
	{ "events and interrupts", three_events, 3, 2, 4 },
	{ "an abandoned event", abandoned_event, 3, 2, 2 },
	{ "its writer comes back", late_event, 2, 2, 4 },
	{ "more interrupts", two_events, 2, 3, 1 },
};

static bool run(const struct scenario *scenario, unsigned int sequence)
{
	kinds = sequence;
	newest = sources;
	abandoned_in = NULL;
	check_begin(base);
	return schedule_run(scenario->cpu, worker);
}

static void explain(const struct scenario *scenario, unsigned int sequence)
{
	const char *why = failure;

	printf("# %s; offset %lu; kinds %u\n", why, base % RING, sequence);
	limits.tracing = true;
	run(scenario, sequence);
	limits.tracing = false;
	if (failure != why)
		printf("# not repeatable: %s\n", failure ?: "nothing");
}

static bool explore(const struct scenario *scenario, bool quick)
{
	static const unsigned int offsets[] = { 104, 0, 72, 120 };
	unsigned int i, sequence, sequences = 1;
	unsigned long runs = 0;
	time_t begin = time(NULL);

	limits.preemptions = scenario->preemptions;
	for (i = 0; i < scenario->events; i++)
		sequences *= VARIANTS;
	for (i = 0; i < (quick ? 1 : scenario->offsets); i++) {
		/* Positions wrap at the end of the ring, too. */
		base = offsets[i] - RING;
		for (sequence = 0; sequence < sequences; sequence++) {
			schedule_restart();
			do {
				runs++;
				if (run(scenario, sequence))
					continue;
				printf("not ok - %s: %s\n", scenario->name,
				       failure);
				explain(scenario, sequence);
				return false;
			} while (schedule_next());
		}
	}
	printf("ok - %s: %lu runs, stopped by a panic %lu times, %ld s\n",
	       scenario->name, runs, panics, (long)(time(NULL) - begin));
	panics = 0;
	return true;
}

int main(int argc, char **argv)
{
	bool good = true, quick = argc > 1 && !strcmp(argv[1], "-q");
	unsigned int i;

	setlinebuf(stdout);
	for (i = 0; i < ARRAY_SIZE(scenarios) && (good || !quick); i++)
		good &= explore(&scenarios[i], quick);
	return !good;
}
