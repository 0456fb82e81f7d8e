// SPDX-License-Identifier: GPL-2.0-only
/* JSON objects of other things than events, by json-c. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "json_write.h"
#include "kerrorctl.h"

static bool is_exact(struct json_object *value)
{
	int64_t number = json_object_get_int64(value);

	/* A number that is too large is INT64_MAX here. */
	return !json_object_is_type(value, json_type_int) ||
	       (number <= (int64_t)JSON_EXACT && number >= -(int64_t)JSON_EXACT);
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value))
		errx(EXIT_FAILURE, "out of memory");
}

void json_add(struct json_object *object, const char *key,
	      struct json_object *value)
{
	char digits[64];

	add(object, key, value);
	if (is_exact(value))
		return;
	snprintf(digits, sizeof(digits), "%s" JSON_DIGITS, key);
	add(object, digits, json_object_new_string(json_object_get_string(value)));
}

bool json_add_own_id(struct json_object *object, const char *format)
{
	bool own = kerror_format_own_id(format);

	if (!own)
		json_add(object, "own_id", json_object_new_boolean(false));
	return !own;
}

struct json_object *json_text(const char *text, size_t size)
{
	char *valid = malloc(4 * size + 1);
	struct json_object *value;
	size_t used = 0;

	if (!valid)
		return NULL;
	while (size) {
		size_t length = utf8_length(text, size);

		if (length) {
			memcpy(valid + used, text, length);
			used += length;
		} else {
			length = 1;
			used += sprintf(valid + used, "\\x%02x",
					(unsigned char)*text);
		}
		text += length;
		size -= length;
	}
	value = json_object_new_string_len(valid, used);
	free(valid);
	return value;
}

struct json_object *json_string(const char *text)
{
	return json_text(text, strlen(text));
}

struct json_object *json_number(uint64_t value)
{
	return json_object_new_uint64(value);
}

/* A parser gets each character, a terminal none that controls it. */
static void print_line(FILE *file, const char *text)
{
	size_t size = strlen(text);

	while (size) {
		uint32_t character = 0;
		size_t length = utf8_decode(text, size, &character);

		if (length && is_harmless(character))
			fwrite(text, 1, length, file);
		else
			fprintf(file, "\\u%04x", character);
		text += length ? length : 1;
		size -= length ? length : 1;
	}
	fputc('\n', file);
}

void json_print(FILE *file, struct json_object *object)
{
	const int plain = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;

	print_line(file, json_object_to_json_string_ext(object, plain));
	json_object_put(object);
}
