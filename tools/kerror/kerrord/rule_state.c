// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that a rule keeps over a restart: a JSON object in the state folder, written
 * under another name first, with counters, backlog, and how far the rule had
 * read at that moment. kerrorctl rules shows it.
 *
 * Events of another boot do not count together with those of this one, as their
 * clock does not: of another boot only the backlog is of use.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include "json_values.h"
#include "rule.h"

#define SECOND 1000000000ULL

/* Between two writings, as a multiple of what one takes; at least a second */
#define SAVE_SHARE 20

/* Nanoseconds that a writing may take to be done after each command */
#define SAVE_QUICK 20000000

/* ---- Writing: without memory the file lacks something ---- */

static void put(struct json_object *object, const char *key,
		struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value))
		json_object_put(value);
}

static void append(struct json_object *array, struct json_object *value)
{
	if (!array || json_object_array_add(array, value))
		json_object_put(value);
}

static struct json_object *array_of_losses(const struct progress *progress)
{
	struct json_object *lost = json_object_new_object();

	for (int cause = 0; cause < KERROR_CAUSES; cause++)
		if (progress->lost[cause] != UINT64_MAX)
			put(lost, kerror_cause_name(cause),
			    json_object_new_uint64(progress->lost[cause]));
	return lost;
}

static struct json_object *array_of_progress(const struct rule *rule)
{
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < GROUPS; i++) {
		const struct progress *progress = &rule->progress[i];
		struct json_object *object = json_object_new_object();

		put(object, "group",
		    json_object_new_string(kerror_group_name(kerror_group_at(i))));
		if (progress->known)
			put(object, "next", json_object_new_uint64(progress->next));
		put(object, "lost", array_of_losses(progress));
		append(array, object);
	}
	return array;
}

/* Those that count nothing any more are left out. */
static struct json_object *array_of_counters(const struct rule *rule)
{
	const uint64_t threshold = rule->sink->settings->threshold;
	struct json_object *array = json_object_new_array();
	struct counter *counter;

	TAILQ_FOREACH(counter, &rule->order, order) {
		struct json_object *object, *times;
		uint64_t i = counter->count < threshold ? 0 :
			     counter->count - threshold;

		if (!counter->count && !counter->quiet_until && !counter->more)
			continue;
		object = json_object_new_object();
		times = json_object_new_array();
		for (; i < counter->count; i++)
			append(times,
			       json_object_new_uint64(counter->times[i % threshold]));
		put(object, "key", json_object_new_string(counter->key));
		put(object, "quiet_until", json_object_new_uint64(counter->quiet_until));
		put(object, "more", json_object_new_uint64(counter->more));
		put(object, "times", times);
		append(array, object);
	}
	return array;
}

static struct json_object *array_of_firings(struct rule *rule)
{
	struct json_object *array = json_object_new_array();
	uint64_t now = now_ns(CLOCK_BOOTTIME);
	struct firing *firing;

	TAILQ_FOREACH(firing, &rule->backlog, entry) {
		struct json_object *object = json_object_new_object();
		struct json_object *variables = json_object_new_array();

		for (size_t i = 0; firing->variables[i]; i++)
			append(variables,
			       json_object_new_string(firing->variables[i]));
		put(object, "key", json_object_new_string(firing->key));
		put(object, "time", json_object_new_uint64(firing->time));
		put(object, "since", json_object_new_uint64(firing->since));
		put(object, "waited", json_object_new_uint64(now - firing->queued));
		put(object, "attempts", json_object_new_uint64(firing->attempts));
		put(object, "retry_in",
		    json_object_new_uint64(firing->next_try > now ?
				firing->next_try - now : 0));
		put(object, "more", json_object_new_uint64(firing->more));
		put(object, "variables", variables);
		append(array, object);
		firing->saved = true;
	}
	return array;
}

static struct json_object *object_of(struct rule *rule, bool active)
{
	const struct sink *sink = rule->sink;
	struct json_object *object = json_object_new_object();

	put(object, "version", json_object_new_uint64(1));
	put(object, "rule", json_object_new_string(sink->settings->name));
	put(object, "command", json_object_new_string(sink->settings->command));
	put(object, "active", json_object_new_boolean(active));
	put(object, "direct", json_object_new_boolean(rule->direct));
	put(object, "time", json_object_new_uint64(now_ns(CLOCK_REALTIME)));
	put(object, "boot_id", json_object_new_string(sink->series->boot_id));
	put(object, "instance", json_object_new_uint64(sink->series->instance));
	put(object, "fired", json_object_new_uint64(sink->fired));
	put(object, "failed", json_object_new_uint64(sink->failed));
	put(object, "given_up", json_object_new_uint64(rule->given_up));
	put(object, "failures", json_object_new_uint64(rule->failures));
	put(object, "last_failure",
	    json_object_new_string(rule->last_failure));
	put(object, "progress", array_of_progress(rule));
	put(object, "counters", array_of_counters(rule));
	put(object, "backlog", array_of_firings(rule));
	return object;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      0640);
	size_t size = strlen(text), done = 0;
	bool good = fd >= 0;

	while (good && done < size) {
		ssize_t part = write(fd, text + done, size - done);

		good = part > 0;
		done += good ? part : 0;
	}
	if (fd >= 0 && close(fd))
		good = false;
	return good;
}

void state_save(struct rule *rule, bool at_once, bool active)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	uint64_t pause = SAVE_SHARE * rule->save_takes;
	struct json_object *object;
	char path[512], new_path[520];
	const char *text;
	bool good;

	if (!at_once && (!rule->dirty ||
			 begin - rule->saved_at < (pause > SECOND ? pause : SECOND)))
		return;
	sink_state_path(rule->sink, "state", path, sizeof(path));
	snprintf(new_path, sizeof(new_path), "%s.new", path);
	object = object_of(rule, active);
	text = object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN) :
			NULL;
	good = text && write_file(new_path, text) && !rename(new_path, path);
	/* A full disk keeps no command from running. */
	if (!good && !rule->save_failed)
		fprintf(stderr, "kerrord: [%s] cannot keep its state, it may repeat or forget after a restart: %s: %s\n",
			rule->sink->settings->name, path, strerror(errno));
	rule->save_failed = !good;
	json_object_put(object);
	rule->dirty = false;
	rule->ended = false;
	rule->saved_at = now_ns(CLOCK_MONOTONIC);
	rule->save_takes = rule->saved_at - begin;
	pthread_cond_signal(&rule->changed);
}

void state_save_end(struct rule *rule)
{
	rule->ended = true;
	/* With events that progress does not have yet, they would count twice. */
	if (rule->settled && rule->save_takes < SAVE_QUICK)
		state_save(rule, true, true);
}

/* ---- Reading: of what is not as it was written, as much as can be used ---- */

static void load_progress(struct json_object *object, struct progress *progress)
{
	struct json_object *lost, *value;

	if (json_object_object_get_ex(object, "next", &value)) {
		progress->known = 1;
		progress->next = json_object_get_uint64(value);
	}
	if (!json_object_object_get_ex(object, "lost", &lost))
		return;
	for (int cause = 0; cause < KERROR_CAUSES; cause++)
		if (json_object_object_get_ex(lost, kerror_cause_name(cause), &value))
			progress->lost[cause] = json_object_get_uint64(value);
}

static void load_counter(struct rule *rule, struct json_object *object)
{
	const uint64_t threshold = rule->sink->settings->threshold;
	struct counter *counter = rule_counter(rule, strdup(json_get_string(object, "key")));
	struct json_object *times;
	size_t size = json_get_array(object, "times", &times);
	/* The configuration may ask for fewer than it did. */
	size_t i = size < threshold ? 0 : size - threshold + 1;

	if (!counter)
		return;
	counter->quiet_until = json_get_number(object, "quiet_until");
	counter->more = json_get_number(object, "more");
	for (; threshold > 1 && i < size; i++)
		counter->times[counter->count++ % threshold] =
			json_object_get_uint64(json_object_array_get_idx(times, i));
}

static void load_firing(struct rule *rule, struct json_object *object)
{
	struct json_object *variables;
	size_t length = json_get_array(object, "variables", &variables);
	struct firing *firing = calloc(1, sizeof(*firing));
	uint64_t now = now_ns(CLOCK_BOOTTIME);
	size_t count = 0;

	if (firing)
		firing->key = strdup(json_get_string(object, "key"));
	if (!firing || !firing->key) {
		free(firing);
		return;
	}
	firing->time = json_get_number(object, "time");
	firing->since = json_get_number(object, "since");
	firing->queued = now - json_get_number(object, "waited");
	firing->attempts = json_get_number(object, "attempts");
	firing->next_try = now + json_get_number(object, "retry_in");
	firing->more = json_get_number(object, "more");
	firing->saved = true;
	for (size_t i = 0; i < length && count < VARIABLES; i++) {
		struct json_object *variable = json_object_array_get_idx(variables, i);
		const char *text = json_object_get_string(variable);

		if (text)
			firing->variables[count] = strdup(text);
		if (firing->variables[count])
			count++;
	}
	backlog_add(rule, firing);
}

static void load(struct rule *rule, struct json_object *object,
		 struct progress *progress)
{
	struct json_object *array;
	size_t length, i;

	rule->sink->fired = json_get_number(object, "fired");
	rule->sink->failed = json_get_number(object, "failed");
	rule->given_up = json_get_number(object, "given_up");
	rule->failures = json_get_number(object, "failures");
	snprintf(rule->last_failure, sizeof(rule->last_failure), "%s",
		 json_get_string(object, "last_failure"));
	length = json_get_array(object, "backlog", &array);
	for (i = 0; i < length; i++)
		load_firing(rule, json_object_array_get_idx(array, i));
	if (strcmp(json_get_string(object, "boot_id"), rule->sink->series->boot_id))
		return;
	/* The counters go on: their events were, whoever has numbered them. */
	length = json_get_array(object, "progress", &array);
	if (json_get_number(object, "instance") != rule->sink->series->instance)
		length = 0;
	for (i = 0; i < length; i++) {
		struct json_object *group = json_object_array_get_idx(array, i);
		uint32_t number = kerror_group_number(json_get_string(group, "group"));
		int at = kerror_group_index(number);

		if (at >= 0)
			load_progress(group, &progress[at]);
	}
	/* The one seen last is the first of the file. */
	for (i = json_get_array(object, "counters", &array); i--; )
		load_counter(rule, json_object_array_get_idx(array, i));
}

void state_load(struct rule *rule, struct progress *progress)
{
	struct json_object *object;
	char path[512];

	sink_state_path(rule->sink, "state", path, sizeof(path));
	if (access(path, F_OK) && errno == ENOENT)
		return;
	object = json_object_from_file(path);
	if (object && json_get_number(object, "version") == 1)
		load(rule, object, progress);
	else
		fprintf(stderr, "kerrord: [%s] %s cannot be read; its counters and what waited begin anew\n",
			rule->sink->settings->name, path);
	json_object_put(object);
}

/* ---- The file that kerrorctl rules asks for by name ---- */

static bool take_request(struct rule *rule, const char *suffix)
{
	char path[512];

	sink_state_path(rule->sink, suffix, path, sizeof(path));
	return !unlink(path);
}

void state_take_requests(struct rule *rule)
{
	if (take_request(rule, "drop")) {
		unsigned int count = backlog_drop(rule);

		fprintf(stderr, "kerrord: [%s] %u commands that waited are thrown away, as kerrorctl asked\n",
			rule->sink->settings->name, count);
		state_save(rule, true, true);
	}
	if (take_request(rule, "flush")) {
		backlog_flush(rule);
		state_save(rule, true, true);
	}
}
