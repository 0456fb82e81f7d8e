// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity of this machine, as the origin of its events: kerrord gives it to each event that
 * it receives, kerrorctl watch likewise. A part that cannot be read is left out.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "output.h"

#define LIVEPATCHES "/sys/kernel/livepatch/"

/* The first line of a file below the root; false if there is none. */
static bool read_line(const char *path, char *line, size_t size)
{
	char whole[512];
	ssize_t length;
	int fd;

	snprintf(whole, sizeof(whole), "%s%s", facility_root, path);
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, line, size - 1);
	close(fd);
	line[length < 0 ? 0 : length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return *line;
}

static bool set(struct kerror_origin *origin, const char *name, const char *value)
{
	return !*value || !kerror_origin_set(origin, name, value);
}

/* The names of those that are enabled, in order, parted by blanks */
static bool set_livepatches(struct kerror_origin *origin)
{
	char pattern[512], names[512] = "", enabled[8];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s" LIVEPATCHES "*", facility_root);
	if (glob(pattern, 0, NULL, &found))
		return true;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;
		char path[sizeof(pattern)];
		size_t length = strlen(names);

		snprintf(path, sizeof(path), LIVEPATCHES "%s/enabled", name);
		if (!read_line(path, enabled, sizeof(enabled)) || strcmp(enabled, "1"))
			continue;
		snprintf(names + length, sizeof(names) - length, "%s%s",
			 length ? " " : "", name);
	}
	globfree(&found);
	return set(origin, "livepatch", names);
}

struct kerror_origin *identity_read(uint64_t instance)
{
	struct kerror_origin *origin = kerror_origin_new();
	char line[128];
	struct utsname name;
	bool good = origin;

	if (good && read_line("/etc/machine-id", line, sizeof(line)))
		good = set(origin, "machine", line);
	if (good && read_line("/proc/sys/kernel/random/boot_id", line, sizeof(line)))
		good = set(origin, "boot_id", line);
	snprintf(line, sizeof(line), "%llu", (unsigned long long)instance);
	if (good && instance)
		good = set(origin, "instance", line);
	if (good && !uname(&name))
		good = set(origin, "host", name.nodename) &&
		       set(origin, "release", name.release) &&
		       set(origin, "version", name.version) &&
		       set(origin, "arch", name.machine);
	if (good && set_livepatches(origin))
		return origin;
	kerror_origin_release(origin);
	return NULL;
}
