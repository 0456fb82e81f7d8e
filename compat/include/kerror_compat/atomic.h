/* SPDX-License-Identifier: GPL-2.0-only */
/* Barriers, compare-and-exchange, counters, variables per CPU. */
#ifndef KERROR_COMPAT_ATOMIC_H
#define KERROR_COMPAT_ATOMIC_H

#include <asm/atomic.h>
#include <asm/system.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

/* 3.19, as READ_ONCE() of driver.h */
#ifndef WRITE_ONCE
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
#endif

/* 3.14; a full barrier is right everywhere */
#ifndef smp_load_acquire
#define smp_load_acquire(p)						\
({									\
	typeof(*(p)) __value = READ_ONCE(*(p));				\
									\
	smp_mb();							\
	__value;							\
})
#define smp_store_release(p, value)					\
do {									\
	smp_mb();							\
	WRITE_ONCE(*(p), value);					\
} while (0)
#endif

/* 2.6.11 */
#ifndef DEFINE_SPINLOCK
#define DEFINE_SPINLOCK(name)	spinlock_t name = SPIN_LOCK_UNLOCKED
#endif

#ifdef cmpxchg
/* x86 and others have it as an instruction, which no NMI can interrupt. */
#ifdef CONFIG_X86
#undef CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG
#define CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG 1
#endif
#else
/* 2.6.33: some architectures have none. Not safe in an NMI. */
static inline unsigned long kerror_compat_cmpxchg(unsigned long *at,
						  unsigned long old,
						  unsigned long new)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags, found;

	spin_lock_irqsave(&lock, flags);
	found = *at;
	if (found == old)
		*at = new;
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

#define cmpxchg(at, old, new)						\
	((typeof(*(at)))kerror_compat_cmpxchg((unsigned long *)(at),	\
					      (unsigned long)(old),	\
					      (unsigned long)(new)))
#endif

/* 2.6.25; atomic between CPUs before 2.6.27, see early_initcall() */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 27)
#undef cmpxchg_local
#endif
#ifndef cmpxchg_local
#define cmpxchg_local(at, old, new) cmpxchg(at, old, new)
#endif

/* 2.6.16 */
#ifndef atomic_xchg
#define atomic_xchg(v, new)	xchg(&(v)->counter, new)
#endif
#ifndef atomic_cmpxchg
#define atomic_cmpxchg(v, old, new) cmpxchg(&(v)->counter, old, new)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 16)
#if BITS_PER_LONG == 64
#define atomic_long_t		atomic64_t
#define atomic_long_inc(v)	atomic64_inc(v)
#define atomic_long_read(v)	atomic64_read(v)
#else
#define atomic_long_t		atomic_t
#define atomic_long_inc(v)	atomic_inc(v)
#define atomic_long_read(v)	atomic_read(v)
#endif
#endif
/* 2.6.22; until 2.6.28 with a slip in it */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 28)
#undef atomic_long_xchg
#define atomic_long_xchg(v, new) xchg(&(v)->counter, new)
#endif
/* 2.6.10 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 10)
static inline int kerror_compat_inc_return(atomic_t *v)
{
	int old;

	do {
		old = atomic_read(v);
	} while (cmpxchg(&v->counter, old, old + 1) != old);
	return old + 1;
}

#undef atomic_inc_return
#define atomic_inc_return(v)	kerror_compat_inc_return(v)
#endif

/* 2.6.27 */
#ifndef preempt_disable_notrace
#define preempt_disable_notrace()	preempt_disable()
#define preempt_enable_notrace()	preempt_enable()
#endif

/* 2.6.33; 2.6.34: by the plain name of the variable */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 34)
#undef this_cpu_read
#define this_cpu_read(variable)	__get_cpu_var(variable)
#endif

/* 3.16 */
#ifndef smp_mb__after_atomic
#define smp_mb__after_atomic()	smp_mb()
#endif

/*
 * 4.10. All possible CPUs are prepared at once. Events that a CPU raises while it
 * goes are delivered with the next event of another one.
 */
#define CPUHP_BP_PREPARE_DYN	0
#define CPUHP_AP_ONLINE_DYN	0

#define cpuhp_setup_state(state, name, startup, teardown)		\
({									\
	unsigned int __cpu;						\
									\
	(void)(teardown);						\
	for_each_possible_cpu(__cpu)					\
		(startup)(__cpu);					\
	0;								\
})

static inline int cpuhp_setup_state_nocalls(int state, const char *name,
					    int (*startup)(unsigned int cpu),
					    int (*teardown)(unsigned int cpu))
{
	return 0;
}

/* 2.6.29 at the latest */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 29)
#undef nr_cpu_ids
#define nr_cpu_ids	NR_CPUS
#endif

/* 2.6.13 */
#ifndef raw_smp_processor_id
#define raw_smp_processor_id()	smp_processor_id()
#endif

/* 2.6.17 */
#ifndef for_each_possible_cpu
#define for_each_possible_cpu(cpu)					\
	for ((cpu) = 0; (cpu) < NR_CPUS; (cpu)++)			\
		if (!cpu_possible(cpu)) {				\
		} else
#endif

/* 2.6.6 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 6)
#undef for_each_online_cpu
#define for_each_online_cpu(cpu)					\
	for ((cpu) = 0; (cpu) < NR_CPUS; (cpu)++)			\
		if (!cpu_online(cpu)) {					\
		} else
#endif

/* 2.6.16: not an lvalue on one CPU */
#if !defined(CONFIG_SMP) && LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 16)
#undef per_cpu
#define per_cpu(variable, cpu)	(*((void)(cpu), &per_cpu__##variable))
#endif

#endif
