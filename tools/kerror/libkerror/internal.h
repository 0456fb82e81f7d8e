/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of libkerror; programs do not see it.
 */
#ifndef LIBKERROR_INTERNAL_H
#define LIBKERROR_INTERNAL_H

#include <string.h>
#include "libkerror.h"

/* One argument as it stands in the event: also '*' values. */
struct argument {
	uint8_t type;
	uint8_t flags;
	uint16_t size;
	const uint8_t *value;
};

struct kerror_event {
	struct kerror_origin *origin;	/* NULL: not known */
	uint32_t group;
	uint32_t sequence;
	uint32_t thread;
	const uint8_t *data;
	size_t size;
	uint8_t *owned;		/* data, if kerror_event_new() copied it */
	bool structured;	/* what follows is valid */
	struct evl_header header;
	const char *device;
	const char *format;
	const uint8_t *payload;
	size_t payload_size;
	struct argument *arguments;
	size_t argument_count;
	size_t value_count;	/* of them, those that are no '*' */
	size_t argument_room;
	struct kerror_event *first;	/* of a joined line: its first part, owned */
};

/* Decodes @data, which must stay as long as @event, over what was there. */
int event_decode(struct kerror_event *event, uint32_t group, uint32_t sequence,
		 uint32_t thread, const void *data, size_t size);

uint64_t argument_number(const struct argument *argument);

/* The flag means nothing for other types. */
static inline bool is_invalid(const struct argument *argument)
{
	return argument->type == EVL_ARG_STRING &&
	       argument->flags & EVL_ARG_FLAG_INVALID;
}

/* A string under construction that counts what does not fit. */
struct text {
	char *buffer;
	size_t size;
	size_t length;
};

/* Adds what has room of @bytes, and counts all of them. */
void text_cut(struct text *text, const void *bytes, size_t size);

static inline void text_add(struct text *text, const void *bytes, size_t size)
{
	if (text->length + size > text->size) {
		text_cut(text, bytes, size);
		return;
	}
	if (size)
		memcpy(text->buffer + text->length, bytes, size);
	text->length += size;
}

static inline void text_byte(struct text *text, char byte)
{
	if (text->length < text->size)
		text->buffer[text->length] = byte;
	text->length++;
}

static inline void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_fill(struct text *text, char byte, long count);

/* Terminates what is in the buffer. */
void text_end(struct text *text);

/* Whether the format of @event and its arguments belong together: format_check.c */
bool format_fits(const struct kerror_event *event);

/* Expands the format of @event, which has one, with its arguments. */
void format_expand(struct text *text, const struct kerror_event *event);

/* Expands @format instead, by the rules of kerror_event_text_as(). */
void format_translate(struct text *text, const struct kerror_event *event,
		      const char *format);

/* A socket of the protocol, whatever its number is; 0, or a negative errno */
struct mnl_socket;
int socket_connect(struct mnl_socket **netlink);

/* "printf"; of a number that is not known "binary", for so it is shown. */
static inline const char *kind_name(unsigned int format)
{
	return format == EVL_FORMAT_NODATA ? "nodata" :
	       format == EVL_FORMAT_STRING ? "string" :
	       format == EVL_FORMAT_PRINTF ? "printf" : "binary";
}

#endif
