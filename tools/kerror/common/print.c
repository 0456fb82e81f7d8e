// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines for people. Whatever bytes a driver reports, nothing but printable
 * characters reaches the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "output.h"

#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define RED	"\033[31m"
#define YELLOW	"\033[33m"
#define RESET	"\033[0m"

const char *color_begin(const struct print_style *style, unsigned int severity)
{
	return !style->color ? "" : severity <= LOG_ERR ? BOLD RED :
	       severity == LOG_WARNING ? BOLD YELLOW : BOLD;
}

const char *color_end(const struct print_style *style)
{
	return style->color ? RESET : "";
}

/* A field between two strings; nothing if the event does not have it. */
static bool add_field(struct buffer *buffer, const struct kerror_event *event,
		      const char *before, enum kerror_field_id id, const char *behind)
{
	struct kerror_field field;

	if (kerror_event_field(event, id, 0, &field))
		return false;
	buffer_string(buffer, before);
	if (field.value == KERROR_VALUE_FLAG)
		buffer_string(buffer, field.name);
	else
		buffer_value(buffer, &field, "");
	buffer_string(buffer, behind);
	return true;
}

static void add_argument(struct buffer *buffer, const struct kerror_field *field)
{
	/* Quotes are for bytes of the driver; "(null)" is none of them. */
	const char *quote = field->value == KERROR_VALUE_TEXT && !field->invalid ?
			    "\"" : "";

	buffer_byte(buffer, ' ');
	buffer_string(buffer, kerror_argument_name(field->type));
	buffer_byte(buffer, '=');
	buffer_string(buffer, quote);
	buffer_value(buffer, field, "");
	buffer_string(buffer, quote);
}

static void add_context(struct buffer *buffer, const struct kerror_event *event)
{
	static const enum kerror_field_id flags[] = {
		KERROR_FIELD_BOOT, KERROR_FIELD_OOPS, KERROR_FIELD_PRINTK,
		KERROR_FIELD_CONTINUES, KERROR_FIELD_OPEN,
		KERROR_FIELD_IMPORTED,
	};
	const char *severity =
		kerror_severity_name(kerror_event_header(event)->severity);

	buffer_time(buffer, kerror_event_header(event)->time_realtime);
	buffer_byte(buffer, ' ');
	buffer_string(buffer, severity);
	buffer_add(buffer, "        ", 8 - strlen(severity));
	add_field(buffer, event, "", KERROR_FIELD_FACILITY, "");
	add_field(buffer, event, "[", KERROR_FIELD_DEVICE, "]");
	add_field(buffer, event, " ", KERROR_FIELD_CONTEXT, "");
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		add_field(buffer, event, ",", flags[i], "");
	add_field(buffer, event, " cpu=", KERROR_FIELD_CPU, "");
	add_field(buffer, event, " pid=", KERROR_FIELD_PID, "");
	add_field(buffer, event, " tid=", KERROR_FIELD_TID, "");
	add_field(buffer, event, " comm=", KERROR_FIELD_COMM, "");
	add_field(buffer, event, " uid=", KERROR_FIELD_UID, "");
	add_field(buffer, event, " gid=", KERROR_FIELD_GID, ": ");
}

/* A line for people has room for what tells machines and kernels apart. */
static bool is_for_people(const char *name)
{
	return strcmp(name, "machine") && strcmp(name, "boot_id") &&
	       strcmp(name, "instance") && strcmp(name, "version") && strcmp(name, "arch");
}

/* Adds a word for each field of the origin that others do not have; how many. */
static size_t add_origin(struct buffer *buffer, const struct print_style *style,
			 const struct kerror_origin *origin, const char *before)
{
	const char *name, *value, *own;
	size_t count = 0;

	for (size_t i = 0; (name = kerror_origin_at(origin, i, &value)); i++) {
		own = kerror_origin_get(style->own, name);
		if (!is_for_people(name) || (own && !strcmp(own, value)))
			continue;
		buffer_string(buffer, count++ ? " " : before);
		buffer_string(buffer, name);
		buffer_string(buffer, "=\"");
		buffer_printable(buffer, value, strlen(value));
		buffer_byte(buffer, '"');
	}
	return count;
}

/* The end of a line that has no other words in angle brackets */
static void end_line(struct buffer *buffer, const struct print_style *style,
		     const struct kerror_origin *origin)
{
	if (add_origin(buffer, style, origin, " <"))
		buffer_byte(buffer, '>');
	buffer_byte(buffer, '\n');
}

static void add_raw(struct buffer *buffer, const struct print_style *style,
		    const struct kerror_event *event, const char *text, size_t size)
{
	add_field(buffer, event, "", KERROR_FIELD_GROUP, " event #");
	add_field(buffer, event, "", KERROR_FIELD_SEQUENCE, " of thread ");
	add_field(buffer, event, "", KERROR_FIELD_THREAD, ": ");
	buffer_add(buffer, text, size);
	if (event_text_truncated())
		buffer_string(buffer, " <text_truncated>");
	end_line(buffer, style, kerror_event_origin(event));
}

static void add_format(struct buffer *buffer, const struct kerror_event *event)
{
	struct kerror_field field = { .id = KERROR_FIELD_KIND };

	add_field(buffer, event, "id=", KERROR_FIELD_ID, "");
	if (kerror_event_header(event)->event_type)
		add_field(buffer, event, " type=", KERROR_FIELD_TYPE, "");
	add_field(buffer, event, " format=\"", KERROR_FIELD_FORMAT, "\"");
	while (kerror_event_next_field(event, &field) && field.id <= KERROR_FIELD_ARG)
		if (field.id == KERROR_FIELD_ARG)
			add_argument(buffer, &field);
}

void event_line(struct buffer *buffer, const struct print_style *style,
		const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const char *dim = style->color ? DIM : "";
	const char *text;
	size_t size;

	text = styled_text(style, event, &size);
	if (!header) {
		add_raw(buffer, style, event, text, size);
		return;
	}
	add_context(buffer, event);
	buffer_string(buffer, color_begin(style, header->severity));
	buffer_printable(buffer, text, size);
	buffer_string(buffer, color_end(style));
	buffer_byte(buffer, ' ');
	buffer_string(buffer, dim);
	buffer_byte(buffer, '<');
	if (header->format == EVL_FORMAT_PRINTF) {
		add_format(buffer, event);
	} else {
		kerror_event_payload(event, &size);
		add_field(buffer, event, "type=", KERROR_FIELD_TYPE,
			  header->format == EVL_FORMAT_STRING ? " string=" :
								" binary=");
		buffer_number(buffer, size);
		buffer_string(buffer, " bytes");
	}
	add_field(buffer, event, " ", KERROR_FIELD_TRUNCATED, "");
	if (event_text_truncated())
		buffer_string(buffer, " text_truncated");
	add_origin(buffer, style, kerror_event_origin(event), " ");
	buffer_byte(buffer, '>');
	buffer_string(buffer, color_end(style));
	buffer_byte(buffer, '\n');
}

void loss_text(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss)
{
	buffer_number(buffer, loss->count);
	buffer_byte(buffer, ' ');
	buffer_string(buffer, kerror_group_name(loss->group));
	if (is_collapsed(style->cause)) {
		buffer_string(buffer, " events collapsed");
		return;
	}
	buffer_string(buffer, " events lost: ");
	buffer_string(buffer, style->cause ? style->cause :
			      kerror_cause_name(loss->cause));
}

void loss_line(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss)
{
	buffer_string(buffer, color_begin(style, LOG_ERR));
	buffer_string(buffer, "-- ");
	loss_text(buffer, style, loss);
	buffer_string(buffer, color_end(style));
	end_line(buffer, style, style->origin);
}

void report_line(struct buffer *buffer, const struct print_style *style, const char *text)
{
	buffer_string(buffer, "-- kerrord: ");
	buffer_printable(buffer, text, strlen(text));
	end_line(buffer, style, style->origin);
}

void print_summary(FILE *file, const char *program, uint64_t received,
		   uint64_t lost, const uint64_t *lost_by_cause)
{
	const char *separator = " (";
	unsigned int cause;

	fprintf(file, "%s: %" PRIu64 " events received, %" PRIu64 " lost",
		program, received, lost);
	for (cause = 0; cause <= KERROR_CAUSES; cause++) {
		if (!lost_by_cause[cause])
			continue;
		fprintf(file, "%s%" PRIu64 " %s", separator,
			lost_by_cause[cause], kerror_cause_name(cause));
		separator = ", ";
	}
	fprintf(file, "%s\n", *separator == ',' ? ")" : "");
}

const char *listen_failure(int error, uint32_t groups)
{
	static char message[128];

	switch (error) {
	case -EPERM:
		return groups & KERROR_GROUP_PRINTK ?
		       "not permitted to listen; run it as root, or with CAP_SYSLOG, which the group printk needs" :
		       "not permitted to listen; run it as root, or with CAP_SYSLOG or CAP_NET_ADMIN";
	case -ENONET:
		return "this is not the initial network namespace; kernel events exist there only; a container needs the host's network";
	case -EPROTONOSUPPORT:
		return facility_missing();
	}
	snprintf(message, sizeof(message), "cannot open the socket: %s",
		 strerror(-error));
	return message;
}
