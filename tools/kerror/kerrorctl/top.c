// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl top: which events come most often right now, by format and device,
 * straight from the kernel. On a terminal each screen replaces the one before;
 * elsewhere they follow one another.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tally.h"

static const char usage[] =
"Usage: kerrorctl top [OPTION]...\n"
"Show the events that come most often, by format and device, from now on.\n"
"\n"
"  -i, --interval=SECONDS  between two screens; default: 2\n"
"  -c, --count=NUMBER   end after so many screens\n"
"  -n, --limit=NUMBER   rows; default: as many as the terminal has, or 20\n"
SELECTION_USAGE
"  -g, --group=GROUP    raw, evlog, printk or all; default: evlog and printk\n"
"  -j, --json           one JSON object a line and row\n"
COLOR_USAGE
EXPLANATIONS_USAGE
HELP_USAGE
"\n"
"Ends on SIGINT or SIGTERM. Needs CAP_SYSLOG; with CAP_NET_ADMIN it has all groups\n"
"but printk, and says so unless --group is given.\n";

/* The alternate screen, in which the terminal cuts long lines; and back */
#define SCREEN_BEGIN	"\033[?1049h\033[?7l"
#define SCREEN_END	"\033[?7h\033[?1049l"
#define SCREEN_CLEAR	"\033[H\033[2J"

#define ROWS_ELSEWHERE 20

struct options {
	struct common common;
	unsigned long interval, count, rows;
	bool live;
};

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "limit", required_argument, NULL, 'n' },
		FILTER_OPTION,
		FACILITY_OPTION,
		PRIORITY_OPTION,
		GREP_OPTION,
		GROUP_OPTION,
		EXPLANATIONS_OPTION,
		CATALOGUE_OPTION,
		JSON_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	int option;

	*options = (struct options) {
		.common.usage = usage, .interval = 2,
	};
	while ((option = next_option(&options->common, argc, argv,
				     ":i:c:n:" SELECTION_SHORTS "jh", longs)) >= 0) {
		switch (option) {
		case 'i':
			options->interval = parse_number("--interval", optarg,
							 1, 86400);
			break;
		case 'c':
			options->count = parse_number("--count", optarg, 1,
						      ULONG_MAX);
			break;
		case 'n':
			options->rows = parse_number("--limit", optarg, 1,
						     ULONG_MAX);
			break;
		}
	}
	no_arguments(argc, argv);
	options->live = !options->common.json && isatty(STDOUT_FILENO);
}

static size_t rows(const struct options *options)
{
	struct winsize size;

	if (options->rows || options->common.json)
		return options->rows;
	/* The two lines above them, and one below */
	if (!options->live || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ||
	    size.ws_row < 5)
		return ROWS_ELSEWHERE;
	return size.ws_row - 3;
}

static void show(const struct options *options, struct tally *tally,
		 const struct kerror_reader *reader, double seconds)
{
	tally_sort(tally);
	if (options->common.json) {
		tally_print_json(tally, rows(options), seconds);
	} else {
		if (options->live)
			fputs(SCREEN_CLEAR, stdout);
		printf("%" PRIu64 " events received, %" PRIu64 " lost\n",
		       kerror_reader_received(reader),
		       kerror_reader_lost(reader));
		tally_print(tally, &options->common.style, rows(options),
			    seconds);
		if (!options->live)
			putchar('\n');
	}
	flush_output();
	for (size_t i = 0; i < tally->size; i++)
		tally->entries[i]->fresh = 0;
}

static void run(const struct options *options, struct kerror_socket *sock,
		struct kerror_reader *reader)
{
	struct tally tally = { .keys = parse_keys("facility,device,event") };
	uint64_t shown = now_ms(), due = shown + options->interval * 1000;
	unsigned long screens = 0;
	bool stop = false;

	block_signals();
	while (!stop) {
		uint64_t now = now_ms();
		enum kerror_item item;

		if (now >= due) {
			show(options, &tally, reader, (now - shown) / 1000.0);
			if (++screens == options->count)
				return;
			shown = now;
			due = now + options->interval * 1000;
		}
		/* Not longer than somebody who pressed ^C wants to wait */
		item = next_item(sock, reader,
				 due - now < 200 ? due - now : 200, &stop);
		if (item == KERROR_ITEM_EVENT &&
		    is_wanted(&options->common, event_of(reader)))
			tally_add(&tally, event_of(reader),
				  now_ns());
	}
}

static void leave_screen(void)
{
	fputs(SCREEN_END, stdout);
}

int command_top(int argc, char **argv)
{
	struct kerror_reader *reader;
	struct kerror_socket *sock;
	struct options options;

	parse_options(&options, argc, argv);
	sock = listen_to(&options.common);
	reader = read_from(options.common.groups);
	use_severities(&options.common);
	filter_in_kernel(sock, reader, &options.common);
	if (options.live) {
		fputs(SCREEN_BEGIN, stdout);
		/* However this ends */
		atexit(leave_screen);
	}
	run(&options, sock, reader);
	kerror_reader_free(reader);
	kerror_socket_close(sock);
	return EXIT_SUCCESS;
}
