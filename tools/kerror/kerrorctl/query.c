// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl query: prints what kerrord has stored, or counts it. Uses the same
 * lines and the same JSON as watch, with the number that ack takes.
 */
#include <err.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "store.h"

static const char usage[] =
"Usage: kerrorctl query [OPTION]...\n"
"Print the events that kerrord has stored, oldest first.\n"
"\n"
"  -S, --since=TIME     2026-01-31T23:59, today, yesterday, -2h, '3 days ago'\n"
"  -U, --until=TIME     up to that time, exclusive\n"
"  -f, --filter=FILTER  only events that match\n"
"  -F, --facility=NAME  only events of this facility; may be given several times\n"
"  -g, --group=GROUP    raw, evlog, printk or all (default)\n"
"  -u, --unacked        only events that nobody has acknowledged\n"
"  -l, --losses         losses, too, and how much kerrord has deleted\n"
"  -b, --boot=WHICH     all (default) or current\n"
"  -n, --limit=NUMBER   only the newest, or the most frequent\n"
"  -c, --count-by=WHAT  count by facility, event, device or severity\n"
"  -j, --json           one JSON object a line\n"
"  -t, --translate      text in the language of the environment\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n";

struct options {
	struct common common;
	struct store_query query;
	bool count, current_boot;
	size_t rows;
	struct tally tally;
	char boot_id[BOOT_ID_SIZE];
};

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "since", required_argument, NULL, 'S' },
		{ "until", required_argument, NULL, 'U' },
		FILTER_OPTION,
		FACILITY_OPTION,
		GROUP_OPTION,
		{ "unacked", no_argument, NULL, 'u' },
		{ "losses", no_argument, NULL, 'l' },
		{ "boot", required_argument, NULL, 'b' },
		{ "limit", required_argument, NULL, 'n' },
		{ "count-by", required_argument, NULL, 'c' },
		JSON_OPTION,
		TRANSLATE_OPTION,
		STORE_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	static const char *const boots[] = { "all", "current", NULL };
	static const char *const keys[] = {
		"facility", "event", "device", "severity", NULL
	};
	struct store_query *query = &options->query;
	int option;

	*options = (struct options) { .common.usage = usage };
	while ((option = next_option(&options->common, argc, argv,
				     ":S:U:f:F:g:ulb:n:c:jts:h", longs)) >= 0) {
		switch (option) {
		case 'S':
			query->since = parse_time("--since", optarg);
			break;
		case 'U':
			query->until = parse_time("--until", optarg);
			break;
		case 'F':
			want_facility(&options->common, argv[0], optarg);
			break;
		case 'u':
			query->unacknowledged = true;
			break;
		case 'l':
			query->losses = true;
			break;
		case 'b':
			options->current_boot = parse_name("--boot", optarg,
							   boots);
			break;
		case 'n':
			query->limit = parse_number("--limit", optarg, 1,
						    ULONG_MAX);
			break;
		case 'c':
			options->count = true;
			options->tally.by =
				1U << parse_name("--count-by", optarg, keys);
			break;
		}
	}
	no_arguments(argc, argv);
	check_period(query->since, query->until);
	query->filter = options->common.filter;
	query->groups = options->common.groups;
}

static void print_item(const struct options *options,
		       const struct store_item *item)
{
	struct print_style style = options->common.style;

	style.boot_id = item->series->boot_id;
	style.instance = item->series->instance;
	style.id = item->id;
	style.acknowledged = item->acknowledged;
	style.cause = item->cause;
	style.time = item->time;
	if (options->common.json) {
		if (item->event)
			print_event_json(stdout, &style, item->event);
		else
			print_loss_json(stdout, &style, &item->loss);
		return;
	}
	if (item->event) {
		printf("%" PRId64 "%s ", item->id,
		       item->acknowledged ? " acknowledged" : "");
		print_event(stdout, &style, item->event);
	} else {
		print_time(stdout, item->time);
		putchar(' ');
		print_loss(stdout, &style, &item->loss);
	}
}

/* What is missing at the beginning */
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

static int found(void *context, const struct store_item *item)
{
	struct options *options = context;

	if (!options->count)
		print_item(options, item);
	else if (item->event)
		tally_add(&options->tally, item->event, item->time);
	return 0;
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

int command_query(int argc, char **argv)
{
	struct store_deleted deleted;
	struct options options;
	struct store *store;

	parse_options(&options, argc, argv);
	/* Of a table, it is the number of rows. */
	if (options.count) {
		options.rows = options.query.limit;
		options.query.limit = 0;
	}
	if (options.current_boot) {
		if (store_boot_id(options.boot_id))
			err(EXIT_FAILURE, "cannot read the id of this boot");
		options.query.boot_id = options.boot_id;
	}
	store = open_store(&options.common, false);
	check_store(store, store_deleted(store, &deleted));
	if (options.query.losses && !options.count)
		print_deleted(&options.common, &deleted);
	check_store(store, store_query(store, &options.query, found, &options));
	warn_of_deleted(store, &deleted);
	store_close(store);
	tally_sort(&options.tally);
	if (options.count && options.common.json)
		tally_print_json(&options.tally, options.rows, 0);
	else if (options.count)
		tally_print(&options.tally, &options.common.style,
			    options.rows, 0);
	flush_output();
	return EXIT_SUCCESS;
}
