// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl report --html: one page that needs no network and no script. Whatever bytes
 * a driver reports, they are text here.
 */
#include <inttypes.h>
#include <string.h>
#include "report_html.h"

/* Of the text of an event, in bytes */
#define EXAMPLE_MAX 300

const char *band_class(enum band band)
{
	static const char *const names[BANDS] = { "crit", "err", "warning", "other" };

	return names[band];
}

static void print_bytes(const char *text, size_t size)
{
	struct buffer made = { 0 };

	buffer_printable(&made, text, size);
	for (size_t i = 0; i < made.size; i++) {
		char c = made.bytes[i];

		if (c == '<')
			fputs("&lt;", stdout);
		else if (c == '&')
			fputs("&amp;", stdout);
		else if (c == '"')
			fputs("&quot;", stdout);
		else
			putchar(c);
	}
	buffer_free(&made);
}

static void print_text(const char *text)
{
	print_bytes(text, strlen(text));
}

/* @name: of the column, which a narrow page shows beside it, or NULL: it is clear */
static void print_cell_time(uint64_t time, const char *name)
{
	fputs("<td class=\"t\"", stdout);
	if (name)
		printf(" data-name=\"%s\"", name);
	putchar('>');
	print_time(stdout, time);
	fputs("</td>", stdout);
}

/* Not broken where a line ends */
static void print_whole_time(uint64_t time)
{
	fputs("<span class=\"t\">", stdout);
	print_time(stdout, time);
	fputs("</span>", stdout);
}

static void print_severity(unsigned int severity)
{
	printf("<span class=\"%s\">%s</span>", band_class(band_of(severity)),
	       severity < 8 ? kerror_severity_name(severity) : "-");
}

static void print_begin(const struct report *report)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<title>kerror: ", stdout);
	print_text(report->host);
	fputs("</title>\n<style>\n", stdout);
	fputs(report_style, stdout);
	fputs("</style></head><body>\n<h1>Kernel events of ", stdout);
	print_text(report->host);
	fputs("</h1>\n<p class=\"dim\">", stdout);
	print_time(stdout, report->since);
	fputs(" to ", stdout);
	print_time(stdout, report->until);
	fputs(", local time; made ", stdout);
	print_time(stdout, report->made);
	puts("</p>");
}

static void print_tile(uint64_t count, const char *what)
{
	printf("<div class=\"tile\"><b>%" PRIu64 "</b>%s</div>\n", count, what);
}

static void print_tiles(const struct report *report)
{
	puts("<div class=\"tiles\">");
	print_tile(report->events, report->events == 1 ? "event" : "events");
	print_tile(report->by_severity[0] + report->by_severity[1] + report->by_severity[2],
		   "crit and worse");
	print_tile(report->by_severity[3], "err");
	print_tile(report->by_severity[4], "warning");
	print_tile(report->conditions_last, report->conditions_last == 1 ?
		   "condition lasts" : "conditions last");
	print_tile(report->unacknowledged, "not acknowledged");
	print_tile(report->losses_total, "lost");
	puts("</div>");
}

static void print_condition(const struct condition *condition)
{
	printf("<div class=\"card %s\"><b>", condition->cleared ? "other" :
	       band_class(band_of(condition->severity)));
	print_text(condition->name);
	if (*condition->key)
		putchar(' ');
	print_text(condition->key);
	printf("</b> (%s) %" PRIu64 " event%s since ",
	       kerror_severity_name(condition->severity), condition->count,
	       condition->count == 1 ? "" : "s");
	print_whole_time(condition->since);
	if (condition->cleared) {
		fputs(", cleared ", stdout);
		print_whole_time(condition->cleared);
		fputs(" by ", stdout);
		print_text(condition->cleared_by);
	}
	fputs("<p><code>", stdout);
	print_text(condition->text);
	fputs("</code></p>", stdout);
	if (*condition->meaning || *condition->remedy) {
		fputs("<p>", stdout);
		print_text(condition->meaning);
		putchar(' ');
		print_text(condition->remedy);
		fputs("</p>", stdout);
	}
	puts("</div>");
}

static void print_conditions(const struct report *report)
{
	puts("<h2>What is wrong</h2>");
	if (!report->conditions_count)
		puts("<p class=\"dim\">No condition lasts, and none was cleared.</p>");
	puts("<div class=\"cards\">");
	for (size_t i = 0; i < report->conditions_count; i++)
		print_condition(&report->conditions[i]);
	puts("</div>");
}

static void print_width(uint64_t seconds)
{
	static const struct {
		unsigned int seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (seconds % units[i].seconds)
		i++;
	printf("%" PRIu64 " %s", seconds / units[i].seconds, units[i].name);
}

static void print_over_time(const struct report *report)
{
	puts("<h2>Events over time</h2>");
	svg_events(report);
	fputs("<p class=\"legend\">", stdout);
	for (int band = 0; band < BANDS; band++)
		printf("<span class=\"%s\">%s</span>", band_class(band), band_names[band]);
	fputs("<span>a column is ", stdout);
	print_width(report->slot_ns / 1000000000);
	puts("</span></p>");
}

static void print_boots(const struct report *report)
{
	printf("<h2>Boots</h2>\n<table><tr><th>boot</th>%s<th>first event</th><th>last event</th>"
	       "<th>end</th><th class=\"n\">events</th><th class=\"wide\">severities</th>"
	       "<th class=\"n\">in an oops</th></tr>\n",
	       report->hosts > 1 ? "<th>host</th>" : "");
	for (size_t i = 0; i < report->boots_count; i++) {
		const struct report_boot *boot = &report->boots[i];
		uint64_t events = 0;

		for (int band = 0; band < BANDS; band++)
			events += boot->events[band];
		printf("<tr><td><code>%.8s</code></td>", boot->id);
		if (report->hosts > 1) {
			fputs("<td class=\"w\">", stdout);
			print_text(boot->host);
			fputs("</td>", stdout);
		}
		print_cell_time(boot->first, "from");
		print_cell_time(boot->last, "to");
		printf("<td data-name=\"end\">%s</td><td class=\"n\" data-name=\"events\">%" PRIu64
		       "</td><td class=\"wide\">", ending_text(boot), events);
		svg_bands(boot->events);
		printf("</td><td class=\"n\" data-name=\"in an oops\">%" PRIu64 "</td></tr>\n",
		       boot->oopses);
	}
	puts("</table>");
}

/* Words of the first event of a kind, unless the kind is its words */
static void print_example(const struct tally_entry *entry)
{
	size_t size;
	const char *text;

	if (!kerror_event_format(entry->event))
		return;
	text = event_text(entry->event, &size);
	fputs("<br><small>", stdout);
	print_bytes(text, size < EXAMPLE_MAX ? size : whole_characters(text, EXAMPLE_MAX));
	puts("</small>");
}

static void print_row(const struct tally_entry *entry, uint64_t most, bool first)
{
	printf("<tr><td class=\"n\">%" PRIu64 "</td><td class=\"wide\">", entry->count);
	svg_bar(entry->count, most, entry->worst);
	fputs("</td><td class=\"s\">", stdout);
	print_severity(entry->worst);
	fputs("</td>", stdout);
	for (size_t key = 0; key < entry->keys->count; key++) {
		fputs("<td class=\"w\"><code>", stdout);
		print_text(*entry->value[key] ? entry->value[key] : "-");
		fputs("</code>", stdout);
		if (entry->keys->key[key].kind == TALLY_EVENT)
			print_example(entry);
		fputs("</td>", stdout);
	}
	print_cell_time(first ? entry->first : entry->last, NULL);
	puts("</tr>");
}

/* @first: the time is that of the first event */
static void print_tally(const char *head, const struct tally *tally, bool first,
			const char *none)
{
	uint64_t most = 0;

	printf("<h2>%s</h2>\n", head);
	if (!tally->size) {
		printf("<p class=\"dim\">%s</p>\n", none);
		return;
	}
	fputs("<table><tr><th class=\"n\">count</th><th class=\"wide\"></th><th>worst</th>", stdout);
	for (size_t key = 0; key < tally->keys.count; key++)
		printf("<th class=\"w\">%s</th>", key_name(&tally->keys.key[key]));
	printf("<th>%s</th></tr>\n", first ? "first" : "last");
	for (size_t i = 0; i < tally->size && i < REPORT_ROWS; i++)
		if (tally->entries[i]->count > most)
			most = tally->entries[i]->count;
	for (size_t i = 0; i < tally->size && i < REPORT_ROWS; i++)
		print_row(tally->entries[i], most, first);
	puts("</table>");
	if (tally->size > REPORT_ROWS)
		printf("<p class=\"dim\">and %zu more</p>\n", tally->size - REPORT_ROWS);
}

static void print_losses(const struct report *report)
{
	puts("<h2>Lost</h2>");
	if (!report->losses_count)
		puts("<p class=\"dim\">Nothing was lost.</p>");
	else
		puts("<table><tr><th class=\"n\">events</th><th>group</th><th class=\"w\">cause</th></tr>");
	for (size_t i = 0; i < report->losses_count; i++) {
		printf("<tr><td class=\"n\">%" PRIu64 "</td><td>%s</td><td class=\"w\">",
		       report->losses[i].count, report->losses[i].group);
		print_text(report->losses[i].cause);
		puts("</td></tr>");
	}
	if (report->losses_count)
		puts("</table>");
	if (report->deleted)
		printf("<p class=\"dim\">kerrord has deleted %" PRIu64 " old events, of any time.</p>\n",
		       report->deleted);
}

void report_as_html(const struct report *report)
{
	print_begin(report);
	print_tiles(report);
	print_over_time(report);
	print_boots(report);
	print_conditions(report);
	print_tally("Most frequent", &report->kinds, false, "There was no event.");
	print_tally("New: not in the store before that time", &report->new_kinds, true,
		    "No kind is new.");
	print_tally("Devices", &report->devices, false, "No event named a device.");
	print_tally("Facilities", &report->facilities, false, "There was no event.");
	print_losses(report);
	if (report->oldest >= report->since)
		puts("<p class=\"dim\">The store begins within that time, so each kind is new.</p>");
	puts("</body></html>");
}
