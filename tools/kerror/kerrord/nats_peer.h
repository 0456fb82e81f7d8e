/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection to a server of NATS, as a nats sink uses it. Documentation/nats.md has
 * subjects, messages and answers.
 */
#ifndef NATS_PEER_H
#define NATS_PEER_H

#include "kerrord.h"

/**
 * struct nats_message - one that is to be published
 * @subject: where to
 * @id: the same each time that it is sent
 * @begin: of its body, in the bytes of all
 * @size: of its body
 * @refused: the server will never take it
 */
struct nats_message {
	char subject[128], id[128];
	size_t begin, size;
	bool refused;
};

struct nats_peer;

/* @machine is one token of a subject. NULL, with the reason in @message, without one. */
struct nats_peer *nats_peer_open(struct sink *sink, const char *machine,
				 char *message, size_t size);
void nats_peer_close(struct nats_peer *peer);

/*
 * By nats_server.c: 0, or a negative errno with a line in @message if the server at @url,
 * which is connected to, is none or one that loses messages.
 */
int nats_check_server(struct sink *sink, const char *url, char *message, size_t size);

/* Whether it can be used for another attempt */
bool nats_peer_is_open(const struct nats_peer *peer);

/*
 * Publishes and waits for the answers. Returns how many of the first ones the stream has
 * or has refused; if these are not all, @message says why.
 */
size_t nats_peer_publish(struct nats_peer *peer, struct nats_message *messages,
			 size_t count, const char *bodies, char *message, size_t size);

#endif
