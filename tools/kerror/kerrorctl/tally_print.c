// SPDX-License-Identifier: GPL-2.0-only
/* Counts as a table, and as JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "tally.h"

/* A key with this value: how it is shown */
static const char *shown_value(const char *value)
{
	return *value ? value : "-";
}

/* Of a format's id, and the blank behind it */
#define ID_COLUMNS 9

/* Of a printable text */
static size_t columns_of(const char *text)
{
	size_t columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

/* The worst severity is a column of its own already; on a screen, no device needs none. */
static bool is_column(const struct tally *tally, size_t key)
{
	size_t i = 0;

	if (tally->keys.key[key].kind == TALLY_SEVERITY)
		return false;
	if (!tally->narrow || tally->keys.key[key].kind != TALLY_DEVICE)
		return true;
	while (i < tally->size && !*tally->entries[i]->value[key])
		i++;
	return i < tally->size;
}

static char *printable(const struct tally *tally, const struct tally_entry *entry, size_t key)
{
	const char *value = shown_value(entry->value[key]);
	struct buffer text = { 0 };

	if (tally->narrow && tally->keys.key[key].kind == TALLY_EVENT &&
	    kerror_event_format(entry->event))
		value += ID_COLUMNS;
	buffer_printable(&text, value, strlen(value));
	return must_have(buffer_terminate(&text));
}

/* Of a time with its date, and the blanks before it */
#define TIME_COLUMNS 21

/* The columns of one table; @width: of each key; @first, @machines: whether it has these */
struct columns {
	size_t width[TALLY_KEYS_MAX];
	bool rate, first, machines;
};

/* Of the longest row, with the time of the first event */
static size_t row_columns(const struct tally *tally, const struct columns *columns)
{
	size_t total = 8 + 2 * TIME_COLUMNS + 2 + 8;

	if (columns->machines)
		total += 7;
	for (size_t key = 0; key < tally->keys.count; key++)
		if (is_column(tally, key))
			total += 2 + columns->width[key];
	return total;
}

static void find_columns(const struct tally *tally, size_t rows, struct columns *found)
{
	size_t *widths = found->width;

	found->machines = tally->machines.count > 1;
	for (size_t key = 0; key < tally->keys.count; key++) {
		widths[key] = strlen(key_name(&tally->keys.key[key]));
		for (size_t i = 0; i < rows; i++) {
			char *text = printable(tally, tally->entries[i], key);
			size_t columns = columns_of(text);

			if (columns > widths[key])
				widths[key] = columns;
			free(text);
		}
	}
	found->first = tally->first &&
		       (!tally->width || row_columns(tally, found) <= tally->width);
	/* Nothing is behind the last one. */
	for (size_t key = tally->keys.count; key--;) {
		if (is_column(tally, key)) {
			widths[key] = 0;
			break;
		}
	}
}

static void print_cell(FILE *file, const char *text, size_t width)
{
	size_t columns = columns_of(text);

	fprintf(file, "  %s%*s", text, (int)(width > columns ? width - columns : 0), "");
}

static const char *severity_of(const struct tally_entry *entry)
{
	return entry->worst < 8 ? kerror_severity_name(entry->worst) : "-";
}

/* Whether a column is behind that of the severity */
static bool has_columns(const struct tally *tally)
{
	for (size_t key = 0; key < tally->keys.count; key++)
		if (is_column(tally, key))
			return true;
	return false;
}

static void print_head(FILE *file, const struct tally *tally, const struct print_style *style,
		       const struct columns *columns)
{
	fprintf(file, "%s%*s", color_begin(style, LOG_INFO), tally->narrow ? 6 : 8, "COUNT");
	if (columns->rate)
		fprintf(file, " %*s", tally->narrow ? 7 : 9, "RATE/S");
	if (columns->machines)
		fputs("  HOSTS", file);
	if (columns->first)
		fprintf(file, "  %-19s", "FIRST");
	fprintf(file, "  %-*s  %s", tally->narrow ? 8 : 19, "LAST", "SEVERITY");
	for (size_t key = 0; key < tally->keys.count; key++)
		if (is_column(tally, key))
			print_cell(file, key_name(&tally->keys.key[key]), columns->width[key]);
	fprintf(file, "%s\n", color_end(style));
}

static void print_entry(FILE *file, const struct tally *tally,
			const struct tally_entry *entry,
			const struct print_style *style, const struct columns *columns,
			double interval_s)
{
	fprintf(file, "%*" PRIu64, tally->narrow ? 6 : 8, entry->count);
	if (columns->rate)
		fprintf(file, " %*.1f", tally->narrow ? 7 : 9, entry->fresh / interval_s);
	if (columns->machines)
		fprintf(file, "  %5zu", entry->machines.count);
	fputs("  ", file);
	if (columns->first) {
		print_time(file, entry->first);
		fputs("  ", file);
	}
	if (tally->narrow)
		print_clock(file, entry->last);
	else
		print_time(file, entry->last);
	fprintf(file, "  %s%-*s%s", color_begin(style, entry->worst),
		has_columns(tally) ? 8 : 0, severity_of(entry), color_end(style));
	for (size_t key = 0; key < tally->keys.count; key++) {
		char *text = printable(tally, entry, key);

		if (is_column(tally, key))
			print_cell(file, text, columns->width[key]);
		free(text);
	}
	putc('\n', file);
}

void tally_print(FILE *file, const struct tally *tally, const struct print_style *style,
		 size_t limit, double interval_s)
{
	size_t rows = limit && limit < tally->size ? limit : tally->size;
	struct columns columns = { .rate = interval_s };

	find_columns(tally, rows, &columns);
	print_head(file, tally, style, &columns);
	for (size_t i = 0; i < rows; i++)
		print_entry(file, tally, tally->entries[i], style, &columns, interval_s);
}

static void add_words_of(struct json_object *object, const struct kerror_event *event)
{
	struct buffer words = { 0 };

	add_words(&words, event);
	json_add(object, "words", json_text(words.bytes, words.size));
	buffer_free(&words);
}

static void add_event(struct json_object *object, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_field kind;
	char id[9];

	if (kerror_event_field(event, KERROR_FIELD_KIND, 0, &kind))
		json_add(object, "kind",
			 json_string(kerror_group_name(kerror_event_group(event))));
	else
		json_add(object, "kind", json_text(kind.text, kind.size));
	if (is_text_of_printk(event)) {
		add_words_of(object, event);
		return;
	}
	if (!header || header->format != EVL_FORMAT_PRINTF) {
		json_add(object, "event_type", json_number(header ? header->event_type : 0));
		return;
	}
	snprintf(id, sizeof(id), "%08" PRIx32, header->event_id);
	json_add(object, "event_id", json_string(id));
	json_add(object, "format", json_string(kerror_event_format(event)));
	if (json_add_own_id(object, kerror_event_format(event)))
		add_words_of(object, event);
}

static void add_argument(struct json_object *object, const struct tally_key *key,
			 const struct tally_entry *entry, const char *value)
{
	struct kerror_field field;
	char name[24];

	snprintf(name, sizeof(name), "arg[%u]", key->index);
	if (kerror_event_field(entry->event, KERROR_FIELD_ARG, key->index, &field))
		return;
	if (field.value == KERROR_VALUE_NUMBER)
		json_add(object, name, json_number(field.number));
	else if (field.value == KERROR_VALUE_SIGNED)
		json_add(object, name, json_object_new_int64(field.number));
	else
		json_add(object, name, json_string(value));
}

static void add_key(struct json_object *object, const struct tally_key *key,
		    const struct tally_entry *entry, const char *value)
{
	if (key->kind == TALLY_EVENT)
		add_event(object, entry->event);
	else if (key->kind == TALLY_ARG)
		add_argument(object, key, entry, value);
	else if (key->kind == TALLY_FACILITY || (key->kind == TALLY_DEVICE && *value))
		json_add(object, key->kind == TALLY_DEVICE ? "device" : "facility",
			 json_string(value));
	else if (key->kind == TALLY_HOST || key->kind == TALLY_RELEASE)
		json_add(object, key->kind == TALLY_HOST ? "host" : "release",
			 json_string(value));
	else if (key->kind == TALLY_TAG)
		json_add(object, key->tag, json_string(value));
	else if (key->kind == TALLY_HOUR || key->kind == TALLY_DAY)
		json_add(object, key->kind == TALLY_HOUR ? "hour" : "day", json_string(value));
}

struct json_object *tally_entry_json(const struct tally_entry *entry, double interval_s)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("count"));
	json_add(object, "count", json_number(entry->count));
	if (interval_s)
		json_add(object, "rate", json_object_new_double(entry->fresh / interval_s));
	json_add(object, "first", json_number(entry->first));
	json_add(object, "last", json_number(entry->last));
	if (entry->machines.count)
		json_add(object, "hosts", json_number(entry->machines.count));
	if (entry->worst < 8)
		json_add(object, "severity", json_string(severity_of(entry)));
	for (size_t i = 0; i < entry->keys->count; i++)
		add_key(object, &entry->keys->key[i], entry, entry->value[i]);
	return object;
}

void tally_print_json(const struct tally *tally, size_t limit, double interval_s)
{
	for (size_t i = 0; i < tally->size && (!limit || i < limit); i++)
		json_print(stdout, tally_entry_json(tally->entries[i], interval_s));
}
