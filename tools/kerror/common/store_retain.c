// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps the store within its age and its size, by the order in which events
 * arrived. The time that an event says of itself deletes nothing: a board
 * without a clock boots in 1970, and a wrong clock can be decades ahead.
 *
 * Ages are counted by a clock of the store's own that nobody can set: it counts the
 * seconds in which the machine was on or suspended (CLOCK_BOOTTIME), boot after
 * boot. While the machine is off it stands still, because what the machine's
 * clock says then cannot be told from a clock that was set.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "store_internal.h"

/* Most that is deleted at once, so that others get their turn */
#define RETAIN_STEP 10000

/* Seconds that a kill may take from the clock */
#define SAVE_CLOCK_S 10

/* ---- The clock ---- */

static int64_t since_boot(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

int64_t store_clock(const struct store *store)
{
	return store->clock_base + since_boot();
}

static int set_state(struct store *store, const char *name, int64_t number,
		     const char *text)
{
	struct values values = { .statement = store->statement[SET_STATE] };

	add_text(&values, name, strlen(name));
	if (text)
		add_text(&values, text, strlen(text));
	else
		add_number(&values, number);
	return store_step_with(store, SET_STATE, &values);
}

static int get_state(struct store *store, const char *name, int64_t *number)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
		 "SELECT coalesce((SELECT value FROM state WHERE name = '%s'), 0)",
		 name);
	return store_number(store, sql, number);
}

int store_begin_clock(struct store *store)
{
	int64_t same_boot = 0, boots, base, clock, newest;
	char boot_id[BOOT_ID_SIZE] = "";
	char sql[160];
	int err;

	store_boot_id(boot_id);
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM state WHERE name = 'clock_boot'"
		 " AND value = '%s'", boot_id);
	err = store_number(store, sql, &same_boot);
	if (!err)
		err = store_number(store,
				   "SELECT count(*) FROM state WHERE name = 'clock_boot'",
				   &boots);
	if (!err)
		err = get_state(store, "clock_base", &base);
	if (!err)
		err = get_state(store, "clock", &clock);
	if (!err)
		err = store_number(store,
				   "SELECT coalesce((SELECT arrived FROM event"
				   " ORDER BY id DESC LIMIT 1), 0)", &newest);
	if (err)
		return err;
	/* It is never set back, so that the order of arrival is one of age. */
	if (clock < newest)
		clock = newest;
	if (!same_boot)
		base = clock;
	/* A store that never had a clock was not there for all of this boot. */
	if (!boots)
		base = clock - since_boot();
	if (base + since_boot() < clock)
		base = clock - since_boot();
	store->clock_base = base;
	return 0;
}

static int save_clock(struct store *store)
{
	char boot_id[BOOT_ID_SIZE] = "";
	int64_t now = store_clock(store);
	int err;

	store_boot_id(boot_id);
	err = set_state(store, "clock_boot", 0, boot_id);
	if (!err)
		err = set_state(store, "clock_base", store->clock_base, NULL);
	if (!err)
		err = set_state(store, "clock", now, NULL);
	if (!err)
		store->clock_saved = now;
	return err;
}

int store_save_clock(struct store *store)
{
	/* Only kerrord, which adds events, moves it. */
	return !store->clock_used ||
	       (store->clock_saved &&
		store_clock(store) - store->clock_saved < SAVE_CLOCK_S) ? 0 :
	       save_clock(store);
}

void store_end_clock(struct store *store)
{
	if (!store->clock_used || store_step(store, BEGIN))
		return;
	/* Without success there are seconds that do not count. */
	if (save_clock(store) || store_step(store, COMMIT))
		store_rollback(store);
}

/* ---- Deleting ---- */

static int used_bytes(struct store *store, int64_t *bytes)
{
	return store_number(store,
			    "SELECT (page_count - freelist_count) * page_size"
			    " FROM pragma_page_count, pragma_freelist_count,"
			    " pragma_page_size", bytes);
}

int store_deleted(struct store *store, struct store_deleted *deleted)
{
	int64_t has_state, age = 0, size = 0;
	int err;

	err = store_number(store,
			   "SELECT count(*) FROM sqlite_master WHERE name = 'state'",
			   &has_state);
	if (!err && has_state)
		err = get_state(store, "deleted_age", &age);
	if (!err && has_state)
		err = get_state(store, "deleted_size", &size);
	*deleted = (struct store_deleted) { .age = age, .size = size };
	return err;
}

/*
 * Deletes at most @count rows of @table, the first that arrived, if their number
 * is below @end. Events are counted in the same transaction, under @cause. The newest loss
 * stays: the number of the next one follows it, so that a place in the store tells them apart.
 */
static int delete_first(struct store *store, const char *table,
			const char *cause, int64_t end, int64_t count)
{
	int64_t before;
	char sql[256];
	int err, changes = 0;

	snprintf(sql, sizeof(sql),
		 "DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s"
		 " WHERE rowid < %lld%s ORDER BY rowid LIMIT %lld)", table, table,
		 (long long)end, cause ? "" : " AND rowid < (SELECT max(rowid) FROM loss)",
		 (long long)(count < RETAIN_STEP ? count : RETAIN_STEP));
	err = store_step(store, BEGIN);
	if (!err)
		err = store_execute(store, sql);
	if (!err)
		changes = sqlite3_changes(store->database);
	if (!err && cause)
		err = get_state(store, cause, &before);
	if (!err && cause)
		err = set_state(store, cause, before + changes, NULL);
	if (!err)
		err = store_step(store, COMMIT);
	if (err)
		store_rollback(store);
	return err ? err : changes;
}

/* The first row that arrived at @clock or later; @end is beyond the last. */
static int first_since(struct store *store, const char *table, int64_t clock,
		       int64_t *end)
{
	int64_t low = 0, high = 0, middle, arrived;
	char sql[192];
	int err;

	snprintf(sql, sizeof(sql), "SELECT coalesce(min(rowid), 1) FROM %s",
		 table);
	err = store_number(store, sql, &low);
	snprintf(sql, sizeof(sql), "SELECT coalesce(max(rowid), 0) + 1 FROM %s",
		 table);
	if (!err)
		err = store_number(store, sql, &high);
	while (!err && low < high) {
		middle = low + (high - low) / 2;
		snprintf(sql, sizeof(sql),
			 "SELECT coalesce((SELECT arrived FROM %s WHERE rowid >= %lld"
			 " ORDER BY rowid LIMIT 1), %lld)", table,
			 (long long)middle, (long long)clock);
		err = store_number(store, sql, &arrived);
		if (arrived < clock)
			low = middle + 1;
		else
			high = middle;
	}
	*end = high;
	return err;
}

static int retain_age(struct store *store, const char *table,
		      const char *cause, uint64_t age_s)
{
	int64_t end;
	int result;

	result = first_since(store, table, store_clock(store) - (int64_t)age_s,
			     &end);
	while (!result) {
		result = delete_first(store, table, cause, end, RETAIN_STEP);
		if (result < RETAIN_STEP)
			break;
		result = 0;
	}
	return result < 0 ? result : 0;
}

static int retain_size(struct store *store, uint64_t bytes)
{
	static const char *const tables[] = { "event", "loss" };
	int64_t used = 0, rows;
	char sql[96];
	int result;

	for (int i = 0; i < 2;) {
		result = used_bytes(store, &used);
		if (result || (uint64_t)used <= bytes)
			return result;
		snprintf(sql, sizeof(sql),
			 "SELECT coalesce(max(rowid) - min(rowid) + 1, 0) FROM %s",
			 tables[i]);
		result = store_number(store, sql, &rows);
		if (result)
			return result;
		/* About as many as are too many: all are of a similar size. */
		rows = rows * (1 - (double)bytes / used) + 1;
		result = delete_first(store, tables[i],
				      i ? NULL : "deleted_size", INT64_MAX, rows);
		if (result < 0)
			return result;
		/* Losses only when no event is left, and not the newest. */
		if (!result)
			i++;
	}
	return 0;
}

int store_retain(struct store *store, uint64_t age_s, uint64_t bytes)
{
	int64_t needs_vacuum;
	int err = 0;

	store->clock_used = true;

	if (age_s) {
		err = retain_age(store, "event", "deleted_age", age_s);
		if (!err)
			err = retain_age(store, "loss", NULL, age_s);
	}
	if (!err && bytes)
		err = retain_size(store, bytes);
	/* A few free pages are wanted again soon. */
	if (!err)
		err = store_number(store,
				   "SELECT freelist_count * 16 > page_count"
				   " FROM pragma_freelist_count, pragma_page_count",
				   &needs_vacuum);
	return err || !needs_vacuum ? err :
	       store_execute(store, "PRAGMA incremental_vacuum");
}
