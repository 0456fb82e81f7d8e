// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events and losses as JSON, with the keys that kerrorctl(1) documents. The tools have
 * more to tell, such as a number in a store, and write their lines in common/json.c;
 * decode_events.c of the tests compares both, byte for byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Of UTF-8; 0 if @text does not begin with a character. */
static size_t character_size(const uint8_t *text, size_t size, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = *text < 0x80 ? 1 : *text < 0xc0 ? 0 : *text < 0xe0 ? 2 :
			*text < 0xf0 ? 3 : *text < 0xf8 ? 4 : 0;

	if (!length || length > size)
		return 0;
	*character = length == 1 ? *text : *text & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (text[i] & 0x3f);
	}
	return *character < least[length] || *character > 0x10ffff ||
	       (*character >= 0xd800 && *character < 0xe000) ? 0 : length;
}

/* Neither a control character nor one that turns the direction of a line */
static bool is_harmless(uint32_t character)
{
	return character < 0xa0 ? character >= ' ' && character < 0x7f :
	       character != 0x61c && (character < 0x200e || character > 0x200f) &&
	       (character < 0x2028 || character > 0x202e) &&
	       (character < 0x2066 || character > 0x2069);
}

static void add_character(struct text *json, const uint8_t *bytes, size_t size,
			  uint32_t character)
{
	static const char escaped[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
	const char *found = character && character < 0x80 ? strchr(escaped, character) : NULL;
	char escape[16];

	if (found)
		snprintf(escape, sizeof(escape), "\\%c", letters[found - escaped]);
	else if (!is_harmless(character))
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)character);
	else
		snprintf(escape, sizeof(escape), "%.*s", (int)size, (const char *)bytes);
	text_add_string(json, escape);
}

/* Returns whether it is UTF-8, without a byte that had to become \xHH. */
static bool add_string(struct text *json, const void *string, size_t size)
{
	const uint8_t *at = string, *end = at + size;
	uint32_t character;
	bool is_utf8 = true;
	char escape[16];

	text_add(json, "\"", 1);
	while (at < end) {
		size_t length = character_size(at, end - at, &character);

		if (length) {
			add_character(json, at, length, character);
		} else {
			snprintf(escape, sizeof(escape), "\\\\x%02x", *at);
			text_add_string(json, escape);
			length = 1;
			is_utf8 = false;
		}
		at += length;
	}
	text_add(json, "\"", 1);
	return is_utf8;
}

/* @end: of the name, such as "_string" */
static void add_key(struct text *json, const char *key, const char *end)
{
	text_add(json, ",\"", 2);
	text_add_string(json, key);
	text_add_string(json, end);
	text_add(json, "\":", 2);
}

static void add_named(struct text *json, const char *key, const char *value)
{
	add_key(json, key, "");
	add_string(json, value, strlen(value));
}

/* JavaScript has numbers up to 2^53; of others it has the digits as a string. */
static void add_number(struct text *json, const char *key, uint64_t number, bool is_signed)
{
	bool negative = is_signed && (int64_t)number < 0;
	char digits[24];

	snprintf(digits, sizeof(digits), "%s%llu", negative ? "-" : "",
		 (unsigned long long)(negative ? -number : number));
	add_key(json, key, "");
	text_add_string(json, digits);
	if ((negative ? -number : number) <= 1ULL << 53)
		return;
	add_key(json, key, "_string");
	add_string(json, digits, strlen(digits));
}

static void add_bytes(struct text *json, const uint8_t *bytes, size_t size)
{
	char digits[3];

	for (size_t i = 0; i < size; i++) {
		snprintf(digits, sizeof(digits), "%02x", bytes[i]);
		text_add(json, digits, 2);
	}
}

/* A text of an event; if \xHH stands for a byte there, all its bytes follow. */
static void add_event_string(struct text *json, const char *key, const char *string,
			     size_t size)
{
	if (add_string(json, string, size))
		return;
	add_key(json, key, "_bytes");
	text_add(json, "\"", 1);
	add_bytes(json, (const uint8_t *)string, size);
	text_add(json, "\"", 1);
}

static void add_value(struct text *json, const char *key, const struct kerror_field *field)
{
	char digits[24];

	switch (field->value) {
	case KERROR_VALUE_NUMBER:
	case KERROR_VALUE_SIGNED:
		add_number(json, key, field->number, field->value == KERROR_VALUE_SIGNED);
		return;
	case KERROR_VALUE_NONE:
		return;
	default:
		add_key(json, key, "");
	}
	if (field->value == KERROR_VALUE_FLAG) {
		text_add_string(json, "true");
	} else if (field->value == KERROR_VALUE_TEXT && field->id < KERROR_FIELD_MACHINE) {
		add_event_string(json, key, field->text, field->size);
	} else if (field->value == KERROR_VALUE_TEXT) {
		add_string(json, field->text, field->size);
	} else {
		text_add(json, "\"", 1);
		if (field->value == KERROR_VALUE_BYTES)
			add_bytes(json, (const uint8_t *)field->text, field->size);
		else if (snprintf(digits, sizeof(digits), "%0*llx", (int)(2 * field->size),
				  (unsigned long long)field->number) > 0)
			text_add_string(json, digits);
		text_add(json, "\"", 1);
	}
}

static void add_argument(struct text *json, const struct kerror_field *field)
{
	text_add_string(json, field->index ? ",{\"type\":\"" : "{\"type\":\"");
	text_add_string(json, kerror_argument_name(field->type));
	text_add(json, "\"", 1);
	add_value(json, "value", field);
	text_add_string(json, field->invalid ? ",\"invalid\":true}" : "}");
}

/* The boot, and the load of the module, whose numbers belong together */
static void add_series(struct text *json, const struct kerror_origin *origin)
{
	const char *boot_id = kerror_origin_get(origin, "boot_id");
	const char *instance = kerror_origin_get(origin, "instance");

	if (boot_id)
		add_named(json, "boot_id", boot_id);
	if (instance)
		add_number(json, "instance", strtoull(instance, NULL, 10), false);
}

/* Without a part of a character at the end */
static size_t whole_characters(const char *text, size_t size)
{
	for (size_t back = 1; back <= 3 && back <= size; back++) {
		uint8_t byte = text[size - back];

		if ((byte & 0xc0) != 0x80)
			return byte >= (back == 1 ? 0xc0 : back == 2 ? 0xe0 : 0xf0) ?
			       size - back : size;
	}
	return size;
}

static bool add_event_text(struct text *json, const struct kerror_event *event)
{
	size_t whole = kerror_event_text(event, NULL, 0);
	size_t size = whole < KERROR_JSON_TEXT ? whole : KERROR_JSON_TEXT;
	char *text = malloc(size + 1);

	if (!text)
		return false;
	kerror_event_text(event, text, size + 1);
	add_key(json, "text", "");
	add_event_string(json, "text", text,
			 size < whole ? whole_characters(text, size) : size);
	if (size < whole)
		text_add_string(json, ",\"text_truncated\":true");
	free(text);
	return true;
}

static bool add_field(struct text *json, const struct kerror_event *event,
		      const struct kerror_field *field)
{
	const int kind = kerror_event_kind(event);

	switch (field->id) {
	case KERROR_FIELD_BOOT_ID:
	case KERROR_FIELD_INSTANCE:
		return true;	/* at the beginning */
	case KERROR_FIELD_TEXT:
		return (kind != EVL_FORMAT_PRINTF && kind != EVL_FORMAT_STRING) ||
		       add_event_text(json, event);
	default:
		add_value(json, field->id == KERROR_FIELD_TYPE ? "event_type" :
			  field->id == KERROR_FIELD_ID ? "event_id" : field->name, field);
	}
	if (field->id != KERROR_FIELD_FORMAT)
		return true;
	if (!kerror_format_own_id(event->format))
		text_add_string(json, ",\"own_id\":false");
	add_key(json, "arguments", "");
	text_add(json, "[", 1);
	return true;
}

size_t kerror_event_json(const struct kerror_event *event, char *buffer, size_t size)
{
	struct text json = { .buffer = buffer, .size = size };
	struct kerror_field field = { 0 };
	bool in_arguments = false;

	text_add_string(&json, "{\"item\":\"event\"");
	add_series(&json, event->origin);
	while (kerror_event_next_field(event, &field)) {
		if (field.id == KERROR_FIELD_ARG) {
			add_argument(&json, &field);
			continue;
		}
		if (in_arguments)
			text_add(&json, "]", 1);
		if (!add_field(&json, event, &field))
			return 0;
		/* The list is there without arguments, too. */
		in_arguments = field.id == KERROR_FIELD_FORMAT;
	}
	text_add(&json, "}", 1);
	text_end(&json);
	return json.length;
}

size_t kerror_loss_json(const struct kerror_loss *loss, const struct kerror_origin *origin,
			char *buffer, size_t size)
{
	struct text json = { .buffer = buffer, .size = size };
	const char *name, *value;

	text_add_string(&json, "{\"item\":\"loss\"");
	add_series(&json, origin);
	add_named(&json, "group", kerror_group_name(loss->group));
	add_named(&json, "cause", kerror_cause_name(loss->cause));
	add_number(&json, "count", loss->count, false);
	add_number(&json, "total", loss->total, false);
	for (size_t i = 0; (name = kerror_origin_at(origin, i, &value)); i++)
		if (strcmp(name, "boot_id") && strcmp(name, "instance"))
			add_named(&json, name, value);
	text_add(&json, "}", 1);
	text_end(&json);
	return json.length;
}
