// SPDX-License-Identifier: GPL-2.0-only
/*
 * NETLINK_KERROR: carries error events from any kernel context to user space.
 *
 * This file is the callers' side: it reserves, fills and commits a record in a
 * ring of this CPU, without lock, allocation or sleep. So the caller may be
 * anywhere: NMI, under a runqueue lock, before the first initcall, inside
 * printk or netlink. kernel/evlog.c calls it, and code with bytes of its own to
 * send. The protocol is <uapi/linux/kerror.h>.
 *
 * The rest is in kerror_cpu.c (the rings of each CPU), kerror_worker.c (when
 * events are delivered), kerror_drain.c (in which order), kerror_history.c (late
 * readers), kerror_netlink.c (the socket), kerror_print.c (the kernel log),
 * kerror_dump.c (debuggers), kerror_region*.c, kerror_persist.c and kerror_boots.c
 * (memory that outlives the kernel).
 *
 * Promise: each event gets a number, or is counted under one cause. These are all
 * the ways to lose one, each where kerror_count_lost() names it:
 *
 *   KERROR_LOST_STAGING_FULL  its ring had no room; the newest is lost
 *   KERROR_LOST_NO_STAGING    its CPU has no rings: no memory when it came up
 *   KERROR_LOST_TOO_LONG      more than KERROR_EVENT_MAX bytes
 *   KERROR_LOST_NMI           in an NMI where cmpxchg is not safe there
 *   KERROR_LOST_RATE_LIMIT    suppressed by a _ratelimited call of evlog
 *   KERROR_LOST_ABANDONED     reserved, then its writer died in an oops
 *
 * A numbered event is in the history until newer ones overwrite it. No later
 * fault loses it before: a reader that was sent an incomplete stream
 * (no memory for a message, a full receive queue) gets ENOBUFS and asks for a
 * replay. Events that were overwritten before it asked are told to it as
 * KERROR_LOST_HISTORY.
 *
 * Each CPU has a ring per group: a flood of one group takes no room from another.
 * An event for several groups is in the ring of each, so that the order within a
 * group is that of one ring.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include "kerror_internal.h"

static unsigned int staging_kb = CONFIG_KERROR_STAGING_KB;
module_param(staging_kb, uint, 0444);
MODULE_PARM_DESC(staging_kb, "KiB of staging per CPU and group, 32 to 4096, rounded up to a power of 2");

static unsigned int history_kb = CONFIG_KERROR_HISTORY_KB;
module_param(history_kb, uint, 0444);
MODULE_PARM_DESC(history_kb, "KiB of history per group, 32 to 65536");

static char *persist;
#ifdef CONFIG_KERROR_PERSIST
module_param(persist, charp, 0400);
MODULE_PARM_DESC(persist, "memory that outlives a reboot: NAME of reserve_mem=, or SIZE@ADDRESS");
#endif

module_param_cb(printk, &kerror_printk_ops, NULL, 0644);
MODULE_PARM_DESC(printk, "print events to the kernel log: never, unheard (when nobody listens), always");

/*
 * Losses since boot: here, or in memory that outlives the kernel. Nobody takes any away:
 * wherever the machine dies, those that were not announced are the rest.
 */
static atomic_long_t kerror_lost_here[KERROR_GROUPS * KERROR_CAUSES_COUNTED];
#ifdef CONFIG_KERROR_PERSIST
static atomic_long_t *kerror_lost __read_mostly = kerror_lost_here;
#else
#define kerror_lost kerror_lost_here
#endif
static int kerror_lost_pending;

/**
 * kerror_count_lost - count an event that will not be delivered
 * @groups: the groups it was for
 * @cause: why
 *
 * The loss is announced in the stream. Context: any.
 */
void kerror_count_lost(unsigned int groups, enum kerror_cause cause)
{
	unsigned int i;

	for (i = 0; i < KERROR_GROUPS; i++)
		if (groups & KERROR_BITS_RAISED & KERROR_BIT(i))
			atomic_long_inc(&kerror_lost[i * KERROR_CAUSES_COUNTED +
						     cause]);
	/* (E) Whoever sees it pending, or clears it before this, sees the count. */
	smp_mb();
	WRITE_ONCE(kerror_lost_pending, 1);
	if (!READ_ONCE(kerror_cpus_ready))
		return;
	preempt_disable_notrace();
	kerror_wake(raw_smp_processor_id(), NULL, false);
	preempt_enable_notrace();
}
EXPORT_SYMBOL_GPL(kerror_count_lost);

/* Whether there may be losses to announce. Called by one at a time. */
bool kerror_take_lost_pending(void)
{
	if (!READ_ONCE(kerror_lost_pending))
		return false;
	WRITE_ONCE(kerror_lost_pending, 0);
	smp_mb(); /* (E) */
	return true;
}

/* Returns the losses that were not announced yet. Under kerror_history_lock. */
u64 kerror_lost_unannounced(unsigned int group, unsigned int cause)
{
	unsigned long lost = atomic_long_read(&kerror_lost[group * KERROR_CAUSES_COUNTED +
							   cause]);

	return lost - (unsigned long)kerror_history[group].lost[cause];
}

/* Counts them elsewhere from now on. There is one CPU, and nothing half done. */
static void __init kerror_lost_move(atomic_long_t *there)
{
	unsigned int i;

	if (!there)
		return;
#ifdef CONFIG_KERROR_PERSIST
	WRITE_ONCE(kerror_lost, there);
	barrier();
#endif
	for (i = 0; i < ARRAY_SIZE(kerror_lost_here); i++)
		atomic_long_add(atomic_long_xchg(&kerror_lost_here[i], 0),
				&there[i]);
}

static struct kerror_source *source_of(unsigned int cpu, unsigned int group)
{
	if (likely(READ_ONCE(kerror_cpus_ready)))
		return READ_ONCE(per_cpu(kerror_cpu, cpu).source[group]);
	return &kerror_early[group];
}

/* Reserves a record in the ring of @group, one of @groups. */
static __always_inline int reserve_in(struct kerror_reservation *reservation,
				      size_t size, unsigned int group, u32 groups)
{
	struct kerror_source *source;
	struct kerror_record *record;
	unsigned int cpu;

	if (size > KERROR_EVENT_MAX) {
		reservation->cause = KERROR_LOST_TOO_LONG;
		return -EMSGSIZE;
	}
	preempt_disable_notrace();
	cpu = raw_smp_processor_id();
	source = source_of(cpu, group);
	reservation->cause = KERROR_LOST_NO_STAGING;
	if (!source)
		goto no_room;
	reservation->cause = KERROR_LOST_NMI;
	if (in_nmi() && !IS_ENABLED(CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG))
		goto no_room;
	reservation->cause = KERROR_LOST_STAGING_FULL;
	record = kerror_ring_reserve(&source->ring, size, groups,
				     task_pid_nr(current));
	if (!record)
		goto no_room;
	/* So that later events of other CPUs seldom are delivered before it. */
	kerror_mark(raw_smp_processor_id());
	reservation->data = record->data;
	reservation->record = record;
	reservation->ring = &source->ring;
	return 0;

no_room:
	preempt_enable_notrace();
	return -ENOBUFS;
}

/**
 * kerror_reserve - get room to write one event in place
 * @reservation: filled in
 * @size: most bytes that the event may have
 * @groups: one KERROR_GROUP bit, and perhaps %KERROR_STAMPED
 *
 * On success preemption is disabled until kerror_commit(), which must follow
 * in the same context, soon, and without sleeping. Bytes that end up beyond
 * the committed size must be left, or set back to, zero.
 *
 * Context: any, NMI included.
 * Return: 0; -EINVAL if @groups does not name one defined group; -EMSGSIZE if
 * @size is over %KERROR_EVENT_MAX; -ENOBUFS if there is no room. After the last
 * two the caller tries again with less, or calls kerror_count_lost() with the
 * cause that is in @reservation.
 */
int kerror_reserve(struct kerror_reservation *reservation, size_t size,
		   unsigned int groups)
{
	unsigned int group;

	switch (groups & ~KERROR_STAMPED) {
	case KERROR_GROUP_EVLOG:
		group = KERROR_EVLOG;
		break;
	case KERROR_GROUP_PRINTK:
		if (!IS_ENABLED(CONFIG_KERROR_PRINTK))
			return -EINVAL;
		group = KERROR_PRINTK;
		break;
	case KERROR_GROUP_RAW:
		group = KERROR_RAW;
		break;
	default:
		return -EINVAL;
	}
	return reserve_in(reservation, size, group, groups);
}
EXPORT_SYMBOL_GPL(kerror_reserve);

/**
 * kerror_commit - let an event go that was written in place
 * @reservation: as kerror_reserve() filled it in
 * @used: bytes of the event, at most the size reserved
 *
 * Preemption stays disabled until the worker was asked for. So no other task can
 * come in between, however long it runs.
 *
 * Context: that of kerror_reserve().
 */
void kerror_commit(struct kerror_reservation *reservation, size_t used)
{
	struct kerror_ring *ring = reservation->ring;
	bool later = reservation->record->groups == KERROR_FROM_PRINTK;

	kerror_ring_commit(ring, reservation->record, used);
	if (likely(READ_ONCE(kerror_cpus_ready)))
		kerror_wake(raw_smp_processor_id(), ring, later);
	preempt_enable_notrace();
}
EXPORT_SYMBOL_GPL(kerror_commit);

/* Puts a copy of an event into the ring of @group, one of @groups. */
static int send_to(unsigned int group, unsigned int groups,
		   const struct iovec *iov, unsigned int nseg, size_t size)
{
	struct kerror_reservation reservation __uninitialized;
	int err = reserve_in(&reservation, size, group, groups);
	unsigned int i;
	size_t at = 0;

	if (err) {
		kerror_count_lost(KERROR_BIT(group), reservation.cause);
		return err;
	}
	for (i = 0; i < nseg; i++) {
		if (!iov[i].iov_len)
			continue;
		memcpy(reservation.data + at, (__force void *)iov[i].iov_base,
		       iov[i].iov_len);
		at += iov[i].iov_len;
	}
	kerror_commit(&reservation, size);
	return 0;
}

/**
 * kernel_error_event_iov - send an event that is in several pieces
 * @iov: the pieces, in kernel memory
 * @nseg: how many
 * @groups: KERROR_GROUP bits of its listeners
 *
 * Context: any, NMI included. The cost does not depend on the listeners.
 * Return: 0; -EINVAL if @groups names no defined group or a piece has a length
 * but no address; -EMSGSIZE if it is longer than %KERROR_EVENT_MAX; -ENOBUFS if
 * there is no room for one of the groups. The last two are counted as lost;
 * readers are told.
 */
int kernel_error_event_iov(const struct iovec *iov, unsigned int nseg,
			   unsigned int groups)
{
	int err = 0, failed;
	unsigned int i;
	size_t size = 0;

	for (i = 0; i < nseg; i++) {
		if (iov[i].iov_len && !iov[i].iov_base)
			return -EINVAL;
		/* Saturates above the limit, so that no sum can wrap. */
		size += min_t(size_t, iov[i].iov_len, KERROR_EVENT_MAX + 1);
		size = min_t(size_t, size, KERROR_EVENT_MAX + 1);
	}
	groups &= KERROR_BITS_RAISED;
	if (!groups)
		return -EINVAL;
	for (i = 0; i < KERROR_GROUPS; i++) {
		if (!(groups & KERROR_BIT(i)))
			continue;
		failed = send_to(i, groups, iov, nseg, size);
		if (failed)
			err = failed;
	}
	return err;
}
EXPORT_SYMBOL_GPL(kernel_error_event_iov);

/**
 * kernel_error_event - send an event that is in one piece
 * @data: the bytes, in kernel memory
 * @len: how many
 * @groups: KERROR_GROUP bits of its listeners
 *
 * Context: any, NMI included.
 * Return: as kernel_error_event_iov().
 */
int kernel_error_event(const void *data, size_t len, unsigned int groups)
{
	struct iovec iov = {
		.iov_base = (__force void __user *)data,
		.iov_len = len,
	};

	return kernel_error_event_iov(&iov, 1, groups);
}
EXPORT_SYMBOL_GPL(kernel_error_event);

/* ------------------------------------------------------------------ */
/* Start-up. */

static unsigned int __init kerror_limit(const char *name, unsigned int value,
					unsigned int most)
{
	unsigned int limited = roundup_pow_of_two(clamp(value, 32U, most));

	if (limited != value)
		pr_notice("%s=%u is taken as %u\n", name, value, limited);
	return limited;
}

static int __init kerror_early_init(void)
{
	u32 size = kerror_limit("staging_kb", staging_kb, 4096) * 1024;

	kerror_print_init();
	kerror_lost_move(kerror_region_init(persist, &size));
	staging_kb = size / 1024;
	kerror_cpus_init(size);
	return 0;
}
early_initcall(kerror_early_init);

static int __init kerror_init(void)
{
	int err;

	history_kb = kerror_limit("history_kb", history_kb, 65536);
	kerror_history_init(history_kb);
	kerror_netlink_init();
	err = kerror_worker_start();
	if (err)
		pr_err("cannot start the worker: error %d; events are delivered by timers\n",
		       err);
	kerror_cpus_watch();
	return err;
}
subsys_initcall(kerror_init);

static int __init kerror_late_init(void)
{
	kerror_early_exit();
	return kerror_dump_init(kerror_lost);
}
late_initcall(kerror_late_init);

#ifdef MODULE
/*
 * Ends all. The modules that raise events are gone, and so are the sockets of
 * readers: each of them holds a reference to this one.
 */
void kerror_exit(void)
{
	kerror_cpus_unwatch();
	kerror_worker_stop();
	kerror_netlink_exit();
	kerror_print_exit();
	kerror_cpus_exit();
	kerror_region_exit();
	kerror_history_exit();
}
#endif
