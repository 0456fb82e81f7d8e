// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl fleet: the machines of which a store has events, with what their last
 * heartbeat said and what is missing of them.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "store.h"

enum { OPTION_FORGET = OPTION_FIRST_OWN };

static const char usage[] =
"Usage: kerrorctl fleet [OPTION]...\n"
"   or: kerrorctl fleet [OPTION]... --forget=MACHINE\n"
"Show the machines of a collector's store, those that are silent first: when the last\n"
"heartbeat arrived, how many events the store does not have yet (LAG), how many are lost,\n"
"how many conditions last, and the kernel. A machine without heartbeats is there, too.\n"
"\n"
"      --forget=MACHINE the machine with that id, or that name, is no more: show it no\n"
"                       longer, and clear its conditions, until its next heartbeat\n"
"  -j, --json           one JSON object a line\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
NO_PAGER_USAGE
COLOR_USAGE
HELP_USAGE;

static void print_json(const struct store_machine *machine)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("machine"));
	json_add(object, "machine", json_string(machine->machine));
	json_add(object, "host", json_string(machine->host));
	json_add(object, "release", json_string(machine->release));
	json_add(object, "boot_id", json_string(machine->boot_id));
	if (machine->heard) {
		json_add(object, "heartbeat", json_number(machine->heard));
		json_add(object, "interval", json_number(machine->interval));
		json_add(object, "behind", json_object_new_boolean(machine->behind));
	}
	json_add(object, "silent", json_object_new_boolean(machine->silent));
	json_add(object, "lag", json_number(machine->lag));
	json_add(object, "lost", json_number(machine->lost));
	json_add(object, "collapsed", json_number(machine->collapsed));
	json_add(object, "conditions", json_number(machine->conditions));
	json_print(stdout, object);
}

static void show(void *context, const struct store_machine *machine)
{
	const struct common *common = context;
	const char *name = *machine->host ? machine->host : machine->machine;

	if (common->json) {
		print_json(machine);
		return;
	}
	fputs(color_begin(&common->style, machine->silent ? LOG_ERR : LOG_NOTICE), stdout);
	print_printable(stdout, name, strlen(name));
	printf("%*s  ", strlen(name) < 20 ? 20 - (int)strlen(name) : 0, "");
	if (machine->heard)
		print_time(stdout, machine->heard);
	else
		printf("%-19s", "-");
	printf("  %7" PRIu64 "  %7" PRIu64 "  %10" PRIu64 "  ", machine->lag, machine->lost,
	       machine->conditions);
	print_printable(stdout, machine->release, strlen(machine->release));
	printf("%s%s\n", machine->silent ? "; silent" : machine->behind ? "; behind" : "",
	       color_end(&common->style));
}

/* Its events stay, and what tells those that come again from new ones. */
static void forget(const struct common *common, const char *name)
{
	struct store *store = open_store(common, true);
	int count;

	check_store(store, store_begin(store));
	count = store_forget(store, name);
	check_store(store, count);
	check_store(store, store_commit(store));
	store_close(store);
	if (!count)
		errx(EXIT_FAILURE, "no machine has the id or name '%s'; kerrorctl fleet shows them",
		     name);
	if (count > 1)
		errx(EXIT_FAILURE, "several machines have the name '%s'; give the id, which kerrorctl fleet --json shows",
		     name);
	printf("%s forgotten\n", name);
	flush_output();
}

int command_fleet(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "forget", required_argument, NULL, OPTION_FORGET },
		JSON_OPTION,
		STORE_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	const char *name = NULL;
	struct store *store;

	while (next_option(&common, argc, argv, ":js:h", longs) >= 0)
		name = optarg;
	no_arguments(argc, argv);
	if (name && common.json)
		wrong_use("--forget tells nothing in JSON; leave out --json");
	if (name) {
		forget(&common, name);
		return EXIT_SUCCESS;
	}
	store = open_store(&common, false);
	begin_pager(&common);
	if (!common.json)
		printf("%s%-20s  %-19s  %7s  %7s  %10s  %s%s\n",
		       color_begin(&common.style, LOG_INFO), "HOST", "HEARTBEAT", "LAG", "LOST",
		       "CONDITIONS", "KERNEL", color_end(&common.style));
	check_store(store, store_fleet(store, show, &common));
	store_close(store);
	flush_output();
	return EXIT_SUCCESS;
}
