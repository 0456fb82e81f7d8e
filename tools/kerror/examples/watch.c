// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the text of each event from now on, and each loss. Needs CAP_SYSLOG; with
 * CAP_NET_ADMIN it does without the messages of printk().
 */
#include <errno.h>
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
	uint32_t groups = KERROR_GROUP_ALL;
	const struct kerror_loss *loss;
	struct kerror_reader *reader;
	struct kerror_socket *socket;
	enum kerror_item item;
	int err;

	err = kerror_socket_open(&socket, groups);
	if (err == -EPERM) {
		groups &= ~KERROR_GROUP_PRINTK;
		err = kerror_socket_open(&socket, groups);
	}
	if (err) {
		fprintf(stderr, "watch: cannot listen: %s\n", strerror(-err));
		return 1;
	}
	reader = kerror_reader_new(groups);
	if (!reader)
		return 1;
	while (!(err = kerror_socket_next(socket, reader, -1, &item))) {
		if (item == KERROR_ITEM_EVENT)
			print_event(kerror_reader_event(reader));
		if (item == KERROR_ITEM_LOSS) {
			loss = kerror_reader_loss(reader);
			printf("%" PRIu64 " events of group %s lost: %s\n",
			       (uint64_t)loss->count,
			       kerror_group_name(loss->group),
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
