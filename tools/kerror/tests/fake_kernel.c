// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel to test programs with that has no NETLINK_KERROR: stands in for the
 * socket layer of libkerror, and plays a kernel that raises events at a steady
 * rate and keeps the last ones. The reader of libkerror is the real one.
 *
 *   FAKE_START	nanoseconds since 1970 at which it booted, as the clock has it
 *   FAKE_RATE	events per second of each group (1000)
 *   FAKE_TICK	milliseconds between two times at which there is something to read (2)
 *   FAKE_EVENTS	after so many of group evlog no more are raised (1000)
 *   FAKE_PRINTK	after so many of group printk no more are raised (0)
 *   FAKE_RAW	after so many of group raw no more are raised (0)
 *   FAKE_HISTORY	the last so many of a group can be replayed (1000000)
 *   FAKE_LOST	so many of group evlog were lost before the first, staging-full (0)
 *   FAKE_FLAGS	EVL_FLAG bits of each event (0); of group printk, 0x40 is set, too
 *   FAKE_CLOCK	seconds by which the clock that stamps the events is wrong (0)
 *   FAKE_ERROR	errno that opening fails with (0)
 *   FAKE_NAMESPACE	inode of the initial network namespace (this one)
 *   FAKE_NO_SYSLOG	if 1, opening fails with EPERM if the group printk is among those
 *		asked for
 *   FAKE_HOSTILE	if not 0, events are those of tests/hostile.h from this number on
 *   FAKE_MESSAGES	a file of events that are raised in place of those of group printk, again
 *		from the first behind the last: each a 32-bit size and as many bytes
 *   FAKE_FACILITIES	names parted by blanks, of which event N has the N-th, and so on
 *		from the first; instead of "fakeN % 3"
 *   FAKE_PARAMETERS	a folder, with a slash, in place of evlog's parameters (none)
 *   FAKE_INSTANCE	which load of the module it is (0: it is built in)
 *   FAKE_OLD	if 1, the kernel does not have the group printk
 *   FAKE_DAY	a file, struct day below, that says which events were raised when, in
 *		place of FAKE_START, RATE, EVENTS, PRINTK, LOST and CLOCK. It moves the
 *		program's clocks, too: CLOCK_REALTIME and CLOCK_BOOTTIME, not
 *		CLOCK_MONOTONIC
 *
 *   FAKE_EARLIER	a folder with a file for each boot that the kernel keeps, of the boot's
 *		name: how it ended (0 to 3), how many events it had of each group, and
 *		its instance; the file "named" gets the name of this boot
 *
 *   FAKE_JOURNAL	a socket, in place of systemd-journald's
 *   FAKE_DISKS	the folder in which disks are looked up, in place of /
 *   FAKE_HOST	the name of the machine
 *   FAKE_RELEASE	of its kernel
 *   FAKE_ROOT	the folder in which the modules and the state of a kernel without the
 *		facility are looked for
 *
 * As all of it follows from the clock, a program that is started again finds the
 * kernel as it left it. Event N of a group has severity N % 8, facility
 * "fakeN % 3", device "+pci:N % 5" and the arguments N and "text N".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <poll.h>
#include <linux/netlink.h>
#include <unistd.h>
#include "../kerrord/journal.h"
#include "hostile.h"
#include "output.h"
#include "printk_state.h"

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

/* Where common/printk_state.c looks; not all that is linked has it. */
#pragma weak printk_parameters

__attribute__((constructor)) static void set_parameters(void)
{
	const char *folder = getenv("FAKE_PARAMETERS");

	if (&printk_parameters)
		printk_parameters = folder ? folder : "/nonexistent/";
}

/* Of kerrord/journal.c; likewise */
#pragma weak journal_socket

__attribute__((constructor)) static void move_journal(void)
{
	const char *path = getenv("FAKE_JOURNAL");

	if (&journal_socket && path)
		journal_socket = path;
}

/* Of kerrord/disk.c; likewise */
#pragma weak disk_root
extern const char *disk_root;

__attribute__((constructor)) static void move_disks(void)
{
	const char *folder = getenv("FAKE_DISKS");

	if (&disk_root)
		disk_root = folder ? folder : "/nonexistent";
}

/* ---- A day that a test plays ---- */

/**
 * struct moment - events that are raised at once, a microsecond apart
 * @raised: of groups evlog and printk, by then, with those of the moments before
 * @lost: of group evlog, by then, before they got a number (staging-full)
 * @time_boot: of the first of them, nanoseconds since boot
 * @time_realtime: likewise since 1970, as the machine's clock has it
 */
struct moment {
	uint64_t raised[2], lost, time_boot, time_realtime;
};

/**
 * struct day - what a test writes while programs run
 * @count: moments so far
 * @clock_ahead: nanoseconds by which the machine's clock is ahead of this one's
 * @boot_ahead: likewise CLOCK_BOOTTIME
 */
struct day {
	atomic_ullong count;
	atomic_llong clock_ahead, boot_ahead;
	uint64_t reserved;
	struct moment moments[];
};

int uname(struct utsname *name)
{
	const char *host = getenv("FAKE_HOST"), *release = getenv("FAKE_RELEASE");
	int error = syscall(SYS_uname, name);

	if (!error && host)
		snprintf(name->nodename, sizeof(name->nodename), "%s", host);
	if (!error && release)
		snprintf(name->release, sizeof(name->release), "%s", release);
	return error;
}

__attribute__((constructor)) static void move_root(void)
{
	const char *root = getenv("FAKE_ROOT");

	if (root)
		facility_root = root;
}

static struct day *day;

__attribute__((constructor)) static void open_day(void)
{
	const char *path = getenv("FAKE_DAY");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct stat status;
	void *map;

	if (fd < 0)
		return;
	if (!fstat(fd, &status)) {
		map = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, fd, 0);
		day = map == MAP_FAILED ? NULL : map;
	}
	close(fd);
}

/* In place of the C library's, for all parts of the program */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = syscall(SYS_clock_gettime, clock, now);
	int64_t ahead;

	if (result || !day || (clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
		return result;
	ahead = clock == CLOCK_REALTIME ? day->clock_ahead : day->boot_ahead;
	ahead += now->tv_sec * 1000000000LL + now->tv_nsec;
	now->tv_sec = ahead / 1000000000;
	now->tv_nsec = ahead % 1000000000;
	return 0;
}

time_t time(time_t *result)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (result)
		*result = now.tv_sec;
	return now.tv_sec;
}

/* The first moment by which more than @index events of a group were raised */
static const struct moment *moment_of(int group, uint64_t index)
{
	uint64_t low = 0, high = day->count - 1;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (day->moments[middle].raised[group] > index)
			high = middle;
		else
			low = middle + 1;
	}
	return &day->moments[low];
}

/* ---- The kernel ---- */

/* One group */
struct stream {
	uint32_t group;
	uint64_t events;		/* that are raised in all */
	uint64_t lost;
	uint64_t broadcast;		/* events that were, as a number of events */
	bool loss_told, statistics_wanted;
};

struct kerror_socket {
	uint64_t start, rate, history;
	uint32_t groups;		/* joined */
	struct stream stream[KERROR_GROUP_COUNT];
	struct stream *replayed;	/* by the replay that runs, or NULL */
	uint64_t replay, replay_end;	/* what it brings, as numbers of events */
	uint32_t replay_sequence;
	uint64_t history_lost;
	uint16_t refused;		/* type of the request that is refused */
	bool old;
	int timer;
	union {
		struct nlmsghdr header;
		uint8_t bytes[KERROR_DATAGRAM_MAX];
	} datagram;
};

/* In struct moment */
static int group_of(const struct stream *stream)
{
	return stream->group == KERROR_GROUP_PRINTK;
}

static uint64_t lost(const struct stream *stream)
{
	if (!day)
		return stream->lost;
	return stream->group != KERROR_GROUP_EVLOG || !day->count ? 0 :
	       day->moments[day->count - 1].lost;
}

static uint64_t raised(const struct kerror_socket *sock,
		       const struct stream *stream)
{
	struct timespec now;
	uint64_t passed, count;

	if (day)
		return stream->group == KERROR_GROUP_RAW || !day->count ? 0 :
		       day->moments[day->count - 1].raised[group_of(stream)];
	clock_gettime(CLOCK_REALTIME, &now);
	passed = now.tv_sec * 1000000000ULL + now.tv_nsec;
	passed = passed > sock->start ? passed - sock->start : 0;
	count = passed / 1000000000 * sock->rate +
		passed % 1000000000 * sock->rate / 1000000000;
	return count < stream->events ? count : stream->events;
}

int kerror_socket_open(struct kerror_socket **result, uint32_t groups)
{
	uint64_t ms = number("FAKE_TICK", 2);
	const struct timespec every = { ms / 1000, ms % 1000 * 1000000 };
	const struct itimerspec tick = { .it_value = every, .it_interval = every };
	int error = number("FAKE_ERROR", 0);
	struct stat status;
	struct kerror_socket *sock;

	if (number("FAKE_NAMESPACE", 0) && !stat("/proc/self/ns/net", &status) &&
	    status.st_ino != number("FAKE_NAMESPACE", 0))
		error = ENONET;
	if (!error && number("FAKE_NO_SYSLOG", 0) && groups & KERROR_GROUP_PRINTK)
		error = EPERM;
	if (error)
		return -error;
	sock = calloc(1, sizeof(*sock));
	sock->groups = groups;
	sock->start = number("FAKE_START", 0);
	sock->rate = number("FAKE_RATE", 1000);
	sock->history = number("FAKE_HISTORY", 1000000);
	sock->old = number("FAKE_OLD", 0);
	sock->stream[0].events = number("FAKE_RAW", 0);
	sock->stream[1].events = number("FAKE_EVENTS", 1000);
	sock->stream[1].lost = number("FAKE_LOST", 0);
	sock->stream[2].events = sock->old ? 0 : number("FAKE_PRINTK", 0);
	for (int i = 0; i < KERROR_GROUP_COUNT; i++) {
		sock->stream[i].group = kerror_group_at(i);
		sock->stream[i].broadcast = raised(sock, &sock->stream[i]);
	}
	sock->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	timerfd_settime(sock->timer, 0, &tick, NULL);
	*result = sock;
	return 0;
}

void kerror_socket_close(struct kerror_socket *sock)
{
	close(sock->timer);
	free(sock);
}

int kerror_socket_fd(const struct kerror_socket *sock)
{
	return sock->timer;
}

uint64_t kerror_socket_instance(const struct kerror_socket *sock)
{
	(void)sock;
	return number("FAKE_INSTANCE", 0);
}

int kerror_socket_set_filter(struct kerror_socket *sock,
			     const struct kerror_filter *filter)
{
	(void)sock;
	(void)filter;
	return 0;
}

static void begin_message(struct kerror_socket *sock, uint16_t type,
			  uint16_t flags, uint32_t sequence, const void *data,
			  size_t size)
{
	sock->datagram.header = (struct nlmsghdr) {
		.nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = type,
		.nlmsg_flags = flags, .nlmsg_seq = sequence, .nlmsg_pid = 42,
	};
	memcpy(sock->datagram.bytes + NLMSG_HDRLEN, data, size);
}

static void name_facility(char *name, size_t size, uint64_t index)
{
	const char *names = getenv("FAKE_FACILITIES"), *at;
	uint64_t count = 1;

	if (!names) {
		snprintf(name, size, "fake%u", (unsigned int)(index % 3));
		return;
	}
	for (at = names; *at; at++)
		count += *at == ' ';
	for (at = names, index %= count; index; index--)
		at = strchr(at, ' ') + 1;
	snprintf(name, size, "%.*s", (int)strcspn(at, " "), at);
}

static void set_time(const struct kerror_socket *sock,
		     const struct stream *stream, uint64_t index,
		     struct evl_header *header)
{
	const struct moment *moment;
	uint64_t since;

	if (!day) {
		header->time_boot = index * 1000000000 / sock->rate;
		header->time_realtime = sock->start + header->time_boot +
					number("FAKE_CLOCK", 0) * 1000000000;
		return;
	}
	moment = moment_of(group_of(stream), index);
	since = moment == day->moments ? index :
		index - moment[-1].raised[group_of(stream)];
	header->time_boot = moment->time_boot + since * 1000;
	header->time_realtime = moment->time_realtime + since * 1000;
}

/* Reads message @index of FAKE_MESSAGES, which begins anew at its end. */
static void read_message(struct build *build, uint64_t index)
{
	static long *places;
	static size_t count;
	static FILE *file;
	uint32_t size = 0;

	if (!file) {
		file = fopen(getenv("FAKE_MESSAGES"), "re");
		while (file && fread(&size, sizeof(size), 1, file) == 1) {
			places = reallocarray(places, count + 1, sizeof(*places));
			places[count++] = ftell(file) - sizeof(size);
			fseek(file, size, SEEK_CUR);
		}
	}
	if (!count || fseek(file, places[index % count], SEEK_SET))
		abort();
	memset(build, 0, sizeof(*build));
	if (fread(&size, sizeof(size), 1, file) != 1 || size > sizeof(build->data) ||
	    fread(build->data, size, 1, file) != 1)
		abort();
	build->size = size;
}

static void make_event(struct kerror_socket *sock, const struct stream *stream,
		       uint64_t index, uint16_t flags)
{
	static struct build build;
	uint64_t count = index, hostile = number("FAKE_HOSTILE", 0);
	char device[16], text[32];

	if (hostile) {
		hostile_event(&build, hostile + index);
		begin_message(sock, KERROR_MSG_EVENT, flags,
			      KERROR_SEQUENCE_FIRST + (uint32_t)index,
			      build.data, build.size);
		return;
	}
	if (stream->group == KERROR_GROUP_PRINTK && getenv("FAKE_MESSAGES")) {
		read_message(&build, index);
		set_time(sock, stream, index, &build.header);
		begin_message(sock, KERROR_MSG_EVENT, flags,
			      KERROR_SEQUENCE_FIRST + (uint32_t)index,
			      build.data, build.size);
		return;
	}
	snprintf(device, sizeof(device), "+pci:%u", (unsigned int)(index % 5));
	snprintf(text, sizeof(text), "text %llu", (unsigned long long)index);
	build_begin(&build, device, EVL_FORMAT_PRINTF, "event %llu: %s");
	build_argument(&build, EVL_ARG_U64, 0, &count, sizeof(count));
	build_argument(&build, EVL_ARG_STRING, 0, text, strlen(text));
	build.header.severity = index % 8;
	build.header.flags = number("FAKE_FLAGS", 0);
	if (stream->group == KERROR_GROUP_PRINTK)
		build.header.flags |= EVL_FLAG_PRINTK;
	build.header.event_type = 0;
	build.header.event_id = 0x12345678;
	set_time(sock, stream, index, &build.header);
	memset(build.header.facility, 0, sizeof(build.header.facility));
	name_facility(build.header.facility, sizeof(build.header.facility), index);
	begin_message(sock, KERROR_MSG_EVENT, flags,
		      KERROR_SEQUENCE_FIRST + (uint32_t)index, build.data,
		      build.size);
}

/* ---- earlier boots ---- */

static FILE *open_earlier(const char *name, const char *mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s",
		 getenv("FAKE_EARLIER") ? getenv("FAKE_EARLIER") : "", name);
	return fopen(path, mode);
}

/* Fills in what is told of a boot, and returns its events. */
static uint64_t read_earlier(const char *name, struct kerror_boot *boot)
{
	FILE *file = open_earlier(name, "re");
	unsigned int events = 0;
	uint64_t instance = 0;

	memset(boot, 0, sizeof(*boot));
	if (!file || fscanf(file, "%u %u %" SCNu64, &boot->end, &events, &instance) != 3)
		abort();
	fclose(file);
	kerror_boot_parse(name, boot->boot);
	boot->instance = instance;
	strcpy(boot->release, "6.66");
	if (boot->end == KERROR_END_PANIC)
		strcpy(boot->message, "it hurts");
	boot->time_realtime = 1000000000;
	boot->time_boot = 2000000000;
	return events;
}

int kerror_boots(struct kerror_boot *boots, size_t most)
{
	const char *folder = getenv("FAKE_EARLIER");
	struct dirent **entries;
	int found = folder ? scandir(folder, &entries, NULL, alphasort) : -1, count = 0;

	for (int i = 0; i < found; i++) {
		if (strlen(entries[i]->d_name) == 36 && (size_t)count < most)
			read_earlier(entries[i]->d_name, &boots[count++]);
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return count;
}

int kerror_boot_name(const uint8_t boot[16])
{
	char name[37];
	FILE *file = getenv("FAKE_EARLIER") ? open_earlier("named", "we") : NULL;

	if (!file)
		return -EOPNOTSUPP;
	kerror_boot_text(boot, name);
	fputs(name, file);
	fclose(file);
	return 0;
}

int kerror_boot_drop(const struct kerror_boot *boot)
{
	char name[37], path[512];

	kerror_boot_text(boot->boot, name);
	snprintf(path, sizeof(path), "%s/%s", getenv("FAKE_EARLIER"), name);
	return unlink(path) ? -errno : 0;
}

static void take_request(struct kerror_socket *sock,
			 const struct kerror_reader *reader)
{
	const struct nlmsghdr *request;
	const struct kerror_request *body;
	struct kerror_boot boot;
	struct stream *stream;
	char name[37];
	size_t size;

	request = kerror_reader_request(reader, &size);
	body = (const void *)(request + 1);
	stream = &sock->stream[kerror_group_index(body->group)];
	if (sock->old && stream->group == KERROR_GROUP_PRINTK) {
		sock->refused = request->nlmsg_type;
		return;
	}
	if (request->nlmsg_type == KERROR_MSG_STATISTICS) {
		stream->statistics_wanted = true;
		return;
	}
	sock->replayed = stream;
	sock->replay_sequence = request->nlmsg_seq;
	sock->replay = body->flags & KERROR_REPLAY_BOOT ? 0 :
		       (uint32_t)(body->sequence - KERROR_SEQUENCE_FIRST);
	sock->replay_end = raised(sock, stream);
	sock->history_lost = 0;
	if (body->flags & KERROR_REPLAY_EARLIER) {
		const struct kerror_boot_request *about = (const void *)body;

		kerror_boot_text(about->boot, name);
		sock->replay = 0;
		sock->replay_end = read_earlier(name, &boot);
		if (about->instance != boot.instance)
			abort();
		return;
	}
	if (sock->replay_end > sock->history &&
	    sock->replay < sock->replay_end - sock->history) {
		sock->history_lost = sock->replay_end - sock->history -
				     sock->replay;
		sock->replay += sock->history_lost;
	}
}

/* The answer to a request for a group that this kernel does not have */
static void make_refusal(struct kerror_socket *sock)
{
	struct {
		struct nlmsgerr error;
		struct kerror_request request;
	} answer = {
		.error.error = -EINVAL, .error.msg.nlmsg_type = sock->refused,
		.request.group = KERROR_GROUP_PRINTK,
	};

	sock->refused = 0;
	begin_message(sock, NLMSG_ERROR, 0, 0, &answer, sizeof(answer));
}

static void make_statistics(struct kerror_socket *sock, struct stream *stream)
{
	struct kerror_statistics statistics = {
		.numbered = raised(sock, stream), .group = stream->group,
		.sequence_next = KERROR_SEQUENCE_FIRST +
				 (uint32_t)stream->broadcast,
		.causes = KERROR_CAUSES,
		.lost[KERROR_LOST_STAGING_FULL] = lost(stream),
	};

	stream->statistics_wanted = false;
	begin_message(sock, KERROR_MSG_STATISTICS, 0, 0, &statistics,
		      sizeof(statistics));
}

/* The next datagram of the replay that runs */
static void make_replay(struct kerror_socket *sock)
{
	struct stream *stream = sock->replayed;
	struct kerror_loss loss = {
		.count = lost(stream), .total = lost(stream),
		.group = stream->group, .cause = KERROR_LOST_STAGING_FULL,
	};
	int done = 0;

	if (sock->history_lost) {
		loss.count = sock->history_lost;
		loss.total = 0;
		loss.cause = KERROR_LOST_HISTORY;
		sock->history_lost = 0;
		begin_message(sock, KERROR_MSG_LOSS, NLM_F_MULTI,
			      KERROR_SEQUENCE_FIRST + (uint32_t)sock->replay,
			      &loss, sizeof(loss));
	} else if (loss.count && !sock->replay && !stream->loss_told) {
		stream->loss_told = true;
		begin_message(sock, KERROR_MSG_LOSS, NLM_F_MULTI,
			      KERROR_SEQUENCE_FIRST, &loss, sizeof(loss));
	} else if (sock->replay < sock->replay_end) {
		make_event(sock, stream, sock->replay++, NLM_F_MULTI);
	} else {
		sock->replayed = NULL;
		begin_message(sock, NLMSG_DONE, NLM_F_MULTI,
			      sock->replay_sequence, &done, sizeof(done));
	}
}

/* Makes the next datagram; false if there is none yet. */
static bool make_datagram(struct kerror_socket *sock, uint32_t *group)
{
	struct stream *stream, *end = sock->stream + KERROR_GROUP_COUNT;

	*group = 0;
	if (sock->refused) {
		make_refusal(sock);
		return true;
	}
	for (stream = sock->stream; stream < end; stream++) {
		if (stream->statistics_wanted) {
			make_statistics(sock, stream);
			return true;
		}
	}
	if (sock->replayed) {
		make_replay(sock);
		return true;
	}
	for (stream = sock->stream; stream < end; stream++) {
		if (sock->groups & stream->group &&
		    stream->broadcast < raised(sock, stream)) {
			*group = stream->group;
			make_event(sock, stream, stream->broadcast++, 0);
			return true;
		}
	}
	return false;
}

int kerror_socket_next(struct kerror_socket *sock, struct kerror_reader *reader,
		       int timeout, enum kerror_item *item)
{
	uint64_t ticks;
	uint32_t group;

	for (;;) {
		*item = kerror_reader_next(reader);
		if (*item == KERROR_ITEM_REQUEST) {
			take_request(sock, reader);
			continue;
		}
		if (*item != KERROR_ITEM_NONE)
			return 0;
		if (make_datagram(sock, &group)) {
			kerror_reader_feed(reader, group, &sock->datagram,
					   sock->datagram.header.nlmsg_len);
			continue;
		}
		if (kerror_reader_drained(reader))
			continue;
		if (read(sock->timer, &ticks, sizeof(ticks)) < 0 &&
		    errno != EAGAIN)
			return -errno;
		if (!timeout)
			return 0;
		poll(&(struct pollfd) { .fd = sock->timer, .events = POLLIN }, 1,
		     timeout);
		if (timeout > 0)
			timeout = 0;
	}
}
