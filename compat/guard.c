// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guards of net/netlink/kerror_worker.c, by timers of ticks: hrtimers that fire
 * in softirq context came with 4.16.
 *
 * hrtimer_setup() and hrtimer_start() of that file are these, see
 * kerror_compat/clock.h. There is one guard for each CPU.
 */
#include <kerror_compat.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/smp.h>
#include <linux/threads.h>
#include <linux/timer.h>

struct guard {
	struct hrtimer *hrtimer;	/* only its address is used */
	kerror_compat_restart (*function)(struct hrtimer *hrtimer);
	struct timer_list timer;
};

static struct guard guards[NR_CPUS];
static unsigned int guard_count;

static void guard_fires(unsigned long data)
{
	struct guard *guard = (struct guard *)data;

	if (guard->function(guard->hrtimer) == HRTIMER_RESTART)
		mod_timer(&guard->timer, jiffies + 1);
}

/* Called for one CPU after the other, before its guard can be started. */
void kerror_compat_guard_setup(struct hrtimer *timer,
			       kerror_compat_restart (*function)(struct hrtimer *))
{
	struct guard *guard = &guards[guard_count];

	init_timer(&guard->timer);
	guard->timer.function = guard_fires;
	guard->timer.data = (unsigned long)guard;
	guard->function = function;
	guard->hrtimer = timer;
	guard->hrtimer = timer;
	smp_wmb();	/* (G) pairs with the one in kerror_compat_guard_start() */
	guard_count++;
}

/* Context: process or hard interrupt. */
void kerror_compat_guard_start(struct hrtimer *timer)
{
	unsigned int i, count = guard_count;

	smp_rmb();	/* (G) */
	for (i = 0; i < count; i++)
		if (guards[i].hrtimer == timer)
			mod_timer(&guards[i].timer, jiffies + 1);
}
