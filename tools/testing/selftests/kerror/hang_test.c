// SPDX-License-Identifier: GPL-2.0-only
/*
 * While CPU 1 hangs, or a task on it is preempted for good, the events of CPU 0
 * arrive within two ticks. The module test_evlog_hang has CPU 1 raise an event and
 * hang; this program is on CPU 0, raises events there and takes the time until it
 * has them. Run as root, with the module test_evlog loaded, too, on a machine with
 * two CPUs or more; for the tests of a real-time task, also on PREEMPT_RT with the
 * boot parameter isolcpus=1.
 *
 * An emulator may not run CPU 0 for some ticks. So there are ROUNDS, and the best
 * one counts: all of its events must have been in time. An event that takes half of
 * the time for which CPU 1 hangs waits for the end of that. This happens if CPU 0
 * waits for an answer of CPU 1 to an interrupt of its own. It may happen once by
 * chance, but not in WAITED rounds. A round does not count if CPU 1 hung for less
 * than all of its events, as the machine was too slow, or not at all, as it was
 * delivering. If no round was good, and CPU 0 stands still for a tick even
 * when nothing hangs, the test is skipped.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include "../kselftest_harness.h"
#include "listener.h"

#define DEVICE		"/dev/test_evlog"
#define PARAMETERS	"/sys/module/test_evlog_hang/parameters/"
#define FORWARD		"/sys/module/evlog/parameters/printk"
#define THROTTLE	"/proc/sys/kernel/sched_rt_runtime_us"

#define ROUNDS		30
#define PROBES		5
#define PAUSE_MS	40	/* between two of them */
#define HANG_MS		2000
#define NEVER_MS	(HANG_MS / 2)
#define TICKS		2
#define WAITED		2

/* The subject of a test */
struct situation {
	const char *where;	/* as the module takes it */
	const char *what;
	bool printk;		/* CPU 0 prints messages instead of raising events */
	bool worker_is_here;	/* the worker may run on CPU 0 only */
	bool worker_was_there;	/* the worker ran on CPU 1 last */
	bool busy;		/* CPU 0 has a task that never sleeps, too */
	bool preempted;		/* a SCHED_IDLE task raises events on CPU 1 */
};

FIXTURE(hang) {
	struct listener listener;
	pid_t helper[2];	/* the busy one, the preempted one; or 0 */
	char throttle[32];
	uint64_t tick_ns;
	unsigned long number;	/* of the next probe */
	double late_ms[PROBES];
	unsigned int probes;	/* that were, in this round */
};

static int pin(pid_t pid, unsigned long cpus)
{
	return syscall(SYS_sched_setaffinity, pid, sizeof(cpus), &cpus) < 0 ?
	       -errno : 0;
}

static void pause_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* A thread of the kernel whose name begins with that of the facility */
static bool is_worker(pid_t pid)
{
	char path[64], name[32], command[8];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	get(path, name, sizeof(name));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	get(path, command, sizeof(command));
	return !strncmp(name, "kerror", 6) && !*command;
}

/* Lets the workers run on @cpus only; how many there are. */
static unsigned int pin_workers(unsigned long cpus)
{
	unsigned int found = 0;
	pid_t pid;

	for (pid = 2; pid < 1000; pid++)
		if (is_worker(pid) && !pin(pid, cpus))
			found++;
	return found;
}

static void spin(void)
{
	for (;;)
		;
}

/* Raises on CPU 1 whenever nothing else wants to run there. */
static void raise_idly(void)
{
	struct sched_param least = { .sched_priority = 0 };

	if (pin(0, 2) || sched_setscheduler(0, SCHED_IDLE, &least))
		_exit(1);
	for (;;)
		put(DEVICE, "burst 20000");
}

static pid_t help(void (*what)(void))
{
	pid_t pid = fork();

	if (!pid) {
		struct sched_param none = { .sched_priority = 0 };

		sched_setscheduler(0, SCHED_OTHER, &none);
		what();
		_exit(0);
	}
	return pid;
}

static void stop_helpers(struct _test_data_hang *self)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (self->helper[i] <= 0)
			continue;
		kill(self->helper[i], SIGKILL);
		waitpid(self->helper[i], NULL, 0);
		self->helper[i] = 0;
	}
}

FIXTURE_SETUP(hang)
{
	struct sched_param little = {
		.sched_priority = sched_get_priority_min(SCHED_FIFO),
	};
	char line[32];

	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, access(PARAMETERS "hang", W_OK)) {
		TH_LOG("load the module test_evlog_hang and run this as root");
	}
	get(PARAMETERS "tick_ns", line, sizeof(line));
	self->tick_ns = strtoull(line, NULL, 10);
	ASSERT_LT(0, self->tick_ns);
	get(THROTTLE, self->throttle, sizeof(self->throttle));
	put(THROTTLE, "-1");
	/* It must not be what is late itself, nor be where it is asked to hang. */
	ASSERT_EQ(0, pin(0, 1));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &little));
}

FIXTURE_TEARDOWN(hang)
{
	stop_helpers(self);
	pin_workers(~0UL);
	if (!access(FORWARD, W_OK))
		put(FORWARD, "0");
	put(THROTTLE, self->throttle);
}

/* Why this machine or kernel cannot be brought into the situation, or NULL. */
static const char *impossible(const struct situation *situation)
{
	struct utsname name;
	char clock[32];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return "there is no other CPU to hang";
	/* As an emulator's may be, if it could not measure the TSC. */
	get("/sys/devices/system/clocksource/clocksource0/current_clocksource",
	    clock, sizeof(clock));
	if (strstr(clock, "jiffies"))
		return "the clock counts ticks, and may stand still when CPU 1 hangs";
	if ((situation->printk || !strcmp(situation->what, "printk")) &&
	    access(FORWARD, W_OK))
		return "this kernel makes no events of its messages";
	if (situation->preempted && access(DEVICE, W_OK))
		return "the module test_evlog is not loaded";
	if (!strcmp(situation->where, "nmi") &&
	    (uname(&name) || (strcmp(name.machine, "x86_64") &&
			      name.machine[0] != 'i')))
		return "no source of NMIs on this architecture";
	if (!strcmp(situation->where, "nmi") &&
	    access("/proc/sysrq-trigger", W_OK))
		return "no SysRq in this kernel";
	return NULL;
}

/* Raises the next probe and waits for it; milliseconds, or -1 if none comes. */
static double time_probe(struct _test_data_hang *self, bool printk)
{
	struct kerror_argument argument;
	struct timespec begin, now;
	char number[32];

	snprintf(number, sizeof(number), "%lu", self->number);
	if (put(printk ? PARAMETERS "probe_printk" : PARAMETERS "probe", number))
		return -1;
	clock_gettime(CLOCK_BOOTTIME, &begin);
	for (;;) {
		const struct kerror_event *event =
			kerror_reader_event(self->listener.reader);
		enum kerror_item item = next_item(&self->listener, 2 * HANG_MS);

		if (item == KERROR_ITEM_NONE || item == KERROR_ITEM_ERROR)
			return -1;
		clock_gettime(CLOCK_BOOTTIME, &now);
		/* Others raise so many that it was overwritten in the history. */
		if (now.tv_sec - begin.tv_sec > 2 * HANG_MS / 1000)
			return -1;
		if (item != KERROR_ITEM_EVENT)
			continue;
		if (!kerror_event_format(event) ||
		    !strstr(kerror_event_format(event), "probe %lu") ||
		    kerror_event_argument(event,
					  kerror_event_argument_count(event) - 1,
					  &argument) ||
		    argument.number != self->number)
			continue;
		self->number++;
		return (now.tv_sec * 1e9 + now.tv_nsec -
			kerror_event_header(event)->time_boot) / 1e6;
	}
}

static bool hangs(void)
{
	char line[8];

	get(PARAMETERS "hanging", line, sizeof(line));
	return *line == '1';
}

/* Takes what is there already; with @hanging, as long as CPU 1 hangs. */
static void drain(struct _test_data_hang *self, bool hanging)
{
	unsigned int items = 0;

	enum kerror_item item;

	do {
		item = next_item(&self->listener, 20);
		if (hanging && items++ % 256 == 0 && !hangs())
			break;
	} while (item != KERROR_ITEM_NONE && item != KERROR_ITEM_ERROR);
}

/* Returns when CPU 1 hangs; false if it does not. */
static bool start_hanging(const struct situation *situation)
{
	char command[64];
	unsigned int ms;

	snprintf(command, sizeof(command), "%s %s %u", situation->where,
		 situation->what, HANG_MS);
	if (put(PARAMETERS "hang", command))
		return false;
	if (!strcmp(situation->where, "nmi"))
		put("/proc/sysrq-trigger", "l");
	for (ms = 0; ms < 500 && !hangs(); ms++)
		pause_ms(1);
	return hangs();
}

/*
 * One round: the longest of the times that the probes took, which are in
 * self->late_ms, or -1 if it does not count.
 */
static double play(struct _test_data_hang *self,
		   const struct situation *situation)
{
	double latest = 0;

	self->probes = 0;
	if (situation->worker_is_here && !pin_workers(1))
		return -1;
	/* The worker is awake, or was just now: on the CPU that will hang. */
	if (situation->worker_was_there) {
		if (!pin_workers(2) || time_probe(self, situation->printk) < 0)
			return -1;
		pin_workers(~0UL);
	}
	if (situation->busy)
		self->helper[0] = help(spin);
	if (situation->preempted) {
		self->helper[1] = help(raise_idly);
		pause_ms(20);
	}
	if (!start_hanging(situation))
		return -1;
	/* The events of the preempted task until then are not timed. */
	if (situation->preempted)
		drain(self, true);
	if (!hangs())
		return -1;
	while (self->probes < PROBES) {
		double late = time_probe(self, situation->printk);

		if (late < 0)
			return -1;
		self->late_ms[self->probes++] = late;
		if (late > latest)
			latest = late;
		if (!hangs() && latest < NEVER_MS)
			return -1;
		if (latest >= NEVER_MS)
			return latest;
		pause_ms(PAUSE_MS);
	}
	return latest;
}

static void end_round(struct _test_data_hang *self)
{
	stop_helpers(self);
	while (hangs())
		pause_ms(20);
	drain(self, false);
}

/* The longest time by which a sleep of 1 ms was too long, of 200. */
static double stalled_ms(void)
{
	const struct timespec sleep = { .tv_nsec = 1000000 };
	struct timespec begin, end;
	double took, longest = 0;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		nanosleep(&sleep, NULL);
		clock_gettime(CLOCK_MONOTONIC, &end);
		took = (end.tv_sec - begin.tv_sec) * 1e3 +
		       (end.tv_nsec - begin.tv_nsec) / 1e6 - 1;
		if (took > longest)
			longest = took;
	}
	return longest;
}

static void run(struct __test_metadata *_metadata, struct _test_data_hang *self,
		const struct situation *situation)
{
	double limit = TICKS * self->tick_ns / 1e6, best = HANG_MS;
	unsigned int round, i, length, waited = 0;
	char times[PROBES * 16];

	if (impossible(situation))
		SKIP(return, "%s", impossible(situation));
	ASSERT_TRUE(listen_to(&self->listener, situation->printk ?
			      KERROR_GROUP_PRINTK : KERROR_GROUP_EVLOG, false));
	if (situation->printk || !strcmp(situation->what, "printk"))
		ASSERT_EQ(0, put(FORWARD, "8"));
	for (round = 0; round < ROUNDS && best > limit; round++) {
		double latest = play(self, situation);

		end_round(self);
		length = 0;
		for (i = 0; i < self->probes; i++)
			length += snprintf(times + length,
					   sizeof(times) - length, " %.1f",
					   self->late_ms[i]);
		TH_LOG("round %u: after%s ms, %.1f are allowed", round,
		       self->probes ? times : " no", limit);
		if (latest < 0) {
			TH_LOG("it does not count: CPU 1 did not hang, or not for so long");
			continue;
		}
		if (latest >= NEVER_MS)
			waited++;
		ASSERT_GT(WAITED, waited) {
			TH_LOG("events of CPU 0 wait for CPU 1");
		}
		if (latest < best)
			best = latest;
	}
	stop_listening(&self->listener);
	if (best > limit && stalled_ms() > limit / TICKS)
		SKIP(return, "this machine is too busy: CPU 0 stands still for a tick, too");
	EXPECT_GE(limit, best);
}

/* Shows that the machine is fast enough for what follows: nothing can be late. */
TEST_F_TIMEOUT(hang, nothing_but_a_hang, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "nothing", .worker_is_here = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, irqs_off_after_an_event, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "event",
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, irqs_off_after_a_message, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "printk",
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, irqs_off_and_messages_of_others, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "printk", .printk = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, irqs_off_where_the_worker_was, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "event", .worker_was_there = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, irqs_off_and_a_busy_cpu, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "event", .busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, irqs_off_where_the_worker_was_and_a_busy_cpu, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "event", .worker_was_there = true,
		.busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, silent_where_the_worker_was_and_a_busy_cpu, 120)
{
	static const struct situation situation = {
		.where = "irqs-off", .what = "nothing",
		.worker_was_there = true, .busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, hardirq_after_an_event, 120)
{
	static const struct situation situation = {
		.where = "hardirq", .what = "event",
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, hardirq_after_a_message, 120)
{
	static const struct situation situation = {
		.where = "hardirq", .what = "printk", .worker_was_there = true,
		.busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, nmi_after_an_event, 120)
{
	static const struct situation situation = {
		.where = "nmi", .what = "event",
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, nmi_after_a_message, 120)
{
	static const struct situation situation = {
		.where = "nmi", .what = "printk", .worker_was_there = true,
		.busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, fifo_after_an_event, 120)
{
	static const struct situation situation = {
		.where = "fifo", .what = "event",
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, fifo_after_a_message, 120)
{
	static const struct situation situation = {
		.where = "fifo", .what = "printk",
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, fifo_where_the_worker_was_and_a_busy_cpu, 120)
{
	static const struct situation situation = {
		.where = "fifo", .what = "event", .worker_was_there = true,
		.busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, idle_raiser_that_is_preempted, 120)
{
	static const struct situation situation = {
		.where = "fifo", .what = "nothing", .preempted = true,
	};

	run(_metadata, self, &situation);
}

TEST_F_TIMEOUT(hang, idle_raiser_where_the_worker_was_and_a_busy_cpu, 120)
{
	static const struct situation situation = {
		.where = "fifo", .what = "nothing", .preempted = true,
		.worker_was_there = true, .busy = true,
	};

	run(_metadata, self, &situation);
}

TEST_HARNESS_MAIN
