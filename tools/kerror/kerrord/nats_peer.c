// SPDX-License-Identifier: GPL-2.0-only
/*
 * Publishes to a stream of NATS JetStream, with libnats. Each message has a reply
 * subject of its own below one inbox; the stream's answer there says whether it has the
 * message. The library reconnects to nobody: the sink opens a new connection.
 *
 * Promise: success is a sequence number of the stream, and nothing else. Servers answer
 * "duplicate" with number 0 for messages that they do not have.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <nats/nats.h>
#include "config.h"
#include "message.h"
#include "nats_record.h"

/* Between two looks at whether the daemon ends, or the connection is gone */
#define LOOK_MS 250

/* Of JetStream: a message that is larger than the stream takes */
#define TOO_LARGE 10054

enum answer { WAITING, TAKEN, BUSY, REFUSED };

/**
 * struct nats_peer - a connection
 * @take: gets what comes there, with @context, or NULL
 * @inbox: subject below which answers come
 * @lock: for what follows; answers come in a thread of the library
 * @changed: signalled when an answer came
 * @round: of publishing: later answers to an earlier one are of no interest
 * @answers: of this round
 * @count: how many messages it has
 * @open: of them those without an answer
 * @reason: of the first message in order that the stream did not take
 * @reason_of: which that is
 * @error: what the connection itself said last
 * @complete: no thread of the library is in here any more
 */
struct nats_peer {
	struct sink *sink;
	natsOptions *options;
	natsConnection *connection;
	natsSubscription *subscription;
	void (*take)(void *context, natsMsg *msg);
	void *context;
	char inbox[128];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t round;
	enum answer answers[BATCH];
	size_t count, open, reason_of;
	char reason[256], error[256];
	bool complete;
};

/* ---- Answers, in a thread of the library ---- */

/* The meaning of an answer's text; the reason in words */
static enum answer read_answer(const char *text, int length, char *reason, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *answer = tokener ?
		json_tokener_parse_ex(tokener, text, length) : NULL;
	struct json_object *error, *value;
	enum answer result = BUSY;

	snprintf(reason, size, "the answer has no sequence number: %.*s",
		 length < 100 ? length : 100, text);
	if (json_object_object_get_ex(answer, "error", &error)) {
		const char *words = json_object_object_get_ex(error, "description", &value) ?
				    json_object_get_string(value) : "an error without words";
		int code = json_object_object_get_ex(error, "err_code", &value) ?
			   json_object_get_int(value) : 0;

		snprintf(reason, size, "%s (%d)", words, code);
		result = code == TOO_LARGE ? REFUSED : BUSY;
	} else if (json_object_object_get_ex(answer, "seq", &value) &&
		   json_object_get_int64(value) > 0) {
		result = TAKEN;
	}
	json_object_put(answer);
	if (tokener)
		json_tokener_free(tokener);
	return result;
}

/* With the lock held */
static void note(struct nats_peer *peer, size_t index, enum answer answer,
		 const char *reason)
{
	peer->answers[index] = answer;
	peer->open--;
	if (answer != TAKEN && index < peer->reason_of) {
		peer->reason_of = index;
		snprintf(peer->reason, sizeof(peer->reason), "%s", reason);
	}
	pthread_cond_signal(&peer->changed);
}

static void take_answer(natsConnection *connection, natsSubscription *subscription,
			natsMsg *msg, void *context)
{
	const char *name = strrchr(natsMsg_GetSubject(msg), '.');
	struct nats_peer *peer = context;
	enum answer answer = BUSY;
	char reason[256];
	uint64_t round;
	size_t index;

	(void)connection;
	(void)subscription;
	if (peer->take) {
		peer->take(peer->context, msg);
		return;
	}
	if (natsMsg_IsNoResponders(msg))
		snprintf(reason, sizeof(reason), "no stream takes the subject, or it has no leader");
	else
		answer = read_answer(natsMsg_GetData(msg) ? : "", natsMsg_GetDataLength(msg),
				     reason, sizeof(reason));
	pthread_mutex_lock(&peer->lock);
	if (name && sscanf(name, ".%" SCNu64 "-%zu", &round, &index) == 2 &&
	    round == peer->round && index < peer->count && peer->answers[index] == WAITING)
		note(peer, index, answer, reason);
	pthread_mutex_unlock(&peer->lock);
	natsMsg_Destroy(msg);
}

/* A refused permission shows here, and nowhere else. */
static void take_error(natsConnection *connection, natsSubscription *subscription,
		       natsStatus status, void *context)
{
	struct nats_peer *peer = context;
	const char *text = NULL;

	(void)subscription;
	natsConnection_GetLastError(connection, &text);
	pthread_mutex_lock(&peer->lock);
	snprintf(peer->error, sizeof(peer->error), "%s",
		 text && *text ? text : natsStatus_GetText(status));
	pthread_mutex_unlock(&peer->lock);
}

static void take_end(void *context)
{
	struct nats_peer *peer = context;

	pthread_mutex_lock(&peer->lock);
	peer->complete = true;
	pthread_cond_signal(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
}

/* ---- The connection ---- */

/* The servers for messages: without names and passwords, which may be in URLs */
static void show_servers(const char *servers, char *shown, size_t size)
{
	char *text = config_copy(servers), *rest = text, *server;
	size_t length = 0;

	*shown = '\0';
	while ((server = strsep(&rest, NATS_SERVERS_APART)) && length < size) {
		const char *begin = strstr(server, "://"), *at = strrchr(server, '@');

		if (*server)
			length += snprintf(shown + length, size - length, "%s%.*s%s",
					   length ? " " : "",
					   begin && at ? (int)(begin + 3 - server) : 0, server,
					   at ? at + 1 : server);
	}
	free(text);
}

static natsStatus set_servers(struct nats_peer *peer)
{
	char *text = config_copy(peer->sink->settings->servers), *rest = text, *server;
	const char *servers[NATS_SERVERS];
	natsStatus status;
	int count = 0;

	while ((server = strsep(&rest, NATS_SERVERS_APART)))
		if (*server && count < NATS_SERVERS)
			servers[count++] = server;
	status = natsOptions_SetServers(peer->options, servers, count);
	free(text);
	return status;
}

static natsStatus set_security(struct nats_peer *peer)
{
	const struct sink_settings *settings = peer->sink->settings;
	natsOptions *options = peer->options;
	natsStatus status = NATS_OK;

	if (strstr(settings->servers, "tls://") || settings->tls_ca || settings->tls_cert)
		status = natsOptions_SetSecure(options, true);
	if (status == NATS_OK && settings->tls_ca)
		status = natsOptions_LoadCATrustedCertificates(options, settings->tls_ca);
	if (status == NATS_OK && settings->tls_cert)
		status = natsOptions_LoadCertificatesChain(options, settings->tls_cert,
							   settings->tls_key);
	if (status == NATS_OK && settings->tls_name)
		status = natsOptions_SetExpectedHostname(options, settings->tls_name);
	if (status == NATS_OK && settings->credentials)
		status = natsOptions_SetUserCredentialsFromFiles(options, settings->credentials,
								 NULL);
	if (status == NATS_OK && settings->nkey)
		status = natsOptions_SetNKeyFromSeed(options, settings->nkey,
						     settings->nkey_seed);
	return status;
}

static natsStatus connect_peer(struct nats_peer *peer)
{
	int64_t timeout = peer->sink->settings->timeout * 1000;
	natsStatus status = natsOptions_Create(&peer->options);
	char subject[sizeof(peer->inbox) + 2];

	if (status == NATS_OK)
		status = set_servers(peer);
	if (status == NATS_OK)
		status = set_security(peer);
	if (status != NATS_OK)
		return status;
	natsOptions_SetName(peer->options, "kerrord");
	natsOptions_SetAllowReconnect(peer->options, false);
	natsOptions_SetTimeout(peer->options, timeout);
	natsOptions_SetWriteDeadline(peer->options, timeout);
	natsOptions_SetErrorHandler(peer->options, take_error, peer);
	status = natsConnection_Connect(&peer->connection, peer->options);
	if (status != NATS_OK)
		return status;
	snprintf(subject, sizeof(subject), "%s.*", peer->inbox);
	status = natsConnection_Subscribe(&peer->subscription, peer->connection, subject,
					  take_answer, peer);
	if (status == NATS_OK)
		status = natsSubscription_SetOnCompleteCB(peer->subscription, take_end, peer);
	return status;
}

struct nats_peer *nats_peer_open(struct sink *sink, const char *machine,
				 void (*take)(void *context, natsMsg *msg),
				 void *context, char *message, size_t size)
{
	struct nats_peer *peer = calloc(1, sizeof(*peer));
	pthread_condattr_t attributes;
	char servers[256], url[512];
	natsStatus status;
	uint64_t chance;
	const char *more;

	if (!peer || getrandom(&chance, sizeof(chance), 0) != sizeof(chance)) {
		free(peer);
		snprintf(message, size, "out of memory");
		return NULL;
	}
	peer->sink = sink;
	peer->take = take;
	peer->context = context;
	pthread_mutex_init(&peer->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&peer->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	snprintf(peer->inbox, sizeof(peer->inbox), "_INBOX.%.64s.%016" PRIx64, machine, chance);
	status = connect_peer(peer);
	if (status == NATS_OK)
		status = natsConnection_GetConnectedUrl(peer->connection, url, sizeof(url));
	if (status == NATS_OK && !nats_check_server(sink, url, message, size))
		return peer;
	if (status != NATS_OK) {
		more = nats_GetLastError(NULL);
		show_servers(sink->settings->servers, servers, sizeof(servers));
		snprintf(message, size, "%s: %s%s%s", servers, natsStatus_GetText(status),
			 more && *more ? ": " : "", more ? more : "");
	}
	nats_peer_close(peer);
	return NULL;
}

/* Of the thread that gives answers, which uses the peer until then */
static void wait_for_end(struct nats_peer *peer)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&peer->lock);
	while (!peer->complete && !err)
		err = pthread_cond_timedwait(&peer->changed, &peer->lock, &until);
	pthread_mutex_unlock(&peer->lock);
}

void nats_peer_close(struct nats_peer *peer)
{
	/* The connection first: the library does not bear the other order under load. */
	if (peer->connection)
		natsConnection_Close(peer->connection);
	if (peer->subscription)
		wait_for_end(peer);
	natsSubscription_Destroy(peer->subscription);
	natsConnection_Destroy(peer->connection);
	natsOptions_Destroy(peer->options);
	pthread_cond_destroy(&peer->changed);
	pthread_mutex_destroy(&peer->lock);
	free(peer);
}

bool nats_peer_is_open(const struct nats_peer *peer)
{
	return !natsConnection_IsClosed(peer->connection);
}

const char *nats_peer_inbox(const struct nats_peer *peer)
{
	return peer->inbox;
}

void nats_peer_send(struct nats_peer *peer, const char *subject, const char *reply,
		    const void *data, size_t size)
{
	if (reply)
		natsConnection_PublishRequest(peer->connection, subject, reply, data, size);
	else
		natsConnection_Publish(peer->connection, subject, data, size);
}

void nats_peer_flush(struct nats_peer *peer, unsigned int ms)
{
	natsConnection_FlushTimeout(peer->connection, ms);
}

void nats_peer_reason(struct nats_peer *peer, char *message, size_t size)
{
	struct buffer shown = { 0 };
	char servers[256];

	show_servers(peer->sink->settings->servers, servers, sizeof(servers));
	pthread_mutex_lock(&peer->lock);
	buffer_printable(&shown, peer->error, strlen(peer->error));
	pthread_mutex_unlock(&peer->lock);
	snprintf(message, size, "%s: the connection is gone%s%s", servers,
		 shown.size ? ": " : "", buffer_terminate(&shown) ? shown.bytes : "");
	buffer_free(&shown);
}

/* ---- Publishing ---- */

static natsStatus publish(struct nats_peer *peer, const struct nats_message *message,
			  size_t index, const char *bodies)
{
	char reply[sizeof(peer->inbox) + 44];
	natsMsg *msg = NULL;
	natsStatus status;

	snprintf(reply, sizeof(reply), "%s.%" PRIu64 "-%zu", peer->inbox, peer->round, index);
	status = natsMsg_Create(&msg, message->subject, reply, bodies + message->begin,
				message->size);
	if (status == NATS_OK)
		status = natsMsgHeader_Set(msg, "Nats-Msg-Id", message->id);
	if (status == NATS_OK && message->data)
		status = natsMsgHeader_Set(msg, NATS_DATA, message->data);
	if (status == NATS_OK && message->filtered)
		status = natsMsgHeader_Set(msg, NATS_FILTERED, "1");
	if (status == NATS_OK)
		status = natsConnection_PublishMsg(peer->connection, msg);
	natsMsg_Destroy(msg);
	return status;
}

static void begin_round(struct nats_peer *peer, size_t count)
{
	pthread_mutex_lock(&peer->lock);
	peer->round++;
	peer->count = count;
	peer->open = count;
	peer->reason_of = count;
	*peer->reason = '\0';
	*peer->error = '\0';
	for (size_t i = 0; i < count; i++)
		peer->answers[i] = WAITING;
	pthread_mutex_unlock(&peer->lock);
}

static void publish_all(struct nats_peer *peer, const struct nats_message *messages,
			size_t count, const char *bodies)
{
	for (size_t i = 0; i < count; i++) {
		natsStatus status = publish(peer, &messages[i], i, bodies);

		if (status == NATS_OK)
			continue;
		pthread_mutex_lock(&peer->lock);
		note(peer, i, status == NATS_MAX_PAYLOAD ? REFUSED : BUSY,
		     natsStatus_GetText(status));
		pthread_mutex_unlock(&peer->lock);
		if (natsConnection_IsClosed(peer->connection))
			break;
	}
	natsConnection_Flush(peer->connection);
}

/* Until all answers are there, or no more can be expected */
static void wait_for_answers(struct nats_peer *peer)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) +
		       peer->sink->settings->timeout * 1000000000ULL;

	pthread_mutex_lock(&peer->lock);
	while (peer->open && now_ns(CLOCK_MONOTONIC) < end && !peer->sink->give_up &&
	       !natsConnection_IsClosed(peer->connection)) {
		uint64_t look = now_ns(CLOCK_MONOTONIC) + LOOK_MS * 1000000ULL;
		struct timespec until = {
			.tv_sec = look / 1000000000, .tv_nsec = look % 1000000000,
		};

		pthread_cond_timedwait(&peer->changed, &peer->lock, &until);
	}
	pthread_mutex_unlock(&peer->lock);
}

/* With the lock held: why the one at @index was not taken */
static void describe(const struct nats_peer *peer, size_t index, char *message, size_t size)
{
	struct buffer shown = { 0 };
	char servers[256];

	if (peer->answers[index] == WAITING && *peer->error)
		buffer_printable(&shown, peer->error, strlen(peer->error));
	else if (peer->answers[index] == WAITING)
		buffer_string(&shown, natsConnection_IsClosed(peer->connection) ?
			      "the connection is gone" : "no answer");
	else
		buffer_printable(&shown, peer->reason, strlen(peer->reason));
	show_servers(peer->sink->settings->servers, servers, sizeof(servers));
	snprintf(message, size, "%s: %s", servers,
		 buffer_terminate(&shown) ? shown.bytes : "out of memory");
	buffer_free(&shown);
}

size_t nats_peer_publish(struct nats_peer *peer, struct nats_message *messages,
			 size_t count, const char *bodies, char *message, size_t size)
{
	size_t done = 0;

	begin_round(peer, count);
	publish_all(peer, messages, count, bodies);
	wait_for_answers(peer);
	pthread_mutex_lock(&peer->lock);
	while (done < count &&
	       (peer->answers[done] == TAKEN || peer->answers[done] == REFUSED)) {
		messages[done].refused = peer->answers[done] == REFUSED;
		done++;
	}
	if (done < count)
		describe(peer, done, message, size);
	/* An answer that comes now is late. */
	peer->round++;
	pthread_mutex_unlock(&peer->lock);
	return done;
}
