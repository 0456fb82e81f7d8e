// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines for people. Whatever bytes a driver reports, nothing but printable
 * characters reaches the terminal.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kerrord.h"

#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define RED	"\033[31m"
#define YELLOW	"\033[33m"
#define RESET	"\033[0m"

const char *event_text(const struct kerror_event *event, size_t *size)
{
	static char *text;
	static size_t room;
	char *larger;

	*size = kerror_event_text(event, text, room);
	if (*size < room)
		return text;
	larger = realloc(text, *size + 1);
	if (!larger) {	/* then as much as there is room for */
		*size = room ? room - 1 : 0;
		return room ? text : "";
	}
	text = larger;
	room = *size + 1;
	*size = kerror_event_text(event, text, room);
	return text;
}

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

static void print_text(FILE *file, const char *text, size_t size)
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
	print_text(file, text, strlen(text));
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
		print_text(file, argument->text, argument->size);
		if (!argument->invalid)
			fputc('"', file);
		break;
	default:
		fputc('?', file);
	}
}

static void print_context(FILE *file, const struct evl_header *header,
			  const char *device)
{
	time_t seconds = header->time_realtime / 1000000000;
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(file, "%s.%06uZ %-7s ", date,
		(unsigned int)(header->time_realtime % 1000000000 / 1000),
		kerror_severity_name(header->severity));
	print_string(file, header->facility);
	if (*device) {
		fputc('[', file);
		print_string(file, device);
		fputc(']', file);
	}
	fprintf(file, " %s%s%s cpu=%u pid=%u tid=%u comm=",
		kerror_context_name(header->flags),
		header->flags & EVL_FLAG_BOOT ? ",boot" : "",
		header->flags & EVL_FLAG_OOPS ? ",oops" : "",
		header->cpu, header->pid, header->tid);
	print_string(file, header->comm);
	fprintf(file, " uid=%u gid=%u: ", header->uid, header->gid);
}

void print_event(FILE *file, const struct print_style *style,
		 const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const char *reset = style->color ? RESET : "";
	const char *dim = style->color ? DIM : "";
	struct kerror_argument argument;
	const char *text;
	size_t size, i;

	text = event_text(event, &size);
	if (!header) {
		fprintf(file, "%s event #%" PRIu32 " of thread %" PRIu32 ": %s\n",
			kerror_group_name(kerror_event_group(event)),
			kerror_event_sequence(event),
			kerror_event_thread(event), text);
		return;
	}
	print_context(file, header, kerror_event_device(event));
	if (style->color)
		fputs(header->severity <= 3 ? BOLD RED :
		      header->severity == 4 ? BOLD YELLOW : BOLD, file);
	print_text(file, text, size);
	fprintf(file, "%s %s<", reset, dim);
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
	fprintf(file, "%s>%s\n",
		header->flags & EVL_FLAG_TRUNCATED ? " truncated" : "", reset);
}

void print_loss(FILE *file, const struct print_style *style,
		const struct kerror_loss *loss)
{
	fprintf(file, "%s-- %" PRIu64 " %s events lost: %s%s\n",
		style->color ? BOLD RED : "", (uint64_t)loss->count,
		kerror_group_name(loss->group), kerror_cause_name(loss->cause),
		style->color ? RESET : "");
}
