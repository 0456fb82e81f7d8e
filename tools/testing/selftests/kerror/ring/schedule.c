// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decides which step comes next, and goes through all decisions.
 *
 * explore.c calls schedule_run() until schedule_next() says that there is
 * nothing new. Each access of kerror_ring.h calls point(). The CPU runs on the
 * stack of the program, its interrupts are calls, and the worker has a stack of
 * its own.
 *
 * Promise: each run makes other decisions than all runs before. All runs within
 * the limits are made, except some that are equal to others:
 *
 * - Nobody is preempted twice without a step between.
 * - The worker is not woken if nothing was written since it looked.
 * - Nobody is preempted before an access that those who come in cannot tell from
 *   one after it (check_affected() knows). A panic can come there, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include "explore.h"

#define CHOICES		4096	/* more than any run makes */
#define STEPS		1000	/* more than any run takes, if it ends */

struct limits limits = { .preemptions = 3, .interrupts = 2 };
unsigned int depth;
bool in_worker;
const char *failure;

/* ------------------------------------------------------------------ */
/* Decisions, in depth-first order. */

static u8 choices[CHOICES], ways[CHOICES];
static unsigned int made, known, repeated;

/* Returns 0 to @n - 1: each of them, in one run or another. */
unsigned int choose(unsigned int n)
{
	if (n < 2)
		return 0;
	if (made == known) {
		if (known == CHOICES) {
			puts("not ok - a run needs more choices");
			exit(2);
		}
		choices[known] = 0;
		ways[known++] = n;
	}
	return choices[made++];
}

/* Sets the next run up. Returns whether there is one. */
bool schedule_next(void)
{
	known = made;
	while (known && ++choices[known - 1] == ways[known - 1])
		known--;
	repeated = known;
	return known;
}

void schedule_restart(void)
{
	known = 0;
	repeated = 0;
}

/* Whether no run before this one was in this state. */
bool schedule_is_new(void)
{
	return made >= repeated || limits.tracing;
}

/* ------------------------------------------------------------------ */
/* The two threads. */

static ucontext_t worker_start;
static char worker_stack[65536];
static jmp_buf cpu_goes_on, worker_goes_on, run_ends;
static bool worker_started, worker_asleep, worker_has_news, cpu_ended;
static unsigned int preemptions, interrupts, steps;
static bool looking;

static __attribute__((noinline)) void run_worker(void)
{
	if (!_setjmp(cpu_goes_on)) {
		in_worker = true;
		worker_asleep = false;
		if (worker_started)
			_longjmp(worker_goes_on, 1);
		worker_started = true;
		setcontext(&worker_start);
	}
	in_worker = false;
}

static __attribute__((noinline)) void run_cpu(void)
{
	if (!_setjmp(worker_goes_on))
		_longjmp(cpu_goes_on, 1);
	in_worker = true;
}

/* The worker calls this when it found nothing. */
void worker_idles(void)
{
	trace("sleeps");
	worker_asleep = true;
	worker_has_news = false;
	run_cpu();
	trace("wakes");
}

/* The CPU calls this: the worker looks at all that is there. */
void worker_finishes(void)
{
	unsigned int looks, preemptions_before = preemptions;

	/* It may be in the midst of a look: this one and another. */
	preemptions = limits.preemptions;
	for (looks = 0; looks < 2; looks++)
		do
			run_worker();
		while (!worker_asleep);
	preemptions = preemptions_before;
}

void fail(const char *why)
{
	failure = why;
	_longjmp(run_ends, 1);
}

/* Runs @cpu and @worker once. Returns whether all that is promised held. */
bool schedule_run(void (*cpu)(void), void (*worker)(void))
{
	getcontext(&worker_start);
	worker_start.uc_stack.ss_sp = worker_stack;
	worker_start.uc_stack.ss_size = sizeof(worker_stack);
	makecontext(&worker_start, worker, 0);
	made = 0;
	steps = 0;
	depth = 0;
	preemptions = 0;
	interrupts = 0;
	in_worker = false;
	worker_started = false;
	worker_asleep = false;
	looking = false;
	cpu_ended = false;
	worker_has_news = true;
	failure = NULL;
	if (!_setjmp(run_ends)) {
		cpu();
		cpu_ended = true;
		worker_finishes();
		check_end();
	}
	return !failure;
}

void trace(const char *format, ...)
{
	va_list arguments;

	if (!limits.tracing)
		return;
	printf("# %*s", in_worker ? 50 : (int)depth * 4, "");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static void cpu_point(struct affected affected)
{
	bool may_switch = affected.other_thread;
	unsigned int ways, first, choice;

	for (;;) {
		ways = 1;
		first = 0;
		if (preemptions < limits.preemptions) {
			if (may_switch && (!worker_asleep || worker_has_news))
				ways++;
			first = ways;
			if (affected.interrupts && depth < DEPTHS - 1 &&
			    interrupts < limits.interrupts)
				ways += VARIANTS;
		}
		choice = choose(ways);
		if (!choice)
			return;
		preemptions++;
		if (choice < first) {
			run_worker();
			may_switch = false;
			continue;
		}
		interrupts++;
		depth++;
		produce(choice - first);
		depth--;
		may_switch = affected.other_thread;
	}
}

void point(const char *what, const volatile void *at, bool writes)
{
	struct affected affected;

	if (looking)
		return;
	looking = true;
	check_point();
	looking = false;
	if (++steps > STEPS)
		fail("it does not end");
	affected = check_affected(at, writes);
	if (!in_worker) {
		cpu_point(affected);
	} else if (affected.other_thread && !cpu_ended &&
		   preemptions < limits.preemptions && choose(2)) {
		preemptions++;
		run_cpu();
	}
	if (writes && !in_worker)
		worker_has_news = true;
	trace("%s", what);
}
