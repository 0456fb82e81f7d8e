// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the command of a rule once. Two ways:
 *
 * By a unit of its own: kerrord connects to a socket of systemd, which starts
 * kerrord --run-rule for the connection. That program is outside of kerrord's
 * sandbox, so that mailers with a set-group-id bit work, and takes the command
 * out of the configuration, so that a subverted kerrord can run no other.
 *
 * Directly, where there is no such socket: without systemd.
 *
 * A request is strings that end with NUL: RULE_REQUEST, the name of the section,
 * and variables. The answer is RULE_SUCCESS or a line that says what failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "rule.h"

/* Time that the unit may take beyond the timeout of the command, to start and to kill */
#define UNIT_S 10

/* Between two looks at the end of kerrord */
#define LOOK_MS 100

/* ---- Directly ---- */

/* Splits @command in place. */
static void split(char *command, char **arguments)
{
	size_t count = 0;
	char *word;

	while ((word = strsep(&command, " \t")))
		if (*word && count < ARGUMENTS)
			arguments[count++] = word;
	arguments[count] = NULL;
}

/* A process group of its own, so that what it starts can be killed with it */
static int start(char *const *arguments, char *const *variables, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, ignored;
	int err;

	sigemptyset(&none);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	/* Its output is not to get among events. */
	posix_spawn_file_actions_adddup2(&files, commands_output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, commands_output, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &ignored);
	err = posix_spawnp(pid, arguments[0], &files, &attributes, arguments,
			   variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

static bool is_over(uint64_t deadline)
{
	return deadline && now_ns(CLOCK_MONOTONIC) >= deadline;
}

/* Waits, and kills it if it takes too long; true if it succeeded. */
static bool wait_for(pid_t pid, uint64_t timeout, const atomic_ullong *stop,
		     char *message, size_t size)
{
	static const struct timespec moment = { .tv_nsec = 5000000 };
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) + timeout * 1000000000;
	bool late = false, ended = false;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		ended = ended || (!late && is_over(*stop));
		late = late || is_over(deadline);
		if (late || ended)
			kill(-pid, SIGKILL);
		nanosleep(&moment, NULL);
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	if (ended)
		snprintf(message, size, "kerrord ends; its command was killed");
	else if (late)
		snprintf(message, size,
			 "its command ran longer than %" PRIu64 " s and was killed",
			 timeout);
	else if (WIFSIGNALED(status))
		snprintf(message, size, "its command was killed by signal %d",
			 WTERMSIG(status));
	else
		snprintf(message, size, "its command ended with status %d",
			 WEXITSTATUS(status));
	return false;
}

bool command_run_directly(const char *command, char *const *variables,
			  uint64_t timeout, const atomic_ullong *stop,
			  char *message, size_t size)
{
	char *arguments[ARGUMENTS + 1], *words = strdup(command);
	bool good = false;
	pid_t pid;
	int err;

	if (!words) {
		snprintf(message, size, "out of memory");
		return false;
	}
	split(words, arguments);
	err = arguments[0] ? start(arguments, variables, &pid) : EINVAL;
	if (err)
		snprintf(message, size, "cannot run %.128s: %s", command,
			 strerror(err));
	else
		good = wait_for(pid, timeout, stop, message, size);
	free(words);
	return good;
}

/* ---- By the unit ---- */

static bool send_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t part = send(fd, text, size, MSG_NOSIGNAL);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return false;
		text += part;
		size -= part;
	}
	return true;
}

static bool send_request(int fd, const char *name, char *const *variables)
{
	if (!send_all(fd, RULE_REQUEST, sizeof(RULE_REQUEST)) ||
	    !send_all(fd, name, strlen(name) + 1))
		return false;
	for (size_t i = 0; variables[i]; i++)
		if (!send_all(fd, variables[i], strlen(variables[i]) + 1))
			return false;
	return !shutdown(fd, SHUT_WR);
}

/* True if there was a whole answer, without its newline in @answer */
static bool receive_answer(int fd, uint64_t deadline, const atomic_ullong *stop,
			   char *answer, size_t size)
{
	size_t length = 0;

	while (length + 1 < size && !is_over(deadline) && !is_over(*stop)) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t part;

		if (poll(&ready, 1, LOOK_MS) <= 0)
			continue;
		part = recv(fd, answer + length, size - 1 - length, 0);
		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return false;
		length += part;
		answer[length] = '\0';
		if (answer[length - 1] == '\n') {
			answer[length - 1] = '\0';
			return true;
		}
	}
	return false;
}

static bool run_by_unit(struct rule *rule, int fd, char *const *variables,
			char *message, size_t size)
{
	const struct sink_settings *settings = rule->sink->settings;
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) +
			    (settings->timeout + UNIT_S) * 1000000000;
	static const struct timeval patience = { .tv_sec = UNIT_S };
	bool good = false;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!send_request(fd, settings->name, variables) ||
	    !receive_answer(fd, deadline, &rule->stop, message, size))
		snprintf(message, size, "%s",
			 is_over(rule->stop) ? "kerrord ends before its command" :
			 "the unit that runs it gave no answer; see journalctl -u 'kerror-rules*'");
	else
		good = !strcmp(message, RULE_SUCCESS);
	close(fd);
	return good;
}

static int connect_to_unit(const struct rule *rule)
{
	const char *runner = rule->sink->settings->runner;

	return runner ? connect_unix(runner, SOCK_STREAM) : -ENOENT;
}

bool command_is_direct(const struct rule *rule)
{
	const char *runner = rule->sink->settings->runner;

	return !runner || (access(runner, F_OK) && errno == ENOENT);
}

bool command_run(struct rule *rule, const struct firing *firing, char *message,
		 size_t size)
{
	const struct sink_settings *settings = rule->sink->settings;
	char more[64], *variables[VARIABLES + 2];
	int fd = connect_to_unit(rule);
	size_t count;

	for (count = 0; firing->variables[count]; count++)
		variables[count] = firing->variables[count];
	snprintf(more, sizeof(more), "KERROR_MORE=%" PRIu64, firing->told);
	variables[count++] = more;
	variables[count] = NULL;
	if (fd >= 0)
		return run_by_unit(rule, fd, variables, message, size);
	if (fd == -ENOENT)
		return command_run_directly(settings->command, variables,
					    settings->timeout, &rule->stop,
					    message, size);
	snprintf(message, size, "%s: %s; is kerror-rules.socket active?",
		 settings->runner, strerror(-fd));
	return false;
}
