/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of memory that outlives the kernel: kerror.persist=.
 *
 * kerror_persist.c has this boot's events written there, by kerror_region_write.c, and
 * kerror_boots.c those of earlier boots read, by kerror_region.c. The last two know
 * nothing of the kernel. So user space compiles them, too, and feeds them with
 * corrupted regions (tools/testing/selftests/kerror/region/).
 *
 * A region is a row of slots, each for one boot. A slot describes itself: so a
 * kernel reads slots that another release, with other sizes, has made.
 *
 *   struct kerror_slot    4096 bytes: what the slot is, and the state of the boot; in
 *                         the second half a copy of the first part
 *   log of RAW            the messages that were numbered
 *   log of EVLOG
 *   log of PRINTK
 *   rings                 each a struct kerror_saved_ring and a buffer
 *
 * Nothing that is read is trusted: a sum stands before all except the rings, and
 * each offset and size is checked. Nothing that has a sum relies on the order in which
 * it was written, either. A machine that dies in the midst of a write leaves a wrong
 * sum, and the message is still in its ring.
 *
 * A log holds messages one behind the other. One that does not fit before the end
 * goes to the beginning; the rest is zeroed. There is no head and no tail: @serial
 * tells the order. The sum is seeded with @key, a secret random number. So nobody
 * can raise an event whose bytes look like a message.
 *
 * The rings are those of the callers, see kerror_ring.h. No caller computes a sum,
 * which would cost too much. All memory outside of records is zero; a record is padding
 * while it is zeroed.
 *
 * An event may be in its log and still in its ring, if the machine died in between.
 * Events are delivered one at a time. So it is the newest of its log, which says
 * from which ring and position it came.
 */
#ifndef NETLINK_KERROR_REGION_H
#define NETLINK_KERROR_REGION_H

#include <linux/align.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define KERROR_SLOT_MAGIC	0x746f6c534b526b31ULL
#define KERROR_SLOT_VERSION	2
#define KERROR_SLOT_ALIGN	4096UL
#define KERROR_SLOT_COPY	2048UL	/* where the copy is, up to @cell */

/* Groups and causes that there is room for, by index */
#define KERROR_SLOT_GROUPS	3
#define KERROR_SLOT_CAUSES	6

/**
 * struct kerror_cell - a few numbers that change together
 * @sum: of what follows
 * @serial: the larger one of two cells is the newer
 * @value: the numbers
 */
struct kerror_cell {
	u64 sum;
	u64 serial;
	u64 value[KERROR_SLOT_CAUSES];
};

/* Kinds of cells. A slot has two of each kind; a write goes to the older one. */
enum {
	/* Nanoseconds from CLOCK_MONOTONIC to _REALTIME and _BOOTTIME; last seen alive */
	KERROR_CELL_CLOCK,
	/* The boot's name in user space, 16 bytes */
	KERROR_CELL_NAME,
	/* Losses of each cause that were announced, of the first group and so on */
	KERROR_CELL_LOST,
	KERROR_CELLS = KERROR_CELL_LOST + KERROR_SLOT_GROUPS
};

/**
 * struct kerror_end - how a boot ended
 * @sum: of what follows
 * @time: CLOCK_MONOTONIC, nanoseconds
 * @message: of the panic, or ""
 */
struct kerror_end {
	u64 sum;
	u64 time;
	char message[240];
};

enum { KERROR_END_OF_SHUTDOWN, KERROR_END_OF_PANIC, KERROR_ENDS };

/**
 * struct kerror_slot - what one boot left behind
 * @magic: %KERROR_SLOT_MAGIC, or 0: nothing
 * @sum: of what follows, up to @cell
 * @version: of this layout
 * @long_size: bytes of an element of @lost
 * @size: bytes of the slot, a multiple of %KERROR_SLOT_ALIGN
 * @number: counts the boots of the region
 * @key: seed of the sums in the logs
 * @boot: random, unless user space gave it a name
 * @instance: of kerror.ko, or 0
 * @log_size: bytes of each log, multiples of 8
 * @rings: how many there is room for
 * @ring_size: bytes of a ring's buffer, a power of 2
 * @overwritten: boots that nobody had asked for, and which made room for this one
 * @time: CLOCK_REALTIME when it was made
 * @release: of the kernel
 * @cell: numbers, as above; the other members have no sum
 * @end: as above
 * @lost: losses per group and cause since boot, counted there
 */
struct kerror_slot {
	u64 magic;
	u64 sum;
	u32 version;
	u32 long_size;
	u64 size;
	u64 number;
	u64 key;
	u8 boot[16];
	u64 instance;
	u32 log_size[KERROR_SLOT_GROUPS];
	u32 rings;
	u32 ring_size;
	u32 overwritten;
	u64 time;
	char release[64];
	struct kerror_cell cell[KERROR_CELLS][2];
	struct kerror_end end[KERROR_ENDS];
	u64 lost[KERROR_SLOT_GROUPS * KERROR_SLOT_CAUSES];
};

/**
 * struct kerror_logged - a message in a log
 * @sync: %KERROR_LOGGED
 * @size: bytes of @data; zeros follow up to a multiple of 8
 * @sum: of what follows, seeded
 * @serial: counts the messages of the log
 * @sequence: nlmsg_seq
 * @pid: nlmsg_pid
 * @type: nlmsg_type
 * @ring: number of the ring in the region that it was in, from 1 on; else 0
 * @position: there
 * @reserved: 0
 * @data: the payload
 */
struct kerror_logged {
	u32 sync;
	u32 size;
	u64 sum;
	u64 serial;
	u32 sequence;
	u32 pid;
	u16 type;
	u16 ring;
	u32 position;
	u64 reserved;
	u8 data[];
};

#define KERROR_LOGGED		0x676f4c6bU

/**
 * struct kerror_saved_ring - before the buffer of a ring
 * @sum: of @cpu, @group and @number; 0: not in use
 * @cpu: whose
 * @group: an index
 * @number: of the ring, from 0 on
 * @next: where the first record is; changes, as what follows, without a sum
 * @tail: of a ring that was retired; it is not used beyond
 * @retired: likewise
 * @losses: how many were abandoned in this group, with the record at @abandoned; 0: none
 * @abandoned: it is lost, and counted if there are that many
 * @reserved: 0
 * @buffer: of the ring
 */
struct kerror_saved_ring {
	u64 sum;
	u32 cpu;
	u32 group;
	u64 number;
	u32 next;
	u32 tail;
	u32 retired;
	u32 losses;
	u32 abandoned;
	u32 reserved[5];
	u8 buffer[];
};

/**
 * struct kerror_log - where the next message of a group goes
 * @head: offset in the log
 * @serial: its serial number
 */
struct kerror_log {
	u32 head;
	u64 serial;
};

/**
 * struct kerror_found - a message that was found in a slot
 * @order: serial number, or time of an event in a ring
 * @offset: of its data, from the start of the slot
 * @size: bytes of data
 * @sequence: nlmsg_seq; of an event in a ring how many were found before
 * @pid: nlmsg_pid
 * @type: nlmsg_type
 * @ring: as in struct kerror_logged; 0 of a message in a log
 * @stamp: its first 16 bytes are two clocks that were not read yet
 */
struct kerror_found {
	u64 order;
	u32 offset;
	u32 size;
	u32 sequence;
	u32 pid;
	u16 type;
	u16 ring;
	bool stamp;
};

/**
 * struct kerror_survey - what else a slot tells of a group
 * @unfinished: events in rings that were being written, or are not whole
 * @damaged: places in the log where a message is not whole
 * @lost: per cause, losses of which notices in the log tell: the total of the newest
 * @pending: per cause, losses of which none tells
 */
struct kerror_survey {
	u32 unfinished;
	u32 damaged;
	u64 lost[KERROR_SLOT_CAUSES];
	u64 pending[KERROR_SLOT_CAUSES];
};

/* A change of any one word changes it, as each step can be undone. */
static inline u64 kerror_region_sum(u64 seed, const void *data, size_t size)
{
	const u64 *word = data;
	u64 sum = seed ^ 0x9e3779b97f4a7c15ULL;

	for (; size >= sizeof(*word); size -= sizeof(*word)) {
		sum = (sum ^ *word++) * 0xd6e8feb86659fd93ULL;
		sum ^= sum >> 32;
	}
	return sum;
}

static inline u64 kerror_sum_between(u64 seed, const void *from, const void *to)
{
	return kerror_region_sum(seed, from, to - from);
}

static inline u64 kerror_slot_sum(const struct kerror_slot *slot)
{
	return kerror_sum_between(0, &slot->version, slot->cell);
}

/* The log of @group; behind the last one are the rings. */
static inline u8 *kerror_slot_log_of(const struct kerror_slot *slot,
				     unsigned int group)
{
	u8 *at = (u8 *)slot + KERROR_SLOT_ALIGN;

	while (group--)
		at += slot->log_size[group];
	return at;
}

static inline struct kerror_saved_ring *
kerror_slot_ring(const struct kerror_slot *slot, u32 number)
{
	return (void *)(kerror_slot_log_of(slot, KERROR_SLOT_GROUPS) +
			(size_t)number * (sizeof(struct kerror_saved_ring) +
					  slot->ring_size));
}

static inline u64 kerror_saved_ring_sum(const struct kerror_slot *slot,
					const struct kerror_saved_ring *ring)
{
	return kerror_sum_between(slot->key, &ring->cpu, &ring->next);
}

static inline size_t kerror_logged_bytes(u32 size)
{
	return ALIGN(sizeof(struct kerror_logged) + size, 8);
}

/* A copy of a message at another place, or of another size, is none. */
static inline u64 kerror_logged_sum(const struct kerror_slot *slot,
				    const struct kerror_logged *logged)
{
	u64 place = (const u8 *)logged - (const u8 *)slot;

	return kerror_region_sum(slot->key ^ place << 32 ^ logged->size,
				 &logged->serial,
				 kerror_logged_bytes(logged->size) -
				 offsetof(struct kerror_logged, serial));
}

/* Writing: kerror_region_write.c. The caller sees to it that one does at a time. */
void kerror_slot_begin(struct kerror_slot *slot, const struct kerror_slot *header);
void kerror_slot_drop(struct kerror_slot *slot);
size_t kerror_slot_repair(void *memory, size_t size);
void kerror_slot_log(struct kerror_slot *slot, unsigned int group,
		     struct kerror_log *log, struct kerror_logged *header,
		     const void *data);
void kerror_slot_set(struct kerror_slot *slot, unsigned int cell,
		     const u64 *value);
void kerror_slot_end(struct kerror_slot *slot, unsigned int end, u64 time,
		     const char *message);
struct kerror_saved_ring *kerror_slot_use_ring(struct kerror_slot *slot,
					       u32 number, u32 cpu, u32 group);

/* Reading: kerror_region.c */
size_t kerror_slot_check(const void *memory, size_t size);
bool kerror_slot_get(const struct kerror_slot *slot, unsigned int cell,
		     u64 *value);
bool kerror_slot_ended(const struct kerror_slot *slot, unsigned int end,
		       u64 *time, char *message, size_t size);
unsigned int kerror_slot_find(const struct kerror_slot *slot, unsigned int group,
			      struct kerror_found *found, unsigned int most,
			      struct kerror_survey *survey);

#endif
