/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 6.13: hrtimer_setup(), and without hrtimer_init() on newer kernels. The series
 * has this file, by itself, for any kernel that lacks the function.
 */
#ifndef KERROR_COMPAT_HRTIMER_H
#define KERROR_COMPAT_HRTIMER_H

#include <linux/hrtimer.h>

static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}

#endif
