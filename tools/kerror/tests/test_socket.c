// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the socket layer without a socket: the functions that it calls are
 * here, and answer what each test has laid out.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include "build.h"

#define RAW KERROR_GROUP_RAW

/* What recvmsg() does next; EAGAIN after the last. */
static struct step {
	int error;
	uint32_t pid, group;
	int flags;
	uint32_t sequence;	/* of the event that it brings */
} steps[8];
static unsigned int step, step_count, requests, polls, closed;
static int open_error, bind_error, send_error, poll_error, poll_timeout;
static struct { struct nlmsghdr header; struct kerror_request body; } sent;

static int result(int error)
{
	errno = error;
	return error ? -1 : 0;
}

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	assert_int_equal(bus, 27);
	assert_int_equal(flags, SOCK_CLOEXEC);
	return result(open_error) ? NULL : (struct mnl_socket *)&steps;
}

int mnl_socket_bind(struct mnl_socket *socket, unsigned int groups, pid_t pid)
{
	assert_non_null(socket);
	assert_int_equal(groups, RAW);
	assert_int_equal(pid, MNL_SOCKET_AUTOPID);
	return result(bind_error);
}

int mnl_socket_close(struct mnl_socket *socket)
{
	assert_non_null(socket);
	closed++;
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
	return result(send_error) ? -1 : (ssize_t)size;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	(void)fd, (void)level, (void)name, (void)value, (void)size;
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

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	const struct step *now = &steps[step];
	struct nlmsghdr header = {
		.nlmsg_len = NLMSG_LENGTH(4), .nlmsg_type = KERROR_MSG_EVENT,
	};
	struct sockaddr_nl *from = message->msg_name;

	assert_int_equal(fd, 1000);
	assert_int_equal(flags, MSG_DONTWAIT);
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

static void test_next(void **state)
{
	struct kerror_reader *reader = kerror_reader_new(RAW);
	struct kerror_socket *socket;
	enum kerror_item item;

	(void)state;
	assert_int_equal(kerror_socket_open(&socket, RAW), 0);
	WILL({ .group = RAW, .sequence = 5 },
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_not_sent),
	};

	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
