// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every sink has: a bounded queue, a thread that writes what is in it and
 * tries again after a failure, and the knowledge of what it has already had.
 *
 * Promises: offering never waits for the sink. A record that was taken into the
 * queue is written, in order, unless kerrord ends while the sink does not work.
 * One that was not is counted, and told in the sink's stream at its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "kerrord.h"

#define RETRY_FIRST_S	1
#define RETRY_LAST_S	30

/*
 * What a progress file holds. Of this machine, so in its own byte order. Another
 * kerrord may know more groups or causes, or less.
 */
struct progress_file {
	char magic[16];
	char boot_id[BOOT_ID_SIZE + 3];
	uint32_t groups, causes;	/* of what follows: */
	struct progress done[GROUPS];
};

static const char progress_magic[16] = "kerrord cursor2";

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

/* ---- Progress ---- */

/* What the file does not tell of stays as it is: not known. */
static void read_progress_file(struct sink *sink)
{
	struct progress_file file;
	off_t at = offsetof(struct progress_file, done);

	if (pread(sink->state_fd, &file, at, 0) != at ||
	    strncmp(file.boot_id, sink->boot_id, BOOT_ID_SIZE))
		return;
	if (!memcmp(file.magic, first_magic, sizeof(file.magic))) {
		at = offsetof(struct progress_file, groups);
		file.groups = FIRST_GROUPS;
		file.causes = FIRST_CAUSES;
	} else if (memcmp(file.magic, progress_magic, sizeof(file.magic))) {
		return;
	}
	if (file.causes > 1000)
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

static void load_progress_file(struct sink *sink)
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
static void save_progress(struct sink *sink)
{
	struct progress_file file = { 0 };

	if (sink->state_fd < 0)
		return;
	memcpy(file.magic, progress_magic, sizeof(file.magic));
	memcpy(file.boot_id, sink->boot_id, BOOT_ID_SIZE);
	file.groups = GROUPS;
	file.causes = KERROR_CAUSES;
	memcpy(file.done, sink->done, sizeof(file.done));
	/* If it fails the sink may repeat, which is better than to stop it. */
	if (pwrite(sink->state_fd, &file, sizeof(file), 0) < 0)
		return;
}

struct record *progress_take(struct progress *progresses, struct record *record)
{
	const struct kerror_loss *loss = &record->loss;
	bool is_event = record->kind == RECORD_EVENT;
	uint32_t group = is_event ? kerror_event_group(record->event) :
				    loss->group;
	int index = kerror_group_index(group);
	struct progress *progress;
	uint64_t count = loss->count;
	struct record *smaller;

	if (record->kind == RECORD_REPORT || index < 0)
		return record_get(record);
	progress = &progresses[index];
	if (is_event || record_is_numbered_loss(record)) {
		uint32_t next = is_event ?
				kerror_event_sequence(record->event) + 1 :
				record->next;
		int32_t ahead = next - progress->next;

		if (progress->known && ahead <= 0)
			return NULL;
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
	if (is_event || count == loss->count)
		return record_get(record);
	smaller = record_of_loss(loss, record->cause, record->next);
	if (smaller)
		smaller->loss.count = count;
	return smaller;
}

/* ---- The queue; with the lock held ---- */

static bool append(struct sink *sink, struct record *record)
{
	struct entry *entry = malloc(sizeof(*entry));

	if (!entry || !record) {
		free(entry);
		return false;
	}
	*entry = (struct entry) { .record = record_get(record) };
	*sink->last = entry;
	sink->last = &entry->next;
	sink->queued += record->bytes;
	return true;
}

/* What did not fit becomes a loss in the stream, where it would have been. */
static void append_dropped(struct sink *sink)
{
	for (int i = 0; i < GROUPS; i++) {
		struct kerror_loss loss = {
			.count = sink->dropped[i], .group = kerror_group_at(i),
			.total = sink->dropped_total, .cause = KERROR_CAUSES,
		};
		struct record *record;

		if (!sink->dropped[i])
			continue;
		record = record_of_loss(&loss, CAUSE_SINK, sink->dropped_next[i]);
		if (append(sink, record))
			sink->dropped[i] = 0;
		if (record)
			record_put(record);
	}
}

static void drop(struct sink *sink, const struct record *record)
{
	int index;

	if (record->kind != RECORD_EVENT)
		return;
	index = kerror_group_index(kerror_event_group(record->event));
	if (index < 0)
		return;
	sink->dropped[index]++;
	sink->dropped_next[index] = kerror_event_sequence(record->event) + 1;
	sink->dropped_total++;
}

static void enqueue(struct sink *sink, struct record *record)
{
	pthread_mutex_lock(&sink->lock);
	/* Losses are few, and must not be lost. */
	if (record->kind != RECORD_LOSS &&
	    sink->queued + record->bytes > sink->settings->queue) {
		drop(sink, record);
	} else {
		append_dropped(sink);
		if (!append(sink, record))
			drop(sink, record);
	}
	pthread_cond_signal(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
}

static size_t take(struct sink *sink, struct record **batch)
{
	size_t count = 0;

	if (!sink->first)
		append_dropped(sink);
	while (sink->first && count < BATCH) {
		struct entry *entry = sink->first;

		sink->first = entry->next;
		if (!sink->first)
			sink->last = &sink->first;
		sink->queued -= entry->record->bytes;
		batch[count++] = entry->record;
		free(entry);
	}
	return count;
}

/* ---- For the receiver ---- */

struct sink *sink_new(const struct sink_settings *settings, const char *boot_id,
		      const char *state,
		      void (*report)(struct sink *about, unsigned int severity,
				     const char *text))
{
	struct sink *sink = calloc(1, sizeof(*sink));
	pthread_condattr_t attributes;

	if (!sink)
		return NULL;
	sink->settings = settings;
	sink->type = settings->type;
	sink->boot_id = boot_id;
	sink->state = state;
	sink->report = report;
	sink->last = &sink->first;
	sink->state_fd = -1;
	sink->up = true;
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	progress_forget(sink->progress);
	if (sink->type->keeps_progress)
		load_progress_file(sink);
	sink->loaded = !sink->type->load_progress ||
		       !sink->type->load_progress(sink, sink->progress);
	memcpy(sink->done, sink->progress, sizeof(sink->done));
	return sink;
}

void sink_offer(struct sink *sink, struct record *record)
{
	if (record->kind == RECORD_REPORT &&
	    record->about == sink->settings->name)
		return;
	record = progress_take(sink->progress, record);
	if (!record)
		return;
	if (record->kind != RECORD_EVENT || !sink->settings->filter ||
	    kerror_filter_matches(sink->settings->filter, record->event))
		enqueue(sink, record);
	record_put(record);
}

bool sink_has_room(struct sink *sink)
{
	bool room;

	pthread_mutex_lock(&sink->lock);
	room = sink->queued < sink->settings->queue / 4 * 3;
	pthread_mutex_unlock(&sink->lock);
	return room || !sink->up;
}

static void tell(struct sink *sink, bool *flag)
{
	pthread_mutex_lock(&sink->lock);
	*flag = true;
	pthread_cond_signal(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
}

void sink_reopen(struct sink *sink)
{
	tell(sink, &sink->reopen);
}

void sink_stop(struct sink *sink)
{
	tell(sink, &sink->stop);
}

bool sink_join(struct sink *sink, const struct timespec *deadline)
{
	return !pthread_timedjoin_np(sink->thread, NULL, deadline);
}

void sink_free(struct sink *sink)
{
	while (sink->first) {
		struct entry *entry = sink->first;

		sink->first = entry->next;
		record_put(entry->record);
		free(entry);
	}
	if (sink->state_fd >= 0)
		close(sink->state_fd);
	pthread_cond_destroy(&sink->changed);
	pthread_mutex_destroy(&sink->lock);
	free(sink);
}

/* ---- The thread ---- */

/* What the thread has in hand */
struct work {
	struct record *batch[BATCH];
	size_t count;
	bool open, stop;
	unsigned int retry_s;		/* 0: the last attempt was a success */
	uint64_t failing_since;
	unsigned long long dropped_before;
	time_t idled;
};

/* With the lock held; until @seconds have passed or something is to be done */
static void wait_for_work(struct sink *sink, bool failing, unsigned int seconds)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += seconds;
	while (!sink->stop && !sink->reopen && (failing || !sink->first))
		if (pthread_cond_timedwait(&sink->changed, &sink->lock,
					   &deadline))
			break;
}

/*
 * Of what is in hand, leaves what the sink has not had. The receiver has looked
 * already, but it does not know what is in a store that it could not open.
 */
static void leave_what_is_new(const struct sink *sink, struct work *work)
{
	struct progress progress[GROUPS];
	size_t i, count = 0;

	memcpy(progress, sink->done, sizeof(progress));
	for (i = 0; i < work->count; i++) {
		struct record *record = progress_take(progress, work->batch[i]);

		record_put(work->batch[i]);
		if (record)
			work->batch[count++] = record;
	}
	work->count = count;
}

static void written(struct sink *sink, struct work *work, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct record *record = progress_take(sink->done, work->batch[i]);

		if (record)
			record_put(record);
		if (work->batch[i]->kind == RECORD_EVENT)
			sink->written++;
	}
	save_progress(sink);
	if (sink->type->keep)
		sink->type->keep(sink);
	for (i = 0; i < count; i++)
		record_put(work->batch[i]);
	work->count -= count;
	memmove(work->batch, work->batch + count,
		work->count * sizeof(*work->batch));
}

static int open_sink(struct sink *sink, struct work *work, char *message,
		     size_t size)
{
	int err = sink->type->open(sink, message, size);

	if (err)
		return err;
	work->open = true;
	if (!sink->loaded)
		sink->loaded = !sink->type->load_progress(sink, sink->done);
	return 0;
}

/* One attempt at what there is to do; 0, or a negative errno */
static int attempt(struct sink *sink, struct work *work, bool reopen,
		   char *message, size_t size)
{
	const struct sink_type *type = sink->type;
	int result = 0;

	if (work->open && reopen && type->reopen)
		type->reopen(sink);
	if (!work->open)
		result = open_sink(sink, work, message, size);
	if (result < 0)
		return result;
	leave_what_is_new(sink, work);
	while (work->count) {
		result = type->write(sink, work->batch, work->count, message,
				     size);
		if (result < 0)
			return result;
		written(sink, work, result);
	}
	if (type->idle && time(NULL) != work->idled) {
		work->idled = time(NULL);
		result = type->idle(sink, message, size);
	}
	return result < 0 ? result : 0;
}

static void note_failure(struct sink *sink, struct work *work,
			 const char *message)
{
	if (work->open)
		sink->type->close(sink);
	work->open = false;
	sink->failures++;
	sink->up = false;
	if (!work->retry_s) {
		work->failing_since = now_ns(CLOCK_MONOTONIC);
		work->dropped_before = sink->dropped_total;
		work->retry_s = RETRY_FIRST_S;
		sink->report(sink, 3, message);
	} else if (work->retry_s < RETRY_LAST_S) {
		work->retry_s *= 2;
	}
}

static void note_success(struct sink *sink, struct work *work)
{
	char text[128];

	sink->up = true;
	if (!work->retry_s)
		return;
	work->retry_s = 0;
	snprintf(text, sizeof(text),
		 "works again after %llu s; %llu events were dropped meanwhile",
		 (unsigned long long)(now_ns(CLOCK_MONOTONIC) -
				      work->failing_since) / 1000000000,
		 sink->dropped_total - work->dropped_before);
	sink->report(sink, 5, text);
}

static void *sink_thread(void *argument)
{
	struct sink *sink = argument;
	struct work work = { 0 };
	char message[640];
	bool empty, reopen;

	do {
		pthread_mutex_lock(&sink->lock);
		if (!work.count || work.retry_s)
			wait_for_work(sink, work.retry_s, work.retry_s ?
				      work.retry_s : work.open);
		if (!work.count)
			work.count = take(sink, work.batch);
		sink->oldest = work.count ? work.batch[0]->time : 0;
		reopen = sink->reopen;
		sink->reopen = false;
		work.stop = sink->stop;
		pthread_mutex_unlock(&sink->lock);

		if (attempt(sink, &work, reopen, message, sizeof(message)))
			note_failure(sink, &work, message);
		else
			note_success(sink, &work);

		pthread_mutex_lock(&sink->lock);
		empty = !work.count && !sink->first;
		pthread_mutex_unlock(&sink->lock);
		/* At the end there is one more attempt, not more. */
	} while (!work.stop || (!empty && !work.retry_s));
	if (work.open)
		sink->type->close(sink);
	if (!empty) {
		unsigned long long lost = work.count;

		for (struct entry *entry = sink->first; entry; entry = entry->next)
			lost++;
		snprintf(message, sizeof(message),
			 "does not work; %llu records that waited for it are not written",
			 lost);
		sink->report(sink, 3, message);
	}
	for (size_t i = 0; i < work.count; i++)
		record_put(work.batch[i]);
	event_text_done();
	return NULL;
}

int sink_start(struct sink *sink)
{
	return -pthread_create(&sink->thread, NULL, sink_thread, sink);
}

/* ---- For the types of sinks ---- */

int connect_unix(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}
