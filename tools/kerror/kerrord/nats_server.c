// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the version that a server of NATS tells each client before TLS.
 * libnats does not tell it. nats_peer.c asks the server that it has connected to.
 *
 * Promise: no event is given to a server of a version that is known to lose messages
 * which it has acknowledged.
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "nats_peer.h"
#include "stream.h"

/* 2.9.10 loses acknowledged messages if servers are killed; this one did not. */
#define LEAST_MAJOR	2
#define LEAST_MINOR	10
#define LEAST_PATCH	27

/* Addresses of a whole cluster are in it. */
#define INFO_BYTES	65536

/* The line, without its end; 0, or a negative errno */
static int read_line(struct sink *sink, int fd, char *line, size_t size)
{
	size_t length = 0;
	char *end = NULL;
	int err = 0;

	while (!err && !end && length + 1 < size) {
		ssize_t got;

		err = sink_wait(sink, fd, POLLIN, sink->settings->timeout * 1000);
		got = err ? 0 : recv(fd, line + length, size - length - 1, MSG_DONTWAIT);
		if (!err && got <= 0)
			err = got ? -errno : -ECONNRESET;
		length += got > 0 ? got : 0;
		line[length] = '\0';
		end = strchr(line, '\n');
	}
	if (end)
		*end = '\0';
	return err ? err : end ? 0 : -EMSGSIZE;
}

/* Of a version that cannot be read nothing is known. */
static bool is_too_old(const char *version)
{
	unsigned int major, minor, patch;

	if (sscanf(version, "%u.%u.%u", &major, &minor, &patch) != 3)
		return false;
	if (major != LEAST_MAJOR)
		return major < LEAST_MAJOR;
	if (minor != LEAST_MINOR)
		return minor < LEAST_MINOR;
	return patch < LEAST_PATCH;
}

static int check_line(const char *address, const char *line, char *message, size_t size)
{
	struct json_object *info = strncmp(line, "INFO ", 5) ? NULL : json_tokener_parse(line + 5);
	struct json_object *value;
	int err = 0;

	if (!json_object_object_get_ex(info, "version", &value)) {
		snprintf(message, size, "%s: this is no server of NATS", address);
		err = -EPROTO;
	} else if (is_too_old(json_object_get_string(value))) {
		snprintf(message, size,
			 "%s: nats-server %.20s can lose what it has acknowledged; install %d.%d.%d or later",
			 address, json_object_get_string(value), LEAST_MAJOR, LEAST_MINOR,
			 LEAST_PATCH);
		err = -EPROTONOSUPPORT;
	}
	json_object_put(info);
	return err;
}

int nats_check_server(struct sink *sink, const char *url, char *message, size_t size)
{
	const char *address = strrchr(url, '@'), *begin = strstr(url, "://");
	char line[INFO_BYTES];
	int fd, err;

	/* Names and passwords are in no message. */
	address = address ? address + 1 : begin ? begin + 3 : url;
	fd = connect_remote(sink, address, SOCK_STREAM, 0, message, size);
	if (fd < 0)
		return fd;
	err = read_line(sink, fd, line, sizeof(line));
	close(fd);
	if (!err)
		return check_line(address, line, message, size);
	snprintf(message, size, "%s: it does not say what it is: %s", address, strerror(-err));
	return err;
}
