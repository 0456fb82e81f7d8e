// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches the write-ahead log. SQLite can begin it anew only when no reader needs
 * its end: a program that stays in a read transaction lets it grow with each
 * event. kerrorctl does not do that (store_page.c), but others may.
 */
#include <errno.h>
#include <stdio.h>
#include "store_internal.h"

/* Pages after which they are copied into the database, as SQLite does by itself */
#define CHECKPOINT_PAGES 1000

/* Bytes in front of each page in the log */
#define FRAME_HEADER 24

static int count_pages(void *context, sqlite3 *database, const char *name,
		       int pages)
{
	struct store *store = context;

	store->log_pages = pages;
	if (pages >= CHECKPOINT_PAGES)
		sqlite3_wal_checkpoint_v2(database, name,
					  SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

int store_watch_log(struct store *store)
{
	int pages = 0, done = 0;
	int err;

	err = store_number(store, "PRAGMA page_size", &store->page_size);
	sqlite3_wal_hook(store->database, count_pages, store);
	/* Those of the last kerrord; a failure is one of a later write, too. */
	if (!err && sqlite3_wal_checkpoint_v2(store->database, NULL,
					      SQLITE_CHECKPOINT_PASSIVE, &pages,
					      &done) == SQLITE_OK && pages > 0)
		store->log_pages = pages;
	return err;
}

uint64_t store_log_bytes(const struct store *store)
{
	return (uint64_t)store->log_pages * (store->page_size + FRAME_HEADER);
}

int store_shorten_log(struct store *store)
{
	int code;

	/* Only if no reader is in the way right now */
	sqlite3_busy_timeout(store->database, 0);
	code = sqlite3_wal_checkpoint_v2(store->database, NULL,
					 SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(store->database, STORE_PATIENCE_MS);
	if (code == SQLITE_OK) {
		store->log_pages = 0;
		return 0;
	}
	if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED)
		return store_failed(store);
	snprintf(store->message, sizeof(store->message),
		 "store %s: its log has grown to %llu MiB, because a program reads without an end; 'fuser %s-shm' shows it",
		 store->path,
		 (unsigned long long)store_log_bytes(store) >> 20, store->path);
	return -EBUSY;
}
