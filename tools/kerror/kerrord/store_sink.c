// SPDX-License-Identifier: GPL-2.0-only
/*
 * The database as a sink. What it has had is in the database itself, and
 * changes in one transaction with the events.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "kerrord.h"

/* Between two deletions of what is old; the file may be larger for so long. */
#define RETAIN_S 60

struct state {
	struct store *store;
	time_t retained;
};

static int open_store(struct sink *sink, char *message, size_t size)
{
	struct state *state = calloc(1, sizeof(*state));
	int err;

	if (!state) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	err = store_open(&state->store, sink->settings->path, true);
	snprintf(message, size, "%s", store_message(state->store));
	if (err) {
		store_close(state->store);
		free(state);
		return err;
	}
	/* A corrupted one was moved aside. */
	if (*message)
		sink->report(sink, 3, message);
	sink->private = state;
	return 0;
}

static void close_store(struct sink *sink)
{
	struct state *state = sink->private;

	store_close(state->store);
	free(state);
	sink->private = NULL;
}

static struct store *store_of(const struct sink *sink)
{
	return ((struct state *)sink->private)->store;
}

/* One that is not there yet, or will be begun anew, has had nothing. */
static int load_progress(struct sink *sink, struct progress *progress)
{
	struct store *store;
	int err = store_open(&store, sink->settings->path, false);

	for (int i = 0; !err && i < GROUPS; i++) {
		uint32_t group = kerror_group_at(i);

		progress[i].known = !store_cursor(store, sink->boot_id, group,
						  &progress[i].next);
		for (int cause = 0; cause < KERROR_CAUSES; cause++)
			store_loss_total(store, sink->boot_id, group, cause,
					 &progress[i].lost[cause]);
	}
	store_close(store);
	return access(sink->settings->path, F_OK) || err == -EUCLEAN ? 0 : err;
}

static int add(struct sink *sink, const struct record *record)
{
	switch (record->kind) {
	case RECORD_EVENT:
		return store_add_event(store_of(sink), sink->boot_id,
				       record->event);
	case RECORD_LOSS:
		return store_add_loss(store_of(sink), sink->boot_id,
				      record->time, &record->loss,
				      record->cause,
				      record_is_numbered_loss(record) ?
				      &record->next : NULL);
	default:
		return 0;	/* what kerrord says of itself is no event */
	}
}

/* Says what failed; a corrupted database makes way for a new one. */
static int failed(struct sink *sink, int err, char *message, size_t size)
{
	char moved_to[280];

	snprintf(message, size, "%s", store_message(store_of(sink)));
	store_rollback(store_of(sink));
	if (err == -EUCLEAN &&
	    !store_set_aside(sink->settings->path, moved_to, sizeof(moved_to)))
		snprintf(message, size,
			 "store %s is corrupted; it is now %s, and a new one begins",
			 sink->settings->path, moved_to);
	return err;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	int err = store_begin(store_of(sink));

	for (size_t i = 0; !err && i < count; i++)
		err = add(sink, records[i]);
	if (!err)
		err = store_commit(store_of(sink));
	return err ? failed(sink, err, message, size) : (int)count;
}

static int retain(struct sink *sink, char *message, size_t size)
{
	struct state *state = sink->private;
	int err;

	if (time(NULL) - state->retained < RETAIN_S)
		return 0;
	state->retained = time(NULL);
	err = store_retain(state->store, sink->settings->max_age,
			   sink->settings->max_size);
	return err ? failed(sink, err, message, size) : 0;
}

const struct sink_type store_sink = {
	.name = "store",
	.patient = true,
	.load_progress = load_progress,
	.open = open_store,
	.write = write_records,
	.idle = retain,
	.close = close_store,
};
