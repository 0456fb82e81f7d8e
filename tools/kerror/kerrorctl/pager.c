// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pager for what may be longer than the terminal, as journalctl has one: of
 * KERROR_PAGER or PAGER, else less. Only if the output is a terminal. The program ends
 * when the pager has, and with success if somebody has read enough.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kerrorctl.h"

static pid_t pager;

/* Colours; a single screen is no reason to wait; lines are cut; ^C ends it */
#define LESS_OPTIONS "FRSXMK"

static void wait_for_end(void)
{
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
}

static void wait_for_pager(void)
{
	fflush(stdout);
	close(STDOUT_FILENO);
	wait_for_end();
}

/* After SIGPIPE, and after ^C, which the pager gets, too, and may stay for */
static void pager_was_left(int number)
{
	close(STDOUT_FILENO);
	wait_for_end();
	_exit(number == SIGINT ? 128 + SIGINT : EXIT_SUCCESS);
}

static const char *choose_pager(void)
{
	const char *const names[] = { getenv("KERROR_PAGER"), getenv("PAGER") };

	for (int i = 0; i < 2; i++)
		if (names[i])
			return names[i];
	return "command -v less >/dev/null && exec less; exec cat";
}

static _Noreturn void run_pager(const char *command, const int *ends)
{
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	setenv("LESS", LESS_OPTIONS, 0);
	setenv("LESSCHARSET", "utf-8", 0);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(EXIT_FAILURE);
}

bool begin_pager(const struct common *common)
{
	const char *command = choose_pager();
	int ends[2];

	if (common->no_pager || !isatty(STDOUT_FILENO) || !*command ||
	    !strcmp(command, "cat"))
		return false;
	/* Text that was printed until now is not printed by both. */
	fflush(stdout);
	if (pipe(ends))
		return false;
	pager = fork();
	if (!pager)
		run_pager(command, ends);
	close(ends[0]);
	if (pager < 0) {
		pager = 0;
		close(ends[1]);
		return false;
	}
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	signal(SIGPIPE, pager_was_left);
	signal(SIGINT, pager_was_left);
	atexit(wait_for_pager);
	return true;
}
