/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes under construction. Without memory a buffer keeps its bytes and is marked
 * as failed, so that a caller checks once, at the end.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
	char *bytes;		/* no NUL behind them, see buffer_terminate() */
	size_t size, room;
	bool failed;
};

/* Makes room for @size more; false, and failed, without memory. */
bool buffer_grow(struct buffer *buffer, size_t size);
void buffer_free(struct buffer *buffer);

/* Puts a NUL behind the bytes, which does not count. NULL if the buffer failed. */
char *buffer_terminate(struct buffer *buffer);

static inline void buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
	if (buffer->room - buffer->size < size && !buffer_grow(buffer, size))
		return;
	if (size)
		memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
}

static inline void buffer_byte(struct buffer *buffer, char byte)
{
	if (buffer->room == buffer->size && !buffer_grow(buffer, 1))
		return;
	buffer->bytes[buffer->size++] = byte;
}

static inline void buffer_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

/* In decimal */
void buffer_number(struct buffer *buffer, uint64_t number);
void buffer_signed(struct buffer *buffer, int64_t number);

/* In decimal of @digits digits, with zeros before it */
void buffer_padded(struct buffer *buffer, uint64_t number, unsigned int digits);

/* The last @digits hexadecimal digits */
void buffer_hex(struct buffer *buffer, uint64_t number, unsigned int digits);

/* Each of @size bytes as two hexadecimal digits */
void buffer_hex_bytes(struct buffer *buffer, const void *bytes, size_t size);

/* @time, nanoseconds since 1970, as 2026-01-31T23:59:59.000000Z */
void buffer_time(struct buffer *buffer, uint64_t time);

#endif
