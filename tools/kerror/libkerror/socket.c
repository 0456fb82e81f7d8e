// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The socket layer: moves datagrams between a NETLINK_KERROR socket and a
 * reader. Knows nothing of what is in them, but for one request by which it
 * finds out on an old kernel whether the facility is there. It also tells which load
 * of the module the socket is of.
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
#include "internal.h"

#ifndef NETLINK_KERROR
#define NETLINK_KERROR 27
#endif

/* On Linux 2.6.0 to 2.6.3 only; from 2.6.4 on this number is SELinux's. */
#define NETLINK_KERROR_2_6_0 7

/* The kernel answers within sendto(), or is busy with something else. */
#define PROOF_MS 1000

/* Of kerror.ko only; it cannot change while a socket is open. */
#define INSTANCE_PATH "/sys/module/kerror/parameters/instance"

/* Some 10,000 small events; the kernel's default holds 200. */
#define RECEIVE_BUFFER (16 << 20)

struct kerror_socket {
	struct mnl_socket *netlink;
	uint64_t instance;
	uint32_t groups;
	bool has_filter;
	uint32_t buffer[KERROR_DATAGRAM_MAX / sizeof(uint32_t)];
};

/* By index, the group that has a group's messages in batches */
static const uint32_t batches[KERROR_GROUP_COUNT] = {
	KERROR_GROUP_RAW_BATCH, KERROR_GROUP_EVLOG_BATCH,
	KERROR_GROUP_PRINTK_BATCH,
};

/* SOCK_CLOEXEC is EINVAL before 2.6.27. */
static struct mnl_socket *open_netlink(int protocol)
{
	struct mnl_socket *netlink = mnl_socket_open2(protocol, SOCK_CLOEXEC);

	if (netlink || errno != EINVAL)
		return netlink;
	netlink = mnl_socket_open2(protocol, 0);
	if (netlink)
		fcntl(mnl_socket_get_fd(netlink), F_SETFD, FD_CLOEXEC);
	return netlink;
}

/*
 * Whether an answer came that only NETLINK_KERROR gives: the statistics, or
 * that this process may not ask.
 */
static bool is_answered(struct mnl_socket *netlink)
{
	struct pollfd ready = {
		.fd = mnl_socket_get_fd(netlink), .events = POLLIN,
	};
	struct {
		struct nlmsghdr header;
		union {
			struct kerror_statistics statistics;
			struct nlmsgerr error;
		};
	} answer;
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = &answer, .iov_len = sizeof(answer) };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t size;

	while (poll(&ready, 1, PROOF_MS) < 0)
		if (errno != EINTR)
			return false;
	size = recvmsg(ready.fd, &message, MSG_DONTWAIT);
	if (size < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)) || from.nl_pid)
		return false;
	return answer.header.nlmsg_type == KERROR_MSG_STATISTICS ||
	       (answer.header.nlmsg_type == NLMSG_ERROR &&
		answer.error.error == -EPERM);
}

/* 0 if the kernel has the facility at this number, or a negative errno. */
static int prove(int protocol)
{
	struct mnl_socket *netlink = open_netlink(protocol);
	struct {
		struct nlmsghdr header;
		struct kerror_request body;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = KERROR_MSG_STATISTICS,
		.header.nlmsg_flags = NLM_F_REQUEST,
		.body.group = KERROR_GROUP_EVLOG,
	};
	int err = 0;

	if (!netlink)
		return -errno;
	if (mnl_socket_sendto(netlink, &request, sizeof(request)) < 0)
		err = errno == ECONNREFUSED ? -EPROTONOSUPPORT : -errno;
	else if (!is_answered(netlink))
		err = -EPROTONOSUPPORT;
	mnl_socket_close(netlink);
	return err;
}

/* The number of the protocol on this kernel, or a negative errno. */
static int find_protocol(void)
{
	unsigned int major, minor, patch;
	struct utsname name;
	int err;

	/* From 2.6.33 on socket() says whether anybody has registered it. */
	if (uname(&name) ||
	    sscanf(name.release, "%u.%u.%u", &major, &minor, &patch) != 3 ||
	    major != 2 || minor != 6 || patch >= 33)
		return NETLINK_KERROR;
	err = prove(NETLINK_KERROR);
	if (!err)
		return NETLINK_KERROR;
	if (err != -EPROTONOSUPPORT || patch > 3)
		return err;
	err = prove(NETLINK_KERROR_2_6_0);
	return err ? err : NETLINK_KERROR_2_6_0;
}

int socket_connect(struct mnl_socket **netlink)
{
	int protocol = find_protocol();

	if (protocol < 0)
		return protocol;
	*netlink = open_netlink(protocol);
	return *netlink ? 0 : -errno;
}

/*
 * By nl_groups, which every kernel takes. A filter looks at one message; without
 * one, batches save system calls.
 */
static int join(struct kerror_socket *sock)
{
	uint32_t groups = 0;

	for (int i = 0; i < KERROR_GROUP_COUNT; i++)
		if (sock->groups & kerror_group_at(i))
			groups |= sock->has_filter ? kerror_group_at(i) :
						     batches[i];
	/* Once it is bound, its port must be the one that it has. */
	return mnl_socket_bind(sock->netlink, groups,
			       mnl_socket_get_portid(sock->netlink)) < 0 ?
	       -errno : 0;
}

/* 0, or a negative errno: a number that is not known is not taken for 0. */
static int read_instance(struct kerror_socket *sock)
{
	FILE *file = fopen(INSTANCE_PATH, "re");
	unsigned long long instance = 0;
	int err = 0;

	sock->instance = 0;
	if (!file)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (fscanf(file, "%llu", &instance) != 1)
		err = -EIO;
	fclose(file);
	sock->instance = instance;
	return err;
}

int kerror_socket_open(struct kerror_socket **result, uint32_t groups)
{
	struct kerror_socket *sock = malloc(sizeof(*sock));
	int size = RECEIVE_BUFFER, err;

	if (!sock)
		return -ENOMEM;
	sock->has_filter = false;
	err = socket_connect(&sock->netlink);
	if (err) {
		free(sock);
		return err;
	}
	/*
	 * Without CAP_NET_ADMIN, and before 2.6.14, the limit of
	 * net.core.rmem_max holds.
	 */
	if (setsockopt(kerror_socket_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE,
		       &size, sizeof(size)) < 0)
		setsockopt(kerror_socket_fd(sock), SOL_SOCKET, SO_RCVBUF,
			   &size, sizeof(size));
	sock->groups = groups;
	err = read_instance(sock);
	if (!err)
		err = join(sock);
	if (err) {
		kerror_socket_close(sock);
		return err;
	}
	*result = sock;
	return 0;
}

void kerror_socket_close(struct kerror_socket *sock)
{
	if (!sock)
		return;
	mnl_socket_close(sock->netlink);
	free(sock);
}

int kerror_socket_fd(const struct kerror_socket *sock)
{
	return mnl_socket_get_fd(sock->netlink);
}

uint64_t kerror_socket_instance(const struct kerror_socket *sock)
{
	return sock->instance;
}

int kerror_socket_set_filter(struct kerror_socket *sock,
			     const struct kerror_filter *filter)
{
	size_t count = 0;
	const struct sock_filter *program =
		filter ? kerror_filter_program(filter, &count) : NULL;
	struct sock_fprog attached = {
		.len = count, .filter = (struct sock_filter *)program,
	};
	int fd = kerror_socket_fd(sock), unused = 0, err = 0;

	if (program)
		err = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached,
				 sizeof(attached));
	else if (sock->has_filter)
		err = setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
				 sizeof(unused));
	if (err < 0)
		return -errno;
	sock->has_filter = program;
	return join(sock);
}

/* Feeds one datagram; 0, or -EAGAIN if none has come yet. */
static int receive(struct kerror_socket *sock, struct kerror_reader *reader)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = {
		.iov_base = sock->buffer,
		.iov_len = sizeof(sock->buffer),
	};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t size = recvmsg(kerror_socket_fd(sock), &message, MSG_DONTWAIT);

	if (size < 0) {
		if (errno != ENOBUFS)
			return -errno;
		kerror_reader_overrun(reader);
		return 0;
	}
	/* Whoever may send to a group can pretend; only 0 is the kernel. */
	if (from.nl_pid)
		return 0;
	if (message.msg_flags & MSG_TRUNC)
		kerror_reader_overrun(reader);
	for (int i = 0; i < KERROR_GROUP_COUNT; i++)
		if (from.nl_groups == batches[i])
			from.nl_groups = kerror_group_at(i);
	return kerror_reader_feed(reader, from.nl_groups, sock->buffer, size);
}

/* Sends one request; feeds an error in place of its answer if that fails. */
static int send_request(struct kerror_socket *sock,
			struct kerror_reader *reader)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} *answer = (void *)sock->buffer;
	const struct nlmsghdr *request;
	size_t size;

	request = kerror_reader_request(reader, &size);
	if (mnl_socket_sendto(sock->netlink, request, size) >= 0)
		return 0;
	answer->header = (struct nlmsghdr) {
		.nlmsg_len = sizeof(*answer), .nlmsg_type = NLMSG_ERROR,
	};
	/* As an answer ENOBUFS has another meaning. */
	answer->error.error = errno == ENOBUFS ? -ENOMEM : -errno;
	answer->error.msg = *request;
	return kerror_reader_feed(reader, 0, answer, sizeof(*answer));
}

int kerror_socket_next(struct kerror_socket *sock, struct kerror_reader *reader,
		       int timeout, enum kerror_item *item)
{
	struct pollfd ready = {
		.fd = kerror_socket_fd(sock), .events = POLLIN,
	};
	int err;

	for (;;) {
		*item = kerror_reader_next(reader);
		if (*item == KERROR_ITEM_REQUEST) {
			err = send_request(sock, reader);
			if (err)
				return err;
			continue;
		}
		if (*item != KERROR_ITEM_NONE)
			return 0;
		err = receive(sock, reader);
		if (!err || (err == -EAGAIN && kerror_reader_drained(reader)))
			continue;
		if (err != -EAGAIN)
			return err;
		err = poll(&ready, 1, timeout);
		if (err <= 0)
			return err ? -errno : 0;
	}
}
