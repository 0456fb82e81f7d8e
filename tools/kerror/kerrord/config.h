/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the configuration.
 *
 * config.c        the table of options and sections; parses values
 * config_file.c   reads the file and its drop-ins with inih
 * config_tags.c   the section of tags
 * config_check.c  what is only known when all has been read, or of this machine
 * config_sample.c prints a file to begin with
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>
#include "kerrord.h"

/*
 * Texts by what they name: TEXT anything, OPTIONAL anything or nothing, PATH an
 * absolute path, FILE_PATH the same or nothing, OUTPUT where lines go, QUOTED anything or
 * nothing, in quotes if blanks at its ends count. Each is a text up to COMMAND.
 */
enum kind {
	TEXT, OPTIONAL, PATH, FILE_PATH, OUTPUT, ADDRESS, LISTEN, URL, QUOTED, COMMAND,
	GROUP, SECONDS, BYTES, COUNT, FILTER, THRESHOLD, FACILITY,
	FRAMING, ENCODING, COMPRESSION, YES, SOURCE, LEVEL, EXPIRY, TAG,
};

/**
 * struct option - one of the table
 * @sections: names of sections that have it
 * @name: as in the file
 * @kind: how its value is parsed and checked
 * @offset: in struct settings or struct sink_settings
 * @fallback: NULL: must be given; "": none
 * @effect: a line for the sample
 */
struct option {
	const char *sections;
	const char *name;
	enum kind kind;
	size_t offset;
	const char *fallback;
	const char *effect;
};

struct section {
	const char *name;
	const struct sink_type *type;
	const char *purpose;
};

/* Of [nats], and what may be between two */
#define NATS_SERVERS 16
#define NATS_SERVERS_APART " \t,"

#define ALL_SINKS "store json text journald syslog otlp nats collector rule"
/* Those that the receiver feeds */
#define FED_SINKS "store json text journald syslog otlp rule"

extern const struct option config_options[];
extern const size_t config_option_count;
extern const struct section config_sections[];
extern const size_t config_section_count;

/* Where an option was given; line 0: nowhere, it is the default */
struct place {
	const char *path;
	unsigned int line;
};

struct parser {
	struct settings *settings;
	const char *path;	/* of the configuration itself */
	struct place place;	/* of the line in hand */
	FILE *file;
	unsigned int errors;
	bool quiet;		/* complain of nothing */
	bool continued;		/* the last line went on beyond the buffer */
	bool *seen;		/* options of the section that this file has given */
	char section[100];
	struct sink_settings *sink;
};

/* One line on standard error; the first takes the line in hand for the place. */
void config_complain(struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void config_complain_at(struct parser *parser, const struct place *place,
			const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Parts the rules without a command from the sinks: the store looks at them. */
void config_part_rules(struct settings *settings);

/* Whether @word of @size is one of @words, parted by blanks */
bool has_word(const char *words, const char *word, size_t size);

/* Whether a section of that name, without the part behind a blank, has it */
bool option_is_of(const struct option *option, const char *section);

void config_set_default(struct parser *parser, const struct option *option);
void config_set(struct parser *parser, const struct option *option,
		const char *value);

/* strdup(), or the end of the program, which the other is for memory that may be NULL */
char *config_copy(const char *text);
void *config_memory(void *memory);

/* One of the options of [tags] */
void config_tag(struct parser *parser, const char *name, const char *value);
/* When all have been read: leaves out those without a value. */
void config_check_tags(struct parser *parser);
void config_free_tags(struct tag *tag);

/* Complains of a value that cannot be right on any machine. */
bool config_check_value(struct parser *parser, const struct option *option,
			const char *value);
/* The same of sections as a whole */
void config_check_sections(struct parser *parser);
/* Complains of what this machine lacks. */
void config_check_machine(struct parser *parser);

#endif
