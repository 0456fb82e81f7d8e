// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared by the commands that look into kerrord's store: opening it, its errors,
 * and what the options mean for a query.
 */
#include <err.h>
#include <stdlib.h>
#include "kerrorctl.h"
#include "store.h"

void check_store(const struct store *store, int64_t result)
{
	if (result < 0)
		errx(EXIT_FAILURE, "%s", store_message(store));
}

struct store *open_store(const struct common *common, bool writable)
{
	const char *path = common->store ? common->store : STORE_PATH;
	struct store *store;

	/*
	 * First without the right to write, which would make one that is absent
	 * and move one aside that is corrupted: that is for kerrord to do.
	 */
	check_store(store, store_open(&store, path, false));
	if (writable) {
		store_close(store);
		check_store(store, store_open(&store, path, true));
	}
	return store;
}

static bool matches(void *context, const struct kerror_event *event)
{
	return is_wanted(context, event);
}

void select_stored(struct store_query *query, struct common *common)
{
	query->filter = common->filter;
	query->groups = common->groups;
	if (common->grep)
		query->matches = matches;
	query->context = common;
}
