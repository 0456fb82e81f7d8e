// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl health and clear: the conditions that the rules of kerrord have raised,
 * out of the store. kerrord reports what clear has changed within a second.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "store.h"

/* Of kerrorctl health: something is wrong, and no program has failed. */
#define STATUS_UNHEALTHY 3

enum { OPTION_ALL = OPTION_FIRST_OWN };

struct health {
	struct common common;
	char **names;		/* or keys */
	bool all;
	size_t width;		/* of the terminal, or 0 */
	size_t last;		/* how many conditions do */
};

/* ---- health ---- */

static const char health_usage[] =
"Usage: kerrorctl health [OPTION]... [CONDITION|KEY]...\n"
"Show what is wrong now, the worst first: since when, how often, and what to do; or\n"
"only the conditions of these names, or of these parts of the machine, such as sdb.\n"
"Status 0: nothing is wrong; 3: something is.\n"
"\n"
"      --all            what was cleared, too\n"
"  -j, --json           one JSON object a line\n"
NO_PAGER_USAGE
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"  -h, --help           this text\n";

static void print_text(const char *before, const char *text, size_t width)
{
	if (!*text)
		return;
	fputs(before, stdout);
	print_folded(text, strlen(text), strlen(before), width);
}

static void print_condition(const struct print_style *style,
			    const struct condition *condition, size_t width)
{
	fputs(color_begin(style, condition->cleared ? LOG_INFO : condition->severity), stdout);
	printf("%s ", kerror_severity_name(condition->severity));
	print_printable(stdout, condition->name, strlen(condition->name));
	if (*condition->key)
		putchar(' ');
	print_printable(stdout, condition->key, strlen(condition->key));
	printf("%s, %" PRIu64 " event%s\n  since:   ", color_end(style), condition->count,
	       condition->count == 1 ? "" : "s");
	print_time(stdout, condition->since);
	if (condition->count > 1) {
		fputs(", the last ", stdout);
		print_time(stdout, condition->last);
	}
	if (condition->cleared) {
		fputs("\n  cleared: ", stdout);
		print_time(stdout, condition->cleared);
		fputs(" by ", stdout);
		print_printable(stdout, condition->cleared_by, strlen(condition->cleared_by));
	}
	putchar('\n');
	print_text("  event:   ", condition->text, width);
	print_text("  in it:   ", condition->found, width);
	print_text("  meaning: ", condition->meaning, width);
	print_text("  remedy:  ", condition->remedy, width);
}

struct json_object *condition_json(const struct condition *condition)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("condition"));
	json_add(object, "name", json_string(condition->name));
	json_add(object, "key", json_string(condition->key));
	json_add(object, "raised", json_object_new_boolean(!condition->cleared));
	json_add(object, "severity", json_string(kerror_severity_name(condition->severity)));
	json_add(object, "since", json_number(condition->since));
	json_add(object, "last", json_number(condition->last));
	json_add(object, "count", json_number(condition->count));
	if (condition->cleared) {
		json_add(object, "cleared", json_number(condition->cleared));
		json_add(object, "cleared_by", json_string(condition->cleared_by));
	}
	json_add(object, "rule", json_string(condition->rule));
	json_add(object, "text", json_string(condition->text));
	if (*condition->found)
		json_add(object, "found_in_text", json_tokener_parse(condition->found));
	json_add(object, "meaning", json_string(condition->meaning));
	json_add(object, "remedy", json_string(condition->remedy));
	return object;
}

/* "eth0" is one of "bond0 eth0", and so are both. */
static bool has_words(const char *key, const char *words)
{
	const size_t size = strlen(words);
	const char *at = key;

	while (size && (at = strstr(at, words))) {
		if ((at == key || at[-1] == ' ') && (!at[size] || at[size] == ' '))
			return true;
		at++;
	}
	return false;
}

static bool is_asked_for(const struct health *health, const struct condition *condition)
{
	char **at = health->names;

	while (*at && strcmp(*at, condition->name) && !has_words(condition->key, *at))
		at++;
	return *at || !*health->names;
}

static void show(void *context, const struct condition *condition)
{
	struct health *health = context;

	if (!is_asked_for(health, condition) ||
	    (condition->cleared && !health->all))
		return;
	health->last += !condition->cleared;
	if (health->common.json)
		json_print(stdout, condition_json(condition));
	else
		print_condition(&health->common.style, condition, health->width);
}

int command_health(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "all", no_argument, NULL, OPTION_ALL },
		JSON_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		STORE_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct health health = { .common.usage = health_usage };
	struct store *store;

	while (next_option(&health.common, argc, argv, ":js:h", longs) >= 0)
		health.all = true;
	health.names = argv + optind;
	health.width = terminal_width();
	store = open_store(&health.common, false);
	begin_pager(&health.common);
	check_store(store, store_conditions(store, show, &health));
	store_close(store);
	flush_output();
	return health.last ? STATUS_UNHEALTHY : EXIT_SUCCESS;
}

/* ---- clear ---- */

static const char clear_usage[] =
"Usage: kerrorctl clear [OPTION]... CONDITION [KEY]\n"
"Clear a condition that kerrorctl health shows: of one key, or of all.\n"
"\n"
"  -j, --json           tell the number of conditions as JSON\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"  -h, --help           this text\n";

int command_clear(int argc, char **argv)
{
	static const struct option longs[] = {
		JSON_OPTION,
		STORE_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = clear_usage };
	const char *name, *key = NULL;
	struct store *store;
	int64_t cleared;

	while (next_option(&common, argc, argv, ":js:h", longs) >= 0)
		;
	if (optind == argc)
		wrong_use("no condition to clear; kerrorctl health shows them");
	name = argv[optind++];
	if (optind < argc)
		key = argv[optind++];
	no_arguments(argc, argv);
	store = open_store(&common, true);
	check_store(store, store_begin(store));
	cleared = store_clear(store, name, key, "operator", now_ns());
	check_store(store, cleared);
	check_store(store, store_commit(store));
	store_close(store);
	if (!cleared)
		errx(EXIT_FAILURE, "no condition %s%s%s lasts; kerrorctl health shows those that do",
		     name, key ? " " : "", key ? key : "");
	if (common.json) {
		struct json_object *object = must_have(json_object_new_object());

		json_add(object, "cleared", json_number(cleared));
		json_print(stdout, object);
	} else {
		printf("%" PRId64 " condition%s cleared\n", cleared, cleared == 1 ? "" : "s");
	}
	flush_output();
	return EXIT_SUCCESS;
}
