// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adds events and losses, and notes in the same transaction how far each group
 * was read. So a program killed at any point neither repeats nor skips.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"
#include "store_internal.h"

/* The "cause" of the row in progress that holds the next sequence number */
#define PROGRESS_SEQUENCE (-1)

static struct values values_of(struct store *store, enum statement which)
{
	return (struct values) { .statement = store->statement[which] };
}

int store_begin(struct store *store)
{
	memset(store->group, 0, sizeof(store->group));
	store->condition_room = ROOM_UNKNOWN;
	return store_step(store, BEGIN);
}

static int set_progress(struct store *store, uint32_t group, int cause,
			int64_t value)
{
	struct values values = values_of(store, SET_PROGRESS);

	add_number(&values, store->boot);
	add_number(&values, group);
	add_number(&values, cause);
	add_number(&values, value);
	return store_step_with(store, SET_PROGRESS, &values);
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

	if (!err)
		err = store_collect_save(store);
	store_collect_drop(store);
	if (!err)
		err = store_save_clock(store);
	if (!err)
		err = store_step(store, COMMIT);
	/*
	 * A program that may not write to -shm sees what the last reader that may
	 * could see, so somebody has to read.
	 */
	if (!err && store_step(store, TOUCH) > 0)
		store_finish(store, TOUCH);
	return err;
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->database))
		store_step(store, ROLLBACK);
	store_collect_drop(store);
	/* Its row may be gone. */
	kerror_origin_release(store->origin);
	store->origin = NULL;
}

/* Makes store->boot the number of the origin's series. */
static int use_series(struct store *store, struct kerror_origin *origin)
{
	int err;

	if (origin && store->origin == origin)
		return 0;
	if (!kerror_origin_get(origin, "boot_id")) {
		snprintf(store->message, sizeof(store->message),
			 "store %s: an event of no boot; is /proc mounted?", store->path);
		return -EINVAL;
	}
	/* The cursors are of one series. */
	err = write_cursors(store);
	if (err)
		return err;
	err = store_add_origin(store, origin, &store->boot);
	if (err)
		return err;
	kerror_origin_release(store->origin);
	store->origin = kerror_origin_hold(origin);
	return 0;
}

static void move_cursor(struct store *store, uint32_t group, uint32_t next)
{
	store->group[__builtin_ctz(group)].moved = true;
	store->group[__builtin_ctz(group)].next = next;
}

/* Columns of an event with a header only */
static void add_header(struct values *values, const struct kerror_event *event,
		       const struct evl_header *header)
{
	const char *device = kerror_event_device(event), *text = NULL;
	bool is_printf = header->format == EVL_FORMAT_PRINTF;
	size_t size = 0;

	add_number(values, header->severity);
	add_text(values, header->facility, strlen(header->facility));
	add_text(values, *device ? device : NULL, strlen(device));
	if (is_printf || header->event_id)
		add_number(values, header->event_id);
	else
		add_null(values);
	if (is_printf || header->format == EVL_FORMAT_STRING)
		text = event_text(event, &size);
	add_text(values, text, size);
}

int store_insert_event(struct store *store, const struct kerror_event *event, uint64_t time)
{
	const struct evl_header *header = kerror_event_header(event);
	struct values values = values_of(store, ADD_EVENT);
	const void *data;
	size_t size;
	int err;

	add_number(&values, store->boot);
	add_number(&values, kerror_event_group(event));
	add_number(&values, kerror_event_sequence(event));
	add_number(&values, kerror_event_thread(event));
	add_number(&values, store_clock(store));
	time = header ? header->time_realtime : time ? time : store_now();
	add_number(&values, time <= INT64_MAX ? time : INT64_MAX);
	if (header)
		add_header(&values, event, header);
	while (values.count < 11)
		add_null(&values);
	data = kerror_event_data(event, &size);
	add_bytes(&values, data, size);
	err = store_step_with(store, ADD_EVENT, &values);
	if (err)
		return err;
	store->clock_used = true;
	return 0;
}

int store_add_event(struct store *store, const struct kerror_event *event)
{
	int err = use_series(store, kerror_event_origin(event));

	if (!err)
		err = store_insert_event(store, event, 0);
	if (!err)
		move_cursor(store, kerror_event_group(event), kerror_event_sequence(event) + 1);
	return err;
}

int store_insert_loss(struct store *store, uint64_t time, const struct kerror_loss *loss,
		      const char *cause)
{
	struct values values = values_of(store, ADD_LOSS);

	add_number(&values, store->boot);
	add_number(&values, loss->group);
	add_number(&values, time);
	add_number(&values, store_clock(store));
	add_text(&values, cause, strlen(cause));
	add_number(&values, loss->count);
	add_number(&values, loss->total);
	return store_step_with(store, ADD_LOSS, &values);
}

int store_add_loss(struct store *store, struct kerror_origin *origin, uint64_t time,
		   const struct kerror_loss *loss, const char *cause,
		   const uint32_t *next)
{
	int err = use_series(store, origin);

	if (!err)
		err = store_insert_loss(store, time, loss, cause);
	if (err)
		return err;
	if (next) {
		move_cursor(store, loss->group, *next);
		return 0;
	}
	return loss->cause < KERROR_CAUSES ?
	       set_progress(store, loss->group, loss->cause, loss->total) : 0;
}

int store_move_to(struct store *store, struct kerror_origin *origin, uint32_t group,
		  uint32_t next)
{
	int err = store_begin(store);

	if (!err)
		err = use_series(store, origin);
	if (!err) {
		move_cursor(store, group, next);
		err = store_commit(store);
	}
	if (err)
		store_rollback(store);
	return err;
}

static int get_progress(struct store *store, const struct series *series,
			uint32_t group, int cause, int64_t *value)
{
	struct values values = values_of(store, GET_PROGRESS);
	int err;

	add_series(&values, series);
	add_number(&values, group);
	add_number(&values, cause);
	err = store_step_with(store, GET_PROGRESS, &values);
	if (err <= 0)
		return err ? err : -ENOENT;
	*value = sqlite3_column_int64(values.statement, 0);
	store_finish(store, GET_PROGRESS);
	return 0;
}

int store_cursor(struct store *store, const struct series *series,
		 uint32_t group, uint32_t *next)
{
	int64_t value;
	int err = get_progress(store, series, group, PROGRESS_SEQUENCE, &value);

	if (!err)
		*next = value;
	return err;
}

int store_loss_total(struct store *store, const struct series *series,
		     uint32_t group, uint32_t cause, uint64_t *total)
{
	int64_t value;
	int err = get_progress(store, series, group, cause, &value);

	if (!err)
		*total = value;
	return err;
}

int64_t store_acknowledge(struct store *store, int64_t first, int64_t last)
{
	struct values values = values_of(store, ACKNOWLEDGE);
	int err;

	add_number(&values, first);
	add_number(&values, last);
	add_number(&values, store_now());
	err = store_step_with(store, ACKNOWLEDGE, &values);
	return err ? err : sqlite3_changes(store->database);
}
