// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store on SQLite: see store.h for what it promises. In write-ahead mode
 * readers never stop the writer, and a transaction is there as a whole or not at
 * all, whenever the program or the machine stops. This file opens the database
 * and turns SQLite's errors into ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "store_internal.h"

static const char *const statement_sql[] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD_BOOT] = "INSERT OR IGNORE INTO boot(boot_id) VALUES(?1)",
	[FIND_BOOT] = "SELECT boot FROM boot WHERE boot_id = ?1",
	[ADD_EVENT] =
		"INSERT INTO event(boot, event_group, sequence, thread,"
		" time, severity, facility, device, event_id, text, data)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" ON CONFLICT(boot, event_group, sequence) DO NOTHING",
	[ADD_LOSS] =
		"INSERT INTO loss(boot, event_group, time, cause, count, total)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SET_PROGRESS] =
		"INSERT OR REPLACE INTO progress(boot, event_group, cause, value)"
		" VALUES(?1, ?2, ?3, ?4)",
	[GET_PROGRESS] =
		"SELECT value FROM progress JOIN boot USING(boot)"
		" WHERE boot_id = ?1 AND event_group = ?2 AND cause = ?3",
	[ACKNOWLEDGE] =
		"UPDATE event SET acknowledged = ?3"
		" WHERE id BETWEEN ?1 AND ?2 AND acknowledged IS NULL",
};

uint64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int store_failed(struct store *store)
{
	int code = sqlite3_errcode(store->database) & 0xff;
	int system_errno = 0;
	static const char not_writable[] =
		"; it needs a file system and a folder that can be written";
	const char *remedy = "";
	int err = -EIO;

	/* After other errors it is that of an earlier failure. */
	if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
		system_errno = sqlite3_system_errno(store->database);
	if (system_errno == ENOSPC || system_errno == EDQUOT)
		code = SQLITE_FULL;
	switch (code) {
	case SQLITE_FULL:
		err = -ENOSPC;
		remedy = "; make room on its file system";
		break;
	case SQLITE_READONLY:
		err = -EROFS;
		remedy = not_writable;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err = -EBUSY;
		remedy = "; another program holds it locked";
		break;
	case SQLITE_CANTOPEN:
		err = system_errno ? -system_errno : -ENOENT;
		remedy = store->writable ? not_writable :
			 err == -EACCES ? "; run it as root" :
			 "; does kerrord run, with a store at this place?";
		break;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		err = -EACCES;
		remedy = "; run it as root";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err = -EUCLEAN;
		remedy = "; move it away, kerrord begins a new one";
		break;
	case SQLITE_NOMEM:
		err = -ENOMEM;
		break;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
		err = -EINVAL;
		break;
	}
	snprintf(store->message, sizeof(store->message), "store %s: %s%s%s%s",
		 store->path, sqlite3_errmsg(store->database),
		 err == -EIO && system_errno ? ": " : "",
		 err == -EIO && system_errno ? strerror(system_errno) : "",
		 remedy);
	return err;
}

int store_execute(struct store *store, const char *sql)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ?
	       0 : store_failed(store);
}

int store_step(struct store *store, enum statement which)
{
	int code = sqlite3_step(store->statement[which]);
	int err = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		err = store_failed(store);
	sqlite3_reset(store->statement[which]);
	return err;
}

void store_finish(struct store *store, enum statement which)
{
	sqlite3_reset(store->statement[which]);
}

static void note(struct values *values, int code)
{
	if (!values->code)
		values->code = code;
}

void add_number(struct values *values, int64_t number)
{
	note(values, sqlite3_bind_int64(values->statement, ++values->count,
					number));
}

void add_null(struct values *values)
{
	note(values, sqlite3_bind_null(values->statement, ++values->count));
}

void add_text(struct values *values, const char *text, size_t size)
{
	note(values, sqlite3_bind_text64(values->statement, ++values->count,
					 text, size, SQLITE_STATIC,
					 SQLITE_UTF8));
}

void add_bytes(struct values *values, const void *bytes, size_t size)
{
	/* SQLite would take a null pointer for NULL. */
	note(values, sqlite3_bind_blob64(values->statement, ++values->count,
					 size ? bytes : "", size,
					 SQLITE_STATIC));
}

int store_step_with(struct store *store, enum statement which,
		    const struct values *values)
{
	return values->code ? store_failed(store) : store_step(store, which);
}

int store_number(struct store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement;
	int err = 0;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) !=
	    SQLITE_OK)
		return store_failed(store);
	if (sqlite3_step(statement) == SQLITE_ROW)
		*value = sqlite3_column_int64(statement, 0);
	else
		err = store_failed(store);
	sqlite3_finalize(statement);
	return err;
}

static int prepare(struct store *store, bool writable)
{
	int64_t version;
	int err, i;

	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_busy_timeout(store->database, STORE_PATIENCE_MS);
	err = store_number(store, "PRAGMA user_version", &version);
	if (err)
		return err;
	if (version > STORE_VERSION) {
		snprintf(store->message, sizeof(store->message),
			 "store %s: made by a newer version (schema %lld, this one knows %d); update kerror",
			 store->path, (long long)version, STORE_VERSION);
		return -EPROTO;
	}
	if (writable && version < STORE_VERSION) {
		/* Takes effect only before there is a table. */
		err = store_execute(store, "PRAGMA auto_vacuum = INCREMENTAL");
		if (!err)
			err = store_execute(store, "PRAGMA journal_mode = WAL");
		if (!err)
			err = store_migrate(store, version);
		if (err)
			return err;
	} else if (version < STORE_VERSION) {
		snprintf(store->message, sizeof(store->message),
			 "store %s: made by an older version; start kerrord, which updates it",
			 store->path);
		return -EPROTO;
	}
	if (writable) {
		/* What a machine says before it dies must be on the disk. */
		err = store_execute(store, "PRAGMA synchronous = FULL;"
				     "PRAGMA journal_size_limit = 16777216");
		if (err)
			return err;
	}
	for (i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->database, statement_sql[i], -1,
				       SQLITE_PREPARE_PERSISTENT,
				       &store->statement[i], NULL) != SQLITE_OK)
			return store_failed(store);
	return 0;
}

static void close_database(struct store *store)
{
	int i;

	for (i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(store->statement[i]);
		store->statement[i] = NULL;
	}
	sqlite3_close(store->database);
	store->database = NULL;
}

static int open_database(struct store *store, bool writable)
{
	int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE :
			       SQLITE_OPEN_READONLY;
	int err;

	if (sqlite3_open_v2(store->path, &store->database,
			    flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
		err = prepare(store, writable);
	else
		err = store->database ? store_failed(store) : -ENOMEM;
	if (err)
		close_database(store);
	return err;
}

int store_set_aside(const char *path, char *moved_to, size_t size)
{
	static const char *const suffixes[] = { "-wal", "-shm" };
	char from[300];
	size_t i;

	snprintf(moved_to, size, "%s.corrupt-%llu", path,
		 (unsigned long long)(store_now() / 1000000));
	if (rename(path, moved_to))
		return -errno;
	/* They belong to it; SQLite would take them for the new one's. */
	for (i = 0; i < 2; i++) {
		char to[300];

		snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		snprintf(to, sizeof(to), "%s%s", moved_to, suffixes[i]);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int store_open(struct store **result, const char *path, bool writable)
{
	struct store *store = calloc(1, sizeof(*store));
	char moved_to[280];
	int err;

	*result = store;
	if (!store)
		return -ENOMEM;
	store->writable = writable;
	if (snprintf(store->path, sizeof(store->path), "%s", path) >=
	    (int)sizeof(store->path)) {
		snprintf(store->message, sizeof(store->message),
			 "store: the path is longer than %zu characters",
			 sizeof(store->path) - 1);
		return -ENAMETOOLONG;
	}
	err = open_database(store, writable);
	if (err != -EUCLEAN || !writable)
		return err;
	err = store_set_aside(path, moved_to, sizeof(moved_to));
	if (err) {
		snprintf(store->message, sizeof(store->message),
			 "store %s is corrupted and cannot be moved aside: %s",
			 path, strerror(-err));
		return err;
	}
	err = open_database(store, writable);
	if (!err)
		snprintf(store->message, sizeof(store->message),
			 "store %s was corrupted; it is now %s, and a new one begins",
			 path, moved_to);
	return err;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	close_database(store);
	free(store);
}

const char *store_message(const struct store *store)
{
	return store ? store->message : "out of memory";
}

int store_boot_id(char id[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return -errno;
	size = read(fd, id, BOOT_ID_SIZE - 1);
	close(fd);
	if (size != BOOT_ID_SIZE - 1)
		return -EIO;
	id[size] = '\0';
	return 0;
}
