// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl query: prints what kerrord has stored, or counts it. Uses the same
 * lines and the same JSON as watch, with the number that show and ack take.
 */
#include <err.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "tally.h"

static const char usage[] =
"Usage: kerrorctl query [OPTION]...\n"
"Print the events that kerrord has stored, oldest first.\n"
"\n"
"  -S, --since=TIME     2026-01-31T23:59, 10:30, today, yesterday, -1h30m, @1767225599\n"
"  -U, --until=TIME     up to that time, exclusive\n"
"  -b, --boot[=BOOT]    of one boot: 0 (default, the one that runs), -1, or its id\n"
"      --list-boots     show the boots that the store has something of\n"
SELECTION_USAGE
"      --host=NAME      only events of this machine; may be given several times\n"
"  -g, --group=GROUP    raw, evlog, printk or all (default)\n"
"  -u, --unacked        only events that nobody has acknowledged\n"
"  -l, --losses         losses, too, and how much kerrord has deleted\n"
"  -n, --limit=NUMBER   only the newest, or the most frequent\n"
"  -r, --reverse        the newest first\n"
"  -f, --follow         the newest 10, and then what kerrord stores from now on\n"
"      --join           one event for a line of the kernel log, not one for each part\n"
"      --count-by=WHAT  count by facility, event, device, severity, hour, day, host,\n"
"                       release, tag.NAME, arg[0] and so on, or by several of these:\n"
"                       device,arg[0]\n"
"      --new-in=RELEASE only rows of events that no other release of the kernel had;\n"
"                       may be a pattern: '6.12.*'\n"
OUTPUT_USAGE
"  -t, --translate      text in the language of the environment\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
NO_PAGER_USAGE
COLOR_USAGE
HELP_USAGE;

/* With --follow, if nothing says how many */
#define FOLLOW_LIMIT 10

enum { OPTION_COUNT_BY = OPTION_FIRST_OWN, OPTION_LIST_BOOTS, OPTION_JOIN, OPTION_NEW_IN };

struct options {
	struct common common;
	struct store_query query;
	bool count, follow, list_boots, join, all_times;
	struct stored_lines *lines;	/* NULL without --join */
	const char *boot;
	const char *new_in;	/* a pattern of releases, or NULL */
	bool release_found;
	size_t rows;
	struct tally tally;
	struct stored_style style;
};

static void set_option(struct options *options, int option, int argc, char **argv)
{
	struct store_query *query = &options->query;

	switch (option) {
	case 'S':
		query->since = parse_since(optarg);
		options->all_times = !query->since;
		break;
	case 'U':
		query->until = parse_time("--until", optarg);
		break;
	case 'b':
		options->boot = boot_value(argc, argv);
		break;
	case OPTION_LIST_BOOTS:
		options->list_boots = true;
		break;
	case 'u':
		query->unacknowledged = true;
		break;
	case 'l':
		query->losses = true;
		break;
	case 'n':
		query->limit = parse_number("--limit", optarg, 1, ULONG_MAX);
		break;
	case 'r':
		query->newest_first = true;
		break;
	case 'f':
		options->follow = true;
		break;
	case OPTION_JOIN:
		options->join = true;
		break;
	case OPTION_COUNT_BY:
		options->count = true;
		options->tally.keys = parse_keys(optarg);
		options->tally.first = true;
		break;
	case OPTION_NEW_IN:
		options->new_in = optarg;
		break;
	}
}

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "since", required_argument, NULL, 'S' },
		{ "until", required_argument, NULL, 'U' },
		{ "boot", optional_argument, NULL, 'b' },
		{ "list-boots", no_argument, NULL, OPTION_LIST_BOOTS },
		FILTER_OPTION,
		FACILITY_OPTION,
		HOST_OPTION,
		PRIORITY_OPTION,
		GREP_OPTION,
		GROUP_OPTION,
		{ "unacked", no_argument, NULL, 'u' },
		{ "losses", no_argument, NULL, 'l' },
		{ "limit", required_argument, NULL, 'n' },
		{ "reverse", no_argument, NULL, 'r' },
		{ "follow", no_argument, NULL, 'f' },
		{ "join", no_argument, NULL, OPTION_JOIN },
		{ "count-by", required_argument, NULL, OPTION_COUNT_BY },
		{ "new-in", required_argument, NULL, OPTION_NEW_IN },
		OUTPUT_OPTION,
		JSON_OPTION,
		TRANSLATE_OPTION,
		STORE_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct store_query *query = &options->query;
	int option;

	*options = (struct options) { .common.usage = usage };
	while ((option = next_option(&options->common, argc, argv,
				     ":S:U:b::" SELECTION_SHORTS "uln:rfo:jts:h",
				     longs)) >= 0)
		set_option(options, option, argc, argv);
	no_arguments(argc, argv);
	check_period(query->since, query->until);
	if (options->follow && (query->newest_first || query->until || options->count))
		wrong_use("--follow goes on for ever, so not with --reverse, --until or --count-by");
	if (options->new_in && !options->count)
		wrong_use("--new-in chooses rows of a table: say --count-by=event, too");
	if (options->new_in && (query->since || query->until || query->unacknowledged ||
				options->boot))
		wrong_use("--new-in compares all that the store has, so not with --since, --until, --boot or --unacked");
	if (options->follow && !query->limit && !query->since && !options->all_times &&
	    !options->boot)
		query->limit = FOLLOW_LIMIT;
	if (options->join && (query->newest_first || options->follow ||
			      (query->limit && !options->count)))
		wrong_use("--join needs all parts of a line in order, so not with --reverse, --follow or --limit");
	/* Of a table, it is the number of rows. */
	if (options->count) {
		options->rows = query->limit;
		query->limit = 0;
	}
}

/* Events that are missing at the beginning */
static void print_deleted(const struct common *common,
			  const struct store_deleted *total)
{
	struct store_deleted deleted = *total;
	struct json_object *object;

	if (!deleted.age && !deleted.size)
		return;
	if (!common->json) {
		printf("-- kerrord deleted %" PRIu64 " events older than max_age, %"
		       PRIu64 " beyond max_size\n", deleted.age, deleted.size);
		return;
	}
	object = must_have(json_object_new_object());
	json_add(object, "item", json_string("deleted"));
	json_add(object, "max_age", json_number(deleted.age));
	json_add(object, "max_size", json_number(deleted.size));
	json_print(stdout, object);
}

static bool is_new_release(const struct options *options, const char *release)
{
	return release && !fnmatch(options->new_in, release, 0);
}

/* Without it, a mistyped one has an empty table. */
static void look_for_release(void *context, const struct store_boot *boot)
{
	struct options *options = context;

	options->release_found |= is_new_release(options, boot->release);
}

static void count_item(struct options *options, const struct store_item *item)
{
	const char *release = kerror_origin_get(item->origin, "release");

	if (!options->new_in || is_new_release(options, release))
		tally_add(&options->tally, item->event, item->time);
	else
		tally_know(&options->tally, item->event, item->time);
}

static int show(void *context, const struct store_item *item)
{
	struct options *options = context;

	/* The filter is asked about whole lines. */
	if (options->lines && item->event && !is_wanted(&options->common, item->event))
		return 0;
	if (options->count) {
		if (item->event)
			count_item(options, item);
		return 0;
	}
	print_stored(&options->style, item);
	return options->rows && !--options->rows;
}

static int found(void *context, const struct store_item *item)
{
	struct options *options = context;

	return options->lines ? stored_lines_add(options->lines, item) : show(options, item);
}

/* A pager may wait for so long that events are gone before it shows them. */
static void warn_of_deleted(struct store *store,
			    const struct store_deleted *before)
{
	struct store_deleted now;
	uint64_t count;

	check_store(store, store_deleted(store, &now));
	count = now.age + now.size - before->age - before->size;
	if (count)
		warnx("kerrord has deleted %" PRIu64 " events meanwhile, which may be missing",
		      count);
}

/* Prints what is there, up to @mark. */
static void print_all(struct options *options, struct store *store, struct store_mark mark)
{
	struct store_query *query = &options->query;
	const size_t width = terminal_width();
	const bool paged = !options->follow && begin_pager(&options->common);
	struct store_deleted deleted;

	options->tally.width = width;
	options->style = stored_style(&options->common, store, width, paged);
	check_store(store, store_deleted(store, &deleted));
	if (query->losses && !options->count)
		print_deleted(&options->common, &deleted);
	query->up_to = mark;
	/* The newest come first: those behind the limit are not looked for. */
	if (query->newest_first && query->limit)
		options->rows = query->limit;
	if (options->join) {
		options->lines = stored_lines_new(show, options);
		query->filter = NULL;
		query->matches = NULL;
	}
	/* All of an empty store would be what comes meanwhile. */
	if (mark.event || mark.loss)
		check_store(store, store_query(store, query, found, options));
	if (options->lines)
		stored_lines_end(options->lines);
	warn_of_deleted(store, &deleted);
}

int command_query(int argc, char **argv)
{
	struct store_mark mark;
	struct options options;
	struct store *store;

	parse_options(&options, argc, argv);
	store = open_store(&options.common, false);
	if (options.list_boots) {
		list_boots(&options.common, store);
		store_close(store);
		flush_output();
		return EXIT_SUCCESS;
	}
	select_stored(&options.query, &options.common);
	if (options.boot)
		options.query.boot_id = find_boot(store, options.boot);
	if (options.new_in)
		check_store(store, store_boots(store, false, look_for_release, &options));
	if (options.new_in && !options.release_found)
		errx(EXIT_FAILURE,
		     "the store has no release '%s'; kerrorctl query --count-by=release lists those that it has",
		     options.new_in);
	check_store(store, store_mark(store, &mark));
	print_all(&options, store, mark);
	store_close(store);
	if (options.follow)
		follow_store(&options.common, &options.query, mark);
	if (options.new_in)
		options.tally = tally_new(&options.tally);
	tally_sort(&options.tally);
	if (options.count && options.common.json)
		tally_print_json(&options.tally, options.rows, 0);
	else if (options.count)
		tally_print(stdout, &options.tally, &options.common.style,
			    options.rows, 0);
	flush_output();
	return EXIT_SUCCESS;
}
