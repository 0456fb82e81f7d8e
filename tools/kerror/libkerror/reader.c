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
 * can have one replay at a time; groups take turns. An event of a replay does
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
#include "reader.h"

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
	kerror_origin_release(reader->event.origin);
	free(reader->event.arguments);
	free(reader);
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

void kerror_reader_set_origin(struct kerror_reader *reader,
			      struct kerror_origin *origin)
{
	kerror_event_set_origin(&reader->event, origin);
}

void kerror_reader_filtered(struct kerror_reader *reader)
{
	reader->filtered = true;
}

void kerror_reader_earlier(struct kerror_reader *reader, const struct kerror_boot *boot)
{
	kerror_reader_from_boot(reader);
	reader->earlier = true;
	memcpy(reader->request.boot, boot->boot, sizeof(reader->request.boot));
	reader->request.instance = boot->instance;
}

void kerror_reader_want_statistics(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		reader->group[i].statistics_wanted = reader_reads(reader, i);
}

static enum kerror_item ask(struct kerror_reader *reader, int index,
			    uint16_t type, uint16_t flags)
{
	struct group *group = &reader->group[index];

	memset(&reader->request.header, 0, sizeof(reader->request.header));
	memset(&reader->request.body, 0, sizeof(reader->request.body));
	reader->request.header.nlmsg_len =
		NLMSG_LENGTH(sizeof(reader->request.body));
	reader->request.header.nlmsg_type = type;
	reader->request.header.nlmsg_flags = NLM_F_REQUEST | flags;
	reader->request.body.group = kerror_group_at(index);
	if (type == KERROR_MSG_REPLAY) {
		reader->request.header.nlmsg_seq = ++reader->asked;
		if (reader->earlier) {
			reader->request.header.nlmsg_len = sizeof(reader->request);
			reader->request.body.flags = KERROR_REPLAY_EARLIER;
		} else if (group->started) {
			reader->request.body.sequence = group->next;
		} else {
			reader->request.body.flags = KERROR_REPLAY_BOOT;
		}
	}
	return KERROR_ITEM_REQUEST;
}

enum kerror_item kerror_reader_next(struct kerror_reader *reader)
{
	if (reader->statistics_next < CAUSES)
		return reader_take_statistics(reader);

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
		item = reader_take_message(reader, message);
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
		    !group_wants_replay(&reader->group[index]))
			continue;
		if (reader->unsure >= 0)
			index = reader->unsure;
		/* It brings everything up to now. */
		group_satisfy(&reader->group[index]);
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
	*size = reader->request.header.nlmsg_len;
	return &reader->request;
}

uint32_t kerror_reader_groups(const struct kerror_reader *reader)
{
	return reader->groups;
}

uint64_t kerror_reader_received(const struct kerror_reader *reader)
{
	return reader->received;
}

uint64_t kerror_reader_lost(const struct kerror_reader *reader)
{
	return reader->lost;
}
