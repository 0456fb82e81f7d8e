// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes messages of OTLP, as protobuf or as JSON, for otlp_message.c, which does not
 * know which of them it is. Protobuf has the length of a message before it: the bytes
 * are moved to make room for it when they are complete.
 */
#include "otlp.h"

/* Wire types of protobuf */
enum { VARINT, FIXED64, LENGTH };

static void add_varint(struct buffer *buffer, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		buffer_byte(buffer, number | 0x80);
	buffer_byte(buffer, number);
}

/* JSON: the begin of a member, or of an element of a list, which has no name */
static void add_name(struct otlp_writer *writer, const char *name)
{
	if (writer->comma)
		buffer_byte(writer->buffer, ',');
	writer->comma = true;
	if (!name)
		return;
	buffer_byte(writer->buffer, '"');
	buffer_string(writer->buffer, name);
	buffer_string(writer->buffer, "\":");
}

static void add_tag(struct otlp_writer *writer, unsigned int number, int type,
		    const char *name)
{
	if (writer->json)
		add_name(writer, name);
	else
		add_varint(writer->buffer, number << 3 | type);
}

/* Protobuf: puts the length before what began at @begin. */
static void close_length(struct buffer *buffer, size_t begin)
{
	size_t length = buffer->size - begin, end = buffer->size, head;
	char bytes[10];

	add_varint(buffer, length);
	if (buffer->failed)
		return;
	head = buffer->size - end;
	memcpy(bytes, buffer->bytes + end, head);
	memmove(buffer->bytes + begin + head, buffer->bytes + begin, length);
	memcpy(buffer->bytes + begin, bytes, head);
}

size_t otlp_begin(struct otlp_writer *writer, unsigned int number, const char *name)
{
	add_tag(writer, number, LENGTH, name);
	if (writer->json) {
		buffer_byte(writer->buffer, '{');
		writer->comma = false;
	}
	return writer->buffer->size;
}

void otlp_end(struct otlp_writer *writer, size_t begin)
{
	if (!writer->json) {
		close_length(writer->buffer, begin);
		return;
	}
	buffer_byte(writer->buffer, '}');
	writer->comma = true;
}

void otlp_list(struct otlp_writer *writer, const char *name)
{
	if (!writer->json)
		return;
	add_name(writer, name);
	buffer_byte(writer->buffer, '[');
	writer->comma = false;
}

void otlp_end_list(struct otlp_writer *writer)
{
	if (!writer->json)
		return;
	buffer_byte(writer->buffer, ']');
	writer->comma = true;
}

size_t otlp_begin_text(struct otlp_writer *writer, unsigned int number, const char *name)
{
	add_tag(writer, number, LENGTH, name);
	if (writer->json)
		buffer_byte(writer->buffer, '"');
	return writer->buffer->size;
}

void otlp_end_text(struct otlp_writer *writer, size_t begin)
{
	if (writer->json)
		buffer_byte(writer->buffer, '"');
	else
		close_length(writer->buffer, begin);
}

/* In JSON, what needs a backslash before it */
static const char *quoted(const struct otlp_writer *writer)
{
	return writer->json ? "\"\\" : "";
}

void otlp_add_text(struct otlp_writer *writer, const char *text, size_t size)
{
	buffer_quoted(writer->buffer, text, size, quoted(writer));
}

void otlp_text(struct otlp_writer *writer, unsigned int number, const char *name,
	       const char *text, size_t size)
{
	size_t begin = otlp_begin_text(writer, number, name);

	otlp_add_text(writer, text, size);
	otlp_end_text(writer, begin);
}

void otlp_shown(struct otlp_writer *writer, unsigned int number, const char *name,
		const struct kerror_field *field)
{
	size_t begin = otlp_begin_text(writer, number, name);

	buffer_value(writer->buffer, field, quoted(writer));
	otlp_end_text(writer, begin);
}

void otlp_time(struct otlp_writer *writer, unsigned int number, const char *name,
	       uint64_t time)
{
	add_tag(writer, number, FIXED64, name);
	if (writer->json) {
		buffer_byte(writer->buffer, '"');
		buffer_number(writer->buffer, time);
		buffer_byte(writer->buffer, '"');
		return;
	}
	for (int bits = 0; bits < 64; bits += 8)
		buffer_byte(writer->buffer, time >> bits);
}

void otlp_int(struct otlp_writer *writer, unsigned int number, const char *name,
	      int64_t value)
{
	add_tag(writer, number, VARINT, name);
	if (writer->json) {
		buffer_byte(writer->buffer, '"');
		buffer_signed(writer->buffer, value);
		buffer_byte(writer->buffer, '"');
	} else {
		add_varint(writer->buffer, value);
	}
}

void otlp_small(struct otlp_writer *writer, unsigned int number, const char *name,
		unsigned int value)
{
	add_tag(writer, number, VARINT, name);
	if (writer->json)
		buffer_number(writer->buffer, value);
	else
		add_varint(writer->buffer, value);
}

void otlp_bool(struct otlp_writer *writer, unsigned int number, const char *name,
	       bool value)
{
	add_tag(writer, number, VARINT, name);
	if (writer->json)
		buffer_string(writer->buffer, value ? "true" : "false");
	else
		add_varint(writer->buffer, value);
}

static void add_base64(struct buffer *buffer, const unsigned char *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		uint32_t three = bytes[i] << 16 | (i + 1 < size ? bytes[i + 1] << 8 : 0) |
				 (i + 2 < size ? bytes[i + 2] : 0);

		buffer_byte(buffer, digits[three >> 18]);
		buffer_byte(buffer, digits[three >> 12 & 63]);
		buffer_byte(buffer, i + 1 < size ? digits[three >> 6 & 63] : '=');
		buffer_byte(buffer, i + 2 < size ? digits[three & 63] : '=');
	}
}

void otlp_bytes(struct otlp_writer *writer, unsigned int number, const char *name,
		const void *bytes, size_t size)
{
	size_t begin = otlp_begin_text(writer, number, name);

	if (writer->json)
		add_base64(writer->buffer, bytes, size);
	else
		buffer_add(writer->buffer, bytes, size);
	otlp_end_text(writer, begin);
}
