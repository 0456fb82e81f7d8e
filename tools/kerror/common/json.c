// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines, written directly. The keys are documented in kerrorctl(1) and do
 * not change; new ones may come.
 */
#include <stdlib.h>
#include <string.h>
#include "output.h"

static void add_escape(struct buffer *buffer, uint32_t character)
{
	static const char letters[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
		['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
	};

	buffer_byte(buffer, '\\');
	if (character < sizeof(letters) && letters[character]) {
		buffer_byte(buffer, letters[character]);
		return;
	}
	/* None of those that are escaped needs more digits. */
	buffer_byte(buffer, 'u');
	buffer_hex(buffer, character, 4);
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
static bool add_text(struct buffer *buffer, const char *text, size_t size)
{
	const char *end = text + size;
	bool is_utf8 = true;

	buffer_byte(buffer, '"');
	for (;;) {
		size_t plain = plain_length(text, end - text), length;
		uint32_t character;

		buffer_add(buffer, text, plain);
		text += plain;
		if (text == end)
			break;
		length = utf8_decode(text, end - text, &character);
		if (!length) {
			is_utf8 = false;
			length = 1;
			buffer_add(buffer, "\\\\x", 3);
			buffer_hex(buffer, (unsigned char)*text, 2);
		} else if (length > 1 && is_harmless(character)) {
			buffer_add(buffer, text, length);
		} else {
			add_escape(buffer, character);
		}
		text += length;
	}
	buffer_byte(buffer, '"');
	return is_utf8;
}

/* With a comma: the first key of an object is written by its caller. */
static void add_key(struct buffer *buffer, const char *key)
{
	size_t length = strlen(key);

	if (buffer->room - buffer->size < length + 4 &&
	    !buffer_grow(buffer, length + 4))
		return;
	memcpy(buffer->bytes + buffer->size, ",\"", 2);
	memcpy(buffer->bytes + buffer->size + 2, key, length);
	memcpy(buffer->bytes + buffer->size + 2 + length, "\":", 2);
	buffer->size += length + 4;
}

static void add_string(struct buffer *buffer, const char *key, const char *value)
{
	add_key(buffer, key);
	add_text(buffer, value, strlen(value));
}

/* Behind a number that is none of JSON_EXACT, or a text that is no UTF-8: the same as a string */
static void begin_other(struct buffer *buffer, const char *key, const char *end)
{
	buffer_string(buffer, ",\"");
	buffer_string(buffer, key);
	buffer_string(buffer, end);
	buffer_string(buffer, "\":\"");
}

/* With all its bytes behind it if \xHH stands for one, so that it is no text of the same look */
static void add_bytes(struct buffer *buffer, const char *key, const char *text, size_t size)
{
	if (add_text(buffer, text, size))
		return;
	begin_other(buffer, key, JSON_BYTES);
	buffer_hex_bytes(buffer, text, size);
	buffer_byte(buffer, '"');
}

static void add_number(struct buffer *buffer, const char *key, uint64_t value)
{
	add_key(buffer, key);
	buffer_number(buffer, value);
	if (value <= JSON_EXACT)
		return;
	begin_other(buffer, key, JSON_DIGITS);
	buffer_number(buffer, value);
	buffer_byte(buffer, '"');
}

static bool is_exact(const struct kerror_field *field)
{
	if (field->value == KERROR_VALUE_SIGNED && (int64_t)field->number < 0)
		return -field->number <= JSON_EXACT;
	return (field->value != KERROR_VALUE_NUMBER && field->value != KERROR_VALUE_SIGNED) ||
	       field->number <= JSON_EXACT;
}

static void add_value(struct buffer *buffer, const char *key,
		      const struct kerror_field *field)
{
	add_key(buffer, key);
	switch (field->value) {
	case KERROR_VALUE_TEXT:
		/* Those of an origin are the operator's. */
		if (field->id < KERROR_FIELD_MACHINE)
			add_bytes(buffer, key, field->text, field->size);
		else
			add_text(buffer, field->text, field->size);
		break;
	case KERROR_VALUE_FLAG:
		buffer_add(buffer, "true", 4);
		break;
	case KERROR_VALUE_HEX:
	case KERROR_VALUE_BYTES:
		buffer_byte(buffer, '"');
		buffer_value(buffer, field, "");
		buffer_byte(buffer, '"');
		break;
	default:
		buffer_value(buffer, field, "");
		if (is_exact(field))
			break;
		begin_other(buffer, key, JSON_DIGITS);
		buffer_value(buffer, field, "");
		buffer_byte(buffer, '"');
	}
}

static void add_argument(struct buffer *buffer, const struct kerror_field *field)
{
	if (field->index)
		buffer_byte(buffer, ',');
	buffer_string(buffer, "{\"type\":\"");
	buffer_string(buffer, kerror_argument_name(field->type));
	buffer_byte(buffer, '"');
	if (field->value != KERROR_VALUE_NONE)
		add_value(buffer, "value", field);
	if (field->invalid)
		buffer_string(buffer, ",\"invalid\":true");
	buffer_byte(buffer, '}');
}

/* In other outputs these have names that JSON has for other things. */
static const char *key_of(const struct kerror_field *field)
{
	return field->id == KERROR_FIELD_TYPE ? "event_type" :
	       field->id == KERROR_FIELD_ID ? "event_id" : field->name;
}

/* Data in hexadecimal is there already. */
static bool has_text(const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	return header && (header->format == EVL_FORMAT_PRINTF ||
			  header->format == EVL_FORMAT_STRING);
}

static void add_event_text(struct buffer *buffer, const struct print_style *style,
			   const struct kerror_event *event)
{
	const char *text;
	size_t size;

	text = styled_text(style, event, &size);
	add_key(buffer, "text");
	add_bytes(buffer, "text", text, size);
	if (event_text_truncated())
		buffer_string(buffer, ",\"text_truncated\":true");
}

/* Names the numbers that belong together: boot and load of the module */
static void add_series(struct buffer *buffer, const struct kerror_origin *origin)
{
	const char *boot_id = kerror_origin_get(origin, "boot_id");
	const char *instance = kerror_origin_get(origin, "instance");

	if (boot_id)
		add_string(buffer, "boot_id", boot_id);
	if (instance)
		add_number(buffer, "instance", strtoull(instance, NULL, 10));
}

static bool is_of_series(const char *name)
{
	return !strcmp(name, "boot_id") || !strcmp(name, "instance");
}

/* The other fields of an origin */
static void add_origin(struct buffer *buffer, const struct kerror_origin *origin)
{
	const char *name, *value;

	for (size_t i = 0; (name = kerror_origin_at(origin, i, &value)); i++)
		if (!is_of_series(name))
			add_string(buffer, name, value);
}

static void add_fields(struct buffer *buffer, const struct print_style *style,
		       const struct kerror_event *event)
{
	struct kerror_field field = { 0 };
	bool arguments = false;

	while (kerror_event_next_field(event, &field)) {
		if (field.id == KERROR_FIELD_ARG) {
			add_argument(buffer, &field);
			continue;
		}
		if (arguments)
			buffer_byte(buffer, ']');
		arguments = false;
		if (field.id == KERROR_FIELD_TEXT) {
			if (has_text(event))
				add_event_text(buffer, style, event);
			continue;
		}
		/* They stand at the beginning. */
		if (field.id == KERROR_FIELD_BOOT_ID || field.id == KERROR_FIELD_INSTANCE)
			continue;
		add_value(buffer, key_of(&field), &field);
		/* The list is there without arguments, too. */
		if (field.id == KERROR_FIELD_FORMAT) {
			if (!kerror_format_own_id(kerror_event_format(event)))
				buffer_string(buffer, ",\"own_id\":false");
			add_key(buffer, "arguments");
			buffer_byte(buffer, '[');
			arguments = true;
		}
	}
}

void event_json(struct buffer *buffer, const struct print_style *style,
		const struct kerror_event *event)
{
	buffer_string(buffer, "{\"item\":\"");
	buffer_string(buffer, style->item ? style->item : "event");
	buffer_byte(buffer, '"');
	if (style->id)
		add_number(buffer, "number", style->id);
	if (style->acknowledged)
		add_number(buffer, "acknowledged", style->acknowledged);
	if (style->time && !kerror_event_header(event))
		add_number(buffer, "time_realtime", style->time);
	add_series(buffer, kerror_event_origin(event));
	add_fields(buffer, style, event);
	buffer_add(buffer, "}\n", 2);
}

void loss_json(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss)
{
	buffer_string(buffer, is_collapsed(style->cause) ?
		      "{\"item\":\"collapsed\"" : "{\"item\":\"loss\"");
	if (style->time)
		add_number(buffer, "time_realtime", style->time);
	add_series(buffer, style->origin);
	add_string(buffer, "group", kerror_group_name(loss->group));
	add_string(buffer, "cause",
		   style->cause ? style->cause : kerror_cause_name(loss->cause));
	add_number(buffer, "count", loss->count);
	add_number(buffer, "total", loss->total);
	add_origin(buffer, style->origin);
	buffer_add(buffer, "}\n", 2);
}

void heartbeat_json(struct buffer *buffer, const struct kerror_origin *origin, uint64_t time,
		    uint64_t interval, bool behind)
{
	buffer_string(buffer, "{\"item\":\"heartbeat\"");
	add_number(buffer, "time_realtime", time);
	add_series(buffer, origin);
	add_origin(buffer, origin);
	add_number(buffer, "interval", interval);
	add_key(buffer, "behind");
	buffer_string(buffer, behind ? "true" : "false");
	add_key(buffer, "groups");
	buffer_byte(buffer, '[');
}

void report_json(struct buffer *buffer, const struct print_style *style, uint64_t time,
		 unsigned int severity, const char *text)
{
	buffer_string(buffer, "{\"item\":\"report\"");
	add_series(buffer, style->origin);
	add_number(buffer, "time_realtime", time);
	add_string(buffer, "severity", kerror_severity_name(severity));
	add_string(buffer, "text", text);
	add_origin(buffer, style->origin);
	buffer_add(buffer, "}\n", 2);
}
