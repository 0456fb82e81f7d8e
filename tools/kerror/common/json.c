// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines. The keys are documented in kerrorctl(1) and do not change; new
 * ones may come.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "output.h"

void json_add(struct json_object *object, const char *key,
	      struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value))
		errx(EXIT_FAILURE, "out of memory");
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

struct json_object *json_number(uint64_t value)
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

		json_add(item, "type",
			 json_string(kerror_argument_name(argument.type)));
		switch (argument.type) {
		case EVL_ARG_S32:
		case EVL_ARG_S64:
			json_add(item, "value",
				 json_object_new_int64((int64_t)argument.number));
			break;
		case EVL_ARG_U32:
		case EVL_ARG_U64:
		case EVL_ARG_CHAR:
		case EVL_ARG_POINTER:
			json_add(item, "value", json_number(argument.number));
			break;
		case EVL_ARG_STRING:
		case EVL_ARG_TEXT:
			json_add(item, "value",
				 json_text(argument.text, argument.size));
			break;
		}
		if (argument.invalid)
			json_add(item, "invalid", flag());
		json_object_array_add(list, item);
	}
	return list;
}

void json_print(FILE *file, struct json_object *object)
{
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					     JSON_C_TO_STRING_NOSLASHESCAPE),
	      file);
	fputc('\n', file);
	json_object_put(object);
}

static void add_severity(struct json_object *object, const struct kerror_event *event)
{
	unsigned int severity = kerror_event_header(event)->severity;
	const uint8_t *data;
	size_t size;

	json_add(object, "severity", json_string(kerror_severity_name(severity)));
	data = kerror_event_data(event, &size);
	data += offsetof(struct evl_header, severity);
	if (*data != severity)
		json_add(object, "kernel_severity",
			 json_string(kerror_severity_name(*data)));
}

static void add_context(struct json_object *object, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const char *device = kerror_event_device(event);

	json_add(object, "time_realtime", json_number(header->time_realtime));
	json_add(object, "time_boot", json_number(header->time_boot));
	add_severity(object, event);
	json_add(object, "facility", json_string(header->facility));
	if (*device)
		json_add(object, "device", json_string(device));
	json_add(object, "context",
		 json_string(kerror_context_name(header->flags)));
	if (header->flags & EVL_FLAG_BOOT)
		json_add(object, "boot", flag());
	if (header->flags & EVL_FLAG_OOPS)
		json_add(object, "oops", flag());
	if (header->flags & EVL_FLAG_TRUNCATED)
		json_add(object, "truncated", flag());
	if (header->flags & EVL_FLAG_PRINTK)
		json_add(object, "printk", flag());
	if (header->flags & EVL_FLAG_CONTINUES)
		json_add(object, "continues", flag());
	if (header->flags & EVL_FLAG_OPEN)
		json_add(object, "open", flag());
	json_add(object, "cpu", json_number(header->cpu));
	json_add(object, "uid", json_number(header->uid));
	json_add(object, "gid", json_number(header->gid));
	json_add(object, "pid", json_number(header->pid));
	json_add(object, "tid", json_number(header->tid));
	json_add(object, "comm", json_string(header->comm));
	json_add(object, "event_type", json_number(header->event_type));
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

	json_add(object, "item", json_string("event"));
	if (style->id)
		json_add(object, "id", json_number(style->id));
	if (style->acknowledged)
		json_add(object, "acknowledged", json_number(style->acknowledged));
	if (style->boot_id)
		json_add(object, "boot_id", json_string(style->boot_id));
	json_add(object, "group",
		 json_string(kerror_group_name(kerror_event_group(event))));
	json_add(object, "sequence", json_number(kerror_event_sequence(event)));
	json_add(object, "thread", json_number(kerror_event_thread(event)));
	if (!header) {
		data = kerror_event_data(event, &size);
		json_add(object, "data", hex_value(data, size));
		json_print(file, object);
		return;
	}
	add_context(object, event);
	switch (header->format) {
	case EVL_FORMAT_PRINTF:
		snprintf(id, sizeof(id), "%08" PRIx32, header->event_id);
		json_add(object, "event_id", json_string(id));
		json_add(object, "kind", json_string("printf"));
		json_add(object, "format", json_string(kerror_event_format(event)));
		json_add(object, "arguments", arguments_value(event));
		text = styled_text(style, event, &size);
		json_add(object, "text", json_text(text, size));
		if (event_text_truncated())
			json_add(object, "text_truncated", flag());
		break;
	case EVL_FORMAT_STRING:
		json_add(object, "kind", json_string("string"));
		text = styled_text(style, event, &size);
		json_add(object, "text", json_text(text, size));
		if (event_text_truncated())
			json_add(object, "text_truncated", flag());
		break;
	case EVL_FORMAT_NODATA:
		json_add(object, "kind", json_string("nodata"));
		break;
	default:
		json_add(object, "kind", json_string("binary"));
		data = kerror_event_payload(event, &size);
		json_add(object, "data", hex_value(data, size));
	}
	json_print(file, object);
}

void print_loss_json(FILE *file, const struct print_style *style,
		     const struct kerror_loss *loss)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "item", json_string("loss"));
	if (style->time)
		json_add(object, "time_realtime", json_number(style->time));
	if (style->boot_id)
		json_add(object, "boot_id", json_string(style->boot_id));
	json_add(object, "group", json_string(kerror_group_name(loss->group)));
	json_add(object, "cause",
		 json_string(style->cause ? style->cause :
			     kerror_cause_name(loss->cause)));
	json_add(object, "count", json_number(loss->count));
	json_add(object, "total", json_number(loss->total));
	json_print(file, object);
}
