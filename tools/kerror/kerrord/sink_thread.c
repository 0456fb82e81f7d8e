// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread of a sink: writes what is in the queue, and tries again after a
 * failure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "sink.h"

#define NS_PER_S	1000000000ULL

#define RETRY_FIRST_S	1
#define RETRY_LAST_S	30

/* Of a storm of severe events, too, some come together. */
#define URGENT_MS	10

/* Between two notes of how far a sink is that wants nothing of what comes */
#define NOTE_S		10

/* With the lock held; until @ns have passed or something is to be done */
static void wait_for_work(struct sink *sink, bool failing, uint64_t ns)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + ns;
	struct timespec deadline = {
		.tv_sec = end / NS_PER_S, .tv_nsec = end % NS_PER_S,
	};

	while (!sink->stop && !sink->reopen && (failing || !sink->first))
		if (pthread_cond_timedwait(&sink->changed, &sink->lock,
					   &deadline))
			break;
}

/* With the lock held; lets records come together before they are written. */
static void gather(struct sink *sink, const struct work *work)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) +
		       sink->type->gather_ms * 1000000ULL;
	uint64_t urgent = work->written_at + URGENT_MS * 1000000ULL;

	sink->gathering = true;
	while (sink->first && !sink->stop && !sink->reopen &&
	       !queue_has_gathered(sink)) {
		uint64_t until = sink->urgent && urgent < end ? urgent : end;
		struct timespec deadline = {
			.tv_sec = until / 1000000000,
			.tv_nsec = until % 1000000000,
		};

		if (now_ns(CLOCK_MONOTONIC) >= until)
			break;
		pthread_cond_timedwait(&sink->changed, &sink->lock, &deadline);
	}
	sink->gathering = false;
}

/* Whether it began before the sink did: what was written last time is not known of lines. */
static bool is_old_line(const struct sink *sink, const struct record *record)
{
	const struct progress *begin;
	int index;

	if (record->kind != RECORD_LINE)
		return false;
	index = kerror_group_index(kerror_event_group(record->event));
	if (index < 0)
		return false;
	begin = &sink->begin[index];
	return begin->known &&
	       (int32_t)(kerror_event_sequence(record->event) - begin->next) < 0;
}

/*
 * Of what is in hand, leaves what the sink has not had. The receiver has looked
 * already, but it does not know what is in a store that it could not open.
 */
static void leave_what_is_new(const struct sink *sink, struct work *work)
{
	struct progress progress[GROUPS];
	size_t i, count = 0;

	memcpy(progress, sink->done, sizeof(progress));
	for (i = 0; i < work->count; i++) {
		struct record *record = is_old_line(sink, work->batch[i]) ?
					NULL : what_is_new(progress, work->batch[i]);

		record_put(work->batch[i]);
		if (record)
			work->batch[count++] = record;
	}
	work->count = count;
}

void work_written(struct sink *sink, struct work *work, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct record *record = what_is_new(sink->done, work->batch[i]);

		if (record)
			record_put(record);
		if (work->batch[i]->kind == RECORD_EVENT)
			sink->written++;
	}
	sink_moves(sink);
	progress_save(sink);
	work->written_at = now_ns(CLOCK_MONOTONIC);
	if (sink->type->keep)
		sink->type->keep(sink);
	for (i = 0; i < count; i++)
		record_put(work->batch[i]);
	work->count -= count;
	memmove(work->batch, work->batch + count,
		work->count * sizeof(*work->batch));
}

static int open_sink(struct sink *sink, struct work *work, char *message,
		     size_t size)
{
	int err = sink->type->open(sink, message, size);

	if (err)
		return err;
	work->open = true;
	if (!sink->loaded)
		sink->loaded = !sink->type->load_progress(sink, sink->done);
	/* No line can have been written before that. */
	if (!sink->begun)
		memcpy(sink->begin, sink->done, sizeof(sink->begin));
	sink->begun = sink->loaded;
	return 0;
}

/* One attempt at what there is to do; 0, or a negative errno */
static int attempt(struct sink *sink, struct work *work, bool reopen,
		   char *message, size_t size)
{
	const struct sink_type *type = sink->type;
	int result = 0;

	if (work->open && reopen && type->reopen)
		type->reopen(sink);
	if (!work->open)
		result = open_sink(sink, work, message, size);
	if (result < 0)
		return result;
	leave_what_is_new(sink, work);
	while (work->count) {
		result = type->write(sink, work->batch,
				     work->alone ? 1 : work->count, message, size);
		if (result < 0 && work_can_go_on(sink, work, result, message))
			continue;
		if (result < 0)
			return result;
		work_written(sink, work, result);
		work->alone -= work->alone > 0;
		work->attempts = 0;
	}
	if (type->idle && time(NULL) != work->idled) {
		work->idled = time(NULL);
		result = type->idle(sink, message, size);
	}
	return result < 0 ? result : 0;
}

/* At least the time that the sink has named; of many machines up to half of it more */
static uint64_t retry_delay(const struct sink *sink, const struct work *work)
{
	uint64_t delay = work->retry_s * NS_PER_S, now = now_ns(CLOCK_MONOTONIC), chance;

	if (sink->retry_at > now && sink->retry_at - now > delay)
		delay = sink->retry_at - now;
	if (sink->type->spread &&
	    getrandom(&chance, sizeof(chance), GRND_NONBLOCK) == sizeof(chance))
		delay += chance % (delay / 2);
	return delay;
}

static void note_failure(struct sink *sink, struct work *work,
			 const char *message)
{
	if (work->open)
		sink->type->close(sink);
	work->open = false;
	sink->failures++;
	sink->up = false;
	if (!work->retry_s) {
		work->failing_since = now_ns(CLOCK_MONOTONIC);
		work->retry_s = RETRY_FIRST_S;
		sink->report(sink, 3, message);
	} else if (work->retry_s < RETRY_LAST_S) {
		work->retry_s *= 2;
	}
	work->retry_ns = retry_delay(sink, work);
}

static void note_success(struct sink *sink, struct work *work)
{
	char text[128];

	sink->up = true;
	if (!work->retry_s)
		return;
	work->retry_s = 0;
	snprintf(text, sizeof(text), "works again after %llu s%s",
		 (unsigned long long)(now_ns(CLOCK_MONOTONIC) -
				      work->failing_since) / 1000000000,
		 sink->behind ? "; the kernel's history has what it missed" : "");
	sink->report(sink, 5, text);
}

/*
 * What was offered before the queue was empty is done when nothing of it is in hand. At the
 * end the receiver offers no more.
 */
static void note_filtered(struct sink *sink, struct work *work, bool end)
{
	const bool all = end && sink->filtered && !sink->behind;
	struct progress level[GROUPS];
	bool has_level;

	if (work->count || !sink->loaded ||
	    (!end && now_ns(CLOCK_MONOTONIC) - work->noted_at < NOTE_S * NS_PER_S))
		return;
	pthread_mutex_lock(&sink->lock);
	has_level = sink->has_level || all;
	memcpy(level, all ? sink->progress : sink->level, sizeof(level));
	sink->has_level = false;
	pthread_mutex_unlock(&sink->lock);
	if (!has_level)
		return;
	progress_add(sink->done, level);
	progress_save(sink);
	work->noted_at = now_ns(CLOCK_MONOTONIC);
}

static void *sink_thread(void *argument)
{
	struct sink *sink = argument;
	struct work work = { 0 };
	char message[640];
	bool empty, reopen;

	do {
		pthread_mutex_lock(&sink->lock);
		if (!work.count || work.retry_s)
			wait_for_work(sink, work.retry_s, work.retry_s ?
				      work.retry_ns : work.open * NS_PER_S);
		if (!work.count && sink->type->gather_ms)
			gather(sink, &work);
		if (!work.count)
			work.count = queue_take(sink, work.batch);
		sink->oldest = work.count ? work.batch[0]->received : 0;
		sink->busy_since = now_ns(CLOCK_MONOTONIC);
		reopen = sink->reopen;
		sink->reopen = false;
		work.stop = sink->stop;
		pthread_mutex_unlock(&sink->lock);

		if (attempt(sink, &work, reopen, message, sizeof(message)))
			note_failure(sink, &work, message);
		else
			note_success(sink, &work);
		sink->busy_since = 0;
		note_filtered(sink, &work, false);

		pthread_mutex_lock(&sink->lock);
		empty = !work.count && !sink->first;
		pthread_mutex_unlock(&sink->lock);
		/* At the end there is one more attempt, not more. */
	} while (!work.stop || (!empty && !work.retry_s));
	if (empty)
		note_filtered(sink, &work, true);
	if (work.open)
		sink->type->close(sink);
	if (sink->type->end)
		sink->type->end(sink);
	if (!empty) {
		unsigned long long lost = work.count;

		pthread_mutex_lock(&sink->lock);
		for (struct entry *entry = sink->first; entry; entry = entry->next)
			lost++;
		pthread_mutex_unlock(&sink->lock);
		snprintf(message, sizeof(message),
			 "does not work; %llu records that waited for it are not written, the next start asks the kernel for them",
			 lost);
		sink->report(sink, 3, message);
	}
	for (size_t i = 0; i < work.count; i++)
		record_put(work.batch[i]);
	event_text_done();
	return NULL;
}

void sink_start(struct sink *sink)
{
	char text[160];
	int err;

	if (sink->started || sink->stop)
		return;
	err = pthread_create(&sink->thread, NULL, sink_thread, sink);
	sink->started = !err;
	if (!err || !sink->up)
		return;
	sink->up = false;
	snprintf(text, sizeof(text), "cannot begin, tried again: a thread: %s", strerror(err));
	sink->report(sink, 3, text);
}
