// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of an event, in memory of this thread that is reused. It never grows
 * beyond the limit: a driver can ask for a width of 8 million bytes in each of
 * its conversions, and libkerror counts the rest without making it.
 */
#include <stdlib.h>
#include "output.h"

static size_t limit = TEXT_LIMIT;

static _Thread_local char *last_text;
static _Thread_local size_t room;
static _Thread_local bool truncated;

void event_text_limit(size_t bytes)
{
	limit = bytes;
}

void event_text_done(void)
{
	free(last_text);
	last_text = NULL;
	room = 0;
}

bool event_text_truncated(void)
{
	return truncated;
}

static const char *text_as(const struct kerror_event *event,
			   const char *format, size_t *size)
{
	char *larger;
	size_t whole;

	whole = kerror_event_text_as(event, format, last_text, room);
	if (whole >= room && room <= limit) {
		size_t wanted = whole < limit ? whole + 1 : limit + 1;

		larger = realloc(last_text, wanted);
		if (larger) {
			last_text = larger;
			room = wanted;
			kerror_event_text_as(event, format, last_text, room);
		}
	}
	truncated = whole >= room;
	*size = !truncated ? whole : room ? room - 1 : 0;
	if (truncated && room)
		*size = whole_characters(last_text, *size);
	return room ? last_text : "";
}

const char *event_text(const struct kerror_event *event, size_t *size)
{
	return text_as(event, NULL, size);
}

const char *styled_text(const struct print_style *style,
			const struct kerror_event *event, size_t *size)
{
	const char *format = kerror_event_format(event);

	return text_as(event, format && style->translate ?
		       style->translate(format) : NULL, size);
}

bool next_field(const struct print_style *style, const struct kerror_event *event,
		struct kerror_field *field)
{
	if (field->id == KERROR_FIELD_TEXT && field->value == KERROR_VALUE_TEXT &&
	    truncated) {
		*field = (struct kerror_field) {
			.id = KERROR_FIELD_TEXT, .value = KERROR_VALUE_FLAG,
			.name = "text_truncated", .number = 1,
		};
		return true;
	}
	if (!kerror_event_next_field(event, field))
		return false;
	if (field->id == KERROR_FIELD_TEXT) {
		field->value = KERROR_VALUE_TEXT;
		field->text = styled_text(style, event, &field->size);
	}
	return true;
}
