// SPDX-License-Identifier: GPL-2.0-only
/* Values of a JSON object that was read from a file */
#include "json_values.h"

uint64_t json_get_number(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ?
	       json_object_get_uint64(value) : 0;
}

const char *json_get_string(struct json_object *object, const char *key)
{
	struct json_object *value;
	const char *text = NULL;

	if (json_object_object_get_ex(object, key, &value))
		text = json_object_get_string(value);
	return text ? text : "";
}

bool json_get_bool(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
	       json_object_get_boolean(value);
}

size_t json_get_array(struct json_object *object, const char *key,
		      struct json_object **array)
{
	return json_object_object_get_ex(object, key, array) &&
	       json_object_is_type(*array, json_type_array) ?
	       json_object_array_length(*array) : 0;
}
