// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part that every sink has: a bounded queue that the receiver fills.
 *
 * Promises: offering never waits for the sink. A record that was taken into the
 * queue is written, in order, unless kerrord ends while the sink does not work.
 * From the first event on that does not fit, the sink is behind: catch_up.c brings
 * it what it missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "sink.h"

/* So much is enough to be written at once. */
#define GATHER_BYTES	(128 << 10)

/* Between two reports of a full queue of a collector */
#define FULL_REPORT_S	60

/* ---- The queue; with the lock held ---- */

static bool queue_append(struct sink *sink, struct record *record)
{
	struct entry *entry = malloc(sizeof(*entry));

	if (!entry || !record) {
		free(entry);
		return false;
	}
	*entry = (struct entry) { .record = record_get(record) };
	*sink->last = entry;
	sink->last = &entry->next;
	sink->queued += record->bytes;
	return true;
}

static bool is_urgent(const struct record *record)
{
	const struct evl_header *header = record->event ?
					  kerror_event_header(record->event) :
					  NULL;

	return header && header->severity <= 3;
}

bool queue_has_gathered(const struct sink *sink)
{
	return sink->queued >= GATHER_BYTES ||
	       sink->queued >= sink->settings->queue / 4;
}

/*
 * Losses are few, and must not be lost; an empty queue takes anything. Of a line there was
 * room for all events, so that these bound it.
 */
static bool queue_add(struct sink *sink, struct record *record)
{
	bool fits;

	pthread_mutex_lock(&sink->lock);
	fits = record->kind == RECORD_LOSS || record->kind == RECORD_LINE || !sink->first ||
	       sink->queued + record->bytes <= sink->settings->queue;
	fits = fits && queue_append(sink, record);
	sink->urgent |= fits && is_urgent(record);
	if (!sink->gathering || sink->urgent || queue_has_gathered(sink))
		pthread_cond_signal(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
	return fits;
}

size_t queue_take(struct sink *sink, struct record **batch)
{
	size_t count = 0;

	while (sink->first && count < BATCH) {
		struct entry *entry = sink->first;

		sink->first = entry->next;
		if (!sink->first)
			sink->last = &sink->first;
		sink->queued -= entry->record->bytes;
		batch[count++] = entry->record;
		free(entry);
	}
	if (!sink->first)
		sink->urgent = false;
	return count;
}

/* ---- For the receiver ---- */

struct sink *sink_new(const struct sink_settings *settings,
		      const struct series *series, const char *state,
		      void (*report)(struct sink *about, unsigned int severity,
				     const char *text))
{
	struct sink *sink = calloc(1, sizeof(*sink));
	pthread_condattr_t attributes;

	if (!sink)
		return NULL;
	sink->settings = settings;
	sink->type = settings->type;
	sink->series = series;
	sink->state = state;
	sink->report = report;
	sink->last = &sink->first;
	sink->state_fd = -1;
	sink->give_up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sink->up = true;
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	progress_forget(sink->progress);
	if (sink->type->keeps_progress)
		progress_load(sink);
	sink->loaded = !sink->type->load_progress ||
		       !sink->type->load_progress(sink, sink->progress);
	memcpy(sink->done, sink->progress, sizeof(sink->done));
	return sink;
}

/* Whether the filter lets it through; losses and reports are for all. */
static bool wants(const struct sink *sink, const struct record *record)
{
	const struct kerror_filter *filter = sink->settings->filter;

	if (record->kind == RECORD_LINE)
		return sink->type->wants_line && sink->type->wants_line(sink, record->event);
	return record->kind != RECORD_EVENT || !filter ||
	       kerror_filter_matches(filter, record->event);
}

bool sink_feed(struct sink *sink, struct record *record)
{
	uint32_t group = record->kind == RECORD_EVENT ?
			 kerror_event_group(record->event) : record->loss.group;
	int index = kerror_group_index(group);
	struct progress before = { 0 };
	bool fed = true;

	if (index >= 0)
		before = sink->progress[index];
	record = what_is_new(sink->progress, record);
	if (!record)
		return true;
	if (wants(sink, record))
		fed = queue_add(sink, record);
	else
		sink->filtered |= record->kind == RECORD_EVENT;
	record_put(record);
	if (!fed && index >= 0)
		sink->progress[index] = before;
	return fed;
}

static const struct progress *messages_of(const struct sink *sink)
{
	return &sink->progress[kerror_group_index(KERROR_GROUP_PRINTK)];
}

/* Whether it has had messages that the receiver has not had yet, from the history */
static bool is_ahead(const struct sink *sink)
{
	const struct progress *messages = messages_of(sink);

	return messages->known && (int32_t)(messages->next - sink->offered) > 0;
}

void sink_offer(struct sink *sink, struct record *record)
{
	const struct progress *messages = messages_of(sink);
	uint32_t group;
	bool fed = false;

	if (sink->type->follows_store)
		return;
	/* From any thread; one that does not fit is on standard error, too. */
	if (record->kind == RECORD_REPORT) {
		if (record->about != sink->settings->name)
			queue_add(sink, record);
		return;
	}
	/*
	 * A sink that is behind joins the events of its history by itself; until the
	 * receiver is where that ended, it completes the same lines once more. A line that
	 * began before then is the receiver's: the history lacks its first part.
	 */
	if (record->kind == RECORD_LINE) {
		if (!(sink->behind || is_ahead(sink)) ||
		    (int32_t)(kerror_event_sequence(record->event) - sink->behind_at) < 0)
			sink_feed(sink, record);
		return;
	}
	if (record->kind == RECORD_LOSS)
		group = record->loss.group;
	else
		group = kerror_event_group(record->event);
	if (record->kind == RECORD_EVENT && group == KERROR_GROUP_PRINTK)
		sink->offered = kerror_event_sequence(record->event) + 1;
	if (!sink->behind ||
	    (record->kind == RECORD_LOSS && !(sink->passed & group)))
		fed = sink_feed(sink, record);
	if (!fed) {
		if (!sink->behind && messages->known)
			sink->behind_at = messages->next;
		if (group == KERROR_GROUP_PRINTK && !(sink->passed & group))
			sink->behind_at = kerror_event_sequence(record->event);
		sink->behind = true;
		sink->passed |= group;
	}
}

void sink_offer_collected(struct sink *sink, struct record *record)
{
	const uint64_t now = now_ns(CLOCK_MONOTONIC);
	char text[128];

	if (sink->type->follows_store || !wants(sink, record) || queue_add(sink, record))
		return;
	sink->dropped_total++;
	if (sink->full_at && now - sink->full_at < FULL_REPORT_S * 1000000000ULL)
		return;
	sink->full_at = now;
	snprintf(text, sizeof(text),
		 "its queue is full, it lacks events that the store has (so far: %llu)",
		 (unsigned long long)sink->dropped_total);
	sink->report(sink, 3, text);
}

void sink_note_filtered(struct sink *sink)
{
	/* Of one that is behind, a line may be open in its own joiner. */
	if (!sink->filtered || sink->behind)
		return;
	pthread_mutex_lock(&sink->lock);
	if (!sink->first) {
		memcpy(sink->level, sink->progress, sizeof(sink->level));
		sink->has_level = true;
		sink->filtered = false;
	}
	pthread_mutex_unlock(&sink->lock);
}

size_t sink_queued(struct sink *sink)
{
	size_t queued;

	pthread_mutex_lock(&sink->lock);
	queued = sink->queued;
	pthread_mutex_unlock(&sink->lock);
	return queued;
}

static void tell(struct sink *sink, bool *flag)
{
	pthread_mutex_lock(&sink->lock);
	*flag = true;
	pthread_cond_signal(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
}

void sink_reopen(struct sink *sink)
{
	tell(sink, &sink->reopen);
}

void sink_stop(struct sink *sink)
{
	tell(sink, &sink->stop);
}

bool sink_is_to_end(struct sink *sink)
{
	bool stop;

	pthread_mutex_lock(&sink->lock);
	stop = sink->stop;
	pthread_mutex_unlock(&sink->lock);
	return stop || sink->give_up;
}

bool sink_join(struct sink *sink)
{
	return !sink->started || !pthread_tryjoin_np(sink->thread, NULL);
}

void sink_free(struct sink *sink)
{
	while (sink->first) {
		struct entry *entry = sink->first;

		sink->first = entry->next;
		record_put(entry->record);
		free(entry);
	}
	if (sink->state_fd >= 0)
		close(sink->state_fd);
	if (sink->give_up_fd >= 0)
		close(sink->give_up_fd);
	catch_up_end(sink);
	pthread_cond_destroy(&sink->changed);
	pthread_mutex_destroy(&sink->lock);
	free(sink);
}
