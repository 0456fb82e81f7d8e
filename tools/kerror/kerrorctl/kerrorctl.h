/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of kerrorctl share. Each command is one file, which parses
 * its own options; an error is one line on standard error that names the remedy,
 * and ends the program with status 1.
 *
 * A kerrorctl without the store is kerrorctl.c, listen.c and watch.c only.
 */
#ifndef KERRORCTL_H
#define KERRORCTL_H

#include <getopt.h>
#include <syslog.h>
#include "output.h"

/* Each returns the exit status; argv[0] is the name of the command. */
int command_watch(int argc, char **argv);
int command_query(int argc, char **argv);
int command_ack(int argc, char **argv);
int command_top(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_health(int argc, char **argv);
int command_clear(int argc, char **argv);
int command_selftest(int argc, char **argv);
int command_send(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_catalog(int argc, char **argv);
int command_check_rules(int argc, char **argv);

/* ---- The command line: kerrorctl.c ---- */

/**
 * struct common - the options that mean the same in every command that has them
 * @usage: the text of --help
 * @style: what --color and --translate ask for
 * @json: --json
 * @groups: of --group, KERROR_GROUP bits, or 0: the command's own
 * @filter: of --filter and --facility, or NULL
 * @filter_text: as it was given
 * @facilities: the filter that is made of --facility, as text, or NULL
 * @store: --store, or NULL: the default
 * @catalogue: --catalogue, or NULL: all that are installed
 */
struct common {
	const char *usage;
	struct print_style style;
	bool json;
	uint32_t groups;
	struct kerror_filter *filter;
	const char *filter_text;
	char *facilities;
	const char *store;
	const char *catalogue;
};

/* Short options are single letters; these have none. */
enum { OPTION_COLOR = 256, OPTION_EXPLAIN, OPTION_CATALOGUE, OPTION_JOIN };

#define JSON_OPTION	{ "json", no_argument, NULL, 'j' }
#define COLOR_OPTION	{ "color", required_argument, NULL, OPTION_COLOR }
#define TRANSLATE_OPTION { "translate", no_argument, NULL, 't' }
#define FILTER_OPTION	{ "filter", required_argument, NULL, 'f' }
#define FACILITY_OPTION	{ "facility", required_argument, NULL, 'F' }
#define CATALOGUE_OPTION { "catalogue", required_argument, NULL, OPTION_CATALOGUE }
#define STORE_OPTION	{ "store", required_argument, NULL, 's' }
#define GROUP_OPTION	{ "group", required_argument, NULL, 'g' }
#define HELP_OPTION	{ "help", no_argument, NULL, 'h' }
#define LAST_OPTION	{ NULL, 0, NULL, 0 }

/*
 * As getopt_long(), but handles the options above itself, except --facility, and
 * ends the program for one that is unknown or lacks its value. argv[0] is the
 * command's name.
 */
int next_option(struct common *common, int argc, char **argv,
		const char *shorts, const struct option *longs);

/*
 * For --facility: from the last next_option() on, --filter lets through events of
 * this facility and of others for which this was called, but of no more.
 */
void want_facility(struct common *common, const char *command, const char *name);

/* Ends the program if anything follows the options. */
void no_arguments(int argc, char **argv);

/* Whether --filter and --facility let it through */
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

/* Those that --catalogue asks for, or ends the program. */
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

struct store;

/* Opens the store that --store names, or ends the program. */
struct store *open_store(const struct common *common, bool writable);

/* Ends the program if @result, of a function of the store, is an error. */
void check_store(const struct store *store, int64_t result);

/* Nanoseconds since 1970; the grammar is in kerrorctl(1). */
uint64_t parse_time(const char *option, const char *value);
uint64_t now_ns(void);

/* Ends the program unless @since is before @until; 0 is no limit. */
void check_period(uint64_t since, uint64_t until);

/* ---- Counting: tally.c ---- */

/* What events that are counted together have in common */
#define TALLY_FACILITY	0x1
#define TALLY_EVENT	0x2	/* the format, or else kind and number */
#define TALLY_DEVICE	0x4
#define TALLY_SEVERITY	0x8

/**
 * struct tally_entry - events that have the same key
 * @by: TALLY bits: what is in the key
 * @event: the first of them
 * @count: how many
 * @fresh: how many since somebody set this to 0
 * @first: earliest time
 * @last: latest time
 * @worst: the worst severity
 */
struct tally_entry {
	unsigned int by;
	struct kerror_event *event;
	uint64_t count, fresh, first, last;
	unsigned int worst;
};

/**
 * struct tally - counts of events by a key; begin with zeros and @by
 * @by: TALLY bits
 * @entries: in no order until tally_sort()
 * @size: how many
 * @tree: finds them
 */
struct tally {
	unsigned int by;
	struct tally_entry **entries;
	size_t size;
	void *tree;
};

/* @time: nanoseconds since 1970 */
void tally_add(struct tally *tally, const struct kerror_event *event,
	       uint64_t time);

/* The most fresh first, then the most frequent. */
void tally_sort(struct tally *tally);

/* One line: at most @limit entries (0: all), below a head if @head is true */
void tally_print(const struct tally *tally, const struct print_style *style,
		 size_t limit, double interval_s);
void tally_print_json(const struct tally *tally, size_t limit,
		      double interval_s);

/* ---- Test events: send.c ---- */

/*
 * Has the kernel raise its test event with this number. Returns false if that
 * cannot be, and says why and what to do in @message.
 */
bool raise_test_event(uint32_t number, char *message, size_t size);

/* What the test event is; see kernel/evlog.c. */
#define TEST_FACILITY	"evlog"
#define TEST_FORMAT	"test event %u, asked for by user space"

/* ---- Output ---- */

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

/* Prints @time, nanoseconds since 1970, as in 2026-01-31T23:59:59.000000Z. */
void print_time(FILE *file, uint64_t time);

/* JSON of json-c; without memory these end the program. */

struct json_object;

/* JSON is UTF-8: a byte that is not becomes "\xHH". */
struct json_object *json_text(const char *text, size_t size);
struct json_object *json_string(const char *text);
struct json_object *json_number(uint64_t value);
void json_add(struct json_object *object, const char *key,
	      struct json_object *value);

/* Prints @object in one line, and frees it. */
void json_print(FILE *file, struct json_object *object);

#endif
