// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints each event of severity err or worse, and before it the last events that came
 * before: keep COUNT. An event of a reader is valid until the next one only, so that the
 * program keeps copies.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libkerror.h"

#define MOST 64

static void print_event(const struct kerror_event *event)
{
	uint64_t time = kerror_event_time_boot(event) / 1000000;
	int severity = kerror_event_severity(event);
	char text[8192];

	kerror_event_text(event, text, sizeof(text));
	/* The kernel's strings are not to control a terminal. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	printf("%" PRIu64 ".%03u %s %s: %s, id %08" PRIx32 ", by %s[%" PRIu32 "]\n",
	       time / 1000, (unsigned int)(time % 1000),
	       severity < 0 ? "raw" : kerror_severity_name(severity),
	       kerror_event_facility(event), text, kerror_event_id(event),
	       kerror_event_comm(event), kerror_event_pid(event));
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0, next = 0;
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_EVLOG);
	struct kerror_event *kept[MOST] = { 0 }, **place;
	struct kerror_socket *socket;
	enum kerror_item item;
	int severity, err;

	if (!reader || !count || count > MOST) {
		fprintf(stderr, "usage: keep COUNT, from 1 to %d\n", MOST);
		return 2;
	}
	err = kerror_socket_open(&socket, KERROR_GROUP_EVLOG);
	if (err) {
		fprintf(stderr, "keep: cannot listen: %s\n", strerror(-err));
		return 1;
	}
	kerror_reader_from_boot(reader);
	while (!(err = kerror_socket_next(socket, reader, -1, &item))) {
		if (item != KERROR_ITEM_EVENT)
			continue;
		place = &kept[next++ % count];
		kerror_event_free(*place);
		*place = kerror_event_copy(kerror_reader_event(reader));
		severity = *place ? kerror_event_severity(*place) : -1;
		if (severity < 0 || severity > 3)
			continue;
		for (unsigned long i = 0; i < count; i++) {
			place = &kept[(next + i) % count];
			if (*place)
				print_event(*place);
			kerror_event_free(*place);
			*place = NULL;
		}
		fflush(stdout);
	}
	fprintf(stderr, "keep: %s\n", strerror(-err));
	for (unsigned long i = 0; i < count; i++)
		kerror_event_free(kept[i]);
	kerror_socket_close(socket);
	kerror_reader_free(reader);
	return 1;
}
