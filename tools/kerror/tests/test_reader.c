// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the reader: what it makes of each sequence of datagrams.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "reader_steps.h"

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

/* Events that a replay ended too early for are asked for again, but not for ever. */
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

/* Events that the filter keeps back are not missing. */
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
		/* Its kind is not known. */
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
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
