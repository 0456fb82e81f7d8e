// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The fields of an event, one after the other, with the value of each: outputs
 * are made of these, so that a value is the same in all of them.
 */
#include <errno.h>
#include <string.h>
#include "fields.h"
#include "origin.h"

#define HEADER(field) .offset = offsetof(struct evl_header, field), \
		      .size = sizeof(((struct evl_header *)0)->field)
#define FLAG(name, bit) { name, HEADER_FLAG, NOTHING, HEADER(flags), bit }

const struct field field_table[FIELD_COUNT] = {
	[KERROR_FIELD_GROUP] = { "group", GROUP, NAME, 0, 0, 0 },
	[KERROR_FIELD_SEQUENCE] = { "sequence", SEQUENCE, UNFILTERED, 0, 0, 0 },
	[KERROR_FIELD_THREAD] = { "thread", THREAD, UNFILTERED, 0, 0, 0 },
	[KERROR_FIELD_TIME_REALTIME] = { "time_realtime", HEADER_TIME, UNFILTERED,
					 HEADER(time_realtime), 0 },
	[KERROR_FIELD_TIME_BOOT] = { "time_boot", HEADER_TIME, UNFILTERED,
				     HEADER(time_boot), 0 },
	[KERROR_FIELD_SEVERITY] = { "severity", HEADER_NUMBER, SEVERITY,
				    HEADER(severity), 0 },
	[KERROR_FIELD_KERNEL_SEVERITY] = { "kernel_severity", KERNEL_SEVERITY,
					   UNFILTERED, HEADER(severity), 0 },
	[KERROR_FIELD_FACILITY] = { "facility", HEADER_STRING, STRING,
				    HEADER(facility), 0 },
	[KERROR_FIELD_DEVICE] = { "device", DEVICE, STRING, 0, 0, 0 },
	[KERROR_FIELD_CONTEXT] = { "context", CONTEXT, NAME, 0, 0, 0 },
	[KERROR_FIELD_BOOT] = FLAG("boot", EVL_FLAG_BOOT),
	[KERROR_FIELD_OOPS] = FLAG("oops", EVL_FLAG_OOPS),
	[KERROR_FIELD_TRUNCATED] = FLAG("truncated", EVL_FLAG_TRUNCATED),
	[KERROR_FIELD_PRINTK] = FLAG("printk", EVL_FLAG_PRINTK),
	[KERROR_FIELD_CONTINUES] = FLAG("continues", EVL_FLAG_CONTINUES),
	[KERROR_FIELD_OPEN] = FLAG("open", EVL_FLAG_OPEN),
	[KERROR_FIELD_IMPORTED] = FLAG("imported", EVL_FLAG_IMPORTED),
	[KERROR_FIELD_CPU] = { "cpu", HEADER_NUMBER, NUMBER, HEADER(cpu), 0 },
	[KERROR_FIELD_UID] = { "uid", HEADER_NUMBER, NUMBER, HEADER(uid), 0 },
	[KERROR_FIELD_GID] = { "gid", HEADER_NUMBER, NUMBER, HEADER(gid), 0 },
	[KERROR_FIELD_PID] = { "pid", HEADER_NUMBER, NUMBER, HEADER(pid), 0 },
	[KERROR_FIELD_TID] = { "tid", HEADER_NUMBER, NUMBER, HEADER(tid), 0 },
	[KERROR_FIELD_COMM] = { "comm", HEADER_STRING, STRING, HEADER(comm), 0 },
	[KERROR_FIELD_TYPE] = { "type", HEADER_NUMBER, NUMBER, HEADER(event_type), 0 },
	[KERROR_FIELD_ID] = { "id", HEADER_NUMBER, ID, HEADER(event_id), 0 },
	[KERROR_FIELD_KIND] = { "kind", KIND, NAME, 0, 0, 0 },
	[KERROR_FIELD_FORMAT] = { "format", FORMAT, STRING, 0, 0, 0 },
	[KERROR_FIELD_ARG] = { "arg", ARGUMENT, ANYTHING, 0, 0, 0 },
	[KERROR_FIELD_TEXT] = { "text", TEXT, STRING, 0, 0, 0 },
	[KERROR_FIELD_DATA] = { "data", DATA, UNFILTERED, 0, 0, 0 },
	[KERROR_FIELD_ARGC] = { "argc", ARGUMENT_COUNT, NUMBER, 0, 0, 0 },
	[KERROR_FIELD_MACHINE] = { "machine", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_HOST] = { "host", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_BOOT_ID] = { "boot_id", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_INSTANCE] = { "instance", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_RELEASE] = { "release", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_VERSION] = { "version", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_ARCH] = { "arch", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_LIVEPATCH] = { "livepatch", ORIGIN, STRING, 0, 0, 0 },
	[KERROR_FIELD_TAG] = { "tag.NAME", ORIGIN, STRING, 0, 0, 0 },
};

static bool set_number(struct kerror_field *field, uint64_t number)
{
	field->value = KERROR_VALUE_NUMBER;
	field->number = number;
	return true;
}

static bool set_hex(struct kerror_field *field, uint64_t number, size_t size)
{
	field->value = KERROR_VALUE_HEX;
	field->number = number;
	field->size = size;
	return true;
}

static bool set_text(struct kerror_field *field, enum kerror_value value,
		     const void *text, size_t size)
{
	field->value = value;
	field->text = text;
	field->size = size;
	return true;
}

static bool set_name(struct kerror_field *field, const char *name)
{
	return set_text(field, KERROR_VALUE_TEXT, name, strlen(name));
}

static uint64_t header_number(const struct evl_header *header,
			      const struct field *entry)
{
	const char *at = (const char *)header + entry->offset;
	uint64_t u64;
	uint32_t u32;

	if (entry->size == sizeof(u64)) {
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
	if (entry->size == 1)
		return *(const uint8_t *)at;
	memcpy(&u32, at, sizeof(u32));
	return u32;
}

static bool get_argument(const struct kerror_event *event,
			 struct kerror_field *field)
{
	const struct argument *found;

	do {
		if (field->place >= event->argument_count)
			return false;
		found = &event->arguments[field->place++];
	} while (found->type == EVL_ARG_WIDTH || found->type == EVL_ARG_PRECISION);
	field->type = found->type;
	field->invalid = is_invalid(found);
	switch (found->type) {
	case EVL_ARG_S32:
	case EVL_ARG_S64:
		set_number(field, argument_number(found));
		field->value = KERROR_VALUE_SIGNED;
		break;
	case EVL_ARG_U32:
	case EVL_ARG_U64:
	case EVL_ARG_CHAR:
		set_number(field, argument_number(found));
		break;
	case EVL_ARG_POINTER:
		set_hex(field, argument_number(found), found->size);
		break;
	case EVL_ARG_STRING:
	case EVL_ARG_TEXT:
		set_text(field, KERROR_VALUE_TEXT, found->value, found->size);
		break;
	default:
		field->value = KERROR_VALUE_NONE;
	}
	return true;
}

static bool get_origin(const struct kerror_event *event, struct kerror_field *field)
{
	const struct origin_entry *entry = origin_entry(event->origin, field->id,
							field->index);

	if (!entry)
		return false;
	field->name = entry->name;
	return set_name(field, entry->value);
}

/* A severity that the kernel does not have is "unknown", a name as well. */
static bool get_kernel_severity(const struct kerror_event *event,
				const struct field *entry,
				struct kerror_field *field)
{
	unsigned int severity = event->data[entry->offset];

	return severity != event->header.severity &&
	       set_name(field, kerror_severity_name(severity));
}

/* Of events that are well-formed; false if this one does not have it. */
static bool get_structured(const struct kerror_event *event,
			   const struct field *entry,
			   struct kerror_field *field)
{
	const struct evl_header *header = &event->header;
	const char *at = (const char *)header + entry->offset;

	switch (entry->source) {
	case HEADER_NUMBER:
		if (entry->literal == SEVERITY)
			return set_name(field, kerror_severity_name(header->severity));
		if (entry->literal == ID)
			return event->format &&
			       set_hex(field, header->event_id, entry->size);
		return set_number(field, header_number(header, entry));
	case HEADER_TIME:
		return set_number(field, header_number(header, entry));
	case HEADER_STRING:
		return set_text(field, KERROR_VALUE_TEXT, at,
				strnlen(at, entry->size));
	case HEADER_FLAG:
		set_number(field, 1);
		field->value = KERROR_VALUE_FLAG;
		return header->flags & entry->flag;
	case KERNEL_SEVERITY:
		return get_kernel_severity(event, entry, field);
	case CONTEXT:
		return set_name(field, kerror_context_name(header->flags));
	case KIND:
		return set_name(field, kind_name(header->format));
	case DEVICE:
		return *event->device && set_name(field, event->device);
	case FORMAT:
		return event->format && set_name(field, event->format);
	case ARGUMENT:
		return get_argument(event, field);
	case DATA:
		return !event->format && header->format != EVL_FORMAT_STRING &&
		       header->format != EVL_FORMAT_NODATA &&
		       set_text(field, KERROR_VALUE_BYTES, event->payload,
				event->payload_size);
	default:
		return false;
	}
}

static bool get(const struct kerror_event *event, struct kerror_field *field)
{
	const struct field *entry = &field_table[field->id];

	field->name = entry->name;
	switch (entry->source) {
	case GROUP:
		return set_name(field, kerror_group_name(event->group));
	case SEQUENCE:
		return set_number(field, event->sequence);
	case THREAD:
		return set_number(field, event->thread);
	case TEXT:
		field->value = KERROR_VALUE_NONE;
		return true;
	case ORIGIN:
		return get_origin(event, field);
	default:
		break;
	}
	if (event->structured)
		return get_structured(event, entry, field);
	return entry->source == DATA &&
	       set_text(field, KERROR_VALUE_BYTES, event->data, event->size);
}

bool kerror_event_next_field(const struct kerror_event *event,
			     struct kerror_field *field)
{
	size_t place = field->place, index = field->index + 1;

	if (field->id == KERROR_FIELD_ARG || field->id == KERROR_FIELD_TAG) {
		*field = (struct kerror_field) {
			.id = field->id, .place = place, .index = index,
		};
		if (get(event, field))
			return true;
	}
	while (field->id < KERROR_FIELD_TAG) {
		*field = (struct kerror_field) { .id = field->id + 1 };
		if (get(event, field))
			return true;
	}
	return false;
}

int kerror_event_field(const struct kerror_event *event, enum kerror_field_id id,
		       size_t index, struct kerror_field *field)
{
	size_t passed = 0, place = 0;

	do {
		*field = (struct kerror_field) {
			.id = id, .index = index, .place = place,
		};
		if (id <= KERROR_FIELD_NONE || id > KERROR_FIELD_TAG ||
		    !get(event, field))
			return -ENOENT;
		place = field->place;
	} while (id == KERROR_FIELD_ARG && passed++ < index);
	return 0;
}

const char *kerror_field_name(enum kerror_field_id id)
{
	return id > KERROR_FIELD_NONE && id <= KERROR_FIELD_TAG ?
	       field_table[id].name : "unknown";
}

int kerror_field_number(const char *name)
{
	for (int id = KERROR_FIELD_NONE + 1; id <= KERROR_FIELD_TAG; id++)
		if (id != KERROR_FIELD_ARGC && !strcmp(name, field_table[id].name))
			return id;
	return -EINVAL;
}

unsigned int kerror_severity_level(unsigned int severity)
{
	return severity < 8 ? severity : 4;
}
