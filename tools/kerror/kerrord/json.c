// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines. The keys are documented in kerrord(8) and do not change; new
 * ones may come.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrord.h"

static void add(struct json_object *object, const char *key,
		struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value)) {
		fputs("kerrord: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
}

/* JSON is UTF-8: a byte that is not becomes "\xHH". */
static struct json_object *text_value(const char *text, size_t size)
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

static struct json_object *string_value(const char *text)
{
	return text_value(text, strlen(text));
}

static struct json_object *hex_value(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	char *hex = malloc(2 * size + 1);
	struct json_object *value;
	size_t i;

	if (!hex)
		return NULL;
	for (i = 0; i < size; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	value = json_object_new_string_len(hex, 2 * size);
	free(hex);
	return value;
}

static struct json_object *number(uint64_t value)
{
	return json_object_new_uint64(value);
}

static struct json_object *flag(void)
{
	return json_object_new_boolean(1);
}

static struct json_object *arguments_value(const struct kerror_event *event)
{
	struct json_object *list = json_object_new_array();
	struct kerror_argument argument;
	size_t i;

	for (i = 0; !kerror_event_argument(event, i, &argument); i++) {
		struct json_object *item = json_object_new_object();

		add(item, "type",
		    string_value(kerror_argument_name(argument.type)));
		switch (argument.type) {
		case EVL_ARG_S32:
		case EVL_ARG_S64:
			add(item, "value",
			    json_object_new_int64((int64_t)argument.number));
			break;
		case EVL_ARG_U32:
		case EVL_ARG_U64:
		case EVL_ARG_CHAR:
		case EVL_ARG_POINTER:
			add(item, "value", number(argument.number));
			break;
		case EVL_ARG_STRING:
		case EVL_ARG_TEXT:
			add(item, "value",
			    text_value(argument.text, argument.size));
			break;
		}
		if (argument.invalid)
			add(item, "invalid", flag());
		json_object_array_add(list, item);
	}
	return list;
}

static void print_object(FILE *file, struct json_object *object)
{
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					     JSON_C_TO_STRING_NOSLASHESCAPE),
	      file);
	fputc('\n', file);
	json_object_put(object);
}

static void add_context(struct json_object *object,
			const struct evl_header *header, const char *device)
{
	add(object, "time_realtime", number(header->time_realtime));
	add(object, "time_boot", number(header->time_boot));
	add(object, "severity",
	    string_value(kerror_severity_name(header->severity)));
	add(object, "facility", string_value(header->facility));
	if (*device)
		add(object, "device", string_value(device));
	add(object, "context",
	    string_value(kerror_context_name(header->flags)));
	if (header->flags & EVL_FLAG_BOOT)
		add(object, "boot", flag());
	if (header->flags & EVL_FLAG_OOPS)
		add(object, "oops", flag());
	if (header->flags & EVL_FLAG_TRUNCATED)
		add(object, "truncated", flag());
	add(object, "cpu", number(header->cpu));
	add(object, "uid", number(header->uid));
	add(object, "gid", number(header->gid));
	add(object, "pid", number(header->pid));
	add(object, "tid", number(header->tid));
	add(object, "comm", string_value(header->comm));
	add(object, "event_type", number(header->event_type));
}

void print_event_json(FILE *file, const struct print_style *style,
		      const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct json_object *object = json_object_new_object();
	const void *data;
	const char *text;
	size_t size;
	char id[9];

	(void)style;
	add(object, "item", string_value("event"));
	add(object, "group",
	    string_value(kerror_group_name(kerror_event_group(event))));
	add(object, "sequence", number(kerror_event_sequence(event)));
	add(object, "thread", number(kerror_event_thread(event)));
	if (!header) {
		data = kerror_event_data(event, &size);
		add(object, "data", hex_value(data, size));
		print_object(file, object);
		return;
	}
	add_context(object, header, kerror_event_device(event));
	switch (header->format) {
	case EVL_FORMAT_PRINTF:
		snprintf(id, sizeof(id), "%08" PRIx32, header->event_id);
		add(object, "event_id", string_value(id));
		add(object, "kind", string_value("printf"));
		add(object, "format", string_value(kerror_event_format(event)));
		add(object, "arguments", arguments_value(event));
		text = event_text(event, &size);
		add(object, "text", text_value(text, size));
		break;
	case EVL_FORMAT_STRING:
		add(object, "kind", string_value("string"));
		text = event_text(event, &size);
		add(object, "text", text_value(text, size));
		break;
	case EVL_FORMAT_NODATA:
		add(object, "kind", string_value("nodata"));
		break;
	default:
		add(object, "kind", string_value("binary"));
		data = kerror_event_payload(event, &size);
		add(object, "data", hex_value(data, size));
	}
	print_object(file, object);
}

void print_loss_json(FILE *file, const struct print_style *style,
		     const struct kerror_loss *loss)
{
	struct json_object *object = json_object_new_object();

	(void)style;
	add(object, "item", string_value("loss"));
	add(object, "group", string_value(kerror_group_name(loss->group)));
	add(object, "cause", string_value(kerror_cause_name(loss->cause)));
	add(object, "count", number(loss->count));
	add(object, "total", number(loss->total));
	print_object(file, object);
}
