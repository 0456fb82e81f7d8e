/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel, as far as kerror_drain.c uses it, for cost.c: one thread plays all
 * CPUs. Locks cost nothing here.
 */
#ifndef COST_H
#define COST_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16;
typedef uint32_t u32, __u32;
typedef uint64_t u64, __u64;
typedef int64_t ktime_t;
typedef int spinlock_t;
typedef struct { long counter; } atomic_long_t;

#define CONFIG_KERROR		1
#define IS_ENABLED(option)	1
#define NR_CPUS			512
#define TICK_NSEC		4000000
#define U64_MAX			UINT64_MAX

#define __init
#define ____cacheline_aligned_in_smp	__attribute__((aligned(64)))
#define EXPORT_SYMBOL_GPL(name)
#define likely(x)			__builtin_expect(!!(x), 1)
#define unlikely(x)			__builtin_expect(!!(x), 0)
#define ALIGN(x, a)			(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define min(a, b)			((a) < (b) ? (a) : (b))
#define container_of(p, type, member)					\
	((type *)((char *)(p) - offsetof(type, member)))

#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define barrier()		__asm__ __volatile__("" ::: "memory")
#define smp_mb__after_atomic()	smp_mb()

#define cmpxchg_local(p, o, n)						\
({									\
	typeof(*(p)) old_ = (o);					\
									\
	__atomic_compare_exchange_n(p, &old_, n, false, 0, 0);		\
	old_;								\
})

/* Bits, as cheap as the kernel's. */
#define BITS_PER_LONG		(8 * sizeof(long))
#define __ffs(word)		((unsigned int)__builtin_ctzl(word))
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned int bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

static inline void set_bit(unsigned int bit, unsigned long *map)
{
	__atomic_fetch_or(&map[bit / BITS_PER_LONG],
			  1UL << bit % BITS_PER_LONG, __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned int bit, unsigned long *map)
{
	__atomic_fetch_and(&map[bit / BITS_PER_LONG],
			   ~(1UL << bit % BITS_PER_LONG), __ATOMIC_RELAXED);
}

static inline unsigned int find_next_bit(const unsigned long *map,
					 unsigned int bits, unsigned int from)
{
	unsigned int at = from / BITS_PER_LONG;
	unsigned long word;

	if (from >= bits)
		return bits;
	word = map[at] & (~0UL << from % BITS_PER_LONG);
	while (!word) {
		if (++at == BITS_TO_LONGS(bits))
			return bits;
		word = map[at];
	}
	return min(bits, (unsigned int)(at * BITS_PER_LONG + __builtin_ctzl(word)));
}

#define find_first_bit(map, bits)	find_next_bit(map, bits, 0)
#define for_each_set_bit(bit, map, bits)				\
	for ((bit) = find_first_bit(map, bits); (bit) < (bits);		\
	     (bit) = find_next_bit(map, bits, (bit) + 1))

extern unsigned int nr_cpu_ids;

#define DECLARE_PER_CPU(type, name)	extern type name[NR_CPUS]
#define per_cpu(name, cpu)		((name)[cpu])

#define DEFINE_SPINLOCK(name)	spinlock_t name
#define spin_lock(lock)		((void)(lock))
#define spin_unlock(lock)	((void)(lock))
#define spin_lock_bh(lock)	((void)(lock))
#define spin_unlock_bh(lock)	((void)(lock))
#define spin_trylock(lock)	((void)(lock), true)
#define synchronize_rcu()	((void)0)

#define current			((struct task_struct *)NULL)
#define in_nmi()		false
#define in_hardirq()		false
#define in_serving_softirq()	false

enum { TK_OFFS_REAL, TK_OFFS_BOOT };

#define ns_to_ktime(ns)			((ktime_t)(ns))
#define ktime_to_ns(time)		((u64)(time))
#define ktime_mono_to_any(time, offset)	((time) + (offset))

u64 ktime_get_mono_fast_ns(void);

struct task_struct;
struct sk_buff;
struct nlmsghdr { u16 nlmsg_type; };
struct irq_work { int unused; };
struct hrtimer { int unused; };

#endif
