// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditions: what is wrong, since when and how often. kerrord raises and clears
 * them in the transaction that stores their events, so that a program killed at any
 * point counts each event once. A condition that was cleared stays for a while.
 *
 * "changes" counts how often one was raised or cleared; "told" is how far that was
 * told. So a change by another program, or one before a kill, is told, too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "store_internal.h"

/* Cleared ones that are kept */
#define CLEARED_MAX 256

static void add_string(struct values *values, const char *text)
{
	add_text(values, text, strlen(text));
}

/*
 * How many more there may be: counted once in a transaction, in which nobody else adds or
 * deletes any.
 */
static int find_room(struct store *store)
{
	char sql[160];
	int err;

	if (store->condition_room != ROOM_UNKNOWN)
		return 0;
	snprintf(sql, sizeof(sql),
		 "SELECT max(0, iif(EXISTS(SELECT 1 FROM machine), %d, %d)"
		 " - (SELECT count(*) FROM condition))", CONDITIONS_FLEET, CONDITIONS_MAX);
	err = store_number(store, sql, &store->condition_room);
	if (err)
		store->condition_room = ROOM_UNKNOWN;
	return err;
}

int store_raise(struct store *store, const char *boot_id,
		const struct condition *condition)
{
	struct values values = { .statement = store->statement[RAISE] };
	int err = find_room(store);

	if (err)
		return err;
	add_string(&values, condition->name);
	add_string(&values, condition->key);
	add_string(&values, condition->rule);
	add_number(&values, condition->severity);
	add_string(&values, condition->meaning);
	add_string(&values, condition->remedy);
	add_string(&values, condition->text);
	add_number(&values, condition->expires);
	add_string(&values, boot_id);
	add_number(&values, condition->last);
	add_number(&values, store_clock(store));
	add_number(&values, store->condition_room);
	add_string(&values, CONDITION_OTHERS);
	add_string(&values, condition->found);
	/* Its expiry needs a clock that goes on. */
	store->clock_used = true;
	err = store_step_with(store, RAISE, &values);
	/* It was none before. */
	if (err > 0 && sqlite3_column_int(values.statement, 0))
		store->condition_room -= store->condition_room > 0;
	store_finish(store, RAISE);
	return err < 0 ? err : 0;
}

static int64_t clear(struct store *store, enum statement which, const char *name,
		     const char *key, const char *by, uint64_t time)
{
	struct values values = { .statement = store->statement[which] };
	int err;

	add_string(&values, name);
	add_text(&values, key, key ? strlen(key) : 0);
	add_string(&values, by);
	add_number(&values, time);
	err = store_step_with(store, which, &values);
	return err ? err : sqlite3_changes(store->database);
}

int64_t store_clear(struct store *store, const char *name, const char *key,
		    const char *by, uint64_t time)
{
	return clear(store, CLEAR, name, key, by, time);
}

int64_t store_clear_machine(struct store *store, const char *name, const char *machine,
			    const char *by, uint64_t time)
{
	return clear(store, CLEAR_MACHINE, name, machine, by, time);
}

int store_expire(struct store *store, const char *boot_id)
{
	static const char format[] =
		"%s cleared IS NULL AND ((expires = %d AND boot_id <> %s)"
		" OR (expires > 0 AND arrived + expires <= %lld))";
	/* Without heartbeats it is its own. */
	static const char of_machine[] =
		"coalesce((SELECT now.boot_id FROM boot own"
		" JOIN machine m ON m.machine = coalesce(own.machine, own.host)"
		" JOIN boot now ON now.boot = m.boot"
		" WHERE own.boot_id = condition.boot_id LIMIT 1), boot_id)";
	char sql[1024], set[192], running[sizeof(of_machine)];
	int64_t count;
	int err;

	snprintf(running, sizeof(running), boot_id ? "'%s'" : of_machine, boot_id);
	/* Mostly there is nothing to do, which costs no lock. */
	snprintf(sql, sizeof(sql), format, "SELECT count(*) FROM condition WHERE",
		 CONDITION_BOOT, running, (long long)store_clock(store));
	err = store_number(store, sql, &count);
	if (err || !count)
		return err;
	snprintf(set, sizeof(set),
		 "UPDATE condition SET cleared = %lld, changes = changes + 1,"
		 " cleared_by = iif(expires > 0, 'time', 'boot') WHERE",
		 (long long)store_now());
	snprintf(sql, sizeof(sql), format, set, CONDITION_BOOT, running,
		 (long long)store_clock(store));
	return store_execute(store, sql);
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

/* Calls @found for what the rest of a query, from WHERE on, selects. */
static int select_conditions(struct store *store, const char *rest,
			     void (*found)(void *context,
					   const struct condition *condition),
			     void *context)
{
	sqlite3_stmt *statement;
	char sql[320];
	int code;

	snprintf(sql, sizeof(sql),
		 "SELECT name, key, rule, severity, meaning, remedy, text, expires, since,"
		 " last, count, cleared, cleared_by, changes, changes - told, %s"
		 " FROM condition %s", store->version < STORE_HAS_FOUND ? "''" : "found", rest);
	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return store_failed(store);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		found(context, &(struct condition) {
			.name = text_of(statement, 0),
			.key = text_of(statement, 1),
			.rule = text_of(statement, 2),
			.severity = sqlite3_column_int64(statement, 3),
			.meaning = text_of(statement, 4),
			.remedy = text_of(statement, 5),
			.text = text_of(statement, 6),
			.expires = sqlite3_column_int64(statement, 7),
			.since = sqlite3_column_int64(statement, 8),
			.last = sqlite3_column_int64(statement, 9),
			.count = sqlite3_column_int64(statement, 10),
			.cleared = sqlite3_column_int64(statement, 11),
			.cleared_by = text_of(statement, 12),
			.changes = sqlite3_column_int64(statement, 13),
			.untold = sqlite3_column_int64(statement, 14),
			.found = text_of(statement, 15),
		});
	code = sqlite3_finalize(statement);
	return code == SQLITE_OK ? 0 : store_failed(store);
}

int store_conditions(struct store *store,
		     void (*found)(void *context, const struct condition *condition),
		     void *context)
{
	int64_t version;
	int err = store_number(store, "PRAGMA user_version", &version);

	/* One that kerrord has not updated yet has none. */
	if (err || version < 3)
		return err;
	return select_conditions(store,
				 "ORDER BY cleared IS NOT NULL, severity, since DESC, name, key",
				 found, context);
}

int store_tell_conditions(struct store *store,
			  void (*found)(void *context, const struct condition *condition),
			  void *context)
{
	char sql[320];
	int64_t count;
	int err;

	err = store_number(store, "SELECT count(*) FROM condition WHERE changes <> told",
			   &count);
	if (err || !count)
		return err;
	err = store_begin(store);
	if (!err)
		err = select_conditions(store, "WHERE changes <> told ORDER BY last, name, key",
					found, context);
	snprintf(sql, sizeof(sql),
		 "UPDATE condition SET told = changes WHERE changes <> told;"
		 "DELETE FROM condition WHERE (name, key) IN (SELECT name, key FROM condition"
		 " WHERE cleared IS NOT NULL ORDER BY cleared DESC LIMIT -1 OFFSET %d)",
		 CLEARED_MAX);
	if (!err)
		err = store_execute(store, sql);
	if (!err)
		err = store_commit(store);
	if (err)
		store_rollback(store);
	return err ? err : count;
}
