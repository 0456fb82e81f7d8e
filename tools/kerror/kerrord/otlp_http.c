// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends requests of an otlp sink by HTTP, with libcurl, one at a time over a connection
 * that stays. The end of the daemon calls a request off; one that goes on is progress.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <curl/curl.h>
#include "otlp.h"

/* Between two looks at whether the daemon ends */
#define LOOK_MS 250

struct otlp_http {
	struct sink *sink;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct buffer packed;
	char error[CURL_ERROR_SIZE];
	curl_off_t moved;
	struct otlp_answer *answer;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialize(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- The answer ---- */

static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
	struct otlp_answer *answer = ((struct otlp_http *)context)->answer;
	size_t room = OTLP_ANSWER_MAX - answer->size;

	memcpy(answer->body + answer->size, bytes, size < room ? size : room);
	answer->size += size < room ? size : room;
	return one * size;
}

static int take_progress(void *context, curl_off_t down_all, curl_off_t down,
			 curl_off_t up_all, curl_off_t up)
{
	struct otlp_http *http = context;

	(void)down_all;
	(void)up_all;
	if (http->moved != down + up)
		sink_moves(http->sink);
	http->moved = down + up;
	return http->sink->give_up;
}

/* ---- The request ---- */

/* The lines of the file of headers; a comment begins with #. */
static int add_file(struct otlp_http *http, const char *path, char *message, size_t size)
{
	char *line = NULL;
	size_t room = 0;
	FILE *file;
	int err = 0;

	file = path ? fopen(path, "re") : NULL;
	if (path && !file) {
		err = -errno;
		snprintf(message, size, "headers: %s: %s", path, strerror(-err));
	}
	/* A token may be long, and one that was cut is none. */
	while (file && !err && getline(&line, &room, file) >= 0) {
		struct curl_slist *more;

		line[strcspn(line, "\r\n")] = '\0';
		if (!*line || *line == '#')
			continue;
		more = curl_slist_append(http->headers, line);
		if (more)
			http->headers = more;
		else
			err = -ENOMEM;
	}
	if (file && !err && !feof(file)) {
		err = -errno;
		snprintf(message, size, "headers: %s: %s", path, strerror(-err));
	}
	free(line);
	if (file)
		fclose(file);
	return err;
}

static int add_headers(struct otlp_http *http, char *message, size_t size)
{
	const struct sink_settings *settings = http->sink->settings;
	const char *const own[] = {
		settings->json ? "Content-Type: application/json" :
				 "Content-Type: application/x-protobuf",
		settings->gzip ? "Content-Encoding: gzip" : NULL,
		"Expect:",	/* Do not wait for leave to send the body. */
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		struct curl_slist *more = own[i] ? curl_slist_append(http->headers, own[i]) :
						   http->headers;

		if (own[i] && !more)
			return -ENOMEM;
		http->headers = more;
	}
	return add_file(http, settings->headers, message, size);
}

static void set_options(struct otlp_http *http)
{
	const struct sink_settings *settings = http->sink->settings;
	CURL *easy = http->easy;

	curl_easy_setopt(easy, CURLOPT_URL, settings->endpoint);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "kerrord");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)settings->timeout);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, take_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
	if (settings->tls_ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->tls_ca);
	if (settings->tls_cert) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->tls_cert);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->tls_key);
	}
}

struct otlp_http *otlp_http_open(struct sink *sink, char *message, size_t size)
{
	struct otlp_http *http = calloc(1, sizeof(*http));
	int err = -ENOMEM;

	snprintf(message, size, "out of memory");
	if (!http)
		return NULL;
	pthread_once(&once, initialize);
	http->sink = sink;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (http->multi && http->easy)
		err = add_headers(http, message, size);
	if (!err) {
		set_options(http);
		return http;
	}
	otlp_http_close(http);
	return NULL;
}

void otlp_http_close(struct otlp_http *http)
{
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	curl_slist_free_all(http->headers);
	buffer_free(&http->packed);
	free(http);
}

/* As gzip has it */
static bool pack(struct buffer *packed, const struct buffer *body)
{
	z_stream stream = { .next_in = (Bytef *)body->bytes, .avail_in = body->size };
	size_t most;
	int code;

	packed->size = 0;
	/* 16 more bits of the window ask for gzip's head. */
	if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	most = deflateBound(&stream, body->size);
	if (packed->room < most && !buffer_grow(packed, most)) {
		deflateEnd(&stream);
		return false;
	}
	stream.next_out = (Bytef *)packed->bytes;
	stream.avail_out = packed->room;
	code = deflate(&stream, Z_FINISH);
	packed->size = stream.total_out;
	deflateEnd(&stream);
	return code == Z_STREAM_END;
}

/* ---- The request ---- */

/* Runs the request to its end. */
static CURLcode perform(struct otlp_http *http)
{
	struct curl_waitfd give_up = {
		.fd = http->sink->give_up_fd, .events = CURL_WAIT_POLLIN,
	};
	CURLcode result = CURLE_FAILED_INIT;
	struct CURLMsg *done;
	int running = 1, left;

	curl_multi_add_handle(http->multi, http->easy);
	while (running && !http->sink->give_up &&
	       curl_multi_perform(http->multi, &running) == CURLM_OK) {
		if (running)
			curl_multi_poll(http->multi, &give_up, give_up.fd >= 0, LOOK_MS, NULL);
	}
	if (http->sink->give_up && running)
		result = CURLE_ABORTED_BY_CALLBACK;
	while ((done = curl_multi_info_read(http->multi, &left)))
		if (done->msg == CURLMSG_DONE)
			result = done->data.result;
	curl_multi_remove_handle(http->multi, http->easy);
	return result;
}

static void note_answer(struct otlp_http *http, struct otlp_answer *answer)
{
	curl_off_t seconds = 0;
	const char *type = NULL;

	answer->body[answer->size] = '\0';
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
	curl_easy_getinfo(http->easy, CURLINFO_CONTENT_TYPE, &type);
	answer->retry_after = seconds > 0 ? seconds : 0;
	answer->json = type && !strncasecmp(type, "application/json", 16);
}

int otlp_http_post(struct otlp_http *http, const struct buffer *body,
		   struct otlp_answer *answer, char *message, size_t size)
{
	const struct sink_settings *settings = http->sink->settings;
	const struct buffer *sent = body;
	CURLcode code;

	if (settings->gzip) {
		if (!pack(&http->packed, body)) {
			snprintf(message, size, "out of memory");
			return -ENOMEM;
		}
		sent = &http->packed;
	}
	*http->error = '\0';
	answer->size = 0;
	http->answer = answer;
	http->moved = 0;
	curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)sent->size);
	curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, sent->bytes);
	code = perform(http);
	note_answer(http, answer);
	if (code == CURLE_OK)
		return 0;
	if (http->sink->give_up) {
		snprintf(message, size, "%s: is stuck", settings->endpoint);
		return -ECANCELED;
	}
	snprintf(message, size, "%s: %s", settings->endpoint,
		 *http->error ? http->error : curl_easy_strerror(code));
	return -ENOTCONN;
}
