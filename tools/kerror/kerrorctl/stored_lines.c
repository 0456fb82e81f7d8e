// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joins what query has found in the store, for --join: events that make up one line of the
 * kernel log become one, which has the number of the first. All others go through as they
 * are. The time is that of the events, as if they came now.
 */
#include <stdlib.h>
#include "kerrorctl.h"
#include "store.h"

/* An event that the joiner has */
struct held_item {
	struct store_item item;
	uint32_t group, sequence;
	struct held_item *next;
};

struct stored_lines {
	struct kerror_joiner *joiner;
	struct held_item *held;
	int (*found)(void *context, const struct store_item *item);
	void *context;
};

struct stored_lines *stored_lines_new(int (*found)(void *context, const struct store_item *item),
				      void *context)
{
	struct stored_lines *lines = must_have(calloc(1, sizeof(*lines)));

	lines->joiner = must_have(kerror_joiner_new());
	lines->found = found;
	lines->context = context;
	return lines;
}

static void hold(struct stored_lines *lines, const struct store_item *item)
{
	struct held_item *held = must_have(malloc(sizeof(*held)));

	*held = (struct held_item) {
		.item = *item, .next = lines->held,
		.group = kerror_event_group(item->event),
		.sequence = kerror_event_sequence(item->event),
	};
	lines->held = held;
}

static void forget_all(struct stored_lines *lines)
{
	while (lines->held) {
		struct held_item *next = lines->held->next;

		free(lines->held);
		lines->held = next;
	}
}

/* Lines that are complete at that time, under the number of their first part */
static int release(struct stored_lines *lines, uint64_t now)
{
	struct kerror_event *event;
	int stop = 0;

	while ((event = kerror_joiner_next(lines->joiner, now))) {
		struct held_item *held = lines->held;

		while (held && (held->sequence != kerror_event_sequence(event) ||
				held->group != kerror_event_group(event)))
			held = held->next;
		if (held && !stop) {
			struct store_item item = held->item;

			item.event = event;
			item.origin = kerror_event_origin(event);
			stop = lines->found(lines->context, &item);
		}
		kerror_event_free(event);
	}
	if (kerror_joiner_wait(lines->joiner, now) < 0)
		forget_all(lines);
	return stop;
}

int stored_lines_add(struct stored_lines *lines, const struct store_item *item)
{
	const struct evl_header *header = item->event ? kerror_event_header(item->event) : NULL;
	const uint32_t part = EVL_FLAG_OPEN | EVL_FLAG_CONTINUES;
	const uint64_t now = item->time / 1000000;

	if (!header || (!(header->flags & part) && kerror_joiner_wait(lines->joiner, now) < 0))
		return lines->found(lines->context, item);
	hold(lines, item);
	if (kerror_joiner_add(lines->joiner, item->event, now))
		must_have(NULL);
	return release(lines, now);
}

void stored_lines_end(struct stored_lines *lines)
{
	release(lines, UINT64_MAX);
	kerror_joiner_free(lines->joiner);
	free(lines);
}
