/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages that a syslog server has acknowledged last: if it dies, it may
 * not have read them, and they are sent again.
 */
#ifndef KEPT_H
#define KEPT_H

#include <sys/queue.h>
#include "kerrord.h"

/**
 * struct kept_message - one of them
 * @time: when it was sent last
 * @tries: how often it was sent again
 */
struct kept_message {
	STAILQ_ENTRY(kept_message) next;
	uint64_t time;
	unsigned int tries;
	size_t size;
	char text[];
};

/**
 * struct kept - all of them, the oldest first
 * @bytes: of their texts
 * @early: how many are not kept for want of memory, although in doubt
 * @early_at: when the last of those was let go of
 */
struct kept {
	STAILQ_HEAD(kept_list, kept_message) list;
	size_t bytes;
	unsigned int early;
	uint64_t early_at;
};

void kept_add(struct kept *kept, const char *text, size_t size);
void kept_remove(struct kept *kept, struct kept_message *message);
void kept_remove_all(struct kept *kept);

/* Forgets what the server must have read by now; @window: its largest. */
void kept_remove_old(struct kept *kept, uint64_t window);

#endif
