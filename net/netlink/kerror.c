// SPDX-License-Identifier: GPL-2.0-only
/*
 * NETLINK_KERROR: carries error events from any kernel context to user space.
 *
 * Called by kernel/evlog.c and by whoever has bytes of his own to send. The
 * protocol, which is what user space may rely on, is <uapi/linux/kerror.h>.
 *
 * An event goes three steps. The caller copies it into its CPU's staging,
 * without a lock, an allocation or a wait, so that it may be anywhere: NMI,
 * under a runqueue lock, before the first initcall, inside printk or netlink.
 * One kernel thread, the drain worker, takes the events of all CPUs in the
 * order of their time, numbers them per group and keeps them in that group's
 * history. Then it broadcasts them, one a message, to who asked for batches
 * several at a time, or has them printed if nobody listens. Where one event came
 * it waits a moment for more.
 *
 * Promise: each event is numbered, or counted under one cause. These are all
 * the ways to lose one, each where kerror_count_lost() names it:
 *
 *   KERROR_LOST_STAGING_FULL  its CPU's staging had no room; the newest is lost
 *   KERROR_LOST_NO_STAGING    its CPU has no staging: no memory at boot
 *   KERROR_LOST_TOO_LONG      more than KERROR_EVENT_MAX bytes
 *   KERROR_LOST_NMI           in an NMI where cmpxchg is not safe there
 *   KERROR_LOST_RATE_LIMIT    suppressed by a _ratelimited call of evlog
 *   KERROR_LOST_ABANDONED     reserved, then its writer died in an oops
 *
 * A numbered event is in the history until newer ones overwrite it. Until then
 * nothing that goes wrong later loses it: a reader that was sent an incomplete
 * stream (no memory for a message, a full receive queue) gets ENOBUFS and asks
 * for a replay. What was overwritten before that reader asked is told to it
 * as KERROR_LOST_HISTORY.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>

#define KERROR_GROUPS		3
#define KERROR_GROUPS_DEFINED	(KERROR_GROUP_RAW | KERROR_GROUP_EVLOG | \
				 KERROR_GROUP_PRINTK)
/* Numbers of a group and of its batches, as netlink counts them */
#define KERROR_NUMBER(group)	((group) == 2 ? 5 : (group) + 1)
#define KERROR_BATCH(group)	((group) == 2 ? 6 : (group) + 3)
#define KERROR_BIT(group)	BIT(KERROR_NUMBER(group) - 1)
#define KERROR_INDEX(bit)	((bit) == KERROR_GROUP_PRINTK ? 2 : __ffs(bit))
/* Bytes of a batch of more than one message: an skb of 16 KiB in all */
#define KERROR_BATCH_MAX	15360
/* As record->groups: it is in the kernel log already. */
#define KERROR_FROM_PRINTK	(KERROR_GROUP_PRINTK | KERROR_STAMPED)
/* Causes that the kernel counts; KERROR_LOST_HISTORY is of one reader. */
#define KERROR_CAUSES_COUNTED	KERROR_LOST_HISTORY
/* Nanoseconds that the worker waits for more before it sleeps */
#define KERROR_LINGER_NS	50000

static unsigned int staging_kb = CONFIG_KERROR_STAGING_KB;
module_param(staging_kb, uint, 0444);
MODULE_PARM_DESC(staging_kb, "KiB of staging per CPU, 32 to 4096, rounded up to a power of 2");

static unsigned int history_kb = CONFIG_KERROR_HISTORY_KB;
module_param(history_kb, uint, 0444);
MODULE_PARM_DESC(history_kb, "KiB of history per group, 32 to 65536");

/* ------------------------------------------------------------------ */
/* Staging: one ring of bytes per CPU.
 *
 * Producers are whatever runs on that CPU, each interrupting the one before
 * and finishing first; they are pinned by disabled preemption. The one
 * consumer is the drain worker, on any CPU. Positions count bytes for ever;
 * the offset is the position modulo the size.
 *
 * A record is reserved by moving head with cmpxchg_local(), written, and
 * committed by a store of its state. All memory outside of records is zero,
 * so a state of zero says that no record begins there yet: the consumer needs
 * no look at head, and a record that is reserved but not committed stops it.
 * A record does not wrap; a record flagged as padding fills the end.
 *
 * (A) commit: store-release of state, pairs with the consumer's load-acquire:
 *     who sees the record committed sees its content.
 * (B) free: store-release of tail after the memory was zeroed, pairs with the
 *     producer's load-acquire: who sees the room sees it zero.
 * (C) wake: full barrier between commit and the look at kerror_worker_state,
 *     pairs with the one between WORKER_SLEEPS and the worker's look at the
 *     staging: one of the two sees the other.
 */

struct kerror_record {
	u32 state;		/* bytes up to the next record | flags */
	u32 size;		/* bytes of data */
	u32 groups;
	u32 pid;
	u64 time;		/* CLOCK_MONOTONIC, for the order between CPUs */
	u8 data[];
};

#define RECORD_COMMITTED	1U
#define RECORD_PADDING		2U
#define RECORD_FLAGS		7U
#define RECORD_ALIGN		8U

struct kerror_staging {
	unsigned long head;	/* written by this CPU only, as the next */
	unsigned long room;	/* a tail that was seen: saves looking at it */
	unsigned long size;	/* a power of 2 */
	u8 *buffer;
	struct kerror_staging *next;	/* the rest is for the worker */
	/* In a cache line that the producers need only when that room is used */
	unsigned long tail ____cacheline_aligned_in_smp;
	unsigned long peek;		/* position of the next record */
	unsigned long stuck_since;	/* jiffies, or 0 */
};

/*
 * Whether the record or padding that ends at @end would fit. An interrupt may
 * have set room to something newer: what is older is right, too.
 */
static bool staging_fits(struct kerror_staging *staging, unsigned long end)
{
	if (likely(end - READ_ONCE(staging->room) <= staging->size))
		return true;
	WRITE_ONCE(staging->room, smp_load_acquire(&staging->tail)); /* (B) */
	return end - READ_ONCE(staging->room) <= staging->size;
}

/*
 * At least the largest need of one event, twice: one can always wait behind a
 * padding. If printk() raises events, all that it says before there is more.
 */
#define STAGING_EARLY_SIZE \
	(IS_ENABLED(CONFIG_KERROR_PRINTK) ? 262144 : 32768)

static u8 staging_early_buffer[STAGING_EARLY_SIZE] __aligned(RECORD_ALIGN);

/* The boot CPU's until kerror_staging_init(); nobody else runs before. */
static struct kerror_staging staging_early = {
	.size = STAGING_EARLY_SIZE,
	.buffer = staging_early_buffer,
};

static struct kerror_staging *staging_list = &staging_early;
static DEFINE_PER_CPU(struct kerror_staging, kerror_staging_cpu);
static DEFINE_PER_CPU(struct kerror_staging *, kerror_staging) = &staging_early;

/* Losses that the drain worker has not seen yet. */
static atomic_long_t kerror_lost[KERROR_GROUPS][KERROR_CAUSES_COUNTED];
static atomic_t kerror_lost_pending;

/*
 * The worker will look at the staging: only if told to; from the next tick on;
 * soon; in a moment.
 */
enum { WORKER_SLEEPS, WORKER_WAITS, WORKER_WORKS, WORKER_LINGERS };

static atomic_t kerror_worker_state ____cacheline_aligned_in_smp;
static struct task_struct *kerror_worker;

/* Hard interrupt: wakes the worker, which a caller could not do everywhere. */
static void kerror_wake_worker(struct irq_work *work)
{
	wake_up_process(kerror_worker);
}

static struct irq_work kerror_wake_work =
	IRQ_WORK_INIT_HARD(kerror_wake_worker);

/*
 * In the next tick. For what was printed: who reads that is not told sooner, and
 * printk() is not to cost an interrupt more.
 */
static struct irq_work kerror_tick_work =
	IRQ_WORK_INIT_LAZY(kerror_wake_worker);

static bool staging_half_full(const struct kerror_staging *staging)
{
	return READ_ONCE(staging->head) - READ_ONCE(staging->tail) >
	       staging->size / 2;
}

/* @staging: where there is something, or NULL for a loss. @printed: by printk() */
static void kerror_wake(const struct kerror_staging *staging, bool printed)
{
	int state;

	smp_mb(); /* (C) */
	state = atomic_read(&kerror_worker_state);
	if (state == WORKER_WORKS || !READ_ONCE(kerror_worker))
		return;
	/*
	 * A CPU that goes would not get the interrupt any more, and nobody
	 * would ask for another: kerror_cpu_changed() wakes the worker.
	 */
	if (unlikely(!cpu_online(raw_smp_processor_id())))
		return;
	if (staging && !staging_half_full(staging)) {
		if (state == WORKER_LINGERS)
			return;
		/* If it is asleep no more, it will look before it is again. */
		if (printed) {
			if (state == WORKER_SLEEPS &&
			    atomic_cmpxchg(&kerror_worker_state, WORKER_SLEEPS,
					   WORKER_WAITS) == WORKER_SLEEPS)
				irq_work_queue(&kerror_tick_work);
			return;
		}
	}
	if (atomic_xchg(&kerror_worker_state, WORKER_WORKS) != WORKER_WORKS)
		irq_work_queue(&kerror_wake_work);
}

/**
 * kerror_count_lost - count an event that will not be delivered
 * @groups: the groups it was for
 * @cause: why
 *
 * The drain worker announces it in the stream. Context: any.
 */
void kerror_count_lost(unsigned int groups, enum kerror_cause cause)
{
	unsigned int i;

	for (i = 0; i < KERROR_GROUPS; i++)
		if (groups & KERROR_BIT(i))
			atomic_long_inc(&kerror_lost[i][cause]);
	atomic_set(&kerror_lost_pending, 1);
	kerror_wake(NULL, false);
}
EXPORT_SYMBOL_GPL(kerror_count_lost);

/**
 * kerror_reserve - get room to write one event in place
 * @reservation: filled in
 * @size: most bytes that the event may have
 * @groups: KERROR_GROUP bits of who shall get it, and %KERROR_STAMPED
 *
 * On success preemption is disabled until kerror_commit(), which must follow
 * in the same context, soon, and without sleeping. Bytes that end up beyond
 * the committed size must be left, or set back to, zero.
 *
 * Context: any, NMI included.
 * Return: 0; -EINVAL if @groups names no defined group; -EMSGSIZE if @size is
 * over %KERROR_EVENT_MAX; -ENOBUFS if there is no room. After the last two the
 * caller tries again with less, or calls kerror_count_lost() with the cause
 * that is in @reservation.
 */
int kerror_reserve(struct kerror_reservation *reservation, size_t size,
		   unsigned int groups)
{
	struct kerror_staging *staging;
	struct kerror_record *record;
	unsigned long head, offset, need, padding;
	u64 now;

	if (!(groups & KERROR_GROUPS_DEFINED))
		return -EINVAL;
	if (size > KERROR_EVENT_MAX) {
		reservation->cause = KERROR_LOST_TOO_LONG;
		return -EMSGSIZE;
	}
	need = ALIGN(sizeof(*record) + size, RECORD_ALIGN);

	preempt_disable_notrace();
	staging = this_cpu_read(kerror_staging);
	reservation->cause = KERROR_LOST_NO_STAGING;
	if (!staging)
		goto no_room;
	reservation->cause = KERROR_LOST_NMI;
	if (in_nmi() && !IS_ENABLED(CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG))
		goto no_room;
	reservation->cause = KERROR_LOST_STAGING_FULL;
	do {
		head = READ_ONCE(staging->head);
		offset = head & (staging->size - 1);
		padding = staging->size - offset;
		if (padding >= need)
			padding = 0;
		if (!staging_fits(staging, head + padding + need))
			goto no_room;
		/*
		 * Read after head: if this cmpxchg succeeds, whatever is
		 * before this record in the ring has an earlier time.
		 */
		now = ktime_get_mono_fast_ns();
	} while (cmpxchg_local(&staging->head, head, head + padding + need) !=
		 head);

	if (padding) {
		record = (void *)(staging->buffer + offset);
		smp_store_release(&record->state, /* (A) */
				  padding | RECORD_PADDING | RECORD_COMMITTED);
		offset = 0;
	}
	record = (void *)(staging->buffer + offset);
	WRITE_ONCE(record->state, need);
	record->size = size;
	record->groups = groups;
	record->pid = task_pid_nr(current);
	record->time = now;

	reservation->data = record->data;
	reservation->size = size;
	reservation->record = record;
	reservation->staging = staging;
	return 0;

no_room:
	preempt_enable_notrace();
	return -ENOBUFS;
}
EXPORT_SYMBOL_GPL(kerror_reserve);

/**
 * kerror_commit - let an event go that was written in place
 * @reservation: as kerror_reserve() filled it in
 * @used: bytes of the event, at most the size reserved
 *
 * Context: that of kerror_reserve().
 */
void kerror_commit(struct kerror_reservation *reservation, size_t used)
{
	struct kerror_record *record = reservation->record;
	struct kerror_staging *staging = reservation->staging;
	u32 state = record->state;
	u32 need = ALIGN(sizeof(*record) + used, RECORD_ALIGN);
	bool printed = record->groups == KERROR_FROM_PRINTK;

	if (need < state) {
		unsigned long start = (u8 *)record - staging->buffer;
		unsigned long head = READ_ONCE(staging->head);

		/*
		 * Give back what was not used, unless an interrupt has put a
		 * record behind this one.
		 */
		if (((head - state) & (staging->size - 1)) == start &&
		    cmpxchg_local(&staging->head, head, head - state + need) ==
		    head)
			state = need;
	}
	record->size = used;
	smp_store_release(&record->state, state | RECORD_COMMITTED); /* (A) */
	preempt_enable_notrace();
	kerror_wake(staging, printed);
}
EXPORT_SYMBOL_GPL(kerror_commit);

/**
 * kernel_error_event_iov - send an event that is in several pieces
 * @iov: the pieces, in kernel memory
 * @nseg: how many
 * @groups: KERROR_GROUP bits of who shall get it
 *
 * Context: any, NMI included. The cost does not depend on who listens.
 * Return: 0; -EINVAL if @groups names no defined group or a piece has a length
 * but no address; -EMSGSIZE if it is longer than %KERROR_EVENT_MAX; -ENOBUFS if
 * there is no room. The last two are counted as lost; readers are told.
 */
int kernel_error_event_iov(const struct iovec *iov, unsigned int nseg,
			   unsigned int groups)
{
	struct kerror_reservation reservation __uninitialized;
	unsigned int i;
	size_t size = 0, at = 0;
	int err;

	for (i = 0; i < nseg; i++) {
		if (iov[i].iov_len && !iov[i].iov_base)
			return -EINVAL;
		/* Saturates above the limit, so that no sum can wrap. */
		size += min_t(size_t, iov[i].iov_len, KERROR_EVENT_MAX + 1);
		size = min_t(size_t, size, KERROR_EVENT_MAX + 1);
	}
	err = kerror_reserve(&reservation, size,
			     groups & KERROR_GROUPS_DEFINED);
	if (err == -EMSGSIZE || err == -ENOBUFS)
		kerror_count_lost(groups, reservation.cause);
	if (err)
		return err;
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
EXPORT_SYMBOL_GPL(kernel_error_event_iov);

/**
 * kernel_error_event - send an event that is in one piece
 * @data: the bytes, in kernel memory
 * @len: how many
 * @groups: KERROR_GROUP bits of who shall get it
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
/* History: per group one ring of netlink messages, as they are broadcast.
 *
 * Written by the worker, read by replays, both in process context. Positions
 * are as those of the staging. Messages are as far apart as in a datagram, so
 * that a batch is a piece of the history. A padding message fills the end if
 * the next one does not fit; none begins where not even that would.
 */

struct kerror_history {
	unsigned long head;
	unsigned long tail;
	unsigned long size;	/* a power of 2, or 0: no memory */
	u8 *buffer;
	u32 sequence_next;
	u32 sequence_oldest;	/* sequence_next if there is none */
	u64 numbered;
	u64 lost[KERROR_CAUSES_COUNTED];
	const void *batch;	/* for the worker: the newest messages, which */
	u32 batch_size;		/* wait to be sent as one, and their bytes */
};

/* Protects kerror_history; taken in process context only. */
static DEFINE_SPINLOCK(kerror_history_lock);
static struct kerror_history kerror_history[KERROR_GROUPS] = {
	[0 ... KERROR_GROUPS - 1] = {
		.sequence_next = KERROR_SEQUENCE_FIRST,
		.sequence_oldest = KERROR_SEQUENCE_FIRST,
	},
};

static struct nlmsghdr *history_message(const struct kerror_history *history,
					unsigned long position)
{
	return (void *)(history->buffer + (position & (history->size - 1)));
}

static unsigned long history_next(const struct kerror_history *history,
				  unsigned long position)
{
	unsigned long left;

	position += NLMSG_ALIGN(history_message(history, position)->nlmsg_len);
	left = -position & (history->size - 1);
	return left < NLMSG_HDRLEN ? position + left : position;
}

/* Bytes to leave unused before a message of @len bytes, so that it fits. */
static unsigned long history_padding(const struct kerror_history *history,
				     u32 len)
{
	unsigned long left = history->size -
			     (history->head & (history->size - 1));

	return left < NLMSG_ALIGN(len) ? left : 0;
}

/* Where a message of @len bytes would go. */
static void *history_place(const struct kerror_history *history, u32 len)
{
	return history_message(history,
			       history->head + history_padding(history, len));
}

/*
 * Adds a message in one piece, forgetting the oldest ones for it. Its @data is
 * followed by zeros, as all is in the staging.
 */
static struct nlmsghdr *history_add(struct kerror_history *history,
				    const struct nlmsghdr *header,
				    const void *data)
{
	unsigned long padding = history_padding(history, header->nlmsg_len);
	unsigned long end = history->head + padding +
			    NLMSG_ALIGN(header->nlmsg_len);
	struct nlmsghdr *nlh;

	while (end - history->tail > history->size) {
		nlh = history_message(history, history->tail);
		if (nlh->nlmsg_type == KERROR_MSG_EVENT)
			history->sequence_oldest++;
		history->tail = history_next(history, history->tail);
	}
	if (padding) {
		nlh = history_message(history, history->head);
		nlh->nlmsg_len = padding;
		nlh->nlmsg_type = NLMSG_NOOP;
		history->head += padding;
	}
	nlh = history_message(history, history->head);
	*nlh = *header;
	memcpy(nlmsg_data(nlh), data, NLMSG_ALIGN(nlmsg_len(nlh)));
	history->head = history_next(history, history->head);
	return nlh;
}

/* ------------------------------------------------------------------ */
/* Printing, for events that nobody hears. */

enum { PRINTK_NEVER, PRINTK_UNHEARD, PRINTK_ALWAYS };

static const char * const printk_policies[] = {
	[PRINTK_NEVER] = "never",
	[PRINTK_UNHEARD] = "unheard",
	[PRINTK_ALWAYS] = "always",
};

static int printk_policy = PRINTK_UNHEARD;

static int printk_policy_set(const char *value, const struct kernel_param *kp)
{
	int policy = sysfs_match_string(printk_policies, value);

	if (policy < 0)
		return policy;
	WRITE_ONCE(printk_policy, policy);
	return 0;
}

static int printk_policy_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%s\n",
		       printk_policies[READ_ONCE(printk_policy)]);
}

static const struct kernel_param_ops printk_policy_ops = {
	.set = printk_policy_set,
	.get = printk_policy_get,
};

module_param_cb(printk, &printk_policy_ops, NULL, 0644);
MODULE_PARM_DESC(printk, "print events to the kernel log: never, unheard (when nobody listens), always");

static DEFINE_RATELIMIT_STATE(kerror_printk_limit, DEFAULT_RATELIMIT_INTERVAL,
			      DEFAULT_RATELIMIT_BURST);
static bool (*kerror_paraphrase)(const void *data, size_t len);

/**
 * kerror_set_paraphrase - say how events are printed when nobody listens
 * @paraphrase: prints the event with printk() and returns true, or returns
 *	false if it is not of its kind; called by the drain worker and, in a
 *	panic, in any context
 *
 * There is one; events that it does not know are printed in hexadecimal.
 */
void kerror_set_paraphrase(bool (*paraphrase)(const void *data, size_t len))
{
	WRITE_ONCE(kerror_paraphrase, paraphrase);
}

static bool kerror_in_panic;

/**
 * kerror_is_printing - whether what is printed now is about events
 *
 * For who makes events of what is printed: he would get each back for ever. Also
 * true when nobody will deliver anything any more. Context: any.
 * Return: true if the caller is the drain worker, not what interrupts it, or
 * after a panic.
 */
bool kerror_is_printing(void)
{
	if (READ_ONCE(kerror_in_panic))
		return true;
	return current == READ_ONCE(kerror_worker) && !in_nmi() &&
	       !in_hardirq() && !in_serving_softirq();
}

static void kerror_print(const struct kerror_record *record)
{
	bool (*paraphrase)(const void *data, size_t len) =
		READ_ONCE(kerror_paraphrase);

	if (paraphrase && paraphrase(record->data, record->size))
		return;
	pr_warn("event of %u bytes, groups %#x, pid %u\n", record->size,
		record->groups, record->pid);
	print_hex_dump(KERN_WARNING, "kerror: ", DUMP_PREFIX_OFFSET, 16, 1,
		       record->data, min(record->size, 64U), false);
}

/* ------------------------------------------------------------------ */
/* The drain worker. */

static struct sock *kerror_sock;

static bool kerror_heard(unsigned int number)
{
	return kerror_sock && netlink_has_listeners(kerror_sock, number);
}

/*
 * A broadcast that fails is no loss: its listeners get ENOBUFS and find what
 * it was about in the history.
 */
static int kerror_broadcast(struct sk_buff *skb, unsigned int number)
{
	if (skb)
		return nlmsg_multicast(kerror_sock, skb, 0, number, GFP_KERNEL);
	netlink_set_err(kerror_sock, 0, number, -ENOBUFS);
	return -ENOBUFS;
}

/*
 * Sends the messages of a batch, out of the history, as one. Who listens by now
 * gets it: he may have seen a replay end before the first of them.
 */
static void kerror_flush(unsigned int group)
{
	struct kerror_history *history = &kerror_history[group];
	u32 size = history->batch_size;
	struct sk_buff *skb;

	history->batch_size = 0;
	if (!size || !kerror_heard(KERROR_BATCH(group)))
		return;
	skb = alloc_skb(size, GFP_KERNEL | __GFP_NOWARN);
	/* Nobody else writes to the history. */
	if (skb)
		memcpy(skb_put(skb, size), history->batch, size);
	kerror_broadcast(skb, KERROR_BATCH(group));
}

static void kerror_flush_all(void)
{
	unsigned int group;

	for (group = 0; group < KERROR_GROUPS; group++)
		kerror_flush(group);
}

/*
 * Numbers a message, keeps it and broadcasts it, at once and, later, with others
 * of its batch. Who listens is looked at when it is numbered: who begins to later
 * finds it in a replay. Returns whether there are listeners whose filters take
 * it.
 */
static bool kerror_publish(unsigned int group, u16 type, u32 pid,
			   const void *data, u32 size)
{
	struct kerror_history *history = &kerror_history[group];
	struct nlmsghdr header = {
		.nlmsg_len = NLMSG_LENGTH(size),
		.nlmsg_type = type,
		.nlmsg_pid = pid,
	};
	bool heard = false;
	struct nlmsghdr *nlh;
	struct sk_buff *skb;

	/* A batch is one piece, of the history's newest part, which stays. */
	if (history->batch_size + NLMSG_SPACE(size) > KERROR_BATCH_MAX ||
	    history->batch + history->batch_size !=
	    history_place(history, header.nlmsg_len))
		kerror_flush(group);
	spin_lock(&kerror_history_lock);
	header.nlmsg_seq = history->sequence_next;
	if (history->size) {
		nlh = history_add(history, &header, data);
		if (!history->batch_size)
			history->batch = nlh;
		history->batch_size += NLMSG_SPACE(size);
	}
	if (type == KERROR_MSG_EVENT) {
		history->sequence_next++;
		history->numbered++;
		if (!history->size)
			history->sequence_oldest++;
	}
	spin_unlock(&kerror_history_lock);

	if (kerror_heard(KERROR_NUMBER(group))) {
		skb = nlmsg_new(size, GFP_KERNEL | __GFP_NOWARN);
		if (skb) {
			nlh = nlmsg_put(skb, pid, header.nlmsg_seq, type, size,
					0);
			memcpy(nlmsg_data(nlh), data, size);
		}
		if (kerror_broadcast(skb, KERROR_NUMBER(group)) != -ESRCH)
			heard = true;
	}
	if (!kerror_heard(KERROR_BATCH(group)))
		return heard;
	if (!history->size)
		kerror_broadcast(NULL, KERROR_BATCH(group));
	return true;
}

/* Takes over what was counted since the last time and tells the listeners. */
static void kerror_announce_losses(void)
{
	unsigned int group, cause;

	if (!atomic_read(&kerror_lost_pending) ||
	    !atomic_xchg(&kerror_lost_pending, 0))
		return;
	for (group = 0; group < KERROR_GROUPS; group++) {
		for (cause = 0; cause < KERROR_CAUSES_COUNTED; cause++) {
			u64 *total = &kerror_history[group].lost[cause];
			struct kerror_loss loss = {
				.group = KERROR_BIT(group),
				.cause = cause,
			};

			spin_lock(&kerror_history_lock);
			loss.count = (unsigned long)
				atomic_long_xchg(&kerror_lost[group][cause], 0);
			*total += loss.count;
			loss.total = *total;
			spin_unlock(&kerror_history_lock);
			if (loss.count)
				kerror_publish(group, KERROR_MSG_LOSS, 0, &loss,
					       sizeof(loss));
		}
	}
}

static void kerror_deliver(struct kerror_record *record)
{
	ktime_t time = ns_to_ktime(record->time);
	u64 stamps[] = {
		ktime_to_ns(ktime_mono_to_any(time, TK_OFFS_REAL)),
		ktime_to_ns(ktime_mono_to_any(time, TK_OFFS_BOOT)),
	};
	int policy = READ_ONCE(printk_policy);
	bool heard = false;
	unsigned int group;

	if (record->groups & KERROR_STAMPED)
		memcpy(record->data, stamps, sizeof(stamps));
	for (group = 0; group < KERROR_GROUPS; group++) {
		if (!(record->groups & KERROR_BIT(group)))
			continue;
		heard |= kerror_publish(group, KERROR_MSG_EVENT, record->pid,
					record->data, record->size);
	}
	if (record->groups == KERROR_FROM_PRINTK)
		return;
	if (policy == PRINTK_ALWAYS || (policy == PRINTK_UNHEARD && !heard))
		if (__ratelimit(&kerror_printk_limit))
			kerror_print(record);
}

static struct kerror_record *staging_record(const struct kerror_staging *staging)
{
	return (void *)(staging->buffer +
			(staging->peek & (staging->size - 1)));
}

/*
 * The record at staging->peek, past any padding: NULL if there is none, or
 * one that is not committed yet.
 */
static struct kerror_record *staging_peek(struct kerror_staging *staging)
{
	struct kerror_record *record;
	u32 state;

	for (;;) {
		if (staging->peek - READ_ONCE(staging->tail) >= staging->size)
			return NULL;
		record = staging_record(staging);
		state = smp_load_acquire(&record->state); /* (A) */
		if (!(state & RECORD_PADDING))
			return state ? record : NULL;
		staging->peek += state & ~RECORD_FLAGS;
	}
}

static bool record_committed(const struct kerror_record *record)
{
	return smp_load_acquire(&record->state) & RECORD_COMMITTED; /* (A) */
}

/* Frees everything before the end of the record at staging->peek. */
static void staging_free(struct kerror_staging *staging)
{
	struct kerror_record *record = staging_record(staging);
	unsigned long tail = staging->tail;
	unsigned long end = staging->peek + (record->state & ~RECORD_FLAGS);

	if (tail != staging->peek)	/* the padding before it */
		memset(staging->buffer + (tail & (staging->size - 1)), 0,
		       staging->peek - tail);
	memset(record, 0, end - staging->peek);
	staging->peek = end;
	smp_store_release(&staging->tail, end); /* (B) */
}

/*
 * A record stays uncommitted for as long as interrupts keep its writer off,
 * which is short, or for ever if the writer died in an oops, say of a bad %s.
 * In that case give it up, lest its CPU's events end here; after so long that
 * no writer is still alive that a hypervisor or debugger held up.
 * Returns true if there may be a committed record now.
 */
static bool staging_abandon(struct kerror_staging *staging)
{
	if (!staging->stuck_since) {
		staging->stuck_since = jiffies | 1;
		return false;
	}
	if (!test_taint(TAINT_DIE) ||
	    time_before(jiffies, staging->stuck_since + 60 * HZ))
		return false;
	kerror_count_lost(staging_record(staging)->groups,
			  KERROR_LOST_ABANDONED);
	staging_free(staging);
	staging->stuck_since = 0;
	return true;
}

/*
 * Delivers all that was committed by now, in the order of time. Returns false
 * if it had to stop at a record that is still being written. A record that
 * stays so for a second no longer holds up the other CPUs.
 *
 * Time orders the events of one CPU strictly. Between CPUs the order is as fine
 * as the clock, and an event can be late if its CPU was held up for longer than
 * a pass takes between reading the clock and reserving.
 */
static bool kerror_drain(void)
{
	struct kerror_staging *staging, *first;
	struct kerror_record *record;
	u64 cutoff, first_time;

	for (;;) {
again:
		cutoff = ktime_get_mono_fast_ns();
		first = NULL;
		first_time = U64_MAX;
		for (staging = staging_list; staging; staging = staging->next) {
			staging->peek = staging->tail;
			record = staging_peek(staging);
			if (!record)
				continue;
			if (!record_committed(record)) {
				if (staging_abandon(staging))
					goto again;
				if (!staging->stuck_since ||
				    time_before(jiffies,
						staging->stuck_since + HZ))
					return false;
				continue;
			}
			staging->stuck_since = 0;
			if (record->time < first_time) {
				cutoff = min(cutoff, first_time);
				first_time = record->time;
				first = staging;
			} else {
				cutoff = min(cutoff, record->time);
			}
		}
		if (!first)
			return true;
		if (first_time > cutoff)	/* newer than this look */
			continue;
		/* This CPU is the one to take from until another's turn. */
		kerror_announce_losses();
		do {
			record = staging_record(first);
			kerror_deliver(record);
			staging_free(first);
			cond_resched();
			record = staging_peek(first);
		} while (record && record_committed(record) &&
			 record->time <= cutoff);
	}
}

/* Delivers all there is; false if there will be more in a moment. */
static bool kerror_pass(void)
{
	bool all = kerror_drain();

	kerror_announce_losses();
	kerror_flush_all();
	return all;
}

/*
 * Where there was an event there often are more. If the worker is faster than who
 * raises them, each would wake it, by an interrupt on the CPU it is raised on:
 * so it waits before it sleeps, unless a staging fills up. The first event after
 * a rest does not wait.
 */
static void kerror_linger(void)
{
	ktime_t time = ktime_set(0, KERROR_LINGER_NS);

	/* No timer is that fine. */
	if (hrtimer_resolution > KERROR_LINGER_NS)
		return;
	atomic_set(&kerror_worker_state, WORKER_LINGERS);
	set_current_state(TASK_INTERRUPTIBLE);
	if (atomic_read(&kerror_worker_state) == WORKER_LINGERS)
		schedule_hrtimeout(&time, HRTIMER_MODE_REL);
	__set_current_state(TASK_RUNNING);
}

static int kerror_work(void *unused)
{
	bool idle;

	WRITE_ONCE(kerror_worker, current);
	for (;;) {
		kerror_pass();
		kerror_linger();
		atomic_set(&kerror_worker_state, WORKER_SLEEPS);
		smp_mb(); /* (C) */
		idle = kerror_pass();
		set_current_state(TASK_INTERRUPTIBLE);
		if (atomic_read(&kerror_worker_state) == WORKER_SLEEPS)
			schedule_timeout(idle ? MAX_SCHEDULE_TIMEOUT : 1);
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

/* ------------------------------------------------------------------ */
/* Requests from user space. */

/* Where a replay stands; in netlink_callback.args. */
enum { REPLAY_STARTED, REPLAY_SEQUENCE, REPLAY_POSITION };

/*
 * Fills one datagram of a replay. Between two of them the history may have
 * moved on: as long as the event to go on from is there, so is what follows
 * the position; else go on from the oldest and say how many are missing.
 */
static int kerror_replay(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct kerror_request *request = nlmsg_data(cb->nlh);
	u32 portid = NETLINK_CB(cb->skb).portid;
	unsigned int group = KERROR_INDEX(request->group);
	struct kerror_history *history = &kerror_history[group];
	u32 sequence = cb->args[REPLAY_SEQUENCE];
	unsigned long position = cb->args[REPLAY_POSITION];
	struct kerror_loss loss = {
		.group = request->group,
		.cause = KERROR_LOST_HISTORY,
	};
	struct nlmsghdr *nlh, *from;

	spin_lock(&kerror_history_lock);
	if (!cb->args[REPLAY_STARTED]) {
		cb->args[REPLAY_STARTED] = 1;
		position = history->tail;
		sequence = request->sequence;
		if (request->flags & KERROR_REPLAY_BOOT) {
			sequence = history->sequence_oldest;
			loss.count = history->numbered -
				(history->sequence_next - sequence);
		}
	}
	if ((s32)(history->sequence_oldest - sequence) > 0) {
		loss.count = history->sequence_oldest - sequence;
		sequence = history->sequence_oldest;
		position = history->tail;
	} else if ((long)(history->tail - position) > 0) {
		position = history->tail;
	}
	if (loss.count) {
		/* Fits: a datagram has room for the largest event. */
		nlh = nlmsg_put(skb, portid, sequence, KERROR_MSG_LOSS,
				sizeof(loss), NLM_F_MULTI);
		memcpy(nlmsg_data(nlh), &loss, sizeof(loss));
	}
	while (position != history->head) {
		from = history_message(history, position);
		if (from->nlmsg_type != NLMSG_NOOP &&
		    (s32)(from->nlmsg_seq - sequence) >= 0) {
			nlh = nlmsg_put(skb, from->nlmsg_pid, from->nlmsg_seq,
					from->nlmsg_type, nlmsg_len(from),
					NLM_F_MULTI);
			if (!nlh)
				break;
			memcpy(nlmsg_data(nlh), nlmsg_data(from),
			       nlmsg_len(from));
			sequence = from->nlmsg_seq +
				   (from->nlmsg_type == KERROR_MSG_EVENT);
		}
		position = history_next(history, position);
	}
	spin_unlock(&kerror_history_lock);

	cb->args[REPLAY_SEQUENCE] = sequence;
	cb->args[REPLAY_POSITION] = position;
	return skb->len;
}

static int kerror_statistics(struct sk_buff *skb, const struct nlmsghdr *nlh)
{
	const struct kerror_request *request = nlmsg_data(nlh);
	unsigned int group = KERROR_INDEX(request->group);
	struct kerror_history *history = &kerror_history[group];
	struct kerror_statistics statistics = {
		.group = request->group,
		.history_size = history->size,
		.staging_size = staging_kb * 1024,
		.causes = KERROR_CAUSES,
	};
	u32 portid = NETLINK_CB(skb).portid;
	struct sk_buff *reply;
	unsigned int cause;

	reply = nlmsg_new(sizeof(statistics), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	spin_lock(&kerror_history_lock);
	statistics.numbered = history->numbered;
	statistics.sequence_next = history->sequence_next;
	statistics.sequence_oldest = history->sequence_oldest;
	for (cause = 0; cause < KERROR_CAUSES_COUNTED; cause++)
		statistics.lost[cause] = history->lost[cause] + (unsigned long)
			atomic_long_read(&kerror_lost[group][cause]);
	spin_unlock(&kerror_history_lock);
	nlh = nlmsg_put(reply, portid, nlh->nlmsg_seq, KERROR_MSG_STATISTICS,
			sizeof(statistics), 0);
	memcpy(nlmsg_data(nlh), &statistics, sizeof(statistics));
	nlmsg_unicast(kerror_sock, reply, portid);
	return 0;
}

/* Returns what to answer, or -EINTR if a replay was begun. */
static int kerror_request(struct sk_buff *skb, const struct nlmsghdr *nlh)
{
	const struct kerror_request *request = nlmsg_data(nlh);
	struct netlink_dump_control replay = {
		.dump = kerror_replay,
		.min_dump_alloc = NLMSG_SPACE(KERROR_EVENT_MAX) +
				  NLMSG_SPACE(sizeof(struct kerror_loss)),
	};
	const struct kerror_history *history;
	bool in_future;

	if (!(nlh->nlmsg_flags & NLM_F_REQUEST))
		return -EINVAL;
	if (!netlink_capable(skb, CAP_SYSLOG) &&
	    !netlink_capable(skb, CAP_NET_ADMIN))
		return -EPERM;
	if (nlh->nlmsg_type != KERROR_MSG_REPLAY &&
	    nlh->nlmsg_type != KERROR_MSG_STATISTICS)
		return -EOPNOTSUPP;
	if (nlmsg_len(nlh) < (int)sizeof(*request) || request->reserved ||
	    hweight32(request->group) != 1 ||
	    !(request->group & KERROR_GROUPS_DEFINED))
		return -EINVAL;
	if (request->group == KERROR_GROUP_PRINTK &&
	    !netlink_capable(skb, CAP_SYSLOG))
		return -EPERM;
	if (nlh->nlmsg_type == KERROR_MSG_STATISTICS) {
		if (request->flags || request->sequence)
			return -EINVAL;
		return kerror_statistics(skb, nlh);
	}

	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP ||
	    request->flags & ~KERROR_REPLAY_BOOT)
		return -EINVAL;
	history = &kerror_history[KERROR_INDEX(request->group)];
	spin_lock(&kerror_history_lock);
	in_future = (s32)(request->sequence - history->sequence_next) > 0;
	spin_unlock(&kerror_history_lock);
	if (request->flags ? request->sequence : in_future)
		return -EINVAL;
	return netlink_dump_start(kerror_sock, skb, nlh, &replay);
}

/*
 * Answers what netlink_rcv_skb() would pass over in silence, too: a sender
 * that got something wrong is told so.
 */
static void kerror_receive(struct sk_buff *skb)
{
	struct nlmsghdr malformed = { .nlmsg_len = NLMSG_HDRLEN };
	struct nlmsghdr *nlh;
	int err;

	do {
		nlh = nlmsg_hdr(skb);
		if (skb->len < NLMSG_HDRLEN || nlh->nlmsg_len < NLMSG_HDRLEN ||
		    nlh->nlmsg_len > skb->len) {
			netlink_ack(skb, &malformed, -EINVAL, NULL);
			return;
		}
		err = kerror_request(skb, nlh);
		if (err != -EINTR && (err || nlh->nlmsg_flags & NLM_F_ACK))
			netlink_ack(skb, nlh, err, NULL);
		if (err && err != -EINTR)
			return;
		skb_pull(skb, min_t(u32, NLMSG_ALIGN(nlh->nlmsg_len), skb->len));
	} while (skb->len);
}

static int kerror_bind(struct net *net, int group)
{
	if (!net_eq(net, &init_net))
		return -ENONET;
	if (capable(CAP_SYSLOG))
		return 0;
	return group != KERROR_NUMBER(2) && group != KERROR_BATCH(2) &&
	       capable(CAP_NET_ADMIN) ? 0 : -EPERM;
}

/* ------------------------------------------------------------------ */
/* Panic and start-up. */

/*
 * Prints what waits in staging, whatever the policy says. The other CPUs have
 * been stopped, perhaps in the middle of anything: only look.
 */
static int kerror_panic(struct notifier_block *notifier, unsigned long event,
			void *message)
{
	struct kerror_staging *staging, *first;
	struct kerror_record *record;
	unsigned int unfinished = 0;

	WRITE_ONCE(kerror_in_panic, true);
	for (staging = staging_list; staging; staging = staging->next)
		staging->peek = staging->tail;
	for (;;) {
		u64 first_time = U64_MAX;

		first = NULL;
		for (staging = staging_list; staging; staging = staging->next) {
			while ((record = staging_peek(staging)) &&
			       !record_committed(record)) {
				unfinished++;
				staging->peek += record->state;
			}
			if (record && record->time < first_time) {
				first_time = record->time;
				first = staging;
			}
		}
		if (!first)
			break;
		record = staging_record(first);
		if (record->groups != KERROR_FROM_PRINTK)
			kerror_print(record);
		first->peek += record->state & ~RECORD_FLAGS;
	}
	if (unfinished)
		pr_emerg("%u events were being written\n", unfinished);
	return NOTIFY_DONE;
}

static struct notifier_block kerror_panic_notifier = {
	.notifier_call = kerror_panic,
};

static unsigned int __init kerror_limit(const char *name, unsigned int value,
					unsigned int most)
{
	unsigned int limited = roundup_pow_of_two(clamp(value, 32U, most));

	if (limited != value)
		pr_notice("%s=%u is taken as %u\n", name, value, limited);
	return limited;
}

/*
 * Gives each possible CPU its staging. Runs on the boot CPU before there are
 * others, in process context, so nothing of this CPU is half-written now but
 * what an interrupt begins and ends here.
 */
static int __init kerror_staging_init(void)
{
	struct kerror_staging *staging;
	struct page *pages;
	int cpu;

	staging_kb = kerror_limit("staging_kb", staging_kb, 4096);
	for_each_possible_cpu(cpu) {
		pages = alloc_pages_node(cpu_to_node(cpu),
					 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN,
					 get_order(staging_kb * 1024));
		if (!pages) {
			pr_err("no memory for %u KiB of staging for CPU %d; use a smaller kerror.staging_kb\n",
			       staging_kb, cpu);
			if (cpu != raw_smp_processor_id())
				per_cpu(kerror_staging, cpu) = NULL;
			continue;
		}
		staging = &per_cpu(kerror_staging_cpu, cpu);
		staging->size = staging_kb * 1024;
		staging->buffer = page_address(pages);
		staging->next = staging_list;
		staging_list = staging;
		WRITE_ONCE(per_cpu(kerror_staging, cpu), staging);
	}
	return 0;
}
early_initcall(kerror_staging_init);

/* A CPU has gone, or has come: what it raised meanwhile waits. */
static int kerror_cpu_changed(unsigned int cpu)
{
	if (READ_ONCE(kerror_worker))
		wake_up_process(kerror_worker);
	return 0;
}

static int __init kerror_init(void)
{
	struct netlink_kernel_cfg cfg = {
		.groups = 2 * KERROR_GROUPS,
		.flags = NL_CFG_F_NONROOT_RECV,	/* kerror_bind() decides */
		.input = kerror_receive,
		.bind = kerror_bind,
	};
	struct task_struct *worker;
	unsigned int group;

	history_kb = kerror_limit("history_kb", history_kb, 65536);
	for (group = 0; group < KERROR_GROUPS; group++) {
		kerror_history[group].buffer = vmalloc(history_kb * 1024);
		if (kerror_history[group].buffer)
			kerror_history[group].size = history_kb * 1024;
		else
			pr_err("no memory for %u KiB of history; use a smaller kerror.history_kb\n",
			       history_kb);
	}
	atomic_notifier_chain_register(&panic_notifier_list,
				       &kerror_panic_notifier);
	kerror_sock = netlink_kernel_create(&init_net, NETLINK_KERROR, &cfg);
	if (!kerror_sock)
		pr_err("cannot create the socket; events go to the kernel log\n");
	worker = kthread_run(kerror_work, NULL, "kerror");
	if (IS_ERR(worker)) {
		pr_err("cannot start the drain worker: error %ld; events are printed in a panic only\n",
		       PTR_ERR(worker));
		return PTR_ERR(worker);
	}
	/* Without these it waits for the next event of another CPU. */
	if (cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "net/kerror:dead",
				      NULL, kerror_cpu_changed) < 0 ||
	    cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "net/kerror:online",
				      kerror_cpu_changed, NULL) < 0)
		pr_err("cannot watch CPUs come and go\n");
	return 0;
}
subsys_initcall(kerror_init);

#ifdef CONFIG_KERROR_KUNIT_TEST
#include "kerror_kunit.c"
#endif
