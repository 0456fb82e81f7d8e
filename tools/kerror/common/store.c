// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store on SQLite: see store.h for what it promises. Only this file knows
 * SQL. In write-ahead mode readers never stop the writer, and a transaction is
 * there as a whole or not at all, whenever the program or the machine stops.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>
#include "output.h"
#include "store.h"

/* The "cause" of the row in progress that holds the next sequence number */
#define PROGRESS_SEQUENCE (-1)

/* Most that is deleted at once, so that others get their turn */
#define RETAIN_STEP 10000

enum statement {
	BEGIN, COMMIT, ROLLBACK, ADD_BOOT, FIND_BOOT, ADD_EVENT, ADD_LOSS,
	SET_PROGRESS, GET_PROGRESS, ACKNOWLEDGE, STATEMENTS
};

static const char *const statement_sql[] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD_BOOT] = "INSERT OR IGNORE INTO boot(boot_id) VALUES(?1)",
	[FIND_BOOT] = "SELECT boot FROM boot WHERE boot_id = ?1",
	[ADD_EVENT] =
		"INSERT OR IGNORE INTO event(boot, event_group, sequence, thread,"
		" time, severity, facility, device, event_id, text, data)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
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

/* What leads from each version to the next; never changed, only added to. */
static const char *const migrations[STORE_VERSION] = {
	"CREATE TABLE boot(boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE);"
	"CREATE TABLE event("
	" id INTEGER PRIMARY KEY, boot INTEGER NOT NULL,"
	" event_group INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	" thread INTEGER NOT NULL, time INTEGER NOT NULL,"
	" acknowledged INTEGER, severity INTEGER, facility TEXT, device TEXT,"
	" event_id INTEGER, text TEXT, data BLOB NOT NULL,"
	" UNIQUE(boot, event_group, sequence));"
	"CREATE INDEX event_time ON event(time);"
	"CREATE TABLE loss("
	" boot INTEGER NOT NULL, event_group INTEGER NOT NULL,"
	" time INTEGER NOT NULL, cause TEXT NOT NULL,"
	" count INTEGER NOT NULL, total INTEGER NOT NULL);"
	"CREATE INDEX loss_time ON loss(time);"
	"CREATE TABLE progress("
	" boot INTEGER NOT NULL, event_group INTEGER NOT NULL,"
	" cause INTEGER NOT NULL, value INTEGER NOT NULL,"
	" PRIMARY KEY(boot, event_group, cause)) WITHOUT ROWID;",
};

struct store {
	struct sqlite3 *database;
	struct sqlite3_stmt *statement[STATEMENTS];
	bool writable;
	char message[512];
	char path[256];
	char boot_id[BOOT_ID_SIZE];	/* whose row is in "boot" */
	int64_t boot;
	/* The next sequence number of each group, if the transaction moved it */
	struct {
		bool moved;
		uint32_t next;
	} group[32];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Takes down what SQLite says, and returns it as a negative errno. */
static int failed(struct store *store)
{
	int code = sqlite3_errcode(store->database) & 0xff;
	int system_errno = sqlite3_system_errno(store->database);
	static const char not_writable[] =
		"; it needs a file system and a folder that can be written";
	const char *remedy = "";
	int err = -EIO;

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
	}
	snprintf(store->message, sizeof(store->message), "store %s: %s%s%s%s",
		 store->path, sqlite3_errmsg(store->database),
		 err == -EIO && system_errno ? ": " : "",
		 err == -EIO && system_errno ? strerror(system_errno) : "",
		 remedy);
	return err;
}

static int execute(struct store *store, const char *sql)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ?
	       0 : failed(store);
}

/* Runs a prepared statement; 1 if there is a row, which finish() ends. */
static int step(struct store *store, enum statement which)
{
	int code = sqlite3_step(store->statement[which]);
	int err = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		err = failed(store);
	sqlite3_reset(store->statement[which]);
	return err;
}

static void finish(struct store *store, enum statement which)
{
	sqlite3_reset(store->statement[which]);
}

/* The only value of the only row of a query without parameters */
static int get_number(struct store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement;
	int err = 0;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) !=
	    SQLITE_OK)
		return failed(store);
	if (sqlite3_step(statement) == SQLITE_ROW)
		*value = sqlite3_column_int64(statement, 0);
	else
		err = failed(store);
	sqlite3_finalize(statement);
	return err;
}

static int migrate(struct store *store, int64_t version)
{
	char sql[64];
	int err;

	err = execute(store, "BEGIN IMMEDIATE");
	/* Somebody else may have been faster. */
	if (!err)
		err = get_number(store, "PRAGMA user_version", &version);
	for (; !err && version < STORE_VERSION; version++)
		err = execute(store, migrations[version]);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; COMMIT",
		 STORE_VERSION);
	if (!err)
		err = execute(store, sql);
	if (err)
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

static int prepare(struct store *store, bool writable)
{
	int64_t version;
	int err, i;

	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_busy_timeout(store->database, STORE_PATIENCE_MS);
	err = get_number(store, "PRAGMA user_version", &version);
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
		err = execute(store, "PRAGMA auto_vacuum = INCREMENTAL");
		if (!err)
			err = execute(store, "PRAGMA journal_mode = WAL");
		if (!err)
			err = migrate(store, version);
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
		err = execute(store, "PRAGMA synchronous = FULL;"
				     "PRAGMA journal_size_limit = 16777216");
		if (err)
			return err;
	}
	for (i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->database, statement_sql[i], -1,
				       SQLITE_PREPARE_PERSISTENT,
				       &store->statement[i], NULL) != SQLITE_OK)
			return failed(store);
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
		err = store->database ? failed(store) : -ENOMEM;
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
		 (unsigned long long)(now_ns() / 1000000));
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

/* ---- Writing ---- */

int store_begin(struct store *store)
{
	memset(store->group, 0, sizeof(store->group));
	return step(store, BEGIN);
}

static int set_progress(struct store *store, uint32_t group, int cause,
			int64_t value)
{
	sqlite3_stmt *statement = store->statement[SET_PROGRESS];

	sqlite3_bind_int64(statement, 1, store->boot);
	sqlite3_bind_int64(statement, 2, group);
	sqlite3_bind_int(statement, 3, cause);
	sqlite3_bind_int64(statement, 4, value);
	return step(store, SET_PROGRESS);
}

static int write_cursors(struct store *store)
{
	int err = 0, i;

	for (i = 0; !err && i < 32; i++) {
		if (store->group[i].moved)
			err = set_progress(store, 1U << i, PROGRESS_SEQUENCE,
					   store->group[i].next);
		store->group[i].moved = false;
	}
	return err;
}

int store_commit(struct store *store)
{
	int err = write_cursors(store);

	return err ? err : step(store, COMMIT);
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->database))
		step(store, ROLLBACK);
	store->boot_id[0] = '\0';	/* its row may be gone */
}

/* Makes store->boot the number of @boot_id. */
static int use_boot(struct store *store, const char *boot_id)
{
	int err;

	if (!strcmp(store->boot_id, boot_id))
		return 0;
	/* The cursors are of one boot. */
	err = write_cursors(store);
	if (err)
		return err;
	sqlite3_bind_text(store->statement[ADD_BOOT], 1, boot_id, -1,
			  SQLITE_STATIC);
	err = step(store, ADD_BOOT);
	if (err)
		return err;
	sqlite3_bind_text(store->statement[FIND_BOOT], 1, boot_id, -1,
			  SQLITE_STATIC);
	err = step(store, FIND_BOOT);
	if (err < 0)
		return err;
	store->boot = sqlite3_column_int64(store->statement[FIND_BOOT], 0);
	finish(store, FIND_BOOT);
	snprintf(store->boot_id, sizeof(store->boot_id), "%s", boot_id);
	return 0;
}

static void move_cursor(struct store *store, uint32_t group, uint32_t next)
{
	store->group[__builtin_ctz(group)].moved = true;
	store->group[__builtin_ctz(group)].next = next;
}

int store_add_event(struct store *store, const char *boot_id,
		    const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	sqlite3_stmt *statement = store->statement[ADD_EVENT];
	uint32_t sequence = kerror_event_sequence(event);
	uint32_t group = kerror_event_group(event);
	const char *device = kerror_event_device(event);
	const void *data;
	size_t size;
	int err;

	err = use_boot(store, boot_id);
	if (err)
		return err;
	sqlite3_clear_bindings(statement);
	sqlite3_bind_int64(statement, 1, store->boot);
	sqlite3_bind_int64(statement, 2, group);
	sqlite3_bind_int64(statement, 3, sequence);
	sqlite3_bind_int64(statement, 4, kerror_event_thread(event));
	sqlite3_bind_int64(statement, 5,
			   header ? header->time_realtime : now_ns());
	if (header) {
		const char *text = event_text(event, &size);

		sqlite3_bind_int(statement, 6, header->severity);
		sqlite3_bind_text(statement, 7, header->facility, -1,
				  SQLITE_STATIC);
		if (*device)
			sqlite3_bind_text(statement, 8, device, -1,
					  SQLITE_STATIC);
		if (header->format == EVL_FORMAT_PRINTF)
			sqlite3_bind_int64(statement, 9, header->event_id);
		if (header->format == EVL_FORMAT_PRINTF ||
		    header->format == EVL_FORMAT_STRING)
			sqlite3_bind_text(statement, 10, text, size,
					  SQLITE_STATIC);
	}
	data = kerror_event_data(event, &size);
	/* A null pointer would be bound as NULL. */
	sqlite3_bind_blob(statement, 11, size ? data : "", size, SQLITE_STATIC);
	err = step(store, ADD_EVENT);
	if (err)
		return err;
	move_cursor(store, group, sequence + 1);
	return 0;
}

int store_add_loss(struct store *store, const char *boot_id, uint64_t time,
		   const struct kerror_loss *loss, const char *cause,
		   const uint32_t *next)
{
	sqlite3_stmt *statement = store->statement[ADD_LOSS];
	int err;

	err = use_boot(store, boot_id);
	if (err)
		return err;
	sqlite3_bind_int64(statement, 1, store->boot);
	sqlite3_bind_int64(statement, 2, loss->group);
	sqlite3_bind_int64(statement, 3, time);
	sqlite3_bind_text(statement, 4, cause, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 5, loss->count);
	sqlite3_bind_int64(statement, 6, loss->total);
	err = step(store, ADD_LOSS);
	if (err)
		return err;
	if (next) {
		move_cursor(store, loss->group, *next);
		return 0;
	}
	return loss->cause < KERROR_CAUSES ?
	       set_progress(store, loss->group, loss->cause, loss->total) : 0;
}

static int get_progress(struct store *store, const char *boot_id,
			uint32_t group, int cause, int64_t *value)
{
	sqlite3_stmt *statement = store->statement[GET_PROGRESS];
	int err;

	sqlite3_bind_text(statement, 1, boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, group);
	sqlite3_bind_int(statement, 3, cause);
	err = step(store, GET_PROGRESS);
	if (err <= 0)
		return err ? err : -ENOENT;
	*value = sqlite3_column_int64(statement, 0);
	finish(store, GET_PROGRESS);
	return 0;
}

int store_cursor(struct store *store, const char *boot_id, uint32_t group,
		 uint32_t *next)
{
	int64_t value;
	int err = get_progress(store, boot_id, group, PROGRESS_SEQUENCE, &value);

	if (!err)
		*next = value;
	return err;
}

int store_loss_total(struct store *store, const char *boot_id, uint32_t group,
		     uint32_t cause, uint64_t *total)
{
	int64_t value;
	int err = get_progress(store, boot_id, group, cause, &value);

	if (!err)
		*total = value;
	return err;
}

static int used_bytes(struct store *store, int64_t *bytes)
{
	return get_number(store,
			  "SELECT (page_count - freelist_count) * page_size"
			  " FROM pragma_page_count, pragma_freelist_count,"
			  " pragma_page_size", bytes);
}

int store_retain(struct store *store, uint64_t age_s, uint64_t bytes)
{
	uint64_t now = now_ns();
	int64_t used = 0, events = 1, surplus;
	char sql[256];
	int err = 0;

	if (age_s && now / 1000000000 > age_s) {
		uint64_t oldest = now - age_s * 1000000000;

		snprintf(sql, sizeof(sql),
			 "DELETE FROM event WHERE time < %llu;"
			 "DELETE FROM loss WHERE time < %llu",
			 (unsigned long long)oldest, (unsigned long long)oldest);
		err = execute(store, sql);
	}
	while (!err && bytes) {
		err = used_bytes(store, &used);
		if (err || (uint64_t)used <= bytes || !events)
			break;
		/* About as many as are too many: all are of a similar size. */
		err = get_number(store,
				 "SELECT coalesce(max(id) - min(id), 0) FROM event",
				 &surplus);
		if (err)
			break;
		surplus = surplus * (1 - (double)bytes / used) + 1;
		snprintf(sql, sizeof(sql),
			 "DELETE FROM event WHERE id IN"
			 " (SELECT id FROM event ORDER BY time LIMIT %lld)",
			 (long long)(surplus < RETAIN_STEP ? surplus :
				     RETAIN_STEP));
		err = execute(store, sql);
		events = sqlite3_changes(store->database);
	}
	return err ? err : execute(store, "PRAGMA incremental_vacuum");
}

/* ---- Reading ---- */

#define EVENT_COLUMNS \
	"SELECT id, boot_id, event_group, sequence, thread, time," \
	" coalesce(acknowledged, 0), data, severity FROM event JOIN boot USING(boot)"

#define LOSS_COLUMNS \
	"SELECT boot_id, event_group, time, cause, count, total" \
	" FROM loss JOIN boot USING(boot)"

/* Makes an item of a row of EVENT_COLUMNS; its event is to be freed. */
static int item_of_event(sqlite3_stmt *row, struct store_item *item)
{
	struct kerror_event *event =
		kerror_event_new(sqlite3_column_int64(row, 2),
				 sqlite3_column_int64(row, 3),
				 sqlite3_column_int64(row, 4),
				 sqlite3_column_blob(row, 7),
				 sqlite3_column_bytes(row, 7));

	/* That of who wrote it, which may not be the kernel's */
	if (event && sqlite3_column_type(row, 8) == SQLITE_INTEGER)
		kerror_event_set_severity(event, sqlite3_column_int(row, 8));
	*item = (struct store_item) {
		.id = sqlite3_column_int64(row, 0),
		.boot_id = (const char *)sqlite3_column_text(row, 1),
		.event = event,
		.time = sqlite3_column_int64(row, 5),
		.acknowledged = sqlite3_column_int64(row, 6),
	};
	return event ? 0 : -ENOMEM;
}

static void item_of_loss(sqlite3_stmt *row, struct store_item *item)
{
	*item = (struct store_item) {
		.boot_id = (const char *)sqlite3_column_text(row, 0),
		.loss.group = sqlite3_column_int64(row, 1),
		.time = sqlite3_column_int64(row, 2),
		.cause = (const char *)sqlite3_column_text(row, 3),
		.loss.count = sqlite3_column_int64(row, 4),
		.loss.total = sqlite3_column_int64(row, 5),
		.loss.cause = KERROR_CAUSES,
	};
	for (unsigned int cause = 0; cause < KERROR_CAUSES; cause++)
		if (!strcmp(item->cause, kerror_cause_name(cause)))
			item->loss.cause = cause;
}

struct search {
	struct store *store;
	const struct store_query *query;
	int (*found)(void *context, const struct store_item *item);
	void *context;
	int64_t first;	/* of the events at the time "since", the first */
};

static int select_range(struct search *search, sqlite3_stmt **statement,
			const char *columns, const char *order)
{
	const struct store_query *query = search->query;
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "%s WHERE time >= ?1 AND time < ?2"
		 " AND (?3 IS NULL OR boot_id = ?3)"
		 " AND (?4 = 0 OR event_group & ?4)%s ORDER BY time %s", columns,
		 query->unacknowledged && !strcmp(columns, EVENT_COLUMNS) ?
		 " AND acknowledged IS NULL" : "", order);
	if (sqlite3_prepare_v2(search->store->database, sql, -1, statement,
			       NULL) != SQLITE_OK)
		return failed(search->store);
	sqlite3_bind_int64(*statement, 1, query->since);
	sqlite3_bind_int64(*statement, 2, query->until && query->until <= INT64_MAX ?
			   (int64_t)query->until : INT64_MAX);
	sqlite3_bind_text(*statement, 3, query->boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(*statement, 4, query->groups);
	return 0;
}

/* Advances to the next row; 1 if there is one. */
static int next_row(struct search *search, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	return code == SQLITE_ROW ? 1 :
	       code == SQLITE_DONE ? 0 : failed(search->store);
}

/* Advances to the next event that matches; 1 if there is one, in @item. */
static int next_event(struct search *search, sqlite3_stmt *statement,
		      struct store_item *item)
{
	const struct kerror_filter *filter = search->query->filter;
	int more;

	while ((more = next_row(search, statement)) > 0) {
		int err = item_of_event(statement, item);

		if (err)
			return err;
		if ((item->time > search->query->since ||
		     item->id >= search->first) &&
		    (!filter || kerror_filter_matches(filter, item->event)))
			return 1;
		kerror_event_free((struct kerror_event *)item->event);
	}
	return more;
}

static int next_loss(struct search *search, sqlite3_stmt *statement,
		     struct store_item *item)
{
	int more = next_row(search, statement);

	if (more > 0)
		item_of_loss(statement, item);
	return more;
}

/* Both kinds, the older one first */
static int give_all(struct search *search, sqlite3_stmt *events,
		    sqlite3_stmt *losses)
{
	struct store_item event, loss;
	int more_events, more_losses = 0, err;

	more_events = next_event(search, events, &event);
	if (losses && more_events >= 0)
		more_losses = next_loss(search, losses, &loss);
	for (;;) {
		bool is_event = more_events > 0 &&
				(more_losses <= 0 || event.time <= loss.time);

		err = more_events < 0 ? more_events : more_losses;
		if (err < 0 || (!more_events && !more_losses))
			break;
		err = search->found(search->context, is_event ? &event : &loss);
		if (err)
			break;
		if (is_event) {
			kerror_event_free((struct kerror_event *)event.event);
			more_events = next_event(search, events, &event);
		} else {
			more_losses = next_loss(search, losses, &loss);
		}
	}
	if (more_events > 0)
		kerror_event_free((struct kerror_event *)event.event);
	return err;
}

/* Where the newest @limit items that match begin */
static int find_start(struct search *search, struct store_query *query)
{
	uint64_t count = 0, since = 0;
	sqlite3_stmt *statement = NULL;
	struct store_item item;
	int64_t first = 0;
	int more;

	more = select_range(search, &statement, EVENT_COLUMNS, "DESC, id DESC");
	while (!more && count < query->limit) {
		more = next_event(search, statement, &item);
		if (more <= 0)
			break;
		since = item.time;
		first = item.id;
		kerror_event_free((struct kerror_event *)item.event);
		count++;
		more = 0;
	}
	sqlite3_finalize(statement);
	if (count == query->limit) {
		query->since = since;
		search->first = first;
	}
	return more;
}

int store_query(struct store *store, const struct store_query *query,
		int (*found)(void *context, const struct store_item *item),
		void *context)
{
	struct store_query range = *query;
	struct search search = {
		.store = store, .query = &range, .found = found,
		.context = context,
	};
	sqlite3_stmt *events = NULL, *losses = NULL;
	int err = 0;

	if (range.limit)
		err = find_start(&search, &range);
	if (!err)
		err = select_range(&search, &events, EVENT_COLUMNS,
				   "ASC, id ASC");
	if (!err && range.losses)
		err = select_range(&search, &losses, LOSS_COLUMNS, "ASC");
	if (!err)
		err = give_all(&search, events, losses);
	sqlite3_finalize(events);
	sqlite3_finalize(losses);
	return err;
}

int64_t store_acknowledge(struct store *store, int64_t first, int64_t last)
{
	sqlite3_stmt *statement = store->statement[ACKNOWLEDGE];
	int err;

	sqlite3_bind_int64(statement, 1, first);
	sqlite3_bind_int64(statement, 2, last);
	sqlite3_bind_int64(statement, 3, now_ns());
	err = step(store, ACKNOWLEDGE);
	return err ? err : sqlite3_changes(store->database);
}

int store_summary(struct store *store, struct store_summary *summary)
{
	static const char *const sql[] = {
		"SELECT count(*) FROM event",
		"SELECT coalesce(sum(count), 0) FROM loss",
		"SELECT count(*) FROM event WHERE acknowledged IS NULL",
		"SELECT coalesce(min(time), 0) FROM event",
		"SELECT coalesce(max(time), 0) FROM event",
		"SELECT page_count * page_size"
		" FROM pragma_page_count, pragma_page_size",
		"SELECT count(*) FROM boot",
	};
	int64_t values[7];
	int err = 0;

	for (size_t i = 0; !err && i < 7; i++)
		err = get_number(store, sql[i], &values[i]);
	if (!err)
		*summary = (struct store_summary) {
			.events = values[0], .losses = values[1],
			.unacknowledged = values[2], .oldest = values[3],
			.newest = values[4], .bytes = values[5],
			.boots = values[6],
		};
	return err;
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
