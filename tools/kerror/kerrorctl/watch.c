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
SELECTION_USAGE
"  -g, --group=GROUP    raw, evlog, printk or all; default: evlog and printk\n"
"      --explain        tell which part of the filter the kernel does, and end\n"
"      --join           one event for a line of the kernel log, not one for each part\n"
"  -n, --limit=NUMBER   of what the kernel still has only the newest, then what comes\n"
"      --new            only what comes from now on; default: since boot\n"
"  -c, --count=NUMBER   end after so many events\n"
"      --idle=MS        end when nothing came for so many milliseconds\n"
OUTPUT_USAGE
"  -t, --translate      text in the language of the environment\n"
COLOR_USAGE
#ifdef WITH_STORE
EXPLANATIONS_USAGE
#endif
HELP_USAGE
"\n"
"On a terminal, q ends it, and / takes a filter, or a word of the text.\n"
"Ends on SIGINT or SIGTERM. Needs CAP_SYSLOG; with CAP_NET_ADMIN it has all groups\n"
"but printk, and says so unless --group is given.\n";

enum { OPTION_NEW = OPTION_FIRST_OWN, OPTION_IDLE, OPTION_JOIN };

struct options {
	struct common common;
	struct kerror_joiner *joiner;	/* or NULL */
	bool new_only;
	unsigned long limit, count, idle;
};

/* How the kernel and this program share the work of the filter */
static void explain_filter(const struct common *common)
{
	const struct kerror_filter *filter;
	size_t size;
	char *text;

	if (!common->filter)
		wrong_use("--explain needs an option that says which events to explain");
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
		PRIORITY_OPTION,
		GREP_OPTION,
		GROUP_OPTION,
#ifdef WITH_STORE
		EXPLANATIONS_OPTION,
		CATALOGUE_OPTION,
#endif
		{ "explain", no_argument, NULL, OPTION_EXPLAIN },
		{ "join", no_argument, NULL, OPTION_JOIN },
		OUTPUT_OPTION,
		JSON_OPTION,
		TRANSLATE_OPTION,
		{ "limit", required_argument, NULL, 'n' },
		{ "new", no_argument, NULL, OPTION_NEW },
		{ "count", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, OPTION_IDLE },
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	bool explain = false;
	int option;

	*options = (struct options) { .common.usage = usage };
	while ((option = next_option(&options->common, argc, argv,
				     ":" SELECTION_SHORTS "n:c:o:jth", longs)) >= 0) {
		switch (option) {
		case OPTION_EXPLAIN:
			explain = true;
			break;
		case OPTION_JOIN:
			if (!options->joiner)
				options->joiner = must_have(kerror_joiner_new());
			break;
		case OPTION_NEW:
			options->new_only = true;
			break;
		case 'n':
			options->limit = parse_number("--limit", optarg, 1, 100000);
			break;
		case 'c':
			options->count = parse_number("--count", optarg, 1,
						      ULONG_MAX);
			break;
		case OPTION_IDLE:
			options->idle = parse_number("--idle", optarg, 1,
						     ULONG_MAX);
			break;
		}
	}
	no_arguments(argc, argv);
	if (explain)
		explain_filter(&options->common);
}

/* Not longer than somebody who pressed a key wants to wait */
#define KEYS_MS 100

/* How long one look at the socket waits */
#define WAIT_MS 200

/* How long to wait for the kernel's last answers before the summary. */
#define LAST_ANSWERS_MS 5000

/**
 * struct watch - what was seen
 * @options: of the command line
 * @reader: where it is from
 * @held: of --limit
 * @count: events that were printed
 * @lost: by cause; the last: unknown ones
 * @answers: of the kernel, to the last request
 * @last: when something was printed, of now_ms()
 * @deadline: when the kernel should have answered, or 0: it was not asked
 * @keys: what was typed
 */
struct watch {
	struct options *options;
	struct kerror_reader *reader;
	struct held held;
	uint64_t count, lost[KERROR_CAUSES + 1];
	unsigned int answers;
	uint64_t last, deadline;
	struct keys keys;
};

/* How many there are; an old kernel may lack one. */
static unsigned int groups(const struct kerror_reader *reader)
{
	return __builtin_popcount(kerror_reader_groups(reader));
}

/* Puts an event in the place of the line that is being typed. */
static void clear_prompt(const struct watch *watch)
{
	if (watch->keys.typing)
		fputs("\r\033[K", stdout);
}

static void show_prompt(const struct watch *watch)
{
	if (watch->keys.typing)
		printf("\r\033[Kfilter: %s", watch->keys.line);
}

static void show_event(void *context, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct watch *watch = context;
	const struct common *common = &watch->options->common;
	const size_t width = terminal_width();

	/* More than that may have been held. */
	if (watch->options->count && watch->count >= watch->options->count)
		return;
	clear_prompt(watch);
	if (common->json)
		print_event_json(stdout, &common->style, event);
	else if (common->output == OUTPUT_VERBOSE)
		print_event(stdout, &common->style, event);
	else
		print_short(stdout, &common->style, fitting_output(common->output, width), event,
			    header ? header->time_realtime : now_ns(), width);
	watch->count++;
}

static void show_loss(struct watch *watch, const struct kerror_loss *loss)
{
	const struct common *common = &watch->options->common;

	watch->lost[loss->cause < KERROR_CAUSES ? loss->cause : KERROR_CAUSES] +=
		loss->count;
	(common->json ? print_loss_json : print_loss)(stdout, &common->style, loss);
}

/* False if it is not wanted. */
static bool show_wanted(struct watch *watch, const struct kerror_event *event)
{
	if (!is_wanted(&watch->options->common, event))
		return false;
	if (watch->held.limit)
		hold_event(&watch->held, event);
	else
		show_event(watch, event);
	return true;
}

/* Lines that a joiner has complete */
static bool show_joined(struct watch *watch, uint64_t now)
{
	struct kerror_joiner *joiner = watch->options->joiner;
	struct kerror_event *event;
	bool shown = false;

	while (joiner && (event = kerror_joiner_next(joiner, now))) {
		shown |= show_wanted(watch, event);
		kerror_event_free(event);
	}
	return shown;
}

/* False if there is nothing to be seen of it. */
static bool show_item(struct watch *watch, enum kerror_item item)
{
	struct kerror_joiner *joiner = watch->options->joiner;
	const struct kerror_event *event;

	switch (item) {
	case KERROR_ITEM_EVENT:
		event = event_of(watch->reader);
		if (joiner && !kerror_joiner_add(joiner, event, now_ms()))
			return false;
		return show_wanted(watch, event);
	case KERROR_ITEM_LOSS:
		show_loss(watch, kerror_reader_loss(watch->reader));
		return true;
	case KERROR_ITEM_STATISTICS:
		watch->answers++;
		return false;
	case KERROR_ITEM_ERROR:
		fprintf(stderr, "kerrorctl: the kernel answered: %s\n",
			strerror(-kerror_reader_error(watch->reader)));
		return false;
	default:
		return false;
	}
}

/* Asks the kernel for its counters if it is time to end: they tell of losses. */
static void ask_at_end(struct watch *watch, bool stop)
{
	unsigned long idle = watch->options->idle;

	if (watch->deadline)
		return;
	if (stop || (idle && now_ms() - watch->last >= idle &&
		     !kerror_reader_replaying(watch->reader))) {
		kerror_reader_want_statistics(watch->reader);
		watch->deadline = now_ms() + LAST_ANSWERS_MS;
	}
}

/* The line that is being typed is below the events; false: the program is to end. */
static bool look_at_keys(struct watch *watch)
{
	struct keys *keys = &watch->keys;
	enum key key = next_key(keys);

	if (key == KEY_NONE)
		return true;
	fputs("\r\033[K", stdout);
	if (key == KEY_FILTER && !use_live_filter(&watch->options->common, keys))
		printf("-- %s\n", keys->message);
	else if (key == KEY_FILTER)
		printf("-- filter: %s\n", *keys->used ? keys->used : "none");
	show_prompt(watch);
	flush_output();
	return key != KEY_QUIT;
}

static bool is_answered(const struct watch *watch)
{
	return watch->answers >= groups(watch->reader) &&
	       !kerror_reader_replaying(watch->reader);
}

static void run(struct watch *watch, struct kerror_socket *sock)
{
	const unsigned long count = watch->options->count;
	bool flushed = true, stop = false, shown;
	uint64_t keys_due = 0;
	enum kerror_item item;

	block_signals();
	do {
		/* Events that are there go out before this waits for more. */
		item = next_item(sock, watch->reader, flushed ? WAIT_MS : 0, &stop);
		shown = show_item(watch, item);
		/* While there is more to read, a line may go on. */
		shown |= show_joined(watch, item == KERROR_ITEM_NONE ? now_ms() : 0);
		if (shown) {
			watch->last = now_ms();
			flushed = false;
		} else if (!flushed) {
			show_prompt(watch);
			flush_output();
			flushed = true;
		}
		if (watch->held.limit && !kerror_reader_replaying(watch->reader)) {
			release_held(&watch->held, show_event, watch);
			flushed = false;
		}
		if (watch->keys.on && !watch->deadline && now_ms() >= keys_due) {
			stop = stop || !look_at_keys(watch);
			keys_due = now_ms() + KEYS_MS;
		}
		ask_at_end(watch, stop);
	} while (!(count && watch->count >= count) &&
		 !(watch->deadline && item == KERROR_ITEM_NONE &&
		   (is_answered(watch) || now_ms() >= watch->deadline)));
	show_joined(watch, UINT64_MAX);
	release_held(&watch->held, show_event, watch);
	flush_output();
	print_summary(stderr, "kerrorctl", kerror_reader_received(watch->reader),
		      kerror_reader_lost(watch->reader), watch->lost);
	if (watch->deadline && watch->answers < groups(watch->reader))
		errx(EXIT_FAILURE,
		     "the kernel did not answer the last request; more events may be lost");
}

int command_watch(int argc, char **argv)
{
	struct options options;
	struct watch watch = { .options = &options };
	struct kerror_origin *origin;
	struct kerror_socket *sock;

	parse_options(&options, argc, argv);
	watch.held.limit = options.new_only ? 0 : options.limit;
	sock = listen_to(&options.common);
	watch.reader = read_from(options.common.groups);
	use_severities(&options.common);
	filter_in_kernel(sock, watch.reader, &options.common);
	origin = own_origin(kerror_socket_instance(sock));
	options.common.style.own = origin;
	options.common.style.origin = origin;
	kerror_reader_set_origin(watch.reader, origin);
	if (!options.new_only)
		kerror_reader_from_boot(watch.reader);
	watch.last = now_ms();
	begin_keys(&watch.keys);
	run(&watch, sock);
	kerror_joiner_free(options.joiner);
	kerror_reader_free(watch.reader);
	kerror_socket_close(sock);
	return EXIT_SUCCESS;
}
