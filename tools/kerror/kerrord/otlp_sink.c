// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server that takes OTLP's log records by HTTP: a collector of OpenTelemetry, or what
 * has one inside. A batch of records is one request, and counts as written when the
 * server has answered that it took it.
 *
 * The protocol's rules for an answer: 429, 502, 503 and 504 are tried again, not before
 * the time that the server names; of a request that it took it may have refused some
 * records, which are counted and not sent again. A server that does not let us in, or
 * is not there, 401 to 408 and redirections, is a failure of the sink: nothing is lost.
 * Another answer refuses the data: they are sent again one by one, and those that are
 * refused once more are skipped, as poison.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "otlp.h"

/* Made at once of several records, so that many large ones take no more */
#define WRITE_BYTES	1048576
#define KEPT_BYTES	65536

/* Between two reports of refused records */
#define REPORT_S	60

/* A server does not keep us waiting for longer. */
#define RETRY_AFTER_MAX	3600

struct otlp {
	struct otlp_http *http;
	struct otlp_answer answer;
	struct buffer body;
	uint64_t report_at;
};

static int open_otlp(struct sink *sink, char *message, size_t size)
{
	struct otlp *otlp = calloc(1, sizeof(*otlp));

	if (!otlp) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	otlp->http = otlp_http_open(sink, message, size);
	if (!otlp->http) {
		free(otlp);
		return -EIO;
	}
	sink->private = otlp;
	return 0;
}

static void close_otlp(struct sink *sink)
{
	struct otlp *otlp = sink->private;

	otlp_http_close(otlp->http);
	buffer_free(&otlp->body);
	free(otlp);
	sink->private = NULL;
}

static void note_rejected(struct sink *sink, struct otlp *otlp)
{
	char reason[256], text[400];
	uint64_t rejected = otlp_rejected(&otlp->answer, reason, sizeof(reason));

	sink->rejected += rejected;
	if ((!rejected && !*reason) || now_ns(CLOCK_MONOTONIC) < otlp->report_at)
		return;
	otlp->report_at = now_ns(CLOCK_MONOTONIC) + REPORT_S * 1000000000ULL;
	snprintf(text, sizeof(text),
		 "%s: the server has refused %llu records of a request: %s (refused so far: %llu)",
		 sink->settings->endpoint, (unsigned long long)rejected,
		 *reason ? reason : "it does not say why",
		 (unsigned long long)sink->rejected);
	sink->report(sink, rejected ? 3 : 4, text);
}

/* The server's reason in words: its body, if that is text */
static void describe(const struct sink *sink, const struct otlp_answer *answer,
		     char *message, size_t size)
{
	struct buffer shown = { 0 };

	if (answer->json)
		buffer_printable(&shown, answer->body, strnlen(answer->body, 200));
	snprintf(message, size, "%s: HTTP status %ld%s%s", sink->settings->endpoint,
		 answer->status, shown.size ? ": " : "",
		 shown.size && buffer_terminate(&shown) ? shown.bytes : "");
	buffer_free(&shown);
}

static bool is_busy(long status)
{
	return status == 429 || (status >= 502 && status <= 504);
}

/* The address or the right is wrong, not the data. */
static bool is_closed(long status)
{
	return (status >= 300 && status < 400) || (status >= 401 && status <= 408);
}

/* 0 if the server has taken the request, else what sink_thread.c is to make of it */
static int take_answer(struct sink *sink, struct otlp *otlp, char *message, size_t size)
{
	const struct otlp_answer *answer = &otlp->answer;
	uint64_t after = answer->retry_after;

	if (answer->status >= 200 && answer->status < 300) {
		note_rejected(sink, otlp);
		return 0;
	}
	describe(sink, answer, message, size);
	if (is_closed(answer->status))
		return -EACCES;
	if (!is_busy(answer->status))
		return -EINVAL;
	if (after > RETRY_AFTER_MAX)
		after = RETRY_AFTER_MAX;
	sink->retry_at = after ? now_ns(CLOCK_MONOTONIC) + after * 1000000000 : 0;
	return -EAGAIN;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	struct otlp *otlp = sink->private;
	struct buffer *body = &otlp->body;
	size_t done;
	int err;

	body->size = 0;
	done = otlp_request(body, sink->settings->json, records, count, WRITE_BYTES);
	if (body->failed) {
		snprintf(message, size, "out of memory");
		err = -ENOMEM;
	} else {
		err = otlp_http_post(otlp->http, body, &otlp->answer, message, size);
	}
	if (!err)
		err = take_answer(sink, otlp, message, size);
	/* One that was large once takes no memory for ever. */
	if (body->failed || body->room > KEPT_BYTES)
		buffer_free(body);
	return err ? err : (int)done;
}

const struct sink_type otlp_sink = {
	.name = "otlp",
	.gather_ms = 200,
	.keeps_progress = true,
	.spread = true,
	.open = open_otlp,
	.write = write_records,
	.close = close_otlp,
};
