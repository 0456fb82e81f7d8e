// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second format of a message whose own is hardly more than conversions, such as
 * "%s %s: %s" of SCSI: a rule names a string of the kernel, of which the end of the text
 * must have been made, with anything behind it. What its conversions became, and what
 * stands behind, are values that the rule's key, condition and command can have.
 *
 * Promise: only so much of the text is looked at that it takes no time worth the name.
 */
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <zlib.h>
#include "message.h"

/* Bytes of the text in which the format may begin */
#define BEGIN_MAX 1024

/* With one more conversion for what is behind, if it ends in none */
static char *pattern_of(const char *format)
{
	size_t size = strlen(format);
	char *pattern = malloc(size + 3);

	if (!pattern)
		return NULL;
	memcpy(pattern, format, size + 1);
	if (size < 2 || strcmp(format + size - 2, "%s"))
		strcpy(pattern + size, "%s");
	return pattern;
}

bool find_in_text(struct found *found, const char *format, const struct kerror_event *event)
{
	char *pattern = pattern_of(format);
	size_t size, begin;
	const char *text = event_text(event, &size);
	int count = -1;

	*found = (struct found) { .format = format, .text = malloc(size + 1) };
	if (!pattern || !found->text)
		size = 0;
	else
		memcpy(found->text, text, size);
	for (begin = 0; count < 0 && begin < size && begin < BEGIN_MAX; begin++)
		if (found->text[begin] == *pattern)
			count = kerror_format_match(pattern, found->text + begin, size - begin,
						    found->values, FOUND_VALUES);
	free(pattern);
	if (count < 0)
		found_free(found);
	else
		found->count = count < FOUND_VALUES ? count : FOUND_VALUES;
	return count >= 0;
}

void found_free(struct found *found)
{
	free(found->text);
	*found = (struct found) { 0 };
}

uint32_t found_id(const struct found *found)
{
	return crc32(0, (const Bytef *)found->format, strlen(found->format));
}

char *found_json(const struct found *found)
{
	struct json_object *object = json_object_new_object();
	struct json_object *values = json_object_new_array();
	struct buffer value = { 0 };
	char id[9], *text = NULL;

	snprintf(id, sizeof(id), "%08x", found_id(found));
	json_object_object_add(object, "event_id", json_object_new_string(id));
	json_object_object_add(object, "format", json_object_new_string(found->format));
	for (size_t i = 0; i < found->count; i++) {
		value.size = 0;
		buffer_printable(&value, found->values[i].start, found->values[i].size);
		if (buffer_terminate(&value))
			json_object_array_add(values, json_object_new_string(value.bytes));
	}
	json_object_object_add(object, "values", values);
	if (object)
		text = strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	buffer_free(&value);
	json_object_put(object);
	return text;
}
