// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells whether a file is a store, so that a wrong path costs nobody a file.
 *
 * A store has our application id in SQLite's header. One of the first version
 * has none, but its four tables. Everything else is somebody else's: it is never
 * renamed, written or given tables, even if it looks corrupted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "store_internal.h"

#define HEADER_SIZE		100
#define HEADER_APPLICATION	68	/* STORE_APPLICATION, big-endian */

static int not_ours(struct store *store, const char *reason)
{
	snprintf(store->message, sizeof(store->message),
		 "store %s: this is %s; name another path, or move it away",
		 store->path, reason);
	return -EEXIST;
}

static int first_version(struct store *store, int64_t version)
{
	int64_t all, known;
	int err;

	err = store_number(store, "SELECT count(*) FROM sqlite_master", &all);
	if (!err)
		err = store_number(store,
				   "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
				   " AND name IN ('boot', 'event', 'loss', 'progress')",
				   &known);
	if (err)
		return err;
	if (!all && !version)
		return 1;
	return known == 4 && version == 1 ? 0 :
	       not_ours(store, "a database of another program");
}

int store_identify(struct store *store)
{
	int64_t application, version;
	int err;

	err = store_number(store, "PRAGMA application_id", &application);
	if (!err)
		err = store_number(store, "PRAGMA user_version", &version);
	if (err)
		return err;
	store->version = version;
	if (application && application != STORE_APPLICATION)
		return not_ours(store, "a database of another program");
	if (!application)
		return first_version(store, version);
	if (version <= STORE_VERSION)
		return version ? 0 : 1;
	snprintf(store->message, sizeof(store->message),
		 "store %s: made by a newer version (schema %lld, this one knows %d); update kerror",
		 store->path, (long long)version, STORE_VERSION);
	return -EPROTO;
}

bool store_is_marked(const struct store *store)
{
	unsigned char header[HEADER_SIZE];
	sqlite3_file *file = NULL;

	/*
	 * SQLite's own handle: another one, when it is closed, would take away
	 * the locks of this process.
	 */
	sqlite3_file_control(store->database, "main",
			     SQLITE_FCNTL_FILE_POINTER, &file);
	return file && file->pMethods &&
	       file->pMethods->xRead(file, header, sizeof(header), 0) ==
	       SQLITE_OK &&
	       !memcmp(header, "SQLite format 3", 16) &&
	       !memcmp(header + HEADER_APPLICATION, "kerr", 4);
}

/* To open a pipe, or a device, can take for ever. */
int store_identify_file(struct store *store)
{
	struct stat status;

	return stat(store->path, &status) || S_ISREG(status.st_mode) ? 0 :
	       not_ours(store, "no file");
}

int store_check_place(struct store *store)
{
	int moved = 0;

	sqlite3_file_control(store->database, "main", SQLITE_FCNTL_HAS_MOVED,
			     &moved);
	if (!moved)
		return 0;
	snprintf(store->message, sizeof(store->message),
		 "store %s: it was removed, or another file is in its place; it is opened anew",
		 store->path);
	return -ESTALE;
}

int store_identify_corrupted(struct store *store)
{
	return store_is_marked(store) ? -EUCLEAN :
	       not_ours(store, "no store of kerrord");
}
