// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The reader: turns datagrams of NETLINK_KERROR into events in order, each
 * once, and into the number of those that are lost. No input or output.
 *
 * Per group it knows the sequence number that it expects. An event with that
 * number is given, an earlier one dropped as known, a later one makes it ask
 * for a replay from the expected one; until that is through, broadcasts are
 * of no use but for the expected one. Losses are counted by the totals in the
 * notices, so that a notice may be missed, overtaken or seen twice. A socket
 * can have one replay at a time; groups take turns. What a replay brings does
 * not say of which group it is, so there must be no doubt whose turn it is.
 *
 * If the socket has a filter, an event that is later than expected proves
 * nothing: those before it were filtered, and are passed over. But from an
 * overrun on they may have been dropped. The kernel reports the first drop only,
 * and goes on dropping until the receive queue is empty, even behind the end of
 * a replay. So until a replay is through that was asked for after that, a gap is
 * a gap as without a filter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>
#include "internal.h"

#define GROUPS	KERROR_GROUP_COUNT
#define PRINTK	2	/* its index */
#define CAUSES	32	/* more than there are: a newer kernel may have more */

/* What is accounted for of one cause: losses number first + 1 to last. */
struct losses {
	bool known;
	uint64_t first;
	uint64_t last;
};

struct group {
	bool started;		/* next and seen are known */
	bool from_boot;		/* begin with the first event of this boot */
	bool replay_wanted;
	bool gaps_count;	/* events from next on may have been dropped */
	bool statistics_wanted;
	bool statistics_asked;
	uint32_t next;
	uint32_t seen;		/* next, or later: events up to it exist */
	struct losses losses[CAUSES];
};

struct kerror_reader {
	uint32_t groups;
	bool filtered;
	struct group group[GROUPS];
	int replaying;		/* index of the group, or -1 */
	uint32_t asked;		/* nlmsg_seq of the last replay request */
	int turn;		/* group that may ask first */
	int unsure;		/* group whose replay may yet run, or -1 */
	bool busy;		/* a replay runs that this reader ignores */
	bool overrun;		/* answers may be lost */
	const uint8_t *at;	/* rest of the datagram */
	size_t rest;
	uint32_t source;	/* its nl_groups */
	uint64_t received;
	uint64_t lost;
	struct kerror_event event;
	struct kerror_statistics statistics;
	unsigned int statistics_next;	/* cause to be compared, or CAUSES */
	struct kerror_loss loss;
	int error;
	struct {
		struct nlmsghdr header;
		struct kerror_request body;
	} request;
};

struct kerror_reader *kerror_reader_new(uint32_t groups)
{
	struct kerror_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	for (int i = 0; i < GROUPS; i++)
		reader->groups |= groups & kerror_group_at(i);
	reader->replaying = -1;
	reader->unsure = -1;
	reader->statistics_next = CAUSES;
	return reader;
}

void kerror_reader_free(struct kerror_reader *reader)
{
	if (!reader)
		return;
	free(reader->event.arguments);
	free(reader);
}

static bool reads(const struct kerror_reader *reader, int index)
{
	return index >= 0 && reader->groups & kerror_group_at(index);
}

static void start(struct group *group, uint32_t next)
{
	group->started = true;
	group->next = next;
	group->seen = next;
}

static void advance(struct group *group, uint32_t next)
{
	group->next = next;
	if ((int32_t)(next - group->seen) > 0)
		group->seen = next;
}

static void want_replay(struct group *group)
{
	group->replay_wanted = true;
	group->gaps_count = true;
}

static bool wants_replay(const struct group *group)
{
	return group->replay_wanted || group->seen != group->next;
}

/* What is missing up to now was kept back by the filter. */
static bool is_filtered(const struct kerror_reader *reader, int index)
{
	const struct group *group = &reader->group[index];

	return reader->filtered && group->started && !reader->overrun &&
	       !group->gaps_count;
}

/* There are events up to @next: those not given yet are to be asked for. */
static void saw(struct kerror_reader *reader, int index, uint32_t next)
{
	struct group *group = &reader->group[index];

	if (!group->started) {
		/* The replay from boot will bring them, or has failed. */
		if (group->from_boot && reader->replaying != index)
			want_replay(group);
	} else if ((int32_t)(next - group->seen) > 0 &&
		   !is_filtered(reader, index)) {
		group->seen = next;
	}
}

/* A broadcast came: all that will ever come before @sequence has come. */
static void pass_over(struct kerror_reader *reader, int index,
		      uint32_t sequence)
{
	struct group *group = &reader->group[index];

	if (is_filtered(reader, index) && (int32_t)(sequence - group->next) > 0)
		start(group, sequence);
}

static void restart_from_boot(struct group *group)
{
	group->started = false;
	group->from_boot = true;
	want_replay(group);
	/* At boot nothing was lost. */
	memset(group->losses, 0, sizeof(group->losses));
	for (int cause = 0; cause < CAUSES; cause++)
		group->losses[cause].known = true;
}

void kerror_reader_from_boot(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (reads(reader, i))
			restart_from_boot(&reader->group[i]);
}

int kerror_reader_from(struct kerror_reader *reader, uint32_t group,
		       uint32_t sequence)
{
	int i = kerror_group_index(group);

	if (!reads(reader, i))
		return -EINVAL;
	start(&reader->group[i], sequence);
	want_replay(&reader->group[i]);
	return 0;
}

int kerror_reader_from_loss(struct kerror_reader *reader,
			    const struct kerror_loss *loss)
{
	int i = kerror_group_index(loss->group);

	if (!reads(reader, i) || loss->cause >= CAUSES)
		return -EINVAL;
	reader->group[i].losses[loss->cause] = (struct losses) {
		.known = true, .last = loss->total,
	};
	return 0;
}

int kerror_reader_feed(struct kerror_reader *reader, uint32_t group,
		       const void *datagram, size_t size)
{
	if (reader->rest || reader->statistics_next < CAUSES)
		return -EBUSY;
	reader->at = datagram;
	reader->rest = size;
	reader->source = group;
	return 0;
}

void kerror_reader_filtered(struct kerror_reader *reader)
{
	reader->filtered = true;
}

static void want_replays(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (reader->group[i].started || reader->group[i].from_boot)
			want_replay(&reader->group[i]);
}

void kerror_reader_overrun(struct kerror_reader *reader)
{
	reader->overrun = true;
	want_replays(reader);
}

/*
 * Gives up a replay. If it runs after all, what it brings must not be taken
 * for another group's: until one has ended, ask for this group only.
 */
static void ask_again(struct kerror_reader *reader)
{
	want_replay(&reader->group[reader->replaying]);
	reader->unsure = reader->replaying;
	reader->replaying = -1;
}

/* What is wanted is asked for now; or failed, and waits for the next event. */
static void satisfy(struct group *group)
{
	group->replay_wanted = false;
	group->seen = group->next;
}

bool kerror_reader_drained(struct kerror_reader *reader)
{
	/* Without an overrun every request is answered. */
	if (!reader->overrun)
		return false;
	reader->overrun = false;
	if (reader->replaying >= 0)
		ask_again(reader);
	reader->busy = false;
	/* Nothing else tells of what was dropped since the end of a replay. */
	if (reader->filtered)
		want_replays(reader);
	for (int i = 0; i < GROUPS; i++)
		reader->group[i].statistics_wanted |=
			reader->group[i].statistics_asked;
	return true;
}

void kerror_reader_want_statistics(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		reader->group[i].statistics_wanted = reads(reader, i);
}

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
		start(group, message->nlmsg_seq);
	if (!replayed)
		pass_over(reader, index, message->nlmsg_seq);
	if (!group->started || message->nlmsg_seq != group->next) {
		if (!replayed)
			saw(reader, index, message->nlmsg_seq + 1);
		return KERROR_ITEM_NONE;
	}
	err = event_decode(&reader->event, kerror_group_at(index), message->nlmsg_seq,
			   message->nlmsg_pid, message + 1,
			   message->nlmsg_len - NLMSG_HDRLEN);
	if (err) {
		want_replay(group);
		reader->error = err;
		return KERROR_ITEM_ERROR;
	}
	advance(group, group->next + 1);
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
			pass_over(reader, index, next);
			saw(reader, index, next);
		}
		return account(reader, index, loss.cause, loss.total,
			       loss.count) ?
		       KERROR_ITEM_LOSS : KERROR_ITEM_NONE;
	}
	if (!replayed)
		return KERROR_ITEM_NONE;
	if (!group->started) {
		start(group, next);
	} else {
		/* Broadcasts may have brought some since the request. */
		if ((int32_t)(next - group->next) <= 0)
			return KERROR_ITEM_NONE;
		loss.count = next - group->next;
		advance(group, next);
	}
	loss.group = kerror_group_at(index);
	reader->loss = loss;
	reader->lost += loss.count;
	return loss.count ? KERROR_ITEM_LOSS : KERROR_ITEM_NONE;
}

/* Tells of one cause after the other that has more losses than known. */
static enum kerror_item take_statistics(struct kerror_reader *reader)
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
			ask_again(reader);
			reader->busy = true;
			return KERROR_ITEM_NONE;
		}
		reader->replaying = -1;
		for (int i = 0; reader->unsure >= 0 && i < GROUPS; i++)
			satisfy(&reader->group[i]);
		if (answer.error == -EINVAL) {
			if (group == &reader->group[PRINTK] && !group->started) {
				forget_printk(reader);
				return KERROR_ITEM_NONE;
			}
			/* The cursor is of another boot. */
			if (group->started)
				restart_from_boot(group);
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
		start(group, KERROR_SEQUENCE_FIRST);
	if (!wants_replay(group))
		group->gaps_count = false;
}

static enum kerror_item take_message(struct kerror_reader *reader,
				     const struct nlmsghdr *message)
{
	bool replayed = !reader->source;
	int index = replayed ? reader->replaying : kerror_group_index(reader->source);
	size_t size = message->nlmsg_len - NLMSG_HDRLEN;

	switch (message->nlmsg_type) {
	case KERROR_MSG_EVENT:
		return reads(reader, index) ?
		       take_event(reader, index, replayed, message) :
		       KERROR_ITEM_NONE;
	case KERROR_MSG_LOSS:
		return reads(reader, index) ?
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
		if (!reads(reader, index))
			return KERROR_ITEM_NONE;
		reader->group[index].statistics_asked = false;
		saw(reader, index, reader->statistics.sequence_next);
		reader->statistics_next = 0;
		return take_statistics(reader);
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

static enum kerror_item ask(struct kerror_reader *reader, int index,
			    uint16_t type, uint16_t flags)
{
	struct group *group = &reader->group[index];

	memset(&reader->request, 0, sizeof(reader->request));
	reader->request.header.nlmsg_len = sizeof(reader->request);
	reader->request.header.nlmsg_type = type;
	reader->request.header.nlmsg_flags = NLM_F_REQUEST | flags;
	reader->request.body.group = kerror_group_at(index);
	if (type == KERROR_MSG_REPLAY) {
		reader->request.header.nlmsg_seq = ++reader->asked;
		if (group->started)
			reader->request.body.sequence = group->next;
		else
			reader->request.body.flags = KERROR_REPLAY_BOOT;
	}
	return KERROR_ITEM_REQUEST;
}

enum kerror_item kerror_reader_next(struct kerror_reader *reader)
{
	if (reader->statistics_next < CAUSES)
		return take_statistics(reader);

	while (reader->rest) {
		const struct nlmsghdr *message = (const void *)reader->at;
		enum kerror_item item;
		size_t space;

		if (reader->rest < NLMSG_HDRLEN ||
		    message->nlmsg_len < NLMSG_HDRLEN ||
		    message->nlmsg_len > reader->rest) {
			/* Whatever it was, it is lost. */
			kerror_reader_overrun(reader);
			reader->rest = 0;
			reader->error = -EBADMSG;
			return KERROR_ITEM_ERROR;
		}
		space = NLMSG_ALIGN(message->nlmsg_len);
		if (space > reader->rest)
			space = reader->rest;
		reader->at += space;
		reader->rest -= space;
		item = take_message(reader, message);
		if (item != KERROR_ITEM_NONE)
			return item;
	}

	for (int i = 0; i < GROUPS; i++) {
		struct group *group = &reader->group[i];

		if (group->statistics_wanted) {
			group->statistics_wanted = false;
			group->statistics_asked = true;
			return ask(reader, i, KERROR_MSG_STATISTICS, 0);
		}
	}
	for (int i = 0; i < GROUPS; i++) {
		int index = (reader->turn + i) % GROUPS;

		if (reader->replaying >= 0 || reader->busy ||
		    !wants_replay(&reader->group[index]))
			continue;
		if (reader->unsure >= 0)
			index = reader->unsure;
		/* It brings everything up to now. */
		satisfy(&reader->group[index]);
		reader->replaying = index;
		reader->turn = index + 1;
		return ask(reader, index, KERROR_MSG_REPLAY, NLM_F_DUMP);
	}
	return KERROR_ITEM_NONE;
}

const struct kerror_event *
kerror_reader_event(const struct kerror_reader *reader)
{
	return &reader->event;
}

const struct kerror_statistics *
kerror_reader_statistics(const struct kerror_reader *reader)
{
	return &reader->statistics;
}

int kerror_reader_error(const struct kerror_reader *reader)
{
	return reader->error;
}

const struct kerror_loss *
kerror_reader_loss(const struct kerror_reader *reader)
{
	return &reader->loss;
}

const void *kerror_reader_request(const struct kerror_reader *reader,
				  size_t *size)
{
	*size = sizeof(reader->request);
	return &reader->request;
}

uint32_t kerror_reader_groups(const struct kerror_reader *reader)
{
	return reader->groups;
}

bool kerror_reader_replaying(const struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (wants_replay(&reader->group[i]))
			return true;
	return reader->replaying >= 0;
}

uint64_t kerror_reader_received(const struct kerror_reader *reader)
{
	return reader->received;
}

uint64_t kerror_reader_lost(const struct kerror_reader *reader)
{
	return reader->lost;
}

int kerror_reader_cursor(const struct kerror_reader *reader, uint32_t group,
			 uint32_t *sequence)
{
	int i = kerror_group_index(group);

	if (!reads(reader, i))
		return -EINVAL;
	if (!reader->group[i].started)
		return -EAGAIN;
	*sequence = reader->group[i].next;
	return 0;
}
