// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a kernel has no NETLINK_KERROR, for listen_failure(): the modules are not
 * there, not for this kernel, not loaded, or the kernel may refuse them. It reads
 * what modprobe reads, and what the kernel says of its demand for signatures; it
 * loads nothing.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "output.h"

/* Tests have another one. */
const char *facility_root = "";

static FILE *open_file(const char *format, const char *argument)
{
	char path[512], name[384];

	snprintf(name, sizeof(name), format, argument);
	snprintf(path, sizeof(path), "%s%s", facility_root, name);
	return fopen(path, "re");
}

/* Does modules.dep of this release list evlog.ko, compressed or not? */
static bool is_installed(const char *release)
{
	FILE *file = open_file("/lib/modules/%s/modules.dep", release);
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

/* Copies the first other release that has the module. */
static bool find_other(char *other, size_t size)
{
	char pattern[512];
	bool found = false;
	glob_t folders;

	snprintf(pattern, sizeof(pattern), "%s/lib/modules/*", facility_root);
	if (glob(pattern, 0, NULL, &folders))
		return false;
	for (size_t i = 0; !found && i < folders.gl_pathc; i++) {
		snprintf(other, size, "%s", strrchr(folders.gl_pathv[i], '/') + 1);
		found = is_installed(other);
	}
	globfree(&folders);
	return found;
}

static bool file_has(const char *path, size_t offset, const char *text)
{
	FILE *file = open_file("%s", path);
	char start[128] = "";
	size_t size;

	if (!file)
		return false;
	size = fread(start, 1, sizeof(start) - 1, file);
	fclose(file);
	return size > offset && strstr(start + offset, text);
}

/* What has this kernel load only modules with a key that it knows, or NULL */
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
	char other[128];

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
	else if (find_other(other, sizeof(other)))
		snprintf(message, sizeof(message),
			 "evlog.ko is installed for another kernel, %s; run: apt install linux-headers-%s && modprobe evlog",
			 other, name.release);
	else
		snprintf(message, sizeof(message),
			 "this kernel has no NETLINK_KERROR; it needs CONFIG_KERROR=y and CONFIG_EVLOG=y, or the package kerror-dkms");
	return message;
}
