// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connection to a syslog server: the local socket, UDP (RFC 5426), TCP
 * (RFC 6587) or TLS (RFC 5425).
 *
 * Over TCP and TLS a message counts as written when the server's TCP has
 * acknowledged it. A server that dies loses what it had acknowledged and not
 * read yet, and its kernel says so by a reset. So the last messages are kept,
 * as many as fit into a receive buffer, and are sent again after a reset: the
 * server may have some of them twice.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "kept.h"
#include "local.h"
#include "message.h"
#include "stream.h"
#include "syslog_peer.h"

/* A message that the server's death meets so often may be its cause. */
#define TRIES		20

/* Between two looks at what is acknowledged; the kernel does not tell. */
#define LOOK_FIRST_MS	1
#define LOOK_LAST_MS	64

/* Between two reports of what was sent again */
#define REPORT_NS	60000000000ULL

struct syslog_peer {
	struct sink *sink;
	const char *address;		/* without what it begins with */
	bool stream, tls, local;
	struct datagrams datagrams;
	unsigned int refused;		/* datagrams, by one of the host's addresses */
	struct stream tcp;
	struct kept kept;
	bool again;			/* they are to be sent again */
	uint64_t reported;
	unsigned long long repeated, doubtful;	/* not yet reported */
};

struct syslog_peer *syslog_peer_new(struct sink *sink)
{
	const char *address = sink->settings->address ? : "";
	struct syslog_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->sink = sink;
	peer->datagrams.fd = -1;
	peer->tcp.fd = -1;
	peer->tls = !strncmp(address, "tls:", 4);
	peer->stream = peer->tls || !strncmp(address, "tcp:", 4);
	peer->local = !strncmp(address, "unix:", 5);
	if (peer->stream || peer->local || !strncmp(address, "udp:", 4))
		peer->address = address + (peer->local ? 5 : 4);
	STAILQ_INIT(&peer->kept.list);
	return peer;
}

static void report(struct syslog_peer *peer, bool now)
{
	uint64_t time = now_ns(CLOCK_MONOTONIC);
	char text[320];

	if ((!peer->repeated && !peer->doubtful) ||
	    (!now && peer->reported && time - peer->reported < REPORT_NS))
		return;
	snprintf(text, sizeof(text),
		 "the connection was cut%s%s: %llu messages were sent again, the server may have them twice; %llu may be lost",
		 peer->tcp.reason ? ", reason: " : "",
		 peer->tcp.reason ? : "", peer->repeated, peer->doubtful);
	peer->sink->report(peer->sink, 4, text);
	peer->reported = time;
	peer->repeated = 0;
	peer->doubtful = 0;
}

void syslog_peer_free(struct syslog_peer *peer)
{
	syslog_peer_close(peer);
	if (peer->again) {
		struct kept_message *kept;

		STAILQ_FOREACH(kept, &peer->kept.list, next) {
			peer->doubtful++;
			peer->sink->doubtful++;
		}
	}
	report(peer, true);
	kept_remove_all(&peer->kept);
	free(peer);
}

/* ---- The connection ---- */

int syslog_peer_open(struct syslog_peer *peer, char *message, size_t size)
{
	struct sink *sink = peer->sink;
	int fd, err;

	if (peer->datagrams.fd >= 0 || peer->tcp.fd >= 0)
		return 0;
	if (!peer->address) {
		snprintf(message, size,
			 "address '%s' begins with none of unix:, udp:, tcp:, tls:",
			 sink->settings->address ? : "");
		return -EINVAL;
	}
	if (peer->stream)
		return stream_open(&peer->tcp, sink, peer->address, peer->tls,
				   message, size);
	if (peer->local) {
		err = datagrams_open_local(&peer->datagrams, sink, peer->address);
		if (err)
			snprintf(message, size, "%s: %s; does a syslog server run?",
				 peer->address, strerror(-err));
		return err;
	}
	fd = connect_remote(sink, peer->address, SOCK_DGRAM, peer->refused, message,
			    size);
	peer->datagrams = (struct datagrams) {
		.sink = sink, .fd = fd < 0 ? -1 : fd,
	};
	return fd < 0 ? fd : 0;
}

/* After a reset what was acknowledged last is in doubt. */
static void note_end(struct syslog_peer *peer, enum stream_state state)
{
	if (state == STREAM_OPEN)
		return;
	if (state == STREAM_CLOSED) {
		kept_remove_all(&peer->kept);
		return;
	}
	kept_remove_old(&peer->kept, peer->tcp.window);
	peer->again = !STAILQ_EMPTY(&peer->kept.list);
	if (peer->kept.early) {
		peer->doubtful += peer->kept.early;
		peer->sink->doubtful += peer->kept.early;
		peer->kept.early = 0;
	}
}

void syslog_peer_close(struct syslog_peer *peer)
{
	datagrams_close(&peer->datagrams);
	if (peer->tcp.fd >= 0)
		note_end(peer, stream_look(&peer->tcp));
	stream_close(&peer->tcp);
}

/* ---- Datagrams ---- */

static int send_datagram(struct syslog_peer *peer, const char *text, size_t size)
{
	struct iovec part = { .iov_base = (char *)text, .iov_len = size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	return datagrams_send(&peer->datagrams, &message);
}

static int send_datagrams(struct syslog_peer *peer,
			  const struct syslog_message *messages, size_t count)
{
	int err = 0, unread;
	size_t i;

	for (i = 0; i < count; i++) {
		char *text = messages[i].text;
		size_t size = messages[i].size;

		err = send_datagram(peer, text, size);
		/* Larger than a datagram may be: a part is better than nothing. */
		if (err == -EMSGSIZE)
			err = send_datagram(peer, text,
					    syslog_shorten(text, size, SYSLOG_SHORT));
		if (err)
			break;
	}
	/* Those before one that fails are not sent again. */
	unread = i ? datagrams_confirm(&peer->datagrams) : err;
	return unread ? unread : (int)i;
}

/* ---- Streams ---- */

/* Sends one message in its frame; its end is then at the stream's @sent. */
static int send_framed(struct syslog_peer *peer, const char *text, size_t size)
{
	char *frame = malloc(size + 24);
	int length, err;

	if (!frame)
		return -ENOMEM;
	length = peer->sink->settings->newline ? 0 : sprintf(frame, "%zu ", size);
	memcpy(frame + length, text, size);
	length += size;
	if (peer->sink->settings->newline)
		frame[length++] = '\n';
	err = stream_write(&peer->tcp, frame, length);
	free(frame);
	return err;
}

/* Once more, what the server may have lost when it died */
static int send_again(struct syslog_peer *peer)
{
	struct kept_message *kept, *next;
	int err;

	for (kept = STAILQ_FIRST(&peer->kept.list); kept; kept = next) {
		next = STAILQ_NEXT(kept, next);
		if (++kept->tries > TRIES) {
			peer->doubtful++;
			peer->sink->doubtful++;
			kept_remove(&peer->kept, kept);
			continue;
		}
		peer->repeated++;
		peer->sink->repeated++;
		kept->time = now_ns(CLOCK_MONOTONIC);
		err = send_framed(peer, kept->text, kept->size);
		if (err)
			return err;
	}
	peer->again = false;
	return 0;
}

/* Waits until the server's TCP has all of @count messages; how many it has. */
static size_t wait_for_acknowledgement(struct syslog_peer *peer,
				       const uint64_t *ends, size_t count,
				       int *err)
{
	int look = LOOK_FIRST_MS;
	size_t done = 0, before;

	for (;;) {
		uint64_t end = stream_acknowledged(&peer->tcp);

		for (before = done; done < count && ends[done] <= end; done++)
			;
		if (done == count || *err)
			return done;
		if (done != before)
			sink_moves(peer->sink);
		*err = sink_wait(peer->sink, peer->tcp.fd, POLLIN, look);
		if (*err == -ETIMEDOUT)
			*err = stream_is_alive(&peer->tcp);
		if (!*err && stream_look(&peer->tcp) != STREAM_OPEN)
			*err = -ECONNRESET;	/* one more look at what it has */
		if (look < LOOK_LAST_MS)
			look *= 2;
	}
}

/* Over the connection that there is; how many the server has, and why not all */
static size_t send_stream(struct syslog_peer *peer,
			  const struct syslog_message *messages, size_t count,
			  int *err)
{
	uint64_t ends[BATCH];
	size_t sent, done;

	*err = peer->again ? send_again(peer) : 0;
	for (sent = 0; !*err && sent < count; sent++) {
		*err = send_framed(peer, messages[sent].text, messages[sent].size);
		ends[sent] = peer->tcp.sent;
	}
	if (*err && sent)
		sent--;			/* the last one is not whole */
	done = wait_for_acknowledgement(peer, ends, sent, err);
	for (size_t i = 0; i < done; i++)
		kept_add(&peer->kept, messages[i].text, messages[i].size);
	kept_remove_old(&peer->kept, peer->tcp.window);
	if (*err && *err != -ECANCELED) {
		/* It may have read more than it could acknowledge. */
		peer->sink->repeated += sent - done;
		peer->repeated += sent - done;
	}
	return done;
}

static int send_messages(struct syslog_peer *peer,
			 const struct syslog_message *messages, size_t count,
			 char *message, size_t size)
{
	int err = 0;

	/* One that the server closed while there was nothing to say is no failure. */
	for (int tries = 0; tries < 2; tries++) {
		size_t done;

		if (peer->tcp.fd >= 0 && stream_look(&peer->tcp) != STREAM_OPEN)
			syslog_peer_close(peer);
		/* Of that no message is the reason. */
		if (syslog_peer_open(peer, message, size))
			return -ENOTCONN;
		done = send_stream(peer, messages, count, &err);
		if (err)
			syslog_peer_close(peer);
		report(peer, false);
		if (done)
			return done;
		if (err == -ECANCELED)
			break;
	}
	snprintf(message, size, "%s: %s", peer->sink->settings->address,
		 err == -ECANCELED ? "is stuck" :
		 peer->tcp.reason ? : strerror(-err));
	return err;
}

int syslog_peer_look(struct syslog_peer *peer, char *message, size_t size)
{
	int err;

	if (peer->tcp.fd >= 0 && stream_look(&peer->tcp) != STREAM_OPEN)
		syslog_peer_close(peer);
	if (!peer->again)
		return 0;
	err = syslog_peer_open(peer, message, size);
	if (err)
		return err;
	err = send_again(peer);
	if (!err)
		report(peer, false);
	else
		snprintf(message, size, "%s: %s", peer->sink->settings->address,
			 peer->tcp.reason ? : strerror(-err));
	return err;
}

size_t syslog_peer_most(const struct syslog_peer *peer)
{
	return peer->stream ? BATCH : peer->local ? DATAGRAMS : 1;
}

int syslog_peer_send(struct syslog_peer *peer,
		     const struct syslog_message *messages, size_t count,
		     char *message, size_t size)
{
	int result;

	if (peer->stream)
		return send_messages(peer, messages, count, message, size);
	result = send_datagrams(peer, messages, count);
	if (result == -ECONNREFUSED && !peer->local) {
		peer->sink->doubtful++;
		peer->refused++;
	}
	if (result < 0)
		snprintf(message, size, "%s: %s%s", peer->sink->settings->address,
			 result == -ECANCELED ? "is stuck" : strerror(-result),
			 result != -ECONNREFUSED ? "" : peer->local ?
			 "; what it had not read is sent again" :
			 "; the datagram before is lost");
	return result;
}
