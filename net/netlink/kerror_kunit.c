// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of NETLINK_KERROR: staging, history, order, losses and start-up.
 *
 * Included at the end of kerror.c, so that a ring and a history of a test's
 * own can be put in the place of the real ones. What is raised otherwise goes
 * to the drain worker and is looked up in the history afterwards. Two events
 * are raised early in boot. With the boot parameter kerror.test_no_socket=1
 * the protocol number is taken before kerror_init() wants it.
 */
#include <kunit/test.h>
#include <linux/delay.h>

#define TEST_RING	1024UL

static bool test_no_socket;
module_param(test_no_socket, bool, 0444);
MODULE_PARM_DESC(test_no_socket, "KUnit: take the protocol number first, so that there is no socket");

/* Long before there is another staging than staging_early, or a worker. */
static int __init test_console_init(void)
{
	return kernel_error_event("console", 7, KERROR_GROUP_RAW);
}
console_initcall(test_console_init);

static int __init test_early_init(void)
{
	return kernel_error_event("early", 5, KERROR_GROUP_RAW);
}
early_initcall(test_early_init);

/* Tells other suites, too, that nothing will be received in this boot. */
static int test_refuse(struct net *net, int group)
{
	return -EPROTONOSUPPORT;
}

static int __init test_take_protocol(void)
{
	struct netlink_kernel_cfg cfg = { .bind = test_refuse };

	if (!test_no_socket)
		return 0;
	return netlink_kernel_create(&init_net, NETLINK_KERROR, &cfg) ? 0 :
	       -ENOMEM;
}
postcore_initcall(test_take_protocol);

/* Waits until the worker has nothing left to do and sleeps. */
static void test_settle(struct kunit *test)
{
	int tries;

	for (tries = 0; tries < 500; tries++) {
		if (atomic_read(&kerror_worker_state) == WORKER_SLEEPS &&
		    READ_ONCE(kerror_worker->__state) == TASK_INTERRUPTIBLE)
			return;
		msleep(20);
	}
	KUNIT_FAIL(test, "the drain worker does not come to rest");
}

static int test_init(struct kunit *test)
{
	test_settle(test);
	return 0;
}

/* A ring whose positions are about to wrap, in the middle of its buffer. */
static struct kerror_staging *test_staging(struct kunit *test)
{
	struct kerror_staging *staging;

	staging = kunit_kzalloc(test, sizeof(*staging), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, staging);
	staging->buffer = kunit_kzalloc(test, TEST_RING, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, staging->buffer);
	staging->size = TEST_RING;
	staging->head = -(TEST_RING + TEST_RING / 2);
	staging->tail = staging->head;
	return staging;
}

/*
 * Makes @staging, or none, that of this CPU until test_switch_back(). No
 * assertion may end the test in between.
 */
static struct kerror_staging *test_switch(struct kerror_staging *staging)
{
	struct kerror_staging *real;

	migrate_disable();
	real = this_cpu_read(kerror_staging);
	this_cpu_write(kerror_staging, staging);
	return real;
}

static void test_switch_back(struct kerror_staging *real)
{
	this_cpu_write(kerror_staging, real);
	migrate_enable();
}

/* One of an iovec. */
#define TEST_PIECE(data, size)						\
	{ .iov_base = (__force void __user *)(data), .iov_len = (size) }

static int test_raise(const void *data, size_t size)
{
	return kernel_error_event(data, size, KERROR_GROUP_RAW);
}

/* What kerror_reserve() says to @size bytes that are not wanted. */
static int test_try(size_t size, enum kerror_cause *cause)
{
	struct kerror_reservation reservation = { .cause = KERROR_CAUSES };
	int err = kerror_reserve(&reservation, size, KERROR_GROUP_RAW);

	if (!err)
		kerror_commit(&reservation, 0);
	*cause = reservation.cause;
	return err;
}

/* Is there a next record? */
static bool test_peek(struct kerror_staging *staging)
{
	struct kerror_record *record;

	staging->peek = staging->tail;
	record = staging_peek(staging);
	return record && record_committed(record);
}

/* Takes the next record, which is to have this content. */
static bool test_pop(struct kunit *test, struct kerror_staging *staging,
		     const void *data, size_t size)
{
	bool present = test_peek(staging);
	struct kerror_record *record = staging_record(staging);

	KUNIT_EXPECT_TRUE(test, present);
	if (!present)
		return false;
	KUNIT_EXPECT_EQ(test, record->size, (u32)size);
	KUNIT_EXPECT_TRUE(test, !memcmp(record->data, data, size));
	staging_free(staging);
	return true;
}

/* All was taken, and what was used is zero again. */
static void test_expect_empty(struct kunit *test,
			      const struct kerror_staging *staging)
{
	KUNIT_EXPECT_EQ(test, staging->tail, staging->head);
	KUNIT_EXPECT_FALSE(test, !!memchr_inv(staging->buffer, 0,
					      staging->size));
}

/* What the newest event of a group is to be. */
static void test_expect_newest(struct kunit *test, unsigned int group,
			       const void *data, size_t size)
{
	const struct kerror_history *history = &kerror_history[group];
	struct nlmsghdr *nlh = NULL;
	unsigned long at;

	test_settle(test);
	for (at = history->tail; at != history->head;
	     at = history_next(history, at))
		if (history_message(history, at)->nlmsg_type ==
		    KERROR_MSG_EVENT)
			nlh = history_message(history, at);
	KUNIT_ASSERT_NOT_NULL(test, nlh);
	KUNIT_EXPECT_EQ(test, nlh->nlmsg_seq,
			history->sequence_next - 1);
	KUNIT_EXPECT_EQ(test, nlh->nlmsg_pid, task_pid_nr(current));
	KUNIT_ASSERT_EQ(test, nlmsg_len(nlh), (int)size);
	KUNIT_EXPECT_TRUE(test, !memcmp(nlmsg_data(nlh), data, size));
}

static u64 test_lost(unsigned int group)
{
	unsigned int cause;
	u64 sum = 0;

	for (cause = 0; cause < KERROR_CAUSES_COUNTED; cause++)
		sum += kerror_history[group].lost[cause];
	return sum;
}

/* Both the ring and its positions wrap; padding is passed and zeroed. */
static void test_staging_wrap(struct kunit *test)
{
	struct kerror_staging *staging = test_staging(test);
	struct kerror_staging *real = test_switch(staging);
	unsigned int pushed = 0, popped, padded = 0;
	u8 data[200];

	for (popped = 0; popped < 300; popped++) {
		/* Up to three wait, so that none begins where all end. */
		for (; pushed < min(popped + 3, 300U); pushed++) {
			memset(data, pushed, sizeof(data));
			KUNIT_EXPECT_EQ(test, 0,
					test_raise(data, pushed * 37 % 200));
		}
		test_peek(staging);
		padded += staging->peek != staging->tail;
		memset(data, popped, sizeof(data));
		if (!test_pop(test, staging, data, popped * 37 % 200))
			break;
	}
	test_switch_back(real);
	KUNIT_EXPECT_GT(test, padded, 10U);
	test_expect_empty(test, staging);
}

/* Fault of 2003: unbounded deferral queue. */
static void test_staging_full(struct kunit *test)
{
	struct kerror_staging *staging = test_staging(test);
	struct kerror_staging *real = test_switch(staging);
	const size_t size = 128 - sizeof(struct kerror_record);
	enum kerror_cause cause;
	unsigned int i;
	u8 data[128];

	for (i = 0; i < 3 * TEST_RING / 128; i++) {
		memset(data, i - TEST_RING / 128, sizeof(data));
		/* When it is full, what was freed can be had again. */
		if (i >= TEST_RING / 128 &&
		    !test_pop(test, staging, data, size))
			break;
		memset(data, i, sizeof(data));
		KUNIT_EXPECT_EQ(test, 0, test_raise(data, size));
		if (i < TEST_RING / 128 - 1)
			continue;
		KUNIT_EXPECT_EQ(test, -ENOBUFS, test_try(0, &cause));
		KUNIT_EXPECT_EQ(test, cause, KERROR_LOST_STAGING_FULL);
	}
	/* Sixteen bytes are free, less than the smallest record needs. */
	if (test_peek(staging))
		staging_free(staging);
	KUNIT_EXPECT_EQ(test, 0, test_raise(data, size - 16));
	KUNIT_EXPECT_EQ(test, -ENOBUFS, test_try(0, &cause));
	this_cpu_write(kerror_staging, NULL);
	KUNIT_EXPECT_EQ(test, -ENOBUFS, test_try(0, &cause));
	KUNIT_EXPECT_EQ(test, cause, KERROR_LOST_NO_STAGING);
	test_switch_back(real);
}

static void test_shrink(struct kunit *test)
{
	struct kerror_staging *staging = test_staging(test);
	struct kerror_staging *real = test_switch(staging);
	unsigned long start = staging->head;
	struct kerror_reservation reservation;

	if (!kerror_reserve(&reservation, 300, KERROR_GROUP_RAW)) {
		memcpy(reservation.data, "shrunk", 6);
		kerror_commit(&reservation, 6);
	}
	KUNIT_EXPECT_EQ(test, staging->head - start,
			ALIGN(sizeof(struct kerror_record) + 6, RECORD_ALIGN));
	KUNIT_EXPECT_EQ(test, 0, test_raise("next", 4));
	test_switch_back(real);
	test_pop(test, staging, "shrunk", 6);
	test_pop(test, staging, "next", 4);
	test_expect_empty(test, staging);
}

/*
 * Fault of 2003: one global buffer under a lock. Here an interrupt raises an
 * event while another is being written.
 */
static void test_nested(struct kunit *test)
{
	struct kerror_staging *staging = test_staging(test);
	struct kerror_staging *real = test_switch(staging);
	struct kerror_reservation outer;

	if (!kerror_reserve(&outer, 100, KERROR_GROUP_RAW)) {
		KUNIT_EXPECT_EQ(test, 0, test_raise("inner", 5));
		/* The inner one must wait. */
		KUNIT_EXPECT_FALSE(test, test_peek(staging));
		memcpy(outer.data, "outer event", 11);
		kerror_commit(&outer, 11);
	}
	test_switch_back(real);
	test_pop(test, staging, "outer event", 11);
	test_pop(test, staging, "inner", 5);
	test_expect_empty(test, staging);
}

/* Two rings as of two CPUs: the worker takes from them in turns. */
static void test_order(struct kunit *test)
{
	struct kerror_staging *rings[] = {
		test_staging(test), test_staging(test),
	};
	struct kerror_history *history = &kerror_history[0];
	struct kerror_staging *real, *list = staging_list;
	struct nlmsghdr *nlh;
	unsigned long at;
	u8 i, next = 0;
	u64 now;

	at = history->head;
	for (i = 0; i < 12; i++) {
		real = test_switch(rings[i / 3 % 2]);
		test_raise(&i, 1);
		test_switch_back(real);
		/* Time has to pass in between, however coarse the clock. */
		now = ktime_get_mono_fast_ns();
		while (ktime_get_mono_fast_ns() == now)
			cpu_relax();
	}
	/* The worker does not see them before it is at rest again. */
	test_settle(test);
	rings[1]->next = list;
	rings[0]->next = rings[1];
	staging_list = rings[0];
	kerror_wake(NULL, false);
	test_settle(test);
	staging_list = list;
	for (; at != history->head; at = history_next(history, at)) {
		nlh = history_message(history, at);
		KUNIT_EXPECT_EQ(test, next++, *(u8 *)nlmsg_data(nlh));
	}
	KUNIT_EXPECT_EQ(test, next, 12);
}

/* Fault of 2003: a 16-bit size that was narrowed before it was checked. */
static void test_size_limits(struct kunit *test)
{
	static const size_t too_long[] = {
		KERROR_EVENT_MAX + 1, 65535, 65536, 65536 + 10, SIZE_MAX,
	};
	/* Sums that wrap to 10 and to 16, and one that is too long by one. */
	static const size_t pieces[][2] = {
		{ SIZE_MAX, 11 }, { SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 17 },
		{ KERROR_EVENT_MAX, 1 },
	};
	u64 *lost = &kerror_history[0].lost[KERROR_LOST_TOO_LONG];
	u64 lost_before = *lost, numbered = kerror_history[0].numbered;
	u8 *data = kunit_kmalloc(test, KERROR_EVENT_MAX, GFP_KERNEL);
	enum kerror_cause cause;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < KERROR_EVENT_MAX; i++)
		data[i] = i * 7;
	KUNIT_EXPECT_EQ(test, 0, test_raise(NULL, 0));
	test_expect_newest(test, 0, "", 0);
	KUNIT_EXPECT_EQ(test, 0, test_raise(data, KERROR_EVENT_MAX));
	test_expect_newest(test, 0, data, KERROR_EVENT_MAX);

	for (i = 0; i < ARRAY_SIZE(too_long); i++) {
		KUNIT_EXPECT_EQ(test, -EMSGSIZE, test_raise(data, too_long[i]));
		KUNIT_EXPECT_EQ(test, -EMSGSIZE, test_try(too_long[i], &cause));
		KUNIT_EXPECT_EQ(test, cause, KERROR_LOST_TOO_LONG);
	}
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct iovec iov[] = {
			TEST_PIECE(data, pieces[i][0]),
			TEST_PIECE(data, pieces[i][1]),
		};

		KUNIT_EXPECT_EQ(test, -EMSGSIZE,
				kernel_error_event_iov(iov, 2,
						       KERROR_GROUP_RAW));
	}
	test_settle(test);
	KUNIT_EXPECT_EQ(test, kerror_history[0].numbered, numbered + 2);
	KUNIT_EXPECT_EQ(test, *lost, lost_before + 5 + 3);
}

static void test_arguments(struct kunit *test)
{
	struct iovec iov[] = {
		TEST_PIECE(NULL, 0), TEST_PIECE("ab", 2), TEST_PIECE("zz", 0),
		TEST_PIECE("cde", 3), TEST_PIECE(NULL, 0),
	};
	struct kerror_history *history = kerror_history;
	u64 numbered[] = { history[0].numbered, history[1].numbered };
	u64 lost[] = { test_lost(0), test_lost(1) };

	KUNIT_EXPECT_EQ(test, -EINVAL, kernel_error_event("x", 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, kernel_error_event("x", 1, 0x4));
	KUNIT_EXPECT_EQ(test, -EINVAL, kernel_error_event("x", SIZE_MAX, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_raise(NULL, 1));
	KUNIT_EXPECT_EQ(test, 0, kernel_error_event_iov(iov, 5,
							KERROR_GROUP_RAW));
	test_expect_newest(test, 0, "abcde", 5);
	iov[4].iov_len = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, kernel_error_event_iov(iov, 5,
							      KERROR_GROUP_RAW));
	test_settle(test);
	KUNIT_EXPECT_EQ(test, history[0].numbered, numbered[0] + 1);
	KUNIT_EXPECT_EQ(test, history[1].numbered, numbered[1]);
	KUNIT_EXPECT_EQ(test, test_lost(0), lost[0]);
	KUNIT_EXPECT_EQ(test, test_lost(1), lost[1]);
}

static void test_groups(struct kunit *test)
{
	struct kerror_history *history = kerror_history;
	u64 numbered[] = { history[0].numbered, history[1].numbered };

	KUNIT_EXPECT_EQ(test, 0, kernel_error_event("all", 3,
						    KERROR_GROUP_ALL));
	test_expect_newest(test, 0, "all", 3);
	test_expect_newest(test, 1, "all", 3);
	KUNIT_EXPECT_EQ(test, 0, kernel_error_event("one", 3,
						    ~KERROR_GROUP_RAW));
	test_expect_newest(test, 0, "all", 3);
	test_expect_newest(test, 1, "one", 3);
	KUNIT_EXPECT_EQ(test, history[0].numbered, numbered[0] + 1);
	KUNIT_EXPECT_EQ(test, history[1].numbered, numbered[1] + 2);
}

/*
 * Fault of 2003: no sequence number. Here the numbers wrap through 0 while old
 * events are overwritten, with loss notices in between.
 */
static void test_history(struct kunit *test)
{
	struct kerror_history *history = &kerror_history[0], real;
	u8 *buffer = kunit_kzalloc(test, 32768, GFP_KERNEL);
	unsigned int i, padded = 0, losses = 0, wrong = 0;
	struct nlmsghdr *nlh;
	unsigned long at;
	u32 sequence;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	real = *history;
	*history = (struct kerror_history) {
		.head = -4096UL, .tail = -4096UL,
		.size = 32768, .buffer = buffer,
		.sequence_next = KERROR_SEQUENCE_FIRST,
		.sequence_oldest = KERROR_SEQUENCE_FIRST,
	};
	for (i = 0; i < 700; i++) {
		kerror_publish(0, i % 5 ? KERROR_MSG_EVENT : KERROR_MSG_LOSS, i,
			       staging_early_buffer, i * 997 % 4000);
		sequence = history->sequence_oldest;
		for (at = history->tail; at != history->head;
		     at = history_next(history, at)) {
			nlh = history_message(history, at);
			padded += nlh->nlmsg_type == NLMSG_NOOP;
			if (nlh->nlmsg_type == NLMSG_NOOP)
				continue;
			wrong += nlh->nlmsg_seq != sequence;
			losses += nlh->nlmsg_type == KERROR_MSG_LOSS;
			sequence += nlh->nlmsg_type == KERROR_MSG_EVENT;
		}
		wrong += sequence != history->sequence_next;
		wrong += history->head - history->tail > history->size;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0U);
	KUNIT_EXPECT_GT(test, padded, 10U);
	KUNIT_EXPECT_GT(test, losses, 10U);
	KUNIT_EXPECT_EQ(test, history->numbered, 560ULL);
	KUNIT_EXPECT_EQ(test, history->sequence_next,
			KERROR_SEQUENCE_FIRST + 560);
	KUNIT_EXPECT_GT(test, history->sequence_oldest, 0U);
	KUNIT_EXPECT_LT(test, history->sequence_oldest,
			history->sequence_next);

	/* No memory at boot: numbered all the same, and nothing is kept. */
	*history = (struct kerror_history) {
		.sequence_next = U32_MAX, .sequence_oldest = U32_MAX,
	};
	kerror_publish(0, KERROR_MSG_EVENT, 1, "abc", 3);
	kerror_publish(0, KERROR_MSG_LOSS, 0, "abc", 3);
	KUNIT_EXPECT_EQ(test, history->numbered, 1ULL);
	KUNIT_EXPECT_EQ(test, history->sequence_next, 0U);
	KUNIT_EXPECT_EQ(test, history->sequence_oldest, 0U);
	KUNIT_EXPECT_EQ(test, history->head, 0UL);
	*history = real;
}

static void test_losses(struct kunit *test)
{
	static const u64 expected[KERROR_GROUPS][KERROR_CAUSES_COUNTED] = {
		{ [KERROR_LOST_STAGING_FULL] = 3, [KERROR_LOST_NO_STAGING] = 2,
		  [KERROR_LOST_RATE_LIMIT] = 4 },
		{ [KERROR_LOST_NO_STAGING] = 2, [KERROR_LOST_TOO_LONG] = 1,
		  [KERROR_LOST_RATE_LIMIT] = 4 },
		{ [KERROR_LOST_NO_STAGING] = 2, [KERROR_LOST_RATE_LIMIT] = 4 },
	};
	u64 announced[KERROR_GROUPS][KERROR_CAUSES_COUNTED] = {};
	u64 before[KERROR_GROUPS][KERROR_CAUSES_COUNTED];
	struct kerror_staging *staging = test_staging(test), *real;
	unsigned long at[KERROR_GROUPS];
	unsigned int group, cause, i;
	static const u8 data[900];
	struct kerror_loss *loss;
	struct nlmsghdr *nlh;

	for (group = 0; group < KERROR_GROUPS; group++) {
		at[group] = kerror_history[group].head;
		memcpy(before[group], kerror_history[group].lost,
		       sizeof(before[group]));
	}
	real = test_switch(staging);
	for (i = 0; i < 3; i++)		/* the ring is empty but too small */
		KUNIT_EXPECT_EQ(test, -ENOBUFS,
				test_raise(data, sizeof(data)));
	this_cpu_write(kerror_staging, NULL);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, -ENOBUFS,
				kernel_error_event("x", 1, KERROR_GROUP_ALL));
	test_switch_back(real);
	kernel_error_event(data, SIZE_MAX, KERROR_GROUP_EVLOG);
	for (i = 0; i < 4; i++) {
		kerror_count_lost(KERROR_GROUP_ALL, KERROR_LOST_RATE_LIMIT);
		msleep(20);		/* more than one notice */
	}
	test_settle(test);
	for (group = 0; group < KERROR_GROUPS; group++) {
		const struct kerror_history *history = &kerror_history[group];

		for (; at[group] != history->head;
		     at[group] = history_next(history, at[group])) {
			nlh = history_message(history, at[group]);
			if (nlh->nlmsg_type != KERROR_MSG_LOSS)
				continue;
			loss = nlmsg_data(nlh);
			KUNIT_EXPECT_EQ(test, loss->group, KERROR_BIT(group));
			KUNIT_EXPECT_EQ(test, nlh->nlmsg_seq,
					history->sequence_next);
			KUNIT_ASSERT_LT(test, loss->cause,
					KERROR_CAUSES_COUNTED);
			announced[group][loss->cause] += loss->count;
			KUNIT_EXPECT_EQ(test, loss->total,
					before[group][loss->cause] +
					announced[group][loss->cause]);
		}
		for (cause = 0; cause < KERROR_CAUSES_COUNTED; cause++) {
			KUNIT_EXPECT_EQ(test, announced[group][cause],
					expected[group][cause]);
			KUNIT_EXPECT_EQ(test, history->lost[cause],
					before[group][cause] +
					expected[group][cause]);
		}
	}
}

/* Fault of 2003: crash when called before the socket exists. */
static void test_before_socket(struct kunit *test)
{
	static const char * const expected[] = { "console", "early" };
	struct kerror_history *history = &kerror_history[0];
	struct nlmsghdr *nlh;
	unsigned long at;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, history->sequence_oldest, KERROR_SEQUENCE_FIRST);
	for (i = 0, at = history->tail; i < ARRAY_SIZE(expected); i++) {
		KUNIT_ASSERT_NE(test, at, history->head);
		nlh = history_message(history, at);
		KUNIT_EXPECT_EQ(test, nlh->nlmsg_type, KERROR_MSG_EVENT);
		KUNIT_EXPECT_EQ(test, nlh->nlmsg_seq,
				KERROR_SEQUENCE_FIRST + i);
		KUNIT_ASSERT_EQ(test, nlmsg_len(nlh), (int)strlen(expected[i]));
		KUNIT_EXPECT_TRUE(test, !memcmp(nlmsg_data(nlh), expected[i],
						strlen(expected[i])));
		at = history_next(history, at);
	}
}

/* Fault of 2003: panic() if the socket cannot be created. */
static void test_without_socket(struct kunit *test)
{
	if (!test_no_socket)
		kunit_skip(test, "needs the boot parameter kerror.test_no_socket=1");
	KUNIT_EXPECT_NULL(test, kerror_sock);
	KUNIT_EXPECT_EQ(test, 0, kernel_error_event("alone", 5,
						    KERROR_GROUP_ALL));
	test_expect_newest(test, 0, "alone", 5);
	test_expect_newest(test, 1, "alone", 5);
}

/* Raises an event that was printed. Returns what the worker is told. */
static int test_raise_printed(void)
{
	struct kerror_reservation reservation;

	if (kerror_reserve(&reservation, 16, KERROR_GROUP_PRINTK | KERROR_STAMPED))
		return -ENOBUFS;
	kerror_commit(&reservation, 16);
	return atomic_read(&kerror_worker_state);
}

/* What was printed can wait for a tick, unless much or something else does. */
static void test_printed_waits(struct kunit *test)
{
	struct kerror_staging *real, *ring = test_staging(test);
	u64 numbered = kerror_history[2].numbered;
	int one, many = 0, other, not_full = 0;
	unsigned long flags;

	local_irq_save(flags);	/* no tick */
	one = test_raise_printed();
	test_raise("other", 5);
	other = atomic_read(&kerror_worker_state);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, one, WORKER_WAITS);
	KUNIT_EXPECT_EQ(test, other, WORKER_WORKS);
	test_settle(test);
	KUNIT_EXPECT_EQ(test, kerror_history[2].numbered, numbered + 1);

	local_irq_save(flags);
	one = test_raise_printed();
	real = test_switch(ring);
	while (many >= 0 && !staging_half_full(ring)) {
		not_full += many == WORKER_WAITS;
		many = test_raise_printed();
	}
	test_switch_back(real);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, one, WORKER_WAITS);
	KUNIT_EXPECT_GT(test, not_full, 5);
	KUNIT_EXPECT_EQ(test, many, WORKER_WORKS);
	test_settle(test);
	KUNIT_EXPECT_EQ(test, kerror_history[2].numbered, numbered + 2);
}

static struct kunit_case kerror_test_cases[] = {
	KUNIT_CASE(test_before_socket),
	KUNIT_CASE(test_without_socket),
	KUNIT_CASE(test_staging_wrap),
	KUNIT_CASE(test_staging_full),
	KUNIT_CASE(test_shrink),
	KUNIT_CASE(test_nested),
	KUNIT_CASE(test_order),
	KUNIT_CASE(test_size_limits),
	KUNIT_CASE(test_arguments),
	KUNIT_CASE(test_groups),
	KUNIT_CASE(test_history),
	KUNIT_CASE(test_losses),
	KUNIT_CASE(test_printed_waits),
	{}
};

static struct kunit_suite kerror_test_suite = {
	.name = "kerror",
	.init = test_init,
	.test_cases = kerror_test_cases,
};

kunit_test_suite(kerror_test_suite);
