// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the text of each event from now on, and each loss. Needs
 * CAP_NET_ADMIN or CAP_SYSLOG.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "libkerror.h"

static void print_event(const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	char text[8192];

	kerror_event_text(event, text, sizeof(text));
	/* The kernel's strings are not to control a terminal. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	printf("%s %s: %s\n",
	       header ? kerror_severity_name(header->severity) : "raw",
	       header ? header->facility : "-", text);
}

int main(void)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);
	const struct kerror_loss *loss;
	struct kerror_socket *socket;
	enum kerror_item item;
	int err;

	if (!reader)
		return 1;
	err = kerror_socket_open(&socket, KERROR_GROUP_ALL);
	if (err) {
		fprintf(stderr, "watch: cannot listen: %s\n", strerror(-err));
		return 1;
	}
	while (!(err = kerror_socket_next(socket, reader, -1, &item))) {
		if (item == KERROR_ITEM_EVENT)
			print_event(kerror_reader_event(reader));
		if (item == KERROR_ITEM_LOSS) {
			loss = kerror_reader_loss(reader);
			printf("%" PRIu64 " events lost: %s\n",
			       (uint64_t)loss->count,
			       kerror_cause_name(loss->cause));
		}
		if (item == KERROR_ITEM_ERROR)
			fprintf(stderr, "watch: %s\n",
				strerror(-kerror_reader_error(reader)));
		fflush(stdout);
	}
	fprintf(stderr, "watch: %s\n", strerror(-err));
	kerror_socket_close(socket);
	kerror_reader_free(reader);
	return 1;
}
