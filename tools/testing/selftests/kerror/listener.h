/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the test programs: files of one line, and a listener that keeps
 * account of what is lost.
 */
#ifndef KERROR_LISTENER_H
#define KERROR_LISTENER_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libkerror.h>

#define GROUPS	KERROR_GROUP_COUNT

/* Every group that events are raised for */
#define EACH_GROUP	(KERROR_GROUP_RAW | KERROR_GROUP_EVLOG | KERROR_GROUP_PRINTK)

/* No answer for so long is a failure; nothing normal comes near it. */
#define PATIENCE_MS	20000

/* Writes one line to a file: 0 or a negative errno. */
static inline int put(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;
	int err;

	if (fd < 0)
		return -errno;
	done = write(fd, line, strlen(line));
	err = done < 0 ? -errno : 0;
	close(fd);
	return err;
}

static inline void get(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : read(fd, line, size - 1);

	line[done > 0 ? done : 0] = '\0';
	if (done > 0 && line[done - 1] == '\n')
		line[done - 1] = '\0';
	if (fd >= 0)
		close(fd);
}

/*
 * The number of the protocol. libkerror finds it out without this file; it is 7
 * on Linux 2.6.0 to 2.6.3, unless such a kernel has something else there.
 */
static inline int protocol_number(void)
{
	FILE *file = fopen("/proc/net/netlink", "r");
	int number, portid, found = 7;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %d %d", &number, &portid) == 2 &&
		    number == 27 && !portid)
			found = 27;
	if (file)
		fclose(file);
	return found;
}

/* A listener that knows all counters from the start. */
struct listener {
	struct kerror_socket *sock;
	struct kerror_reader *reader;
	uint64_t lost[KERROR_CAUSES];
	uint64_t lost_all;
};

static inline enum kerror_item next_item(struct listener *listener, int timeout)
{
	enum kerror_item item = KERROR_ITEM_NONE;

	if (kerror_socket_next(listener->sock, listener->reader, timeout,
			       &item))
		return KERROR_ITEM_ERROR;
	if (item == KERROR_ITEM_LOSS) {
		const struct kerror_loss *loss =
			kerror_reader_loss(listener->reader);

		if (loss->cause < KERROR_CAUSES)
			listener->lost[loss->cause] += loss->count;
		listener->lost_all += loss->count;
	}
	return item;
}

/* Waits for the answer to a statistics request of one group. */
static inline
const struct kerror_statistics *statistics(struct listener *listener)
{
	enum kerror_item item;

	kerror_reader_want_statistics(listener->reader);
	do {
		item = next_item(listener, PATIENCE_MS);
	} while (item != KERROR_ITEM_STATISTICS && item != KERROR_ITEM_NONE &&
		 item != KERROR_ITEM_ERROR);
	return item == KERROR_ITEM_STATISTICS ?
	       kerror_reader_statistics(listener->reader) : NULL;
}

static inline
bool listen_to(struct listener *listener, uint32_t groups, bool all)
{
	memset(listener, 0, sizeof(*listener));
	if (kerror_socket_open(&listener->sock, groups))
		return false;
	listener->reader = kerror_reader_new(groups);
	if (!listener->reader)
		return false;
	if (all) {
		kerror_reader_from_boot(listener->reader);
		return true;
	}
	/* Of several groups there is more than one answer. */
	return groups & (groups - 1) || statistics(listener);
}

static inline void stop_listening(struct listener *listener)
{
	kerror_reader_free(listener->reader);
	kerror_socket_close(listener->sock);
}

/*
 * The next event while the process @pid raises some. NULL when it has ended and
 * all is accounted for: then *@pid is 0, or still the process if that failed.
 */
static inline
const struct kerror_event *event_of(struct listener *listener, pid_t *pid)
{
	enum kerror_item item;
	bool counted = false;
	int status;

	for (;;) {
		item = next_item(listener, 100);
		if (item == KERROR_ITEM_EVENT)
			return kerror_reader_event(listener->reader);
		if (item == KERROR_ITEM_ERROR)
			return NULL;
		counted |= item == KERROR_ITEM_STATISTICS;
		/* The counters may have told of events to ask for. */
		if (item != KERROR_ITEM_NONE ||
		    kerror_reader_replaying(listener->reader))
			continue;
		if (counted)
			return NULL;
		if (*pid && waitpid(*pid, &status, WNOHANG) == *pid) {
			if (status)
				return NULL;
			*pid = 0;
			kerror_reader_want_statistics(listener->reader);
		}
	}
}

#endif
