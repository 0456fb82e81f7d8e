// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events and losses as JSON: json_write.c with a text of the library's own limit */
#include <stdlib.h>
#include "json_write.h"
#include "utf8.h"

/* NULL without memory; to be freed */
static char *make_text(const struct kerror_event *event, struct json_event_text *text)
{
	size_t whole = kerror_event_text(event, NULL, 0);
	size_t size = whole < KERROR_JSON_TEXT ? whole : KERROR_JSON_TEXT;
	char *bytes = malloc(size + 1);

	if (!bytes)
		return NULL;
	kerror_event_text(event, bytes, size + 1);
	text->bytes = bytes;
	text->truncated = size < whole;
	text->size = text->truncated ? whole_characters(bytes, size) : size;
	return bytes;
}

size_t kerror_event_json(const struct kerror_event *event, char *buffer, size_t size)
{
	struct text json = { .buffer = buffer, .size = size };
	struct json_event_text text = { 0 };
	char *bytes = NULL;

	if (json_has_text(event)) {
		bytes = make_text(event, &text);
		if (!bytes)
			return 0;
	}
	json_write_item(&json, "event");
	json_write_event(&json, event, &text);
	text_end(&json);
	free(bytes);
	return json.length;
}

size_t kerror_loss_json(const struct kerror_loss *loss, const struct kerror_origin *origin,
			char *buffer, size_t size)
{
	struct text json = { .buffer = buffer, .size = size };

	json_write_item(&json, "loss");
	json_write_loss(&json, loss, kerror_cause_name(loss->cause), origin);
	text_end(&json);
	return json.length;
}
