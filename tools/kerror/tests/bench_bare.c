// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inserts the events of a store into a new database with the same tables and indices,
 * and nothing else: what bench_kerrord.sh compares kerrord with. bench_bare STORE NEW
 * prints how many there were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>

#define BATCH	512	/* as kerrord writes when it is busy */
#define COLUMNS	12

static sqlite3 *store, *database;

static void must(int code, sqlite3 *of)
{
	if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
		return;
	fprintf(stderr, "bench_bare: %s\n", sqlite3_errmsg(of));
	exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *of, const char *sql)
{
	sqlite3_stmt *statement;

	must(sqlite3_prepare_v2(of, sql, -1, &statement, NULL), of);
	return statement;
}

static void run(const char *sql)
{
	must(sqlite3_exec(database, sql, NULL, NULL, NULL), database);
}

static void copy_schema(void)
{
	sqlite3_stmt *schema = prepare(store, "SELECT sql FROM sqlite_master WHERE sql NOTNULL"
				       " AND tbl_name = 'event' ORDER BY rowid");

	run("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL");
	while (sqlite3_step(schema) == SQLITE_ROW)
		run((const char *)sqlite3_column_text(schema, 0));
	sqlite3_finalize(schema);
}

/* Without a copy of what stays where it is */
static void bind(sqlite3_stmt *statement, int column, sqlite3_value *value)
{
	int code;

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		code = sqlite3_bind_int64(statement, column, sqlite3_value_int64(value));
		break;
	case SQLITE_TEXT:
		code = sqlite3_bind_text(statement, column, (const char *)sqlite3_value_text(value),
					 sqlite3_value_bytes(value), SQLITE_STATIC);
		break;
	case SQLITE_BLOB:
		code = sqlite3_bind_blob(statement, column, sqlite3_value_blob(value),
					 sqlite3_value_bytes(value), SQLITE_STATIC);
		break;
	default:
		code = sqlite3_bind_null(statement, column);
	}
	must(code, database);
}

/* The part that is counted: callgrind's --toggle-collect names it. */
void __attribute__((noinline)) insert_rows(sqlite3_value *(*rows)[COLUMNS], size_t count);

void insert_rows(sqlite3_value *(*rows)[COLUMNS], size_t count)
{
	sqlite3_stmt *insert = prepare(database, "INSERT INTO event(boot, event_group, sequence,"
				       " thread, arrived, time, severity, facility, device,"
				       " event_id, text, data)"
				       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");

	for (size_t i = 0; i < count; i++) {
		if (i % BATCH == 0)
			run("BEGIN IMMEDIATE");
		for (int column = 0; column < COLUMNS; column++)
			bind(insert, column + 1, rows[i][column]);
		must(sqlite3_step(insert), database);
		sqlite3_reset(insert);
		if (i % BATCH == BATCH - 1 || i == count - 1)
			run("COMMIT");
	}
	sqlite3_finalize(insert);
}

int main(int argc, char **argv)
{
	sqlite3_value *(*rows)[COLUMNS] = NULL;
	sqlite3_stmt *select;
	size_t count = 0;

	if (argc != 3) {
		fputs("usage: bench_bare STORE NEW\n", stderr);
		return 2;
	}
	must(sqlite3_open_v2(argv[1], &store, SQLITE_OPEN_READONLY, NULL), store);
	must(sqlite3_open(argv[2], &database), database);
	copy_schema();
	select = prepare(store, "SELECT boot, event_group, sequence, thread, arrived, time, severity,"
			 " facility, device, event_id, text, data FROM event ORDER BY id");
	while (sqlite3_step(select) == SQLITE_ROW) {
		if (count % 1024 == 0)
			rows = realloc(rows, (count + 1024) * sizeof(*rows));
		for (int column = 0; column < COLUMNS; column++)
			rows[count][column] =
				sqlite3_value_dup(sqlite3_column_value(select, column));
		count++;
	}
	insert_rows(rows, count);
	printf("%zu\n", count);
	return 0;
}
