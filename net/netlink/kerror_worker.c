// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker: one thread that has the events of all CPUs delivered, and decides
 * how soon an event wakes it.
 *
 * kerror.c calls kerror_wake() for each event, which seldom comes here. The worker
 * calls kerror_drain.c.
 *
 * Promise: whatever one CPU or one task does, the event of another CPU is passed
 * on within two ticks.
 *
 * - Each CPU asks for the worker by an irq_work of its own. Only the worker
 *   writes its state. So no CPU relies on what another one has begun.
 * - A CPU looks at the next tick whether its events still wait. If so it has a
 *   guard, a timer that looks twice per tick. If the worker made no progress
 *   meanwhile, the guard delivers in its place.
 *   Events are delivered with softirqs disabled, so that no task can come in
 *   between. Only a CPU that hangs in the midst of a delivery stops the rest.
 *
 * The event of a CPU that hangs itself is delivered with the next one of another
 * CPU, or when a timer finds it, which looks once per second.
 */

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/smp.h>
#include <linux/timer.h>
#include "kerror_internal.h"

/* Nanoseconds that the worker waits for more before it sleeps */
#define COALESCE_NS		50000

/*
 * Whether a lazy irq_work waits for the tick, and not for longer: on PREEMPT_RT it
 * runs in a thread, which other tasks can keep from running.
 */
#define LAZY_RUNS_IN_TICK	(!IS_ENABLED(CONFIG_PREEMPT_RT) && IRQ_WORK_LAZY)

/* Only the worker writes it. */
unsigned int kerror_worker_state ____cacheline_aligned_in_smp;

struct task_struct *kerror_worker;
static bool kerror_started;
static bool kerror_wanted;

/* Chunks that were delivered, by the worker only */
static unsigned int kerror_passes;

/*
 * (C) A full barrier stands between the commit of an event and the looks at
 *     kerror_ready, the worker's state and guarded. It pairs with those between
 *     a change of one of the three and a look at the rings. One of the two
 *     sides sees the other.
 */

/*
 * Almost always the worker is faster than the next tick. So no timer is set until
 * then, which would cost more than the event.
 *
 * Context: any, with preemption disabled, on that CPU.
 */
static void kerror_look_at_tick(struct kerror_cpu *this)
{
	/* First, as the tick may come before the next line, and reset it. */
	if (READ_ONCE(this->guarded) == NOT_GUARDED)
		WRITE_ONCE(this->guarded, GUARDED_AT_TICK);
	irq_work_queue(&this->tick_work);
}

/**
 * kerror_wake_slow - wake the worker, or look at the tick, if one is due
 * @cpu: this CPU
 * @ring: see kerror_wake()
 * @state: of the worker, as kerror_wake() saw it
 * @later: see kerror_wake()
 *
 * A message of printk() can wait for the tick, which wakes the readers of
 * /dev/kmsg, too: an interrupt at once would make each printk() dearer.
 *
 * Context: any, with preemption disabled.
 */
void kerror_wake_slow(unsigned int cpu, const struct kerror_ring *ring,
		      unsigned int state, bool later)
{
	struct kerror_cpu *this = &per_cpu(kerror_cpu, cpu);
	bool asleep, urgent = false;

	asleep = (state & WORKER_STATE) != WORKER_AWAKE &&
		 READ_ONCE(this->woken) != state;
	if (asleep) {
		urgent = !ring || kerror_ring_half_full(ring);
		if ((state & WORKER_STATE) == WORKER_COALESCING)
			asleep = urgent;
	}
	if (!asleep && likely(READ_ONCE(this->guarded)))
		return;
	/* kerror_guard() is called when a CPU has come or gone. */
	if (!READ_ONCE(kerror_started) || unlikely(!cpu_online(cpu)))
		return;
	if (LAZY_RUNS_IN_TICK && (!asleep || (later && !urgent))) {
		kerror_look_at_tick(this);
		return;
	}
	irq_work_queue(&this->wake_work);
	/* Where no interrupt can come, later events find that it was asked for. */
	WRITE_ONCE(this->woken, state);
}

/* Wakes the worker. Context: hard interrupt, or process. */
static void kerror_wake_worker(struct kerror_cpu *this)
{
	unsigned int state = READ_ONCE(kerror_worker_state);
	struct task_struct *worker = READ_ONCE(kerror_worker);

	/*
	 * A CPU that hangs before it has woken the worker has told nobody that
	 * it would.
	 */
	WRITE_ONCE(kerror_wanted, true);
	if (worker)
		wake_up_process(worker);
	WRITE_ONCE(this->woken, state);
}

/**
 * kerror_guard - wake the worker, and look whether it delivers
 * @this: the CPU whose events wait
 *
 * Context: hard interrupt, or process.
 */
void kerror_guard(struct kerror_cpu *this)
{
	if (!READ_ONCE(kerror_started))
		return;
	kerror_wake_worker(this);
	if (READ_ONCE(this->guarded) == GUARDED)
		return;
	WRITE_ONCE(this->passes, READ_ONCE(kerror_passes));
	WRITE_ONCE(this->guarded, GUARDED);
	/*
	 * The event has waited for up to a tick. With all delays it is to be
	 * less than two.
	 */
	hrtimer_start(&this->guard, ns_to_ktime(TICK_NSEC / 4),
		      HRTIMER_MODE_REL_PINNED_SOFT);
}

static void kerror_wake_work(struct irq_work *work)
{
	struct kerror_cpu *this = container_of(work, struct kerror_cpu,
					       wake_work);

	if (!LAZY_RUNS_IN_TICK) {
		kerror_guard(this);
		return;
	}
	if (!READ_ONCE(kerror_started))
		return;
	kerror_wake_worker(this);
	if (READ_ONCE(this->guarded) != GUARDED) {
		WRITE_ONCE(this->guarded, GUARDED_SOON);
		irq_work_queue(&this->tick_work);
	}
}

static void kerror_tick_work(struct irq_work *work)
{
	struct kerror_cpu *this = container_of(work, struct kerror_cpu,
					       tick_work);
	enum kerror_guarded guarded = READ_ONCE(this->guarded);
	unsigned int cpu = smp_processor_id();

	/* A CPU that goes has no tick any more. */
	if (guarded == GUARDED || !cpu_online(cpu)) {
		kerror_guard(this);
		return;
	}
	/*
	 * The interrupt of wake_work runs lazy works, too. This one is queued
	 * again, for the tick.
	 */
	if (guarded == GUARDED_SOON) {
		WRITE_ONCE(this->guarded, GUARDED_AT_TICK);
		irq_work_queue(&this->tick_work);
		return;
	}
	WRITE_ONCE(this->guarded, NOT_GUARDED);
	smp_mb(); /* (C) */
	/* Events that came until now have found the CPU guarded. */
	if (kerror_marked(cpu))
		kerror_guard(this);
}

/* Whether events of a CPU wait. Context: any. */
static bool kerror_waits(const struct kerror_cpu *this)
{
	const struct kerror_source *source;
	unsigned int group;

	for (group = 0; group < KERROR_GROUPS; group++) {
		source = smp_load_acquire(&this->source[group]); /* (D) */
		if (source && !kerror_ring_empty(&source->ring))
			return true;
	}
	return false;
}

/*
 * Twice per tick, on the CPU whose events wait, if it can: delivers in the place
 * of a worker that made no progress since the last time.
 */
static enum hrtimer_restart kerror_guard_timer(struct hrtimer *timer)
{
	struct kerror_cpu *this = container_of(timer, struct kerror_cpu, guard);
	unsigned int passes = READ_ONCE(kerror_passes);

	if (passes != READ_ONCE(this->passes) ? kerror_waits(this) :
						kerror_try_drain()) {
		WRITE_ONCE(this->passes, passes);
		hrtimer_forward_now(timer, ns_to_ktime(TICK_NSEC / 2));
		return HRTIMER_RESTART;
	}
	WRITE_ONCE(this->guarded, NOT_GUARDED);
	smp_mb(); /* (C) */
	/* Events that came until now have found the CPU guarded. */
	if (kerror_try_drain())
		kerror_guard(this);
	return HRTIMER_NORESTART;
}

/* Prepares what a CPU has of its own. */
void kerror_cpu_init(struct kerror_cpu *this)
{
	this->wake_work = IRQ_WORK_INIT_HARD(kerror_wake_work);
	this->tick_work = IRQ_WORK_INIT_LAZY(kerror_tick_work);
	hrtimer_setup(&this->guard, kerror_guard_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_SOFT);
	this->next = kerror_dump.cpus;
	kerror_dump.cpus = this;
}

/*
 * Once per second, but never on an idle CPU: a CPU that hangs with interrupts off
 * cannot ask for the worker.
 */
static void kerror_watch_timer(struct timer_list *timer)
{
	if (kerror_any_marked())
		kerror_guard(&per_cpu(kerror_cpu, smp_processor_id()));
	kerror_persist_alive();
	mod_timer(timer, jiffies + HZ);
}

static struct timer_list kerror_watch;

/* ------------------------------------------------------------------ */
/* The thread. */

/* Delivers all there is. Returns whether an incomplete event holds up others. */
static bool kerror_pass(void)
{
	bool more, held;

	do {
		more = kerror_drain_chunk(&held);
		WRITE_ONCE(kerror_passes, kerror_passes + 1);
		cond_resched();
	} while (more);
	return held;
}

/**
 * kerror_sync - deliver all that was raised until now
 *
 * Context: process.
 */
void kerror_sync(void)
{
	bool held;

	do {
		while (kerror_drain_chunk(&held))
			cond_resched();
		if (held)
			schedule_timeout_uninterruptible(1);
	} while (held);
}
EXPORT_SYMBOL_GPL(kerror_sync);

static void set_worker_state(unsigned int state)
{
	WRITE_ONCE(kerror_worker_state,
		   ((kerror_worker_state | WORKER_STATE) + 1) | state);
	smp_mb(); /* (C) */
}

static void kerror_sleep(bool coalesce, bool held)
{
	ktime_t time = ns_to_ktime(COALESCE_NS);

	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(kerror_wanted) && !kthread_should_stop()) {
		if (coalesce)
			schedule_hrtimeout(&time, HRTIMER_MODE_REL);
		else
			schedule_timeout(held ? 1 : MAX_SCHEDULE_TIMEOUT);
	}
	__set_current_state(TASK_RUNNING);
}

/*
 * If the worker is faster than the callers, it falls asleep after each event, and
 * each event must interrupt its caller's CPU to wake it. So the worker waits a
 * moment before it sleeps, unless a ring becomes half full. It also does so while
 * an event that is not complete holds up others.
 */
static int kerror_work(void *unused)
{
	bool fine = hrtimer_resolution <= COALESCE_NS, held;

	while (!kthread_should_stop()) {
		do {
			set_worker_state(WORKER_AWAKE);
			WRITE_ONCE(kerror_wanted, false);
			smp_mb(); /* (C) */
			held = kerror_pass();
			kerror_replace_ring();
			if (fine) {
				set_worker_state(WORKER_COALESCING);
				kerror_sleep(true, held);
			}
		} while (fine && held);
		set_worker_state(WORKER_ASLEEP);
		kerror_sleep(false, kerror_pass());
	}
	return 0;
}

int __init kerror_worker_start(void)
{
	struct task_struct *worker = kthread_run(kerror_work, NULL, "kerror");

	/* Without it, the guards deliver. */
	if (!IS_ERR(worker))
		WRITE_ONCE(kerror_worker, worker);
	WRITE_ONCE(kerror_started, true);
	timer_setup(&kerror_watch, kerror_watch_timer, TIMER_DEFERRABLE);
	mod_timer(&kerror_watch, jiffies + HZ);
	return PTR_ERR_OR_ZERO(worker);
}

#ifdef MODULE
/* Stops all that delivers. Nothing raises events any more. */
void kerror_worker_stop(void)
{
	struct kerror_cpu *this;
	unsigned int cpu;

	WRITE_ONCE(kerror_started, false);
	timer_delete_sync(&kerror_watch);
	for_each_possible_cpu(cpu) {
		this = &per_cpu(kerror_cpu, cpu);
		if (!this->wake_work.func)
			continue;
		irq_work_sync(&this->wake_work);
		irq_work_sync(&this->tick_work);
		hrtimer_cancel(&this->guard);
	}
	if (kerror_worker)
		kthread_stop(kerror_worker);
	kerror_worker = NULL;
}
#endif
