// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the socket layer without a socket: the functions that it calls are
 * here, and answer what each test has laid out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include "build.h"

#define RAW KERROR_GROUP_RAW

/* The next results of recvmsg(); EAGAIN after the last. */
static struct step {
	int error;
	uint32_t pid, group;
	int flags;
	uint32_t sequence;	/* of the event that it brings */
} steps[8];
static unsigned int step, step_count, requests, polls, closed;
static bool proving;	/* a request asks whether the facility is there */
static int open_error, bind_error, send_error, poll_error, poll_timeout;
static struct { struct nlmsghdr header; struct kerror_request body; } sent;
static struct sock_fprog attached;	/* the program that the socket has */
static unsigned int filter_calls;
static int filter_error, file_error;

/*
 * The kernel that is played: its release, where it has the facility, how that
 * answers the request which asks whether it is there, and whether it knows
 * SOCK_CLOEXEC. Kernels before 2.6.33 take any number for a socket.
 */
enum proof { STATISTICS, NOT_PERMITTED, OTHER_ERROR, EVENT, SHORT, OF_PROGRAM,
	     SILENCE, SEND_FAILS };
static struct kernel {
	const char *release;
	int protocol;
	enum proof proof;
	bool no_cloexec;
	const char *instance;	/* what the module's file has; NULL: there is none */
} kernel = { .release = "6.1.0", .protocol = 27 };
static char numbers[64];	/* those opened, in order; "!" where one is asked */
static int opened;		/* the last */
static unsigned int joined;	/* groups */
static pid_t port;		/* 0: not bound */
static unsigned int open_sockets;
static bool asked;		/* a proof that was not received yet */

static int result(int error)
{
	errno = error;
	return error ? -1 : 0;
}

int uname(struct utsname *name)
{
	memset(name, 0, sizeof(*name));
	snprintf(name->release, sizeof(name->release), "%s", kernel.release);
	return 0;
}

/* The only file that is read */
FILE *fopen(const char *path, const char *mode)
{
	assert_string_equal(path, "/sys/module/kerror/parameters/instance");
	assert_string_equal(mode, "re");
	/* The socket keeps the module there. */
	assert_int_equal(open_sockets, 1);
	if (result(file_error ? file_error : kernel.instance ? 0 : ENOENT))
		return NULL;
	return fmemopen((void *)kernel.instance, strlen(kernel.instance), "r");
}

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	if (kernel.no_cloexec && flags) {
		errno = EINVAL;
		return NULL;
	}
	assert_int_equal(flags, kernel.no_cloexec ? 0 : SOCK_CLOEXEC);
	opened = bus;
	port = 0;
	sprintf(numbers + strlen(numbers), " %d", bus);
	if (result(open_error))
		return NULL;
	open_sockets++;
	return (struct mnl_socket *)&steps;
}

int fcntl(int fd, int command, ...)
{
	assert_true(kernel.no_cloexec);
	assert_int_equal(fd, 1000);
	assert_int_equal(command, F_SETFD);
	return 0;
}

int mnl_socket_bind(struct mnl_socket *socket, unsigned int groups, pid_t pid)
{
	assert_non_null(socket);
	assert_int_equal(pid, port);
	if (result(bind_error))
		return -1;
	joined = groups;
	port = 4711;
	return 0;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *socket)
{
	assert_non_null(socket);
	return port;
}

int mnl_socket_close(struct mnl_socket *socket)
{
	assert_non_null(socket);
	closed++;
	open_sockets--;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *socket)
{
	assert_non_null(socket);
	return 1000;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *request,
			  size_t size)
{
	assert_non_null(socket);
	assert_int_equal(size, sizeof(sent));
	memcpy(&sent, request, sizeof(sent));
	requests++;
	if (proving) {
		assert_int_equal(sent.header.nlmsg_type, KERROR_MSG_STATISTICS);
		assert_int_equal(sent.header.nlmsg_flags, NLM_F_REQUEST);
		assert_int_equal(sent.body.group, KERROR_GROUP_EVLOG);
		strcat(numbers, "!");
		if (opened != kernel.protocol)
			return result(ECONNREFUSED);
		asked = true;
		if (kernel.proof == SEND_FAILS)
			return result(ENOBUFS);
	}
	return result(send_error) ? -1 : (ssize_t)size;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	assert_int_equal(fd, 1000);
	assert_int_equal(level, SOL_SOCKET);
	if (name != SO_ATTACH_FILTER && name != SO_DETACH_FILTER)
		return 0;
	filter_calls++;
	if (result(filter_error))
		return -1;
	if (name == SO_DETACH_FILTER) {
		/* Its content does not matter, but it must be there. */
		assert_true(size >= sizeof(int));
		if (!attached.len)
			return result(ENOENT);
		attached.len = 0;
		return 0;
	}
	assert_int_equal(size, sizeof(attached));
	memcpy(&attached, value, sizeof(attached));
	return 0;
}

int poll(struct pollfd *ready, nfds_t count, int timeout)
{
	assert_int_equal(count, 1);
	assert_int_equal(ready->fd, 1000);
	polls++;
	poll_timeout = timeout;
	return result(poll_error);
}

/* poll() of a library that was built with _FORTIFY_SOURCE */
int __poll_chk(struct pollfd *ready, nfds_t count, int timeout, size_t size)
{
	assert_int_equal(size, sizeof(*ready));
	return poll(ready, count, timeout);
}

/* The answer to the request that asks whether the facility is there. */
static ssize_t receive_proof(struct msghdr *message)
{
	struct {
		struct nlmsghdr header;
		union {
			struct kerror_statistics statistics;
			struct nlmsgerr error;
		};
	} answer = { .header.nlmsg_type = KERROR_MSG_STATISTICS };
	struct sockaddr_nl *from = message->msg_name;
	size_t size = sizeof(answer);

	assert_true(asked);
	asked = false;
	if (kernel.proof == SILENCE)
		return result(EAGAIN);
	if (kernel.proof == NOT_PERMITTED || kernel.proof == OTHER_ERROR) {
		answer.header.nlmsg_type = NLMSG_ERROR;
		answer.error.error = kernel.proof == OTHER_ERROR ?
				     -EOPNOTSUPP : -EPERM;
		size = NLMSG_LENGTH(sizeof(answer.error));
	}
	if (kernel.proof == EVENT)
		answer.header.nlmsg_type = KERROR_MSG_EVENT;
	if (kernel.proof == SHORT)
		size = NLMSG_LENGTH(4);
	from->nl_pid = kernel.proof == OF_PROGRAM ? 99 : 0;
	assert_true(size <= message->msg_iov->iov_len);
	memcpy(message->msg_iov->iov_base, &answer, size);
	return size;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	const struct step *now = &steps[step];
	struct nlmsghdr header = {
		.nlmsg_len = NLMSG_LENGTH(4), .nlmsg_type = KERROR_MSG_EVENT,
	};
	struct sockaddr_nl *from = message->msg_name;

	assert_int_equal(fd, 1000);
	assert_int_equal(flags, MSG_DONTWAIT);
	if (proving)
		return receive_proof(message);
	assert_true(message->msg_iov->iov_len >= KERROR_DATAGRAM_MAX);
	if (step == step_count)
		return result(EAGAIN);
	step++;
	if (now->error)
		return result(now->error);
	from->nl_pid = now->pid;
	from->nl_groups = now->group;
	message->msg_flags = now->flags;
	header.nlmsg_seq = now->sequence;
	memcpy(message->msg_iov->iov_base, &header, sizeof(header));
	memset((uint8_t *)message->msg_iov->iov_base + sizeof(header), 0, 4);
	return NLMSG_LENGTH(4);
}

static void will(const struct step *next, unsigned int count)
{
	memcpy(steps, next, count * sizeof(*next));
	step_count = count;
	step = 0;
	requests = 0;
	polls = 0;
}

#define WILL(...) will((struct step[]){ __VA_ARGS__ }, \
		       sizeof((struct step[]){ __VA_ARGS__ }) / \
		       sizeof(struct step))

static void assert_next(struct kerror_socket *socket,
			struct kerror_reader *reader, enum kerror_item expected)
{
	enum kerror_item item;

	assert_int_equal(kerror_socket_next(socket, reader, 7, &item), 0);
	assert_int_equal(item, expected);
}

static void test_open(void **state)
{
	struct kerror_socket *socket;

	(void)state;
	open_error = EPROTONOSUPPORT;
	assert_int_equal(kerror_socket_open(&socket, RAW), -EPROTONOSUPPORT);
	open_error = 0;
	assert_int_equal(closed, 0);
	bind_error = EPERM;
	assert_int_equal(kerror_socket_open(&socket, RAW), -EPERM);
	bind_error = 0;
	assert_int_equal(closed, 1);
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	assert_int_equal(kerror_socket_fd(socket), 1000);
	kerror_socket_close(socket);
	assert_int_equal(closed, 2);
	kerror_socket_close(NULL);
	assert_int_equal(closed, 2);
}

/* Opens on @played; returns what kerror_socket_open() does. */
static int open_on(const struct kernel *played)
{
	static const struct kernel usual = { .release = "6.1.0", .protocol = 27 };
	struct kerror_socket *socket;
	int err;

	kernel = *played;
	*numbers = '\0';
	proving = true;
	err = kerror_socket_open(&socket, RAW);
	proving = false;
	kernel = usual;
	assert_int_equal(open_sockets, err ? 0 : 1);
	if (!err)
		kerror_socket_close(socket);
	return err;
}

/* Which numbers are tried, and asked, on which release. */
static void test_protocol(void **state)
{
	static const struct {
		const char *release;
		int protocol, err;
		const char *numbers;
	} cases[] = {
		/* Here socket() itself tells. */
		{ "6.1.0-49-amd64", 27, 0, " 27" },
		{ "3.0", 27, 0, " 27" },
		{ "2.6.33", 27, 0, " 27" },
		{ "2.6.39.4", 27, 0, " 27" },
		{ "2.6.61-49-amd64", 27, 0, " 27" },	/* UNAME26 */
		{ "5.6.2", 27, 0, " 27" },
		{ "2.7.2", 27, 0, " 27" },
		{ "3.6.2", 27, 0, " 27" },
		{ "2.6", 27, 0, " 27" },
		{ "2.6.x", 27, 0, " 27" },
		{ "", 27, 0, " 27" },
		/* Here it must be asked. */
		{ "2.6.32", 27, 0, " 27! 27" },
		{ "2.6.32-754.el6.i686", 27, 0, " 27! 27" },
		{ "2.6.32", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.30", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.30.10", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.23", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.13", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.10", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.4", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.4-rc1", 7, -EPROTONOSUPPORT, " 27!" },
		{ "2.6.4", 27, 0, " 27! 27" },
		/* And here there are two numbers to be asked. */
		{ "2.6.3", 7, 0, " 27! 7! 7" },
		{ "2.6.3-rc2-mm1", 7, 0, " 27! 7! 7" },
		{ "2.6.3-7mdk", 27, 0, " 27! 27" },
		{ "2.6.2", 7, 0, " 27! 7! 7" },
		{ "2.6.1", 7, 0, " 27! 7! 7" },
		{ "2.6.0", 7, 0, " 27! 7! 7" },
		{ "2.6.0-test11", 7, 0, " 27! 7! 7" },
		{ "2.6.0", 27, 0, " 27! 27" },
		{ "2.6.0", 0, -EPROTONOSUPPORT, " 27! 7!" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kernel played = {
			.release = cases[i].release,
			.protocol = cases[i].protocol,
		};

		assert_int_equal(open_on(&played), cases[i].err);
		assert_string_equal(numbers, cases[i].numbers);
		played.no_cloexec = true;
		assert_int_equal(open_on(&played), cases[i].err);
		assert_string_equal(numbers, cases[i].numbers);
	}
}

/* Answers that count as a proof. */
static void test_proof(void **state)
{
	static const struct {
		enum proof proof;
		int err;
	} cases[] = {
		{ STATISTICS, 0 },
		{ NOT_PERMITTED, 0 },	/* what bind() says then counts */
		{ OTHER_ERROR, -EPROTONOSUPPORT },
		{ EVENT, -EPROTONOSUPPORT },
		{ SHORT, -EPROTONOSUPPORT },
		{ OF_PROGRAM, -EPROTONOSUPPORT },
		{ SILENCE, -EPROTONOSUPPORT },
		{ SEND_FAILS, -ENOBUFS },
	};
	struct kernel played = { .release = "2.6.32", .protocol = 27 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		played.proof = cases[i].proof;
		assert_int_equal(open_on(&played), cases[i].err);
	}
	/* Something else is no reason to try the other number. */
	played = (struct kernel) { .release = "2.6.0", .protocol = 27, .proof = SEND_FAILS };
	assert_int_equal(open_on(&played), -ENOBUFS);
	assert_string_equal(numbers, " 27!");
	open_error = EMFILE;
	assert_int_equal(open_on(&played), -EMFILE);
	open_error = 0;
	poll_error = EBADF;
	assert_int_equal(open_on(&(struct kernel) { .release = "2.6.32", .protocol = 27 }),
			 -EPROTONOSUPPORT);
	poll_error = 0;
}

static void test_next(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW);
	struct kerror_socket *socket;
	enum kerror_item item;

	(void)state;
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	WILL({ .group = KERROR_GROUP_RAW_BATCH, .sequence = 5 },
	     { .group = RAW, .sequence = 6, .pid = 99 },	/* an intruder */
	     { .group = RAW, .sequence = 6 });
	assert_next(socket, reader, KERROR_ITEM_EVENT);
	assert_next(socket, reader, KERROR_ITEM_EVENT);
	assert_int_equal(step, 3);
	assert_int_equal(polls, 0);
	assert_next(socket, reader, KERROR_ITEM_NONE);
	assert_int_equal(polls, 1);
	assert_int_equal(poll_timeout, 7);
	assert_int_equal(requests, 0);
	poll_error = EINTR;
	assert_int_equal(kerror_socket_next(socket, reader, 7, &item), -EINTR);
	poll_error = 0;
	WILL({ .error = EBADF });
	assert_int_equal(kerror_socket_next(socket, reader, 7, &item), -EBADF);

	/* Sent on ENOBUFS, and again when the queue is empty: before a wait. */
	WILL({ .error = ENOBUFS });
	assert_next(socket, reader, KERROR_ITEM_NONE);
	assert_int_equal(requests, 2);
	assert_int_equal(polls, 1);
	assert_int_equal(sent.header.nlmsg_type, KERROR_MSG_REPLAY);
	assert_int_equal(sent.body.sequence, 7);
	kerror_reader_free(reader);
	kerror_socket_close(socket);
}

/* Which groups are joined for which, and whose the batches are. */
static void test_groups(void **state)
{
	static const struct {
		uint32_t groups, joined, joined_with_filter;
	} cases[] = {
		{ KERROR_GROUP_RAW, 0x4, 0x1 },
		{ KERROR_GROUP_EVLOG, 0x8, 0x2 },
		{ KERROR_GROUP_PRINTK, 0x20, 0x10 },
		{ KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK, 0x28, 0x12 },
		{ KERROR_GROUP_RAW | KERROR_GROUP_PRINTK, 0x24, 0x11 },
		/* No event twice, and nothing that is not known. */
		{ KERROR_GROUP_ALL, 0x2c, 0x13 },
		{ KERROR_GROUP_RAW | KERROR_GROUP_PRINTK_BATCH | 0x40, 0x4, 0x1 },
	};
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);
	struct kerror_socket *socket;
	struct kerror_filter *filter;

	(void)state;
	assert_int_equal(kerror_filter_new(&filter, "severity<=err", NULL, 0), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(kerror_socket_open(&socket, cases[i].groups), 0);
		assert_int_equal(joined, cases[i].joined);
		assert_int_equal(kerror_socket_set_filter(socket, filter), 0);
		assert_int_equal(joined, cases[i].joined_with_filter);
		kerror_socket_close(socket);
	}
	assert_int_equal(kerror_socket_open(&socket, KERROR_GROUP_ALL), 0);
	WILL({ .group = KERROR_GROUP_RAW_BATCH, .sequence = 5 },
	     { .group = KERROR_GROUP_EVLOG_BATCH, .sequence = 5 },
	     { .group = KERROR_GROUP_PRINTK_BATCH, .sequence = 5 },
	     { .group = KERROR_GROUP_PRINTK, .sequence = 6 },
	     /* Not of one group: nobody's */
	     { .group = KERROR_GROUP_RAW_BATCH | KERROR_GROUP_EVLOG_BATCH,
	       .sequence = 6 });
	for (int i = 0; i < 4; i++) {
		assert_next(socket, reader, KERROR_ITEM_EVENT);
		assert_int_equal(kerror_event_group(kerror_reader_event(reader)),
				 kerror_group_at(i < 3 ? i : 2));
	}
	assert_next(socket, reader, KERROR_ITEM_NONE);
	assert_int_equal(kerror_reader_received(reader), 4);
	kerror_socket_close(socket);

	/* All of them or none */
	bind_error = EPERM;
	assert_int_equal(kerror_socket_open(&socket, KERROR_GROUP_ALL), -EPERM);
	bind_error = ENONET;
	assert_int_equal(kerror_socket_open(&socket, KERROR_GROUP_RAW), -ENONET);
	bind_error = 0;
	assert_int_equal(open_sockets, 0);
	kerror_filter_free(filter);
	kerror_reader_free(reader);
}

/* Which load of the module a socket is of */
static void test_instance(void **state)
{
	struct kerror_socket *socket;

	(void)state;
	kernel = (struct kernel) { .release = "6.1.0", .protocol = 27 };
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	assert_true(kerror_socket_instance(socket) == 0);
	kerror_socket_close(socket);
	/* A sandbox without /sys/module is no reason to hear nothing. */
	file_error = EACCES;
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	assert_true(kerror_socket_instance(socket) == 0);
	kerror_socket_close(socket);
	file_error = EMFILE;
	assert_int_equal(kerror_socket_open(&socket, RAW), -EMFILE);
	file_error = 0;
	kernel.instance = "18446744073709551615\n";
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	kernel.instance = "7\n";	/* which a socket keeps from happening */
	assert_true(kerror_socket_instance(socket) == UINT64_MAX);
	kerror_socket_close(socket);
	kernel.instance = "?\n";
	assert_int_equal(kerror_socket_open(&socket, RAW), -EIO);
	assert_int_equal(open_sockets, 0);
	kernel.instance = NULL;
}

static void test_cut(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW);
	struct kerror_socket *socket;

	(void)state;
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	WILL({ .group = RAW, .sequence = 5 },
	     { .group = RAW, .sequence = 6, .flags = MSG_TRUNC });
	assert_next(socket, reader, KERROR_ITEM_EVENT);
	assert_next(socket, reader, KERROR_ITEM_EVENT);
	assert_next(socket, reader, KERROR_ITEM_NONE);
	assert_true(requests > 0);
	assert_int_equal(sent.body.sequence, 7);
	kerror_reader_free(reader);
	kerror_socket_close(socket);
}

static void test_not_sent(void **state)
{
	static const struct { int error, expected; } errors[] = {
		{ ENOBUFS, -ENOMEM }, { EPERM, -EPERM },
	};
	struct kerror_socket *socket;

	(void)state;
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	for (int i = 0; i < 2; i++) {
		struct kerror_reader *reader = kerror_reader_new(RAW);

		WILL({ .group = RAW, .sequence = 5 },
		     { .group = RAW, .sequence = 9 },
		     { .group = RAW, .sequence = 10 });
		assert_next(socket, reader, KERROR_ITEM_EVENT);
		send_error = errors[i].error;
		assert_next(socket, reader, KERROR_ITEM_ERROR);
		assert_int_equal(kerror_reader_error(reader),
				 errors[i].expected);
		assert_false(kerror_reader_replaying(reader));
		/* The next event has it asked for again. */
		send_error = 0;
		assert_next(socket, reader, KERROR_ITEM_NONE);
		assert_int_equal(requests, 2);
		assert_true(kerror_reader_replaying(reader));
		kerror_reader_free(reader);
	}
	kerror_socket_close(socket);
}

static void test_filter(void **state)
{
	struct kerror_filter *decided, *undecided;
	const struct sock_filter *program;
	struct kerror_socket *socket;
	size_t count;

	(void)state;
	assert_int_equal(kerror_filter_new(&decided, "severity<=err", NULL, 0),
			 0);
	assert_int_equal(kerror_filter_new(&undecided, "argc>3", NULL, 0), 0);
	program = kerror_filter_program(decided, &count);
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	/* There is nothing to be taken away. */
	assert_int_equal(kerror_socket_set_filter(socket, NULL), 0);
	assert_int_equal(kerror_socket_set_filter(socket, undecided), 0);
	assert_int_equal(filter_calls, 0);

	filter_error = ENOMEM;
	assert_int_equal(kerror_socket_set_filter(socket, decided), -ENOMEM);
	filter_error = 0;
	assert_int_equal(kerror_socket_set_filter(socket, NULL), 0);
	assert_int_equal(filter_calls, 1);

	/* Without a filter, batches; a filter looks at single messages. */
	assert_int_equal(joined, KERROR_GROUP_RAW_BATCH);
	assert_int_equal(kerror_socket_set_filter(socket, decided), 0);
	assert_int_equal(attached.len, count);
	assert_ptr_equal(attached.filter, program);
	assert_int_equal(joined, RAW);
	/* The one before must not remain. */
	assert_int_equal(kerror_socket_set_filter(socket, undecided), 0);
	assert_int_equal(attached.len, 0);
	assert_int_equal(kerror_socket_set_filter(socket, decided), 0);
	filter_error = EPERM;
	assert_int_equal(kerror_socket_set_filter(socket, NULL), -EPERM);
	filter_error = 0;
	assert_int_equal(attached.len, count);
	assert_int_equal(kerror_socket_set_filter(socket, NULL), 0);
	assert_int_equal(attached.len, 0);
	assert_int_equal(filter_calls, 6);
	assert_int_equal(joined, KERROR_GROUP_RAW_BATCH);

	kerror_socket_close(socket);
	kerror_filter_free(decided);
	kerror_filter_free(undecided);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_protocol),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_not_sent),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_instance),
	};

	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
