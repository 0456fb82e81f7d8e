// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The socket layer: moves datagrams between a NETLINK_KERROR socket and a
 * reader. Knows nothing of what is in them.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include "libkerror.h"

#ifndef NETLINK_KERROR
#define NETLINK_KERROR 27
#endif

/* Some 10,000 small events; the kernel's default holds 200. */
#define RECEIVE_BUFFER (16 << 20)

struct kerror_socket {
	struct mnl_socket *netlink;
	uint32_t buffer[KERROR_DATAGRAM_MAX / sizeof(uint32_t)];
};

int kerror_socket_open(struct kerror_socket **result, uint32_t groups)
{
	struct kerror_socket *sock = malloc(sizeof(*sock));
	int size = RECEIVE_BUFFER, err;

	if (!sock)
		return -ENOMEM;
	sock->netlink = mnl_socket_open2(NETLINK_KERROR, SOCK_CLOEXEC);
	if (!sock->netlink) {
		err = -errno;
		free(sock);
		return err;
	}
	/* Without CAP_NET_ADMIN the limit of net.core.rmem_max holds. */
	if (setsockopt(kerror_socket_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE,
		       &size, sizeof(size)) < 0)
		setsockopt(kerror_socket_fd(sock), SOL_SOCKET, SO_RCVBUF,
			   &size, sizeof(size));
	if (mnl_socket_bind(sock->netlink, groups, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
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
