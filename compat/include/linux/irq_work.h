/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 2.6.37: have a function called in a hard interrupt, from any context. Here it
 * is that of the next tick; compat/irq_work.c.
 */
#ifndef KERROR_COMPAT_IRQ_WORK_H
#define KERROR_COMPAT_IRQ_WORK_H

#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 19)
#include <linux/config.h>	/* kernel/timer.c includes this first */
#endif

#ifdef CONFIG_KERROR

struct irq_work {
	unsigned long pending;
	struct irq_work *next;
	void (*func)(struct irq_work *work);
};

#define IRQ_WORK_INIT_HARD(function) \
	(struct irq_work){ .func = (function) }
#define DEFINE_IRQ_WORK(name, function) \
	struct irq_work name = IRQ_WORK_INIT_HARD(function)

int irq_work_queue(struct irq_work *work);
void irq_work_sync(struct irq_work *work);
void irq_work_run(void);

#else

static inline void irq_work_run(void)
{
}

#endif

#endif
