// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the parts of one event of the evlog group, whose bytes are in the file
 * that is named: what can be done with an event without a socket. With --json it
 * prints the event as kerrorctl(1) does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libkerror.h"

static int print_json(const struct kerror_event *event)
{
	size_t size = kerror_event_json(event, NULL, 0) + 1;
	char *json = malloc(size);
	int failed = !json || !kerror_event_json(event, json, size);

	if (!failed)
		puts(json);
	free(json);
	return failed;
}

int main(int argc, char **argv)
{
	static uint8_t data[KERROR_EVENT_MAX];
	struct kerror_argument argument;
	struct kerror_event *event;
	char text[8192];
	size_t size;
	FILE *file;
	const int as_json = argc == 3 && !strcmp(argv[1], "--json");
	int failed;

	file = argc == 2 + as_json ? fopen(argv[argc - 1], "rb") : NULL;
	if (!file) {
		fprintf(stderr, "usage: decode [--json] FILE\n");
		return 2;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	event = kerror_event_new(KERROR_GROUP_EVLOG, 0, 0, data, size);
	if (!event)
		return 1;
	if (as_json) {
		failed = print_json(event);
		kerror_event_free(event);
		return failed;
	}
	if (kerror_event_kind(event) < 0) {
		fprintf(stderr, "decode: not an evlog event\n");
		kerror_event_free(event);
		return 1;
	}
	printf("time: %" PRIu64 " ns, %" PRIu64 " ns after boot\n",
	       kerror_event_time_realtime(event), kerror_event_time_boot(event));
	printf("severity: %s\n", kerror_severity_name(kerror_event_severity(event)));
	printf("facility: %s\n", kerror_event_facility(event));
	printf("device: %s\n", kerror_event_device(event));
	printf("context: %s, %s[%" PRIu32 ":%" PRIu32 "] of user %" PRIu32 ":%" PRIu32
	       " on CPU %" PRIu32 "\n",
	       kerror_context_name(kerror_event_flags(event)), kerror_event_comm(event),
	       kerror_event_pid(event), kerror_event_tid(event), kerror_event_uid(event),
	       kerror_event_gid(event), kerror_event_cpu(event));
	printf("type %" PRIu32 ", id %08" PRIx32 "\n", kerror_event_type(event),
	       kerror_event_id(event));
	if (kerror_event_format(event))
		printf("format: %s\n", kerror_event_format(event));
	for (size_t i = 0; !kerror_event_argument(event, i, &argument); i++) {
		printf("%s: ", kerror_argument_name(argument.type));
		if (argument.text)
			printf("%.*s\n", (int)argument.size, argument.text);
		else
			printf("%#" PRIx64 "\n", argument.number);
	}
	kerror_event_text(event, text, sizeof(text));
	printf("text: %s\n", text);
	kerror_event_free(event);
	return 0;
}
