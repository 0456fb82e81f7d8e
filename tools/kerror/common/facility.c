// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a kernel has no NETLINK_KERROR, for listen_failure(): the modules are not
 * there, not built for this kernel, not loaded, or the kernel may refuse them. It
 * reads what DKMS and modprobe read, and what the kernel says of its demand for
 * signatures; it loads nothing.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "output.h"

const char *facility_root = "";

static const char *path_of(char *path, size_t size, const char *format,
			   const char *argument)
{
	char name[384];

	snprintf(name, sizeof(name), format, argument);
	snprintf(path, size, "%s%s", facility_root, name);
	return path;
}

/* Does modules.dep of this release list evlog.ko, compressed or not? */
static bool is_installed(const char *release)
{
	char path[512];
	FILE *file = fopen(path_of(path, sizeof(path),
				   "/lib/modules/%s/modules.dep", release), "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0) {
		const char *name;

		line[strcspn(line, ":")] = '\0';
		name = strrchr(line, '/');
		name = name ? name + 1 : line;
		found = !strncmp(name, "evlog.ko", strlen("evlog.ko"));
	}
	free(line);
	fclose(file);
	return found;
}

static bool exists(const char *format, const char *argument)
{
	char pattern[512];
	glob_t files;

	if (glob(path_of(pattern, sizeof(pattern), format, argument), 0, NULL, &files))
		return false;
	globfree(&files);
	return true;
}

static bool file_has(const char *name, size_t offset, const char *text)
{
	char path[512];
	FILE *file = fopen(path_of(path, sizeof(path), "%s", name), "re");
	char start[128] = "";
	size_t size;

	if (!file)
		return false;
	size = fread(start, 1, sizeof(start) - 1, file);
	fclose(file);
	return size > offset && strstr(start + offset, text);
}

/* The reason for which this kernel loads only modules with a key that it knows, or NULL */
static const char *signature_demand(void)
{
	/* Four bytes of attributes come first. */
	bool secure = file_has("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			       4, "\1");

	if (file_has("/sys/kernel/security/lockdown", 0, "[integrity]") ||
	    file_has("/sys/kernel/security/lockdown", 0, "[confidentiality]"))
		return secure ? "Secure Boot" : "its lockdown";
	return file_has("/sys/module/module/parameters/sig_enforce", 0, "Y") ?
	       "module.sig_enforce" : NULL;
}

const char *facility_missing(void)
{
	static char message[512];
	struct utsname name;
	const char *demand;

	if (uname(&name))
		return "this kernel has no NETLINK_KERROR";
	demand = signature_demand();
	if (is_installed(name.release) && demand)
		snprintf(message, sizeof(message),
			 "evlog.ko is installed, not loaded, and %s demands a known key; run: mokutil --import /var/lib/dkms/mok.pub, reboot, enrol that key of DKMS when asked, modprobe evlog",
			 demand);
	else if (is_installed(name.release))
		snprintf(message, sizeof(message),
			 "evlog.ko is installed, but not loaded; run: modprobe evlog");
	else if (!exists("/usr/src/kerror-%s/dkms.conf", "*"))
		snprintf(message, sizeof(message),
			 "this kernel has no NETLINK_KERROR; it needs CONFIG_KERROR=y and CONFIG_EVLOG=y, or the package kerror-dkms");
	else if (!exists("/lib/modules/%s/build/include", name.release))
		snprintf(message, sizeof(message),
			 "evlog.ko is not built for this kernel, whose headers are missing; run: apt install linux-headers-%s && modprobe evlog",
			 name.release);
	else
		snprintf(message, sizeof(message),
			 "evlog.ko is not built for this kernel; run: dkms autoinstall && modprobe evlog");
	return message;
}
