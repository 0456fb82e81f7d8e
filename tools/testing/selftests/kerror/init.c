// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the guest: prepares it, runs the script that the boot parameter
 * guest= names (/guest/NAME.sh) and reboots, which ends a guest that was
 * started with -no-reboot.
 *
 * Promise: the last line is GUEST-PASSED only if the script ended with status
 * 0, the guest has as many CPUs as cpus= says, and the kernel log shows no
 * complaint of the kernel about itself. So a hang or a panic cannot pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Does not return. */
static void finish(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
	sync();
	/* The line must be through the serial port. */
	usleep(100000);
	reboot(RB_AUTOBOOT);
	exit(1);
}

static void mount_on(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL))
		finish("GUEST-FAILED: mount %s: %s\n", type, strerror(errno));
}

/* Prints what looks like a complaint; returns whether there is any. */
static bool kernel_complains(void)
{
	static const char *const signs[] = {
		"BUG:", "WARNING:", "Oops", "INFO: task", "INFO: rcu", "UBSAN:",
		"KASAN:", "KCSAN:", "kmemleak:", "possible recursive",
		"Call Trace", "stack-protector",
	};
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	bool backtrace_wanted = false, found = false;
	char record[8192];
	ssize_t size;
	size_t i;

	if (fd < 0)
		finish("GUEST-FAILED: /dev/kmsg: %s\n", strerror(errno));
	while ((size = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (size < 0 && errno == EPIPE)) {
		record[size > 0 ? size : 0] = '\0';
		/* What SysRq-l shows is no complaint. */
		if (strstr(record, "sysrq: Show backtrace"))
			backtrace_wanted = true;
		for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
			if (!strstr(record, signs[i]) ||
			    (backtrace_wanted && !strcmp(signs[i], "Call Trace")))
				continue;
			printf("kernel log: %s", record);
			found = true;
			break;
		}
	}
	close(fd);
	return found;
}

int main(void)
{
	char path[128];
	const char *name = getenv("guest"), *cpus = getenv("cpus");
	int status = -1;
	pid_t pid;

	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	mount_on("devtmpfs", "/dev");
	mount_on("tmpfs", "/tmp");
	setenv("PATH", "/bin:/sbin", 1);
	setenv("HOME", "/", 1);
	/* The kernel opened the console before /dev was there, or could not. */
	if (open("/dev/console", O_RDWR) >= 0) {
		dup2(3, 0);
		dup2(3, 1);
		dup2(3, 2);
		close(3);
	}
	if (cpus && atol(cpus) != sysconf(_SC_NPROCESSORS_ONLN))
		finish("GUEST-FAILED: %ld CPUs instead of %s\n",
		       sysconf(_SC_NPROCESSORS_ONLN), cpus);
	if (!name || strchr(name, '/'))
		finish("GUEST-FAILED: no boot parameter guest=\n");
	snprintf(path, sizeof(path), "/guest/%s.sh", name);
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", path, NULL);
		_exit(127);
	}
	/* PID 1 inherits orphans. */
	while (waitpid(-1, &status, 0) != pid)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		finish("GUEST-FAILED: %s ended with status %d\n", path,
		       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	if (kernel_complains())
		finish("GUEST-FAILED: the kernel complained\n");
	finish("GUEST-PASSED\n");
}
