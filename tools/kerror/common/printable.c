// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text of whatever bytes, for terminals and logs. Control characters of ASCII and
 * of C1, characters that turn the direction of a line, and bytes that are no UTF-8
 * are shown as \xHH, one for each byte; everything else as it is.
 */
#include "output.h"

/* The character that @text begins with; returns its bytes, or 0. */
static size_t decode(const char *text, size_t size, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = text[0];
	size_t length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 :
			first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	uint32_t value = length < 2 ? first : first & (0x7f >> length);

	if (!length || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff ||
	    (value >= 0xd800 && value < 0xe000))
		return 0;
	*character = value;
	return length;
}

size_t utf8_length(const char *text, size_t size)
{
	uint32_t character;

	return decode(text, size, &character);
}

bool is_harmless(uint32_t character)
{
	if (character < 0xa0)
		return character >= 0x20 && character < 0x7f;
	/* Marks, embeddings, overrides and isolates of direction; line separators */
	return character != 0x61c &&
	       (character < 0x200e || character > 0x2069 ||
		(character > 0x200f && character < 0x2028) ||
		(character > 0x202e && character < 0x2066));
}

size_t utf8_decode(const char *text, size_t size, uint32_t *character)
{
	return decode(text, size, character);
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
	size_t plain = 0;

	while (plain < size) {
		unsigned char byte = text[plain];
		uint32_t character = byte;
		size_t length = 1;

		if (byte >= 0x80)
			length = decode(text + plain, size - plain, &character);
		if (length && is_harmless(character) &&
		    !(byte < 0x80 && *quoted && strchr(quoted, byte))) {
			plain += length;
			continue;
		}
		buffer_add(buffer, text, plain);
		text += plain;
		size -= plain;
		plain = 0;
		if (length && is_harmless(character)) {
			buffer_byte(buffer, '\\');
			buffer_byte(buffer, byte);
		} else {
			add_escaped(buffer, text, length ? length : 1, quoted);
		}
		text += length ? length : 1;
		size -= length ? length : 1;
	}
	buffer_add(buffer, text, plain);
}

void buffer_printable(struct buffer *buffer, const char *text, size_t size)
{
	buffer_quoted(buffer, text, size, "");
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
