// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration file: sections of "option = value", read with inih. One
 * table has each option with its unit, default and effect; the sample file is
 * printed from it. A file with errors is refused as a whole, with a line for
 * each of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <ini.h>
#include "kerrord.h"

enum kind { TEXT, GROUP, SECONDS, BYTES, COUNT, FILTER, THRESHOLD, FACILITY };

struct option {
	const char *sections;	/* names of sections that have it */
	const char *name;
	enum kind kind;
	size_t offset;
	const char *fallback;	/* NULL: must be given; "": none */
	const char *effect;
};

#define GENERAL(member)	offsetof(struct settings, member)
#define SINK(member)	offsetof(struct sink_settings, member)
#define ALL_SINKS	"store json text journald syslog rule"

static const struct option options[] = {
	{ "kerrord", "groups", GROUP, GENERAL(groups), "evlog printk",
	  "several of evlog: events of drivers; printk: messages of the kernel; raw: bytes sent by kernel_error_event(); or all" },
	{ "kerrord", "user", TEXT, GENERAL(user), "kerror",
	  "whom to become if started as root; root: stay" },
	{ "kerrord", "state", TEXT, GENERAL(state), "/var/lib/kerror",
	  "folder in which sinks remember what they have had" },
	{ "kerrord", "explain", TEXT, GENERAL(explain), EXPLANATIONS_FOLDER,
	  "folder of catalogues whose severities count instead of the kernel's, see kerrord(8)" },

	{ "metrics", "textfile", TEXT, GENERAL(textfile),
	  "/run/kerror/metrics.prom",
	  "file with the counters, for kerrorctl stats and Prometheus' node_exporter" },
	{ "metrics", "interval", SECONDS, GENERAL(interval), "10s",
	  "time between two writings of it, and between two looks at the kernel's counters" },
	{ "metrics", "listen", TEXT, GENERAL(listen), "",
	  "ADDRESS:PORT of an HTTP server with them, such as 127.0.0.1:9817; none: no server" },

	{ "store", "path", TEXT, SINK(path), STORE_PATH,
	  "SQLite database; its folder must be writable for the user" },
	{ "store", "max_age", SECONDS, SINK(max_age), "90d",
	  "older events are deleted; 0: never" },
	{ "store", "max_size", BYTES, SINK(max_size), "1G",
	  "the oldest events are deleted while there are more bytes; 0: no limit" },

	{ "json text", "path", TEXT, SINK(path), "-",
	  "file to append to; -: standard output; unix:PATH: a stream socket that listens" },

	{ "syslog", "address", TEXT, SINK(address), "unix:/dev/log",
	  "unix:PATH, udp:HOST:PORT or tcp:HOST:PORT; an IPv6 address in brackets" },
	{ "syslog", "facility", FACILITY, SINK(facility), "kern",
	  "syslog's facility: kern, user, daemon, local0 to local7" },

	{ "rule", "command", TEXT, SINK(command), NULL,
	  "program with arguments, parted by blanks; gets the event in variables, see kerrord(8)" },
	{ "rule", "threshold", THRESHOLD, 0, "1",
	  "N in TIME, such as 5 in 1m: fires at the N-th event within it; 1: at each" },
	{ "rule", "key", TEXT, SINK(key), "",
	  "what events have in common to count together: facility, device, id, arg[N], or several" },
	{ "rule", "cooldown", SECONDS, SINK(cooldown), "0",
	  "after a command succeeded, the same key does not fire for so long" },
	{ "rule", "retries", COUNT, SINK(retries), "10",
	  "how often a command that failed is run again" },
	{ "rule", "retry_after", SECONDS, SINK(retry_after), "5s",
	  "time before that; it doubles each time, up to 10 minutes" },
	{ "rule", "backlog", COUNT, SINK(backlog), "16",
	  "commands that may wait; further events are told by the last as 'and N more'" },
	{ "rule", "runner", TEXT, SINK(runner), "/run/kerror-rules.socket",
	  "socket of the unit that runs the command; none: kerrord does, within its sandbox" },
	{ "rule", "timeout", SECONDS, SINK(timeout), "30s",
	  "a command that runs longer is killed" },

	{ ALL_SINKS, "filter", FILTER, SINK(filter_text), "",
	  "only events that match, see kerror-filter(7); none: all" },
	{ ALL_SINKS, "queue", BYTES, SINK(queue), "16M",
	  "memory for what waits while the sink does not work; more is dropped and counted" },
};

#define OPTIONS (sizeof(options) / sizeof(*options))

static const struct section {
	const char *name;
	const struct sink_type *type;
	const char *purpose;
} sections[] = {
	{ "kerrord", NULL, "The daemon itself" },
	{ "metrics", NULL, "Counters: events, losses, sinks" },
	{ "store", &store_sink, "The events, for kerrorctl query" },
	{ "json", &json_sink,
	  "One JSON object a line, see kerrorctl(1); SIGHUP opens the file anew" },
	{ "text", &text_sink, "Lines for people; otherwise as [json]" },
	{ "journald", &journald_sink, "systemd's journal, with a field for each part" },
	{ "syslog", &syslog_sink, "RFC 5424, with structured data" },
	{ "rule", &rule_sink,
	  "[rule NAME] runs a command for each event, or when there are many" },
};

#define SECTIONS (sizeof(sections) / sizeof(*sections))

struct parser {
	struct settings *settings;
	const char *path;
	FILE *file;
	unsigned int line, errors;
	bool quiet;		/* complain of nothing */
	bool continued;		/* the last line went on beyond the buffer */
	char *last_value;	/* of a value that goes on in the next line */
	char seen[64];		/* options of the section that were given */
	char section[100];
	struct sink_settings *sink;
};

static void complain(struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	parser->errors++;
	if (parser->quiet)
		return;
	fprintf(stderr, "%s:%u: ", parser->path, parser->line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static bool has_word(const char *words, const char *word, size_t size)
{
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') &&
		    (!at[size] || at[size] == ' '))
			return true;
		at += size;
	}
	return false;
}

/* A number with one of the letters of @units, each worth its factor */
static bool parse_scaled(const char *value, const char *units,
			 const uint64_t *factors, uint64_t *number)
{
	const char *unit;
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (errno || *value < '0' || *value > '9')
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end);
	if (!unit || end[1] ||
	    __builtin_mul_overflow(*number, factors[unit - units], number))
		return false;
	return true;
}

static bool parse_seconds(const char *value, uint64_t *seconds)
{
	static const uint64_t factors[] = { 1, 60, 3600, 86400 };

	/* As nanoseconds it must fit, too. */
	return parse_scaled(value, "smhd", factors, seconds) &&
	       *seconds < UINT32_MAX;
}

/* One or more, parted by blanks or commas */
static bool parse_groups(const char *value, uint64_t *groups)
{
	static const char separators[] = " \t,";
	size_t length;

	*groups = 0;
	for (value += strspn(value, separators); *value;
	     value += length, value += strspn(value, separators)) {
		char name[8];
		int group;

		length = strcspn(value, separators);
		snprintf(name, sizeof(name), "%.*s", (int)length, value);
		group = kerror_group_number(name);
		if (length == strlen("all") && !strcmp(name, "all"))
			for (int i = 0; i < GROUPS; i++)
				*groups |= kerror_group_at(i);
		else if (length < sizeof(name) && group > 0)
			*groups |= group;
		else
			return false;
	}
	return *groups;
}

static bool parse_threshold(const char *value, struct sink_settings *sink)
{
	const char *in = strstr(value, " in ");
	char number[24];

	snprintf(number, sizeof(number), "%.*s",
		 (int)(in ? in - value : (long)strlen(value)), value);
	if (!parse_scaled(number, "", NULL, &sink->threshold) ||
	    !sink->threshold || sink->threshold > 10000)
		return false;
	sink->period = 0;
	if (!in)
		return sink->threshold == 1;
	return parse_seconds(in + 4 + strspn(in + 4, " "), &sink->period) &&
	       sink->period;
}

static bool parse_facility(const char *value, uint64_t *facility)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "kern", LOG_KERN }, { "user", LOG_USER },
		{ "daemon", LOG_DAEMON }, { "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(value, names[i].name)) {
			*facility = names[i].number >> 3;
			return true;
		}
	}
	return false;
}

static char *copy(const char *text)
{
	char *result = strdup(text);

	if (!result) {
		fputs("kerrord: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return result;
}

static void replace(char **target, const char *value)
{
	free(*target);
	*target = *value ? copy(value) : NULL;
}

static void set(struct parser *parser, const struct option *option,
		const char *value)
{
	struct sink_settings *sink = parser->sink;
	char *base = sink ? (char *)sink : (char *)parser->settings;
	void *target = base + option->offset;
	uint64_t *number = target;

	switch (option->kind) {
	case TEXT:
	case FILTER:	/* compiled when it is complete */
		replace(target, value);
		return;
	case GROUP:
		if (!parse_groups(value, number))
			complain(parser,
				 "groups: '%s' is not one or more of raw, evlog, printk, all",
				 value);
		return;
	case SECONDS:
		if (!parse_seconds(value, number))
			complain(parser, "%s: '%s' is no time such as 30s, 10m, 12h, 90d",
				 option->name, value);
		return;
	case BYTES: {
		static const uint64_t factors[] = { 1 << 10, 1 << 20, 1 << 30 };

		if (!parse_scaled(value, "KMG", factors, number))
			complain(parser, "%s: '%s' is no size such as 512K, 16M, 1G",
				 option->name, value);
		return;
	}
	case COUNT:
		if (!parse_scaled(value, "", NULL, number) || *number > 10000)
			complain(parser, "%s: '%s' is no number from 0 to 10000",
				 option->name, value);
		return;
	case THRESHOLD:
		if (!parse_threshold(value, sink))
			complain(parser,
				 "threshold: '%s' is neither 1 nor like '5 in 1m' (at most 10000)",
				 value);
		return;
	case FACILITY:
		if (!parse_facility(value, number))
			complain(parser,
				 "facility: '%s' is none of kern, user, daemon, local0 to local7",
				 value);
		return;
	}
}

/* What is only known when all options of a section have been read */
static void finish_section(struct parser *parser)
{
	struct sink_settings *sink = parser->sink;
	char message[256];

	if (!sink)
		return;
	if (sink->filter_text &&
	    kerror_filter_new(&sink->filter, sink->filter_text, message,
			      sizeof(message)))
		complain(parser, "[%s] filter: %s", sink->name, message);
	for (size_t i = 0; i < OPTIONS; i++)
		if (!options[i].fallback && !parser->seen[i] &&
		    has_word(options[i].sections, sink->type->name,
			     strlen(sink->type->name)))
			complain(parser, "[%s] has no %s, which it needs: %s",
				 sink->name, options[i].name, options[i].effect);
	if (sink->type == &rule_sink && sink->key) {
		char *keys = copy(sink->key), *rest = keys, *key;

		while ((key = strsep(&rest, " "))) {
			size_t digits = !strncmp(key, "arg[", 4) ?
					strspn(key + 4, "0123456789") : 0;

			if (*key && !has_word("facility device id", key,
					      strlen(key)) &&
			    (!digits || digits > 2 || strcmp(key + 4 + digits, "]")))
				complain(parser,
					 "[%s] key: '%s' is none of facility, device, id, arg[N]",
					 sink->name, key);
		}
		free(keys);
	}
	parser->sink = NULL;
}

static void begin_section(struct parser *parser, const char *name)
{
	size_t length = strcspn(name, " ");
	const struct section *section = NULL;
	struct sink_settings **last = &parser->settings->sinks;

	finish_section(parser);
	snprintf(parser->section, sizeof(parser->section), "%s", name);
	memset(parser->seen, 0, sizeof(parser->seen));
	for (size_t i = 0; i < SECTIONS; i++)
		if (strlen(sections[i].name) == length &&
		    !strncmp(sections[i].name, name, length))
			section = &sections[i];
	if (!section) {
		complain(parser,
			 "there is no section [%s]; known are kerrord, metrics, %s",
			 name, ALL_SINKS);
		return;
	}
	if (!section->type)
		return;
	for (; *last; last = &(*last)->next)
		if (!strcmp((*last)->name, name))
			complain(parser,
				 "a second section [%s]; give it another name, as in [%s 2]",
				 name, name);
	*last = calloc(1, sizeof(**last));
	if (!*last) {
		complain(parser, "out of memory");
		return;
	}
	parser->sink = *last;
	parser->sink->type = section->type;
	parser->sink->name = copy(name);
	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].fallback &&
		    has_word(options[i].sections, section->type->name, length))
			set(parser, &options[i], options[i].fallback);
}

/* inih calls this for each option, again for each line that goes on with one. */
static int found(void *context, const char *section, const char *name,
		 const char *value)
{
	struct parser *parser = context;
	size_t length = strcspn(section, " ");

	if (strcmp(section, parser->section))
		begin_section(parser, section);
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *option = &options[i];
		char word[100];

		snprintf(word, sizeof(word), "%.*s", (int)length, section);
		if (strcmp(option->name, name) ||
		    !has_word(option->sections, word, length))
			continue;
		if (parser->seen[i] && option->kind == FILTER) {
			char *joined;

			if (asprintf(&joined, "%s %s", parser->sink->filter_text,
				     value) < 0)
				return 0;
			replace(&parser->sink->filter_text, joined);
			free(joined);
			return 1;
		}
		if (parser->seen[i])
			complain(parser, "a second '%s' in [%s]", name, section);
		parser->seen[i] = true;
		set(parser, option, value);
		return 1;
	}
	for (size_t i = 0; i < SECTIONS; i++)
		if (strlen(sections[i].name) == length &&
		    !strncmp(sections[i].name, section, length))
			complain(parser,
				 "[%s] has no option '%s'; kerrord --print-config shows all",
				 section, name);
	return 1;
}

/*
 * Hands lines to inih, counts them, and makes sections without options known,
 * of which inih does not tell.
 */
static char *read_line(char *line, int size, void *context)
{
	struct parser *parser = context;
	size_t length;
	char *end;

	if (!fgets(line, size, parser->file))
		return NULL;
	length = strlen(line);
	if (!parser->continued)
		parser->line++;
	if (length == (size_t)size - 1 && line[length - 1] != '\n' &&
	    !parser->continued)
		complain(parser,
			 "a line is longer than %d bytes; go on in the next one, which begins with a blank",
			 size - 2);
	parser->continued = line[length - 1] != '\n';
	end = *line == '[' ? strchr(line, ']') : NULL;
	if (end && end - line < (long)sizeof(parser->section)) {
		char name[sizeof(parser->section)];

		snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1),
			 line + 1);
		begin_section(parser, name);
	}
	return line;
}

static void set_defaults(struct parser *parser)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (!strcmp(options[i].sections, "kerrord") ||
		    !strcmp(options[i].sections, "metrics"))
			set(parser, &options[i], options[i].fallback);
}

int config_read(struct settings *settings, const char *path)
{
	struct parser parser = { .settings = settings, .path = path };
	int bad_line;

	memset(settings, 0, sizeof(*settings));
	set_defaults(&parser);
	parser.file = fopen(path, "re");
	if (!parser.file) {
		fprintf(stderr,
			"kerrord: %s: %s; 'kerrord --print-config' prints one to begin with\n",
			path, strerror(errno));
		return -EINVAL;
	}
	bad_line = ini_parse_stream(read_line, &parser, found, &parser);
	finish_section(&parser);
	if (bad_line && !parser.errors) {
		parser.line = bad_line;
		complain(&parser, "this is neither [section] nor option = value");
	}
	if (ferror(parser.file)) {
		fprintf(stderr, "kerrord: %s: cannot be read\n", path);
		parser.errors++;
	}
	fclose(parser.file);
	if (!parser.errors && !settings->sinks) {
		fprintf(stderr, "%s: no section for a sink; one of: %s\n", path,
			ALL_SINKS);
		parser.errors++;
	}
	if (!parser.errors)
		return 0;
	config_free(settings);
	return -EINVAL;
}

const struct sink_settings *config_read_rule(struct settings *settings,
					     const char *path, const char *name)
{
	struct parser parser = {
		.settings = settings, .path = path, .quiet = true,
	};
	const struct sink_settings *sink;

	memset(settings, 0, sizeof(*settings));
	parser.file = fopen(path, "re");
	if (!parser.file)
		return NULL;
	ini_parse_stream(read_line, &parser, found, &parser);
	fclose(parser.file);
	for (sink = settings->sinks; sink; sink = sink->next)
		if (sink->type == &rule_sink && !strcmp(sink->name, name) &&
		    sink->command)
			break;
	return sink;
}

void config_free(struct settings *settings)
{
	while (settings->sinks) {
		struct sink_settings *sink = settings->sinks;

		settings->sinks = sink->next;
		kerror_filter_free(sink->filter);
		free(sink->filter_text);
		free(sink->name);
		free(sink->path);
		free(sink->address);
		free(sink->command);
		free(sink->runner);
		free(sink->key);
		free(sink);
	}
	free(settings->user);
	free(settings->state);
	free(settings->explain);
	free(settings->listen);
	free(settings->textfile);
	memset(settings, 0, sizeof(*settings));
}

void config_print_sample(FILE *file)
{
	fputs("# Configuration of kerrord, see kerrord(8). What is commented out is the\n"
	      "# default, or an example. Times: s, m, h, d. Sizes: K, M, G. A filter may\n"
	      "# go on in lines that begin with a blank.\n", file);
	for (size_t i = 0; i < SECTIONS; i++) {
		const char *name = sections[i].name;
		bool active = !sections[i].type || sections[i].type == &store_sink;
		const char *off = active ? "" : "#";

		fprintf(file, "\n# %s\n%s[%s%s]\n", sections[i].purpose, off, name,
			sections[i].type == &rule_sink ? " NAME" : "");
		for (size_t j = 0; j < OPTIONS; j++) {
			const struct option *option = &options[j];

			if (!has_word(option->sections, name, strlen(name)))
				continue;
			fprintf(file, "# %s\n#%s = %s\n", option->effect,
				option->name,
				!option->fallback ? "/usr/local/sbin/what-to-do --now" :
				*option->fallback ? option->fallback :
				option->kind == FILTER ?
				"severity<=err && facility==\"ata\"" :
				!strcmp(option->name, "key") ? "device" :
				"127.0.0.1:9817");
		}
	}
}
