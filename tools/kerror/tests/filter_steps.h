/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters and events for the tests of filters, and a pair of datagram sockets on
 * which the running kernel executes a filter's program.
 */
#ifndef TESTS_FILTER_STEPS_H
#define TESTS_FILTER_STEPS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include "build.h"

#define RAW KERROR_GROUP_RAW
#define EVLOG KERROR_GROUP_EVLOG
#define PRINTK KERROR_GROUP_PRINTK
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static inline struct kerror_filter *filter_of(const char *text)
{
	struct kerror_filter *filter;
	char message[320];

	if (kerror_filter_new(&filter, text, message, sizeof(message)))
		fail_msg("%s: %s", text, message);
	assert_string_equal(message, "");
	return filter;
}

static inline struct kerror_event *event_of(uint32_t group, const struct build *build)
{
	struct kerror_event *event = kerror_event_new(group, 1, 2, build->data,
						      build->size);

	assert_non_null(event);
	return event;
}

static inline void assert_match(const char *text, const struct kerror_event *event,
				bool expected)
{
	struct kerror_filter *filter = filter_of(text);

	if (kerror_filter_matches(filter, event) != expected)
		fail_msg("%s %s", text,
			 expected ? "does not match" : "matches");
	kerror_filter_free(filter);
}

/* @count times @part, between @before and @after; to be freed. */
static inline char *repeat(const char *before, const char *part, size_t count,
			   const char *after)
{
	char *text = malloc(strlen(before) + count * strlen(part) +
			    strlen(after) + 1), *at = text;

	at += sprintf(at, "%s", before);
	while (count--)
		at += sprintf(at, "%s", part);
	sprintf(at, "%s", after);
	return text;
}

static int sockets[2];	/* datagrams go from 0 to 1, where the program is */

static inline int open_sockets(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets);
}

static inline int close_sockets(void **state)
{
	(void)state;
	return close(sockets[0]) | close(sockets[1]);
}

static inline void attach(const struct kerror_filter *filter)
{
	struct sock_filter pass = { BPF_RET | BPF_K, 0, 0, UINT32_MAX };
	size_t count;
	const struct sock_filter *program = kerror_filter_program(filter,
								  &count);
	struct sock_fprog attached = {
		.len = program ? count : 1,
		.filter = program ? (struct sock_filter *)program : &pass,
	};

	assert_int_equal(setsockopt(sockets[1], SOL_SOCKET, SO_ATTACH_FILTER,
				    &attached, sizeof(attached)), 0);
}

static inline bool gets_through(const void *datagram, size_t size)
{
	static uint8_t received[KERROR_DATAGRAM_MAX];
	ssize_t result;

	assert_int_equal(send(sockets[0], datagram, size, 0), size);
	result = recv(sockets[1], received, sizeof(received), MSG_DONTWAIT);
	if (result < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	/* Whole, that is. */
	assert_int_equal(result, size);
	assert_memory_equal(received, datagram, size);
	return true;
}

/* A message as it is sent, with the padding of netlink if @padded. */
static inline size_t make_datagram(void *datagram, uint16_t type, uint16_t flags,
				   const void *data, size_t size, bool padded)
{
	struct nlmsghdr header = {
		.nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = type,
		.nlmsg_flags = flags, .nlmsg_seq = 1, .nlmsg_pid = 2,
	};

	memset(datagram, 0, NLMSG_SPACE(size));
	memcpy(datagram, &header, sizeof(header));
	memcpy((uint8_t *)datagram + NLMSG_HDRLEN, data, size);
	return padded ? NLMSG_SPACE(size) : NLMSG_LENGTH(size);
}

static inline bool event_gets_through(const struct build *build, size_t size,
				      bool padded)
{
	static uint32_t datagram[KERROR_DATAGRAM_MAX / 4];

	size = make_datagram(datagram, KERROR_MSG_EVENT, 0, build->data, size,
			     padded);
	return gets_through(datagram, size);
}

#endif
