// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests that a query finds the same events whatever part of its filter SQLite
 * gets: those, in their order, that the filter itself matches among all events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "hostile.h"
#include "store.h"

#define EVENTS		160
#define FILTERS		400
#define NEWEST		7
#define FILTER_SIZE	4000

static const char *const terms[] = {
	"severity<=err", "severity==emerg", "severity!=3", "severity>crit",
	"severity<7", "severity>=6",
	"id==fcf2063c", "id==12345678", "id!=fcf2063c", "id==00000000", "id!=00000000",
	"facility==\"ata\"", "facility==\"fake1\"", "facility!=\"net\"",
	"facility~\"n*\"", "facility~\"ata\"", "facility==\"it's\"",
	"facility==\"\\xff\"", "facility==\"\"", "device==\"b8:0\"",
	"device==\"+pci:3\"", "device!=\"n2\"", "device~\"*\"", "group==evlog",
	"group==raw", "group!=printk", "group!=raw", "group~\"*l*\"", "arg[0]>5",
	"arg[0]==-5", "text~\"*5*\"", "cpu==3", "kind==binary", "truncated",
	"host==a", "host!=a", "host~\"a\"", "host~*", "host==none", "machine==\"it's\"",
	"release==6.1", "boot_id!=\"1\"", "livepatch==one",
	"instance==7", "instance!=7", "instance==07", "instance~7*", "arch!=\"\"", "version~*x*",
	"tag.rack==r17", "tag.rack!=r17", "tag.rack~r*", "tag.none==x", "tag.none!=x",
};

#define TERMS (sizeof(terms) / sizeof(*terms))

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"
static char path[64];
static struct store *store;
static struct kerror_event *events[EVENTS];
static int64_t ids[EVENTS];

/* The events that a query has found */
struct result {
	size_t count;
	int64_t id[EVENTS];
};

static int note(void *context, const struct store_item *item)
{
	struct result *result = context;

	result->id[result->count++] = item->id;
	return 0;
}

static int keep(void *context, const struct store_item *item)
{
	size_t *count = context;
	size_t size;
	const void *data = kerror_event_data(item->event, &size);

	ids[*count] = item->id;
	events[*count] = kerror_event_new(kerror_event_group(item->event),
					  kerror_event_sequence(item->event), 0,
					  data, size);
	kerror_event_set_origin(events[*count], item->origin);
	assert_non_null(events[(*count)++]);
	return 0;
}

/* An event of which the terms tell something, or one of tests/hostile.h */
static void make_event(struct build *build, uint64_t *random, uint64_t number)
{
	static const char *const facilities[] = { "ata", "net", "fake1", "N", "it's", "\xff", "" };
	static const char *const devices[] = { "b8:0", "+pci:3", "n2", "B8:0", NULL };
	static const uint32_t event_ids[] = { 0xfcf2063c, 0x12345678, 0x12345678, 0 };
	int32_t value = (int32_t)hostile_below(random, 20) - 8;

	if (number % 4 == 3) {
		hostile_event(build, number);
		return;
	}
	build_begin(build, devices[hostile_below(random, 5)], EVL_FORMAT_PRINTF, "number %d");
	build_argument(build, EVL_ARG_S32, 0, &value, 4);
	build->header.event_id = event_ids[hostile_below(random, 4)];
	build->header.severity = hostile_below(random, 10) ? hostile_below(random, 8) : 104;
	snprintf(build->header.facility, sizeof(build->header.facility), "%s",
		 facilities[hostile_below(random, 7)]);
	/* Many at the same time, and not in the order of arrival */
	build->header.time_realtime += hostile_below(random, 20) * 1000000;
}

static int fill(void **state)
{
	static const uint32_t groups[] = {
		KERROR_GROUP_EVLOG, KERROR_GROUP_EVLOG, KERROR_GROUP_PRINTK, KERROR_GROUP_RAW,
	};
	struct kerror_origin *origins[4] = {
		build_origin(BOOT), build_origin("1"), build_origin("2"), build_whole_origin(),
	};
	const struct store_query all = { 0 };
	uint64_t random = 19;
	size_t count = 0;

	(void)state;
	kerror_origin_set(origins[1], "host", "a");
	kerror_origin_set(origins[1], "instance", "7");
	kerror_origin_set(origins[1], "tag.rack", "r17");
	kerror_origin_set(origins[2], "host", "b");
	kerror_origin_set(origins[2], "machine", "it's");
	kerror_origin_set(origins[2], "release", "6.1");
	kerror_origin_set(origins[2], "livepatch", "one");
	kerror_origin_set(origins[2], "tag.rack", "r18");
	kerror_origin_set(origins[3], "boot_id", "3");
	assert_int_equal(store_open(&store, path, true), 0);
	assert_int_equal(store_begin(store), 0);
	for (uint64_t i = 0; i < EVENTS; i++) {
		struct kerror_event *event;
		struct build build;

		make_event(&build, &random, i);
		event = kerror_event_new(groups[hostile_below(&random, 4)], i, 0, build.data,
					 build.size);
		assert_non_null(event);
		kerror_event_set_origin(event, origins[hostile_below(&random, 4)]);
		assert_int_equal(store_add_event(store, event), 0);
		kerror_event_free(event);
	}
	for (int i = 0; i < 4; i++)
		kerror_origin_release(origins[i]);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_query(store, &all, keep, &count), 0);
	assert_int_equal(count, EVENTS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENTS; i++)
		kerror_event_free(events[i]);
	store_close(store);
	return 0;
}

static void random_filter(char *text, uint64_t *random, int depth)
{
	uint32_t parts = depth < 3 && hostile_below(random, 10) > 3 ?
			 1 + hostile_below(random, 3) : 0;
	const char *symbol = hostile_below(random, 2) ? " && " : " || ";

	strcat(text, hostile_below(random, 4) ? "(" : "!(");
	if (!parts)
		strcat(text, terms[hostile_below(random, TERMS)]);
	for (uint32_t i = 0; i < parts; i++) {
		strcat(text, i ? symbol : "");
		random_filter(text, random, depth + 1);
	}
	strcat(text, ")");
}

/* How many events the filter finds */
static size_t check(const char *text)
{
	struct result found = { 0 }, newest = { 0 }, wanted = { 0 };
	struct store_query query = { 0 };
	struct kerror_filter *filter;
	size_t rest;
	char message[256];

	if (kerror_filter_new(&filter, text, message, sizeof(message)))
		fail_msg("%s: %s", text, message);
	for (size_t i = 0; i < EVENTS; i++)
		if (kerror_filter_matches(filter, events[i]))
			wanted.id[wanted.count++] = ids[i];
	query.filter = filter;
	assert_int_equal(store_query(store, &query, note, &found), 0);
	query.limit = NEWEST;
	assert_int_equal(store_query(store, &query, note, &newest), 0);
	kerror_filter_free(filter);
	if (found.count != wanted.count ||
	    memcmp(found.id, wanted.id, wanted.count * sizeof(*wanted.id)))
		fail_msg("%s: %zu events instead of %zu", text, found.count, wanted.count);
	rest = wanted.count < NEWEST ? wanted.count : NEWEST;
	if (newest.count != rest ||
	    memcmp(newest.id, wanted.id + wanted.count - rest, rest * sizeof(*wanted.id)))
		fail_msg("%s: not the newest", text);
	return wanted.count;
}

static void test_filters(void **state)
{
	uint64_t random = 7;
	int some = 0;

	(void)state;
	for (size_t i = 0; i < TERMS; i++)
		check(terms[i]);
	for (int i = 0; i < FILTERS; i++) {
		char text[FILTER_SIZE] = "";
		size_t count;

		random_filter(text, &random, 0);
		count = check(text);
		some += count > 0 && count < EVENTS;
	}
	/* Most tell events apart. */
	assert_true(some > FILTERS / 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
	};
	char folder[] = "/tmp/test_store_filter.XXXXXX", name[80];
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/db", folder);
	failed = cmocka_run_group_tests_name("store_filter", tests, fill, end);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
	rmdir(folder);
	return failed;
}
