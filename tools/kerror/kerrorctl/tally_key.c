// SPDX-License-Identifier: GPL-2.0-only
/* Keys that events are counted by: the names of --count-by, and the values that events have. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tally.h"

static const char *const names[] = {
	"facility", "event", "device", "severity", "hour", "day", "host", "release",
	NULL
};

static const char *const heads[] = {
	"FACILITY", "EVENT", "DEVICE", "SEVERITY", "HOUR", "DAY", "HOST", "RELEASE"
};

static struct tally_key parse_key(const char *name)
{
	struct tally_key key = { 0 };
	int end = 0;

	if (sscanf(name, "arg[%9u]%n", &key.index, &end) == 1 && end && !name[end]) {
		key.kind = TALLY_ARG;
		return key;
	}
	if (!strncmp(name, "tag.", 4) && name[4] && strlen(name) < sizeof(key.tag)) {
		key.kind = TALLY_TAG;
		strcpy(key.tag, name);
		return key;
	}
	while (names[key.kind] && strcmp(names[key.kind], name))
		key.kind++;
	if (!names[key.kind])
		wrong_use("--count-by: '%s' is none of facility, event, device, severity, hour, day, host, release, tag.NAME, arg[0] and so on",
			  name);
	return key;
}

struct tally_keys parse_keys(const char *value)
{
	char *copy = must_have(strdup(value)), *rest = copy, *name;
	struct tally_keys keys = { 0 };

	while ((name = strsep(&rest, ","))) {
		if (keys.count == TALLY_KEYS_MAX)
			wrong_use("--count-by: more than %d names", TALLY_KEYS_MAX);
		keys.key[keys.count++] = parse_key(name);
	}
	free(copy);
	return keys;
}

const char *key_name(const struct tally_key *key)
{
	static char name[24];

	if (key->kind == TALLY_TAG)
		return key->tag;
	if (key->kind != TALLY_ARG)
		return heads[key->kind];
	snprintf(name, sizeof(name), "ARG[%u]", key->index);
	return name;
}

/* Of a text that is part of a key, at most */
#define WORDS_MAX 256

/* The word at @text, with a # for each number in it: "ata#" of "ata3", "#" of "0x1f" or "de3f" */
static size_t add_word(struct buffer *value, const char *text, size_t size)
{
	size_t hex = size > 1 && text[0] == '0' && text[1] == 'x' ? 2 : 0, end = hex;
	bool number = true, digits = false;

	for (; end < size && isalnum((unsigned char)text[end]); end++) {
		number &= !!isxdigit((unsigned char)text[end]);
		digits |= !!isdigit((unsigned char)text[end]);
	}
	if (number && (digits || hex)) {
		buffer_byte(value, '#');
		return end;
	}
	for (size_t at = 0; at < end; at++) {
		bool digit = isdigit((unsigned char)text[at]);

		if (!digit || !at || !isdigit((unsigned char)text[at - 1]))
			buffer_byte(value, digit ? '#' : text[at]);
	}
	return end;
}

void add_words(struct buffer *value, const struct kerror_event *event)
{
	size_t size, at = 0;
	const char *text = event_text(event, &size);

	if (size > WORDS_MAX)
		size = whole_characters(text, WORDS_MAX);
	while (at < size) {
		if (isalnum((unsigned char)text[at]))
			at += add_word(value, text + at, size - at);
		else
			buffer_byte(value, text[at++]);
	}
}

bool is_text_of_printk(const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	return header && header->format == EVL_FORMAT_STRING && header->flags & EVL_FLAG_PRINTK;
}

static void add_event(struct buffer *value, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_field kind;

	if (header && header->format == EVL_FORMAT_PRINTF) {
		buffer_hex(value, header->event_id, 8);
		buffer_string(value, " \"");
		if (kerror_format_own_id(kerror_event_format(event)))
			buffer_string(value, kerror_event_format(event));
		else
			add_words(value, event);
		buffer_byte(value, '"');
		return;
	}
	if (is_text_of_printk(event)) {
		buffer_string(value, "string \"");
		add_words(value, event);
		buffer_byte(value, '"');
		return;
	}
	if (kerror_event_field(event, KERROR_FIELD_KIND, 0, &kind))
		buffer_string(value, kerror_group_name(kerror_event_group(event)));
	else
		buffer_value(value, &kind, "");
	buffer_string(value, " type=");
	buffer_number(value, header ? header->event_type : 0);
}

static void add_period(struct buffer *value, uint64_t time, const char *format)
{
	time_t seconds = time / 1000000000;
	char text[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), format, &tm);
	buffer_string(value, text);
}

static void add_argument(struct buffer *value, const struct kerror_event *event,
			 unsigned int index)
{
	struct kerror_field field;

	if (!kerror_event_field(event, KERROR_FIELD_ARG, index, &field) &&
	    field.value != KERROR_VALUE_NONE)
		buffer_value(value, &field, "");
}

static void add_origin(struct buffer *value, const struct kerror_event *event, const char *name)
{
	const char *text = kerror_origin_get(kerror_event_origin(event), name);

	buffer_string(value, text ? text : "");
}

char *key_value(const struct tally_key *key, const struct kerror_event *event, uint64_t time)
{
	const struct evl_header *header = kerror_event_header(event);
	struct buffer value = { 0 };

	switch (key->kind) {
	case TALLY_FACILITY:
		buffer_string(&value, header ? header->facility : "");
		break;
	case TALLY_EVENT:
		add_event(&value, event);
		break;
	case TALLY_DEVICE:
		buffer_string(&value, kerror_event_device(event));
		break;
	case TALLY_SEVERITY:
		buffer_string(&value, header ? kerror_severity_name(header->severity) : "");
		break;
	case TALLY_HOUR:
		add_period(&value, time, "%Y-%m-%d %H:00");
		break;
	case TALLY_DAY:
		add_period(&value, time, "%Y-%m-%d");
		break;
	case TALLY_HOST:
		add_origin(&value, event, "host");
		break;
	case TALLY_RELEASE:
		add_origin(&value, event, "release");
		break;
	case TALLY_TAG:
		add_origin(&value, event, key->tag);
		break;
	case TALLY_ARG:
		add_argument(&value, event, key->index);
		break;
	}
	return must_have(buffer_terminate(&value));
}
