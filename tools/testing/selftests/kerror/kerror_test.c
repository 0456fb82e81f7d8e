// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of NETLINK_KERROR and evlog across the border to user space. Run as
 * root on a kernel with CONFIG_TEST_EVLOG=m and the module test_evlog loaded,
 * which raises the events that are checked here. Nothing else may raise events
 * meanwhile. Reads by way of libkerror, or from a plain socket where the
 * protocol itself is the subject.
 *
 * Tests named fault_* stand for the faults of the code that was posted in 2003.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include "../kselftest_harness.h"
#include "listener.h"

#define DEVICE		"/dev/test_evlog"
#define POLICY		"/sys/module/kerror/parameters/printk"
#define FORWARD		"/sys/module/evlog/parameters/printk"
#define FACILITY	"test_evlog"

/*
 * Has the module raise events: 0, or what the call under test returned. On one
 * CPU, as the order is promised for each by itself: emulated clocks may stand
 * still for longer than it takes to move to another.
 */
static int ask(const char *format, ...)
{
	cpu_set_t allowed, first;
	char command[128];
	va_list args;
	int err;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	sched_setaffinity(0, sizeof(first), &first);
	err = put(DEVICE, command);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	return err;
}

/* A figure of the module: "raised", "refused", or "address" in hexadecimal. */
static uint64_t known(const char *name, int base)
{
	char lines[128];
	const char *line;

	get(DEVICE, lines, sizeof(lines));
	line = strstr(lines, name);
	return line ? strtoull(line + strlen(name), NULL, base) : 0;
}

/* Runs @ask in another process, so that this one can read meanwhile. */
static pid_t ask_aside(const char *command)
{
	pid_t pid = fork();

	if (!pid)
		_exit(ask("%s", command) ? 1 : 0);
	return pid;
}

/* Waits until the worker has delivered what an earlier test left in staging. */
static bool settle(void)
{
	uint64_t numbered = 0, before;
	struct listener listener;
	bool known;

	if (!listen_to(&listener, KERROR_GROUP_EVLOG, false))
		return false;
	do {
		const struct kerror_statistics *now;

		before = numbered;
		usleep(100000);
		now = statistics(&listener);
		known = now;
		numbered = known ? now->numbered : 0;
	} while (known && numbered != before);
	stop_listening(&listener);
	return known;
}

/* The next event, or NULL if none comes in time. */
static const struct kerror_event *next_event(struct listener *listener)
{
	enum kerror_item item;

	do {
		item = next_item(listener, PATIENCE_MS);
	} while (item != KERROR_ITEM_EVENT && item != KERROR_ITEM_NONE &&
		 item != KERROR_ITEM_ERROR);
	return item == KERROR_ITEM_EVENT ?
	       kerror_reader_event(listener->reader) : NULL;
}

/* True if an event comes within a while that is ample for it. */
static bool comes_anything(struct listener *listener)
{
	enum kerror_item item;

	do {
		item = next_item(listener, 300);
	} while (item == KERROR_ITEM_LOSS);
	return item == KERROR_ITEM_EVENT;
}

static bool text_is(const struct kerror_event *event, const char *expected)
{
	char text[256];

	kerror_event_text(event, text, sizeof(text));
	if (strcmp(text, expected))
		fprintf(stderr, "# text is '%s', not '%s'\n", text, expected);
	return !strcmp(text, expected);
}

/* As the first caller sees it: /proc has it in one network namespace only. */
static int protocol(void)
{
	static int number;

	if (!number)
		number = protocol_number();
	return number;
}

static int plain_socket(uint32_t groups)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = groups,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol());
	int err;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int send_to_kernel(int fd, const void *data, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(fd, data, size, 0, (struct sockaddr *)&kernel,
		      sizeof(kernel)) < 0 ? -errno : 0;
}

struct request {
	struct nlmsghdr header;
	struct kerror_request body;
};

/* Sends a request; returns the errno of the answer, 0 if it is another one. */
static int answer_to(int fd, const void *request, size_t size)
{
	static char buffer[KERROR_DATAGRAM_MAX];
	const struct nlmsghdr *answer = (void *)buffer;
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	const struct nlmsgerr *error = (void *)(answer + 1);
	int err = send_to_kernel(fd, request, size);

	if (err)
		return err;
	if (poll(&ready, 1, PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	if (recv(fd, buffer, sizeof(buffer), 0) < 0)
		return -errno;
	return answer->nlmsg_type == NLMSG_ERROR ? error->error : 0;
}

static struct request statistics_request(uint32_t group)
{
	return (struct request) {
		.header.nlmsg_len = sizeof(struct request),
		.header.nlmsg_type = KERROR_MSG_STATISTICS,
		.header.nlmsg_flags = NLM_F_REQUEST,
		.body.group = group,
	};
}

static struct request replay_request(uint32_t group)
{
	struct request request = statistics_request(group);

	request.header.nlmsg_type = KERROR_MSG_REPLAY;
	request.header.nlmsg_flags |= NLM_F_DUMP;
	request.body.flags = KERROR_REPLAY_BOOT;
	return request;
}

/* Joins by number, as bit 0 is 1: 0 or a negative errno. */
static int add_membership(int fd, uint32_t group)
{
	int number = __builtin_ctz(group) + 1;

	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number,
			  sizeof(number)) ? -errno : 0;
}

static bool is_2_6(void)
{
	struct utsname system;

	return !uname(&system) && !strncmp(system.release, "2.6.", 4);
}

/* Keeps only the given capability, and is nobody. */
static int drop_to(int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (capability >= 0) {
		data[capability / 32].effective = 1U << capability % 32;
		data[capability / 32].permitted = 1U << capability % 32;
		if (!syscall(SYS_capset, &header, data))
			return 0;
		/* Before 2.6.26 there were 32 of them. */
		header.version = _LINUX_CAPABILITY_VERSION_1;
		return syscall(SYS_capset, &header, data);
	}
	return setgroups(0, NULL) || setgid(65534) || setuid(65534);
}

FIXTURE(kerror) {
	struct listener listener;
};

FIXTURE_SETUP(kerror)
{
	ASSERT_EQ(0, access(DEVICE, W_OK)) {
		TH_LOG("load the module test_evlog and run this as root");
	}
	ASSERT_LT(0, protocol());
	ASSERT_TRUE(settle());
	ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG, false));
}

FIXTURE_TEARDOWN(kerror)
{
	stop_listening(&self->listener);
}

/* ------------------------------------------------------------------ */
/* Permission to listen, and other messages that may be sent. */

TEST_F(kerror, bind_without_capability_is_refused)
{
	uint32_t group;
	int fd, i, err;

	ASSERT_EQ(0, drop_to(-1));
	EXPECT_EQ(-EPERM, plain_socket(KERROR_GROUP_ALL));
	EXPECT_EQ(-EPERM, plain_socket(0x80));
	fd = plain_socket(0);
	ASSERT_LE(0, fd);
	for (i = 0; i < GROUPS; i++) {
		struct request request;

		group = kerror_group_at(i);
		EXPECT_EQ(-EPERM, plain_socket(group));
		err = add_membership(fd, group);
		/* Before 2.6.14 there is no such option. */
		EXPECT_TRUE(err == -EPERM || err == -ENOPROTOOPT ||
			    err == -EOPNOTSUPP);
		request = statistics_request(group);
		EXPECT_EQ(-EPERM, answer_to(fd, &request, sizeof(request)));
		request = replay_request(group);
		EXPECT_EQ(-EPERM, answer_to(fd, &request, sizeof(request)));
	}
}

/* Ways to hear of a group */
enum { BIND, BIND_BATCH, MEMBERSHIP, STATISTICS, REPLAY, WAYS };
static const char *const ways[] = {
	"bind", "bind to the batches", "membership", "statistics", "replay",
};

/* The result of each way to hear of @group: 0 or a negative errno. */
static void try_ways(uint32_t group, int result[WAYS])
{
	uint32_t batch = group == KERROR_GROUP_PRINTK ?
			 KERROR_GROUP_PRINTK_BATCH : group * 4;
	struct request statistics = statistics_request(group);
	struct request replay = replay_request(group);
	int fd = plain_socket(group);

	result[BIND] = fd < 0 ? fd : close(fd);
	fd = plain_socket(batch);
	result[BIND_BATCH] = fd < 0 ? fd : close(fd);
	/* On sockets of their own: what is joined would arrive, too. */
	fd = plain_socket(0);
	result[MEMBERSHIP] = add_membership(fd, group);
	close(fd);
	fd = plain_socket(0);
	result[STATISTICS] = answer_to(fd, &statistics, sizeof(statistics));
	close(fd);
	fd = plain_socket(0);
	result[REPLAY] = answer_to(fd, &replay, sizeof(replay));
	close(fd);
}

TEST_F(kerror, cap_syslog_suffices)
{
	int result[WAYS], i, way, fd;

	if (is_2_6())
		SKIP(return, "to join a group, Linux 2.6 wants CAP_NET_ADMIN");
	ASSERT_EQ(0, drop_to(CAP_SYSLOG));
	for (i = 0; i < GROUPS; i++) {
		try_ways(kerror_group_at(i), result);
		for (way = 0; way < WAYS; way++)
			EXPECT_EQ(0, result[way]) {
				TH_LOG("%s: %s", ways[way],
				       kerror_group_name(kerror_group_at(i)));
			}
	}
	fd = plain_socket(KERROR_GROUP_ALL);
	EXPECT_LE(0, fd);
}

/* The kernel log is for CAP_SYSLOG: so are the messages in it. */
TEST_F(kerror, cap_net_admin_suffices_but_for_printk)
{
	int result[WAYS], i, way;

	ASSERT_EQ(0, drop_to(CAP_NET_ADMIN));
	for (i = 0; i < GROUPS; i++) {
		bool refused = kerror_group_at(i) == KERROR_GROUP_PRINTK;

		try_ways(kerror_group_at(i), result);
		for (way = 0; way < WAYS; way++) {
			/*
			 * Linux 2.6 asks nobody when a group is joined, and
			 * has no CAP_SYSLOG before 2.6.38.
			 */
			if (is_2_6() && (way <= MEMBERSHIP || refused))
				continue;
			EXPECT_EQ(refused ? -EPERM : 0, result[way]) {
				TH_LOG("%s: %s", ways[way],
				       kerror_group_name(kerror_group_at(i)));
			}
		}
	}
	if (is_2_6())
		return;
	/* All or none */
	EXPECT_EQ(-EPERM, plain_socket(KERROR_GROUP_ALL));
	EXPECT_EQ(-EPERM, plain_socket(KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK));
	EXPECT_LE(0, plain_socket(KERROR_GROUP_ALL & ~KERROR_GROUP_PRINTK &
				  ~KERROR_GROUP_PRINTK_BATCH));
}

/* The result of libkerror, which programs rely on */
TEST_F(kerror, library_tells_what_is_missing)
{
	struct kerror_socket *sock;

	if (is_2_6())
		SKIP(return, "to join any group, Linux 2.6 wants CAP_NET_ADMIN");
	ASSERT_EQ(0, drop_to(CAP_NET_ADMIN));
	EXPECT_EQ(-EPERM, kerror_socket_open(&sock, KERROR_GROUP_ALL));
	EXPECT_EQ(-EPERM, kerror_socket_open(&sock, KERROR_GROUP_PRINTK));
	ASSERT_EQ(0, kerror_socket_open(&sock, KERROR_GROUP_ALL &
					~KERROR_GROUP_PRINTK));
	kerror_socket_close(sock);
}

TEST_F(kerror, other_capabilities_do_not_suffice)
{
	ASSERT_EQ(0, drop_to(CAP_SYS_ADMIN));
	EXPECT_EQ(-EPERM, plain_socket(KERROR_GROUP_EVLOG));
}

TEST_F(kerror, root_of_a_user_namespace_is_refused)
{
	struct request request = statistics_request(KERROR_GROUP_EVLOG);
	int fd;

	if (access("/proc/self/ns/user", F_OK))
		SKIP(return, "no user namespaces for this before Linux 3.8");
	ASSERT_EQ(0, unshare(CLONE_NEWUSER));
	EXPECT_EQ(-EPERM, plain_socket(KERROR_GROUP_EVLOG));
	fd = plain_socket(0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, answer_to(fd, &request, sizeof(request)));
}

TEST_F(kerror, other_network_namespace_is_refused)
{
	struct pollfd ready = { .events = POLLIN };
	int i, expected = is_2_6() ? 0 : -ENONET;
	struct kerror_socket *sock;

	if (unshare(CLONE_NEWNET)) {
		ASSERT_NE(0, access("/proc/self/ns/net", F_OK));
		SKIP(return, "this kernel has no network namespaces");
	}
	for (i = 0; i < GROUPS; i++) {
		uint32_t group = kerror_group_at(i);
		int result[WAYS];

		try_ways(group, result);
		EXPECT_EQ(expected, result[BIND]);
		EXPECT_EQ(expected, result[BIND_BATCH]);
		EXPECT_EQ(expected, result[MEMBERSHIP]);
		EXPECT_EQ(-ECONNREFUSED, result[STATISTICS]);
		EXPECT_EQ(-ECONNREFUSED, result[REPLAY]);
		if (!is_2_6())
			EXPECT_EQ(-ENONET, kerror_socket_open(&sock, group));
	}
	/* Linux 2.6 asks nobody when a group is joined. */
	ready.fd = plain_socket(is_2_6() ? KERROR_GROUP_EVLOG : 0);
	ASSERT_LE(0, ready.fd);
	EXPECT_EQ(0, ask("severity 3"));
	EXPECT_NE(NULL, next_event(&self->listener));
	EXPECT_EQ(0, poll(&ready, 1, 300));
}

/* A request, and the error number that answers it */
struct request_case {
	int expected;
	uint16_t type, flags;
	uint32_t length;
	struct kerror_request body;
};

/* Sends @size bytes for each, whatever length it claims. */
static void try_requests(struct __test_metadata *_metadata,
			 const struct request_case *cases, unsigned int count, size_t size)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct {
			struct nlmsghdr header;
			struct kerror_boot_request body;
		} request = {
			.header.nlmsg_len = cases[i].length,
			.header.nlmsg_type = cases[i].type,
			.header.nlmsg_flags = cases[i].flags,
			.body.request = cases[i].body,
		};
		int fd = plain_socket(0);

		ASSERT_LE(0, fd);
		EXPECT_EQ(cases[i].expected, answer_to(fd, &request, size)) {
			TH_LOG("request %u", i);
		}
		close(fd);
	}
}

TEST_F(kerror, wrong_requests_get_an_errno)
{
	static const struct request_case cases[] = {
		/* Not a request, unknown, or not the kernel's business. */
		{ -EINVAL, KERROR_MSG_STATISTICS, 0, 32, { 2, 0, 0, 0 } },
		{ -EOPNOTSUPP, KERROR_MSG_EVENT, 1, 32, { 2, 0, 0, 0 } },
		{ -EOPNOTSUPP, KERROR_MSG_LOSS, 1, 32, { 2, 0, 0, 0 } },
		{ -EOPNOTSUPP, KERROR_MSG_BOOT, 1, 32, { 0, 0, 0, 0 } },
		{ -EOPNOTSUPP, 0x18, 1, 32, { 2, 0, 0, 0 } },
		{ -EOPNOTSUPP, 0xffff, 1, 32, { 2, 0, 0, 0 } },
		{ -EOPNOTSUPP, NLMSG_NOOP, 1, 32, { 2, 0, 0, 0 } },
		{ -EOPNOTSUPP, NLMSG_DONE, 1, 32, { 2, 0, 0, 0 } },
		/* Length of the message. */
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 31, { 2, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 16, { 2, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 15, { 2, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 0, { 2, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 33, { 2, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, ~0U, { 2, 0, 0, 0 } },
		/* Fields of the request. */
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 3, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 4, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 0x12, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 0x20, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 32, { 0x20, 1, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { ~0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 2, 1, 0, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 2, 0, 1, 0 } },
		{ -EINVAL, KERROR_MSG_STATISTICS, 1, 32, { 2, 0, 0, 1 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 1, 32, { 2, 1, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 32, { 0, 1, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 32, { 2, 2, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 32, { 2, 1, 5, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 32, { 2, 1, 0, 9 } },
		/* From an event that is a billion events away. */
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 32, { 2, 0, 1 << 30, 0 } },
		/* These are right. */
		{ 0, KERROR_MSG_STATISTICS, 1, 32, { 1, 0, 0, 0 } },
		{ 0, KERROR_MSG_STATISTICS, 1, 32, { 2, 0, 0, 0 } },
		{ 0, KERROR_MSG_STATISTICS, 1, 32, { 0x10, 0, 0, 0 } },
		{ 0, KERROR_MSG_REPLAY, 0x301, 32, { 0x10, 1, 0, 0 } },
		{ 0, KERROR_MSG_REPLAY, 0x301, 32, { 1, 1, 0, 0 } },
	};

	try_requests(_metadata, cases, sizeof(cases) / sizeof(*cases), sizeof(struct request));
}

/* Nothing outlives this kernel, so that it knows of no boot. */
TEST_F(kerror, wrong_requests_about_boots_get_an_errno)
{
	static const struct request_case cases[] = {
		{ -EINVAL, KERROR_MSG_BOOTS, 1, 32, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOTS, 0x301, 31, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOTS, 0x301, 32, { 2, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOT_NAME, 1, 55, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOT_NAME, 1, 56, { 1, 0, 0, 0 } },
		{ -EOPNOTSUPP, KERROR_MSG_BOOT_NAME, 1, 56, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOT_DROP, 1, 55, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOT_DROP, 1, 56, { 0, 2, 0, 0 } },
		{ -EINVAL, KERROR_MSG_BOOT_DROP, 1, 56, { 0, 0, 1, 0 } },
		{ -EINVAL, KERROR_MSG_BOOT_DROP, 1, 56, { 0, 0, 0, 1 } },
		{ -ENOENT, KERROR_MSG_BOOT_DROP, 1, 56, { 0, 0, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 1, 56, { 2, 2, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 56, { 3, 2, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 56, { 2, 3, 0, 0 } },
		{ -EINVAL, KERROR_MSG_REPLAY, 0x301, 56, { 2, 2, 7, 0 } },
		{ -ENOENT, KERROR_MSG_REPLAY, 0x301, 56, { 2, 2, 0, 0 } },
		/* This is right. */
		{ 0, KERROR_MSG_BOOTS, 0x301, 32, { 0, 0, 0, 0 } },
	};

	if (access("/sys/module/kerror/parameters/persist", F_OK))
		SKIP(return, "this kernel has no kerror.persist=");
	try_requests(_metadata, cases, sizeof(cases) / sizeof(*cases),
		     sizeof(struct nlmsghdr) + sizeof(struct kerror_boot_request));
}

TEST_F_TIMEOUT(kerror, garbage_gets_an_errno_and_does_no_harm, 120)
{
	struct request request = statistics_request(KERROR_GROUP_EVLOG);
	unsigned int i, refused = 0, answered = 0;
	int fd = -1;

	srandom(20031);
	for (i = 0; i < 10000; i++) {
		union {
			struct nlmsghdr header;
			unsigned char bytes[512];
		} message;
		size_t size = 1 + random() % sizeof(message), k;
		int err;

		for (k = 0; k < sizeof(message); k++)
			message.bytes[k] = random();
		/* Half of them get as far as the type. */
		if (random() % 2) {
			message.header.nlmsg_len = size;
			message.header.nlmsg_flags |= NLM_F_REQUEST;
			message.header.nlmsg_type = random() % 0x20;
		}
		/* One socket for a hundred, so that some wait in its queue. */
		if (i % 100 == 0) {
			close(fd);
			fd = plain_socket(0);
			ASSERT_LE(0, fd);
		}
		err = answer_to(fd, &message, size);
		if (err == -EINVAL || err == -EOPNOTSUPP)
			refused++;
		else if (!err)
			answered++;
		else
			TH_LOG("message %u: %s", i, strerror(-err));
	}
	close(fd);
	TH_LOG("10000 messages: %u refused with an errno, %u answered", refused,
	       answered);
	EXPECT_EQ(10000, refused + answered);
	EXPECT_LT(9900, refused);

	fd = plain_socket(0);
	EXPECT_EQ(0, answer_to(fd, &request, sizeof(request)));
	close(fd);
	EXPECT_EQ(0, ask("severity 3"));
	EXPECT_NE(NULL, next_event(&self->listener));
}

/* ------------------------------------------------------------------ */
/* Transport. */

TEST_F(kerror, raw_bytes_arrive_unchanged)
{
	static const unsigned int sizes[] = {
		0, 1, 7, 8, 9, 255, 256, 4096, 9215, KERROR_EVENT_MAX,
	};
	struct listener raw;
	unsigned int i, k, pieces;

	ASSERT_TRUE(listen_to(&raw, KERROR_GROUP_RAW, false));
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (pieces = 0; pieces < 2; pieces++) {
			const struct kerror_event *event;
			const unsigned char *data;
			size_t size;

			if (pieces && !sizes[i])
				continue;
			ASSERT_EQ(0, ask("%s %u %u", pieces ? "iov" : "raw",
					 sizes[i], KERROR_GROUP_RAW));
			event = next_event(&raw);
			ASSERT_NE(NULL, event);
			data = kerror_event_data(event, &size);
			ASSERT_EQ(sizes[i], size);
			for (k = 0; k < size; k++)
				ASSERT_EQ((unsigned char)(k * 7 + 1), data[k]);
			EXPECT_EQ(getpid(), kerror_event_thread(event));
			EXPECT_EQ(NULL, kerror_event_header(event));
		}
	}
	stop_listening(&raw);
}

TEST_F(kerror, groups)
{
	static const struct {
		uint32_t groups;
		int err;
		int arrives[GROUPS];
	} cases[] = {
		{ 0, -EINVAL },
		{ 4, -EINVAL },
		{ KERROR_GROUP_PRINTK_BATCH, -EINVAL },
		{ 0x80000000, -EINVAL },
		{ KERROR_GROUP_RAW, 0, { 1, 0, 0 } },
		{ KERROR_GROUP_EVLOG, 0, { 0, 1, 0 } },
		{ KERROR_GROUP_PRINTK, 0, { 0, 0, 1 } },
		{ KERROR_GROUP_RAW | 4, 0, { 1, 0, 0 } },
		{ KERROR_GROUP_RAW | KERROR_GROUP_EVLOG, 0, { 1, 1, 0 } },
		{ KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK, 0, { 0, 1, 1 } },
		{ EACH_GROUP, 0, { 1, 1, 1 } },
		{ KERROR_GROUP_ALL, 0, { 1, 1, 1 } },
	};
	struct listener one[GROUPS], every;
	unsigned int i, g;

	for (g = 0; g < GROUPS; g++)
		ASSERT_TRUE(listen_to(&one[g], kerror_group_at(g), false));
	ASSERT_TRUE(listen_to(&every, EACH_GROUP, false));
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int expected = 0, arrived = 0;

		EXPECT_EQ(cases[i].err, ask("raw 20 %u", cases[i].groups)) {
			TH_LOG("groups %#x", cases[i].groups);
		}
		for (g = 0; g < GROUPS; g++) {
			EXPECT_EQ(cases[i].arrives[g], comes_anything(&one[g])) {
				TH_LOG("groups %#x in %s", cases[i].groups,
				       kerror_group_name(kerror_group_at(g)));
			}
			expected += cases[i].arrives[g];
		}
		while (comes_anything(&every))
			arrived++;
		EXPECT_EQ(expected, arrived);
	}
	for (g = 0; g < GROUPS; g++) {
		EXPECT_EQ(0, one[g].lost_all);
		stop_listening(&one[g]);
	}
	stop_listening(&every);
}

TEST_F(kerror, fault_16_bit_size)
{
	static const unsigned long sizes[] = {
		KERROR_EVENT_MAX + 1, 65535, 65536, 65536 + 16, 1UL << 31,
#if __SIZEOF_LONG__ == 8
		(1UL << 32) + 16,
#endif
	};
	unsigned int i, all = sizeof(sizes) / sizeof(*sizes) + 1;
	struct listener raw;

	ASSERT_TRUE(listen_to(&raw, KERROR_GROUP_RAW, false));
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		EXPECT_EQ(-EMSGSIZE, ask("raw %lu %u", sizes[i],
					 KERROR_GROUP_RAW)) {
			TH_LOG("%lu bytes", sizes[i]);
		}
	}
	EXPECT_EQ(-EMSGSIZE, ask("wrapping-iov"));
	EXPECT_FALSE(comes_anything(&raw));
	ASSERT_NE(NULL, statistics(&raw));
	EXPECT_EQ(all, raw.lost[KERROR_LOST_TOO_LONG]);
	EXPECT_EQ(all, raw.lost_all);
	stop_listening(&raw);
}

TEST_F(kerror, fault_no_time_and_no_sequence_number)
{
	uint64_t time_boot = 0, time_realtime = 0;
	struct timespec now;
	uint32_t sequence = 0;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		const struct kerror_event *event;
		const struct evl_header *header;

		ASSERT_EQ(0, ask("contexts"));
		event = next_event(&self->listener);
		ASSERT_NE(NULL, event);
		header = kerror_event_header(event);
		ASSERT_NE(NULL, header);
		EXPECT_LT(time_boot, header->time_boot);
		EXPECT_LT(time_realtime, header->time_realtime);
		if (i)
			EXPECT_EQ(sequence, kerror_event_sequence(event));
		time_boot = header->time_boot;
		time_realtime = header->time_realtime;
		sequence = kerror_event_sequence(event) + 3;
		ASSERT_NE(NULL, next_event(&self->listener));
		ASSERT_NE(NULL, next_event(&self->listener));
	}
	clock_gettime(CLOCK_REALTIME, &now);
	EXPECT_GE(10, now.tv_sec - (time_t)(time_realtime / 1000000000));
	if (clock_gettime(CLOCK_BOOTTIME, &now))
		clock_gettime(CLOCK_MONOTONIC, &now);
	EXPECT_GE(10, now.tv_sec - (time_t)(time_boot / 1000000000));
}

/* Offsets are the same for every ABI, and do not hang on its uid_t or pid_t. */
#define AT(field, offset) \
	_Static_assert(offsetof(struct evl_header, field) == (offset), #field)
AT(time_boot, 8); AT(event_id, 16); AT(facility_hash, 24); AT(flags, 28);
AT(cpu, 32); AT(uid, 36); AT(gid, 40); AT(pid, 44); AT(tid, 48);
AT(variable_size, 52); AT(magic, 56); AT(header_size, 58); AT(device_size, 60);
AT(format_size, 62); AT(version, 64); AT(severity, 65); AT(format, 66);
AT(comm, 68); AT(facility, 84);
_Static_assert(sizeof(struct evl_header) == EVL_HEADER_SIZE, "evl_header");
_Static_assert(sizeof(struct kerror_loss) == 24, "kerror_loss");
_Static_assert(sizeof(struct kerror_request) == 16, "kerror_request");
_Static_assert(sizeof(struct kerror_boot_request) == 40, "kerror_boot_request");
_Static_assert(sizeof(struct kerror_boot) == 360, "kerror_boot");

TEST_F(kerror, fault_uid_t_and_pid_t_on_the_wire)
{
	const struct kerror_event *event;
	const struct evl_header *header;
	char comm[EVL_COMM_SIZE] = "";

	ASSERT_EQ(0, setgid(1234567));
	/* Not setuid(): then the device could not be written. */
	ASSERT_EQ(0, ask("severity 3"));
	event = next_event(&self->listener);
	ASSERT_NE(NULL, event);
	header = kerror_event_header(event);
	ASSERT_NE(NULL, header);
	EXPECT_EQ(0, header->uid);
	EXPECT_EQ(1234567, header->gid);
	EXPECT_EQ(getpid(), header->pid);
	EXPECT_EQ(getpid(), header->tid);
	/* Not before 2.6.11 */
	if (!prctl(PR_GET_NAME, comm))
		EXPECT_STREQ(comm, header->comm);
}

TEST_F_TIMEOUT(kerror, burst_of_a_million, 600)
{
	uint64_t raised = known("raised", 10), gaps = 0;
	unsigned long expected = 0;
	pid_t pid = ask_aside("burst 1000000");
	const struct kerror_event *event;

	ASSERT_LT(0, pid);
	while ((event = event_of(&self->listener, &pid))) {
		struct kerror_argument argument;

		ASSERT_EQ(0, kerror_event_argument(event, 0, &argument));
		ASSERT_LE(expected, argument.number);
		gaps += argument.number - expected;
		expected = argument.number + 1;
	}
	ASSERT_EQ(0, pid);
	gaps += 1000000 - expected;
	raised = known("raised", 10) - raised;
	TH_LOG("raised %llu = received %llu + lost %llu (staging %llu, history %llu)",
	       (unsigned long long)raised,
	       (unsigned long long)kerror_reader_received(self->listener.reader),
	       (unsigned long long)self->listener.lost_all,
	       (unsigned long long)self->listener.lost[KERROR_LOST_STAGING_FULL],
	       (unsigned long long)self->listener.lost[KERROR_LOST_HISTORY]);
	EXPECT_EQ(1000000, raised);
	EXPECT_EQ(raised, kerror_reader_received(self->listener.reader) +
			  kerror_reader_lost(self->listener.reader));
	EXPECT_EQ(self->listener.lost_all,
		  kerror_reader_lost(self->listener.reader));
	EXPECT_EQ(gaps, self->listener.lost_all);
	EXPECT_LT(1000, kerror_reader_received(self->listener.reader));
}

/* All CPUs raise at once with interrupts off: there is no lock to wait for. */
TEST_F_TIMEOUT(kerror, fault_one_buffer_under_a_lock, 300)
{
	uint64_t raised = known("raised", 10);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t expected[64] = { 0 }, gaps = 0;
	unsigned int i, received = 0;
	const struct kerror_event *event;
	struct listener others[32];
	pid_t pid;

	/* Listeners that do not read, for the worker to broadcast to. */
	for (i = 0; i < 32; i++)
		ASSERT_TRUE(listen_to(&others[i], KERROR_GROUP_EVLOG, false));
	pid = ask_aside("all-cpus 20000");
	ASSERT_LT(0, pid);
	while ((event = event_of(&self->listener, &pid))) {
		struct kerror_argument cpu, number;

		ASSERT_EQ(0, kerror_event_argument(event, 0, &cpu));
		ASSERT_EQ(0, kerror_event_argument(event, 1, &number));
		ASSERT_GT(64, cpu.number);
		ASSERT_EQ(cpu.number, kerror_event_header(event)->cpu);
		ASSERT_LE(expected[cpu.number], number.number);
		gaps += number.number - expected[cpu.number];
		expected[cpu.number] = number.number + 1;
		received++;
	}
	ASSERT_EQ(0, pid);
	for (i = 0; i < cpus; i++)
		gaps += 20000 - expected[i];
	raised = known("raised", 10) - raised;
	TH_LOG("%ld CPUs raised %llu = received %u + lost %llu", cpus,
	       (unsigned long long)raised, received,
	       (unsigned long long)self->listener.lost_all);
	EXPECT_EQ(20000 * cpus, raised);
	EXPECT_EQ(raised, received + self->listener.lost_all);
	EXPECT_EQ(gaps, self->listener.lost_all);
	for (i = 0; i < 32; i++)
		stop_listening(&others[i]);
}

/* Joining and leaving takes the lock that a broadcast would take. */
TEST_F_TIMEOUT(kerror, fault_deadlock_from_hardirq, 120)
{
	pid_t pid = ask_aside("hardirq 5000");
	unsigned int events = 0, sockets = 0;
	bool done = false;
	int status;

	ASSERT_LT(0, pid);
	/* With two CPUs this busy, the drain worker may come too late. */
	while (!done || events + self->listener.lost_all < 5000) {
		enum kerror_item item;
		int i, fd;

		for (i = 0; i < 20; i++, sockets++) {
			fd = plain_socket(KERROR_GROUP_ALL);
			ASSERT_LE(0, fd);
			close(fd);
		}
		do {
			const struct kerror_event *event =
				kerror_reader_event(self->listener.reader);

			item = next_item(&self->listener, 0);
			if (item != KERROR_ITEM_EVENT)
				continue;
			ASSERT_TRUE(kerror_event_header(event)->flags &
				    EVL_FLAG_INTERRUPT);
			events++;
		} while (item == KERROR_ITEM_EVENT || item == KERROR_ITEM_LOSS);
		ASSERT_EQ(KERROR_ITEM_NONE, item);
		if (!done && waitpid(pid, &status, WNOHANG) == pid)
			done = true;
	}
	TH_LOG("%u events from hard interrupts and %llu lost among %u sockets",
	       events, (unsigned long long)self->listener.lost_all, sockets);
	EXPECT_EQ(5000, events + self->listener.lost_all);
	EXPECT_LT(100, events);
}

static long available_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *file = fopen("/proc/meminfo", "r");

	/* Before 3.14, MemFree is as near as it gets. */
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1 ||
		    (kb < 0 && sscanf(line, "MemFree: %ld", &kb) == 1))
			continue;
	if (file)
		fclose(file);
	return kb;
}

/* Nobody reads: memory does not grow with the number of events. */
TEST_F_TIMEOUT(kerror, fault_unbounded_queue, 120)
{
	long before, after;
	int fd, size = 65536;

	fd = plain_socket(KERROR_GROUP_EVLOG);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	stop_listening(&self->listener);
	ASSERT_EQ(0, ask("burst 20000"));
	before = available_kb();
	ASSERT_EQ(0, ask("burst 200000"));
	after = available_kb();
	TH_LOG("available before %ld kB, after 200000 events %ld kB", before,
	       after);
	EXPECT_LT(0, after);
	EXPECT_GT(4096, before - after);
	close(fd);
	ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG, false));
}

TEST_F(kerror, replay_for_a_late_reader)
{
	const struct kerror_event *event;
	uint32_t next, sequence;
	struct listener late;
	unsigned int i;

	/* A busy machine may still deliver what the test before this raised. */
	while (comes_anything(&self->listener))
		;
	ASSERT_NE(NULL, statistics(&self->listener));
	next = statistics(&self->listener)->sequence_next;
	stop_listening(&self->listener);
	ASSERT_EQ(0, ask("burst 100"));
	ASSERT_EQ(0, ask("severity 3"));
	/* By sequence number */
	ASSERT_TRUE(listen_to(&late, KERROR_GROUP_EVLOG, false));
	ASSERT_EQ(0, kerror_reader_from(late.reader, KERROR_GROUP_EVLOG, next));
	for (i = 0; i < 101; i++) {
		event = next_event(&late);
		ASSERT_NE(NULL, event);
		EXPECT_EQ((uint32_t)(next + i), kerror_event_sequence(event));
	}
	EXPECT_TRUE(text_is(event, "severity"));
	EXPECT_FALSE(comes_anything(&late));
	EXPECT_EQ(0, late.lost_all);
	stop_listening(&late);

	/* From boot: the numbers since the first one, or those lost. */
	ASSERT_TRUE(listen_to(&late, KERROR_GROUP_EVLOG, true));
	sequence = next + 100;
	do {
		event = next_event(&late);
		ASSERT_NE(NULL, event);
	} while (kerror_event_sequence(event) != sequence);
	EXPECT_EQ((uint32_t)(sequence + 1 - KERROR_SEQUENCE_FIRST),
		  kerror_reader_received(late.reader) +
		  late.lost[KERROR_LOST_HISTORY]);
	ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG, false));
	stop_listening(&late);
}

#define NO_SOCKET	(-2)

/*
 * The number of dropped messages that /proc/net/netlink shows for a process, or
 * NO_SOCKET, or -1 if it shows no such numbers, before 2.6.34.
 */
static long dropped(pid_t pid)
{
	char line[256] = "";
	FILE *file = fopen("/proc/net/netlink", "r");
	long drops, found;

	found = file && fgets(line, sizeof(line), file) &&
		strstr(line, "Drops") ? NO_SOCKET : -1;
	while (file && found == NO_SOCKET && fgets(line, sizeof(line), file)) {
		int number, portid;

		if (sscanf(line, "%*s %d %d %*s %*s %*s %*s %*s %ld", &number,
			   &portid, &drops) == 3 &&
		    number == protocol() && portid == pid)
			found = drops;
	}
	if (file)
		fclose(file);
	return found;
}

/* kerrorctl watch, stopped until its receive queue overflows. */
TEST_F_TIMEOUT(kerror, stopped_reader_has_no_unexplained_gap, 300)
{
	unsigned long long received = 0, lost = 0;
	unsigned long asked = 0;
	unsigned int i;
	char line[256];
	long drops = 0;
	pid_t pid;
	int status, output[2];
	FILE *summary;

	/* Otherwise this process falls behind, too. */
	stop_listening(&self->listener);
	ASSERT_EQ(0, pipe(output));
	pid = fork();
	if (!pid) {
		dup2(output[1], STDERR_FILENO);
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execlp("kerrorctl", "kerrorctl", "watch", "--json",
		       "--group=evlog", NULL);
		_exit(127);
	}
	close(output[1]);
	ASSERT_LT(0, pid);
	/* A busy machine takes its time. */
	for (i = 0; i < 300 && dropped(pid) == NO_SOCKET; i++)
		usleep(100000);
	sleep(1);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	while (!drops && asked < 20000000) {
		ASSERT_EQ(0, ask("burst 20000"));
		asked += 20000;
		drops = dropped(pid);
		/* Not shown: twenty times what fills any queue here. */
		if (drops < 0 && asked < 200000)
			drops = 0;
	}
	EXPECT_NE(0, drops);
	EXPECT_NE(NO_SOCKET, drops);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(0, ask("burst 20000"));
	sleep(1);
	ASSERT_EQ(0, kill(pid, SIGINT));
	summary = fdopen(output[0], "r");
	while (fgets(line, sizeof(line), summary))
		if (sscanf(line, "kerrorctl: %llu events received, %llu lost",
			   &received, &lost) == 2)
			TH_LOG("after %ld drops: %s", drops, line);
	fclose(summary);
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	/* Since boot, every event that anybody raised in this group. */
	ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG, false));
	{
		const struct kerror_statistics *all =
			statistics(&self->listener);
		unsigned long long raised = all->numbered;
		unsigned int i;

		for (i = 0; i < all->causes && i < KERROR_CAUSES; i++)
			raised += all->lost[i];
		EXPECT_EQ(raised, received + lost);
	}
	EXPECT_LT(1000, received);
	EXPECT_LT(0, lost);
}

TEST_F(kerror, rate_limited_calls_are_counted)
{
	unsigned int received = 0;
	enum kerror_item item;

	ASSERT_EQ(0, ask("limited 50"));
	/* The stream tells of it, without being asked. */
	while (received < 10 || self->listener.lost_all < 40) {
		item = next_item(&self->listener, PATIENCE_MS);
		ASSERT_TRUE(item == KERROR_ITEM_EVENT ||
			    item == KERROR_ITEM_LOSS);
		received += item == KERROR_ITEM_EVENT;
	}
	EXPECT_FALSE(comes_anything(&self->listener));
	EXPECT_EQ(10, received);
	EXPECT_EQ(40, self->listener.lost[KERROR_LOST_RATE_LIMIT]);
	EXPECT_EQ(40, self->listener.lost_all);
}

TEST_F(kerror, many_listeners_hear_the_same)
{
	struct listener listeners[64];
	unsigned int i, k;

	for (i = 0; i < 64; i++)
		ASSERT_TRUE(listen_to(&listeners[i], KERROR_GROUP_EVLOG, false));
	ASSERT_EQ(0, ask("burst 20"));
	for (i = 0; i < 64; i++) {
		for (k = 0; k < 20; k++) {
			char text[32];

			snprintf(text, sizeof(text), "burst %u of 20", k);
			EXPECT_TRUE(text_is(next_event(&listeners[i]), text));
		}
		EXPECT_EQ(0, listeners[i].lost_all);
		stop_listening(&listeners[i]);
	}
}

/* ------------------------------------------------------------------ */
/* Events. */

/* Several in a datagram, but the same ones, byte for byte. */
TEST_F(kerror, batches_are_the_same_messages)
{
	static uint32_t datagram[KERROR_DATAGRAM_MAX / 4];
	static uint32_t single[KERROR_DATAGRAM_MAX / 4];
	int fd = plain_socket(KERROR_GROUP_EVLOG_BATCH), size = 4 << 20;
	/* Not the listener, which reads batches itself. */
	int singles = plain_socket(KERROR_GROUP_EVLOG);
	const struct nlmsghdr *message, *expected = (void *)single;
	unsigned int events = 0, datagrams = 0, raised = 0;
	ssize_t left;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, singles);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(singles, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	/* A worker that runs after each event makes batches of one. */
	while (events < raised || (datagrams == events && raised < 10000)) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_size = sizeof(from);

		if (events == raised) {
			ASSERT_EQ(0, ask("burst 100"));
			raised += 100;
		}
		left = recvfrom(fd, datagram, sizeof(datagram), 0,
				(struct sockaddr *)&from, &from_size);
		ASSERT_LT(0, left);
		EXPECT_EQ(KERROR_GROUP_EVLOG_BATCH, from.nl_groups);
		datagrams++;
		for (message = (void *)datagram; NLMSG_OK(message, left);
		     message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type != KERROR_MSG_EVENT)
				continue;
			do {
				ASSERT_LT(0, recv(singles, single,
						  sizeof(single), 0));
			} while (expected->nlmsg_type != KERROR_MSG_EVENT);
			ASSERT_EQ(expected->nlmsg_len, message->nlmsg_len);
			EXPECT_EQ(0, memcmp(expected, message,
					    message->nlmsg_len));
			events++;
		}
		EXPECT_EQ(0, left);
	}
	TH_LOG("%u events came in %u datagrams", events, datagrams);
	EXPECT_GT(events, datagrams);
	close(singles);
	close(fd);
}

/* Events that are gathered when nobody is left must fit into the batch, too. */
TEST_F_TIMEOUT(kerror, batch_whose_last_reader_leaves, 120)
{
	pid_t pid;
	int i;

	/* Otherwise this process stays. */
	stop_listening(&self->listener);
	pid = fork();
	ASSERT_LE(0, pid);
	while (!pid)
		close(plain_socket(KERROR_GROUP_EVLOG_BATCH));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, ask("burst 5000"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* The worker is still there. */
	ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG, false));
	ASSERT_EQ(0, ask("burst 1"));
	EXPECT_TRUE(next_event(&self->listener));
}

TEST_F(kerror, contexts)
{
	static const char *const expected[] = { "process", "softirq" };
	const struct kerror_event *event;
	const struct evl_header *header;
	unsigned int i;

	ASSERT_EQ(0, ask("contexts"));
	for (i = 0; i < 2; i++) {
		event = next_event(&self->listener);
		ASSERT_NE(NULL, event);
		EXPECT_TRUE(text_is(event, expected[i]));
		header = kerror_event_header(event);
		EXPECT_STREQ(expected[i], kerror_context_name(header->flags));
		EXPECT_FALSE(header->flags & EVL_FLAG_BOOT);
	}
	event = next_event(&self->listener);
	ASSERT_NE(NULL, event);
	EXPECT_TRUE(text_is(event, "interrupt 1"));
	EXPECT_STREQ("hardirq",
		     kerror_context_name(kerror_event_header(event)->flags));
}

TEST_F(kerror, nmi)
{
	const struct kerror_event *event;

	if (ask("nmi 1") == -EOPNOTSUPP)
		SKIP(return, "no source of NMIs on this architecture");
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "the NMI goes to another CPU; there is one only");
	/* Show the stacks of the other CPUs: by NMI. */
	ASSERT_EQ(0, put("/proc/sysrq-trigger", "l"));
	event = next_event(&self->listener);
	ASSERT_NE(NULL, event);
	EXPECT_TRUE(kerror_event_header(event)->flags & EVL_FLAG_NMI);
	EXPECT_STREQ("nmi",
		     kerror_context_name(kerror_event_header(event)->flags));
}

TEST_F(kerror, severities)
{
	static const int asked[] = { 0, 3, 7, 8, 255, 256, 259, -1, 1 << 30 };
	static const int got[] = { 0, 3, 7, 4, 4, 4, 4, 4, 4 };
	unsigned int i;

	for (i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		const struct kerror_event *event;

		ASSERT_EQ(0, ask("severity %lu", (unsigned long)asked[i]));
		event = next_event(&self->listener);
		ASSERT_NE(NULL, event);
		EXPECT_EQ(got[i], kerror_event_header(event)->severity);
	}
}

TEST_F(kerror, fault_facility_of_15_characters)
{
	static const unsigned int lengths[] = { 0, 15, 16, 55, 59, 60, 100 };
	char name[EVL_FACILITY_SIZE];
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		const struct evl_header *header;

		memset(name, 'f', sizeof(name));
		name[lengths[i] < 59 ? lengths[i] : 59] = '\0';
		ASSERT_EQ(0, ask("facility %u", lengths[i]));
		header = kerror_event_header(next_event(&self->listener));
		ASSERT_NE(NULL, header);
		EXPECT_STREQ(name, header->facility);
		EXPECT_EQ(lengths[i] > 59,
			  !!(header->flags & EVL_FLAG_TRUNCATED));
	}
}

TEST_F(kerror, refused_formats)
{
	uint64_t numbered = statistics(&self->listener)->numbered;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		EXPECT_EQ(-EINVAL, ask("refused-format %u", i)) {
			TH_LOG("format %u", i);
		}
	}
	EXPECT_EQ(-ERANGE, ask("refused-format 8"));
	EXPECT_FALSE(comes_anything(&self->listener));
	EXPECT_EQ(numbered, statistics(&self->listener)->numbered);
	EXPECT_EQ(0, self->listener.lost_all);
}

TEST_F(kerror, fault_kernel_pointers_copied_out)
{
	uint64_t address = known("address", 16);
	uint32_t address32;
	const struct kerror_event *event;
	const unsigned char *data;
	char digits[32], text[256];
	size_t size, i;

	ASSERT_NE(0, address);
	ASSERT_EQ(0, ask("pointer"));
	event = next_event(&self->listener);
	ASSERT_NE(NULL, event);
	data = kerror_event_data(event, &size);
	/* As the kernel has it, in 32 or 64 bits of this byte order */
	address32 = address;
	for (i = 0; i + sizeof(address) <= size; i++)
		EXPECT_NE(0, memcmp(data + i,
				    address >> 32 ? (void *)&address :
				    (void *)&address32,
				    address >> 32 ? 8 : 4));
	snprintf(digits, sizeof(digits), "%llx", (unsigned long long)address);
	kerror_event_text(event, text, sizeof(text));
	EXPECT_EQ(NULL, strstr(text, digits));
}

TEST_F(kerror, long_arguments_are_cut_and_flagged)
{
	static const unsigned int sizes[] = { 100, 8100, 8192, 16000 };
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const struct kerror_event *event;
		const struct evl_header *header;
		struct kerror_argument string;
		bool cut = sizes[i] >= EVL_VARIABLE_MAX;
		size_t k;

		ASSERT_EQ(0, ask("long %u", sizes[i]));
		event = next_event(&self->listener);
		ASSERT_NE(NULL, event);
		header = kerror_event_header(event);
		ASSERT_NE(NULL, header);
		EXPECT_EQ(cut, !!(header->flags & EVL_FLAG_TRUNCATED));
		EXPECT_GE(EVL_VARIABLE_MAX, header->variable_size);
		EXPECT_EQ(cut ? 2 : 3, kerror_event_argument_count(event));
		ASSERT_EQ(0, kerror_event_argument(event, 1, &string));
		if (!cut)
			EXPECT_EQ(sizes[i], string.size);
		EXPECT_LE(cut ? 8000 : sizes[i], string.size);
		for (k = 0; k < string.size; k++)
			ASSERT_EQ('x', string.text[k]);
	}
}

TEST_F(kerror, data_of_the_driver)
{
	static const unsigned int sizes[] = { 1, 100, 8192, 8193, 16000 };
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const struct kerror_event *event;
		const unsigned char *data;
		size_t size, k;

		ASSERT_EQ(0, ask("write %u %u", sizes[i], EVL_FORMAT_BINARY));
		event = next_event(&self->listener);
		ASSERT_NE(NULL, event);
		data = kerror_event_payload(event, &size);
		EXPECT_EQ(sizes[i] < 8192 ? sizes[i] : 8192, size);
		for (k = 0; k < size; k++)
			ASSERT_EQ((unsigned char)(k * 7 + 1), data[k]);
		EXPECT_EQ(sizes[i] > 8192,
			  !!(kerror_event_header(event)->flags &
			     EVL_FLAG_TRUNCATED));
		EXPECT_EQ(6, kerror_event_header(event)->event_type);
		EXPECT_EQ(0, kerror_event_header(event)->event_id);
	}
	EXPECT_EQ(0, ask("write 0 %u", EVL_FORMAT_NODATA));
	EXPECT_NE(NULL, next_event(&self->listener));
	EXPECT_EQ(-EINVAL, ask("write 1 %u", EVL_FORMAT_NODATA));
	EXPECT_EQ(-EINVAL, ask("write 1 %u", EVL_FORMAT_PRINTF));
	EXPECT_EQ(-EINVAL, ask("write 1 4"));
	EXPECT_FALSE(comes_anything(&self->listener));
}

/* Shows bytes of any kind on one line. */
static void show(const char *bytes, size_t size)
{
	fputc('\'', stderr);
	for (; size--; bytes++)
		fprintf(stderr, *bytes >= ' ' && *bytes < 0x7f ? "%c" : "\\x%02x",
			(unsigned char)*bytes);
	fputs("' ", stderr);
}

/* For an event that is not the one expected. */
static void show_place(const struct evl_header *header)
{
	fprintf(stderr, "# unexpected: case %u, format %u, CPU %u, at %llu\n",
		header->event_type, header->format, header->cpu,
		(unsigned long long)header->time_boot);
}

/*
 * Compares one pair of a format case: what libkerror makes of the event with
 * what the kernel's vsnprintf() made of the same call.
 */
static bool pair_is_equal(struct listener *listener)
{
	static char text[65536], format[1024];
	const struct kerror_event *event = next_event(listener);
	struct evl_header header;
	const char *expected;
	size_t size, expected_size;
	uint32_t number;

	if (!event || !kerror_event_format(event)) {
		if (event)
			show_place(kerror_event_header(event));
		return false;
	}
	header = *kerror_event_header(event);
	number = header.event_type;
	snprintf(format, sizeof(format), "%s", kerror_event_format(event));
	size = kerror_event_text(event, text, sizeof(text));
	event = next_event(listener);
	if (!event || kerror_event_format(event) ||
	    kerror_event_header(event)->event_type != number) {
		show_place(&header);
		if (event)
			show_place(kerror_event_header(event));
		return false;
	}
	expected = kerror_event_payload(event, &expected_size);
	if (size == expected_size && !memcmp(text, expected, size))
		return true;
	fprintf(stderr, "# case %u ", number);
	show(format, strlen(format));
	show(text, size);
	show(expected, expected_size);
	fprintf(stderr, "(format, text, text of vsnprintf)\n");
	return false;
}

TEST_F(kerror, table_of_formats)
{
	uint64_t raised = known("raised", 10), i;
	unsigned int equal = 0;

	ASSERT_EQ(0, ask("table"));
	raised = known("raised", 10) - raised;
	ASSERT_LE(2 * 100, raised);
	for (i = 0; i < raised / 2; i++)
		equal += pair_is_equal(&self->listener);
	TH_LOG("%u of %llu cases equal", equal, (unsigned long long)raised / 2);
	EXPECT_EQ(raised / 2, equal);
	EXPECT_FALSE(comes_anything(&self->listener));
	EXPECT_EQ(0, self->listener.lost_all);
}

TEST_F_TIMEOUT(kerror, random_formats, 600)
{
	unsigned int seed, i, equal = 0;

	for (seed = 1; seed <= 1000; seed++) {
		ASSERT_EQ(0, ask("random %u 100", seed));
		for (i = 0; i < 100; i++)
			equal += pair_is_equal(&self->listener);
		ASSERT_EQ(0, self->listener.lost_all);
		ASSERT_EQ(100 * seed, equal) {
			TH_LOG("seed %u", seed);
		}
	}
	TH_LOG("%u of 100000 cases equal", equal);
	EXPECT_EQ(100000, equal);
}

/* Each one is refused, or means to the kernel what it means to libkerror. */
TEST_F_TIMEOUT(kerror, garbage_formats, 600)
{
	uint64_t raised = known("raised", 10), refused = known("refused", 10);
	unsigned int seed, equal = 0, taken = 0, end;
	int err;

	for (seed = 1; seed <= 500; seed++) {
		err = ask("garbage %u 200", seed);
		if (err == -EOPNOTSUPP)
			SKIP(return, "vsnprintf() of Linux 2.6 takes other formats");
		ASSERT_EQ(0, err);
		/* Those taken were raised twice. */
		end = known("raised", 10) - raised - 200 * seed;
		for (; taken < end; taken++)
			equal += pair_is_equal(&self->listener);
		ASSERT_EQ(0, self->listener.lost_all);
		ASSERT_EQ(taken, equal) {
			TH_LOG("seed %u", seed);
		}
	}
	refused = known("refused", 10) - refused;
	TH_LOG("100000 formats: %llu refused, %u of %u taken are equal",
	       (unsigned long long)refused, equal, taken);
	EXPECT_EQ(100000, refused + taken);
	EXPECT_LT(10000, refused);
	EXPECT_LT(10000, taken);
}

/* ------------------------------------------------------------------ */
/* The kernel log. */

/* The kernel log, from now on: what open_log() opened, or -1 before 3.5. */
static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	char record[8192];

	/* An older one can be opened, but not read. */
	if (fd >= 0 && read(fd, record, sizeof(record)) < 0 && errno == EINVAL) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Forgets what is there. */
static void skip_log(int fd)
{
	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	else
		klogctl(5, NULL, 0);
}

/* Counts the lines that are newer than the last look and hold @text. */
static unsigned int count_printed(int fd, const char *text)
{
	static char record[65536];
	unsigned int found = 0;
	const char *at;
	int size;

	usleep(300000);
	if (fd < 0) {
		size = klogctl(4, record, sizeof(record) - 1);
		record[size > 0 ? size : 0] = '\0';
		for (at = record; (at = strstr(at, text)); at++)
			found++;
		return found;
	}
	while ((size = read(fd, record, 8191)) > 0 ||
	       (size < 0 && errno == EPIPE)) {
		record[size > 0 ? size : 0] = '\0';
		found += !!strstr(record, text);
	}
	return found;
}

TEST_F(kerror, printk_policy)
{
	static const struct {
		const char *policy;
		unsigned int heard, unheard;
	} cases[] = {
		{ "never", 0, 0 }, { "unheard", 0, 1 }, { "always", 1, 1 },
	};
	char policy[32];
	unsigned int i;
	int fd;

	if (access(POLICY, F_OK))
		SKIP(return, "no parameters of modules in sysfs before 2.6.10");
	fd = open_log();
	get(POLICY, policy, sizeof(policy));
	EXPECT_STREQ("unheard", policy);
	EXPECT_EQ(-EINVAL, put(POLICY, "sometimes"));
	for (i = 0; i < 3; i++) {
		skip_log(fd);
		ASSERT_EQ(0, put(POLICY, cases[i].policy));
		/* Past the rate limit's interval of 5 s. */
		sleep(6);
		ASSERT_EQ(0, ask("severity 3"));
		EXPECT_EQ(cases[i].heard,
			  count_printed(fd, "test_evlog: severity")) {
			TH_LOG("%s, heard", cases[i].policy);
		}
		stop_listening(&self->listener);
		ASSERT_EQ(0, ask("severity 3"));
		EXPECT_EQ(cases[i].unheard,
			  count_printed(fd, "test_evlog: severity")) {
			TH_LOG("%s, unheard", cases[i].policy);
		}
		ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG,
				      false));
	}
	ASSERT_EQ(0, put(POLICY, "unheard"));
	close(fd);
}

/*
 * A socket of another network namespace hears nothing: it must not count as a
 * listener, or an error would be neither sent nor printed.
 */
TEST_F(kerror, unheard_in_another_network_namespace_is_printed)
{
	int to_parent[2], to_child[2], fd, i;
	char byte = 0;
	pid_t pid;

	if (access(POLICY, F_OK))
		SKIP(return, "no parameters of modules in sysfs before 2.6.10");
	if (is_2_6())
		SKIP(return, "Linux 2.6 asks nobody when a group is joined");
	stop_listening(&self->listener);
	ASSERT_EQ(0, pipe(to_parent));
	ASSERT_EQ(0, pipe(to_child));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Whatever it can get, it keeps until it is told to end. */
		if (unshare(CLONE_NEWNET))
			_exit(2);
		for (i = 0; i < GROUPS; i++) {
			fd = plain_socket(0);
			add_membership(fd, kerror_group_at(i));
			plain_socket(kerror_group_at(i));
		}
		if (write(to_parent[1], &byte, 1) != 1 ||
		    read(to_child[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	close(to_parent[1]);
	if (read(to_parent[0], &byte, 1) == 1) {
		fd = open_log();
		skip_log(fd);
		/* Past the rate limit's interval of 5 s. */
		sleep(6);
		ASSERT_EQ(0, ask("severity 3"));
		EXPECT_EQ(1, count_printed(fd, "test_evlog: severity"));
		ASSERT_EQ(1, write(to_child[1], &byte, 1));
		close(fd);
	}
	ASSERT_EQ(pid, waitpid(pid, &i, 0));
	ASSERT_TRUE(listen_to(&self->listener, KERROR_GROUP_EVLOG, false));
	if (WIFEXITED(i) && WEXITSTATUS(i) == 2) {
		ASSERT_NE(0, access("/proc/self/ns/net", F_OK));
		SKIP(return, "this kernel has no network namespaces");
	}
	EXPECT_EQ(0, i);
}

/* Recorded and printed: two walks over the arguments. */
TEST_F(kerror, fault_va_list_walked_twice)
{
	static const char text[] = "walk 1 two 3333333333333 4     5 six -7";
	char line[128];
	int fd;

	if (access(POLICY, F_OK))
		SKIP(return, "no parameters of modules in sysfs before 2.6.10");
	fd = open_log();
	skip_log(fd);
	ASSERT_EQ(0, put(POLICY, "always"));
	sleep(6);
	ASSERT_EQ(0, ask("two-walks"));
	EXPECT_TRUE(text_is(next_event(&self->listener), text));
	snprintf(line, sizeof(line), FACILITY ": %s\n", text);
	EXPECT_EQ(1, count_printed(fd, line));
	ASSERT_EQ(0, put(POLICY, "unheard"));
	close(fd);
}

/*
 * The text of the next case in the log, without the escapes of /dev/kmsg. Returns its
 * size, or 0 if there is none.
 */
static size_t printed_case(int fd, char *text)
{
	char record[8192], *from, *to;
	unsigned int byte;
	int size;

	do {
		size = read(fd, record, sizeof(record) - 1);
		if (size < 0 && errno != EPIPE)
			return 0;
		record[size > 0 ? size : 0] = '\0';
		from = strchr(record, ';');
	} while (!from || strncmp(from, ";case ", 6));
	for (from++, to = text; *from && *from != '\n'; to++) {
		if (from[0] == '\\' && sscanf(from, "\\x%2x", &byte) == 1) {
			*to = byte;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	return to - text;
}

/* The text of the next case among the events, which @size is set to. */
static const char *event_case(struct listener *listener, size_t *size)
{
	static char text[65536];
	const struct kerror_event *event;

	do {
		event = next_event(listener);
		*size = event ? kerror_event_text(event, text, sizeof(text)) : 0;
	} while (event && strncmp(text, "case ", 5));
	return text;
}

/* Has the module print cases. Returns how many were equal, or -1. */
static long print_cases(struct listener *messages, int fd, const char *command)
{
	uint64_t printed = known("raised", 10);
	size_t size, event_size;
	long equal = 0, seen = 0;
	char text[8192];
	const char *event;

	skip_log(fd);
	if (ask("%s", command))
		return -1;
	while ((size = printed_case(fd, text))) {
		seen++;
		event = event_case(messages, &event_size);
		if (size == event_size && !memcmp(text, event, size)) {
			equal++;
			continue;
		}
		fprintf(stderr, "# %s: ", command);
		show(event, event_size);
		show(text, size);
		fprintf(stderr, "(text of the event, of the log)\n");
	}
	printed = known("raised", 10) - printed;
	return seen == (long)printed && equal == seen ? equal : -1;
}

/* Whatever printk() is given: the text of the event is that of the log. */
TEST_F_TIMEOUT(kerror, messages_equal_the_log, 600)
{
	char command[64], forward[16];
	struct listener messages;
	long table, equal, random = 0;
	int fd = open_log(), seed;

	if (fd < 0 || access(FORWARD, W_OK))
		SKIP(return, "no log by records, or no events of messages");
	get(FORWARD, forward, sizeof(forward));
	ASSERT_TRUE(listen_to(&messages, KERROR_GROUP_PRINTK, false));
	ASSERT_EQ(0, put(FORWARD, "8"));
	table = print_cases(&messages, fd, "print-table");
	for (seed = 1; seed <= 20; seed++) {
		snprintf(command, sizeof(command), "print-random %d 100", seed);
		equal = print_cases(&messages, fd, command);
		EXPECT_EQ(200, equal);
		random += equal;
	}
	ASSERT_EQ(0, put(FORWARD, forward));
	TH_LOG("%ld messages of the table and %ld random ones are equal", table,
	       random);
	EXPECT_LE(200, table);
	EXPECT_EQ(0, messages.lost_all);
	stop_listening(&messages);
	close(fd);
}

TEST_F(kerror, fault_null_string)
{
	/* Case by case in table_of_formats; here as one that anybody raises. */
	unsigned int nulls = 0, i;
	uint64_t raised = known("raised", 10);

	ASSERT_EQ(0, ask("table"));
	raised = known("raised", 10) - raised;
	for (i = 0; i < raised; i++) {
		const struct kerror_event *event = next_event(&self->listener);
		struct kerror_argument argument;

		ASSERT_NE(NULL, event);
		if (!kerror_event_argument(event, 0, &argument) &&
		    argument.type == EVL_ARG_STRING && argument.invalid)
			nulls += argument.size == 6 &&
				 (!memcmp(argument.text, "(null)", 6) ||
				  /* before 2.6.34 */
				  !memcmp(argument.text, "<NULL>", 6));
	}
	EXPECT_LT(1, nulls);
}

TEST_HARNESS_MAIN
