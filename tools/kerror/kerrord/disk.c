// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings the name of a disk into one form, for keys of rules: what the kernel calls
 * sda, 8:0 or, by its SCSI address, 0:0:0:0 in different messages is one disk. The form
 * is the name in /dev/disk/by-id, which is the same after a reboot, or else sda.
 *
 * The names are read out of udev's database, as kerrord sees no /dev/disk.
 * A disk that is gone keeps the form that it had.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kerrord.h"
#include "message.h"

#define NAME_MAX_BYTES	128
#define KNOWN		64		/* names that are remembered */
#define FRESH_NS	10000000000ULL	/* for so long they are not looked up again */

const char *disk_root = "";

static struct known {
	char name[NAME_MAX_BYTES], form[NAME_MAX_BYTES];
	uint64_t time;
} known[KNOWN];

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

/* "8:0", also with a letter before */
static bool is_number(const char *name, unsigned int *major, unsigned int *minor)
{
	int end = 0;

	return sscanf(name + (*name == 'b'), "%u:%u%n", major, minor, &end) == 2 &&
	       !name[(*name == 'b') + end];
}

static bool is_scsi(const char *name)
{
	unsigned int part;
	int end = 0;

	return sscanf(name, "%u:%u:%u:%u%n", &part, &part, &part, &part, &end) == 4 && !name[end];
}

/* The last part of where the link leads to */
static bool follow(const char *path, char *name)
{
	char target[512];
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	if (size <= 0)
		return false;
	target[size] = '\0';
	slash = strrchr(target, '/');
	return slash && (size_t)snprintf(name, NAME_MAX_BYTES, "%s", slash + 1) < NAME_MAX_BYTES;
}

static bool first_entry(const char *path, char *name)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder)))
		found = *entry->d_name != '.' &&
			(size_t)snprintf(name, NAME_MAX_BYTES, "%s", entry->d_name) < NAME_MAX_BYTES;
	if (folder)
		closedir(folder);
	return found;
}

/* The kernel's name of a block device, such as sda; false if there is none. */
static bool find_name(const char *text, char *name)
{
	unsigned int major, minor;
	char path[512];

	if (is_number(text, &major, &minor)) {
		snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u", disk_root, major, minor);
		return follow(path, name);
	}
	if (is_scsi(text)) {
		snprintf(path, sizeof(path), "%s/sys/class/scsi_device/%s/device/block",
			 disk_root, text);
		return first_entry(path, name);
	}
	snprintf(name, NAME_MAX_BYTES, "%s", text);
	return true;
}

/*
 * Stores the first by-id name that udev has for the disk, in the order of the alphabet,
 * or its own name. False: there is no such disk.
 */
static bool find_form(const char *name, char *form)
{
	static const char prefix[] = "S:disk/by-id/";
	char path[512], line[512];
	unsigned int major, minor;
	FILE *file;
	bool found;

	snprintf(path, sizeof(path), "%s/sys/class/block/%s/dev", disk_root, name);
	file = fopen(path, "re");
	found = file && fscanf(file, "%u:%u", &major, &minor) == 2;
	if (file)
		fclose(file);
	if (!found)
		return false;
	snprintf(path, sizeof(path), "%s/run/udev/data/b%u:%u", disk_root, major, minor);
	file = fopen(path, "re");
	snprintf(form, NAME_MAX_BYTES, "%s", name);
	found = false;
	while (file && fgets(line, sizeof(line), file)) {
		const char *id = line + strlen(prefix);

		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, prefix, strlen(prefix)) && *id &&
		    strlen(id) < NAME_MAX_BYTES && (!found || strcmp(id, form) < 0)) {
			strcpy(form, id);
			found = true;
		}
	}
	if (file)
		fclose(file);
	return true;
}

/* With the lock held: where it is remembered, or what makes way for it */
static struct known *find_known(const char *name)
{
	struct known *oldest = known;

	for (size_t i = 0; i < KNOWN; i++) {
		if (!strcmp(known[i].name, name))
			return &known[i];
		if (known[i].time < oldest->time)
			oldest = &known[i];
	}
	oldest->time = 0;
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	snprintf(oldest->form, sizeof(oldest->form), "%s", name);
	return oldest;
}

void disk_form(struct buffer *buffer, const char *text, size_t size)
{
	char given[NAME_MAX_BYTES], name[NAME_MAX_BYTES], form[NAME_MAX_BYTES];
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	struct known *its;

	if (size > 5 && !strncmp(text, "/dev/", 5)) {
		text += 5;
		size -= 5;
	}
	/* No file is asked for that has another place. */
	if (!size || size >= NAME_MAX_BYTES || memchr(text, 0, size) || memchr(text, '/', size) ||
	    *text == '.') {
		buffer_printable(buffer, text, size);
		return;
	}
	memcpy(given, text, size);
	given[size] = '\0';
	pthread_mutex_lock(&known_lock);
	its = find_known(given);
	if (!its->time || now - its->time > FRESH_NS) {
		if (find_name(given, name) && find_form(name, form))
			strcpy(its->form, form);
		its->time = now;
	}
	buffer_printable(buffer, its->form, strlen(its->form));
	pthread_mutex_unlock(&known_lock);
}
