// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands out what earlier boots left in memory that outlives the kernel.
 *
 * kerror_netlink.c calls kerror_boots_request() for requests about boots. Their
 * protocol is in <uapi/linux/kerror.h>, the layout of the memory in kerror_region.h.
 *
 * Promise: a replay of a boot is the same each time, until the boot is dropped. So a
 * program that is killed at any point asks again. Callers and the deliverer never wait
 * for a replay.
 */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <net/netlink.h>
#include <net/sock.h>
#include "kerror_internal.h"

/* Protects kerror_old_boots. Requests and replays hold it. */
static DEFINE_MUTEX(boots_lock);

/* Copies a text that another kernel has written, or somebody else. */
static void copy_text(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size - 1 && from[i]; i++)
		to[i] = from[i] < ' ' || from[i] > '~' ? '?' : from[i];
	to[i] = '\0';
}

/**
 * kerror_boot_describe - tell of a boot what user space wants to know
 * @slot: what is left of it, or the slot of this boot
 * @boot: filled in
 */
void kerror_boot_describe(const struct kerror_slot *slot,
			  struct kerror_boot *boot)
{
	u64 name[KERROR_SLOT_CAUSES], clock[KERROR_SLOT_CAUSES], time = 0;
	bool clocks = kerror_slot_get(slot, KERROR_CELL_CLOCK, clock);
	char message[sizeof(boot->message)] = "";

	memset(boot, 0, sizeof(*boot));
	memcpy(boot->boot, slot->boot, sizeof(boot->boot));
	if (kerror_slot_get(slot, KERROR_CELL_NAME, name))
		memcpy(boot->boot, name, sizeof(boot->boot));
	boot->instance = slot->instance;
	boot->number = slot->number;
	boot->overwritten = slot->overwritten;
	copy_text(boot->release, slot->release, sizeof(boot->release));
	if (slot == kerror_this_boot)
		boot->end = KERROR_END_NONE;
	else if (kerror_slot_ended(slot, KERROR_END_OF_PANIC, &time,
				   message, sizeof(message)))
		boot->end = KERROR_END_PANIC;
	else if (kerror_slot_ended(slot, KERROR_END_OF_SHUTDOWN, &time,
				   message, sizeof(message)))
		boot->end = KERROR_END_CLEAN;
	else
		boot->end = KERROR_END_CUT;
	copy_text(boot->message, message, sizeof(boot->message));
	boot->time_realtime = slot->time;
	boot->time_boot = time;
	if (clocks) {
		boot->time_realtime = clock[0] - clock[1];
		boot->time_boot = max(time, clock[2]) + clock[1];
	}
}

/* Returns the earlier boot that a request names, or NULL. Under the lock. */
static struct kerror_old_boot *find_boot(const struct kerror_boot_request *request)
{
	struct kerror_old_boot *boot = kerror_old_boots;

	for (; boot < kerror_old_boots + KERROR_OLD_BOOTS; boot++)
		if (boot->slot && boot->slot->instance == request->instance &&
		    !memcmp(boot->id, request->boot, sizeof(boot->id)))
			return boot;
	return NULL;
}

/* ------------------------------------------------------------------ */
/* The list. */

static bool put_boot(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct kerror_slot *slot)
{
	struct kerror_boot boot;
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			KERROR_MSG_BOOT, sizeof(boot), NLM_F_MULTI);
	if (!nlh)
		return false;
	kerror_boot_describe(slot, &boot);
	memcpy(nlmsg_data(nlh), &boot, sizeof(boot));
	return true;
}

static int list_boots(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct kerror_slot *slot;

	mutex_lock(&boots_lock);
	for (; cb->args[0] <= KERROR_OLD_BOOTS; cb->args[0]++) {
		slot = cb->args[0] < KERROR_OLD_BOOTS ?
		       kerror_old_boots[cb->args[0]].slot : kerror_this_boot;
		if (slot && !put_boot(skb, cb, slot))
			break;
	}
	mutex_unlock(&boots_lock);
	return skb->len;
}

/* ------------------------------------------------------------------ */
/* The replay of a boot. */

/**
 * struct boot_replay - where a replay stands
 * @slot: of the boot
 * @group: an index
 * @expected: number of the next event
 * @at: the next of @found
 * @count: elements of @found
 * @cause: the next of which losses that were not announced are told
 * @clock: from CLOCK_MONOTONIC to the two stamps of an event
 * @survey: what else there is
 * @found: the messages, oldest first
 */
struct boot_replay {
	const struct kerror_slot *slot;
	unsigned int group;
	u32 expected;
	unsigned int at, count;
	unsigned int cause;
	u64 clock[KERROR_SLOT_CAUSES];
	struct kerror_survey survey;
	struct kerror_found *found;
};

static bool put_loss(struct sk_buff *skb, struct netlink_callback *cb,
		     struct boot_replay *replay, u32 sequence,
		     unsigned int cause, u64 count, u64 total)
{
	struct kerror_loss loss = {
		.count = count,
		.total = total,
		.group = KERROR_BIT(replay->group),
		.cause = cause,
	};
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(skb, NETLINK_CB(cb->skb).portid, sequence,
			KERROR_MSG_LOSS, sizeof(loss), NLM_F_MULTI);
	if (nlh)
		memcpy(nlmsg_data(nlh), &loss, sizeof(loss));
	return nlh;
}

/* Adds the next message, after a notice if some are missing before it. */
static bool put_found(struct sk_buff *skb, struct netlink_callback *cb,
		      struct boot_replay *replay)
{
	const struct kerror_found *found = &replay->found[replay->at];
	u32 sequence = found->ring ? replay->expected : found->sequence;
	u32 missing = sequence - replay->expected;
	u64 stamps[] = {
		found->order + replay->clock[0], found->order + replay->clock[1],
	};
	struct nlmsghdr *nlh;

	/* More than half of all numbers may be missing before the first. */
	if ((found->type != KERROR_MSG_EVENT && found->type != KERROR_MSG_LOSS) ||
	    (replay->at && (s32)missing < 0))
		return true;
	if (missing && !put_loss(skb, cb, replay, sequence, KERROR_LOST_HISTORY,
				 missing, 0))
		return false;
	replay->expected = sequence;
	nlh = nlmsg_put(skb, found->pid, sequence, found->type, found->size,
			NLM_F_MULTI);
	if (!nlh)
		return false;
	memcpy(nlmsg_data(nlh), (const u8 *)replay->slot + found->offset,
	       found->size);
	if (found->stamp)
		memcpy(nlmsg_data(nlh), stamps, sizeof(stamps));
	replay->expected += found->type == KERROR_MSG_EVENT;
	return true;
}

/* Losses of the next cause of which no notice tells */
static bool put_pending(struct sk_buff *skb, struct netlink_callback *cb,
			struct boot_replay *replay)
{
	u64 count = replay->survey.pending[replay->cause];

	if (replay->cause == KERROR_LOST_ABANDONED)
		count += replay->survey.unfinished;
	return !count ||
	       put_loss(skb, cb, replay, replay->expected, replay->cause, count,
			replay->survey.lost[replay->cause] + count);
}

static int replay_boot(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct kerror_boot_request *request = nlmsg_data(cb->nlh);
	struct boot_replay *replay = (void *)cb->args[0];
	const struct kerror_old_boot *boot;

	mutex_lock(&boots_lock);
	/* It may have been dropped meanwhile. */
	boot = find_boot(request);
	if (!boot || boot->slot != replay->slot) {
		mutex_unlock(&boots_lock);
		return -ENOENT;
	}
	while (replay->at < replay->count && put_found(skb, cb, replay))
		replay->at++;
	while (replay->at == replay->count &&
	       replay->cause < KERROR_SLOT_CAUSES &&
	       put_pending(skb, cb, replay))
		replay->cause++;
	mutex_unlock(&boots_lock);
	return skb->len;
}

static int replay_end(struct netlink_callback *cb)
{
	struct boot_replay *replay = (void *)cb->args[0];

	vfree(replay->found);
	kfree(replay);
	return 0;
}

/* Looks for the messages: twice, as their number is not known. Under the lock. */
static int replay_find(struct boot_replay *replay)
{
	replay->count = kerror_slot_find(replay->slot, replay->group, NULL, 0,
					 &replay->survey);
	if (!replay->count)
		return 0;
	replay->found = vmalloc(replay->count * sizeof(*replay->found));
	if (!replay->found)
		return -ENOMEM;
	/* A device or a dead writer may have written there between the two looks. */
	replay->count = min(replay->count,
			    kerror_slot_find(replay->slot, replay->group, replay->found,
					     replay->count, &replay->survey));
	return 0;
}

static int replay_start(struct netlink_callback *cb)
{
	const struct kerror_boot_request *request = nlmsg_data(cb->nlh);
	struct boot_replay *replay = kzalloc(sizeof(*replay), GFP_KERNEL);
	const struct kerror_old_boot *boot;
	int err = -ENOENT;

	if (!replay)
		return -ENOMEM;
	mutex_lock(&boots_lock);
	boot = find_boot(request);
	if (boot) {
		replay->slot = boot->slot;
		replay->group = kerror_group_index(request->request.group);
		replay->expected = KERROR_SEQUENCE_FIRST;
		kerror_slot_get(boot->slot, KERROR_CELL_CLOCK, replay->clock);
		err = replay_find(replay);
	}
	mutex_unlock(&boots_lock);
	cb->args[0] = (long)replay;
	if (err)
		replay_end(cb);
	return err;
}

/* ------------------------------------------------------------------ */
/* Requests. */

static int drop_boot(const struct kerror_boot_request *request)
{
	struct kerror_old_boot *boot;

	mutex_lock(&boots_lock);
	boot = find_boot(request);
	if (boot) {
		kerror_slot_drop(boot->slot);
		boot->slot = NULL;
	}
	mutex_unlock(&boots_lock);
	return boot ? 0 : -ENOENT;
}

static int start_dump(struct sk_buff *skb, const struct nlmsghdr *nlh)
{
	struct netlink_dump_control list = { .dump = list_boots };
	struct netlink_dump_control replay = {
		.start = replay_start,
		.dump = replay_boot,
		.done = replay_end,
		.min_dump_alloc = NLMSG_SPACE(KERROR_EVENT_MAX) +
				  NLMSG_SPACE(sizeof(struct kerror_loss)),
	};

	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return -EINVAL;
	return netlink_dump_start(kerror_sock, skb, nlh,
				  nlh->nlmsg_type == KERROR_MSG_BOOTS ? &list :
									&replay);
}

/**
 * kerror_boots_request - answer a request about boots
 * @skb: from a sender that may ask, for the group, too, if it is a replay
 * @nlh: the request; a replay is for one defined group
 *
 * Context: process.
 * Return: what to answer, or -EINTR if an answer has begun.
 */
int kerror_boots_request(struct sk_buff *skb, const struct nlmsghdr *nlh)
{
	const struct kerror_boot_request *about = nlmsg_data(nlh);
	const struct kerror_request *request = &about->request;
	bool list = nlh->nlmsg_type == KERROR_MSG_BOOTS;
	bool replay = nlh->nlmsg_type == KERROR_MSG_REPLAY;

	if (!list && !replay && nlh->nlmsg_type != KERROR_MSG_BOOT_NAME &&
	    nlh->nlmsg_type != KERROR_MSG_BOOT_DROP)
		return -EOPNOTSUPP;
	/* Others may read one group; the rest is of the kernel log, too. */
	if (!replay && !netlink_capable(skb, CAP_SYSLOG))
		return -EPERM;
	if (nlmsg_len(nlh) < (int)(list ? sizeof(*request) : sizeof(*about)) ||
	    request->sequence || request->reserved ||
	    request->flags != (replay ? KERROR_REPLAY_EARLIER : 0) ||
	    (!replay && request->group))
		return -EINVAL;
	if (list || replay)
		return start_dump(skb, nlh);
	if (nlh->nlmsg_type == KERROR_MSG_BOOT_NAME) {
		if (!kerror_this_boot)
			return -EOPNOTSUPP;
		if (about->instance)
			return -EINVAL;
		kerror_persist_name(about->boot);
		return 0;
	}
	return drop_boot(about);
}
