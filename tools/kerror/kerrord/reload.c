// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGHUP: the configuration is read again. A sink whose section is the same goes
 * on undisturbed; one that is gone ends, one that is new or changed begins where
 * its own memory says, as after a restart. A configuration with errors changes
 * nothing.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include "kerrord.h"

static struct sink *find_same(struct sink *sinks, const struct sink_settings *wanted)
{
	struct sink *sink;

	for (sink = sinks; sink; sink = sink->next)
		if (config_same_sink(sink->settings, wanted))
			break;
	return sink;
}

static struct sink *find_by_settings(struct sink *sinks,
				     const struct sink_settings *settings)
{
	struct sink *sink;

	for (sink = sinks; sink; sink = sink->next)
		if (sink->settings == settings)
			break;
	return sink;
}

static bool take_out(struct sink_settings **list, const struct sink_settings *node)
{
	for (; *list; list = &(*list)->next) {
		if (*list == node) {
			*list = node->next;
			return true;
		}
	}
	return false;
}

/*
 * Moves the sections of running sinks that stay to @next, in the place of the
 * equal ones there, as their threads use them. True if that is all.
 */
static bool keep_same(struct settings *settings, struct settings *next,
		      struct sink *sinks)
{
	struct sink_settings **link;
	bool all = true;

	for (link = &next->sinks; *link; link = &(*link)->next) {
		struct sink *sink = find_same(sinks, *link);
		struct sink_settings *kept, *equal = *link;
		struct place *places;

		if (!sink) {
			all = false;
			continue;
		}
		kept = (struct sink_settings *)sink->settings;
		take_out(&settings->sinks, kept);
		places = kept->places;
		kept->places = equal->places;
		equal->places = places;
		kept->next = equal->next;
		*link = kept;
		config_free_sink(equal);
	}
	return all && !settings->sinks;
}

/* A thread that is stuck has its memory for ever; no other may use its files. */
static void abandon(struct settings *settings, struct settings *next,
		    struct sink *sink)
{
	struct sink_settings *at;

	fprintf(stderr, "kerrord: [%s] is stuck and cannot be changed; 'systemctl restart kerrord' does\n",
		sink->settings->name);
	catch_up_end(sink);
	take_out(&settings->sinks, sink->settings);
	for (at = next->sinks; at; at = at->next) {
		if (strcmp(at->name, sink->settings->name))
			continue;
		take_out(&next->sinks, at);
		config_free_sink(at);
		break;
	}
}

/* Ends those whose sections are left in @settings. */
static void end_sinks(struct settings *settings, struct settings *next,
		      struct sink *sinks)
{
	struct sink_settings *at, *after;
	struct sink *sink;

	for (at = settings->sinks; at; at = at->next) {
		sink = find_by_settings(sinks, at);
		if (sink)
			sink_stop(sink);
	}
	if (sinks_end(sinks))
		return;
	for (at = settings->sinks; at; at = after) {
		after = at->next;
		sink = find_by_settings(sinks, at);
		if (sink && !sink->ended)
			abandon(settings, next, sink);
	}
}

/*
 * The sinks of @next: those that run, and new ones that do not yet. What the kernel
 * still holds and a new one lacks it gets as one that is behind.
 */
static void list_sinks(const struct settings *next, struct sink *sinks,
		       struct sink *(*make)(const struct sink_settings *settings),
		       struct sink **array, bool *is_new)
{
	const struct sink_settings *at;
	size_t count = 0;

	for (at = next->sinks; at; at = at->next, count++) {
		array[count] = find_by_settings(sinks, at);
		is_new[count] = !array[count];
		if (is_new[count])
			array[count] = make(at);
		if (!array[count])
			errx(EXIT_FAILURE, "out of memory");
		if (is_new[count] && !next->collects) {
			array[count]->behind = true;
			array[count]->passed = UINT32_MAX;
			array[count]->behind_at = KERROR_SEQUENCE_FIRST;
		}
	}
}

static void free_ended(const struct settings *settings, struct sink *const *ended,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sink_settings *at;

		/* Those of a stuck thread are in no list any more. */
		for (at = settings->sinks; at; at = at->next)
			if (at == ended[i]->settings)
				break;
		if (at)
			sink_free(ended[i]);
	}
}

static size_t count_sinks(const struct sink *sink)
{
	size_t count = 0;

	for (; sink; sink = sink->next)
		count++;
	return count;
}

static size_t count_sections(const struct sink_settings *at)
{
	size_t count = 0;

	for (; at; at = at->next)
		count++;
	return count;
}

/* With sinks_lock held: others see the old list or the new one. */
static void link_sinks(struct sink **sinks, struct sink **array, size_t count)
{
	for (size_t i = 0; i < count; i++)
		array[i]->next = i + 1 < count ? array[i + 1] : NULL;
	*sinks = count ? array[0] : NULL;
}

static void replace_sinks(struct settings *settings, struct settings *next,
			  struct sink **sinks,
			  struct sink *(*make)(const struct sink_settings *settings),
			  struct metrics *metrics)
{
	size_t before = count_sinks(*sinks), count, started = 0, ended = 0;
	struct sink **old = calloc(before + 1, sizeof(*old)), **array;
	bool *is_new;

	for (struct sink *sink = *sinks; old && sink; sink = sink->next)
		old[ended++] = sink;
	end_sinks(settings, next, *sinks);
	count = count_sections(next->sinks);
	array = calloc(count + 1, sizeof(*array));
	is_new = calloc(count + 1, sizeof(*is_new));
	if (!old || !array || !is_new)
		errx(EXIT_FAILURE, "out of memory");
	privileges_prepare(next);
	list_sinks(next, *sinks, make, array, is_new);
	pthread_mutex_lock(&sinks_lock);
	link_sinks(sinks, array, count);
	metrics_set_sinks(metrics, *sinks);
	pthread_mutex_unlock(&sinks_lock);
	for (size_t i = 0; i < count; i++) {
		sink_start(array[i]);
		started += is_new[i];
	}
	free_ended(settings, old, ended);
	fprintf(stderr, "kerrord: the new configuration counts: %zu sinks go on, %zu begin, %zu end\n",
		count - started, started, before - (count - started));
	free(is_new);
	free(array);
	free(old);
}

/* Keeps the old text, which others may use, and says so if it differs. */
static void keep_text(char **old, char **new, const char *name)
{
	char *text = *old;

	if (text && *new ? strcmp(text, *new) : text != *new)
		fprintf(stderr, "kerrord: %s: the new value counts after 'systemctl restart kerrord'\n",
			name);
	*old = *new;
	*new = text;
}

void reload_apply(struct settings *settings, struct settings *next,
		  struct sink **sinks,
		  struct sink *(*make)(const struct sink_settings *settings),
		  struct metrics *metrics)
{
	struct settings old;

	keep_text(&settings->user, &next->user, "[kerrord] user");
	keep_text(&settings->state, &next->state, "[kerrord] state");
	keep_text(&settings->listen, &next->listen, "[metrics] listen");
	if (settings->groups != next->groups)
		fputs("kerrord: [kerrord] groups: the new value counts after 'systemctl restart kerrord'\n",
		      stderr);
	next->groups = settings->groups;
	if (settings->collects != next->collects)
		fputs("kerrord: [kerrord] source: the new value counts after 'systemctl restart kerrord'\n",
		      stderr);
	next->collects = settings->collects;
	if (settings->max_text != next->max_text)
		fputs("kerrord: [kerrord] max_text: the new value counts after 'systemctl restart kerrord'\n",
		      stderr);
	next->max_text = settings->max_text;
	if (!keep_same(settings, next, *sinks))
		replace_sinks(settings, next, sinks, make, metrics);
	conditions_use(next);
	old = *settings;
	*settings = *next;
	config_free(&old);
}
