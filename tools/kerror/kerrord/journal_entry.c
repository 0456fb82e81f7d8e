// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries for systemd's journal, with a field for each field of an event. They are
 * listed in kerrord(8).
 */
#include <errno.h>
#include "message.h"

/* MESSAGE_ID of losses and of kerrord's own reports; never changed */
#define LOSS_MESSAGE	"5f0c2d1cf4a84cd58f0e0a6d7c9b3e21"
#define REPORT_MESSAGE	"b1a7e64d2f0f4b2c9c5d80f1b7a3d9e6"

/* Places that are kept free for the fields behind the arguments */
#define LAST_FIELDS 8

/* Begins a field; until the entry is complete its address is an offset. */
static bool begin(struct journal_entry *entry)
{
	if (entry->count == JOURNAL_FIELDS)
		return false;
	entry->field[entry->count].iov_base = (void *)entry->bytes.size;
	return true;
}

static void end(struct journal_entry *entry)
{
	struct iovec *field = &entry->field[entry->count++];

	field->iov_len = entry->bytes.size - (size_t)field->iov_base;
}

static void add_string(struct journal_entry *entry, const char *name,
		       const char *value)
{
	if (!begin(entry))
		return;
	buffer_string(&entry->bytes, name);
	buffer_byte(&entry->bytes, '=');
	buffer_printable(&entry->bytes, value, strlen(value));
	end(entry);
}

static void add_number(struct journal_entry *entry, const char *name,
		       uint64_t number)
{
	if (!begin(entry))
		return;
	buffer_string(&entry->bytes, name);
	buffer_byte(&entry->bytes, '=');
	buffer_number(&entry->bytes, number);
	end(entry);
}

/* Losses and reports have no other fields in common. */
static void add_origin(struct journal_entry *entry, const struct kerror_origin *origin)
{
	const char *name, *value;

	for (size_t i = 0; (name = kerror_origin_at(origin, i, &value)); i++) {
		if (!begin(entry))
			return;
		buffer_string(&entry->bytes, "KERROR_");
		buffer_capitals(&entry->bytes, name);
		buffer_byte(&entry->bytes, '=');
		buffer_printable(&entry->bytes, value, strlen(value));
		end(entry);
	}
}

static void add_name(struct buffer *buffer, const struct kerror_field *field)
{
	buffer_string(buffer, "KERROR_");
	buffer_capitals(buffer, field->name);
	if (field->id != KERROR_FIELD_ARG)
		return;
	buffer_byte(buffer, '_');
	buffer_number(buffer, field->index);
}

static void add_field(struct journal_entry *entry, const struct kerror_field *field)
{
	if (!begin(entry))
		return;
	if (field->id == KERROR_FIELD_TEXT && field->value == KERROR_VALUE_TEXT)
		buffer_string(&entry->bytes, "MESSAGE");
	else
		add_name(&entry->bytes, field);
	buffer_byte(&entry->bytes, '=');
	buffer_value(&entry->bytes, field, "");
	end(entry);
}

static void add_event(struct journal_entry *entry, const struct kerror_event *event)
{
	static const struct print_style style;
	const struct evl_header *header = kerror_event_header(event);
	const size_t last = LAST_FIELDS + kerror_origin_count(kerror_event_origin(event));
	struct kerror_field field = { 0 };
	size_t omitted = 0;

	add_number(entry, "PRIORITY",
		   header ? kerror_severity_level(header->severity) : 4);
	if (header)
		add_string(entry, "SYSLOG_IDENTIFIER", identifier_of(header));
	/* As in the journal's own entries of kernel messages */
	if (header && header->flags & EVL_FLAG_PRINTK)
		add_number(entry, "SYSLOG_FACILITY", 0);
	/* As the journal's own field for devices has it */
	if (*kerror_event_device(event))
		add_string(entry, "KERNEL_DEVICE", kerror_event_device(event));
	while (next_field(&style, event, &field)) {
		if (field.id == KERROR_FIELD_ARG &&
		    entry->count >= JOURNAL_FIELDS - last)
			omitted++;
		else
			add_field(entry, &field);
	}
	if (omitted)
		add_number(entry, "KERROR_ARGS_OMITTED", omitted);
}

static void add_loss(struct journal_entry *entry, const struct record *record)
{
	const struct print_style style = { .cause = record->cause };

	if (begin(entry)) {
		buffer_string(&entry->bytes, "MESSAGE=");
		loss_text(&entry->bytes, &style, &record->loss);
		end(entry);
	}
	add_string(entry, "MESSAGE_ID", LOSS_MESSAGE);
	add_number(entry, "PRIORITY", 4);
	add_string(entry, "KERROR_GROUP", kerror_group_name(record->loss.group));
	add_number(entry, "KERROR_LOST", record->loss.count);
	add_number(entry, "KERROR_LOST_TOTAL", record->loss.total);
	add_string(entry, "KERROR_CAUSE", record->cause);
	add_origin(entry, record->origin);
}

int journal_entry(struct journal_entry *entry, const struct record *record)
{
	switch (record->kind) {
	case RECORD_EVENT:
	case RECORD_LINE:
		add_event(entry, record->event);
		break;
	case RECORD_LOSS:
		add_loss(entry, record);
		break;
	case RECORD_REPORT:
		add_string(entry, "MESSAGE", record->text);
		add_string(entry, "MESSAGE_ID", REPORT_MESSAGE);
		add_number(entry, "PRIORITY", record->severity);
		add_origin(entry, record->origin);
		break;
	}
	if (entry->bytes.failed)
		return -ENOMEM;
	for (size_t i = 0; i < entry->count; i++)
		entry->field[i].iov_base = entry->bytes.bytes +
					   (size_t)entry->field[i].iov_base;
	return 0;
}

void free_journal_entry(struct journal_entry *entry)
{
	buffer_free(&entry->bytes);
	entry->count = 0;
}
