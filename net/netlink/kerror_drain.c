// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the events out of the rings of all CPUs, in the order of their times.
 * The worker calls kerror_drain_chunk(), a guard kerror_try_drain(). One at a time
 * delivers: it holds kerror_drain_lock with softirqs disabled, for a few events.
 * Each event goes to kerror_publish() and kerror_print().
 *
 * Promise: an event that stays incomplete holds up later ones for one tick, no
 * longer. Memory to which a dead writer might come back is never used again.
 *
 * kerror_ready has a bit for each CPU whose rings are worth a look: silent CPUs
 * cost nothing. The sources that have something are in a tree, by time: an event
 * costs the logarithm of the number of CPUs that raise some.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include "kerror_internal.h"

/* Records that are delivered before softirqs and other tasks get a chance */
#define CHUNK			16

/* CPUs whose rings are worth a look */
unsigned long kerror_ready[BITS_TO_LONGS(NR_CPUS)];

/*
 * Whoever delivers holds this, with softirqs disabled. Guards only try to get
 * it. All below is under it.
 */
DEFINE_SPINLOCK(kerror_drain_lock);

/* Sources with something to deliver, by time */
static struct rb_root kerror_sources = RB_ROOT;

/* When the last look at the rings began, and what is to be delivered by now */
static u64 kerror_now, kerror_cutoff;

/* An event that is not complete holds up others. */
static bool kerror_held;

/* Its ring has a record whose writer is dead. */
static struct kerror_source *kerror_abandoned;

/* Whether the rings of this CPU may have what is not delivered. Context: any. */
bool kerror_marked(unsigned int cpu)
{
	return test_bit(cpu, kerror_ready);
}

/* The same of any CPU */
bool kerror_any_marked(void)
{
	return find_first_bit(kerror_ready, nr_cpu_ids) < nr_cpu_ids;
}

/* Where the CPU has its ring for the group of @source. */
static struct kerror_source **source_link(const struct kerror_source *source)
{
	return &per_cpu(kerror_cpu, source->cpu).source[source->group];
}

/* Returns the record that is to be delivered next, or NULL. */
static struct kerror_record *source_first(struct kerror_source *source)
{
	struct kerror_record *record = kerror_ring_peek(&source->ring), *behind;

	if (!record || kerror_record_committed(record)) {
		source->held_since = 0;
		return record;
	}
	if (!source->held_since)
		source->held_since = kerror_now | 1;
	if (kerror_now - source->held_since < TICK_NSEC ||
	    kerror_now < source->held_since) {
		kerror_held = true;
		kerror_cutoff = min(kerror_cutoff, record->time);
		return NULL;
	}
	/*
	 * Its writer runs with preemption disabled. If another thread raised an
	 * event on that CPU since, the writer died in an oops, say of a bad %s.
	 */
	behind = kerror_ring_behind(&source->ring);
	if (behind && behind->pid != record->pid &&
	    (source->ring.retired || source == *source_link(source)))
		kerror_abandoned = source;
	return behind;
}

static void source_queue(struct kerror_source *source)
{
	struct rb_node **link = &kerror_sources.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = source->time < rb_entry(parent, struct kerror_source,
					       node)->time ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&source->node, parent, link);
	rb_insert_color(&source->node, &kerror_sources);
	source->queued = true;
}

/* Queues the sources of a CPU. Returns whether another look is worth it. */
static bool kerror_collect_cpu(unsigned int cpu)
{
	struct kerror_cpu *this = &per_cpu(kerror_cpu, cpu);
	struct kerror_source *source;
	unsigned int group;
	bool any = false;

	for (group = 0; group < KERROR_GROUPS; group++) {
		source = smp_load_acquire(&this->source[group]); /* (D) */
		for (; source; source = source->older) {
			if (!source->queued) {
				source->first = source_first(source);
				if (source->first) {
					source->time = source->first->time;
					source_queue(source);
				}
			}
			any |= source->queued || source->held_since;
		}
	}
	return any;
}

/* Announces losses, and looks for sources that have something. */
static void kerror_collect(void)
{
	unsigned int group, cause, cpu;

	kerror_now = ktime_get_mono_fast_ns();
	kerror_cutoff = kerror_now;
	kerror_held = false;
	for_each_set_bit(cpu, kerror_ready, nr_cpu_ids) {
		if (kerror_collect_cpu(cpu))
			continue;
		clear_bit(cpu, kerror_ready);
		smp_mb__after_atomic(); /* (C) */
		if (kerror_collect_cpu(cpu))
			set_bit(cpu, kerror_ready);
	}
	if (!kerror_take_lost_pending())
		return;
	for (group = 0; group < KERROR_GROUPS; group++) {
		for (cause = 0; cause < KERROR_CAUSES_COUNTED; cause++) {
			struct kerror_loss loss = {
				.group = KERROR_BIT(group),
				.cause = cause,
			};
			u64 *total = &kerror_history[group].lost[cause];

			spin_lock(&kerror_history_lock);
			loss.count = kerror_lost_unannounced(group, cause);
			*total += loss.count;
			loss.total = *total;
			spin_unlock(&kerror_history_lock);
			if (loss.count)
				kerror_publish(group, KERROR_MSG_LOSS, 0, &loss,
					       sizeof(loss));
		}
	}
}

/*
 * Returns the source whose event is next, or NULL. Events of one CPU and group
 * are in order, except one whose writer was held up for longer than a tick.
 * Between CPUs the order is as fine as the clock.
 */
static struct kerror_source *kerror_next_source(void)
{
	struct rb_node *node = rb_first(&kerror_sources);
	struct kerror_source *source = NULL;
	unsigned int looks;

	for (looks = 0;; looks++) {
		if (node) {
			source = rb_entry(node, struct kerror_source, node);
			if (source->time <= kerror_cutoff)
				return source;
		}
		/* Twice later than a look: its CPU's clock is ahead. */
		if (looks == 2 || (looks && !node))
			return node && !kerror_held ? source : NULL;
		kerror_collect();
		node = rb_first(&kerror_sources);
	}
}

/* An event for several groups is printed for the first of them, if at all. */
static void kerror_deliver(unsigned int group, struct kerror_record *record)
{
	unsigned int others = record->groups & KERROR_BITS & ~KERROR_BIT(group);
	bool heard;

	if (record->groups & KERROR_STAMPED) {
		ktime_t time = ns_to_ktime(record->time);
		u64 stamps[] = {
			ktime_to_ns(ktime_mono_to_any(time, TK_OFFS_REAL)),
			ktime_to_ns(ktime_mono_to_any(time, TK_OFFS_BOOT)),
		};

		memcpy(record->data, stamps, sizeof(stamps));
	}
	kerror_dump_count(group, record);
	heard = kerror_publish(group, KERROR_MSG_EVENT, record->pid,
			       record->data, record->size);
	if (kerror_record_printable(record, group))
		kerror_print(record, heard || kerror_any_listener(others));
}

/* Delivers the first event of a queued source, and queues it for the next. */
static void source_deliver(struct kerror_source *source)
{
	struct rb_node *next;

	kerror_dump_from(source);
	kerror_persist_from(source, source->first);
	kerror_deliver(source->group, source->first);
	kerror_ring_consume(&source->ring, source->first);
	source->first = source_first(source);
	if (source->first) {
		source->time = source->first->time;
		next = rb_next(&source->node);
		if (!next || source->time <=
			     rb_entry(next, struct kerror_source, node)->time)
			return;
	}
	rb_erase(&source->node, &kerror_sources);
	source->queued = false;
	if (source->first)
		source_queue(source);
}

/* The thread and context that deliver: their output must not become events. */
static struct task_struct *kerror_drainer;
static bool kerror_drains_in_softirq;

/**
 * kerror_is_printing - whether what is printed now comes from a delivery
 *
 * The hook in printk() asks, to avoid a loop: such output must not become
 * events. Also true after a panic, when nothing will be delivered.
 *
 * Context: any.
 * Return: true if the caller is delivering events, not what interrupts it.
 */
bool kerror_is_printing(void)
{
	if (READ_ONCE(kerror_panicked))
		return true;
	return current == READ_ONCE(kerror_drainer) && !in_nmi() &&
	       !in_hardirq() && READ_ONCE(kerror_drains_in_softirq) ==
				!!in_serving_softirq();
}
EXPORT_SYMBOL_GPL(kerror_is_printing);

/* Delivers a chunk. Returns whether there is more. Under the lock. */
static bool kerror_drain(void)
{
	struct kerror_source *source = NULL;
	unsigned int i;

	WRITE_ONCE(kerror_drains_in_softirq, !!in_serving_softirq());
	WRITE_ONCE(kerror_drainer, current);
	for (i = 0; i < CHUNK; i++) {
		source = kerror_next_source();
		if (!source)
			break;
		source_deliver(source);
	}
	if (!source)
		kerror_flush();
	WRITE_ONCE(kerror_drainer, NULL);
	return source;
}

/**
 * kerror_drain_chunk - deliver a few events
 * @held: whether an incomplete event holds up others
 *
 * Context: process.
 * Return: whether there may be more.
 */
bool kerror_drain_chunk(bool *held)
{
	bool more;

	spin_lock_bh(&kerror_drain_lock);
	more = kerror_drain();
	*held = kerror_held;
	spin_unlock_bh(&kerror_drain_lock);
	return more;
}

/**
 * kerror_try_drain - deliver events for half a tick, unless somebody else does
 *
 * Context: softirq.
 * Return: whether there may be more.
 */
bool kerror_try_drain(void)
{
	u64 begin = ktime_get_mono_fast_ns();
	bool more;

	if (!spin_trylock(&kerror_drain_lock))
		return true;
	do {
		more = kerror_drain();
	} while (more && ktime_get_mono_fast_ns() - begin < TICK_NSEC / 2);
	more |= kerror_held;
	spin_unlock(&kerror_drain_lock);
	return more;
}

/**
 * kerror_replace_ring - put a new ring in the place of one with a dead writer
 *
 * The memory of the old ring is kept for ever: if the writer comes back after
 * all, it does no harm there. The events behind its record are still delivered.
 *
 * Context: process.
 */
void kerror_replace_ring(void)
{
	struct kerror_source *old = kerror_abandoned, *new = NULL;
	struct kerror_record *record;
	unsigned long bytes;
	u32 losses;

	if (likely(!old))
		return;
	if (!old->ring.retired) {
		new = kerror_source_new(old->cpu, old->group, old->ring.size);
		if (!new)
			return;		/* The next pass tries again. */
		new->older = old;
	}
	spin_lock_bh(&kerror_drain_lock);
	record = kerror_ring_peek(&old->ring);
	if (record && !kerror_record_committed(record)) {
		bytes = kerror_record_bytes(record);
		losses = kerror_history[old->group].lost[KERROR_LOST_ABANDONED] +
			 kerror_lost_unannounced(old->group, KERROR_LOST_ABANDONED);
		kerror_ring_retire(&old->ring, losses + 1);
		kerror_count_lost(record->groups, KERROR_LOST_ABANDONED);
		old->held_since = 0;
		kerror_ring_advance(&old->ring, bytes);
		if (new) {
			/* (D) Whoever sees the new ring sees it set up. */
			smp_store_release(source_link(old), new);
			new = NULL;
		}
	}
	kerror_abandoned = NULL;
	spin_unlock_bh(&kerror_drain_lock);
	kerror_source_free(new);
}

/* Has the early rings of @cpu looked at no more. */
void __init kerror_forget(unsigned int cpu, struct kerror_source *sources)
{
	struct kerror_cpu *this = &per_cpu(kerror_cpu, cpu);
	unsigned int group;

	spin_lock_bh(&kerror_drain_lock);
	for (group = 0; group < KERROR_GROUPS; group++) {
		struct kerror_source **link = &this->source[group];

		while (*link && *link != &sources[group])
			link = &(*link)->older;
		/* NULL: without memory, the CPU had none of its own so far. */
		WRITE_ONCE(*link, NULL);
	}
	spin_unlock_bh(&kerror_drain_lock);
	/* Whoever writes there has preemption disabled. */
	synchronize_rcu();
}
