// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams to a local server: what it has not read is known to its sender. A
 * server that is gone lets go of that, which looks as if it had read it; so the
 * socket must be the same, and be listened to, when nothing is left.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "local.h"

int connect_unix(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int datagrams_open_local(struct datagrams *datagrams, struct sink *sink,
			 const char *path)
{
	int fd = connect_unix(path, SOCK_DGRAM);

	*datagrams = (struct datagrams) {
		.sink = sink, .fd = fd < 0 ? -1 : fd, .path = path,
	};
	if (stat(path, &datagrams->found))
		memset(&datagrams->found, 0, sizeof(datagrams->found));
	return fd < 0 ? fd : 0;
}

void datagrams_close(struct datagrams *datagrams)
{
	if (datagrams->fd >= 0)
		close(datagrams->fd);
	datagrams->fd = -1;
}

int datagrams_send(struct datagrams *datagrams, const struct msghdr *message)
{
	int err = 0;

	while (!err && sendmsg(datagrams->fd, message, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		err = sink_wait(datagrams->sink, datagrams->fd, POLLOUT, -1);
	}
	if (!err)
		sink_moves(datagrams->sink);
	return err;
}

static bool is_same_socket(const struct stat *one, const struct stat *other)
{
	/* A new one may have the number of the old; it has another birthday. */
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
	       one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

int datagrams_confirm(struct datagrams *datagrams)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat now;
	int err;

	if (!datagrams->path)
		return 0;
	err = sink_wait_until_read(datagrams->sink, datagrams->fd);
	if (err)
		return err;
	memcpy(address.sun_path, datagrams->path, strlen(datagrams->path) + 1);
	if (connect(datagrams->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    stat(datagrams->path, &now) || !is_same_socket(&datagrams->found, &now))
		return -ECONNREFUSED;
	return 0;
}
