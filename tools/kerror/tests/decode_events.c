// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints events as the tools do, a line of JSON for each line of standard input, which is
 * GROUP SEQUENCE THREAD BYTES, the bytes in hexadecimal. For test_vectors.py. A line that is
 * none of this ends it with status 1, and so does one of which libkerror makes other JSON
 * than the tools.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "output.h"

/* Returns how many bytes @hex has, or -1. */
static ssize_t parse(const char *hex, uint8_t *bytes, size_t room)
{
	size_t size = 0;
	unsigned int byte;

	for (; *hex && *hex != '\n'; hex += 2) {
		if (size == room || sscanf(hex, "%2x", &byte) != 1)
			return -1;
		bytes[size++] = byte;
	}
	return size;
}

/* True if kerror_event_json() writes the line of the tools, without the newline. */
static bool is_json(const struct kerror_event *event, const struct buffer *expected)
{
	size_t size = kerror_event_json(event, NULL, 0);
	char *json = malloc(size + 1);
	bool same;

	if (!json)
		return false;
	same = kerror_event_json(event, json, size + 1) == size && size + 1 == expected->size &&
	       !memcmp(json, expected->bytes, size) && !json[size];
	if (!same)
		fprintf(stderr, "libkerror: %s\ntools: %.*s", json, (int)expected->size,
			expected->bytes);
	free(json);
	return same;
}

int main(void)
{
	static uint8_t bytes[4 * KERROR_EVENT_MAX];
	static char line[3 * sizeof(bytes)];
	const struct print_style style = { 0 };
	uint32_t group, sequence, thread;
	struct kerror_event *event;
	ssize_t size = 0;
	int at;

	while (fgets(line, sizeof(line), stdin)) {
		struct buffer buffer = { 0 };

		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %n", &group, &sequence,
			   &thread, &at) != 3)
			return 1;
		size = parse(line + at, bytes, sizeof(bytes));
		if (size < 0)
			return 1;
		event = kerror_event_new(group, sequence, thread, bytes, size);
		if (!event)
			return 1;
		event_json(&buffer, &style, event);
		if (!is_json(event, &buffer))
			return 1;
		fwrite(buffer.bytes, 1, buffer.size, stdout);
		buffer_free(&buffer);
		kerror_event_free(event);
	}
	event_text_done();
	return 0;
}
