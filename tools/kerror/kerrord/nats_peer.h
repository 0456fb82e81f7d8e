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
 * @data: of an event its bytes in base64, for a header; to be freed with free(); or NULL
 * @filtered: others of its group are not sent
 */
struct nats_message {
	char subject[128], id[128];
	size_t begin, size;
	bool refused, filtered;
	char *data;
};

struct nats_peer;

/*
 * @machine is one token of a subject. @take gets each message below its inbox, to be
 * destroyed, in a thread of the library; NULL: they are answers to what was published.
 * NULL, with the reason in @message, without a connection.
 */
struct __natsMsg;
struct nats_peer *nats_peer_open(struct sink *sink, const char *machine,
				 void (*take)(void *context, struct __natsMsg *msg),
				 void *context, char *message, size_t size);
void nats_peer_close(struct nats_peer *peer);

/*
 * By nats_server.c: 0, or a negative errno with a line in @message if the server at @url,
 * which is connected to, is none or one that loses messages.
 */
int nats_check_server(struct sink *sink, const char *url, char *message, size_t size);

/* The subject below which it gets messages */
const char *nats_peer_inbox(const struct nats_peer *peer);

/* Publishes, and waits for nothing; @reply may be NULL. */
void nats_peer_send(struct nats_peer *peer, const char *subject, const char *reply,
		    const void *data, size_t size);
/* Waits until the server has all of it. */
void nats_peer_flush(struct nats_peer *peer, unsigned int ms);

/* Why the connection is gone, in words */
void nats_peer_reason(struct nats_peer *peer, char *message, size_t size);

/* Whether it can be used for another attempt */
bool nats_peer_is_open(const struct nats_peer *peer);

/*
 * Publishes and waits for the answers. Returns how many of the first ones the stream has
 * or has refused; if these are not all, @message says why.
 */
size_t nats_peer_publish(struct nats_peer *peer, struct nats_message *messages,
			 size_t count, const char *bodies, char *message, size_t size);

#endif
