// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads catalogues of explanations with inih. See explanations.h.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ini.h>
#include "explanations.h"
#include "kerror_paths.h"

#define SHIPPED_FOLDER	KERROR_DATADIR "/explain.d"

const char *const explanation_keys[EXPLANATION_KEYS] = {
	"format", "text", "action",
};

/* By id; @file tells whose it is. */
struct entry {
	struct explanation explanation;
	unsigned int file;
};

struct explanations {
	struct entry *entries;
	size_t size, room;
	unsigned int files;
};

static void *must_have(void *memory)
{
	if (!memory)
		errx(EXIT_FAILURE, "out of memory");
	return memory;
}

/* Index of the first entry whose id is not below @id */
static size_t place_of(const struct explanations *explanations, uint32_t id)
{
	size_t low = 0, high = explanations->size;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (explanations->entries[middle].explanation.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find_or_add(struct explanations *explanations, uint32_t id)
{
	size_t at = place_of(explanations, id);
	struct entry *entry;

	if (at < explanations->size && explanations->entries[at].explanation.id == id)
		return &explanations->entries[at];
	if (explanations->size == explanations->room) {
		explanations->room = 2 * explanations->room + 16;
		explanations->entries =
			must_have(reallocarray(explanations->entries, explanations->room,
					       sizeof(*explanations->entries)));
	}
	entry = &explanations->entries[at];
	memmove(entry + 1, entry, (explanations->size++ - at) * sizeof(*entry));
	*entry = (struct entry) {
		.explanation = { .id = id, .severity = -1 },
		.file = explanations->files,
	};
	return entry;
}

/* inih calls this for each value; lines that continue one come as the same key. */
static int take_value(void *context, const char *section, const char *name,
		      const char *value)
{
	struct explanations *explanations = context;
	struct entry *entry;
	int severity;

	if (strlen(section) != 8 || strspn(section, "0123456789abcdefABCDEF") != 8)
		return 0;
	entry = find_or_add(explanations, strtoul(section, NULL, 16));
	if (entry->file != explanations->files)
		return 1;
	if (!strcmp(name, "severity")) {
		severity = kerror_severity_number(value);
		if (severity < 0)
			return 0;
		entry->explanation.severity = severity;
	}
	for (int i = 0; i < EXPLANATION_KEYS; i++) {
		char *before = entry->explanation.value[i], *all;

		if (strcmp(name, explanation_keys[i]))
			continue;
		if (asprintf(&all, "%s%s%s", before ? before : "",
			     before ? " " : "", value) < 0)
			must_have(NULL);
		free(before);
		entry->explanation.value[i] = all;
	}
	return 1;
}

/* Returns false if the file cannot be read; a wrong line is only warned about. */
static bool read_file(struct explanations *explanations, const char *path)
{
	struct stat status;
	int line;

	/* inih takes one for an empty file. */
	if (!stat(path, &status) && S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return false;
	}
	explanations->files++;
	line = ini_parse(path, take_value, explanations);
	if (line < 0)
		return false;
	if (line)
		warnx("%s, line %d: not [EVENT-ID], not KEY = VALUE, not a severity from emerg to debug, or above 198 bytes",
		      path, line);
	return true;
}

static void read_folder(struct explanations *explanations, const char *folder)
{
	DIR *directory = opendir(folder);
	glob_t files = { 0 };
	char pattern[512];

	if (directory)
		closedir(directory);
	else if (errno != ENOENT)
		warn("cannot read the folder %s", folder);
	snprintf(pattern, sizeof(pattern), "%s/*.ini", folder);
	glob(pattern, 0, NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		struct stat status;

		/* Nobody may ever write to it. */
		if (!stat(path, &status) && S_ISFIFO(status.st_mode))
			warnx("%s is a named pipe; put a file in its place", path);
		else if (!read_file(explanations, path))
			warn("cannot read %s", path);
	}
	globfree(&files);
}

struct explanations *explanations_read(const char *folder)
{
	struct explanations *explanations = must_have(calloc(1, sizeof(*explanations)));

	read_folder(explanations, folder);
	read_folder(explanations, SHIPPED_FOLDER);
	return explanations;
}

struct explanations *explanations_read_file(const char *path)
{
	struct explanations *explanations = must_have(calloc(1, sizeof(*explanations)));
	int error;

	if (read_file(explanations, path))
		return explanations;
	error = errno;
	explanations_free(explanations);
	errno = error;
	return NULL;
}

void explanations_free(struct explanations *explanations)
{
	if (!explanations)
		return;
	for (size_t i = 0; i < explanations->size; i++)
		for (int key = 0; key < EXPLANATION_KEYS; key++)
			free(explanations->entries[i].explanation.value[key]);
	free(explanations->entries);
	free(explanations);
}

const struct explanation *explanations_find(const struct explanations *explanations,
					    uint32_t id)
{
	size_t at = place_of(explanations, id);

	return at < explanations->size && explanations->entries[at].explanation.id == id ?
	       &explanations->entries[at].explanation : NULL;
}

void explanations_each_severity(const struct explanations *explanations,
				void (*found)(void *context,
					      const struct explanation *explanation),
				void *context)
{
	for (size_t i = 0; i < explanations->size; i++)
		if (explanations->entries[i].explanation.severity >= 0)
			found(context, &explanations->entries[i].explanation);
}

int explanations_severity(const struct explanations *explanations,
			  const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const struct explanation *found = NULL;

	if (header && header->format == EVL_FORMAT_PRINTF)
		found = explanations_find(explanations, header->event_id);
	return found ? found->severity : -1;
}

struct kerror_event *explanations_copy(const struct explanations *explanations,
				       const struct kerror_event *event)
{
	int severity = explanations ? explanations_severity(explanations, event) : -1;
	struct kerror_event *copy = kerror_event_copy(event);

	if (copy && severity >= 0)
		kerror_event_set_severity(copy, severity);
	return copy;
}
