// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of pstore: the end of the kernel log, which firmware, a disk or memory kept when
 * the kernel died. Their lines become events of that boot, for the stores.
 *
 * Only root may look there. So pstore_take() runs first, with the rights that kerrord was
 * started with, or alone by --take-pstore: it copies what is new to the state folder, and
 * on the disk, before it removes the record, if it is told to. pstore_store() then brings
 * the copies to the stores, each in one transaction, and empties them: a copy without a
 * byte says that its record was stored. The number of such events is that of the line, of
 * a series that the record's bytes name. So a record is stored once, wherever it is found
 * again, and whenever kerrord is killed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "kerrord.h"

#define RECORD_MAX	(1 << 20)	/* bytes */
#define RECORDS_MAX	256
#define DEPTH_MAX	2		/* folders in the folder */
#define COPY		"pstore-"
#define NSEC		1000000000ULL
#define BOOT_SLACK	(600 * NSEC)
#define CLOCK_SLACK	(NSEC / 10)

/* Where systemd-pstore.service moves records early in a boot */
#define ARCHIVE		"/var/lib/systemd/pstore"

/* The end of a record, and the boot that it is of */
struct last_boot {
	const char *running;
	uint64_t died, up;		/* nanoseconds since 1970, and since its boot */
	bool found;
	char id[BOOT_ID_SIZE], how[8], message[256], release[128];
	uint64_t began, ended, last;
};

/* Reads a whole file, with a NUL behind it; NULL with errno. */
static char *read_file(int folder, const char *name, size_t *size, struct stat *status)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *text = NULL;
	ssize_t count = 1;

	*size = 0;
	if (fd < 0)
		return NULL;
	if (!fstat(fd, status) && S_ISREG(status->st_mode))
		text = malloc(RECORD_MAX + 1);
	while (text && count > 0 && *size < RECORD_MAX) {
		count = read(fd, text + *size, RECORD_MAX - *size);
		*size += count > 0 ? count : 0;
	}
	close(fd);
	if (text && count >= 0)
		text[*size] = '\0';
	if (count >= 0)
		return text;
	free(text);
	return NULL;
}

static int write_copy(int state, const char *name, const char *text, size_t size,
		      const struct stat *origin, const struct passwd *user)
{
	struct timespec times[2] = { origin->st_mtim, origin->st_mtim };
	int fd = openat(state, COPY "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, size) != (ssize_t)size || futimens(fd, times) || fsync(fd) ||
	    (user && fchown(fd, user->pw_uid, user->pw_gid)))
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && (renameat(state, COPY "new", state, name) || fsync(state)))
		err = -errno;
	return err;
}

struct taking {
	const struct passwd *user;
	int state, depth;
	bool remove;
	unsigned int count;
};

static void take_record(struct taking *taking, int folder, const char *name)
{
	struct stat status, copy;
	char target[64];
	size_t size;
	char *text = read_file(folder, name, &size, &status);
	int err = 0;

	if (!text || !size) {
		free(text);
		return;
	}
	snprintf(target, sizeof(target), COPY "%013llx", (unsigned long long)
		 (hash_bytes(HASH_BEGIN, text, size) & ((1ULL << 52) - 1)));
	if (fstatat(taking->state, target, &copy, AT_SYMLINK_NOFOLLOW))
		err = write_copy(taking->state, target, text, size, &status, taking->user);
	free(text);
	if (err)
		fprintf(stderr, "kerrord: the record %s of pstore is not taken: %s\n", name, strerror(-err));
	else if (taking->remove && unlinkat(folder, name, 0) && errno != EROFS)
		fprintf(stderr, "kerrord: the record %s of pstore is not removed: %s\n", name,
			strerror(errno));
}

static void take_folder(struct taking *taking, int fd)
{
	DIR *folder = fdopendir(fd);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) && taking->count < RECORDS_MAX) {
		if (!strncmp(entry->d_name, "dmesg-", 6)) {
			taking->count++;
			take_record(taking, fd, entry->d_name);
		} else if (*entry->d_name != '.' && taking->depth < DEPTH_MAX) {
			int inner = openat(fd, entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

			taking->depth++;
			if (inner >= 0)
				take_folder(taking, inner);
			taking->depth--;
		}
	}
	if (folder)
		closedir(folder);
	else
		close(fd);
}

void pstore_take(const struct settings *settings)
{
	const char *const folders[] = { settings->pstore, ARCHIVE };
	struct taking taking = { .remove = settings->pstore_remove };
	int count = strcmp(settings->pstore, PSTORE_PATH) ? 1 : 2;

	if (!*settings->pstore)
		return;
	if (!getuid())
		taking.user = getpwnam(settings->user);
	taking.state = open(settings->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; taking.state >= 0 && i < count; i++) {
		int fd = open(folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			take_folder(&taking, fd);
		else if (errno != ENOENT && errno != EACCES)
			fprintf(stderr, "kerrord: %s: %s\n", folders[i], strerror(errno));
	}
	if (taking.state >= 0)
		close(taking.state);
}

/* ---- Lines ---- */

/* Takes off what a line begins with; without it, level and time are those of the last. */
static const char *line_parse(const char *line, unsigned int *level, uint64_t *time)
{
	unsigned long seconds, micros;
	unsigned int priority;
	int used = 0;

	if (sscanf(line, "<%u>%n", &priority, &used) == 1 && used) {
		*level = priority & 7;
		line += used;
	}
	used = 0;
	if (sscanf(line, "[%lu.%lu]%n", &seconds, &micros, &used) == 2 && used) {
		*time = seconds * NSEC + micros * 1000;
		line += used;
		/* With CONFIG_PRINTK_CALLER */
		if (*line == '[' && strchr(line, ']'))
			line = strchr(line, ']') + 1;
		line += *line == ' ';
	}
	return line;
}

static struct kerror_event *event_of(const char *text, uint32_t sequence, unsigned int level,
				     uint64_t time, uint64_t time_boot)
{
	struct {
		struct evl_header header;
		char text[EVL_VARIABLE_MAX];
	} event = {
		.header = {
			.time_realtime = time, .time_boot = time_boot,
			.flags = EVL_FLAG_PRINTK | EVL_FLAG_IMPORTED,
			.magic = EVL_MAGIC, .version = EVL_VERSION,
			.header_size = sizeof(struct evl_header),
			.severity = level, .format = EVL_FORMAT_STRING,
			.facility = "kernel",
		},
	};
	size_t size = strlen(text);

	size = size < sizeof(event.text) ? size : sizeof(event.text);
	event.header.facility_hash = crc32(0, (const Bytef *)"kernel", 6);
	event.header.variable_size = size;
	memcpy(event.text, text, size);
	return kerror_event_new(KERROR_GROUP_PRINTK, sequence, 0, &event,
				sizeof(event.header) + size);
}

/* ---- The boot ---- */

/* When the last line was printed, and of what the kernel died */
static void look_at_end(char *text, struct last_boot *boot)
{
	static const char sign[] = "Kernel panic - not syncing: ";
	const char *died = strstr(text, sign);
	unsigned int level = 6;

	for (char *line = text; line; line = strchr(line, '\n'))
		line_parse(line += *line == '\n', &level, &boot->up);
	if (!strncmp(text, "Panic", 5))
		strcpy(boot->how, "panic");
	if (died)
		snprintf(boot->message, sizeof(boot->message), "%.*s",
			 (int)strcspn(died + strlen(sign), "\n"), died + strlen(sign));
}

/* The last boot that is not this one, if it can be that of the record */
static void found_boot(void *context, const struct store_boot *boot)
{
	struct last_boot *last = context;
	uint64_t began = boot->began ? boot->began : boot->first;

	if (!strcmp(boot->id, last->running))
		return;
	if (began + BOOT_SLACK + last->up < last->died || began > last->died + BOOT_SLACK)
		return;
	last->found = true;
	snprintf(last->id, sizeof(last->id), "%s", boot->id);
	snprintf(last->release, sizeof(last->release), "%s", boot->release);
	last->began = boot->began;
	last->ended = boot->ended;
	last->last = boot->last;
	if (*boot->how) {
		snprintf(last->how, sizeof(last->how), "%s", boot->how);
		snprintf(last->message, sizeof(last->message), "%s", boot->message);
	}
}

/* Within a transaction */
static int add_record(struct store *store, char *text, const struct series *series,
		      const struct last_boot *boot, uint64_t *count)
{
	struct kerror_origin *origin = origin_of_boot(store, series, boot->release);
	uint32_t sequence = KERROR_SEQUENCE_FIRST;
	uint64_t up = 0, time;
	unsigned int level = 6;
	struct kerror_event *event;
	char *save, *line = strtok_r(text, "\n", &save);
	int err = origin ? 0 : -ENOMEM;

	/* The first line is pstore's own. */
	while (!err && (line = strtok_r(NULL, "\n", &save))) {
		const char *message = line_parse(line, &level, &up);

		time = boot->died - (boot->up - up);
		/* While kerrord ran, it had them, with their arguments. */
		if (!*message || (boot->last && time + CLOCK_SLACK < boot->last))
			continue;
		event = event_of(message, sequence++, level, time, up);
		if (event) {
			kerror_event_set_origin(event, origin);
			err = store_add_event(store, event);
			kerror_event_free(event);
			++*count;
		} else {
			err = -ENOMEM;
		}
	}
	if (!err)
		err = store_end_boot(store, origin, &(struct store_boot) {
			.how = boot->how, .message = boot->message,
			.began = boot->began ? boot->began : boot->died - boot->up,
			.ended = boot->ended ? boot->ended : boot->died,
		}, boot->running);
	kerror_origin_release(origin);
	return err;
}

static int store_record(const char *path, const char *name, const char *bytes, size_t size,
			uint64_t died, const char *running)
{
	struct last_boot boot = { .running = running, .died = died };
	struct series series = { .instance = strtoull(name + strlen(COPY), NULL, 16) };
	char *text = strndup(bytes, size);
	struct store *store;
	uint64_t count = 0;
	uint32_t next;
	int err = store_open(&store, path, true);

	if (!text)
		err = -ENOMEM;
	if (!err) {
		look_at_end(text, &boot);
		err = store_boots(store, true, found_boot, &boot);
	}
	if (err >= 0 && !boot.found)
		snprintf(boot.id, sizeof(boot.id), "%08x-%04x-8%03x-8%03x-%012llx",
			 (uint32_t)crc32(0, (const Bytef *)bytes, size), 0, 0, 0,
			 (unsigned long long)series.instance & ((1ULL << 48) - 1));
	memcpy(series.boot_id, boot.id, sizeof(series.boot_id));
	if (err >= 0)
		err = store_begin(store);
	if (!err) {
		err = store_cursor(store, &series, KERROR_GROUP_PRINTK, &next);
		if (err == -ENOENT)
			err = add_record(store, text, &series, &boot, &count);
		if (!err)
			err = store_commit(store);
		if (err)
			store_rollback(store);
	}
	if (err < 0)
		fprintf(stderr, "kerrord: a record of pstore is not stored, until the next start: %s\n",
			*store_message(store) ? store_message(store) : strerror(-err));
	else
		fprintf(stderr, "kerrord: %llu lines of pstore, of boot %s, are new in %s\n",
			(unsigned long long)count, boot.id, path);
	store_close(store);
	free(text);
	return err < 0 ? err : 0;
}

void pstore_store(const struct settings *settings, const char *running)
{
	int state = open(settings->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = state < 0 || !*settings->pstore ? NULL : fdopendir(dup(state));
	const struct sink_settings *sink;
	struct dirent *entry;
	struct stat status;
	size_t size;

	while (folder && (entry = readdir(folder))) {
		unsigned int stores = 0, failed = 0;
		char *text = NULL;

		if (!strncmp(entry->d_name, COPY, strlen(COPY)) &&
		    strcmp(entry->d_name, COPY "new"))
			text = read_file(state, entry->d_name, &size, &status);
		for (sink = settings->sinks; text && size && sink; sink = sink->next) {
			if (sink->type != &store_sink)
				continue;
			stores++;
			failed += store_record(sink->path, entry->d_name, text, size,
					       status.st_mtim.tv_sec * NSEC +
					       status.st_mtim.tv_nsec, running) < 0;
		}
		free(text);
		if (stores && !failed)
			close(openat(state, entry->d_name, O_WRONLY | O_TRUNC | O_CLOEXEC));
	}
	if (folder)
		closedir(folder);
	if (state >= 0)
		close(state);
}
