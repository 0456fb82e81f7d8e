// SPDX-License-Identifier: GPL-2.0-only
/* Bytes under construction, see buffer.h. */
#include <stdlib.h>
#include "buffer.h"

#define FIRST_ROOM 1024

static const char hex_digits[] = "0123456789abcdef";

bool buffer_grow(struct buffer *buffer, size_t size)
{
	size_t room = buffer->room ? 2 * buffer->room : FIRST_ROOM;
	char *larger;

	if (room < buffer->size + size)
		room = buffer->size + size;
	larger = buffer->failed ? NULL : realloc(buffer->bytes, room);
	if (!larger) {
		buffer->failed = true;
		return false;
	}
	buffer->bytes = larger;
	buffer->room = room;
	return true;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer) { 0 };
}

char *buffer_terminate(struct buffer *buffer)
{
	buffer_byte(buffer, '\0');
	if (buffer->failed)
		return NULL;
	buffer->size--;
	return buffer->bytes;
}

void buffer_padded(struct buffer *buffer, uint64_t number, unsigned int digits)
{
	char text[24];
	unsigned int at = sizeof(text);

	do {
		text[--at] = '0' + number % 10;
		number /= 10;
	} while (number || sizeof(text) - at < digits);
	buffer_add(buffer, text + at, sizeof(text) - at);
}

void buffer_number(struct buffer *buffer, uint64_t number)
{
	buffer_padded(buffer, number, 1);
}

void buffer_signed(struct buffer *buffer, int64_t number)
{
	if (number < 0)
		buffer_byte(buffer, '-');
	buffer_number(buffer, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void buffer_hex(struct buffer *buffer, uint64_t number, unsigned int digits)
{
	char text[16];

	for (unsigned int at = digits; at; number >>= 4)
		text[--at] = hex_digits[number & 15];
	buffer_add(buffer, text, digits);
}

void buffer_hex_bytes(struct buffer *buffer, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		buffer_hex(buffer, at[i], 2);
}

void buffer_time(struct buffer *buffer, uint64_t time)
{
	uint64_t seconds = time / 1000000000;
	/* Years that begin in March, of eras of 400 years from the year 0 on */
	uint64_t days = seconds / 86400 + 719468;
	uint32_t era = days / 146097, day = days % 146097;
	uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint32_t month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	month = month < 10 ? month + 3 : month - 9;
	buffer_padded(buffer, era * 400 + year + (month <= 2), 4);
	buffer_byte(buffer, '-');
	buffer_padded(buffer, month, 2);
	buffer_byte(buffer, '-');
	buffer_padded(buffer, day + 1, 2);
	buffer_byte(buffer, 'T');
	buffer_padded(buffer, seconds / 3600 % 24, 2);
	buffer_byte(buffer, ':');
	buffer_padded(buffer, seconds / 60 % 60, 2);
	buffer_byte(buffer, ':');
	buffer_padded(buffer, seconds % 60, 2);
	buffer_byte(buffer, '.');
	buffer_padded(buffer, time % 1000000000 / 1000, 6);
	buffer_byte(buffer, 'Z');
}
