// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTP server of the metrics. A thread of its own opens the address, since
 * a name server may take its time, and tries again if the address is taken or
 * its name is not known yet. The daemon runs on meanwhile.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <microhttpd.h>
#include "kerrord.h"

#define RETRY_S		5
#define BACKLOG		16
#define CONNECTIONS	16
#define IDLE_S		10

/* For the thread, at the end; a name server may keep it. */
#define END_MS		500

static struct {
	struct metrics *metrics;
	const char *listen;
	bool started;
	pthread_t thread;
	struct MHD_Daemon *daemon;	/* of the thread, until it has ended */
	pthread_mutex_t lock;		/* for what follows */
	pthread_cond_t changed;
	bool stop;
} server = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	unsigned int status = MHD_HTTP_OK;
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	file = open_memstream(&text, &size);
	if (!file)
		return MHD_NO;
	if (strcmp(method, "GET") && strcmp(method, "HEAD")) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		fputs("only GET\n", file);
	} else if (strcmp(url, "/metrics")) {
		status = MHD_HTTP_NOT_FOUND;
		fputs("see /metrics\n", file);
	} else {
		metrics_print(file, context);
	}
	if (fclose(file)) {
		free(text);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(size, text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type",
				status == MHD_HTTP_OK ?
				"text/plain; version=0.0.4" : "text/plain");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* A socket that listens at the first of @found that can be used, or -errno */
static int listen_at(const struct addrinfo *found)
{
	int fd, err = -EADDRNOTAVAIL, on = 1;

	for (; found; found = found->ai_next) {
		fd = socket(found->ai_family, found->ai_socktype |
			    SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (!bind(fd, found->ai_addr, found->ai_addrlen) &&
		    !listen(fd, BACKLOG))
			return fd;
		err = -errno;
		close(fd);
	}
	return err;
}

/* Splits ADDRESS:PORT; returns the port, or NULL. */
static const char *split(const char *listen, char *host, size_t size)
{
	const char *colon = strrchr(listen, ':');
	bool brackets = colon && *listen == '[' && colon > listen + 1 &&
			colon[-1] == ']';

	if (!colon)
		return NULL;
	snprintf(host, size, "%.*s", (int)(colon - listen) - 2 * brackets,
		 listen + brackets);
	return colon + 1;
}

/* Begins to serve; false with a line in @message */
static bool serve(char *message, size_t size)
{
	static const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	char host[256] = "";
	const char *port = split(server.listen, host, sizeof(host));
	int fd, err;

	if (!port) {
		snprintf(message, size, "listen: '%s' is not like 127.0.0.1:9817",
			 server.listen);
		return false;
	}
	err = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (err) {
		snprintf(message, size, "listen: '%s': %s; tried again every %d s",
			 server.listen, gai_strerror(err), RETRY_S);
		return false;
	}
	fd = listen_at(found);
	freeaddrinfo(found);
	if (fd < 0) {
		snprintf(message, size,
			 "listen: '%s': %s; tried again every %d s", server.listen,
			 strerror(-fd), RETRY_S);
		return false;
	}
	server.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0,
					 NULL, NULL, answer, server.metrics,
					 MHD_OPTION_LISTEN_SOCKET, fd,
					 MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
					 MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
					 MHD_OPTION_END);
	if (server.daemon)
		return true;
	close(fd);
	snprintf(message, size, "listen: '%s': the HTTP server does not start; tried again every %d s",
		 server.listen, RETRY_S);
	return false;
}

/* True if it is time to try again, false at the end */
static bool wait_to_retry(void)
{
	struct timespec deadline;
	bool stop;

	/* Not by the machine's clock: one that is set back would stop this for years. */
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += RETRY_S;
	pthread_mutex_lock(&server.lock);
	while (!server.stop)
		if (pthread_cond_clockwait(&server.changed, &server.lock,
					   CLOCK_MONOTONIC, &deadline))
			break;
	stop = server.stop;
	pthread_mutex_unlock(&server.lock);
	return !stop;
}

static void *serve_thread(void *unused)
{
	char message[512];
	bool failed = false;

	(void)unused;
	while (!serve(message, sizeof(message))) {
		/* Once, however often it is tried. */
		if (!failed)
			report_about("metrics", 3, message);
		failed = true;
		if (!wait_to_retry())
			return NULL;
	}
	if (failed) {
		snprintf(message, sizeof(message), "listens at %s now",
			 server.listen);
		report_about("metrics", 5, message);
	}
	return NULL;
}

void metrics_serve(struct metrics *metrics, const char *listen)
{
	int err;

	server.metrics = metrics;
	server.listen = listen;
	err = pthread_create(&server.thread, NULL, serve_thread, NULL);
	if (err)
		report_about("metrics", 3, strerror(err));
	server.started = !err;
}

bool metrics_serve_end(void)
{
	struct timespec deadline;

	if (!server.started)
		return true;
	pthread_mutex_lock(&server.lock);
	server.stop = true;
	pthread_cond_signal(&server.changed);
	pthread_mutex_unlock(&server.lock);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_nsec += END_MS * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	if (pthread_clockjoin_np(server.thread, NULL, CLOCK_MONOTONIC, &deadline))
		return false;
	if (server.daemon)
		MHD_stop_daemon(server.daemon);
	return true;
}
