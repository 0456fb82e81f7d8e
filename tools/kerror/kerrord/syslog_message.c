// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages for syslog by RFC 5424, with the fields of an event as structured data.
 * The elements are listed in kerrord(8).
 */
#include "message.h"

/* The enterprise number that RFC 5612 sets aside for documentation */
#define ID(name) name "@32473"

/* RFC 5424 wants a backslash before these, within a value. */
#define QUOTED "\"\\]"

/* Printable ASCII without blanks, as the header's parts must be */
static void add_word(struct buffer *buffer, const char *text, size_t most)
{
	if (!*text)
		buffer_byte(buffer, '-');
	for (; *text && most; text++, most--)
		buffer_byte(buffer, *text > ' ' && *text < 0x7f ? *text : '_');
}

static void add_string(struct buffer *buffer, const char *name, const char *text)
{
	buffer_byte(buffer, ' ');
	buffer_string(buffer, name);
	buffer_string(buffer, "=\"");
	buffer_quoted(buffer, text, strlen(text), QUOTED);
	buffer_byte(buffer, '"');
}

static void add_number(struct buffer *buffer, const char *name, uint64_t number)
{
	buffer_byte(buffer, ' ');
	buffer_string(buffer, name);
	buffer_string(buffer, "=\"");
	buffer_number(buffer, number);
	buffer_byte(buffer, '"');
}

static void add_field(struct buffer *buffer, const struct kerror_field *field)
{
	buffer_byte(buffer, ' ');
	buffer_string(buffer, field->name);
	if (field->id == KERROR_FIELD_ARG)
		buffer_number(buffer, field->index);
	buffer_string(buffer, "=\"");
	buffer_value(buffer, field, QUOTED);
	buffer_byte(buffer, '"');
}

static void add_arguments(struct buffer *buffer, const struct kerror_event *event)
{
	struct kerror_field field = { .id = KERROR_FIELD_FORMAT };

	buffer_string(buffer, "[" ID("kerrorArguments"));
	while (kerror_event_next_field(event, &field) && field.id == KERROR_FIELD_ARG)
		add_field(buffer, &field);
	buffer_byte(buffer, ']');
}

static void add_event(struct buffer *buffer, const struct kerror_event *event)
{
	static const struct print_style style;
	struct kerror_field field = { 0 }, text = { 0 };

	buffer_string(buffer, "[" ID("kerror"));
	while (next_field(&style, event, &field)) {
		if (field.id == KERROR_FIELD_ARG)
			continue;
		if (field.id == KERROR_FIELD_TEXT && field.value == KERROR_VALUE_TEXT)
			text = field;
		else
			add_field(buffer, &field);
	}
	buffer_byte(buffer, ']');
	if (kerror_event_argument_count(event))
		add_arguments(buffer, event);
	buffer_byte(buffer, ' ');
	buffer_value(buffer, &text, "");
}

static void add_origin(struct buffer *buffer, const struct kerror_origin *origin)
{
	const char *name, *value;

	for (size_t i = 0; (name = kerror_origin_at(origin, i, &value)); i++)
		add_string(buffer, name, value);
}

static void add_loss(struct buffer *buffer, const struct record *record)
{
	static const struct print_style style;
	struct print_style named = style;

	buffer_string(buffer, "loss [" ID("kerrorLoss"));
	add_string(buffer, "group", kerror_group_name(record->loss.group));
	add_string(buffer, "cause", record->cause);
	add_number(buffer, "count", record->loss.count);
	add_number(buffer, "total", record->loss.total);
	add_origin(buffer, record->origin);
	buffer_string(buffer, "] ");
	named.cause = record->cause;
	loss_text(buffer, &named, &record->loss);
}

void syslog_message(struct buffer *buffer, unsigned int facility,
		    const struct record *record)
{
	const char *host = kerror_origin_get(record_origin(record), "host");
	const struct evl_header *header =
		record->event ? kerror_event_header(record->event) : NULL;
	unsigned int severity =
		header ? kerror_severity_level(header->severity) :
		record->kind == RECORD_REPORT ? record->severity : 4;
	struct kerror_field id;

	buffer_byte(buffer, '<');
	buffer_number(buffer, facility << 3 | severity);
	buffer_string(buffer, ">1 ");
	buffer_time(buffer, header ? header->time_realtime : record->time);
	buffer_byte(buffer, ' ');
	add_word(buffer, host ? host : "", 255);
	buffer_byte(buffer, ' ');
	add_word(buffer, header ? identifier_of(header) : "kerrord", 48);
	buffer_string(buffer, " - ");
	switch (record->kind) {
	case RECORD_EVENT:
	case RECORD_LINE:
		if (kerror_event_field(record->event, KERROR_FIELD_ID, 0, &id))
			buffer_string(buffer, "event");
		else
			buffer_value(buffer, &id, "");
		buffer_byte(buffer, ' ');
		add_event(buffer, record->event);
		break;
	case RECORD_LOSS:
		add_loss(buffer, record);
		break;
	case RECORD_REPORT:
		buffer_string(buffer, "report [" ID("kerrorReport"));
		add_origin(buffer, record->origin);
		buffer_string(buffer, "] ");
		buffer_printable(buffer, record->text, strlen(record->text));
		break;
	}
}

/* Returns the end of the structured data at @at. */
static char *data_end(char *at, const char *end)
{
	bool quoted = false;

	for (; at < end && (quoted || *at != ' ' || at[-1] != ']'); at++) {
		if (*at == '\\' && quoted)
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	return at;
}

#define CUT " text_truncated=\"1\""

/* Puts the flag into the first element. The bytes moved out at @end are cut anyway. */
static void add_cut(char *data, const char *text, char *end)
{
	static const char cut[] = CUT;
	char *at = data + sizeof("[" ID("kerror")) - 1;

	if (memmem(data, text - data, cut, sizeof(cut) - 1))
		return;
	memmove(at + sizeof(cut) - 1, at, end - at - (sizeof(cut) - 1));
	memcpy(at, cut, sizeof(cut) - 1);
}

size_t syslog_shorten(char *message, size_t size, size_t most)
{
	static const char alone[] = "[" ID("kerror") CUT "]";
	char *data = message, *end = message + size, *text;

	if (size <= most)
		return size;
	/* Priority and version, time, host, program, process, message id */
	for (int word = 0; word < 6 && data; word++) {
		data = memchr(data, ' ', end - data);
		if (data)
			data++;
	}
	if (!data || *data != '[')
		return whole_characters(message, most);
	text = data_end(data, end);
	if ((size_t)(text - message) <= most / 2) {
		add_cut(data, text, message + most);
		return whole_characters(message, most);
	}
	memcpy(data, alone, sizeof(alone) - 1);
	data += sizeof(alone) - 1;
	memmove(data, text, end - text);
	size = data + (end - text) - message;
	return size <= most ? size : whole_characters(message, most);
}
