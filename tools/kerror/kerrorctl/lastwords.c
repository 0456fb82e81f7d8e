// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl lastwords: how the last boot ended that did not end well, and what came
 * before: the worst events of its last minute, then the last of all.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include "kerrorctl.h"
#include "store.h"

#define MINUTE_NS	60000000000ULL

static const char usage[] =
"Usage: kerrorctl lastwords [OPTION]...\n"
"Show how the last boot ended that did not end well, the worst events of its last\n"
"minute, the worst first, and the last events of all.\n"
"\n"
"  -n, --limit=NUMBER   of each at most so many (10)\n"
"  -t, --translate      text in the language of the environment\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
NO_PAGER_USAGE
COLOR_USAGE
HELP_USAGE;

static int print_found(void *context, const struct store_item *item)
{
	print_stored(context, item);
	return 0;
}

/* The newest of each severity up to err, by time */
static void print_worst(struct store *store, struct store_query query,
			struct stored_style *style)
{
	char text[32], message[400];
	struct kerror_filter *filter;

	for (unsigned int severity = 0; severity <= 3; severity++) {
		snprintf(text, sizeof(text), "severity==%s", kerror_severity_name(severity));
		if (kerror_filter_new(&filter, text, message, sizeof(message)))
			errx(EXIT_FAILURE, "%s", message);
		query.filter = filter;
		check_store(store, store_query(store, &query, print_found, style));
		kerror_filter_free(filter);
	}
}

/* The last boot that ended badly, or the end of the program */
static const struct store_boot *find_bad(const struct boots *boots)
{
	const struct store_boot *boot = boots->boot + boots->count;

	while (boot-- > boots->boot)
		if (!strcmp(boot->how, "panic") || !strcmp(boot->how, "cut"))
			return boot;
	errx(EXIT_FAILURE, "the store has no boot that ended badly; kerrorctl boots shows those that it has");
}

int command_lastwords(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "limit", required_argument, NULL, 'n' },
		TRANSLATE_OPTION,
		STORE_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	struct store_query query = { .limit = 10 };
	const size_t width = terminal_width();
	const struct store_boot *boot;
	struct stored_style style;
	struct store *store;
	struct boots boots;

	while (next_option(&common, argc, argv, ":n:ts:h", longs) >= 0)
		query.limit = parse_number("--limit", optarg, 1, 100000);
	no_arguments(argc, argv);
	store = open_store(&common, false);
	boots = read_boots(store, true);
	boot = find_bad(&boots);
	style = stored_style(&common, store, width, begin_pager(&common));
	printf("Boot %.*s: ", is_narrow(width) ? BOOT_PREFIX : BOOT_ID_SIZE, boot->id);
	print_end(boot);
	print_severities(boot, width ? "\n  " : "; ");
	puts("\nThe worst of its last minute:");
	query.boot_id = boot->id;
	query.since = boot->last > MINUTE_NS ? boot->last - MINUTE_NS : 0;
	print_worst(store, query, &style);
	puts("The last of all:");
	query.since = 0;
	check_store(store, store_query(store, &query, print_found, &style));
	store_close(store);
	free_boots(&boots);
	flush_output();
	return EXIT_SUCCESS;
}
