// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket of NETLINK_KERROR: broadcasts, batches, replays and statistics. No
 * other file sends.
 *
 * kerror_drain.c calls kerror_publish() for each event and loss. User space sends
 * requests. The protocol is <uapi/linux/kerror.h>.
 *
 * Promise: nobody without the capability listens or asks, and nobody injects. A
 * broadcast that fails is no loss: its listeners get ENOBUFS and find the message
 * in the history.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/netlink.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>
#include "kerror_internal.h"

/* Bytes of a batch of more than one message: an skb of 16 KiB in all */
#define KERROR_BATCH_MAX	15360

struct sock *kerror_sock;

static bool kerror_has_listeners(unsigned int number)
{
	return kerror_sock && netlink_has_listeners(kerror_sock, number);
}

/* Whether one of the groups whose bits are in @groups has a listener. */
bool kerror_any_listener(unsigned int groups)
{
	unsigned int i;

	for (i = 0; i < KERROR_GROUPS; i++)
		if (groups & KERROR_BIT(i) &&
		    (kerror_has_listeners(KERROR_NLGRP(i)) ||
		     kerror_has_listeners(KERROR_NLGRP_BATCH(i))))
			return true;
	return false;
}

/* Without an skb, the listeners get ENOBUFS. */
static int kerror_broadcast(struct sk_buff *skb, unsigned int number)
{
	if (skb)
		return nlmsg_multicast(kerror_sock, skb, 0, number,
				       GFP_ATOMIC);
	netlink_set_err(kerror_sock, 0, number, -ENOBUFS);
	return -ENOBUFS;
}

/*
 * Copies the pending batch from the history into one skb and broadcasts it.
 * Listeners that joined after its first event get it, too: their replay may have
 * ended before that event.
 */
static void flush_group(unsigned int group)
{
	struct kerror_history *history = &kerror_history[group];
	u32 size = history->batch_size;
	struct sk_buff *skb;

	history->batch_size = 0;
	if (!size || !kerror_has_listeners(KERROR_NLGRP_BATCH(group)))
		return;
	skb = alloc_skb(size, GFP_ATOMIC | __GFP_NOWARN);
	/* Nobody else writes to the history. */
	if (skb)
		memcpy(skb_put(skb, size), history->batch, size);
	kerror_broadcast(skb, KERROR_NLGRP_BATCH(group));
}

/**
 * kerror_flush - send the batches that are pending
 *
 * Context: under kerror_drain_lock, as all that sends.
 */
void kerror_flush(void)
{
	unsigned int group;

	for (group = 0; group < KERROR_GROUPS; group++)
		flush_group(group);
}

/**
 * kerror_publish - number a message, keep it and broadcast it
 * @group: an index
 * @type: KERROR_MSG_EVENT, which gets a number, or KERROR_MSG_LOSS
 * @pid: for nlmsg_pid
 * @data: what follows the header; behind it are zeros up to its alignment
 * @size: bytes of @data
 *
 * Looks for listeners after the message got its number. A listener that joins
 * later gets it by a replay.
 *
 * Context: under kerror_drain_lock.
 * Return: whether there is a listener whose filter takes it.
 */
bool kerror_publish(unsigned int group, u16 type, u32 pid, const void *data,
		    u32 size)
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
	    kerror_history_place(history, header.nlmsg_len))
		flush_group(group);
	spin_lock_bh(&kerror_history_lock);
	header.nlmsg_seq = history->sequence_next;
	kerror_persist_add(group, &header, data);
	if (history->size) {
		nlh = kerror_history_add(history, &header, data);
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
	spin_unlock_bh(&kerror_history_lock);

	if (kerror_has_listeners(KERROR_NLGRP(group))) {
		skb = nlmsg_new(size, GFP_ATOMIC | __GFP_NOWARN);
		if (skb) {
			nlh = nlmsg_put(skb, pid, header.nlmsg_seq, type, size,
					0);
			memcpy(nlmsg_data(nlh), data, size);
		}
		if (kerror_broadcast(skb, KERROR_NLGRP(group)) != -ESRCH)
			heard = true;
	}
	if (!kerror_has_listeners(KERROR_NLGRP_BATCH(group)))
		return heard;
	if (!history->size)
		kerror_broadcast(NULL, KERROR_NLGRP_BATCH(group));
	return true;
}

/* ------------------------------------------------------------------ */
/* Requests from user space. */

/* Where a replay stands; in netlink_callback.args. */
enum { REPLAY_STARTED, REPLAY_SEQUENCE, REPLAY_POSITION };

/* Messages that a replay looks at before it lets the worker in */
#define REPLAY_CHUNK	64

/*
 * Adds some messages to a datagram of a replay. Since the last time the history
 * may have moved on. As long as the event to go on from is there, so is what
 * follows the position. Else the replay goes on from the oldest event, and says how
 * many are missing. Returns whether there is room and there are messages left.
 */
static bool replay_chunk(struct sk_buff *skb, struct netlink_callback *cb,
			 struct kerror_history *history)
{
	const struct kerror_request *request = nlmsg_data(cb->nlh);
	u32 sequence = cb->args[REPLAY_SEQUENCE];
	unsigned long position = cb->args[REPLAY_POSITION];
	struct kerror_loss loss = {
		.group = request->group,
		.cause = KERROR_LOST_HISTORY,
	};
	struct nlmsghdr *nlh, *from;
	unsigned int i;

	if (!cb->args[REPLAY_STARTED]) {
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
		nlh = nlmsg_put(skb, NETLINK_CB(cb->skb).portid, sequence,
				KERROR_MSG_LOSS, sizeof(loss), NLM_F_MULTI);
		if (!nlh)
			return false;
		memcpy(nlmsg_data(nlh), &loss, sizeof(loss));
	}
	cb->args[REPLAY_STARTED] = 1;
	for (i = 0; i < REPLAY_CHUNK && position != history->head; i++) {
		from = kerror_history_message(history, position);
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
		position = kerror_history_next(history, position);
	}
	cb->args[REPLAY_SEQUENCE] = sequence;
	cb->args[REPLAY_POSITION] = position;
	return i == REPLAY_CHUNK;
}

/* Fills one datagram of a replay. */
static int kerror_replay(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct kerror_request *request = nlmsg_data(cb->nlh);
	struct kerror_history *history =
		&kerror_history[kerror_group_index(request->group)];
	bool more;

	do {
		spin_lock_bh(&kerror_history_lock);
		more = replay_chunk(skb, cb, history);
		spin_unlock_bh(&kerror_history_lock);
	} while (more);
	return skb->len;
}

static int kerror_statistics(struct sk_buff *skb, const struct nlmsghdr *nlh)
{
	const struct kerror_request *request = nlmsg_data(nlh);
	unsigned int group = kerror_group_index(request->group);
	struct kerror_history *history = &kerror_history[group];
	struct kerror_statistics statistics = {
		.group = request->group,
		.history_size = history->size,
		.staging_size = kerror_staging_size,
		.causes = KERROR_CAUSES,
	};
	u32 portid = NETLINK_CB(skb).portid;
	struct sk_buff *reply;
	unsigned int cause;

	reply = nlmsg_new(sizeof(statistics), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	spin_lock_bh(&kerror_history_lock);
	statistics.numbered = history->numbered;
	statistics.sequence_next = history->sequence_next;
	statistics.sequence_oldest = history->sequence_oldest;
	for (cause = 0; cause < KERROR_CAUSES_COUNTED; cause++)
		statistics.lost[cause] = history->lost[cause] +
			kerror_lost_unannounced(group, cause);
	spin_unlock_bh(&kerror_history_lock);
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
		return kerror_boots_request(skb, nlh);
	if (nlmsg_len(nlh) < (int)sizeof(*request) || request->reserved ||
	    hweight32(request->group) != 1 ||
	    !(request->group & KERROR_BITS))
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
	    request->flags & ~(KERROR_REPLAY_BOOT | KERROR_REPLAY_EARLIER))
		return -EINVAL;
	if (request->flags & KERROR_REPLAY_EARLIER)
		return kerror_boots_request(skb, nlh);
	history = &kerror_history[kerror_group_index(request->group)];
	spin_lock_bh(&kerror_history_lock);
	in_future = (s32)(request->sequence - history->sequence_next) > 0;
	spin_unlock_bh(&kerror_history_lock);
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

/*
 * A listener in another network namespace would hear nothing, but would count as
 * one, so that nobody saw an event that it does not get.
 */
static int kerror_bind(struct net *net, int group)
{
	if (!net_eq(net, &init_net))
		return -ENONET;
	if (capable(CAP_SYSLOG))
		return 0;
	if (group == KERROR_NLGRP(KERROR_PRINTK) ||
	    group == KERROR_NLGRP_BATCH(KERROR_PRINTK))
		return -EPERM;
	return capable(CAP_NET_ADMIN) ? 0 : -EPERM;
}

/* Without a socket, events go to the kernel log and stay in the history. */
void __init kerror_netlink_init(void)
{
	struct netlink_kernel_cfg cfg = {
		.groups = KERROR_NLGRPS,
		.flags = NL_CFG_F_NONROOT_RECV,	/* kerror_bind() decides */
		.input = kerror_receive,
		.bind = kerror_bind,
	};

	kerror_sock = netlink_kernel_create(&init_net, NETLINK_KERROR, &cfg);
	if (!kerror_sock)
		pr_err("cannot create the socket; events go to the kernel log\n");
}

#ifdef MODULE
void kerror_netlink_exit(void)
{
	netlink_kernel_release(kerror_sock);
}
#endif
