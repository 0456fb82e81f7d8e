// SPDX-License-Identifier: GPL-2.0-only
/*
 * Knows what each event went through, and checks what the ring promises.
 *
 * explore.c calls the functions around each call of kerror_ring.h, schedule.c
 * calls check_point() between any two accesses to memory.
 *
 * Promise: a run ends in fail() unless all of this holds:
 *
 * - Each committed event is delivered once: whole, with its size, its pid and
 *   groups. The bytes behind it are zero. One that was abandoned is never
 *   delivered after its ring was retired.
 * - An event that was committed before another one was begun is delivered before
 *   it. So events of one nesting level are in order.
 * - A record that is handed out is zero and belongs to nobody else.
 * - A caller is told that there is no room only if there was a moment without
 *   during its call.
 * - A panic may stop all CPUs between any two accesses. Its walk from next finds
 *   events only, with rising times. It finds each event that was committed and
 *   that the worker did not begin to consume, with one exception. A record whose
 *   writer is inside kerror_ring_reserve() or kerror_ring_commit() hides what is
 *   behind it, if its state does not tell how long it is just now.
 * - At the end all memory is zero and head, tail and next are equal, unless a
 *   record was abandoned.
 */
#include <stdio.h>
#include "explore.h"

#define HEADER		sizeof(struct kerror_record)

struct source sources[2];
struct event events[EVENTS];
unsigned int events_used;
unsigned long panics;

/* The events whose calls are under way, by nesting level */
static struct event *current[DEPTHS];

/* Events that have a place in a ring, in the order of their places */
static struct event *placed[EVENTS];
static unsigned int places;

static unsigned int now, panic_number;
static u64 clock;

static unsigned int id_of(const struct event *event)
{
	return event - events + 1;
}

/* Never zero, and looks like the state of a complete record. */
static u8 fill_of(const struct event *event)
{
	return 0x81 | id_of(event) << 1;
}

void check_begin(unsigned long base)
{
	unsigned int i;

	__builtin_memset(sources, 0, sizeof(sources));
	__builtin_memset(events, 0, sizeof(events[0]) * events_used);
	__builtin_memset(current, 0, sizeof(current));
	for (i = 0; i < 2; i++) {
		struct kerror_ring *ring = &sources[i].ring;

		ring->size = RING;
		ring->buffer = sources[i].buffer;
		ring->head = base;
		ring->cached_tail = base;
		ring->tail = base;
		ring->next = base;
	}
	events_used = 0;
	places = 0;
	now = 0;
	panic_number = 0;
	clock = 0;
}

/* Other accesses to @at that the comment of struct kerror_ring allows. */
struct affected check_affected(const volatile void *at, bool writes)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct kerror_ring *ring = &sources[i].ring;

		if (at == &ring->head || at == &ring->cached_tail)
			return (struct affected){ true, false };
		if (at == &ring->next || at == &ring->retired)
			return (struct affected){ false, false };
		/* The worker alone writes it, so that it may read it any time. */
		if (at == &ring->tail)
			return (struct affected){ true, !in_worker || writes };
	}
	if (at == &clock)
		return (struct affected){ true, false };
	if (at == &newest)
		return (struct affected){ false, true };
	return (struct affected){ true, true };
}

u64 ktime_get_mono_fast_ns(void)
{
	point("reads the clock", &clock, false);
	return ++clock;
}

/* ------------------------------------------------------------------ */
/* Room. */

/* Notes which callers could not have been given room just now. */
static void check_room(void)
{
	unsigned int i;

	for (i = 0; i <= depth; i++) {
		struct event *event = current[i];
		struct kerror_ring *ring;
		unsigned long need, left;

		if (!event || !event->in_call || event->record)
			continue;
		ring = &event->source->ring;
		need = ALIGN(HEADER + event->size, 8);
		left = RING - ring->head % RING;
		if (left < need)
			need += left;
		if (ring->head + need - ring->tail > RING)
			event->full = true;
	}
}

bool explore_cmpxchg(unsigned long *p, unsigned long old, unsigned long new)
{
	struct event *event = current[depth];

	point("cmpxchg of head", p, true);
	if (*p != old)
		return false;
	*p = new;
	if (new - old > RING) {
		/* Gives back. */
		if (event->end != old)
			fail("memory of another record is given back");
		event->end = new;
		return true;
	}
	event->start = new - ALIGN(HEADER + event->size, 8);
	event->end = new;
	placed[places++] = event;
	return true;
}

void explore_memset(void *p, int byte, size_t size)
{
	u8 *at = p;
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (at >= sources[i].buffer &&
		    at + size <= sources[i].buffer + RING)
			break;
	if (i == 2)
		fail("memset() outside of the ring");
	point("memset, first half", at, true);
	__builtin_memset(at, byte, size / 2);
	point("memset, second half", at, true);
	__builtin_memset(at + size / 2, byte, size - size / 2);
}

/* ------------------------------------------------------------------ */
/* A panic. */

/* The record at @position must be this event's. */
static void panic_finds(struct event *event, struct kerror_record *record)
{
	size_t i;

	if (record->groups != id_of(event) || record->pid != event->pid)
		fail("a panic finds a wrong record");
	if (!kerror_record_committed(record))
		return;
	if (!event->may_be_seen)
		fail("a panic finds an event that is not complete");
	if (record->size != event->used)
		fail("a panic finds a wrong size");
	for (i = 0; i < event->used; i++)
		if (record->data[i] != fill_of(event))
			fail("a panic finds wrong bytes");
	event->seen = panic_number;
}

static struct event *event_at(const struct source *source,
			      unsigned long position)
{
	unsigned int i;

	for (i = places; i--;)
		if (placed[i]->source == source &&
		    placed[i]->start == position)
			return placed[i];
	fail("a panic finds a record where there is none");
}

/* Walks as kerror_print.c does. */
static void panic_walks(struct source *source)
{
	unsigned long position = source->ring.next;
	struct kerror_record *record;
	u64 time = 0;
	unsigned int i;

	panics++;
	panic_number++;
	while ((record = kerror_ring_look(&source->ring, &position))) {
		panic_finds(event_at(source, position), record);
		if (record->time <= time)
			fail("a panic finds times that do not rise");
		time = record->time;
		position += kerror_record_bytes(record);
	}
	for (i = 0; i < places; i++) {
		struct event *event = placed[i];

		if (event->source != source || event->taken)
			continue;
		record = kerror_ring_at(&source->ring, event->start);
		if (event->in_call &&
		    kerror_record_bytes(record) != event->end - event->start)
			return;
		if (event->must_be_seen && event->seen != panic_number)
			fail("a panic does not find an event");
	}
}

void check_point(void)
{
	unsigned int i;

	now++;
	check_room();
	if (!schedule_is_new())
		return;
	for (i = 0; i < 2; i++) {
		struct kerror_ring *ring = &sources[i].ring;

		if (ring->next - ring->tail > RING ||
		    ring->head - ring->next > RING ||
		    ring->head - ring->tail > RING)
			fail("positions are not in order");
		if (ring->head != ring->next)
			panic_walks(&sources[i]);
	}
}

/* ------------------------------------------------------------------ */
/* Around the calls of a producer. */

struct event *check_reserve(struct source *source, size_t size, size_t used,
			    u32 pid)
{
	struct event *event;

	if (events_used == EVENTS)
		fail("too many events");
	event = &events[events_used++];
	event->source = source;
	event->size = size;
	event->used = used;
	event->pid = pid;
	event->depth = depth;
	event->begun = now;
	event->in_call = true;
	current[depth] = event;
	trace("event %u: reserves %zu bytes", id_of(event), size);
	check_room();
	return event;
}

void check_reserved(struct event *event, struct kerror_record *record)
{
	u8 *at = (u8 *)record, *buffer = event->source->buffer;
	unsigned long i, need = ALIGN(HEADER + event->size, 8);

	check_room();
	event->in_call = false;
	event->record = record;
	if (!record) {
		trace("event %u: no room", id_of(event));
		if (!event->full)
			fail("no room, though there was room all the time");
		return;
	}
	if (at < buffer || at + need > buffer + RING)
		fail("a record is not in the ring");
	for (i = HEADER; i < need; i++)
		if (at[i])
			fail("a record that is handed out is not zero");
	event->written = true;
}

void check_commit(struct event *event)
{
	trace("event %u: commits %zu of %zu bytes", id_of(event), event->used,
	      event->size);
	current[depth] = event;
	event->in_call = true;
	event->may_be_seen = true;
}

void check_committed(struct event *event)
{
	event->in_call = false;
	event->must_be_seen = true;
	event->ended = now;
}

/* ------------------------------------------------------------------ */
/* Around the calls of the worker. */

static struct event *event_of(const struct source *source,
			      const struct kerror_record *record)
{
	unsigned int i;

	for (i = 0; i < places; i++)
		if (placed[i]->source == source && !placed[i]->taken &&
		    kerror_ring_at(&source->ring, placed[i]->start) == record)
			return placed[i];
	fail("the worker finds a record where there is none");
}

/* The first record, perhaps not complete. */
void check_peeked(struct source *source, struct kerror_record *record)
{
	struct event *event = event_of(source, record);

	if (record->groups != id_of(event) || record->pid != event->pid ||
	    !record->time)
		fail("a reserved record has no groups, pid or time");
}

void check_deliver(struct source *source, struct kerror_record *record)
{
	struct event *event = event_of(source, record);
	size_t i, bytes = record->state & ~KERROR_RECORD_FLAGS;

	trace("event %u is delivered", id_of(event));
	if (!event->may_be_seen)
		fail("an event is delivered that is not complete");
	if (event->delivered)
		fail("an event is delivered twice");
	if (bytes != event->end - event->start)
		fail("a record has a wrong length");
	if (record->size != event->used)
		fail("an event has a wrong size");
	if (record->groups != id_of(event) || record->pid != event->pid)
		fail("an event has wrong groups or a wrong pid");
	for (i = 0; i < bytes - HEADER; i++)
		if (record->data[i] != (i < event->used ? fill_of(event) : 0))
			fail("an event has wrong bytes, or others behind it");
	for (i = 0; i < places; i++)
		if (placed[i]->source == source && placed[i]->ended &&
		    placed[i]->ended < event->begun && !placed[i]->delivered &&
		    !placed[i]->abandoned)
			fail("an event is delivered before an earlier one");
	event->delivered = true;
	event->taken = true;
}

void check_abandoned(struct source *source, struct kerror_record *record)
{
	struct event *event = event_of(source, record);

	trace("event %u is given up", id_of(event));
	if (!event->abandoned)
		fail("an event is given up whose writer lives");
	event->taken = true;
}

void check_end(void)
{
	struct kerror_ring *ring;
	bool holes[2] = { false, false };
	unsigned int i, byte;

	for (i = 0; i < events_used; i++) {
		struct event *event = &events[i];

		if (event->must_be_seen && !event->taken)
			fail("an event is not delivered");
		if (event->abandoned && event->record && !event->delivered)
			holes[event->source - sources] = true;
	}
	for (i = 0; i < 2; i++) {
		ring = &sources[i].ring;
		if (holes[i])
			continue;
		if (ring->retired)
			fail("a ring was retired without a reason");
		if (ring->head != ring->tail || ring->head != ring->next)
			fail("the ring does not end empty");
		for (byte = 0; byte < RING; byte++)
			if (sources[i].buffer[byte])
				fail("the ring does not end zeroed");
	}
}
