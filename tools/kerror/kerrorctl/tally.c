// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts events by what they have in common, and prints the counts as a table
 * or as JSON: for query --count-by, top and explain. Promises that events with
 * the same key are one entry, and that the order does not depend on that of
 * the events unless keys are equally frequent.
 */
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrorctl.h"

/* A raw event has no header: zeros, and a severity that is none. */
static struct evl_header header_of(const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	return header ? *header :
	       (struct evl_header) { .severity = 8, .format = UINT8_MAX };
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_formats(const struct kerror_event *a,
			   const struct kerror_event *b)
{
	const char *format_a = kerror_event_format(a);
	const char *format_b = kerror_event_format(b);

	return strcmp(format_a ? format_a : "", format_b ? format_b : "");
}

static int compare_keys(const void *a, const void *b)
{
	const struct tally_entry *left = a, *right = b;
	struct evl_header l = header_of(left->event);
	struct evl_header r = header_of(right->event);
	unsigned int by = left->by;
	int order = 0;

	if (by & TALLY_EVENT) {
		order = compare_numbers(l.event_id, r.event_id);
		if (!order)
			order = compare_numbers(l.format, r.format);
		if (!order && l.format == EVL_FORMAT_PRINTF)
			order = compare_formats(left->event, right->event);
		else if (!order)
			order = compare_numbers(l.event_type, r.event_type);
	}
	if (!order && by & TALLY_FACILITY)
		order = strcmp(l.facility, r.facility);
	if (!order && by & TALLY_DEVICE)
		order = strcmp(kerror_event_device(left->event),
			       kerror_event_device(right->event));
	if (!order && by & TALLY_SEVERITY)
		order = compare_numbers(l.severity, r.severity);
	return order;
}

static struct tally_entry *find_entry(struct tally *tally,
				      const struct kerror_event *event)
{
	struct tally_entry key = {
		.by = tally->by, .event = (struct kerror_event *)event,
		.worst = UINT8_MAX, .first = UINT64_MAX,
	};
	struct tally_entry **found, *entry;

	found = must_have(tsearch(&key, &tally->tree, compare_keys));
	if (*found != &key)
		return *found;
	entry = must_have(malloc(sizeof(*entry)));
	*entry = key;
	entry->event = copy_event(event);
	*found = entry;
	/* Twice as large whenever the size is a power of two. */
	if (!(tally->size & (tally->size - 1)))
		tally->entries = must_have(reallocarray(tally->entries,
							tally->size * 2 + 1,
							sizeof(entry)));
	tally->entries[tally->size++] = entry;
	return entry;
}

void tally_add(struct tally *tally, const struct kerror_event *event,
	       uint64_t time)
{
	struct tally_entry *entry = find_entry(tally, event);
	unsigned int severity = header_of(event).severity;

	entry->count++;
	entry->fresh++;
	if (time < entry->first)
		entry->first = time;
	if (time > entry->last)
		entry->last = time;
	if (severity < entry->worst)
		entry->worst = severity;
}

static int compare_counts(const void *a, const void *b)
{
	const struct tally_entry *left = *(struct tally_entry *const *)a;
	const struct tally_entry *right = *(struct tally_entry *const *)b;
	int order = compare_numbers(right->fresh, left->fresh);

	if (!order)
		order = compare_numbers(right->count, left->count);
	return order ? order : compare_keys(left, right);
}

void tally_sort(struct tally *tally)
{
	if (tally->size)
		qsort(tally->entries, tally->size, sizeof(*tally->entries),
		      compare_counts);
}

static const char *kind_of(const struct evl_header *header)
{
	return header->format == EVL_FORMAT_PRINTF ? "printf" :
	       header->format == EVL_FORMAT_STRING ? "string" :
	       header->format == EVL_FORMAT_BINARY ? "binary" :
	       header->format == EVL_FORMAT_NODATA ? "nodata" : "raw";
}

/* Prints a cell; the last one of a row has @width 0. */
static void print_cell(const char *text, size_t width)
{
	size_t length = strlen(text);

	fputs("  ", stdout);
	if (length)
		print_printable(stdout, text, length);
	else
		length = printf("-");
	printf("%*s", (int)(width > length ? width - length : 0), "");
}

/* The widest facility, for the columns behind it; likewise the widest device */
struct widths {
	size_t facility, device;
};

static struct widths find_widths(const struct tally *tally, size_t rows)
{
	struct widths widths = { strlen("FACILITY"), strlen("DEVICE") };

	for (size_t i = 0; i < rows; i++) {
		const struct kerror_event *event = tally->entries[i]->event;
		struct evl_header header = header_of(event);
		size_t facility = strlen(header.facility);
		size_t device = strlen(kerror_event_device(event));

		if (facility > widths.facility)
			widths.facility = facility;
		if (device > widths.device)
			widths.device = device;
	}
	if (!(tally->by & (TALLY_DEVICE | TALLY_EVENT)))
		widths.facility = 0;
	if (!(tally->by & TALLY_EVENT))
		widths.device = 0;
	return widths;
}

static void print_key(const struct tally_entry *entry,
		      const struct widths *widths)
{
	struct evl_header header = header_of(entry->event);

	if (entry->by & TALLY_FACILITY)
		print_cell(header.facility, widths->facility);
	if (entry->by & TALLY_DEVICE)
		print_cell(kerror_event_device(entry->event), widths->device);
	if (!(entry->by & TALLY_EVENT))
		return;
	if (header.format == EVL_FORMAT_PRINTF) {
		printf("  %08" PRIx32 " \"", header.event_id);
		print_printable(stdout, kerror_event_format(entry->event),
				strlen(kerror_event_format(entry->event)));
		putchar('"');
	} else {
		printf("  %s type=%" PRIu32, kind_of(&header),
		       header.event_type);
	}
}

static const char *severity_of(const struct tally_entry *entry)
{
	return entry->worst < 8 ? kerror_severity_name(entry->worst) : "-";
}

void tally_print(const struct tally *tally, const struct print_style *style,
		 size_t limit, double interval_s)
{
	size_t rows = limit && limit < tally->size ? limit : tally->size;
	struct widths widths = find_widths(tally, rows);
	int severity = tally->by == TALLY_SEVERITY ? 0 : 8;

	printf("%s%8s", color_begin(style, LOG_INFO), "COUNT");
	if (interval_s)
		printf(" %9s", "RATE/S");
	printf("  %-19s  %s", "LAST", "SEVERITY");
	if (tally->by & TALLY_FACILITY)
		print_cell("FACILITY", widths.facility);
	if (tally->by & TALLY_DEVICE)
		print_cell("DEVICE", widths.device);
	printf("%s%s\n", tally->by & TALLY_EVENT ? "  EVENT" : "",
	       color_end(style));
	for (size_t i = 0; i < rows; i++) {
		const struct tally_entry *entry = tally->entries[i];

		printf("%8" PRIu64, entry->count);
		if (interval_s)
			printf(" %9.1f", entry->fresh / interval_s);
		fputs("  ", stdout);
		print_time(stdout, entry->last);
		printf("  %s%-*s%s", color_begin(style, entry->worst),
		       severity, severity_of(entry), color_end(style));
		print_key(entry, &widths);
		putchar('\n');
	}
}

static void add_event_key(struct json_object *object,
			  const struct tally_entry *entry)
{
	struct evl_header header = header_of(entry->event);
	char id[9];

	json_add(object, "kind", json_string(kind_of(&header)));
	if (header.format != EVL_FORMAT_PRINTF) {
		json_add(object, "event_type", json_number(header.event_type));
		return;
	}
	snprintf(id, sizeof(id), "%08" PRIx32, header.event_id);
	json_add(object, "event_id", json_string(id));
	json_add(object, "format",
		 json_string(kerror_event_format(entry->event)));
}

void tally_print_json(const struct tally *tally, size_t limit,
		      double interval_s)
{
	for (size_t i = 0; i < tally->size && (!limit || i < limit); i++) {
		const struct tally_entry *entry = tally->entries[i];
		struct evl_header header = header_of(entry->event);
		const char *device = kerror_event_device(entry->event);
		struct json_object *object =
			must_have(json_object_new_object());

		json_add(object, "item", json_string("count"));
		json_add(object, "count", json_number(entry->count));
		if (interval_s)
			json_add(object, "rate",
				 json_object_new_double(entry->fresh / interval_s));
		json_add(object, "first", json_number(entry->first));
		json_add(object, "last", json_number(entry->last));
		if (entry->worst < 8)
			json_add(object, "severity",
				 json_string(severity_of(entry)));
		if (entry->by & TALLY_FACILITY)
			json_add(object, "facility",
				 json_string(header.facility));
		if (entry->by & TALLY_DEVICE && *device)
			json_add(object, "device", json_string(device));
		if (entry->by & TALLY_EVENT)
			add_event_key(object, entry);
		json_print(stdout, object);
	}
}
