/* SPDX-License-Identifier: GPL-2.0-only */
/* Context of a caller: task, interrupt or not, threads, timers. */
#ifndef KERROR_COMPAT_TASK_H
#define KERROR_COMPAT_TASK_H

#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/timer.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 9)
#include <asm/hardirq.h>
#else
#include <linux/hardirq.h>
#endif

/* 2.6.27 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 27)
#define current_uid()	(current->uid)
#define current_gid()	(current->gid)
#else
#include <linux/cred.h>
#endif

/* 3.5: there is one space of user ids. */
#define __kuid_val(uid)		(uid)
#define __kgid_val(gid)		(gid)

/* 2.6.24 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 24)
#define task_pid_nr(task)	((task)->pid)
#define task_tgid_nr(task)	((task)->tgid)
#endif

/* 5.11 */
#define in_hardirq()		in_irq()

/* 2.6.37: before, disabled softirqs look like one that runs. */
#ifndef in_serving_softirq
#define in_serving_softirq()	in_softirq()
#endif

/* 2.6.30: before, nothing tells an NMI from another interrupt. */
#ifndef in_nmi
#define in_nmi()		0
#endif

/* 2.6.23, 2.6.28; before, whoever did not finish in a minute is given up. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 23)
#define test_taint(flag)	1
#elif LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 28)
#define test_taint(flag)	(tainted & (flag))
#endif

/* 2.6.4 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 4)
struct task_struct *kthread_run(int (*function)(void *), void *data,
				const char *name);
int kthread_should_stop(void);
int kthread_stop(struct task_struct *task);
#else
#include <linux/kthread.h>
#endif

/* 2.6.37; its static forms, 3.2 and 5.11 */
#include <linux/irq_work.h>
#ifndef IRQ_WORK_INIT_HARD
#define IRQ_WORK_INIT_HARD(function) \
	(struct irq_work){ .func = (function) }
#define DEFINE_IRQ_WORK(name, function) \
	struct irq_work name = IRQ_WORK_INIT_HARD(function)
#endif
#ifndef IRQ_WORK_INIT_LAZY
#define IRQ_WORK_INIT_LAZY(function)	IRQ_WORK_INIT_HARD(function)
#define IRQ_WORK_LAZY			0
#endif

/* 2.6.14 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 14)
#define schedule_timeout_interruptible(timeout) \
	kerror_compat_timeout_interruptible(timeout)
#define schedule_timeout_uninterruptible(timeout) \
	kerror_compat_timeout_uninterruptible(timeout)

static inline long kerror_compat_timeout_interruptible(long timeout)
{
	__set_current_state(TASK_INTERRUPTIBLE);
	return schedule_timeout(timeout);
}

static inline long kerror_compat_timeout_uninterruptible(long timeout)
{
	__set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}
#endif

/* 2.6.12 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 12)
#define synchronize_rcu()	synchronize_kernel()
#endif

/* 3.13 */
#define reinit_completion(completion) INIT_COMPLETION(*(completion))

/*
 * 4.15: the function gets the timer. An unsigned long is passed as a pointer
 * is, on every architecture.
 */
#undef DEFINE_TIMER
#define DEFINE_TIMER(name, timer_function)				\
	struct timer_list name = TIMER_INITIALIZER(			\
		(void (*)(unsigned long))(timer_function), 0,		\
		(unsigned long)&name)

/* 4.15; 4.8: its flags, 2.6.22 under another name */
#define TIMER_DEFERRABLE	0
#define timer_setup(timer, timer_function, flags)			\
do {									\
	init_timer(timer);						\
	(timer)->function = (void (*)(unsigned long))(timer_function);	\
	(timer)->data = (unsigned long)(timer);				\
} while (0)

/* 6.2 */
#define timer_delete_sync(timer) del_timer_sync(timer)

#endif
