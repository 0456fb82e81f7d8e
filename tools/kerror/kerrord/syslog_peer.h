/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A syslog server as a syslog sink sees it: takes messages, and says how many of
 * them it has.
 */
#ifndef SYSLOG_PEER_H
#define SYSLOG_PEER_H

#include "kerrord.h"

struct syslog_peer;

/**
 * struct syslog_message - one that is to be sent
 * @text: the caller's
 * @size: its bytes
 */
struct syslog_message {
	char *text;
	size_t size;
};

struct syslog_peer *syslog_peer_new(struct sink *sink);
void syslog_peer_free(struct syslog_peer *peer);

/* Connects, if it is not; 0, or a negative errno with a line in @message. */
int syslog_peer_open(struct syslog_peer *peer, char *message, size_t size);
void syslog_peer_close(struct syslog_peer *peer);

/*
 * Sends. Returns how many of @messages, from the first on, the server has, as far
 * as its protocol tells, or a negative errno with a line in @message if none.
 */
int syslog_peer_send(struct syslog_peer *peer,
		     const struct syslog_message *messages, size_t count,
		     char *message, size_t size);

/*
 * When there is nothing to send: finds out whether the server died, and sends
 * again what it may have lost. 0, or a negative errno with a line in @message.
 */
int syslog_peer_look(struct syslog_peer *peer, char *message, size_t size);

/* The most messages that it takes at once */
size_t syslog_peer_most(const struct syslog_peer *peer);

#endif
