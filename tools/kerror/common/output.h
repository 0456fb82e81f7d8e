/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How kerrord and kerrorctl show an event or a loss: as a line for people
 * (print.c) or as a JSON object in one line (json.c).
 *
 * Each output is made of the fields that libkerror gives, with their values as
 * printable.c shows them; none has a list of its own.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>
#include <string.h>
#include "buffer.h"
#include "libkerror.h"
#include "utf8.h"

/**
 * struct print_style - how to show
 * @color: with the colours of a terminal
 * @origin: of a loss or a report; an event has its own
 * @own: lines only: an origin whose fields they do not repeat, or NULL
 * @item: JSON only: what an event is, or NULL: "event"
 * @id: JSON only: number in the store, or 0
 * @acknowledged: JSON only: nanoseconds since 1970, or 0
 * @cause: of a loss: its name, or NULL: that of the kernel's number
 * @time: JSON only: when the loss was learnt of, or a raw event received, which tells no
 *	time; nanoseconds since 1970, or 0
 * @translate: returns the format to make the text of, or NULL: the event's own
 */
struct print_style {
	bool color;
	const struct kerror_origin *origin, *own;
	const char *item;
	uint64_t id, acknowledged;
	const char *cause;
	uint64_t time;
	const char *(*translate)(const char *format);
};

void event_line(struct buffer *buffer, const struct print_style *style,
		const struct kerror_event *event);

/* A cause that is no loss: the machine has those events, and did not send them. */
#define CAUSE_COLLAPSED "collapsed"

static inline bool is_collapsed(const char *cause)
{
	return cause && !strcmp(cause, CAUSE_COLLAPSED);
}

/* "7 evlog events lost: history" */
void loss_text(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss);
void loss_line(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss);
void event_json(struct buffer *buffer, const struct print_style *style,
		const struct kerror_event *event);
void loss_json(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss);
void report_line(struct buffer *buffer, const struct print_style *style, const char *text);
/* One that says that a machine lives; up to its list of groups, which its caller ends */
void heartbeat_json(struct buffer *buffer, const struct kerror_origin *origin, uint64_t time,
		    uint64_t interval, bool behind);
void report_json(struct buffer *buffer, const struct print_style *style, uint64_t time,
		 unsigned int severity, const char *text);

/* The last line: what was received, and what was lost for which cause; @lost has
 * KERROR_CAUSES + 1 elements, the last of them for causes that are not known.
 */
void print_summary(FILE *file, const char *program, uint64_t received,
		   uint64_t lost, const uint64_t *lost_by_cause);

/* Why kerror_socket_open() of these groups failed and what to do, in one line */
const char *listen_failure(int error, uint32_t groups);

/* The same for a kernel that has no NETLINK_KERROR: facility.c */
const char *facility_missing(void);

/* Before the paths that it and identity.c look at: tests have another root. */
extern const char *facility_root;

/*
 * The origin of what this machine raises, as it is now: identity.c. @instance: of the
 * socket, or 0. NULL without memory; to be released.
 */
struct kerror_origin *identity_read(uint64_t instance);

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
#define TEXT_LIMIT_MAX	131072
void event_text_limit(size_t bytes);

/* Frees what event_text() keeps of this thread, which is about to end. */
void event_text_done(void);

/* The same as @style wants it: with the translated format. */
const char *styled_text(const struct print_style *style,
			const struct kerror_event *event, size_t *size);

/*
 * Visits the fields of an event as kerror_event_next_field() does. The text has
 * its value, which is valid until the next text is made in this thread; if it was
 * cut, a flag named text_truncated comes behind it.
 */
bool next_field(const struct print_style *style, const struct kerror_event *event,
		struct kerror_field *field);

/* Begin and end of the colour of a severity; "" without colours. */
const char *color_begin(const struct print_style *style, unsigned int severity);
const char *color_end(const struct print_style *style);

/* ---- Text of any bytes ---- */

/* Adds text with \xHH for each byte that is not UTF-8 or of no harmless character. */
void buffer_printable(struct buffer *buffer, const char *text, size_t size);

/* The same with a backslash before each character that is one of @quoted */
void buffer_quoted(struct buffer *buffer, const char *text, size_t size,
		   const char *quoted);

/* The name of a field as environments and the journal have it: KERROR_TAG_RACK */
void buffer_capitals(struct buffer *buffer, const char *name);

/* The value of a field, which is the same text in each output */
void buffer_value(struct buffer *buffer, const struct kerror_field *field,
		  const char *quoted);

#endif
