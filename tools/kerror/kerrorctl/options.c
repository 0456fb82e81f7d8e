// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: options that mean the same in every command that has them, and
 * the values that options take. A mistake ends the program with one line that
 * names the remedy, and status 2.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <libintl.h>
#include <locale.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kerrorctl.h"
#include "kerror_paths.h"

void wrong_use(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	verrx(STATUS_WRONG_USE, format, arguments);
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
		wrong_use("%s: '%s' is not a number from %lu to %lu", what,
			  value, least, most);
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
	wrong_use("%s: '%s' is none of %s", what, value, all);
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
	char message[400];
	int error = kerror_filter_new(&filter, text, message, sizeof(message));

	if (error == -EINVAL)
		wrong_use("%s: %s; see kerror-filter(7)", option, message);
	if (error)
		wrong_use("%s: %s", option, strerror(-error));
	return filter;
}

/*
 * From the last next_option() on, the filter lets through events of this facility
 * and of others for which this was called, but of no more. Likewise of a host.
 */
static void want_name(char **names, const char *option, const char *command, const char *name)
{
	char *before = *names, *text = NULL;
	size_t size;
	FILE *file;

	if (!*name)
		wrong_use("--%s: an empty name; see kerrorctl %s --help", option, command);
	file = must_have(open_memstream(&text, &size));
	if (before)
		fprintf(file, "%s || ", before);
	fprintf(file, "%s==\"", option);
	for (; *name; name++)
		fprintf(file, isalnum((unsigned char)*name) ? "%c" : "\\x%02x",
			(unsigned char)*name);
	fputc('"', file);
	must_have(fclose(file) ? NULL : text);
	free(before);
	*names = text;
}

static int parse_severity(const char *name)
{
	int severity = kerror_severity_number(name);

	if (severity < 0)
		wrong_use("--priority: '%s' is no severity: emerg, alert, crit, err, warning, notice, info, debug, or 0 to 7",
			  name);
	return severity;
}

/* "err": that and worse ones; "warning..err": between these */
static void want_priority(struct common *common, const char *value)
{
	char *first = must_have(strdup(value)), *dots = strstr(first, "..");
	int from = 0, to;

	if (dots) {
		*dots = '\0';
		from = parse_severity(first);
		to = parse_severity(dots + 2);
	} else {
		to = parse_severity(first);
	}
	free(first);
	common->has_priority = true;
	common->worst = from < to ? from : to;
	common->least = from < to ? to : from;
}

/* As journalctl: a pattern without capitals finds them, too. */
static void want_text(struct common *common, const char *pattern)
{
	static regex_t regex;
	char message[128];
	int flags = REG_EXTENDED | REG_NOSUB | REG_ICASE, error;

	for (const char *at = pattern; *at; at++)
		if (isupper((unsigned char)*at))
			flags &= ~REG_ICASE;
	error = regcomp(&regex, pattern, flags);
	if (error) {
		regerror(error, &regex, message, sizeof(message));
		wrong_use("--grep: '%s': %s; see regex(7)", pattern, message);
	}
	common->grep = &regex;
}

/* When all options are known, as the last --filter counts */
static void add_to_filter(struct common *common, const char *option, const char *more)
{
	char *text;

	if (!common->filter)
		text = must_have(strdup(more));
	else if (asprintf(&text, "(%s) && (%s)", common->filter_text, more) < 0)
		text = must_have(NULL);
	kerror_filter_free(common->filter);
	common->filter = parse_filter(option, text);
	common->filter_text = text;
}

static void add_priority(struct common *common)
{
	char text[40];

	snprintf(text, sizeof(text), "severity>=%d && severity<=%d", common->worst,
		 common->least);
	/* A kernel can do one comparison better than two. */
	add_to_filter(common, "--priority", common->worst ? text : strstr(text, "severity<="));
}

/* A NUL in the text is a blank: not each regexec() takes a size. */
static bool has_text(const struct common *common, const struct kerror_event *event)
{
	size_t size;
	const char *text = event_text(event, &size);
	char *copy = must_have(malloc(size + 1));
	bool found;

	for (size_t i = 0; i < size; i++)
		copy[i] = text[i] ? : ' ';
	copy[size] = '\0';
	found = !regexec(common->grep, copy, 0, NULL, 0);
	free(copy);
	return found;
}

bool is_wanted(const struct common *common, const struct kerror_event *event)
{
	return (!common->filter || kerror_filter_matches(common->filter, event)) &&
	       (!common->live_filter ||
		kerror_filter_matches(common->live_filter, event)) &&
	       (!common->grep || has_text(common, event));
}

static bool is_terminal_with_colors(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) &&
	       !(terminal && !strcmp(terminal, "dumb"));
}

static bool parse_color(const char *value)
{
	static const char *const names[] = { "never", "always", "auto", NULL };
	unsigned int which = parse_name("--color", value, names);

	return which == 1 || (which == 2 && is_terminal_with_colors());
}

static uint32_t parse_group(const char *value)
{
	static const char *const names[] = {
		"raw", "evlog", "printk", "all", NULL
	};
	uint32_t group = kerror_group_at(parse_name("--group", value, names));

	return group ? group : ALL_GROUPS;
}

static void want_output(struct common *common, const char *value)
{
	static const char *const names[] = {
		"short", "short-iso", "verbose", "cat", "json", NULL
	};

	common->output = parse_name("--output", value, names);
	common->json = common->output == OUTPUT_JSON;
}

/* Of "--json=1": optopt is that of the option, as if it were an unknown short one. */
static void check_value(char **argv, const struct option *longs)
{
	const char *option = argv[optind - 1], *value = strchr(option, '=');

	if (!optopt || strncmp(option, "--", 2) || !value)
		return;
	for (; longs->name; longs++)
		if (longs->val == optopt && longs->has_arg == no_argument &&
		    !strncmp(longs->name, option + 2, value - option - 2))
			wrong_use("option '--%s' takes no value; see kerrorctl %s --help",
				  longs->name, argv[0]);
}

/* The option that getopt_long() stopped at, as it stands there */
static _Noreturn void no_such_option(char **argv, const struct option *longs)
{
	char option[64];
	struct likely likely = { .wanted = option };

	check_value(argv, longs);
	/* Of several short ones in a word it is not the word that is wrong. */
	if (optopt && optopt < 256)
		snprintf(option, sizeof(option), "-%c", optopt);
	else
		snprintf(option, sizeof(option), "%s", argv[optind - 1]);
	if (option[1] == '-') {
		option[strcspn(option, "=")] = '\0';
		likely.wanted = option + 2;
		for (; longs->name; longs++)
			likely_add(&likely, longs->name);
	}
	wrong_use("there is no option '%s'%s; see kerrorctl %s --help", option,
		  did_you_mean(&likely, "--"), argv[0]);
}

int next_option(struct common *common, int argc, char **argv,
		const char *shorts, const struct option *longs)
{
	int option;

	if (optind <= 1) {
		opterr = 0;
		common->style.color = is_terminal_with_colors();
	}
	while ((option = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
		switch (option) {
		case 'j':
			want_output(common, "json");
			break;
		case 'o':
			want_output(common, optarg);
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
		case OPTION_FILTER:
			kerror_filter_free(common->filter);
			common->filter = parse_filter("--filter", optarg);
			common->filter_text = optarg;
			break;
		case 'F':
			if (common->own_choice)
				return option;
			want_name(&common->facilities, "facility", argv[0], optarg);
			break;
		case OPTION_HOST:
			want_name(&common->hosts, "host", argv[0], optarg);
			break;
		case 'p':
			want_priority(common, optarg);
			break;
		case OPTION_GREP:
			want_text(common, optarg);
			break;
		case OPTION_EXPLANATIONS:
			common->explanations = optarg;
			break;
		case OPTION_NO_PAGER:
			common->no_pager = true;
			break;
		case 's':
			common->store = optarg;
			break;
		case 'h':
			fputs(common->usage, stdout);
			flush_output();
			exit(EXIT_SUCCESS);
		case ':':
			wrong_use("option '%s' lacks its value; see kerrorctl %s --help",
				  argv[optind - 1], argv[0]);
		case '?':
			no_such_option(argv, longs);
		default:
			return option;
		}
	}
	if (common->facilities)
		add_to_filter(common, "--facility", common->facilities);
	if (common->hosts)
		add_to_filter(common, "--host", common->hosts);
	if (common->has_priority && !common->own_choice)
		add_priority(common);
	return option;
}

void no_arguments(int argc, char **argv)
{
	if (optind < argc)
		wrong_use("unexpected argument '%s'; see kerrorctl %s --help",
			  argv[optind], argv[0]);
}
