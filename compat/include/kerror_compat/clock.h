/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks that can be read in any context; compat/clock.c. */
#ifndef KERROR_COMPAT_CLOCK_H
#define KERROR_COMPAT_CLOCK_H

#include <linux/version.h>

#include <linux/hrtimer.h>
#include <linux/ktime.h>

/* 2.6.26 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 16) && \
    LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 26)
#include <asm/div64.h>

static inline ktime_t ns_to_ktime(u64 ns)
{
	u32 rest = do_div(ns, NSEC_PER_SEC);

	return ktime_set((long)ns, rest);
}
#endif

u64 ktime_get_mono_fast_ns(void);	/* 3.17 */

/* 3.17: time asleep does not count here, so boot time is monotonic time. */
enum tk_offsets { TK_OFFS_REAL, TK_OFFS_BOOT };

u64 kerror_compat_mono_to_real(u64 time);
#define ktime_mono_to_any(time, offset)					\
	((offset) == TK_OFFS_BOOT ? (time) :				\
	 ns_to_ktime(kerror_compat_mono_to_real(ktime_to_ns(time))))

/*
 * 4.16: a timer that fires in softirq context. It is one of ticks here, which fires
 * at the next tick, however soon it shall; compat/guard.c.
 */
#define HRTIMER_MODE_REL_PINNED_SOFT	0
#define hrtimer_setup(timer, function, clock, mode) \
	kerror_compat_guard_setup(timer, function)
#define hrtimer_start(timer, time, mode)	kerror_compat_guard_start(timer)
#define hrtimer_forward_now(timer, time)	do { } while (0)

/* A name of its own: hrtimer_restart() was a macro, too. */
typedef enum hrtimer_restart kerror_compat_restart;

void kerror_compat_guard_setup(struct hrtimer *timer,
			       kerror_compat_restart (*function)(struct hrtimer *));
void kerror_compat_guard_start(struct hrtimer *timer);

/* 4.2; as if it were that of a jiffy */
#define hrtimer_resolution	UINT_MAX
/* 2.6.28; so nobody calls it */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 28)
#define schedule_hrtimeout(expires, mode)	((void)(expires))
#endif

#endif
