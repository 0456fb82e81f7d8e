// SPDX-License-Identifier: LGPL-2.1-or-later
/* Characters of UTF-8, see utf8.h. */
#include "utf8.h"

size_t utf8_decode(const char *text, size_t size, uint32_t *character)
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

	return utf8_decode(text, size, &character);
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

size_t whole_characters(const char *text, size_t size)
{
	for (size_t back = 1; back <= 3 && back <= size; back++) {
		unsigned char byte = text[size - back];

		if ((byte & 0xc0) == 0x80)
			continue;
		/* The first byte tells how many belong to it. */
		return byte >= (back == 1 ? 0xc0 : back == 2 ? 0xe0 : 0xf0) ?
		       size - back : size;
	}
	return size;
}
