// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forgets machines that are no more, and the boots of a collector's store of which
 * nothing is left, which would stay for ever.
 *
 * Promise: what is known of a boot tells events that the stream delivers again from new
 * ones. It stays until the stream can have none of it any more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "output.h"
#include "store_internal.h"

/* Longer than a stream keeps a message, which is 72 hours in those that kerrord makes */
#define KNOWN_S (7 * 86400)

/* Boots that one transaction deletes */
#define FORGET_BOOTS 10000

/* The "cause" of the row in progress that holds since when a boot has had nothing */
#define IDLE "cause = -2 AND event_group = 0"

/* Table boot has an index of this */
#define NAME "coalesce(machine, host)"

/* ---- Machines ---- */

/* The id of the only machine of which @where holds; how many there are, up to 2 */
static int find_machine(struct store *store, const char *where, const char *name,
			char *id, char *host, size_t size)
{
	sqlite3_stmt *statement;
	int count = 0, code;
	char sql[400];

	snprintf(sql, sizeof(sql),
		 "SELECT " NAME ", coalesce(host, machine), max(boot) FROM boot WHERE %s = ?1"
		 " AND NOT EXISTS(SELECT 1 FROM machine m WHERE m.silent = %d"
		 "  AND m.machine = coalesce(boot.machine, boot.host)) GROUP BY 1 LIMIT 2",
		 where, MACHINE_FORGOTTEN);
	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return store_failed(store);
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		count++;
		snprintf(id, size, "%s", (const char *)sqlite3_column_text(statement, 0));
		snprintf(host, size, "%s", (const char *)sqlite3_column_text(statement, 1));
	}
	return sqlite3_finalize(statement) == SQLITE_OK ? count : store_failed(store);
}

/* Runs @sql, whose parameters are two texts and a number. */
static int run(struct store *store, const char *sql, const char *first, const char *second,
	       int64_t number)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return store_failed(store);
	sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, number);
	sqlite3_step(statement);
	return sqlite3_finalize(statement) == SQLITE_OK ? 0 : store_failed(store);
}

/* The conditions of a host, unless another machine has its name */
static int clear_conditions(struct store *store, const char *host)
{
	static const char sql[] =
		"UPDATE condition SET cleared = ?3, cleared_by = 'operator',"
		" changes = changes + 1 WHERE cleared IS NULL"
		" AND (key = ?2 OR substr(key, 1, length(?2) + 1) = ?2 || ' ')"
		" AND NOT EXISTS(SELECT 1 FROM boot b WHERE b.host = ?1"
		"  AND NOT EXISTS(SELECT 1 FROM machine m WHERE m.silent = 2"
		"   AND m.machine = coalesce(b.machine, b.host)))";
	struct buffer key = { 0 };
	int err;

	/* As in the key of a condition */
	buffer_printable(&key, host, strlen(host));
	err = buffer_terminate(&key) ? run(store, sql, host, key.bytes, store_now()) : -ENOMEM;
	buffer_free(&key);
	return err;
}

int store_forget(struct store *store, const char *name)
{
	static const char sql[] =
		"INSERT INTO machine VALUES(?1, (SELECT max(boot) FROM boot"
		" WHERE coalesce(machine, host) = ?1), 0, ?3, 0, 0, 0, 2)"
		" ON CONFLICT(machine) DO UPDATE SET arrived = ?3, silent = 2";
	char id[256], host[256];
	int count, err;

	if (store->version < STORE_HAS_FLEET)
		return 0;
	count = find_machine(store, NAME, name, id, host, sizeof(id));
	if (!count)
		count = find_machine(store, "host", name, id, host, sizeof(id));
	if (count != 1)
		return count;
	err = run(store, sql, id, NULL, store_clock(store));
	if (!err)
		err = clear_conditions(store, host);
	return err ? err : 1;
}

/* ---- Boots ---- */

/*
 * Boots of a fleet that have nothing any more: of machines that were forgotten, or that
 * run another one by their heartbeat, or have a newer one without heartbeats. The newest
 * row stays, so that its number is not given again.
 */
#define EMPTY \
	"SELECT boot FROM boot b WHERE boot < (SELECT max(boot) FROM boot)" \
	" AND EXISTS(SELECT 1 FROM collected c WHERE c.boot = b.boot)" \
	" AND NOT EXISTS(SELECT 1 FROM event e WHERE e.boot = b.boot)" \
	" AND NOT EXISTS(SELECT 1 FROM loss l WHERE l.boot = b.boot)" \
	" AND NOT EXISTS(SELECT 1 FROM gap g WHERE g.boot = b.boot)" \
	" AND boot_id NOT IN (SELECT boot_id FROM condition WHERE cleared IS NULL)" \
	" AND (EXISTS(SELECT 1 FROM machine m WHERE m.machine = coalesce(b.machine, b.host)" \
	"  AND (m.silent = 2 OR m.boot <> b.boot))" \
	" OR (NOT EXISTS(SELECT 1 FROM machine m WHERE m.machine = coalesce(b.machine, b.host))" \
	"  AND EXISTS(SELECT 1 FROM boot o WHERE o.boot > b.boot" \
	"  AND coalesce(o.machine, o.host) = coalesce(b.machine, b.host))))"

int store_retain_boots(struct store *store)
{
	static const char *const tables[] = { "tag", "collected", "boot" };
	int64_t now = store_clock(store);
	char sql[1600];
	int err;

	store->clock_used = true;
	err = store_begin(store);
	snprintf(sql, sizeof(sql),
		 "DELETE FROM progress WHERE " IDLE " AND boot NOT IN (" EMPTY ")");
	if (!err)
		err = store_execute(store, sql);
	snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO progress"
		 " SELECT boot, 0, -2, %lld FROM (" EMPTY ")", (long long)now);
	if (!err)
		err = store_execute(store, sql);
	for (size_t i = 0; !err && i < sizeof(tables) / sizeof(*tables); i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE boot IN (SELECT boot FROM progress"
			 " WHERE " IDLE " AND value <= %lld ORDER BY boot LIMIT %d)", tables[i],
			 (long long)now - KNOWN_S, FORGET_BOOTS);
		err = store_execute(store, sql);
	}
	if (!err)
		err = store_execute(store,
				    "DELETE FROM progress WHERE boot NOT IN (SELECT boot FROM boot);"
				    "DELETE FROM machine WHERE silent = 2 AND NOT EXISTS(SELECT 1"
				    " FROM boot b WHERE coalesce(b.machine, b.host) = machine.machine)");
	if (!err)
		err = store_commit(store);
	if (err)
		store_rollback(store);
	return err;
}
