/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of a rule.
 *
 * rule_sink.c    counts events by key; makes a firing when there are enough
 * rule_backlog.c the thread that runs commands: retries, limits, "and N more"
 * rule_command.c one run of a command: by the unit for rules, or directly
 * rule_state.c   keeps counters and backlog over a restart
 * run_rule.c     kerrord --run-rule: the other end, in a unit of its own
 */
#ifndef RULE_H
#define RULE_H

#include <sys/queue.h>
#include "kerrord.h"

/* Keys remembered of a rule; the one not seen for longest is forgotten. */
#define KEYS 1024
#define BUCKETS 256

#define ARGUMENTS 32		/* of a command */
#define VARIABLES 128		/* of its environment */

/* The events of one key */
struct counter {
	TAILQ_ENTRY(counter) order;	/* the one seen last is first */
	LIST_ENTRY(counter) bucket;
	uint64_t quiet_until;		/* after its command succeeded */
	uint64_t more;			/* events since then */
	uint64_t count;			/* of the ring */
	char *key;
	uint64_t times[];		/* of the last events: @threshold of them */
};

TAILQ_HEAD(counter_order, counter);
LIST_HEAD(counter_bucket, counter);

/**
 * struct firing - a command that is to run for one event
 * @key: what the events had in common
 * @time: of the event, in the clock of the counters
 * @since: of the event, nanoseconds since 1970
 * @queued: when it came into the backlog, CLOCK_BOOTTIME
 * @next_try: when it may run, CLOCK_BOOTTIME
 * @attempts: that failed
 * @more: events that came since and get no command of their own
 * @told: of them, those that the command that runs tells of
 * @saved: the state file has it, so that it may run
 * @running: by the rule's thread
 * @variables: the environment, NULL at the end
 */
struct firing {
	TAILQ_ENTRY(firing) entry;
	char *key;
	uint64_t time, since, queued, next_try;
	unsigned int attempts;
	uint64_t more, told;
	bool saved, running;
	char *variables[VARIABLES + 1];
};

TAILQ_HEAD(backlog, firing);

/* Lets one report through in a while and counts the others. */
struct limit {
	uint64_t next, more;
};

/**
 * struct rule - the private part of a rule's sink
 * @lock: for all that follows
 * @changed: signalled when the backlog changes, or @stop
 * @order: counters, the one seen last first
 * @backlog: in the order in which they are tried
 * @waiting: their number
 * @failures: of commands since the last success
 * @failed: limit of reports of that, @gave_up: of the following
 * @given_up: events whose command never succeeded, in all
 * @last_failure: why the last command failed, or ""
 * @dirty: the state file is older than this
 * @settled: counters and @progress are of the same moment
 * @ended: a command has ended since the file was written
 * @saved_at: when it was written, CLOCK_MONOTONIC; @save_takes: how long that took
 * @progress: what the sink had when the counters were as they are
 * @direct: there is no unit for rules
 * @stop: CLOCK_MONOTONIC after which the thread ends; 0: it goes on
 */
struct rule {
	struct sink *sink;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct counter_order order;
	struct counter_bucket buckets[BUCKETS];
	unsigned int counters;
	struct backlog backlog;
	unsigned int waiting;
	uint64_t failures, given_up;
	struct limit failed, gave_up;
	char last_failure[256];
	bool dirty, settled, ended, save_failed;
	uint64_t saved_at, save_takes;
	struct progress progress[GROUPS];
	bool direct;
	atomic_ullong stop;
	pthread_t thread;
};

/* ---- rule_sink.c: with the lock held ---- */

/* Finds the counter of @key, which it takes, or makes it; NULL without memory. */
struct counter *rule_counter(struct rule *rule, char *key);

/* ---- rule_backlog.c ---- */

int backlog_start(struct rule *rule);
/* Runs what may run for a moment, then waits for the end of the thread. */
void backlog_stop(struct rule *rule);

/* With the lock held: the firing of @key that has not begun to run, or NULL */
struct firing *backlog_find(struct rule *rule, const char *key);
/* With the lock held: takes the firing; if there are too many already, it counts there. */
void backlog_add(struct rule *rule, struct firing *firing);
void firing_free(struct firing *firing);

/* With the lock held: everything waiting is tried at once, or thrown away. */
void backlog_flush(struct rule *rule);
unsigned int backlog_drop(struct rule *rule);

/* ---- rule_command.c ---- */

/*
 * Runs the command for the firing, for at most the rule's timeout or until
 * rule->stop. True if it succeeded, else a line in @message.
 */
bool command_run(struct rule *rule, const struct firing *firing, char *message,
		 size_t size);

/* Whether there is no unit that runs it */
bool command_is_direct(const struct rule *rule);

/*
 * Runs @command, parted by blanks, with @variables for at most @timeout seconds
 * or until CLOCK_MONOTONIC *@stop, if that is not 0; returns as above.
 */
bool command_run_directly(const char *command, char *const *variables,
			  uint64_t timeout, const atomic_ullong *stop,
			  char *message, size_t size);

/* The beginning of a request to the unit, and the answer to it if all is well */
#define RULE_REQUEST "kerror-rule 1"
#define RULE_SUCCESS "success"

/* ---- rule_state.c ---- */

/* Reads the file, if there is one; of this boot, @progress is in it, too. */
void state_load(struct rule *rule, struct progress *progress);

/* With the lock held: writes the file, unless it may wait. */
void state_save(struct rule *rule, bool at_once, bool active);

/* With the lock held: the same after a command, which is not to run twice */
void state_save_end(struct rule *rule);

/* With the lock held: does what kerrorctl rules has asked for. */
void state_take_requests(struct rule *rule);

/* ---- run_rule.c ---- */

/* Answers one request on standard input; the program's exit status */
int run_rule(const char *config);

#endif
