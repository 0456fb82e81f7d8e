// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of memory that outlives the kernel: check SEED ROUNDS
 *
 * Regions are made with the kernel's own code, the machine dies, and the kernel's own
 * code reads them. "Dies" means that of the last write any words have arrived, or that
 * ROUNDS times something random was written over the region. Prints TAP.
 */
#include "machine.h"

/* A log of which most was overwritten: what is left is whole, and has no gap. */
static bool log_keeps_the_newest(struct machine *machine)
{
	for (u32 i = 0; i < 3000; i++) {
		log_event(machine, RAW, 0, 0, i, any_size());
		if (i % 100)
			continue;
		EXPECT(look(machine, RAW));
		EXPECT(count && (i < 10 || count > 5));
		EXPECT(found[count - 1].pid == i);
		for (unsigned int j = 1; j < count; j++)
			EXPECT(found[j].pid == found[j - 1].pid + 1);
		EXPECT(!survey.damaged && !survey.unfinished);
	}
	EXPECT(look(machine, EVLOG) && !count);
	return true;
}

/* Events that wait: each once, by time, and none that was consumed. */
static bool rings_keep_what_waits(struct machine *machine)
{
	static u32 waits[MOST];
	u32 number = 0, expected, ring;

	for (u32 round = 0; round < 20000; round++) {
		ring = any(RINGS);
		if (any(2)) {
			if (raise_event(machine, ring, number, any_size())) {
				waits[number % MOST] = ring + 1;
				number++;
			}
		} else {
			struct kerror_record *record =
				kerror_ring_peek(&machine->ring[ring]);

			if (!record)
				continue;
			waits[record->pid % MOST] = 0;
			kerror_ring_consume(&machine->ring[ring], record);
		}
		if (round % 50)
			continue;
		EXPECT(look(machine, RAW));
		expected = 0;
		for (u32 i = number > MOST ? number - MOST : 0; i < number; i++) {
			if (!waits[i % MOST] || (waits[i % MOST] - 1) % 2 != RAW)
				continue;
			EXPECT(expected < count && found[expected].pid == i);
			EXPECT(found[expected].ring == waits[i % MOST]);
			expected++;
		}
		EXPECT(count == expected && !survey.unfinished);
	}
	return true;
}

/* It died between the log and the ring. */
static bool event_in_flight_is_there_once(struct machine *machine)
{
	struct kerror_ring *ring = &machine->ring[0];
	struct kerror_record *record, *behind;

	/* Of another lap, at the same place */
	for (u32 i = 0; i < 40; i++) {
		EXPECT(raise_event(machine, 0, i, 300));
		EXPECT(raise_event(machine, 0, i + 1, 300));
		record = kerror_ring_peek(ring);
		log_event(machine, RAW, 1, position_of(ring, record), i, 300);
		EXPECT(look(machine, RAW));
		EXPECT(found[count - 1].pid == i + 1 && found[count - 1].ring == 1);
		EXPECT(found[count - 2].pid == i && !found[count - 2].ring);
		kerror_ring_consume(ring, record);
		kerror_ring_consume(ring, kerror_ring_peek(ring));
	}
	/* Out of turn, behind one that is not complete */
	record = reserve(machine, 0, 50, 100);
	EXPECT(raise_event(machine, 0, 51, 100));
	EXPECT(raise_event(machine, 0, 52, 100));
	behind = kerror_ring_behind(ring);
	log_event(machine, RAW, 1, position_of(ring, behind), 51, 100);
	EXPECT(look(machine, RAW));
	EXPECT(survey.unfinished == 1 && found[count - 1].pid == 52);
	EXPECT(found[count - 2].pid == 51 && !found[count - 2].ring);
	kerror_ring_consume(ring, behind);
	EXPECT(look(machine, RAW));
	EXPECT(survey.unfinished == 1 && found[count - 1].pid == 52);
	EXPECT(found[count - 2].pid == 51 && !found[count - 2].ring);
	return record;
}

/* An NMI came while a caller reserved, and was the last that happened. */
static bool events_behind_a_hole_are_found(struct machine *machine)
{
	struct kerror_record *record = reserve(machine, 0, 1, 100);

	EXPECT(raise_event(machine, 0, 2, 60));
	record->state = 0;
	EXPECT(look(machine, RAW));
	EXPECT(count == 1 && found[0].pid == 2 && survey.unfinished == 1);
	memset(record, 0, sizeof(*record));
	EXPECT(look(machine, RAW));
	EXPECT(count == 1 && found[0].pid == 2 && !survey.unfinished);
	return true;
}

/* Its memory is not zeroed: nothing may be found twice. */
static bool retired_ring_keeps_what_waits(struct machine *machine)
{
	struct kerror_ring *ring = &machine->ring[0];
	struct kerror_record *record;

	for (u32 i = 0; i < 12; i++)
		EXPECT(raise_event(machine, 0, i, 200));
	record = reserve(machine, 0, 100, 100);
	EXPECT(record && raise_event(machine, 0, 101, 200));
	kerror_ring_retire(ring, 1);
	for (u32 i = 0; i < 5; i++)
		kerror_ring_consume(ring, kerror_ring_peek(ring));
	EXPECT(look(machine, RAW));
	EXPECT(count == 8 && found[0].pid == 5 && found[7].pid == 101);
	EXPECT(survey.unfinished == 1);
	return true;
}

/* The order of a ring is that of its places: a clock may be coarse, or step back. */
static bool times_do_not_change_the_order(struct machine *machine)
{
	for (u32 i = 0; i < 60; i++) {
		clock_step = (u64)(i % 3) - 1;
		if (!raise_event(machine, 0, i, 300)) {
			struct kerror_ring *ring = &machine->ring[0];

			EXPECT(look(machine, RAW) && count > 5);
			for (u32 j = 1; j < count; j++)
				EXPECT(found[j].pid == found[j - 1].pid + 1);
			kerror_ring_consume(ring, kerror_ring_peek(ring));
			EXPECT(raise_event(machine, 0, i, 300));
		}
	}
	clock_step = 1;
	return true;
}

/* Any words of the last message may have arrived. */
static bool torn_message_is_none(struct machine *machine)
{
	const size_t words = SLOT / 8;
	u64 *before = malloc(SLOT), *after = malloc(SLOT);
	u64 *memory = (void *)machine->slot;
	bool good = true;

	for (u32 i = 0; i < 2000 && good; i++) {
		memcpy(before, memory, SLOT);
		log_event(machine, RAW, 0, 0, i, any_size());
		memcpy(after, memory, SLOT);
		for (size_t word = 0; word < words; word++)
			if (before[word] != after[word] && any(2))
				memory[word] = before[word];
		good = look(machine, RAW);
		/* The events before it are there, except those that it was put over. */
		if (good && count)
			good = found[count - 1].pid + 1 >= i;
		memcpy(memory, after, SLOT);
		good = good && look(machine, RAW) && found[count - 1].pid == i;
	}
	free(before);
	free(after);
	return good;
}

static bool cells_keep_the_newest(struct machine *machine)
{
	u64 value[KERROR_SLOT_CAUSES] = { 0 }, got[KERROR_SLOT_CAUSES];
	u64 time;
	char text[sizeof(machine->slot->end[0].message)];

	EXPECT(!kerror_slot_get(machine->slot, KERROR_CELL_NAME, got));
	for (u64 i = 1; i < 50; i++) {
		value[0] = i;
		kerror_slot_set(machine->slot, KERROR_CELL_NAME, value);
		EXPECT(kerror_slot_get(machine->slot, KERROR_CELL_NAME, got));
		EXPECT(got[0] == i);
	}
	/* The newer one is torn: the older one is whole. */
	machine->slot->cell[KERROR_CELL_NAME][0].value[3] ^= 4;
	EXPECT(kerror_slot_get(machine->slot, KERROR_CELL_NAME, got));
	EXPECT(got[0] == 48);
	EXPECT(!kerror_slot_ended(machine->slot, KERROR_END_OF_PANIC, &time,
				  text, sizeof(text)));
	kerror_slot_end(machine->slot, KERROR_END_OF_PANIC, 99, "Oh dear");
	EXPECT(kerror_slot_ended(machine->slot, KERROR_END_OF_PANIC, &time,
				 text, sizeof(text)));
	EXPECT(time == 99 && !strcmp(text, "Oh dear"));
	EXPECT(!kerror_slot_ended(machine->slot, KERROR_END_OF_SHUTDOWN, &time,
				  text, sizeof(text)));
	return true;
}

static void tell(struct machine *machine, u32 cause, u64 total)
{
	struct kerror_loss loss = { .count = 1, .total = total, .cause = cause };

	log_message(machine, EVLOG, KERROR_MSG_LOSS, 0, 0, 0, &loss, sizeof(loss));
}

/* Those of which no notice tells are the rest, be a long 64 bits or 32. */
static bool losses_are_counted(struct machine *machine)
{
	struct kerror_slot *slot = machine->slot;
	u64 announced[KERROR_SLOT_CAUSES] = { 5, 7, 0xfffffffe, 3 };
	u32 longs[] = { 9, 7, 2, 1 };

	slot->lost[KERROR_SLOT_CAUSES] = 4;
	EXPECT(look(machine, EVLOG) && survey.pending[0] == 4);
	for (u32 cause = 0; cause < 4; cause++)
		tell(machine, cause, announced[cause]);
	slot->lost[KERROR_SLOT_CAUSES] = 9;
	EXPECT(look(machine, EVLOG) && survey.pending[0] == 4);
	EXPECT(survey.lost[0] == 5 && !survey.pending[1]);
	kerror_slot_set(slot, KERROR_CELL_LOST + EVLOG, announced);
	EXPECT(look(machine, EVLOG) && survey.pending[0] == 4);
	EXPECT(survey.lost[0] == 5 && !survey.pending[1]);
	slot->long_size = 4;
	slot->sum = kerror_slot_sum(slot);
	memcpy((u32 *)slot->lost + KERROR_SLOT_CAUSES, longs, sizeof(longs));
	EXPECT(look(machine, EVLOG) && survey.pending[0] == 4);
	EXPECT(!survey.pending[1] && survey.pending[2] == 4);
	/* Only a corrupted one has less than was announced. */
	EXPECT(!survey.pending[3]);
	/* No other cause, and no notice that is too short */
	tell(machine, KERROR_SLOT_CAUSES, 1ULL << 40);
	log_message(machine, EVLOG, KERROR_MSG_LOSS, 0, 0, 0, announced, 8);
	EXPECT(look(machine, EVLOG) && survey.pending[0] == 4 && count == 6);
	return true;
}

static bool header_is_repaired(struct machine *machine)
{
	u8 *memory = (void *)machine->slot;

	log_event(machine, RAW, 0, 0, 5, 100);
	for (u32 i = 0; i < offsetof(struct kerror_slot, cell); i++) {
		memory[i] ^= 1U << any(8);
		EXPECT(!kerror_slot_check(memory, SLOT));
		EXPECT(kerror_slot_repair(memory, SLOT) == SLOT);
		EXPECT(look(machine, RAW) && count == 1);
	}
	/* A part of a slot is none. */
	EXPECT(!kerror_slot_check(memory, SLOT - 1));
	EXPECT(!kerror_slot_repair(memory, KERROR_SLOT_ALIGN - 1));
	kerror_slot_drop(machine->slot);
	EXPECT(!kerror_slot_repair(memory, SLOT));
	return true;
}

/* ---- corruption ---- */

static u64 words_changed[SLOT / 64 / 8 + 1];

static void change(u8 *memory, u32 at, u8 value)
{
	u32 word = at / 8;

	memory[at] = value;
	words_changed[word / 64] |= 1ULL << (word % 64);
}

static bool is_changed(u32 from, u32 to)
{
	for (u32 word = from / 8; word < (to + 7) / 8; word++)
		if (words_changed[word / 64] >> (word % 64) & 1)
			return true;
	return false;
}

/* Writes something over a random place, more often where sizes and offsets are. */
static void corrupt(u8 *memory)
{
	u32 at = any(3) ? any(SLOT) : any(1500), length = 1 << any(10);
	u32 from = any(SLOT), kind = any(4);

	for (u32 i = 0; i < length && at + i < SLOT; i++) {
		if (kind == 0)
			change(memory, at + i, any(256));
		else if (kind == 1)
			change(memory, at + i, any(2) ? 0 : 0xff);
		else if (kind == 2)
			change(memory, at + i, memory[(from + i) % SLOT]);
		else if (i < 2)
			change(memory, at + i, memory[at + i] ^ 1U << any(8));
	}
}

/* Reads all that the next kernel would. */
static bool read_all(const struct machine *machine, const u8 *memory)
{
	const struct kerror_slot *slot = (const void *)memory;
	char text[sizeof(slot->end[0].message)];
	u64 value[KERROR_SLOT_CAUSES], time;
	u64 bytes = 0;

	for (u32 cell = 0; cell < KERROR_CELLS; cell++)
		kerror_slot_get(slot, cell, value);
	for (u32 end = 0; end < KERROR_ENDS; end++)
		if (kerror_slot_ended(slot, end, &time, text, sizeof(text)))
			EXPECT(strlen(text) < sizeof(text));
	for (u32 group = 0; group < KERROR_SLOT_GROUPS; group++) {
		count = kerror_slot_find(slot, group, found, MOST, &survey);
		EXPECT(count <= MOST);
		for (u32 i = 0; i < count; i++) {
			EXPECT(found[i].size <= KERROR_EVENT_MAX);
			EXPECT((u64)found[i].offset + found[i].size <= SLOT);
			/* The sanitizer looks at each byte. */
			for (u32 j = 0; j < found[i].size; j++)
				bytes += memory[found[i].offset + j];
		}
	}
	return machine && bytes != 1;
}

/* Events of @group that were in the log before, and were not touched, are found. */
static bool whole_is_found(const struct machine *machine, const u8 *memory,
			   unsigned int group)
{
	static struct kerror_found before[MOST];
	struct kerror_survey unused;
	u32 all = kerror_slot_find(machine->slot, group, before, MOST, &unused);
	u32 at = 0;

	count = kerror_slot_find((const void *)memory, group, found, MOST, &survey);
	for (u32 i = 0; i < all; i++) {
		if (before[i].ring)
			continue;
		if (is_changed(before[i].offset - sizeof(struct kerror_logged),
			       before[i].offset + before[i].size))
			continue;
		while (at < count && found[at].offset != before[i].offset)
			at++;
		EXPECT(at < count && found[at].sequence == before[i].sequence);
	}
	/* Nothing in a log that was not there before */
	for (u32 i = 0; i < count && !found[i].ring; i++) {
		for (at = 0; at < all; at++)
			if (before[at].offset == found[i].offset)
				break;
		EXPECT(at < all);
	}
	return true;
}

static bool corrupted_region_does_no_harm(struct machine *machine, u32 rounds)
{
	u8 *memory = malloc(SLOT);
	u32 whole = 0, hostile = 0;
	bool good = true;

	for (u32 i = 0; i < 600; i++)
		log_event(machine, i % 3, 0, 0, i, any_size());
	for (u32 i = 0; i < 60; i++)
		raise_event(machine, i % RINGS, i, any_size());
	for (u32 i = 0; i < rounds && good; i++) {
		struct kerror_slot *slot = (void *)memory;
		u32 times = 1 + any(4);

		memset(words_changed, 0, sizeof(words_changed));
		memcpy(memory, machine->slot, SLOT);
		while (times--)
			corrupt(memory);
		/* One that wants to harm gets its sums right. */
		if (any(2)) {
			slot->magic = KERROR_SLOT_MAGIC;
			slot->version = KERROR_SLOT_VERSION;
			if (any(2)) {
				slot->size = SLOT;
				slot->long_size = 8;
			}
			if (any(2))
				slot->log_size[any(3)] = any(2) ? 8 * any(9000) :
								  any(~0U);
			if (any(2))
				slot->ring_size = any(2) ? 1U << any(32) : any(~0U);
			if (any(2))
				slot->rings = any(70000);
			slot->sum = kerror_slot_sum(slot);
			if (kerror_slot_repair(memory, SLOT)) {
				good = read_all(machine, memory);
				hostile++;
			}
			continue;
		}
		if (!kerror_slot_repair(memory, SLOT))
			continue;
		whole++;
		good = read_all(machine, memory);
		for (u32 group = 0; group < KERROR_SLOT_GROUPS && good; group++)
			good = whole_is_found(machine, memory, group);
	}
	printf("# %u rounds; %u headers were whole, %u taken with forged sums\n",
	       rounds, whole, hostile);
	free(memory);
	return good && (rounds < 100 || (whole && hostile));
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000;
	struct machine machine;

	state = 0x9e3779b97f4a7c15ULL * (argc > 1 ? strtoul(argv[1], NULL, 0) : 1);
	RUN(log_keeps_the_newest);
	RUN(rings_keep_what_waits);
	RUN(event_in_flight_is_there_once);
	RUN(events_behind_a_hole_are_found);
	RUN(retired_ring_keeps_what_waits);
	RUN(times_do_not_change_the_order);
	RUN(torn_message_is_none);
	RUN(cells_keep_the_newest);
	RUN(losses_are_counted);
	RUN(header_is_repaired);
	machine_start(&machine);
	result(corrupted_region_does_no_harm(&machine, rounds),
	       "corrupted_region_does_no_harm");
	machine_end(&machine);
	printf("1..%u\n", tests);
	return !!failed;
}
