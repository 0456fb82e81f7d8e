// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of memory that outlives the kernel: a machine dies before each single store of
 * the code that writes it, and the kernel's own code reads what is left. Prints TAP.
 *
 * Promise: an event of which kerror_ring_commit() has returned is found exactly once, and
 * so is each loss.
 */
#include <limits.h>
#include <setjmp.h>
#include "writes.h"

/* ---- The stores ---- */

#define LIVES	UINT_MAX

/* It dies before the store of this number, in an NMI, if there is one. */
static unsigned int dies_before = LIVES;
static void (*nmi)(struct machine *machine);
static struct machine *victim;
static jmp_buf death;

static void store(void)
{
	if (dies_before == LIVES || dies_before--)
		return;
	dies_before = LIVES;
	if (nmi)
		nmi(victim);
	longjmp(death, 1);
}

/* What the compiler calls */
#define STORE(name)	void __tsan_##name(void *at) { (void)at; store(); }
#define OTHER(name)	void __tsan_##name(void *at) { (void)at; }

STORE(write1)
STORE(write2)
STORE(write4)
STORE(write8)
OTHER(read1)
OTHER(read2)
OTHER(read4)
OTHER(read8)
OTHER(func_entry)
OTHER(func_exit)

/* Of what is not aligned */
void __tsan_write_range(void *at, long size);
void __tsan_read_range(void *at, long size);
void __tsan_init(void);

void __tsan_write_range(void *at, long size)
{
	(void)at;
	(void)size;
	store();
}

void __tsan_read_range(void *at, long size)
{
	(void)at;
	(void)size;
}

void __tsan_init(void)
{
}

/* ---- The deaths ---- */

/* Returns whether it lived. */
static __attribute__((noinline)) bool does(struct machine *machine,
					   void (*step)(struct machine *machine),
					   unsigned int stores)
{
	volatile bool lived = false;

	victim = machine;
	if (!setjmp(death)) {
		dies_before = stores;
		step(machine);
		lived = true;
	}
	dies_before = LIVES;
	return lived;
}

/* Of a new machine each time: @before, @step up to some store, @after. */
static bool dies(struct machine *machine, void (*before)(struct machine *machine),
		 void (*step)(struct machine *machine),
		 bool (*after)(struct machine *machine))
{
	unsigned int stores;
	bool lived = false;

	for (stores = 0; !lived; stores++) {
		machine_end(machine);
		machine_start(machine);
		before(machine);
		lived = does(machine, step, stores);
		if (!after(machine)) {
			printf("# it died before store %u\n", stores);
			return false;
		}
	}
	EXPECT(stores > 5);
	return true;
}

/* How often @number is among what was found */
static unsigned int times(u32 number)
{
	unsigned int i, result = 0;

	for (i = 0; i < count; i++)
		result += found[i].pid == number;
	return result;
}

/* ---- A caller ---- */

static u32 lead, size, used;

/* Leads the ring to a place, where an event waits. */
static void one_waits(struct machine *machine)
{
	u32 left = lead;

	for (u32 bytes; left; left -= bytes) {
		bytes = left > 2048 ? 2048 : left;
		raise_event(machine, 0, 50, bytes - sizeof(struct kerror_record));
		kerror_ring_consume(&machine->ring[0],
				    kerror_ring_peek(&machine->ring[0]));
	}
	raise_event(machine, 0, 1, 60);
}

static void caller(struct machine *machine)
{
	struct kerror_ring *ring = &machine->ring[0];
	struct kerror_record *record = write_reserve(ring, size, 1, 7);

	make_data(record->data, 7, used);
	write_commit(ring, record, used);
}

static void another(struct machine *machine)
{
	raise_event(machine, 0, 9, 50);
}

static bool each_is_found(struct machine *machine)
{
	EXPECT(look(machine, RAW));
	EXPECT(times(1) == 1 && times(7) + times(9) == count - 1);
	EXPECT(times(7) < 2 && times(9) < 2 && times(7) + times(9));
	EXPECT(survey.unfinished <= 1);
	return true;
}

/* An NMI interrupts a caller, raises an event, and the machine does not survive it. */
static bool interrupted_caller_hides_nothing(struct machine *machine)
{
	static const u32 sizes[][2] = {
		{ 0, 0 }, { 1, 1 }, { 100, 100 }, { 900, 900 }, { 900, 40 }, { 900, 0 },
	};
	bool good = true;

	nmi = another;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes) && good; i++)
		for (lead = 0; lead <= RING && good; lead += lead ? 8 : 3000) {
			size = sizes[i][0];
			used = sizes[i][1];
			good = dies(machine, one_waits, caller, each_is_found);
			if (!good)
				printf("# %u bytes of %u at %u\n", used, size, lead);
		}
	nmi = NULL;
	return good;
}

/* ---- The deliverer ---- */

static u32 logged, hole, retired;

static u64 *abandoned_in(const struct machine *machine)
{
	return &machine->slot->lost[KERROR_LOST_ABANDONED];
}

/* Two events wait, perhaps behind one that is not complete. The log has some. */
static void two_wait(struct machine *machine)
{
	for (u32 i = 0; i < logged; i++)
		log_event(machine, RAW, 0, 0, 100 + i, 400);
	for (u32 i = 0; i < hole; i++) {
		reserve(machine, 0, 50, 100);
		if (retired && i == 0)
			write_replace(&machine->ring[0], abandoned_in(machine));
	}
	raise_event(machine, 0, 1, 480);
	raise_event(machine, 0, 2, 60);
}

static void deliverer(struct machine *machine)
{
	struct kerror_ring *ring = &machine->ring[0];
	struct kerror_record *record = kerror_ring_behind(ring);

	log_event(machine, RAW, 1, position_of(ring, record), 1, 480);
	write_consume(ring, record);
}

static bool both_are_found(struct machine *machine)
{
	u32 first;

	EXPECT(look(machine, RAW));
	EXPECT(times(1) == 1 && times(2) == 1);
	EXPECT(found[count - 2].pid == 1 && found[count - 1].pid == 2);
	EXPECT(survey.unfinished + survey.pending[KERROR_LOST_ABANDONED] == hole);
	/* Those in the log are the newest. */
	EXPECT(count > 2 || !logged);
	first = logged - (count - 2);
	EXPECT(first <= 4);
	for (u32 i = 0; i + 2 < count; i++)
		EXPECT(found[i].pid == 100 + first + i);
	return true;
}

static bool delivered_event_is_there_once(struct machine *machine)
{
	for (logged = 0; logged < 36; logged += logged == 1 ? 31 : 1)
		for (hole = 0; hole < 3; hole++)
			for (retired = 0; retired <= !!hole; retired++)
				EXPECT(dies(machine, two_wait, deliverer,
					    both_are_found));
	return true;
}

/* Its data look like events. */
static void odd_event(struct machine *machine)
{
	struct kerror_ring *ring = &machine->ring[0];
	struct kerror_record *record = reserve(machine, 0, 1, 480);

	for (u32 i = 0; i < 480; i += 24)
		memcpy(record->data + i, &(struct kerror_record) {
			.state = 24 | KERROR_RECORD_COMMITTED,
			.groups = 1,
			.time = 5,
		}, 24);
	kerror_ring_commit(ring, record, 480);
	raise_event(machine, 0, 2, 60);
	log_event(machine, RAW, 1, position_of(ring, record), 1, 480);
	logged = hole = retired = 0;
}

static void consumer(struct machine *machine)
{
	write_consume(&machine->ring[0], kerror_ring_peek(&machine->ring[0]));
}

static bool consumed_event_is_there_once(struct machine *machine)
{
	return dies(machine, odd_event, consumer, both_are_found);
}

/* The writer of the first record is dead, and its ring is replaced. */
static void replacer(struct machine *machine)
{
	write_replace(&machine->ring[0], abandoned_in(machine));
}

/* The writer comes back once it is counted as dead. */
static void late_writer(struct machine *machine)
{
	struct kerror_record *record = kerror_ring_peek(&machine->ring[0]);

	if (*abandoned_in(machine) == hole && record->pid == 50)
		kerror_ring_commit(&machine->ring[0], record, 100);
}

static bool abandoned_event_is_counted_once(struct machine *machine)
{
	bool good = true;

	logged = 0;
	for (hole = 1; hole < 4; hole++)
		for (retired = 0; retired < 2 && retired < hole; retired++)
			EXPECT(dies(machine, two_wait, replacer, both_are_found));
	nmi = late_writer;
	for (hole = 1; hole < 3 && good; hole++) {
		retired = hole - 1;
		good = dies(machine, two_wait, replacer, both_are_found);
	}
	nmi = NULL;
	return good;
}

/* ---- Losses ---- */

static u64 lost;

static void tell(struct machine *machine, u64 losses)
{
	struct kerror_loss loss = {
		.count = losses,
		.total = lost += losses,
		.group = 1,
		.cause = KERROR_LOST_TOO_LONG,
	};
	u64 announced[KERROR_SLOT_CAUSES] = { [KERROR_LOST_TOO_LONG] = lost };

	log_message(machine, RAW, KERROR_MSG_LOSS, 0, 0, 0, &loss, sizeof(loss));
	kerror_slot_set(machine->slot, KERROR_CELL_LOST + RAW, announced);
}

/* Some were announced; @logged events came after that. */
static void some_are_lost(struct machine *machine)
{
	lost = 0;
	tell(machine, 4);
	tell(machine, 3);
	for (u32 i = 0; i < logged; i++)
		log_event(machine, RAW, 0, 0, 100 + i, 400);
	machine->slot->lost[KERROR_LOST_TOO_LONG] = 7 + 5;
}

/* As kerror_persist_add() does */
static void announcer(struct machine *machine)
{
	tell(machine, 5);
}

static bool losses_are_told_once(struct machine *machine)
{
	struct kerror_loss loss;
	u64 told = 0, known = 0;

	EXPECT(look(machine, RAW));
	for (u32 i = 0; i < count; i++) {
		if (found[i].type != KERROR_MSG_LOSS)
			continue;
		memcpy(&loss, (u8 *)machine->slot + found[i].offset, sizeof(loss));
		if (!told)
			known = loss.total - loss.count;
		told += loss.count;
	}
	EXPECT(known + told == survey.lost[KERROR_LOST_TOO_LONG]);
	EXPECT(known + told + survey.pending[KERROR_LOST_TOO_LONG] == 12);
	return true;
}

/* Those whose notice is not in the log any more are told, too. */
static bool announced_loss_is_told_once(struct machine *machine)
{
	for (logged = 0; logged < 60; logged++)
		EXPECT(dies(machine, some_are_lost, announcer, losses_are_told_once));
	return true;
}

/* ---- Slots ---- */

static void some_are_there(struct machine *machine)
{
	u64 value[KERROR_SLOT_CAUSES] = { 4 };

	kerror_slot_set(machine->slot, KERROR_CELL_NAME, value);
	log_event(machine, RAW, 0, 0, 1, 400);
	raise_event(machine, 0, 2, 60);
}

static void dropper(struct machine *machine)
{
	kerror_slot_drop(machine->slot);
}

static void successor(struct machine *machine)
{
	static struct kerror_slot header;

	memcpy(&header, machine->slot, sizeof(header));
	header.magic = 0;
	header.sum = 0;
	header.number++;
	header.key++;
	kerror_slot_begin(machine->slot, &header);
}

/* As a bit of its header has changed */
static void damaged(struct machine *machine)
{
	some_are_there(machine);
	machine->slot->release[2] ^= 1;
}

static void repairer(struct machine *machine)
{
	kerror_slot_repair(machine->slot, SLOT);
}

static bool all_or_nothing(struct machine *machine)
{
	u64 value[KERROR_SLOT_CAUSES];
	bool named;

	if (!kerror_slot_repair(machine->slot, SLOT))
		return true;
	named = kerror_slot_get(machine->slot, KERROR_CELL_NAME, value);
	EXPECT(look(machine, RAW));
	if (machine->slot->number == 7)
		EXPECT(named && count == 2 && times(1) && times(2));
	else
		EXPECT(!named && !count);
	return true;
}

static bool dropped_slot_stays_away(struct machine *machine)
{
	return dies(machine, some_are_there, dropper, all_or_nothing);
}

static bool slot_is_begun_or_not(struct machine *machine)
{
	return dies(machine, some_are_there, successor, all_or_nothing);
}

static bool all(struct machine *machine)
{
	EXPECT(kerror_slot_repair(machine->slot, SLOT) == SLOT);
	return all_or_nothing(machine);
}

static bool slot_is_repaired_later(struct machine *machine)
{
	return dies(machine, damaged, repairer, all);
}

int main(void)
{
	RUN(interrupted_caller_hides_nothing);
	RUN(delivered_event_is_there_once);
	RUN(consumed_event_is_there_once);
	RUN(abandoned_event_is_counted_once);
	RUN(announced_loss_is_told_once);
	RUN(dropped_slot_stays_away);
	RUN(slot_is_begun_or_not);
	RUN(slot_is_repaired_later);
	printf("1..%u\n", tests);
	return !!failed;
}
