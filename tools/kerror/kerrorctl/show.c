// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl show: one stored event with everything that is known of it: all of its
 * fields, what it means and what to do, the place in the kernel's source, the same
 * event before, and what else happened around it.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "show.h"

#define NS_PER_S 1000000000ULL

static const char usage[] =
"Usage: kerrorctl show [OPTION]... NUMBER\n"
"Print all that is known of one event, by the number that kerrorctl query prints: its\n"
"fields, what it means and what to do, where it comes from, the same event before, and\n"
"what else happened in the 10 seconds around it.\n"
"\n"
"  -k, --kernel=KERNEL  look for the place in the source there, as kerrorctl formats\n"
"                       does; default: the kernel that runs, if it tells\n"
"      --explanations=FILE  only this one; default: all that are installed\n"
"  -j, --json           as one JSON object\n"
"  -t, --translate      text in the language of the environment\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
NO_PAGER_USAGE
COLOR_USAGE
HELP_USAGE;

/* Copies of what the store lends */
static int keep(void *context, const struct store_item *item)
{
	struct items *items = context;
	struct store_item *copy;

	items->item = must_have(reallocarray(items->item, items->count + 1,
					     sizeof(*items->item)));
	copy = &items->item[items->count++];
	*copy = *item;
	kerror_origin_hold(copy->origin);
	if (item->event)
		copy->event = copy_event(item->event);
	if (item->cause)
		copy->cause = must_have(strdup(item->cause));
	return 0;
}

static int keep_some(void *context, const struct store_item *item)
{
	struct items *items = context;

	keep(items, item);
	return items->count >= 2 * AROUND_MAX;
}

static int count(void *context, const struct store_item *item)
{
	struct details *details = context;

	if (!details->before_count++)
		details->before_first = item->time;
	details->before_device += !strcmp(kerror_event_device(item->event),
					  kerror_event_device(details->item.event));
	return 0;
}

static void find_event(struct details *details, struct store *store, int64_t number)
{
	struct store_query query = { .number = number };
	struct items found = { 0 };

	check_store(store, store_query(store, &query, keep, &found));
	if (!found.count)
		errx(EXIT_FAILURE,
		     "the store has no event %" PRId64 "; kerrorctl query prints those that it has",
		     number);
	details->item = found.item[0];
}

/* Events are the same that have the same format, or else the same kind and type. */
static struct kerror_filter *same_as(const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_filter *filter = NULL;
	char text[64];

	if (!header)
		return NULL;
	if (header->format == EVL_FORMAT_PRINTF)
		snprintf(text, sizeof(text), "id==%08" PRIx32, header->event_id);
	else
		snprintf(text, sizeof(text), "kind!=printf && type==%" PRIu32,
			 header->event_type);
	if (kerror_filter_new(&filter, text, NULL, 0))
		errx(EXIT_FAILURE, "out of memory");
	return filter;
}

static void find_before(struct details *details, struct store *store)
{
	struct kerror_filter *filter = same_as(details->item.event);
	struct store_query query = { .filter = filter, .until = details->item.time };

	if (!filter)
		return;
	check_store(store, store_query(store, &query, count, details));
	query.limit = BEFORE_MAX;
	check_store(store, store_query(store, &query, keep, &details->before));
	kerror_filter_free(filter);
}

static void find_around(struct details *details, struct store *store)
{
	const uint64_t time = details->item.time, around = AROUND_S * NS_PER_S;
	struct store_query query = {
		.since = time > around ? time - around : 1, .until = time,
		.losses = true, .limit = AROUND_MAX,
	};

	check_store(store, store_query(store, &query, keep, &details->around));
	query = (struct store_query) {
		.since = time, .until = time + around, .losses = true,
	};
	check_store(store, store_query(store, &query, keep_some, &details->around));
}

/* Whether a format says little: the values bring the text, as for "%s %s: %s". */
static bool is_open(const char *format)
{
	return !format || guess_letters(format) < GUESS_LETTERS;
}

/* All of the text, without the newlines at its end */
static bool guess_from_text(struct details *details, const struct catalogue *catalogue)
{
	size_t size;
	const char *text = event_text(details->item.event, &size);

	while (size && text[size - 1] == '\n')
		size--;
	text = must_have(strndup(text, size));
	return guess_format(guesser_new(catalogue), text, size, &details->guess);
}

static void find_places(struct details *details, const char *kernel)
{
	static struct catalogue catalogue;
	const struct kerror_event *event = details->item.event;
	const struct evl_header *header = kerror_event_header(event);

	if (!header || !(header->flags & EVL_FLAG_PRINTK || header->format == EVL_FORMAT_PRINTF) ||
	    (!kernel && !catalogue_is_there()))
		return;
	catalogue_read(&catalogue, kernel);
	details->places_known = true;
	if (header->format == EVL_FORMAT_PRINTF)
		details->places = catalogue_find(&catalogue, header->event_id);
	if ((!details->places || is_open(kerror_event_format(event))) &&
	    header->flags & EVL_FLAG_PRINTK && guess_from_text(details, &catalogue)) {
		details->guessed = true;
		details->places = details->guess.entry;
	}
	if (details->places)
		details->places_count = catalogue_next_id(&catalogue, details->places) -
					details->places;
}

static void find_explanation(struct details *details, const struct common *common)
{
	const struct evl_header *header = kerror_event_header(details->item.event);

	if (header && header->format == EVL_FORMAT_PRINTF)
		details->explanation = explanations_find(read_explanations(common),
							 header->event_id);
}

int command_show(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "kernel", required_argument, NULL, 'k' },
		EXPLANATIONS_OPTION,
		CATALOGUE_OPTION,
		JSON_OPTION,
		TRANSLATE_OPTION,
		STORE_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	struct details details = { 0 };
	const char *kernel = NULL;
	struct store *store;
	int64_t number;

	while (next_option(&common, argc, argv, ":k:jts:h", longs) >= 0)
		kernel = optarg;
	if (optind == argc)
		wrong_use("no number of an event; kerrorctl query prints them");
	number = parse_number("NUMBER", argv[optind++], 1, INT64_MAX);
	no_arguments(argc, argv);
	store = open_store(&common, false);
	find_event(&details, store, number);
	find_before(&details, store);
	find_around(&details, store);
	find_places(&details, kernel);
	find_explanation(&details, &common);
	if (common.json)
		print_details_json(&common, &details);
	else
		print_details(&common, store, &details);
	store_close(store);
	flush_output();
	return EXIT_SUCCESS;
}
