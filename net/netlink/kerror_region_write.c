// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes memory that outlives the kernel, as kerror_region.h lays it out.
 *
 * kerror_persist.c calls this for the boot that runs. User space compiles this file,
 * too, to make regions for its tests.
 *
 * Promise: no lock, no allocation. The machine may die in the midst of any function:
 * what was written before stays whole, and what is half written is seen to be so.
 */
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#include "kerror_region.h"

/* Bytes of what the copy has, too */
#define HEADER_SIZE		offsetof(struct kerror_slot, cell)

/* Clears memory in which a slot may be. The copy goes first, or it would become the header. */
static void clear(struct kerror_slot *slot, size_t size)
{
	struct kerror_slot *copy = (void *)slot + KERROR_SLOT_COPY;

	WRITE_ONCE(copy->magic, 0);
	smp_wmb();	/* One of the two is there, or none. */
	WRITE_ONCE(slot->magic, 0);
	smp_wmb();	/* The magic goes before the rest. */
	memset(slot, 0, size);
}

/*
 * Makes a slot of @header, which is elsewhere and has all up to @cell except @magic
 * and @sum, which are 0. The old content of the slot is gone from the first line on.
 */
void kerror_slot_begin(struct kerror_slot *slot, const struct kerror_slot *header)
{
	clear(slot, header->size);
	memcpy(slot, header, HEADER_SIZE);
	slot->sum = kerror_slot_sum(slot);
	smp_wmb();	/* The magic comes last. */
	WRITE_ONCE(slot->magic, KERROR_SLOT_MAGIC);
	memcpy((u8 *)slot + KERROR_SLOT_COPY, slot, HEADER_SIZE);
}

/*
 * Returns the bytes of the slot that begins at @memory, or 0 if none does. If its
 * header is not whole, but the copy is, the copy becomes the header.
 */
size_t kerror_slot_repair(void *memory, size_t size)
{
	size_t bytes = kerror_slot_check(memory, size);

	BUILD_BUG_ON(sizeof(struct kerror_slot) > KERROR_SLOT_COPY);
	if (bytes || size < KERROR_SLOT_ALIGN)
		return bytes;
	bytes = kerror_slot_check(memory + KERROR_SLOT_COPY, size);
	if (bytes)
		memcpy(memory, memory + KERROR_SLOT_COPY, HEADER_SIZE);
	return bytes;
}

/* Clears a slot, of which nobody knows then that it was there. */
void kerror_slot_drop(struct kerror_slot *slot)
{
	clear(slot, slot->size);
}

/* Puts a message, @header and @data, into a log over the oldest ones. */
void kerror_slot_log(struct kerror_slot *slot, unsigned int group,
		     struct kerror_log *log, struct kerror_logged *header,
		     const void *data)
{
	u32 bytes = kerror_logged_bytes(header->size);
	u32 size = slot->log_size[group];
	u8 *begin = kerror_slot_log_of(slot, group);
	struct kerror_logged *at;

	if (bytes > size)
		return;
	if (bytes > size - log->head) {
		memset(begin + log->head, 0, size - log->head);
		log->head = 0;
	}
	at = (void *)(begin + log->head);
	header->sync = KERROR_LOGGED;
	header->serial = ++log->serial;
	/* The last word has what data leaves of it. */
	((u64 *)at)[bytes / 8 - 1] = 0;
	memcpy(at, header, sizeof(*header));
	memcpy(at->data, data, header->size);
	at->sum = kerror_logged_sum(slot, at);
	log->head += bytes;
}

/* Sets a cell to KERROR_SLOT_CAUSES numbers. */
void kerror_slot_set(struct kerror_slot *slot, unsigned int cell,
		     const u64 *value)
{
	struct kerror_cell *pair = slot->cell[cell];
	struct kerror_cell *at = &pair[pair[0].serial > pair[1].serial];

	at->serial = pair[at == pair].serial + 1;
	memcpy(at->value, value, sizeof(at->value));
	at->sum = kerror_sum_between(slot->key ^ cell, &at->serial, at + 1);
}

void kerror_slot_end(struct kerror_slot *slot, unsigned int end, u64 time,
		     const char *message)
{
	struct kerror_end *at = &slot->end[end];
	size_t size = strnlen(message, sizeof(at->message) - 1);

	at->time = time;
	memset(at->message, 0, sizeof(at->message));
	memcpy(at->message, message, size);
	at->sum = kerror_sum_between(slot->key ^ end, &at->time, at + 1);
}

/* Has the next kernel look at a ring. Its buffer is zero. */
struct kerror_saved_ring *kerror_slot_use_ring(struct kerror_slot *slot,
					       u32 number, u32 cpu, u32 group)
{
	struct kerror_saved_ring *ring = kerror_slot_ring(slot, number);

	ring->cpu = cpu;
	ring->group = group;
	ring->number = number;
	ring->sum = kerror_saved_ring_sum(slot, ring);
	return ring;
}
