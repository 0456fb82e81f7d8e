// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: run a command for an event, or when there are N with the same key
 * within a time. The time is the events' own, so that a burst that is replayed
 * after a restart counts as it would have. This file counts; rule_backlog.c runs
 * the commands, so that a slow one keeps no event from being counted.
 *
 * The command gets the event in KERROR_ variables, listed in kerrord(8); no
 * shell is between, so that no text of a driver can become a command.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "message.h"
#include "rule.h"

/* ---- Counting ---- */

/* The value that the events of a counter have in common; NULL without memory */
static char *make_key(const char *keys, const struct kerror_event *event,
		      const struct found *found)
{
	struct buffer key = { 0 };

	event_key(&key, keys, event, found);
	if (!buffer_terminate(&key))
		buffer_free(&key);
	return key.bytes;
}

static unsigned int hash(const char *key)
{
	return hash_bytes(HASH_BEGIN, key, strlen(key)) % BUCKETS;
}

static void forget(struct rule *rule, struct counter *counter)
{
	TAILQ_REMOVE(&rule->order, counter, order);
	LIST_REMOVE(counter, bucket);
	rule->counters--;
	free(counter->key);
	free(counter);
}

struct counter *rule_counter(struct rule *rule, char *key)
{
	const struct sink_settings *settings = rule->sink->settings;
	struct counter *counter;

	if (!key)
		return NULL;
	LIST_FOREACH(counter, &rule->buckets[hash(key)], bucket)
		if (!strcmp(counter->key, key))
			break;
	if (counter) {
		free(key);
		TAILQ_REMOVE(&rule->order, counter, order);
		TAILQ_INSERT_HEAD(&rule->order, counter, order);
		return counter;
	}
	if (rule->counters == KEYS)
		forget(rule, TAILQ_LAST(&rule->order, counter_order));
	counter = calloc(1, sizeof(*counter) +
			    settings->threshold * sizeof(*counter->times));
	if (!counter) {
		free(key);
		return NULL;
	}
	counter->key = key;
	TAILQ_INSERT_HEAD(&rule->order, counter, order);
	LIST_INSERT_HEAD(&rule->buckets[hash(key)], counter, bucket);
	rule->counters++;
	return counter;
}

static uint64_t time_of(const struct record *record)
{
	const struct evl_header *header = kerror_event_header(record->event);

	return header ? header->time_boot : now_ns(CLOCK_BOOTTIME);
}

/* Counts the event; true if it is the one that makes the rule fire. */
static bool is_due(struct rule *rule, struct counter *counter, uint64_t now)
{
	const struct sink_settings *settings = rule->sink->settings;
	uint64_t period = settings->period * 1000000000, *oldest;
	struct firing *waiting = NULL;

	if (now < counter->quiet_until) {
		counter->more++;
		return false;
	}
	/* The command that waits will tell of this event, too. */
	if (settings->cooldown)
		waiting = backlog_find(rule, counter->key);
	if (waiting) {
		waiting->more++;
		return false;
	}
	/* Of the last @threshold events the oldest makes way. */
	oldest = &counter->times[counter->count++ % settings->threshold];
	*oldest = now;
	if (counter->count < settings->threshold)
		return false;
	oldest = &counter->times[counter->count % settings->threshold];
	if (settings->threshold > 1 && now - *oldest > period)
		return false;
	counter->count = 0;
	return true;
}

/* ---- Firing ---- */

static const char path_variable[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* 0, or -ENOMEM; firing_free() frees them in any case. */
static int make_environment(struct firing *firing,
			    const struct sink_settings *settings,
			    const struct kerror_event *event, const struct found *found)
{
	int count = 2, more;

	firing->variables[0] = strdup(path_variable);
	if (!firing->variables[0] ||
	    asprintf(&firing->variables[1], "KERROR_RULE=%s", settings->name) < 0) {
		firing->variables[1] = NULL;
		return -ENOMEM;
	}
	if (found->format) {
		more = found_environment(firing->variables + count, found);
		if (more < 0)
			return more;
		count += more;
	}
	more = event_environment(firing->variables + count, VARIABLES - count, event);
	return more < 0 ? more : 0;
}

static struct firing *new_firing(const struct sink_settings *settings,
				 const struct counter *counter,
				 const struct record *record, const struct found *found)
{
	const struct evl_header *header = kerror_event_header(record->event);
	struct firing *firing = calloc(1, sizeof(*firing));

	if (!firing)
		return NULL;
	firing->key = strdup(counter->key);
	if (!firing->key || make_environment(firing, settings, record->event, found)) {
		firing_free(firing);
		return NULL;
	}
	firing->time = time_of(record);
	firing->since = header ? header->time_realtime : record->time;
	firing->queued = now_ns(CLOCK_BOOTTIME);
	firing->next_try = firing->queued;
	firing->more = counter->more;
	return firing;
}

/* ---- The sink ---- */

static void free_rule(struct rule *rule)
{
	while (!TAILQ_EMPTY(&rule->order))
		forget(rule, TAILQ_FIRST(&rule->order));
	while (!TAILQ_EMPTY(&rule->backlog)) {
		struct firing *firing = TAILQ_FIRST(&rule->backlog);

		TAILQ_REMOVE(&rule->backlog, firing, entry);
		firing_free(firing);
	}
	pthread_cond_destroy(&rule->changed);
	pthread_mutex_destroy(&rule->lock);
	free(rule);
}

/* Its earlier events are known as soon as the sink is made. */
static int load_progress(struct sink *sink, struct progress *progress)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	pthread_condattr_t attributes;

	if (!rule)
		return -ENOMEM;
	rule->sink = sink;
	TAILQ_INIT(&rule->order);
	TAILQ_INIT(&rule->backlog);
	pthread_mutex_init(&rule->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&rule->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	state_load(rule, progress);
	memcpy(rule->progress, progress, sizeof(rule->progress));
	rule->settled = true;
	sink->private = rule;
	/* Before anything runs that is to be thrown away */
	state_take_requests(rule);
	return 0;
}

static void look_after(struct sink *sink, bool at_once)
{
	struct rule *rule = sink->private;

	pthread_mutex_lock(&rule->lock);
	state_take_requests(rule);
	/* What the filter kept away moves it, too. */
	if (memcmp(rule->progress, sink->done, sizeof(rule->progress))) {
		memcpy(rule->progress, sink->done, sizeof(rule->progress));
		rule->dirty = true;
	}
	state_save(rule, at_once, true);
	pthread_mutex_unlock(&rule->lock);
}

static int open_rule(struct sink *sink, char *message, size_t size)
{
	int err = sink->private ? 0 : load_progress(sink, sink->done);

	if (!err)
		err = backlog_start(sink->private);
	if (err)
		snprintf(message, size, "cannot begin: %s", strerror(-err));
	else
		look_after(sink, true);	/* kerrorctl rules knows it */
	return err;
}

static bool wants_line(const struct sink *sink, const struct kerror_event *line)
{
	return is_new_to(sink->settings->filter, line);
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	const struct record *record = records[0];
	struct rule *rule = sink->private;
	struct counter *counter;
	struct found found = { 0 };
	struct firing *firing;

	(void)count;
	if (!record->event || (sink->settings->text_format &&
			       !find_in_text(&found, sink->settings->text_format, record->event)))
		return 1;
	pthread_mutex_lock(&rule->lock);
	counter = rule_counter(rule, make_key(sink->settings->key, record->event, &found));
	if (!counter) {
		pthread_mutex_unlock(&rule->lock);
		found_free(&found);
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	if (is_due(rule, counter, time_of(record))) {
		firing = new_firing(sink->settings, counter, record, &found);
		counter->more = firing ? 0 : counter->more + 1;
		if (firing)
			backlog_add(rule, firing);
	}
	rule->dirty = true;
	rule->settled = false;
	pthread_mutex_unlock(&rule->lock);
	found_free(&found);
	return 1;
}

/* The file has counters and progress of the same moment: none counts twice. */
static void keep_state(struct sink *sink)
{
	struct rule *rule = sink->private;
	struct firing *last;

	pthread_mutex_lock(&rule->lock);
	memcpy(rule->progress, sink->done, sizeof(rule->progress));
	last = TAILQ_LAST(&rule->backlog, backlog);
	/* A command runs only when the file has it: it is not lost, if kerrord is. */
	state_save(rule, rule->ended || (last && !last->saved), true);
	rule->settled = true;
	pthread_mutex_unlock(&rule->lock);
}

static int idle(struct sink *sink, char *message, size_t size)
{
	(void)message;
	(void)size;
	look_after(sink, false);
	return 0;
}

static void close_rule(struct sink *sink)
{
	struct rule *rule = sink->private;

	backlog_stop(rule);
	pthread_mutex_lock(&rule->lock);
	memcpy(rule->progress, sink->done, sizeof(rule->progress));
	state_save(rule, true, false);
	pthread_mutex_unlock(&rule->lock);
	free_rule(rule);
	sink->private = NULL;
}

const struct sink_type rule_sink = {
	.name = "rule",
	.keeps_progress = true,
	.patient = true,
	.load_progress = load_progress,
	.open = open_rule,
	.wants_line = wants_line,
	.write = write_records,
	.keep = keep_state,
	.idle = idle,
	.close = close_rule,
};
