// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a program what arrives in the store after a place that the program keeps, in
 * the order of arrival. A place names its last event by number and by series: numbers
 * begin anew in another store, and in one from which everything was deleted.
 *
 * Promise: a place is of use after any restart. Events that retention deleted before they were
 * given are counted, and nothing is passed over in silence.
 */
#include <errno.h>
#include <stdlib.h>
#include "store_internal.h"

/* The row of the place's event: 0 it is there, 1 it was deleted, 2 it is another one */
static int look_at_event(struct store *store, const struct store_place *place, int *what)
{
	struct values values = { 0 };
	int code, err = 0;

	if (sqlite3_prepare_v2(store->database,
			       "SELECT CASE"
			       " WHEN id = ?1 AND boot = ?2 AND event_group = ?3 AND sequence = ?4"
			       " THEN 0 WHEN id > ?1 THEN 1 ELSE 2 END"
			       " FROM event WHERE id >= ?1 ORDER BY id LIMIT 1",
			       -1, &values.statement, NULL) != SQLITE_OK)
		return store_failed(store);
	add_number(&values, place->event);
	add_number(&values, place->boot);
	add_number(&values, place->group);
	add_number(&values, place->sequence);
	code = sqlite3_step(values.statement);
	/* Nothing is as new as that event was. */
	*what = 2;
	if (code == SQLITE_ROW)
		*what = sqlite3_column_int(values.statement, 0);
	else if (code != SQLITE_DONE)
		err = store_failed(store);
	sqlite3_finalize(values.statement);
	return err;
}

/*
 * A place that is of another store, or of one that was emptied, becomes the beginning. So does
 * that of the losses, of which nothing but the number is known.
 */
static int check_place(struct store *store, struct store_place *place)
{
	int64_t last;
	int err, what = 0;

	err = place->event ? look_at_event(store, place, &what) : 0;
	if (!err)
		err = store_number(store, "SELECT coalesce(max(rowid), 0) FROM loss", &last);
	if (err)
		return err;
	if (what == 2)
		place->event = 0;
	if (what == 2 || last < place->loss)
		place->loss = 0;
	return 0;
}

static struct stream *begin(struct store *store, struct origins *origins, bool losses,
			    int64_t after, int *err)
{
	static const struct store_query all;
	struct stream *stream = calloc(1, sizeof(*stream));

	*err = -ENOMEM;
	if (!stream)
		return NULL;
	*stream = (struct stream) {
		.store = store, .losses = losses, .query = &all, .origins = origins,
		.last.id = after,
	};
	*err = sqlite3_prepare_v2(store->database, losses ?
				  LOSS_COLUMNS " WHERE ?1 NOTNULL AND rowid > ?2 ORDER BY rowid" :
				  EVENT_COLUMNS " WHERE ?1 NOTNULL AND id > ?2 ORDER BY id",
				  -1, &stream->statement, NULL) == SQLITE_OK ?
	       0 : store_failed(store);
	return stream;
}

/* Gives what one stream has; 0 at its end */
static int give(struct stream *stream, struct store_place *place,
		int (*found)(void *context, const struct store_item *item,
			     const struct store_place *place),
		void *context)
{
	struct row *row;
	int err = 0;

	while (!err && (row = rows_next(stream, &err))) {
		const struct kerror_event *event = row->item.event;

		if (!event) {
			place->loss = row->position.id;
		} else {
			/* Numbers have no gaps but those of retention. */
			if (place->event && row->position.id > place->event + 1)
				place->gone += row->position.id - place->event - 1;
			place->event = row->position.id;
			place->boot = row->boot;
			place->group = kerror_event_group(event);
			place->sequence = kerror_event_sequence(event);
		}
		err = found(context, &row->item, place);
		rows_drop(stream);
	}
	return err;
}

int store_follow(struct store *store, struct store_place place,
		 int (*found)(void *context, const struct store_item *item,
			      const struct store_place *place),
		 void *context)
{
	struct origins origins = { .store = store };
	int err = check_place(store, &place);

	for (int losses = 0; !err && losses < 2; losses++) {
		struct stream *stream = begin(store, &origins, losses,
					      losses ? place.loss : place.event, &err);

		if (!err)
			err = give(stream, &place, found, context);
		if (stream)
			rows_close(stream);
		free(stream);
	}
	origins_free(&origins);
	return err;
}
