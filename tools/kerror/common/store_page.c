// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads one stream of a query page by page. Each page is a transaction of its
 * own that ends before anybody sees the rows: SQLite cannot shorten its log while
 * a reader is in one, and a pager may wait for hours.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "store_internal.h"

/* Makes an item of a row; its event is to be freed. */
static int take_event(const struct stream *stream, struct row *row)
{
	sqlite3_stmt *from = stream->statement;
	struct kerror_event *event;
	int err = 0;

	row->item = (struct store_item) {
		.id = row->position.id,
		.origin = origins_of(stream->origins, sqlite3_column_int64(from, 2), &err),
		.time = row->position.time,
		.acknowledged = sqlite3_column_int64(from, 6),
	};
	if (err)
		return err;
	event = kerror_event_new(sqlite3_column_int64(from, 3),
				 sqlite3_column_int64(from, 4),
				 sqlite3_column_int64(from, 5),
				 sqlite3_column_blob(from, 7),
				 sqlite3_column_bytes(from, 7));
	if (!event)
		return -ENOMEM;
	row->item.event = event;
	kerror_event_set_origin(event, row->item.origin);

	/* The writer's severity, which may not be the kernel's */
	if (sqlite3_column_type(from, 8) == SQLITE_INTEGER)
		kerror_event_set_severity(event, sqlite3_column_int(from, 8));
	return 0;
}

static int take_loss(const struct stream *stream, struct row *row)
{
	sqlite3_stmt *from = stream->statement;
	const char *cause = (const char *)sqlite3_column_text(from, 4);
	int err = 0;

	snprintf(row->cause, sizeof(row->cause), "%s", cause ? cause : "");
	row->item = (struct store_item) {
		.origin = origins_of(stream->origins, sqlite3_column_int64(from, 2), &err),
		.loss.group = sqlite3_column_int64(from, 3),
		.time = row->position.time,
		.cause = row->cause,
		.loss.count = sqlite3_column_int64(from, 5),
		.loss.total = sqlite3_column_int64(from, 6),
		.loss.cause = KERROR_CAUSES,
	};
	for (unsigned int i = 0; i < KERROR_CAUSES; i++)
		if (!strcmp(row->cause, kerror_cause_name(i)))
			row->item.loss.cause = i;
	return err;
}

static bool is_wanted(const struct store_query *query, const struct kerror_event *event)
{
	return (!query->filter || kerror_filter_matches(query->filter, event)) &&
	       (!query->matches || query->matches(query->context, event));
}

static void free_event(struct row *row)
{
	kerror_event_free((struct kerror_event *)row->item.event);
	row->item.event = NULL;
}

/* Takes the row that the statement is at into the page, if it matches. */
static int take_row(struct stream *stream)
{
	struct row *row = &stream->row[stream->count];
	int err;

	row->position = (struct position) {
		.id = sqlite3_column_int64(stream->statement, 0),
		.time = sqlite3_column_int64(stream->statement, 1),
	};
	row->boot = sqlite3_column_int64(stream->statement, 2);
	stream->last = row->position;
	if (stream->losses) {
		err = take_loss(stream, row);
		stream->count += !err;
		return err;
	}
	err = take_event(stream, row);
	if (err)
		return err;
	if (is_wanted(stream->query, row->item.event))
		stream->count++;
	else
		free_event(row);
	return 0;
}

/* One that nobody wrote when it was opened must not have a writer by now. */
static int check_immutable(struct store *store)
{
	if (!store->immutable || !store_has_log(store))
		return 0;
	snprintf(store->message, sizeof(store->message),
		 "store %s: kerrord has begun to write it; ask again",
		 store->path);
	return -EBUSY;
}

static int read_page(struct stream *stream)
{
	struct values values = { .statement = stream->statement };
	int err = check_immutable(stream->store), code = SQLITE_ROW, scanned;
	size_t bytes = 0;

	stream->count = 0;
	stream->at = 0;
	if (err)
		return err;
	add_number(&values, stream->last.time);
	add_number(&values, stream->last.id);
	if (values.code)
		return store_failed(stream->store);
	for (scanned = 0; scanned < PAGE_SCAN && stream->count < PAGE_ROWS &&
	     bytes < PAGE_BYTES; scanned++) {
		size_t before = stream->count;

		code = sqlite3_step(stream->statement);
		if (code != SQLITE_ROW)
			break;
		err = take_row(stream);
		if (err)
			break;
		if (!stream->losses && stream->count > before)
			bytes += sqlite3_column_bytes(stream->statement, 7);
	}
	stream->end = code == SQLITE_DONE;
	if (!err && code != SQLITE_ROW && code != SQLITE_DONE)
		err = store_failed(stream->store);
	/* Ends the transaction. */
	sqlite3_reset(stream->statement);
	return err;
}

struct row *rows_next(struct stream *stream, int *err)
{
	while (!*err && stream->at == stream->count && !stream->end)
		*err = read_page(stream);
	return *err || stream->at == stream->count ? NULL :
	       &stream->row[stream->at];
}

void rows_drop(struct stream *stream)
{
	free_event(&stream->row[stream->at++]);
}

void rows_close(struct stream *stream)
{
	while (stream->at < stream->count)
		rows_drop(stream);
	sqlite3_finalize(stream->statement);
}
