/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the commands of kerrorctl share. Each command is one file, which parses
 * its own options; an error is one line on standard error that names the remedy,
 * and ends the program with status 1, or 2 if it was used in a wrong way.
 *
 * The Makefile lists the parts of a kerrorctl without the store.
 */
#ifndef KERRORCTL_H
#define KERRORCTL_H

#include <getopt.h>
#include <regex.h>
#include <syslog.h>
#include "output.h"
#ifdef WITH_STORE
#include "store.h"
#endif

/* Each returns the exit status; argv[0] is the name of the command. */
int command_watch(int argc, char **argv);
int command_query(int argc, char **argv);
int command_show(int argc, char **argv);
int command_report(int argc, char **argv);
int command_boots(int argc, char **argv);
int command_lastwords(int argc, char **argv);
int command_ack(int argc, char **argv);
int command_top(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_health(int argc, char **argv);
int command_fleet(int argc, char **argv);
int command_clear(int argc, char **argv);
int command_selftest(int argc, char **argv);
int command_send(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_formats(int argc, char **argv);
int command_check_rules(int argc, char **argv);

/* ---- The command line: options.c ---- */

/* How events are printed: as --output names it, or what fitting_output() makes of OUTPUT_SHORT */
enum output {
	OUTPUT_SHORT, OUTPUT_ISO, OUTPUT_VERBOSE, OUTPUT_CAT, OUTPUT_JSON, OUTPUT_NARROW
};

/**
 * struct common - the options that mean the same in every command that has them
 * @usage: the text of --help
 * @style: what --color and --translate ask for
 * @output: --output
 * @json: --json, which is --output=json
 * @no_pager: --no-pager
 * @groups: of --group, KERROR_GROUP bits, or 0: the command's own
 * @filter: of --filter, --facility and --priority, or NULL
 * @filter_text: as it was given
 * @facilities: the filter that is made of --facility, as text, or NULL
 * @hosts: likewise of --host
 * @has_priority: --priority
 * @own_choice: the command itself does what --priority and --facility ask for
 * @worst: the worst severity that --priority asks for
 * @least: the least severe one
 * @grep: of --grep, or NULL
 * @live_filter: that was typed while the command runs, or NULL
 * @store: --store, or NULL: the default
 * @explanations: --explanations, or NULL: all that are installed
 */
struct common {
	const char *usage;
	struct print_style style;
	enum output output;
	bool json, no_pager;
	uint32_t groups;
	struct kerror_filter *filter;
	const char *filter_text;
	char *facilities, *hosts;
	bool has_priority, own_choice;
	int worst, least;
	regex_t *grep;
	struct kerror_filter *live_filter;
	const char *store;
	const char *explanations;
};

/* Short options are single letters; these have none. */
enum {
	OPTION_COLOR = 256, OPTION_EXPLAIN, OPTION_EXPLANATIONS, OPTION_FILTER,
	OPTION_GREP, OPTION_HOST, OPTION_NO_PAGER, OPTION_FIRST_OWN
};

#define JSON_OPTION	{ "json", no_argument, NULL, 'j' }
#define COLOR_OPTION	{ "color", required_argument, NULL, OPTION_COLOR }
#define TRANSLATE_OPTION { "translate", no_argument, NULL, 't' }
#define OUTPUT_OPTION	{ "output", required_argument, NULL, 'o' }
#define NO_PAGER_OPTION	{ "no-pager", no_argument, NULL, OPTION_NO_PAGER }
#define FILTER_OPTION	{ "filter", required_argument, NULL, OPTION_FILTER }
#define PRIORITY_OPTION	{ "priority", required_argument, NULL, 'p' }
#define GREP_OPTION	{ "grep", required_argument, NULL, OPTION_GREP }
#define HOST_OPTION	{ "host", required_argument, NULL, OPTION_HOST }
#define FACILITY_OPTION	{ "facility", required_argument, NULL, 'F' }
#define EXPLANATIONS_OPTION { "explanations", required_argument, NULL, OPTION_EXPLANATIONS }
/* The old word for it */
#define CATALOGUE_OPTION { "catalogue", required_argument, NULL, OPTION_EXPLANATIONS }
#define STORE_OPTION	{ "store", required_argument, NULL, 's' }
#define GROUP_OPTION	{ "group", required_argument, NULL, 'g' }
#define HELP_OPTION	{ "help", no_argument, NULL, 'h' }
#define LAST_OPTION	{ NULL, 0, NULL, 0 }

/* Which events: FILTER_, FACILITY_, PRIORITY_, GREP_ and GROUP_OPTION in each command */
#define SELECTION_SHORTS "F:p:g:"
#define SELECTION_USAGE \
"      --filter=FILTER  only events that match\n" \
"  -F, --facility=NAME  only events of this facility; may be given several times\n" \
"  -p, --priority=LEVEL only of this severity and worse, or of two as warning..err\n" \
"      --grep=REGEX     only events with this in their text\n"
#define OUTPUT_USAGE \
"  -o, --output=HOW     short (default), short-iso, verbose, cat or json\n" \
"  -j, --json           as --output=json: one JSON object a line\n"
#define COLOR_USAGE \
"      --color=WHEN     auto (default: on a terminal), always or never\n"
#define NO_PAGER_USAGE \
"      --no-pager       on a terminal, too\n"
#define EXPLANATIONS_USAGE \
"      --explanations=FILE  severities from here; default: all that are installed\n"
#define HELP_USAGE \
"  -h, --help           this text\n"

/*
 * As getopt_long(), but handles the options above itself, and ends the program for
 * one that is unknown or lacks its value. argv[0] is the command's name.
 */
int next_option(struct common *common, int argc, char **argv,
		const char *shorts, const struct option *longs);

/* Ends the program if anything follows the options. */
void no_arguments(int argc, char **argv);

/* Ends the program: an option or an argument is wrong. */
#define STATUS_WRONG_USE 2
void wrong_use(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Whether --filter, --facility, --priority and --grep let it through */
bool is_wanted(const struct common *common, const struct kerror_event *event);

/* Parses the value of an option or argument, or ends the program. */
unsigned long parse_number(const char *what, const char *value,
			   unsigned long least, unsigned long most);

/* Index of @value in @names, which ends with NULL, or ends the program. */
unsigned int parse_name(const char *what, const char *value,
			const char *const *names);

/* Ends the program if standard output does not take what was printed. */
void flush_output(void);

void *must_have(void *memory);

/**
 * struct likely - the name that is most like a mistyped one: likely.c
 * @wanted: what was typed
 * @best: the name, or NULL: none is like it
 * @typos: how many lie between these two
 */
struct likely {
	const char *wanted, *best;
	unsigned int typos;
};

void likely_add(struct likely *likely, const char *name);

/* "; did you mean NAME?" with @before before the name, or "" */
const char *did_you_mean(const struct likely *likely, const char *before);

/* ---- The kernel: listen.c ---- */

/* Every group that there is, and those that commands show if not told otherwise */
#define ALL_GROUPS (KERROR_GROUP_RAW | KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK)
#define USUAL_GROUPS (KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK)

/*
 * Listens to @groups. If only CAP_SYSLOG for the group printk is missing, says so,
 * takes that group off @groups, and listens to the others. 0, or a negative errno.
 */
int listen_as_permitted(struct kerror_socket **sock, uint32_t *groups);

/*
 * Listens to the groups that --group asks for, else to the usual ones as far as
 * that is permitted, and sets @common->groups; or ends the program.
 */
struct kerror_socket *listen_to(struct common *common);

/* A reader of these groups; without memory it ends the program. */
struct kerror_reader *read_from(uint32_t groups);

/*
 * Lets the kernel drop what --filter, if it is given, does not want. It may let
 * more through: kerror_filter_matches() has the last word.
 */
void filter_in_kernel(struct kerror_socket *sock, struct kerror_reader *reader,
		      const struct common *common);

/* To be freed; without memory it ends the program. */
struct kerror_event *copy_event(const struct kerror_event *event);

/**
 * struct held - the newest events of those that came: held.c
 * @limit: how many at most; 0: none is held
 * @next: how many came
 * @events: a ring, or NULL: none came
 */
struct held {
	size_t limit, next;
	struct kerror_event **events;
};

void hold_event(struct held *held, const struct kerror_event *event);

/* Calls @print for each, the oldest first; no more are held then. */
void release_held(struct held *held,
		  void (*print)(void *context, const struct kerror_event *event), void *context);

/* ---- Keys on a terminal: keys.c ---- */

/**
 * struct keys - what is typed while a command runs; begin with zeros
 * @on: there is a terminal to type on
 * @typing: a filter is being typed
 * @length: bytes of @line
 * @line: what was typed so far
 * @used: the filter that counts, as it was typed
 * @message: what is wrong with the last one, or ""
 */
struct keys {
	bool on, typing;
	size_t length;
	char line[256], used[256], message[320];
};

enum key { KEY_NONE, KEY_TYPED, KEY_FILTER, KEY_QUIT };

/* From now on keys count at once, until the program ends. */
void begin_keys(struct keys *keys);

/* Does not wait. After KEY_FILTER, use_live_filter() is to be called. */
enum key next_key(struct keys *keys);

/* Makes what was typed the filter, or says what is wrong and returns false. */
bool use_live_filter(struct common *common, struct keys *keys);

/* From now on SIGINT and SIGTERM wait until next_item() tells of them. */
void block_signals(void);

/*
 * Gets the next item, NONE after @timeout ms; if the socket fails it ends the
 * program. Sets @stop, unless that is NULL, after SIGINT or SIGTERM.
 */
enum kerror_item next_item(struct kerror_socket *sock,
			   struct kerror_reader *reader, int timeout,
			   bool *stop);

/* CLOCK_MONOTONIC */
uint64_t now_ms(void);

/* ---- The operators' catalogues: severity.c ---- */

#ifdef WITH_STORE

/* Those that --explanations asks for, or ends the program. */
struct explanations *read_explanations(const struct common *common);

/* From now on events have the operator's severity. */
void use_severities(const struct common *common);

/*
 * The event that was read last, with the operator's severity; valid until the
 * next call.
 */
const struct kerror_event *event_of(const struct kerror_reader *reader);

/*
 * What --filter may still want of events that have the kernel's severity: the
 * same filter, or one that is to be freed; NULL if no filter can tell.
 */
struct kerror_filter *widen_filter(const struct common *common);

#else

static inline void use_severities(const struct common *common)
{
	(void)common;
}

static inline struct kerror_filter *widen_filter(const struct common *common)
{
	return common->filter;
}

static inline const struct kerror_event *event_of(const struct kerror_reader *reader)
{
	return kerror_reader_event(reader);
}

#endif

/* ---- The store: find.c ---- */

#ifdef WITH_STORE

/* Opens the store that --store names, or ends the program. */
struct store *open_store(const struct common *common, bool writable);

/* Ends the program if @result, of a function of the store, is an error. */
void check_store(const struct store *store, int64_t result);

/* The events that the options want; @common has to stay. */
void select_stored(struct store_query *query, struct common *common);

/*
 * Between a query, oldest first, and its @found: the parts of a line of the kernel log
 * become one event. stored_lines_end() gives the last ones, and frees it.
 */
struct stored_lines;
struct stored_lines *stored_lines_new(int (*found)(void *context, const struct store_item *item),
				      void *context);
int stored_lines_add(struct stored_lines *lines, const struct store_item *item);
void stored_lines_end(struct stored_lines *lines);

/* ---- Boots: boots.c ---- */

/**
 * struct boots - those of a store, the oldest first
 * @boot: copies
 * @count: how many
 * @current: index of the one that runs; @count: the store has nothing of it
 * @running: its id
 */
struct boots {
	struct store_boot *boot;
	size_t count, current;
	char running[BOOT_ID_SIZE];
};

/* Without @count no events are counted, which takes long. */
struct boots read_boots(struct store *store, bool count);
void free_boots(struct boots *boots);

/* How and when it ended, and what with: without a newline */
void print_end(const struct store_boot *boot);

/* How many events are of which severity, with @separator before the first */
void print_severities(const struct store_boot *boot, const char *separator);

/* Characters of an id that --boot takes for one, not for a number */
#define BOOT_PREFIX 8

/*
 * The value of --boot, which may be absent or in the next argument, as for
 * journalctl. NULL: the option has none, which means the boot that runs.
 */
const char *boot_value(int argc, char **argv);

/* The id of the boot that --boot names, or ends the program; NULL: all boots */
const char *find_boot(struct store *store, const char *value);

/* For boots and --list-boots; with a pager */
void list_boots(const struct common *common, struct store *store);

/* ---- Stored events as lines: stored.c ---- */

/**
 * struct stored_style - how to show what is in the store
 * @common: the options
 * @output: OUTPUT_NARROW if the terminal is
 * @columns: of a line at most, or 0: any number
 * @digits: of the largest number in the store
 */
struct stored_style {
	const struct common *common;
	enum output output;
	size_t columns;
	int digits;
};

/* @columns: of the terminal that there was before the pager began; @paged: no line is cut */
struct stored_style stored_style(const struct common *common, struct store *store,
				 size_t columns, bool paged);
/* For event_json() and the like: with what the store knows of the item */
struct print_style stored_print_style(const struct common *common,
				      const struct store_item *item);

void print_stored(const struct stored_style *style, const struct store_item *item);

/* Prints what was stored behind @mark, and from now on; does not return. */
void follow_store(const struct common *common, const struct store_query *query,
		  struct store_mark mark) __attribute__((noreturn));

#endif

/* ---- Times: times.c ---- */

/* Nanoseconds since 1970; the grammar is in kerrorctl(1). */
uint64_t parse_time(const char *option, const char *value);

/* Of --since; 0, which is no limit, for "all" */
uint64_t parse_since(const char *value);

uint64_t now_ns(void);

/* Ends the program unless @since is before @until; 0 is no limit. */
void check_period(uint64_t since, uint64_t until);

/* ---- Test events: send.c ---- */

/*
 * Has the kernel raise its test event with this number. Returns false if that
 * cannot be, and says why and what to do in @message.
 */
bool raise_test_event(uint32_t number, char *message, size_t size);

/* The test event; see kernel/evlog.c. */
#define TEST_FACILITY	"evlog"
#define TEST_FORMAT	"test event %u, asked for by user space"

/* ---- Output: print.c, line.c, pager.c ---- */

/* This machine, as it is when this is called first, see identity_read(); not to be released */
struct kerror_origin *own_origin(uint64_t instance);

/* Lets a pager show what follows, if that is wanted and the output is a terminal. */
bool begin_pager(const struct common *common);

/* The columns of the terminal, or 0: the output is none */
size_t terminal_width(void);

/* A terminal of less is narrow. */
#define WIDE_COLUMNS 132

static inline bool is_narrow(size_t width)
{
	return width && width < WIDE_COLUMNS;
}

/* OUTPUT_NARROW for OUTPUT_SHORT on a terminal that is so wide */
enum output fitting_output(enum output output, size_t width);

/*
 * Prints a text of one line, which begins in column @indent, in lines of @columns at
 * most, broken between words; 0: in one line. fold.c
 */
void print_folded(const char *text, size_t size, size_t indent, size_t columns);

/*
 * @time, nanoseconds since 1970, as 2026-01-31 23:59:59, 2026-01-31T23:59:59.000000+01:00 for
 * OUTPUT_ISO, or 01-31 23:59:59 for OUTPUT_NARROW
 */
void local_time(struct buffer *to, uint64_t time, enum output output);

/* A line, unless that is OUTPUT_VERBOSE or OUTPUT_JSON; @columns at most, 0: any */
void print_short(FILE *file, const struct print_style *style, enum output output,
		 const struct kerror_event *event, uint64_t time, size_t columns);

/* The line of OUTPUT_VERBOSE */
void print_event(FILE *file, const struct print_style *style,
		 const struct kerror_event *event);
void print_loss(FILE *file, const struct print_style *style,
		const struct kerror_loss *loss);
void print_event_json(FILE *file, const struct print_style *style,
		      const struct kerror_event *event);
void print_loss_json(FILE *file, const struct print_style *style,
		     const struct kerror_loss *loss);

/* Prints text of any bytes, with "\xHH" for each that is not printable. */
void print_printable(FILE *file, const char *text, size_t size);

/* Prints @time, nanoseconds since 1970, as 2026-01-31 23:59:59, local time. */
void print_time(FILE *file, uint64_t time);

/* Without the date */
void print_clock(FILE *file, uint64_t time);

/* JSON of json-c; without memory these end the program. */

struct json_object;

/* JSON is UTF-8: a byte that is not becomes "\xHH". */
struct json_object *json_text(const char *text, size_t size);
struct json_object *json_string(const char *text);
struct json_object *json_number(uint64_t value);
void json_add(struct json_object *object, const char *key,
	      struct json_object *value);
/* Adds that a format has no id of its own, and returns true, if that is so. */
bool json_add_own_id(struct json_object *object, const char *format);

/* An object of the item "condition": health.c */
struct condition;
struct json_object *condition_json(const struct condition *condition);

/* Prints @object in one line, and frees it. */
void json_print(FILE *file, struct json_object *object);

#endif
