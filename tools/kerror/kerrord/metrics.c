// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters in Prometheus' text format: in a file, and over HTTP if that was
 * asked for. The receiver counts; the threads of the HTTP server only read.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <microhttpd.h>
#include "kerrord.h"

/* Facilities counted one by one; a driver may make up any number of names. */
#define FACILITIES 256

#define SEVERITIES 8

struct facility {
	char name[EVL_FACILITY_SIZE];
	uint64_t events[SEVERITIES];
};

struct metrics {
	const struct settings *settings;
	const struct sink *sinks;
	struct MHD_Daemon *server;
	bool file_failed;
	pthread_mutex_t lock;	/* for what follows */
	unsigned int facilities;
	struct facility facility[FACILITIES + 1];	/* the last: others */
	uint64_t raw;
	uint64_t lost[GROUPS][KERROR_CAUSES + 1];
	struct kerror_statistics kernel[GROUPS];
};

static struct facility *find_facility(struct metrics *metrics, const char *name)
{
	unsigned int i;

	for (i = 0; i < metrics->facilities; i++)
		if (!strcmp(metrics->facility[i].name, name))
			return &metrics->facility[i];
	if (i == FACILITIES)
		return &metrics->facility[FACILITIES];
	metrics->facilities++;
	snprintf(metrics->facility[i].name, EVL_FACILITY_SIZE, "%s", name);
	return &metrics->facility[i];
}

void metrics_event(struct metrics *metrics, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	pthread_mutex_lock(&metrics->lock);
	if (header)
		find_facility(metrics, header->facility)
			->events[header->severity & 7]++;
	else
		metrics->raw++;
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_loss(struct metrics *metrics, const struct kerror_loss *loss)
{
	int index = kerror_group_index(loss->group);

	if (index < 0)
		return;
	pthread_mutex_lock(&metrics->lock);
	metrics->lost[index][loss->cause < KERROR_CAUSES ? loss->cause :
			     KERROR_CAUSES] += loss->count;
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_statistics(struct metrics *metrics,
			const struct kerror_statistics *statistics)
{
	int index = kerror_group_index(statistics->group);

	if (index < 0)
		return;
	pthread_mutex_lock(&metrics->lock);
	metrics->kernel[index] = *statistics;
	pthread_mutex_unlock(&metrics->lock);
}

/* ---- Text ---- */

static void describe(FILE *file, const char *name, const char *type,
		     const char *help)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_label(FILE *file, const char *text)
{
	while (*text) {
		size_t length = utf8_length(text, strlen(text));

		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", file);
		else if (length)
			fwrite(text, 1, length, file);
		else
			fputc('?', file);
		text += length ? length : 1;
	}
}

static void print_lost(FILE *file, int group, int cause,
		       const struct metrics *metrics)
{
	fprintf(file, "kerror_lost_events_total{group=\"%s\",cause=\"%s\"} %"
		PRIu64 "\n", kerror_group_name(kerror_group_at(group)),
		kerror_cause_name(cause), metrics->lost[group][cause]);
}

static void print_events(FILE *file, const struct metrics *metrics)
{
	describe(file, "kerror_events_total", "counter",
		 "Events received, by facility and severity.");
	for (unsigned int i = 0; i <= FACILITIES; i++) {
		const struct facility *facility = &metrics->facility[i];

		for (int severity = 0; severity < SEVERITIES; severity++) {
			if (!facility->events[severity])
				continue;
			fputs("kerror_events_total{facility=\"", file);
			print_label(file, i < FACILITIES ? facility->name : "others");
			fprintf(file, "\",severity=\"%s\"} %" PRIu64 "\n",
				kerror_severity_name(severity),
				facility->events[severity]);
		}
	}
	describe(file, "kerror_raw_events_total", "counter",
		 "Events of the raw group received.");
	fprintf(file, "kerror_raw_events_total %" PRIu64 "\n", metrics->raw);
	describe(file, "kerror_lost_events_total", "counter",
		 "Events known to be lost, by cause.");
	for (int i = 0; i < GROUPS; i++)
		for (int cause = 0; cause <= KERROR_CAUSES; cause++)
			if (metrics->settings->groups & kerror_group_at(i))
				print_lost(file, i, cause, metrics);
	describe(file, "kerror_kernel_events_total", "counter",
		 "Events that the kernel numbered since boot.");
	for (int i = 0; i < GROUPS; i++)
		if (metrics->kernel[i].group)
			fprintf(file, "kerror_kernel_events_total{group=\"%s\"} %" PRIu64 "\n",
				kerror_group_name(kerror_group_at(i)),
				(uint64_t)metrics->kernel[i].numbered);
}

static uint64_t written(const struct sink *sink) { return sink->written; }
static uint64_t dropped(const struct sink *sink) { return sink->dropped_total; }
static uint64_t failures(const struct sink *sink) { return sink->failures; }
static uint64_t fired(const struct sink *sink) { return sink->fired; }
static uint64_t failed(const struct sink *sink) { return sink->failed; }
static uint64_t waiting(const struct sink *sink) { return sink->waiting; }
static uint64_t up(const struct sink *sink) { return sink->up; }

static uint64_t queued(const struct sink *sink)
{
	struct sink *locked = (struct sink *)sink;
	uint64_t bytes;

	pthread_mutex_lock(&locked->lock);
	bytes = sink->queued;
	pthread_mutex_unlock(&locked->lock);
	return bytes;
}

static uint64_t lag(const struct sink *sink)
{
	uint64_t oldest = sink->oldest, now = now_ns(CLOCK_REALTIME);

	return oldest && oldest < now ? (now - oldest) / 1000000000 : 0;
}

static void print_sinks(FILE *file, const struct metrics *metrics)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct sink *sink);
	} values[] = {
		{ "kerror_sink_written_total", "counter",
		  "Events that the sink has taken.", written },
		{ "kerror_sink_dropped_total", "counter",
		  "Events that did not fit into its queue.", dropped },
		{ "kerror_sink_failures_total", "counter",
		  "Failed attempts to open or write.", failures },
		{ "kerror_sink_up", "gauge",
		  "1 if its last attempt was a success.", up },
		{ "kerror_sink_queue_bytes", "gauge",
		  "Memory that waits for it.", queued },
		{ "kerror_sink_lag_seconds", "gauge",
		  "For how long the oldest of what waits has waited.", lag },
		{ "kerror_rule_fired_total", "counter",
		  "How often a rule ran its command.", fired },
		{ "kerror_rule_failures_total", "counter",
		  "How often the command of a rule failed.", failed },
		{ "kerror_rule_waiting", "gauge",
		  "Commands of a rule that are to run, or to run again.", waiting },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		describe(file, values[i].name, values[i].type, values[i].help);
		for (const struct sink *sink = metrics->sinks; sink;
		     sink = sink->next) {
			if (!strncmp(values[i].name, "kerror_rule_", 12) &&
			    sink->type != &rule_sink)
				continue;
			fprintf(file, "%s{sink=\"", values[i].name);
			print_label(file, sink->settings->name);
			fprintf(file, "\"} %" PRIu64 "\n", values[i].value(sink));
		}
	}
}

static void print_all(FILE *file, struct metrics *metrics)
{
	pthread_mutex_lock(&metrics->lock);
	print_events(file, metrics);
	pthread_mutex_unlock(&metrics->lock);
	pthread_mutex_lock(&sinks_lock);
	print_sinks(file, metrics);
	pthread_mutex_unlock(&sinks_lock);
}

void metrics_set_sinks(struct metrics *metrics, const struct sink *sinks)
{
	metrics->sinks = sinks;
}

/* Whoever reads it sees the old one or the new one, whole. */
void metrics_write_file(struct metrics *metrics)
{
	const char *path = metrics->settings->textfile;
	char temporary[512];
	FILE *file;
	bool good;

	if (!path)
		return;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	file = fopen(temporary, "we");
	if (file) {
		print_all(file, metrics);
		good = !ferror(file);
		good &= !fclose(file);
		good = good && !chmod(temporary, 0644) && !rename(temporary, path);
	}
	if (file && good) {
		metrics->file_failed = false;
	} else if (!metrics->file_failed) {
		metrics->file_failed = true;
		fprintf(stderr, "kerrord: [metrics] textfile %s: %s\n", path,
			strerror(errno));
	}
}

/* ---- HTTP ---- */

static enum MHD_Result answer(void *context, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	unsigned int status = MHD_HTTP_OK;
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	file = open_memstream(&text, &size);
	if (!file)
		return MHD_NO;
	if (strcmp(method, "GET") && strcmp(method, "HEAD")) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		fputs("only GET\n", file);
	} else if (strcmp(url, "/metrics")) {
		status = MHD_HTTP_NOT_FOUND;
		fputs("see /metrics\n", file);
	} else {
		print_all(file, context);
	}
	if (fclose(file)) {
		free(text);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(size, text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type",
				status == MHD_HTTP_OK ?
				"text/plain; version=0.0.4" : "text/plain");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static struct MHD_Daemon *serve(struct metrics *metrics, const char *listen)
{
	static const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	const char *colon = strrchr(listen, ':');
	struct MHD_Daemon *server;
	struct addrinfo *found;
	char host[256] = "";
	int error;

	if (!colon)
		errx(EXIT_FAILURE,
		     "[metrics] listen: '%s' is not like 127.0.0.1:9817", listen);
	if (*listen == '[' && colon > listen + 1 && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)(colon - listen - 2),
			 listen + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)(colon - listen),
			 listen);
	error = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
	if (error)
		errx(EXIT_FAILURE, "[metrics] listen: '%s': %s", listen,
		     gai_strerror(error));
	server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
				  MHD_USE_ERROR_LOG |
				  (found->ai_family == AF_INET6 ?
				   MHD_USE_IPv6 : 0),
				  0, NULL, NULL, answer, metrics,
				  MHD_OPTION_SOCK_ADDR, found->ai_addr,
				  MHD_OPTION_CONNECTION_LIMIT, 16,
				  MHD_OPTION_CONNECTION_TIMEOUT, 10,
				  MHD_OPTION_END);
	freeaddrinfo(found);
	if (!server)
		errx(EXIT_FAILURE,
		     "[metrics] listen: %s cannot be used; is the port taken?",
		     listen);
	return server;
}

struct metrics *metrics_start(const struct settings *settings,
			      const struct sink *sinks)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		errx(EXIT_FAILURE, "out of memory");
	metrics->settings = settings;
	metrics->sinks = sinks;
	pthread_mutex_init(&metrics->lock, NULL);
	if (settings->listen)
		metrics->server = serve(metrics, settings->listen);
	return metrics;
}

void metrics_stop(struct metrics *metrics)
{
	if (metrics->server)
		MHD_stop_daemon(metrics->server);
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}
