// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and losses of the store as lines: before each event of a line for people its
 * number, which show and ack take, with a * if somebody has acknowledged it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "kerrorctl.h"
#include "store.h"

struct stored_style stored_style(const struct common *common, struct store *store,
				 size_t columns, bool paged)
{
	struct stored_style style = {
		.common = common, .columns = paged ? 0 : columns,
		.output = fitting_output(common->output, columns),
	};
	struct store_mark mark;

	check_store(store, store_mark(store, &mark));
	style.digits = snprintf(NULL, 0, "%" PRId64, mark.event);
	return style;
}

static void print_json(const struct print_style *style, const struct store_item *item)
{
	if (item->event)
		print_event_json(stdout, style, item->event);
	else
		print_loss_json(stdout, style, &item->loss);
}

static void print_line(const struct stored_style *style, const struct print_style *own,
		       const struct store_item *item)
{
	const enum output output = style->output;
	size_t columns = style->columns;

	if (!item->event) {
		struct buffer time = { 0 };

		if (output != OUTPUT_VERBOSE)
			printf("%*s ", style->digits + 1, "");
		local_time(&time, item->time, output);
		fputs(must_have(buffer_terminate(&time)), stdout);
		putchar(' ');
		buffer_free(&time);
		print_loss(stdout, own, &item->loss);
	} else if (output == OUTPUT_VERBOSE) {
		printf("%" PRId64 "%s ", item->id, item->acknowledged ? " acknowledged" : "");
		print_event(stdout, own, item->event);
	} else {
		if (output != OUTPUT_CAT) {
			int used = printf("%*" PRId64 "%c ", style->digits, item->id,
					  item->acknowledged ? '*' : ' ');

			columns -= (int)columns > used ? (size_t)used : columns;
		}
		print_short(stdout, own, output, item->event, item->time, columns);
	}
}

struct print_style stored_print_style(const struct common *common,
				      const struct store_item *item)
{
	struct print_style style = common->style;

	style.origin = item->origin;
	style.own = own_origin(0);
	style.id = item->id;
	style.acknowledged = item->acknowledged;
	style.cause = item->cause;
	style.time = item->time;
	return style;
}

void print_stored(const struct stored_style *style, const struct store_item *item)
{
	struct print_style own = stored_print_style(style->common, item);

	if (style->common->json)
		print_json(&own, item);
	else
		print_line(style, &own, item);
}
