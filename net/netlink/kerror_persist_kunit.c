// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memory that outlives the kernel: what is delivered is in a log, what
 * waits is in a ring, and what is read is what a replay of that boot brings.
 *
 * Each test has a slot of its own, in ordinary memory, in the place of that of this
 * boot. The last one corrupts its slot, kerror_persist_kunit.rounds= times: "make stress"
 * has KASAN look on. Tests in user space say what must be found in a corrupted slot:
 * tools/testing/selftests/kerror/region/.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include "kerror_internal.h"

#define TEST_RING	4096
#define TEST_LOG	16384
#define TEST_RINGS	16
#define TEST_SLOT	(40 * KERROR_SLOT_ALIGN)

/* Put aside while the slot of a test is in use */
struct test_persist {
	struct kerror_slot *slot, *real;
	struct kerror_log logs[KERROR_SLOT_GROUPS];
	struct kerror_found found[64];
	struct kerror_survey survey;
	unsigned int count;
};

static int test_persist_init(struct kunit *test)
{
	struct test_persist *this = kunit_kzalloc(test, sizeof(*this), GFP_KERNEL);
	struct kerror_slot header = {
		.version = KERROR_SLOT_VERSION,
		.long_size = sizeof(long),
		.size = TEST_SLOT,
		.number = 1,
		.key = 0x0123456789abcdefULL,
		.log_size = { TEST_LOG, TEST_LOG, TEST_LOG },
		.rings = TEST_RINGS,
		.ring_size = TEST_RING,
		.release = "test",
	};

	KUNIT_ASSERT_NOT_NULL(test, this);
	kerror_sync();
	this->slot = vmalloc(TEST_SLOT);
	KUNIT_ASSERT_NOT_NULL(test, this->slot);
	kerror_slot_begin(this->slot, &header);
	KUNIT_ASSERT_EQ(test, kerror_slot_check(this->slot, TEST_SLOT),
			(size_t)TEST_SLOT);
	spin_lock_bh(&kerror_drain_lock);
	this->real = kerror_this_boot;
	memcpy(this->logs, kerror_logs, sizeof(this->logs));
	memset(kerror_logs, 0, sizeof(kerror_logs));
	kerror_this_boot = this->slot;
	spin_unlock_bh(&kerror_drain_lock);
	test->priv = this;
	return 0;
}

static void test_persist_exit(struct kunit *test)
{
	struct test_persist *this = test->priv;

	if (!this)
		return;
	spin_lock_bh(&kerror_drain_lock);
	kerror_this_boot = this->real;
	memcpy(kerror_logs, this->logs, sizeof(this->logs));
	spin_unlock_bh(&kerror_drain_lock);
	vfree(this->slot);
}

/* Reads the slot as the next kernel would. */
static void test_look(struct kunit *test, unsigned int group)
{
	struct test_persist *this = test->priv;

	this->count = kerror_slot_find(this->slot, group, this->found,
				       ARRAY_SIZE(this->found), &this->survey);
	KUNIT_ASSERT_LE(test, this->count, (unsigned int)ARRAY_SIZE(this->found));
}

static bool test_holds(const struct test_persist *this, unsigned int at,
		       const char *text)
{
	return at < this->count && this->found[at].size == strlen(text) &&
	       !memcmp((u8 *)this->slot + this->found[at].offset, text,
		       strlen(text));
}

/* An event that was delivered is in the log, under its number. */
static void test_persist_log(struct kunit *test)
{
	struct test_persist *this = test->priv;
	u32 next = kerror_history[KERROR_RAW].sequence_next;

	kernel_error_event("one", 3, KERROR_GROUP_RAW);
	kernel_error_event("two", 3, KERROR_GROUP_RAW | KERROR_GROUP_EVLOG);
	kerror_sync();
	test_look(test, KERROR_RAW);
	KUNIT_EXPECT_EQ(test, this->count, 2U);
	KUNIT_EXPECT_TRUE(test, test_holds(this, 0, "one"));
	KUNIT_EXPECT_TRUE(test, test_holds(this, 1, "two"));
	KUNIT_EXPECT_EQ(test, this->found[0].sequence, next);
	KUNIT_EXPECT_EQ(test, this->found[1].sequence, next + 1);
	KUNIT_EXPECT_EQ(test, this->found[0].pid, (u32)task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, (u32)this->found[0].type, (u32)KERROR_MSG_EVENT);
	KUNIT_EXPECT_EQ(test, this->survey.unfinished, 0U);
	test_look(test, KERROR_EVLOG);
	KUNIT_EXPECT_EQ(test, this->count, 1U);
	KUNIT_EXPECT_TRUE(test, test_holds(this, 0, "two"));
}

/* An event that waits is only in its ring; one that was delivered, in the log. */
static void test_persist_ring(struct kunit *test)
{
	struct test_persist *this = test->priv;
	struct kerror_source *source = kunit_kzalloc(test, sizeof(*source),
						     GFP_KERNEL);
	struct kerror_source *real, **link;
	bool in_region;

	KUNIT_ASSERT_NOT_NULL(test, source);
	spin_lock_bh(&kerror_drain_lock);
	link = &per_cpu(kerror_cpu, raw_smp_processor_id()).source[KERROR_RAW];
	real = *link;
	source->cpu = raw_smp_processor_id();
	source->group = KERROR_RAW;
	source->ring.size = TEST_RING;
	in_region = kerror_persist_ring(source);
	if (in_region) {
		*link = source;
		kernel_error_event("first", 5, KERROR_GROUP_RAW);
		kernel_error_event("second", 6, KERROR_GROUP_RAW);
		this->count = kerror_slot_find(this->slot, KERROR_RAW,
					       this->found,
					       ARRAY_SIZE(this->found),
					       &this->survey);
	}
	spin_unlock_bh(&kerror_drain_lock);
	KUNIT_EXPECT_TRUE(test, in_region);
	KUNIT_EXPECT_EQ(test, this->count, 2U);
	KUNIT_EXPECT_TRUE(test, test_holds(this, 0, "first"));
	KUNIT_EXPECT_TRUE(test, test_holds(this, 1, "second"));
	KUNIT_EXPECT_NE(test, (u32)this->found[0].ring, 0U);
	kerror_sync();
	test_look(test, KERROR_RAW);
	KUNIT_EXPECT_EQ(test, this->count, 2U);
	KUNIT_EXPECT_TRUE(test, test_holds(this, 1, "second"));
	KUNIT_EXPECT_EQ(test, (u32)this->found[0].ring, 0U);
	KUNIT_EXPECT_EQ(test, (u32)this->found[1].ring, 0U);
	/* Only the part of this test: no other may write to it any more. */
	spin_lock_bh(&kerror_drain_lock);
	if (in_region)
		*link = real;
	spin_unlock_bh(&kerror_drain_lock);
}

/*
 * A loss is in the log, and its total outlives its place there. It stays where it was
 * counted: until the log has it, there is nothing else to tell of it.
 */
static void test_persist_losses(struct kunit *test)
{
	struct test_persist *this = test->priv;
	u64 total = kerror_history[KERROR_RAW].lost[KERROR_LOST_RATE_LIMIT];
	const unsigned long *lost = kerror_dump.lost;

	kerror_count_lost(KERROR_GROUP_RAW, KERROR_LOST_RATE_LIMIT);
	kerror_sync();
	test_look(test, KERROR_RAW);
	KUNIT_EXPECT_EQ(test, this->count, 1U);
	KUNIT_EXPECT_EQ(test, (u32)this->found[0].type, (u32)KERROR_MSG_LOSS);
	KUNIT_EXPECT_EQ(test, this->survey.lost[KERROR_LOST_RATE_LIMIT], total + 1);
	KUNIT_EXPECT_EQ(test, lost[KERROR_LOST_RATE_LIMIT], (unsigned long)total + 1);
}

/* A boot has its own name until it gets another, and ends as it ended. */
static void test_persist_describe(struct kunit *test)
{
	static const u8 name[16] = "a name of a boot";
	struct test_persist *this = test->priv;
	struct kerror_boot *boot = kunit_kzalloc(test, sizeof(*boot), GFP_KERNEL);
	u64 now = ktime_get_boottime_ns();

	KUNIT_ASSERT_NOT_NULL(test, boot);
	kerror_persist_alive();
	kerror_boot_describe(this->slot, boot);
	KUNIT_EXPECT_EQ(test, boot->end, (u32)KERROR_END_NONE);
	KUNIT_EXPECT_GE(test, boot->time_boot, now);
	kerror_persist_name(name);
	spin_lock_bh(&kerror_drain_lock);
	kerror_this_boot = this->real;
	spin_unlock_bh(&kerror_drain_lock);
	kerror_boot_describe(this->slot, boot);
	KUNIT_EXPECT_EQ(test, boot->end, (u32)KERROR_END_CUT);
	KUNIT_EXPECT_TRUE(test, !memcmp(boot->boot, name, sizeof(name)));
	kerror_slot_end(this->slot, KERROR_END_OF_SHUTDOWN, 1, "");
	kerror_boot_describe(this->slot, boot);
	KUNIT_EXPECT_EQ(test, boot->end, (u32)KERROR_END_CLEAN);
	kerror_slot_end(this->slot, KERROR_END_OF_PANIC, 2, "it hurts");
	kerror_boot_describe(this->slot, boot);
	KUNIT_EXPECT_EQ(test, boot->end, (u32)KERROR_END_PANIC);
	KUNIT_EXPECT_STREQ(test, boot->message, "it hurts");
	KUNIT_EXPECT_STREQ(test, boot->release, "test");
}

static unsigned int rounds = 300;
module_param(rounds, uint, 0400);
MODULE_PARM_DESC(rounds, "how often test_persist_corrupted corrupts its slot");

static u32 test_below(struct rnd_state *random, u32 limit)
{
	return prandom_u32_state(random) % limit;
}

/* Writes something over a few places, mostly where sizes and offsets are. */
static void test_corrupt(u8 *memory, struct rnd_state *random)
{
	u32 times = 1 + test_below(random, 4), at, length, kind;

	while (times--) {
		at = test_below(random, test_below(random, 3) ? TEST_SLOT : 1500);
		length = min_t(u32, 1U << test_below(random, 10), TEST_SLOT - at);
		kind = test_below(random, 3);
		if (kind == 0)
			prandom_bytes_state(random, memory + at, length);
		else if (kind == 1)
			memset(memory + at, test_below(random, 2) ? 0 : 0xff, length);
		else
			memory[at] ^= 1U << test_below(random, 8);
	}
}

/* A kernel that wants to harm gets its sum right. */
static void test_forge(struct kerror_slot *slot, struct rnd_state *random)
{
	slot->magic = KERROR_SLOT_MAGIC;
	slot->version = KERROR_SLOT_VERSION;
	slot->size = TEST_SLOT;
	slot->long_size = test_below(random, 2) ? 8 : 4;
	slot->log_size[test_below(random, KERROR_SLOT_GROUPS)] =
		test_below(random, 2) ? 8 * test_below(random, TEST_SLOT / 8) :
		prandom_u32_state(random);
	if (test_below(random, 2))
		slot->rings = test_below(random, 70000);
	if (test_below(random, 2))
		slot->ring_size = 1U << test_below(random, 32);
	slot->sum = kerror_slot_sum(slot);
}

/* Reads all that a replay would. Returns a sum of it, for KASAN to see each byte. */
static u64 test_read_all(struct test_persist *this, const void *memory,
			 struct kerror_boot *boot)
{
	unsigned int group, i;
	u64 sum = 0;

	kerror_boot_describe(memory, boot);
	for (group = 0; group < KERROR_SLOT_GROUPS; group++) {
		this->count = kerror_slot_find(memory, group, this->found,
					       ARRAY_SIZE(this->found),
					       &this->survey);
		for (i = 0; i < min_t(u32, this->count, ARRAY_SIZE(this->found)); i++)
			sum += kerror_region_sum(0, memory + this->found[i].offset,
						 this->found[i].size);
	}
	return sum;
}

/* Whatever the slot holds, nothing outside of it is read, and nothing takes for ever. */
static void test_persist_corrupted(struct kunit *test)
{
	struct kerror_boot *boot = kunit_kzalloc(test, sizeof(*boot), GFP_KERNEL);
	void *memory = kunit_kzalloc(test, TEST_SLOT, GFP_KERNEL);
	struct test_persist *this = test->priv;
	unsigned int i, taken = 0, forged = 0;
	struct rnd_state random;

	KUNIT_ASSERT_NOT_NULL(test, boot);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	for (i = 0; i < 40; i++)
		kernel_error_event("an event of this test", 5 + i % 16,
				   i % 2 ? KERROR_GROUP_RAW : KERROR_GROUP_EVLOG);
	kerror_sync();
	prandom_seed_state(&random, 1);
	for (i = 0; i < rounds; i++) {
		memcpy(memory, this->slot, TEST_SLOT);
		test_corrupt(memory, &random);
		if (i % 2)
			test_forge(memory, &random);
		if (!kerror_slot_repair(memory, TEST_SLOT))
			continue;
		taken++;
		forged += i % 2;
		this->found[0].order += test_read_all(this, memory, boot);
		cond_resched();
	}
	kunit_info(test, "%u corrupted, %u taken, %u of them forged\n", rounds, taken,
		   forged);
	KUNIT_EXPECT_GT(test, taken - forged, rounds / 100);
	KUNIT_EXPECT_GT(test, forged, rounds / 100);
}

static struct kunit_case kerror_persist_cases[] = {
	KUNIT_CASE(test_persist_log),
	KUNIT_CASE(test_persist_ring),
	KUNIT_CASE(test_persist_losses),
	KUNIT_CASE(test_persist_describe),
	KUNIT_CASE(test_persist_corrupted),
	{}
};

static struct kunit_suite kerror_persist_suite = {
	.name = "kerror_persist",
	.init = test_persist_init,
	.exit = test_persist_exit,
	.test_cases = kerror_persist_cases,
};

kunit_test_suite(kerror_persist_suite);
