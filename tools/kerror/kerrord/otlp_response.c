// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what an OTLP server says of a request that it took: how many records it has
 * refused, and why. Protobuf or JSON, from a peer that need not be right: what cannot be
 * read says nothing.
 */
#include <stdio.h>
#include <json-c/json.h>
#include "json_values.h"
#include "otlp.h"

/* A part of a message in protobuf, up to @end */
struct part {
	const uint8_t *at, *end;
};

static bool take_varint(struct part *part, uint64_t *number)
{
	*number = 0;
	for (int bits = 0; bits < 64 && part->at < part->end; bits += 7) {
		*number |= (uint64_t)(*part->at & 0x7f) << bits;
		if (!(*part->at++ & 0x80))
			return true;
	}
	return false;
}

/* The next field: its number, its value if it is a varint, or else its bytes */
static bool take_field(struct part *part, uint64_t *field, uint64_t *number,
		       struct part *bytes)
{
	uint64_t size;

	*bytes = (struct part) { part->at, part->at };
	if (!take_varint(part, field))
		return false;
	switch (*field & 7) {
	case 0:
		return take_varint(part, number);
	case 1:
		size = 8;
		break;
	case 2:
		if (!take_varint(part, &size))
			return false;
		break;
	case 5:
		size = 4;
		break;
	default:
		return false;
	}
	if (size > (uint64_t)(part->end - part->at))
		return false;
	*bytes = (struct part) { part->at, part->at + size };
	part->at += size;
	return true;
}

static void show(char *reason, size_t room, const void *text, size_t size)
{
	struct buffer buffer = { 0 };

	buffer_printable(&buffer, text, size);
	snprintf(reason, room, "%s", buffer_terminate(&buffer) ? : "");
	buffer_free(&buffer);
}

static uint64_t from_protobuf(const struct otlp_answer *answer, char *reason, size_t size)
{
	struct part whole = {
		(const uint8_t *)answer->body, (const uint8_t *)answer->body + answer->size,
	};
	uint64_t field, number = 0, rejected = 0;
	struct part success, bytes;

	while (take_field(&whole, &field, &number, &success)) {
		if (field != (1 << 3 | 2))	/* partial_success */
			continue;
		while (take_field(&success, &field, &number, &bytes)) {
			if (field == (1 << 3 | 0))	/* rejected_log_records */
				rejected = number;
			if (field == (2 << 3 | 2))	/* error_message */
				show(reason, size, bytes.at, bytes.end - bytes.at);
		}
	}
	return rejected;
}

static uint64_t from_json(const struct otlp_answer *answer, char *reason, size_t size)
{
	struct json_object *whole = json_tokener_parse(answer->body), *success;
	uint64_t rejected = 0;
	const char *text;

	if (whole && json_object_object_get_ex(whole, "partialSuccess", &success)) {
		/* An int64 is text there; json-c takes both. */
		rejected = json_get_number(success, "rejectedLogRecords");
		text = json_get_string(success, "errorMessage");
		show(reason, size, text, strlen(text));
	}
	json_object_put(whole);
	return rejected;
}

uint64_t otlp_rejected(const struct otlp_answer *answer, char *reason, size_t size)
{
	uint64_t rejected;

	*reason = '\0';
	rejected = (answer->json ? from_json : from_protobuf)(answer, reason, size);
	return rejected <= INT64_MAX ? rejected : 0;
}
