// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures error events beside what else tells user space of errors, with the
 * module test_evlog_bench: bench [cost|brief|printk] [readers|daemons]
 *
 *   cost     what a call costs its caller; brief: in process context only;
 *            printk: that of printk() only, as it is set
 *   readers  events per second into a program that decodes them, and the time
 *            from the call to that program
 *
 * Prints one line a measurement, for scripts/bench.sh:
 *
 *   cost WHAT CONTEXT LISTENERS MEDIAN LOW HIGH FAILED	nanoseconds per call;
 *	low and high are the 10th and the 90th percentile of the rounds.
 *	WHAT_forwarded is printk() that makes an event of each message. In the
 *	context "rest" each call is the first of its process after 20 ms.
 *   ratio WHAT_forwarded CONTEXT LISTENERS MEDIAN LOW HIGH	of a round to the
 *	one right before, in which nothing is forwarded
 *   rate WHAT MEDIAN LOW HIGH RAISED READER WORKER	events per second, decoded
 *	and raised; processor nanoseconds per decoded event, of the reader and
 *	of the kernel's thread, if there is one
 *   latency WHAT idle|load MEDIAN P99 SAMPLES	nanoseconds
 *   memory WHAT BYTES
 *
 * Each reader takes the same from an event: time, the task, and the arguments
 * as numbers and text. For trace_pipe_raw and the text formats that is code
 * for this one event, the fastest there can be; for error events it is
 * libkerror, which knows none. kerrord_store and kerrord_json are kerrord with one
 * sink, on tmpfs: its processor time is that of receiving, decoding and writing.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "listener.h"

#ifndef NETLINK_KERROR
#define NETLINK_KERROR	27
#endif

#define DEVICE		"/dev/evlog_bench"
#define TRACING		"/sys/kernel/tracing"
#define EVLOG		"/sys/module/evlog/parameters/"
/* All is measured once in each pass, as machines are not of one speed. */
#define PASSES		5
#define ROUNDS		5	/* of a pass */
#define BURST		96	/* of 300 bytes, they fit 64 KiB of staging */
#define AFTER_REST	"rest"	/* in process context, a burst of one */
#define RATE_ROUNDS	5
#define RATE_MS		1000
#define SAMPLES		400
#define DAEMON_EVENTS	20000	/* of a round: the history has room for them */
#define PORTION		1000	/* and staging for these */

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static uint64_t percentile(const uint64_t *sorted, size_t number, unsigned int p)
{
	return sorted[(number - 1) * p / 100];
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* With one CPU there is nothing to choose. */
	sched_setaffinity(0, sizeof(set), &set);
}

/* ---- Caller's cost ---- */

struct cost {
	char what[32], context[16];
	bool both;		/* of printk(): not forwarded and forwarded */
	int listeners, burst;
	unsigned long failed[2];	/* [1]: forwarded */
	uint64_t rounds[2][PASSES * ROUNDS];
};

static struct cost all_costs[256];
static size_t costs_number;

static struct cost *plan(const char *what, const char *context, int listeners,
			 int burst)
{
	struct cost *cost = &all_costs[costs_number++];

	snprintf(cost->what, sizeof(cost->what), "%s", what);
	snprintf(cost->context, sizeof(cost->context), "%s", context);
	cost->listeners = listeners;
	cost->burst = burst;
	return cost;
}

/* Messages below @level become events; 0: none. */
static void forward(const char *level)
{
	if (put(EVLOG "printk", level))
		fail(EVLOG "printk");
}

/* How many messages have become events; 0 if this kernel makes none of them. */
static unsigned long forwarded(void)
{
	char line[32];

	get(EVLOG "forwarded", line, sizeof(line));
	return strtoul(line, NULL, 10);
}

/* Measures @number rounds from @at on. False: not in that context. */
static bool measure_rounds(struct cost *cost, bool forwards, int at, int number)
{
	char line[128], text[4096], *digit = text;
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	unsigned long before = forwarded();
	bool measured;
	ssize_t size;

	if (fd < 0)
		fail(DEVICE);
	snprintf(line, sizeof(line), "cost %s %s %d %d %d", cost->what,
		 strcmp(cost->context, AFTER_REST) ? cost->context : "process",
		 cost->listeners, cost->burst, number);
	if (forwards)
		forward("8");
	measured = write(fd, line, strlen(line)) >= 0;
	if (!measured && errno != EOPNOTSUPP)
		fail(line);
	if (forwards)
		forward("0");
	if (!measured) {
		close(fd);
		return false;
	}
	if (forwards && forwarded() - before <
	    (unsigned long)cost->burst * number) {
		errno = ENOMSG;
		fail(line);
	}
	size = read(fd, text, sizeof(text) - 1);
	if (size < 0)
		fail(line);
	close(fd);
	text[size] = '\0';
	cost->failed[forwards] += strtoul(digit, &digit, 10);
	for (int i = 0; i < number; i++)
		cost->rounds[forwards][at + i] = strtoull(digit, &digit, 10);
	return true;
}

/* In turns, if there are both: machines change from one moment to the next. */
static bool measure(struct cost *cost, int pass)
{
	const int first = pass * ROUNDS;

	if (!cost->both)
		return measure_rounds(cost, false, first, ROUNDS);
	for (int i = first; i < first + ROUNDS; i++)
		if (!measure_rounds(cost, false, i, 1) ||
		    !measure_rounds(cost, true, i, 1))
			return false;
	return true;
}

/* Sorts @values and prints their median, 10th and 90th percentile. */
static void show_values(const char *kind, const struct cost *cost,
			bool forwards, uint64_t *values)
{
	const size_t number = PASSES * ROUNDS;

	qsort(values, number, sizeof(*values), compare);
	printf("%s %s%s %s %d %.3f %.3f %.3f", kind, cost->what,
	       forwards ? "_forwarded" : "", cost->context, cost->listeners,
	       percentile(values, number, 50) / 1e3,
	       percentile(values, number, 10) / 1e3,
	       percentile(values, number, 90) / 1e3);
}

static void show(struct cost *cost)
{
	uint64_t ratios[PASSES * ROUNDS];

	if (cost->both)
		for (int i = 0; i < PASSES * ROUNDS; i++)
			ratios[i] = cost->rounds[1][i] * 1000 / cost->rounds[0][i];
	for (int i = 0; i <= cost->both; i++) {
		show_values("cost", cost, i, cost->rounds[i]);
		printf(" %lu\n", cost->failed[i]);
	}
	if (cost->both) {
		show_values("ratio", cost, true, ratios);
		putchar('\n');
	}
	fflush(stdout);
}

/* The memory of tracing was touched before, as that of the others: all of it, once. */
static void fill_trace(void)
{
	static const char line[] = "raise trace_event_3 100000 0";
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	cpu_set_t before;

	sched_getaffinity(0, sizeof(before), &before);
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		pin(cpu);
		if (write(fd, line, strlen(line)) < 0)
			fail(line);
	}
	sched_setaffinity(0, sizeof(before), &before);
	close(fd);
}

static void measure_all(void)
{
	fill_trace();
	for (int pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; i < costs_number; i++)
			if (!measure(&all_costs[i], pass))
				all_costs[i--] = all_costs[--costs_number];
	for (size_t i = 0; i < costs_number; i++)
		show(&all_costs[i]);
}

static void plan_all(const char *what, const char *context, int listeners,
		     int burst)
{
	struct cost *cost = plan(what, context, listeners, burst);

	cost->both = !access(EVLOG "printk", W_OK) &&
		     (!strncmp(what, "printk_", 7) ||
		      !strncmp(what, "dev_printk_", 11));
}

static void costs(size_t contexts_number)
{
	static const struct {
		const char *what;
		bool listened;
		int burst;
	} all[] = {
		{ "nothing", false, BURST }, { "clock", false, BURST },
		{ "floor_0", false, BURST }, { "floor_3", false, BURST },
		{ "floor_8", false, BURST }, { "floor_64", false, BURST },
		{ "floor_256", false, BURST }, { "floor_1024", false, BURST / 3 },
		{ "floor_4096", false, BURST / 12 },
		{ "floor_raw_64", false, BURST },
		{ "evl_printf_0", true, BURST }, { "evl_printf_3", true, BURST },
		{ "evl_printf_8", true, BURST },
		{ "evl_write_64", true, BURST },
		{ "evl_write_256", true, BURST },
		{ "evl_write_1024", true, BURST / 3 },
		{ "evl_write_4096", true, BURST / 12 },
		{ "kernel_error_event_64", true, BURST },
		{ "printk_0", false, BURST }, { "printk_3", false, BURST },
		{ "printk_8", false, BURST }, { "dev_printk_3", false, BURST },
		{ "trace_printk_0", false, BURST },
		{ "trace_printk_3", false, BURST },
		{ "trace_printk_8", false, BURST },
		{ "trace_event_3", false, BURST },
		{ "trace_event_8", false, BURST },
		{ "audit_log_3", true, BURST },
		{ "kobject_uevent_3", true, BURST },
		{ "broadcast_3", true, BURST },
	};
	static const char *const contexts[] = {
		"process", "softirq", "hardirq", "all-cpus",
	};
	static const int listeners[] = { 0, 1, 32 };

	for (size_t c = 0; c < contexts_number; c++)
		for (size_t l = 0; l < 3; l++)
			for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
				if ((!l || all[i].listened) && (!l || c < 3))
					plan_all(all[i].what, contexts[c],
						 listeners[l], all[i].burst);
	plan("evl_printf_3", AFTER_REST, 0, 1);
	plan("printk_3", AFTER_REST, 0, 1);
	plan("trace_event_3", AFTER_REST, 0, 1);
	for (int number = 2; number < 32; number *= 2) {
		plan("evl_printf_3", "process", number, BURST);
		plan("broadcast_3", "process", number, BURST);
	}
	measure_all();
}

static void costs_of_printk(void)
{
	plan_all("printk_0", "process", 0, BURST);
	plan_all("printk_3", "process", 0, BURST);
	plan_all("printk_8", "process", 0, BURST);
	plan_all("dev_printk_3", "process", 0, BURST);
	measure_all();
}

/* ---- Readers ---- */

/* The fields that are taken from each event. */
struct fields {
	uint64_t time;
	uint32_t task;
	int queue;
	uint64_t since;
	char device[16];
};

static struct fields got;
static uint64_t events;		/* decoded since the reader was opened */
static uint64_t begun;		/* when what is measured was */
static uint64_t latencies[SAMPLES];
static size_t samples;

static uint64_t aligned[8192];
static char *const buffer = (char *)aligned;

static void event_decoded(void)
{
	events++;
	/* Some have waited since an earlier measurement. */
	if (samples < SAMPLES && got.since >= begun)
		latencies[samples++] = now() - got.since;
}

/*
 * A reader reads until there is no more, or until this time: in a flood that is faster
 * than the reader there is always more.
 */
static uint64_t read_until;

static bool is_over(void)
{
	static unsigned int asked;

	return !(++asked % 64) && now() >= read_until;
}

/* Reads digits up to the next character that is none. */
static uint64_t digits(const char **at)
{
	uint64_t number = 0;

	while (isdigit((unsigned char)**at))
		number = number * 10 + (*(*at)++ - '0');
	return number;
}

/* Passes over @text if it is there. */
static bool skip(const char **at, const char *text)
{
	size_t size = strlen(text);

	if (strncmp(*at, text, size))
		return false;
	*at += size;
	return true;
}

static void word(const char **at, char *text, size_t size)
{
	size_t length = strcspn(*at, "\n ");

	if (length >= size)
		length = size - 1;
	memcpy(text, *at, length);
	text[length] = '\0';
	*at += length;
}

static int listen_netlink(int protocol, unsigned int groups)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = groups,
	};
	int size = 16 << 20;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("netlink socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* A way to get events; read() takes what there is. */
struct source {
	const char *name;
	const char *raise;	/* of the module */
	const char *worker;	/* thread of the kernel that delivers */
	int (*open)(void);	/* returns what to poll */
	void (*read)(int fd);
	void (*close)(int fd);
};

static void close_fd(int fd)
{
	close(fd);
}

static struct kerror_socket *kerror_sock;
static struct kerror_reader *kerror_reader;

static int kerror_open(void)
{
	if (kerror_socket_open(&kerror_sock, KERROR_GROUP_EVLOG))
		fail("kerror socket");
	kerror_reader = kerror_reader_new(KERROR_GROUP_EVLOG);
	if (!kerror_reader)
		fail("kerror reader");
	return kerror_socket_fd(kerror_sock);
}

/* The common part of all that libkerror reads. */
static void take_event(const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_argument argument[3];

	for (int i = 0; i < 3; i++)
		if (kerror_event_argument(event, i, &argument[i]))
			return;
	got.time = header->time_realtime;
	got.task = header->tid;
	got.queue = argument[0].number;
	got.since = argument[1].number;
	if (argument[2].size >= sizeof(got.device))
		return;
	memcpy(got.device, argument[2].text, argument[2].size);
	got.device[argument[2].size] = '\0';
	event_decoded();
}

static void kerror_read(int fd)
{
	enum kerror_item item;

	(void)fd;
	do {
		if (kerror_socket_next(kerror_sock, kerror_reader, 0, &item))
			fail("kerror_socket_next");
		if (item == KERROR_ITEM_EVENT)
			take_event(kerror_reader_event(kerror_reader));
	} while (item != KERROR_ITEM_NONE && !is_over());
}

/* One event a datagram, as a reader with a filter gets them */
static int kerror_filter_open(void)
{
	static struct kerror_filter *filter;
	int fd = kerror_open();

	if (!filter && kerror_filter_new(&filter, "type==1", NULL, 0))
		fail("kerror filter");
	if (kerror_socket_set_filter(kerror_sock, filter))
		fail("kerror_socket_set_filter");
	kerror_reader_filtered(kerror_reader);
	return fd;
}

static void kerror_close(int fd)
{
	(void)fd;
	kerror_reader_free(kerror_reader);
	kerror_socket_close(kerror_sock);
}

static int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/kmsg");
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* "7,1234,5678901,-;queue 1 stalled since 2 on eth0" */
static void kmsg_read(int fd)
{
	const char *at;
	ssize_t size;

	while (!is_over() &&
	       ((size = read(fd, buffer, sizeof(aligned) - 1)) > 0 ||
		(size < 0 && errno == EPIPE))) {
		if (size < 0)
			continue;
		buffer[size] = '\0';
		at = buffer;
		digits(&at);
		skip(&at, ",");
		digits(&at);
		skip(&at, ",");
		got.time = digits(&at) * 1000;
		at = strchr(at, ';');
		if (!at++ || !skip(&at, "queue "))
			continue;
		got.queue = digits(&at);
		if (!skip(&at, " stalled since "))
			continue;
		got.since = digits(&at);
		if (!skip(&at, " on "))
			continue;
		word(&at, got.device, sizeof(got.device));
		event_decoded();
	}
}

static unsigned int trace_id, trace_queue, trace_since, trace_device;

static int trace_open(void)
{
	FILE *format = fopen(TRACING
			     "/events/test_evlog_bench/bench_3/format", "r");
	unsigned int offset;
	char line[256], type[64], name[64];
	int fd;

	if (!format)
		fail("format");
	while (fgets(line, sizeof(line), format)) {
		if (sscanf(line, "ID: %u", &trace_id) == 1)
			continue;
		if (sscanf(line, " field:%63[^;]; offset:%u;", type, &offset) != 2)
			continue;
		snprintf(name, sizeof(name), "%s", strrchr(type, ' ') + 1);
		if (!strcmp(name, "queue"))
			trace_queue = offset;
		else if (!strcmp(name, "since"))
			trace_since = offset;
		else if (!strncmp(name, "device", 6))
			trace_device = offset;
	}
	fclose(format);
	/* Wakes the reader for each event. */
	if (put(TRACING "/trace", "\n") || put(TRACING "/buffer_percent", "0"))
		fail(TRACING);
	fd = open(TRACING "/per_cpu/cpu0/trace_pipe_raw",
		  O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fail("trace_pipe_raw");
	return fd;
}

/* Pages of the ring buffer, as events/header_page and header_event say. */
static void trace_read(int fd)
{
	ssize_t size;

	while (!is_over() && (size = read(fd, buffer, 4096)) > 0) {
		uint64_t time, commit;
		const char *at, *end;

		memcpy(&time, buffer, 8);
		memcpy(&commit, buffer + 8, 8);
		at = buffer + 16;
		end = at + (commit & 0xfffff);
		while (at < end) {
			uint32_t head, first;
			unsigned int type, length;
			const char *data = at + 4;

			memcpy(&head, at, 4);
			memcpy(&first, at + 4, 4);
			type = head & 31;
			if (type == 29) {	/* padding */
				if (!(head >> 5))
					break;
				at += 4 + first;
				continue;
			}
			if (type == 30) {	/* time is extended */
				time += (head >> 5) + ((uint64_t)first << 27);
				at += 8;
				continue;
			}
			if (type == 31) {	/* time is absolute */
				time = (head >> 5) + ((uint64_t)first << 27);
				at += 8;
				continue;
			}
			time += head >> 5;
			length = type * 4;
			if (!type) {
				length = first - 4;
				data += 4;
			}
			at = data + length;
			if (*(const uint16_t *)data != trace_id)
				continue;
			got.time = time;
			memcpy(&got.task, data + 4, 4);
			memcpy(&got.queue, data + trace_queue, 4);
			memcpy(&got.since, data + trace_since, 8);
			memcpy(got.device, data + trace_device, 8);
			event_decoded();
		}
	}
}

/* Registers as the one that audit records go to, or as nobody. */
static void audit_set(int fd, uint32_t pid)
{
	struct {
		struct nlmsghdr header;
		struct audit_status status;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = AUDIT_SET,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.status = {
			.mask = AUDIT_STATUS_PID | AUDIT_STATUS_ENABLED,
			.enabled = 1,
			.pid = pid,
		},
	};

	if (send(fd, &message, sizeof(message), 0) < 0)
		fail("AUDIT_SET");
}

static int audit_open(void)
{
	int fd = listen_netlink(NETLINK_AUDIT, 0);

	audit_set(fd, getpid());
	return fd;
}

static void audit_close(int fd)
{
	audit_set(fd, 0);
	close(fd);
}

/* "audit(1234.567:89): op=stalled queue=1 since=2 device=eth0" */
static void audit_read(int fd)
{
	const struct nlmsghdr *header = (void *)buffer;
	const char *at;
	ssize_t size;

	while (!is_over() &&
	       ((size = recv(fd, buffer, sizeof(aligned) - 1, 0)) > 0 ||
		(size < 0 && errno == ENOBUFS))) {
		if (size < 0 || header->nlmsg_type != AUDIT_KERNEL_OTHER)
			continue;
		buffer[size] = '\0';
		at = buffer + NLMSG_HDRLEN;
		if (!skip(&at, "audit("))
			continue;
		got.time = digits(&at) * 1000000000;
		skip(&at, ".");
		got.time += digits(&at) * 1000000;
		at = strstr(at, "): ");
		if (!at)
			continue;
		at += 3;
		if (!skip(&at, "op=stalled queue="))
			continue;
		got.queue = digits(&at);
		if (!skip(&at, " since="))
			continue;
		got.since = digits(&at);
		if (!skip(&at, " device="))
			continue;
		word(&at, got.device, sizeof(got.device));
		event_decoded();
	}
}

static int uevent_open(void)
{
	return listen_netlink(NETLINK_KOBJECT_UEVENT, 1);
}

/* Strings, each ending with a NUL: KEY=VALUE */
static void uevent_read(int fd)
{
	const char *at, *end;
	ssize_t size;

	while (!is_over() &&
	       ((size = recv(fd, buffer, sizeof(aligned) - 1, 0)) > 0 ||
		(size < 0 && errno == ENOBUFS))) {
		unsigned int found = 0;

		if (size < 0)
			continue;
		buffer[size] = '\0';
		end = buffer + size;
		for (at = buffer; at < end; at += strlen(at) + 1) {
			if (skip(&at, "QUEUE=")) {
				got.queue = digits(&at);
				found |= 1;
			} else if (skip(&at, "SINCE=")) {
				got.since = digits(&at);
				found |= 2;
			} else if (skip(&at, "DEVICE=")) {
				word(&at, got.device, sizeof(got.device));
				found |= 4;
			}
		}
		if (found == 7)
			event_decoded();
	}
}

static const struct source sources[] = {
	{ "kerror", "evl_printf_3", "kerror", kerror_open, kerror_read, kerror_close },
	{ "kerror_filter", "evl_printf_3", "kerror", kerror_filter_open, kerror_read,
	  kerror_close },
	{ "kmsg", "printk_3", NULL, kmsg_open, kmsg_read, close_fd },
	{ "trace_pipe_raw", "trace_event_3", NULL, trace_open, trace_read, close_fd },
	{ "audit", "audit_log_3", "kauditd", audit_open, audit_read, audit_close },
	{ "uevent", "kobject_uevent_3", NULL, uevent_open, uevent_read, close_fd },
};

#define SOURCES	(sizeof(sources) / sizeof(*sources))

/*
 * Starts a process that raises events on CPU 0: @count of them with a pause of
 * @pause us, or, without a count, as many as it can until it is killed; it
 * counts them in @raised, which is shared.
 */
static pid_t start_raising(const struct source *source, int count, int pause,
			   int pipe_fd)
{
	unsigned int portion = count ? count : PORTION;
	char line[64];
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	pin(0);
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	snprintf(line, sizeof(line), "raise %s %u %d", source->raise, portion,
		 pause);
	do {
		if (write(fd, line, strlen(line)) < 0)
			_exit(1);
		if (!count && write(pipe_fd, &portion, sizeof(portion)) < 0)
			_exit(1);
	} while (!count);
	_exit(0);
}

static void read_for(const struct source *source, int fd, uint64_t until)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	read_until = until;
	while (now() < until) {
		if (poll(&poll_fd, 1, 100) > 0)
			source->read(fd);
	}
}

/* Nanoseconds that a process has used of a processor. */
static uint64_t used(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		fail("processor time");
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* The same of a thread of the kernel; 0 if there is none of that name. */
static uint64_t used_by(const char *name)
{
	char path[300], line[64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	clockid_t clock;
	uint64_t found = 0;

	while (name && proc && !found && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		get(path, line, sizeof(line));
		if (!strcmp(line, name) &&
		    !clock_getcpuclockid(atoi(entry->d_name), &clock))
			found = used(clock);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void show_rate(const char *name, uint64_t *decoded, uint64_t *raised,
		      uint64_t reader, uint64_t worker)
{
	qsort(decoded, RATE_ROUNDS, sizeof(*decoded), compare);
	qsort(raised, RATE_ROUNDS, sizeof(*raised), compare);
	printf("rate %s %llu %llu %llu %llu %llu %llu\n", name,
	       (unsigned long long)decoded[RATE_ROUNDS / 2],
	       (unsigned long long)decoded[0],
	       (unsigned long long)decoded[RATE_ROUNDS - 1],
	       (unsigned long long)raised[RATE_ROUNDS / 2],
	       (unsigned long long)reader, (unsigned long long)worker);
	fflush(stdout);
}

static void measure_rate(const struct source *source)
{
	uint64_t decoded[RATE_ROUNDS], raised[RATE_ROUNDS];
	uint64_t reader = 0, worker = 0, number = 0;

	for (int i = 0; i < RATE_ROUNDS; i++) {
		unsigned int portion;
		uint64_t begin, before;
		int ends[2], fd = source->open();
		pid_t pid;

		samples = SAMPLES;
		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
			fail("pipe");
		pid = start_raising(source, 0, 0, ends[1]);
		read_for(source, fd, now() + RATE_MS * 1000000ULL / 5);
		while (read(ends[0], &portion, sizeof(portion)) > 0)
			;
		begin = now();
		before = events;
		raised[i] = 0;
		reader -= used(CLOCK_PROCESS_CPUTIME_ID);
		worker -= used_by(source->worker);
		read_for(source, fd, begin + RATE_MS * 1000000ULL);
		reader += used(CLOCK_PROCESS_CPUTIME_ID);
		worker += used_by(source->worker);
		number += events - before;
		begin = now() - begin;
		decoded[i] = (events - before) * 1000000000ULL / begin;
		while (read(ends[0], &portion, sizeof(portion)) > 0)
			raised[i] += portion;
		raised[i] = raised[i] * 1000000000ULL / begin;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		source->close(fd);
		close(ends[0]);
		close(ends[1]);
		usleep(200000);
	}
	show_rate(source->name, decoded, raised, number ? reader / number : 0,
		  number ? worker / number : 0);
}

/*
 * Waits until the process has nothing to do. Returns when that began, as fine as
 * one look.
 */
static uint64_t idle_since(clockid_t clock)
{
	uint64_t last = used(clock), busy = now();

	for (int idle = 0; idle < 15; idle++) {
		usleep(20000);
		if (used(clock) - last > 200000) {
			busy = now();
			idle = 0;
		}
		last = used(clock);
	}
	return busy;
}

static uint64_t daemon_metric(const char *path, const char *name,
			      const char *sink)
{
	FILE *file = fopen(path, "r");
	unsigned long long value = 0;
	char line[256], format[128];
	bool found = false;

	snprintf(format, sizeof(format), "%s{sink=\"%s\"} %%llu", name, sink);
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, format, &value) == 1;
	if (!found)
		fail(path);
	fclose(file);
	return value;
}

static pid_t start_daemon(const char *sink, const char *folder)
{
	char path[64];
	FILE *file;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/conf", folder);
	if (mkdir(folder, 0700))
		fail(folder);
	file = fopen(path, "w");
	if (!file)
		fail(path);
	fprintf(file, "[kerrord]\nuser = root\nstate = %s\n"
		"[metrics]\ninterval = 1h\ntextfile = %s/metrics\n"
		"[%s]\npath = %s/events\n", folder, folder, sink, folder);
	if (fclose(file))
		fail(path);
	pid = fork();
	if (!pid) {
		execl("/bin/kerrord", "kerrord", "-c", path, NULL);
		fail("/bin/kerrord");
	}
	if (pid < 0)
		fail("fork");
	return pid;
}

/* kerrord as a reader, with one sink; all that it is sent must be written. */
static void measure_daemon(const char *sink)
{
	const struct source *source = &sources[0];
	uint64_t decoded[RATE_ROUNDS], raised[RATE_ROUNDS];
	uint64_t reader = 0, worker = 0;
	char name[32], folder[32], path[64];
	clockid_t clock;
	pid_t pid;
	int status;

	snprintf(name, sizeof(name), "kerrord_%s", sink);
	snprintf(folder, sizeof(folder), "/tmp/%s", name);
	pid = start_daemon(sink, folder);
	if (clock_getcpuclockid(pid, &clock))
		fail("clock_getcpuclockid");
	sleep(1);
	/* It begins with what is in the history. */
	idle_since(clock);
	for (int i = 0; i < RATE_ROUNDS; i++) {
		uint64_t begin = now();

		reader -= used(clock);
		worker -= used_by(source->worker);
		for (int n = 0; n < DAEMON_EVENTS; n += PORTION) {
			waitpid(start_raising(source, PORTION, 0, -1), NULL, 0);
			usleep(2000);
		}
		raised[i] = DAEMON_EVENTS * 1000000000ULL / (now() - begin);
		decoded[i] = DAEMON_EVENTS * 1000000000ULL /
			     (idle_since(clock) - begin);
		reader += used(clock);
		worker += used_by(source->worker);
	}
	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || status) {
		errno = ECHILD;
		fail(name);
	}
	snprintf(path, sizeof(path), "%s/metrics", folder);
	if (daemon_metric(path, "kerror_sink_dropped_total", sink) ||
	    daemon_metric(path, "kerror_sink_written_total", sink) <
	    RATE_ROUNDS * DAEMON_EVENTS) {
		errno = EBADE;
		fail(path);
	}
	show_rate(name, decoded, raised,
		  reader / (RATE_ROUNDS * DAEMON_EVENTS),
		  worker / (RATE_ROUNDS * DAEMON_EVENTS));
}

static void measure_latency(const struct source *source, bool loaded)
{
	pid_t load[2] = { 0 }, pid;
	int fd = source->open();

	for (int i = 0; loaded && i < 2; i++) {
		load[i] = fork();
		if (!load[i]) {
			pin(i);
			for (;;)
				now();
		}
	}
	samples = 0;
	begun = now();
	pid = start_raising(source, SAMPLES, 2000, -1);
	while (samples < SAMPLES) {
		read_for(source, fd, now() + 100000000);
		if (waitpid(pid, NULL, WNOHANG) == pid)
			break;
	}
	read_for(source, fd, now() + 200000000);
	for (int i = 0; loaded && i < 2; i++) {
		kill(load[i], SIGKILL);
		waitpid(load[i], NULL, 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	source->close(fd);
	if (!samples) {
		errno = ETIME;
		fail(source->name);
	}
	qsort(latencies, samples, sizeof(*latencies), compare);
	printf("latency %s %s %llu %llu %zu\n", source->name,
	       loaded ? "load" : "idle",
	       (unsigned long long)percentile(latencies, samples, 50),
	       (unsigned long long)percentile(latencies, samples, 99), samples);
	fflush(stdout);
}

/* ---- Memory ---- */

static void put_memory(const char *what, uint64_t bytes)
{
	printf("memory %s %llu\n", what, (unsigned long long)bytes);
}

/* Memory that the kernel has allocated for events that wait for a reader. */
static void queued(const char *what, unsigned int groups)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(memory);
	int fd = listen_netlink(NETLINK_KERROR, groups);
	const unsigned int number = 100;

	waitpid(start_raising(&sources[0], number, 0, -1), NULL, 0);
	usleep(100000);
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size))
		fail("SO_MEMINFO");
	put_memory(what, memory[SK_MEMINFO_RMEM_ALLOC] / number);
	if (groups == KERROR_GROUP_EVLOG)
		put_memory("one event, 3 arguments, as sent",
			   recv(fd, buffer, sizeof(aligned), 0));
	close(fd);
}

static void memory(void)
{
	static const struct {
		const char *what, *path;
	} parameters[] = {
		{ "staging of each CPU, as booted",
		  "/sys/module/kerror/parameters/staging_kb" },
		{ "history of each group, as booted",
		  "/sys/module/kerror/parameters/history_kb" },
	};

	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(parameters[i].path, "r");
		unsigned int kb = 0;

		if (!file || fscanf(file, "%u", &kb) != 1)
			fail(parameters[i].path);
		fclose(file);
		put_memory(parameters[i].what, kb * 1024ULL);
	}
	queued("one event in a receive queue", KERROR_GROUP_EVLOG);
	queued("one event in a receive queue of batches",
	       KERROR_GROUP_EVLOG_BATCH);
}

static void daemons(void)
{
	measure_daemon("store");
	measure_daemon("json");
}

static void readers(void)
{
	memory();
	pin(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (size_t i = 0; i < SOURCES; i++)
		measure_rate(&sources[i]);
	daemons();
	for (size_t i = 0; i < SOURCES; i++)
		measure_latency(&sources[i], false);
	for (size_t i = 0; i < SOURCES; i++)
		measure_latency(&sources[i], true);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "cost"))
			costs(sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 4 : 3);
		else if (!strcmp(argv[i], "brief"))
			costs(1);
		else if (!strcmp(argv[i], "printk"))
			costs_of_printk();
		else if (!strcmp(argv[i], "readers"))
			readers();
		else if (!strcmp(argv[i], "daemons"))
			daemons();
		else
			return 2;
	}
	return 0;
}
