// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Takes the kernel's messages for a reader, one at a time: an event that is the
 * next of its group, a loss that is news, statistics, the end of a replay, an
 * error. reader.c cuts them out of datagrams; reader_place.c keeps the place in
 * each group.
 */
#include <errno.h>
#include <string.h>
#include "reader.h"

/*
 * Accounts for @count losses of which the last is number @total since boot;
 * true if some are news: up to @total those after the last known, notices of
 * which were missed or are to come; and those before the first known, if this
 * is an earlier notice that was overtaken.
 */
static bool account(struct kerror_reader *reader, int index, uint32_t cause,
		    uint64_t total, uint64_t count)
{
	uint64_t before = total - count;

	if (cause < CAUSES) {
		struct losses *known = &reader->group[index].losses[cause];

		if (!known->known)
			*known = (struct losses) { true, before, before };
		count = 0;
		if (total > known->last) {
			count += total - known->last;
			known->last = total;
		}
		if (before < known->first) {
			count += known->first - before;
			known->first = before;
		}
	}
	reader->loss = (struct kerror_loss) {
		.count = count,
		.total = total,
		.group = kerror_group_at(index),
		.cause = cause,
	};
	reader->lost += count;
	return count;
}

static enum kerror_item take_event(struct kerror_reader *reader, int index,
				   bool replayed,
				   const struct nlmsghdr *message)
{
	struct group *group = &reader->group[index];
	int err;

	if (!group->started &&
	    (!group->from_boot ||
	     (replayed && message->nlmsg_seq == KERROR_SEQUENCE_FIRST)))
		group_start(group, message->nlmsg_seq);
	if (!replayed)
		reader_pass_over(reader, index, message->nlmsg_seq);
	if (!group->started || message->nlmsg_seq != group->next) {
		if (!replayed)
			reader_saw(reader, index, message->nlmsg_seq + 1);
		return KERROR_ITEM_NONE;
	}
	err = event_decode(&reader->event, kerror_group_at(index), message->nlmsg_seq,
			   message->nlmsg_pid, message + 1,
			   message->nlmsg_len - NLMSG_HDRLEN);
	if (err) {
		group_want_replay(group);
		reader->error = err;
		return KERROR_ITEM_ERROR;
	}
	group_advance(group, group->next + 1);
	reader->received++;
	return KERROR_ITEM_EVENT;
}

static enum kerror_item take_loss(struct kerror_reader *reader, int index,
				  bool replayed, const struct nlmsghdr *message)
{
	struct group *group = &reader->group[index];
	uint32_t next = message->nlmsg_seq;
	struct kerror_loss loss;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(loss)))
		return KERROR_ITEM_NONE;
	memcpy(&loss, message + 1, sizeof(loss));
	if (loss.cause != KERROR_LOST_HISTORY) {
		if (!replayed) {
			reader_pass_over(reader, index, next);
			reader_saw(reader, index, next);
		}
		return account(reader, index, loss.cause, loss.total,
			       loss.count) ?
		       KERROR_ITEM_LOSS : KERROR_ITEM_NONE;
	}
	if (!replayed)
		return KERROR_ITEM_NONE;
	if (!group->started) {
		group_start(group, next);
	} else {
		/* Broadcasts may have brought some since the request. */
		if ((int32_t)(next - group->next) <= 0)
			return KERROR_ITEM_NONE;
		loss.count = next - group->next;
		group_advance(group, next);
	}
	loss.group = kerror_group_at(index);
	reader->loss = loss;
	reader->lost += loss.count;
	return loss.count ? KERROR_ITEM_LOSS : KERROR_ITEM_NONE;
}

enum kerror_item reader_take_statistics(struct kerror_reader *reader)
{
	const struct kerror_statistics *statistics = &reader->statistics;
	int index = kerror_group_index(statistics->group);

	while (reader->statistics_next < statistics->causes) {
		uint32_t cause = reader->statistics_next++;

		if (account(reader, index, cause, statistics->lost[cause], 0))
			return KERROR_ITEM_LOSS;
	}
	reader->statistics_next = CAUSES;
	return KERROR_ITEM_STATISTICS;
}

/* Index of the group of the request that an error answers, or -1 */
static int group_asked_for(const struct nlmsghdr *message)
{
	struct {
		struct nlmsgerr error;
		struct kerror_request request;
	} answer;

	/* The kernel sends the request back with the error. */
	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(answer)))
		return -1;
	memcpy(&answer, message + 1, sizeof(answer));
	return kerror_group_index(answer.request.group);
}

/*
 * This kernel is of before that group: it refuses a request that cannot be wrong
 * otherwise, and raises its messages in the group evlog.
 */
static void forget_printk(struct kerror_reader *reader)
{
	reader->groups &= ~KERROR_GROUP_PRINTK;
	memset(&reader->group[PRINTK], 0, sizeof(reader->group[PRINTK]));
}

static enum kerror_item take_error(struct kerror_reader *reader,
				   const struct nlmsghdr *message)
{
	struct group *group = NULL;
	struct nlmsgerr answer;
	int asked;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(answer)))
		return KERROR_ITEM_NONE;
	memcpy(&answer, message + 1, sizeof(answer));
	if (answer.error >= 0)
		return KERROR_ITEM_NONE;
	asked = group_asked_for(message);
	if (answer.msg.nlmsg_type == KERROR_MSG_STATISTICS) {
		for (int i = 0; i < GROUPS; i++)
			if (asked < 0 || i == asked)
				reader->group[i].statistics_asked = false;
		if (answer.error == -EINVAL && asked == PRINTK) {
			forget_printk(reader);
			return KERROR_ITEM_NONE;
		}
	}
	if (answer.msg.nlmsg_type == KERROR_MSG_REPLAY &&
	    reader->replaying >= 0)
		group = &reader->group[reader->replaying];
	if (group) {
		/* It has begun nevertheless and will end with NLMSG_DONE. */
		if (answer.error == -ENOBUFS)
			return KERROR_ITEM_NONE;
		if (answer.error == -EBUSY) {
			/* One that was given up: wait for its NLMSG_DONE. */
			reader_ask_again(reader);
			reader->busy = true;
			return KERROR_ITEM_NONE;
		}
		reader->replaying = -1;
		for (int i = 0; reader->unsure >= 0 && i < GROUPS; i++)
			group_satisfy(&reader->group[i]);
		if (answer.error == -EINVAL) {
			if (group == &reader->group[PRINTK] && !group->started) {
				forget_printk(reader);
				return KERROR_ITEM_NONE;
			}
			/* The cursor is of another boot. */
			if (group->started)
				group_restart(group);
			else
				group->from_boot = false;
		}
	}
	reader->error = answer.error;
	return KERROR_ITEM_ERROR;
}

static void end_replay(struct group *group)
{
	/* From boot, and there was none: the first comes next. */
	if (!group->started)
		group_start(group, KERROR_SEQUENCE_FIRST);
	if (!group_wants_replay(group))
		group->gaps_count = false;
}

enum kerror_item reader_take_message(struct kerror_reader *reader,
				     const struct nlmsghdr *message)
{
	bool replayed = !reader->source;
	int index = replayed ? reader->replaying : kerror_group_index(reader->source);
	size_t size = message->nlmsg_len - NLMSG_HDRLEN;

	switch (message->nlmsg_type) {
	case KERROR_MSG_EVENT:
		return reader_reads(reader, index) ?
		       take_event(reader, index, replayed, message) :
		       KERROR_ITEM_NONE;
	case KERROR_MSG_LOSS:
		return reader_reads(reader, index) ?
		       take_loss(reader, index, replayed, message) :
		       KERROR_ITEM_NONE;
	case KERROR_MSG_STATISTICS:
		if (!replayed)
			return KERROR_ITEM_NONE;
		memset(&reader->statistics, 0, sizeof(reader->statistics));
		memcpy(&reader->statistics, message + 1,
		       size < sizeof(reader->statistics) ?
		       size : sizeof(reader->statistics));
		if (reader->statistics.causes > KERROR_CAUSES)
			reader->statistics.causes = KERROR_CAUSES;
		index = kerror_group_index(reader->statistics.group);
		if (!reader_reads(reader, index))
			return KERROR_ITEM_NONE;
		reader->group[index].statistics_asked = false;
		reader_saw(reader, index, reader->statistics.sequence_next);
		reader->statistics_next = 0;
		return reader_take_statistics(reader);
	case NLMSG_DONE:
		/* Of one given up; if busy, it is what was waited for. */
		if (!replayed || (message->nlmsg_seq != reader->asked &&
				  !reader->busy))
			return KERROR_ITEM_NONE;
		if (index >= 0)
			end_replay(&reader->group[index]);
		reader->replaying = -1;
		reader->unsure = -1;
		reader->busy = false;
		return KERROR_ITEM_NONE;
	case NLMSG_ERROR:
		return replayed ? take_error(reader, message) :
				  KERROR_ITEM_NONE;
	}
	return KERROR_ITEM_NONE;
}
