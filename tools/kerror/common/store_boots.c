// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boots that a store has something of, and how they ended: for kerrorctl boots and
 * for --boot. kerrord notes how a boot ended in the transaction that stores what the
 * kernel has kept of it.
 *
 * They are in the order in which kerrord came to know them, but a boot of which it is
 * told later comes before the one that told. They are told of when the transaction has
 * ended, as a reader of them may take its time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store_internal.h"

/* From this version on a store knows how boots ended. */
#define STORE_HAS_ENDS 6

#define TEXTS 4

int store_end_boot(struct store *store, struct kerror_origin *origin,
		   const struct store_boot *boot, const char *running)
{
	struct values values = { .statement = store->statement[END_BOOT] };
	int64_t row;
	int err = store_add_origin(store, origin, &row);

	if (err)
		return err;
	add_number(&values, row);
	add_text(&values, boot->how, strlen(boot->how));
	add_text(&values, boot->message, strlen(boot->message));
	add_number(&values, boot->began);
	add_number(&values, boot->ended);
	add_text(&values, running, strlen(running));
	return store_step_with(store, END_BOOT, &values);
}

/*
 * Modules that were loaded again have a row of their own for each load, of which the last
 * tells how the boot ended. A column that an older store lacks is NULL.
 */
static void make_sql(char *sql, size_t size, int64_t version, bool count)
{
	const bool ends = version >= STORE_HAS_ENDS;

	snprintf(sql, size,
		 "SELECT boot_id, %s, %s, place.began, %s, %s FROM"
		 " (SELECT boot_id, max(boot) AS boot, min(boot) AS first, %s AS began,"
		 " %s AS rank, %s AS late FROM boot GROUP BY boot_id) AS place"
		 " JOIN boot USING(boot_id, boot) %s ORDER BY rank, late, first",
		 version >= STORE_HAS_ORIGIN ? "release" : "NULL",
		 ends ? "how, message" : "NULL, NULL", ends ? "ended" : "NULL",
		 count ? "events, oldest, newest, n0, n1, n2, n3, n4, n5, n6, n7" : "0",
		 ends ? "min(began)" : "NULL",
		 ends ? "min(coalesce(before, boot))" : "min(boot)",
		 ends ? "min(before IS NULL)" : "0",
		 !count ? "" :
		 "LEFT JOIN (SELECT boot_id, count(*) AS events, min(time) AS oldest,"
		 " max(time) AS newest, sum(severity = 0) AS n0, sum(severity = 1) AS n1,"
		 " sum(severity = 2) AS n2, sum(severity = 3) AS n3, sum(severity = 4) AS n4,"
		 " sum(severity = 5) AS n5, sum(severity = 6) AS n6, sum(severity = 7) AS n7"
		 " FROM event JOIN boot USING(boot) GROUP BY boot_id) USING(boot_id)");
}

/* Copies the texts behind each other; NULL becomes "". */
static bool copy_texts(sqlite3_stmt *statement, char **texts)
{
	const char *text[TEXTS];
	size_t size = 0;
	char *at;

	for (int i = 0; i < TEXTS; i++) {
		text[i] = (const char *)sqlite3_column_text(statement, i);
		text[i] = text[i] ? text[i] : "";
		size += strlen(text[i]) + 1;
	}
	at = *texts = malloc(size);
	for (int i = 0; at && i < TEXTS; i++)
		at = stpcpy(at, text[i]) + 1;
	return *texts;
}

static void use_texts(struct store_boot *boot, const char *text)
{
	const char **const members[TEXTS] = {
		&boot->id, &boot->release, &boot->how, &boot->message,
	};

	for (int i = 0; i < TEXTS; i++) {
		*members[i] = text;
		text += strlen(text) + 1;
	}
}

static void read_numbers(sqlite3_stmt *statement, bool count, struct store_boot *boot)
{
	*boot = (struct store_boot) {
		.began = sqlite3_column_int64(statement, TEXTS),
		.ended = sqlite3_column_int64(statement, TEXTS + 1),
	};
	if (!count)
		return;
	boot->events = sqlite3_column_int64(statement, TEXTS + 2);
	boot->first = sqlite3_column_int64(statement, TEXTS + 3);
	boot->last = sqlite3_column_int64(statement, TEXTS + 4);
	for (int i = 0; i < 8; i++)
		boot->severity[i] = sqlite3_column_int64(statement, TEXTS + 5 + i);
}

int store_boots(struct store *store, bool count,
		void (*found)(void *context, const struct store_boot *boot), void *context)
{
	struct kept {
		char *texts;
		struct store_boot boot;
	} *boots = NULL, *more;
	sqlite3_stmt *statement;
	size_t size = 0;
	char sql[1200];
	int code;

	make_sql(sql, sizeof(sql), store->version, count);
	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return store_failed(store);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		more = reallocarray(boots, size + 1, sizeof(*boots));
		if (!more)
			break;
		boots = more;
		if (!copy_texts(statement, &boots[size].texts))
			break;
		read_numbers(statement, count, &boots[size++].boot);
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		code = store_failed(store);
	else
		code = code == SQLITE_ROW ? -ENOMEM : 0;
	sqlite3_finalize(statement);
	for (size_t i = 0; i < size; i++) {
		use_texts(&boots[i].boot, boots[i].texts);
		if (!code)
			found(context, &boots[i].boot);
		free(boots[i].texts);
	}
	free(boots);
	return code;
}
