// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the guest: prepares it, runs the script that the boot parameter
 * guest= names (/guest/NAME.sh) and reboots, which ends a guest that was
 * started with -no-reboot, or powers off if there is a boot parameter off=.
 * Works on any Linux from 2.6.0 on.
 *
 * Promise: the last line is GUEST-PASSED only if the script ended with status
 * 0, the guest has as many CPUs as cpus= says, and the kernel log shows no
 * complaint of the kernel about itself, unless a boot parameter faults= says that
 * the script is there to cause some. So a hang or a panic cannot pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
	/* User Mode Linux would begin again. */
	reboot(getenv("off") ? RB_POWER_OFF : RB_AUTOBOOT);
	exit(1);
}

static void mount_on(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL))
		finish("GUEST-FAILED: mount %s: %s\n", type, strerror(errno));
}

/* ramfs is in every kernel. */
static void mount_memory_on(const char *where)
{
	mkdir(where, 0755);
	if (mount("tmpfs", where, "tmpfs", 0, NULL))
		mount_on("ramfs", where);
}

/* devtmpfs is there from 2.6.32 on, if it was configured. */
static void make_devices(void)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} devices[] = {
		{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "kmsg", 1, 11 },
		{ "ttyS0", 4, 64 }, { "tty", 5, 0 }, { "console", 5, 1 },
	};
	char path[32];
	size_t i;

	mkdir("/dev", 0755);
	if (!mount("devtmpfs", "/dev", "devtmpfs", 0, NULL))
		return;
	mount_memory_on("/dev");
	for (i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
		if (mknod(path, S_IFCHR | 0600,
			  makedev(devices[i].major, devices[i].minor)))
			finish("GUEST-FAILED: %s: %s\n", path, strerror(errno));
	}
}

/* The kernel opened the console before /dev was there, or could not. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

/*
 * Online CPUs. The affinity mask, from which musl counts, may have those that
 * are merely possible on an old kernel.
 */
static long count_cpus(void)
{
	FILE *file = fopen("/proc/stat", "r");
	char line[4096];
	long cpus = 0;

	if (!file)
		finish("GUEST-FAILED: /proc/stat: %s\n", strerror(errno));
	while (fgets(line, sizeof(line), file))
		cpus += !strncmp(line, "cpu", 3) && line[3] >= '0' &&
			line[3] <= '9';
	fclose(file);
	return cpus;
}

struct log_check {
	bool backtrace;
	bool backtrace_wanted;
	bool found;
};

/* Prints a line of the kernel log if it looks like a complaint. */
static void check_line(struct log_check *check, const char *line)
{
	static const char *const signs[] = {
		"BUG:", "WARNING:", "Oops", "INFO: task", "INFO: rcu", "UBSAN:",
		"KASAN:", "KCSAN:", "suspected memory leak",
		"leak detector disabled", "possible recursive",
		"stack-protector",
		/* as kernels of old put it */
		"Badness in", "kernel BUG", "Unable to handle kernel",
		"general protection fault", "scheduling while atomic",
		"sleeping function called", "Debug: sleeping",
		"possible circular", "inconsistent lock state",
		"Slab corruption", "slab error", "Bad page state",
	};
	size_t i;

	/* What SysRq-l, -t and -p show is no complaint; the title may be gone. */
	if (strstr(line, "Show backtrace") ||
	    strstr(line, "NMI backtrace for cpu") ||
	    strstr(line, "SysRq : Show State") ||
	    strstr(line, "SysRq : Show Regs"))
		check->backtrace_wanted = true;
	else if (strstr(line, "Call Trace"))
		check->backtrace = true;
	/*
	 * Nor is what an old kernel says of QEMU's clocks. Where it could not
	 * measure the TSC it warns, with a trace, when it sets up a CPU.
	 */
	if (strstr(line, "WARNING:") && strstr(line, "setup_local_APIC+")) {
		check->backtrace_wanted = true;
		return;
	}
	if (strstr(line, "BIOS BUG:"))
		return;
	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (!strstr(line, signs[i]))
			continue;
		printf("kernel log: %s\n", line);
		check->found = true;
		return;
	}
}

/* Checks record by record; false if this kernel's log cannot be read so. */
static bool check_records(struct log_check *check)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	char record[8192];
	bool readable;
	ssize_t size;

	if (fd < 0)
		finish("GUEST-FAILED: /dev/kmsg: %s\n", strerror(errno));
	while ((size = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (size < 0 && errno == EPIPE)) {
		if (size < 0)
			continue;
		record[size - (record[size - 1] == '\n')] = '\0';
		check_line(check, record);
	}
	/* Until 3.5 it could only be written to. */
	readable = !size || errno != EINVAL;
	close(fd);
	return readable;
}

#define SYSLOG_READ_ALL		3
#define SYSLOG_CONSOLE_LEVEL	8
/* More than any of these kernels is configured for */
#define SYSLOG_SIZE		0x100000

static void check_whole_log(struct log_check *check)
{
	char *log = malloc(SYSLOG_SIZE), *line, *rest;
	int size = log ? klogctl(SYSLOG_READ_ALL, log, SYSLOG_SIZE - 1) : -1;

	if (size < 0)
		finish("GUEST-FAILED: syslog: %s\n", strerror(errno));
	log[size] = '\0';
	for (line = strtok_r(log, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		check_line(check, line);
	free(log);
}

/* Returns whether there is any complaint. */
static bool kernel_complains(void)
{
	struct log_check check = { 0 };

	if (!check_records(&check))
		check_whole_log(&check);
	if (check.backtrace && !check.backtrace_wanted) {
		printf("kernel log: a Call Trace that nobody asked for\n");
		check.found = true;
	}
	return check.found;
}

int main(void)
{
	char path[128];
	const char *name = getenv("guest"), *cpus = getenv("cpus");
	const char *loglevel = getenv("loglevel");
	int status = -1;
	pid_t pid;

	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	make_devices();
	mount_memory_on("/tmp");
	setenv("PATH", "/bin:/sbin", 1);
	setenv("HOME", "/", 1);
	open_console();
	/* A kernel that does not know this parameter gives it to PID 1. */
	if (loglevel)
		klogctl(SYSLOG_CONSOLE_LEVEL, NULL, atoi(loglevel));
	if (cpus && atol(cpus) != count_cpus())
		finish("GUEST-FAILED: %ld CPUs instead of %s\n", count_cpus(),
		       cpus);
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
	if (!getenv("faults") && kernel_complains())
		finish("GUEST-FAILED: the kernel complained\n");
	finish("GUEST-PASSED\n");
}
