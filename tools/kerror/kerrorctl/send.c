// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl send: has the kernel raise a test event, which takes the way of any
 * other. Nothing but the kernel can send on NETLINK_KERROR; so this writes to a
 * parameter of kernel/evlog.c.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kerrorctl.h"

#define PARAMETER "/sys/module/evlog/parameters/test"

static const char usage[] =
"Usage: kerrorctl send [NUMBER]\n"
"Have the kernel raise a test event, facility \"evlog\", with this number (default:\n"
"the process ID of this program).\n"
"\n"
"  -h, --help           this text\n"
"\n"
"Needs root.\n";

bool raise_test_event(uint32_t number, char *message, size_t size)
{
	int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	const char *remedy;
	char text[16];
	int length, error;

	length = snprintf(text, sizeof(text), "%" PRIu32 "\n", number);
	error = fd < 0 || write(fd, text, length) != length ? errno : 0;
	if (fd >= 0)
		close(fd);
	remedy = error == ENOENT ? "; this kernel needs CONFIG_EVLOG=y, or modprobe evlog" :
		 error == EACCES || error == EPERM ? "; run it as root" : "";
	if (error)
		snprintf(message, size, "cannot raise a test event: %s: %s%s",
			 PARAMETER, strerror(error), remedy);
	return !error;
}

int command_send(int argc, char **argv)
{
	static const struct option longs[] = { HELP_OPTION, LAST_OPTION };
	struct common common = { .usage = usage };
	uint32_t number = getpid();
	char message[256];

	next_option(&common, argc, argv, ":h", longs);
	if (optind < argc)
		number = parse_number("NUMBER", argv[optind++], 0, UINT32_MAX);
	no_arguments(argc, argv);
	if (!raise_test_event(number, message, sizeof(message)))
		errx(EXIT_FAILURE, "%s", message);
	return EXIT_SUCCESS;
}
