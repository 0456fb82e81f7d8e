// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks for any context, on kernels before 3.17.
 *
 * The clocks of these kernels wait for the writer of xtime_lock, which may be
 * the very code that an event is raised in. So look first whether it is being
 * written. If it is not, no writer can begin on this CPU before the clock was
 * read, and one on another CPU does not depend on this one. If it is, and does
 * not get done, the time is that of the last tick.
 *
 * Promise: time does not go back on a CPU, but for when someone sets it by more
 * than a second. It counts nothing that the machine sleeps.
 */
#include <kerror_compat.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/time.h>

extern seqlock_t xtime_lock;

/* Before, the clock may be without its source. Set once at boot. */
static int clock_usable;

/* The clocks at one moment */
struct clocks {
	u64 mono;
	u64 real;
};

static DEFINE_PER_CPU(struct clocks, clock_last);

static u64 to_ns(const struct timespec *time)
{
	return (u64)time->tv_sec * NSEC_PER_SEC + time->tv_nsec;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 16)
static void read_fine(struct clocks *now)
{
	struct timespec time;

	getnstimeofday(&time);
	now->real = to_ns(&time);
	ktime_get_ts(&time);
	now->mono = to_ns(&time);
}
#else
static void read_fine(struct clocks *now)
{
	struct timeval time;

	do_gettimeofday(&time);
	now->real = (u64)time.tv_sec * NSEC_PER_SEC + time.tv_usec * 1000;
	now->mono = now->real + (s64)wall_to_monotonic.tv_sec * NSEC_PER_SEC +
		    wall_to_monotonic.tv_nsec;
}
#endif

/* As of the last tick, without a look at the lock. */
static void read_coarse(struct clocks *now, const struct clocks *last)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 36)
	struct timespec time = __current_kernel_time();

	now->real = to_ns(&time);
	now->mono = last->mono + (now->real > last->real ?
				  now->real - last->real : 0);
#else
	struct timespec time = xtime;

	now->real = to_ns(&time);
	now->mono = now->real + (s64)wall_to_monotonic.tv_sec * NSEC_PER_SEC +
		    wall_to_monotonic.tv_nsec;
#endif
}

static void not_before(u64 *time, u64 last)
{
	if (*time <= last && last - *time < NSEC_PER_SEC)
		*time = last + 1;
}

/*
 * Whether the clocks can be read. Their source may have a lock that an NMI breaks.
 */
static int clock_readable(void)
{
	int tries = 100;

	if (!clock_usable || in_nmi())
		return 0;
	while (READ_ONCE(xtime_lock.sequence) & 1 && --tries)
		cpu_relax();
	return tries;
}

/* Reads both clocks. Context: any. */
static void read_clocks(struct clocks *now)
{
	struct clocks *last;
	unsigned long flags;

	local_irq_save(flags);
	last = &__get_cpu_var(clock_last);
	if (!clock_usable) {
		now->mono = (u64)(unsigned long)(jiffies - INITIAL_JIFFIES) *
			    (NSEC_PER_SEC / HZ);
		now->real = now->mono;
	} else {
		if (clock_readable())
			read_fine(now);
		else
			read_coarse(now, last);
	}
	not_before(&now->mono, last->mono);
	not_before(&now->real, last->real);
	if (!in_nmi()) {
		last->mono = now->mono;
		last->real = now->real;
	}
	local_irq_restore(flags);
}

/**
 * ktime_get_mono_fast_ns - read the monotonic clock
 *
 * Context: any.
 */
u64 ktime_get_mono_fast_ns(void)
{
	struct clocks now;

	read_clocks(&now);
	return now.mono;
}
EXPORT_SYMBOL_GPL(ktime_get_mono_fast_ns);

/**
 * kerror_compat_mono_to_real - convert a time of the monotonic clock
 * @time: nanoseconds
 *
 * No two clocks can be read at one moment. So the distance between them is kept
 * for as long as it can be right, to a tick: else one event would seem to be
 * earlier than the one before it.
 *
 * Context: one caller at a time, with softirqs disabled.
 * Return: the time of the wall clock, as that is set now.
 */
u64 kerror_compat_mono_to_real(u64 time)
{
	static u64 distance;
	struct clocks now, later;
	unsigned long flags;

	local_irq_save(flags);
	if (clock_readable()) {
		read_fine(&now);
		read_fine(&later);
		/* The monotonic clock was read between the two others. */
		if ((s64)(distance - (now.real - now.mono)) < -(s64)TICK_NSEC ||
		    (s64)(distance - (later.real - now.mono)) > (s64)TICK_NSEC)
			distance = now.real - now.mono;
	}
	local_irq_restore(flags);
	return time + distance;
}

static int __init kerror_compat_clock_init(void)
{
	clock_usable = 1;
	return 0;
}
core_initcall(kerror_compat_clock_init);
