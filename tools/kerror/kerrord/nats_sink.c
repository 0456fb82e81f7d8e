// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of NATS JetStream. It is fed out of the store, not by the receiver: what the
 * server could not be given waits there, over a reboot, too.
 *
 * Promise: the place in the store moves behind an event when the stream has said that
 * it has it, and all before. So the stream gets each event at least once; the id of the
 * message tells doubles. An event that retention deletes before it was sent is reported and
 * counted as lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gnutls/gnutls.h>
#include "message.h"
#include "nats_collapse.h"
#include "nats_record.h"

/* Of the bodies of a round */
#define ROUND_BYTES	1048576
#define KEPT_BYTES	65536

/* Events of a round that are counted or sent */
#define ROUND_EVENTS	16384

/* Between two reports of refused messages */
#define REPORT_S	60

/*
 * The content of the file; of this machine, so in its own byte order. Before @end, it has what
 * was begun to be sent, some of it as a number: that must be the same at each attempt. Of
 * a file of before, the rest is 0.
 */
struct place_file {
	char magic[16];
	struct store_place place, end;
	struct collapse_state collapsed;
};

static const char magic[16] = "kerrord place 1";

/**
 * struct nats - a sink
 * @peer: kept over a failure for which the connection is not the reason
 * @place: behind what the stream has
 * @end: where a round ends that was begun before, or zeros
 * @collapsed: what the next round begins with
 * @collapse: counts those of this round
 * @last: behind the last event of this round
 * @messages: of this round
 * @places: behind each of them
 * @is_event: of each of them
 * @bodies: of all
 * @beat_at: CLOCK_MONOTONIC: when the next heartbeat is due
 * @skipped: behind what came before the first message and is not wanted
 */
struct nats {
	struct sink *sink;
	struct store *store;
	struct nats_peer *peer;
	int place_fd;
	struct store_place place, end, last, skipped, places[BATCH];
	struct collapse *collapse;
	struct collapse_state collapsed;
	struct nats_message messages[BATCH];
	bool is_event[BATCH];
	size_t count, events;
	struct buffer bodies;
	char machine[64];
	uint64_t report_at, beat_at;
};

/* ---- The place ---- */

static int open_place(struct sink *sink, struct nats *nats, char *message, size_t size)
{
	struct place_file file = { 0 };
	char path[512];

	sink_state_path(sink, "place", path, sizeof(path));
	nats->place_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (nats->place_fd < 0) {
		int err = -errno;

		snprintf(message, size, "cannot remember what it has sent: %s: %s", path,
			 strerror(-err));
		return err;
	}
	if (pread(nats->place_fd, &file, sizeof(file), 0) >=
	    (ssize_t)offsetof(struct place_file, end) &&
	    !memcmp(file.magic, magic, sizeof(magic))) {
		nats->place = file.place;
		nats->end = file.end;
		nats->collapsed = file.collapsed;
	}
	return 0;
}

static void note_gone(struct sink *sink, uint64_t gone)
{
	char text[160];

	sink->dropped_total += gone;
	snprintf(text, sizeof(text),
		 "lost %" PRIu64 " events: the store has deleted them before the server took them",
		 gone);
	sink->report(sink, 3, text);
}

/* If it fails, the stream gets some twice, which is better than not to send. */
static void write_place(struct nats *nats)
{
	struct place_file file = {
		.place = nats->place, .end = nats->end, .collapsed = nats->collapsed,
	};

	memcpy(file.magic, magic, sizeof(magic));
	if (pwrite(nats->place_fd, &file, sizeof(file), 0) < 0)
		return;
}

static void move_to(struct nats *nats, const struct store_place *place)
{
	if (!memcmp(&nats->place, place, sizeof(*place)))
		return;
	if (place->gone > nats->place.gone)
		note_gone(nats->sink, place->gone - nats->place.gone);
	nats->place = *place;
	if (place->event >= nats->end.event)
		nats->end = (struct store_place) { 0 };
	write_place(nats);
}

/* ---- Open and closed ---- */

/* A token of a subject: the machine's id, or else its name */
static void find_machine(struct nats *nats)
{
	struct kerror_origin *origin = identity();

	nats_machine(origin, nats->machine, sizeof(nats->machine));
	kerror_origin_release(origin);
}

static void drop_messages(struct nats *nats)
{
	for (size_t i = 0; i < nats->count; i++)
		free(nats->messages[i].data);
	nats->count = 0;
}

static void close_peer(struct nats *nats)
{
	if (nats->peer)
		nats_peer_close(nats->peer);
	nats->peer = NULL;
}

static void end_nats(struct sink *sink)
{
	struct nats *nats = sink->private;

	if (!nats)
		return;
	close_peer(nats);
	if (nats->place_fd >= 0)
		close(nats->place_fd);
	drop_messages(nats);
	buffer_free(&nats->bodies);
	collapse_free(nats->collapse);
	free(nats);
	sink->private = NULL;
}

static void close_store(struct nats *nats)
{
	store_close(nats->store);
	nats->store = NULL;
}

static void close_nats(struct sink *sink)
{
	struct nats *nats = sink->private;

	close_store(nats);
	if (nats->peer && !nats_peer_is_open(nats->peer))
		close_peer(nats);
}

static int open_nats(struct sink *sink, char *message, size_t size)
{
	struct nats *nats = sink->private;
	int err;

	if (!nats) {
		nats = calloc(1, sizeof(*nats));
		if (nats)
			nats->collapse = collapse_new();
		if (!nats || !nats->collapse) {
			free(nats);
			snprintf(message, size, "out of memory");
			return -ENOMEM;
		}
		nats->sink = sink;
		nats->place_fd = -1;
		sink->private = nats;
	}
	err = nats->place_fd < 0 ? open_place(sink, nats, message, size) : 0;
	if (err)
		return err;
	find_machine(nats);
	if (!nats->peer)
		nats->peer = nats_peer_open(sink, nats->machine, NULL, NULL, message, size);
	return nats->peer ? 0 : -ENOTCONN;
}

/* ---- A round ---- */

static void name_message(const struct nats *nats, struct nats_message *message,
			 const struct store_item *item)
{
	const char *boot_id = kerror_origin_get(item->origin, "boot_id");
	const char *instance = kerror_origin_get(item->origin, "instance");
	uint32_t group = item->event ? kerror_event_group(item->event) : item->loss.group;
	int length;

	snprintf(message->subject, sizeof(message->subject), "kerror.%s.%s", nats->machine,
		 kerror_group_name(group));
	length = snprintf(message->id, sizeof(message->id), "%.36s:%.20s:%s:",
			  boot_id ? boot_id : "", instance ? instance : "0",
			  kerror_group_name(group));
	if (item->event)
		snprintf(message->id + length, sizeof(message->id) - length, "%u",
			 kerror_event_sequence(item->event));
	else
		snprintf(message->id + length, sizeof(message->id) - length,
			 "loss:%.24s:%llu", item->cause,
			 (unsigned long long)item->loss.total);
}

/* For a collector; NULL without memory */
static char *encode_data(const struct kerror_event *event)
{
	gnutls_datum_t data, encoded;
	const void *bytes;
	size_t size;
	char *text;

	bytes = kerror_event_data(event, &size);
	data = (gnutls_datum_t) { .data = (void *)bytes, .size = size };
	if (gnutls_base64_encode2(&data, &encoded) < 0)
		return NULL;
	text = strndup((char *)encoded.data, encoded.size);
	gnutls_free(encoded.data);
	return text;
}

static void add_message(void *context, const struct store_item *item)
{
	struct nats *nats = context;
	const struct print_style style = {
		.origin = item->origin, .cause = item->cause, .time = item->time,
	};
	struct nats_message *message = &nats->messages[nats->count];

	*message = (struct nats_message) {
		.begin = nats->bodies.size, .filtered = nats->sink->settings->filtered,
	};
	name_message(nats, message, item);
	if (item->event) {
		message->data = encode_data(item->event);
		nats->bodies.failed |= !message->data;
		event_json(&nats->bodies, &style, item->event);
	}
	if (!item->event)
		loss_json(&nats->bodies, &style, &item->loss);
	/* Without the newline */
	message->size = nats->bodies.size - message->begin - 1;
	nats->places[nats->count] = nats->last;
	nats->is_event[nats->count++] = item->event;
}

/* An item adds three messages at most; those that are kept add theirs at the end. */
static bool is_full(const struct nats *nats)
{
	return nats->count + collapse_kept(nats->collapse) + 3 > BATCH ||
	       nats->bodies.size >= ROUND_BYTES || nats->events >= ROUND_EVENTS;
}

static int add_item(void *context, const struct store_item *item,
		    const struct store_place *place)
{
	struct nats *nats = context;
	const struct sink_settings *settings = nats->sink->settings;

	if (item->event && nats->end.event && place->event > nats->end.event)
		return 1;
	nats->last = *place;
	if (item->event && settings->filter &&
	    !kerror_filter_matches(settings->filter, item->event)) {
		*(nats->count ? &nats->places[nats->count - 1] : &nats->skipped) = *place;
		return 0;
	}
	nats->events++;
	if (item->event)
		collapse_event(nats->collapse, settings->collapse, place->boot, item,
			       add_message, nats);
	else
		add_message(nats, item);
	return is_full(nats);
}

static void note_refused(struct nats *nats, const struct nats_message *message)
{
	struct sink *sink = nats->sink;
	char text[320];

	sink->poison++;
	if (now_ns(CLOCK_MONOTONIC) < nats->report_at)
		return;
	nats->report_at = now_ns(CLOCK_MONOTONIC) + REPORT_S * 1000000000ULL;
	snprintf(text, sizeof(text),
		 "%s is skipped: %zu bytes are more than the stream takes (skipped so far: %llu)",
		 message->id, message->size, (unsigned long long)sink->poison);
	sink->report(sink, 3, text);
}

/* The first @done messages are over. If some stand for others, it is all or nothing. */
static void take_answers(struct nats *nats, size_t done)
{
	uint64_t before = nats->collapsed.total;

	sink_moves(nats->sink);
	if (collapse_has_kept(nats->collapse)) {
		if (done < nats->count)
			return;
		nats->places[done - 1] = nats->last;
	}
	if (done == nats->count) {
		collapse_get_state(nats->collapse, &nats->collapsed);
		nats->sink->collapsed += nats->collapsed.total - before;
	}
	for (size_t i = 0; i < done; i++) {
		if (nats->messages[i].refused)
			note_refused(nats, &nats->messages[i]);
		else
			nats->sink->written += nats->is_event[i];
	}
	if (done)
		move_to(nats, &nats->places[done - 1]);
}

/*
 * Makes the messages of a round: 1 if there may be more, 0 at the end of the store, or
 * a negative errno.
 */
static int read_store(struct nats *nats, char *message, size_t size)
{
	int more = nats->store ? store_check_place(nats->store) :
		   store_open(&nats->store, nats->sink->settings->store, false);

	if (!more)
		more = store_follow(nats->store, nats->place, add_item, nats);
	if (more >= 0)
		return more;
	snprintf(message, size, "%s", store_message(nats->store));
	close_store(nats);
	/* Its own sink has not made it yet, or has just begun to write it. */
	return more == -ENOENT || more == -EBUSY || more == -ESTALE ? 0 : more;
}

/* As read_store() */
static int send_round(struct nats *nats, char *message, size_t size)
{
	size_t done, count;
	int more;

	drop_messages(nats);
	nats->bodies.size = 0;
	nats->skipped = nats->place;
	nats->last = nats->place;
	nats->events = 0;
	collapse_begin(nats->collapse, &nats->collapsed);
	more = read_store(nats, message, size);
	if (more < 0)
		return more;
	if (!collapse_end(nats->collapse, add_message, nats) || nats->bodies.failed) {
		buffer_free(&nats->bodies);
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	move_to(nats, &nats->skipped);
	if (!nats->count)
		return 0;
	if (collapse_has_kept(nats->collapse)) {
		nats->end = nats->last;
		write_place(nats);
	}
	done = nats_peer_publish(nats->peer, nats->messages, nats->count,
				 nats->bodies.bytes, message, size);
	take_answers(nats, done);
	count = nats->count;
	drop_messages(nats);
	if (nats->bodies.room > KEPT_BYTES)
		buffer_free(&nats->bodies);
	return done < count ? -EAGAIN : more;
}

/* ---- Heartbeats ---- */

/* Of one group, as the store has it; nothing if it has nothing */
static void add_group(struct nats *nats, struct buffer *body, uint32_t group)
{
	uint64_t lost = 0, total;
	uint32_t next;

	if (store_cursor(nats->store, nats->sink->series, group, &next))
		return;
	for (int cause = 0; cause < KERROR_CAUSES; cause++)
		if (!store_loss_total(nats->store, nats->sink->series, group, cause, &total))
			lost += total;
	if (body->bytes[body->size - 1] == '}')
		buffer_byte(body, ',');
	buffer_string(body, "{\"group\":\"");
	buffer_string(body, kerror_group_name(group));
	buffer_string(body, "\",\"next\":");
	buffer_number(body, next);
	buffer_string(body, ",\"lost\":");
	buffer_number(body, lost);
	buffer_byte(body, '}');
}

/*
 * Says that this machine lives and how far its store is, so that the end of what it has
 * sent is known. Nobody answers: the next one is not far.
 */
static void send_heartbeat(struct nats *nats, bool behind)
{
	uint64_t interval = nats->sink->settings->heartbeat;
	struct kerror_origin *origin = identity();
	struct buffer body = { 0 };
	char subject[128];

	if (!interval || !nats->store || now_ns(CLOCK_MONOTONIC) < nats->beat_at) {
		kerror_origin_release(origin);
		return;
	}
	nats->beat_at = now_ns(CLOCK_MONOTONIC) + interval * 1000000000ULL;
	heartbeat_json(&body, origin, now_ns(CLOCK_REALTIME), interval, behind);
	for (int i = 0; i < GROUPS; i++)
		add_group(nats, &body, kerror_group_at(i));
	buffer_string(&body, nats->sink->settings->filtered ? "],\"filtered\":true}" : "]}");
	snprintf(subject, sizeof(subject), "kerror.%s." NATS_HEARTBEATS, nats->machine);
	if (!body.failed)
		nats_peer_send(nats->peer, subject, NULL, body.bytes, body.size);
	buffer_free(&body);
	kerror_origin_release(origin);
}

static int idle(struct sink *sink, char *message, size_t size)
{
	struct nats *nats = sink->private;
	int more;

	if (!nats_peer_is_open(nats->peer)) {
		snprintf(message, size, "the connection to the server is gone");
		return -ENOTCONN;
	}
	do {
		more = send_round(nats, message, size);
		send_heartbeat(nats, more);
	} while (more > 0 && !sink_is_to_end(sink));
	return more < 0 ? more : 0;
}

const struct sink_type nats_sink = {
	.name = "nats",
	.follows_store = true,
	.spread = true,
	.open = open_nats,
	.idle = idle,
	.close = close_nats,
	.end = end_nats,
};
