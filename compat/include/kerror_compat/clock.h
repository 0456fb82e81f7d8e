/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks that can be read in any context; compat/clock.c. */
#ifndef KERROR_COMPAT_CLOCK_H
#define KERROR_COMPAT_CLOCK_H

#include <linux/version.h>

/* 5.10 */
struct ktime_timestamps {
	u64 mono;
	u64 boot;	/* here the same: time asleep does not count */
	u64 real;
};

void ktime_get_fast_timestamps(struct ktime_timestamps *now);
u64 ktime_get_mono_fast_ns(void);	/* 3.17 */

/* 4.2; as if it were that of a jiffy */
#define hrtimer_resolution	UINT_MAX
/* 2.6.28; so nobody calls it */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 28)
#define schedule_hrtimeout(expires, mode)	((void)(expires))
#endif

#endif
