/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream of bytes to a server, over TCP or TLS, that knows which of them the
 * server's TCP has acknowledged. For a sink's thread; waits by sink_wait().
 */
#ifndef STREAM_H
#define STREAM_H

#include "kerrord.h"

struct tls;

/* Between two looks at whether the server is alive */
#define ALIVE_MS	1000

/**
 * enum stream_state - how a connection is
 * @STREAM_OPEN: as it should be
 * @STREAM_CLOSED: the server closed it after it had read what it acknowledged
 * @STREAM_BROKEN: it was reset or cut: what it acknowledged last may be lost
 */
enum stream_state { STREAM_OPEN, STREAM_CLOSED, STREAM_BROKEN };

/**
 * struct stream - one connection
 * @sink: whose it is
 * @fd: its socket, or -1
 * @tls: over which the bytes go, or NULL
 * @sent: bytes that the socket has taken, those of TLS included
 * @window: the largest that the server has announced
 * @state: what it was when it was last looked at
 * @reason: why the server ended it, if it said so, or NULL
 */
struct stream {
	struct sink *sink;
	int fd;
	struct tls *tls;
	uint64_t sent;
	uint64_t window;
	enum stream_state state;
	const char *reason;
};

/* Splits HOST:PORT, with brackets around an IPv6 address; the port, or NULL. */
const char *split_address(const char *address, char *host, size_t size);

/*
 * A socket that never blocks, connected to HOST:PORT, or -errno and @message. Of the
 * addresses that the host has, the one behind the first @skip is tried first.
 */
int connect_remote(struct sink *sink, const char *address, int type, unsigned int skip,
		   char *message, size_t size);

/* Connects to HOST:PORT; 0, or a negative errno with a line in @message. */
int stream_open(struct stream *stream, struct sink *sink, const char *address,
		bool tls, char *message, size_t size);

/* Sends all; 0, or a negative errno. */
int stream_write(struct stream *stream, const void *data, size_t size);

/* Those of @sent that the server's TCP has acknowledged */
uint64_t stream_acknowledged(struct stream *stream);

/* 0, or -ETIMEDOUT if a server that owes acknowledgements has sent none for long */
int stream_is_alive(struct stream *stream);

/* As send(), of bytes that are counted; an error can break the connection. */
ssize_t stream_send(struct stream *stream, const void *data, size_t size);

/* Waits for at most ALIVE_MS; 0, or a negative errno if there is no point in it. */
int stream_wait_for_room(struct stream *stream);

/* Reads and drops what the server says. */
enum stream_state stream_look(struct stream *stream);
void stream_close(struct stream *stream);

/* ---- TLS, by tls.c ---- */

/* The handshake; @host: the name that the certificate must have */
int tls_open(struct stream *stream, const char *host, char *message,
	     size_t size);
int tls_write(struct stream *stream, const void *data, size_t size);
enum stream_state tls_look(struct stream *stream);
void tls_close(struct stream *stream);

#endif
