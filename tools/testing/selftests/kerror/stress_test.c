// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stress: the module test_evlog_stress raises events from everywhere at once,
 * while readers come, go, are killed, and never read, CPUs come and go, and
 * memory allocations fail. Whatever happens: each event is received or counted
 * as lost, exactly, and each source's events are in order.
 *
 * Run as root with that module loaded. The environment variable STRESS_EVENTS
 * says how many events (1,000,000); with STRESS_FORWARD=8 each message of the
 * kernel that is printed meanwhile is one, too, and accounted for likewise.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include "../kselftest_harness.h"
#include "listener.h"

#define PARAMETERS	"/sys/module/test_evlog_stress/parameters/"
#define EVLOG_PARAMETERS "/sys/module/evlog/parameters/"
#define KINDS		8
#define SOURCES		(256 * KINDS)	/* of as many CPUs */

static const char *const kinds[KINDS] = {
	"thread", "softirq", "hrtimer", "irq_work", "nmi", "scheduler",
	"delivery", "printk",
};

/* How raw events and binary data of the module begin. */
struct stress_event {
	uint32_t source;
	uint32_t counter[GROUPS];
};

FIXTURE(stress) {
	struct listener listener;
	uint64_t raised[GROUPS], received[GROUPS], lost[GROUPS];
	uint64_t by_kind[KINDS], messages;
	uint32_t next[SOURCES][GROUPS];
	unsigned int disorder, unknown;
	pid_t helpers[8];
	unsigned int helper_count;
};

/* Whether messages of the kernel are to be events: the level, as a number. */
static const char *forward(void)
{
	const char *level = getenv("STRESS_FORWARD");

	return level ? level : "0";
}

/* Those of the module, and messages of the kernel. */
static void read_raised(uint64_t raised[GROUPS])
{
	char line[64];
	unsigned long long raw = 0, evlog = 0, printk = 0, messages = 0;

	get(PARAMETERS "raised", line, sizeof(line));
	if (sscanf(line, "%llu %llu %llu", &raw, &evlog, &printk) != 3)
		return;
	if (!access(EVLOG_PARAMETERS "forwarded", R_OK)) {
		get(EVLOG_PARAMETERS "forwarded", line, sizeof(line));
		messages = strtoull(line, NULL, 10);
	}
	raised[0] = raw;
	raised[1] = evlog;
	raised[2] = printk + messages;
}

/* Asks for the counters of all groups, so that all totals are known. */
static bool know_counters(struct listener *listener)
{
	enum kerror_item item;
	unsigned int answers = 0;

	kerror_reader_want_statistics(listener->reader);
	while (answers < GROUPS) {
		item = next_item(listener, PATIENCE_MS);
		if (item == KERROR_ITEM_NONE || item == KERROR_ITEM_ERROR)
			return false;
		answers += item == KERROR_ITEM_STATISTICS;
	}
	return true;
}

FIXTURE_SETUP(stress)
{
	ASSERT_EQ(0, access(PARAMETERS "start", W_OK)) {
		TH_LOG("load test_evlog_stress and run this as root");
	}
	memset(self, 0, sizeof(*self));
	/* Events that an earlier test left in staging. */
	sleep(1);
	ASSERT_TRUE(listen_to(&self->listener, EACH_GROUP, false));
	ASSERT_TRUE(know_counters(&self->listener));
	read_raised(self->raised);
}

FIXTURE_TEARDOWN(stress)
{
	unsigned int i;

	for (i = 0; i < self->helper_count; i++)
		kill(self->helpers[i], SIGKILL);
	if (*forward() != '0')
		put(EVLOG_PARAMETERS "printk", "0");
	stop_listening(&self->listener);
}

static bool decode(const struct kerror_event *event, struct stress_event *out)
{
	struct kerror_argument source, counter;
	const void *data;
	size_t size;

	if (kerror_event_format(event)) {
		if (kerror_event_argument(event, 0, &source) ||
		    kerror_event_argument(event, 1, &counter))
			return false;
		out->source = source.number;
		out->counter[1] = counter.number;
		return true;
	}
	data = kerror_event_header(event) ? kerror_event_payload(event, &size) :
	       kerror_event_data(event, &size);
	if (size < sizeof(*out))
		return false;
	memcpy(out, data, sizeof(*out));
	return true;
}

static void take(struct _test_data_stress *self,
		 const struct kerror_event *event)
{
	unsigned int group = kerror_group_index(kerror_event_group(event));
	const struct evl_header *header = kerror_event_header(event);
	struct stress_event found;
	uint32_t *next;

	self->received[group]++;
	if (header && header->flags & EVL_FLAG_PRINTK) {
		self->messages++;
		return;
	}
	if (!decode(event, &found) || found.source >= SOURCES) {
		self->unknown++;
		return;
	}
	self->by_kind[found.source % KINDS]++;
	next = &self->next[found.source][group];
	if ((int32_t)(found.counter[group] - *next) < 0)
		self->disorder++;
	*next = found.counter[group] + 1;
}

/* Starts a process that does something until it is killed. */
static void help(struct _test_data_stress *self, void (*what)(void))
{
	pid_t pid = fork();

	if (!pid) {
		what();
		_exit(0);
	}
	if (pid > 0)
		self->helpers[self->helper_count++] = pid;
}

/* Reads until the module has raised @events and all are accounted for. */
static bool raise_and_read(struct _test_data_stress *self, unsigned long events)
{
	struct kerror_reader *reader = self->listener.reader;
	uint32_t answered = 0;	/* groups */
	unsigned int items = 0;
	bool asked = false;
	char number[32];
	int status = -1;
	pid_t pid;

	if (*forward() != '0' && put(EVLOG_PARAMETERS "printk", forward()))
		return false;
	snprintf(number, sizeof(number), "%lu", events);
	pid = fork();
	if (!pid)
		_exit(put(PARAMETERS "start", number) ? 1 : 0);
	for (;;) {
		enum kerror_item item = next_item(&self->listener, 500);

		if (pid && (item == KERROR_ITEM_NONE || items++ % 256 == 0) &&
		    waitpid(pid, &status, WNOHANG) == pid) {
			pid = 0;
			/* Messages would never end. */
			if (*forward() != '0')
				put(EVLOG_PARAMETERS "printk", "0");
		}
		switch (item) {
		case KERROR_ITEM_EVENT:
			take(self, kerror_reader_event(reader));
			break;
		case KERROR_ITEM_LOSS: {
			const struct kerror_loss *loss =
				kerror_reader_loss(reader);

			self->lost[kerror_group_index(loss->group)] +=
				loss->count;
			break;
		}
		case KERROR_ITEM_STATISTICS:
			answered |= kerror_reader_statistics(reader)->group;
			break;
		case KERROR_ITEM_ERROR:
			/* No memory for an answer, say. */
			asked = false;
			break;
		default:
			/* The counters may have told of events to ask for. */
			if (kerror_reader_replaying(reader))
				break;
			if (answered == EACH_GROUP)
				return WIFEXITED(status) && !WEXITSTATUS(status);
			if (!pid && !asked) {
				kerror_reader_want_statistics(reader);
				asked = true;
			}
		}
	}
}

static unsigned long event_count(unsigned long divisor)
{
	const char *events = getenv("STRESS_EVENTS");

	return (events ? strtoul(events, NULL, 0) : 1000000) / divisor;
}

#define EXPECT_ALL_ACCOUNTED_FOR()					\
do {									\
	uint64_t raised[GROUPS];					\
	unsigned int g, k;						\
									\
	read_raised(raised);						\
	for (g = 0; g < GROUPS; g++) {					\
		raised[g] -= self->raised[g];				\
		TH_LOG("%s: raised %llu = received %llu + lost %llu",	\
		       kerror_group_name(kerror_group_at(g)),		\
		       (unsigned long long)raised[g],			\
		       (unsigned long long)self->received[g],		\
		       (unsigned long long)self->lost[g]);		\
		EXPECT_EQ(raised[g], self->received[g] + self->lost[g]); \
		EXPECT_LT(0, self->received[g]);			\
	}								\
	for (k = 0; k < KINDS; k++)					\
		TH_LOG("received from %s: %llu", kinds[k],		\
		       (unsigned long long)self->by_kind[k]);		\
	if (*forward() != '0')						\
		TH_LOG("received messages of the kernel: %llu",		\
		       (unsigned long long)self->messages);		\
	EXPECT_EQ(0, self->disorder);					\
	EXPECT_EQ(0, self->unknown);					\
} while (0)

static void provoke_nmis(void)
{
	while (!put("/proc/sysrq-trigger", "l"))
		usleep(100000);
}

/* Why SysRq-l makes no NMI, or NULL. */
static const char *no_nmis(void)
{
	struct utsname name;

	if (uname(&name) || (strcmp(name.machine, "x86_64") &&
			     name.machine[0] != 'i'))
		return "no source of NMIs on this architecture";
	if (access("/proc/sysrq-trigger", W_OK))
		return "no SysRq in this kernel";
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return "the NMI goes to another CPU; there is one only";
	return NULL;
}

/* A hundred readers, killed wherever they are. */
static void kill_readers(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			freopen("/dev/null", "w", stdout);
			freopen("/dev/null", "w", stderr);
			execlp("kerrorctl", "kerrorctl", "watch", "--json",
			       "--group=all", NULL);
			_exit(127);
		}
		usleep(random() % 100000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void unplug_cpus(void)
{
	for (;;) {
		put("/sys/devices/system/cpu/cpu1/online", "0");
		usleep(300000);
		put("/sys/devices/system/cpu/cpu1/online", "1");
		usleep(300000);
	}
}

TEST_F_TIMEOUT(stress, from_everywhere_at_once, 1800)
{
	char line[256], *at;
	unsigned int k;

	help(self, provoke_nmis);
	ASSERT_TRUE(raise_and_read(self, event_count(1)));
	EXPECT_ALL_ACCOUNTED_FOR();
	if (*forward() != '0')
		EXPECT_LT(0, self->messages);
	/* Whether any of them came through hangs on who else filled staging. */
	get(PARAMETERS "raised_by", line, sizeof(line));
	for (k = 0, at = line; k < KINDS; k++) {
		unsigned long raised = strtoul(at, &at, 10);

		TH_LOG("raised by %s: %lu", kinds[k], raised);
		if (k == 4 && no_nmis())
			TH_LOG("skipped: %s", no_nmis());
		else
			EXPECT_LT(0, raised);
	}
}

TEST_F_TIMEOUT(stress, readers_are_killed, 1800)
{
	int status = -1;

	help(self, kill_readers);
	do {
		ASSERT_TRUE(raise_and_read(self, event_count(20)));
	} while (!waitpid(self->helpers[0], &status, WNOHANG));
	self->helper_count = 0;
	EXPECT_EQ(0, status);
	EXPECT_ALL_ACCOUNTED_FOR();
}

TEST_F_TIMEOUT(stress, many_readers_that_never_read, 1800)
{
	struct listener others[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		ASSERT_TRUE(listen_to(&others[i], EACH_GROUP, false));
	ASSERT_TRUE(raise_and_read(self, event_count(10)));
	EXPECT_ALL_ACCOUNTED_FOR();
	for (i = 0; i < 64; i++)
		stop_listening(&others[i]);
}

static pid_t find_worker(void)
{
	char path[32], name[32];
	pid_t pid;

	for (pid = 2; pid < 1000; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		get(path, name, sizeof(name));
		if (!strcmp(name, "kerror"))
			return pid;
	}
	return 0;
}

static int pin(pid_t pid, unsigned long cpus)
{
	return syscall(SYS_sched_setaffinity, pid, sizeof(cpus), &cpus);
}

/* Takes CPU 0 away from everything that is not a real-time task. */
static void hog_cpu(void)
{
	struct sched_param most = {
		.sched_priority = sched_get_priority_max(SCHED_FIFO),
	};
	struct timespec begin, now;

	if (pin(0, 1) || sched_setscheduler(0, SCHED_FIFO, &most))
		_exit(1);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec < 3);
}

TEST_F_TIMEOUT(stress, worker_is_starved, 1800)
{
	static const char throttle[] = "/proc/sys/kernel/sched_rt_runtime_us";
	pid_t worker = find_worker();
	char allowed[32];
	int status = -1;
	bool done;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "there is no other CPU to raise events on");
	ASSERT_LT(0, worker);
	get(throttle, allowed, sizeof(allowed));
	put(throttle, "-1");
	ASSERT_EQ(0, pin(worker, 1));
	help(self, hog_cpu);
	usleep(100000);
	done = raise_and_read(self, event_count(5));
	EXPECT_EQ(self->helpers[0], waitpid(self->helpers[0], &status, 0));
	self->helper_count = 0;
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, pin(worker, ~0UL));
	put(throttle, allowed);
	ASSERT_TRUE(done);
	EXPECT_ALL_ACCOUNTED_FOR();
	/* The guards deliver: KMSAN on a busy machine is slow, but not that slow. */
	EXPECT_LT(self->lost[1], 20 * self->received[1]);
}

TEST_F_TIMEOUT(stress, cpus_come_and_go, 1800)
{
	if (access("/sys/devices/system/cpu/cpu1/online", W_OK))
		SKIP(return, "there is no CPU that can be unplugged");
	help(self, unplug_cpus);
	ASSERT_TRUE(raise_and_read(self, event_count(5)));
	EXPECT_ALL_ACCOUNTED_FOR();
}

/* Sets what fails under /sys/kernel/debug; @probability is in percent. */
static bool fail(const char *what, const char *probability)
{
	static const char *const settings[][2] = {
		{ "task-filter", "N" }, { "interval", "1" }, { "times", "-1" },
		{ "space", "0" }, { "verbose", "0" },
		{ "ignore-gfp-wait", "N" }, { "min-order", "0" },
	};
	char path[128];
	unsigned int i;

	for (i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", what,
			 settings[i][0]);
		put(path, settings[i][1]);	/* not all have all */
	}
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/probability", what);
	return !put(path, probability);
}

/* Bouts of it, so that what is needed once succeeds some time. */
static void fail_allocations(void)
{
	for (;;) {
		usleep(300000);
		fail("failslab", "10");
		fail("fail_page_alloc", "2");
		usleep(300000);
		while (!fail("failslab", "0"))
			;
		while (!fail("fail_page_alloc", "0"))
			;
	}
}

TEST_F_TIMEOUT(stress, allocations_fail, 1800)
{
	bool done;

	if (!fail("failslab", "0") || !fail("fail_page_alloc", "0"))
		SKIP(return, "this kernel cannot be made to fail allocations");
	help(self, fail_allocations);
	done = raise_and_read(self, event_count(10));
	kill(self->helpers[0], SIGKILL);
	while (!fail("failslab", "0") || !fail("fail_page_alloc", "0"))
		;
	ASSERT_TRUE(done);
	EXPECT_ALL_ACCOUNTED_FOR();
}

TEST_HARNESS_MAIN
