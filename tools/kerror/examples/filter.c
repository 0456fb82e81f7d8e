// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the text of each event from now on that matches the filter given, such
 * as 'severity<=err && facility=="ata"'; see kerror-filter(7). If it may not
 * listen, it tells what the kernel would do for the filter instead.
 */
#include <stdio.h>
#include <string.h>
#include "libkerror.h"

static void explain(const struct kerror_filter *filter)
{
	char explanation[16384];

	kerror_filter_explain(filter, explanation, sizeof(explanation));
	fputs(explanation, stdout);
}

static void print_event(const struct kerror_event *event)
{
	char text[8192];

	kerror_event_text(event, text, sizeof(text));
	/* The kernel's strings are not to control a terminal. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	puts(text);
	fflush(stdout);
}

static int watch(struct kerror_socket *socket, struct kerror_reader *reader,
		 const struct kerror_filter *filter)
{
	const struct kerror_event *event;
	enum kerror_item item;
	int err;

	/* If the kernel does not filter, there is more to do here: no error. */
	if (!kerror_socket_set_filter(socket, filter))
		kerror_reader_filtered(reader);
	while (!(err = kerror_socket_next(socket, reader, -1, &item))) {
		if (item != KERROR_ITEM_EVENT)
			continue;
		event = kerror_reader_event(reader);
		if (kerror_filter_matches(filter, event))
			print_event(event);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);
	struct kerror_filter *filter;
	struct kerror_socket *socket;
	char message[400];
	int err;

	if (!reader || argc != 2) {
		fprintf(stderr, "usage: filter FILTER\n");
		return 2;
	}
	if (kerror_filter_new(&filter, argv[1], message, sizeof(message))) {
		fprintf(stderr, "filter: %s\n", message);
		return 2;
	}
	err = kerror_socket_open(&socket, KERROR_GROUP_ALL);
	if (err) {
		fprintf(stderr, "filter: cannot listen: %s\n", strerror(-err));
		explain(filter);
	} else {
		err = watch(socket, reader, filter);
		fprintf(stderr, "filter: %s\n", strerror(-err));
		kerror_socket_close(socket);
	}
	kerror_filter_free(filter);
	kerror_reader_free(reader);
	return 1;
}
