// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrord --run-rule: runs the command of one rule for a kerrord that is in a
 * sandbox. systemd starts it for a connection, which is standard input; see
 * rule_command.c for the request.
 *
 * The request names the rule; the command comes out of the configuration. A
 * subverted kerrord can thus run nothing but what the administrator has chosen.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "rule.h"

/* Room for VARIABLES of the largest size would be 8 MiB; an event has 64 KiB. */
#define REQUEST_SIZE	(1 << 20)
#define REQUEST_S	10

static const char path_variable[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Mailers look for their configuration there. */
static const char *const kept_variables[] = { "HOME=", "LOGNAME=", "USER=", "LANG=" };

/* All until the other side has sent everything; its size, or 0 with a reason */
static size_t read_request(char *request, const char **reason)
{
	static const struct timeval patience = { .tv_sec = REQUEST_S };
	size_t size = 0;
	ssize_t part;

	setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	do {
		part = recv(STDIN_FILENO, request + size, REQUEST_SIZE - size, 0);
		if (part < 0) {
			*reason = strerror(errno);
			return 0;
		}
		size += part;
	} while (part && size < REQUEST_SIZE);
	if (size < REQUEST_SIZE && size && !request[size - 1])
		return size;
	*reason = size < REQUEST_SIZE ? "it is cut" : "it is too long";
	return 0;
}

static size_t keep_variables(char **variables)
{
	size_t count = 0;

	variables[count++] = (char *)path_variable;
	for (size_t i = 0; i < sizeof(kept_variables) / sizeof(*kept_variables); i++)
		for (char **at = environ; *at; at++)
			if (!strncmp(*at, kept_variables[i],
				     strlen(kept_variables[i])))
				variables[count++] = *at;
	return count;
}

/* The first string from @at on that lies before @end, and moves behind it */
static char *next_string(char **at, const char *end)
{
	char *string = *at;

	if (string >= end)
		return NULL;
	*at += strlen(string) + 1;
	return string;
}

static bool run_request(const char *config, char *request, size_t size,
			uint64_t *timeout, char *message, size_t message_size)
{
	static const atomic_ullong never;
	char *variables[VARIABLES + 8], *at = request, *text;
	const char *end = request + size, *name;
	const struct sink_settings *rule;
	struct settings settings;
	size_t count = keep_variables(variables);
	bool good;

	text = next_string(&at, end);
	name = next_string(&at, end);
	if (strcmp(text, RULE_REQUEST) || !name) {
		snprintf(message, message_size,
			 "its unit is of another version; restart kerrord");
		return false;
	}
	while ((text = next_string(&at, end)) && count < VARIABLES + 7)
		if (!strncmp(text, "KERROR_", 7))
			variables[count++] = text;
	variables[count] = NULL;
	rule = config_read_rule(&settings, config, name);
	if (!rule) {
		snprintf(message, message_size,
			 "%s has no [%.64s] with a command; reload kerrord, or name the file in kerror-rules@.service",
			 config, name);
		config_free(&settings);
		return false;
	}
	*timeout = rule->timeout;
	good = command_run_directly(rule->command, variables, rule->timeout,
				    &never, message, message_size);
	config_free(&settings);
	return good;
}

/*
 * A mail program may end before its mailer, which the end of this program, and
 * with it of the unit, would kill.
 */
static void wait_for_descendants(uint64_t seconds)
{
	static const struct timespec moment = { .tv_nsec = 20000000 };
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) + seconds * 1000000000;

	while (waitpid(-1, NULL, WNOHANG) >= 0 &&
	       now_ns(CLOCK_MONOTONIC) < deadline)
		nanosleep(&moment, NULL);
}

int run_rule(const char *config)
{
	char *request = malloc(REQUEST_SIZE), message[256] = RULE_SUCCESS;
	const char *reason = "out of memory";
	uint64_t timeout = 0;
	size_t size;

	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	size = request ? read_request(request, &reason) : 0;
	if (!size)
		snprintf(message, sizeof(message), "its unit got no request: %s",
			 reason);
	else
		run_request(config, request, size, &timeout, message,
			    sizeof(message));
	if (send(STDIN_FILENO, message, strlen(message), MSG_NOSIGNAL) < 0 ||
	    send(STDIN_FILENO, "\n", 1, MSG_NOSIGNAL) < 0) {
		fprintf(stderr, "kerrord --run-rule: standard input: %s; it is for kerror-rules@.service\n",
			strerror(errno));
		free(request);
		return EXIT_FAILURE;
	}
	shutdown(STDIN_FILENO, SHUT_RDWR);
	wait_for_descendants(timeout);
	free(request);
	return EXIT_SUCCESS;
}
