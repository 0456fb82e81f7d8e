// SPDX-License-Identifier: GPL-2.0-only
/*
 * The origin of what kerrord receives and says: this machine, with the tags of the
 * configuration. The receiver looks at the start, at SIGHUP and with each look at the
 * counters. Records that there are already keep the origin that they have.
 */
#include <stdio.h>
#include "kerrord.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kerror_origin *current;

bool identity_look(const struct tag *tags, uint64_t instance)
{
	struct kerror_origin *seen = identity_read(instance);
	const struct tag *tag;
	bool changed;

	for (tag = tags; seen && tag; tag = tag->next)
		if (kerror_origin_set(seen, tag->name, tag->value)) {
			kerror_origin_release(seen);
			seen = NULL;
		}
	/* Without memory the last look counts. */
	changed = seen && !kerror_origin_same(seen, current);
	if (changed) {
		struct kerror_origin *old = current;

		pthread_mutex_lock(&lock);
		current = seen;
		pthread_mutex_unlock(&lock);
		seen = old;
	}
	kerror_origin_release(seen);
	return changed;
}

struct kerror_origin *identity(void)
{
	struct kerror_origin *origin;

	pthread_mutex_lock(&lock);
	origin = kerror_origin_hold(current);
	pthread_mutex_unlock(&lock);
	return origin;
}

void identity_use(struct kerror_reader *reader)
{
	struct kerror_origin *origin = identity();

	kerror_reader_set_origin(reader, origin);
	kerror_origin_release(origin);
}
