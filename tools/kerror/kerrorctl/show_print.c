// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl show: prints the details of an event, for people and as JSON. Fields have
 * the names that filters have.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "show.h"

/* Columns that print_name() fills */
#define NAME_COLUMNS 17

static void print_name(const struct print_style *style, const char *name)
{
	printf("  %s%-14s%s ", color_begin(style, LOG_INFO), name, color_end(style));
}

static void print_text(const struct print_style *style, const char *name, const char *text,
		       size_t width)
{
	print_name(style, name);
	print_folded(text, strlen(text), NAME_COLUMNS, width);
}

static void print_head(const struct print_style *style, const char *head)
{
	printf("\n%s%s%s\n", color_begin(style, LOG_INFO), head, color_end(style));
}

static void print_field(const struct print_style *style, const struct kerror_field *field,
			size_t width)
{
	struct buffer value = { 0 };
	char name[32];

	snprintf(name, sizeof(name), field->id == KERROR_FIELD_ARG ? "%s[%zu]" : "%s",
		 field->name, field->index);
	print_name(style, name);
	if (field->value == KERROR_VALUE_FLAG)
		buffer_string(&value, "yes");
	else if (field->value == KERROR_VALUE_NONE)
		buffer_string(&value, "?");
	else
		buffer_value(&value, field, "");
	if (field->id == KERROR_FIELD_ARG) {
		buffer_string(&value, " (");
		buffer_string(&value, kerror_argument_name(field->type));
		buffer_byte(&value, ')');
	}
	print_folded(value.bytes, value.size, NAME_COLUMNS, width);
	buffer_free(&value);
}

/* The times are there already, and the text stands above. */
static void print_fields(const struct print_style *style, const struct kerror_event *event,
			 size_t width)
{
	struct kerror_field field = { 0 };

	while (next_field(style, event, &field))
		if (field.id != KERROR_FIELD_TIME_REALTIME && field.id != KERROR_FIELD_TEXT)
			print_field(style, &field, width);
}

static void print_event_itself(const struct print_style *style, const struct store_item *item,
			       size_t width)
{
	const struct evl_header *header = kerror_event_header(item->event);
	struct buffer time = { 0 };
	size_t size, indent;
	const char *text = styled_text(style, item->event, &size);
	const char *begin = color_begin(style, LOG_INFO), *end = color_end(style);

	indent = printf("%sevent %" PRId64 ":%s ", begin, item->id, end) - strlen(begin) -
		 strlen(end);
	fputs(color_begin(style, header ? header->severity : LOG_NOTICE), stdout);
	print_folded(text, size, indent, width);
	fputs(end, stdout);
	local_time(&time, item->time, OUTPUT_ISO);
	buffer_byte(&time, '\0');
	print_text(style, "time", time.bytes, width);
	if (item->acknowledged) {
		time.size = 0;
		local_time(&time, item->acknowledged, OUTPUT_SHORT);
		buffer_byte(&time, '\0');
		print_text(style, "acknowledged", time.bytes, width);
	}
	print_fields(style, item->event, width);
	buffer_free(&time);
}

static void print_places(const struct print_style *style, const struct details *details,
			 size_t width)
{
	if (!details->places_known && kerror_event_format(details->item.event))
		print_text(style, "source",
			   "not known, as this kernel has no index; name one by --kernel", width);
	else if (details->places_known && !details->places_count)
		print_text(style, "source", "not among the formats of that kernel", width);
	if (details->guessed) {
		print_name(style, "guessed");
		printf("id=%08" PRIx32 " \"%s\"\n", details->guess.entry->id,
		       catalogue_escape(details->guess.entry->format));
	}
	for (size_t i = 0; i < details->places_count; i++) {
		const struct catalogue_entry *place = &details->places[i];

		print_name(style, i ? "" : "source");
		printf("%s%s%s%s\n", *place->file ? catalogue_place(place) : place->facility,
		       *place->function ? ", " : "", place->function,
		       *place->function ? "()" : "");
	}
}

static void print_explanation(const struct print_style *style,
			      const struct explanation *explanation, size_t width)
{
	static const struct {
		const char *name;
		enum explanation_key key;
	} keys[] = {
		{ "meaning", EXPLANATION_TEXT }, { "action", EXPLANATION_ACTION },
	};

	for (size_t i = 0; explanation && i < 2; i++) {
		const char *text = explanation->value[keys[i].key];

		if (text)
			print_text(style, keys[i].name, text, width);
	}
}

static void print_before(const struct stored_style *style, const struct details *details)
{
	const struct print_style *own = &style->common->style;

	print_head(own, "The same event before");
	if (!details->before_count) {
		puts("  none in the store");
		return;
	}
	printf("  %" PRIu64 " since ", details->before_count);
	print_time(stdout, details->before_first);
	if (*kerror_event_device(details->item.event))
		printf(", %" PRIu64 " of the same device", details->before_device);
	puts("; the last:");
	for (size_t i = 0; i < details->before.count; i++) {
		fputs("  ", stdout);
		print_stored(style, &details->before.item[i]);
	}
}

static void print_around(const struct stored_style *style, const struct details *details)
{
	const struct items *around = &details->around;

	print_head(&style->common->style, "Within 10 seconds");
	for (size_t i = 0; i < around->count; i++) {
		fputs(around->item[i].id == details->item.id ? "> " : "  ", stdout);
		print_stored(style, &around->item[i]);
	}
}

void print_details(const struct common *common, struct store *store,
		   const struct details *details)
{
	const size_t width = terminal_width();
	const bool paged = begin_pager(common);
	struct stored_style style = stored_style(common, store, width < 3 ? 0 : width - 2, paged);

	print_event_itself(&common->style, &details->item, width);
	print_places(&common->style, details, width);
	print_explanation(&common->style, details->explanation, width);
	print_before(&style, details);
	print_around(&style, details);
}

/* ---- JSON ---- */

/* An item as the object that query prints */
static struct json_object *item_json(const struct common *common, const struct store_item *item)
{
	struct print_style style = stored_print_style(common, item);
	struct json_object *object;
	struct buffer line = { 0 };

	if (item->event)
		event_json(&line, &style, item->event);
	else
		loss_json(&line, &style, &item->loss);
	object = must_have(json_tokener_parse(must_have(buffer_terminate(&line))));
	buffer_free(&line);
	return object;
}

static struct json_object *items_json(const struct common *common, const struct items *items)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < items->count; i++)
		json_object_array_add(list, item_json(common, &items->item[i]));
	return list;
}

static struct json_object *places_json(const struct details *details)
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < details->places_count; i++) {
		struct json_object *place = must_have(json_object_new_object());

		json_add(place, "facility", json_string(details->places[i].facility));
		json_add(place, "file", json_string(details->places[i].file));
		json_add(place, "line", json_number(details->places[i].line));
		json_add(place, "function", json_string(details->places[i].function));
		json_object_array_add(list, place);
	}
	return list;
}

static struct json_object *guess_json(const struct guess *guess)
{
	struct json_object *object = must_have(json_object_new_object());
	struct json_object *values = must_have(json_object_new_array());
	char id[9];

	snprintf(id, sizeof(id), "%08" PRIx32, guess->entry->id);
	json_add(object, "event_id", json_string(id));
	json_add(object, "format", json_string(guess->entry->format));
	for (size_t i = 0; i < guess->count; i++)
		json_object_array_add(values, json_text(guess->values[i].start,
							guess->values[i].size));
	json_add(object, "values", values);
	return object;
}

static struct json_object *before_json(const struct common *common,
				       const struct details *details)
{
	struct json_object *before = must_have(json_object_new_object());

	json_add(before, "count", json_number(details->before_count));
	json_add(before, "of_device", json_number(details->before_device));
	if (details->before_count)
		json_add(before, "first", json_number(details->before_first));
	json_add(before, "last", items_json(common, &details->before));
	return before;
}

void print_details_json(const struct common *common, const struct details *details)
{
	const struct explanation *explanation = details->explanation;
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("details"));
	json_add(object, "event", item_json(common, &details->item));
	if (details->guessed)
		json_add(object, "guess", guess_json(&details->guess));
	json_add(object, "places", places_json(details));
	if (explanation && explanation->value[EXPLANATION_TEXT])
		json_add(object, "meaning", json_string(explanation->value[EXPLANATION_TEXT]));
	if (explanation && explanation->value[EXPLANATION_ACTION])
		json_add(object, "action", json_string(explanation->value[EXPLANATION_ACTION]));
	json_add(object, "before", before_json(common, details));
	json_add(object, "around", items_json(common, &details->around));
	json_print(stdout, object);
}
