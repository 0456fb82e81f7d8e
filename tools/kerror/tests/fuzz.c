// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target for libFuzzer: one event; or what a kernel might do to a reader;
 * or a filter, which is used as a translation, too, and an event. "make fuzz"
 * runs it; without libFuzzer it is a program that runs the files given to it
 * once, which "make test" does with the corpus.
 *
 * Whatever the input, nothing is read that was not given, each call returns,
 * and text is of the length that was announced.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libkerror.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of two bits: none, one group, or the two that hold evlog */
static uint32_t groups_of(uint8_t bits)
{
	static const uint32_t groups[] = {
		0, KERROR_GROUP_RAW, KERROR_GROUP_EVLOG,
		KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK,
	};

	return groups[bits & 3];
}

/* Where what is read goes: visible from outside, so that it is read. */
uint8_t fuzz_sink;

static void look_at(const struct kerror_event *event)
{
	struct kerror_field field = { 0 };
	struct kerror_argument argument;
	size_t length, again, i, size;
	char text[4096], cut[7];
	const uint8_t *payload;

	length = kerror_event_text(event, text, sizeof(text));
	again = kerror_event_text(event, cut, sizeof(cut));
	if (length != again || cut[length < 6 ? length : 6] ||
	    memcmp(text, cut, length < 6 ? length : 6))
		abort();
	length = kerror_event_json(event, text, sizeof(text));
	again = kerror_event_json(event, cut, sizeof(cut));
	if (length != again || length < sizeof(cut) || cut[6] || memcmp(text, cut, 6))
		abort();
	for (i = 0; !kerror_event_argument(event, i, &argument); i++)
		if (argument.text && argument.size)
			fuzz_sink += argument.text[0] + argument.text[argument.size - 1];
	if (i != kerror_event_argument_count(event))
		abort();
	while (kerror_event_next_field(event, &field)) {
		i -= field.id == KERROR_FIELD_ARG;
		fuzz_sink += field.number + strlen(field.name);
		if (field.text && field.size)
			fuzz_sink += field.text[0] + field.text[field.size - 1];
	}
	if (i)
		abort();
	payload = kerror_event_payload(event, &size);
	if (size)
		fuzz_sink += payload[size - 1];
	fuzz_sink += strlen(kerror_event_device(event));
	if (kerror_event_header(event))
		fuzz_sink += strlen(kerror_event_header(event)->facility);
}

static void fuzz_event(const uint8_t *data, size_t size)
{
	struct kerror_event *event;

	event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, data, size);
	if (event)
		look_at(event);
	kerror_event_free(event);
}

/* A text up to its NUL, and the event that it is used with. */
static void fuzz_filter(const uint8_t *data, size_t size, uint32_t group)
{
	const uint8_t *end = memchr(data, 0, size);
	char message[320], explanation[64];
	struct kerror_filter *filter;
	struct kerror_event *event;
	const char *text;
	size_t count, length;
	int err;

	if (!end)
		return;
	text = (const char *)data;
	size -= end + 1 - data;
	event = kerror_event_new(group, 1, 2, end + 1, size);
	if (!event)
		return;
	length = kerror_event_text_as(event, text, explanation,
				      sizeof(explanation));
	if (strlen(explanation) > length)
		abort();
	err = kerror_filter_new(&filter, text, message, sizeof(message));
	if (!err) {
		fuzz_sink += kerror_filter_matches(filter, event);
		length = kerror_filter_explain(filter, explanation,
					       sizeof(explanation));
		if (!length || strlen(explanation) >= sizeof(explanation) ||
		    !kerror_filter_program(filter, &count) != !count ||
		    count > 4096)
			abort();
		kerror_filter_free(filter);
	} else if (err == -EINVAL &&
		   (strncmp(message, "column ", 7) || strchr(message, '\n') ||
		    strlen(message) == sizeof(message) - 1)) {
		abort();
	}
	kerror_event_free(event);
}

static void run(struct kerror_reader *reader)
{
	enum kerror_item item;
	size_t size;

	while ((item = kerror_reader_next(reader)) != KERROR_ITEM_NONE) {
		switch (item) {
		case KERROR_ITEM_EVENT:
			look_at(kerror_reader_event(reader));
			break;
		case KERROR_ITEM_LOSS:
			if (!kerror_reader_loss(reader)->count)
				abort();
			break;
		case KERROR_ITEM_REQUEST:
			kerror_reader_request(reader, &size);
			break;
		case KERROR_ITEM_ERROR:
			if (kerror_reader_error(reader) >= 0)
				abort();
			break;
		default:
			break;
		}
	}
}

/* Records of an operation, a length in units of 4 bytes, and a datagram. */
static void fuzz_reader(const uint8_t *data, size_t size, uint8_t mode)
{
	struct kerror_reader *reader = kerror_reader_new(groups_of(mode >> 1));

	if (!reader)
		return;
	if (mode & 8)
		kerror_reader_from_boot(reader);
	if (mode & 16)
		kerror_reader_filtered(reader);
	run(reader);
	while (size >= 2) {
		size_t length = data[1] * 4;
		uint8_t operation = data[0];
		uint32_t *datagram;

		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		switch (operation >> 4) {
		case 0:
			kerror_reader_overrun(reader);
			break;
		case 1:
			kerror_reader_want_statistics(reader);
			break;
		case 2:
			kerror_reader_drained(reader);
			break;
		default:
			/* A copy, so that the sanitizer sees its end. */
			datagram = malloc(length ? length : 1);
			if (!datagram)
				break;
			memcpy(datagram, data, length);
			if (kerror_reader_feed(reader,
					       groups_of(operation), datagram,
					       length))
				abort();
			run(reader);
			free(datagram);
		}
		run(reader);
		data += length;
		size -= length;
	}
	kerror_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		fuzz_reader(data + 1, size - 1, data[0]);
	else if (data[0] & 2)
		fuzz_filter(data + 1, size - 1, groups_of(data[0] >> 2));
	else
		fuzz_event(data + 1, size - 1);
	return 0;
}

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	static uint8_t data[65536];
	size_t size;
	FILE *file;
	int i;

	for (i = 1; i < argc; i++) {
		file = fopen(argv[i], "rb");
		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("fuzz corpus: %d inputs ok\n", argc - 1);
	return argc < 2;
}
#endif
