/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits, numbers, strings and initcalls. */
#ifndef KERROR_COMPAT_KERNEL_H
#define KERROR_COMPAT_KERNEL_H

#include <asm/page.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/notifier.h>
#include <linux/string.h>

/* 3.1: 1 if the option is y or m. */
#ifndef IS_ENABLED
#define KERROR_COMPAT_COMMA_1	0,
#define KERROR_COMPAT_SECOND(ignored, second, ...) second
#define KERROR_COMPAT_IS_SET3(comma_or_not) \
	KERROR_COMPAT_SECOND(comma_or_not 1, 0, 0)
#define KERROR_COMPAT_IS_SET2(value) \
	KERROR_COMPAT_IS_SET3(KERROR_COMPAT_COMMA_##value)
#define KERROR_COMPAT_IS_SET(option) KERROR_COMPAT_IS_SET2(option)
#define IS_ENABLED(option) \
	(KERROR_COMPAT_IS_SET(option) || KERROR_COMPAT_IS_SET(option##_MODULE))
#endif

/* 2.6.4 */
#ifndef noinline
#define noinline		__attribute__((noinline))
#endif

/* 2.6.21 */
#ifndef __aligned
#define __aligned(bytes)	__attribute__((aligned(bytes)))
#endif
#ifndef __maybe_unused
#define __maybe_unused		__attribute__((unused))
#endif

/* 6.1 at the latest. Old kernels do not clear variables. */
#ifndef __uninitialized
#define __uninitialized
#endif

/* 2.6.24 */
#ifndef BIT
#define BIT(nr)			(1UL << (nr))
#endif

/* 2.6.32 at the latest */
#ifndef __packed
#define __packed		__attribute__((packed))
#endif

/* 2.6.24; 2.6.15 */
#ifndef __refdata
#define __refdata
#endif
#ifndef __read_mostly
#define __read_mostly
#endif

/* 2.6.34 */
#ifndef for_each_set_bit
#define for_each_set_bit(bit, address, size)				\
	for ((bit) = find_first_bit(address, size); (bit) < (size);	\
	     (bit) = find_next_bit(address, size, (bit) + 1))
#endif

/* 3.12 */
#ifndef PTR_ERR_OR_ZERO
#define PTR_ERR_OR_ZERO(pointer)					\
	(IS_ERR(pointer) ? PTR_ERR(pointer) : 0)
#endif

/* 3.14 */
#ifndef U8_MAX
#define U8_MAX			((u8)~0U)
#define U16_MAX			((u16)~0U)
#define U32_MAX			((u32)~0U)
#define U64_MAX			((u64)~0ULL)
#endif
#ifndef INT_MAX
#define INT_MAX			((int)(~0U >> 1))
#define INT_MIN			(-INT_MAX - 1)
#endif

/* 2.6.33, for powers of 2 */
#ifndef round_up
#define round_up(x, y)		((((x) - 1) | ((typeof(x))(y) - 1)) + 1)
#define round_down(x, y)	((x) & ~((typeof(x))(y) - 1))
#endif

#ifndef ALIGN_DOWN		/* 4.14 */
#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

/* 2.6.26 */
#ifndef clamp
#define clamp(value, least, most) \
	max_t(typeof(value), min_t(typeof(value), value, most), least)
#endif

/* 2.6.18; 2.6.12 */
#ifndef MAX_ERRNO
#define MAX_ERRNO		4095
#endif
#ifndef IS_ERR_VALUE
#define IS_ERR_VALUE(x)		((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)
#else				/* 4.7: takes a pointer, too */
static inline bool kerror_compat_is_err(unsigned long value)
{
	return value >= (unsigned long)-MAX_ERRNO;
}

#undef IS_ERR_VALUE
#define IS_ERR_VALUE(x)		kerror_compat_is_err((unsigned long)(x))
#endif

/* 2.6.20: log2.h; 2.6.9 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 9)
static inline unsigned long roundup_pow_of_two(unsigned long value)
{
	return 1UL << fls(value - 1);
}
#endif

/* 2.6.4 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 4)
static inline int vscnprintf(char *buffer, size_t size, const char *fmt,
			     va_list args)
{
	int length = vsnprintf(buffer, size, fmt, args);

	return length >= (int)size ? (int)size - 1 : length;
}

int scnprintf(char *buffer, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));	/* compat/printf.c */
#endif

/* 4.3, without its return value */
#define strscpy(to, from, size) strlcpy(to, from, size)

/* 4.14 */
static inline int kerror_compat_match(const char *const *list, size_t entries,
				      const char *value)
{
	size_t i, length = strlen(value);

	if (length && value[length - 1] == '\n')
		length--;
	for (i = 0; i < entries; i++)
		if (strlen(list[i]) == length && !strncmp(list[i], value, length))
			return i;
	return -EINVAL;
}

#define sysfs_match_string(list, value) \
	kerror_compat_match(list, ARRAY_SIZE(list), value)

/* 2.6.39 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 39)
static inline int kstrtoul(const char *text, unsigned int base,
			   unsigned long *value)
{
	char *end;

	*value = simple_strtoul(text, &end, base);
	return end == text || *end ? -EINVAL : 0;
}
#endif

/*
 * 2.6.27: before, other CPUs may run when these do. Until then all share the
 * early staging, which is why cmpxchg_local() must be atomic between CPUs.
 */
#ifndef early_initcall
#define early_initcall(function) core_initcall(function)
#endif

/* 2.6.30: before, all formats seem to be the kernel's own */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 30)
#define __module_address(address) ((struct module *)NULL)
#endif

/* 2.6.17 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 17)
#define atomic_notifier_chain_register(list, block) \
	notifier_chain_register(list, block)
#endif

/* 2.6.6 */
#ifndef SYSTEM_RUNNING
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 6)
#define system_state	system_running
#define SYSTEM_RUNNING	1
#endif
#endif

#endif
