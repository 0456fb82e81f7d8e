// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of evlog: what evl_printf() and evl_write() record.
 *
 * Each test raises events and receives them from a netlink socket inside the
 * kernel, as a program does. The text of evl_render() is compared with that of
 * snprintf() for the same call.
 */
#include <linux/align.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <net/netlink.h>
#include <net/sock.h>
#include "evlog_internal.h"
#include "evlog_kunit.h"

/* Longest device text, as in evlog_device.h */
#define TEST_DEVICE_MAX	128

#define TEST_CONTEXTS	(EVL_FLAG_NMI | EVL_FLAG_INTERRUPT | EVL_FLAG_SOFTIRQ)

/* Fault of 2003: uid_t and pid_t in the header, whose sizes vary. */
static_assert(sizeof(struct evl_header) == EVL_HEADER_SIZE);
static_assert(offsetof(struct evl_header, uid) == 36);
static_assert(offsetof(struct evl_header, magic) == 56);
static_assert(offsetof(struct evl_header, facility) == 84);
static_assert(sizeof(struct evl_argument) == 4);

static struct socket *test_socket;

/* The message that was received last, and where its next argument is. */
static union {
	struct nlmsghdr nlh;
	u8 bytes[NLMSG_SPACE(KERROR_EVENT_MAX)];
} test_message;
const u8 *evl_test_at, *evl_test_end;

/* Opens the socket for @groups. */
int evl_test_open(struct kunit *test, unsigned int groups)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = groups,
	};
	int err;

	err = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_KERROR,
			       &test_socket);
	if (err)
		return err;
	test_socket->sk->sk_rcvtimeo = 5 * HZ;
	err = kernel_bind(test_socket, (void *)&address, sizeof(address));
	if (err == -EPROTONOSUPPORT)
		kunit_skip(test, "kerror.test_no_socket=1 leaves nothing to receive from");
	return err;
}

static int test_init(struct kunit *test)
{
	return evl_test_open(test, KERROR_GROUP_EVLOG);
}

void evl_test_exit(struct kunit *test)
{
	if (test_socket)
		sock_release(test_socket);
	test_socket = NULL;
}

static int test_receive_message(struct kunit *test)
{
	struct kvec vec = { &test_message, sizeof(test_message) };
	struct msghdr msg = {};
	int len;

	len = kernel_recvmsg(test_socket, &msg, &vec, 1, sizeof(test_message),
			     0);
	KUNIT_ASSERT_GE(test, len, NLMSG_HDRLEN);
	KUNIT_ASSERT_EQ(test, NLMSG_ALIGN(test_message.nlh.nlmsg_len), (u32)len);
	return test_message.nlh.nlmsg_type;
}

const struct evl_header *evl_test_receive(struct kunit *test)
{
	const struct evl_header *header = nlmsg_data(&test_message.nlh);

	KUNIT_ASSERT_EQ(test, test_receive_message(test), KERROR_MSG_EVENT);
	KUNIT_ASSERT_GE(test, nlmsg_len(&test_message.nlh), EVL_HEADER_SIZE);
	KUNIT_ASSERT_EQ(test, nlmsg_len(&test_message.nlh),
			(int)(EVL_HEADER_SIZE + header->device_size +
			      header->variable_size));
	KUNIT_EXPECT_EQ(test, test_message.nlh.nlmsg_pid, header->tid);
	evl_test_at = (u8 *)(header + 1) + header->device_size +
		  header->format_size;
	evl_test_end = evl_test_at + header->variable_size - header->format_size;
	return header;
}

/* Takes the next argument, a number. */
static void test_number(struct kunit *test, u8 type, s64 expected)
{
	struct evl_argument argument;
	const void *value = evl_next_arg(&evl_test_at, evl_test_end, &argument);
	bool wide = type == EVL_ARG_S64 || type == EVL_ARG_U64;
	s64 number;
	s32 narrow;

	KUNIT_ASSERT_NOT_NULL(test, value);
	KUNIT_EXPECT_EQ(test, argument.type, type);
	KUNIT_ASSERT_EQ(test, argument.size, wide ? 8 : 4);
	memcpy(&number, value, sizeof(number));
	memcpy(&narrow, value, sizeof(narrow));
	KUNIT_EXPECT_EQ(test, wide ? number : narrow, expected);
}

/* Takes the next argument, bytes; what fills it up must be zero. */
static void test_bytes(struct kunit *test, u8 type, u8 flags,
		       const char *expected)
{
	struct evl_argument argument;
	const void *value = evl_next_arg(&evl_test_at, evl_test_end, &argument);

	KUNIT_ASSERT_NOT_NULL(test, value);
	KUNIT_EXPECT_EQ(test, argument.type, type);
	KUNIT_EXPECT_EQ(test, argument.flags, flags);
	KUNIT_ASSERT_EQ(test, argument.size, strlen(expected));
	KUNIT_EXPECT_TRUE(test, !memcmp(value, expected, argument.size));
	KUNIT_EXPECT_FALSE(test, !!memchr_inv(value + argument.size, 0,
					      -argument.size & 3));
}

static struct kerror_reservation *test_held;

/* Records and renders, and compares with what vsnprintf() makes. */
static __printf(2, 3)
void test_same(struct kunit *test, const char *fmt, ...)
{
	char text[300], expected[300];
	const struct evl_header *header;
	va_list args;
	int err;

	/* Fault of 2003: the caller's va_list was used up, and walked twice. */
	va_start(args, fmt);
	err = evl_vprintf("kunit", 0, LOG_INFO, fmt, args);
	vsnprintf(expected, sizeof(expected), fmt, args);
	va_end(args);
	if (test_held)
		kerror_commit(test_held, 0);
	test_held = NULL;
	KUNIT_ASSERT_EQ(test, err, 0);
	header = evl_test_receive(test);
	KUNIT_EXPECT_EQ(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
	evl_render(text, sizeof(text), evl_test_at - header->format_size,
		   evl_test_at, evl_test_end);
	KUNIT_EXPECT_STREQ_MSG(test, text, expected, "format \"%s\"", fmt);
}

static __printf(2, 3)
void test_same_nested(struct kunit *test, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	test_same(test, "%d[%pV]%d", 1, &vaf, 2);
	va_end(args);
}

static void test_render(struct kunit *test)
{
	static const u8 bytes[] = { 10, 0, 0, 200, 0xab };
	unsigned long long big = 0xfedcba9876543210ULL;
	phys_addr_t address = 0x1234;
	void *error = ERR_PTR(-ENOENT);
	/* A variable, so that the compiler does not object. */
	const char *odd = "%08.3d|%-05d|%+ #8u|%#p|%.12p";

	test_same(test, "no argument");
	test_same(test, "100%% of %d%%", 7);
	test_same(test, "%d %i %u %d", -1, INT_MIN, UINT_MAX, 0);
	test_same(test, "%+d|% d|%+d|%5d|%-5d|%05d|", 1, 2, -3, 4, 5, 6);
	test_same(test, "%x %X %#x %#X %#x %o %#o %#o", 171, 171, 171, 171, 0,
		  8, 8, 0);
	test_same(test, "%.5d|%8.5d|%.0d|%-8.3x|%#010x", 42, -42, 0, 42, 42);
	test_same(test, odd, 42, 42, 42, test, test);
	test_same(test, "%hhd %hhu %hd %hu %hhx", 300, 300, 70000, 70000, -1);
	test_same(test, "%ld %lu %lld %llu %llx %zu %zd %td", LONG_MIN,
		  ULONG_MAX, (long long)big, big, big, (size_t)1,
		  (ssize_t)-1, (ptrdiff_t)-2);
	test_same(test, "%*d|%*d|%-*d|%.*d|%*.*d|%0*d", 6, 1, -6, 2, 6, 3, 4, 4,
		  7, 5, 5, 4, 6);
	test_same(test, "%c%c|%3c|%-3c|%*c|", 'a', 0xe4, 'b', 'c', 4, 'd');
	test_same(test, "%s|%5s|%-5s|%.2s|%5.1s|%.s|%.0s|", "abc", "abc", "abc",
		  "abc", "abc", "abc", "abc");
	test_same(test, "%.*s|%*s|%*s|%*.*s|%.*s|", 2, "abc", 5, "abc", -5,
		  "abc", 5, 2, "abc", -1, "abc");
	test_same(test, "%s|%10s|%.3s|%s|%s", (char *)NULL, (char *)NULL,
		  (char *)NULL, (char *)error, (char *)16);
	test_same(test, "%p|%p|%p|%20p|%-20p|%*p|", test, NULL, error, test,
		  test, 18, test);
	test_same(test, "%-p|%pK", test, NULL);
	test_same(test, "%pI4|%16pI4|%pi4|%pI4", bytes, bytes, bytes, NULL);
	test_same(test, "%5ph|%*ph|%*phN|%-20ph|", bytes, 3, bytes, 4, bytes,
		  bytes);
	/* Extensions whose last letter is a p, as that of a plain pointer. */
	test_same(test, "%pap|%pa[p]|%d", &address, &address, 3);
	test_same(test, "%pe|%pe|%ps", error, test, test_render);
	test_same_nested(test, "%s %d", "inner", 5);
}

static void test_arguments(struct kunit *test)
{
	static const u8 bytes[] = { 1, 0xab };
	u8 is_long = sizeof(long) == 8 ? EVL_ARG_S64 : EVL_ARG_S32;

	KUNIT_EXPECT_EQ(test, 0,
			evl_info("%d %u %hhd %ld %llx %% %c %s %*d %.*s %*ph",
				 -1, UINT_MAX, 300, -2L, 1ULL << 63, 'c',
				 "string", 6, 7, 3, "abcdef", 2, bytes));
	evl_test_receive(test);
	test_number(test, EVL_ARG_S32, -1);
	test_number(test, EVL_ARG_U32, -1);
	test_number(test, EVL_ARG_S32, 300);
	test_number(test, is_long, -2);
	test_number(test, EVL_ARG_U64, S64_MIN);
	test_bytes(test, EVL_ARG_CHAR, 0, "c");
	test_bytes(test, EVL_ARG_STRING, 0, "string");
	test_number(test, EVL_ARG_WIDTH, 6);
	test_number(test, EVL_ARG_S32, 7);
	test_number(test, EVL_ARG_PRECISION, 3);
	test_bytes(test, EVL_ARG_STRING, 0, "abc");
	test_number(test, EVL_ARG_WIDTH, 2);
	test_bytes(test, EVL_ARG_TEXT, 0, "01 ab");
	KUNIT_EXPECT_PTR_EQ(test, evl_test_at, evl_test_end);
}

/* The first event of a call site takes another path than all later ones. */
static void test_known_callsite(struct kunit *test)
{
	u8 is_long = sizeof(long) == 8 ? EVL_ARG_S64 : EVL_ARG_S32;
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 0,
				evl_info("%d %s %u %hhd %llx %c %ld %s %s %x %lld %d",
					 -1, "string", UINT_MAX, 300,
					 1ULL << 63, 'c', -2L, "", "seventeen letters",
					 0x40000123, -3LL, i));
		evl_test_receive(test);
		test_number(test, EVL_ARG_S32, -1);
		test_bytes(test, EVL_ARG_STRING, 0, "string");
		test_number(test, EVL_ARG_U32, -1);
		test_number(test, EVL_ARG_S32, 300);
		test_number(test, EVL_ARG_U64, S64_MIN);
		test_bytes(test, EVL_ARG_CHAR, 0, "c");
		test_number(test, is_long, -2);
		test_bytes(test, EVL_ARG_STRING, 0, "");
		test_bytes(test, EVL_ARG_STRING, 0, "seventeen letters");
		test_number(test, EVL_ARG_U32, 0x40000123);
		test_number(test, EVL_ARG_S64, -3);
		test_number(test, EVL_ARG_S32, i);
		KUNIT_EXPECT_PTR_EQ(test, evl_test_at, evl_test_end);
	}
}

/* Fault of 2003: NULL %s. */
static void test_invalid_strings(struct kunit *test)
{
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 0,
				evl_info("%s %s %s", (char *)NULL,
					 (char *)ERR_PTR(-EIO), "(null)"));
		evl_test_receive(test);
		test_bytes(test, EVL_ARG_STRING, EVL_ARG_FLAG_INVALID, "(null)");
		test_bytes(test, EVL_ARG_STRING, EVL_ARG_FLAG_INVALID, "(efault)");
		test_bytes(test, EVL_ARG_STRING, 0, "(null)");
		KUNIT_EXPECT_PTR_EQ(test, evl_test_at, evl_test_end);
	}
}

/* Fault of 2003: raw pointers, and what %p extensions point to, copied out. */
static void test_pointers(struct kunit *test)
{
	unsigned long secret = (unsigned long)test, hashed, value;
	struct evl_argument argument = {};
	const void *taken;
	char text[20];
	unsigned int i;

	snprintf(text, sizeof(text), "%p", test);
	if (kstrtoul(text, 16, &hashed))
		kunit_skip(test, "there are no random numbers yet to hash with");
	KUNIT_EXPECT_EQ(test, 0, evl_info("%p %4ph", test, &secret));
	evl_test_receive(test);
	taken = evl_next_arg(&evl_test_at, evl_test_end, &argument);
	KUNIT_ASSERT_NOT_NULL(test, taken);
	KUNIT_EXPECT_EQ(test, argument.type, EVL_ARG_POINTER);
	KUNIT_ASSERT_EQ(test, argument.size, sizeof(value));
	memcpy(&value, taken, sizeof(value));
	KUNIT_EXPECT_EQ(test, value, hashed);
	KUNIT_EXPECT_NE(test, value, secret);
	for (i = 0; i + sizeof(secret) <= test_message.nlh.nlmsg_len; i++)
		KUNIT_EXPECT_TRUE(test, !!memcmp(test_message.bytes + i,
						 &secret, sizeof(secret)));
}

static void test_refused(struct kunit *test)
{
	char longest[80] = "%";
	const char * const formats[] = {
		"%n", "%d %n", "%y", "%", "%5", "%5.", "%ll", "%*%",
		"%8388608d", "%.32768d", longest,
	};
	const char *null = NULL;
	int i, out = 1234;
	u32 sequence;

	memset(longest + 1, '0', sizeof(longest) - 3);
	longest[sizeof(longest) - 2] = 'p';
	KUNIT_EXPECT_EQ(test, 0, evl_info("x"));
	evl_test_receive(test);
	sequence = test_message.nlh.nlmsg_seq;
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    evl_info(formats[i], &out, &out), "%s",
				    formats[i]);
	KUNIT_EXPECT_EQ(test, out, 1234);
	KUNIT_EXPECT_EQ(test, -EINVAL, evl_info(null));
	KUNIT_EXPECT_EQ(test, -EINVAL, evl_printf(NULL, 0, LOG_INFO, "text"));
	KUNIT_EXPECT_EQ(test, -EINVAL, evl_write(NULL, 1, LOG_INFO, NULL, 0,
						 EVL_FORMAT_NODATA));
	KUNIT_EXPECT_EQ(test, -EINVAL, evl_write("kunit", 1, LOG_INFO, "x", 1,
						 EVL_FORMAT_NODATA));
	KUNIT_EXPECT_EQ(test, -EINVAL, evl_write("kunit", 1, LOG_INFO, NULL, 1,
						 EVL_FORMAT_BINARY));
	for (i = -1; i < 260; i++)	/* 256 + n must not be taken as n */
		if (i < EVL_FORMAT_NODATA || i > EVL_FORMAT_STRING)
			KUNIT_EXPECT_EQ(test, -EINVAL,
					evl_write("kunit", 1, LOG_INFO, "x", 1,
						  i));
	/* None of these was numbered. */
	KUNIT_EXPECT_EQ(test, 0, evl_info("x"));
	evl_test_receive(test);
	KUNIT_EXPECT_EQ(test, test_message.nlh.nlmsg_seq, sequence + 1);
}

/* Faults of 2003: no timestamp; 16-bit uids. */
static void test_header(struct kunit *test)
{
	u64 realtime = ktime_get_real_ns(), boot = ktime_get_boottime_ns();
	struct cred *cred = prepare_creds();
	const struct evl_header *header;
	const struct cred *old;
	int cpu;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cred->uid = KUIDT_INIT(100001);
	cred->gid = KGIDT_INIT(100002);
	old = override_creds(cred);
	migrate_disable();
	cpu = raw_smp_processor_id();
	KUNIT_EXPECT_EQ(test, 0, evl_printf("kunit", -5, LOG_ERR,
					    "disk %s: status %#x\n", "a", 1));
	migrate_enable();
	revert_creds(old);
	put_cred(cred);
	header = evl_test_receive(test);
	KUNIT_EXPECT_EQ(test, header->magic, 0x7af8);
	KUNIT_EXPECT_EQ(test, header->version, 4);
	KUNIT_EXPECT_EQ(test, header->header_size, 144);
	KUNIT_EXPECT_EQ(test, header->device_size, 0);
	KUNIT_EXPECT_EQ(test, header->format, EVL_FORMAT_PRINTF);
	KUNIT_EXPECT_EQ(test, header->severity, LOG_ERR);
	KUNIT_EXPECT_EQ(test, (int)header->event_type, -5);
	/* CRCs as zlib makes them, of the format without its newline. */
	KUNIT_EXPECT_EQ(test, header->event_id, 0x82278f7aU);
	KUNIT_EXPECT_EQ(test, header->facility_hash, 0xd53f620eU);
	KUNIT_EXPECT_EQ(test, header->format_size,
			sizeof("disk %s: status %#x"));
	KUNIT_EXPECT_STREQ(test, evl_test_at - header->format_size,
			   "disk %s: status %#x");
	KUNIT_EXPECT_STREQ(test, header->facility, "kunit");
	KUNIT_EXPECT_STREQ(test, header->comm, current->comm);
	KUNIT_EXPECT_EQ(test, header->cpu, (u32)cpu);
	KUNIT_EXPECT_EQ(test, header->uid, 100001U);
	KUNIT_EXPECT_EQ(test, header->gid, 100002U);
	KUNIT_EXPECT_EQ(test, header->pid, (u32)task_tgid_nr(current));
	KUNIT_EXPECT_EQ(test, header->tid, (u32)task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, header->reserved, 0);
	KUNIT_EXPECT_EQ(test, header->flags, system_state < SYSTEM_RUNNING ?
			EVL_FLAG_BOOT : 0U);
	/* The clocks are read without a lock, which may cost some precision. */
	KUNIT_EXPECT_GE(test, header->time_realtime, realtime - NSEC_PER_MSEC);
	KUNIT_EXPECT_LE(test, header->time_realtime,
			ktime_get_real_ns() + NSEC_PER_MSEC);
	KUNIT_EXPECT_GE(test, header->time_boot, boot - NSEC_PER_MSEC);
	KUNIT_EXPECT_LE(test, header->time_boot,
			ktime_get_boottime_ns() + NSEC_PER_MSEC);
}

static void test_severity(struct kunit *test)
{
	static const int severities[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 255, 256, 257, -1, -256, INT_MIN,
	};
	unsigned int i;
	u8 expected;

	for (i = 0; i < ARRAY_SIZE(severities); i++) {
		expected = i < 8 ? i : LOG_WARNING;
		KUNIT_EXPECT_EQ(test, 0, evl_write("kunit", 1, severities[i],
						   NULL, 0, EVL_FORMAT_NODATA));
		KUNIT_EXPECT_EQ(test, evl_test_receive(test)->severity, expected);
		KUNIT_EXPECT_EQ(test, 0, evl_printf("kunit", 1, severities[i],
						    "text"));
		KUNIT_EXPECT_EQ(test, evl_test_receive(test)->severity, expected);
	}
}

/* Fault of 2003: the facility was cut at 15 characters. */
static void test_facility(struct kunit *test)
{
	const struct evl_header *header;
	char facility[EVL_FACILITY_SIZE + 1] = {};

	memset(facility, 'f', EVL_FACILITY_SIZE);
	KUNIT_EXPECT_EQ(test, 0, evl_printf(facility + 1, 0, LOG_INFO, "x"));
	header = evl_test_receive(test);
	KUNIT_EXPECT_STREQ(test, header->facility, facility + 1);
	KUNIT_EXPECT_EQ(test, header->facility_hash, 0x99fe3866U);
	KUNIT_EXPECT_EQ(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
	KUNIT_EXPECT_EQ(test, 0, evl_printf(facility, 0, LOG_INFO, "x"));
	header = evl_test_receive(test);
	KUNIT_EXPECT_STREQ(test, header->facility, facility + 1);
	KUNIT_EXPECT_EQ(test, header->facility_hash, 0xd29b11b5U);
	KUNIT_EXPECT_NE(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
}

/* A call site of one format must not give it to an event of another format. */
static void test_callsite(struct kunit *test)
{
	static const char *const formats[] = { "first %d", "another one %u" };
	static const char *const facilities[] = { "kunit", "kunit too" };
	static struct evl_callsite callsite;
	const struct evl_header *header;
	const char *fmt, *facility;
	int i;

	for (i = 0; i < 8; i++) {
		fmt = formats[i % 2];
		facility = facilities[i / 4];
		KUNIT_EXPECT_EQ(test, 0,
				evl_printf_at(&callsite, NULL, facility, 0,
					      LOG_INFO, fmt, i));
		header = evl_test_receive(test);
		KUNIT_EXPECT_STREQ(test, evl_test_at - header->format_size, fmt);
		KUNIT_EXPECT_EQ(test, header->event_id,
				evl_crc(fmt, strlen(fmt)));
		KUNIT_EXPECT_STREQ(test, header->facility, facility);
		KUNIT_EXPECT_EQ(test, header->facility_hash,
				evl_crc(facility, strlen(facility)));
		test_number(test, i % 2 ? EVL_ARG_U32 : EVL_ARG_S32, i);
	}
	KUNIT_EXPECT_PTR_EQ(test, (void *)callsite.fmt, (void *)formats[0]);
}

static void test_raise_hardirq(struct irq_work *work)
{
	evl_info("%s", "hardirq");
}

static void test_raise_softirq(struct timer_list *timer)
{
	evl_info("%s", "softirq");
}

static struct irq_work test_irq_work = IRQ_WORK_INIT_HARD(test_raise_hardirq);
static DEFINE_TIMER(test_timer, test_raise_softirq);

/* Fault of 2003: deadlock from hardirq. */
static void test_contexts(struct kunit *test)
{
	u32 flags;

	KUNIT_EXPECT_EQ(test, 0, evl_info("x"));
	KUNIT_EXPECT_EQ(test, evl_test_receive(test)->flags & TEST_CONTEXTS, 0U);
	mod_timer(&test_timer, jiffies);
	flags = evl_test_receive(test)->flags;
	KUNIT_EXPECT_EQ(test, flags & TEST_CONTEXTS, EVL_FLAG_SOFTIRQ);
	test_bytes(test, EVL_ARG_STRING, 0, "softirq");
	irq_work_queue(&test_irq_work);
	/* It may have interrupted a softirq. */
	flags = evl_test_receive(test)->flags & ~EVL_FLAG_SOFTIRQ;
	KUNIT_EXPECT_EQ(test, flags & TEST_CONTEXTS, EVL_FLAG_INTERRUPT);
	test_bytes(test, EVL_ARG_STRING, 0, "hardirq");
	oops_in_progress++;
	evl_info("x");
	oops_in_progress--;
	flags = evl_test_receive(test)->flags;
	KUNIT_EXPECT_EQ(test, flags & (EVL_FLAG_OOPS | TEST_CONTEXTS),
			EVL_FLAG_OOPS);
}

/* Lets no event through until test_same(); leaves between 3 and 4 KiB. */
static void test_fill(struct kunit *test)
{
	static struct kerror_reservation held;
	struct kerror_reservation filler;

	KUNIT_ASSERT_EQ(test, 0, kerror_reserve(&held, 0, KERROR_GROUP_RAW));
	test_held = &held;
	while (!kerror_reserve(&filler, 4096, KERROR_GROUP_RAW))
		kerror_commit(&filler, 512);
}

/*
 * Fault of 2003: a va_list walked twice. It is where there is no room for the
 * longest event: one pass measures, one records.
 */
static void test_nearly_full(struct kunit *test)
{
	static const u8 bytes[] = { 10, 0, 0, 200 };

	test_fill(test);
	test_same(test, "%s %d %llu %*ph %*d %pI4 %.*s %d", "string", -1,
		  1ULL << 40, 3, bytes, -5, 6, bytes, 2, "abc", 7);
	/* Without text of %p, which is measured with some reserve. */
	test_fill(test);
	test_same(test, "%d %s", 1, "fourfold");
}

/* Text that is cut, at any alignment, leaves nothing behind in the staging. */
static __printf(2, 3)
void test_cut_text(struct kunit *test, const char *fmt, ...)
{
	/* This long, so that what is cut off is not in the record's padding. */
	static const struct device dev = { .init_name = "12345678" };
	struct va_format vaf = { .fmt = fmt };
	const struct evl_header *header;
	va_list args;
	int i;

	va_start(args, fmt);
	vaf.va = &args;
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, 0, dev_evl_info(&dev, &"1234567%pV"[i],
						      &vaf));
		header = evl_test_receive(test);
		KUNIT_EXPECT_GT(test, header->variable_size, 8184U);
		KUNIT_EXPECT_NE(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
	}
	va_end(args);
}

/* Fault of 2003: 16-bit size that was narrowed before it was checked. */
static void test_truncation(struct kunit *test)
{
	static const size_t sizes[] = { 8192, 8193, 65535, 65536 + 10 };
	u8 *text = kunit_kzalloc(test, 65536 + 11, GFP_KERNEL);
	const struct evl_header *header;
	struct evl_argument argument;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(text, 'x', sizes[i]);
		KUNIT_EXPECT_EQ(test, 0,
				evl_write("kunit", 1, LOG_INFO, text, sizes[i],
					  EVL_FORMAT_BINARY));
		header = evl_test_receive(test);
		KUNIT_EXPECT_EQ(test, header->variable_size, 8192U);
		KUNIT_EXPECT_EQ(test, header->flags & EVL_FLAG_TRUNCATED,
				sizes[i] > 8192 ? EVL_FLAG_TRUNCATED : 0U);
		KUNIT_EXPECT_FALSE(test, !!memchr_inv(evl_test_at, 'x', 8192));
	}
	/* The longest string that fits behind "%s", and a longer one. */
	for (i = 8184; i <= 8185; i++) {
		text[i] = 0;
		KUNIT_EXPECT_EQ(test, 0, evl_info("%s", text));
		header = evl_test_receive(test);
		KUNIT_EXPECT_EQ(test, header->flags & EVL_FLAG_TRUNCATED,
				i > 8184 ? EVL_FLAG_TRUNCATED : 0U);
		text[8184] = 0;
		test_bytes(test, EVL_ARG_STRING, 0, text);
		KUNIT_EXPECT_PTR_EQ(test, evl_test_at, evl_test_end);
		text[8184] = 'x';
	}
	/* Arguments behind one that was cut are absent. */
	text[8185] = 'x';
	KUNIT_EXPECT_EQ(test, 0, evl_info("%d %s %d", 1, text, 2));
	header = evl_test_receive(test);
	KUNIT_EXPECT_NE(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
	test_number(test, EVL_ARG_S32, 1);
	KUNIT_ASSERT_NOT_NULL(test, evl_next_arg(&evl_test_at, evl_test_end,
						 &argument));
	KUNIT_EXPECT_GT(test, argument.size, 8000);
	KUNIT_EXPECT_PTR_EQ(test, evl_test_at, evl_test_end);
	/* Neither does one come that would fit behind one that does not. */
	text[8168] = 0;
	KUNIT_EXPECT_EQ(test, 0, evl_info("%s %llu %c", text, 1ULL, 'c'));
	header = evl_test_receive(test);
	KUNIT_EXPECT_NE(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
	test_bytes(test, EVL_ARG_STRING, 0, text);
	KUNIT_EXPECT_PTR_EQ(test, evl_test_at, evl_test_end);
	text[8168] = 'x';
	/* The event's identity is that of the whole format. */
	text[9000] = 0;
	KUNIT_EXPECT_EQ(test, 0, evl_info(text));
	header = evl_test_receive(test);
	KUNIT_EXPECT_NE(test, header->flags & EVL_FLAG_TRUNCATED, 0U);
	KUNIT_EXPECT_EQ(test, header->event_id, 0x128b71d4U);
	KUNIT_EXPECT_EQ(test, header->format_size, 8192);
	KUNIT_EXPECT_EQ(test, evl_test_at[-1], 0);
	memset(text, 'y', 9000);
	test_cut_text(test, "%s", text);
}

static void test_write(struct kunit *test)
{
	const struct evl_header *header;

	KUNIT_EXPECT_EQ(test, 0, evl_write("kunit", 77, LOG_INFO, "abc\0def", 7,
					   EVL_FORMAT_STRING));
	header = evl_test_receive(test);
	KUNIT_EXPECT_EQ(test, header->format, EVL_FORMAT_STRING);
	KUNIT_EXPECT_EQ(test, header->variable_size, 3U);
	KUNIT_EXPECT_EQ(test, header->event_type, 77U);
	KUNIT_EXPECT_EQ(test, header->event_id, 0U);
	KUNIT_EXPECT_EQ(test, header->format_size, 0);
	KUNIT_EXPECT_TRUE(test, !memcmp(evl_test_at, "abc", 3));
	KUNIT_EXPECT_EQ(test, 0, evl_write("kunit", 77, LOG_INFO, "abc\0def", 7,
					   EVL_FORMAT_BINARY));
	header = evl_test_receive(test);
	KUNIT_EXPECT_EQ(test, header->variable_size, 7U);
	KUNIT_EXPECT_TRUE(test, !memcmp(evl_test_at, "abc\0def", 7));
}

static void test_expect_device(struct kunit *test, const struct device *dev,
			       const char *expected)
{
	const struct evl_header *header;

	KUNIT_EXPECT_EQ(test, 0, dev_evl_info(dev, "%d", 5));
	header = evl_test_receive(test);
	KUNIT_ASSERT_EQ(test, header->device_size, strlen(expected) + 1);
	KUNIT_EXPECT_STREQ(test, (char *)(header + 1), expected);
	test_number(test, EVL_ARG_S32, 5);
}

static void test_devices(struct kunit *test)
{
	static const struct bus_type pci = { .name = "pci" };
	static struct class block = { .name = "block" };
	static struct class mem = { .name = "mem" };
	static struct class net = { .name = "net" };
	struct net_device *netdev;
	struct device *dev;
	char name[200] = {}, expected[TEST_DEVICE_MAX];

	netdev = kunit_kzalloc(test, sizeof(*netdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, netdev);
	netdev->ifindex = 42;
	dev = &netdev->dev;
	dev->init_name = "0000:00:1f.2";
	test_expect_device(test, dev, "+:0000:00:1f.2");
	dev->bus = (void *)&pci;	/* not const on older kernels */
	test_expect_device(test, dev, "+pci:0000:00:1f.2");
	dev->class = &net;
	test_expect_device(test, dev, "n42");
	dev->class = &block;
	dev->devt = MKDEV(8, 1);
	test_expect_device(test, dev, "b8:1");
	dev->class = &mem;
	test_expect_device(test, dev, "c8:1");
	dev->devt = 0;
	memset(name, 'n', sizeof(name) - 1);
	dev->init_name = name;
	snprintf(expected, sizeof(expected), "+mem:%s", name);
	test_expect_device(test, dev, expected);
	KUNIT_EXPECT_EQ(test, 0, dev_evl_info(NULL, "x"));
	KUNIT_EXPECT_EQ(test, evl_test_receive(test)->device_size, 0);
}

static void test_ratelimit(struct kunit *test)
{
	const struct kerror_loss *loss = nlmsg_data(&test_message.nlh);
	int i, raised = 0, suppressed = 0, received = 0, announced = 0;

	for (i = 0; i < DEFAULT_RATELIMIT_BURST + 3; i++)
		switch (evl_info_ratelimited("%d", i)) {
		case 0:
			raised++;
			break;
		case -EBUSY:
			suppressed++;
		}
	KUNIT_EXPECT_EQ(test, raised, DEFAULT_RATELIMIT_BURST);
	KUNIT_EXPECT_EQ(test, suppressed, 3);
	while (received + announced < raised + suppressed) {
		if (test_receive_message(test) == KERROR_MSG_EVENT) {
			received++;
			continue;
		}
		KUNIT_ASSERT_EQ(test, loss->cause, KERROR_LOST_RATE_LIMIT);
		KUNIT_ASSERT_EQ(test, loss->group, KERROR_GROUP_EVLOG);
		announced += loss->count;
	}
	KUNIT_EXPECT_EQ(test, received, raised);
	KUNIT_EXPECT_EQ(test, announced, suppressed);
}

static struct kunit_case evl_test_cases[] = {
	KUNIT_CASE(test_header),
	KUNIT_CASE(test_severity),
	KUNIT_CASE(test_facility),
	KUNIT_CASE(test_callsite),
	KUNIT_CASE(test_contexts),
	KUNIT_CASE(test_arguments),
	KUNIT_CASE(test_known_callsite),
	KUNIT_CASE(test_invalid_strings),
	KUNIT_CASE(test_pointers),
	KUNIT_CASE(test_render),
	KUNIT_CASE(test_refused),
	KUNIT_CASE(test_nearly_full),
	KUNIT_CASE(test_truncation),
	KUNIT_CASE(test_write),
	KUNIT_CASE(test_devices),
	KUNIT_CASE(test_ratelimit),
	{}
};

static struct kunit_suite evl_test_suite = {
	.name = "evlog",
	.init = test_init,
	.exit = evl_test_exit,
	.test_cases = evl_test_cases,
};

kunit_test_suite(evl_test_suite);
