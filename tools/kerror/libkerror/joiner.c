// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Joins the parts of a line of the kernel log: events of printk() that continue the
 * one before by the same task, or by an interrupt of the same CPU. Programs hand over
 * events and get them back, a line as one event with all formats and arguments.
 *
 * Promise: no event is lost or doubled, and no line is held for longer than
 * KERROR_JOIN_MS after its last part, whatever comes; what does not fit together is
 * given part by part. Memory is that of LINES events.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Open lines at a time: one for each CPU and each task that prints at once */
#define LINES 64

/* One call can complete the line before, the oldest line and the event. */
#define READY 3

/* Set in what names a writer if it is a CPU and not a task */
#define BY_CPU (1ULL << 32)

struct line {
	uint64_t writer;
	uint64_t since;			/* when its last part came */
	uint64_t order;			/* of lines, as their last parts came */
	struct kerror_event *event;	/* what there is of it; NULL: no line */
};

struct kerror_joiner {
	struct line lines[LINES];
	uint64_t parts;
	struct kerror_event *ready[READY];
	size_t ready_count;
};

struct kerror_joiner *kerror_joiner_new(void)
{
	return calloc(1, sizeof(struct kerror_joiner));
}

void kerror_joiner_free(struct kerror_joiner *joiner)
{
	if (!joiner)
		return;
	for (size_t i = 0; i < LINES; i++)
		kerror_event_free(joiner->lines[i].event);
	for (size_t i = 0; i < joiner->ready_count; i++)
		kerror_event_free(joiner->ready[i]);
	free(joiner);
}

static uint64_t writer_of(const struct evl_header *header)
{
	const uint32_t others = EVL_FLAG_NMI | EVL_FLAG_INTERRUPT | EVL_FLAG_SOFTIRQ;

	return header->flags & others ? BY_CPU | header->cpu : header->tid;
}

static struct line *find_line(struct kerror_joiner *joiner, uint64_t writer)
{
	for (size_t i = 0; i < LINES; i++)
		if (joiner->lines[i].event && joiner->lines[i].writer == writer)
			return &joiner->lines[i];
	return NULL;
}

static struct line *oldest_line(struct kerror_joiner *joiner)
{
	struct line *oldest = NULL;

	for (size_t i = 0; i < LINES; i++)
		if (joiner->lines[i].event &&
		    (!oldest || joiner->lines[i].order < oldest->order))
			oldest = &joiner->lines[i];
	return oldest;
}

static struct kerror_event *take_line(struct line *line)
{
	struct kerror_event *event = line->event;

	line->event = NULL;
	return event;
}

static void give(struct kerror_joiner *joiner, struct kerror_event *event)
{
	joiner->ready[joiner->ready_count++] = event;
}

/* Begins a line with @event; the oldest one makes way if there are too many. */
static void begin_line(struct kerror_joiner *joiner, struct kerror_event *event,
		       uint64_t writer, uint64_t now)
{
	struct line *line = NULL;

	for (size_t i = 0; !line && i < LINES; i++)
		if (!joiner->lines[i].event)
			line = &joiner->lines[i];
	if (!line) {
		line = oldest_line(joiner);
		give(joiner, take_line(line));
	}
	*line = (struct line) {
		.writer = writer, .since = now, .order = joiner->parts++, .event = event,
	};
}

/* ---- Two parts ---- */

/* Format and arguments of a part; a text without a format is an argument of "%s". */
struct part {
	const char *format;
	size_t format_size;		/* without NUL */
	struct evl_argument head;	/* of that argument */
	const uint8_t *arguments;
	size_t arguments_size;
	bool is_text;
};

static struct part part_of(const struct kerror_event *event)
{
	const struct evl_header *header = &event->header;
	struct part part = { .format = "%s", .format_size = 2 };

	if (event->format) {
		part.format = event->format;
		part.format_size = header->format_size - 1;
		part.arguments = event->payload + header->format_size;
		part.arguments_size = event->payload_size - header->format_size;
	} else {
		part.is_text = true;
		part.head = (struct evl_argument) {
			.type = EVL_ARG_STRING, .size = event->payload_size,
		};
		part.arguments = event->payload;
		part.arguments_size = event->payload_size;
	}
	return part;
}

/* The letters that a %p takes with it at its end, as <linux/evlog.h> has them */
static bool is_of_pointer(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* Whether a %p at the end of one format would take the beginning of the other with it */
static bool would_merge(const struct part *first, const struct part *second)
{
	const char *at = memrchr(first->format, '%', first->format_size);
	const char *end = first->format + first->format_size;

	if (!at || !second->format_size || !is_of_pointer(*second->format))
		return false;
	at++;
	at += strspn(at, "-+ #0123456789.*hlLzt");
	if (*at != 'p')
		return false;
	while (at < end && is_of_pointer(*at))
		at++;
	return at == end;
}

static uint8_t *add(uint8_t *to, const void *bytes, size_t size)
{
	if (size)
		memcpy(to, bytes, size);
	return to + size;
}

static uint8_t *add_arguments(uint8_t *to, const struct part *part)
{
	size_t fill = part->is_text ? -part->arguments_size & 3 : 0;

	if (part->is_text)
		to = add(to, &part->head, sizeof(part->head));
	to = add(to, part->arguments, part->arguments_size);
	memset(to, 0, fill);
	return to + fill;
}

/*
 * The event of two parts: context, id, number and origin of the first. NULL without
 * memory, or if it would be larger than events can be.
 */
static struct kerror_event *join(const struct kerror_event *first,
				 const struct kerror_event *second)
{
	const struct part parts[] = { part_of(first), part_of(second) };
	/* An empty text between formats */
	const struct part nothing = {
		.format = "%s", .head.type = EVL_ARG_STRING, .is_text = true,
	};
	const bool merge = would_merge(&parts[0], &parts[1]);
	struct evl_header header;
	uint8_t data[KERROR_EVENT_MAX], *at = data;
	size_t fixed = first->payload - first->data, format_size, size;
	struct kerror_event *event;

	format_size = parts[0].format_size + 2 * merge + parts[1].format_size + 1;
	/* At most: three texts, each with a head and filled up */
	size = fixed + format_size + parts[0].arguments_size + parts[1].arguments_size +
	       3 * (sizeof(struct evl_argument) + 3);
	if (size > sizeof(data))
		return NULL;
	at = add(at, first->data, fixed);
	at = add(at, parts[0].format, parts[0].format_size);
	at = add(at, nothing.format, 2 * merge);
	at = add(at, parts[1].format, parts[1].format_size);
	*at++ = '\0';
	at = add_arguments(at, &parts[0]);
	if (merge)
		at = add_arguments(at, &nothing);
	at = add_arguments(at, &parts[1]);

	memcpy(&header, data, sizeof(header));
	header.flags = (header.flags & ~EVL_FLAG_OPEN) |
		       (second->header.flags & (EVL_FLAG_OPEN | EVL_FLAG_TRUNCATED));
	header.format = EVL_FORMAT_PRINTF;
	header.format_size = format_size;
	header.variable_size = at - data - fixed;
	memcpy(data, &header, sizeof(header));
	event = kerror_event_new(first->group, first->sequence, first->thread, data, at - data);
	if (event) {
		event->header.severity = first->header.severity;
		kerror_event_set_origin(event, first->origin);
	}
	return event;
}

/* ---- Events ---- */

/* A part that was cut lacks arguments; what follows would take their place. */
static bool can_join(const struct kerror_event *first, const struct kerror_event *second)
{
	return first->group == second->group && !(first->header.flags & EVL_FLAG_TRUNCATED) &&
	       second->header.flags & EVL_FLAG_CONTINUES;
}

static bool is_message(const struct kerror_event *event)
{
	return event->structured && event->group == KERROR_GROUP_PRINTK &&
	       !(event->header.flags & EVL_FLAG_IMPORTED) &&
	       (event->format || event->header.format == EVL_FORMAT_STRING);
}

int kerror_joiner_add(struct kerror_joiner *joiner, const struct kerror_event *event,
		      uint64_t now)
{
	struct kerror_event *its, *joined = NULL;
	struct line *line;
	uint64_t writer;

	if (joiner->ready_count)
		return -EBUSY;
	its = kerror_event_copy(event);
	if (!its)
		return -ENOMEM;
	if (!is_message(event)) {
		give(joiner, its);
		return 0;
	}
	writer = writer_of(&event->header);
	line = find_line(joiner, writer);
	if (line && can_join(line->event, event))
		joined = join(line->event, event);
	if (joined) {
		joined->first = line->event->first ? : line->event;
		if (line->event->first) {
			line->event->first = NULL;
			kerror_event_free(line->event);
		}
		kerror_event_free(its);
		line->event = joined;
		line->since = now;
		line->order = joiner->parts++;
		if (!(joined->header.flags & EVL_FLAG_OPEN))
			give(joiner, take_line(line));
		return 0;
	}
	if (line)
		give(joiner, take_line(line));
	if (event->header.flags & EVL_FLAG_OPEN)
		begin_line(joiner, its, writer, now);
	else
		give(joiner, its);
	return 0;
}

struct kerror_event *kerror_joiner_next(struct kerror_joiner *joiner, uint64_t now)
{
	struct kerror_event *event;
	struct line *line;

	if (joiner->ready_count) {
		event = joiner->ready[0];
		joiner->ready_count--;
		memmove(joiner->ready, joiner->ready + 1,
			joiner->ready_count * sizeof(*joiner->ready));
		return event;
	}
	line = oldest_line(joiner);
	return line && now > line->since && now - line->since >= KERROR_JOIN_MS ?
	       take_line(line) : NULL;
}

int kerror_joiner_wait(const struct kerror_joiner *joiner, uint64_t now)
{
	const struct line *line = oldest_line((struct kerror_joiner *)joiner);
	uint64_t held = line ? now - line->since : 0;

	if (joiner->ready_count)
		return 0;
	return !line ? -1 : held >= KERROR_JOIN_MS ? 0 : (int)(KERROR_JOIN_MS - held);
}

const struct kerror_event *kerror_event_first_part(const struct kerror_event *event)
{
	return event->first;
}
