// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * JSON, written directly. The keys are documented in kerrorctl(1) and do not change; new
 * ones may come.
 */
#include <stdlib.h>
#include "json_write.h"
#include "utf8.h"

/* The last @digits hexadecimal digits */
static void add_hex(struct text *json, uint64_t number, unsigned int digits)
{
	char text[16];

	for (unsigned int at = digits; at; number >>= 4)
		text[--at] = "0123456789abcdef"[number & 15];
	text_add(json, text, digits);
}

static void add_hex_bytes(struct text *json, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		add_hex(json, (unsigned char)bytes[i], 2);
}

static void add_escape(struct text *json, uint32_t character)
{
	static const char letters[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
		['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
	};

	if (character < sizeof(letters) && letters[character]) {
		text_add(json, (const char []){ '\\', letters[character] }, 2);
		return;
	}
	/* None of those that are escaped needs more digits. */
	text_add(json, "\\u", 2);
	add_hex(json, character, 4);
}

/* How many bytes @text begins with that JSON has as they are */
static size_t plain_length(const char *text, size_t size)
{
	static const bool plain[256] = {
		[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true,
	};
	size_t length = 0;

	while (length < size && plain[(unsigned char)text[length]])
		length++;
	return length;
}

/* JSON is UTF-8: a byte that is not becomes the text \xHH. Returns whether there is none. */
static bool add_text(struct text *json, const char *text, size_t size)
{
	const char *end = text + size;
	bool is_utf8 = true;

	text_byte(json, '"');
	for (;;) {
		size_t plain = plain_length(text, end - text), length;
		uint32_t character;

		text_add(json, text, plain);
		text += plain;
		if (text == end)
			break;
		length = utf8_decode(text, end - text, &character);
		if (!length) {
			is_utf8 = false;
			length = 1;
			text_add(json, "\\\\x", 3);
			add_hex(json, (unsigned char)*text, 2);
		} else if (length > 1 && is_harmless(character)) {
			text_add(json, text, length);
		} else {
			add_escape(json, character);
		}
		text += length;
	}
	text_byte(json, '"');
	return is_utf8;
}

void json_write_item(struct text *json, const char *item)
{
	text_add_string(json, "{\"item\":");
	add_text(json, item, strlen(item));
}

static void add_key(struct text *json, const char *key)
{
	text_add(json, ",\"", 2);
	text_add_string(json, key);
	text_add(json, "\":", 2);
}

/* Behind a number that is none of JSON_EXACT, or a text that is no UTF-8: the same as a string */
static void begin_other(struct text *json, const char *key, const char *end)
{
	text_add(json, ",\"", 2);
	text_add_string(json, key);
	text_add_string(json, end);
	text_add(json, "\":\"", 3);
}

void json_write_string(struct text *json, const char *key, const char *value)
{
	add_key(json, key);
	add_text(json, value, strlen(value));
}

/* With all its bytes behind it if \xHH stands for one, so that it is no text of the same look */
static void add_bytes(struct text *json, const char *key, const char *text, size_t size)
{
	add_key(json, key);
	if (add_text(json, text, size))
		return;
	begin_other(json, key, JSON_BYTES);
	add_hex_bytes(json, text, size);
	text_byte(json, '"');
}

static void add_number(struct text *json, const char *key, uint64_t number, bool negative)
{
	char digits[24], *const end = digits + sizeof(digits), *at = end;
	uint64_t rest = number;

	do {
		*--at = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	if (negative)
		*--at = '-';
	add_key(json, key);
	text_add(json, at, end - at);
	if (number <= JSON_EXACT)
		return;
	begin_other(json, key, JSON_DIGITS);
	text_add(json, at, end - at);
	text_byte(json, '"');
}

void json_write_number(struct text *json, const char *key, uint64_t number)
{
	add_number(json, key, number, false);
}

static void add_value(struct text *json, const char *key, const struct kerror_field *field)
{
	bool negative = field->value == KERROR_VALUE_SIGNED && (int64_t)field->number < 0;

	switch (field->value) {
	case KERROR_VALUE_NONE:
		return;
	case KERROR_VALUE_NUMBER:
	case KERROR_VALUE_SIGNED:
		add_number(json, key, negative ? -field->number : field->number, negative);
		return;
	case KERROR_VALUE_TEXT:
		if (field->id < KERROR_FIELD_MACHINE) {
			add_bytes(json, key, field->text, field->size);
			return;
		}
		/* Those of an origin are the operator's. */
		add_key(json, key);
		add_text(json, field->text, field->size);
		return;
	case KERROR_VALUE_FLAG:
		add_key(json, key);
		text_add(json, "true", 4);
		return;
	case KERROR_VALUE_HEX:
	case KERROR_VALUE_BYTES:
		add_key(json, key);
		text_byte(json, '"');
		if (field->value == KERROR_VALUE_HEX)
			add_hex(json, field->number, 2 * field->size);
		else
			add_hex_bytes(json, field->text, field->size);
		text_byte(json, '"');
	}
}

static void add_argument(struct text *json, const struct kerror_field *field)
{
	text_add_string(json, field->index ? ",{\"type\":\"" : "{\"type\":\"");
	text_add_string(json, kerror_argument_name(field->type));
	text_byte(json, '"');
	add_value(json, "value", field);
	text_add_string(json, field->invalid ? ",\"invalid\":true}" : "}");
}

static bool is_of_series(const char *name)
{
	return !strcmp(name, "boot_id") || !strcmp(name, "instance");
}

void json_write_series(struct text *json, const struct kerror_origin *origin)
{
	const char *boot_id = kerror_origin_get(origin, "boot_id");
	const char *instance = kerror_origin_get(origin, "instance");

	if (boot_id)
		json_write_string(json, "boot_id", boot_id);
	if (instance)
		json_write_number(json, "instance", strtoull(instance, NULL, 10));
}

void json_write_origin(struct text *json, const struct kerror_origin *origin)
{
	const char *name, *value;

	for (size_t i = 0; (name = kerror_origin_at(origin, i, &value)); i++)
		if (!is_of_series(name))
			json_write_string(json, name, value);
}

/* In other outputs two have names that JSON has for other things. */
static void add_field(struct text *json, const struct kerror_event *event,
		      const struct kerror_field *field, const struct json_event_text *text)
{
	switch (field->id) {
	case KERROR_FIELD_BOOT_ID:
	case KERROR_FIELD_INSTANCE:
		return;		/* at the beginning */
	case KERROR_FIELD_TYPE:
		add_value(json, "event_type", field);
		return;
	case KERROR_FIELD_ID:
		add_value(json, "event_id", field);
		return;
	case KERROR_FIELD_TEXT:
		if (!json_has_text(event))
			return;
		add_bytes(json, "text", text->bytes, text->size);
		if (text->truncated)
			text_add_string(json, ",\"text_truncated\":true");
		return;
	case KERROR_FIELD_FORMAT:
		add_value(json, field->name, field);
		if (!kerror_format_own_id(kerror_event_format(event)))
			text_add_string(json, ",\"own_id\":false");
		text_add_string(json, ",\"arguments\":[");
		return;
	default:
		add_value(json, field->name, field);
	}
}

void json_write_event(struct text *json, const struct kerror_event *event,
		      const struct json_event_text *text)
{
	struct kerror_field field = { 0 };
	bool in_arguments = false;

	json_write_series(json, kerror_event_origin(event));
	while (kerror_event_next_field(event, &field)) {
		if (field.id == KERROR_FIELD_ARG) {
			add_argument(json, &field);
			continue;
		}
		if (in_arguments)
			text_byte(json, ']');
		add_field(json, event, &field, text);
		/* The list is there without arguments, too. */
		in_arguments = field.id == KERROR_FIELD_FORMAT;
	}
	text_byte(json, '}');
}

void json_write_loss(struct text *json, const struct kerror_loss *loss, const char *cause,
		     const struct kerror_origin *origin)
{
	json_write_series(json, origin);
	json_write_string(json, "group", kerror_group_name(loss->group));
	json_write_string(json, "cause", cause);
	json_write_number(json, "count", loss->count);
	json_write_number(json, "total", loss->total);
	json_write_origin(json, origin);
	text_byte(json, '}');
}
