// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that outlives the kernel: what this boot raises is written there.
 *
 * kerror_region_map.c finds the memory. kerror_cpu.c asks for a part of it for each ring. The
 * deliverer (kerror_drain.c, kerror_netlink.c) hands in each message before it is in
 * the history. kerror_region.h has the layout.
 *
 * The rings themselves are in that memory. So an event outlives its kernel from the
 * moment on when kerror_commit() has returned, whatever then happens: nothing has to
 * run when the machine dies, and the caller pays nothing for it. An event is in a log
 * before it leaves its ring.
 *
 * Promise: no lock and no allocation at the end of a boot.
 *
 * Not promised: what the processor's cache holds when a real machine is reset by
 * hardware. A panic and a shutdown write it back, where the architecture tells how.
 */
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/libnvdimm.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <net/netlink.h>
#include "kerror_internal.h"

/* NULL: nothing is kept. Under kerror_drain_lock, except for its end. */
struct kerror_slot *kerror_this_boot;
struct kerror_log kerror_logs[KERROR_SLOT_GROUPS];

/* Whence the event that is being delivered came. */
static u16 kerror_from_ring;
static u32 kerror_from_position;

static u64 kerror_clock[KERROR_SLOT_CAUSES];

/* Rings that are in use; the first of them are for all groups. */
static atomic_t kerror_rings_used;
static bool kerror_rings_for_all;

/* ------------------------------------------------------------------ */
/* The boot that runs. */

/*
 * Puts a new ring into the region, if there is room. If there is not enough for all,
 * messages of printk() go without: they are more, and in the kernel log, too.
 *
 * Context: process.
 */
bool kerror_persist_ring(struct kerror_source *source)
{
	struct kerror_slot *slot = kerror_this_boot;
	struct kerror_saved_ring *ring;
	unsigned int number;

	if (!slot || source->ring.size != slot->ring_size ||
	    (source->group == KERROR_PRINTK && !kerror_rings_for_all))
		return false;
	number = atomic_inc_return(&kerror_rings_used) - 1;
	if (number >= slot->rings) {
		atomic_dec(&kerror_rings_used);
		return false;
	}
	ring = kerror_slot_use_ring(slot, number, source->cpu, source->group);
	source->ring.buffer = ring->buffer;
	source->ring.saved = &ring->next;
	return true;
}

static void set_clock(u64 now)
{
	ktime_t none = ns_to_ktime(0);

	kerror_clock[0] = ktime_to_ns(ktime_mono_to_any(none, TK_OFFS_REAL));
	kerror_clock[1] = ktime_to_ns(ktime_mono_to_any(none, TK_OFFS_BOOT));
	kerror_clock[2] = max(kerror_clock[2], now);
	kerror_slot_set(kerror_this_boot, KERROR_CELL_CLOCK, kerror_clock);
}

/*
 * Notes where the event is that is delivered next, and what its time means. The clocks
 * must be there before the time is needed: now, and for all that is raised later.
 *
 * Context: under kerror_drain_lock.
 */
void kerror_persist_from(const struct kerror_source *source,
			 const struct kerror_record *record)
{
	const struct kerror_ring *ring = &source->ring;
	const struct kerror_saved_ring *saved;
	ktime_t none = ns_to_ktime(0);

	if (!kerror_this_boot)
		return;
	kerror_from_ring = 0;
	if (ring->saved) {
		saved = container_of(ring->saved, struct kerror_saved_ring, next);
		kerror_from_ring = saved->number + 1;
		kerror_from_position = kerror_ring_position(ring, record);
	}
	if ((s64)(record->time - kerror_clock[2]) > NSEC_PER_SEC ||
	    ktime_to_ns(ktime_mono_to_any(none, TK_OFFS_REAL)) != kerror_clock[0])
		set_clock(record->time);
}

/*
 * Keeps a message. Its losses are in the log, and their totals outlive its place there.
 *
 * Context: under kerror_drain_lock.
 */
void kerror_persist_add(unsigned int group, const struct nlmsghdr *header,
			const void *data)
{
	const struct kerror_history *history = &kerror_history[group];
	struct kerror_logged logged = {
		.size = nlmsg_len(header),
		.sequence = header->nlmsg_seq,
		.pid = header->nlmsg_pid,
		.type = header->nlmsg_type,
	};

	if (!kerror_this_boot)
		return;
	if (header->nlmsg_type == KERROR_MSG_EVENT) {
		logged.ring = kerror_from_ring;
		logged.position = kerror_from_position;
	}
	kerror_slot_log(kerror_this_boot, group, &kerror_logs[group], &logged,
			data);
	if (header->nlmsg_type == KERROR_MSG_LOSS)
		kerror_slot_set(kerror_this_boot, KERROR_CELL_LOST + group,
				history->lost);
}

/* Once per second: tells the next kernel how long this one lived. Context: softirq. */
void kerror_persist_alive(void)
{
	if (!kerror_this_boot || !spin_trylock(&kerror_drain_lock))
		return;
	set_clock(ktime_get_mono_fast_ns());
	spin_unlock(&kerror_drain_lock);
}

/* Gives this boot the name by which user space calls it. Context: process. */
void kerror_persist_name(const u8 *id)
{
	u64 value[KERROR_SLOT_CAUSES] = { 0 };

	memcpy(value, id, 16);
	spin_lock_bh(&kerror_drain_lock);
	kerror_slot_set(kerror_this_boot, KERROR_CELL_NAME, value);
	spin_unlock_bh(&kerror_drain_lock);
}

/* ------------------------------------------------------------------ */
/* Its end. */

static void end_boot(unsigned int end, const char *message)
{
	kerror_slot_end(kerror_this_boot, end, ktime_get_mono_fast_ns(), message);
	arch_wb_cache_pmem(kerror_this_boot, kerror_this_boot->size);
}

/* The other CPUs have been stopped. */
static int kerror_persist_panic(struct notifier_block *notifier,
				unsigned long event, void *message)
{
	end_boot(KERROR_END_OF_PANIC, message ?: "");
	return NOTIFY_DONE;
}

static int kerror_persist_reboot(struct notifier_block *notifier,
				 unsigned long event, void *command)
{
	end_boot(KERROR_END_OF_SHUTDOWN, "");
	return NOTIFY_DONE;
}

/* First: what others do in a panic may hang. */
static struct notifier_block kerror_persist_panic_notifier = {
	.notifier_call = kerror_persist_panic,
	.priority = INT_MAX,
};

/* Last: until then it may go wrong. */
static struct notifier_block kerror_persist_reboot_notifier = {
	.notifier_call = kerror_persist_reboot,
	.priority = INT_MIN,
};

/**
 * kerror_persist_begin - keep what is raised and delivered from now on
 * @slot: for this boot, which has begun
 * @for_all: there is room for the rings of all groups
 *
 * Return: where losses are counted from now on.
 */
atomic_long_t *__init kerror_persist_begin(struct kerror_slot *slot, bool for_all)
{
	kerror_rings_for_all = for_all;
	kerror_this_boot = slot;
	set_clock(ktime_get_mono_fast_ns());
	atomic_notifier_chain_register(&panic_notifier_list,
				       &kerror_persist_panic_notifier);
	register_reboot_notifier(&kerror_persist_reboot_notifier);
	return (atomic_long_t *)slot->lost;
}

#ifdef MODULE
/* Nothing raises, delivers or asks any more. Returns whether a ring was retired. */
bool kerror_persist_end(void)
{
	bool retired = false;
	unsigned int i;

	if (!kerror_this_boot)
		return false;
	unregister_reboot_notifier(&kerror_persist_reboot_notifier);
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &kerror_persist_panic_notifier);
	end_boot(KERROR_END_OF_SHUTDOWN, "");
	for (i = 0; i < kerror_this_boot->rings; i++)
		retired |= kerror_slot_ring(kerror_this_boot, i)->retired;
	return retired;
}
#endif
