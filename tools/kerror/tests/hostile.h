/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of a hostile or broken driver, the same for the same number: huge
 * widths and precisions, control characters, bytes that are no UTF-8, lengths
 * that lie, values out of range. For the tests.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <ctype.h>
#include "build.h"

#define WIDEST 8388607

/* Twenty conversions of 8 MB each: 168 MB of text out of 500 bytes */
static inline void hostile_wide(struct build *build)
{
	int32_t width = WIDEST, value = 1;

	build_begin(build, NULL, EVL_FORMAT_PRINTF,
		    "%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d");
	for (int i = 0; i < 20; i++) {
		build_argument(build, EVL_ARG_WIDTH, 0, &width, 4);
		build_argument(build, EVL_ARG_S32, 0, &value, 4);
	}
}

static inline uint32_t hostile_below(uint64_t *state, uint32_t limit)
{
	return build_random(state) % limit;
}

/* Text that no terminal, log or parser is to get; at most @most bytes */
static inline size_t hostile_text(uint64_t *state, char *text, size_t most)
{
	static const char *const pieces[] = {
		"disk ", "\x1b[31m", "\xc2\23331m", "\xe2\x80\xae", "\xe2\x81\xa6",
		"\xe2\x80\x8f", "\xff\xfe", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xc0\x80", "\"", "\\", "]", "\n", "\r", "\t", "\x7f", "</a>", "=",
		"\xf0\x9f\x92\xa5", "\xc3\xa4", "%n", "\xe2\x80\xa8", "'; rm -rf /",
		"\nMESSAGE=forged", "\xef\xbb\xbf", "$(id)", "\x01", "\xf8\x88\x80",
	};
	size_t size = 0;

	while (hostile_below(state, 6)) {
		const char *piece = pieces[hostile_below(state, sizeof(pieces) /
							 sizeof(*pieces))];

		if (size + strlen(piece) > most)
			break;
		memcpy(text + size, piece, strlen(piece));
		size += strlen(piece);
	}
	return size;
}

/* A type that the conversion takes, or, one time in forty, any; @letter is its letter */
static inline uint8_t hostile_type(uint64_t *state, const char *letter)
{
	uint8_t next = letter[1];

	if (!hostile_below(state, 40))
		return hostile_below(state, 256);
	switch (*letter) {
	case 'c':
		return EVL_ARG_CHAR;
	case 's':
		return EVL_ARG_STRING;
	case 'p':
		return hostile_below(state, 2) || next >= 0x80 || isalnum(next) ?
		       EVL_ARG_TEXT : EVL_ARG_POINTER;
	}
	return EVL_ARG_S32 + hostile_below(state, 4);
}

static inline void hostile_value(struct build *build, uint64_t *state, uint8_t type)
{
	uint64_t number = build_random(state) >> hostile_below(state, 64);
	char text[200];
	size_t size = 4;

	switch (type) {
	case EVL_ARG_S64:
	case EVL_ARG_U64:
	case EVL_ARG_POINTER:
		size = 8;
		break;
	case EVL_ARG_CHAR:
		size = 1;
		break;
	case EVL_ARG_STRING:
	case EVL_ARG_TEXT:
		size = hostile_text(state, text, sizeof(text));
		if (size && !hostile_below(state, 8))
			text[hostile_below(state, size)] = '\0';
		build_argument(build, type, hostile_below(state, 2), text, size);
		return;
	}
	build_argument(build, type, hostile_below(state, 2), &number, size);
}

static inline void hostile_star(struct build *build, uint64_t *state, uint8_t type)
{
	static const int32_t values[] = {
		WIDEST, -WIDEST, INT32_MAX, INT32_MIN, 32767, 0, 1, -1, 40, 70000,
	};
	int32_t value = values[hostile_below(state, sizeof(values) / sizeof(*values))];

	build_argument(build, type, 0, &value, sizeof(value));
}

static inline void hostile_printf(struct build *build, uint64_t *state,
				  const char *device)
{
	static const char *const conversions[] = {
		"%d", "%*d", "%-*d", "%.*x", "%*.*s", "%s", "%c", "%p", "%20p", "%pI4",
		"%8388607s", "%08388607lld", "%.32767u", "%#llo", "%hhd", "%5%", "%lu",
	};
	uint64_t again = *state;
	char format[600] = "";
	int count = hostile_below(state, 24);

	again = *state;
	for (int i = 0; i < count; i++) {
		char text[20];
		size_t size = hostile_text(state, text, sizeof(text) - 1);

		text[size] = '\0';
		/* An unknown conversion makes all of it bytes: not in each event. */
		for (char *at = text; (at = strchr(at, '%')) && hostile_below(state, 40); )
			*at = '&';
		strcat(format, text);
		strcat(format, conversions[hostile_below(state, sizeof(conversions) /
							 sizeof(*conversions))]);
		if (strlen(format) > 500)
			break;
	}
	build_begin(build, device, EVL_FORMAT_PRINTF, format);
	for (const char *at = format; *at; at++) {
		if (*at != '%')
			continue;
		for (at++; *at && strchr("-#.*0123456789hl", *at); at++)
			if (*at == '*')
				hostile_star(build, &again, at[-1] == '.' ?
					     EVL_ARG_PRECISION : EVL_ARG_WIDTH);
		if (!*at)
			break;
		if (*at != '%' || !hostile_below(&again, 40))
			hostile_value(build, &again, hostile_type(&again, at));
	}
}

static inline void hostile_header(struct build *build, uint64_t *state)
{
	struct evl_header *header = &build->header;

	header->flags = build_random(state) & 0x3ff;
	header->severity = hostile_below(state, 4) ? hostile_below(state, 8) :
			   hostile_below(state, 256);
	header->event_id = build_random(state);
	header->event_type = hostile_below(state, 2) ? 0 : build_random(state);
	header->cpu = build_random(state) >> 40;
	header->uid = build_random(state);
	header->pid = build_random(state);
	if (!hostile_below(state, 8))
		header->time_realtime = build_random(state);
	if (hostile_below(state, 2)) {
		memset(header->facility, 0, sizeof(header->facility));
		hostile_text(state, header->facility, sizeof(header->facility) - 1);
		memset(header->comm, 0, sizeof(header->comm));
		hostile_text(state, header->comm, sizeof(header->comm) - 1);
	}
}

static inline void hostile_event(struct build *build, uint64_t number)
{
	uint64_t state = (number + 1) * 0x9e3779b97f4a7c15;
	char device[64] = "+pci:", bytes[2000];

	if (number % 100 == 0) {
		hostile_wide(build);
		return;
	}
	build_random(&state);
	device[5 + hostile_text(&state, device + 5, 50)] = '\0';
	switch (hostile_below(&state, 8)) {
	case 0:
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = build_random(&state);
		build_begin(build, NULL, EVL_FORMAT_BINARY, NULL);
		build_bytes(build, bytes, hostile_below(&state, sizeof(bytes)));
		break;
	case 1:
		build_begin(build, device, EVL_FORMAT_STRING, NULL);
		build_bytes(build, bytes, hostile_text(&state, bytes, sizeof(bytes)));
		break;
	default:
		hostile_printf(build, &state, hostile_below(&state, 2) ? device : NULL);
	}
	hostile_header(build, &state);
	/* Lengths, and everything else, that lie */
	if (!hostile_below(&state, 4))
		for (int flips = 1 + hostile_below(&state, 4); flips; flips--)
			build->data[hostile_below(&state, build->size)] ^=
				1 << hostile_below(&state, 8);
	if (!hostile_below(&state, 16))
		build->size = hostile_below(&state, build->size + 1);
}

#endif
