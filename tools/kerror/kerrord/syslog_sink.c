// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syslog server, by RFC 5424: syslog_message.c makes the messages, syslog_peer.c
 * sends them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "syslog_peer.h"

/* Made at once of several records, so that many large ones take no more */
#define WRITE_BYTES 1048576
#define KEPT_BYTES 65536

struct syslog {
	struct syslog_peer *peer;
	struct buffer buffer;
};

/* It stays beyond close(): it knows what may have to be sent again. */
static int open_syslog(struct sink *sink, char *message, size_t size)
{
	struct syslog *syslog = sink->private;

	if (!syslog) {
		syslog = calloc(1, sizeof(*syslog));
		if (syslog)
			syslog->peer = syslog_peer_new(sink);
		if (!syslog || !syslog->peer) {
			free(syslog);
			snprintf(message, size, "out of memory");
			return -ENOMEM;
		}
		sink->private = syslog;
	}
	return syslog_peer_open(syslog->peer, message, size);
}

static int look_at_peer(struct sink *sink, char *message, size_t size)
{
	struct syslog *syslog = sink->private;

	return syslog_peer_look(syslog->peer, message, size);
}

static void close_syslog(struct sink *sink)
{
	struct syslog *syslog = sink->private;

	syslog_peer_close(syslog->peer);
}

static void end_syslog(struct sink *sink)
{
	struct syslog *syslog = sink->private;
	char message[512];

	if (syslog) {
		/* A last chance for what a server that died just now has lost */
		syslog_peer_look(syslog->peer, message, sizeof(message));
		syslog_peer_free(syslog->peer);
		buffer_free(&syslog->buffer);
	}
	free(syslog);
	sink->private = NULL;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	struct syslog *syslog = sink->private;
	struct syslog_message messages[BATCH];
	size_t most = syslog_peer_most(syslog->peer), made = 0;
	struct buffer *buffer = &syslog->buffer;
	int result;

	buffer->size = 0;
	while (made < count && made < most && buffer->size < WRITE_BYTES) {
		size_t begin = buffer->size;

		syslog_message(buffer, sink->settings->facility, records[made]);
		messages[made++].size = buffer->size - begin;
	}
	if (buffer->failed) {
		snprintf(message, size, "out of memory");
		result = -ENOMEM;
	} else {
		char *text = buffer->bytes;

		for (size_t i = 0; i < made; text += messages[i++].size)
			messages[i].text = text;
		result = syslog_peer_send(syslog->peer, messages, made, message,
					  size);
	}
	/* One that was large once takes no memory for ever. */
	if (buffer->failed || buffer->room > KEPT_BYTES)
		buffer_free(buffer);
	return result;
}

const struct sink_type syslog_sink = {
	.name = "syslog",
	.keeps_progress = true,
	.open = open_syslog,
	.write = write_records,
	.idle = look_at_peer,
	.close = close_syslog,
	.end = end_syslog,
};
