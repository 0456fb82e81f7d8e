// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syslog server: over the local socket, UDP (RFC 5426) or TCP with octet
 * counting (RFC 6587). syslog_message.c makes the messages.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "message.h"

/* A server that does not take what was sent for so long counts as dead. */
#define SEND_TIMEOUT_S 10

struct connection {
	int fd;
	bool counted;		/* octet counting */
	char host[256];
};

/* Tries each address of HOST:PORT. */
static int connect_remote(const char *address, int type, char *message,
			  size_t size)
{
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	struct addrinfo hints = { .ai_socktype = type }, *all, *one;
	const char *colon = strrchr(address, ':');
	bool brackets = colon && *address == '[' && colon[-1] == ']';
	char host[256];
	int fd = -1, err = -EINVAL;

	if (!colon || colon == address) {
		snprintf(message, size, "address '%s' is not HOST:PORT", address);
		return -EINVAL;
	}
	snprintf(host, sizeof(host), "%.*s",
		 (int)(colon - address) - 2 * brackets, address + brackets);
	err = getaddrinfo(host, colon + 1, &hints, &all);
	if (err) {
		snprintf(message, size, "%s: %s", address, gai_strerror(err));
		return -EHOSTUNREACH;
	}
	for (one = all; one; one = one->ai_next) {
		fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC,
			    one->ai_protocol);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			   sizeof(timeout));
		if (!connect(fd, one->ai_addr, one->ai_addrlen))
			break;
		err = -errno;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(all);
	if (fd < 0)
		snprintf(message, size, "%s: %s", address, strerror(-err));
	return fd < 0 ? err : fd;
}

static int open_connection(struct sink *sink, char *message, size_t size)
{
	const char *address = sink->settings->address ? : "";
	struct connection *connection = calloc(1, sizeof(*connection));
	int fd;

	if (!connection) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	if (!strncmp(address, "unix:", 5)) {
		fd = connect_unix(address + 5, SOCK_DGRAM);
		if (fd < 0)
			snprintf(message, size, "%s: %s; does a syslog server run?",
				 address + 5, strerror(-fd));
	} else if (!strncmp(address, "udp:", 4)) {
		fd = connect_remote(address + 4, SOCK_DGRAM, message, size);
	} else if (!strncmp(address, "tcp:", 4)) {
		fd = connect_remote(address + 4, SOCK_STREAM, message, size);
		connection->counted = true;
	} else {
		fd = -EINVAL;
		snprintf(message, size,
			 "address '%s' begins with none of unix:, udp:, tcp:",
			 address);
	}
	if (fd < 0) {
		free(connection);
		return fd;
	}
	connection->fd = fd;
	if (gethostname(connection->host, sizeof(connection->host) - 1) ||
	    !*connection->host)
		connection->host[0] = '\0';	/* shown as "-" */
	sink->private = connection;
	return 0;
}

static void close_connection(struct sink *sink)
{
	struct connection *connection = sink->private;

	close(connection->fd);
	free(connection);
	sink->private = NULL;
}

/* ---- Messages ---- */

static int send_all(const struct connection *connection, const char *text,
		    size_t size)
{
	char count[24];
	struct iovec parts[] = {
		{ .iov_base = count,
		  .iov_len = snprintf(count, sizeof(count), "%zu ", size) },
		{ .iov_base = (void *)text, .iov_len = size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (!connection->counted)
		return send(connection->fd, text, size, MSG_NOSIGNAL) < 0 ?
		       -errno : 0;
	while (message.msg_iovlen) {
		sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		while (message.msg_iovlen &&
		       (size_t)sent >= message.msg_iov->iov_len) {
			sent -= message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen) {
			message.msg_iov->iov_base =
				(char *)message.msg_iov->iov_base + sent;
			message.msg_iov->iov_len -= sent;
		}
	}
	return 0;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	const struct connection *connection = sink->private;
	const char *address = sink->settings->address;
	struct buffer made = { 0 };
	int err = -ENOMEM;

	(void)count;
	syslog_message(&made, sink->settings->facility, connection->host, records[0]);
	if (!made.failed)
		err = send_all(connection, made.bytes, made.size);
	/* Larger than a datagram may be: a part is better than nothing. */
	if (err == -EMSGSIZE)
		err = send_all(connection, made.bytes,
			       syslog_shorten(made.bytes, made.size, SYSLOG_SHORT));
	buffer_free(&made);
	if (!err)
		return 1;
	snprintf(message, size, "%s: %s", address, strerror(-err));
	return err;
}

const struct sink_type syslog_sink = {
	.name = "syslog",
	.keeps_progress = true,
	.open = open_connection,
	.write = write_records,
	.close = close_connection,
};
