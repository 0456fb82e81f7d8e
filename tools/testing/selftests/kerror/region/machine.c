// SPDX-License-Identifier: GPL-2.0-only
/* See machine.h. */
#include "machine.h"

struct kerror_found found[MOST];
unsigned int count;
struct kerror_survey survey;
u64 state, clock_step = 1;
unsigned int tests, failed;

static u64 clock_now;

u64 ktime_get_mono_fast_ns(void)
{
	return clock_now += clock_step;
}

u32 any(u32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

void result(bool good, const char *name)
{
	printf("%sok %u %s\n", good ? "" : "not ", ++tests, name);
	failed += !good;
}

void machine_end(struct machine *machine)
{
	free(machine->slot);
}

/* As large as its slot, so that each access beyond it is seen */
void machine_start(struct machine *machine)
{
	struct kerror_slot header = {
		.version = KERROR_SLOT_VERSION,
		.long_size = sizeof(long),
		.size = SLOT,
		.number = 7,
		.key = 0x123456789abcdefULL,
		.boot = "the boot's name",
		.log_size = { LOG, LOG, 8192 },
		.rings = RINGS,
		.ring_size = RING,
		.release = "7.7.7",
	};

	memset(machine, 0, sizeof(*machine));
	machine->sequence = KERROR_SEQUENCE_FIRST;
	machine->slot = malloc(SLOT);
	memset(machine->slot, 0x5a, SLOT);
	kerror_slot_begin(machine->slot, &header);
	for (u32 i = 0; i < RINGS; i++) {
		struct kerror_saved_ring *saved =
			kerror_slot_use_ring(machine->slot, i, i / 2, i % 2);
		struct kerror_ring *ring = &machine->ring[i];

		ring->buffer = saved->buffer;
		ring->size = RING;
		ring->saved = &saved->next;
		/* Positions that are about to wrap */
		ring->head = ring->tail = ring->next = ring->cached_tail =
			(unsigned long)-8192 + 1024 * i;
		saved->next = ring->next;
	}
}

/* Data that tells its number and size: */
void make_data(u8 *data, u32 number, u32 size)
{
	for (u32 i = 0; i < size; i++)
		data[i] = number * 31 + i * 7 + size;
	if (size >= 4)
		memcpy(data, &number, 4);
}

static bool is_data(const u8 *data, u32 size, u32 number)
{
	u8 expected[KERROR_EVENT_MAX];

	make_data(expected, number, size);
	return !memcmp(data, expected, size);
}

u32 any_size(void)
{
	return any(8) ? any(200) : any(1500);
}

/* Numbers a message as kerror_publish() does. */
void log_message(struct machine *machine, unsigned int group, u16 type, u16 ring,
		 u32 position, u32 number, const void *data, u32 size)
{
	struct kerror_logged logged = {
		.size = size,
		.sequence = machine->sequence,
		.pid = number,
		.type = type,
		.ring = ring,
		.position = position,
	};

	machine->sequence += type == KERROR_MSG_EVENT;
	kerror_slot_log(machine->slot, group, &machine->log[group], &logged, data);
}

/* Numbers an event. Its data tells its number. */
void log_event(struct machine *machine, unsigned int group, u16 ring, u32 position,
	       u32 number, u32 size)
{
	u8 data[KERROR_EVENT_MAX];

	make_data(data, number, size);
	log_message(machine, group, KERROR_MSG_EVENT, ring, position, number, data, size);
}

struct kerror_record *reserve(struct machine *machine, u32 ring, u32 number, u32 size)
{
	return kerror_ring_reserve(&machine->ring[ring], size,
				   1U << (ring % 2), number);
}

bool raise_event(struct machine *machine, u32 ring, u32 number, u32 size)
{
	struct kerror_record *record = reserve(machine, ring, number, size);

	if (!record)
		return false;
	make_data(record->data, number, size);
	kerror_ring_commit(&machine->ring[ring], record, size);
	return true;
}

u32 position_of(const struct kerror_ring *ring, const struct kerror_record *record)
{
	return ring->next + (((u8 *)record - ring->buffer - ring->next) &
			     (ring->size - 1));
}

bool look(const struct machine *machine, unsigned int group)
{
	EXPECT(kerror_slot_check(machine->slot, SLOT) == SLOT);
	count = kerror_slot_find(machine->slot, group, found, MOST, &survey);
	EXPECT(count <= MOST);
	for (unsigned int i = 0; i < count; i++)
		EXPECT(found[i].type != KERROR_MSG_EVENT ||
		       is_data((u8 *)machine->slot + found[i].offset,
			       found[i].size, found[i].pid));
	return true;
}

void run(bool (*test)(struct machine *machine), const char *name)
{
	struct machine machine;

	machine_start(&machine);
	result(test(&machine), name);
	machine_end(&machine);
}
