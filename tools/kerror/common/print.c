// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines for people. Whatever bytes a driver reports, nothing but printable
 * characters reaches the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include "output.h"

#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define RED	"\033[31m"
#define YELLOW	"\033[33m"
#define RESET	"\033[0m"

size_t utf8_length(const char *text, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = text[0];
	size_t length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 :
			first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	uint32_t character = length < 2 ? first : first & (0x7f >> length);
	size_t i;

	if (!length || length > size)
		return 0;
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < least[length] || character > 0x10ffff ||
	    (character >= 0xd800 && character < 0xe000))
		return 0;
	return length;
}

void print_printable(FILE *file, const char *text, size_t size)
{
	while (size) {
		size_t length = utf8_length(text, size);
		unsigned char first = text[0];
		/* Controls of one byte, and C1 ones, which UTF-8 has in two. */
		bool control = first < 0x20 || first == 0x7f ||
			       (first == 0xc2 && length == 2 &&
				(unsigned char)text[1] < 0xa0);

		if (!length || control) {
			length = 1;
			fprintf(file, "\\x%02x", first);
		} else {
			fwrite(text, 1, length, file);
		}
		text += length;
		size -= length;
	}
}

static void print_string(FILE *file, const char *text)
{
	print_printable(file, text, strlen(text));
}

static void print_argument(FILE *file, const struct kerror_argument *argument)
{
	fprintf(file, " %s=", kerror_argument_name(argument->type));
	switch (argument->type) {
	case EVL_ARG_S32:
	case EVL_ARG_S64:
		fprintf(file, "%" PRId64, (int64_t)argument->number);
		break;
	case EVL_ARG_U32:
	case EVL_ARG_U64:
	case EVL_ARG_CHAR:
		fprintf(file, "%" PRIu64, argument->number);
		break;
	case EVL_ARG_POINTER:
		fprintf(file, "%0*" PRIx64, (int)argument->size * 2,
			argument->number);
		break;
	case EVL_ARG_STRING:
	case EVL_ARG_TEXT:
		if (!argument->invalid)
			fputc('"', file);
		print_printable(file, argument->text, argument->size);
		if (!argument->invalid)
			fputc('"', file);
		break;
	default:
		fputc('?', file);
	}
}

void print_time(FILE *file, uint64_t time)
{
	time_t seconds = time / 1000000000;
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(file, "%s.%06uZ", date,
		(unsigned int)(time % 1000000000 / 1000));
}

const char *color_begin(const struct print_style *style, unsigned int severity)
{
	return !style->color ? "" : severity <= LOG_ERR ? BOLD RED :
	       severity == LOG_WARNING ? BOLD YELLOW : BOLD;
}

const char *color_end(const struct print_style *style)
{
	return style->color ? RESET : "";
}

static void print_context(FILE *file, const struct evl_header *header,
			  const char *device)
{
	print_time(file, header->time_realtime);
	fprintf(file, " %-7s ", kerror_severity_name(header->severity));
	print_string(file, header->facility);
	if (*device) {
		fputc('[', file);
		print_string(file, device);
		fputc(']', file);
	}
	fprintf(file, " %s%s%s%s%s%s cpu=%u pid=%u tid=%u comm=",
		kerror_context_name(header->flags),
		header->flags & EVL_FLAG_BOOT ? ",boot" : "",
		header->flags & EVL_FLAG_OOPS ? ",oops" : "",
		header->flags & EVL_FLAG_PRINTK ? ",printk" : "",
		header->flags & EVL_FLAG_CONTINUES ? ",continues" : "",
		header->flags & EVL_FLAG_OPEN ? ",open" : "",
		header->cpu, header->pid, header->tid);
	print_string(file, header->comm);
	fprintf(file, " uid=%u gid=%u: ", header->uid, header->gid);
}

void print_event(FILE *file, const struct print_style *style,
		 const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const char *dim = style->color ? DIM : "";
	struct kerror_argument argument;
	const char *text;
	size_t size, i;

	text = styled_text(style, event, &size);
	if (!header) {
		fprintf(file, "%s event #%" PRIu32 " of thread %" PRIu32 ": %s%s\n",
			kerror_group_name(kerror_event_group(event)),
			kerror_event_sequence(event),
			kerror_event_thread(event), text,
			event_text_truncated() ? " <text_truncated>" : "");
		return;
	}
	print_context(file, header, kerror_event_device(event));
	fputs(color_begin(style, header->severity), file);
	print_printable(file, text, size);
	fprintf(file, "%s %s<", color_end(style), dim);
	switch (header->format) {
	case EVL_FORMAT_PRINTF:
		fprintf(file, "id=%08" PRIx32, header->event_id);
		if (header->event_type)
			fprintf(file, " type=%" PRIu32, header->event_type);
		fputs(" format=\"", file);
		print_string(file, kerror_event_format(event));
		fputc('"', file);
		for (i = 0; !kerror_event_argument(event, i, &argument); i++)
			print_argument(file, &argument);
		break;
	default:
		kerror_event_payload(event, &size);
		fprintf(file, "type=%" PRIu32 " %s=%zu bytes",
			header->event_type,
			header->format == EVL_FORMAT_STRING ? "string" : "binary",
			size);
	}
	fprintf(file, "%s%s>%s\n",
		header->flags & EVL_FLAG_TRUNCATED ? " truncated" : "",
		event_text_truncated() ? " text_truncated" : "",
		color_end(style));
}

void print_loss(FILE *file, const struct print_style *style,
		const struct kerror_loss *loss)
{
	fprintf(file, "%s-- %" PRIu64 " %s events lost: %s%s\n",
		color_begin(style, LOG_ERR), (uint64_t)loss->count,
		kerror_group_name(loss->group),
		style->cause ? style->cause : kerror_cause_name(loss->cause),
		color_end(style));
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
		return "this is not the initial network namespace; kernel events exist there only";
	case -EPROTONOSUPPORT:
		return "this kernel has no NETLINK_KERROR; it needs CONFIG_KERROR=y";
	}
	snprintf(message, sizeof(message), "cannot open the socket: %s",
		 strerror(-error));
	return message;
}
