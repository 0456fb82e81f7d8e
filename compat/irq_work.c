// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq_work for kernels that have none, before 2.6.37: the functions run in the next tick of any
 * CPU, which the series has call irq_work_run().
 *
 * An idle kernel without ticks (CONFIG_NO_HZ) may not have one for long. So
 * whoever may touch timers, because interrupts are on, asks for a tick; and for
 * those who may not there is one ten times a second.
 */
#include <kerror_compat.h>
#include <linux/irq_work.h>
#include <linux/module.h>

/* A stack: pushed with cmpxchg(), taken as a whole with xchg(). */
static struct irq_work *irq_work_list;

static void irq_work_tick(struct timer_list *timer);
static DEFINE_TIMER(irq_work_soon, irq_work_tick);
static DEFINE_TIMER(irq_work_regularly, irq_work_tick);
static int irq_work_timers;

static void irq_work_tick(struct timer_list *timer)
{
	if (timer == &irq_work_regularly)
		mod_timer(timer, jiffies + HZ / 10);
}

/**
 * irq_work_queue - have a function called soon
 * @work: which one
 *
 * Context: any, but for an NMI where cmpxchg() is not safe there.
 * Return: false if it was queued already.
 */
int irq_work_queue(struct irq_work *work)
{
	struct irq_work *head;

	if (test_and_set_bit(0, &work->pending))
		return 0;
	do {
		head = READ_ONCE(irq_work_list);
		work->next = head;
	} while (cmpxchg(&irq_work_list, head, work) != head);
	/* With interrupts on, nobody here holds a lock of the timers. */
	if (irq_work_timers && !irqs_disabled())
		mod_timer(&irq_work_soon, jiffies + 1);
	return 1;
}
EXPORT_SYMBOL_GPL(irq_work_queue);

/**
 * irq_work_run - call what was queued
 *
 * Context: hard interrupt, of the tick.
 */
void irq_work_run(void)
{
	struct irq_work *work, *next;

	if (!READ_ONCE(irq_work_list))
		return;
	for (work = xchg(&irq_work_list, NULL); work; work = next) {
		next = work->next;
		/* It may be queued again from here on. */
		clear_bit(0, &work->pending);
		smp_mb();
		work->func(work);
	}
}

/**
 * irq_work_sync - wait until a function is not queued
 * @work: which one
 *
 * Context: process.
 */
void irq_work_sync(struct irq_work *work)
{
	do {
		schedule_timeout_interruptible(2);
	} while (test_bit(0, &work->pending));
}
EXPORT_SYMBOL_GPL(irq_work_sync);

static int __init irq_work_init(void)
{
	irq_work_timers = 1;
	mod_timer(&irq_work_regularly, jiffies + HZ / 10);
	return 0;
}
core_initcall(irq_work_init);
