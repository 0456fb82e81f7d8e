// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared by the commands that talk to the kernel: opens the socket or says why
 * that cannot be, and lets a signal wait until its events are printed.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kerrorctl.h"

int listen_as_permitted(struct kerror_socket **sock, uint32_t *groups)
{
	const uint32_t others = *groups & ~KERROR_GROUP_PRINTK;
	int error = kerror_socket_open(sock, *groups);

	if (error != -EPERM || others == *groups || !others)
		return error;
	*groups = others;
	error = kerror_socket_open(sock, others);
	if (!error)
		warnx("nothing of the group printk: that needs CAP_SYSLOG");
	return error;
}

struct kerror_socket *listen_to(struct common *common)
{
	struct kerror_socket *sock;
	int error;

	if (common->groups) {
		error = kerror_socket_open(&sock, common->groups);
	} else {
		common->groups = USUAL_GROUPS;
		error = listen_as_permitted(&sock, &common->groups);
	}
	if (error)
		errx(EXIT_FAILURE, "%s", listen_failure(error, common->groups));
	return sock;
}

struct kerror_reader *read_from(uint32_t groups)
{
	return must_have(kerror_reader_new(groups));
}

void filter_in_kernel(struct kerror_socket *sock, struct kerror_reader *reader,
		      const struct common *common)
{
	struct kerror_filter *filter = widen_filter(common);

	/* A kernel that does not take it sends everything, which is right too. */
	if (filter && kerror_socket_set_filter(sock, filter) >= 0)
		kerror_reader_filtered(reader);
	if (filter != common->filter)
		kerror_filter_free(filter);
}

static void stop_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
}

void block_signals(void)
{
	sigset_t signals;

	stop_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static bool told_to_stop(void)
{
	static const struct timespec now;
	sigset_t signals;

	stop_signals(&signals);
	return sigtimedwait(&signals, NULL, &now) > 0;
}

enum kerror_item next_item(struct kerror_socket *sock,
			   struct kerror_reader *reader, int timeout,
			   bool *stop)
{
	static unsigned int items;
	enum kerror_item item;
	int error = kerror_socket_next(sock, reader, timeout, &item);

	if (error && error != -EINTR)
		errx(EXIT_FAILURE, "cannot receive: %s", strerror(-error));
	if (error)
		item = KERROR_ITEM_NONE;
	/* In a flood, too, but not for each event. */
	if (stop && (item == KERROR_ITEM_NONE || ++items % 256 == 0) &&
	    told_to_stop())
		*stop = true;
	return item;
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}
