/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <linux/evlog.h> and <linux/kerror.h> need, and so each driver that
 * includes them: the type bool, attributes, the facility, rate limits.
 */
#ifndef KERROR_COMPAT_DRIVER_H
#define KERROR_COMPAT_DRIVER_H

#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 19)
#include <linux/config.h>	/* 2.6.15: included by the compiler's options */
#endif
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/stringify.h>
#include <linux/types.h>
#include <stdarg.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 19)
typedef _Bool bool;
enum { false, true };
#endif

/* 2.6.10 */
#ifndef __force
#define __force
#endif

/* 3.2 */
#ifndef __printf
#define __printf(fmt, first) __attribute__((format(printf, fmt, first)))
#endif

/* 2.6.16: before, KBUILD_MODNAME is no string but the bare name. */
#ifndef KBUILD_STR
#define EVL_FACILITY __stringify(KBUILD_MODNAME)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 27)
#include <linux/ratelimit.h>
#else
#include <linux/jiffies.h>
#include <linux/spinlock.h>

#define DEFAULT_RATELIMIT_INTERVAL	(5 * HZ)
#define DEFAULT_RATELIMIT_BURST		10

struct ratelimit_state {
	int interval;
	int burst;
	int printed;
	unsigned long begin;
};

#define DEFINE_RATELIMIT_STATE(name, interval, burst) \
	struct ratelimit_state name = { interval, burst }

/* Two callers at once may both be let through. Context: any. */
static inline int kerror_compat_ratelimit(struct ratelimit_state *state)
{
	if (!state->begin ||
	    time_after(jiffies, state->begin + state->interval)) {
		state->begin = jiffies | 1;
		state->printed = 0;
	}
	return state->printed++ < state->burst;
}

/* 2.6.26 alone has another one. */
#define __ratelimit kerror_compat_ratelimit
#endif

/* 5.8: the flags only keep a message from the kernel log. */
#ifndef RATELIMIT_STATE_INIT_FLAGS
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 33)
#define RATELIMIT_STATE_INIT_FLAGS(name, interval_init, burst_init, flags) \
	{ .interval = interval_init, .burst = burst_init }
#else
#define RATELIMIT_STATE_INIT_FLAGS(name, interval_init, burst_init, flags) \
	{ .lock = __SPIN_LOCK_UNLOCKED(name.lock), \
	  .interval = interval_init, .burst = burst_init }
#endif
#endif

#endif
