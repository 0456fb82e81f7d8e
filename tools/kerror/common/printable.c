// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text of any bytes, for terminals and logs. Control characters of ASCII and
 * of C1, characters that turn the direction of a line, and bytes that are no UTF-8
 * are shown as \xHH, one for each byte; everything else as it is.
 */
#include <ctype.h>
#include "output.h"

/* How many bytes @text begins with that no output shows in another way */
static size_t plain_length(const char *text, size_t size)
{
	static const bool plain[256] = {
		[' ' ... '!'] = true, ['#' ... '['] = true, ['^' ... '~'] = true,
	};
	size_t length = 0;

	while (length < size && plain[(unsigned char)text[length]])
		length++;
	return length;
}

static void add_escaped(struct buffer *buffer, const char *bytes, size_t size,
			const char *quoted)
{
	for (size_t i = 0; i < size; i++) {
		if (strchr(quoted, '\\'))
			buffer_byte(buffer, '\\');
		buffer_add(buffer, "\\x", 2);
		buffer_hex(buffer, (unsigned char)bytes[i], 2);
	}
}

void buffer_quoted(struct buffer *buffer, const char *text, size_t size,
		   const char *quoted)
{
	const char *end = text + size, *begin = text;

	while (text < end) {
		uint32_t character = 0;
		size_t length;
		bool harmless;

		text += plain_length(text, end - text);
		if (text == end)
			break;
		length = utf8_decode(text, end - text, &character);
		harmless = length && is_harmless(character);
		if (harmless && (length > 1 || !strchr(quoted, *text))) {
			text += length;
			continue;
		}
		buffer_add(buffer, begin, text - begin);
		length += !length;
		if (harmless) {
			buffer_byte(buffer, '\\');
			buffer_byte(buffer, *text);
		} else {
			add_escaped(buffer, text, length, quoted);
		}
		text += length;
		begin = text;
	}
	buffer_add(buffer, begin, text - begin);
}

void buffer_printable(struct buffer *buffer, const char *text, size_t size)
{
	buffer_quoted(buffer, text, size, "");
}

void buffer_capitals(struct buffer *buffer, const char *name)
{
	for (; *name; name++)
		buffer_byte(buffer, *name == '.' ? '_' : toupper((unsigned char)*name));
}

void buffer_value(struct buffer *buffer, const struct kerror_field *field,
		  const char *quoted)
{
	switch (field->value) {
	case KERROR_VALUE_NONE:
		buffer_byte(buffer, '?');
		break;
	case KERROR_VALUE_FLAG:
	case KERROR_VALUE_NUMBER:
		buffer_number(buffer, field->number);
		break;
	case KERROR_VALUE_SIGNED:
		buffer_signed(buffer, field->number);
		break;
	case KERROR_VALUE_HEX:
		buffer_hex(buffer, field->number, 2 * field->size);
		break;
	case KERROR_VALUE_TEXT:
		buffer_quoted(buffer, field->text, field->size, quoted);
		break;
	case KERROR_VALUE_BYTES:
		buffer_hex_bytes(buffer, field->text, field->size);
		break;
	}
}
