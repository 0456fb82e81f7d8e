/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parts of JSON objects, with the keys that kerrorctl(1) documents. Not part of the
 * library's interface: for json.c, and for the tools, which put keys of their own before
 * those of an event or a loss, and write objects of other things.
 */
#ifndef LIBKERROR_JSON_WRITE_H
#define LIBKERROR_JSON_WRITE_H

#include "internal.h"

/*
 * JavaScript's numbers, and those of jq before 1.7, are exact up to this one. A key with a
 * number beyond is followed by one whose name ends so, with the digits as a string.
 */
#define JSON_EXACT	(1ULL << 53)
#define JSON_DIGITS	"_string"
/* The same of a text that is no UTF-8: its bytes, in hexadecimal */
#define JSON_BYTES	"_bytes"

/* Of an event: the caller made it, in its own language and up to its own limit. */
struct json_event_text {
	const char *bytes;
	size_t size;
	bool truncated;
};

/* Whether an event has a text beside its data in hexadecimal */
static inline bool json_has_text(const struct kerror_event *event)
{
	int kind = kerror_event_kind(event);

	return kind == EVL_FORMAT_PRINTF || kind == EVL_FORMAT_STRING;
}

/* The first key of an object, without a comma before it; all others have one. */
void json_write_item(struct text *json, const char *item);
void json_write_string(struct text *json, const char *key, const char *value);
void json_write_number(struct text *json, const char *key, uint64_t number);

/* What names the numbers that belong together: boot, and load of the module */
void json_write_series(struct text *json, const struct kerror_origin *origin);

/* The other fields of an origin */
void json_write_origin(struct text *json, const struct kerror_origin *origin);

/* The rest of an object: all that an event or a loss has. @text: if json_has_text() */
void json_write_event(struct text *json, const struct kerror_event *event,
		      const struct json_event_text *text);
void json_write_loss(struct text *json, const struct kerror_loss *loss, const char *cause,
		     const struct kerror_origin *origin);

#endif
