/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files of NETLINK_KERROR share, each part under the name of
 * the file that defines it. Nothing else includes this, except the tests.
 */
#ifndef NETLINK_KERROR_INTERNAL_H
#define NETLINK_KERROR_INTERNAL_H

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kerror.h>
#include <linux/moduleparam.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "kerror_region.h"
#include "kerror_ring.h"
#ifdef MODULE
#include <kerror_compat/module.h>
extern unsigned long long kerror_instance;
#else
#define kerror_instance 0
#endif

/* Groups, as indices. */
enum { KERROR_RAW, KERROR_EVLOG, KERROR_PRINTK, KERROR_GROUPS };

/* Numbers of a group and of its batches, as netlink counts them. */
#define KERROR_NLGRP(group)						\
	((group) == KERROR_PRINTK ? 5 : (group) + 1)
#define KERROR_NLGRP_BATCH(group)					\
	((group) == KERROR_PRINTK ? 6 : (group) + 3)
#define KERROR_NLGRPS		6

/* The group's bit. */
#define KERROR_BIT(group)	(1U << (KERROR_NLGRP(group) - 1))
#define KERROR_BITS							\
	(KERROR_GROUP_RAW | KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK)

static inline unsigned int kerror_group_index(u32 bit)
{
	return bit == KERROR_GROUP_PRINTK ? KERROR_PRINTK : __ffs(bit);
}

/* Those that a caller can name. */
#define KERROR_BITS_RAISED						\
	(KERROR_GROUP_RAW | KERROR_GROUP_EVLOG |			\
	 (IS_ENABLED(CONFIG_KERROR_PRINTK) ? KERROR_GROUP_PRINTK : 0))

/* Groups and flag of a record that the kernel log has already. */
#define KERROR_FROM_PRINTK	(KERROR_GROUP_PRINTK | KERROR_STAMPED)

/* Causes that the kernel counts; KERROR_LOST_HISTORY is of one reader. */
#define KERROR_CAUSES_COUNTED	KERROR_LOST_HISTORY

/**
 * struct kerror_source - a ring, as the worker sees it
 * @ring: the ring of one CPU and group
 * @node: in the tree of sources that have something, by @time
 * @time: time of @first
 * @first: the record to be delivered next, while @queued
 * @queued: it is in the tree
 * @held_since: when a record was first seen that is not complete, or 0
 * @cpu: whose ring it is
 * @group: an index
 * @older: the ring that this one took the place of
 * @panic_position: for kerror_print.c
 *
 * All but @ring is under kerror_drain_lock.
 */
struct kerror_source {
	struct kerror_ring ring;
	struct rb_node node;
	u64 time;
	struct kerror_record *first;
	bool queued;
	u64 held_since;
	unsigned int cpu;
	unsigned int group;
	struct kerror_source *older;
	unsigned long panic_position;
};

/**
 * enum kerror_guarded - whether a CPU looks if its events are delivered
 * @NOT_GUARDED: it does not; nothing waits there
 * @GUARDED_SOON: tick_work runs in this interrupt, and queues itself for the tick
 * @GUARDED_AT_TICK: tick_work looks whether something still waits
 * @GUARDED: the timer is set
 */
enum kerror_guarded {
	NOT_GUARDED,
	GUARDED_SOON,
	GUARDED_AT_TICK,
	GUARDED
};

/**
 * struct kerror_cpu - what each CPU has of its own
 * @source: its rings; NULL: no memory
 * @wake_work: wakes the worker at once
 * @tick_work: the same at the next tick
 * @guard: delivers if the worker does not
 * @guarded: whether @tick_work or @guard looks
 * @woken: the state of the worker from which this CPU has woken it, or is to
 * @passes: kerror_passes when @guard last looked
 * @next: of another CPU, for kerror_dump.c
 */
struct kerror_cpu {
	struct kerror_source *source[KERROR_GROUPS];
	struct irq_work wake_work;
	struct irq_work tick_work;
	struct hrtimer guard;
	enum kerror_guarded guarded;
	unsigned int woken;
	unsigned int passes;
	struct kerror_cpu *next;
};

DECLARE_PER_CPU(struct kerror_cpu, kerror_cpu);

/**
 * struct kerror_history - messages of one group, as they were broadcast
 * @head: where the next message goes
 * @tail: where the oldest one is
 * @size: bytes of @buffer, a power of 2, or 0: no memory
 * @buffer: the messages
 * @sequence_next: number of the next event
 * @sequence_oldest: number of the oldest event; @sequence_next if there is none
 * @numbered: events since boot
 * @lost: events lost since boot, as far as they were announced
 * @batch: the newest messages, which wait to be sent as one
 * @batch_size: their bytes
 *
 * Under kerror_history_lock; only the holder of kerror_drain_lock writes.
 */
struct kerror_history {
	unsigned long head;
	unsigned long tail;
	unsigned long size;
	u8 *buffer;
	u32 sequence_next;
	u32 sequence_oldest;
	u64 numbered;
	u64 lost[KERROR_CAUSES_COUNTED];
	const void *batch;
	u32 batch_size;
};

/* kerror.c: the callers' side */
u64 kerror_lost_unannounced(unsigned int group, unsigned int cause);
bool kerror_take_lost_pending(void);

void kerror_exit(void);

/* kerror_cpu.c: the rings of each CPU */
extern struct kerror_source kerror_early[KERROR_GROUPS];
extern bool kerror_cpus_ready;
extern unsigned int kerror_staging_size;
void kerror_visit_sources(void (*look)(struct kerror_source *source));
struct kerror_source *kerror_source_new(unsigned int cpu, unsigned int group,
					unsigned long size);
void kerror_source_free(struct kerror_source *source);
void kerror_cpus_init(unsigned int size);
void kerror_cpus_watch(void);
void kerror_early_exit(void);
bool kerror_cpus_pinned(void);
void kerror_cpus_unwatch(void);
void kerror_cpus_exit(void);

/* kerror_worker.c: when events are delivered */
/* Bits of kerror_worker_state; the others count how often it changed. */
enum { WORKER_ASLEEP, WORKER_COALESCING, WORKER_AWAKE, WORKER_STATE = 3 };

extern struct task_struct *kerror_worker;
extern unsigned int kerror_worker_state;
void kerror_wake_slow(unsigned int cpu, const struct kerror_ring *ring,
		      unsigned int state, bool later);
void kerror_guard(struct kerror_cpu *this);
void kerror_cpu_init(struct kerror_cpu *this);
int kerror_worker_start(void);
void kerror_worker_stop(void);

/* kerror_drain.c: in which order */
extern spinlock_t kerror_drain_lock;
extern unsigned long kerror_ready[BITS_TO_LONGS(NR_CPUS)];
bool kerror_marked(unsigned int cpu);
bool kerror_any_marked(void);
bool kerror_drain_chunk(bool *held);
bool kerror_try_drain(void);
void kerror_replace_ring(void);
void kerror_forget(unsigned int cpu, struct kerror_source *sources);

/* Has the rings of this CPU looked at. Context: any. */
static inline void kerror_mark(unsigned int cpu)
{
	if (unlikely(!test_bit(cpu, kerror_ready))) {
		set_bit(cpu, kerror_ready);
		smp_mb__after_atomic(); /* (C) */
	}
}

/**
 * kerror_wake - see to it that an event or a loss is passed on
 * @cpu: this CPU
 * @ring: where the event is, or NULL for a loss
 * @later: the next tick is soon enough
 *
 * Each event comes here. Most find the worker awake, or on its way.
 *
 * Context: any, with preemption disabled.
 */
static inline void kerror_wake(unsigned int cpu, const struct kerror_ring *ring,
			       bool later)
{
	const struct kerror_cpu *this = &per_cpu(kerror_cpu, cpu);
	unsigned int state;
	bool asleep;

	smp_mb(); /* (C) */
	kerror_mark(cpu);
	state = READ_ONCE(kerror_worker_state);
	asleep = (state & WORKER_STATE) != WORKER_AWAKE &&
		 READ_ONCE(this->woken) != state;
	/* The look at the next tick is soon enough, and was asked for. */
	if (later && asleep)
		asleep = kerror_ring_half_full(ring);
	if (unlikely(asleep || !READ_ONCE(this->guarded)))
		kerror_wake_slow(cpu, ring, state, later);
}

/* kerror_history.c: what a late reader can ask for */
extern spinlock_t kerror_history_lock;
extern struct kerror_history kerror_history[KERROR_GROUPS];
void kerror_history_init(unsigned int kb);
void kerror_history_exit(void);
struct nlmsghdr *kerror_history_message(const struct kerror_history *history,
					unsigned long position);
unsigned long kerror_history_next(const struct kerror_history *history,
				  unsigned long position);
void *kerror_history_place(const struct kerror_history *history, u32 len);
struct nlmsghdr *kerror_history_add(struct kerror_history *history,
				    const struct nlmsghdr *header,
				    const void *data);

/* kerror_region_map.c: where it is that outlives the kernel */
/**
 * struct kerror_old_boot - an earlier boot that the region has
 * @slot: what is there of it, or NULL: it was dropped
 * @id: its name
 */
struct kerror_old_boot {
	struct kerror_slot *slot;
	u8 id[16];
};

#define KERROR_OLD_BOOTS	8

extern struct kerror_old_boot kerror_old_boots[KERROR_OLD_BOOTS];

#ifdef CONFIG_KERROR_PERSIST
atomic_long_t *kerror_region_init(const char *where, u32 *ring_size);
void kerror_region_exit(void);

/* kerror_persist.c: what outlives it */
extern struct kerror_slot *kerror_this_boot;
extern struct kerror_log kerror_logs[KERROR_SLOT_GROUPS];
atomic_long_t *kerror_persist_begin(struct kerror_slot *slot, bool for_all);
bool kerror_persist_end(void);
bool kerror_persist_ring(struct kerror_source *source);
void kerror_persist_from(const struct kerror_source *source,
			 const struct kerror_record *record);
void kerror_persist_add(unsigned int group, const struct nlmsghdr *header,
			const void *data);
void kerror_persist_alive(void);
void kerror_persist_name(const u8 *id);

/* kerror_boots.c: what is told of earlier boots */
void kerror_boot_describe(const struct kerror_slot *slot,
			  struct kerror_boot *boot);
int kerror_boots_request(struct sk_buff *skb, const struct nlmsghdr *nlh);

#else

static inline atomic_long_t *kerror_region_init(const char *where, u32 *ring_size)
{
	return NULL;
}

static inline void kerror_region_exit(void) { }
static inline bool kerror_persist_ring(struct kerror_source *source)
{
	return false;
}

static inline void kerror_persist_from(const struct kerror_source *source,
				       const struct kerror_record *record) { }

static inline void kerror_persist_add(unsigned int group,
				      const struct nlmsghdr *header,
				      const void *data) { }

static inline void kerror_persist_alive(void) { }

static inline int kerror_boots_request(struct sk_buff *skb,
				       const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == KERROR_MSG_REPLAY ? -EINVAL : -EOPNOTSUPP;
}
#endif

/* kerror_dump.c: what a debugger finds */
#define KERROR_DUMP_MAGIC	"kerror dump 3\r\n"

/**
 * struct kerror_dump - where the events are in a dump of the memory
 * @magic: %KERROR_DUMP_MAGIC; a change of anything below changes it
 * @self: its address. A copy that is not there is none.
 * @instance: as the parameter of the module, or 0
 * @severities: events that have left the rings, by severity
 * @offset_real: what makes CLOCK_REALTIME of CLOCK_MONOTONIC, at the last event
 * @offset_boot: what makes CLOCK_BOOTTIME of it
 * @lost: losses since boot, a long per group and cause
 * @cpus: that of the CPU which came up last; the others follow
 * @early: the rings of early boot, one per group
 * @history: one per group
 * @delivers: whose first record is delivered, or was last; NULL: none yet
 * @position: of that record
 * @head: of its history, before it was there
 * @word: bytes of a long and of a pointer
 * @groups: how many groups there are
 * @causes: how many causes of a loss are counted
 * @sizes: bytes of struct kerror_source, kerror_history and kerror_record
 * @cpu: offsets in struct kerror_cpu: source, next
 * @source: in struct kerror_source: older, and of its ring head, size, buffer, tail, next
 * @messages: in struct kerror_history: head, tail, size, buffer, sequence_next, and lost,
 *	the losses that were announced, 64 bits per cause
 *
 * A record begins with four times 32 bits: state, size, groups, pid; then its time.
 */
struct kerror_dump {
	char magic[16];
	u64 self;
	u64 instance;
	u64 severities[8];
	u64 offset_real;
	u64 offset_boot;
	const void *lost;
	struct kerror_cpu *cpus;
	const void *early;
	const void *history;
	const void *delivers;
	unsigned long position;
	unsigned long head;
	u16 word;
	u16 groups;
	u16 causes;
	u16 sizes[3];
	u16 cpu[2];
	u16 source[6];
	u16 messages[6];
};

extern struct kerror_dump kerror_dump;
int kerror_dump_init(const void *lost);
void kerror_dump_from(const struct kerror_source *source);
void kerror_dump_count(unsigned int group, const struct kerror_record *record);

/* kerror_netlink.c: what is sent */
extern struct sock *kerror_sock;
void kerror_netlink_init(void);
void kerror_netlink_exit(void);
bool kerror_publish(unsigned int group, u16 type, u32 pid, const void *data,
		    u32 size);
void kerror_flush(void);
bool kerror_any_listener(unsigned int groups);

/* kerror_print.c: what goes to the kernel log */
extern const struct kernel_param_ops kerror_printk_ops;
void kerror_print_init(void);
void kerror_print_exit(void);
void kerror_print(const struct kerror_record *record, bool heard);
extern bool kerror_panicked;

/*
 * Whether a record in the ring of @group is one to print: the log has it not, and
 * no ring of an earlier group has a copy.
 */
static inline bool kerror_record_printable(const struct kerror_record *record,
					   unsigned int group)
{
	return record->groups != KERROR_FROM_PRINTK &&
	       !(record->groups & KERROR_BITS & (KERROR_BIT(group) - 1));
}

#endif
