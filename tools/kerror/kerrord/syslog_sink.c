// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syslog server, by RFC 5424 with the parts of an event as structured data.
 * The elements are listed in kerrord(8); syslog_peer.c sends the messages.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "syslog_peer.h"

/* The enterprise number that RFC 5612 sets aside for documentation */
#define ID(name) name "@32473"

struct syslog {
	struct syslog_peer *peer;
	char host[256];
};

/* It stays beyond close(): it knows what may have to be sent again. */
static int open_syslog(struct sink *sink, char *message, size_t size)
{
	struct syslog *syslog = sink->private;

	if (!syslog) {
		syslog = calloc(1, sizeof(*syslog));
		if (syslog)
			syslog->peer = syslog_peer_new(sink);
		if (!syslog || !syslog->peer) {
			free(syslog);
			snprintf(message, size, "out of memory");
			return -ENOMEM;
		}
		sink->private = syslog;
	}
	if (gethostname(syslog->host, sizeof(syslog->host) - 1) ||
	    !*syslog->host)
		syslog->host[0] = '\0';	/* shown as "-" */
	return syslog_peer_open(syslog->peer, message, size);
}

static int look_at_peer(struct sink *sink, char *message, size_t size)
{
	struct syslog *syslog = sink->private;

	return syslog_peer_look(syslog->peer, message, size);
}

static void close_syslog(struct sink *sink)
{
	struct syslog *syslog = sink->private;

	syslog_peer_close(syslog->peer);
}

static void end_syslog(struct sink *sink)
{
	struct syslog *syslog = sink->private;
	char message[512];

	if (syslog) {
		/* A last chance for what a server that died just now has lost */
		syslog_peer_look(syslog->peer, message, sizeof(message));
		syslog_peer_free(syslog->peer);
	}
	free(syslog);
	sink->private = NULL;
}

/* ---- Messages ---- */

/* Printable ASCII without blanks, as the header's parts must be */
static void print_word(FILE *file, const char *text, size_t most)
{
	if (!*text)
		fputc('-', file);
	for (; *text && most; text++, most--)
		fputc(*text > ' ' && *text < 0x7f ? *text : '_', file);
}

static void print_value(FILE *file, const char *name, const char *text,
			size_t size)
{
	fprintf(file, " %s=\"", name);
	while (size) {
		size_t length = utf8_length(text, size);
		unsigned char first = *text;

		if (first == '"' || first == '\\' || first == ']')
			fprintf(file, "\\%c", first);
		else if (!length || first < ' ' || first == 0x7f)
			fprintf(file, "\\\\x%02x", first);
		else
			fwrite(text, 1, length, file);
		text += length ? length : 1;
		size -= length ? length : 1;
	}
	fputc('"', file);
}

static void print_string(FILE *file, const char *name, const char *text)
{
	print_value(file, name, text, strlen(text));
}

static void print_number(FILE *file, const char *name, uint64_t number)
{
	fprintf(file, " %s=\"%" PRIu64 "\"", name, number);
}

static void print_arguments(FILE *file, const struct kerror_event *event)
{
	struct kerror_argument argument;

	fputs("[" ID("kerrorArguments"), file);
	for (size_t i = 0; !kerror_event_argument(event, i, &argument); i++) {
		char name[32];

		snprintf(name, sizeof(name), "arg%zu", i);
		if (argument.text)
			print_value(file, name, argument.text, argument.size);
		else if (argument.type == EVL_ARG_S32 ||
			 argument.type == EVL_ARG_S64)
			fprintf(file, " %s=\"%" PRId64 "\"", name,
				(int64_t)argument.number);
		else
			print_number(file, name, argument.number);
	}
	fputc(']', file);
}

static void print_event_data(FILE *file, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	fputs("[" ID("kerror"), file);
	print_string(file, "group", kerror_group_name(kerror_event_group(event)));
	print_number(file, "sequence", kerror_event_sequence(event));
	if (!header) {
		fputc(']', file);
		return;
	}
	if (*kerror_event_device(event))
		print_string(file, "device", kerror_event_device(event));
	print_string(file, "facility", header->facility);
	print_string(file, "context", kerror_context_name(header->flags));
	print_number(file, "cpu", header->cpu);
	print_number(file, "uid", header->uid);
	print_number(file, "gid", header->gid);
	print_number(file, "pid", header->pid);
	print_number(file, "tid", header->tid);
	print_string(file, "comm", header->comm);
	print_number(file, "type", header->event_type);
	if (header->format == EVL_FORMAT_PRINTF) {
		fprintf(file, " id=\"%08" PRIx32 "\"", (uint32_t)header->event_id);
		print_string(file, "format", kerror_event_format(event));
	}
	fputc(']', file);
	if (kerror_event_argument_count(event))
		print_arguments(file, event);
}

/* One line: newlines within the text are shown as such. */
static void print_message(FILE *file, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = text[i];

		if (byte < ' ' || byte == 0x7f)
			fprintf(file, "\\x%02x", byte);
		else
			fputc(byte, file);
	}
}

static void print_record(FILE *file, const struct sink *sink,
			 const struct record *record)
{
	const struct syslog *syslog = sink->private;
	const struct evl_header *header =
		record->event ? kerror_event_header(record->event) : NULL;
	uint64_t time = header ? header->time_realtime : record->time;
	unsigned int severity = header ? header->severity & 7 :
				record->kind == RECORD_REPORT ? record->severity :
				4;
	time_t seconds = time / 1000000000;
	const char *text;
	char date[32];
	struct tm tm;
	size_t size;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(file, "<%u>1 %s.%06uZ ",
		(unsigned int)sink->settings->facility << 3 | severity, date,
		(unsigned int)(time % 1000000000 / 1000));
	print_word(file, syslog->host, 255);
	fputc(' ', file);
	print_word(file, header ? identifier_of(header) : "kerrord", 48);
	fputs(" - ", file);
	switch (record->kind) {
	case RECORD_EVENT:
		if (header && header->format == EVL_FORMAT_PRINTF)
			fprintf(file, "%08" PRIx32 " ", (uint32_t)header->event_id);
		else
			fputs("event ", file);
		print_event_data(file, record->event);
		fputc(' ', file);
		text = event_text(record->event, &size);
		print_message(file, text, size);
		break;
	case RECORD_LOSS:
		fputs("loss [" ID("kerrorLoss"), file);
		print_string(file, "group", kerror_group_name(record->loss.group));
		print_string(file, "cause", record->cause);
		print_number(file, "count", record->loss.count);
		print_number(file, "total", record->loss.total);
		fprintf(file, "] %" PRIu64 " %s events lost: %s",
			(uint64_t)record->loss.count,
			kerror_group_name(record->loss.group), record->cause);
		break;
	case RECORD_REPORT:
		fputs("report - ", file);
		print_message(file, record->text, strlen(record->text));
		break;
	}
}

/* False without memory */
static bool make_message(const struct sink *sink, const struct record *record,
			 struct syslog_message *made)
{
	FILE *file = open_memstream(&made->text, &made->size);

	if (!file)
		return false;
	print_record(file, sink, record);
	if (!fclose(file))
		return true;
	free(made->text);
	return false;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	struct syslog *syslog = sink->private;
	struct syslog_message messages[BATCH];
	size_t made, most = syslog_peer_most(syslog->peer);
	int result = -ENOMEM;

	for (made = 0; made < count && made < most; made++)
		if (!make_message(sink, records[made], &messages[made]))
			break;
	if (made)
		result = syslog_peer_send(syslog->peer, messages, made, message,
					  size);
	else
		snprintf(message, size, "out of memory");
	while (made)
		free(messages[--made].text);
	return result;
}

const struct sink_type syslog_sink = {
	.name = "syslog",
	.keeps_progress = true,
	.open = open_syslog,
	.write = write_records,
	.idle = look_at_peer,
	.close = close_syslog,
	.end = end_syslog,
};
