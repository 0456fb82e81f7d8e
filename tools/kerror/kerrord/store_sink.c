// SPDX-License-Identifier: GPL-2.0-only
/*
 * The database as a sink. Its last event is in the database itself, and
 * changes in one transaction with the events.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "kerrord.h"

/* Between two looks for what is too old; the size is looked at each second. */
#define AGE_S 60

/*
 * A larger log is emptied when there is time. If that fails at twice the size, it
 * is reported.
 */
#define LOG_LARGE (16 << 20)

/* Likewise, for boots of a fleet of which nothing is left */
#define BOOTS_S 3600

/* Between two reports of what retention deletes */
#define REPORT_S 3600

/**
 * struct state - an open store
 * @store: the store
 * @told: what retention had deleted at the last report
 * @report_at: when there may be another one, nanoseconds of CLOCK_MONOTONIC
 * @age_at: when to look for what is too old, likewise
 * @boots_at: for boots of which nothing is left, likewise
 * @log_told: it was reported that the log grows
 */
struct state {
	struct store *store;
	struct store_deleted told;
	uint64_t report_at, age_at, boots_at;
	bool log_told;
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
	if (!err)
		err = store_deleted(state->store, &state->told);
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

/* Tells what retention has deleted since it was last told. */
static void report_deleted(struct sink *sink, struct state *state)
{
	struct store_deleted deleted;
	uint64_t age, size;
	char text[160];

	if (store_deleted(state->store, &deleted))
		return;
	sink->deleted_age = deleted.age;
	sink->deleted_size = deleted.size;
	age = deleted.age - state->told.age;
	size = deleted.size - state->told.size;
	if ((!age && !size) || now_ns(CLOCK_MONOTONIC) < state->report_at)
		return;
	state->told = deleted;
	state->report_at = now_ns(CLOCK_MONOTONIC) + REPORT_S * 1000000000ULL;
	snprintf(text, sizeof(text),
		 "deleted %llu events older than max_age, %llu beyond max_size",
		 (unsigned long long)age, (unsigned long long)size);
	sink->report(sink, 6, text);
}

/* What the filter kept away is in no event; sink_thread.c says how often it moves. */
static int write_places(struct sink *sink, struct store *store)
{
	struct kerror_origin *origin = identity();
	int err = 0;

	for (int i = 0; !err && i < GROUPS; i++) {
		const struct progress *done = &sink->done[i];
		uint32_t group = kerror_group_at(i), next;

		if (!done->known)
			continue;
		err = store_cursor(store, sink->series, group, &next);
		if (err == -ENOENT || (!err && (int32_t)(done->next - next) > 0))
			err = store_move_to(store, origin, group, done->next);
	}
	kerror_origin_release(origin);
	return err;
}

static void close_store(struct sink *sink)
{
	struct state *state = sink->private;

	state->report_at = 0;
	report_deleted(sink, state);
	/* A store that failed has its next chance when it is open again. */
	if (sink->settings->filter)
		write_places(sink, state->store);
	store_close(state->store);
	free(state);
	sink->private = NULL;
}

static struct store *store_of(const struct sink *sink)
{
	return ((struct state *)sink->private)->store;
}

/* 0, too, if the store has nothing of that kind */
static int load_group(struct sink *sink, struct store *store, uint32_t group,
		      struct progress *progress)
{
	int err = store_cursor(store, sink->series, group, &progress->next);

	progress->known = !err;
	for (int cause = 0; cause < KERROR_CAUSES; cause++)
		if (!err || err == -ENOENT)
			err = store_loss_total(store, sink->series, group,
					       cause, &progress->lost[cause]);
	return err == -ENOENT ? 0 : err;
}

/* One that is not there yet, or will be begun anew, has had nothing. */
static int load_progress(struct sink *sink, struct progress *progress)
{
	struct store *store;
	int err = store_open(&store, sink->settings->path, false);

	/* An error must not look as if it had nothing: all would come again. */
	for (int i = 0; !err && i < GROUPS; i++)
		err = load_group(sink, store, kerror_group_at(i), &progress[i]);
	store_close(store);
	return access(sink->settings->path, F_OK) || err == -EUCLEAN ? 0 : err;
}

/* For the conditions, of events that it has */
static bool wants_line(const struct sink *sink, const struct kerror_event *line)
{
	const struct kerror_filter *filter = sink->settings->filter;

	return !filter || kerror_filter_matches(filter, kerror_event_first_part(line));
}

static int add(struct sink *sink, const struct record *record)
{
	switch (record->kind) {
	case RECORD_EVENT:
		return store_add_event(store_of(sink), record->event);
	case RECORD_LOSS:
		return store_add_loss(store_of(sink), record->origin,
				      record->time, &record->loss,
				      record->cause,
				      record_is_numbered_loss(record) ?
				      &record->next : NULL);
	default:
		return 0;	/* no event: a line of some, what kerrord says of itself */
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

/* Whether the log has reached its limit, and cannot be emptied */
static int check_log(struct sink *sink)
{
	struct store *store = store_of(sink);
	uint64_t limit = sink->settings->max_log;

	sink->log_bytes = store_log_bytes(store);
	return limit && sink->log_bytes > limit ? store_shorten_log(store) : 0;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	int err = store_check_place(store_of(sink)), changes = 0;

	if (!err)
		err = check_log(sink);
	if (!err)
		err = store_begin(store_of(sink));
	for (size_t i = 0; err >= 0 && i < count; i++) {
		err = add(sink, records[i]);
		if (!err && records[i]->event)
			err = conditions_event(sink, store_of(sink), records[i]->event);
		changes += err > 0;
	}
	if (err >= 0)
		err = store_commit(store_of(sink));
	if (err)
		return failed(sink, err, message, size);
	/* idle() tells of a failure here. */
	if (changes)
		conditions_tell(sink, store_of(sink));
	return count;
}

/* Empties a large log, or reports once that it cannot. */
static void watch_log(struct sink *sink, struct state *state)
{
	sink->log_bytes = store_log_bytes(state->store);
	if (sink->log_bytes <= LOG_LARGE) {
		state->log_told = false;
	} else if (store_shorten_log(state->store) == -EBUSY &&
		   sink->log_bytes > 2 * LOG_LARGE && !state->log_told) {
		state->log_told = true;
		sink->report(sink, 4, store_message(state->store));
	}
}

static int idle(struct sink *sink, char *message, size_t size)
{
	struct state *state = sink->private;
	uint64_t now = now_ns(CLOCK_MONOTONIC), age = 0;
	int err;

	watch_log(sink, state);
	err = store_check_place(state->store);
	if (!err)
		err = check_log(sink);
	if (err)
		return failed(sink, err, message, size);
	if (now >= state->age_at) {
		state->age_at = now + AGE_S * 1000000000ULL;
		age = sink->settings->max_age;
	}
	err = store_retain(state->store, age, sink->settings->max_size);
	if (!err && sink->settings->collected && now >= state->boots_at) {
		state->boots_at = now + BOOTS_S * 1000000000ULL;
		err = store_retain_boots(state->store);
	}
	if (!err && sink->settings->filter)
		err = write_places(sink, state->store);
	if (err)
		return failed(sink, err, message, size);
	report_deleted(sink, state);
	err = conditions_tell(sink, state->store);
	return err ? failed(sink, err, message, size) : 0;
}

const struct sink_type store_sink = {
	.name = "store",
	.gather_ms = 100,
	.patient = true,
	.load_progress = load_progress,
	.open = open_store,
	.wants_line = wants_line,
	.write = write_records,
	.idle = idle,
	.close = close_store,
};
