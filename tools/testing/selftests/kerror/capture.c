// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records what the kernel sends on NETLINK_KERROR, byte for byte, without any
 * library: capture [PROTOCOL_NUMBER]. It asks for a replay of each group since
 * boot. First there is a line "ENDIAN little" or "ENDIAN big". For each group then
 * there is a line "REPLAY <group>" and, until NLMSG_DONE, a line "STREAM <nl_groups>
 * <hexadecimal>" for each datagram. For readers that are tested on another machine.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/kerror.h>
#include <linux/netlink.h>

#ifndef NETLINK_KERROR
#define NETLINK_KERROR 27
#endif

static void replay(int protocol, uint32_t group)
{
	struct {
		struct nlmsghdr header;
		struct kerror_request body;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = KERROR_MSG_REPLAY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.body.group = group,
		.body.flags = KERROR_REPLAY_BOOT,
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK }, from;
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);
	static union {
		struct nlmsghdr header;
		unsigned char bytes[KERROR_DATAGRAM_MAX];
	} datagram;
	ssize_t size, i;

	if (fd < 0 || sendto(fd, &request, sizeof(request), 0,
			     (struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		fprintf(stderr, "capture: %s\n", strerror(errno));
		exit(1);
	}
	/* No message of a replay says of which group it is. */
	printf("REPLAY %u\n", group);
	do {
		socklen_t length = sizeof(from);

		size = recvfrom(fd, &datagram, sizeof(datagram), 0,
				(struct sockaddr *)&from, &length);
		if (size < 0) {
			fprintf(stderr, "capture: %s\n", strerror(errno));
			exit(1);
		}
		printf("STREAM %u ", from.nl_groups);
		for (i = 0; i < size; i++)
			printf("%02x", datagram.bytes[i]);
		putchar('\n');
	} while (datagram.header.nlmsg_type != NLMSG_DONE &&
		 datagram.header.nlmsg_type != NLMSG_ERROR);
}

int main(int argc, char **argv)
{
	int protocol = argc > 1 ? atoi(argv[1]) : NETLINK_KERROR;

	printf("ENDIAN %s\n", __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ?
	       "big" : "little");
	replay(protocol, KERROR_GROUP_RAW);
	replay(protocol, KERROR_GROUP_EVLOG);
	replay(protocol, KERROR_GROUP_PRINTK);
	return 0;
}
