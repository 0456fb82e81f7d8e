// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl: what an operator does with the kernel's error events. Finds the
 * command and hands the rest of the line to it; parses what all commands take.
 * See kerrorctl(1).
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kerrorctl.h"
#include "kerror_paths.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "watch", command_watch, "show events as they arrive" },
#ifdef WITH_STORE
	{ "query", command_query, "find or count events that kerrord has stored" },
	{ "ack", command_ack, "acknowledge stored events" },
	{ "health", command_health, "show what is wrong now, and what to do" },
	{ "clear", command_clear, "say that what is wrong has been mended" },
	{ "top", command_top, "show the most frequent events, again and again" },
	{ "stats", command_stats, "show the counters of the kernel and of kerrord" },
	{ "rules", command_rules, "show what kerrord's rules have done and what waits" },
	{ "explain", command_explain, "tell what an event means and what to do" },
	{ "catalog", command_catalog, "list the events that a kernel can raise" },
	{ "check-rules", command_check_rules, "find rules that match no event any more" },
	{ "selftest", command_selftest, "find out which part does not work" },
	{ "send", command_send, "have the kernel raise a test event" },
#endif
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void print_usage(void)
{
	puts("Usage: kerrorctl COMMAND [OPTION]...\n"
	     "The error events of the kernel (NETLINK_KERROR).\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-12s %s\n", commands[i].name, commands[i].summary);
	puts("\nkerrorctl COMMAND --help tells of its options; see kerrorctl(1).");
}

void flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILURE, "cannot write to standard output");
}

void *must_have(void *memory)
{
	if (!memory)
		errx(EXIT_FAILURE, "out of memory");
	return memory;
}

unsigned long parse_number(const char *what, const char *value,
			   unsigned long least, unsigned long most)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *value < '0' || *value > '9' || *end || number < least ||
	    number > most)
		errx(EXIT_FAILURE, "%s: '%s' is not a number from %lu to %lu",
		     what, value, least, most);
	return number;
}

unsigned int parse_name(const char *what, const char *value,
			const char *const *names)
{
	char all[128] = "";

	for (unsigned int i = 0; names[i]; i++) {
		if (!strcmp(value, names[i]))
			return i;
		if (i)
			strcat(all, ", ");
		strcat(all, names[i]);
	}
	errx(EXIT_FAILURE, "%s: '%s' is none of %s", what, value, all);
}

/* The empty msgid is the head of a catalogue, and no format. */
static const char *translate(const char *format)
{
	return *format ? dgettext("kerror-events", format) : format;
}

static void use_translations(struct print_style *style)
{
	const char *folder = getenv("TEXTDOMAINDIR");

	/* Numbers and dates stay as they are. */
	setlocale(LC_MESSAGES, "");
	bindtextdomain("kerror-events", folder ? folder : KERROR_LOCALEDIR);
	bind_textdomain_codeset("kerror-events", "UTF-8");
	style->translate = translate;
}

static struct kerror_filter *parse_filter(const char *option, const char *text)
{
	struct kerror_filter *filter;
	char message[320];
	int error = kerror_filter_new(&filter, text, message, sizeof(message));

	if (error == -EINVAL)
		errx(EXIT_FAILURE, "%s: %s; see kerror-filter(7)", option,
		     message);
	if (error)
		errx(EXIT_FAILURE, "%s: %s", option, strerror(-error));
	return filter;
}

void want_facility(struct common *common, const char *command, const char *name)
{
	char *before = common->facilities, *text = NULL;
	size_t size;
	FILE *file;

	if (!*name)
		errx(EXIT_FAILURE,
		     "--facility: an empty name; see kerrorctl %s --help",
		     command);
	file = must_have(open_memstream(&text, &size));
	if (before)
		fprintf(file, "%s || ", before);
	fputs("facility==\"", file);
	for (; *name; name++)
		fprintf(file, isalnum((unsigned char)*name) ? "%c" : "\\x%02x",
			(unsigned char)*name);
	fputc('"', file);
	must_have(fclose(file) ? NULL : text);
	free(before);
	common->facilities = text;
}

/* When all options are known, as the last --filter counts */
static void add_facilities(struct common *common)
{
	char *text;

	if (!common->facilities)
		return;
	if (!common->filter)
		text = must_have(strdup(common->facilities));
	else if (asprintf(&text, "(%s) && (%s)", common->filter_text,
			  common->facilities) < 0)
		text = must_have(NULL);
	kerror_filter_free(common->filter);
	common->filter = parse_filter("--facility", text);
	common->filter_text = text;
}

bool is_wanted(const struct common *common, const struct kerror_event *event)
{
	return !common->filter || kerror_filter_matches(common->filter, event);
}

static bool parse_color(const char *value)
{
	static const char *const names[] = { "never", "always", "auto", NULL };
	unsigned int which = parse_name("--color", value, names);

	return which == 1 || (which == 2 && isatty(STDOUT_FILENO));
}

static uint32_t parse_group(const char *value)
{
	static const char *const names[] = {
		"raw", "evlog", "printk", "all", NULL
	};
	uint32_t group = kerror_group_at(parse_name("--group", value, names));

	return group ? group : ALL_GROUPS;
}

int next_option(struct common *common, int argc, char **argv,
		const char *shorts, const struct option *longs)
{
	int option;

	if (optind == 1) {
		opterr = 0;
		common->style.color = isatty(STDOUT_FILENO);
	}
	while ((option = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
		switch (option) {
		case 'j':
			common->json = true;
			break;
		case OPTION_COLOR:
			common->style.color = parse_color(optarg);
			break;
		case 'g':
			common->groups = parse_group(optarg);
			break;
		case 't':
			use_translations(&common->style);
			break;
		case 'f':
			kerror_filter_free(common->filter);
			common->filter = parse_filter("--filter", optarg);
			common->filter_text = optarg;
			break;
		case OPTION_CATALOGUE:
			common->catalogue = optarg;
			break;
		case 's':
			common->store = optarg;
			break;
		case 'h':
			fputs(common->usage, stdout);
			flush_output();
			exit(EXIT_SUCCESS);
		case ':':
			errx(EXIT_FAILURE,
			     "option '%s' lacks its value; see kerrorctl %s --help",
			     argv[optind - 1], argv[0]);
		case '?':
			errx(EXIT_FAILURE,
			     "there is no option '%s'; see kerrorctl %s --help",
			     argv[optind - 1], argv[0]);
		default:
			return option;
		}
	}
	add_facilities(common);
	return option;
}

void no_arguments(int argc, char **argv)
{
	if (optind < argc)
		errx(EXIT_FAILURE,
		     "unexpected argument '%s'; see kerrorctl %s --help",
		     argv[optind], argv[0]);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(EXIT_FAILURE, "no command; see kerrorctl --help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage();
		flush_output();
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	errx(EXIT_FAILURE, "there is no command '%s'; see kerrorctl --help",
	     argv[1]);
}
