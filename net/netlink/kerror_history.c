// SPDX-License-Identifier: GPL-2.0-only
/*
 * History: per group one ring of netlink messages, as they were broadcast.
 *
 * kerror_publish() adds to it, replays copy from it. Only the holder of
 * kerror_drain_lock adds. kerror_history_lock protects all of it; it is taken in
 * process and softirq context.
 *
 * Promise: a message stays until newer ones need its place. Events that were
 * overwritten are counted by sequence_oldest.
 *
 * Positions count bytes and never go back. Messages are as far apart as in a
 * datagram, so that a batch is a piece of the history. A padding message fills
 * the end if the next message does not fit there.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <net/netlink.h>
#include "kerror_internal.h"

DEFINE_SPINLOCK(kerror_history_lock);

struct kerror_history kerror_history[KERROR_GROUPS] = {
	[0 ... KERROR_GROUPS - 1] = {
		.sequence_next = KERROR_SEQUENCE_FIRST,
		.sequence_oldest = KERROR_SEQUENCE_FIRST,
	},
};

struct nlmsghdr *kerror_history_message(const struct kerror_history *history,
					unsigned long position)
{
	return (void *)(history->buffer + (position & (history->size - 1)));
}

unsigned long kerror_history_next(const struct kerror_history *history,
				  unsigned long position)
{
	unsigned long left;

	position += NLMSG_ALIGN(kerror_history_message(history, position)->nlmsg_len);
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
void *kerror_history_place(const struct kerror_history *history, u32 len)
{
	return kerror_history_message(history,
			       history->head + history_padding(history, len));
}

/*
 * Adds a message in one piece, forgetting the oldest ones for it. Its @data is
 * followed by zeros, as all is in the staging.
 */
struct nlmsghdr *kerror_history_add(struct kerror_history *history,
				    const struct nlmsghdr *header,
				    const void *data)
{
	unsigned long padding = history_padding(history, header->nlmsg_len);
	unsigned long head = history->head + padding;
	unsigned long end = head + NLMSG_ALIGN(header->nlmsg_len);
	struct nlmsghdr *nlh;

	while (end - history->tail > history->size) {
		nlh = kerror_history_message(history, history->tail);
		if (nlh->nlmsg_type == KERROR_MSG_EVENT)
			history->sequence_oldest++;
		history->tail = kerror_history_next(history, history->tail);
	}
	if (padding) {
		nlh = kerror_history_message(history, history->head);
		nlh->nlmsg_len = padding;
		nlh->nlmsg_type = NLMSG_NOOP;
	}
	nlh = kerror_history_message(history, head);
	*nlh = *header;
	memcpy(nlmsg_data(nlh), data, NLMSG_ALIGN(nlmsg_len(nlh)));
	smp_wmb();	/* In a dump, head has moved if the message is there. */
	history->head = kerror_history_next(history, head);
	return nlh;
}

/* Allocates the histories; a group whose events nobody can raise needs none. */
void __init kerror_history_init(unsigned int kb)
{
	unsigned int group;

	for (group = 0; group < KERROR_GROUPS; group++) {
		if (group == KERROR_PRINTK && !IS_ENABLED(CONFIG_KERROR_PRINTK))
			continue;
		kerror_history[group].buffer = vmalloc(kb * 1024);
		if (kerror_history[group].buffer)
			kerror_history[group].size = kb * 1024;
		else
			pr_err("no memory for %u KiB of history; use a smaller kerror.history_kb\n",
			       kb);
	}
}

#ifdef MODULE
void kerror_history_exit(void)
{
	unsigned int group;

	for (group = 0; group < KERROR_GROUPS; group++)
		vfree(kerror_history[group].buffer);
}
#endif
