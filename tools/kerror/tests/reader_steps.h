/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams for a reader, and single steps with it, each of which must have one
 * result. For test_reader.c and test_reader_model.c.
 */
#ifndef TESTS_READER_STEPS_H
#define TESTS_READER_STEPS_H

#include <linux/netlink.h>
#include "build.h"

#define FIRST KERROR_SEQUENCE_FIRST
#define RAW KERROR_GROUP_RAW
#define EVLOG KERROR_GROUP_EVLOG
#define PRINTK KERROR_GROUP_PRINTK
#define GROUPS KERROR_GROUP_COUNT

/* ---- Datagrams ---- */

struct datagram {
	_Alignas(4) uint8_t data[2048];
	size_t size;
};

static inline void put(struct datagram *datagram, uint16_t type, uint32_t sequence,
		       uint32_t pid, const void *payload, size_t size)
{
	struct nlmsghdr header = {
		.nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = type,
		.nlmsg_seq = sequence, .nlmsg_pid = pid,
	};

	assert_true(datagram->size + NLMSG_SPACE(size) <=
		    sizeof(datagram->data));
	memcpy(datagram->data + datagram->size, &header, sizeof(header));
	if (size)
		memcpy(datagram->data + datagram->size + NLMSG_HDRLEN, payload,
		       size);
	datagram->size += NLMSG_SPACE(size);
}

static inline void put_event(struct datagram *datagram, uint32_t sequence)
{
	put(datagram, KERROR_MSG_EVENT, sequence, 99, &sequence,
	    sizeof(sequence));
}

static inline void put_loss(struct datagram *datagram, uint32_t sequence,
			    uint32_t cause, uint64_t count, uint64_t total)
{
	struct kerror_loss loss = {
		.count = count, .total = total, .cause = cause, .group = RAW,
	};

	put(datagram, KERROR_MSG_LOSS, sequence, 0, &loss, sizeof(loss));
}

static inline void put_error(struct datagram *datagram, uint16_t type, int error)
{
	struct nlmsgerr answer = {
		.error = error, .msg.nlmsg_type = type,
		.msg.nlmsg_len = NLMSG_LENGTH(sizeof(struct kerror_request)),
	};

	put(datagram, NLMSG_ERROR, 0, 0, &answer, sizeof(answer));
}

/* nlmsg_seq of the last replay request, which its NLMSG_DONE has, too. */
static uint32_t asked;

/* ---- One step each; @datagram stays until the items are taken ---- */

static inline void feed(struct kerror_reader *reader, uint32_t group,
			const struct datagram *datagram)
{
	assert_int_equal(kerror_reader_feed(reader, group, datagram->data,
					    datagram->size), 0);
}

static inline void assert_none(struct kerror_reader *reader)
{
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_NONE);
}

static inline void assert_event(struct kerror_reader *reader, uint32_t group,
				uint32_t sequence)
{
	const struct kerror_event *event;

	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_EVENT);
	event = kerror_reader_event(reader);
	assert_int_equal(kerror_event_group(event), group);
	assert_int_equal(kerror_event_sequence(event), sequence);
	assert_int_equal(kerror_event_thread(event), 99);
}

static inline void assert_loss(struct kerror_reader *reader, uint32_t group,
			       uint32_t cause, uint64_t count, uint64_t total)
{
	const struct kerror_loss *loss;

	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_LOSS);
	loss = kerror_reader_loss(reader);
	assert_int_equal(loss->group, group);
	assert_int_equal(loss->cause, cause);
	assert_int_equal(loss->count, count);
	assert_int_equal(loss->total, total);
}

static inline void assert_error(struct kerror_reader *reader, int error)
{
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_ERROR);
	assert_int_equal(kerror_reader_error(reader), error);
}

static inline void assert_request(struct kerror_reader *reader, uint16_t type,
				  uint32_t group, uint32_t flags, uint32_t sequence)
{
	const struct kerror_request *body;
	const struct nlmsghdr *header;
	size_t size;

	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_REQUEST);
	header = kerror_reader_request(reader, &size);
	body = (const void *)(header + 1);
	assert_int_equal(size, NLMSG_LENGTH(sizeof(*body)));
	assert_int_equal(header->nlmsg_len, size);
	assert_int_equal(header->nlmsg_type, type);
	assert_int_equal(header->nlmsg_flags, NLM_F_REQUEST |
			 (type == KERROR_MSG_REPLAY ? NLM_F_DUMP : 0));
	assert_int_equal(body->group, group);
	assert_int_equal(body->flags, flags);
	assert_int_equal(body->sequence, sequence);
	assert_int_equal(body->reserved, 0);
	if (type == KERROR_MSG_REPLAY)
		asked = header->nlmsg_seq;
}

static inline void assert_replay(struct kerror_reader *reader, uint32_t group,
				 uint32_t sequence)
{
	assert_request(reader, KERROR_MSG_REPLAY, group, 0, sequence);
}

static inline void assert_replay_from_boot(struct kerror_reader *reader,
					   uint32_t group)
{
	assert_request(reader, KERROR_MSG_REPLAY, group, KERROR_REPLAY_BOOT, 0);
}

static inline void feed_event(struct kerror_reader *reader, uint32_t group,
			      uint32_t sequence)
{
	static struct datagram datagram;

	datagram.size = 0;
	put_event(&datagram, sequence);
	feed(reader, group, &datagram);
}

static inline void feed_loss(struct kerror_reader *reader, uint32_t group,
			     uint32_t sequence, uint32_t cause, uint64_t count,
			     uint64_t total)
{
	static struct datagram datagram;

	datagram.size = 0;
	put_loss(&datagram, sequence, cause, count, total);
	feed(reader, group, &datagram);
}

static inline void feed_done(struct kerror_reader *reader)
{
	static struct datagram datagram;

	datagram.size = 0;
	put(&datagram, NLMSG_DONE, asked, 0, "\0\0\0", 4);
	feed(reader, 0, &datagram);
}

static inline void feed_error(struct kerror_reader *reader, uint16_t type, int error)
{
	static struct datagram datagram;

	datagram.size = 0;
	put_error(&datagram, type, error);
	feed(reader, 0, &datagram);
}

/* A reader that has seen event @sequence of the raw group. */
static inline struct kerror_reader *reader_at(uint32_t groups, uint32_t sequence)
{
	struct kerror_reader *reader = kerror_reader_new(groups);

	assert_non_null(reader);
	feed_event(reader, RAW, sequence);
	assert_event(reader, RAW, sequence);
	assert_none(reader);
	return reader;
}

#endif
