// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for a peer. A sink's thread waits here and nowhere else for what may
 * never come, so that the end of the daemon can call it off. The receiver looks
 * at when each thread made progress, and reports one that made none for long:
 * a system call may be stuck, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/sockios.h>
#include "kerrord.h"

/* Between two looks at what the peer has not read yet; the kernel does not tell. */
#define LOOK_FIRST_MS	1
#define LOOK_LAST_MS	64

/* Without an eventfd, how long it takes to notice the end */
#define SLICE_MS	100

/*
 * For the sinks' last writing: in all; without any progress; for one that is not
 * patient; and for a thread that was told to give up
 */
#define LAST_WRITES_MS	10000
#define LAST_PATIENCE_MS 1500
#define LAST_MOMENT_MS	300

int sink_wait(struct sink *sink, int fd, short events, int ms)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + ms * 1000000LL;
	struct pollfd ready[] = {
		{ .fd = fd, .events = events },
		{ .fd = sink->give_up_fd, .events = POLLIN },
	};

	for (;;) {
		uint64_t now = now_ns(CLOCK_MONOTONIC);
		int slice = SLICE_MS;

		if (ms >= 0 && end < now + SLICE_MS * 1000000ULL)
			slice = end > now ? (end - now) / 1000000 + 1 : 0;
		if (sink->give_up)
			return -ECANCELED;
		if (poll(ready, 2, slice) < 0 && errno != EINTR)
			return -errno;
		if (ready[0].revents)
			return 0;
		if (ms >= 0 && now_ns(CLOCK_MONOTONIC) >= end)
			return -ETIMEDOUT;
	}
}

int commands_output = STDERR_FILENO;

void reports_never_wait(void)
{
	int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	struct stat status;
	/* Anew, as others may share what is open; of a socket that cannot be. */
	int fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY |
		      O_CLOEXEC);

	if (before >= 0)
		commands_output = before;
	if (fd >= 0) {
		dup2(fd, STDERR_FILENO);
		close(fd);
	} else if (!fstat(STDERR_FILENO, &status) && S_ISSOCK(status.st_mode)) {
		fcntl(STDERR_FILENO, F_SETFL,
		      fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
	}
}

void sink_moves(struct sink *sink)
{
	sink->busy_since = now_ns(CLOCK_MONOTONIC);
}

/* Bytes that the peer has not read; 0 if the kernel cannot tell */
static int unread(int fd)
{
	struct stat status;
	int bytes = 0;

	if (fstat(fd, &status))
		return 0;
	if (S_ISSOCK(status.st_mode))
		return ioctl(fd, SIOCOUTQ, &bytes) ? 0 : bytes;
	if (S_ISFIFO(status.st_mode))
		return ioctl(fd, FIONREAD, &bytes) ? 0 : bytes;
	return 0;
}

/* The error of a peer that is gone; @read: it has read everything */
static int peer_error(int fd, bool read)
{
	struct pollfd ready = { .fd = fd };
	int error = 0;
	socklen_t size = sizeof(error);

	if (poll(&ready, 1, 0) <= 0)
		return 0;
	/* Of a socket: whether it left something, or closed in order. */
	if (!getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size)) {
		if (error)
			return -error;
		return read ? 0 : -ECONNRESET;
	}
	return read ? 0 : -EPIPE;
}

int sink_wait_until_read(struct sink *sink, int fd)
{
	int look = LOOK_FIRST_MS, before = 0, left, err;

	for (;;) {
		left = unread(fd);
		/* After that look: a peer that dies empties its socket. */
		err = peer_error(fd, !left);
		if (err || !left)
			return err;
		if (left != before)
			sink_moves(sink);
		before = left;
		err = sink_wait(sink, fd, 0, look);
		if (err && err != -ETIMEDOUT)
			return err;
		if (look < LOOK_LAST_MS)
			look *= 2;
	}
}

/* ---- For the receiver ---- */

bool sink_is_busy(struct sink *sink)
{
	bool busy;

	pthread_mutex_lock(&sink->lock);
	busy = sink->first || sink->busy_since;
	pthread_mutex_unlock(&sink->lock);
	return busy;
}

void sink_watch(struct sink *sink)
{
	uint64_t since = sink->busy_since, now = now_ns(CLOCK_MONOTONIC);
	uint64_t limit = sink->settings->stuck * 1000000000;
	bool stuck = limit && since && since + limit < now;
	char text[200];

	if (stuck == sink->stuck)
		return;
	sink->stuck = stuck;
	if (stuck) {
		sink->stuck_at = since;
		snprintf(text, sizeof(text),
			 "is stuck: its peer has taken nothing for %llu s; when it goes on, %s has what it missed",
			 (unsigned long long)sink->settings->stuck,
			 sink->type->follows_store ? "its source" : "the kernel's history");
	} else {
		snprintf(text, sizeof(text), "is no longer stuck, after %llu s",
			 (unsigned long long)(now - sink->stuck_at) / 1000000000);
	}
	sink->report(sink, stuck ? 3 : 5, text);
}

static void give_up(struct sink *sink)
{
	sink->give_up = true;
	if (sink->give_up_fd >= 0)
		eventfd_write(sink->give_up_fd, 1);
}

/* Whether nothing more can be expected of a sink that was told at @begin to end */
static bool is_hopeless(struct sink *sink, uint64_t begin)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), moved = sink->busy_since;

	if (moved < begin)
		moved = begin;
	return now - begin > LAST_WRITES_MS * 1000000ULL ||
	       ((sink->stuck || !sink->type->patient) &&
		now - moved > LAST_PATIENCE_MS * 1000000ULL);
}

/* Gives up those without hope; false if that leaves no sink to wait for. */
static bool any_hope(struct sink *sinks, uint64_t begin,
		     uint64_t *given_up)
{
	bool hope = false;

	for (struct sink *sink = sinks; sink; sink = sink->next) {
		if (!sink->stop || sink->ended || sink->give_up)
			continue;
		hope = true;
		if (is_hopeless(sink, begin)) {
			give_up(sink);
			*given_up = now_ns(CLOCK_MONOTONIC);
		}
	}
	return hope || now_ns(CLOCK_MONOTONIC) - *given_up <
		       LAST_MOMENT_MS * 1000000ULL;
}

bool sinks_end(struct sink *sinks)
{
	static const struct timespec moment = { .tv_nsec = 5000000 };
	uint64_t begin = now_ns(CLOCK_MONOTONIC), given_up = begin;
	struct sink *sink;
	bool all;

	do {
		all = true;
		nanosleep(&moment, NULL);
		for (sink = sinks; sink; sink = sink->next) {
			sink->ended = sink->ended || (sink->stop && sink_join(sink));
			all &= sink->ended || !sink->stop;
		}
	} while (!all && any_hope(sinks, begin, &given_up));
	return all;
}
