// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rule makes two things of an event: the environment of its command, with a
 * variable for each field, and the key by which events count together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "message.h"

/* Variables that are kept free for the fields behind the arguments */
#define LAST_VARIABLES 8

struct environment {
	char **variables;
	size_t count, most;
	bool failed, cut;
};

/* A value that execve() would not take is cut, as text is. */
static void keep(struct environment *environment, struct buffer *made)
{
	size_t most;

	environment->failed |= !buffer_terminate(made);
	if (environment->failed || environment->count == environment->most) {
		buffer_free(made);
		return;
	}
	most = strcspn(made->bytes, "=") + 1 + VARIABLE_BYTES;
	if (made->size > most) {
		made->bytes[whole_characters(made->bytes, most)] = '\0';
		environment->cut = true;
	}
	environment->variables[environment->count++] = made->bytes;
}

static void add_name(struct buffer *buffer, const struct kerror_field *field)
{
	buffer_string(buffer, "KERROR_");
	buffer_capitals(buffer, field->name);
	if (field->id == KERROR_FIELD_ARG) {
		buffer_byte(buffer, '_');
		buffer_number(buffer, field->index);
	}
	buffer_byte(buffer, '=');
}

static void add_field(struct environment *environment,
		      const struct kerror_field *field)
{
	struct buffer made = { 0 };

	add_name(&made, field);
	buffer_value(&made, field, "");
	keep(environment, &made);
}

/* In seconds, for date(1) */
static void add_time(struct environment *environment, uint64_t time)
{
	struct buffer made = { 0 };

	buffer_string(&made, "KERROR_TIME=");
	buffer_number(&made, time / 1000000000);
	buffer_byte(&made, '.');
	buffer_padded(&made, time % 1000000000, 9);
	keep(environment, &made);
}

static void add_number(struct environment *environment, const char *begin,
		       uint64_t number)
{
	struct buffer made = { 0 };

	buffer_string(&made, begin);
	buffer_number(&made, number);
	keep(environment, &made);
}

static void add_string(struct environment *environment, const char *string)
{
	struct buffer made = { 0 };

	buffer_string(&made, string);
	keep(environment, &made);
}

int event_environment(char **variables, size_t most,
		      const struct kerror_event *event)
{
	static const struct print_style style;
	const struct evl_header *header = kerror_event_header(event);
	struct environment environment = { .variables = variables, .most = most };
	const size_t last = LAST_VARIABLES + kerror_origin_count(kerror_event_origin(event));
	struct kerror_field field = { 0 };
	size_t omitted = 0;

	while (next_field(&style, event, &field)) {
		if (field.id == KERROR_FIELD_ARG &&
		    environment.count + last >= most)
			omitted++;
		else
			add_field(&environment, &field);
	}
	/* Escapes have made it longer than its limit; nothing else is as long. */
	if (environment.cut && !event_text_truncated())
		add_string(&environment, "KERROR_TEXT_TRUNCATED=1");
	if (header)
		add_time(&environment, header->time_realtime);
	/* Commands may count on it, of an event without a device, too. */
	if (header && !*kerror_event_device(event))
		add_string(&environment, "KERROR_DEVICE=");
	if (omitted)
		add_number(&environment, "KERROR_ARGS_OMITTED=", omitted);
	if (!environment.failed)
		return environment.count;
	while (environment.count)
		free(variables[--environment.count]);
	return -ENOMEM;
}

/* A value without the blanks around it */
static struct kerror_span found_value(const struct found *found, size_t index)
{
	struct kerror_span value = { "", 0 };

	if (found && index < found->count)
		value = found->values[index];
	while (value.size && *value.start == ' ') {
		value.start++;
		value.size--;
	}
	while (value.size && value.start[value.size - 1] == ' ')
		value.size--;
	return value;
}

static void add_key(struct buffer *buffer, const char *key, const struct kerror_event *event,
		    const struct found *found)
{
	bool disk = !strncmp(key, DISK_KEY, strlen(DISK_KEY));
	struct kerror_field field;
	unsigned int index = 0;
	char name[32];
	int id;

	if (disk)
		key += strlen(DISK_KEY);
	/* "found[0]", "arg[3]", or the name of another field */
	if (sscanf(key, "found[%u]", &index) == 1) {
		struct kerror_span value = found_value(found, index);

		if (disk)
			disk_form(buffer, value.start, value.size);
		else
			buffer_printable(buffer, value.start, value.size);
		return;
	}
	if (sscanf(key, "arg[%u]", &index) == 1)
		id = KERROR_FIELD_ARG;
	else if (sscanf(key, "%31[a-z_]", name) == 1)
		id = kerror_field_number(name);
	else
		return;
	if (id <= 0 || kerror_event_field(event, id, index, &field))
		return;
	if (disk && field.value == KERROR_VALUE_TEXT)
		disk_form(buffer, field.text, field.size);
	else
		buffer_value(buffer, &field, "");
}

void event_key(struct buffer *buffer, const char *keys, const struct kerror_event *event,
	       const struct found *found)
{
	while (keys && *keys) {
		add_key(buffer, keys, event, found);
		buffer_byte(buffer, '\n');
		keys += strcspn(keys, " ");
		keys += strspn(keys, " ");
	}
}

int found_environment(char **variables, const struct found *found)
{
	struct environment environment = { .variables = variables, .most = FOUND_VARIABLES };
	struct buffer made = { 0 };

	buffer_string(&made, "KERROR_FOUND_ID=");
	buffer_hex(&made, found_id(found), 8);
	keep(&environment, &made);
	made = (struct buffer) { 0 };
	buffer_string(&made, "KERROR_FOUND_FORMAT=");
	buffer_printable(&made, found->format, strlen(found->format));
	keep(&environment, &made);
	for (size_t i = 0; i < found->count; i++) {
		struct kerror_span value = found_value(found, i);

		made = (struct buffer) { 0 };
		buffer_string(&made, "KERROR_FOUND_");
		buffer_number(&made, i);
		buffer_byte(&made, '=');
		buffer_printable(&made, value.start, value.size);
		keep(&environment, &made);
	}
	if (!environment.failed)
		return environment.count;
	while (environment.count)
		free(variables[--environment.count]);
	return -ENOMEM;
}
