// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiver: takes each item from the kernel and offers it to every sink.
 * Begins where the sink that has had least left off, and knows by the boot's
 * id and the module's instance whether the kernel still numbers that series.
 *
 * Promise: an event that the kernel still holds reaches each sink once over any
 * number of restarts, as far as the sink can remember what it has had.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>
#include "kerrord.h"

/* For the kernel's last answers */
#define LAST_ANSWERS_MS	2000

/* Between two looks at sinks that are behind or may be stuck */
#define BEHIND_MS	5
#define BUSY_MS		250

/* Items between two looks at signals and clocks, in a flood */
#define ROUND 1024

static struct sink *sinks;
static const struct series *sinks_series;
static const char *sinks_state;

pthread_mutex_t sinks_lock = PTHREAD_MUTEX_INITIALIZER;

void report_about(const char *about, unsigned int severity, const char *text)
{
	struct record *record = record_of_report(about, severity, "[%s] %s",
						 about, text);
	struct sink *sink;

	fprintf(stderr, "kerrord: [%s] %s\n", about, text);
	pthread_mutex_lock(&sinks_lock);
	for (sink = sinks; record && sink; sink = sink->next)
		sink_offer(sink, record);
	pthread_mutex_unlock(&sinks_lock);
	if (record)
		record_put(record);
}

/* Called by any sink's thread, too. */
static void report(struct sink *about, unsigned int severity, const char *text)
{
	report_about(about->settings->name, severity, text);
}

static struct kerror_socket *listen_to(uint32_t groups)
{
	struct kerror_socket *sock;
	int error = kerror_socket_open(&sock, groups);

	if (error)
		errx(EXIT_FAILURE, "%s%s", listen_failure(error, groups),
		     error == -EPERM && groups & KERROR_GROUP_PRINTK ?
		     "; or leave that group out of 'groups' in [kerrord]" : "");
	return sock;
}

/* Two would write the same files; the lock ends with the process. */
static void lock_state(const struct settings *settings)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", settings->state);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		/* The disk may come back; events are not to wait for it. */
		warn("%s; is 'state' in [kerrord] a folder that can be written?",
		     path);
		return;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return;
	if (errno != EWOULDBLOCK)
		err(EXIT_FAILURE, "cannot lock %s", path);
	errx(EXIT_FAILURE,
	     "another kerrord works in %s; end it, or give this one a 'state' of its own in [kerrord]",
	     settings->state);
}

static struct sink *make_sink(const struct sink_settings *settings)
{
	return sink_new(settings, sinks_series, sinks_state, report);
}

static void make_sinks(const struct settings *settings)
{
	struct sink **last = &sinks;
	const struct sink_settings *sink;

	for (sink = settings->sinks; sink; sink = sink->next) {
		*last = make_sink(sink);
		if (!*last)
			errx(EXIT_FAILURE, "out of memory");
		last = &(*last)->next;
	}
	for (struct sink *at = sinks; at; at = at->next)
		sink_start(at);
}

/* Of each group and cause, what the sink that has had least has had */
static void begin_at(struct kerror_reader *reader, uint32_t groups)
{
	struct progress least[GROUPS];
	struct sink *sink = sinks;

	/* There is one that does not follow a store: the store. */
	while (sink->type->follows_store)
		sink = sink->next;
	memcpy(least, sink->progress, sizeof(least));
	for (sink = sinks; sink; sink = sink->next) {
		for (int i = 0; !sink->type->follows_store && i < GROUPS; i++) {
			const struct progress *its = &sink->progress[i];

			least[i].known &= its->known;
			if ((int32_t)(its->next - least[i].next) < 0)
				least[i].next = its->next;
			/* One that does not know makes it unknown. */
			for (int cause = 0; cause < KERROR_CAUSES; cause++)
				if (least[i].lost[cause] != UINT64_MAX &&
				    (its->lost[cause] == UINT64_MAX ||
				     its->lost[cause] < least[i].lost[cause]))
					least[i].lost[cause] = its->lost[cause];
		}
	}
	begin_after(reader, groups, least);
}

/* The metrics of the receiver; of collectors as well */
static struct metrics *sinks_metrics;

void collect_offer(const struct sink *collector, struct record *record,
		   struct kerror_origin *origin)
{
	struct kerror_origin *own = record->origin;

	record->collected = true;
	if (!record->event) {
		record->origin = kerror_origin_hold(origin);
		kerror_origin_release(own);
	}
	pthread_mutex_lock(&sinks_lock);
	if (sinks_metrics && record->event)
		metrics_event(sinks_metrics, record->event);
	else if (sinks_metrics && !is_collapsed(record->cause))
		metrics_loss(sinks_metrics, &record->loss);
	for (struct sink *sink = sinks; sink; sink = sink->next)
		if (!sink->settings->path ||
		    strcmp(sink->settings->path, collector->settings->store))
			sink_offer_collected(sink, record);
	pthread_mutex_unlock(&sinks_lock);
	record_put(record);
}

static void offer(struct record *record)
{
	if (!record) {
		/* The sinks see a gap, and the operator this. */
		fputs("kerrord: out of memory, a record is lost\n", stderr);
		return;
	}
	for (struct sink *sink = sinks; sink; sink = sink->next)
		sink_offer(sink, record);
	record_put(record);
}

struct receiver {
	struct settings *settings;
	const char *path;		/* of the configuration */
	bool reload;			/* SIGHUP came */
	struct explanations *explanations;
	struct kerror_socket *sock;
	struct kerror_reader *reader;
	struct kerror_joiner *joiner;
	struct metrics *metrics;
	bool drained;			/* the socket had nothing more */
	uint64_t lost[KERROR_CAUSES + 1];	/* the last: unknown causes */
	unsigned int answers;
	uint32_t missing;		/* groups that the kernel does not have */
	int signals;
};

/* Of those that the history no longer has, how many no sink had before */
static uint64_t count_new(const struct kerror_loss *loss, uint32_t next)
{
	int index = kerror_group_index(loss->group);
	uint64_t count = loss->count;

	for (struct sink *sink = sinks; index >= 0 && sink; sink = sink->next) {
		const struct progress *had = &sink->progress[index];
		int32_t ahead = next - had->next;

		if (had->known && count > (uint64_t)(ahead > 0 ? ahead : 0))
			count = ahead > 0 ? ahead : 0;
	}
	return count;
}

static void take_loss(struct receiver *receiver)
{
	const struct kerror_loss *loss = kerror_reader_loss(receiver->reader);
	struct kerror_loss counted = *loss;
	uint32_t next = 0;

	receiver->lost[loss->cause < KERROR_CAUSES ? loss->cause :
		       KERROR_CAUSES] += loss->count;
	kerror_reader_cursor(receiver->reader, loss->group, &next);
	/* A sink that is new, or was away, has the receiver begin before the others. */
	if (loss->cause == KERROR_LOST_HISTORY)
		counted.count = count_new(loss, next);
	metrics_loss(receiver->metrics, &counted);
	offer(record_of_loss(loss, kerror_cause_name(loss->cause), next));
}

/* Those that are complete, or late */
static void offer_lines(struct receiver *receiver, uint64_t now)
{
	struct record *record;

	while ((record = lines_next(receiver->joiner, now)))
		offer(record);
}

static void take_event(struct receiver *receiver)
{
	const struct kerror_event *event = kerror_reader_event(receiver->reader);
	struct record *record = record_of_event(event, receiver->explanations);

	metrics_event(receiver->metrics, record ? record->event : event);
	if (record)
		record_get(record);
	offer(record);
	if (!record)
		return;
	lines_add(receiver->joiner, record->event);
	record_put(record);
	offer_lines(receiver, 0);
}

/* Once: that there will be nothing of a group that was asked for */
static void note_groups(struct receiver *receiver)
{
	uint32_t missing = receiver->settings->groups &
			   ~kerror_reader_groups(receiver->reader);

	if (missing && !receiver->missing)
		fprintf(stderr, "kerrord: this kernel has no group %s\n",
			kerror_group_name(missing));
	receiver->missing = missing;
}

/* Takes what is there; the socket's error, or 0 */
static int take_items(struct receiver *receiver)
{
	struct kerror_reader *reader = receiver->reader;
	enum kerror_item item;
	int error, count;

	receiver->drained = !receiver->sock;
	if (!receiver->sock)
		return 0;
	for (count = 0; count < ROUND; count++) {
		error = kerror_socket_next(receiver->sock, reader, 0, &item);
		if (error)
			return error == -EINTR ? 0 : error;
		switch (item) {
		case KERROR_ITEM_EVENT:
			take_event(receiver);
			break;
		case KERROR_ITEM_LOSS:
			take_loss(receiver);
			break;
		case KERROR_ITEM_STATISTICS:
			receiver->answers++;
			metrics_statistics(receiver->metrics,
					   kerror_reader_statistics(reader));
			note_groups(receiver);
			break;
		case KERROR_ITEM_ERROR:
			fprintf(stderr, "kerrord: the kernel answered: %s\n",
				strerror(-kerror_reader_error(reader)));
			break;
		default:
			receiver->drained = true;
			return 0;
		}
	}
	return 0;
}

static void read_explanations(struct receiver *receiver)
{
	explanations_free(receiver->explanations);
	receiver->explanations = explanations_read(receiver->settings->explain);
}

/* True if told to stop */
static bool take_signals(struct receiver *receiver)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(receiver->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			stop = true;
			continue;
		}
		/* Whether the configuration is right or not: files are rotated. */
		for (struct sink *sink = sinks; sink; sink = sink->next)
			sink_reopen(sink);
		receiver->reload = true;
	}
	return stop;
}

static void look_at_identity(struct receiver *receiver)
{
	if (identity_look(receiver->settings->tags, sinks_series->instance))
		identity_use(receiver->reader);
}

static void reload(struct receiver *receiver)
{
	struct settings next;

	receiver->reload = false;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   now_ns(CLOCK_MONOTONIC) / 1000);
	if (config_read(&next, receiver->path, false))
		fputs("kerrord: the configuration has errors; the one before goes on\n",
		      stderr);
	else
		reload_apply(receiver->settings, &next, &sinks, make_sink,
			     receiver->metrics);
	look_at_identity(receiver);
	read_explanations(receiver);
	sd_notify(0, "READY=1");
}

static int milliseconds_until(uint64_t time)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	return time > now ? (time - now) / 1000000 + 1 : 0;
}

/*
 * Feeds the sinks that are behind and looks after those that may be stuck, or that
 * could not begin.
 * Returns for how many milliseconds the receiver may sleep, as they have it.
 */
static int tend_sinks(struct receiver *receiver)
{
	const bool is_open = lines_wait(receiver->joiner) >= 0;
	int sleep = INT_MAX;

	for (struct sink *sink = sinks; sink; sink = sink->next) {
		sink_start(sink);
		sink_watch(sink);
		if (!is_open)
			sink_note_filtered(sink);
		if (sink_is_busy(sink) && sleep > BUSY_MS)
			sleep = BUSY_MS;
		if (sink->behind && sink->up && !sink->stuck && sleep > BEHIND_MS)
			sleep = BEHIND_MS;
		if (receiver->sock &&
		    catch_up(sink, receiver->reader, receiver->settings->groups,
			     receiver->explanations))
			sleep = 0;
	}
	return sleep;
}

static int run(struct receiver *receiver)
{
	uint64_t look, watchdog = 0, watch = UINT64_MAX;
	int error = 0, answers_wanted;
	bool stop = false;
	int sleep, until, late;

	if (sd_watchdog_enabled(1, &watchdog) > 0)
		watchdog = watchdog * 1000 / 2;
	else
		watchdog = 0;
	if (watchdog)
		watch = now_ns(CLOCK_MONOTONIC);
	sd_notify(0, "READY=1");
	look = now_ns(CLOCK_MONOTONIC);
	while (!stop && !error) {
		struct pollfd ready[] = {
			{ .fd = receiver->sock ? kerror_socket_fd(receiver->sock) : -1,
			  .events = POLLIN },
			{ .fd = receiver->signals, .events = POLLIN },
		};

		if (!milliseconds_until(look)) {
			kerror_reader_want_statistics(receiver->reader);
			metrics_write_file(receiver->metrics);
			look_at_identity(receiver);
			look = now_ns(CLOCK_MONOTONIC) +
			       (receiver->settings->interval ? : 10) * 1000000000;
		}
		if (watch != UINT64_MAX && !milliseconds_until(watch)) {
			sd_notify(0, "WATCHDOG=1");
			watch = now_ns(CLOCK_MONOTONIC) + watchdog;
		}
		error = take_items(receiver);
		offer_lines(receiver, receiver->drained ? now_ms() : 0);
		sleep = tend_sinks(receiver);
		late = lines_wait(receiver->joiner);
		if (late >= 0 && sleep > late)
			sleep = late;
		until = milliseconds_until(look < watch ? look : watch);
		if (!error)
			poll(ready, 2, sleep < until ? sleep : until);
		stop = take_signals(receiver);
		if (receiver->reload && !stop && !error)
			reload(receiver);
	}
	sd_notify(0, "STOPPING=1");

	if (!receiver->sock)
		return error;
	/* The counters tell of losses not yet announced. */
	answers_wanted = __builtin_popcount(kerror_reader_groups(receiver->reader));
	receiver->answers = 0;
	kerror_reader_want_statistics(receiver->reader);
	look = now_ns(CLOCK_MONOTONIC) + LAST_ANSWERS_MS * 1000000ULL;
	while (!error && (receiver->answers < (unsigned int)answers_wanted ||
			  kerror_reader_replaying(receiver->reader)) &&
	       milliseconds_until(look)) {
		struct pollfd ready = {
			.fd = kerror_socket_fd(receiver->sock), .events = POLLIN,
		};

		error = take_items(receiver);
		poll(&ready, 1, 10);
	}
	/* A line that ends here is to be whole for a rule after the next start. */
	if (lines_wait(receiver->joiner) >= 0)
		for (struct sink *sink = sinks; sink; sink = sink->next)
			sink->filtered = false;
	offer_lines(receiver, UINT64_MAX);
	return error;
}

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* Inherited by all threads: only the receiver sees them. */
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* A peer that is gone, a file that may not grow: its sink gets an error. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* Where it is ignored, nobody learns how a rule's command has ended. */
	signal(SIGCHLD, SIG_DFL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* False if a thread is stuck, so that nothing may be freed */
static bool stop_sinks(void)
{
	struct sink *sink;

	for (sink = sinks; sink; sink = sink->next)
		sink_stop(sink);
	if (sinks_end(sinks))
		return true;
	for (sink = sinks; sink; sink = sink->next)
		if (!sink->ended)
			fprintf(stderr, "kerrord: [%s] is stuck; %s\n", sink->settings->name,
				sink->type->follows_store ?
				"the next start goes on where it was" :
				"what waits for it is not written, the next start asks the kernel for it");
	return false;
}

int receive(struct settings *settings, const char *path)
{
	struct receiver receiver = { .settings = settings, .path = path };
	struct series series;
	int error;

	reports_never_wait();
	receiver.signals = open_signals();
	if (receiver.signals < 0)
		err(EXIT_FAILURE, "signalfd");
	error = store_boot_id(series.boot_id);
	if (error)
		errx(EXIT_FAILURE, "/proc/sys/kernel/random/boot_id: %s",
		     strerror(-error));
	series.instance = 0;
	if (!settings->collects) {
		receiver.sock = listen_to(settings->groups);
		series.instance = kerror_socket_instance(receiver.sock);
	}
	sinks_series = &series;
	receiver.reader = kerror_reader_new(settings->groups);
	receiver.joiner = kerror_joiner_new();
	if (!receiver.reader || !receiver.joiner)
		errx(EXIT_FAILURE, "out of memory");
	look_at_identity(&receiver);
	privileges_prepare(settings);
	pstore_take(settings);
	privileges_drop(settings);
	read_explanations(&receiver);
	lock_state(settings);
	sinks_state = settings->state;
	conditions_use(settings);
	if (receiver.sock) {
		earlier_boots(settings, series.boot_id);
		pstore_store(settings, series.boot_id);
	}
	make_sinks(settings);
	if (receiver.sock)
		begin_at(receiver.reader, settings->groups);
	receiver.metrics = metrics_start(settings, sinks);
	pthread_mutex_lock(&sinks_lock);
	sinks_metrics = receiver.metrics;
	pthread_mutex_unlock(&sinks_lock);

	error = run(&receiver);
	if (error)
		fprintf(stderr, "kerrord: cannot read from the socket: %s\n",
			strerror(-error));
	if (!stop_sinks())
		_exit(EXIT_FAILURE);
	metrics_write_file(receiver.metrics);
	metrics_stop(receiver.metrics);
	if (receiver.sock)
		print_summary(stderr, "kerrord", kerror_reader_received(receiver.reader),
			      kerror_reader_lost(receiver.reader), receiver.lost);
	while (sinks) {
		struct sink *sink = sinks;

		sinks = sink->next;
		sink_free(sink);
	}
	explanations_free(receiver.explanations);
	kerror_joiner_free(receiver.joiner);
	kerror_reader_free(receiver.reader);
	if (receiver.sock)
		kerror_socket_close(receiver.sock);
	close(receiver.signals);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
