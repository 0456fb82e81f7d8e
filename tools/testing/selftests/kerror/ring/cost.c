// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what it costs to deliver an event in a machine with many CPUs.
 *
 * "make cost" runs it. It compiles net/netlink/kerror_drain.c and kerror_ring.h as
 * they are, and the kernel's rbtree.c. Nothing is sent and nothing printed: only
 * the order of events is worked out.
 *
 * It is no test: it promises nothing. Figures of two machines, or of a machine that
 * is busy, cannot be compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include "kerror_drain.c"

#define RING	65536
#define THRASH	(64 << 20)	/* more than caches hold */
#define BYTES	200		/* of an event */

unsigned int nr_cpu_ids;
struct kerror_cpu kerror_cpu[NR_CPUS];
spinlock_t kerror_history_lock;
struct kerror_history kerror_history[KERROR_GROUPS];
bool kerror_panicked;
static u64 clock_now = 1;
static unsigned long delivered;

u64 ktime_get_mono_fast_ns(void)
{
	return clock_now;
}

bool kerror_publish(unsigned int group, u16 type, u32 pid, const void *data,
		    u32 size)
{
	delivered++;
	return true;
}

void kerror_dump_from(const struct kerror_source *source)
{
}

void kerror_dump_count(unsigned int group, const struct kerror_record *record)
{
}

void kerror_print(const struct kerror_record *record, bool heard)
{
}

void kerror_flush(void)
{
}

bool kerror_any_listener(unsigned int groups)
{
	return true;
}

bool kerror_take_lost_pending(void)
{
	return false;
}

u64 kerror_lost_unannounced(unsigned int group, unsigned int cause)
{
	return 0;
}

void kerror_count_lost(unsigned int groups, enum kerror_cause cause)
{
}

struct kerror_source *kerror_source_new(unsigned int cpu, unsigned int group,
					unsigned long size)
{
	struct kerror_source *source;
	void *memory = mmap(NULL, size + sizeof(*source), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(2);
	source = memory + size;
	source->ring.buffer = memory;
	source->ring.size = size;
	source->cpu = cpu;
	source->group = group;
	return source;
}

void kerror_source_free(struct kerror_source *source)
{
}

/* A machine with so many CPUs, whose rings are silent. */
static void machine(unsigned int cpus)
{
	unsigned int cpu, group;
	struct kerror_source *source;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		for (group = 0; group < KERROR_GROUPS; group++) {
			source = kerror_cpu[cpu].source[group];
			munmap(source->ring.buffer, RING + sizeof(*source));
		}
	}
	nr_cpu_ids = cpus;
	for (cpu = 0; cpu < cpus; cpu++)
		for (group = 0; group < KERROR_GROUPS; group++)
			kerror_cpu[cpu].source[group] =
				kerror_source_new(cpu, group, RING);
}

static void event(unsigned int cpu)
{
	struct kerror_ring *ring = &kerror_cpu[cpu].source[KERROR_EVLOG]->ring;
	struct kerror_record *record;

	clock_now++;
	record = kerror_ring_reserve(ring, BYTES, KERROR_GROUP_EVLOG, 1);
	if (!record)
		exit(2);
	kerror_ring_commit(ring, record, BYTES);
	kerror_mark(cpu);
}

static double drain(void)
{
	struct timespec begin, end;
	bool held;

	clock_now++;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (kerror_drain_chunk(&held))
		;
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	return *(double *)a < *(double *)b ? -1 : 1;
}

/* Nanoseconds per event if @cpus CPUs raise events in turns: the median. */
static double alternating(unsigned int cpus)
{
	unsigned int rounds = 64, round, i, each = 128 / cpus ?: 1;
	double times[64];

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < each * cpus; i++)
			event(i % cpus);
		times[round] = drain() / (each * cpus);
	}
	qsort(times, rounds, sizeof(times[0]), by_size);
	return times[rounds / 2];
}

/* Nanoseconds of a look with one event, if nothing is in a cache. */
static double after_a_rest(void)
{
	static unsigned char thrash[THRASH];
	double times[16];
	unsigned int round, i;

	for (round = 0; round < 16; round++) {
		event(nr_cpu_ids - 1);
		for (i = 0; i < THRASH; i += 64)
			thrash[i]++;
		times[round] = drain();
	}
	qsort(times, 16, sizeof(times[0]), by_size);
	return times[8];
}

int main(void)
{
	static const unsigned int machines[] = { 2, 64, 256, 512 };
	unsigned int i;

	puts("possible CPUs  all raise events  two raise events  one event after a rest");
	for (i = 0; i < 4; i++) {
		machine(machines[i]);
		alternating(machines[i]);	/* Touches the memory. */
		printf("%13u  %10.0f ns each  %11.0f ns each  %19.0f ns\n",
		       nr_cpu_ids, alternating(nr_cpu_ids), alternating(2),
		       after_a_rest());
	}
	return delivered == 0;
}
