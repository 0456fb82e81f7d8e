// SPDX-License-Identifier: GPL-2.0-only
/* kerrorctl report as text. */
#include <inttypes.h>
#include <string.h>
#include "report.h"

static void print_head(const struct report *report, const char *head)
{
	const struct print_style *style = &report->common->style;

	printf("\n%s%s%s\n", color_begin(style, LOG_INFO), head, color_end(style));
}

static void print_string(const char *text)
{
	print_printable(stdout, text, strlen(text));
}

static void print_totals(const struct report *report)
{
	printf("kerror on ");
	print_string(report->host);
	fputs(", ", stdout);
	print_time(stdout, report->since);
	fputs(" to ", stdout);
	print_time(stdout, report->until);
	printf("\n%" PRIu64 " events, %" PRIu64 " not acknowledged, %" PRIu64 " lost\n",
	       report->events, report->unacknowledged, report->losses_total);
	for (int i = 0; i < 9; i++)
		if (report->by_severity[i])
			printf("  %-8s %8" PRIu64 "\n", i < 8 ? kerror_severity_name(i) : "-",
			       report->by_severity[i]);
}

static void print_conditions(const struct report *report)
{
	const struct print_style *style = &report->common->style;

	print_head(report, "Conditions");
	if (!report->conditions_count)
		puts("  none");
	for (size_t i = 0; i < report->conditions_count; i++) {
		const struct condition *condition = &report->conditions[i];

		printf("  %s%s ",
		       color_begin(style, condition->cleared ? LOG_INFO : condition->severity),
		       condition->cleared ? "cleared" : kerror_severity_name(condition->severity));
		print_string(condition->name);
		if (*condition->key)
			putchar(' ');
		print_string(condition->key);
		printf("%s: %" PRIu64 " event%s since ", color_end(style), condition->count,
		       condition->count == 1 ? "" : "s");
		print_time(stdout, condition->since);
		fputs("\n    ", stdout);
		print_folded(condition->text, strlen(condition->text), 4, report->width);
	}
}

static void print_boots(const struct report *report)
{
	print_head(report, "Boots");
	if (!report->boots_count)
		puts("  none");
	else
		printf("%-8s  %-19s  %-19s  %-7s  %8s  %8s%s\n", "BOOT", "FIRST", "LAST", "END",
		       "EVENTS", "ERR+", report->hosts > 1 ? "  HOST" : "");
	for (size_t i = 0; i < report->boots_count; i++) {
		const struct report_boot *boot = &report->boots[i];

		uint64_t events = 0;

		for (int band = 0; band < BANDS; band++)
			events += boot->events[band];
		printf("%.8s  ", boot->id);
		print_time(stdout, boot->first);
		fputs("  ", stdout);
		print_time(stdout, boot->last);
		printf("  %-7s  %8" PRIu64 "  %8" PRIu64, ending_text(boot), events,
		       boot->events[BAND_CRIT] + boot->events[BAND_ERR]);
		if (report->hosts > 1) {
			fputs("  ", stdout);
			print_string(boot->host);
		}
		putchar('\n');
		if (boot->oopses)
			printf("  %" PRIu64 " events in an oops\n", boot->oopses);
	}
}

static void print_tally(const struct report *report, const char *head,
			const struct tally *tally, const char *none)
{
	print_head(report, head);
	if (tally->size)
		tally_print(stdout, tally, &report->common->style, REPORT_ROWS, 0);
	else
		printf("  %s\n", none);
	if (tally->size > REPORT_ROWS)
		printf("  and %zu more\n", tally->size - REPORT_ROWS);
}

static void print_losses(const struct report *report)
{
	print_head(report, "Lost");
	if (!report->losses_count)
		puts("  none");
	for (size_t i = 0; i < report->losses_count; i++) {
		printf("  %8" PRIu64 "  %s: ", report->losses[i].count, report->losses[i].group);
		print_string(report->losses[i].cause);
		putchar('\n');
	}
	if (report->deleted)
		printf("  kerrord has deleted %" PRIu64 " old events, of any time\n",
		       report->deleted);
}

void report_as_text(const struct report *report)
{
	print_totals(report);
	print_conditions(report);
	print_boots(report);
	print_tally(report, "Most frequent", &report->kinds, "none");
	print_tally(report, "New: not in the store before that time", &report->new_kinds, "none");
	print_tally(report, "Devices", &report->devices, "none was named");
	print_tally(report, "Facilities", &report->facilities, "none");
	print_losses(report);
}
