// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the configuration: sections of "option = value", with inih, in a file and
 * its drop-ins. A configuration with errors is refused as a whole, with a line
 * for each of them.
 *
 * inih cuts some of what it reads without a word: a comment behind a value, a
 * long name. Such lines are refused.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ini.h>
#include "config.h"

/* inih keeps so much of a section's name. */
#define SECTION_MAX 49

static void complain(struct parser *parser, const struct place *place,
		     const char *format, va_list arguments)
{
	parser->errors++;
	if (parser->quiet)
		return;
	if (place->line)
		fprintf(stderr, "%s:%u: ", place->path, place->line);
	else
		fprintf(stderr, "%s: ", place->path ? place->path : parser->path);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void config_complain(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(parser, &parser->place, format, arguments);
	va_end(arguments);
}

void config_complain_at(struct parser *parser, const struct place *place,
			const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(parser, place, format, arguments);
	va_end(arguments);
}

/* ---- Sections ---- */

static struct sink_settings *new_sink(struct parser *parser,
				      const struct section *section,
				      const char *name)
{
	struct sink_settings *sink = config_memory(calloc(1, sizeof(*sink)));

	sink->type = section->type;
	sink->name = config_copy(name);
	sink->places = config_memory(calloc(config_option_count + 1,
					    sizeof(*sink->places)));
	sink->places[0] = parser->place;
	parser->sink = sink;
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].fallback &&
		    option_is_of(&config_options[i], name))
			config_set_default(parser, &config_options[i]);
	return sink;
}

/* One that an earlier file has, too, goes on. */
static void begin_section(struct parser *parser, const char *name)
{
	size_t length = strcspn(name, " ");
	const struct section *section = NULL;
	struct sink_settings **last = &parser->settings->sinks;

	parser->sink = NULL;
	snprintf(parser->section, sizeof(parser->section), "%s", name);
	memset(parser->seen, 0, config_option_count * sizeof(*parser->seen));
	for (size_t i = 0; i < config_section_count; i++)
		if (strlen(config_sections[i].name) == length &&
		    !strncmp(config_sections[i].name, name, length))
			section = &config_sections[i];
	if (!section && ((length == 4 && (!strncmp(name, "otlp", length) ||
					  !strncmp(name, "nats", length))) ||
			 (length == 9 && !strncmp(name, "collector", length)))) {
		bool otlp = *name == 'o';

		config_complain(parser,
				"[%s]: this kerrord was built without %s; install %s and build it again",
				name, otlp ? "libcurl" : "libnats",
				otlp ? "libcurl4-gnutls-dev" : "libnats-dev");
		return;
	}
	if (!section) {
		config_complain(parser,
				"there is no section [%s]; known are kerrord, metrics, tags, %s",
				name, ALL_SINKS);
		return;
	}
	if (!section->type)
		return;
	for (; *last; last = &(*last)->next) {
		if (strcmp((*last)->name, name))
			continue;
		parser->sink = *last;
		if ((*last)->places[0].path == parser->place.path)
			config_complain(parser,
					"a second section [%s]; give it another name, as in [%s 2]",
					name, name);
		(*last)->places[0] = parser->place;
		return;
	}
	*last = new_sink(parser, section, name);
}

static void note_place(struct parser *parser, size_t index)
{
	struct place *places = parser->sink ? parser->sink->places + 1 :
			       parser->settings->places;

	places[index] = parser->place;
}

/* A filter goes on in lines that begin with a blank. */
static void join_filter(struct parser *parser, const char *value)
{
	char **text = &parser->sink->filter_text, *joined;

	if (asprintf(&joined, "%s %s", *text ? *text : "", value) < 0)
		config_memory(NULL);
	free(*text);
	*text = joined;
}

/* inih calls this for each option, again for each line that goes on with one. */
static int found(void *context, const char *section, const char *name,
		 const char *value)
{
	struct parser *parser = context;
	size_t length = strcspn(section, " ");

	if (strcmp(section, parser->section))
		begin_section(parser, section);
	if (!strcmp(section, "tags")) {
		config_tag(parser, name, value);
		return 1;
	}
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (strcmp(option->name, name) || !option_is_of(option, section))
			continue;
		if (parser->seen[i] && option->kind == FILTER) {
			join_filter(parser, value);
			return 1;
		}
		if (parser->seen[i])
			config_complain(parser, "a second '%s' in [%s]", name, section);
		parser->seen[i] = true;
		note_place(parser, i);
		config_set(parser, option, value);
		return 1;
	}
	for (size_t i = 0; i < config_section_count; i++)
		if (strlen(config_sections[i].name) == length &&
		    !strncmp(config_sections[i].name, section, length))
			config_complain(parser,
					"[%s] has no option '%s'; kerrord --print-config shows all",
					section, name);
	return 1;
}

/* ---- Lines ---- */

/* The part that inih would cut: from a blank and a semicolon on */
static void check_comment(struct parser *parser, const char *line)
{
	const char *begin = line + strspn(line, " \t"), *at;

	if (!*begin || strchr(";#[\r\n", *begin))
		return;
	for (at = begin + 1; *at; at++)
		if (*at == ';' && isspace((unsigned char)at[-1]))
			break;
	if (*at)
		config_complain(parser,
				"' ;' begins a comment that cuts the value; a comment needs a line of its own, a pattern '?' in its place");
}

/*
 * Hands lines to inih, counts them, and makes sections without options known,
 * of which inih does not tell.
 */
static char *read_line(char *line, int size, void *context)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct parser *parser = context;
	size_t length;
	char *end;

	if (!fgets(line, size, parser->file))
		return NULL;
	if (!parser->place.line && !strncmp(line, bom, strlen(bom)))
		memmove(line, line + strlen(bom), strlen(line + strlen(bom)) + 1);
	length = strlen(line);
	if (!parser->continued) {
		parser->place.line++;
		check_comment(parser, line);
	}
	if (length == (size_t)size - 1 && line[length - 1] != '\n' &&
	    !parser->continued)
		config_complain(parser,
				"a line is longer than %d bytes; go on in the next one, which begins with a blank",
				size - 2);
	parser->continued = length && line[length - 1] != '\n';
	end = *line == '[' ? strchr(line, ']') : NULL;
	if (end && end - line - 1 > SECTION_MAX)
		config_complain(parser, "a section's name is longer than %d bytes; shorten it",
				SECTION_MAX);
	if (end && end - line < (long)sizeof(parser->section)) {
		char name[sizeof(parser->section)];

		snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1),
			 line + 1);
		if (strlen(name) > SECTION_MAX)
			name[SECTION_MAX] = '\0';	/* as inih has it */
		begin_section(parser, name);
	}
	return line;
}

/* ---- Files ---- */

/* A path that lives as long as the settings */
static const char *keep_path(struct settings *settings, const char *path)
{
	settings->files = config_memory(reallocarray(settings->files,
						     settings->file_count + 1,
						     sizeof(*settings->files)));
	settings->files[settings->file_count] = config_copy(path);
	return settings->files[settings->file_count++];
}

static void read_file(struct parser *parser, const char *path)
{
	int bad_line;
	unsigned int errors = parser->errors;

	parser->place = (struct place){ keep_path(parser->settings, path), 0 };
	parser->continued = false;
	*parser->section = '\0';
	parser->sink = NULL;
	parser->file = fopen(path, "re");
	if (!parser->file) {
		config_complain(parser, "%s; 'kerrord --print-config' prints one to begin with",
				strerror(errno));
		return;
	}
	errno = 0;
	bad_line = ini_parse_stream(read_line, parser, found, parser);
	if (ferror(parser->file)) {
		parser->place.line = 0;
		config_complain(parser, "cannot be read: %s", strerror(errno));
	} else if (bad_line && parser->errors == errors) {
		parser->place.line = bad_line;
		config_complain(parser, "this is neither [section] nor option = value");
	}
	fclose(parser->file);
}

/* A pipe that nobody writes to would stop the daemon at a reload. */
static void read_drop_in(struct parser *parser, const char *path)
{
	struct stat status;

	if (stat(path, &status) || !S_ISFIFO(status.st_mode)) {
		read_file(parser, path);
		return;
	}
	parser->place = (struct place){ keep_path(parser->settings, path), 0 };
	config_complain(parser, "this is a named pipe; put a file in its place");
}

/* Reads the files of a folder whose names end in .conf, in order. */
static void read_folder(struct parser *parser, const char *folder)
{
	DIR *directory = opendir(folder);
	char *pattern;
	glob_t found_files;

	/* glob() finds nothing in one that may not be read, which root may be at the start. */
	if (!directory) {
		if (errno == ENOENT)
			return;
		parser->place = (struct place){ keep_path(parser->settings, folder), 0 };
		config_complain(parser, "the folder cannot be read: %s", strerror(errno));
		return;
	}
	closedir(directory);
	if (asprintf(&pattern, "%s/*.conf", folder) < 0)
		config_memory(NULL);
	if (!glob(pattern, 0, NULL, &found_files)) {
		for (size_t i = 0; i < found_files.gl_pathc; i++)
			read_drop_in(parser, found_files.gl_pathv[i]);
		globfree(&found_files);
	}
	free(pattern);
}

/* Files of @rules come first, if it is not NULL: others may change their sections. */
static void read_files(struct parser *parser, const char *path, const char *rules)
{
	struct settings *settings = parser->settings;
	char *drop_ins;

	memset(settings, 0, sizeof(*settings));
	parser->seen = config_memory(calloc(config_option_count, sizeof(*parser->seen)));
	settings->places = config_memory(calloc(config_option_count,
						sizeof(*settings->places)));
	for (size_t i = 0; i < config_option_count; i++)
		if (option_is_of(&config_options[i], "kerrord") ||
		    option_is_of(&config_options[i], "metrics"))
			config_set_default(parser, &config_options[i]);
	if (rules)
		read_folder(parser, rules);
	read_file(parser, path);
	if (asprintf(&drop_ins, "%s.d", path) < 0)
		config_memory(NULL);
	read_folder(parser, drop_ins);
	free(drop_ins);
	parser->sink = NULL;
	free(parser->seen);
	parser->seen = NULL;
}

/* The folder of rules is known when the rest has been read, for which it comes first. */
static void read_all(struct parser *parser, const char *path)
{
	struct settings first;
	struct parser quiet = { .settings = &first, .quiet = true };

	parser->path = path;
	read_files(&quiet, path, NULL);
	read_files(parser, path, first.rules_folder);
	config_free(&first);
}

int config_read(struct settings *settings, const char *path, bool check_machine)
{
	struct parser parser = { .settings = settings };

	read_all(&parser, path);
	if (!parser.errors)
		config_check_sections(&parser);
	if (!parser.errors)
		config_check_tags(&parser);
	config_part_rules(settings);
	if (!parser.errors && !settings->sinks) {
		parser.place.line = 0;
		config_complain(&parser, "no section for a sink; one of: %s", ALL_SINKS);
	}
	if (!parser.errors && check_machine)
		config_check_machine(&parser);
	if (!parser.errors)
		return 0;
	config_free(settings);
	return -EINVAL;
}

const struct sink_settings *config_read_rule(struct settings *settings,
					     const char *path, const char *name)
{
	struct parser parser = { .settings = settings, .quiet = true };
	const struct sink_settings *sink;

	read_all(&parser, path);
	for (sink = settings->sinks; sink; sink = sink->next)
		if (sink->type == &rule_sink && !strcmp(sink->name, name) &&
		    sink->command)
			break;
	return sink;
}
