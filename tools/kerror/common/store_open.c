// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a store: for kerrord, which makes, updates and replaces it, or for
 * programs that only look, which may have no right to write anything.
 *
 * A file that is not a store is never changed: see store_identity.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store_internal.h"

/* The log is cut to this size whenever it begins anew. */
#define LOG_KEPT "16777216"

static const char *const statement_sql[] = {
	/* Of readers, too: */
	[GET_PROGRESS] =	/* with store->instance_sql */
		"SELECT value FROM progress JOIN boot USING(boot) WHERE boot_id = ?1"
		" AND %s = ?2 AND event_group = ?3 AND cause = ?4",
	/* Of the writer: */
	[FIND_BOOT] = "SELECT boot FROM boot WHERE boot_id = ?1 AND instance = ?2",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD_BOOT] =
		"INSERT INTO boot(boot_id, instance, machine, host, release, version,"
		" arch, livepatch) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT(boot_id, instance) DO UPDATE SET machine = excluded.machine,"
		" host = excluded.host, release = excluded.release,"
		" version = excluded.version, arch = excluded.arch,"
		" livepatch = excluded.livepatch",
	[ADD_EVENT] =
		"INSERT INTO event(boot, event_group, sequence, thread, arrived,"
		" time, severity, facility, device, event_id, text, data)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT(boot, event_group, sequence) DO NOTHING",
	[ADD_LOSS] =
		"INSERT INTO loss(boot, event_group, time, arrived, cause, count,"
		" total) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SET_PROGRESS] =
		"INSERT OR REPLACE INTO progress(boot, event_group, cause, value)"
		" VALUES(?1, ?2, ?3, ?4)",
	[SET_STATE] = "INSERT OR REPLACE INTO state(name, value) VALUES(?1, ?2)",
	[ACKNOWLEDGE] =
		"UPDATE event SET acknowledged = ?3"
		" WHERE id BETWEEN ?1 AND ?2 AND acknowledged IS NULL",
	[TOUCH] = "SELECT boot FROM boot LIMIT 1",
	[RAISE] =
		"INSERT INTO condition VALUES(?1, CASE WHEN EXISTS"
		" (SELECT 1 FROM condition WHERE name = ?1 AND key = ?2) OR"
		" ?12 > 0 THEN ?2 ELSE ?13 END,"
		" ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, 1, NULL, NULL, 1, 0, ?14)"
		" ON CONFLICT(name, key) DO UPDATE SET"
		" since = iif(cleared IS NULL, since, excluded.since),"
		" count = iif(cleared IS NULL, count + 1, 1),"
		" changes = changes + (cleared IS NOT NULL),"
		" cleared = NULL, cleared_by = NULL, rule = excluded.rule,"
		" severity = excluded.severity, meaning = excluded.meaning,"
		" remedy = excluded.remedy, text = excluded.text, found = excluded.found,"
		" expires = excluded.expires, boot_id = excluded.boot_id,"
		" last = excluded.last, arrived = excluded.arrived"
		" RETURNING changes = 1 AND count = 1",
	[CLEAR] =
		"UPDATE condition SET cleared = ?4, cleared_by = ?3,"
		" changes = changes + 1 WHERE cleared IS NULL AND name = ?1"
		" AND key = coalesce(?2, key)",
	[CLEAR_MACHINE] =
		"UPDATE condition SET cleared = ?4, cleared_by = ?3,"
		" changes = changes + 1 WHERE cleared IS NULL AND name = ?1"
		" AND (key = ?2 OR substr(key, 1, length(?2) + 1) = ?2 || ' ')",
	[CLEAR_TAGS] = "DELETE FROM tag WHERE boot = ?1",
	[END_BOOT] =
		"UPDATE boot SET how = ?2, message = ?3, began = ?4, ended = ?5,"
		" before = (SELECT min(boot) FROM boot WHERE boot_id = ?6 AND boot < ?1)"
		" WHERE boot = ?1",
	[ADD_TAG] = "INSERT INTO tag(boot, name, value) VALUES(?1, ?2, ?3)",
	[BOOT_MACHINE] = "SELECT machine, host FROM boot WHERE boot_id = ?1 AND instance = ?2",
	[GET_COLLECTED] =
		"SELECT next, told, lost, gone, reported, named FROM collected"
		" WHERE boot = ?1 AND event_group = ?2",
	[SET_COLLECTED] =
		"INSERT OR REPLACE INTO collected(boot, event_group, next, told, lost, gone,"
		" reported, named) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[FIND_GAP] =
		"SELECT first, last, arrived FROM gap WHERE boot = ?1 AND event_group = ?2"
		" AND first <= ?3 ORDER BY first DESC LIMIT 1",
	[ADD_GAP] =
		"INSERT OR REPLACE INTO gap(boot, event_group, first, last, arrived)"
		" VALUES(?1, ?2, ?3, ?4, ?5)",
	[DELETE_GAP] = "DELETE FROM gap WHERE boot = ?1 AND event_group = ?2 AND first = ?3",
	[OLD_GAPS] =
		"SELECT boot, event_group, first, last FROM gap WHERE arrived <= ?1 LIMIT ?2",
	[FIND_LOSS] =
		"SELECT 1 FROM loss WHERE boot = ?1 AND event_group = ?2 AND cause = ?3"
		" AND total = ?4 AND time = ?5",
	[LAST_LOSS] =
		"SELECT rowid, count FROM loss WHERE boot = ?1 AND event_group = ?2"
		" AND cause = ?3 ORDER BY rowid DESC LIMIT 1",
	[TOLD_MORE] =
		"SELECT c.boot, event_group FROM boot JOIN collected c USING(boot)"
		" WHERE coalesce(machine, host) = ?1 AND told > next",
	[GET_MACHINE] = "SELECT silent, boot, sent FROM machine WHERE machine = ?1",
	[SET_MACHINE] =
		"INSERT OR REPLACE INTO machine(machine, boot, heard, arrived, sent, interval,"
		" behind, silent) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
	[FIND_SILENT] =
		"SELECT m.machine, coalesce(host, m.machine), ?3 - arrived FROM machine m"
		" LEFT JOIN boot USING(boot) WHERE NOT silent"
		" AND max(arrived, ?1) + interval * ?2 < ?3 LIMIT ?4",
	[SET_SILENT] = "UPDATE machine SET silent = 1 WHERE machine = ?1",
};

static void close_database(struct store *store)
{
	for (int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(store->statement[i]);
		store->statement[i] = NULL;
	}
	sqlite3_finalize(store->read_origin);
	sqlite3_finalize(store->read_tags);
	store->read_origin = NULL;
	store->read_tags = NULL;
	sqlite3_close(store->database);
	store->database = NULL;
}

static int prepare_statements(struct store *store, int count)
{
	char get_progress[160];
	int64_t version;
	int err = store_number(store, "PRAGMA user_version", &version);

	if (err)
		return err;
	store->instance_sql = version < 4 ? "0" : "instance";
	snprintf(get_progress, sizeof(get_progress), statement_sql[GET_PROGRESS],
		 store->instance_sql);
	for (int i = 0; i < count; i++)
		if (sqlite3_prepare_v3(store->database, i == GET_PROGRESS ?
				       get_progress : statement_sql[i], -1,
				       SQLITE_PREPARE_PERSISTENT,
				       &store->statement[i], NULL) != SQLITE_OK)
			return store_failed(store);
	return 0;
}

static int open_file(struct store *store, const char *name, int flags,
		     const char *vfs)
{
	int code = sqlite3_open_v2(name, &store->database,
				   flags | SQLITE_OPEN_NOMUTEX, vfs);

	if (!store->database)
		return -ENOMEM;
	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_busy_timeout(store->database, STORE_PATIENCE_MS);
	return code == SQLITE_OK ? 0 : store_failed(store);
}

/* ---- For programs that only look ---- */

bool store_has_log(const struct store *store)
{
	char path[300];
	struct stat status;

	snprintf(path, sizeof(path), "%s-wal", store->path);
	return !stat(path, &status) && status.st_size;
}

/* The path as a URI that says that nobody changes the file */
static void immutable_uri(const struct store *store, char *uri, size_t size)
{
	size_t length = snprintf(uri, size, "file:");

	for (const char *at = store->path; *at && length + 20 < size; at++)
		length += snprintf(uri + length, size - length,
				   strchr("%?#", *at) ? "%%%02X" : "%c", *at);
	snprintf(uri + length, size - length, "?immutable=1");
}

static int first_look(struct store *store)
{
	int64_t tables;

	/* Whatever is closed here leaves the log to those that write. */
	sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
			  NULL);
	return store_number(store, "SELECT count(*) FROM sqlite_master",
			    &tables);
}

/*
 * SQLite wants to make or to write an index of the log (-shm) even to read. Where
 * it may not, the file is read as it lies there: without a log it needs none, and
 * with one the index can be in memory.
 */
static int open_as_it_lies(struct store *store)
{
	int64_t ignored;
	char uri[900];
	int err;

	store->immutable = !store_has_log(store);
	if (store->immutable) {
		immutable_uri(store, uri, sizeof(uri));
		err = open_file(store, uri,
				SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
		return err ? err : first_look(store);
	}
	err = open_file(store, store->path, SQLITE_OPEN_READONLY, "unix-none");
	/* Before the first look at it: only then there is no -shm. */
	if (!err && sqlite3_exec(store->database,
				 "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
				 NULL) != SQLITE_OK)
		err = store_failed(store);
	if (!err)
		err = first_look(store);
	if (!err)
		err = store_number(store, "PRAGMA user_version", &ignored);
	return err;
}

/* Whether the index is there and may not be read: somebody may be writing. */
static bool index_is_kept(const struct store *store)
{
	char path[300];

	snprintf(path, sizeof(path), "%s-shm", store->path);
	return access(path, R_OK) && errno == EACCES;
}

/* SQLite may make files beside one that it only reads: not beside a stranger's. */
static int identify_unmarked(struct store *store)
{
	int err;

	close_database(store);
	err = open_as_it_lies(store);
	if (!err)
		err = store_identify(store);
	else if (err == -EUCLEAN)
		err = store_identify_corrupted(store);
	if (err)
		return err;
	close_database(store);
	store->immutable = false;
	return open_file(store, store->path, SQLITE_OPEN_READONLY, NULL);
}

/* As store_identify(); whatever rights there are, it changes nothing. */
static int open_read_only(struct store *store)
{
	char message[sizeof(store->message)];
	int err = open_file(store, store->path, SQLITE_OPEN_READONLY, NULL);

	if (!err && !store_is_marked(store))
		err = identify_unmarked(store);
	if (err > 0 || err == -EEXIST)
		return err;
	if (!err)
		err = first_look(store);
	if (!err)
		return store_identify(store);
	if (err == -EUCLEAN || access(store->path, R_OK))
		return err;
	memcpy(message, store->message, sizeof(message));
	close_database(store);
	if (index_is_kept(store))
		return err;
	if (!open_as_it_lies(store)) {
		store->message[0] = '\0';
		return store_identify(store);
	}
	/* The first attempt tells better what is missing. */
	memcpy(store->message, message, sizeof(message));
	return err;
}

static int open_to_look(struct store *store)
{
	int err = open_read_only(store);

	if (err > 0) {
		snprintf(store->message, sizeof(store->message),
			 "store %s: it is empty; does kerrord run, with a store at this place?",
			 store->path);
		err = -ENOENT;
	}
	return err ? err : prepare_statements(store, WRITER_STATEMENTS);
}

/* ---- For kerrord ---- */

/* Looks at a file that is there already. 1 if there is nothing, or nothing in it */
static int look_before(struct store *store)
{
	struct stat status;
	int err;

	if (stat(store->path, &status))
		return errno == ENOENT ? 1 : -errno;
	if (!status.st_size)
		return 1;
	err = open_read_only(store);
	close_database(store);
	return err;
}

static int make_database(struct store *store)
{
	char sql[160];

	/* auto_vacuum takes effect only before there is a table. */
	snprintf(sql, sizeof(sql),
		 "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d;"
		 "PRAGMA journal_mode = WAL", STORE_APPLICATION);
	return store_execute(store, sql);
}

static int open_to_write(struct store *store)
{
	int err = look_before(store), made = err > 0;

	if (err < 0)
		return err;
	err = open_file(store, store->path,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (!err && made)
		err = make_database(store);
	if (!err)
		err = store_migrate(store);
	if (!err)
		err = store_make_indices(store);
	/* The last words of a machine must be on the disk. */
	if (!err)
		err = store_execute(store,
				    "PRAGMA synchronous = FULL;"
				    "PRAGMA journal_size_limit = " LOG_KEPT);
	store->version = STORE_VERSION;
	if (!err)
		err = prepare_statements(store, STATEMENTS);
	if (!err)
		err = store_watch_log(store);
	return err ? err : store_begin_clock(store);
}

static int open_database(struct store *store)
{
	int err = store->writable ? open_to_write(store) : open_to_look(store);

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
	err = store_identify_file(store);
	if (!err)
		err = open_database(store);
	if (err != -EUCLEAN || !writable)
		return err;
	err = store_set_aside(path, moved_to, sizeof(moved_to));
	if (err) {
		snprintf(store->message, sizeof(store->message),
			 "store %s is corrupted and cannot be moved aside: %s",
			 path, strerror(-err));
		return err;
	}
	err = open_database(store);
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
	store_end_clock(store);
	store_collect_drop(store);
	close_database(store);
	kerror_origin_release(store->origin);
	free(store);
}
