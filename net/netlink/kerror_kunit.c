// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of NETLINK_KERROR: rings, history, order, losses and start-up.
 *
 * A ring and a history of a test's own are put in the place of the real ones. The
 * other events go to the worker and are looked up in the history afterwards. Two
 * events are raised early in boot. With the boot parameter
 * kerror.test_no_socket=1 the protocol number is taken before kerror_init() wants
 * it.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/timekeeping.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include "kerror_internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kerror."

#define TEST_RING	1024UL

static bool test_no_socket;
module_param(test_no_socket, bool, 0444);
MODULE_PARM_DESC(test_no_socket, "KUnit: take the protocol number first, so that there is no socket");

/* Long before there is another ring than the early ones, or a worker. */
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

/* Whether something waits to be delivered on a CPU. */
static bool test_waits(struct kerror_cpu *this)
{
	unsigned int group;

	for (group = 0; group < KERROR_GROUPS; group++)
		if (this->source[group] &&
		    !kerror_ring_empty(&this->source[group]->ring))
			return true;
	return irq_work_is_pending(&this->wake_work) ||
	       irq_work_is_pending(&this->tick_work);
}

/* Waits until the worker has nothing left to do, and sleeps. */
static void test_settle(struct kunit *test)
{
	unsigned int tries, cpu;
	bool waits;

	for (tries = 0; tries < 500; tries++) {
		waits = false;
		for_each_possible_cpu(cpu)
			waits |= test_waits(&per_cpu(kerror_cpu, cpu));
		if (!waits && (READ_ONCE(kerror_worker_state) & WORKER_STATE) ==
			      WORKER_ASLEEP &&
		    READ_ONCE(kerror_worker->__state) == TASK_INTERRUPTIBLE)
			return;
		msleep(20);
	}
	KUNIT_FAIL(test, "the worker does not come to rest");
}

static int test_init(struct kunit *test)
{
	test_settle(test);
	return 0;
}

/* A ring whose positions are about to wrap, in the middle of its buffer. */
static struct kerror_source *test_source(struct kunit *test)
{
	struct kerror_source *source;

	source = kunit_kzalloc(test, sizeof(*source), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, source);
	source->ring.buffer = kunit_kzalloc(test, TEST_RING, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, source->ring.buffer);
	source->ring.size = TEST_RING;
	source->ring.head = -(TEST_RING + TEST_RING / 2);
	source->ring.tail = source->ring.head;
	source->ring.next = source->ring.head;
	source->ring.cached_tail = source->ring.head;
	source->cpu = raw_smp_processor_id();
	source->group = KERROR_RAW;
	return source;
}

static struct kerror_cpu *test_cpu(void)
{
	return &per_cpu(kerror_cpu, raw_smp_processor_id());
}

/*
 * Makes @source, or none, that of this CPU for raw events until test_switch_back().
 * Nothing is delivered in between. No assertion may end the test in between.
 */
static struct kerror_source *test_switch(struct kerror_source *source)
	__acquires(&kerror_drain_lock)
{
	struct kerror_source *real;

	spin_lock_bh(&kerror_drain_lock);
	real = test_cpu()->source[KERROR_RAW];
	test_cpu()->source[KERROR_RAW] = source;
	return real;
}

static void test_switch_back(struct kerror_source *real)
	__releases(&kerror_drain_lock)
{
	test_cpu()->source[KERROR_RAW] = real;
	spin_unlock_bh(&kerror_drain_lock);
}

/* One of an iovec. */
#define TEST_PIECE(data, size)						\
	{ .iov_base = (__force void __user *)(data), .iov_len = (size) }

static int test_raise(const void *data, size_t size)
{
	return kernel_error_event(data, size, KERROR_GROUP_RAW);
}

/* The answer of kerror_reserve() to @size bytes that are not wanted. */
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
static bool test_peek(struct kerror_ring *ring)
{
	struct kerror_record *record = kerror_ring_peek(ring);

	return record && kerror_record_committed(record);
}

/* Takes the next record, which is to have this content. */
static bool test_pop(struct kunit *test, struct kerror_ring *ring,
		     const void *data, size_t size)
{
	bool present = test_peek(ring);
	struct kerror_record *record = kerror_ring_at(ring, ring->next);

	KUNIT_EXPECT_TRUE(test, present);
	if (!present)
		return false;
	KUNIT_EXPECT_EQ(test, record->size, (u32)size);
	KUNIT_EXPECT_TRUE(test, !memcmp(record->data, data, size));
	kerror_ring_consume(ring, kerror_ring_peek(ring));
	return true;
}

/* All was taken, and what was used is zero again. */
static void test_expect_empty(struct kunit *test,
			      const struct kerror_ring *ring)
{
	KUNIT_EXPECT_EQ(test, ring->tail, ring->head);
	KUNIT_EXPECT_FALSE(test, !!memchr_inv(ring->buffer, 0,
					      ring->size));
}

/* The newest event that a group is to have. */
static void test_expect_newest(struct kunit *test, unsigned int group,
			       const void *data, size_t size)
{
	const struct kerror_history *history = &kerror_history[group];
	struct nlmsghdr *nlh = NULL;
	unsigned long at;

	test_settle(test);
	for (at = history->tail; at != history->head;
	     at = kerror_history_next(history, at))
		if (kerror_history_message(history, at)->nlmsg_type ==
		    KERROR_MSG_EVENT)
			nlh = kerror_history_message(history, at);
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

/* Has the worker look at @rings, too, as if they were of other CPUs. */
static void test_add_rings(struct kerror_source **rings, unsigned int number)
{
	struct kerror_source *real;
	unsigned int i;

	spin_lock_bh(&kerror_drain_lock);
	real = per_cpu(kerror_cpu, 0).source[KERROR_RAW];
	for (i = 0; i < number; i++)
		rings[i]->older = i + 1 < number ? rings[i + 1] : NULL;
	real->older = rings[0];
	kerror_mark(0);
	spin_unlock_bh(&kerror_drain_lock);
	kerror_count_lost(0, 0);	/* wakes the worker */
}

static void test_remove_rings(void)
{
	spin_lock_bh(&kerror_drain_lock);
	per_cpu(kerror_cpu, 0).source[KERROR_RAW]->older = NULL;
	spin_unlock_bh(&kerror_drain_lock);
}

/* Both the ring and its positions wrap; padding is passed and zeroed. */
static void test_staging_wrap(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_ring *ring = &source->ring;
	struct kerror_source *real = test_switch(source);
	unsigned int pushed = 0, popped, padded = 0;
	unsigned long at;
	u8 data[200];

	for (popped = 0; popped < 300; popped++) {
		/* Up to three wait, so that none begins where all end. */
		for (; pushed < min(popped + 3, 300U); pushed++) {
			memset(data, pushed, sizeof(data));
			KUNIT_EXPECT_EQ(test, 0,
					test_raise(data, pushed * 37 % 200));
		}
		at = ring->next;
		test_peek(ring);
		padded += ring->next != at;
		memset(data, popped, sizeof(data));
		if (!test_pop(test, ring, data, popped * 37 % 200))
			break;
	}
	test_switch_back(real);
	KUNIT_EXPECT_GT(test, padded, 10U);
	test_expect_empty(test, ring);
}

/* Fault of 2003: unbounded deferral queue. */
static void test_staging_full(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_ring *ring = &source->ring;
	struct kerror_source *real = test_switch(source);
	const size_t size = 128 - sizeof(struct kerror_record);
	enum kerror_cause cause;
	unsigned int i;
	u8 data[128];

	for (i = 0; i < 3 * TEST_RING / 128; i++) {
		memset(data, i - TEST_RING / 128, sizeof(data));
		/* When it is full, what was freed can be had again. */
		if (i >= TEST_RING / 128 &&
		    !test_pop(test, ring, data, size))
			break;
		memset(data, i, sizeof(data));
		KUNIT_EXPECT_EQ(test, 0, test_raise(data, size));
		if (i < TEST_RING / 128 - 1)
			continue;
		KUNIT_EXPECT_EQ(test, -ENOBUFS, test_try(0, &cause));
		KUNIT_EXPECT_EQ(test, cause, KERROR_LOST_STAGING_FULL);
	}
	/* Sixteen bytes are free, less than the smallest record needs. */
	if (test_peek(ring))
		kerror_ring_consume(ring, kerror_ring_peek(ring));
	KUNIT_EXPECT_EQ(test, 0, test_raise(data, size - 16));
	KUNIT_EXPECT_EQ(test, -ENOBUFS, test_try(0, &cause));
	test_cpu()->source[KERROR_RAW] = NULL;
	KUNIT_EXPECT_EQ(test, -ENOBUFS, test_try(0, &cause));
	KUNIT_EXPECT_EQ(test, cause, KERROR_LOST_NO_STAGING);
	test_switch_back(real);
}

/* No kernel has that much memory in one piece. */
static void test_memory_in_pieces(struct kunit *test)
{
	const unsigned long size = 1UL << 31;
	struct kerror_source *source = kerror_source_new(0, KERROR_EVLOG, size);
	struct kerror_ring *ring;

	KUNIT_ASSERT_NOT_NULL(test, source);
	ring = &source->ring;
	KUNIT_EXPECT_LT(test, ring->size, size);
	KUNIT_EXPECT_GE(test, ring->size, 32768UL);
	KUNIT_EXPECT_EQ(test, ring->size & (ring->size - 1), 0UL);
	KUNIT_EXPECT_NULL(test, memchr_inv(ring->buffer, 0, ring->size));
	kerror_source_free(source);
}

static void test_shrink(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_ring *ring = &source->ring;
	struct kerror_source *real = test_switch(source);
	unsigned long start = ring->head;
	struct kerror_reservation reservation;

	if (!kerror_reserve(&reservation, 300, KERROR_GROUP_RAW)) {
		memcpy(reservation.data, "shrunk", 6);
		kerror_commit(&reservation, 6);
	}
	KUNIT_EXPECT_EQ(test, ring->head - start,
			ALIGN(sizeof(struct kerror_record) + 6, KERROR_RECORD_ALIGN));
	KUNIT_EXPECT_EQ(test, 0, test_raise("next", 4));
	test_switch_back(real);
	test_pop(test, ring, "shrunk", 6);
	test_pop(test, ring, "next", 4);
	test_expect_empty(test, ring);
}

/*
 * Fault of 2003: one global buffer under a lock. Here an interrupt raises an
 * event while another is being written.
 */
static void test_nested(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_ring *ring = &source->ring;
	struct kerror_source *real = test_switch(source);
	struct kerror_reservation outer;

	if (!kerror_reserve(&outer, 100, KERROR_GROUP_RAW)) {
		KUNIT_EXPECT_EQ(test, 0, test_raise("inner", 5));
		/* The inner one must wait. */
		KUNIT_EXPECT_FALSE(test, test_peek(ring));
		memcpy(outer.data, "outer event", 11);
		kerror_commit(&outer, 11);
	}
	test_switch_back(real);
	test_pop(test, ring, "outer event", 11);
	test_pop(test, ring, "inner", 5);
	test_expect_empty(test, ring);
}

/* Two rings as of two CPUs: the worker takes from them in turns. */
static void test_order(struct kunit *test)
{
	struct kerror_source *rings[] = {
		test_source(test), test_source(test),
	};
	struct kerror_history *history = &kerror_history[KERROR_RAW];
	struct kerror_source *real;
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
	test_add_rings(rings, ARRAY_SIZE(rings));
	test_settle(test);
	test_remove_rings();
	for (; at != history->head; at = kerror_history_next(history, at)) {
		nlh = kerror_history_message(history, at);
		KUNIT_EXPECT_EQ(test, next++, *(u8 *)nlmsg_data(nlh));
	}
	KUNIT_EXPECT_EQ(test, next, 12);
}

/*
 * An event that is being written holds up others for a tick, not longer; and
 * what was raised behind it comes before it then.
 */
static void test_held(struct kunit *test)
{
	struct kerror_source *rings[] = {
		test_source(test), test_source(test),
	};
	struct kerror_history *history = &kerror_history[KERROR_RAW];
	static const char expected[] = "behindother";
	struct kerror_reservation held;
	struct kerror_source *real;
	struct nlmsghdr *nlh;
	unsigned long at = history->head;
	char text[32] = "";
	u64 begin, waited;

	real = test_switch(rings[0]);
	if (!kerror_reserve(&held, 4, KERROR_GROUP_RAW))
		preempt_enable_notrace();
	test_raise("behind", 6);
	test_switch_back(real);
	real = test_switch(rings[1]);
	test_raise("other", 5);
	test_switch_back(real);

	begin = ktime_get_mono_fast_ns();
	test_add_rings(rings, ARRAY_SIZE(rings));
	do {
		msleep(20);
		waited = ktime_get_mono_fast_ns() - begin;
	} while (READ_ONCE(history->head) == at && waited < NSEC_PER_SEC);
	test_settle(test);
	for (; at != history->head; at = kerror_history_next(history, at)) {
		nlh = kerror_history_message(history, at);
		strlcat(text, nlmsg_data(nlh), strlen(text) + nlmsg_len(nlh) + 1);
	}
	KUNIT_EXPECT_STREQ(test, text, expected);
	/* Far from the second that it once was, even on a busy machine. */
	KUNIT_EXPECT_LT(test, waited, NSEC_PER_SEC / 2);

	memcpy(held.data, "late", 4);
	preempt_disable_notrace();
	kerror_commit(&held, 4);
	test_expect_newest(test, KERROR_RAW, "late", 4);
	test_remove_rings();
	test_expect_empty(test, &rings[0]->ring);
}

/*
 * A writer died, and another thread raises events on its CPU. Its event is lost,
 * its memory is never used again, and if it comes back it does no harm.
 */
static void test_abandoned(struct kunit *test)
{
	u64 *lost = &kerror_history[KERROR_RAW].lost[KERROR_LOST_ABANDONED];
	u64 lost_before = *lost, numbered = kerror_history[KERROR_RAW].numbered;
	struct kerror_source *source = test_source(test), *real, *new;
	struct kerror_reservation dead;
	unsigned int i;
	u8 *memory;

	real = test_switch(source);
	if (!kerror_reserve(&dead, 100, KERROR_GROUP_RAW)) {
		preempt_enable_notrace();
		dead.record->pid++;
	}
	memory = dead.data;
	spin_unlock_bh(&kerror_drain_lock);
	test_raise("after", 5);
	for (i = 0; i < 100 &&
	     READ_ONCE(test_cpu()->source[KERROR_RAW]) == source; i++)
		msleep(20);
	new = test_cpu()->source[KERROR_RAW];
	KUNIT_EXPECT_PTR_NE(test, new, source);
	KUNIT_EXPECT_PTR_EQ(test, new->older, source);
	KUNIT_EXPECT_NE(test, source->ring.tail, source->ring.next);
	test_expect_newest(test, KERROR_RAW, "after", 5);
	KUNIT_EXPECT_EQ(test, *lost, lost_before + 1);

	/* It comes back. */
	memset(memory, 0xff, 100);
	preempt_disable_notrace();
	kerror_commit(&dead, 100);
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, 0, test_raise(&i, sizeof(i)));
		if (i % 10 == 9)
			test_settle(test);
	}
	i--;
	test_expect_newest(test, KERROR_RAW, &i, sizeof(i));
	KUNIT_EXPECT_EQ(test, kerror_history[KERROR_RAW].numbered,
			numbered + 1 + 100);
	KUNIT_EXPECT_EQ(test, *lost, lost_before + 1);
	KUNIT_EXPECT_FALSE(test, !!memchr_inv(memory, 0xff, 100));

	spin_lock_bh(&kerror_drain_lock);
	test_switch_back(real);
	kerror_source_free(new);
}

/* An event from the future, of a CPU whose clock is ahead, does not wait for it. */
static void test_clock_ahead(struct kunit *test)
{
	struct kerror_source *source = test_source(test), *real;

	real = test_switch(source);
	test_raise("ahead", 5);
	test_switch_back(real);
	kerror_ring_peek(&source->ring)->time += 3600 * NSEC_PER_SEC;
	test_add_rings(&source, 1);
	test_expect_newest(test, KERROR_RAW, "ahead", 5);
	test_remove_rings();
	test_expect_empty(test, &source->ring);
}

/*
 * The worker does not run: a guard delivers in its place. It also does if the worker
 * delivered some of @number events (@drained), and then gets no CPU.
 */
static void test_guarded(struct kunit *test, unsigned int number, bool drained)
{
	u64 before = READ_ONCE(kerror_history[KERROR_RAW].numbered);
	u64 begin = ktime_get_mono_fast_ns(), now;
	bool delivered, held;
	unsigned int i;

	migrate_disable();
	preempt_disable();
	for (i = 0; i < number; i++)
		test_raise("guarded", 7);
	if (drained)
		kerror_drain_chunk(&held);
	do {
		now = ktime_get_mono_fast_ns();
		delivered = READ_ONCE(kerror_history[KERROR_RAW].numbered) >=
			    before + number;
	} while (!delivered && now - begin < NSEC_PER_SEC);
	preempt_enable();
	migrate_enable();
	/* On several CPUs, the worker may have come by. */
	KUNIT_EXPECT_TRUE(test, delivered);
	KUNIT_EXPECT_LT(test, now - begin, NSEC_PER_SEC / 2);
	test_expect_newest(test, KERROR_RAW, "guarded", 7);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(test_cpu()->guarded));
}

static void test_guard(struct kunit *test)
{
	test_guarded(test, 1, false);
}

static void test_guard_of_the_rest(struct kunit *test)
{
	test_guarded(test, 40, true);
}

/* An interrupt may have found a tail beyond the end of what it interrupted. */
static void test_tail_beyond(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_ring *ring = &source->ring;

	ring->tail += 2 * TEST_RING;
	ring->cached_tail = ring->tail;
	KUNIT_EXPECT_TRUE(test, kerror_ring_fits(ring, ring->head + 64));
	ring->cached_tail = ring->head;
	KUNIT_EXPECT_TRUE(test, kerror_ring_fits(ring, ring->head + TEST_RING + 8));
	KUNIT_EXPECT_FALSE(test, kerror_ring_fits(ring, ring->tail + TEST_RING + 8));
}

/* A panic that stops the worker while it frees a record hides none behind it. */
static void test_stopped_while_freeing(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_source *real = test_switch(source);
	struct kerror_ring *ring = &source->ring;
	struct kerror_record *record;
	unsigned long position;

	test_raise("first", 5);
	test_raise("second", 6);
	test_switch_back(real);
	record = kerror_ring_peek(ring);
	ring->retired = true;	/* stops it before it frees */
	kerror_ring_consume(ring, record);
	memset(record, 0, 16);
	position = ring->next;
	record = kerror_ring_look(ring, &position);
	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_EXPECT_TRUE(test, !memcmp(record->data, "second", 6));
}

/*
 * A CPU that is stopped between what it gives back and its commit has a state
 * that is no larger than the record.
 */
static void test_stopped_while_committing(struct kunit *test)
{
	struct kerror_source *source = test_source(test);
	struct kerror_source *real = test_switch(source);
	struct kerror_ring *ring = &source->ring;
	struct kerror_record *first, *second;
	unsigned long position = ring->next;

	first = kerror_ring_reserve(ring, 300, KERROR_GROUP_RAW, 1);
	memcpy(first->data, "x", 1);
	kerror_ring_commit(ring, first, 1);
	/* As it is right before the last store of a commit */
	first->state &= ~KERROR_RECORD_COMMITTED;
	second = kerror_ring_reserve(ring, 6, KERROR_GROUP_RAW, 1);
	memcpy(second->data, "second", 6);
	kerror_ring_commit(ring, second, 6);
	test_switch_back(real);
	KUNIT_EXPECT_PTR_EQ(test, kerror_ring_look(ring, &position), first);
	KUNIT_EXPECT_PTR_EQ(test, kerror_ring_behind(ring), second);
}

/* A flood of one group leaves the rings of the others as they are. */
static void test_groups_have_rings(struct kunit *test)
{
	struct kerror_source *flooded = test_source(test), *real;
	u64 numbered = kerror_history[KERROR_EVLOG].numbered;

	real = test_switch(flooded);
	while (!test_raise("flood", 5))
		;
	KUNIT_EXPECT_EQ(test, 0, kernel_error_event("dry", 3,
						    KERROR_GROUP_EVLOG));
	if (IS_ENABLED(CONFIG_KERROR_PRINTK))
		KUNIT_EXPECT_EQ(test, 0,
				kernel_error_event("dry", 3,
						   KERROR_GROUP_PRINTK));
	test_switch_back(real);
	test_settle(test);
	KUNIT_EXPECT_EQ(test, kerror_history[KERROR_EVLOG].numbered,
			numbered + 1);
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

static const u8 test_zeros[4096];

static void test_publish(u16 type, u32 pid, const void *data, u32 size)
{
	spin_lock_bh(&kerror_drain_lock);
	kerror_publish(KERROR_RAW, type, pid, data, size);
	spin_unlock_bh(&kerror_drain_lock);
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
		test_publish(i % 5 ? KERROR_MSG_EVENT : KERROR_MSG_LOSS, i,
			     test_zeros, i * 997 % 4000);
		sequence = history->sequence_oldest;
		for (at = history->tail; at != history->head;
		     at = kerror_history_next(history, at)) {
			nlh = kerror_history_message(history, at);
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
	test_publish(KERROR_MSG_EVENT, 1, "abc\0", 3);
	test_publish(KERROR_MSG_LOSS, 0, "abc\0", 3);
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
	struct kerror_source *none[KERROR_GROUPS] = {};
	struct kerror_source *ring = test_source(test), *real;
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
	real = test_switch(ring);
	for (i = 0; i < 3; i++)		/* the ring is empty but too small */
		KUNIT_EXPECT_EQ(test, -ENOBUFS,
				test_raise(data, sizeof(data)));
	for (group = 0; group < KERROR_GROUPS; group++)
		swap(none[group], test_cpu()->source[group]);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, -ENOBUFS,
				kernel_error_event("x", 1, KERROR_GROUP_ALL));
	for (group = 0; group < KERROR_GROUPS; group++)
		swap(none[group], test_cpu()->source[group]);
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
		     at[group] = kerror_history_next(history, at[group])) {
			nlh = kerror_history_message(history, at[group]);
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
		nlh = kerror_history_message(history, at);
		KUNIT_EXPECT_EQ(test, nlh->nlmsg_type, KERROR_MSG_EVENT);
		KUNIT_EXPECT_EQ(test, nlh->nlmsg_seq,
				KERROR_SEQUENCE_FIRST + i);
		KUNIT_ASSERT_EQ(test, nlmsg_len(nlh), (int)strlen(expected[i]));
		KUNIT_EXPECT_TRUE(test, !memcmp(nlmsg_data(nlh), expected[i],
						strlen(expected[i])));
		at = kerror_history_next(history, at);
	}
}

/* Fault of 2003: panic() if the socket cannot be created. */
static void test_without_socket(struct kunit *test)
{
	if (!test_no_socket)
		kunit_skip(test, "needs the boot parameter kerror.test_no_socket=1");
	KUNIT_EXPECT_EQ(test, 0, kernel_error_event("alone", 5,
						    KERROR_GROUP_ALL));
	test_expect_newest(test, 0, "alone", 5);
	test_expect_newest(test, 1, "alone", 5);
}

/* Raises an event that the log has already. */
static int test_raise_printed(void)
{
	struct kerror_reservation reservation;
	int err = kerror_reserve(&reservation, 16, KERROR_FROM_PRINTK);

	if (!err)
		kerror_commit(&reservation, 16);
	return err;
}

/* A message can wait for a tick, unless there are many, or another event. */
static void test_printed_waits(struct kunit *test)
{
	u64 numbered = kerror_history[KERROR_PRINTK].numbered;
	bool one[2], other, few = true, many;
	struct kerror_ring *ring;
	struct kerror_cpu *this;
	unsigned long flags;

	if (!IS_ENABLED(CONFIG_KERROR_PRINTK))
		kunit_skip(test, "needs CONFIG_KERROR_PRINTK");
	local_irq_save(flags);	/* no tick */
	this = test_cpu();
	test_raise_printed();
	one[0] = irq_work_is_pending(&this->tick_work);
	one[1] = irq_work_is_pending(&this->wake_work);
	test_raise("other", 5);
	other = irq_work_is_pending(&this->wake_work);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, one[0]);
	KUNIT_EXPECT_FALSE(test, one[1]);
	KUNIT_EXPECT_TRUE(test, other);
	test_settle(test);
	KUNIT_EXPECT_EQ(test, kerror_history[KERROR_PRINTK].numbered,
			numbered + 1);

	local_irq_save(flags);
	this = test_cpu();
	ring = &this->source[KERROR_PRINTK]->ring;
	while (!kerror_ring_half_full(ring)) {
		few &= !irq_work_is_pending(&this->wake_work);
		if (test_raise_printed())
			break;
	}
	many = irq_work_is_pending(&this->wake_work);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, few);
	KUNIT_EXPECT_TRUE(test, many);
	test_settle(test);
}

static struct kunit_case kerror_test_cases[] = {
	KUNIT_CASE(test_before_socket),
	KUNIT_CASE(test_without_socket),
	KUNIT_CASE(test_staging_wrap),
	KUNIT_CASE(test_staging_full),
	KUNIT_CASE(test_memory_in_pieces),
	KUNIT_CASE(test_shrink),
	KUNIT_CASE(test_nested),
	KUNIT_CASE(test_tail_beyond),
	KUNIT_CASE(test_stopped_while_freeing),
	KUNIT_CASE(test_stopped_while_committing),
	KUNIT_CASE(test_groups_have_rings),
	KUNIT_CASE(test_order),
	KUNIT_CASE(test_held),
	KUNIT_CASE(test_clock_ahead),
	KUNIT_CASE(test_abandoned),
	KUNIT_CASE(test_guard),
	KUNIT_CASE(test_guard_of_the_rest),
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
