// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints events as the tools do, a line of JSON for each line of standard input, which is
 * GROUP SEQUENCE THREAD BYTES, the bytes in hexadecimal. For test_vectors.py. A line that is
 * none of this ends it with status 1.
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
		fwrite(buffer.bytes, 1, buffer.size, stdout);
		buffer_free(&buffer);
		kerror_event_free(event);
	}
	event_text_done();
	return 0;
}
