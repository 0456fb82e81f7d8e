// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps the store within its age and its size.
 */
#include <stdio.h>
#include "store_internal.h"

/* Most that is deleted at once, so that others get their turn */
#define RETAIN_STEP 10000

static int used_bytes(struct store *store, int64_t *bytes)
{
	return store_number(store,
			  "SELECT (page_count - freelist_count) * page_size"
			  " FROM pragma_page_count, pragma_freelist_count,"
			  " pragma_page_size", bytes);
}

int store_retain(struct store *store, uint64_t age_s, uint64_t bytes)
{
	uint64_t now = store_now();
	int64_t used = 0, events = 1, surplus;
	char sql[256];
	int err = 0;

	if (age_s && now / 1000000000 > age_s) {
		uint64_t oldest = now - age_s * 1000000000;

		snprintf(sql, sizeof(sql),
			 "DELETE FROM event WHERE time < %llu;"
			 "DELETE FROM loss WHERE time < %llu",
			 (unsigned long long)oldest, (unsigned long long)oldest);
		err = store_execute(store, sql);
	}
	while (!err && bytes) {
		err = used_bytes(store, &used);
		if (err || (uint64_t)used <= bytes || !events)
			break;
		/* About as many as are too many: all are of a similar size. */
		err = store_number(store,
				 "SELECT coalesce(max(id) - min(id), 0) FROM event",
				 &surplus);
		if (err)
			break;
		surplus = surplus * (1 - (double)bytes / used) + 1;
		snprintf(sql, sizeof(sql),
			 "DELETE FROM event WHERE id IN"
			 " (SELECT id FROM event ORDER BY time LIMIT %lld)",
			 (long long)(surplus < RETAIN_STEP ? surplus :
				     RETAIN_STEP));
		err = store_execute(store, sql);
		events = sqlite3_changes(store->database);
	}
	return err ? err : store_execute(store, "PRAGMA incremental_vacuum");
}
