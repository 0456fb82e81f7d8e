/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kerrorctl report: what report.c counts in the store, once, and what report_text.c,
 * report_html.c and report_json.c print of it. So the numbers are the same in each.
 */
#ifndef REPORT_H
#define REPORT_H

#include "tally.h"

/* Rows of a table at most */
#define REPORT_ROWS	10

/* Columns of the plot at most */
#define REPORT_SLOTS	60

/* How many are shown apart: emerg to crit, err, warning, and the rest */
enum band { BAND_CRIT, BAND_ERR, BAND_WARNING, BAND_OTHER, BANDS };

enum band band_of(unsigned int severity);
extern const char *const band_names[BANDS];

/* How a boot has ended, as the next kernel told, or as far as its events tell */
enum ending { ENDING_RUNS, ENDING_PANIC, ENDING_STOPPED, ENDING_CUT, ENDING_UNKNOWN };

/**
 * struct report_boot - a boot that has events in the period
 * @id: that of the kernel
 * @host: the machine, or ""
 * @first: time of its first event in the period, nanoseconds since 1970
 * @last: of the last
 * @events: by band
 * @oopses: events that came while an oops was in progress
 * @ending: how it ended
 */
struct report_boot {
	char *id, *host;
	uint64_t first, last, events[BANDS], oopses;
	enum ending ending;
};

/* In words */
const char *ending_text(const struct report_boot *boot);

/* @cause: a loss's; @group: its group's name */
struct report_loss {
	char *cause;
	const char *group;
	uint64_t count;
};

/**
 * struct report - all of it
 * @common: the options
 * @width: of the terminal that a text is for, or 0
 * @host: the machine that all events are from, "2 machines", or this one if there are none
 * @hosts: how many machines they are from
 * @made: when, nanoseconds since 1970
 * @since: the period begins; of "everything", with the first event
 * @until: the period ends
 * @oldest: time of the first event in the store, or 0
 * @events: in the period
 * @unacknowledged: of these, those that nobody has acknowledged
 * @by_severity: likewise; the last: of no severity
 * @losses_total: events lost in the period
 * @begin: of the first column of the plot: on the hour, say, and so not behind @since
 * @slot_ns: width of a column
 * @slots: how many there are
 * @slot: events of each, by band
 * @all: kinds of the period, and those of before, which are known
 * @kinds: of the period, the most frequent first
 * @new_kinds: of the period, those that were never before, the newest first
 * @devices: of the period
 * @facilities: of the period
 * @boots: in the order of their first events
 * @losses: by cause and group
 * @conditions: copies; those that last first
 * @deleted: how many events kerrord has deleted since the store was made
 */
struct report {
	const struct common *common;
	size_t width;
	char host[65];
	size_t hosts;
	uint64_t made, since, until, oldest;
	uint64_t events, unacknowledged, by_severity[9], losses_total;
	uint64_t begin, slot_ns, slots, slot[REPORT_SLOTS][BANDS];
	struct tally all, kinds, new_kinds, devices, facilities;
	struct report_boot *boots;
	size_t boots_count;
	struct report_loss *losses;
	size_t losses_count;
	struct condition *conditions;
	size_t conditions_count, conditions_last;
	uint64_t deleted;
};

void report_as_text(const struct report *report);
void report_as_html(const struct report *report);
void report_as_json(const struct report *report);

#endif
