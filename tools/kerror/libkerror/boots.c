// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Asks the kernel about boots: which ones it keeps, the name of this
 * one, that an earlier one may go. A reader brings their events, see
 * kerror_reader_earlier().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include "internal.h"

struct list {
	struct kerror_boot *boots;
	size_t most, count;
};

static int add_boot(const struct nlmsghdr *message, void *context)
{
	struct list *list = context;
	size_t size = mnl_nlmsg_get_payload_len(message);
	struct kerror_boot *boot = &list->boots[list->count];

	if (message->nlmsg_type != KERROR_MSG_BOOT)
		return MNL_CB_OK;
	/* One of a newer kernel may be longer. */
	if (list->count++ < list->most) {
		memset(boot, 0, sizeof(*boot));
		memcpy(boot, mnl_nlmsg_get_payload(message),
		       size < sizeof(*boot) ? size : sizeof(*boot));
		boot->release[sizeof(boot->release) - 1] = '\0';
		boot->message[sizeof(boot->message) - 1] = '\0';
	}
	return MNL_CB_OK;
}

/* Sends one request and takes the answer, up to its end; 0, or -errno */
static int ask(uint16_t type, uint16_t flags, const uint8_t *boot, uint64_t instance,
	       struct list *list)
{
	struct {
		struct nlmsghdr header;
		struct kerror_boot_request body;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = type,
		.header.nlmsg_flags = NLM_F_REQUEST | flags,
		.header.nlmsg_seq = 1,
		.body.instance = instance,
	};
	struct mnl_socket *netlink;
	char *buffer;
	ssize_t size;
	int err = socket_connect(&netlink);

	if (err)
		return err;
	if (boot)
		memcpy(request.body.boot, boot, sizeof(request.body.boot));
	buffer = malloc(KERROR_DATAGRAM_MAX);
	if (!buffer)
		err = -ENOMEM;
	else if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ||
		 mnl_socket_sendto(netlink, &request, sizeof(request)) < 0)
		err = -errno;
	while (!err) {
		size = mnl_socket_recvfrom(netlink, buffer, KERROR_DATAGRAM_MAX);
		if (size < 0 && errno == EINTR)
			continue;
		/* 0: the end, or that it was done */
		size = size < 0 ? size :
		       mnl_cb_run(buffer, size, 1, mnl_socket_get_portid(netlink),
				  add_boot, list);
		if (!size)
			break;
		if (size < 0)
			err = -errno;
	}
	free(buffer);
	mnl_socket_close(netlink);
	return err;
}

int kerror_boots(struct kerror_boot *boots, size_t most)
{
	struct list list = { .boots = boots, .most = most };
	int err = ask(KERROR_MSG_BOOTS, NLM_F_DUMP, NULL, 0, &list);

	return err ? err : (int)list.count;
}

int kerror_boot_name(const uint8_t boot[16])
{
	return ask(KERROR_MSG_BOOT_NAME, NLM_F_ACK, boot, 0, NULL);
}

int kerror_boot_drop(const struct kerror_boot *boot)
{
	return ask(KERROR_MSG_BOOT_DROP, NLM_F_ACK, boot->boot, boot->instance, NULL);
}
