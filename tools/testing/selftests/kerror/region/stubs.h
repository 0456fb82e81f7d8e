/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel, as far as kerror_region*.c and kerror_ring.h use it, for check.c
 * and deaths.c.
 *
 * Every header that they include is one line in OUTPUT: it includes this file. The
 * test has one thread, so that a barrier is nothing.
 */
#ifndef REGION_STUBS_H
#define REGION_STUBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16;
typedef uint32_t u32, __u32;
typedef int32_t s32;
typedef uint64_t u64, __u64;

#define U16_MAX			UINT16_MAX
#define U32_MAX			UINT32_MAX

#define IS_ENABLED(option)	1
#define ____cacheline_aligned_in_smp
#define likely(x)		(x)
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)

#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define smp_mb()		((void)0)
#define smp_wmb()		((void)0)
#define barrier()		__asm__ __volatile__("" ::: "memory")

#define cmpxchg_local(p, old, new)					\
({									\
	typeof(*(p)) was_ = *(p);					\
									\
	if (was_ == (old))						\
		*(p) = (new);						\
	was_;								\
})

#define sort(base, count, size, compare, swap)	qsort(base, count, size, compare)

u64 ktime_get_mono_fast_ns(void);

#endif
