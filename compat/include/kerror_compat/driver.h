/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The needs of <linux/evlog.h> and <linux/kerror.h>, and so of each driver that
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
/* Macros, as distributions have some of these types from later releases. */
typedef _Bool kerror_compat_bool;
#define bool	kerror_compat_bool
#define false	0
#define true	1
#endif

/* 2.6.10 */
#ifndef __force
#define __force
#endif

/*
 * 5.15. The kernel does not show this index; programs find it in vmlinux and in
 * modules. Older compilers have another opinion of what a constant is.
 */
#ifndef printk_index_subsys_emit
#if __GNUC__ >= 4
struct pi_entry {
	const char *fmt;
	const char *func;
	const char *file;
	unsigned int line;
	const char *level;
	const char *subsys_fmt_prefix;
} __attribute__((packed));

#define printk_index_subsys_emit(prefix_text, level_text, fmt_text, ...) \
do {									\
	if (__builtin_constant_p(fmt_text) &&				\
	    __builtin_constant_p(level_text)) {				\
		static const struct pi_entry __entry			\
		__attribute__((used)) = {				\
			.fmt = __builtin_constant_p(fmt_text) ?		\
			       (fmt_text) : NULL,			\
			.func = __func__,				\
			.file = __FILE__,				\
			.line = __LINE__,				\
			.level = __builtin_constant_p(level_text) ?	\
				 (level_text) : NULL,			\
			.subsys_fmt_prefix = prefix_text,		\
		};							\
		static const struct pi_entry *__entry_at		\
		__attribute__((used, section(".printk_index"))) = &__entry; \
	}								\
} while (0)
#else
#define printk_index_subsys_emit(prefix_text, level_text, fmt_text, ...) \
	do { } while (0)
#endif
#endif

/* 3.19; only for what one instruction loads or stores */
#ifndef READ_ONCE
#define READ_ONCE(x)	(*(volatile typeof(x) *)&(x))
#endif

/* 3.13 */
#ifndef OPTIMIZER_HIDE_VAR
#define OPTIMIZER_HIDE_VAR(var)	__asm__("" : "=r" (var) : "0" (var))
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

/* 2.6.26 alone has another one, of two arguments, which its printk.c calls. */
#define KERROR_COMPAT_THIRD(first, second, third, ...)	third
#define __ratelimit(...)						\
	KERROR_COMPAT_THIRD(__VA_ARGS__, __ratelimit,			\
			    kerror_compat_ratelimit, 0)(__VA_ARGS__)
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
