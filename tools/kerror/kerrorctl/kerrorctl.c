// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl: what an operator does with the kernel's error events. Finds the
 * command and hands the rest of the line to it. See kerrorctl(1).
 */
#include <stdlib.h>
#include <string.h>
#include "kerrorctl.h"
#include "kerror_paths.h"

static int command_help(int argc, char **argv);

/* @old: a name that the command had, for scripts that use it */
static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary, *old;
} commands[] = {
	{ "watch", command_watch, "show events as they arrive", NULL },
#ifdef WITH_STORE
	{ "query", command_query, "find or count events that kerrord has stored", NULL },
	{ "boots", command_boots, "show boots, and how each ended", NULL },
	{ "lastwords", command_lastwords, "show what came before the last bad end", NULL },
	{ "show", command_show, "tell all that is known of one stored event", NULL },
	{ "report", command_report, "tell what happened, as a page, too", NULL },
	{ "ack", command_ack, "acknowledge stored events", NULL },
	{ "health", command_health, "show what is wrong now, and what to do", NULL },
	{ "clear", command_clear, "say that what is wrong has been mended", NULL },
	{ "fleet", command_fleet, "show the machines of a collector's store", NULL },
	{ "top", command_top, "show the most frequent events, again and again", NULL },
	{ "stats", command_stats, "show the counters of the kernel and of kerrord", NULL },
	{ "rules", command_rules, "show what kerrord's rules have done and what waits", NULL },
	{ "explain", command_explain, "tell what an event means and what to do", NULL },
	{ "formats", command_formats, "list the events that a kernel can raise", "catalog" },
	{ "check-rules", command_check_rules, "find rules that match no event any more", NULL },
	{ "selftest", command_selftest, "find out which part does not work", NULL },
	{ "send", command_send, "have the kernel raise a test event", NULL },
#endif
	{ "help", command_help, "tell of the commands, or of the options of one", NULL },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct command *find_command(const char *name)
{
	struct likely likely = { .wanted = name };

	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(name, commands[i].name) ||
		    (commands[i].old && !strcmp(name, commands[i].old)))
			return &commands[i];
		likely_add(&likely, commands[i].name);
	}
	wrong_use("there is no command '%s'%s; see kerrorctl help", name,
		  did_you_mean(&likely, ""));
}

static void print_usage(void)
{
	puts("Usage: kerrorctl COMMAND [OPTION]...\n"
	     "The error events of the kernel (NETLINK_KERROR).\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-12s %s\n", commands[i].name, commands[i].summary);
	puts("\nkerrorctl COMMAND --help tells of its options, kerrorctl --version of this\n"
	     "program; see kerrorctl(1).");
}

static int command_help(int argc, char **argv)
{
	static const struct option longs[] = { HELP_OPTION, LAST_OPTION };
	struct common common = {
		.usage = "Usage: kerrorctl help [COMMAND]\n"
			 "Tell of the commands, or of the options of one.\n",
	};

	while (next_option(&common, argc, argv, ":h", longs) >= 0)
		;
	if (optind < argc) {
		const struct command *command = find_command(argv[optind++]);

		no_arguments(argc, argv);
		/* Its usage is where it parses its options; getopt begins anew. */
		optind = 0;
		return command->run(2, (char *[]) { (char *)command->name, "--help", NULL });
	}
	print_usage();
	flush_output();
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		wrong_use("no command; see kerrorctl help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return command_help(1, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("kerrorctl " KERROR_VERSION);
		flush_output();
		return EXIT_SUCCESS;
	}
	return find_command(argv[1])->run(argc - 1, argv + 1);
}
