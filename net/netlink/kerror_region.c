// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads memory that outlives the kernel, as kerror_region.h lays it out.
 *
 * kerror_persist.c looks for the slots of earlier boots, kerror_boots.c for what is
 * in them. User space compiles this file, too.
 *
 * Promise: whatever the memory holds, nothing outside of the slot is read and nothing
 * in it is written. The size of the slot limits the steps of each function. Whole
 * events are found if the header of the slot is whole.
 */
#include <linux/kernel.h>
#include <linux/kerror.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/types.h>
#include "kerror_region.h"
#include "kerror_ring.h"

/*
 * Returns the bytes of the slot that has its header, or a copy of it, at @memory and @size
 * bytes of room, or 0 if it is none.
 */
size_t kerror_slot_check(const void *memory, size_t size)
{
	const struct kerror_slot *slot = memory;
	unsigned int i;
	u64 need;

	if (size < KERROR_SLOT_ALIGN || slot->magic != KERROR_SLOT_MAGIC ||
	    slot->version != KERROR_SLOT_VERSION ||
	    slot->sum != kerror_slot_sum(slot))
		return 0;
	/* The sum says that it is as it was written, not by whom. */
	if (slot->size > size || slot->size > U32_MAX ||
	    slot->size % KERROR_SLOT_ALIGN ||
	    slot->ring_size < KERROR_RECORD_ALIGN ||
	    slot->ring_size & (slot->ring_size - 1) || slot->rings > U16_MAX ||
	    (slot->long_size != 4 && slot->long_size != 8))
		return 0;
	need = KERROR_SLOT_ALIGN + slot->rings *
	       (sizeof(struct kerror_saved_ring) + (u64)slot->ring_size);
	for (i = 0; i < KERROR_SLOT_GROUPS; i++) {
		if (slot->log_size[i] % 8)
			return 0;
		need += slot->log_size[i];
	}
	return need > slot->size ? 0 : slot->size;
}

static bool cell_is_whole(const struct kerror_slot *slot, unsigned int cell,
			  const struct kerror_cell *at)
{
	return at->serial &&
	       at->sum == kerror_sum_between(slot->key ^ cell, &at->serial, at + 1);
}

/* Copies the newer one of two cells that is whole. Returns whether there is one. */
bool kerror_slot_get(const struct kerror_slot *slot, unsigned int cell,
		     u64 *value)
{
	const struct kerror_cell *pair = slot->cell[cell], *at = NULL;
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (cell_is_whole(slot, cell, &pair[i]) &&
		    (!at || pair[i].serial > at->serial))
			at = &pair[i];
	if (at)
		memcpy(value, at->value, sizeof(at->value));
	return at;
}

/* Whether a boot ended so; copies when, and the message with a NUL. */
bool kerror_slot_ended(const struct kerror_slot *slot, unsigned int end,
		       u64 *time, char *message, size_t size)
{
	const struct kerror_end *at = &slot->end[end];

	if (!at->sum || at->sum != kerror_sum_between(slot->key ^ end, &at->time, at + 1))
		return false;
	*time = at->time;
	size = strnlen(at->message, min(size, sizeof(at->message)) - 1);
	memcpy(message, at->message, size);
	message[size] = '\0';
	return true;
}

struct finding {
	const struct kerror_slot *slot;
	unsigned int group;
	struct kerror_found *found;
	unsigned int count, most;
	struct kerror_survey *survey;
	/* Of the newest message in the log */
	u64 serial;
	u16 ring;
	u32 position;
	/* Of the last event in the ring */
	u64 time;
};

static void add(struct finding *finding, const struct kerror_found *found)
{
	if (finding->count < finding->most)
		finding->found[finding->count] = *found;
	finding->count++;
}

/* The total of the newest notice is the largest. */
static void survey_notice(struct kerror_survey *survey, const struct kerror_logged *at)
{
	const struct kerror_loss *loss = (const void *)at->data;

	if (at->type == KERROR_MSG_LOSS && at->size >= sizeof(*loss) &&
	    loss->cause < KERROR_SLOT_CAUSES)
		survey->lost[loss->cause] = max(survey->lost[loss->cause], loss->total);
}

/*
 * Looks at each word where a message may begin: behind the newest is what is left of
 * one that was half overwritten. Words that look like a message and are none cost
 * time, which is limited.
 */
static void find_logged(struct finding *finding)
{
	const struct kerror_slot *slot = finding->slot;
	const u8 *log = kerror_slot_log_of(slot, finding->group);
	const struct kerror_logged *at;
	size_t size = slot->log_size[finding->group], offset = 0, bytes;
	u64 limit = (u64)size * 4;

	while (size - offset >= sizeof(*at)) {
		at = (const void *)(log + offset);
		bytes = kerror_logged_bytes(at->size);
		if (at->sync != KERROR_LOGGED || at->size > KERROR_EVENT_MAX ||
		    bytes > size - offset) {
			offset += 8;
			continue;
		}
		if (limit < bytes) {
			finding->survey->damaged++;
			return;
		}
		limit -= bytes;
		if (at->sum != kerror_logged_sum(slot, at)) {
			finding->survey->damaged++;
			offset += 8;
			continue;
		}
		if (at->serial >= finding->serial) {
			finding->serial = at->serial;
			finding->ring = at->ring;
			finding->position = at->position;
		}
		survey_notice(finding->survey, at);
		add(finding, &(struct kerror_found) {
			.order = at->serial,
			.offset = at->data - (const u8 *)slot,
			.size = at->size,
			.sequence = at->sequence,
			.pid = at->pid,
			.type = at->type,
		});
		offset += bytes;
	}
}

/* A loss that was counted. Where a long has 32 bits, it is one of those. */
static u64 count_of(const struct kerror_slot *slot, unsigned int group, unsigned int cause)
{
	unsigned int at = group * KERROR_SLOT_CAUSES + cause;

	return slot->long_size == 4 ? ((const u32 *)slot->lost)[at] : slot->lost[at];
}

/* Counted, and not yet consumed, when the machine died. Its writer may have come back. */
static bool was_abandoned(const struct finding *finding, u32 number, u32 position)
{
	const struct kerror_saved_ring *ring = kerror_slot_ring(finding->slot, number);

	return ring->losses && ring->abandoned == position &&
	       ring->losses == (u32)count_of(finding->slot, finding->group,
					     KERROR_LOST_ABANDONED);
}

/* Takes one record; returns its bytes, or 0 if the ring is not to be trusted. */
static u32 take_record(struct finding *finding, u32 number, u32 position,
		       const struct kerror_record *record, u32 room)
{
	u32 bytes = record->state & ~KERROR_RECORD_FLAGS;

	/* The size was written before the rest. */
	if (!record->state) {
		finding->survey->unfinished++;
		bytes = ALIGN(sizeof(*record) + record->size,
			      KERROR_RECORD_ALIGN);
		return record->size > KERROR_EVENT_MAX || bytes > room ? 0 :
		       bytes;
	}
	if (bytes > room)
		return 0;
	if (record->state & KERROR_RECORD_PADDING)
		return bytes;
	if (bytes < sizeof(*record))
		return 0;
	if (was_abandoned(finding, number, position))
		return bytes;
	/* Its size may still be that reserved, after memory was given back. */
	if (!(record->state & KERROR_RECORD_COMMITTED)) {
		finding->survey->unfinished++;
		return bytes;
	}
	if (record->size > KERROR_EVENT_MAX ||
	    record->size > bytes - sizeof(*record))
		return 0;
	if (finding->ring == number + 1 && finding->position == position)
		return bytes;
	/* A clock that is read in an NMI may step back. */
	finding->time = max(finding->time, record->time);
	add(finding, &(struct kerror_found) {
		.order = finding->time,
		.offset = record->data - (const u8 *)finding->slot,
		.size = record->size,
		.sequence = finding->count,
		.pid = record->pid,
		.type = KERROR_MSG_EVENT,
		.ring = number + 1,
		.stamp = record->groups & KERROR_STAMPED && record->size >= 16,
	});
	return bytes;
}

/*
 * From the first record that was not consumed on, over all that is not zero. Zeros
 * may be in between: a caller died before it wrote into what it had reserved, and
 * the NMI that interrupted it has written behind.
 */
static void find_in_ring(struct finding *finding, u32 number)
{
	const struct kerror_slot *slot = finding->slot;
	const struct kerror_saved_ring *ring =
		kerror_slot_ring(slot, number);
	const u8 *buffer = ring->buffer;
	u32 next = ring->next & ~(KERROR_RECORD_ALIGN - 1), done = 0, bytes;
	u32 limit = slot->ring_size, offset, room;

	if (!ring->sum || ring->group != finding->group ||
	    ring->number != number || ring->sum != kerror_saved_ring_sum(slot, ring))
		return;
	finding->time = 0;
	/* Nothing of a retired ring was zeroed. */
	if (ring->retired)
		limit = min(limit, ring->tail + slot->ring_size - next);
	while (done < limit) {
		offset = (next + done) & (slot->ring_size - 1);
		room = min(limit - done, slot->ring_size - offset);
		bytes = KERROR_RECORD_ALIGN;
		if (*(const u64 *)(buffer + offset)) {
			bytes = room < sizeof(struct kerror_record) &&
				!(*(const u32 *)(buffer + offset) &
				  KERROR_RECORD_PADDING) ? 0 :
				take_record(finding, number, next + done,
					    (const void *)(buffer + offset),
					    room);
			/* One event at least is not whole. */
			if (!bytes) {
				finding->survey->unfinished++;
				return;
			}
		}
		done += bytes;
	}
}

static int compare(const void *a, const void *b)
{
	const struct kerror_found *first = a, *second = b;

	/* Those with a number first, then the rest by time, and as they were found. */
	if (!first->ring != !second->ring)
		return first->ring ? 1 : -1;
	if (first->order != second->order)
		return first->order < second->order ? -1 : 1;
	return first->sequence < second->sequence ? -1 : first->sequence > second->sequence;
}

/*
 * Losses that no notice in the log tells of: the machine died before, or events were put
 * over it. The cell was written after the notice.
 */
static void survey_losses(const struct kerror_slot *slot, unsigned int group,
			  struct kerror_survey *survey)
{
	u64 announced[KERROR_SLOT_CAUSES] = { 0 }, all;
	unsigned int cause;

	kerror_slot_get(slot, KERROR_CELL_LOST + group, announced);
	for (cause = 0; cause < KERROR_SLOT_CAUSES; cause++) {
		all = count_of(slot, group, cause);
		/* A long of 32 bits wraps. */
		if (slot->long_size == 4)
			all = announced[cause] + (s32)((u32)all - (u32)announced[cause]);
		all = max(all, announced[cause]);
		survey->pending[cause] = max(all, survey->lost[cause]) - survey->lost[cause];
	}
}

/**
 * kerror_slot_find - find the messages of a group
 * @slot: that kerror_slot_check() takes
 * @group: an index
 * @found: filled in, oldest first, as far as there is room
 * @most: elements of @found
 * @survey: filled in
 *
 * Return: how many there are.
 */
unsigned int kerror_slot_find(const struct kerror_slot *slot, unsigned int group,
			      struct kerror_found *found, unsigned int most,
			      struct kerror_survey *survey)
{
	struct finding finding = {
		.slot = slot,
		.group = group,
		.found = found,
		.most = most,
		.survey = survey,
	};
	u32 i;

	memset(survey, 0, sizeof(*survey));
	find_logged(&finding);
	survey_losses(slot, group, survey);
	for (i = 0; i < slot->rings; i++)
		find_in_ring(&finding, i);
	sort(found, min(finding.count, most), sizeof(*found), compare, NULL);
	return finding.count;
}
