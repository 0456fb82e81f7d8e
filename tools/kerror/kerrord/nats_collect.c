// SPDX-License-Identifier: GPL-2.0-only
/*
 * The collector: in place of the kernel, durable consumers of JetStream give the events
 * and the heartbeats of many machines. It pulls, and acknowledges when the store has
 * committed. nats_record.c reads the messages.
 *
 * Promise: each event that a consumer gives is in the store once, by its machine, boot,
 * group and sequence number, over any number of kills. It is acknowledged only then. A
 * message that cannot be stored is refused, reported and counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <nats/nats.h>
#include "nats_record.h"

/* How long a pull lasts, and how much later its end may come */
#define PULL_S	5
#define LATE_S	2

/* After a consumer was not there */
#define ABSENT_S 10

/* Between two looks at whether the daemon ends */
#define LOOK_MS 100

#define SILENT "machine-silent"

/* Between two reports of refused messages */
#define REPORT_S 60

enum { EVENTS, HEARTBEATS, SOURCES };

/*
 * A pull that waits for nothing; its answer 404 says that the consumer has given all of
 * its messages. Its number follows that of its source.
 */
#define PROBE	SOURCES
#define EMPTY	404

/* Of a pull: no message came in time */
#define TIMEOUT	408

/**
 * struct source - a consumer
 * @pull: number of the pull; later answers to an earlier one are messages, too
 * @left: messages that the pull may still give
 * @until: CLOCK_MONOTONIC: it is over by then
 * @status: that the server has ended it with, or 0
 * @words: of that
 * @told: it was reported that there is none, since it last answered
 * @probe: number of the probe
 * @probed: clock of the store: when it was sent
 */
struct source {
	uint64_t pull, until, probe;
	int left, status;
	char words[128];
	bool told;
	int64_t probed;
};

/**
 * struct waiting - what came, in order
 * @msg: a message, or NULL: the answer to a probe
 * @index: of its source
 * @probed: when it was sent
 */
struct waiting {
	struct waiting *next;
	natsMsg *msg;
	size_t index;
	int64_t probed;
};

/**
 * struct collector - a sink
 * @lock: for what follows; messages come in a thread of the library
 * @changed: signalled when one came
 * @listens_since: clock of the store
 * @swept: second in which it looked for old gaps
 * @complete: of each source, clock of the store: what it had then is stored; 0: not known
 */
struct collector {
	struct sink *sink;
	struct store *store;
	struct nats_peer *peer;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct source source[SOURCES];
	struct waiting *first, **last;
	natsMsg *batch[BATCH];
	struct nats_record items[BATCH];
	size_t count;
	int64_t listens_since, complete[SOURCES];
	time_t swept;
	uint64_t report_at, refused;
};

/* ---- Messages, in a thread of the library ---- */

static void take_status(struct source *source, natsMsg *msg, const char *code)
{
	const char *words = "";

	natsMsgHeader_Get(msg, "Description", &words);
	source->status = atoi(code);
	if (source->status == EMPTY || source->status == TIMEOUT)
		source->told = false;
	source->left = 0;
	snprintf(source->words, sizeof(source->words), "%s", words);
}

/* With the lock held; false without memory */
static bool append(struct collector *collector, natsMsg *msg, size_t index, int64_t probed)
{
	struct waiting *waiting = malloc(sizeof(*waiting));

	if (!waiting)
		return false;
	*waiting = (struct waiting) { .msg = msg, .index = index, .probed = probed };
	*collector->last = waiting;
	collector->last = &waiting->next;
	return true;
}

static void take_message(void *context, natsMsg *msg)
{
	const char *name = strrchr(natsMsg_GetSubject(msg), '.'), *code = NULL;
	const char *reply = natsMsg_GetReply(msg);
	struct collector *collector = context;
	size_t index = SOURCES;
	struct source *source;
	uint64_t number = 0;

	natsMsgHeader_Get(msg, "Status", &code);
	pthread_mutex_lock(&collector->lock);
	/* What the server itself says has no reply; a head like that may be of a machine. */
	if (reply && *reply) {
		/* A message has its own subject; the reply names its stream and consumer. */
		index = nats_record_is_heartbeat(natsMsg_GetSubject(msg)) ? HEARTBEATS : EVENTS;
		collector->source[index].told = false;
		if (collector->source[index].left > 0)
			collector->source[index].left--;
		/* Without memory, it comes again when it is not acknowledged. */
		if (append(collector, msg, index, 0))
			msg = NULL;
	} else if (code && name && sscanf(name, ".%zu-%" SCNu64, &index, &number) == 2 &&
		   index < PROBE + SOURCES) {
		source = &collector->source[index % SOURCES];
		if (index < PROBE && number == source->pull) {
			take_status(source, msg, code);
		} else if (index >= PROBE && number == source->probe && atoi(code) == EMPTY) {
			source->told = false;
			append(collector, NULL, index % SOURCES, source->probed);
		}
	}
	pthread_cond_signal(&collector->changed);
	pthread_mutex_unlock(&collector->lock);
	natsMsg_Destroy(msg);
}

/* ---- Open and closed ---- */

static void drop_waiting(struct collector *collector)
{
	struct waiting *waiting;

	while ((waiting = collector->first)) {
		collector->first = waiting->next;
		natsMsg_Destroy(waiting->msg);
		free(waiting);
	}
	collector->last = &collector->first;
}

/* Another collector shall not have to wait for what this one has not stored. */
static void give_back(struct collector *collector)
{
	for (struct waiting *at = collector->first; at; at = at->next)
		if (at->msg)
			nats_peer_send(collector->peer, natsMsg_GetReply(at->msg), NULL,
				       "-NAK", 4);
	for (size_t i = 0; i < collector->count; i++)
		nats_peer_send(collector->peer, natsMsg_GetReply(collector->batch[i]), NULL,
			       "-NAK", 4);
	nats_peer_flush(collector->peer, 200);
}

static void drop_batch(struct collector *collector)
{
	for (size_t i = 0; i < collector->count; i++) {
		nats_record_free(&collector->items[i]);
		natsMsg_Destroy(collector->batch[i]);
	}
	collector->count = 0;
}

static void close_collector(struct sink *sink)
{
	struct collector *collector = sink->private;

	if (!collector)
		return;
	if (collector->peer) {
		pthread_mutex_lock(&collector->lock);
		give_back(collector);
		pthread_mutex_unlock(&collector->lock);
		nats_peer_close(collector->peer);
	}
	drop_batch(collector);
	drop_waiting(collector);
	store_close(collector->store);
	pthread_cond_destroy(&collector->changed);
	pthread_mutex_destroy(&collector->lock);
	free(collector);
	sink->private = NULL;
}

static struct collector *new_collector(struct sink *sink)
{
	struct collector *collector = calloc(1, sizeof(*collector));
	pthread_condattr_t attributes;

	if (!collector)
		return NULL;
	collector->sink = sink;
	collector->last = &collector->first;
	pthread_mutex_init(&collector->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&collector->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	sink->private = collector;
	return collector;
}

static int open_collector(struct sink *sink, char *message, size_t size)
{
	struct collector *collector = new_collector(sink);
	int err;

	if (!collector) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	err = store_open(&collector->store, sink->settings->store, true);
	if (err) {
		snprintf(message, size, "%s", store_message(collector->store));
	} else {
		collector->listens_since = store_collect_clock(collector->store);
		collector->peer = nats_peer_open(sink, "collector", take_message, collector,
						 message, size);
		err = collector->peer ? 0 : -ENOTCONN;
	}
	if (err)
		close_collector(sink);
	return err;
}

/* ---- Pulls ---- */

static const char *stream_of(const struct collector *collector, size_t index)
{
	const struct sink_settings *settings = collector->sink->settings;

	return index == EVENTS ? settings->stream : settings->heartbeats;
}

/* @number: of the pull, or @index + PROBE and the number of the probe */
static void ask(struct collector *collector, size_t index, uint64_t number, const char *body)
{
	char subject[256], reply[192];

	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%.64s.%.64s",
		 stream_of(collector, index % SOURCES), collector->sink->settings->consumer);
	snprintf(reply, sizeof(reply), "%s.%zu-%" PRIu64, nats_peer_inbox(collector->peer),
		 index, number);
	nats_peer_send(collector->peer, subject, reply, body, strlen(body));
}

/* Asks whether there is more than what it has been given. */
static void probe(struct collector *collector, size_t index)
{
	struct source *source = &collector->source[index];
	uint64_t number;

	if (!stream_of(collector, index))
		return;
	pthread_mutex_lock(&collector->lock);
	number = ++source->probe;
	source->probed = store_collect_clock(collector->store);
	pthread_mutex_unlock(&collector->lock);
	ask(collector, PROBE + index, number, "{\"batch\":1,\"no_wait\":true}");
}

static void pull(struct collector *collector, size_t index)
{
	static const char form[] = "{\"batch\":%d,\"expires\":%llu}";
	struct source *source = &collector->source[index];
	uint64_t now = now_ns(CLOCK_MONOTONIC), number;
	char body[64];
	bool due;

	if (!stream_of(collector, index))
		return;
	pthread_mutex_lock(&collector->lock);
	due = now >= source->until || (!source->left && !source->status);
	if (due) {
		source->pull++;
		source->left = BATCH;
		source->status = 0;
		source->until = now + (PULL_S + LATE_S) * 1000000000ULL;
	}
	number = source->pull;
	pthread_mutex_unlock(&collector->lock);
	if (!due)
		return;
	snprintf(body, sizeof(body), form, BATCH, PULL_S * 1000000000ULL);
	ask(collector, index, number, body);
}

/* With the lock held: what a status means. 0, or a negative errno. */
static int look_at_status(struct collector *collector, size_t index, char *message, size_t size)
{
	struct source *source = &collector->source[index];
	bool absent = source->status == 503;

	/* Nothing came in time, or the server ended it for another reason of that kind. */
	if (!source->status || source->status == EMPTY || source->status == TIMEOUT) {
		source->status = 0;
		return 0;
	}
	if (absent)
		snprintf(message, size,
			 "no stream %s with a consumer %s answers; 'kerrord --make-streams' makes both, unless a server is away",
			 stream_of(collector, index), collector->sink->settings->consumer);
	else
		snprintf(message, size, "stream %s, consumer %s: %s (%d)",
			 stream_of(collector, index), collector->sink->settings->consumer,
			 source->words, source->status);
	if (index == EVENTS)
		return -EAGAIN;
	/* Events do not wait for heartbeats. */
	if (now_ns(CLOCK_MONOTONIC) + ABSENT_S * 1000000000ULL > source->until)
		source->until = now_ns(CLOCK_MONOTONIC) + ABSENT_S * 1000000000ULL;
	source->status = -1;
	if (!source->told) {
		source->told = true;
		pthread_mutex_unlock(&collector->lock);
		collector->sink->report(collector->sink, 4, message);
		pthread_mutex_lock(&collector->lock);
	}
	return 0;
}

/* Waits for messages, and takes at most a batch of them. 0, or a negative errno */
static int take_batch(struct collector *collector, char *message, size_t size)
{
	uint64_t look = now_ns(CLOCK_MONOTONIC) + LOOK_MS * 1000000ULL;
	struct timespec until = {
		.tv_sec = look / 1000000000, .tv_nsec = look % 1000000000,
	};
	int err = 0;

	pthread_mutex_lock(&collector->lock);
	while (!collector->first && !err && !collector->source[EVENTS].status)
		err = pthread_cond_timedwait(&collector->changed, &collector->lock, &until);
	err = 0;
	while (collector->first && collector->count < BATCH) {
		struct waiting *waiting = collector->first;

		collector->first = waiting->next;
		if (!collector->first)
			collector->last = &collector->first;
		if (waiting->msg) {
			collector->batch[collector->count] = waiting->msg;
			collector->items[collector->count++] = (struct nats_record) { 0 };
		} else {
			collector->complete[waiting->index] = waiting->probed;
		}
		free(waiting);
	}
	for (size_t i = 0; !err && !collector->count && i < SOURCES; i++)
		if (collector->source[i].status > 0)
			err = look_at_status(collector, i, message, size);
	pthread_mutex_unlock(&collector->lock);
	return err;
}

/* ---- The store ---- */

/* What is of a machine may control a terminal, or begin a line; NULL without memory */
static char *shown_text(const char *text)
{
	struct buffer shown = { 0 };

	buffer_printable(&shown, text, strlen(text));
	if (buffer_terminate(&shown))
		return shown.bytes;
	buffer_free(&shown);
	return NULL;
}

static void note_refused(struct collector *collector, const natsMsg *msg, const char *reason)
{
	struct sink *sink = collector->sink;
	char text[512], *subject, *why;

	sink->poison++;
	if (now_ns(CLOCK_MONOTONIC) < collector->report_at)
		return;
	collector->report_at = now_ns(CLOCK_MONOTONIC) + REPORT_S * 1000000000ULL;
	subject = shown_text(natsMsg_GetSubject(msg));
	why = shown_text(reason);
	snprintf(text, sizeof(text), "a message of %.120s is refused: %.240s (refused so far: %llu)",
		 subject ? : "", why ? : "", (unsigned long long)sink->poison);
	free(subject);
	free(why);
	sink->report(sink, 3, text);
}

static int raise_silent(void *context, const char *machine, const char *host, uint64_t seconds)
{
	struct collector *collector = context;
	char text[256], *key = shown_text(host), *id = shown_text(machine);
	int err;

	snprintf(text, sizeof(text), "%.80s (%.64s): no heartbeat for %llu s", key ? : "",
		 id ? : "", (unsigned long long)seconds);
	free(id);
	if (!key)
		return -ENOMEM;
	err = store_raise(collector->store, "", &(struct condition) {
		.name = SILENT, .key = key, .rule = "collector", .severity = 3, .text = text,
		.meaning = "This machine, its kerrord or its way to the stream is down.",
		.remedy = "Look whether it runs; then at the messages of its kerrord.",
		.found = "", .expires = CONDITION_NEVER, .last = now_ns(CLOCK_REALTIME),
	});
	free(key);
	return err < 0 ? err : 0;
}

static int clear_silent(struct store *store, const char *host)
{
	char *key = shown_text(host);
	int err = key ? store_clear(store, SILENT, key, "heartbeat", now_ns(CLOCK_REALTIME)) :
		  -ENOMEM;

	free(key);
	return err;
}

static int store_one(struct collector *collector, struct nats_record *item)
{
	struct store *store = collector->store;
	const char *host;
	int err;

	switch (item->kind) {
	case NATS_EVENT:
		err = store_collect_event(store, item->event, item->time, !item->filtered);
		item->is_new = err > 0;
		if (err > 0)
			err = conditions_event(collector->sink, store, item->event);
		return err < 0 ? err : 0;
	case NATS_LOSS:
		err = store_collect_loss(store, item->origin, item->time, &item->loss,
					 item->cause, !item->filtered);
		item->is_new = err > 0;
		return err < 0 ? err : 0;
	case NATS_HEARTBEAT:
		err = store_collect_heartbeat(store, item->origin, &item->heartbeat);
		host = kerror_origin_get(item->origin, "host");
		if (!host)
			host = kerror_origin_get(item->origin, "machine");
		if (err > 0 && host)
			err = clear_silent(store, host);
		return err < 0 ? err : 0;
	default:
		return 0;
	}
}

/* As one transaction; 0, or a negative errno, after which nothing of it is there */
static int store_items(struct collector *collector, size_t begin, size_t end)
{
	int err = store_check_place(collector->store);

	if (!err)
		err = store_begin(collector->store);
	for (size_t i = begin; !err && i < end; i++)
		err = store_one(collector, &collector->items[i]);
	if (!err)
		err = store_commit(collector->store);
	if (err)
		store_rollback(collector->store);
	return err;
}

/* Of other errors, such as ENOSPC, no message is the reason. */
static bool may_be_message(int err)
{
	return err == -EINVAL || err == -EMSGSIZE || err == -E2BIG || err == -EBADMSG ||
	       err == -EOVERFLOW || err == -EILSEQ;
}

static int store_batch(struct collector *collector)
{
	int err = store_items(collector, 0, collector->count);

	if (!may_be_message(err))
		return err;
	for (size_t i = 0; i < collector->count; i++) {
		err = store_items(collector, i, i + 1);
		if (may_be_message(err)) {
			note_refused(collector, collector->batch[i],
				     store_message(collector->store));
			nats_record_free(&collector->items[i]);
			err = 0;
		}
		if (err)
			return err;
	}
	return 0;
}

/* To the other sinks, once it is in the store */
static void pass_on(struct collector *collector, struct nats_record *item)
{
	struct record *record = NULL;

	if (!item->is_new)
		return;
	if (item->kind == NATS_EVENT) {
		collector->sink->written++;
		record = record_of_event(item->event, NULL);
	} else if (item->kind == NATS_LOSS) {
		record = record_of_loss(&item->loss, item->cause, 0);
	}
	if (record)
		collect_offer(collector->sink, record, item->origin);
}

static void pass_on_named(void *context, struct kerror_origin *origin,
			  const struct kerror_loss *loss)
{
	struct collector *collector = context;
	struct record *record = record_of_loss(loss, CAUSE_STREAM, 0);

	collector->sink->dropped_total += loss->count;
	if (record)
		collect_offer(collector->sink, record, origin);
}

static int store_and_acknowledge(struct collector *collector, char *message, size_t size)
{
	char reason[128];
	int err;

	for (size_t i = 0; i < collector->count; i++)
		if (!nats_record_read(&collector->items[i], collector->batch[i], reason,
				      sizeof(reason)))
			note_refused(collector, collector->batch[i], reason);
	err = store_batch(collector);
	if (err) {
		snprintf(message, size, "%s", store_message(collector->store));
		return err;
	}
	for (size_t i = 0; i < collector->count; i++) {
		nats_peer_send(collector->peer, natsMsg_GetReply(collector->batch[i]), NULL,
			       "+ACK", 4);
		pass_on(collector, &collector->items[i]);
	}
	drop_batch(collector);
	return 0;
}

/*
 * Once a second: what did not come, by what the consumers had to give when they were
 * asked. The clock alone says nothing: the stream may not answer, or the collector may be
 * behind.
 */
static int sweep(struct collector *collector, char *message, size_t size)
{
	const int64_t *complete = collector->complete;
	struct sink *sink = collector->sink;
	int err = 0;

	if (time(NULL) == collector->swept)
		return 0;
	collector->swept = time(NULL);
	if (complete[EVENTS])
		err = store_collect_sweep(collector->store,
					  complete[EVENTS] - (int64_t)sink->settings->grace,
					  pass_on_named, collector);
	/* Some at a time: a network that is down makes all of them silent. */
	if (!err && complete[HEARTBEATS] && sink->settings->silent)
		err = store_collect_silent(collector->store, collector->listens_since,
					   complete[HEARTBEATS], sink->settings->silent,
					   raise_silent, collector);
	if (err >= 0)
		err = store_collect_heard(collector->store, SILENT);
	for (size_t i = 0; !err && i < SOURCES; i++)
		probe(collector, i);
	if (err)
		snprintf(message, size, "%s", store_message(collector->store));
	return err;
}

/* Goes on for ever, but returns after a first success for the sink to be up. */
static int idle(struct sink *sink, char *message, size_t size)
{
	struct collector *collector = sink->private;
	int err = 0;

	do {
		if (!nats_peer_is_open(collector->peer)) {
			nats_peer_reason(collector->peer, message, size);
			return -ENOTCONN;
		}
		for (size_t i = 0; i < SOURCES; i++)
			pull(collector, i);
		err = take_batch(collector, message, size);
		if (!err && collector->count)
			err = store_and_acknowledge(collector, message, size);
		if (!err)
			err = sweep(collector, message, size);
		sink_moves(sink);
	} while (!err && sink->up && !sink_is_to_end(sink));
	return err;
}

const struct sink_type collector_sink = {
	.name = "collector",
	.follows_store = true,
	.spread = true,
	.open = open_collector,
	.idle = idle,
	.close = close_collector,
};
