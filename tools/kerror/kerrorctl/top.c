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
"On a terminal, q ends it, and / takes a filter, or a word of the text.\n"
"Ends on SIGINT or SIGTERM. Needs CAP_SYSLOG; with CAP_NET_ADMIN it has all groups\n"
"but printk, and says so unless --group is given.\n";

/* The alternate screen, in which the terminal cuts long lines, without a cursor; and back */
#define SCREEN_BEGIN	"\033[?1049h\033[?7l\033[?25l\033[2J"
#define SCREEN_END	"\033[?25h\033[?7h\033[?1049l"

#define ROWS_ELSEWHERE 20

/* Not longer than somebody who pressed a key wants to wait */
#define KEYS_MS 100

struct options {
	struct common common;
	unsigned long interval, count, rows;
	bool live;
};

/**
 * struct top - what is on the screen
 * @options: of the command line
 * @reader: where the events are from
 * @tally: what they are
 * @keys: what was typed
 * @seconds: of the last screen that was due
 * @size: of the terminal when it was written
 */
struct top {
	struct options *options;
	struct kerror_reader *reader;
	struct tally tally;
	struct keys keys;
	double seconds;
	struct winsize size;
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

static size_t rows(const struct top *top)
{
	const struct options *options = top->options;

	if (options->rows || options->common.json)
		return options->rows;
	/* The two lines above them, and two below */
	return options->live && top->size.ws_row > 5 ? top->size.ws_row - 4U : ROWS_ELSEWHERE;
}

static void print_table(FILE *file, const struct top *top)
{
	fprintf(file, "%" PRIu64 " events received, %" PRIu64 " lost\n",
		kerror_reader_received(top->reader), kerror_reader_lost(top->reader));
	tally_print(file, &top->tally, &top->options->common.style, rows(top), top->seconds);
}

/* The last line: what can be typed, or what is being typed */
static void print_prompt(FILE *screen, const struct top *top)
{
	const struct keys *keys = &top->keys;

	fprintf(screen, "\033[%d;1H\033[K", top->size.ws_row ? top->size.ws_row : 24);
	if (keys->typing)
		fprintf(screen, "filter: %s_", keys->line);
	else if (*keys->message)
		fprintf(screen, "%s", keys->message);
	else
		fprintf(screen, "q: quit  /: filter%s%s", *keys->used ? ", now " : "",
			keys->used);
}

/*
 * Writes over the screen before, each line to its end, in one go: so that nothing is
 * seen to vanish and come again.
 */
static void show_live(struct top *top)
{
	char *text = NULL, *made = NULL;
	size_t size, made_size;
	FILE *table, *screen;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &top->size);
	top->tally.narrow = is_narrow(top->size.ws_col);
	table = must_have(open_memstream(&text, &size));
	print_table(table, top);
	must_have(fclose(table) ? NULL : text);
	screen = must_have(open_memstream(&made, &made_size));
	fputs("\033[H", screen);
	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			fputs("\033[K", screen);
		fputc(*at, screen);
	}
	fputs("\033[J", screen);
	print_prompt(screen, top);
	must_have(fclose(screen) ? NULL : made);
	fwrite(made, 1, made_size, stdout);
	free(text);
	free(made);
}

static void show(struct top *top)
{
	tally_sort(&top->tally);
	if (top->options->common.json) {
		tally_print_json(&top->tally, rows(top), top->seconds);
	} else if (top->options->live) {
		show_live(top);
	} else {
		print_table(stdout, top);
		putchar('\n');
	}
	flush_output();
}

static bool was_resized(const struct top *top)
{
	struct winsize size;

	return top->options->live && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
	       (size.ws_row != top->size.ws_row || size.ws_col != top->size.ws_col);
}

/* Returns false if the program is to end. */
static bool look_at_keys(struct top *top)
{
	enum key key = next_key(&top->keys);

	if (key == KEY_FILTER && use_live_filter(&top->options->common, &top->keys))
		tally_clear(&top->tally);
	if (key != KEY_NONE || was_resized(top))
		show(top);
	return key != KEY_QUIT;
}

static void run(struct top *top, struct kerror_socket *sock)
{
	const struct options *options = top->options;
	uint64_t shown = now_ms(), due = shown + options->interval * 1000;
	uint64_t keys_due = shown;
	unsigned long screens = 0;
	bool stop = false;

	block_signals();
	while (!stop) {
		uint64_t now = now_ms();
		enum kerror_item item;

		/* In a flood, too */
		if (options->live && now >= keys_due) {
			stop = !look_at_keys(top);
			keys_due = now + KEYS_MS;
		}
		if (now >= due) {
			top->seconds = (now - shown) / 1000.0;
			show(top);
			for (size_t i = 0; i < top->tally.size; i++)
				top->tally.entries[i]->fresh = 0;
			if (++screens == options->count)
				return;
			shown = now;
			due = now + options->interval * 1000;
		}
		item = next_item(sock, top->reader, due - now < KEYS_MS ? due - now : KEYS_MS, &stop);
		if (item == KERROR_ITEM_EVENT &&
		    is_wanted(&options->common, event_of(top->reader)))
			tally_add(&top->tally, event_of(top->reader), now_ns());
	}
}

static void leave_screen(void)
{
	fputs(SCREEN_END, stdout);
}

int command_top(int argc, char **argv)
{
	struct options options;
	struct top top = {
		.options = &options, .tally.keys = parse_keys("facility,device,event"),
	};
	struct kerror_socket *sock;

	parse_options(&options, argc, argv);
	top.seconds = options.interval;
	sock = listen_to(&options.common);
	top.reader = read_from(options.common.groups);
	use_severities(&options.common);
	filter_in_kernel(sock, top.reader, &options.common);
	if (options.live) {
		fputs(SCREEN_BEGIN, stdout);
		/* However this ends */
		atexit(leave_screen);
		begin_keys(&top.keys);
		show(&top);
	}
	run(&top, sock);
	kerror_reader_free(top.reader);
	kerror_socket_close(sock);
	return EXIT_SUCCESS;
}
