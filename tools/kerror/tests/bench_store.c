// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the store is, and how large: bench_store FILE EVENTS fills a store
 * with events of 30 days and asks for the last hour, and for all of it, with
 * filters, as kerrorctl query does. Prints what it measured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "build.h"
#include "store.h"

#define SPAN_S	(30 * 86400ULL)
#define BATCH	512		/* as kerrord writes when it is busy */
#define ROUNDS	9

/* One event in so many has another id and facility. */
#define RARE	20000

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"
static uint64_t syncs;

/* In place of the C library's, for SQLite, too */
int fdatasync(int fd)
{
	syncs++;
	return syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return syscall(SYS_fsync, fd);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void must(struct store *store, int error)
{
	if (!error)
		return;
	fprintf(stderr, "bench_store: %s\n", store_message(store));
	exit(1);
}

static void add_event(struct store *store, uint64_t index, uint64_t time)
{
	static uint64_t random = 88172645463325252;
	static struct kerror_origin *origin;
	struct kerror_event *event;
	struct build build;
	uint64_t block = build_random(&random);
	int32_t number = block % 100;
	char device[32];

	snprintf(device, sizeof(device), "+pci:0000:%02x:00.0",
		 (unsigned int)(block >> 32) % 64);
	build_begin(&build, device, EVL_FORMAT_PRINTF,
		    "round %d: bad block at %llu");
	build_argument(&build, EVL_ARG_S32, 0, &number, 4);
	build_argument(&build, EVL_ARG_U64, 0, &block, 8);
	build.header.time_realtime = time;
	build.header.severity = block >> 40 & 7;
	build.header.event_id = 0xfcf2063c;
	snprintf(build.header.facility, sizeof(build.header.facility),
		 "driver%u", (unsigned int)(block >> 48) % 40);
	if (index % RARE == RARE / 2) {
		build.header.event_id = 0x12345678;
		snprintf(build.header.facility, sizeof(build.header.facility),
			 "rare");
	}
	event = kerror_event_new(KERROR_GROUP_EVLOG,
				 KERROR_SEQUENCE_FIRST + (uint32_t)index,
				 42, build.data, build.size);
	if (!event)
		exit(1);
	if (!origin)
		origin = build_origin(BOOT);
	kerror_event_set_origin(event, origin);
	must(store, store_add_event(store, event));
	kerror_event_free(event);
}

static int count(void *context, const struct store_item *item)
{
	(void)item;
	++*(uint64_t *)context;
	return 0;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void ask(const char *path, uint64_t since, uint64_t limit,
		const char *text)
{
	struct store_query query = { .since = since, .limit = limit };
	double times[ROUNDS], begin;
	struct kerror_filter *filter;
	struct store *store;
	uint64_t found;
	char message[256];
	int round;

	if (kerror_filter_new(&filter, text, message, sizeof(message))) {
		fprintf(stderr, "bench_store: %s\n", message);
		exit(1);
	}
	query.filter = filter;
	for (round = 0; round < ROUNDS; round++) {
		/* Opened each time, as a program does that is started for it. */
		begin = now();
		must(store, store_open(&store, path, false));
		found = 0;
		must(store, store_query(store, &query, count, &found));
		store_close(store);
		times[round] = now() - begin;
	}
	qsort(times, ROUNDS, sizeof(*times), compare);
	printf("%s, %-32s %7" PRIu64 " found, %.1f ms (median of %d; %.1f to %.1f)\n",
	       since ? "last hour" : limit ? "newest 10" : "all of it", text, found, times[ROUNDS / 2] * 1e3, ROUNDS, times[0] * 1e3,
	       times[ROUNDS - 1] * 1e3);
	kerror_filter_free(filter);
}

static void measure_syncs(const char *path, uint64_t first)
{
	static const unsigned int sizes[] = { 1, 10, 100, BATCH };
	struct store *store;

	must(store, store_open(&store, path, true));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		double begin = now();

		syncs = 0;
		for (unsigned int at = 0; at < 2048; at++) {
			if (at % sizes[i] == 0)
				must(store, store_begin(store));
			add_event(store, first++, 1700000000000000000);
			if (at % sizes[i] == sizes[i] - 1 || at == 2047)
				must(store, store_commit(store));
		}
		printf("%3u events in a transaction: %.3f syncs, %.0f us an event\n",
		       sizes[i], syncs / 2048.0, (now() - begin) / 2048 * 1e6);
	}
	store_close(store);
}

int main(int argc, char **argv)
{
	static const char *const recent[] = {
		"severity<=err", "facility==\"driver7\" && arg[0]>90",
		"text~\"*block at 12*\"",
	};
	static const char *const all[] = {
		"id==12345678", "id==12345678 || id==12345679",
		"id==12345678 && arg[0]>50", "facility==\"rare\"",
		"severity==emerg && facility==\"rare\"", "arg[0]==5",
	};
	uint64_t events, end, index;
	struct store_summary summary;
	struct store *store;
	double begin, time;

	if (argc != 3)
		return 2;
	events = strtoull(argv[2], NULL, 10);
	end = 1700000000000000000;
	begin = now();
	must(store, store_open(&store, argv[1], true));
	for (index = 0; index < events; index++) {
		if (index % BATCH == 0)
			must(store, store_begin(store));
		add_event(store, index, end - SPAN_S * 1000000000 +
			  (uint64_t)((double)SPAN_S * 1e9 * index / events));
		if (index % BATCH == BATCH - 1 || index == events - 1)
			must(store, store_commit(store));
	}
	time = now() - begin;
	must(store, store_summary(store, &summary));
	store_close(store);
	printf("%" PRIu64 " events stored in %.0f s: %.0f a second; %.0f bytes each, %" PRIu64 " MiB\n",
	       summary.events, time, events / time,
	       (double)summary.bytes / summary.events, summary.bytes >> 20);
	for (size_t i = 0; i < sizeof(recent) / sizeof(*recent); i++)
		ask(argv[1], end - 3600000000000, 0, recent[i]);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		ask(argv[1], 0, 0, all[i]);
	ask(argv[1], 0, 10, "severity<=err");
	ask(argv[1], 0, 10, "facility==\"rare\"");
	measure_syncs(argv[1], events);
	return 0;
}
