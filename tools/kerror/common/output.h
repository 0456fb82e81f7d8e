/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How kerrord and kerrorctl show an event or a loss: as a line for people
 * (print.c) or as a JSON object in one line (json.c).
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>
#include "libkerror.h"

/**
 * struct print_style - how to show
 * @color: with the colours of a terminal
 * @boot_id: JSON only: of which boot, or NULL
 * @id: JSON only: number in the store, or 0
 * @acknowledged: JSON only: nanoseconds since 1970, or 0
 * @cause: of a loss: its name, or NULL: that of the kernel's number
 * @time: JSON only: when the loss was learnt of, nanoseconds since 1970, or 0
 * @translate: returns the format to make the text of, or NULL: the event's own
 */
struct print_style {
	bool color;
	const char *boot_id;
	uint64_t id, acknowledged;
	const char *cause;
	uint64_t time;
	const char *(*translate)(const char *format);
};

void print_event(FILE *file, const struct print_style *style,
		 const struct kerror_event *event);
void print_loss(FILE *file, const struct print_style *style,
		const struct kerror_loss *loss);
void print_event_json(FILE *file, const struct print_style *style,
		      const struct kerror_event *event);
void print_loss_json(FILE *file, const struct print_style *style,
		     const struct kerror_loss *loss);

/* The last line: what was received, and what was lost for which cause; @lost has
 * KERROR_CAUSES + 1 elements, the last of them for causes that are not known.
 */
void print_summary(FILE *file, const char *program, uint64_t received,
		   uint64_t lost, const uint64_t *lost_by_cause);

/* Why kerror_socket_open() of these groups failed and what to do, in one line */
const char *listen_failure(int error, uint32_t groups);

/*
 * Returns the text of @event with its length in @size; valid until the next
 * call in this thread. A longer text than the limit is cut.
 */
const char *event_text(const struct kerror_event *event, size_t *size);

/* Whether the text that this thread made last was cut */
bool event_text_truncated(void);

/* Sets the limit, in bytes. Before other threads make texts. */
#define TEXT_LIMIT	65536
#define TEXT_LIMIT_MIN	1024
#define TEXT_LIMIT_MAX	1048576
void event_text_limit(size_t bytes);

/* Frees what event_text() keeps of this thread, which is about to end. */
void event_text_done(void);

/* The same as @style wants it: with the translated format. */
const char *styled_text(const struct print_style *style,
			const struct kerror_event *event, size_t *size);

/* Prints text of whatever bytes, with "\xHH" for what is not printable. */
void print_printable(FILE *file, const char *text, size_t size);

/* Prints @time, nanoseconds since 1970, as in 2026-01-31T23:59:59.000000Z. */
void print_time(FILE *file, uint64_t time);

/* What begins and ends the colour of a severity; "" without colours. */
const char *color_begin(const struct print_style *style, unsigned int severity);
const char *color_end(const struct print_style *style);

/* Returns the bytes of the UTF-8 character that @text begins with, or 0. */
size_t utf8_length(const char *text, size_t size);

/* ---- JSON; without memory these end the program ---- */

struct json_object;

/* JSON is UTF-8: a byte that is not becomes "\xHH". */
struct json_object *json_text(const char *text, size_t size);
struct json_object *json_string(const char *text);
struct json_object *json_number(uint64_t value);
void json_add(struct json_object *object, const char *key,
	      struct json_object *value);

/* Prints @object in one line, and frees it. */
void json_print(FILE *file, struct json_object *object);

#endif
