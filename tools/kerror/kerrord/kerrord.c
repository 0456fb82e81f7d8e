// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrord: prints the kernel's error events as they arrive, one line each, for
 * people or as JSON. See kerrord(8).
 *
 * Promise: an event is printed once and in the order of its group, or is in
 * the number of lost ones that the last line on standard error tells.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "kerrord.h"

static const char usage[] =
"Usage: kerrord [OPTION]...\n"
"Print the error events of the kernel (NETLINK_KERROR).\n"
"\n"
"  -j, --json           one JSON object a line\n"
"  -g, --group=GROUP    evlog (default), raw or all\n"
"  -n, --new            only what comes from now on; default: since boot\n"
"  -c, --count=NUMBER   end after so many events\n"
"  -i, --idle=MS        end when nothing came for so many milliseconds\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n"
"\n"
"Ends on SIGINT or SIGTERM. Needs CAP_NET_ADMIN or CAP_SYSLOG.\n";

struct options {
	bool json, new_only, color;
	uint32_t groups;
	unsigned long count, idle;
};

static void flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILURE, "cannot write to standard output");
}

static unsigned long parse_number(const char *option, const char *value)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *value < '0' || *value > '9' || *end || !number)
		errx(EXIT_FAILURE, "--%s: '%s' is not a number above 0", option, value);
	return number;
}

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "group", required_argument, NULL, 'g' },
		{ "new", no_argument, NULL, 'n' },
		{ "count", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, 'i' },
		{ "color", required_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options) {
		.color = isatty(STDOUT_FILENO),
		.groups = KERROR_GROUP_EVLOG,
	};
	while ((option = getopt_long(argc, argv, "jg:nc:i:h", longs, NULL)) >= 0) {
		switch (option) {
		case 'j':
			options->json = true;
			break;
		case 'g':
			options->groups =
				!strcmp(optarg, "evlog") ? KERROR_GROUP_EVLOG :
				!strcmp(optarg, "raw") ? KERROR_GROUP_RAW :
				!strcmp(optarg, "all") ?
				KERROR_GROUP_RAW | KERROR_GROUP_EVLOG : 0;
			if (!options->groups)
				errx(EXIT_FAILURE,
				     "--group: '%s' is none of evlog, raw, all",
				     optarg);
			break;
		case 'n':
			options->new_only = true;
			break;
		case 'c':
			options->count = parse_number("count", optarg);
			break;
		case 'i':
			options->idle = parse_number("idle", optarg);
			break;
		case 'C':
			if (!strcmp(optarg, "always"))
				options->color = true;
			else if (!strcmp(optarg, "never"))
				options->color = false;
			else if (strcmp(optarg, "auto"))
				errx(EXIT_FAILURE,
				     "--color: '%s' is none of auto, always, never",
				     optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			flush_output();
			exit(EXIT_SUCCESS);
		default:
			errx(EXIT_FAILURE, "see kerrord --help");
		}
	}
	if (optind < argc)
		errx(EXIT_FAILURE, "unexpected argument '%s'; see kerrord --help",
		     argv[optind]);
}

static struct kerror_socket *listen_to(uint32_t groups)
{
	struct kerror_socket *sock;
	int error = kerror_socket_open(&sock, groups);

	switch (error) {
	case 0:
		return sock;
	case -EPERM:
		errx(EXIT_FAILURE,
		     "not permitted to listen; run it as root, or with CAP_SYSLOG");
	case -EPROTONOSUPPORT:
		errx(EXIT_FAILURE,
		     "this kernel has no NETLINK_KERROR; it needs CONFIG_KERROR=y");
	default:
		errx(EXIT_FAILURE, "cannot open the socket: %s", strerror(-error));
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Counts of the losses per cause, for the last line. */
struct summary {
	uint64_t lost[KERROR_CAUSES + 1];	/* the last: unknown causes */
};

static void print_summary(const struct kerror_reader *reader,
			  const struct summary *summary)
{
	const char *separator = " (";
	unsigned int cause;

	fprintf(stderr, "kerrord: %llu events received, %llu lost",
		(unsigned long long)kerror_reader_received(reader),
		(unsigned long long)kerror_reader_lost(reader));
	for (cause = 0; cause <= KERROR_CAUSES; cause++) {
		if (!summary->lost[cause])
			continue;
		fprintf(stderr, "%s%llu %s", separator,
			(unsigned long long)summary->lost[cause],
			kerror_cause_name(cause));
		separator = ", ";
	}
	fprintf(stderr, "%s\n", *separator == ',' ? ")" : "");
}

/* How long to wait for the kernel's last answers before the summary. */
#define LAST_ANSWERS_MS 5000

static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/* The signals are blocked: they wait until they are looked for. */
static bool told_to_stop(const sigset_t *signals)
{
	static const struct timespec now;

	return sigtimedwait(signals, NULL, &now) > 0;
}

static void run(const struct options *options, struct kerror_socket *sock,
		struct kerror_reader *reader)
{
	const struct print_style style = { .color = options->color };
	unsigned int answers = 0, groups = __builtin_popcount(options->groups);
	uint64_t last = now_ms(), deadline = 0;
	struct summary summary = { 0 };
	bool flushed = true, ending = false, stop = false;
	unsigned int items = 0;
	sigset_t signals;

	block_signals(&signals);

	for (;;) {
		enum kerror_item item;
		/* What is there goes out before this waits for more. */
		int error = kerror_socket_next(sock, reader,
					       flushed ? 200 : 0, &item);

		if (error && error != -EINTR)
			errx(EXIT_FAILURE, "cannot receive: %s",
			     strerror(-error));
		if (error)
			item = KERROR_ITEM_NONE;
		/* In a flood, too, but not for each event. */
		if (item == KERROR_ITEM_NONE || ++items % 256 == 0)
			stop |= told_to_stop(&signals);
		switch (item) {
		case KERROR_ITEM_EVENT:
			(options->json ? print_event_json : print_event)
				(stdout, &style, kerror_reader_event(reader));
			break;
		case KERROR_ITEM_LOSS: {
			const struct kerror_loss *loss =
				kerror_reader_loss(reader);

			summary.lost[loss->cause < KERROR_CAUSES ?
				     loss->cause : KERROR_CAUSES] += loss->count;
			(options->json ? print_loss_json : print_loss)
				(stdout, &style, loss);
			break;
		}
		case KERROR_ITEM_STATISTICS:
			answers++;
			break;
		case KERROR_ITEM_ERROR:
			fprintf(stderr, "kerrord: the kernel answered: %s\n",
				strerror(-kerror_reader_error(reader)));
			break;
		default:
			break;
		}
		if (item == KERROR_ITEM_EVENT || item == KERROR_ITEM_LOSS) {
			last = now_ms();
			flushed = false;
		} else if (item == KERROR_ITEM_NONE && !flushed) {
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
		if (options->count &&
		    kerror_reader_received(reader) >= options->count)
			break;
		if (ending && item == KERROR_ITEM_NONE &&
		    ((answers >= groups && !kerror_reader_replaying(reader)) ||
		     now_ms() >= deadline))
			break;
	}
	flush_output();
	print_summary(reader, &summary);
	if (ending && answers < groups)
		errx(EXIT_FAILURE,
		     "the kernel did not answer the last request; more events may be lost");
}

int main(int argc, char **argv)
{
	struct kerror_reader *reader;
	struct kerror_socket *sock;
	struct options options;

	parse_options(&options, argc, argv);
	sock = listen_to(options.groups);
	reader = kerror_reader_new(options.groups);
	if (!reader)
		errx(EXIT_FAILURE, "out of memory");
	if (!options.new_only)
		kerror_reader_from_boot(reader);
	run(&options, sock, reader);
	kerror_reader_free(reader);
	kerror_socket_close(sock);
	return EXIT_SUCCESS;
}
