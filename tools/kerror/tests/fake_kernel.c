// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel to test programs with that has no NETLINK_KERROR: stands in for the
 * socket layer of libkerror, and plays a kernel that raises events at a steady
 * rate and keeps the last ones. The reader of libkerror is the real one.
 *
 *   FAKE_START	nanoseconds since 1970 at which it booted, as the clock has it
 *   FAKE_RATE	events per second of the evlog group (1000)
 *   FAKE_EVENTS	after so many no more are raised (1000)
 *   FAKE_HISTORY	the last so many can be replayed (1000000)
 *   FAKE_LOST	so many events were lost before the first, staging-full (0)
 *   FAKE_FLAGS	EVL_FLAG bits of each event (0)
 *   FAKE_ERROR	errno that opening fails with (0)
 *
 * As all of it follows from the clock, a program that is started again finds the
 * kernel as it left it. Event N has severity N % 8, facility "fakeN % 3", device
 * "+pci:N % 5" and the arguments N and "text N".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <poll.h>
#include <linux/netlink.h>
#include <unistd.h>
#include "build.h"

#define GROUP KERROR_GROUP_EVLOG

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

struct kerror_socket {
	uint64_t start, rate, events, history, lost;
	uint64_t broadcast;		/* events that were, as a number of events */
	uint64_t replay, replay_end;	/* what a replay brings, likewise */
	uint32_t replay_sequence;
	bool replaying, loss_told, history_told;
	uint64_t history_lost;
	bool statistics_wanted;
	int timer;
	union {
		struct nlmsghdr header;
		uint8_t bytes[KERROR_DATAGRAM_MAX];
	} datagram;
};

static uint64_t raised(const struct kerror_socket *sock)
{
	struct timespec now;
	uint64_t passed, count;

	clock_gettime(CLOCK_REALTIME, &now);
	passed = now.tv_sec * 1000000000ULL + now.tv_nsec;
	passed = passed > sock->start ? passed - sock->start : 0;
	count = passed / 1000000000 * sock->rate +
		passed % 1000000000 * sock->rate / 1000000000;
	return count < sock->events ? count : sock->events;
}

int kerror_socket_open(struct kerror_socket **result, uint32_t groups)
{
	static const struct itimerspec tick = {
		.it_value.tv_nsec = 2000000, .it_interval.tv_nsec = 2000000,
	};
	struct kerror_socket *sock = calloc(1, sizeof(*sock));

	(void)groups;
	if (number("FAKE_ERROR", 0)) {
		free(sock);
		return -(int)number("FAKE_ERROR", 0);
	}
	sock->start = number("FAKE_START", 0);
	sock->rate = number("FAKE_RATE", 1000);
	sock->events = number("FAKE_EVENTS", 1000);
	sock->history = number("FAKE_HISTORY", 1000000);
	sock->lost = number("FAKE_LOST", 0);
	sock->broadcast = raised(sock);
	sock->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	timerfd_settime(sock->timer, 0, &tick, NULL);
	*result = sock;
	return 0;
}

void kerror_socket_close(struct kerror_socket *sock)
{
	close(sock->timer);
	free(sock);
}

int kerror_socket_fd(const struct kerror_socket *sock)
{
	return sock->timer;
}

int kerror_socket_set_filter(struct kerror_socket *sock,
			     const struct kerror_filter *filter)
{
	(void)sock;
	(void)filter;
	return 0;
}

static void begin_message(struct kerror_socket *sock, uint16_t type,
			  uint16_t flags, uint32_t sequence, const void *data,
			  size_t size)
{
	sock->datagram.header = (struct nlmsghdr) {
		.nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = type,
		.nlmsg_flags = flags, .nlmsg_seq = sequence, .nlmsg_pid = 42,
	};
	memcpy(sock->datagram.bytes + NLMSG_HDRLEN, data, size);
}

static void make_event(struct kerror_socket *sock, uint64_t index,
		       uint16_t flags)
{
	static struct build build;
	uint64_t count = index;
	char device[16], text[32];

	snprintf(device, sizeof(device), "+pci:%u", (unsigned int)(index % 5));
	snprintf(text, sizeof(text), "text %llu", (unsigned long long)index);
	build_begin(&build, device, EVL_FORMAT_PRINTF, "event %llu: %s");
	build_argument(&build, EVL_ARG_U64, 0, &count, sizeof(count));
	build_argument(&build, EVL_ARG_STRING, 0, text, strlen(text));
	build.header.severity = index % 8;
	build.header.flags = number("FAKE_FLAGS", 0);
	build.header.event_type = 0;
	build.header.event_id = 0x12345678;
	build.header.time_boot = index * 1000000000 / sock->rate;
	build.header.time_realtime = sock->start + build.header.time_boot;
	snprintf(build.header.facility, sizeof(build.header.facility), "fake%u",
		 (unsigned int)(index % 3));
	begin_message(sock, KERROR_MSG_EVENT, flags,
		      KERROR_SEQUENCE_FIRST + (uint32_t)index, build.data,
		      build.size);
}

static void take_request(struct kerror_socket *sock,
			 const struct kerror_reader *reader)
{
	const struct nlmsghdr *request;
	const struct kerror_request *body;
	size_t size;

	request = kerror_reader_request(reader, &size);
	body = (const void *)(request + 1);
	if (request->nlmsg_type == KERROR_MSG_STATISTICS) {
		sock->statistics_wanted |= body->group == GROUP;
		return;
	}
	sock->replaying = true;
	sock->replay_sequence = request->nlmsg_seq;
	sock->replay = body->flags & KERROR_REPLAY_BOOT ? 0 :
		       (uint32_t)(body->sequence - KERROR_SEQUENCE_FIRST);
	sock->replay_end = body->group == GROUP ? raised(sock) : 0;
	sock->history_lost = 0;
	if (sock->replay_end > sock->history &&
	    sock->replay < sock->replay_end - sock->history) {
		sock->history_lost = sock->replay_end - sock->history -
				     sock->replay;
		sock->replay += sock->history_lost;
	}
}

/* Makes the next datagram; false if there is none yet. */
static bool make_datagram(struct kerror_socket *sock, uint32_t *group)
{
	struct kerror_loss loss = {
		.count = sock->lost, .total = sock->lost, .group = GROUP,
		.cause = KERROR_LOST_STAGING_FULL,
	};
	int done = 0;

	*group = 0;
	if (sock->statistics_wanted) {
		struct kerror_statistics statistics = {
			.numbered = raised(sock), .group = GROUP,
			.sequence_next = KERROR_SEQUENCE_FIRST +
					 (uint32_t)sock->broadcast,
			.causes = KERROR_CAUSES,
			.lost[KERROR_LOST_STAGING_FULL] = sock->lost,
		};

		sock->statistics_wanted = false;
		begin_message(sock, KERROR_MSG_STATISTICS, 0, 0, &statistics,
			      sizeof(statistics));
	} else if (sock->replaying && sock->history_lost) {
		loss.count = sock->history_lost;
		loss.total = 0;
		loss.cause = KERROR_LOST_HISTORY;
		sock->history_lost = 0;
		begin_message(sock, KERROR_MSG_LOSS, NLM_F_MULTI,
			      KERROR_SEQUENCE_FIRST + (uint32_t)sock->replay,
			      &loss, sizeof(loss));
	} else if (sock->replaying && sock->lost && !sock->replay &&
		   !sock->loss_told) {
		sock->loss_told = true;
		begin_message(sock, KERROR_MSG_LOSS, NLM_F_MULTI,
			      KERROR_SEQUENCE_FIRST, &loss, sizeof(loss));
	} else if (sock->replaying && sock->replay < sock->replay_end) {
		make_event(sock, sock->replay++, NLM_F_MULTI);
	} else if (sock->replaying) {
		sock->replaying = false;
		begin_message(sock, NLMSG_DONE, NLM_F_MULTI,
			      sock->replay_sequence, &done, sizeof(done));
	} else if (sock->broadcast < raised(sock)) {
		*group = GROUP;
		make_event(sock, sock->broadcast++, 0);
	} else {
		return false;
	}
	return true;
}

int kerror_socket_next(struct kerror_socket *sock, struct kerror_reader *reader,
		       int timeout, enum kerror_item *item)
{
	uint64_t ticks;
	uint32_t group;

	for (;;) {
		*item = kerror_reader_next(reader);
		if (*item == KERROR_ITEM_REQUEST) {
			take_request(sock, reader);
			continue;
		}
		if (*item != KERROR_ITEM_NONE)
			return 0;
		if (make_datagram(sock, &group)) {
			kerror_reader_feed(reader, group, &sock->datagram,
					   sock->datagram.header.nlmsg_len);
			continue;
		}
		if (kerror_reader_drained(reader))
			continue;
		if (read(sock->timer, &ticks, sizeof(ticks)) < 0 &&
		    errno != EAGAIN)
			return -errno;
		if (!timeout)
			return 0;
		poll(&(struct pollfd) { .fd = sock->timer, .events = POLLIN }, 1,
		     timeout);
		if (timeout > 0)
			timeout = 0;
	}
}
