// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of evlog_printk*.c: what a message of printk() is recorded as.
 *
 * Included at the end of evlog_printk_record.c, whose state some tests change.
 * Each test prints messages and receives their events as evlog_kunit.c does.
 */
#include <linux/device.h>
#include <linux/evlog_printk.h>
#include <linux/pid.h>
#include "evlog_kunit.h"

/* Two of them are longer than what the cache keeps. */
#define LONG_TEXT "a text of seventy bytes, so that two of them are longer than what is kept"

/* printk() whose format the compiler need not know. */
static __printf(1, 2)
void test_print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

/*
 * Receives the next message that this thread has printed and compares it; the
 * text of the event is what vsnprintf() made of the message.
 */
static const struct evl_header *test_printed(struct kunit *test, u8 severity,
					     u32 flags, const char *format,
					     const char *text)
{
	const struct evl_header *header;
	const u8 *variable;
	char rendered[200] = "";

	do {
		header = evl_test_receive(test);
	} while (header->tid != task_pid_nr(current));
	variable = (u8 *)(header + 1) + header->device_size;
	KUNIT_EXPECT_EQ(test, header->severity, severity);
	KUNIT_EXPECT_EQ(test, header->flags & ~(u32)EVL_FLAG_BOOT,
			flags | EVL_FLAG_PRINTK);
	if (!format) {
		KUNIT_EXPECT_EQ(test, header->format, EVL_FORMAT_STRING);
		KUNIT_EXPECT_EQ(test, header->event_id, 0);
		KUNIT_EXPECT_EQ(test, header->variable_size, strlen(text));
		KUNIT_EXPECT_TRUE(test, !memcmp(variable, text, strlen(text)));
		return header;
	}
	KUNIT_ASSERT_EQ(test, header->format, EVL_FORMAT_PRINTF);
	KUNIT_EXPECT_STREQ(test, variable, format);
	KUNIT_EXPECT_EQ(test, header->event_id,
			evl_crc(format, strlen(format)));
	KUNIT_EXPECT_STREQ(test, header->facility, "kernel");
	KUNIT_EXPECT_EQ(test, header->facility_hash, evl_crc("kernel", 6));
	evl_render(rendered, sizeof(rendered), variable, evl_test_at,
		   evl_test_end);
	KUNIT_EXPECT_STREQ(test, rendered, text);
	return header;
}

/* Prints what another function was given, as drivers do. */
static __printf(2, 3)
void test_print_nested(const char *outer, const char *fmt, ...)
{
	struct va_format format = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	format.va = &args;
	test_print(outer, &format, 7);
	va_end(args);
}

static __printf(4, 5)
void test_print_named(const char *outer, const char *first, const char *second,
		      const char *fmt, ...)
{
	struct va_format format = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	format.va = &args;
	test_print(outer, first, second, &format);
	va_end(args);
}

/* Formats that stand for others, each time as the first time. */
static void test_printk_nested(struct kunit *test)
{
	struct evl_arguments none = {};
	struct va_format innermost = { .fmt = "nothing", .va = &none.list };
	char outer[] = KERN_ERR "%s %s: %pV";
	char inner[] = "b %d";
	int i;

	for (i = 0; i < 2; i++) {
		test_print_nested(KERN_ERR "%pV, %d\n", "a %s %*d", "b", 3, 4);
		test_printed(test, LOG_ERR, 0, "a %s %*d, %d", "a b   4, 7");
		test_print_nested("%pV", KERN_ALERT "a %llx\n", 1ULL << i);
		test_printed(test, LOG_ALERT, 0, "a %llx", i ? "a 2" : "a 1");
		test_print_named("%sa %s: %pV\n", i ? KERN_CRIT : "", "c",
				 "b %d%%\n", i);
		test_printed(test, i ? LOG_CRIT : default_message_loglevel, 0,
			     "%sa %s: b %d%%\n",
			     i ? "a c: b 1%\n" : "a c: b 0%\n");
		test_print_named("%sa %s: %pV", KERN_INFO, "c", "%d %s", i,
				 i ? "b\n" : "b");
		test_printed(test, LOG_INFO, i ? 0 : EVL_FLAG_OPEN,
			     "%sa %s: %d %s", i ? "a c: 1 b" : "a c: 0 b");
		test_print_named("%sa %s: %pV\n", KERN_INFO, "c", "%s",
				 (char *)NULL);
		test_printed(test, LOG_INFO, 0, "%sa %s: %s", "a c: (null)");
		test_print_named("%sa %s: %pV\n", KERN_INFO, "c", "%d %phC", 2,
				 "d");
		test_printed(test, LOG_INFO, 0, "%sa %s: %d %phC",
			     "a c: 2 64");
		test_print_nested(KERN_INFO "%pV\n", "in %pV", &innermost);
		test_printed(test, LOG_INFO, 0, "in nothing", "in nothing");
	}
	/* The same addresses, other texts. */
	test_print_named(outer, "a", "c", inner, 1);
	test_printed(test, LOG_ERR, EVL_FLAG_OPEN, "%s %s: b %d", "a c: b 1");
	strscpy(inner, "%llu", sizeof(inner));
	test_print_named(outer, "a", "c", inner, 1ULL << 40);
	test_printed(test, LOG_ERR, EVL_FLAG_OPEN, "%s %s: %llu",
		     "a c: 1099511627776");
	strscpy(outer, KERN_ERR "%s, %s %pV", sizeof(outer));
	test_print_named(outer, "a", "c", inner, 1ULL);
	test_printed(test, LOG_ERR, EVL_FLAG_OPEN, "%s, %s %llu", "a, c 1");
}

/*
 * Fault: a newline at the end of what an extension of %p expands to, as %pA of
 * Rust's messages does, was part of the text, and the line stayed open.
 */
static void test_printk_text_ends(struct kunit *test)
{
	int i;

	for (i = 0; i < 2; i++) {
		test_print(KERN_INFO "%s: %*pEc", i ? "d" : "c", 4, "abc\n");
		test_printed(test, LOG_INFO, 0, "%s: %*pEc",
			     i ? "d: abc" : "c: abc");
		test_print(KERN_INFO "%*pEc", 1, "\n");
		test_printed(test, LOG_INFO, 0, "%*pEc", "");
		test_print(KERN_INFO "%*pEc", 3, "abc\n");
		test_printed(test, LOG_INFO, EVL_FLAG_OPEN, "%*pEc", "abc");
		test_print(KERN_INFO "%*pEc.", 4, "abc\n");
		test_printed(test, LOG_INFO, EVL_FLAG_OPEN, "%*pEc.", "abc\n.");
		test_print(KERN_INFO "%*pEc\n", 4, "abc\n");
		test_printed(test, LOG_INFO, 0, "%*pEc", "abc\n");
		test_print_named(KERN_INFO "%s %s: %pV", "a", "b", "%d %*pEc",
				 i, 4, "abc\n");
		test_printed(test, LOG_INFO, 0, "%s %s: %d %*pEc",
			     i ? "a b: 1 abc" : "a b: 0 abc");
		/* The newline of the format, if there is one, is the last. */
		test_print_named(KERN_INFO "%s %s: %pV\n", "a", "b", "%*pEc",
				 4, "abc\n");
		test_printed(test, LOG_INFO, 0, "%s %s: %*pEc", "a b: abc\n");
	}
}

/* Each byte of a format counts, wherever in a word it begins and ends. */
static void test_printk_changed(struct kunit *test)
{
	const size_t level = strlen(KERN_DEBUG);
	char place[4 * sizeof(long)], *fmt, *text;
	size_t start, length, at;

	for (start = 0; start < sizeof(long); start++) {
		for (length = 1; length <= 2 * sizeof(long); length++) {
			memset(place, 'a', sizeof(place));
			fmt = place + start;
			text = fmt + level;
			memcpy(fmt, KERN_DEBUG, level);
			text[length] = '\0';
			test_print(fmt, 0);
			test_printed(test, LOG_DEBUG, EVL_FLAG_OPEN, text, text);
			for (at = 0; at < length; at++) {
				text[at] = 'b';
				test_print(fmt, 0);
				test_printed(test, LOG_DEBUG, EVL_FLAG_OPEN,
					     text, text);
			}
			/* Shorter, and longer again */
			for (at = 0; at < 2; at++) {
				text[length / 2] = at ? 'c' : '\0';
				test_print(fmt, 0);
				test_printed(test, LOG_DEBUG, EVL_FLAG_OPEN,
					     text, text);
			}
		}
	}
}

static void test_printk(struct kunit *test)
{
	struct device *device = root_device_register("evlog-kunit");
	char changing[] = KERN_ERR "first %d\n";
	const struct evl_header *header;
	struct evl_arguments none = {};
	char refused[] = "%*% %d\n";
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(device));
	for (i = 0; i < 2; i++) {
		printk(KERN_CRIT "status %#x of %s\n", 5 + i, "disk");
		test_printed(test, LOG_CRIT, 0, "status %#x of %s",
			     i ? "status 0x6 of disk" : "status 0x5 of disk");
	}
	/* The same address, other text and arguments. */
	test_print(changing, 1);
	test_printed(test, LOG_ERR, 0, "first %d", "first 1");
	strscpy(changing, KERN_ERR "is %s\n", sizeof(changing));
	test_print(changing, "second");
	test_printed(test, LOG_ERR, 0, "is %s", "is second");
	/* Too long for the cache */
	printk(KERN_INFO LONG_TEXT " of %s, " LONG_TEXT "%c\n", "text", '!');
	test_printed(test, LOG_INFO, 0,
		     LONG_TEXT " of %s, " LONG_TEXT "%c",
		     LONG_TEXT " of text, " LONG_TEXT "!");
	/* A level, or a newline, that comes as an argument. */
	printk("%sdepth %d\n", KERN_ALERT, 1);
	test_printed(test, LOG_ALERT, 0, "%sdepth %d", "depth 1");
	for (i = 0; i < 2; i++) {
		test_print(KERN_SOH "%ddrive %d\n", 2 + i, i);
		test_printed(test, LOG_CRIT + i, 0, "drive %d",
			     i ? "drive 1" : "drive 0");
		test_print(KERN_SOH "%c%s%d\n", '5', "a", i);
		test_printed(test, LOG_NOTICE, 0, "%s%d", i ? "a1" : "a0");
	}
	for (i = 0; i < 2; i++) {
		printk(KERN_NOTICE "%s of %d\n", i ? KERN_ERR "one" : "one", 2);
		test_printed(test, LOG_NOTICE, 0, "%s of %d", "one of 2");
	}
	printk(KERN_NOTICE "%d %s", 1, "line\n");
	test_printed(test, LOG_NOTICE, 0, "%d %s", "1 line");
	printk(KERN_NOTICE "%d %6s", 1, "lin\n");
	test_printed(test, LOG_NOTICE, EVL_FLAG_OPEN, "%d %6s", "1   lin\n");
	printk("by default\n");
	test_printed(test, default_message_loglevel, 0, "by default",
		     "by default");
	/* Lines in pieces. */
	printk(KERN_WARNING "begin");
	test_printed(test, LOG_WARNING, EVL_FLAG_OPEN, "begin", "begin");
	printk(KERN_CONT " middle %d", 1);
	test_printed(test, LOG_WARNING, EVL_FLAG_OPEN | EVL_FLAG_CONTINUES,
		     " middle %d", " middle 1");
	printk(KERN_CONT " end\n");
	test_printed(test, LOG_WARNING, EVL_FLAG_CONTINUES, " end", " end");
	for (i = 0; i < 2; i++) {
		dev_err(device, "bad block %llu of %c\n", 77ULL, 'x' + i);
		header = test_printed(test, LOG_ERR, 0,
				      "%s %s: bad block %llu of %c", i ?
				      " evlog-kunit: bad block 77 of y" :
				      " evlog-kunit: bad block 77 of x");
		KUNIT_EXPECT_EQ(test, header->device_size, 0);
	}
	/* Formats that evl_printf() refuses. */
	test_print(refused, 5, 6);
	snprintf(changing, sizeof(changing), refused, 5, 6);
	changing[strcspn(changing, "\n")] = '\0';
	test_printed(test, default_message_loglevel, 0, NULL, changing);
	test_print(KERN_INFO "nothing: %pV\n", NULL);
	test_printed(test, LOG_INFO, 0, NULL, "nothing: (null)");
	/* A text of user space, and messages that are not severe enough. */
	printk(evl_devkmsg_fmt, "of a user\n");
	vprintk_emit(1, LOG_ERR, NULL, "of a user\n", none.list);
	for (i = 0; i < 2; i++) {
		printk(KERN_WARNING "of interest once");
		WRITE_ONCE(evl_printk_level, LOG_ERR + 1);
	}
	test_printed(test, LOG_WARNING, EVL_FLAG_OPEN, "of interest once",
		     "of interest once");
	printk(KERN_WARNING "hardly of interest");
	printk(KERN_CONT ", nor this\n");
	printk(KERN_ERR "severe\n");
	test_printed(test, LOG_ERR, 0, "severe", "severe");
	root_device_unregister(device);
}

/* The cache entry of @fmt on this CPU, whose level has @level bytes; or NULL. */
static const struct evl_fmt_info *test_cached(const char *fmt, size_t level)
{
	return evl_cache_get(per_cpu(evl_cpu, raw_smp_processor_id()).cache,
			     false, fmt, fmt + level, NULL);
}

/* Fault: a task that an oops killed in here was counted as a user for ever. */
static void test_printk_dead_user(struct kunit *test)
{
	char first[] = KERN_INFO "after an oops %d\n";
	char second[] = KERN_INFO "interrupts %d\n";
	const size_t level = strlen(KERN_INFO);
	unsigned long counted[2];
	struct evl_cpu *cpu;
	bool cached[2];

	preempt_disable();
	cpu = &per_cpu(evl_cpu, raw_smp_processor_id());
	counted[0] = cpu->forwarded[0];
	cpu->task = NULL;
	cpu->users = 3;
	test_print(first, 1);
	cached[0] = test_cached(first, level);
	counted[0] = cpu->forwarded[0] - counted[0];
	/* A caller that interrupts a living task does not add entries. */
	counted[1] = cpu->forwarded[1];
	cpu->task = current;
	cpu->users = 1;
	test_print(second, 2);
	cached[1] = test_cached(second, level);
	counted[1] = cpu->forwarded[1] - counted[1];
	KUNIT_EXPECT_EQ(test, cpu->users, 1);
	cpu->users = 0;
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, cached[0]);
	KUNIT_EXPECT_FALSE(test, cached[1]);
	KUNIT_EXPECT_EQ(test, counted[0], 1);
	KUNIT_EXPECT_EQ(test, counted[1], 1);
	test_printed(test, LOG_INFO, 0, "after an oops %d", "after an oops 1");
	test_printed(test, LOG_INFO, 0, "interrupts %d", "interrupts 2");
}

/* Fault: a text that grew after it was measured was copied to the stack whole. */
static void test_printk_text_grows(struct kunit *test)
{
	struct evl_fmt_cache *cache = evl_cache_alloc(raw_smp_processor_id());
	char *outer = kunit_kzalloc(test, 4096, GFP_KERNEL);
	char *inner = kunit_kzalloc(test, 4096, GFP_KERNEL);
	const struct evl_fmt_info *info, *prefix;
	const size_t longest = 119;	/* EVL_CACHE_TEXT - sizeof(long) - 1 */

	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_ASSERT_NOT_NULL(test, outer);
	KUNIT_ASSERT_NOT_NULL(test, inner);
	memset(inner, 'i', 4095);
	info = evl_cache_add(cache, inner, 20, inner, NULL);
	KUNIT_EXPECT_EQ(test, info->kind, EVL_FMT_PLAIN);
	KUNIT_EXPECT_EQ(test, info->callsite.fmt_size, 21);
	KUNIT_EXPECT_EQ(test, strlen(info->callsite.fmt), 20);
	/* It may become shorter, too, even than its level. */
	inner[5] = '\0';
	info = evl_cache_add(cache, inner, 20, inner + 7, NULL);
	KUNIT_EXPECT_EQ(test, strlen(info->callsite.fmt), 0);
	info = evl_cache_add(cache, inner, 20, inner, NULL);
	KUNIT_EXPECT_EQ(test, info->callsite.fmt_size, 6);
	/* Both formats are as long as can be. */
	inner[5] = 'i';
	memset(outer, 'o', 4095);
	memcpy(outer + longest - 3, "%pV", 3);
	prefix = evl_cache_add(cache, outer, longest, outer, NULL);
	KUNIT_EXPECT_EQ(test, prefix->kind, EVL_FMT_PREFIX);
	KUNIT_EXPECT_EQ(test, prefix->prefix_size, longest - 3);
	info = evl_cache_add(cache, inner, longest, inner, prefix);
	KUNIT_EXPECT_EQ(test, info->kind, EVL_FMT_PLAIN);
	KUNIT_EXPECT_EQ(test, info->callsite.fmt_size, 2 * longest - 3 + 1);
	/* One that is longer is not cached. */
	outer[longest] = '\0';
	KUNIT_EXPECT_NOT_NULL(test, evl_cache_get(cache, true, outer, outer, NULL));
	outer[longest] = 'o';
	outer[longest + sizeof(long)] = '\0';
	KUNIT_EXPECT_NULL(test, evl_cache_get(cache, true, outer, outer, NULL));
	kfree(cache);
}

/* Fault: a message before per-CPU memory exists used that memory. */
static void test_printk_early(struct kunit *test)
{
	unsigned long forwarded;
	struct evl_cpu before;
	struct evl_cpu *cpu;
	bool same;

	preempt_disable();
	cpu = &per_cpu(evl_cpu, raw_smp_processor_id());
	before = *cpu;
	forwarded = evl_forwarded();
	WRITE_ONCE(evl_cpu_ready, false);
	test_print(KERN_ERR "early %d\n", 1);
	WRITE_ONCE(evl_cpu_ready, true);
	forwarded = evl_forwarded() - forwarded;
	same = !memcmp(&before, cpu, sizeof(before));
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, same);
	KUNIT_EXPECT_EQ(test, forwarded, 1);
	test_printed(test, LOG_ERR, 0, "early %d", "early 1");
}

/* Fault: all possible CPUs had static memory for a cache. */
static void test_printk_no_cache(struct kunit *test)
{
	struct evl_fmt_cache *cache;
	unsigned long forwarded;
	struct evl_cpu *of_cpu;
	int cpu;

	for_each_online_cpu(cpu) {
		cache = per_cpu(evl_cpu, cpu).cache;
		KUNIT_EXPECT_NOT_NULL(test, cache);
		/* A CPU that comes again keeps it. */
		KUNIT_EXPECT_EQ(test, evl_cpu_prepare(cpu), 0);
		KUNIT_EXPECT_PTR_EQ(test, per_cpu(evl_cpu, cpu).cache, cache);
	}
	preempt_disable();
	of_cpu = &per_cpu(evl_cpu, raw_smp_processor_id());
	cache = of_cpu->cache;
	of_cpu->cache = NULL;
	forwarded = evl_forwarded();
	test_print(KERN_ERR "no memory %d\n", 1);
	test_print_nested(KERN_ERR "no %pV, %d\n", "memory %d", 2);
	forwarded = evl_forwarded() - forwarded;
	of_cpu->cache = cache;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, forwarded, 2);
	test_printed(test, LOG_ERR, 0, "no memory %d", "no memory 1");
	test_printed(test, LOG_ERR, 0, "no memory %d, %d", "no memory 2, 7");
}

/* Each message is counted once, whatever path it takes. */
static void test_printk_forwarded(struct kunit *test)
{
	unsigned long forwarded;

	preempt_disable();
	forwarded = evl_forwarded();
	test_print(KERN_ERR "plain %d\n", 1);
	test_print_nested(KERN_ERR "%pV %d\n", "slow %s", "twice");
	test_print_named(KERN_ERR "%s %s: %pV", "a", "b", "cached %d\n", 3);
	test_print(evl_devkmsg_fmt, "of a user\n");
	forwarded = evl_forwarded() - forwarded;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, forwarded, 3);
}

static int test_level;

static int test_printk_init(struct kunit *test)
{
	test_level = READ_ONCE(evl_printk_level);
	WRITE_ONCE(evl_printk_level, 8);
	return evl_test_open(test, KERROR_GROUP_PRINTK);
}

static void test_printk_exit(struct kunit *test)
{
	WRITE_ONCE(evl_printk_level, test_level);
	evl_test_exit(test);
}

static struct kunit_case evl_printk_test_cases[] = {
	KUNIT_CASE(test_printk),
	KUNIT_CASE(test_printk_nested),
	KUNIT_CASE(test_printk_text_ends),
	KUNIT_CASE(test_printk_changed),
	KUNIT_CASE(test_printk_dead_user),
	KUNIT_CASE(test_printk_text_grows),
	KUNIT_CASE(test_printk_early),
	KUNIT_CASE(test_printk_no_cache),
	KUNIT_CASE(test_printk_forwarded),
	{}
};

static struct kunit_suite evl_printk_test_suite = {
	.name = "evlog_printk",
	.init = test_printk_init,
	.exit = test_printk_exit,
	.test_cases = evl_printk_test_cases,
};

kunit_test_suite(evl_printk_test_suite);
