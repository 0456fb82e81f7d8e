// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters in Prometheus' text format: in a file, and over HTTP by
 * metrics_http.c. The receiver counts; the threads of the HTTP server only read.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include "kerrord.h"
#include "printk_state.h"

/* Facilities counted one by one; a driver may make up any number of names. */
#define FACILITIES 256

#define SEVERITIES 9	/* with one for numbers that are none */

/* A byte of a name that is no text takes four, as in "\xff". */
#define LABEL_SIZE (4 * EVL_FACILITY_SIZE)

/* The label of all facilities beyond those, and of one that has this name */
#define OTHERS "others"

struct facility {
	char label[LABEL_SIZE];
	uint64_t events[SEVERITIES];
};

/* Ids counted one by one, of events of severity warning or worse */
#define KINDS 256

struct kind {
	const struct facility *facility;
	uint32_t id;
	uint64_t events;
};

struct metrics {
	const struct settings *settings;
	const struct sink *sinks;
	bool file_failed;
	pthread_mutex_t lock;	/* for what follows */
	unsigned int facilities;
	struct facility facility[FACILITIES + 1];	/* the last: OTHERS */
	unsigned int kinds;
	struct kind kind[KINDS + 1];	/* the last: all others */
	uint64_t raw;
	uint64_t last_event;	/* when one was received, seconds since 1970, or 0 */
	uint64_t lost[GROUPS][KERROR_CAUSES + 1];
	struct kerror_statistics kernel[GROUPS];
};

/* As all sinks show it, see common/printable.c: always valid UTF-8 */
static void make_label(char *label, size_t room, const char *text)
{
	struct buffer buffer = { 0 };
	size_t used;

	buffer_printable(&buffer, text, strlen(text));
	used = buffer.failed ? 0 : buffer.size < room ? buffer.size : room - 1;
	if (used)
		memcpy(label, buffer.bytes, used);
	label[used] = '\0';
	buffer_free(&buffer);
}

/* By label, so that names that look the same are one series. */
static struct facility *find_facility(struct metrics *metrics, const char *name)
{
	char label[LABEL_SIZE];
	unsigned int i;

	make_label(label, sizeof(label), name);
	if (!strcmp(label, OTHERS))
		return &metrics->facility[FACILITIES];
	for (i = 0; i < metrics->facilities; i++)
		if (!strcmp(metrics->facility[i].label, label))
			return &metrics->facility[i];
	if (i == FACILITIES)
		return &metrics->facility[FACILITIES];
	metrics->facilities++;
	memcpy(metrics->facility[i].label, label, sizeof(label));
	return &metrics->facility[i];
}

static void count_kind(struct metrics *metrics, const struct facility *facility,
		       uint32_t id)
{
	unsigned int i;

	for (i = 0; i < metrics->kinds; i++)
		if (metrics->kind[i].id == id && metrics->kind[i].facility == facility)
			break;
	if (i == metrics->kinds && i < KINDS)
		metrics->kind[metrics->kinds++] = (struct kind) {
			.facility = facility, .id = id,
		};
	metrics->kind[i].events++;
}

static void count_event(struct metrics *metrics, const struct evl_header *header)
{
	struct facility *facility = find_facility(metrics, header->facility);

	facility->events[header->severity < SEVERITIES - 1 ? header->severity :
			 SEVERITIES - 1]++;
	if (header->severity <= LOG_WARNING && header->event_id)
		count_kind(metrics, facility, header->event_id);
}

void metrics_event(struct metrics *metrics, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	pthread_mutex_lock(&metrics->lock);
	metrics->last_event = time(NULL);
	if (header)
		count_event(metrics, header);
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

void metrics_describe(FILE *file, const char *name, const char *type,
		      const char *help)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_label(FILE *file, const char *label)
{
	for (; *label; label++) {
		if (*label == '"' || *label == '\\')
			fputc('\\', file);
		fputc(*label, file);
	}
}

static void print_lost(FILE *file, int group, int cause,
		       const struct metrics *metrics)
{
	fprintf(file, "kerror_lost_events_total{group=\"%s\",cause=\"%s\"} %"
		PRIu64 "\n", kerror_group_name(kerror_group_at(group)),
		kerror_cause_name(cause), metrics->lost[group][cause]);
}

static void print_kinds(FILE *file, const struct metrics *metrics)
{
	metrics_describe(file, "kerror_id_events_total", "counter",
			 "Events of severity warning or worse received, by facility and id.");
	for (unsigned int i = 0; i <= KINDS; i++) {
		const struct kind *kind = &metrics->kind[i];

		if (!kind->events)
			continue;
		fputs("kerror_id_events_total{facility=\"", file);
		metrics_label(file, i == KINDS ||
			      kind->facility == &metrics->facility[FACILITIES] ?
			      OTHERS : kind->facility->label);
		if (i < KINDS)
			fprintf(file, "\",id=\"%08" PRIx32 "\"}", kind->id);
		else
			fputs("\",id=\"" OTHERS "\"}", file);
		fprintf(file, " %" PRIu64 "\n", kind->events);
	}
}

static void print_events(FILE *file, const struct metrics *metrics)
{
	metrics_describe(file, "kerror_events_total", "counter",
			 "Events received, by facility and severity.");
	for (unsigned int i = 0; i <= FACILITIES; i++) {
		const struct facility *facility = &metrics->facility[i];

		for (int severity = 0; severity < SEVERITIES; severity++) {
			if (!facility->events[severity])
				continue;
			fputs("kerror_events_total{facility=\"", file);
			metrics_label(file, i < FACILITIES ? facility->label : OTHERS);
			fprintf(file, "\",severity=\"%s\"} %" PRIu64 "\n",
				kerror_severity_name(severity),
				facility->events[severity]);
		}
	}
	print_kinds(file, metrics);
	metrics_describe(file, "kerror_raw_events_total", "counter",
			 "Events of the raw group received.");
	fprintf(file, "kerror_raw_events_total %" PRIu64 "\n", metrics->raw);
	metrics_describe(file, "kerror_last_event_timestamp_seconds", "gauge",
			 "When an event was received last, 0: not since kerrord started.");
	fprintf(file, "kerror_last_event_timestamp_seconds %" PRIu64 "\n", metrics->last_event);
	metrics_describe(file, "kerror_lost_events_total", "counter",
			 "Events known to be lost, by cause.");
	for (int i = 0; i < GROUPS; i++)
		for (int cause = 0; cause <= KERROR_CAUSES; cause++)
			if (metrics->settings->groups & kerror_group_at(i))
				print_lost(file, i, cause, metrics);
	metrics_describe(file, "kerror_kernel_events_total", "counter",
			 "Events that the kernel numbered since boot.");
	for (int i = 0; i < GROUPS; i++)
		if (metrics->kernel[i].group)
			fprintf(file, "kerror_kernel_events_total{group=\"%s\"} %" PRIu64 "\n",
				kerror_group_name(kerror_group_at(i)),
				(uint64_t)metrics->kernel[i].numbered);
}

/* One series, whose label says how: an alert is for 0, or for the kind "text". */
static void print_printk(FILE *file)
{
	struct printk_state state;

	printk_state_read(&state);
	if (state.how == PRINTK_NEVER)
		return;
	metrics_describe(file, "kerror_printk_up", "gauge",
			 "1 if messages of the kernel become events; kind says how: hook, ftrace, kprobe or text, or why not: off, level or unloaded.");
	fputs("kerror_printk_up{kind=\"", file);
	state.kind[strcspn(state.kind, ",")] = '\0';
	metrics_label(file, state.kind);
	fprintf(file, "\"} %d\n", state.how != PRINTK_OFF);
	metrics_describe(file, "kerror_printk_missed_total", "counter",
			 "Messages of the kernel that did not become events.");
	fprintf(file, "kerror_printk_missed_total %lu\n", state.missed);
}

static uint64_t written(const struct sink *sink) { return sink->written; }
static uint64_t dropped(const struct sink *sink) { return sink->dropped_total; }
static uint64_t poison(const struct sink *sink) { return sink->poison; }
static uint64_t collapsed(const struct sink *sink) { return sink->collapsed; }
static uint64_t failures(const struct sink *sink) { return sink->failures; }
static uint64_t fired(const struct sink *sink) { return sink->fired; }
static uint64_t up(const struct sink *sink) { return sink->up && !sink->stuck; }
static uint64_t repeated(const struct sink *sink) { return sink->repeated; }
static uint64_t doubtful(const struct sink *sink) { return sink->doubtful; }
static uint64_t rejected(const struct sink *sink) { return sink->rejected; }
static uint64_t stuck(const struct sink *sink) { return sink->stuck; }
static uint64_t behind(const struct sink *sink) { return sink->behind; }
static uint64_t failed(const struct sink *sink) { return sink->failed; }
static uint64_t waiting(const struct sink *sink) { return sink->waiting; }

static uint64_t queued(const struct sink *sink)
{
	return sink_queued((struct sink *)sink);
}

static uint64_t lag(const struct sink *sink)
{
	uint64_t oldest = sink->oldest, now = now_ns(CLOCK_MONOTONIC);

	return oldest && oldest < now ? (now - oldest) / 1000000000 : 0;
}

/* @name{sink="..." without what ends the labels */
static void begin_sink(FILE *file, const char *name, const struct sink *sink)
{
	char label[512];

	make_label(label, sizeof(label), sink->settings->name);
	fprintf(file, "%s{sink=\"", name);
	metrics_label(file, label);
	fputc('"', file);
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
		  "Events that the kernel's history no longer had when it had room for them.",
		  dropped },
		{ "kerror_sink_poison_total", "counter",
		  "Records that could not be written and were skipped.", poison },
		{ "kerror_sink_collapsed_total", "counter",
		  "Events of a storm that were counted in the place of being sent.", collapsed },
		{ "kerror_sink_repeated_total", "counter",
		  "Events sent again, which the peer may have twice.", repeated },
		{ "kerror_sink_doubtful_total", "counter",
		  "Events that the peer may have lost after it acknowledged them.",
		  doubtful },
		{ "kerror_sink_rejected_total", "counter",
		  "Records that the peer took and refused, as it says.", rejected },
		{ "kerror_sink_failures_total", "counter",
		  "Failed attempts to open or write.", failures },
		{ "kerror_sink_up", "gauge",
		  "1 if its last attempt was a success and it is not stuck.", up },
		{ "kerror_sink_stuck", "gauge",
		  "1 if its peer has taken nothing for a while.", stuck },
		{ "kerror_sink_behind", "gauge",
		  "1 if it gets its events out of the kernel's history.", behind },
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
		metrics_describe(file, values[i].name, values[i].type, values[i].help);
		for (const struct sink *sink = metrics->sinks; sink;
		     sink = sink->next) {
			if (!strncmp(values[i].name, "kerror_rule_", 12) &&
			    sink->type != &rule_sink)
				continue;
			begin_sink(file, values[i].name, sink);
			fprintf(file, "} %" PRIu64 "\n", values[i].value(sink));
		}
	}
}

static void print_deleted(FILE *file, const struct sink *sink,
			  const char *reason, uint64_t count)
{
	begin_sink(file, "kerror_store_deleted_total", sink);
	fprintf(file, ",reason=\"%s\"} %" PRIu64 "\n", reason, count);
}

static void print_stores(FILE *file, const struct metrics *metrics)
{
	metrics_describe(file, "kerror_store_deleted_total", "counter",
			 "Events that retention has deleted from the store.");
	for (const struct sink *sink = metrics->sinks; sink; sink = sink->next) {
		if (sink->type != &store_sink)
			continue;
		print_deleted(file, sink, "max_age", sink->deleted_age);
		print_deleted(file, sink, "max_size", sink->deleted_size);
	}
	metrics_describe(file, "kerror_store_log_bytes", "gauge",
			 "Size of the store's write-ahead log.");
	for (const struct sink *sink = metrics->sinks; sink; sink = sink->next) {
		if (sink->type != &store_sink)
			continue;
		begin_sink(file, "kerror_store_log_bytes", sink);
		fprintf(file, "} %" PRIu64 "\n", (uint64_t)sink->log_bytes);
	}
}

void metrics_print(FILE *file, struct metrics *metrics)
{
	pthread_mutex_lock(&metrics->lock);
	print_events(file, metrics);
	pthread_mutex_unlock(&metrics->lock);
	print_printk(file);
	pthread_mutex_lock(&sinks_lock);
	print_sinks(file, metrics);
	print_stores(file, metrics);
	pthread_mutex_unlock(&sinks_lock);
	conditions_print(file);
}

void metrics_set_sinks(struct metrics *metrics, const struct sink *sinks)
{
	metrics->sinks = sinks;
}

/* A rename puts a file in the place of a device, such as /dev/null, too. */
static FILE *open_textfile(const char *path, const char *temporary)
{
	struct stat status;
	int fd;

	if (!stat(path, &status) && !S_ISREG(status.st_mode)) {
		errno = EEXIST;
		return NULL;
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW |
		  O_NONBLOCK, 0644);
	return fd < 0 ? NULL : fdopen(fd, "w");
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
	file = open_textfile(path, temporary);
	if (file) {
		metrics_print(file, metrics);
		good = !ferror(file);
		good &= !fclose(file);
		good = good && !chmod(temporary, 0644) && !rename(temporary, path);
	}
	if (file && good) {
		metrics->file_failed = false;
	} else if (!metrics->file_failed) {
		metrics->file_failed = true;
		fprintf(stderr, "kerrord: [metrics] textfile %s: %s\n", path,
			errno == EEXIST ? "this is no file; name another path" :
			strerror(errno));
	}
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
		metrics_serve(metrics, settings->listen);
	return metrics;
}

void metrics_stop(struct metrics *metrics)
{
	if (metrics->settings->listen && !metrics_serve_end())
		return;		/* a name is still looked up */
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}
