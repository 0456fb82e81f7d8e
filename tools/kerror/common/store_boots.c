// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boots that a store has something of, in the order in which kerrord came to know
 * them: for --boot and --list-boots. They are told of when the transaction has ended,
 * as whoever reads them may take his time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "store_internal.h"

struct counted {
	char id[BOOT_ID_SIZE];
	uint64_t events, first, last;
};

/* Modules that were loaded again have a row of their own for each load. */
static const char *sql_of(bool count)
{
	return count ?
	       "SELECT boot_id, count(event.id), coalesce(min(time), 0),"
	       " coalesce(max(time), 0) FROM boot LEFT JOIN event USING(boot)"
	       " GROUP BY boot_id ORDER BY min(boot.boot)" :
	       "SELECT boot_id, 0, 0, 0 FROM boot GROUP BY boot_id ORDER BY min(boot)";
}

int store_boots(struct store *store, bool count,
		void (*found)(void *context, const struct store_boot *boot), void *context)
{
	struct counted *boots = NULL, *more;
	sqlite3_stmt *statement;
	size_t size = 0;
	int code;

	if (sqlite3_prepare_v2(store->database, sql_of(count), -1, &statement, NULL) !=
	    SQLITE_OK)
		return store_failed(store);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(statement, 0);

		more = reallocarray(boots, size + 1, sizeof(*boots));
		if (!more)
			break;
		boots = more;
		more += size++;
		snprintf(more->id, sizeof(more->id), "%s", id ? id : "");
		more->events = sqlite3_column_int64(statement, 1);
		more->first = sqlite3_column_int64(statement, 2);
		more->last = sqlite3_column_int64(statement, 3);
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		code = store_failed(store);
	else
		code = code == SQLITE_ROW ? -ENOMEM : 0;
	sqlite3_finalize(statement);
	for (size_t i = 0; !code && i < size; i++)
		found(context, &(struct store_boot) {
			.id = boots[i].id, .events = boots[i].events,
			.first = boots[i].first, .last = boots[i].last,
		});
	free(boots);
	return code;
}
