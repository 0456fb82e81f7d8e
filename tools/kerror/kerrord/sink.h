/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of sinks of any type.
 *
 * sink.c           the queue, for the receiver
 * sink_thread.c    the thread that writes what is in it
 * sink_progress.c  what it has had
 * sink_poison.c    a record that cannot be written
 * sink_lines.c     lines that several events make up
 */
#ifndef SINK_H
#define SINK_H

#include "kerrord.h"

/**
 * struct work - what the thread of a sink has in hand
 * @batch: records that are to be written
 * @count: how many
 * @open: the sink is
 * @stop: it is to end
 * @alone: so many of the first ones are written one at a time
 * @attempts: that failed for the first of them
 * @poison_report_at: CLOCK_MONOTONIC: another report of poison may be made
 * @retry_s: seconds until the next attempt; 0: the last one was a success
 * @retry_ns: the same with what is added to it
 * @failing_since: CLOCK_MONOTONIC: when the first one failed
 * @idled: second in which the sink's idle() was called last
 * @written_at: CLOCK_MONOTONIC: when something was written last
 * @noted_at: CLOCK_MONOTONIC: when what the filter kept away was noted
 */
struct work {
	struct record *batch[BATCH];
	size_t count;
	bool open, stop;
	size_t alone;
	unsigned int attempts;
	uint64_t poison_report_at;
	unsigned int retry_s;
	uint64_t retry_ns;
	uint64_t failing_since;
	time_t idled;
	uint64_t written_at;
	uint64_t noted_at;
};

/* ---- The queue; with the lock held ---- */

/* Whether there is no point in waiting for more */
bool queue_has_gathered(const struct sink *sink);

/* Takes at most BATCH records; how many. */
size_t queue_take(struct sink *sink, struct record **batch);

/* ---- Progress ---- */

/* Of all groups: nothing is known. */
void progress_forget(struct progress *progress);

/* Reads the file; what it does not tell of stays as it is. */
void progress_load(struct sink *sink);
void progress_save(struct sink *sink);

/* Adds the events that @other had. */
void progress_add(struct progress *progresses, const struct progress *other);

/*
 * Takes @record into account. Returns NULL if it was had before, else itself or,
 * if a part of that loss was, a smaller one; with a reference.
 */
struct record *what_is_new(struct progress *progresses, struct record *record);

/* ---- The thread ---- */

/* The first @count records in hand are written. */
void work_written(struct sink *sink, struct work *work, size_t count);

/*
 * After an error of writing: true if there is something to try at once. A batch
 * goes on one by one, so that only the record that is the reason fails.
 */
bool work_can_go_on(struct sink *sink, struct work *work, int err,
		    const char *message);

#endif
