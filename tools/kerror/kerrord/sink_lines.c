// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of the kernel log that several events make up, for the sinks that look at these
 * as one event, too: rules, conditions and JSON. The receiver, and each sink that is
 * behind, has a joiner, which gets each event after the sinks had it.
 *
 * Promise: nothing waits for a line. It has the number of its first event, and is for sinks
 * that have had nothing behind that when kerrord began: no line comes twice. One of which
 * kerrord was killed between the events is none.
 */
#include <stdlib.h>
#include "kerrord.h"

uint64_t now_ms(void)
{
	return now_ns(CLOCK_MONOTONIC) / 1000000;
}

void lines_add(struct kerror_joiner *joiner, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const uint32_t part = EVL_FLAG_OPEN | EVL_FLAG_CONTINUES;

	/* A message that is a line by itself ends at most the one before it. */
	if (!joiner || !header || (!(header->flags & part) &&
				   kerror_joiner_wait(joiner, now_ms()) < 0))
		return;
	kerror_joiner_add(joiner, event, now_ms());
}

struct record *lines_next(struct kerror_joiner *joiner, uint64_t now)
{
	struct kerror_event *event;
	struct record *record;

	while (joiner && (event = kerror_joiner_next(joiner, now))) {
		record = kerror_event_first_part(event) ? record_of_line(event) : NULL;
		if (record)
			return record;
		kerror_event_free(event);
	}
	return NULL;
}

int lines_wait(const struct kerror_joiner *joiner)
{
	return joiner ? kerror_joiner_wait(joiner, now_ms()) : -1;
}

bool is_new_to(const struct kerror_filter *filter, const struct kerror_event *event)
{
	const struct kerror_event *first = kerror_event_first_part(event);

	return filter && kerror_filter_matches(filter, event) &&
	       !(first && kerror_filter_matches(filter, first));
}
