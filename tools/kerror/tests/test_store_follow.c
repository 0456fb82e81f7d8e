// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests that a program that follows the store gets each event and loss once and in
 * order, over restarts, retention, and a store that begins anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sqlite3.h>
#include "build.h"
#include "store.h"

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"

static char path[64];
static struct store *store, *reader;
static struct kerror_origin *origin;
static uint32_t added;

static void open_both(void)
{
	assert_int_equal(store_open(&store, path, true), 0);
	assert_int_equal(store_open(&reader, path, false), 0);
}

static void close_both(void)
{
	store_close(reader);
	store_close(store);
}

static void add_events(uint32_t count)
{
	assert_int_equal(store_begin(store), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct kerror_event *event;
		struct build build;

		build_begin(&build, NULL, EVL_FORMAT_STRING, NULL);
		/* Their time says nothing of their order. */
		build.header.time_realtime = (added * 7919) % 1000;
		event = kerror_event_new(KERROR_GROUP_EVLOG, added++, 42, build.data, build.size);
		kerror_event_set_origin(event, origin);
		assert_int_equal(store_add_event(store, event), 0);
		kerror_event_free(event);
	}
	assert_int_equal(store_commit(store), 0);
}

static void add_loss(uint64_t total)
{
	const struct kerror_loss loss = {
		.group = KERROR_GROUP_EVLOG, .count = 1, .total = total,
	};

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add_loss(store, origin, 1, &loss, "sink", NULL), 0);
	assert_int_equal(store_commit(store), 0);
}

static void run(const char *sql)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

/* The expected events, and where they stop */
struct follower {
	struct store_place place;
	uint32_t next, events, losses, stop_after;
};

static int take(void *context, const struct store_item *item, const struct store_place *place)
{
	struct follower *follower = context;

	if (item->event) {
		assert_int_equal(kerror_event_sequence(item->event), follower->next);
		assert_string_equal(kerror_origin_get(item->origin, "boot_id"), BOOT);
		follower->next++;
		follower->events++;
	} else {
		follower->losses++;
		assert_int_equal(item->loss.total, follower->losses);
	}
	follower->place = *place;
	return follower->stop_after && follower->events == follower->stop_after;
}

static void follow(struct follower *follower, uint32_t events, uint32_t losses)
{
	follower->events = 0;
	assert_int_equal(store_follow(reader, follower->place, take, follower),
			 follower->stop_after && follower->stop_after == events);
	assert_int_equal(follower->events, events);
	assert_int_equal(follower->losses, losses);
}

static void test_order(void **state)
{
	struct follower follower = { 0 };

	(void)state;
	open_both();
	follow(&follower, 0, 0);
	add_events(1000);
	add_loss(1);
	follower.stop_after = 300;
	follow(&follower, 300, 0);
	follower.stop_after = 0;
	follow(&follower, 700, 1);
	follow(&follower, 0, 1);
	add_loss(2);
	add_events(1);
	follow(&follower, 1, 2);
	/* A restart */
	close_both();
	open_both();
	add_events(5);
	follow(&follower, 5, 2);
	assert_int_equal(follower.place.gone, 0);
	close_both();
}

static void test_retention(void **state)
{
	struct follower follower = { 0 };

	(void)state;
	open_both();
	follow(&follower, added, 2);
	/* It had these. */
	run("DELETE FROM event WHERE id <= 500");
	add_events(10);
	follow(&follower, 10, 2);
	assert_int_equal(follower.place.gone, 0);
	/* And not the first 30 of these, with its own last one. */
	add_events(100);
	run("DELETE FROM event WHERE id <= (SELECT max(id) - 70 FROM event)");
	follower.next += 30;
	follow(&follower, 70, 2);
	assert_int_equal(follower.place.gone, 30);
	follow(&follower, 0, 2);
	assert_int_equal(follower.place.gone, 30);
	/* An empty store numbers anew, and so does another one. Losses come again. */
	for (int fresh = 0; fresh < 2; fresh++) {
		run("DELETE FROM event");
		add_events(fresh ? 2000 : 20);
		follower.losses = 0;
		follow(&follower, fresh ? 2000 : 20, 2);
	}
	follow(&follower, 0, 2);
	close_both();
	unlink(path);
	open_both();
	add_events(5000);
	add_loss(1);
	add_loss(2);
	add_loss(3);
	follower.losses = 0;
	follow(&follower, 5000, 3);
	assert_int_equal(follower.place.gone, 30);
	close_both();
}

/* Retention takes losses, and the next one is told nevertheless. */
static void test_retention_of_losses(void **state)
{
	struct follower follower = { 0 };

	(void)state;
	unlink(path);
	open_both();
	follower.next = added;
	add_events(5);
	add_loss(1);
	add_loss(2);
	follow(&follower, 5, 2);
	run("UPDATE loss SET arrived = arrived - 1000");
	assert_int_equal(store_retain(store, 500, 0), 0);
	add_loss(3);
	follow(&follower, 0, 3);
	assert_int_equal(store_retain(store, 0, 1), 0);
	add_loss(4);
	/* With the only one that was left, as there is no event any more */
	follower.losses = 2;
	follow(&follower, 0, 4);
	close_both();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_retention_of_losses),
	};
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char folder[] = "/tmp/test_store_follow.XXXXXX", name[80];
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/db", folder);
	origin = build_origin(BOOT);
	failed = cmocka_run_group_tests_name("store_follow", tests, NULL, NULL);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
	rmdir(folder);
	kerror_origin_release(origin);
	return failed;
}
