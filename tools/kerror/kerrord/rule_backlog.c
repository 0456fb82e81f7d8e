// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backlog of a rule: commands that are to run, and a thread that runs them
 * one at a time.
 *
 * Promises: a command that fails is run again, at growing intervals, until it
 * succeeds or its retries are used up; only a success starts the cooldown. A
 * storm neither fills the memory nor the other sinks: a full backlog counts
 * further events in its last entry, and reports of failures are limited.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rule.h"

#define SECOND		1000000000ULL
#define RETRY_LAST_S	600

/* Between two reports of the same kind */
#define REPORT_S	600

/* At the end, for commands that have not been tried */
#define LAST_RUNS_MS	1500

void firing_free(struct firing *firing)
{
	for (size_t i = 0; firing->variables[i]; i++)
		free(firing->variables[i]);
	free(firing->key);
	free(firing);
}

/* ---- Reports ---- */

/*
 * One line a while; the next one tells how many there were besides. Takes no
 * lock of the other sinks while the rule's is held: call it without.
 */
static void report_limited(struct rule *rule, struct limit *limit,
			   unsigned int severity, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void report_limited(struct rule *rule, struct limit *limit,
			   unsigned int severity, const char *format, ...)
{
	uint64_t now = now_ns(CLOCK_BOOTTIME);
	char text[512], more[64] = "";
	va_list arguments;

	if (now < limit->next) {
		limit->more++;
		return;
	}
	if (limit->more)
		snprintf(more, sizeof(more), "; and %" PRIu64 " more since the last report",
			 limit->more);
	limit->next = now + REPORT_S * SECOND;
	limit->more = 0;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text) - sizeof(more), format, arguments);
	va_end(arguments);
	strcat(text, more);
	rule->sink->report(rule->sink, severity, text);
}

/* Reports all that has not been, at the end or when it works again. */
static void report_rest(struct rule *rule, struct limit *limit, const char *what)
{
	char text[128];

	if (limit->more) {
		snprintf(text, sizeof(text), "%" PRIu64 " more %s since the last report",
			 limit->more, what);
		rule->sink->report(rule->sink, 4, text);
	}
	*limit = (struct limit){ 0 };
}

/* ---- With the lock held ---- */

struct firing *backlog_find(struct rule *rule, const char *key)
{
	struct firing *firing;

	TAILQ_FOREACH(firing, &rule->backlog, entry)
		if (!strcmp(firing->key, key))
			break;
	return firing;
}

static void append(struct rule *rule, struct firing *firing)
{
	TAILQ_INSERT_TAIL(&rule->backlog, firing, entry);
	rule->sink->waiting = ++rule->waiting;
}

static void take_out(struct rule *rule, struct firing *firing)
{
	TAILQ_REMOVE(&rule->backlog, firing, entry);
	rule->sink->waiting = --rule->waiting;
	rule->dirty = true;
}

void backlog_add(struct rule *rule, struct firing *firing)
{
	struct firing *same = NULL, *last = NULL, *at;

	if (rule->waiting <= rule->sink->settings->backlog) {
		append(rule, firing);
		return;
	}
	TAILQ_FOREACH(at, &rule->backlog, entry) {
		if (at->running)
			continue;
		last = at;
		if (!strcmp(at->key, firing->key))
			same = at;
	}
	if (!same && !last) {
		append(rule, firing);
		return;
	}
	(same ? same : last)->more += 1 + firing->more;
	firing_free(firing);
}

void backlog_flush(struct rule *rule)
{
	struct firing *firing;

	TAILQ_FOREACH(firing, &rule->backlog, entry) {
		firing->next_try = 0;
		firing->attempts = 0;
	}
	pthread_cond_signal(&rule->changed);
}

unsigned int backlog_drop(struct rule *rule)
{
	struct firing *firing, *next;
	unsigned int count = 0;

	for (firing = TAILQ_FIRST(&rule->backlog); firing; firing = next) {
		next = TAILQ_NEXT(firing, entry);
		if (firing->running)
			continue;
		take_out(rule, firing);
		firing_free(firing);
		count++;
	}
	return count;
}

/* The first that may run; else how long it takes until one may, in @wait */
static struct firing *next_firing(struct rule *rule, uint64_t *wait)
{
	uint64_t now = now_ns(CLOCK_BOOTTIME);
	struct firing *firing;

	*wait = SECOND;
	TAILQ_FOREACH(firing, &rule->backlog, entry) {
		if (!firing->saved)
			continue;
		/* At the end each has one attempt; others wait for the next start. */
		if (firing->next_try <= now && !(rule->stop && firing->attempts))
			return firing;
		if (firing->next_try > now && firing->next_try - now < *wait)
			*wait = firing->next_try - now;
	}
	return NULL;
}

/* ---- The thread ---- */

static void succeeded(struct rule *rule, struct firing *firing)
{
	const struct sink_settings *settings = rule->sink->settings;
	struct counter *counter = rule_counter(rule, strdup(firing->key));

	/* The time that the command had to wait does not shorten the time of quiet. */
	if (counter && settings->cooldown)
		counter->quiet_until = firing->time + settings->cooldown * SECOND +
				       now_ns(CLOCK_BOOTTIME) - firing->queued;
	/* These came while it ran: the next one tells of them. */
	if (counter)
		counter->more += firing->more;
	take_out(rule, firing);
}

/* True if it is to be run again. */
static bool is_to_retry(struct rule *rule, struct firing *firing)
{
	const struct sink_settings *settings = rule->sink->settings;
	uint64_t delay = settings->retry_after;

	if (firing->attempts++ >= settings->retries) {
		rule->given_up += 1 + firing->more;
		take_out(rule, firing);
		return false;
	}
	for (unsigned int i = 1; i < firing->attempts && delay < RETRY_LAST_S; i++)
		delay *= 2;
	if (delay > RETRY_LAST_S && RETRY_LAST_S > settings->retry_after)
		delay = RETRY_LAST_S;
	firing->next_try = now_ns(CLOCK_BOOTTIME) + delay * SECOND;
	/* Others may succeed: it is not to hold them up. */
	TAILQ_REMOVE(&rule->backlog, firing, entry);
	TAILQ_INSERT_TAIL(&rule->backlog, firing, entry);
	rule->dirty = true;
	return true;
}

/* Runs one, with the lock held on entry and on return. */
static void run_firing(struct rule *rule, struct firing *firing)
{
	uint64_t failures = rule->failures;
	bool good, again = false, ends;
	char message[256];

	firing->running = true;
	firing->told = firing->more;
	pthread_mutex_unlock(&rule->lock);
	good = command_run(rule, firing, message, sizeof(message));
	pthread_mutex_lock(&rule->lock);
	firing->running = false;
	ends = rule->stop;
	rule->sink->fired++;
	if (good) {
		firing->more -= firing->told;
		rule->failures = 0;
		*rule->last_failure = '\0';
		succeeded(rule, firing);
	} else {
		rule->failures++;
		rule->sink->failed++;
		snprintf(rule->last_failure, sizeof(rule->last_failure), "%s",
			 message);
		/* An end is no failure of the command. */
		again = ends || is_to_retry(rule, firing);
	}
	state_save_end(rule);
	pthread_mutex_unlock(&rule->lock);
	if (good && failures) {
		report_rest(rule, &rule->failed, "failures of its command");
		report_rest(rule, &rule->gave_up, "commands given up");
		snprintf(message, sizeof(message),
			 "its command works again, after %" PRIu64 " failures",
			 failures);
		rule->sink->report(rule->sink, 5, message);
	} else if (!good && again) {
		report_limited(rule, &rule->failed, 4, "%s; it will be run again",
			       message);
	} else if (!good) {
		report_limited(rule, &rule->gave_up, 3,
			       "%s; given up after %u attempts, %" PRIu64 " events are not told",
			       message, firing->attempts, 1 + firing->more);
	}
	pthread_mutex_lock(&rule->lock);
	if (good || !again)
		firing_free(firing);
}

/* With the lock held */
static void wait_for(struct rule *rule, uint64_t nanoseconds)
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) + nanoseconds;
	struct timespec deadline = {
		.tv_sec = until / SECOND, .tv_nsec = until % SECOND,
	};

	pthread_cond_timedwait(&rule->changed, &rule->lock, &deadline);
}

static void *backlog_thread(void *argument)
{
	struct rule *rule = argument;
	struct firing *firing;
	uint64_t wait;

	pthread_mutex_lock(&rule->lock);
	for (;;) {
		firing = next_firing(rule, &wait);
		if (rule->stop &&
		    (!firing || now_ns(CLOCK_MONOTONIC) >= rule->stop))
			break;
		if (firing)
			run_firing(rule, firing);
		else
			wait_for(rule, wait);
	}
	pthread_mutex_unlock(&rule->lock);
	report_rest(rule, &rule->failed, "failures of its command");
	report_rest(rule, &rule->gave_up, "commands given up");
	return NULL;
}

int backlog_start(struct rule *rule)
{
	const char *runner = rule->sink->settings->runner;
	char text[512];

	rule->stop = 0;
	rule->direct = command_is_direct(rule);
	if (rule->direct && runner) {
		snprintf(text, sizeof(text),
			 "there is no %s: kerrord itself runs the command, which gains no privileges then",
			 runner);
		rule->sink->report(rule->sink, 5, text);
	}
	return -pthread_create(&rule->thread, NULL, backlog_thread, rule);
}

void backlog_stop(struct rule *rule)
{
	pthread_mutex_lock(&rule->lock);
	rule->stop = now_ns(CLOCK_MONOTONIC) + LAST_RUNS_MS * 1000000ULL;
	pthread_cond_signal(&rule->changed);
	pthread_mutex_unlock(&rule->lock);
	pthread_join(rule->thread, NULL);
	if (rule->waiting) {
		char text[128];

		snprintf(text, sizeof(text),
			 "%u commands wait for the next start; see kerrorctl rules",
			 rule->waiting);
		rule->sink->report(rule->sink, 5, text);
	}
}
