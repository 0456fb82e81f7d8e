/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of a JSON object that was read from a file. One that is missing or of
 * another type is 0, "", false or an empty array.
 */
#ifndef JSON_VALUES_H
#define JSON_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

uint64_t json_get_number(struct json_object *object, const char *key);
const char *json_get_string(struct json_object *object, const char *key);
bool json_get_bool(struct json_object *object, const char *key);

/* Its length, and the array itself if that is not 0 */
size_t json_get_array(struct json_object *object, const char *key,
		      struct json_object **array);

#endif
