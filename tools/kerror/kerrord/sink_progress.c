// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last event of each group that a sink has had: in memory, and in a file for types that
 * cannot tell it from what they have written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "sink.h"

/*
 * The content of a progress file. Of this machine, so in its own byte order. Another
 * kerrord may know more groups or causes, or less.
 */
struct progress_file {
	char magic[16];
	char boot_id[BOOT_ID_SIZE + 3];
	uint32_t groups, causes;	/* of "done" */
	uint64_t instance;
	struct progress done[GROUPS];
};

static const char progress_magic[16] = "kerrord cursor3";

/* Before modules could be loaded twice in a boot: without the instance, which is 0 */
static const char second_magic[16] = "kerrord cursor2";

/* The first version: without their numbers, which were these */
static const char first_magic[16] = "kerrord cursor1";
#define FIRST_GROUPS 2
#define FIRST_CAUSES 7

void progress_forget(struct progress *progress)
{
	for (int i = 0; i < GROUPS; i++) {
		progress[i].known = 0;
		for (int cause = 0; cause < KERROR_CAUSES; cause++)
			progress[i].lost[cause] = UINT64_MAX;
	}
}

/* A group that the file does not tell of stays as it is: not known. */
static void read_progress_file(struct sink *sink)
{
	struct progress_file file;
	off_t at = offsetof(struct progress_file, done);

	if (pread(sink->state_fd, &file, at, 0) != at ||
	    strncmp(file.boot_id, sink->series->boot_id, BOOT_ID_SIZE))
		return;
	if (!memcmp(file.magic, first_magic, sizeof(file.magic))) {
		at = offsetof(struct progress_file, groups);
		file.groups = FIRST_GROUPS;
		file.causes = FIRST_CAUSES;
		file.instance = 0;
	} else if (!memcmp(file.magic, second_magic, sizeof(file.magic))) {
		at = offsetof(struct progress_file, instance);
		file.instance = 0;
	} else if (memcmp(file.magic, progress_magic, sizeof(file.magic))) {
		return;
	}
	if (file.causes > 1000 || file.instance != sink->series->instance)
		return;
	for (uint32_t i = 0; i < file.groups && i < GROUPS; i++) {
		const size_t size = offsetof(struct progress, lost) +
				    file.causes * sizeof(uint64_t);
		struct progress done = sink->progress[i];
		const size_t known = size < sizeof(done) ? size : sizeof(done);

		if (pread(sink->state_fd, &done, known, at) != (ssize_t)known)
			return;
		sink->progress[i] = done;
		at += size;
	}
}

void sink_state_path(const struct sink *sink, const char *suffix, char *path,
		     size_t size)
{
	size_t begin = snprintf(path, size, "%s/", sink->state);

	snprintf(path, size, "%s/%s.%s", sink->state, sink->settings->name,
		 suffix);
	for (char *at = path + (begin < size ? begin : size - 1); *at; at++)
		if (*at == ' ' || *at == '/')
			*at = '-';
}

void progress_load(struct sink *sink)
{
	char path[512];

	sink_state_path(sink, "cursor", path, sizeof(path));
	sink->state_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (sink->state_fd < 0) {
		char text[640];

		snprintf(text, sizeof(text),
			 "cannot remember what it had, it may repeat after a restart: %s: %s",
			 path, strerror(errno));
		sink->report(sink, 4, text);
		return;
	}
	read_progress_file(sink);
}

/* One write of less than a page: a killed kerrord leaves the old or the new. */
void progress_save(struct sink *sink)
{
	struct progress_file file = { 0 };

	if (sink->state_fd < 0)
		return;
	memcpy(file.magic, progress_magic, sizeof(file.magic));
	memcpy(file.boot_id, sink->series->boot_id, BOOT_ID_SIZE);
	file.instance = sink->series->instance;
	file.groups = GROUPS;
	file.causes = KERROR_CAUSES;
	memcpy(file.done, sink->done, sizeof(file.done));
	/* If it fails the sink may repeat, which is better than to stop it. */
	if (pwrite(sink->state_fd, &file, sizeof(file), 0) < 0)
		return;
}

void progress_add(struct progress *progresses, const struct progress *other)
{
	for (int i = 0; i < GROUPS; i++) {
		if (!other[i].known || (progresses[i].known &&
					(int32_t)(other[i].next - progresses[i].next) <= 0))
			continue;
		progresses[i].known = 1;
		progresses[i].next = other[i].next;
	}
}

struct record *what_is_new(struct progress *progresses, struct record *record)
{
	const struct kerror_loss *loss = &record->loss;
	bool is_event = record->kind == RECORD_EVENT, is_line = record->kind == RECORD_LINE;
	uint32_t group = record->event ? kerror_event_group(record->event) :
					 loss->group;
	int index = kerror_group_index(group);
	struct progress *progress;
	uint64_t count = loss->count;
	struct record *smaller;

	if (record->kind == RECORD_REPORT || record->collected || index < 0)
		return record_get(record);
	progress = &progresses[index];
	if (is_event || is_line || record_is_numbered_loss(record)) {
		uint32_t next = record->event ?
				kerror_event_sequence(record->event) + 1 :
				record->next;
		int32_t ahead = next - progress->next;

		/* It has the number of its first event, which came before it. */
		if (progress->known && ahead <= 0)
			return is_line ? record_get(record) : NULL;
		if (progress->known && (uint64_t)ahead < count)
			count = ahead;
		progress->known = 1;
		progress->next = next;
	} else if (loss->cause < KERROR_CAUSES) {
		uint64_t *known = &progress->lost[loss->cause];

		if (*known != UINT64_MAX && loss->total <= *known)
			return NULL;
		if (*known != UINT64_MAX)
			count = loss->total - *known;
		*known = loss->total;
	}
	if (record->event || count == loss->count)
		return record_get(record);
	smaller = record_of_loss(loss, record->cause, record->next);
	if (smaller)
		smaller->loss.count = count;
	return smaller;
}
