// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every sink has: a bounded queue, a thread that writes what is in it and
 * tries again after a failure, and the knowledge of what it has already had.
 *
 * Promises: offering never waits for the sink. A record that was taken into the
 * queue is written, in order, unless kerrord ends while the sink does not work.
 * From the first event on that does not fit, the sink is behind: catch_up.c brings
 * it what it missed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "kerrord.h"

#define RETRY_FIRST_S	1
#define RETRY_LAST_S	30

/* So much is enough to be written at once. */
#define GATHER_BYTES	(128 << 10)

/* Of a storm of severe events, too, some come together. */
#define URGENT_MS	10

/*
 * A record that fails so often alone, for a reason of its own, is skipped. One that
 * the sink refuses (-EINVAL) is skipped at once.
 */
#define POISON_ATTEMPTS	4

/* Between two reports of skipped records; those between are counted. */
#define POISON_REPORT_S	60

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

static void forget(struct progress *progress)
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

/*
 * Takes @record into account. Returns NULL if it was had before, else itself or,
 * if a part of that loss was, a smaller one; with a reference.
 */
static struct record *what_is_new(struct progress *progresses,
				  struct record *record)
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

static bool is_urgent(const struct record *record)
{
	const struct evl_header *header = record->kind == RECORD_EVENT ?
					  kerror_event_header(record->event) :
					  NULL;

	return header && header->severity <= 3;
}

/* Whether there is no point in waiting for more */
static bool has_gathered(const struct sink *sink)
{
	return sink->queued >= GATHER_BYTES ||
	       sink->queued >= sink->settings->queue / 4;
}

/* Losses are few, and must not be lost; an empty queue takes anything. */
static bool enqueue(struct sink *sink, struct record *record)
{
	bool fits;

	pthread_mutex_lock(&sink->lock);
	fits = record->kind == RECORD_LOSS || !sink->first ||
	       sink->queued + record->bytes <= sink->settings->queue;
	fits = fits && append(sink, record);
	sink->urgent |= fits && is_urgent(record);
	if (!sink->gathering || sink->urgent || has_gathered(sink))
		pthread_cond_signal(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
	return fits;
}

static size_t take(struct sink *sink, struct record **batch)
{
	size_t count = 0;

	while (sink->first && count < BATCH) {
		struct entry *entry = sink->first;

		sink->first = entry->next;
		if (!sink->first)
			sink->last = &sink->first;
		sink->queued -= entry->record->bytes;
		batch[count++] = entry->record;
		free(entry);
	}
	sink->urgent &= sink->first != NULL;
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
	sink->give_up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sink->up = true;
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	forget(sink->progress);
	if (sink->type->keeps_progress)
		load_progress_file(sink);
	sink->loaded = !sink->type->load_progress ||
		       !sink->type->load_progress(sink, sink->progress);
	memcpy(sink->done, sink->progress, sizeof(sink->done));
	return sink;
}

bool sink_feed(struct sink *sink, struct record *record)
{
	uint32_t group = record->kind == RECORD_EVENT ?
			 kerror_event_group(record->event) : record->loss.group;
	int index = kerror_group_index(group);
	struct progress before = { 0 };
	bool fed = true;

	if (index >= 0)
		before = sink->progress[index];
	record = what_is_new(sink->progress, record);
	if (!record)
		return true;
	if (record->kind != RECORD_EVENT || !sink->settings->filter ||
	    kerror_filter_matches(sink->settings->filter, record->event))
		fed = enqueue(sink, record);
	record_put(record);
	if (!fed && index >= 0)
		sink->progress[index] = before;
	return fed;
}

void sink_offer(struct sink *sink, struct record *record)
{
	/* From any thread; one that does not fit is on standard error, too. */
	if (record->kind == RECORD_REPORT) {
		if (record->about != sink->settings->name)
			enqueue(sink, record);
		return;
	}
	if (!sink->behind && !sink_feed(sink, record))
		sink->behind = true;
}

size_t sink_queued(struct sink *sink)
{
	size_t queued;

	pthread_mutex_lock(&sink->lock);
	queued = sink->queued;
	pthread_mutex_unlock(&sink->lock);
	return queued;
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

bool sink_join(struct sink *sink)
{
	return !pthread_tryjoin_np(sink->thread, NULL);
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
	if (sink->give_up_fd >= 0)
		close(sink->give_up_fd);
	catch_up_end(sink);
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
	size_t alone;			/* so many are written one at a time */
	unsigned int attempts;		/* that failed for the first of them */
	uint64_t poison_report_at;	/* CLOCK_MONOTONIC: another report may be made */
	unsigned int retry_s;		/* 0: the last attempt was a success */
	uint64_t failing_since;
	time_t idled;
	uint64_t written_at;		/* CLOCK_MONOTONIC */
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

/* With the lock held; lets records come together before they are written. */
static void gather(struct sink *sink, const struct work *work)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) +
		       sink->type->gather_ms * 1000000ULL;
	uint64_t urgent = work->written_at + URGENT_MS * 1000000ULL;

	sink->gathering = true;
	while (sink->first && !sink->stop && !sink->reopen &&
	       !has_gathered(sink)) {
		uint64_t until = sink->urgent && urgent < end ? urgent : end;
		struct timespec deadline = {
			.tv_sec = until / 1000000000,
			.tv_nsec = until % 1000000000,
		};

		if (now_ns(CLOCK_MONOTONIC) >= until)
			break;
		pthread_cond_timedwait(&sink->changed, &sink->lock, &deadline);
	}
	sink->gathering = false;
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
		struct record *record = what_is_new(progress, work->batch[i]);

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
		struct record *record = what_is_new(sink->done, work->batch[i]);

		if (record)
			record_put(record);
		if (work->batch[i]->kind == RECORD_EVENT)
			sink->written++;
	}
	sink_moves(sink);
	save_progress(sink);
	work->written_at = now_ns(CLOCK_MONOTONIC);
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

/* ---- Poison: a record that a sink cannot write, although its peer works ---- */

/* Of other errors, such as ENOSPC or EPIPE, no record is the reason. */
static bool may_be_poison(int err)
{
	return err == -ENOMEM || err == -EINVAL || err == -EMSGSIZE ||
	       err == -E2BIG || err == -EBADMSG || err == -EOVERFLOW ||
	       err == -EILSEQ;
}

static void report_poison(struct sink *sink, struct work *work,
			  const struct kerror_event *event, const char *message)
{
	char text[832];

	if (now_ns(CLOCK_MONOTONIC) < work->poison_report_at)
		return;
	work->poison_report_at = now_ns(CLOCK_MONOTONIC) +
				 POISON_REPORT_S * 1000000000ULL;
	snprintf(text, sizeof(text),
		 "skips event #%" PRIu32 " of %s: %s (attempts: %u, skipped so far: %llu)",
		 kerror_event_sequence(event),
		 kerror_group_name(kerror_event_group(event)), message,
		 work->attempts, (unsigned long long)sink->poison);
	sink->report(sink, 3, text);
}

/* Puts a loss in the place of the first record, or nothing if it was no event. */
static void skip_first(struct sink *sink, struct work *work, const char *message)
{
	struct record *record = work->batch[0], *loss = NULL;

	sink->poison++;
	if (record->kind == RECORD_EVENT) {
		const struct kerror_loss lost = {
			.count = 1, .group = kerror_event_group(record->event),
			.total = sink->poison, .cause = KERROR_CAUSES,
		};
		uint32_t sequence = kerror_event_sequence(record->event);

		report_poison(sink, work, record->event, message);
		loss = record_of_loss(&lost, CAUSE_POISON, sequence + 1);
	}
	work->attempts = 0;
	if (loss) {
		work->batch[0] = loss;
		record_put(record);
	} else {
		written(sink, work, 1);
		work->alone -= work->alone > 0;
	}
}

/*
 * After an error of writing: true if there is something to try at once. A batch
 * goes on one by one, so that only the record that is the reason fails.
 */
static bool can_go_on(struct sink *sink, struct work *work, int err,
		      const char *message)
{
	if (!may_be_poison(err))
		return false;
	if (!work->alone && work->count > 1) {
		work->alone = work->count;
		return true;
	}
	work->alone = work->alone ? : 1;
	work->attempts++;
	if (err != -EINVAL && work->attempts < POISON_ATTEMPTS)
		return false;
	skip_first(sink, work, message);
	return true;
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
		result = type->write(sink, work->batch,
				     work->alone ? 1 : work->count, message, size);
		if (result < 0 && can_go_on(sink, work, result, message))
			continue;
		if (result < 0)
			return result;
		written(sink, work, result);
		work->alone -= work->alone > 0;
		work->attempts = 0;
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
	snprintf(text, sizeof(text), "works again after %llu s%s",
		 (unsigned long long)(now_ns(CLOCK_MONOTONIC) -
				      work->failing_since) / 1000000000,
		 sink->behind ? "; the kernel's history has what it missed" : "");
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
		if (!work.count && sink->type->gather_ms)
			gather(sink, &work);
		if (!work.count)
			work.count = take(sink, work.batch);
		sink->oldest = work.count ? work.batch[0]->time : 0;
		sink->busy_since = now_ns(CLOCK_MONOTONIC);
		reopen = sink->reopen;
		sink->reopen = false;
		work.stop = sink->stop;
		pthread_mutex_unlock(&sink->lock);

		if (attempt(sink, &work, reopen, message, sizeof(message)))
			note_failure(sink, &work, message);
		else
			note_success(sink, &work);
		sink->busy_since = 0;

		pthread_mutex_lock(&sink->lock);
		empty = !work.count && !sink->first;
		pthread_mutex_unlock(&sink->lock);
		/* At the end there is one more attempt, not more. */
	} while (!work.stop || (!empty && !work.retry_s));
	if (work.open)
		sink->type->close(sink);
	if (sink->type->end)
		sink->type->end(sink);
	if (!empty) {
		unsigned long long lost = work.count;

		pthread_mutex_lock(&sink->lock);
		for (struct entry *entry = sink->first; entry; entry = entry->next)
			lost++;
		pthread_mutex_unlock(&sink->lock);
		snprintf(message, sizeof(message),
			 "does not work; %llu records that waited for it are not written, the next start asks the kernel for them",
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
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}
