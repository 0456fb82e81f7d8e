// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl ack: marks stored events as seen by an operator, so that query
 * --unacked does not show them any more. All of them are marked, or none.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "store.h"

static const char usage[] =
"Usage: kerrorctl ack [OPTION]... NUMBER[-NUMBER]...\n"
"   or: kerrorctl ack [OPTION]... with an option that says which, or --until=TIME\n"
"Acknowledge stored events, by the numbers that kerrorctl query prints or by what\n"
"they are.\n"
"\n"
SELECTION_USAGE
"  -g, --group=GROUP    raw, evlog, printk or all (default)\n"
"  -S, --since=TIME     of these, from that time on\n"
"  -U, --until=TIME     up to that time, exclusive; see kerrorctl query --help\n"
"  -j, --json           tell the number of events as JSON\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"  -h, --help           this text\n";

struct range {
	int64_t first, last;
};

/* Conditions to be acknowledged */
struct ranges {
	struct range *range;
	size_t count;
};

static void add_range(struct ranges *ranges, int64_t first, int64_t last)
{
	if (ranges->count && first == ranges->range[ranges->count - 1].last + 1) {
		ranges->range[ranges->count - 1].last = last;
		return;
	}
	ranges->range = must_have(reallocarray(ranges->range,
					       ranges->count + 1,
					       sizeof(*ranges->range)));
	ranges->range[ranges->count++] = (struct range) { first, last };
}

/* "7" or "7-12" */
static void parse_range(struct ranges *ranges, const char *text)
{
	long long first, last;
	char *end;

	errno = 0;
	first = strtoll(text, &end, 10);
	last = first;
	if (*text >= '0' && *text <= '9' && *end == '-' && end[1] >= '0' &&
	    end[1] <= '9')
		last = strtoll(end + 1, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || first < 1)
		wrong_use("'%s' is neither a number nor NUMBER-NUMBER; kerrorctl query prints them",
			  text);
	if (last < first)
		wrong_use("'%s': the second number is below the first", text);
	add_range(ranges, first, last);
}

static int found(void *context, const struct store_item *item)
{
	add_range(context, item->id, item->id);
	return 0;
}

int command_ack(int argc, char **argv)
{
	static const struct option longs[] = {
		FILTER_OPTION,
		FACILITY_OPTION,
		PRIORITY_OPTION,
		GREP_OPTION,
		GROUP_OPTION,
		{ "since", required_argument, NULL, 'S' },
		{ "until", required_argument, NULL, 'U' },
		JSON_OPTION,
		STORE_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct store_query query = { .unacknowledged = true };
	struct common common = { .usage = usage };
	struct ranges ranges = { 0 };
	int64_t acknowledged = 0;
	struct store *store;
	bool by_ids;
	int option;

	while ((option = next_option(&common, argc, argv, ":" SELECTION_SHORTS "S:U:js:h",
				     longs)) >= 0) {
		if (option == 'S')
			query.since = parse_since(optarg);
		else
			query.until = parse_time("--until", optarg);
	}
	select_stored(&query, &common);
	check_period(query.since, query.until);
	by_ids = optind < argc;
	/* "All there are" must be meant: --until=now says so. */
	if (by_ids == (query.filter || query.matches || query.groups || query.until) ||
	    (by_ids && query.since))
		wrong_use("it takes either numbers, or --until or an option that says which events; see kerrorctl ack --help");
	for (; optind < argc; optind++)
		parse_range(&ranges, argv[optind]);

	store = open_store(&common, true);
	/* First without a transaction, which would keep kerrord waiting. */
	if (!by_ids)
		check_store(store, store_query(store, &query, found, &ranges));
	check_store(store, store_begin(store));
	for (size_t i = 0; i < ranges.count; i++) {
		int64_t marked = store_acknowledge(store, ranges.range[i].first,
						   ranges.range[i].last);

		check_store(store, marked);
		acknowledged += marked;
	}
	check_store(store, store_commit(store));
	store_close(store);
	free(ranges.range);

	if (common.json) {
		struct json_object *object =
			must_have(json_object_new_object());

		json_add(object, "acknowledged", json_number(acknowledged));
		json_print(stdout, object);
	} else {
		printf("%" PRId64 " events acknowledged\n", acknowledged);
	}
	flush_output();
	return EXIT_SUCCESS;
}
