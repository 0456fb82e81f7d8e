// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP, as far as it can tell what has arrived. A server that closes a connection
 * with data in its receive queue resets it (RFC 1122, 4.2.2.13), so an orderly
 * end says that the server has read what its TCP has acknowledged.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include "stream.h"

#define CONNECT_MS	10000

/* A server that owes acknowledgements and sends none for so long is dead. */
#define DEAD_MS		30000

const char *split_address(const char *address, char *host, size_t size)
{
	const char *colon = strrchr(address, ':');
	bool brackets = colon && colon > address + 1 && *address == '[' &&
			colon[-1] == ']';

	if (!colon || colon == address || !colon[1])
		return NULL;
	snprintf(host, size, "%.*s", (int)(colon - address) - 2 * brackets,
		 address + brackets);
	return colon + 1;
}

/* 0, or a negative errno */
static int finish_connect(struct sink *sink, int fd)
{
	int err, error = 0;
	socklen_t size = sizeof(error);

	if (errno != EINPROGRESS)
		return -errno;
	err = sink_wait(sink, fd, POLLOUT, CONNECT_MS);
	if (!err && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		err = -error;
	return err;
}

int connect_remote(struct sink *sink, const char *address, int type, unsigned int skip,
		   char *message, size_t size)
{
	struct addrinfo hints = { .ai_socktype = type }, *all, *one;
	char host[256];
	const char *port = split_address(address, host, sizeof(host));
	unsigned int count = 0;
	int fd = -1, err;

	if (!port) {
		snprintf(message, size, "address '%s' is not HOST:PORT", address);
		return -EINVAL;
	}
	err = getaddrinfo(host, port, &hints, &all);
	if (err) {
		snprintf(message, size, "%s: %s", address, gai_strerror(err));
		return -EHOSTUNREACH;
	}
	for (one = all; one; one = one->ai_next)
		count++;
	for (one = all, skip %= count; skip; skip--)
		one = one->ai_next;
	for (; count; count--, one = one->ai_next ? : all) {
		fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC |
			    SOCK_NONBLOCK, one->ai_protocol);
		err = fd < 0 ? -errno : 0;
		if (!err && connect(fd, one->ai_addr, one->ai_addrlen))
			err = finish_connect(sink, fd);
		if (!err)
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(all);
	if (fd < 0)
		snprintf(message, size, "%s: %s", address, strerror(-err));
	return fd < 0 ? err : fd;
}

int stream_open(struct stream *stream, struct sink *sink, const char *address,
		bool tls, char *message, size_t size)
{
	const int on = 1;
	char host[256];
	int err;

	*stream = (struct stream) { .sink = sink };
	stream->fd = connect_remote(sink, address, SOCK_STREAM, 0, message, size);
	if (stream->fd < 0)
		return stream->fd;
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* One that is idle and whose server is gone is found out in the end. */
	setsockopt(stream->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (!tls)
		return 0;
	split_address(address, host, sizeof(host));
	err = tls_open(stream, host, message, size);
	if (err)
		stream_close(stream);
	return err;
}

/* A kernel before 5.4 does not tell the window: it may be any. */
static struct tcp_info get_info(const struct stream *stream)
{
	struct tcp_info info = { .tcpi_snd_wnd = UINT32_MAX };
	socklen_t size = sizeof(info);

	getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info;
}

static int failed(struct stream *stream, int error)
{
	/* EPIPE says that it was closed before; recv() knows how. */
	if (stream->state == STREAM_OPEN && error != EPIPE)
		stream->state = STREAM_BROKEN;
	return -error;
}

int stream_is_alive(struct stream *stream)
{
	struct tcp_info info = get_info(stream);

	/* One that reads nothing still answers what asks for room. */
	if ((info.tcpi_unacked || info.tcpi_probes) &&
	    info.tcpi_last_ack_recv > DEAD_MS)
		return failed(stream, ETIMEDOUT);
	return 0;
}

ssize_t stream_send(struct stream *stream, const void *data, size_t size)
{
	ssize_t sent = send(stream->fd, data, size, MSG_NOSIGNAL);

	if (sent > 0) {
		stream->sent += sent;
		sink_moves(stream->sink);
	} else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		failed(stream, errno);
	}
	return sent;
}

int stream_wait_for_room(struct stream *stream)
{
	int err = sink_wait(stream->sink, stream->fd, POLLOUT, ALIVE_MS);

	return err == -ETIMEDOUT ? stream_is_alive(stream) : err;
}

int stream_write(struct stream *stream, const void *data, size_t size)
{
	const char *at = data;

	if (stream->tls)
		return tls_write(stream, data, size);
	while (size) {
		ssize_t sent = stream_send(stream, at, size);
		int err;

		if (sent > 0) {
			at += sent;
			size -= sent;
			continue;
		}
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		err = stream_wait_for_room(stream);
		if (err)
			return err;
	}
	return 0;
}

uint64_t stream_acknowledged(struct stream *stream)
{
	struct tcp_info info = get_info(stream);
	int unacknowledged = 0;

	if (stream->window < info.tcpi_snd_wnd)
		stream->window = info.tcpi_snd_wnd;
	if (ioctl(stream->fd, SIOCOUTQ, &unacknowledged))
		return 0;
	return stream->sent - unacknowledged;
}

enum stream_state stream_look(struct stream *stream)
{
	char dropped[512];
	ssize_t size;

	/* A reset is told once; then it looks like an orderly end. */
	if (stream->state != STREAM_OPEN)
		return stream->state;
	if (stream->tls) {
		stream->state = tls_look(stream);
		return stream->state;
	}
	do {
		size = recv(stream->fd, dropped, sizeof(dropped), 0);
	} while (size > 0 || (size < 0 && errno == EINTR));
	if (!size)
		stream->state = STREAM_CLOSED;
	else if (errno != EAGAIN)
		stream->state = STREAM_BROKEN;
	return stream->state;
}

void stream_close(struct stream *stream)
{
	if (stream->fd < 0)
		return;
	/* Unread bytes would make it a reset, which may cost the server some. */
	stream_look(stream);
	if (stream->tls)
		tls_close(stream);
	shutdown(stream->fd, SHUT_WR);
	close(stream->fd);
	stream->fd = -1;
}
