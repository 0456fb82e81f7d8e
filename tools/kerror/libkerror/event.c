// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Decodes the bytes of one event, as <linux/evlog.h> lays them out, and gives
 * access to the parts. Trusts no length that it reads: an event that is not
 * well-formed, by the list in that header, is treated as raw bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Known types have known sizes, so that no later code need look at them. */
static bool size_fits(const struct evl_argument *head)
{
	switch (head->type) {
	case EVL_ARG_WIDTH:
	case EVL_ARG_PRECISION:
	case EVL_ARG_S32:
	case EVL_ARG_U32:
		return head->size == 4;
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		return head->size == 8;
	case EVL_ARG_POINTER:
		return head->size == 4 || head->size == 8;
	case EVL_ARG_CHAR:
		return head->size == 1;
	}
	return true;
}

/* True if @size bytes at @at are a string with its NUL, and no other NUL. */
static bool is_string(const uint8_t *at, size_t size)
{
	return size && memchr(at, 0, size) == at + size - 1;
}

static bool is_value(const struct argument *argument)
{
	return argument->type != EVL_ARG_WIDTH &&
	       argument->type != EVL_ARG_PRECISION;
}

/* The bytes that fill an argument up are zeros; there are three at most. */
static bool is_padding(const uint8_t *at, const uint8_t *end)
{
	while (at < end)
		if (*at++)
			return false;
	return true;
}

static int decode_arguments(struct kerror_event *event, const uint8_t *at,
			    const uint8_t *end)
{
	struct evl_argument head;
	struct argument *more;
	size_t space;

	while ((size_t)(end - at) >= sizeof(head)) {
		memcpy(&head, at, sizeof(head));
		space = (sizeof(head) + head.size + 3) & ~(size_t)3;
		if (space > (size_t)(end - at) || !size_fits(&head) ||
		    !is_padding(at + sizeof(head) + head.size, at + space))
			return -EBADMSG;
		if (event->argument_count == event->argument_room) {
			size_t room = 2 * event->argument_room + 8;

			more = realloc(event->arguments, room * sizeof(*more));
			if (!more)
				return -ENOMEM;
			event->arguments = more;
			event->argument_room = room;
		}
		event->arguments[event->argument_count++] = (struct argument) {
			.type = head.type,
			.flags = head.flags,
			.size = head.size,
			.value = at + sizeof(head),
		};
		event->value_count +=
			is_value(&event->arguments[event->argument_count - 1]);
		at += space;
	}
	return at == end ? 0 : -EBADMSG;
}

static int decode_evlog(struct kerror_event *event)
{
	struct evl_header *header = &event->header;
	const uint8_t *at = event->data;
	size_t size = event->size, known;
	int err;

	if (size < EVL_HEADER_SIZE)
		return -EBADMSG;
	memcpy(header, at, EVL_HEADER_SIZE);
	if (header->magic != EVL_MAGIC || header->header_size < EVL_HEADER_SIZE)
		return -EBADMSG;
	known = header->header_size;
	if (known > size ||
	    size - known != (uint64_t)header->device_size +
			    header->variable_size)
		return -EBADMSG;
	at += known;

	event->device = "";
	if (header->device_size) {
		event->device = (const char *)at;
		if (!is_string(at, header->device_size))
			return -EBADMSG;
		at += header->device_size;
	}
	if (header->comm[EVL_COMM_SIZE - 1] ||
	    header->facility[EVL_FACILITY_SIZE - 1])
		return -EBADMSG;

	event->payload = at;
	event->payload_size = header->variable_size;
	if (header->format != EVL_FORMAT_PRINTF)
		return header->format == EVL_FORMAT_NODATA && header->variable_size ?
		       -EBADMSG : 0;
	if (header->format_size > header->variable_size ||
	    !is_string(at, header->format_size))
		return -EBADMSG;
	event->format = (const char *)at;
	err = decode_arguments(event, at + header->format_size,
			       at + header->variable_size);
	return err ? err : format_fits(event) ? 0 : -EBADMSG;
}

int event_decode(struct kerror_event *event, uint32_t group, uint32_t sequence,
		 uint32_t thread, const void *data, size_t size)
{
	int err;

	event->group = group;
	event->sequence = sequence;
	event->thread = thread;
	event->data = data;
	event->size = size;
	event->device = "";
	event->format = NULL;
	event->payload = NULL;
	event->payload_size = 0;
	event->argument_count = 0;
	event->value_count = 0;
	event->structured = false;
	if (!(group & (KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK)))
		return 0;
	err = decode_evlog(event);
	event->structured = !err;
	return err == -ENOMEM ? err : 0;
}

/* It is kept for long, as one of many. */
static void trim_arguments(struct kerror_event *event)
{
	struct argument *less;

	if (!event->argument_count)
		return;
	less = realloc(event->arguments,
		       event->argument_count * sizeof(*event->arguments));
	if (!less)
		return;
	event->arguments = less;
	event->argument_room = event->argument_count;
}

struct kerror_event *kerror_event_new(uint32_t group, uint32_t sequence,
				      uint32_t thread, const void *data,
				      size_t size)
{
	struct kerror_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->owned = malloc(size ? size : 1);
	if (!event->owned)
		goto fail;
	if (size)
		memcpy(event->owned, data, size);
	if (event_decode(event, group, sequence, thread, event->owned, size))
		goto fail;
	trim_arguments(event);
	return event;
fail:
	kerror_event_free(event);
	return NULL;
}

/* A part of the event's data is at the same place in those of its copy. */
static const void *moved(const struct kerror_event *copy, const struct kerror_event *event,
			 const void *at)
{
	return at ? copy->data + ((const uint8_t *)at - event->data) : NULL;
}

/* The copy is not decoded again. */
struct kerror_event *kerror_event_copy(const struct kerror_event *event)
{
	const size_t size = event->argument_count * sizeof(*event->arguments);
	struct kerror_event *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *event;
	copy->owned = malloc(event->size ? event->size : 1);
	copy->data = copy->owned;
	copy->arguments = size ? malloc(size) : NULL;
	copy->argument_room = event->argument_count;
	copy->origin = NULL;
	kerror_event_set_origin(copy, event->origin);
	copy->first = event->first ? kerror_event_copy(event->first) : NULL;
	if (!copy->owned || (size && !copy->arguments) || (event->first && !copy->first)) {
		kerror_event_free(copy);
		return NULL;
	}
	if (event->size)
		memcpy(copy->owned, event->data, event->size);
	/* One that has no device has a text that is not in the data. */
	copy->device = *event->device ? moved(copy, event, event->device) : "";
	copy->format = moved(copy, event, event->format);
	copy->payload = moved(copy, event, event->payload);
	for (size_t i = 0; i < event->argument_count; i++) {
		copy->arguments[i] = event->arguments[i];
		copy->arguments[i].value = moved(copy, event, event->arguments[i].value);
	}
	return copy;
}

void kerror_event_free(struct kerror_event *event)
{
	if (!event)
		return;
	kerror_event_free(event->first);
	kerror_origin_release(event->origin);
	free(event->owned);
	free(event->arguments);
	free(event);
}

size_t kerror_event_memory(const struct kerror_event *event)
{
	return sizeof(*event) + event->size +
	       event->argument_room * sizeof(*event->arguments) +
	       (event->first ? kerror_event_memory(event->first) : 0);
}

uint32_t kerror_event_group(const struct kerror_event *event)
{
	return event->group;
}

uint32_t kerror_event_sequence(const struct kerror_event *event)
{
	return event->sequence;
}

uint32_t kerror_event_thread(const struct kerror_event *event)
{
	return event->thread;
}

const void *kerror_event_data(const struct kerror_event *event, size_t *size)
{
	*size = event->size;
	return event->data;
}

const struct evl_header *kerror_event_header(const struct kerror_event *event)
{
	return event->structured ? &event->header : NULL;
}

void kerror_event_set_severity(struct kerror_event *event, unsigned int severity)
{
	if (event->structured)
		event->header.severity = severity;
}

const char *kerror_event_device(const struct kerror_event *event)
{
	return event->structured ? event->device : "";
}

const char *kerror_event_format(const struct kerror_event *event)
{
	return event->structured ? event->format : NULL;
}

const void *kerror_event_payload(const struct kerror_event *event,
				 size_t *size)
{
	bool has = event->structured && !event->format;

	*size = has ? event->payload_size : 0;
	return has ? event->payload : NULL;
}

uint64_t argument_number(const struct argument *argument)
{
	uint64_t u64;
	uint32_t u32;

	if (argument->size == sizeof(u64)) {
		memcpy(&u64, argument->value, sizeof(u64));
		return u64;
	}
	if (argument->size == sizeof(u32)) {
		memcpy(&u32, argument->value, sizeof(u32));
		if (argument->type == EVL_ARG_S32 ||
		    argument->type == EVL_ARG_WIDTH ||
		    argument->type == EVL_ARG_PRECISION)
			return (int64_t)(int32_t)u32;
		return u32;
	}
	return argument->size == 1 ? *argument->value : 0;
}

size_t kerror_event_argument_count(const struct kerror_event *event)
{
	return event->structured ? event->value_count : 0;
}

int kerror_event_argument(const struct kerror_event *event, size_t index,
			  struct kerror_argument *argument)
{
	const struct argument *found = event->arguments;
	bool text;

	if (index >= kerror_event_argument_count(event))
		return -ENOENT;
	/* Without '*' they stand one behind the other. */
	if (event->value_count == event->argument_count)
		found += index;
	else
		while (!is_value(found) || index--)
			found++;
	text = found->type == EVL_ARG_STRING || found->type == EVL_ARG_TEXT;
	*argument = (struct kerror_argument) {
		.type = found->type,
		.invalid = is_invalid(found),
		.number = text ? 0 : argument_number(found),
		.text = text ? (const char *)found->value : NULL,
		.size = found->size,
	};
	return 0;
}

static void text_add_hex(struct text *text, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		char hex[3] = {
			' ', digits[bytes[i] >> 4], digits[bytes[i] & 15]
		};

		text_add(text, i ? hex : hex + 1, i ? 3 : 2);
	}
}

size_t kerror_event_text_as(const struct kerror_event *event,
			    const char *format, char *buffer, size_t size)
{
	struct text text = { .buffer = buffer, .size = size };

	if (!event->structured)
		text_add_hex(&text, event->data, event->size);
	else if (event->format && format)
		format_translate(&text, event, format);
	else if (event->format)
		format_expand(&text, event);
	else if (event->header.format == EVL_FORMAT_STRING)
		text_add(&text, event->payload, event->payload_size);
	else
		text_add_hex(&text, event->payload, event->payload_size);
	text_end(&text);
	return text.length;
}

size_t kerror_event_text(const struct kerror_event *event, char *buffer,
			 size_t size)
{
	return kerror_event_text_as(event, NULL, buffer, size);
}
