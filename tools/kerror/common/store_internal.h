/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the store share. Only they know SQL:
 *
 * store.c           errors, running statements
 * store_open.c      opening, to write or only to look
 * store_identity.c  whether a file is a store at all
 * store_schema.c    tables, and the way from an older version
 * store_write.c     events, losses and the cursors that go with them
 * store_retain.c    deleting what is old
 * store_read.c      queries
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sqlite3.h>
#include "store.h"

/* "kerr": the application id in SQLite's header */
#define STORE_APPLICATION 0x6b657272

enum statement {
	FIND_BOOT, GET_PROGRESS,
	/* A program that only looks does not have those from here on. */
	WRITER_STATEMENTS,
	BEGIN = WRITER_STATEMENTS, COMMIT, ROLLBACK, ADD_BOOT, ADD_EVENT,
	ADD_LOSS, SET_PROGRESS, SET_STATE, ACKNOWLEDGE, STATEMENTS
};

struct store {
	struct sqlite3 *database;
	struct sqlite3_stmt *statement[STATEMENTS];
	bool writable;
	char message[512];
	char path[256];
	char boot_id[BOOT_ID_SIZE];	/* whose row is in "boot" */
	int64_t boot;
	int64_t clock_base, clock_saved;	/* store_retain.c */
	/* The next sequence number of each group, if the transaction moved it */
	struct {
		bool moved;
		uint32_t next;
	} group[32];
};

uint64_t store_now(void);	/* nanoseconds since 1970 */

/* Notes what SQLite says, and returns it as a negative errno. */
int store_failed(struct store *store);

/* Runs statements that return no rows. */
int store_execute(struct store *store, const char *sql);

/* The only value of the only row of a query without parameters */
int store_number(struct store *store, const char *sql, int64_t *value);

/* Runs a prepared statement; 1 if there is a row, which store_finish() ends. */
int store_step(struct store *store, enum statement which);
void store_finish(struct store *store, enum statement which);

/**
 * struct values - values for the parameters of a statement
 * @statement: whose parameters they become; ?1 is the first
 * @count: parameters that have their value
 * @code: SQLite's code of the first failure
 */
struct values {
	sqlite3_stmt *statement;
	int count, code;
};

void add_number(struct values *values, int64_t number);
void add_null(struct values *values);
/* NULL becomes NULL; the bytes must stay until the statement has run. */
void add_text(struct values *values, const char *text, size_t size);
void add_bytes(struct values *values, const void *bytes, size_t size);

/* As store_step(), unless one of the values was refused */
int store_step_with(struct store *store, enum statement which,
		    const struct values *values);

/*
 * 0: it is a store. 1: nothing is in it, it may become one. -EEXIST: it is
 * somebody else's. -EPROTO: made by a newer version.
 */
int store_identify(struct store *store);

/* Whether the file itself, without its log, has our application id */
bool store_is_marked(const struct store *store);

/* Of one that SQLite cannot read: -EUCLEAN if it is a store, or -EEXIST */
int store_identify_corrupted(struct store *store);

/* Makes the tables, or leads those of an older version to this one. */
int store_migrate(struct store *store);

/* ---- store_retain.c ---- */

/* The store's clock, from which ages are counted, in seconds */
int64_t store_clock(const struct store *store);

/* Continues the clock where the last kerrord left it. */
int store_begin_clock(struct store *store);

/* Within a transaction: notes how far the clock is, from time to time. */
int store_save_clock(struct store *store);

/* At the end, without a transaction */
void store_end_clock(struct store *store);

#endif
