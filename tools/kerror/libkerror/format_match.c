// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tells whether a text can have been made of a format, and which part of the text each
 * conversion became: what kerror_event_text() does, backwards. For programs that have
 * the text only, such as that of a message from before an event could be made of it.
 *
 * Promise: memory and time are bounded, whatever format and text are. A format that
 * would take longer than that does not match.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "format.h"

/* So often a conversion is tried in all. */
#define STEPS	20000

struct match {
	const uint16_t *end;
	const char *text_end;
	struct kerror_span *values;
	size_t most;
	unsigned int steps;
};

static bool is_hexadecimal(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/*
 * The longest run at @at that a number of this conversion can be, without the blanks
 * of its width, or 0.
 */
static size_t number_size(char letter, const char *at, const char *end)
{
	const char *start = at;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (letter == 'x' || letter == 'X') {
		if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
			at += 2;
		while (at < end && is_hexadecimal(*at))
			at++;
		return at - start;
	}
	while (at < end && *at >= '0' && *at <= (letter == 'o' ? '7' : '9'))
		at++;
	return at > start && at[-1] >= '0' ? at - start : 0;
}

static bool fits(struct match *match, const uint16_t *unit, const char *text, size_t count);

/* Whether the rest fits, if the conversion became the @size bytes at @text. */
static bool try_value(struct match *match, const uint16_t *unit, const char *text,
		      size_t size, const char *rest, size_t count)
{
	if (count < match->most)
		match->values[count] = (struct kerror_span) { text, size };
	return fits(match, unit + 1, rest, count + 1);
}

static bool try_number(struct match *match, const uint16_t *unit, const char *text,
		       size_t count)
{
	const char *end = match->text_end, *rest;
	size_t size;

	while (text < end && *text == ' ')
		text++;
	for (size = number_size(*unit & 0xff, text, end); size; size--) {
		rest = text + size;
		if (try_value(match, unit, text, size, rest, count))
			return true;
		/* To the left of its width */
		while (rest < end && *rest == ' ')
			if (try_value(match, unit, text, size, ++rest, count))
				return true;
	}
	return false;
}

/* Whether the units from @unit on can have become all of the rest of the text */
static bool fits(struct match *match, const uint16_t *unit, const char *text, size_t count)
{
	while (unit < match->end && !(*unit & FORMAT_CONVERSION)) {
		if (text == match->text_end || (uint8_t)*text != *unit)
			return false;
		unit++;
		text++;
	}
	if (unit == match->end)
		return text == match->text_end;
	if (++match->steps > STEPS)
		return false;
	switch (*unit & 0xff) {
	case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
		return try_number(match, unit, text, count);
	case 'c':
		return text < match->text_end &&
		       try_value(match, unit, text, 1, text + 1, count);
	}
	/* The shortest first, but all of the rest if nothing is behind it */
	for (size_t size = unit + 1 == match->end ? match->text_end - text : 0;
	     text + size <= match->text_end && match->steps <= STEPS; size++)
		if (try_value(match, unit, text, size, text + size, count))
			return true;
	return false;
}

/* Whether the text ends in what stands behind the last conversion */
static bool ends_alike(const struct match *match, const uint16_t *units, const char *text)
{
	const char *at = match->text_end;

	for (const uint16_t *unit = match->end; unit > units && !(unit[-1] & FORMAT_CONVERSION);
	     unit--)
		if (at == text || (uint8_t)*--at != unit[-1])
			return false;
	return true;
}

int kerror_format_match(const char *format, const char *text, size_t size,
			struct kerror_span *values, size_t most)
{
	size_t length = strlen(format), conversions = 0, units_count;
	uint16_t *units = malloc((length + 1) * sizeof(*units));
	struct match match;
	bool found;

	if (!units)
		return -ENOMEM;
	units_count = format_units(format, units);
	match = (struct match) {
		.end = units + units_count, .text_end = text + size,
		.values = values, .most = most,
	};
	found = ends_alike(&match, units, text) && fits(&match, units, text, 0);
	for (size_t i = 0; i < units_count; i++)
		conversions += !!(units[i] & FORMAT_CONVERSION);
	free(units);
	return found ? (int)conversions : -ENOENT;
}

bool kerror_format_own_id(const char *format)
{
	struct conversion c;
	unsigned char byte;

	while ((byte = *format)) {
		if (byte >= 0x80 || (format_alnum(byte) && byte > '9'))
			return true;
		format = byte == '%' ? format_conversion(format, format + 1,
							 format_kernel_alnum, &c) : format + 1;
	}
	return false;
}
