// SPDX-License-Identifier: GPL-2.0-only
/*
 * The origins of the events that a query finds, by series. A store of many machines has
 * many, so each is read when the first event of it is found, within the transaction of
 * that page.
 */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include "store_internal.h"

struct boot {
	int64_t boot;
	struct kerror_origin *origin;
};

static int compare(const void *a, const void *b)
{
	int64_t left = ((const struct boot *)a)->boot;
	int64_t right = ((const struct boot *)b)->boot;

	return left < right ? -1 : left > right;
}

static void free_boot(void *node)
{
	struct boot *boot = node;

	kerror_origin_release(boot->origin);
	free(boot);
}

/* Fields in the columns of the statement's row; false without memory */
static bool take_columns(struct kerror_origin *origin, sqlite3_stmt *row)
{
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const char *value = (const char *)sqlite3_column_text(row, i);

		if (value && kerror_origin_set(origin, sqlite3_column_name(row, i), value))
			return false;
	}
	return true;
}

static int read_boot(struct origins *origins, struct boot *boot)
{
	struct values values = { 0 };
	int code, err = 0;
	char sql[96];

	snprintf(sql, sizeof(sql), "SELECT boot_id, nullif(%s, 0) AS instance FROM boot"
		 " WHERE boot = ?1", origins->store->instance_sql);
	if (!origins->statement &&
	    sqlite3_prepare_v2(origins->store->database, sql, -1, &origins->statement, NULL) !=
	    SQLITE_OK)
		return store_failed(origins->store);
	values.statement = origins->statement;
	add_number(&values, boot->boot);
	code = sqlite3_step(origins->statement);
	if (code == SQLITE_ROW && !take_columns(boot->origin, origins->statement))
		err = -ENOMEM;
	else if (code != SQLITE_ROW && code != SQLITE_DONE)
		err = store_failed(origins->store);
	sqlite3_reset(origins->statement);
	return err;
}

static struct boot *new_boot(struct origins *origins, int64_t number, int *err)
{
	struct boot *boot = calloc(1, sizeof(*boot));

	*err = -ENOMEM;
	if (!boot)
		return NULL;
	boot->boot = number;
	boot->origin = kerror_origin_new();
	if (boot->origin)
		*err = read_boot(origins, boot);
	if (!*err && !tsearch(boot, &origins->tree, compare))
		*err = -ENOMEM;
	if (!*err)
		return boot;
	free_boot(boot);
	return NULL;
}

struct kerror_origin *origins_of(struct origins *origins, int64_t number, int *err)
{
	const struct boot key = { .boot = number };
	struct boot **found;

	if (origins->last && origins->last->boot == number)
		return origins->last->origin;
	found = tfind(&key, &origins->tree, compare);
	origins->last = found ? *found : new_boot(origins, number, err);
	return origins->last ? origins->last->origin : NULL;
}

void origins_free(struct origins *origins)
{
	tdestroy(origins->tree, free_boot);
	sqlite3_finalize(origins->statement);
}
