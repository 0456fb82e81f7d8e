// SPDX-License-Identifier: GPL-2.0-only
/*
 * Origins in the store: a row for each series, with the machine and the kernel as the
 * last record that was stored had them, and its tags. The columns have the names of the
 * fields.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store_internal.h"

/* In the order of the parameters of ADD_BOOT, of which the first two are the series */
static const char *const columns[] = {
	"machine", "host", "release", "version", "arch", "livepatch",
};

#define TAG "tag."

static int add_tags(struct store *store, const struct kerror_origin *origin, int64_t boot)
{
	struct values cleared = { .statement = store->statement[CLEAR_TAGS] };
	const char *name, *value;
	int err;

	add_number(&cleared, boot);
	err = store_step_with(store, CLEAR_TAGS, &cleared);
	for (size_t i = 0; !err && (name = kerror_origin_at(origin, i, &value)); i++) {
		struct values added = { .statement = store->statement[ADD_TAG] };

		if (strncmp(name, TAG, strlen(TAG)))
			continue;
		name += strlen(TAG);
		add_number(&added, boot);
		add_text(&added, name, strlen(name));
		add_text(&added, value, strlen(value));
		err = store_step_with(store, ADD_TAG, &added);
	}
	return err;
}

int store_find_boot(struct store *store, const struct series *series, int64_t *boot)
{
	struct values found = { .statement = store->statement[FIND_BOOT] };
	int err;

	add_series(&found, series);
	err = store_step_with(store, FIND_BOOT, &found);
	if (err <= 0)
		return err ? err : -ENOENT;
	*boot = sqlite3_column_int64(store->statement[FIND_BOOT], 0);
	store_finish(store, FIND_BOOT);
	return 0;
}

int store_add_origin(struct store *store, const struct kerror_origin *origin,
		     int64_t *boot)
{
	struct values added = { .statement = store->statement[ADD_BOOT] };
	const char *instance = kerror_origin_get(origin, "instance");
	struct series series = {
		.instance = instance ? strtoull(instance, NULL, 10) : 0,
	};
	int err;

	snprintf(series.boot_id, sizeof(series.boot_id), "%s",
		 kerror_origin_get(origin, "boot_id"));
	add_series(&added, &series);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		const char *value = kerror_origin_get(origin, columns[i]);

		add_text(&added, value, value ? strlen(value) : 0);
	}
	err = store_step_with(store, ADD_BOOT, &added);
	if (err)
		return err;
	err = store_find_boot(store, &series, boot);
	return err ? err : add_tags(store, origin, *boot);
}

/* Each row of the query has names and values in turn. A fleet has many boots to read. */
static int read_fields(struct store *store, sqlite3_stmt **statement, const char *sql,
		       int64_t boot, struct kerror_origin *origin)
{
	struct values values = { 0 };
	int code, err = 0;

	if (!*statement && sqlite3_prepare_v3(store->database, sql, -1,
					      SQLITE_PREPARE_PERSISTENT, statement,
					      NULL) != SQLITE_OK)
		return store_failed(store);
	values.statement = *statement;
	add_number(&values, boot);
	while (!err && (code = sqlite3_step(values.statement)) == SQLITE_ROW) {
		for (int i = 0; !err && i < sqlite3_column_count(values.statement); i += 2) {
			const char *name = (const char *)sqlite3_column_text(values.statement, i);
			const char *value =
				(const char *)sqlite3_column_text(values.statement, i + 1);

			/* A name that this library does not know is none of its fields. */
			if (name && value &&
			    kerror_origin_set(origin, name, value) == -ENOMEM)
				err = -ENOMEM;
		}
	}
	if (!err && code != SQLITE_DONE)
		err = store_failed(store);
	sqlite3_reset(values.statement);
	return err;
}

int store_read_origin(struct store *store, int64_t boot, struct kerror_origin *origin)
{
	char sql[112];
	int err;

	if (store->version < STORE_HAS_ORIGIN) {
		snprintf(sql, sizeof(sql), "SELECT 'boot_id', boot_id, 'instance',"
			 " nullif(%s, 0) FROM boot WHERE boot = ?1", store->instance_sql);
		return read_fields(store, &store->read_origin, sql, boot, origin);
	}
	err = read_fields(store, &store->read_origin,
			  "SELECT 'boot_id', boot_id, 'instance', " STORE_INSTANCE ","
			  " 'machine', machine, 'host', host, 'release', release, 'version', version, 'arch', arch,"
			  " 'livepatch', livepatch FROM boot WHERE boot = ?1",
			  boot, origin);
	return err ? err : read_fields(store, &store->read_tags,
				       "SELECT 'tag.' || name, value FROM tag"
				       " WHERE boot = ?1", boot, origin);
}

struct kerror_origin *store_origin(struct store *store, const struct series *series)
{
	struct kerror_origin *origin = kerror_origin_new();
	char instance[24];
	int64_t boot;
	int err;

	if (!origin)
		return NULL;
	err = store_find_boot(store, series, &boot);
	if (!err) {
		err = store_read_origin(store, boot, origin);
	} else if (err == -ENOENT) {
		snprintf(instance, sizeof(instance), "%llu",
			 (unsigned long long)series->instance);
		err = kerror_origin_set(origin, "boot_id", series->boot_id);
		if (!err && series->instance)
			err = kerror_origin_set(origin, "instance", instance);
	}
	if (!err)
		return origin;
	kerror_origin_release(origin);
	return NULL;
}
