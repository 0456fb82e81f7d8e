// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an acknowledged message is in doubt: as long as a receive buffer may
 * hold it, but not for ever, as an idle connection is often reset by what is
 * between the two.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kept.h"

/* A receive buffer may hold more than the window that it announced. */
#define WINDOWS		2
#define LEAST_BYTES	65536
#define MOST_BYTES	(8 << 20)
#define MOST_NS		10000000000ULL

static void remove_early(struct kept *kept, uint64_t now)
{
	kept->early++;
	kept->early_at = now;
}

void kept_add(struct kept *kept, const char *text, size_t size)
{
	struct kept_message *message = malloc(sizeof(*message) + size);
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	if (!message) {
		remove_early(kept, now);
		return;
	}
	*message = (struct kept_message) { .time = now, .size = size };
	memcpy(message->text, text, size);
	STAILQ_INSERT_TAIL(&kept->list, message, next);
	kept->bytes += size;
}

void kept_remove(struct kept *kept, struct kept_message *message)
{
	STAILQ_REMOVE(&kept->list, message, kept_message, next);
	kept->bytes -= message->size;
	free(message);
}

void kept_remove_all(struct kept *kept)
{
	while (!STAILQ_EMPTY(&kept->list))
		kept_remove(kept, STAILQ_FIRST(&kept->list));
	kept->early = 0;
}

void kept_remove_old(struct kept *kept, uint64_t window)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	uint64_t most = WINDOWS * window + LEAST_BYTES;
	struct kept_message *message;

	while ((message = STAILQ_FIRST(&kept->list))) {
		if (kept->bytes <= most && message->time + MOST_NS > now) {
			if (kept->bytes <= MOST_BYTES)
				break;
			remove_early(kept, now);
		}
		kept_remove(kept, message);
	}
	if (kept->early_at + MOST_NS < now)
		kept->early = 0;
}
