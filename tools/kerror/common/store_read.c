// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds events and losses, in the order of their time. A query is one or more
 * streams of rows that are merged: events, those of each wanted id, those without
 * a header, which no column tells of, and losses. A row that comes after it began is
 * not in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"
#include "store_internal.h"

/* Each id, events without a header, losses */
#define STREAMS_MAX (STORE_IDS_MAX + 2)

/**
 * struct search - a query at work
 * @query: what is wanted
 * @condition: what its filter says about columns
 * @origins: those that it has met
 * @last: the newest event and loss that may be in it
 * @stream: what is merged
 * @streams: how many
 * @descending: the newest first
 */
struct search {
	struct store *store;
	const struct store_query *query;
	struct store_condition condition;
	struct origins origins;
	struct store_mark last;
	struct stream *stream[STREAMS_MAX];
	int streams;
	bool descending;
};

/* The query's own terms for columns that both kinds have */
static void add_query(const struct search *search, sqlite3_str *sql)
{
	const struct store_query *query = search->query;

	/* Of pages in descending order the end */
	if (search->descending && query->since)
		sqlite3_str_appendf(sql, " AND time >= %lld",
				    (long long)query->since);
	if (query->until && query->until <= INT64_MAX)
		sqlite3_str_appendf(sql, " AND time < %lld",
				    (long long)query->until);
	if (query->boot_id)
		sqlite3_str_appendf(sql, " AND boot IN (SELECT boot FROM boot WHERE boot_id = %Q)",
				    query->boot_id);
	if (query->groups)
		sqlite3_str_appendf(sql, " AND event_group & %u", query->groups);
}

/* The few that are new, or one: by their numbers, not in the order of time */
static void add_numbers(const struct search *search, sqlite3_str *sql, bool losses)
{
	const struct store_query *query = search->query;

	sqlite3_str_appendf(sql, " AND %s <= %lld", losses ? "rowid" : "id",
			    (long long)(losses ? search->last.loss : search->last.event));
	if (query->after.event || query->after.loss)
		sqlite3_str_appendf(sql, " AND %s > %lld", losses ? "rowid" : "id",
				    (long long)(losses ? query->after.loss :
							 query->after.event));
	if (query->number && !losses)
		sqlite3_str_appendf(sql, " AND id = %lld", (long long)query->number);
}

/* Adds a stream that begins at the edge of the query, or at @start. */
static int add_stream(struct search *search, bool losses, const char *condition,
		      const struct position *start)
{
	const char *order = search->descending ? "DESC" : "ASC";
	const char *id = losses ? "rowid" : "id";
	const struct store_query *query = search->query;
	struct stream *stream = calloc(1, sizeof(*stream));
	sqlite3_str *sql = sqlite3_str_new(search->store->database);
	int err = -ENOMEM;
	char *text;

	sqlite3_str_appendf(sql, "%s%s WHERE (time, %s) %c (?1, ?2)",
			    losses ? LOSS_COLUMNS : EVENT_COLUMNS,
			    query->number || query->after.event || query->after.loss ?
			    " NOT INDEXED" : "", id,
			    search->descending ? '<' : '>');
	add_numbers(search, sql, losses);
	add_query(search, sql);
	if (!losses && query->unacknowledged)
		sqlite3_str_appendall(sql, " AND acknowledged IS NULL");
	if (condition)
		sqlite3_str_appendf(sql, " AND %s", condition);
	sqlite3_str_appendf(sql, " ORDER BY time %s, %s %s", order, id, order);
	text = sqlite3_str_finish(sql);
	if (stream && text) {
		stream->store = search->store;
		stream->losses = losses;
		stream->query = query;
		stream->origins = &search->origins;
		stream->last = *start;
		search->stream[search->streams++] = stream;
		err = sqlite3_prepare_v2(search->store->database, text, -1,
					 &stream->statement, NULL) == SQLITE_OK ?
		      0 : store_failed(search->store);
	} else {
		free(stream);
	}
	sqlite3_free(text);
	return err;
}

/* The streams of events */
static int add_events(struct search *search, const struct position *start)
{
	const struct store_condition *condition = &search->condition;
	const struct store_ids *ids = &condition->ids;
	char sql[sizeof(condition->sql) + 64];
	int err = 0;

	if (!condition->sql[0])
		return add_stream(search, false, NULL, start);
	for (int i = 0; !err && i < ids->count; i++) {
		snprintf(sql, sizeof(sql), "event_id = %u AND %s", ids->id[i],
			 condition->sql);
		err = add_stream(search, false, sql, start);
	}
	snprintf(sql, sizeof(sql), "severity IS NOT NULL AND %s",
		 condition->sql);
	if (!ids->count)
		err = add_stream(search, false, sql, start);
	return err ? err :
	       add_stream(search, false, "severity IS NULL", start);
}

static void close_streams(struct search *search)
{
	while (search->streams) {
		struct stream *stream = search->stream[--search->streams];

		rows_close(stream);
		free(stream);
	}
}

/* Whether @a comes before @b; at the same time the event before the loss */
static bool is_before(const struct search *search, const struct row *a,
		      const struct row *b)
{
	bool is_loss = !a->item.event;

	if (a->position.time != b->position.time)
		return (a->position.time < b->position.time) !=
		       search->descending;
	if (is_loss != !b->item.event)
		return !is_loss;
	return (a->position.id < b->position.id) != search->descending;
}

/* Calls @found for each row of all streams, until it returns something but 0. */
static int merge(struct search *search,
		 int (*found)(void *context, const struct store_item *item),
		 void *context)
{
	int err = 0;

	for (;;) {
		struct stream *best = NULL;
		struct row *first = NULL, *row;

		for (int i = 0; i < search->streams; i++) {
			row = rows_next(search->stream[i], &err);
			if (err)
				return err;
			if (row && (!best || is_before(search, row, first))) {
				best = search->stream[i];
				first = row;
			}
		}
		if (!best)
			return 0;
		err = found(context, &first->item);
		rows_drop(best);
		if (err)
			return err;
	}
}

/* Where the newest items that match begin */
struct newest {
	uint64_t wanted;
	struct position first;
};

static int count_down(void *context, const struct store_item *item)
{
	struct newest *newest = context;

	newest->first = (struct position) { item->time, item->id };
	return !--newest->wanted;
}

/* Moves @start to the first of the newest @limit events. */
static int find_start(struct search *search, struct position *start)
{
	static const struct position end = { INT64_MAX, INT64_MAX };
	struct newest newest = { .wanted = search->query->limit };
	int err;

	search->descending = true;
	err = add_events(search, &end);
	if (!err)
		err = merge(search, count_down, &newest);
	close_streams(search);
	search->descending = false;
	if (err < 0)
		return err;
	if (!newest.wanted) {
		*start = newest.first;
		start->id--;
	}
	return 0;
}

int store_mark(struct store *store, struct store_mark *mark)
{
	int err = store_number(store, "SELECT coalesce(max(id), 0) FROM event",
			       &mark->event);

	return err ? err : store_number(store, "SELECT coalesce(max(rowid), 0) FROM loss",
					&mark->loss);
}

static int begin_search(struct search *search)
{
	struct store *store = search->store;
	int err;

	search->last = search->query->up_to;
	err = search->last.event || search->last.loss ? 0 : store_mark(store, &search->last);
	store_translate(&search->condition, search->query->filter,
			store->version >= STORE_HAS_ORIGIN);
	return err;
}

int store_query(struct store *store, const struct store_query *query,
		int (*found)(void *context, const struct store_item *item),
		void *context)
{
	struct position start = { INT64_MIN, INT64_MAX };
	struct search *search = calloc(1, sizeof(*search));
	int err;

	if (!search)
		return -ENOMEM;
	search->store = store;
	search->query = query;
	search->origins.store = store;
	if (query->since)
		start.time = query->since > INT64_MAX ? INT64_MAX :
			     (int64_t)query->since - 1;
	err = begin_search(search);
	if (!err && query->limit && !query->newest_first)
		err = find_start(search, &start);
	if (query->newest_first)
		start = (struct position) { INT64_MAX, INT64_MAX };
	search->descending = query->newest_first;
	if (!err)
		err = add_events(search, &start);
	if (!err && query->losses)
		err = add_stream(search, true, NULL, &start);
	if (!err)
		err = merge(search, found, context);
	close_streams(search);
	origins_free(&search->origins);
	free(search);
	return err;
}

int store_summary(struct store *store, struct store_summary *summary)
{
	static const char *const sql[] = {
		"SELECT count(*) FROM event",
		"SELECT coalesce(sum(count), 0) FROM loss WHERE cause != '" CAUSE_COLLAPSED "'",
		"SELECT count(*) FROM event WHERE acknowledged IS NULL",
		"SELECT coalesce(min(time), 0) FROM event",
		"SELECT coalesce(max(time), 0) FROM event",
		"SELECT page_count * page_size"
		" FROM pragma_page_count, pragma_page_size",
		"SELECT count(DISTINCT boot_id) FROM boot",
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
