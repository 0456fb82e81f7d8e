/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the store. Only they know SQL:
 *
 * store.c           errors, running statements
 * store_open.c      opening, to write or only to look
 * store_identity.c  whether a file is a store at all
 * store_schema.c    tables, and the way from an older version
 * store_write.c     events, losses and the cursors that go with them
 * store_retain.c    deleting what is old
 * store_log.c       the size of the write-ahead log
 * store_read.c      queries: which streams of rows there are, and their order
 * store_page.c      one stream, read page by page
 * store_follow.c    what arrives, for a program that sends it on
 * store_boots.c     the boots that there are, and how they ended
 * store_origin.c    of which machine and series the rows of a boot are
 * store_origins.c   those that a query has met
 * store_filter.c    filters as SQL
 * store_collect.c   the events of many machines: gaps, heartbeats
 * store_forget.c    machines and boots that are no more
 * store_state.c     conditions
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sqlite3.h>
#include "store.h"

/* "kerr": the application id in SQLite's header */
#define STORE_APPLICATION 0x6b657272

enum statement {
	GET_PROGRESS,
	/* A program that only looks does not have those from here on. */
	WRITER_STATEMENTS,
	BEGIN = WRITER_STATEMENTS, COMMIT, ROLLBACK, FIND_BOOT, ADD_BOOT, ADD_EVENT,
	ADD_LOSS, SET_PROGRESS, SET_STATE, ACKNOWLEDGE, TOUCH, RAISE, CLEAR,
	CLEAR_MACHINE, CLEAR_TAGS, ADD_TAG, END_BOOT, BOOT_MACHINE, GET_COLLECTED, SET_COLLECTED,
	FIND_GAP, ADD_GAP, DELETE_GAP, OLD_GAPS, FIND_LOSS, LAST_LOSS, TOLD_MORE,
	GET_MACHINE, SET_MACHINE, FIND_SILENT, SET_SILENT, STATEMENTS
};

struct store {
	struct sqlite3 *database;
	struct sqlite3_stmt *statement[STATEMENTS];
	struct sqlite3_stmt *read_origin, *read_tags;	/* NULL before the first use */
	bool writable;
	int64_t version;		/* of the schema */
	char message[640];
	char path[256];
	struct kerror_origin *origin;	/* whose row is in "boot" */
	int64_t boot;
	/* The column of its instance in table "boot": a store that is older has none. */
	const char *instance_sql;
	int64_t clock_base, clock_saved;	/* store_retain.c */
	bool clock_used;
	bool immutable;				/* nobody was to write it */
	int64_t page_size, log_pages;		/* store_log.c */
	int64_t condition_room;			/* store_state.c */
	void *collected;			/* store_collect.c */
	void (*named)(void *context, struct kerror_origin *origin,
		      const struct kerror_loss *loss);
	void *named_context;
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
void add_series(struct values *values, const struct series *series);

/* As store_step(), unless one of the values was refused */
int store_step_with(struct store *store, enum statement which,
		    const struct values *values);

/*
 * 0: it is a store. 1: nothing is in it, it may become one. -EEXIST: it is
 * somebody else's. -EPROTO: made by a newer version.
 */
int store_identify(struct store *store);

/* Before it is opened: -EEXIST if there is something that is no file, else 0 */
int store_identify_file(struct store *store);

/* Whether there is a write-ahead log with something in it */
bool store_has_log(const struct store *store);

/* Whether the file itself, without its log, has our application id */
bool store_is_marked(const struct store *store);

/* Of one that SQLite cannot read: -EUCLEAN if it is a store, or -EEXIST */
int store_identify_corrupted(struct store *store);

/* Makes the tables, or leads those of an older version to this one. */
int store_migrate(struct store *store);
int store_make_indices(struct store *store);

/* ---- store_origin.c ---- */

/* From this version on a store has more of an origin than the series. */
#define STORE_HAS_ORIGIN 5

/* The version that added what was found in the text of a condition */
#define STORE_HAS_FOUND 7

/* The version that added what a collector knows of machines */
#define STORE_HAS_FLEET 8

/* In the place of "silent": an operator has forgotten it. Its next heartbeat ends that. */
#define MACHINE_FORGOTTEN 2

/* Makes of an instance in the table of boots a field of an origin, which has none for 0. */
#define STORE_INSTANCE "CAST(nullif(instance, 0) AS TEXT)"

/* Within a transaction: writes what is known of an origin, and gives its row's number. */
int store_add_origin(struct store *store, const struct kerror_origin *origin,
		     int64_t *boot);

/* The number of the row of a series, or -ENOENT */
int store_find_boot(struct store *store, const struct series *series, int64_t *boot);

/* Fills in an origin of the row with that number. */
int store_read_origin(struct store *store, int64_t boot, struct kerror_origin *origin);

/* ---- store_write.c ---- */

/* Within a transaction, of the series whose row is store->boot; they move no cursor. */
int store_insert_event(struct store *store, const struct kerror_event *event, uint64_t time);
int store_insert_loss(struct store *store, uint64_t time, const struct kerror_loss *loss,
		      const char *cause);

/* ---- store_state.c ---- */

/* For "condition_room": how many conditions there are is not known. */
#define ROOM_UNKNOWN (-1)

/* ---- store_collect.c ---- */

/* Writes what a transaction of a collector has changed, or forgets it. */
int store_collect_save(struct store *store);
void store_collect_drop(struct store *store);

/* ---- store_retain.c ---- */

/* The store's clock, from which ages are counted, in seconds */
int64_t store_clock(const struct store *store);

/* Continues the clock where the last kerrord left it. */
int store_begin_clock(struct store *store);

/* Within a transaction: notes how far the clock is, from time to time. */
int store_save_clock(struct store *store);

/* At the end, outside of transactions */
void store_end_clock(struct store *store);

/* Begins to count the pages of the log: store_log.c */
int store_watch_log(struct store *store);

/* ---- Filters: store_filter.c ---- */

#define STORE_IDS_MAX 16

/* Event ids, each different */
struct store_ids {
	int count;
	uint32_t id[STORE_IDS_MAX];
};

/**
 * struct store_condition - what a filter says about columns
 * @sql: an expression that holds for all that match, or "": nothing is known
 * @ids: what matches has one of these ids, if there is any
 */
struct store_condition {
	char sql[8192];
	struct store_ids ids;
};

/* @origins: there are columns for the fields of an origin */
void store_translate(struct store_condition *condition,
		     const struct kerror_filter *filter, bool origins);

/* ---- Pages: store_page.c ---- */

/* Most that is in memory of a stream; a page has at least one row. */
#define PAGE_ROWS	256
#define PAGE_BYTES	(512 << 10)

/* The parts of rows */
#define EVENT_COLUMNS \
	"SELECT id, time, boot, event_group, sequence, thread," \
	" coalesce(acknowledged, 0), data, severity FROM event"

#define LOSS_COLUMNS \
	"SELECT rowid, time, boot, event_group, cause, count, total FROM loss"

/* Rows that a page looks at, so that no transaction takes long */
#define PAGE_SCAN	4096

/* A row in the order of a query */
struct position {
	int64_t time, id;
};

struct row {
	struct position position;
	int64_t boot;
	struct store_item item;
	char cause[32];
};

/* The origins that a query has met: store_origins.c */
struct origins {
	struct store *store;
	void *tree;
	struct boot *last;
};

/*
 * Where a row with this number is from; valid until origins_free(). NULL, and *err set, if
 * that fails.
 */
struct kerror_origin *origins_of(struct origins *origins, int64_t number, int *err);
void origins_free(struct origins *origins);

/**
 * struct stream - rows of one kind in the order of a query
 * @store: where they are
 * @statement: selects what is beyond ?1 (time) and ?2 (id)
 * @losses: losses, not events
 * @query: what events must match
 * @origins: those that the query has met
 * @last: of the row that was read last
 * @end: there are no more
 * @row: the page
 * @count: rows in it
 * @at: the next one to give
 */
struct stream {
	struct store *store;
	sqlite3_stmt *statement;
	bool losses;
	const struct store_query *query;
	struct origins *origins;
	struct position last;
	bool end;
	struct row row[PAGE_ROWS];
	size_t count, at;
};

/* The next row, which rows_drop() ends, or NULL; @err is set to a failure. */
struct row *rows_next(struct stream *stream, int *err);
void rows_drop(struct stream *stream);
void rows_close(struct stream *stream);

#endif
