// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: run a command for an event, or when there are N with the same key
 * within a time. The time is the events' own, so that a burst that is replayed
 * after a restart counts as it would have.
 *
 * The command gets the event in KERROR_ variables, listed in kerrord(8); no
 * shell is between, so that no text of a driver can become a command.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "message.h"

/* Keys remembered of a rule; the one not seen for longest is forgotten. */
#define KEYS 1024
#define BUCKETS 256

#define ARGUMENTS 32		/* of a command */
#define VARIABLES 128		/* of its environment */

struct counter {
	TAILQ_ENTRY(counter) order;	/* the one seen last is first */
	LIST_ENTRY(counter) bucket;
	uint64_t quiet_until;		/* after it fired */
	uint64_t oldest, count;		/* of the ring */
	char *key;
	uint64_t times[];		/* of the last events: @threshold of them */
};

struct rule {
	TAILQ_HEAD(counter_order, counter) order;
	LIST_HEAD(, counter) buckets[BUCKETS];
	unsigned int counters;
	char *command;			/* split into @arguments */
	char *arguments[ARGUMENTS + 1];
};

/* ---- Counting ---- */

static char *make_key(const char *keys, const struct kerror_event *event)
{
	struct buffer key = { 0 };

	event_key(&key, keys, event);
	if (buffer_terminate(&key))
		return key.bytes;
	buffer_free(&key);
	return NULL;
}

static unsigned int hash(const char *key)
{
	uint32_t value = 2166136261;

	for (; *key; key++)
		value = (value ^ (unsigned char)*key) * 16777619;
	return value % BUCKETS;
}

static void forget(struct rule *rule, struct counter *counter)
{
	TAILQ_REMOVE(&rule->order, counter, order);
	LIST_REMOVE(counter, bucket);
	rule->counters--;
	free(counter->key);
	free(counter);
}

static struct counter *find_counter(struct rule *rule,
				    const struct sink_settings *settings,
				    const struct kerror_event *event)
{
	char *key = make_key(settings->key, event);
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

	return header ? header->time_boot : record->time;
}

/* Counts the event; true if it is the one that makes the rule fire. */
static bool is_due(struct rule *rule, const struct sink_settings *settings,
		   const struct record *record)
{
	struct counter *counter = find_counter(rule, settings, record->event);
	uint64_t now = time_of(record), period = settings->period * 1000000000;
	uint64_t *oldest;

	if (!counter) {
		fprintf(stderr, "kerrord: [%s] out of memory, an event does not count\n",
			settings->name);
		return false;
	}
	if (now < counter->quiet_until)
		return false;
	/* Of the last @threshold events the oldest makes way. */
	oldest = &counter->times[counter->count++ % settings->threshold];
	*oldest = now;
	if (counter->count < settings->threshold)
		return false;
	oldest = &counter->times[counter->count % settings->threshold];
	if (settings->threshold > 1 && now - *oldest > period)
		return false;
	counter->count = 0;
	counter->quiet_until = now + settings->cooldown * 1000000000;
	return true;
}

/* ---- Firing ---- */

struct environment {
	char *variable[VARIABLES + 1];
	size_t count;
};

static void add(struct environment *environment, const char *format,
		const char *value)
{
	if (asprintf(&environment->variable[environment->count], format, value) >= 0)
		environment->count++;
	else
		environment->variable[environment->count] = NULL;
}

static int make_environment(struct environment *environment,
			    const struct sink_settings *settings,
			    const struct kerror_event *event)
{
	int count;

	add(environment, "PATH=%s",
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add(environment, "KERROR_RULE=%s", settings->name);
	count = event_environment(environment->variable + environment->count,
				  VARIABLES - environment->count, event);
	if (count < 0)
		return count;
	environment->count += count;
	return 0;
}

/* A process group of its own, so that what it starts can be killed with it */
static int start(struct rule *rule, struct environment *environment, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	int err;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	/* What it prints is not to get among events. */
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipe);
	err = posix_spawnp(pid, rule->arguments[0], &files, &attributes,
			   rule->arguments, environment->variable);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

static void complain(const struct sink *sink, const char *format, int number)
{
	char text[256];

	snprintf(text, sizeof(text), format, number);
	sink->report((struct sink *)sink, 4, text);
}

static void wait_for(const struct sink *sink, pid_t pid)
{
	static const struct timespec moment = { .tv_nsec = 5000000 };
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) +
			    sink->settings->timeout * 1000000000;
	bool late = false;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (!late && now_ns(CLOCK_MONOTONIC) >= deadline) {
			late = true;
			kill(-pid, SIGKILL);
		}
		nanosleep(&moment, NULL);
	}
	if (late)
		complain(sink, "its command ran longer than %d s and was killed",
			 (int)sink->settings->timeout);
	else if (WIFSIGNALED(status))
		complain(sink, "its command was killed by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status))
		complain(sink, "its command ended with status %d",
			 WEXITSTATUS(status));
}

/* A command that cannot be run is reported; the next event tries again. */
static void fire(struct sink *sink, const struct record *record)
{
	struct environment environment = { .count = 0 };
	char text[512];
	pid_t pid;
	int err;

	err = make_environment(&environment, sink->settings, record->event);
	if (!err)
		err = start(sink->private, &environment, &pid);
	for (size_t i = 0; i < environment.count; i++)
		free(environment.variable[i]);
	sink->fired++;
	if (!err) {
		wait_for(sink, pid);
		return;
	}
	snprintf(text, sizeof(text), "cannot run %s: %s",
		 sink->settings->command, strerror(-err));
	sink->report(sink, 3, text);
}

/* ---- The sink ---- */

static int open_rule(struct sink *sink, char *message, size_t size)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	char *rest, *word;
	size_t count = 0;

	if (rule)
		rule->command = strdup(sink->settings->command);
	if (!rule || !rule->command) {
		free(rule);
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	rest = rule->command;
	while ((word = strsep(&rest, " \t")))
		if (*word && count < ARGUMENTS)
			rule->arguments[count++] = word;
	TAILQ_INIT(&rule->order);
	sink->private = rule;
	return 0;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	(void)count;
	(void)message;
	(void)size;
	if (records[0]->kind == RECORD_EVENT &&
	    is_due(sink->private, sink->settings, records[0]))
		fire(sink, records[0]);
	return 1;
}

static void close_rule(struct sink *sink)
{
	struct rule *rule = sink->private;

	while (!TAILQ_EMPTY(&rule->order))
		forget(rule, TAILQ_FIRST(&rule->order));
	free(rule->command);
	free(rule);
	sink->private = NULL;
}

const struct sink_type rule_sink = {
	.name = "rule",
	.patient = true,
	.keeps_progress = true,
	.open = open_rule,
	.write = write_records,
	.close = close_rule,
};
