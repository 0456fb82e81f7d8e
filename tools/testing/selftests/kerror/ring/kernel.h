/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel, as far as kerror_ring.h uses it, for explore.c.
 *
 * Every header that kerror_ring.h includes is one line in OUTPUT: it includes
 * this file. Each access to memory that others may change calls point(). There
 * a nested interrupt or the worker may come in. Accesses happen in the order of
 * the program: what a weaker machine may do is in litmus/.
 */
#ifndef EXPLORE_KERNEL_H
#define EXPLORE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define IS_ENABLED(option)	1
#define ____cacheline_aligned_in_smp
#define likely(x)	(x)
#define ALIGN(x, a)	(((x) + (a) - 1) & ~((typeof(x))(a) - 1))

/* The caller is about to access @at, perhaps to write. */
void point(const char *what, const volatile void *at, bool writes);

bool explore_cmpxchg(unsigned long *p, unsigned long old, unsigned long new);
void explore_memset(void *p, int byte, size_t size);
u64 ktime_get_mono_fast_ns(void);

#define access_once(x)	(*(volatile typeof(x) *)&(x))

#define READ_ONCE(x)							\
({									\
	point("reads " #x, &(x), false);					\
	access_once(x);							\
})

#define WRITE_ONCE(x, v)						\
({									\
	typeof(x) value_ = (v);						\
									\
	point("writes " #x, &(x), true);					\
	access_once(x) = value_;					\
})

#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)

/* Points are between accesses, and accesses are in order. */
#define smp_mb()		((void)0)
#define smp_rmb()		((void)0)
#define smp_wmb()		((void)0)
#define barrier()		__asm__ __volatile__("" ::: "memory")

#define cmpxchg_local(p, o, n)						\
({									\
	typeof(*(p)) old_ = (o);					\
									\
	explore_cmpxchg(p, old_, n) ? old_ : access_once(*(p));		\
})

#define memset(p, byte, size)	explore_memset(p, byte, size)

#endif
