// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of the kernel cost the events of drivers nothing: neither room where
 * they wait for the worker nor history. A burst has room, too. Run as root with the
 * module test_evlog loaded, on a kernel that makes events of its messages, with memory
 * of the default sizes. The environment variable FLOOD_MESSAGES says how many messages
 * (1,000,000).
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "../kselftest_harness.h"
#include "listener.h"

#define DEVICE		"/dev/test_evlog"
#define EVLOG_PARAMETERS "/sys/module/evlog/parameters/"
#define EVENTS		1000

/* Messages that became events, or were counted as lost, since boot */
static uint64_t forwarded(void)
{
	char line[32];

	get(EVLOG_PARAMETERS "forwarded", line, sizeof(line));
	return strtoull(line, NULL, 10);
}

/*
 * The number of the error that this event is, or -1 of any other event. The module
 * numbers errors from 0 on.
 */
static long error_number(const struct kerror_event *event)
{
	const char *format = kerror_event_format(event);
	struct kerror_argument argument;

	if (!format || strncmp(format, "error %lu of %lu", 16) ||
	    kerror_event_argument(event, 0, &argument))
		return -1;
	return argument.number;
}

FIXTURE(flood) {
	struct listener errors, messages;
	uint64_t forwarded;
	unsigned long received;	/* errors */
	unsigned int disorder;	/* errors that did not come in their turn */
};

FIXTURE_SETUP(flood)
{
	ASSERT_EQ(0, access(DEVICE, W_OK)) {
		TH_LOG("load the module test_evlog and run this as root");
	}
	memset(self, 0, sizeof(*self));
	/* Events that were raised before */
	sleep(1);
	ASSERT_TRUE(listen_to(&self->errors, KERROR_GROUP_EVLOG, false));
	ASSERT_TRUE(listen_to(&self->messages, KERROR_GROUP_PRINTK, false));
}

FIXTURE_TEARDOWN(flood)
{
	if (!access(EVLOG_PARAMETERS "printk", W_OK))
		put(EVLOG_PARAMETERS "printk", "0");
	stop_listening(&self->errors);
	stop_listening(&self->messages);
}

static void take_error(struct _test_data_flood *self,
		       const struct kerror_event *event)
{
	long number = error_number(event);

	if (number < 0)
		return;
	/* Each one that is missing puts all behind it out of their turn. */
	self->disorder += (unsigned long)number != self->received++;
}

/* One item of either listener; KERROR_ITEM_NONE if neither has any. */
static enum kerror_item take_item(struct _test_data_flood *self,
				  unsigned int *answers)
{
	enum kerror_item item = next_item(&self->errors, 0);

	if (item == KERROR_ITEM_EVENT)
		take_error(self, kerror_reader_event(self->errors.reader));
	if (item == KERROR_ITEM_NONE)
		item = next_item(&self->messages, 0);
	*answers += item == KERROR_ITEM_STATISTICS;
	return item;
}

/* Reads both groups while the process @pid raises, until all are accounted for. */
static bool read_all(struct _test_data_flood *self, pid_t pid)
{
	unsigned int answers = 0, items = 0;
	bool asked = false;
	int status = -1;

	for (;;) {
		enum kerror_item item = take_item(self, &answers);

		if (item == KERROR_ITEM_ERROR)
			return false;
		if (pid && (item == KERROR_ITEM_NONE || items++ % 256 == 0) &&
		    waitpid(pid, &status, WNOHANG) == pid) {
			pid = 0;
			/* Others print, too. */
			put(EVLOG_PARAMETERS "printk", "0");
			self->forwarded = forwarded() - self->forwarded;
		}
		if (item != KERROR_ITEM_NONE)
			continue;
		if (kerror_reader_replaying(self->errors.reader) ||
		    kerror_reader_replaying(self->messages.reader) || pid) {
			usleep(1000);
		} else if (!asked) {
			kerror_reader_want_statistics(self->errors.reader);
			kerror_reader_want_statistics(self->messages.reader);
			asked = true;
		} else if (answers == 2) {
			return WIFEXITED(status) && !WEXITSTATUS(status);
		}
	}
}

static void log_sizes(struct __test_metadata *_metadata,
		      struct listener *listener)
{
	const struct kerror_statistics *sizes = statistics(listener);

	if (sizes)
		TH_LOG("%s: %u bytes of each CPU, %u of history",
		       kerror_group_name(sizes->group), sizes->staging_size,
		       sizes->history_size);
}

/* The worker is asleep, and gets to run late, or not before the last event. */
TEST_F(flood, a_burst_of_a_thousand_loses_nothing)
{
	static const char *const commands[] = { "at-once 1000 0", "at-once 1000 1" };
	unsigned int answers = 0;

	log_sizes(_metadata, &self->errors);
	for (int i = 0; i < 2; i++) {
		uint64_t lost = self->errors.lost_all;
		int waits = 0;

		self->received = 0;
		usleep(200000);
		ASSERT_EQ(0, put(DEVICE, commands[i]));
		while (self->received + self->errors.lost_all - lost < EVENTS &&
		       waits < 3000)
			if (take_item(self, &answers) == KERROR_ITEM_NONE) {
				waits++;
				usleep(1000);
			}
		TH_LOG("interrupts %s: received %lu, lost %llu", i ? "off" : "on",
		       self->received, (unsigned long long)(self->errors.lost_all - lost));
		EXPECT_EQ(EVENTS, self->received);
		EXPECT_EQ(lost, self->errors.lost_all);
	}
}

TEST_F_TIMEOUT(flood, a_flood_of_messages_costs_others_nothing, 900)
{
	const char *count = getenv("FLOOD_MESSAGES");
	unsigned long messages = count ? strtoul(count, NULL, 0) : 1000000;
	unsigned long late = 0;
	struct listener reader;
	enum kerror_item item;
	char command[64];
	pid_t pid;

	if (access(EVLOG_PARAMETERS "printk", W_OK) ||
	    access(EVLOG_PARAMETERS "forwarded", R_OK))
		SKIP(return, "this kernel makes no events of its messages");
	log_sizes(_metadata, &self->errors);
	log_sizes(_metadata, &self->messages);
	self->forwarded = forwarded();
	ASSERT_EQ(0, put(EVLOG_PARAMETERS "printk", "8"));
	snprintf(command, sizeof(command), "flood %lu %u", messages, EVENTS);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(put(DEVICE, command) ? 1 : 0);
	ASSERT_TRUE(read_all(self, pid));

	TH_LOG("errors: raised %u = received %lu + lost %llu", EVENTS,
	       self->received, (unsigned long long)self->errors.lost_all);
	EXPECT_EQ(EVENTS, self->received);
	EXPECT_EQ(0, self->disorder);
	EXPECT_EQ(0, self->errors.lost_all);

	TH_LOG("messages: raised %llu = received %llu + lost %llu (staging %llu, history %llu)",
	       (unsigned long long)self->forwarded,
	       (unsigned long long)kerror_reader_received(self->messages.reader),
	       (unsigned long long)self->messages.lost_all,
	       (unsigned long long)self->messages.lost[KERROR_LOST_STAGING_FULL],
	       (unsigned long long)self->messages.lost[KERROR_LOST_HISTORY]);
	/* Else it was no flood. */
	EXPECT_LE(messages - sysconf(_SC_NPROCESSORS_ONLN), self->forwarded);
	EXPECT_EQ(self->forwarded,
		  kerror_reader_received(self->messages.reader) +
		  self->messages.lost_all);

	/* One that comes now: the history of errors is not that of messages. */
	ASSERT_TRUE(listen_to(&reader, KERROR_GROUP_EVLOG, true));
	do {
		item = next_item(&reader, 500);
		if (item == KERROR_ITEM_EVENT &&
		    error_number(kerror_reader_event(reader.reader)) ==
		    (long)late)
			late++;
	} while ((item != KERROR_ITEM_NONE && item != KERROR_ITEM_ERROR) ||
		 kerror_reader_replaying(reader.reader));
	TH_LOG("a late reader received %lu", late);
	EXPECT_EQ(EVENTS, late);
	stop_listening(&reader);
}

TEST_HARNESS_MAIN
