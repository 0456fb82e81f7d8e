// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditions: what rules without a command raise and clear. The store's thread calls
 * this for each event that it stores, in the same transaction; so a condition counts
 * each event once, over any number of restarts. The store itself has the conditions.
 *
 * Each change is reported to all sinks when its transaction is on the disk: also one
 * by kerrorctl clear, one by time, and one of which a kill kept the report back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "message.h"

/* Bytes of an event's text that a condition keeps */
#define TEXT_MAX 1024

/* Changes at once of which each has a report */
#define REPORTS_MAX 8

/* For the metrics */
struct shown {
	char *name, *key;
	bool raised;
};

static struct {
	pthread_mutex_t lock;
	const struct sink_settings *rules;
	const struct sink_settings *store;
	struct shown *shown;
	size_t count, room;
	bool loaded;
} conditions = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held: whether the sink is the store that has them, the first one */
static bool are_of(const struct sink *sink)
{
	const char *path = sink->settings->path ? sink->settings->path : sink->settings->store;

	return conditions.store && path && !strcmp(conditions.store->path, path);
}

void conditions_use(const struct settings *settings)
{
	const struct sink_settings *store = settings->sinks;

	while (store && store->type != &store_sink)
		store = store->next;
	if (!store && settings->rules)
		fputs("kerrord: without a [store] there are no conditions\n", stderr);
	pthread_mutex_lock(&conditions.lock);
	conditions.rules = settings->rules;
	conditions.store = store;
	conditions.loaded = false;
	pthread_mutex_unlock(&conditions.lock);
}

/* ---- Events ---- */

/* In a store of many machines, the name of the event's begins its keys; else NULL */
static const char *machine_of(const struct sink *sink, const struct kerror_event *event)
{
	struct kerror_origin *origin = kerror_event_origin(event);
	const char *name = kerror_origin_get(origin, "host");

	if (!sink->settings->stream)
		return NULL;
	name = name ? name : kerror_origin_get(origin, "machine");
	return name ? name : "unknown";
}

/* The values of the rule's key, parted by blanks; NULL without memory */
static char *make_key(const struct sink_settings *rule, const struct kerror_event *event,
		      const struct found *found, const char *machine)
{
	struct buffer key = { 0 };

	if (machine) {
		buffer_printable(&key, machine, strlen(machine));
		buffer_byte(&key, '\n');
	}
	event_key(&key, rule->key, event, found);
	while (key.size && key.bytes[key.size - 1] == '\n')
		key.size--;
	if (!buffer_terminate(&key)) {
		buffer_free(&key);
		return NULL;
	}
	for (char *at = key.bytes; *at; at++)
		if (*at == '\n')
			*at = ' ';
	return key.bytes;
}

static int raise_condition(const struct sink *sink, struct store *store,
			   const struct sink_settings *rule, const char *key,
			   const struct kerror_event *event, const struct found *found,
			   uint64_t time)
{
	char *json = found->format ? found_json(found) : NULL;
	struct buffer text = { 0 };
	const char *bytes, *boot_id = sink->series->boot_id;
	size_t size;
	int err;

	if (sink->settings->stream)
		boot_id = kerror_origin_get(kerror_event_origin(event), "boot_id");
	bytes = event_text(event, &size);
	buffer_printable(&text, bytes, size < TEXT_MAX ? size : TEXT_MAX);
	err = !buffer_terminate(&text) ? -ENOMEM :
	      store_raise(store, boot_id, &(struct condition) {
		.name = rule->raises, .key = key, .rule = rule->name,
		.severity = rule->severity, .text = text.bytes,
		.meaning = rule->meaning ? rule->meaning : "",
		.remedy = rule->remedy ? rule->remedy : "",
		.found = json ? json : "",
		.expires = rule->expires, .last = time,
	});
	buffer_free(&text);
	free(json);
	return err < 0 ? err : 1;
}

/* Of each of the names; without a key of the rule, whatever key they have on @machine */
static int64_t clear_conditions(struct store *store, const struct sink_settings *rule,
				const char *key, const char *machine, uint64_t time)
{
	char *names = config_copy(rule->clears), *rest = names, *name;
	int64_t cleared = 0, count = 0;

	while (cleared >= 0 && (name = strsep(&rest, " \t"))) {
		cleared = rule->key || !machine ?
			  store_clear(store, name, rule->key ? key : NULL, rule->name, time) :
			  store_clear_machine(store, name, machine, rule->name, time);
		count += cleared;
	}
	free(names);
	return cleared < 0 ? cleared : count;
}

static int apply(const struct sink *sink, struct store *store,
		 const struct sink_settings *rule, const struct kerror_event *event,
		 const struct found *found)
{
	const struct evl_header *header = kerror_event_header(event);
	uint64_t time = header ? header->time_realtime : now_ns(CLOCK_REALTIME);
	const char *machine = machine_of(sink, event);
	char *key = make_key(rule, event, found, machine);
	int64_t cleared = 0;
	int raised = 0;

	if (!key)
		return -ENOMEM;
	if (time > INT64_MAX)
		time = INT64_MAX;
	if (rule->clears)
		cleared = clear_conditions(store, rule, key, machine, time);
	if (cleared >= 0 && rule->raises)
		raised = raise_condition(sink, store, rule, key, event, found, time);
	free(key);
	return cleared < 0 ? cleared : raised ? raised : cleared > 0;
}

int conditions_event(struct sink *sink, struct store *store,
		     const struct kerror_event *event)
{
	struct found found = { 0 };
	int result = 0, err = 0;

	pthread_mutex_lock(&conditions.lock);
	for (const struct sink_settings *rule = are_of(sink) ? conditions.rules : NULL;
	     rule && err >= 0; rule = rule->next) {
		if (rule->raises && !strcmp(rule->raises, "none"))
			continue;
		if (!is_new_to(rule->filter, event))
			continue;
		if (rule->text_format && !find_in_text(&found, rule->text_format, event))
			continue;
		err = apply(sink, store, rule, event, &found);
		found_free(&found);
		result |= err > 0;
	}
	pthread_mutex_unlock(&conditions.lock);
	return err < 0 ? err : result;
}

/* ---- Changes ---- */

struct told {
	struct sink *sink;
	int reports;
};

static void report_change(void *context, const struct condition *condition)
{
	const char *blank = *condition->key ? " " : "";
	char more[48] = "", text[2048];
	struct told *told = context;

	if (told->reports++ >= REPORTS_MAX)
		return;
	if (condition->untold > 1)
		snprintf(more, sizeof(more), " (%" PRIu64 " changes)", condition->untold);
	if (condition->cleared)
		snprintf(text, sizeof(text), "condition %s%s%s cleared by %s after %" PRIu64 " events%s",
			 condition->name, blank, condition->key, condition->cleared_by,
			 condition->count, more);
	else
		snprintf(text, sizeof(text), "condition %s%s%s raised%s: %s: %s %s",
			 condition->name, blank, condition->key, more, condition->text,
			 condition->meaning, condition->remedy);
	told->sink->report(told->sink, condition->cleared ? 5 : condition->severity, text);
}

/* A storm becomes a few lines; the number of changes, or a negative errno */
static int report_changes(struct sink *sink, struct store *store)
{
	struct told told = { .sink = sink };
	int changed = store_tell_conditions(store, report_change, &told);
	char text[96];

	if (told.reports > REPORTS_MAX) {
		snprintf(text, sizeof(text),
			 "%d more conditions have changed; kerrorctl health shows them",
			 told.reports - REPORTS_MAX);
		sink->report(sink, 4, text);
	}
	return changed;
}

static void forget_shown(void)
{
	while (conditions.count) {
		struct shown *shown = &conditions.shown[--conditions.count];

		free(shown->name);
		free(shown->key);
	}
}

static void note_shown(void *context, const struct condition *condition)
{
	size_t room = conditions.count < 64 ? 64 : 2 * conditions.count;
	struct shown *shown = conditions.shown;

	(void)context;
	if (conditions.count == conditions.room) {
		shown = reallocarray(shown, room, sizeof(*shown));
		if (!shown)
			return;
		conditions.shown = shown;
		conditions.room = room;
	}
	shown += conditions.count;
	shown->name = config_copy(condition->name);
	shown->key = config_copy(condition->key);
	shown->raised = !condition->cleared;
	conditions.count++;
}

int conditions_tell(struct sink *sink, struct store *store)
{
	const char *boot_id = sink->series->boot_id;
	bool mine;
	int told;

	pthread_mutex_lock(&conditions.lock);
	mine = are_of(sink);
	pthread_mutex_unlock(&conditions.lock);
	/* Each is of a boot of its own machine. */
	if (sink->settings->collected)
		boot_id = NULL;
	told = mine ? store_expire(store, boot_id) : 0;
	if (mine && !told)
		told = report_changes(sink, store);
	if (!mine || told < 0)
		return told;
	pthread_mutex_lock(&conditions.lock);
	if (told || !conditions.loaded) {
		forget_shown();
		told = store_conditions(store, note_shown, NULL);
		conditions.loaded = !told;
	}
	pthread_mutex_unlock(&conditions.lock);
	return told;
}

void conditions_print(FILE *file)
{
	metrics_describe(file, "kerror_condition", "gauge",
			 "1 while a condition lasts, 0 after it was cleared.");
	pthread_mutex_lock(&conditions.lock);
	for (size_t i = 0; i < conditions.count; i++) {
		const struct shown *shown = &conditions.shown[i];

		fputs("kerror_condition{name=\"", file);
		metrics_label(file, shown->name);
		fputs("\",key=\"", file);
		metrics_label(file, shown->key);
		fprintf(file, "\"} %d\n", shown->raised);
	}
	pthread_mutex_unlock(&conditions.lock);
}
