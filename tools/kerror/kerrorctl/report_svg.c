// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plots of kerrorctl report: SVG within the page, coloured by its style sheet, so
 * that they are right in the dark and on paper, too. Each bar has a title that tells its
 * number.
 */
#include <inttypes.h>
#include "report.h"
#include "report_html.h"

/* Stretched to what the page has; texts, which are not to be stretched, are beside it. */
#define WIDTH	720
#define HEIGHT	160

static uint64_t sum_of(const uint64_t *counts)
{
	uint64_t sum = 0;

	for (int band = 0; band < BANDS; band++)
		sum += counts[band];
	return sum;
}

/* 1, 2 or 5 times a power of ten, not below @count */
static uint64_t round_up(uint64_t count)
{
	static const unsigned int steps[] = { 1, 2, 5 };

	for (uint64_t power = 1;; power *= 10)
		for (int i = 0; i < 3; i++)
			if (steps[i] * power >= count || power > UINT64_MAX / 50)
				return steps[i] * power;
}

static void print_slot_title(const struct report *report, size_t slot, int band)
{
	fputs("<title>", stdout);
	print_time(stdout, report->begin + slot * report->slot_ns);
	printf(": %" PRIu64 " %s</title>", report->slot[slot][band], band_names[band]);
}

static void print_bars(const struct report *report, uint64_t top)
{
	const double width = (double)WIDTH / report->slots;

	for (size_t slot = 0; slot < report->slots; slot++) {
		double y = HEIGHT;

		for (int band = 0; band < BANDS; band++) {
			double height = (double)HEIGHT * report->slot[slot][band] / top;

			if (!report->slot[slot][band])
				continue;
			/* A single one among thousands is seen, too. */
			if (height < 1.5)
				height = 1.5;
			y -= height;
			printf("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
			       band_class(band), slot * width, y,
			       width > 3 ? width - 1 : width, height);
			print_slot_title(report, slot, band);
			puts("</rect>");
		}
	}
}

void svg_events(const struct report *report)
{
	uint64_t top = 1;

	for (size_t slot = 0; slot < report->slots; slot++)
		if (sum_of(report->slot[slot]) > top)
			top = sum_of(report->slot[slot]);
	top = round_up(top);
	printf("<div class=\"plot\"><div class=\"y\"><span>%" PRIu64 "</span><span>0</span></div>"
	       "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
	       "aria-label=\"Events over time\">\n", top, WIDTH, HEIGHT);
	for (int line = 0; line <= 2; line++)
		printf("<line class=\"grid\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", WIDTH,
		       HEIGHT * line / 2, HEIGHT * line / 2);
	print_bars(report, top);
	fputs("</svg><div class=\"x\"><span>", stdout);
	print_time(stdout, report->begin);
	fputs("</span><span>", stdout);
	print_time(stdout, report->begin + report->slots * report->slot_ns);
	puts("</span></div></div>");
}

void svg_bar(uint64_t count, uint64_t most, unsigned int severity)
{
	printf("<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"%s\" width=\"%.1f\" height=\"10\"/></svg>",
	       band_class(band_of(severity)), most ? 100.0 * count / most : 0);
}

void svg_bands(const uint64_t *counts)
{
	uint64_t sum = sum_of(counts);
	double x = 0;

	fputs("<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
	      stdout);
	for (int band = 0; band < BANDS; band++) {
		double width = sum ? 100.0 * counts[band] / sum : 0;

		if (width)
			printf("<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"10\"/>",
			       band_class(band), x, width);
		x += width;
	}
	fputs("</svg>", stdout);
}
