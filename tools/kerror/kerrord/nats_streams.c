// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrord --make-streams: makes the streams that a collector reads, and its consumers.
 * A stream that is there already, with the same settings, stays as it is.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <nats/nats.h>
#include "nats_record.h"

struct answer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool came;
	char text[4096];
};

static void take_answer(void *context, natsMsg *msg)
{
	struct answer *answer = context;

	pthread_mutex_lock(&answer->lock);
	answer->came = true;
	snprintf(answer->text, sizeof(answer->text), "%.*s", natsMsg_GetDataLength(msg),
		 natsMsg_GetData(msg) ? natsMsg_GetData(msg) : "");
	if (natsMsg_IsNoResponders(msg))
		snprintf(answer->text, sizeof(answer->text),
			 "{\"error\":{\"description\":\"the server has no JetStream, or it has no leader\"}}");
	pthread_cond_signal(&answer->changed);
	pthread_mutex_unlock(&answer->lock);
	natsMsg_Destroy(msg);
}

static void report(struct sink *sink, unsigned int severity, const char *text)
{
	(void)severity;
	fprintf(stderr, "kerrord: [%s] %s\n", sink->settings->name, text);
}

/* What to do about an error of JetStream, by its number */
static const char *remedy(int code)
{
	switch (code) {
	case 10005:	/* fewer servers than replicas */
	case 10074:	/* one server, and no cluster */
		return "; set 'replicas' of [collector] to the number of servers";
	case 10058:	/* other settings */
		return "; set 'replicas' and 'stream_size' of [collector] to what it has, or delete it";
	default:
		return "";
	}
}

/* Says what became of it; 0, or -EIO */
static int show(const char *what, const struct answer *answer)
{
	struct json_object *object = answer->came ? json_tokener_parse(answer->text) : NULL;
	struct json_object *error, *words, *code;
	int err = -EIO;

	if (json_object_object_get_ex(object, "error", &error)) {
		const char *text = json_object_object_get_ex(error, "description", &words) ?
				   json_object_get_string(words) : "an error without words";
		struct buffer shown = { 0 };

		buffer_printable(&shown, text, strlen(text));
		fprintf(stderr, "kerrord: %s: %s%s\n", what,
			buffer_terminate(&shown) ? shown.bytes : "out of memory",
			json_object_object_get_ex(error, "err_code", &code) ?
			remedy(json_object_get_int(code)) : "");
		buffer_free(&shown);
	} else if (!object) {
		fprintf(stderr, "kerrord: %s: no answer; may this user use $JS.API?\n", what);
	} else {
		printf("%s: there\n", what);
		err = 0;
	}
	json_object_put(object);
	return err;
}

/* Sends a request and shows its answer. */
static int ask(struct nats_peer *peer, struct answer *answer, uint64_t timeout,
	       const char *what, const char *subject, const char *body)
{
	struct timespec until;
	char reply[192];
	int err = 0;

	answer->came = false;
	snprintf(reply, sizeof(reply), "%s.0", nats_peer_inbox(peer));
	nats_peer_send(peer, subject, reply, body, strlen(body));
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout;
	pthread_mutex_lock(&answer->lock);
	while (!answer->came && !err)
		err = pthread_cond_timedwait(&answer->changed, &answer->lock, &until);
	err = show(what, answer);
	pthread_mutex_unlock(&answer->lock);
	return err;
}

/*
 * A machine may name the API as the place for the stream's answer to its message, and that
 * answer is read as a request to purge up to its sequence number.
 */
static int make_stream(struct nats_peer *peer, struct answer *answer,
		       const struct sink_settings *settings, const char *name,
		       const char *subjects, const char *limits)
{
	char what[160], subject[256], body[1024];
	int err;

	snprintf(what, sizeof(what), "stream %s", name);
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.CREATE.%.64s", name);
	snprintf(body, sizeof(body),
		 "{\"name\":\"%s\",\"subjects\":[%s],\"storage\":\"file\",\"retention\":\"limits\","
		 "\"discard\":\"old\",\"num_replicas\":%llu,\"deny_delete\":true,\"deny_purge\":true,%s}",
		 name, subjects, (unsigned long long)settings->replicas, limits);
	err = ask(peer, answer, settings->timeout, what, subject, body);
	if (err)
		return err;
	snprintf(what, sizeof(what), "consumer %s of stream %s", settings->consumer, name);
	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.DURABLE.CREATE.%.64s.%.64s", name,
		 settings->consumer);
	snprintf(body, sizeof(body),
		 "{\"stream_name\":\"%s\",\"action\":\"create\",\"config\":{\"durable_name\":\"%s\","
		 "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"ack_wait\":30000000000,"
		 "\"max_ack_pending\":20000,\"max_deliver\":-1}}", name, settings->consumer);
	return ask(peer, answer, settings->timeout, what, subject, body);
}

static int make_streams(struct nats_peer *peer, struct answer *answer,
			const struct sink_settings *settings)
{
	char limits[192];
	int err;

	/* 72 hours; the id of a message is remembered for 2 minutes. */
	snprintf(limits, sizeof(limits),
		 "\"max_age\":259200000000000,\"duplicate_window\":120000000000,"
		 "\"max_msg_size\":131072,\"max_bytes\":%lld",
		 settings->stream_size ? (long long)settings->stream_size : -1);
	err = make_stream(peer, answer, settings, settings->stream,
			  "\"kerror.*.evlog\",\"kerror.*.printk\",\"kerror.*.raw\"", limits);
	if (err || !settings->heartbeats)
		return err;
	return make_stream(peer, answer, settings, settings->heartbeats,
			   "\"kerror.*." NATS_HEARTBEATS "\"",
			   "\"max_msgs_per_subject\":1,\"max_msg_size\":65536");
}

int nats_make_streams(const struct settings *settings)
{
	static const struct series series;
	static struct answer answer = {
		.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
	};
	const struct sink_settings *at = settings->sinks;
	struct nats_peer *peer;
	char message[640];
	struct sink *sink;
	int err;

	while (at && at->type != &collector_sink)
		at = at->next;
	sink = at ? sink_new(at, &series, settings->state, report) : NULL;
	if (!sink) {
		fputs(at ? "kerrord: out of memory\n" :
		      "kerrord: --make-streams needs a section [collector]\n", stderr);
		return EXIT_FAILURE;
	}
	peer = nats_peer_open(sink, "collector", take_answer, &answer, message, sizeof(message));
	if (peer) {
		err = make_streams(peer, &answer, at);
		nats_peer_close(peer);
	} else {
		fprintf(stderr, "kerrord: %s\n", message);
		err = -ENOTCONN;
	}
	sink_free(sink);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
