// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl watch: prints the kernel's error events as they arrive, one line
 * each, for people or as JSON.
 *
 * Promise: an event is printed once and in the order of its group, or is in
 * the number of lost ones that the last line on standard error tells. With --join, a
 * line of several events comes when it is complete.
 */
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kerrorctl.h"

static const char usage[] =
"Usage: kerrorctl watch [OPTION]...\n"
"Print the error events of the kernel as they arrive.\n"
"\n"
"  -f, --filter=FILTER  only events that match\n"
"  -F, --facility=NAME  only events of this facility; may be given several times\n"
"      --explain        tell which part of the filter the kernel does, and end\n"
"      --join           one event for a line of the kernel log, not one for each part\n"
"  -j, --json           one JSON object a line\n"
"  -t, --translate      text in the language of the environment\n"
"  -g, --group=GROUP    raw, evlog, printk or all; default: evlog and printk\n"
"  -n, --new            only what comes from now on; default: since boot\n"
"  -c, --count=NUMBER   end after so many events\n"
"  -i, --idle=MS        end when nothing came for so many milliseconds\n"
#ifdef WITH_STORE
"      --catalogue=FILE take severities from here; default: all that are installed\n"
#endif
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n"
"\n"
"Ends on SIGINT or SIGTERM. Needs CAP_SYSLOG; with CAP_NET_ADMIN it has all groups\n"
"but printk, and says so unless --group is given.\n";

struct options {
	struct common common;
	struct kerror_joiner *joiner;	/* or NULL */
	bool new_only;
	unsigned long count, idle;
};

/* How the kernel and this program share the work of the filter */
static void explain_filter(const struct common *common)
{
	const struct kerror_filter *filter;
	size_t size;
	char *text;

	if (!common->filter)
		errx(EXIT_FAILURE, "--explain needs a --filter or --facility to explain");
	use_severities(common);
	filter = widen_filter(common);
	if (!filter) {
		puts("user space: all of it, as operators have given too many events a severity");
		flush_output();
		exit(EXIT_SUCCESS);
	}
	size = kerror_filter_explain(filter, NULL, 0) + 1;
	text = must_have(malloc(size));
	kerror_filter_explain(filter, text, size);
	fputs(text, stdout);
	if (size > 1 && text[size - 2] != '\n')
		putchar('\n');
	free(text);
	if (filter != common->filter)
		puts("user space: the severity of each id that operators have given one");
	flush_output();
	exit(EXIT_SUCCESS);
}

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		FILTER_OPTION,
		FACILITY_OPTION,
#ifdef WITH_STORE
		CATALOGUE_OPTION,
#endif
		{ "explain", no_argument, NULL, OPTION_EXPLAIN },
		{ "join", no_argument, NULL, OPTION_JOIN },
		JSON_OPTION,
		TRANSLATE_OPTION,
		GROUP_OPTION,
		{ "new", no_argument, NULL, 'n' },
		{ "count", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, 'i' },
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	bool explain = false;
	int option;

	*options = (struct options) { .common.usage = usage };
	while ((option = next_option(&options->common, argc, argv,
				     ":f:F:jtg:nc:i:h", longs)) >= 0) {
		switch (option) {
		case 'F':
			want_facility(&options->common, argv[0], optarg);
			break;
		case OPTION_EXPLAIN:
			explain = true;
			break;
		case OPTION_JOIN:
			if (!options->joiner)
				options->joiner = must_have(kerror_joiner_new());
			break;
		case 'n':
			options->new_only = true;
			break;
		case 'c':
			options->count = parse_number("--count", optarg, 1,
						      ULONG_MAX);
			break;
		case 'i':
			options->idle = parse_number("--idle", optarg, 1,
						     ULONG_MAX);
			break;
		}
	}
	no_arguments(argc, argv);
	if (explain)
		explain_filter(&options->common);
}

/* How long to wait for the kernel's last answers before the summary. */
#define LAST_ANSWERS_MS 5000

/* Whether it was printed */
static bool show(const struct common *common, const struct kerror_event *event)
{
	if (!is_wanted(common, event))
		return false;
	(common->json ? print_event_json : print_event)(stdout, &common->style, event);
	return true;
}

/* Prints what a joiner has complete; how many events. */
static uint64_t show_joined(const struct options *options, uint64_t now)
{
	struct kerror_event *event;
	uint64_t count = 0;

	while (options->joiner && (event = kerror_joiner_next(options->joiner, now))) {
		count += show(&options->common, event);
		kerror_event_free(event);
	}
	return count;
}

/* How many there are; an old kernel may lack one. */
static unsigned int groups(const struct kerror_reader *reader)
{
	return __builtin_popcount(kerror_reader_groups(reader));
}

static void run(const struct options *options, struct kerror_socket *sock,
		struct kerror_reader *reader)
{
	const struct common *common = &options->common;
	unsigned int answers = 0;
	uint64_t last = now_ms(), deadline = 0;
	uint64_t lost[KERROR_CAUSES + 1] = { 0 };	/* the last: unknown ones */
	uint64_t count = 0;
	bool flushed = true, ending = false, stop = false;
	const int wait = options->joiner ? KERROR_JOIN_MS : 200;

	block_signals();
	for (;;) {
		uint64_t before = count;
		bool shown = false;
		/* What is there goes out before this waits for more. */
		enum kerror_item item = next_item(sock, reader, flushed ? wait : 0, &stop);

		switch (item) {
		case KERROR_ITEM_EVENT:
			if (!options->joiner ||
			    kerror_joiner_add(options->joiner, event_of(reader), now_ms()))
				count += show(common, event_of(reader));
			break;
		case KERROR_ITEM_LOSS: {
			const struct kerror_loss *loss =
				kerror_reader_loss(reader);

			lost[loss->cause < KERROR_CAUSES ?
			     loss->cause : KERROR_CAUSES] += loss->count;
			(common->json ? print_loss_json : print_loss)
				(stdout, &common->style, loss);
			shown = true;
			break;
		}
		case KERROR_ITEM_STATISTICS:
			answers++;
			break;
		case KERROR_ITEM_ERROR:
			fprintf(stderr, "kerrorctl: the kernel answered: %s\n",
				strerror(-kerror_reader_error(reader)));
			break;
		default:
			break;
		}
		count += show_joined(options, now_ms());
		shown |= count > before;
		if (shown) {
			last = now_ms();
			flushed = false;
		} else if (!flushed) {
			flush_output();
			flushed = true;
		}

		if (!ending &&
		    (stop ||
		     (options->idle && now_ms() - last >= options->idle &&
		      !kerror_reader_replaying(reader)))) {
			/* The counters tell of losses not yet announced. */
			kerror_reader_want_statistics(reader);
			ending = true;
			deadline = now_ms() + LAST_ANSWERS_MS;
		}
		if (options->count && count >= options->count)
			break;
		if (ending && item == KERROR_ITEM_NONE &&
		    ((answers >= groups(reader) &&
		      !kerror_reader_replaying(reader)) ||
		     now_ms() >= deadline))
			break;
	}
	show_joined(options, UINT64_MAX);
	flush_output();
	print_summary(stderr, "kerrorctl", kerror_reader_received(reader),
		      kerror_reader_lost(reader), lost);
	if (ending && answers < groups(reader))
		errx(EXIT_FAILURE,
		     "the kernel did not answer the last request; more events may be lost");
}

int command_watch(int argc, char **argv)
{
	struct kerror_reader *reader;
	struct kerror_socket *sock;
	struct options options;

	parse_options(&options, argc, argv);
	sock = listen_to(&options.common);
	reader = read_from(options.common.groups);
	use_severities(&options.common);
	filter_in_kernel(sock, reader, &options.common);
	if (!options.new_only)
		kerror_reader_from_boot(reader);
	run(&options, sock, reader);
	kerror_joiner_free(options.joiner);
	kerror_reader_free(reader);
	kerror_socket_close(sock);
	return EXIT_SUCCESS;
}
