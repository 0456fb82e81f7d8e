// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for libmnl in a guest's static programs, where no mirror has its
 * source: the functions that libkerror calls, by the names and types of
 * <libmnl/libmnl.h>. See userland.sh.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <libmnl/libmnl.h>

struct mnl_socket {
	int fd;
	struct sockaddr_nl address;	/* as the kernel knows it */
};

struct mnl_socket *mnl_socket_open2(int protocol, int flags)
{
	struct mnl_socket *sock = calloc(1, sizeof(*sock));

	if (!sock)
		return NULL;
	sock->fd = socket(AF_NETLINK, SOCK_RAW | flags, protocol);
	if (sock->fd >= 0)
		return sock;
	free(sock);
	return NULL;
}

int mnl_socket_bind(struct mnl_socket *sock, unsigned int groups, pid_t port)
{
	struct sockaddr_nl wanted = {
		.nl_family = AF_NETLINK, .nl_groups = groups, .nl_pid = port,
	};
	socklen_t size = sizeof(sock->address);

	if (bind(sock->fd, (struct sockaddr *)&wanted, sizeof(wanted)))
		return -1;
	if (getsockname(sock->fd, (struct sockaddr *)&sock->address, &size))
		return -1;
	if (size == sizeof(sock->address) &&
	    sock->address.nl_family == AF_NETLINK)
		return 0;
	errno = EINVAL;
	return -1;
}

int mnl_socket_get_fd(const struct mnl_socket *sock)
{
	return sock->fd;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *sock)
{
	return sock->address.nl_pid;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *sock, const void *message,
			  size_t size)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(sock->fd, message, size, 0,
		      (const struct sockaddr *)&kernel, sizeof(kernel));
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *sock, void *buffer, size_t size)
{
	struct sockaddr_nl from;
	socklen_t from_size = sizeof(from);
	ssize_t got = recvfrom(sock->fd, buffer, size, MSG_TRUNC,
			       (struct sockaddr *)&from, &from_size);

	if (got <= (ssize_t)size)
		return got;
	errno = ENOSPC;
	return -1;
}

int mnl_socket_close(struct mnl_socket *sock)
{
	int status = close(sock->fd);

	free(sock);
	return status;
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *message)
{
	return NLMSG_DATA(message);
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *message)
{
	return NLMSG_PAYLOAD(message, 0);
}

/* An answer ends with 0 or an error number; NLMSG_DONE has one in some kernels only. */
static int end_of(const struct nlmsghdr *message)
{
	size_t size = NLMSG_PAYLOAD(message, 0);

	errno = size < sizeof(int) ? 0 : abs(*(const int *)NLMSG_DATA(message));
	return errno ? MNL_CB_ERROR : MNL_CB_STOP;
}

int mnl_cb_run(const void *bytes, size_t size, unsigned int sequence, unsigned int port,
	       mnl_cb_t callback, void *context)
{
	const struct nlmsghdr *message = bytes;
	int result = MNL_CB_OK, left = size;

	for (; result > MNL_CB_STOP && NLMSG_OK(message, left);
	     message = NLMSG_NEXT(message, left)) {
		if (message->nlmsg_pid != port || message->nlmsg_seq != sequence) {
			errno = message->nlmsg_pid != port ? ESRCH : EPROTO;
			return MNL_CB_ERROR;
		}
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
			return end_of(message);
		if (message->nlmsg_type >= NLMSG_MIN_TYPE)
			result = callback(message, context);
	}
	return result;
}
