// SPDX-License-Identifier: GPL-2.0-only
/*
 * The database as a sink. What it has had is in the database itself, and
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

/* An event at which writing fails so often is skipped. */
#define ATTEMPTS 3

/* Between two reports of skipped events */
#define SKIP_REPORT_S 60

/* Between two reports of what retention deletes */
#define REPORT_S 3600

/**
 * struct state - an open store
 * @store: the store
 * @told: what retention had deleted at the last report
 * @report_at: when there may be another one, nanoseconds of CLOCK_MONOTONIC
 * @age_at: when to look for what is too old, likewise
 * @skip_report_at: when there may be another report of skipped events, likewise
 * @skipped: the event that was skipped last, and why
 * @log_told: it was reported that the log grows
 */
struct state {
	struct store *store;
	struct store_deleted told;
	uint64_t report_at, age_at, skip_report_at;
	char skipped[384];
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

static void close_store(struct sink *sink)
{
	struct state *state = sink->private;

	state->report_at = 0;
	report_deleted(sink, state);
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
	int err = store_cursor(store, sink->boot_id, group, &progress->next);

	progress->known = !err;
	for (int cause = 0; cause < KERROR_CAUSES; cause++)
		if (!err || err == -ENOENT)
			err = store_loss_total(store, sink->boot_id, group,
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

/* Keeps the reason for the report: the message of the store is overwritten. */
static void note_skipped(struct sink *sink, const struct record *record,
			 bool given_up)
{
	struct state *state = sink->private;

	snprintf(state->skipped, sizeof(state->skipped), "%s %u: %s",
		 kerror_group_name(kerror_event_group(record->event)),
		 kerror_event_sequence(record->event), given_up ?
		 "it failed again and again" : store_message(state->store));
}

/* Of what is committed: these events were not written. */
static void report_skipped(struct sink *sink, unsigned int count)
{
	struct state *state = sink->private;
	char text[512];

	/* What is committed counts as written, see sink.c. */
	sink->written -= count;
	sink->skipped += count;
	if (now_ns(CLOCK_MONOTONIC) < state->skip_report_at)
		return;
	state->skip_report_at = now_ns(CLOCK_MONOTONIC) +
				SKIP_REPORT_S * 1000000000ULL;
	snprintf(text, sizeof(text),
		 "skipped %llu events so far, which it cannot store; the last is %s",
		 (unsigned long long)sink->skipped, state->skipped);
	sink->report(sink, 3, text);
}

/* Whether the log has reached its limit, and cannot be emptied */
static int check_log(const struct sink *sink)
{
	struct store *store = store_of(sink);
	uint64_t limit = sink->settings->max_log;

	return limit && store_log_bytes(store) > limit ?
	       store_shorten_log(store) : 0;
}

/* A failure that may be the record's own, not that of the disk or of a reader */
static bool may_be_its_own(int err)
{
	return err == -EINVAL || err == -ENOMEM || err == -EIO;
}

static bool is_suspect(const struct sink *sink, const struct record *record)
{
	return record->kind == RECORD_EVENT && sink->suspect.failures &&
	       sink->suspect.group == kerror_event_group(record->event) &&
	       sink->suspect.sequence == kerror_event_sequence(record->event);
}

static void suspect(struct sink *sink, const struct record *record, int err)
{
	if (record->kind != RECORD_EVENT || !may_be_its_own(err))
		return;
	if (!is_suspect(sink, record))
		sink->suspect.failures = 0;
	sink->suspect.group = kerror_event_group(record->event);
	sink->suspect.sequence = kerror_event_sequence(record->event);
	sink->suspect.failures++;
}

/* Instead of an event that cannot be stored: that it is missing */
static int add_skipped(struct sink *sink, const struct record *record)
{
	const struct kerror_loss loss = {
		.count = 1, .total = sink->skipped + 1, .cause = KERROR_CAUSES,
		.group = kerror_event_group(record->event),
	};
	uint32_t next = kerror_event_sequence(record->event) + 1;

	return store_add_loss(store_of(sink), sink->boot_id, record->time, &loss,
			      CAUSE_SKIPPED, &next);
}

/*
 * Adds a record, or skips it: at once if SQLite refuses it, after some attempts
 * if something else fails at it again and again.
 */
static int add_or_skip(struct sink *sink, const struct record *record,
		       unsigned int *skipped)
{
	bool given_up = is_suspect(sink, record) &&
			sink->suspect.failures >= ATTEMPTS;
	int err = given_up ? -EINVAL : add(sink, record);

	if (err == -EINVAL && record->kind == RECORD_EVENT) {
		if (!*skipped)
			note_skipped(sink, record, given_up);
		++*skipped;
		err = add_skipped(sink, record);
	} else if (err) {
		suspect(sink, record, err);
	}
	return err;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	unsigned int skipped = 0;
	int err = check_log(sink);

	if (!err)
		err = store_begin(store_of(sink));
	for (size_t i = 0; !err && i < count; i++)
		err = add_or_skip(sink, records[i], &skipped);
	if (!err)
		err = store_commit(store_of(sink));
	if (err)
		return failed(sink, err, message, size);
	if (skipped) {
		sink->suspect.failures = 0;
		report_skipped(sink, skipped);
	}
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
	err = check_log(sink);
	if (err)
		return failed(sink, err, message, size);
	if (now >= state->age_at) {
		state->age_at = now + AGE_S * 1000000000ULL;
		age = sink->settings->max_age;
	}
	err = store_retain(state->store, age, sink->settings->max_size);
	if (err)
		return failed(sink, err, message, size);
	report_deleted(sink, state);
	return 0;
}

const struct sink_type store_sink = {
	.name = "store",
	.gather_ms = 100,
	.load_progress = load_progress,
	.open = open_store,
	.write = write_records,
	.idle = idle,
	.close = close_store,
};
