// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A string under construction, for all that writes text: the part that has no room is
 * counted, so that a caller learns the size of the whole. Calls nothing but memcpy() and
 * memset(), and never fails.
 */
#include <string.h>
#include "internal.h"

void text_cut(struct text *text, const void *bytes, size_t size)
{
	if (text->size > text->length)
		memcpy(text->buffer + text->length, bytes, text->size - text->length);
	text->length += size;
}

void text_fill(struct text *text, char byte, long count)
{
	size_t room = text->size > text->length ? text->size - text->length : 0;

	if (count <= 0)
		return;
	if (room)
		memset(text->buffer + text->length, byte,
		       (size_t)count < room ? (size_t)count : room);
	text->length += count;
}

void text_end(struct text *text)
{
	if (text->size)
		text->buffer[text->length < text->size ? text->length :
			     text->size - 1] = '\0';
}
