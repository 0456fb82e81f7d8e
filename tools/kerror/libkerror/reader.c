// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The reader: turns datagrams of NETLINK_KERROR into events in order, each
 * once, and into the number of those that are lost. No input or output.
 *
 * Per group it knows the sequence number that it expects. An event with that
 * number is given, an earlier one dropped as known, a later one makes it ask
 * for a replay from the expected one; until that is through, broadcasts are
 * of no use but for the expected one. Losses are counted by the totals in the
 * notices, so that a notice may be missed or seen twice. A socket can have one
 * replay at a time; groups take turns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>
#include "internal.h"

#define GROUPS	2
#define CAUSES	32	/* more than there are: a newer kernel may have more */

struct group {
	bool started;		/* next is known */
	bool from_boot;		/* ask from the first event of this boot */
	bool replay_wanted;
	bool statistics_wanted;
	uint32_t next;
	uint64_t total[CAUSES];	/* losses that are accounted for */
	bool total_known[CAUSES];
};

struct kerror_reader {
	uint32_t groups;
	struct group group[GROUPS];
	int replaying;		/* index of the group, or -1 */
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
	reader->groups = groups;
	reader->replaying = -1;
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
	return index >= 0 && index < GROUPS && reader->groups & 1U << index;
}

static int index_of(uint32_t group)
{
	return group == KERROR_GROUP_RAW ? 0 :
	       group == KERROR_GROUP_EVLOG ? 1 : -1;
}

void kerror_reader_from_boot(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++) {
		struct group *group = &reader->group[i];

		if (!reads(reader, i))
			continue;
		group->from_boot = true;
		group->replay_wanted = true;
		/* At boot nothing was lost. */
		memset(group->total_known, true, sizeof(group->total_known));
	}
}

int kerror_reader_from(struct kerror_reader *reader, uint32_t group,
		       uint32_t sequence)
{
	int i = index_of(group);

	if (!reads(reader, i))
		return -EINVAL;
	reader->group[i].started = true;
	reader->group[i].next = sequence;
	reader->group[i].replay_wanted = true;
	return 0;
}

int kerror_reader_feed(struct kerror_reader *reader, uint32_t group,
		       const void *datagram, size_t size)
{
	if (reader->rest)
		return -EBUSY;
	reader->at = datagram;
	reader->rest = size;
	reader->source = group;
	return 0;
}

void kerror_reader_overrun(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (reads(reader, i) && reader->group[i].started)
			reader->group[i].replay_wanted = true;
}

void kerror_reader_want_statistics(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		reader->group[i].statistics_wanted = reads(reader, i);
}

/* Accounts for @total losses since boot; true if some of them are news. */
static bool account(struct kerror_reader *reader, int index, uint32_t cause,
		    uint64_t total, uint64_t count)
{
	struct group *group = &reader->group[index];

	if (cause < CAUSES) {
		if (group->total_known[cause])
			count = total - group->total[cause];
		if ((int64_t)count < 0)
			count = 0;	/* a notice that was overtaken */
		else
			group->total[cause] = total;
		group->total_known[cause] = true;
	}
	reader->loss = (struct kerror_loss) {
		.count = count,
		.total = total,
		.group = 1U << index,
		.cause = cause,
	};
	reader->lost += count;
	return count;
}

static enum kerror_item take_event(struct kerror_reader *reader, int index,
				   bool replayed, const struct nlmsghdr *message)
{
	struct group *group = &reader->group[index];
	int32_t ahead;
	int err;

	if (!group->started && !group->replay_wanted &&
	    (replayed || reader->replaying != index)) {
		group->started = true;
		group->next = message->nlmsg_seq;
	}
	if (!group->started)
		return KERROR_ITEM_NONE;
	ahead = (int32_t)(message->nlmsg_seq - group->next);
	if (ahead < 0)
		return KERROR_ITEM_NONE;
	if (ahead > 0) {
		if (reader->replaying != index)
			group->replay_wanted = true;
		return KERROR_ITEM_NONE;
	}
	group->next++;
	err = event_decode(&reader->event, 1U << index, message->nlmsg_seq,
			   message->nlmsg_pid, message + 1,
			   message->nlmsg_len - NLMSG_HDRLEN);
	if (err) {
		/* It will be asked for again. */
		group->next--;
		group->replay_wanted = true;
		reader->error = err;
		return KERROR_ITEM_ERROR;
	}
	reader->received++;
	return KERROR_ITEM_EVENT;
}

static enum kerror_item take_loss(struct kerror_reader *reader, int index,
				  bool replayed, const struct nlmsghdr *message)
{
	struct group *group = &reader->group[index];
	struct kerror_loss loss;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(loss)))
		return KERROR_ITEM_NONE;
	memcpy(&loss, message + 1, sizeof(loss));
	if (loss.cause != KERROR_LOST_HISTORY)
		return account(reader, index, loss.cause, loss.total,
			       loss.count) ?
		       KERROR_ITEM_LOSS : KERROR_ITEM_NONE;
	if (!replayed)
		return KERROR_ITEM_NONE;
	group->started = true;
	group->next = message->nlmsg_seq;
	loss.group = 1U << index;
	reader->loss = loss;
	reader->lost += loss.count;
	return KERROR_ITEM_LOSS;
}

/* Tells of one cause after the other that has more losses than known. */
static enum kerror_item take_statistics(struct kerror_reader *reader)
{
	struct kerror_statistics *statistics = &reader->statistics;
	int index = index_of(statistics->group);

	while (reader->statistics_next < statistics->causes) {
		uint32_t cause = reader->statistics_next++;
		struct group *group = &reader->group[index];

		if (account(reader, index, cause, statistics->lost[cause],
			    group->total_known[cause] ?
			    statistics->lost[cause] : 0))
			return KERROR_ITEM_LOSS;
	}
	reader->statistics_next = CAUSES;
	return KERROR_ITEM_STATISTICS;
}

static enum kerror_item take_error(struct kerror_reader *reader,
				   const struct nlmsghdr *message)
{
	struct nlmsgerr answer;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(answer)))
		return KERROR_ITEM_NONE;
	memcpy(&answer, message + 1, sizeof(answer));
	if (!answer.error)
		return KERROR_ITEM_NONE;
	if (answer.msg.nlmsg_type == KERROR_MSG_REPLAY) {
		/* It runs nevertheless and will end with NLMSG_DONE. */
		if (answer.error == -ENOBUFS || answer.error == -EBUSY)
			return KERROR_ITEM_NONE;
		reader->replaying = -1;
	}
	reader->error = answer.error;
	return KERROR_ITEM_ERROR;
}

static enum kerror_item take_message(struct kerror_reader *reader,
				     const struct nlmsghdr *message)
{
	bool replayed = !reader->source;
	int index = replayed ? reader->replaying : index_of(reader->source);
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
		memset(&reader->statistics, 0, sizeof(reader->statistics));
		memcpy(&reader->statistics, message + 1,
		       size < sizeof(reader->statistics) ?
		       size : sizeof(reader->statistics));
		if (reader->statistics.causes > KERROR_CAUSES)
			reader->statistics.causes = KERROR_CAUSES;
		if (!replayed ||
		    !reads(reader, index_of(reader->statistics.group)))
			return KERROR_ITEM_NONE;
		reader->statistics_next = 0;
		return take_statistics(reader);
	case NLMSG_DONE:
		if (replayed && reader->replaying >= 0) {
			struct group *group = &reader->group[reader->replaying];

			/* An empty history: then its first is the first. */
			if (!group->started && group->from_boot) {
				group->started = true;
				group->next = KERROR_SEQUENCE_FIRST;
			}
			reader->replaying = -1;
		}
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
	reader->request.body.group = 1U << index;
	if (type == KERROR_MSG_REPLAY) {
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
			return ask(reader, i, KERROR_MSG_STATISTICS, 0);
		}
		if (group->replay_wanted && reader->replaying < 0) {
			group->replay_wanted = false;
			reader->replaying = i;
			return ask(reader, i, KERROR_MSG_REPLAY, NLM_F_DUMP);
		}
	}
	return KERROR_ITEM_NONE;
}

const struct kerror_event *kerror_reader_event(const struct kerror_reader *reader)
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

const struct kerror_loss *kerror_reader_loss(const struct kerror_reader *reader)
{
	return &reader->loss;
}

const void *kerror_reader_request(const struct kerror_reader *reader,
				  size_t *size)
{
	*size = sizeof(reader->request);
	return &reader->request;
}

bool kerror_reader_replaying(const struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (reader->group[i].replay_wanted)
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
	int i = index_of(group);

	if (!reads(reader, i))
		return -EINVAL;
	if (!reader->group[i].started)
		return -EAGAIN;
	*sequence = reader->group[i].next;
	return 0;
}
