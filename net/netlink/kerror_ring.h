/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lock-free ring of records of variable size, for producers of one CPU that
 * may interrupt each other, and one consumer on any CPU.
 *
 * kerror.c writes records, kerror_drain.c takes them, kerror_print.c looks at
 * them in a panic. User space compiles this file, too, and runs it through all
 * interleavings (tools/testing/selftests/kerror/ring/).
 *
 * Positions count bytes and never go back; the offset in the buffer is the
 * position modulo its size. A record does not wrap: padding fills the end. All
 * memory outside of records is zero.
 *
 * The state of a record says how far it is:
 *
 *   0                    no record begins here yet
 *   bytes                reserved: time, groups and pid are valid
 *   bytes | COMMITTED    complete
 *   bytes | PADDING | COMMITTED   nothing, to be passed over
 *
 * The size that is reserved is written first, and is not 0: it tells the next kernel
 * where a record ends that has no state yet.
 *
 * A producer:                            The consumer:
 *
 *   record = kerror_ring_reserve(...)      record = kerror_ring_peek(ring)
 *   fill in record->data                   if it is committed: use it, and
 *   kerror_ring_commit(...)                kerror_ring_consume(ring, record)
 *
 * A record that stays reserved does not keep what is behind it:
 * kerror_ring_behind() returns the first complete record behind it. If that is
 * consumed, it becomes padding until its turn comes.
 *
 * Barriers, by letter:
 *
 * (A) The store-release of a state pairs with the consumer's load-acquire. A
 *     consumer that sees a record reserved sees its time, groups and pid. One
 *     that sees it committed sees all of it.
 * (B) The store-release of tail, after the memory was zeroed, pairs with the
 *     producer's load-acquire. A producer that sees the room sees it zero.
 * (F) The write barrier before memory is given back pairs with the consumer's
 *     load-acquire of what it takes for the next state. A consumer that sees
 *     data there sees the state of the record before it changed.
 */
#ifndef NETLINK_KERROR_RING_H
#define NETLINK_KERROR_RING_H

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

struct kerror_record {
	u32 state;
	u32 size;		/* bytes of data */
	u32 groups;		/* and %KERROR_STAMPED */
	u32 pid;		/* of the thread that was current */
	u64 time;		/* CLOCK_MONOTONIC, nanoseconds */
	u8 data[];
};

#define KERROR_RECORD_COMMITTED	1U
#define KERROR_RECORD_PADDING	2U
#define KERROR_RECORD_FLAGS	7U
#define KERROR_RECORD_ALIGN	8U

/**
 * struct kerror_ring - the ring of one CPU and group
 * @head: where the next record begins; only this CPU writes it
 * @cached_tail: a tail that a producer has seen
 * @size: bytes of @buffer, a power of 2
 * @buffer: zeroed memory
 * @tail: what is before it is free; only the consumer writes it
 * @next: what is before it was consumed; equal to @tail, except while memory
 *	is zeroed, and of a ring that was retired
 * @retired: no memory is freed any more: somebody may still write to it
 * @saved: NULL, or where @next is kept for the next kernel; behind it, of a ring that
 *	was retired, @tail, @retired and two more; see struct kerror_saved_ring
 */
struct kerror_ring {
	unsigned long head;
	unsigned long cached_tail;
	unsigned long size;
	u8 *buffer;
	/* Producers need this cache line only when what they know is used up. */
	unsigned long tail ____cacheline_aligned_in_smp;
	unsigned long next;
	bool retired;
	u32 *saved;
};

/* Where the next kernel looks, or NULL. Without the option it costs no instruction. */
static inline u32 *kerror_ring_saved(const struct kerror_ring *ring)
{
	return IS_ENABLED(CONFIG_KERROR_PERSIST) ? ring->saved : NULL;
}

static inline struct kerror_record *
kerror_ring_at(const struct kerror_ring *ring, unsigned long position)
{
	return (void *)(ring->buffer + (position & (ring->size - 1)));
}

/* The position of a record that was not consumed */
static inline unsigned long
kerror_ring_position(const struct kerror_ring *ring,
		     const struct kerror_record *record)
{
	return ring->next + (((u8 *)record - ring->buffer - ring->next) &
			     (ring->size - 1));
}

/*
 * Whether a record that ends at @end fits. The comparison is signed: an
 * interrupt may have found a tail that is beyond @end.
 */
static inline bool kerror_ring_fits(struct kerror_ring *ring, unsigned long end)
{
	if (likely((long)(end - READ_ONCE(ring->cached_tail)) <=
		   (long)ring->size))
		return true;
	WRITE_ONCE(ring->cached_tail, smp_load_acquire(&ring->tail)); /* (B) */
	return (long)(end - READ_ONCE(ring->cached_tail)) <= (long)ring->size;
}

/* Whether more than half is in use. Any CPU may ask. */
static inline bool kerror_ring_half_full(const struct kerror_ring *ring)
{
	return READ_ONCE(ring->head) - READ_ONCE(ring->tail) > ring->size / 2;
}

/* Whether all that was reserved was consumed. Any CPU may ask. */
static inline bool kerror_ring_empty(const struct kerror_ring *ring)
{
	return READ_ONCE(ring->head) == READ_ONCE(ring->tail);
}

/*
 * Reserves a record of up to @size bytes, or returns NULL if there is no room.
 * The producer stays on this CPU until it commits the record.
 */
static inline struct kerror_record *
kerror_ring_reserve(struct kerror_ring *ring, size_t size, u32 groups, u32 pid)
{
	struct kerror_record *record;
	unsigned long head, padding, need;
	u64 time;

	size += !size;
	need = ALIGN(sizeof(*record) + size, KERROR_RECORD_ALIGN);
	do {
		head = READ_ONCE(ring->head);
		padding = ring->size - (head & (ring->size - 1));
		if (padding >= need)
			padding = 0;
		if (!kerror_ring_fits(ring, head + padding + need))
			return NULL;
		/*
		 * The time is read after head. If this cmpxchg succeeds, all
		 * that is before this record in the ring has an earlier time.
		 */
		time = ktime_get_mono_fast_ns();
	} while (cmpxchg_local(&ring->head, head, head + padding + need) !=
		 head);

	if (padding)
		smp_store_release(&kerror_ring_at(ring, head)->state, /* (A) */
				  padding | KERROR_RECORD_PADDING |
				  KERROR_RECORD_COMMITTED);
	record = kerror_ring_at(ring, head + padding);
	record->size = size;
	barrier();	/* An NMI may be the last that happens, and raise events. */
	record->groups = groups;
	record->pid = pid;
	record->time = time;
	smp_store_release(&record->state, need); /* (A) */
	return record;
}

/*
 * Completes a record of which @used bytes are data, at most those reserved. The
 * bytes behind them are zero.
 */
static inline void kerror_ring_commit(struct kerror_ring *ring,
				      struct kerror_record *record, size_t used)
{
	unsigned long start = (u8 *)record - ring->buffer;
	unsigned long head = READ_ONCE(ring->head);
	u32 need = ALIGN(sizeof(*record) + used, KERROR_RECORD_ALIGN);
	u32 state = record->state;

	/* Gives back the rest, unless an interrupt put a record behind it. */
	if (need < state && ((head - state) & (ring->size - 1)) == start) {
		/*
		 * The state is never larger than the record. A CPU that stops
		 * here leaves one behind which there is nothing.
		 */
		smp_store_release(&record->state, need); /* (A) */
		smp_wmb(); /* (F) */
		if (cmpxchg_local(&ring->head, head, head - state + need) ==
		    head)
			state = need;
	}
	record->size = used;
	smp_store_release(&record->state, /* (A) */
			  state | KERROR_RECORD_COMMITTED);
}

static inline bool kerror_record_committed(const struct kerror_record *record)
{
	return smp_load_acquire(&record->state) & /* (A) */
	       KERROR_RECORD_COMMITTED;
}

/* Bytes from the start of the record to the next one. */
static inline unsigned long
kerror_record_bytes(const struct kerror_record *record)
{
	return READ_ONCE(record->state) & ~KERROR_RECORD_FLAGS;
}

/*
 * Returns the record at @position, past any padding, and sets @position to it;
 * NULL if there is none.
 */
static inline struct kerror_record *
kerror_ring_look(const struct kerror_ring *ring, unsigned long *position)
{
	struct kerror_record *record;
	u32 state;

	while (*position - READ_ONCE(ring->tail) < ring->size) {
		record = kerror_ring_at(ring, *position);
		state = smp_load_acquire(&record->state); /* (A) */
		if (!(state & KERROR_RECORD_PADDING))
			return state ? record : NULL;
		*position += state & ~KERROR_RECORD_FLAGS;
	}
	return NULL;
}

/*
 * Frees no memory of the ring from now on. Nothing is reserved in it any more. The
 * first record is lost: the caller counts it, up to @losses, and then consumes it.
 */
static inline void kerror_ring_retire(struct kerror_ring *ring, u32 losses)
{
	u32 *saved = kerror_ring_saved(ring);

	ring->retired = true;
	if (!saved)
		return;
	WRITE_ONCE(saved[1], ring->tail);
	smp_wmb();	/* The tail comes before its use. */
	WRITE_ONCE(saved[2], 1);
	WRITE_ONCE(saved[3], losses);
	smp_wmb();	/* They are not taken for those of another record. */
	WRITE_ONCE(saved[4], ring->next);
	smp_wmb();	/* The caller counts it after that. */
}

/* Makes padding of a record. The next kernel takes no half of it for records. */
static inline void kerror_ring_pad(struct kerror_record *record,
				   unsigned long bytes)
{
	WRITE_ONCE(record->state, bytes | KERROR_RECORD_PADDING |
		   KERROR_RECORD_COMMITTED);
	smp_wmb();	/* It is none before next is beyond it, or it is zero. */
}

static inline void kerror_ring_zero(struct kerror_record *record,
				    unsigned long bytes)
{
	memset(&record->size, 0, bytes - sizeof(record->state));
}

/* Consumes the first @bytes, which are one record or padding. */
static inline void kerror_ring_advance(struct kerror_ring *ring,
				       unsigned long bytes)
{
	struct kerror_record *record = kerror_ring_at(ring, ring->next);
	u32 *saved = kerror_ring_saved(ring);

	smp_wmb();	/* An event is in a log before it leaves the ring. */
	if (!ring->retired)
		kerror_ring_pad(record, bytes);
	WRITE_ONCE(ring->next, ring->next + bytes);
	if (saved)
		WRITE_ONCE(saved[0], ring->next);
	if (ring->retired)
		return;
	/* A panic that stops this CPU here goes on from next. */
	smp_wmb();
	kerror_ring_zero(record, bytes);
	smp_wmb();	/* The state goes last. */
	WRITE_ONCE(record->state, 0);
	smp_store_release(&ring->tail, ring->next); /* (B) */
}

/* Returns the first record, complete or not; NULL if there is none. */
static inline struct kerror_record *kerror_ring_peek(struct kerror_ring *ring)
{
	struct kerror_record *record, *first;
	unsigned long position;

	for (;;) {
		position = ring->next;
		first = kerror_ring_at(ring, position);
		record = kerror_ring_look(ring, &position);
		if (position == ring->next)
			return record;
		kerror_ring_advance(ring, kerror_record_bytes(first));
	}
}

/*
 * Returns the first complete record, be there others before it, or NULL. Also
 * NULL if a record before it changes just now: the next look finds more.
 */
static inline struct kerror_record *
kerror_ring_behind(const struct kerror_ring *ring)
{
	struct kerror_record *record, *before = NULL;
	unsigned long position = ring->next;
	u32 state, state_before = 0;

	while (position - READ_ONCE(ring->tail) < ring->size) {
		record = kerror_ring_at(ring, position);
		state = smp_load_acquire(&record->state); /* (A), (F) */
		/* If it gave memory back, data may be here. */
		if (!state ||
		    (before && READ_ONCE(before->state) != state_before))
			return NULL;
		if (!(state & KERROR_RECORD_COMMITTED)) {
			before = record;
			state_before = state;
		} else if (!(state & KERROR_RECORD_PADDING)) {
			return record;
		}
		position += state & ~KERROR_RECORD_FLAGS;
	}
	return NULL;
}

/* Consumes a complete record. */
static inline void kerror_ring_consume(struct kerror_ring *ring,
				       struct kerror_record *record)
{
	unsigned long bytes = kerror_record_bytes(record);

	if (record == kerror_ring_at(ring, ring->next)) {
		kerror_ring_advance(ring, bytes);
		return;
	}
	smp_wmb();	/* As above. */
	kerror_ring_pad(record, bytes);
	kerror_ring_zero(record, bytes);
}

#endif
