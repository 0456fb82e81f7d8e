// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the reader: what it makes of each sequence of datagrams. The last
 * tests run it against a model of the kernel that drops, overwrites, fails and
 * is busy at random, and hold it to the promise: each event at most once and
 * in order, and raised = received + lost; of a filtered socket, each event that
 * the filter lets through.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/netlink.h>
#include "build.h"

#define FIRST KERROR_SEQUENCE_FIRST
#define RAW KERROR_GROUP_RAW
#define EVLOG KERROR_GROUP_EVLOG
#define PRINTK KERROR_GROUP_PRINTK
#define GROUPS KERROR_GROUP_COUNT
#define ROUNDS 3000

/* ---- Datagrams ---- */

struct datagram {
	_Alignas(4) uint8_t data[2048];
	size_t size;
};

static void put(struct datagram *datagram, uint16_t type, uint32_t sequence,
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

static void put_event(struct datagram *datagram, uint32_t sequence)
{
	put(datagram, KERROR_MSG_EVENT, sequence, 99, &sequence,
	    sizeof(sequence));
}

static void put_loss(struct datagram *datagram, uint32_t sequence,
		     uint32_t cause, uint64_t count, uint64_t total)
{
	struct kerror_loss loss = {
		.count = count, .total = total, .cause = cause, .group = RAW,
	};

	put(datagram, KERROR_MSG_LOSS, sequence, 0, &loss, sizeof(loss));
}

static void put_error(struct datagram *datagram, uint16_t type, int error)
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

static void feed(struct kerror_reader *reader, uint32_t group,
		 const struct datagram *datagram)
{
	assert_int_equal(kerror_reader_feed(reader, group, datagram->data,
					    datagram->size), 0);
}

static void assert_none(struct kerror_reader *reader)
{
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_NONE);
}

static void assert_event(struct kerror_reader *reader, uint32_t group,
			 uint32_t sequence)
{
	const struct kerror_event *event;

	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_EVENT);
	event = kerror_reader_event(reader);
	assert_int_equal(kerror_event_group(event), group);
	assert_int_equal(kerror_event_sequence(event), sequence);
	assert_int_equal(kerror_event_thread(event), 99);
}

static void assert_loss(struct kerror_reader *reader, uint32_t group,
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

static void assert_error(struct kerror_reader *reader, int error)
{
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_ERROR);
	assert_int_equal(kerror_reader_error(reader), error);
}

static void assert_request(struct kerror_reader *reader, uint16_t type,
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

static void assert_replay(struct kerror_reader *reader, uint32_t group,
			  uint32_t sequence)
{
	assert_request(reader, KERROR_MSG_REPLAY, group, 0, sequence);
}

static void assert_replay_from_boot(struct kerror_reader *reader,
				    uint32_t group)
{
	assert_request(reader, KERROR_MSG_REPLAY, group, KERROR_REPLAY_BOOT, 0);
}

static void feed_event(struct kerror_reader *reader, uint32_t group,
		       uint32_t sequence)
{
	static struct datagram datagram;

	datagram.size = 0;
	put_event(&datagram, sequence);
	feed(reader, group, &datagram);
}

static void feed_loss(struct kerror_reader *reader, uint32_t group,
		      uint32_t sequence, uint32_t cause, uint64_t count,
		      uint64_t total)
{
	static struct datagram datagram;

	datagram.size = 0;
	put_loss(&datagram, sequence, cause, count, total);
	feed(reader, group, &datagram);
}

static void feed_done(struct kerror_reader *reader)
{
	static struct datagram datagram;

	datagram.size = 0;
	put(&datagram, NLMSG_DONE, asked, 0, "\0\0\0", 4);
	feed(reader, 0, &datagram);
}

static void feed_error(struct kerror_reader *reader, uint16_t type, int error)
{
	static struct datagram datagram;

	datagram.size = 0;
	put_error(&datagram, type, error);
	feed(reader, 0, &datagram);
}

/* A reader that has seen event @sequence of the raw group. */
static struct kerror_reader *reader_at(uint32_t groups, uint32_t sequence)
{
	struct kerror_reader *reader = kerror_reader_new(groups);

	assert_non_null(reader);
	feed_event(reader, RAW, sequence);
	assert_event(reader, RAW, sequence);
	assert_none(reader);
	return reader;
}

/* ---- Tests ---- */

static void test_order(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);
	struct datagram datagram = { 0 };
	uint32_t cursor;

	(void)state;
	assert_none(reader);
	assert_int_equal(kerror_reader_cursor(reader, RAW, &cursor), -EAGAIN);
	assert_int_equal(kerror_reader_cursor(reader, 4, &cursor), -EINVAL);
	kerror_reader_overrun(reader);	/* nothing is expected yet */
	assert_none(reader);

	put_event(&datagram, UINT32_MAX);
	feed(reader, RAW, &datagram);
	assert_int_equal(kerror_reader_feed(reader, RAW, &datagram, 0), -EBUSY);
	assert_event(reader, RAW, UINT32_MAX);
	assert_none(reader);
	feed_event(reader, RAW, UINT32_MAX);	/* known */
	assert_none(reader);
	feed_event(reader, RAW, 0);		/* the wrap is no gap */
	assert_event(reader, RAW, 0);
	feed_event(reader, RAW, UINT32_MAX - 1);
	assert_none(reader);
	assert_int_equal(kerror_reader_cursor(reader, RAW, &cursor), 0);
	assert_int_equal(cursor, 1);

	/* The other group has numbers of its own. */
	feed_event(reader, EVLOG, 500);
	assert_event(reader, EVLOG, 500);
	/* Groups that are not known, or two at once, are none. */
	feed_event(reader, 4, 1);
	assert_none(reader);
	feed_event(reader, RAW | EVLOG, 1);
	assert_none(reader);
	/* Nor does anything count that was not asked for. */
	feed_event(reader, 0, 1);
	assert_none(reader);
	feed_done(reader);
	assert_none(reader);
	assert_false(kerror_reader_replaying(reader));
	assert_int_equal(kerror_reader_received(reader), 3);
	assert_int_equal(kerror_reader_lost(reader), 0);
	kerror_reader_free(reader);
}

static void test_group_not_read(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);
	uint32_t cursor;

	(void)state;
	feed_event(reader, EVLOG, 1);
	assert_none(reader);
	assert_int_equal(kerror_reader_cursor(reader, EVLOG, &cursor), -EINVAL);
	assert_int_equal(kerror_reader_from(reader, EVLOG, 1), -EINVAL);
	kerror_reader_want_statistics(reader);
	assert_request(reader, KERROR_MSG_STATISTICS, RAW, 0, 0);
	assert_none(reader);
	kerror_reader_free(reader);
}

static void test_gap(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);
	struct datagram datagram = { 0 };

	(void)state;
	feed_event(reader, RAW, 13);
	assert_replay(reader, RAW, 11);
	assert_none(reader);
	assert_true(kerror_reader_replaying(reader));
	feed_event(reader, RAW, 14);	/* no use yet; one replay is enough */
	assert_none(reader);
	feed_event(reader, RAW, 11);	/* what is expected is welcome */
	assert_event(reader, RAW, 11);
	/* Old kernels may have NOOPs in a replay. */
	put(&datagram, NLMSG_NOOP, asked, 0, NULL, 0);
	for (uint32_t i = 11; i <= 14; i++) {
		put_event(&datagram, i);
		put(&datagram, NLMSG_NOOP, asked, 0, NULL, 0);
	}
	feed(reader, 0, &datagram);
	assert_event(reader, RAW, 12);
	assert_event(reader, RAW, 13);
	assert_event(reader, RAW, 14);
	assert_none(reader);
	feed_done(reader);
	assert_none(reader);
	assert_false(kerror_reader_replaying(reader));
	feed_event(reader, RAW, 15);
	assert_event(reader, RAW, 15);
	assert_none(reader);
	kerror_reader_free(reader);
}

/* What a replay ended too early for is asked for again, but not for ever. */
static void test_gap_during_replay(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);

	(void)state;
	feed_event(reader, RAW, 13);
	assert_replay(reader, RAW, 11);
	feed_event(reader, RAW, 20);
	assert_none(reader);
	feed_event(reader, 0, 11);
	assert_event(reader, RAW, 11);
	assert_none(reader);
	feed_done(reader);
	assert_replay(reader, RAW, 12);
	feed_done(reader);
	assert_none(reader);
	assert_false(kerror_reader_replaying(reader));
	kerror_reader_free(reader);
}

static void test_overrun(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);

	(void)state;
	kerror_reader_overrun(reader);
	assert_true(kerror_reader_replaying(reader));
	assert_replay(reader, RAW, 11);
	/* Another one while it runs: it may end before what was dropped. */
	kerror_reader_overrun(reader);
	assert_none(reader);
	feed_event(reader, 0, 11);
	assert_event(reader, RAW, 11);
	assert_none(reader);
	feed_done(reader);
	assert_replay(reader, RAW, 12);
	feed_done(reader);
	assert_none(reader);
	assert_false(kerror_reader_drained(reader) &&
		     kerror_reader_next(reader) != KERROR_ITEM_NONE);
	kerror_reader_free(reader);
}

static void test_answer_lost(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);

	(void)state;
	/* No overrun: the replay is on its way. */
	feed_event(reader, RAW, 12);
	assert_replay(reader, RAW, 11);
	assert_false(kerror_reader_drained(reader));
	assert_none(reader);
	feed_done(reader);
	assert_none(reader);

	kerror_reader_overrun(reader);
	kerror_reader_want_statistics(reader);
	assert_request(reader, KERROR_MSG_STATISTICS, RAW, 0, 0);
	assert_replay(reader, RAW, 11);
	assert_none(reader);
	assert_true(kerror_reader_drained(reader));
	assert_request(reader, KERROR_MSG_STATISTICS, RAW, 0, 0);
	assert_replay(reader, RAW, 11);
	assert_none(reader);
	assert_false(kerror_reader_drained(reader));
	assert_none(reader);
	kerror_reader_free(reader);
}

/* A replay that was given up, but runs: whatever comes is not mixed up. */
static void test_given_up(void **state)
{
	struct kerror_reader *reader = reader_at(KERROR_GROUP_ALL, 10);
	uint32_t given_up;

	(void)state;
	feed_event(reader, EVLOG, 5);
	assert_event(reader, EVLOG, 5);
	assert_none(reader);
	kerror_reader_overrun(reader);
	assert_replay(reader, RAW, 11);
	given_up = asked;
	assert_none(reader);
	assert_true(kerror_reader_drained(reader));
	/* The other group is not asked for, although it was its turn. */
	assert_replay(reader, RAW, 11);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	assert_none(reader);
	feed_event(reader, EVLOG, 7);
	assert_replay(reader, RAW, 11);
	/* This ends another one than the one that was asked for. */
	asked = given_up;
	feed_done(reader);
	assert_none(reader);
	assert_true(kerror_reader_replaying(reader));
	feed_error(reader, KERROR_MSG_REPLAY, -EBUSY);
	assert_none(reader);
	kerror_reader_overrun(reader);
	assert_none(reader);
	assert_true(kerror_reader_drained(reader));
	assert_replay(reader, RAW, 11);
	feed_event(reader, 0, 11);
	assert_event(reader, RAW, 11);
	feed_done(reader);
	/* Now it is clear that none runs any more. */
	assert_replay(reader, EVLOG, 6);
	kerror_reader_free(reader);
}

static void test_answers(void **state)
{
	struct kerror_reader *reader = reader_at(KERROR_GROUP_ALL, 10);

	(void)state;
	feed_event(reader, EVLOG, 5);
	assert_event(reader, EVLOG, 5);
	assert_none(reader);

	/* It has begun nevertheless. */
	feed_event(reader, RAW, 12);
	assert_replay(reader, RAW, 11);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOBUFS);
	assert_none(reader);
	assert_true(kerror_reader_replaying(reader));
	feed_event(reader, 0, 11);
	assert_event(reader, RAW, 11);
	feed_done(reader);
	assert_none(reader);

	/* A replay that is not this one's: of whatever group. */
	feed_event(reader, RAW, 13);
	assert_replay(reader, RAW, 12);
	feed_error(reader, KERROR_MSG_REPLAY, -EBUSY);
	assert_none(reader);
	feed_event(reader, 0, 12);
	assert_none(reader);
	feed_loss(reader, 0, 500, KERROR_LOST_HISTORY, 488, 0);
	assert_none(reader);
	assert_true(kerror_reader_replaying(reader));
	feed_done(reader);
	assert_replay(reader, RAW, 12);
	feed_event(reader, 0, 12);
	assert_event(reader, RAW, 12);
	feed_done(reader);
	assert_none(reader);

	/* No memory: again when something newer comes. */
	feed_event(reader, RAW, 14);
	assert_replay(reader, RAW, 13);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	assert_none(reader);
	assert_false(kerror_reader_replaying(reader));
	feed_event(reader, RAW, 15);
	assert_replay(reader, RAW, 13);
	feed_done(reader);
	assert_none(reader);

	/* Other errors do not end a replay; an ACK is no error. */
	feed_event(reader, RAW, 16);
	assert_replay(reader, RAW, 13);
	feed_error(reader, KERROR_MSG_STATISTICS, -EPERM);
	assert_error(reader, -EPERM);
	feed_error(reader, KERROR_MSG_REPLAY, 0);
	assert_none(reader);
	assert_true(kerror_reader_replaying(reader));
	kerror_reader_free(reader);
}

static void test_two_groups(void **state)
{
	struct kerror_reader *reader = reader_at(KERROR_GROUP_ALL, 10);

	(void)state;
	feed_event(reader, EVLOG, 5);
	assert_event(reader, EVLOG, 5);
	assert_none(reader);
	kerror_reader_overrun(reader);
	assert_replay(reader, RAW, 11);
	assert_none(reader);
	feed_event(reader, 0, 11);
	assert_event(reader, RAW, 11);
	feed_event(reader, EVLOG, 6);	/* not hindered by the other */
	assert_event(reader, EVLOG, 6);
	/* A group that falls behind for ever does not keep out the other. */
	kerror_reader_overrun(reader);
	assert_none(reader);
	feed_done(reader);
	assert_replay(reader, EVLOG, 7);
	feed_event(reader, 0, 7);
	assert_event(reader, EVLOG, 7);
	feed_done(reader);
	assert_replay(reader, RAW, 12);
	feed_done(reader);
	assert_none(reader);
	kerror_reader_free(reader);
}

/* Any subset: what is not asked for is not even looked at. */
static void test_three_groups(void **state)
{
	(void)state;
	for (uint32_t set = 1; set < 8; set++) {
		struct kerror_reader *reader;
		uint32_t groups = 0, cursor;

		for (int i = 0; i < GROUPS; i++)
			groups |= set & 1U << i ? kerror_group_at(i) : 0;
		reader = kerror_reader_new(groups | KERROR_GROUP_RAW_BATCH |
					   KERROR_GROUP_PRINTK_BATCH | 0x40);
		assert_int_equal(kerror_reader_groups(reader), groups);
		for (int i = 0; i < GROUPS; i++) {
			uint32_t group = kerror_group_at(i);

			feed_event(reader, group, 100 * i);
			if (groups & group)
				assert_event(reader, group, 100 * i);
			assert_none(reader);
			assert_int_equal(kerror_reader_cursor(reader, group,
							      &cursor),
					 groups & group ? 0 : -EINVAL);
		}
		kerror_reader_want_statistics(reader);
		for (int i = 0; i < GROUPS; i++)
			if (set & 1U << i)
				assert_request(reader, KERROR_MSG_STATISTICS,
					       kerror_group_at(i), 0, 0);
		assert_none(reader);
		/* Each in its turn, and a gap in one is none of the others. */
		kerror_reader_overrun(reader);
		for (int i = 0; i < GROUPS; i++) {
			uint32_t group = kerror_group_at(i);

			if (!(groups & group))
				continue;
			assert_replay(reader, group, 100 * i + 1);
			feed_event(reader, 0, 100 * i + 1);
			assert_event(reader, group, 100 * i + 1);
			assert_none(reader);
			feed_done(reader);
		}
		assert_none(reader);
		assert_false(kerror_reader_replaying(reader));
		assert_int_equal(kerror_reader_lost(reader), 0);
		kerror_reader_free(reader);
	}
}

/* An error with the request that it answers, as the kernel sends it */
static void feed_refusal(struct kerror_reader *reader, uint16_t type, int error,
			 uint32_t group)
{
	struct {
		struct nlmsgerr error;
		struct kerror_request request;
	} answer = {
		.error.error = error, .error.msg.nlmsg_type = type,
		.request.group = group,
	};
	static struct datagram datagram;

	datagram.size = 0;
	put(&datagram, NLMSG_ERROR, 0, 0, &answer, sizeof(answer));
	feed(reader, 0, &datagram);
}

/* A kernel of before the group printk is read without it. */
static void test_old_kernel(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(EVLOG | PRINTK);
	uint32_t cursor;

	(void)state;
	kerror_reader_from_boot(reader);
	assert_replay_from_boot(reader, EVLOG);
	feed_event(reader, 0, FIRST);
	assert_event(reader, EVLOG, FIRST);
	assert_none(reader);
	feed_done(reader);
	assert_replay_from_boot(reader, PRINTK);
	feed_refusal(reader, KERROR_MSG_REPLAY, -EINVAL, PRINTK);
	assert_none(reader);
	assert_int_equal(kerror_reader_groups(reader), EVLOG);
	assert_int_equal(kerror_reader_cursor(reader, PRINTK, &cursor), -EINVAL);
	assert_false(kerror_reader_replaying(reader));
	kerror_reader_want_statistics(reader);
	assert_request(reader, KERROR_MSG_STATISTICS, EVLOG, 0, 0);
	assert_none(reader);
	kerror_reader_free(reader);

	/* Likewise if the first that it asks for is statistics. */
	reader = kerror_reader_new(EVLOG | PRINTK);
	kerror_reader_want_statistics(reader);
	assert_request(reader, KERROR_MSG_STATISTICS, EVLOG, 0, 0);
	assert_request(reader, KERROR_MSG_STATISTICS, PRINTK, 0, 0);
	feed_refusal(reader, KERROR_MSG_STATISTICS, -EINVAL, PRINTK);
	assert_none(reader);
	assert_int_equal(kerror_reader_groups(reader), EVLOG);
	kerror_reader_free(reader);

	/* Any other error, or of another group, is one. */
	reader = kerror_reader_new(EVLOG | PRINTK);
	kerror_reader_want_statistics(reader);
	assert_request(reader, KERROR_MSG_STATISTICS, EVLOG, 0, 0);
	assert_request(reader, KERROR_MSG_STATISTICS, PRINTK, 0, 0);
	feed_refusal(reader, KERROR_MSG_STATISTICS, -EPERM, PRINTK);
	assert_error(reader, -EPERM);
	feed_refusal(reader, KERROR_MSG_STATISTICS, -EINVAL, EVLOG);
	assert_error(reader, -EINVAL);
	assert_int_equal(kerror_reader_groups(reader), EVLOG | PRINTK);
	kerror_reader_free(reader);
}

static void test_loss(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);

	(void)state;
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 2, 12);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 2, 12);
	assert_none(reader);
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 2, 12);	/* known */
	assert_none(reader);
	/* The notices of 13 to 15 and 3 to 10 were missed, and come late. */
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 1, 16);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 4, 16);
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 3, 15);
	assert_none(reader);
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 5, 7);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 8, 7);
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 3, 10);
	assert_none(reader);
	/* Causes are counted apart, and the group is the one it was sent to. */
	feed_loss(reader, RAW, 11, KERROR_LOST_TOO_LONG, 7, 7);
	assert_loss(reader, RAW, KERROR_LOST_TOO_LONG, 7, 7);
	feed_loss(reader, RAW, 11, 1000, 4, 4);	/* of a newer kernel */
	assert_loss(reader, RAW, 1000, 4, 4);
	assert_int_equal(kerror_reader_lost(reader), 14 + 7 + 4);
	assert_none(reader);
	/* A notice tells of a gap, too. */
	feed_loss(reader, RAW, 13, KERROR_LOST_NMI, 1, 17);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 1, 17);
	assert_replay(reader, RAW, 11);
	kerror_reader_free(reader);
}

static void test_history_loss(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, UINT32_MAX - 1);

	(void)state;
	/* Of another reader, were it not an answer. */
	feed_loss(reader, RAW, 100, KERROR_LOST_HISTORY, 50, 0);
	assert_none(reader);

	kerror_reader_overrun(reader);
	assert_replay(reader, RAW, UINT32_MAX);
	feed_event(reader, RAW, UINT32_MAX);	/* after the request */
	assert_event(reader, RAW, UINT32_MAX);
	feed_loss(reader, 0, 5, KERROR_LOST_HISTORY, 6, 0);
	assert_loss(reader, RAW, KERROR_LOST_HISTORY, 5, 0);
	feed_event(reader, 0, 5);
	assert_event(reader, RAW, 5);
	feed_loss(reader, 0, 6, KERROR_LOST_HISTORY, 1, 0);	/* all known */
	assert_none(reader);
	feed_event(reader, 0, 6);
	assert_event(reader, RAW, 6);
	feed_done(reader);
	assert_none(reader);
	assert_int_equal(kerror_reader_received(reader), 4);
	assert_int_equal(kerror_reader_lost(reader), 5);
	kerror_reader_free(reader);
}

static void test_from_boot(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW | EVLOG);
	uint32_t cursor;

	(void)state;
	kerror_reader_from_boot(reader);
	assert_replay_from_boot(reader, RAW);
	feed_event(reader, RAW, 100);	/* the replay will bring it */
	assert_none(reader);
	/* Before the first notice, losses are counted from 0. */
	feed_loss(reader, 0, FIRST, KERROR_LOST_NMI, 1, 3);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 3, 3);
	/* As many as there are numbers, and some: no matter. */
	feed_loss(reader, 0, 100, KERROR_LOST_HISTORY, 0x123456789, 0);
	assert_loss(reader, RAW, KERROR_LOST_HISTORY, 0x123456789, 0);
	feed_event(reader, 0, 100);
	assert_event(reader, RAW, 100);
	feed_done(reader);

	assert_replay_from_boot(reader, EVLOG);
	kerror_reader_overrun(reader);
	feed_done(reader);		/* there was no event */
	assert_replay(reader, RAW, 101);
	assert_int_equal(kerror_reader_cursor(reader, EVLOG, &cursor), 0);
	assert_int_equal(cursor, FIRST);
	feed_done(reader);
	assert_replay(reader, EVLOG, FIRST);
	feed_event(reader, EVLOG, FIRST);
	assert_event(reader, EVLOG, FIRST);
	kerror_reader_free(reader);
}

static void test_from_boot_failed(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW);

	(void)state;
	kerror_reader_from_boot(reader);
	assert_replay_from_boot(reader, RAW);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	assert_none(reader);
	feed_event(reader, RAW, 100);
	assert_replay_from_boot(reader, RAW);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	feed_loss(reader, RAW, 101, KERROR_LOST_NMI, 1, 1);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 1, 1);
	assert_replay_from_boot(reader, RAW);
	/* Begins too late and says nothing of it: no answer. */
	feed_event(reader, 0, FIRST + 1);
	assert_none(reader);
	feed_error(reader, KERROR_MSG_REPLAY, -EINVAL);
	assert_error(reader, -EINVAL);
	assert_none(reader);
	feed_event(reader, RAW, 101);
	assert_event(reader, RAW, 101);
	kerror_reader_free(reader);
}

static void test_cursor(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW);
	struct kerror_loss loss = {
		.group = RAW, .cause = KERROR_LOST_NMI, .count = 1, .total = 9,
	};
	uint32_t cursor;

	(void)state;
	assert_int_equal(kerror_reader_from(reader, RAW, 1000), 0);
	assert_int_equal(kerror_reader_cursor(reader, RAW, &cursor), 0);
	assert_int_equal(cursor, 1000);
	assert_int_equal(kerror_reader_from_loss(reader, &loss), 0);
	loss.group = EVLOG;
	assert_int_equal(kerror_reader_from_loss(reader, &loss), -EINVAL);
	loss.group = RAW;
	loss.cause = 1000;
	assert_int_equal(kerror_reader_from_loss(reader, &loss), -EINVAL);

	assert_replay(reader, RAW, 1000);
	feed_loss(reader, 0, 1000, KERROR_LOST_NMI, 2, 9);
	assert_none(reader);
	feed_event(reader, 0, 1000);
	assert_event(reader, RAW, 1000);
	feed_loss(reader, 0, 1001, KERROR_LOST_NMI, 2, 12);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 3, 12);
	feed_done(reader);
	assert_none(reader);
	kerror_reader_free(reader);

	/* The machine was rebooted in between. */
	reader = kerror_reader_new(RAW);
	assert_int_equal(kerror_reader_from(reader, RAW, 1000), 0);
	assert_replay(reader, RAW, 1000);
	feed_error(reader, KERROR_MSG_REPLAY, -EINVAL);
	assert_error(reader, -EINVAL);
	assert_replay_from_boot(reader, RAW);
	feed_event(reader, RAW, FIRST + 1);	/* the replay will bring it */
	assert_none(reader);
	feed_event(reader, 0, FIRST);
	assert_event(reader, RAW, FIRST);
	feed_event(reader, 0, FIRST + 1);
	assert_event(reader, RAW, FIRST + 1);
	feed_done(reader);
	assert_none(reader);
	assert_false(kerror_reader_replaying(reader));
	kerror_reader_free(reader);
}

static void test_statistics(void **state)
{
	struct kerror_reader *reader = reader_at(RAW, 10);
	struct kerror_statistics statistics = {
		.numbered = 300, .group = RAW, .sequence_next = 11,
		.sequence_oldest = 5, .causes = KERROR_CAUSES,
		.lost = { [KERROR_LOST_NMI] = 12, [KERROR_LOST_TOO_LONG] = 3 },
	};
	struct {
		struct kerror_statistics known;
		uint64_t more;
	} newer;
	struct datagram datagram = { 0 };

	(void)state;
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 2, 9);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 2, 9);
	assert_none(reader);
	kerror_reader_want_statistics(reader);
	assert_request(reader, KERROR_MSG_STATISTICS, RAW, 0, 0);
	assert_none(reader);

	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics,
	    sizeof(statistics));
	feed(reader, RAW, &datagram);	/* a broadcast is no answer */
	assert_none(reader);
	feed(reader, 0, &datagram);
	/* Nobody knows when those of the other cause were lost. */
	assert_loss(reader, RAW, KERROR_LOST_NMI, 3, 12);
	assert_int_equal(kerror_reader_feed(reader, RAW, &datagram, 4), -EBUSY);
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_STATISTICS);
	assert_memory_equal(kerror_reader_statistics(reader), &statistics,
			    sizeof(statistics));
	assert_none(reader);
	/* From now on they are known, and this notice is late. */
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 3, 12);
	assert_none(reader);
	feed_loss(reader, RAW, 11, KERROR_LOST_TOO_LONG, 1, 5);
	assert_loss(reader, RAW, KERROR_LOST_TOO_LONG, 2, 5);
	feed_loss(reader, RAW, 11, KERROR_LOST_NMI, 4, 16);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 4, 16);

	/* A newer kernel with more causes, and an event that was missed. */
	newer.known = statistics;
	newer.known.causes++;
	newer.known.sequence_next++;
	newer.known.lost[KERROR_LOST_NMI] = 16;
	newer.known.lost[KERROR_LOST_TOO_LONG] = 5;
	newer.more = 77;
	datagram.size = 0;
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &newer, sizeof(newer));
	feed(reader, 0, &datagram);
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_STATISTICS);
	assert_int_equal(kerror_reader_statistics(reader)->causes,
			 KERROR_CAUSES);
	assert_replay(reader, RAW, 11);
	/* Too short to have a group. */
	datagram.size = 0;
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics, 8);
	feed(reader, 0, &datagram);
	assert_none(reader);
	assert_int_equal(kerror_reader_lost(reader), 2 + 3 + 2 + 4);
	kerror_reader_free(reader);
}

/* What the filter keeps back is not missing. */
static void test_filtered(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);
	struct kerror_statistics statistics = {
		.group = RAW, .sequence_next = 60, .causes = KERROR_CAUSES,
		.lost = { [KERROR_LOST_NMI] = 12 },
	};
	struct datagram datagram = { 0 };
	uint32_t cursor;

	(void)state;
	kerror_reader_filtered(reader);
	feed_event(reader, RAW, UINT32_MAX - 5);
	assert_event(reader, RAW, UINT32_MAX - 5);
	feed_event(reader, RAW, 10);
	assert_event(reader, RAW, 10);
	assert_none(reader);
	feed_event(reader, RAW, 40);
	assert_event(reader, RAW, 40);
	feed_event(reader, RAW, 39);		/* known */
	assert_none(reader);
	feed_event(reader, EVLOG, 7);
	assert_event(reader, EVLOG, 7);
	feed_event(reader, EVLOG, 9);
	assert_event(reader, EVLOG, 9);
	assert_none(reader);
	assert_false(kerror_reader_drained(reader));

	/* A notice is not filtered: it tells how far the events have come. */
	feed_loss(reader, RAW, 50, KERROR_LOST_NMI, 2, 12);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 2, 12);
	assert_none(reader);
	assert_int_equal(kerror_reader_cursor(reader, RAW, &cursor), 0);
	assert_int_equal(cursor, 50);
	/* Statistics may be ahead of the events. */
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics,
	    sizeof(statistics));
	feed(reader, 0, &datagram);
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_STATISTICS);
	assert_none(reader);
	feed_event(reader, RAW, 59);
	assert_event(reader, RAW, 59);
	assert_none(reader);
	assert_false(kerror_reader_replaying(reader));
	assert_int_equal(kerror_reader_received(reader), 6);
	assert_int_equal(kerror_reader_lost(reader), 2);
	kerror_reader_free(reader);
}

static struct kerror_reader *filtered_reader_at(uint32_t groups,
						uint32_t sequence)
{
	struct kerror_reader *reader = reader_at(groups, sequence);

	kerror_reader_filtered(reader);
	return reader;
}

/* But what was dropped is, and the kernel tells of the first one only. */
static void test_filtered_overrun(void **state)
{
	struct kerror_reader *reader = filtered_reader_at(RAW, 10);

	(void)state;
	kerror_reader_overrun(reader);
	assert_replay(reader, RAW, 11);
	feed_event(reader, RAW, 15);	/* the replay will bring it */
	assert_none(reader);
	for (uint32_t i = 11; i <= 15; i++) {
		feed_event(reader, 0, i);
		assert_event(reader, RAW, i);
	}
	feed_done(reader);
	assert_none(reader);
	/* It goes on dropping as long as there is something in the queue. */
	feed_event(reader, RAW, 18);
	assert_replay(reader, RAW, 16);
	feed_event(reader, 0, 16);
	assert_event(reader, RAW, 16);
	feed_loss(reader, 0, 18, KERROR_LOST_HISTORY, 1, 0);
	assert_loss(reader, RAW, KERROR_LOST_HISTORY, 1, 0);
	feed_event(reader, 0, 18);
	assert_event(reader, RAW, 18);
	feed_done(reader);
	assert_none(reader);
	/* Now nothing else would tell of the last ones. */
	assert_true(kerror_reader_drained(reader));
	assert_replay(reader, RAW, 19);
	feed_event(reader, 0, 19);
	assert_event(reader, RAW, 19);
	feed_event(reader, RAW, 22);
	assert_none(reader);
	feed_done(reader);		/* before 20 to 22 were raised */
	assert_replay(reader, RAW, 20);
	for (uint32_t i = 20; i <= 22; i++) {
		feed_event(reader, 0, i);
		assert_event(reader, RAW, i);
	}
	feed_done(reader);
	assert_none(reader);
	assert_false(kerror_reader_drained(reader));
	feed_event(reader, RAW, 30);
	assert_event(reader, RAW, 30);
	assert_none(reader);
	assert_int_equal(kerror_reader_lost(reader), 1);
	kerror_reader_free(reader);
}

/* As long as it could not be asked for, it may be missing. */
static void test_filtered_failed(void **state)
{
	struct kerror_reader *reader = filtered_reader_at(KERROR_GROUP_ALL, 10);
	struct kerror_statistics statistics = {
		.group = RAW, .sequence_next = 20, .causes = KERROR_CAUSES,
	};
	struct datagram datagram = { 0 };

	(void)state;
	kerror_reader_overrun(reader);
	assert_replay(reader, RAW, 11);
	assert_true(kerror_reader_drained(reader));
	assert_replay(reader, RAW, 11);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	assert_none(reader);
	feed_event(reader, RAW, 15);
	assert_replay(reader, RAW, 11);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	feed_loss(reader, RAW, 18, KERROR_LOST_NMI, 1, 1);
	assert_loss(reader, RAW, KERROR_LOST_NMI, 1, 1);
	assert_replay(reader, RAW, 11);
	feed_error(reader, KERROR_MSG_REPLAY, -ENOMEM);
	assert_error(reader, -ENOMEM);
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics,
	    sizeof(statistics));
	feed(reader, 0, &datagram);
	assert_int_equal(kerror_reader_next(reader), KERROR_ITEM_STATISTICS);
	assert_replay(reader, RAW, 11);
	/* A group that has begun since is not in doubt. */
	feed_event(reader, EVLOG, 5);
	assert_event(reader, EVLOG, 5);
	feed_event(reader, EVLOG, 8);
	assert_event(reader, EVLOG, 8);
	for (uint32_t i = 11; i < 20; i++) {
		feed_event(reader, 0, i);
		assert_event(reader, RAW, i);
	}
	feed_done(reader);
	assert_none(reader);
	feed_event(reader, RAW, 25);
	assert_event(reader, RAW, 25);
	assert_none(reader);
	kerror_reader_free(reader);
}

static void test_filtered_start(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW);

	(void)state;
	kerror_reader_filtered(reader);
	assert_int_equal(kerror_reader_from(reader, RAW, 1000), 0);
	assert_replay(reader, RAW, 1000);
	feed_event(reader, RAW, 1003);
	assert_none(reader);
	for (uint32_t i = 1000; i <= 1003; i++) {
		feed_event(reader, 0, i);
		assert_event(reader, RAW, i);
	}
	feed_done(reader);
	assert_none(reader);
	feed_event(reader, RAW, 1010);
	assert_event(reader, RAW, 1010);
	assert_none(reader);
	kerror_reader_free(reader);

	reader = kerror_reader_new(RAW);
	kerror_reader_filtered(reader);
	kerror_reader_from_boot(reader);
	assert_replay_from_boot(reader, RAW);
	feed_event(reader, RAW, FIRST + 1);
	assert_none(reader);
	feed_done(reader);		/* before there was any */
	assert_none(reader);
	feed_event(reader, RAW, FIRST + 5);
	assert_event(reader, RAW, FIRST + 5);
	assert_none(reader);
	kerror_reader_free(reader);

	reader = kerror_reader_new(RAW);
	kerror_reader_filtered(reader);
	kerror_reader_from_boot(reader);
	assert_replay_from_boot(reader, RAW);
	feed_event(reader, 0, FIRST);
	assert_event(reader, RAW, FIRST);
	feed_event(reader, RAW, FIRST + 2);	/* the replay will bring it */
	assert_none(reader);
	feed_event(reader, 0, FIRST + 1);
	assert_event(reader, RAW, FIRST + 1);
	feed_event(reader, 0, FIRST + 2);
	assert_event(reader, RAW, FIRST + 2);
	feed_done(reader);
	assert_none(reader);
	kerror_reader_free(reader);

	/* The first event that comes is not the last that is dropped. */
	reader = kerror_reader_new(RAW);
	kerror_reader_filtered(reader);
	kerror_reader_overrun(reader);
	assert_none(reader);
	feed_event(reader, RAW, 5);
	assert_event(reader, RAW, 5);
	feed_event(reader, RAW, 9);
	assert_replay(reader, RAW, 6);
	feed_done(reader);
	assert_none(reader);
	assert_true(kerror_reader_drained(reader));
	assert_replay(reader, RAW, 6);
	feed_done(reader);
	assert_none(reader);
	feed_event(reader, RAW, 20);
	assert_event(reader, RAW, 20);
	assert_none(reader);
	kerror_reader_free(reader);
}

static void test_malformed(void **state)
{
	static const struct { size_t size; uint32_t length; } cases[] = {
		{ NLMSG_HDRLEN - 1, NLMSG_HDRLEN }, { 1, NLMSG_HDRLEN },
		{ NLMSG_HDRLEN, NLMSG_HDRLEN - 1 }, { NLMSG_HDRLEN, 0 },
		{ NLMSG_HDRLEN + 8, NLMSG_HDRLEN + 9 },
		{ NLMSG_HDRLEN + 8, UINT32_MAX },
	};
	struct kerror_reader *reader;
	struct datagram datagram;
	uint8_t *exact;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		reader = reader_at(RAW, 10);
		datagram.size = 0;
		put_event(&datagram, 11);
		put(&datagram, KERROR_MSG_EVENT, 12, 99, "12345678", 8);
		memcpy(datagram.data + NLMSG_SPACE(4), &cases[i].length, 4);
		datagram.size = NLMSG_SPACE(4) + cases[i].size;
		exact = malloc(datagram.size);
		memcpy(exact, datagram.data, datagram.size);
		assert_int_equal(kerror_reader_feed(reader, RAW, exact,
						    datagram.size), 0);
		assert_event(reader, RAW, 11);
		assert_error(reader, -EBADMSG);
		/* Who knows what it was. */
		assert_replay(reader, RAW, 12);
		assert_none(reader);
		kerror_reader_free(reader);
		free(exact);
	}

	/* Short payloads, NOOPs and unknown types are passed over. */
	reader = reader_at(RAW, 10);
	datagram.size = 0;
	put(&datagram, KERROR_MSG_LOSS, 11, 0, "1234", 4);
	put(&datagram, NLMSG_NOOP, 0, 0, NULL, 0);
	put(&datagram, 0x1234, 0, 0, NULL, 0);
	put(&datagram, KERROR_MSG_EVENT, 11, 99, NULL, 0);
	feed(reader, RAW, &datagram);
	assert_event(reader, RAW, 11);
	assert_none(reader);
	datagram.size = 0;
	put(&datagram, NLMSG_ERROR, 0, 0, "1234", 4);
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, NULL, 0);
	feed(reader, 0, &datagram);
	assert_none(reader);
	kerror_reader_free(reader);
}

static void test_mutations(void **state)
{
	struct kerror_statistics statistics = {
		.group = RAW, .causes = KERROR_CAUSES, .lost = { 1, 2, 3 },
	};
	struct kerror_reader *reader = reader_at(KERROR_GROUP_ALL, 10);
	static const uint32_t sources[] = { 0, RAW, EVLOG, PRINTK };
	uint64_t random = 0x6d757461;
	unsigned int items[KERROR_ITEM_ERROR + 1] = { 0 }, total;
	struct datagram datagram;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		enum kerror_item item;
		uint32_t next;
		uint8_t *exact;

		assert_int_equal(kerror_reader_cursor(reader, RAW, &next), 0);
		datagram.size = 0;
		put_event(&datagram, next);
		put_loss(&datagram, next + 1, i % 8, 1, i);
		put_error(&datagram, KERROR_MSG_REPLAY, -EPERM);
		put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics,
		    sizeof(statistics));
		put(&datagram, NLMSG_DONE, 0, 0, NULL, 0);
		for (uint64_t n = build_random(&random) % 4; n--;)
			datagram.data[build_random(&random) % datagram.size] =
				build_random(&random);
		datagram.size -= build_random(&random) % datagram.size;
		exact = malloc(datagram.size);
		memcpy(exact, datagram.data, datagram.size);
		assert_int_equal(kerror_reader_feed(reader, sources[i % 4], exact,
						    datagram.size), 0);
		/* It comes to an end: an item a message, and the requests. */
		for (total = 0; (item = kerror_reader_next(reader)); total++) {
			items[item]++;
			assert_true(total < 64);
		}
		free(exact);
	}
	for (int item = KERROR_ITEM_EVENT; item <= KERROR_ITEM_ERROR; item++)
		assert_true(items[item] > 100);
	kerror_reader_free(reader);
}

/* ---- Model of the kernel: what <linux/kerror.h> lets it do ---- */

#define HISTORY 48	/* messages in a group's history */
#define QUEUE 12	/* datagrams in the receive queue */

struct message {
	uint16_t type;
	uint32_t sequence;
	uint64_t number;	/* of the event, since boot */
	struct kerror_loss loss;
};

struct stream {
	struct message history[HISTORY];
	uint64_t head, tail;
	uint64_t numbered, raised;
	uint64_t total[KERROR_LOST_HISTORY], pending[KERROR_LOST_HISTORY];
	/* What the reader under test has been given. */
	uint64_t given;		/* number of the event that comes next, or would */
	bool given_known;
	uint64_t known[KERROR_LOST_HISTORY];	/* last total that it told */
};

struct kernel {
	struct stream stream[GROUPS];
	struct { uint32_t group; struct datagram datagram; } queue[QUEUE + 8];
	unsigned int queued;
	bool congested;		/* until the queue is empty */
	bool error;		/* ENOBUFS is to be reported */
	bool failures;		/* allocations may fail */
	bool filtered;		/* some events are not broadcast to this reader */
	bool replaying;
	int replay_group;
	bool replay_boot;
	uint32_t replay_sequence, replay_asked;
	uint64_t replay_position;
	uint64_t random;
	uint64_t received, lost;	/* of readers that were restarted */
	uint64_t announced;	/* losses given but for those of the history */
	/* How often it came to what is tested. */
	unsigned int overruns, history_losses, failed, unanswered, restarts;
	unsigned int passed_over;
};

static bool chance(struct kernel *kernel, unsigned int in)
{
	return !(build_random(&kernel->random) % in);
}

static bool fails(struct kernel *kernel)
{
	return kernel->failures && chance(kernel, 40);
}

static uint32_t sequence_next(const struct stream *stream)
{
	return FIRST + (uint32_t)stream->numbered;
}

static void enqueue(struct kernel *kernel, uint32_t group,
		    const struct datagram *datagram)
{
	assert_true(kernel->queued < QUEUE + 8);
	kernel->queue[kernel->queued].group = group;
	kernel->queue[kernel->queued++].datagram = *datagram;
}

/* As netlink does it: whatever is dropped, only the first one is reported. */
static bool send(struct kernel *kernel, uint32_t group,
		 const struct datagram *datagram)
{
	if (fails(kernel)) {
		kernel->error = true;
		return false;
	}
	if (kernel->queued >= QUEUE || kernel->congested) {
		kernel->error |= !kernel->congested;
		kernel->congested = true;
		return false;
	}
	enqueue(kernel, group, datagram);
	return true;
}

static void put_message(struct datagram *datagram,
			const struct message *message)
{
	if (message->type == KERROR_MSG_EVENT)
		put(datagram, message->type, message->sequence, 99,
		    &message->number, sizeof(message->number));
	else
		put(datagram, message->type, message->sequence, 0,
		    &message->loss, sizeof(message->loss));
}

static bool is_filtered(const struct kernel *kernel, uint64_t number)
{
	return kernel->filtered && number * 0x9e3779b97f4a7c15 >> 61;
}

static void publish(struct kernel *kernel, int group, struct message *message)
{
	struct stream *stream = &kernel->stream[group];
	struct datagram datagram = { .size = 0 };

	message->sequence = sequence_next(stream);
	message->number = stream->numbered;
	stream->numbered += message->type == KERROR_MSG_EVENT;
	stream->history[stream->head++ % HISTORY] = *message;
	if (stream->head - stream->tail > HISTORY)
		stream->tail++;
	if (message->type == KERROR_MSG_EVENT &&
	    is_filtered(kernel, message->number)) {
		kernel->error |= fails(kernel);
		return;
	}
	put_message(&datagram, message);
	send(kernel, kerror_group_at(group), &datagram);
}

static void announce(struct kernel *kernel)
{
	for (int group = 0; group < GROUPS; group++) {
		struct stream *stream = &kernel->stream[group];

		for (int cause = 0; cause < KERROR_LOST_HISTORY; cause++) {
			struct message message = { .type = KERROR_MSG_LOSS };

			if (!stream->pending[cause])
				continue;
			stream->total[cause] += stream->pending[cause];
			message.loss = (struct kerror_loss) {
				.count = stream->pending[cause],
				.total = stream->total[cause],
				.group = kerror_group_at(group), .cause = cause,
			};
			stream->pending[cause] = 0;
			publish(kernel, group, &message);
		}
	}
}

static void raise_event(struct kernel *kernel)
{
	int group = chance(kernel, 3) ? 1 + chance(kernel, 2) : 0;
	struct stream *stream = &kernel->stream[group];
	struct message message = { .type = KERROR_MSG_EVENT };

	stream->raised++;
	if (chance(kernel, 8)) {
		stream->pending[build_random(&kernel->random) %
				KERROR_LOST_HISTORY]++;
		return;
	}
	if (!chance(kernel, 3))
		announce(kernel);
	publish(kernel, group, &message);
}

/* One datagram of the replay; broadcasts may slip in before it is queued. */
static void replay(struct kernel *kernel)
{
	struct stream *stream = &kernel->stream[kernel->replay_group];
	unsigned int room = 1 + build_random(&kernel->random) % 8;
	uint32_t *sequence = &kernel->replay_sequence;
	uint64_t *at = &kernel->replay_position;
	uint32_t oldest = sequence_next(stream);
	struct kerror_loss loss = { .cause = KERROR_LOST_HISTORY };
	struct datagram datagram = { .size = 0 };

	if (fails(kernel)) {
		kernel->error = true;
		return;
	}
	if (*at < stream->tail)
		*at = stream->tail;
	for (uint64_t i = stream->head; i-- > stream->tail;)
		if (stream->history[i % HISTORY].type == KERROR_MSG_EVENT)
			oldest = stream->history[i % HISTORY].sequence;
	if (kernel->replay_boot)
		loss.count = stream->numbered -
			     (sequence_next(stream) - oldest);
	else if ((int32_t)(oldest - *sequence) > 0)
		loss.count = oldest - *sequence;
	if (kernel->replay_boot || loss.count)
		*sequence = oldest;
	kernel->replay_boot = false;
	if (loss.count) {
		put(&datagram, KERROR_MSG_LOSS, oldest, 0, &loss, sizeof(loss));
		kernel->history_losses++;
	}
	for (; *at < stream->head && room; ++*at) {
		const struct message *message = &stream->history[*at % HISTORY];

		if ((int32_t)(message->sequence - *sequence) < 0)
			continue;
		put_message(&datagram, message);
		*sequence = message->sequence +
			    (message->type == KERROR_MSG_EVENT);
		room--;
	}
	if (!datagram.size) {
		put(&datagram, NLMSG_DONE, kernel->replay_asked, 0, NULL, 0);
		kernel->replaying = false;
	}
	while (kernel->failures && chance(kernel, 3))
		raise_event(kernel);
	enqueue(kernel, 0, &datagram);
}

static void answer_error(struct kernel *kernel, uint16_t type, int error)
{
	struct datagram datagram = { .size = 0 };

	put_error(&datagram, type, error);
	kernel->unanswered += !send(kernel, 0, &datagram);
}

static void answer_statistics(struct kernel *kernel, int group)
{
	const struct stream *stream = &kernel->stream[group];
	struct kerror_statistics statistics = {
		.numbered = stream->numbered, .group = kerror_group_at(group),
		.sequence_next = sequence_next(stream), .causes = KERROR_CAUSES,
	};
	struct datagram datagram = { .size = 0 };

	for (int cause = 0; cause < KERROR_LOST_HISTORY; cause++)
		statistics.lost[cause] = stream->total[cause] +
					 stream->pending[cause];
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics,
	    sizeof(statistics));
	kernel->unanswered += !send(kernel, 0, &datagram);
}

static void request(struct kernel *kernel, const struct nlmsghdr *header)
{
	const struct kerror_request *body = (const void *)(header + 1);
	int group = kerror_group_index(body->group);
	const struct stream *stream = &kernel->stream[group];

	if (fails(kernel)) {
		kernel->failed++;
		answer_error(kernel, header->nlmsg_type, -ENOMEM);
	} else if (header->nlmsg_type == KERROR_MSG_STATISTICS) {
		answer_statistics(kernel, group);
	} else if ((int32_t)(body->sequence - sequence_next(stream)) > 0 &&
		   !body->flags) {
		fail_msg("asks for an event that is not there yet");
	} else if (kernel->replaying) {
		answer_error(kernel, KERROR_MSG_REPLAY, -EBUSY);
	} else {
		kernel->replaying = true;
		kernel->replay_group = group;
		kernel->replay_boot = body->flags;
		kernel->replay_sequence = body->sequence;
		kernel->replay_position = 0;
		kernel->replay_asked = header->nlmsg_seq;
		if (kernel->queued < QUEUE)
			replay(kernel);
		else
			answer_error(kernel, KERROR_MSG_REPLAY, -ENOBUFS);
	}
}

/* recvmsg(): 0, -ENOBUFS or -EAGAIN. */
static int receive(struct kernel *kernel, uint32_t *group,
		   struct datagram *datagram)
{
	if (kernel->error) {
		kernel->error = false;
		kernel->overruns++;
		return -ENOBUFS;
	}
	if (!kernel->queued)
		return -EAGAIN;
	*group = kernel->queue[0].group;
	*datagram = kernel->queue[0].datagram;
	memmove(kernel->queue, kernel->queue + 1,
		--kernel->queued * sizeof(*kernel->queue));
	if (kernel->replaying && kernel->queued <= QUEUE / 2)
		replay(kernel);
	if (!kernel->queued)
		kernel->congested = false;
	return 0;
}

/* Only what is filtered may be missing before event @number. */
static void pass_over(struct kernel *kernel, struct stream *stream,
		      uint64_t number)
{
	assert_true(stream->given <= number && number <= stream->numbered);
	kernel->passed_over += number - stream->given;
	for (; stream->given < number; stream->given++)
		assert_true(is_filtered(kernel, stream->given));
}

static void check_event(struct kernel *kernel, const struct kerror_event *event)
{
	struct stream *stream =
		&kernel->stream[kerror_group_index(kerror_event_group(event))];
	uint64_t number;
	size_t size;

	memcpy(&number, kerror_event_data(event, &size), sizeof(number));
	assert_int_equal(size, sizeof(number));
	if (!stream->given_known)
		stream->given = number;
	stream->given_known = true;
	pass_over(kernel, stream, number);
	assert_int_equal(kerror_event_sequence(event),
			 FIRST + (uint32_t)number);
	stream->given++;
}

static void check_loss(struct kernel *kernel,
		       const struct kerror_reader *reader)
{
	const struct kerror_loss *loss = kerror_reader_loss(reader);
	struct stream *stream =
		&kernel->stream[kerror_group_index(loss->group)];
	uint32_t cursor;

	assert_int_not_equal(loss->count, 0);
	if (loss->cause == KERROR_LOST_HISTORY) {
		assert_int_equal(kerror_reader_cursor(reader, loss->group,
						      &cursor), 0);
		pass_over(kernel, stream, cursor - FIRST - loss->count);
		stream->given += loss->count;
		assert_true(stream->given <= stream->numbered);
		return;
	}
	kernel->announced += loss->count;
	if (loss->total > stream->known[loss->cause])
		stream->known[loss->cause] = loss->total;
}

/* Takes items until one datagram more is needed; false if there is none. */
static bool step(struct kernel *kernel, struct kerror_reader *reader)
{
	static struct datagram datagram;
	enum kerror_item item;
	uint32_t group;
	size_t size;

	while ((item = kerror_reader_next(reader))) {
		if (item == KERROR_ITEM_EVENT)
			check_event(kernel, kerror_reader_event(reader));
		else if (item == KERROR_ITEM_LOSS)
			check_loss(kernel, reader);
		else if (item == KERROR_ITEM_REQUEST)
			request(kernel, kerror_reader_request(reader, &size));
		else if (item == KERROR_ITEM_ERROR)
			assert_int_equal(kerror_reader_error(reader), -ENOMEM);
	}
	switch (receive(kernel, &group, &datagram)) {
	case 0:
		feed(reader, group, &datagram);
		return true;
	case -ENOBUFS:
		kerror_reader_overrun(reader);
		return true;
	}
	return kerror_reader_drained(reader);
}

static struct kerror_reader *new_reader(const struct kernel *kernel)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);

	if (kernel->filtered)
		kerror_reader_filtered(reader);
	return reader;
}

/* Another program goes on where this one has stopped. */
static struct kerror_reader *restart(struct kernel *kernel,
				     struct kerror_reader *reader)
{
	struct kerror_reader *next = new_reader(kernel);
	uint32_t cursor;

	kernel->restarts++;
	kernel->received += kerror_reader_received(reader);
	kernel->lost += kerror_reader_lost(reader);
	for (int group = 0; group < GROUPS; group++) {
		assert_int_equal(kerror_reader_cursor(reader,
						      kerror_group_at(group),
						      &cursor), 0);
		kerror_reader_from(next, kerror_group_at(group), cursor);
		for (int cause = 0; cause < KERROR_LOST_HISTORY; cause++) {
			struct kerror_loss loss = {
				.group = kerror_group_at(group), .cause = cause,
				.total = kernel->stream[group].known[cause],
			};

			kerror_reader_from_loss(next, &loss);
		}
	}
	kerror_reader_free(reader);
	kernel->queued = 0;
	kernel->congested = false;
	kernel->error = false;
	kernel->replaying = false;
	return next;
}

static void settle(struct kernel *kernel, struct kerror_reader *reader)
{
	unsigned int steps = 0;

	/* What could not be asked for is, when statistics tell of it. */
	for (int i = 0; i < 2; i++) {
		kerror_reader_want_statistics(reader);
		while (step(kernel, reader))
			assert_true(steps++ < 10000);
	}
	assert_false(kerror_reader_replaying(reader));
}

static void run(struct kernel *kernel, bool from_boot)
{
	struct kerror_reader *reader = new_reader(kernel);
	uint64_t not_given, raised, numbered;
	bool all_started;
	uint32_t cursor;

	if (from_boot) {
		kerror_reader_from_boot(reader);
		for (int group = 0; group < GROUPS; group++)
			kernel->stream[group].given_known = true;
	}
	for (int i = 0; i < ROUNDS; i++) {
		/* Bursts, so that each reader both keeps up and does not. */
		unsigned int most = chance(kernel, 20) ? 3 * HISTORY : 8;

		for (uint64_t n = build_random(&kernel->random) % most; n; n--)
			raise_event(kernel);
		if (chance(kernel, 50))
			kerror_reader_want_statistics(reader);
		for (uint64_t n = build_random(&kernel->random) % 16; n; n--)
			step(kernel, reader);
		all_started = true;
		for (int group = 0; group < GROUPS; group++)
			all_started &= !kerror_reader_cursor(reader,
							     kerror_group_at(group),
							     &cursor);
		if (from_boot && all_started && chance(kernel, 100))
			reader = restart(kernel, reader);
		if (!chance(kernel, 30))
			continue;

		kernel->failures = false;
		settle(kernel, reader);
		/* The last ones may be filtered, but still be replayed. */
		not_given = 0;
		raised = 0;
		numbered = 0;
		for (int group = 0; group < GROUPS; group++) {
			const struct stream *stream = &kernel->stream[group];

			raised += stream->raised;
			numbered += stream->numbered;
			if (!stream->given_known)
				continue;
			not_given += stream->numbered - stream->given;
			for (uint64_t n = stream->given; n < stream->numbered;
			     n++)
				assert_true(is_filtered(kernel, n));
		}
		if (from_boot)
			assert_int_equal(kernel->received + kernel->lost +
					 kerror_reader_received(reader) +
					 kerror_reader_lost(reader) +
					 kernel->passed_over + not_given,
					 raised);
		if (from_boot)
			assert_int_equal(kernel->announced, raised - numbered);
		kernel->failures = true;
	}
	kerror_reader_free(reader);
	/* Else it was no test. */
	for (int group = 0; group < GROUPS; group++)
		assert_true(kernel->stream[group].numbered > 2 * -FIRST);
	assert_true(kernel->overruns > 100);
	assert_true(kernel->history_losses > 50);
	assert_true(kernel->failed > 10);
	assert_true(kernel->unanswered > 10);
	assert_true(kernel->restarts > 10 || !from_boot);
	assert_true(!kernel->filtered == !kernel->passed_over);
}

static void test_model(void **state)
{
	static struct kernel kernel;

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		memset(&kernel, 0, sizeof(kernel));
		kernel.random = seed * 0x9e3779b97f4a7c15;
		kernel.failures = true;
		kernel.filtered = seed % 2;
		run(&kernel, seed % 3);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_group_not_read),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_gap_during_replay),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_answer_lost),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_two_groups),
		cmocka_unit_test(test_three_groups),
		cmocka_unit_test(test_old_kernel),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_history_loss),
		cmocka_unit_test(test_from_boot),
		cmocka_unit_test(test_from_boot_failed),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_filtered),
		cmocka_unit_test(test_filtered_overrun),
		cmocka_unit_test(test_filtered_failed),
		cmocka_unit_test(test_filtered_start),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
