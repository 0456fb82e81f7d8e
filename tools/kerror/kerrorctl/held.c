// SPDX-License-Identifier: GPL-2.0-only
/*
 * The newest so many of the events that came: for watch --limit, which shows them when
 * the kernel has no more from before.
 */
#include <stdlib.h>
#include "kerrorctl.h"

struct kerror_event *copy_event(const struct kerror_event *event)
{
	return must_have(kerror_event_copy(event));
}

void hold_event(struct held *held, const struct kerror_event *event)
{
	struct kerror_event **place;

	if (!held->events)
		held->events = must_have(calloc(held->limit, sizeof(*held->events)));
	place = &held->events[held->next++ % held->limit];
	kerror_event_free(*place);
	*place = copy_event(event);
}

void release_held(struct held *held,
		  void (*print)(void *context, const struct kerror_event *event), void *context)
{
	for (size_t i = 0; held->events && i < held->limit; i++) {
		struct kerror_event *event = held->events[(held->next + i) % held->limit];

		if (event)
			print(context, event);
		kerror_event_free(event);
	}
	free(held->events);
	*held = (struct held) { 0 };
}
