// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds events and losses, in the order of their time.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "store_internal.h"

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
		return store_failed(search->store);
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
	       code == SQLITE_DONE ? 0 : store_failed(search->store);
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
		err = store_number(store, sql[i], &values[i]);
	if (!err)
		*summary = (struct store_summary) {
			.events = values[0], .losses = values[1],
			.unacknowledged = values[2], .oldest = values[3],
			.newest = values[4], .bytes = values[5],
			.boots = values[6],
		};
	return err;
}
