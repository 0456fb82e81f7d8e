/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams to a server of this machine, or over UDP; for a sink's thread.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <sys/stat.h>
#include "kerrord.h"

struct msghdr;

/**
 * struct datagrams - a connected socket
 * @sink: whose it is
 * @fd: the socket, or -1
 * @path: of the server's socket, or NULL: UDP
 * @found: that socket, as it was when it was connected
 */
struct datagrams {
	struct sink *sink;
	int fd;
	const char *path;
	struct stat found;
};

/* Datagrams between two looks at whether a local server has read them */
#define DATAGRAMS 16

/* Connects to the local socket @path; 0, or a negative errno. */
int datagrams_open_local(struct datagrams *datagrams, struct sink *sink,
			 const char *path);
void datagrams_close(struct datagrams *datagrams);

/* Sends one; 0, or a negative errno. */
int datagrams_send(struct datagrams *datagrams, const struct msghdr *message);

/*
 * Waits until the server has read all that was sent, if it is a local one. 0, or
 * -ECONNREFUSED if it went without that.
 */
int datagrams_confirm(struct datagrams *datagrams);

#endif
