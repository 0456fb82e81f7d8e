/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the stream, as a nats sink makes them and a collector reads them.
 * Documentation/nats.md has their form.
 */
#ifndef NATS_RECORD_H
#define NATS_RECORD_H

#include "nats_peer.h"

/* Header of a message that has an event: its bytes, as the kernel sent them, in base64 */
#define NATS_DATA	"Kerror-Event"
/* Header of one of a machine that sends only some of its events */
#define NATS_FILTERED	"Kerror-Filtered"

/* The last token of a heartbeat's subject */
#define NATS_HEARTBEATS "heartbeat"

/* Makes the machine's token of a subject. */
void nats_machine(const struct kerror_origin *origin, char *token, size_t size);

/**
 * struct nats_record - what a message has
 * @origin: of which machine and boot
 * @event: of NATS_EVENT, with the same origin
 * @loss: of NATS_LOSS
 * @cause: its name
 * @time: of the loss, or of a raw event: when its machine received it, or 0
 * @heartbeat: of NATS_HEARTBEAT
 * @filtered: gaps are no losses
 * @is_new: the store did not have it
 */
struct nats_record {
	enum { NATS_NOTHING, NATS_EVENT, NATS_LOSS, NATS_HEARTBEAT } kind;
	struct kerror_origin *origin;
	struct kerror_event *event;
	struct kerror_loss loss;
	char cause[32];
	uint64_t time;
	struct store_heartbeat heartbeat;
	bool filtered, is_new;
};

bool nats_record_is_heartbeat(const char *subject);

/* False if it is none, with the reason. */
struct __natsMsg;
bool nats_record_read(struct nats_record *record, struct __natsMsg *msg, char *reason,
		      size_t size);
void nats_record_free(struct nats_record *record);

#endif
