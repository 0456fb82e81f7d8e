// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests retention with clocks that are played: the machine runs for 200 days and
 * is off for years, while its clock is set back and forth by decades. And what a
 * collector forgets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>
#include "build.h"
#include "store.h"

#define DAY	86400
#define YEAR	(365 * DAY)
#define STEP	(6 * 3600)		/* between two events */
#define AGE	(90 * DAY)
#define KEPT	(AGE / STEP + 1)	/* events not older than that */

static int64_t real_s = 1700000000, boot_s = 1000;

/* In place of the C library's */
int clock_gettime(clockid_t clock, struct timespec *time)
{
	if (clock == CLOCK_REALTIME)
		*time = (struct timespec) { .tv_sec = real_s };
	else if (clock == CLOCK_BOOTTIME)
		*time = (struct timespec) { .tv_sec = boot_s };
	else
		return syscall(SYS_clock_gettime, clock, time);
	return 0;
}

static char path[64];
static struct kerror_origin *origin;

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"

static struct store *open_it(void)
{
	struct store *store;

	if (store_open(&store, path, true))
		fail_msg("%s", store_message(store));
	return store;
}

static void add_event(struct store *store, uint32_t index)
{
	struct kerror_event *event;
	struct build build;

	build_begin(&build, NULL, EVL_FORMAT_STRING, NULL);
	build.header.time_realtime = real_s * 1000000000;
	event = kerror_event_new(KERROR_GROUP_EVLOG, index, 42, build.data,
				 build.size);
	assert_int_equal(store_begin(store), 0);
	kerror_event_set_origin(event, origin);
	assert_int_equal(store_add_event(store, event), 0);
	assert_int_equal(store_commit(store), 0);
	kerror_event_free(event);
}

/* The machine was off, and its clock is what it is. */
static void boot_again(int64_t clock)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database,
				      "UPDATE state SET value = 'another'"
				      " WHERE name = 'clock_boot'",
				      NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
	boot_s = 0;
	real_s = clock;
}

struct found {
	uint32_t least, count;
};

static int find(void *context, const struct store_item *item)
{
	struct found *found = context;
	uint32_t sequence = kerror_event_sequence(item->event);

	if (!found->count++ || sequence < found->least)
		found->least = sequence;
	return 0;
}

static void check(struct store *store, uint32_t added)
{
	const struct store_query query = { 0 };
	uint32_t kept = added < KEPT ? added : KEPT;
	struct store_deleted deleted;
	struct found found = { 0 };

	assert_int_equal(store_query(store, &query, find, &found), 0);
	assert_int_equal(found.count, kept);
	assert_int_equal(found.least, added - kept);
	assert_int_equal(store_deleted(store, &deleted), 0);
	assert_int_equal(deleted.age, added - kept);
	assert_int_equal(deleted.size, 0);
}

static void test_clock_steps(void **state)
{
	static const int64_t steps[] = {
		-50LL * YEAR, 60LL * YEAR, 60LL * YEAR, -70LL * YEAR, 3600, -3600,
	};
	struct store *store = open_it();
	uint32_t i;

	(void)state;
	for (i = 0; i < 200 * DAY / STEP; i++) {
		add_event(store, i);
		assert_int_equal(store_retain(store, AGE, 0), 0);
		if (i % 10 == 0)
			check(store, i + 1);
		real_s += STEP;
		boot_s += STEP;
		if (i % 80 == 79)
			real_s += steps[i / 80 % 6];
		if (i % 28 == 27) {	/* kerrord is started again */
			store_close(store);
			/* After a boot in 1970, or years later */
			if (i % 56 == 55)
				boot_again(i % 112 == 111 ? 0 : 2000000000);
			store = open_it();
		}
	}
	store_close(store);
	store = open_it();
	check(store, i);
	store_close(store);
}

/* Of a kerrord that is killed, the clock goes on from the last event at least. */
static void test_kill(void **state)
{
	struct store *store = open_it(), *killed;
	struct store_deleted before, after;

	(void)state;
	assert_int_equal(store_deleted(store, &before), 0);
	add_event(store, 100000);
	boot_s += 5;
	add_event(store, 100001);
	killed = store;
	boot_again(real_s);
	store = open_it();
	boot_s += AGE;
	assert_int_equal(store_retain(store, AGE, 0), 0);
	boot_s += 1;
	assert_int_equal(store_retain(store, AGE, 0), 0);
	assert_int_equal(store_deleted(store, &after), 0);
	assert_true(after.age > before.age);
	store_close(store);
	store_close(killed);
}

/* ---- A fleet ---- */

#define OLD	"11111111-1111-1111-1111-111111111111"
#define NEW	"22222222-2222-2222-2222-222222222222"
#define NOBEAT	"44444444-4444-4444-4444-444444444444"
#define OTHER	"33333333-3333-3333-3333-333333333333"

static struct kerror_origin *origin_of(const char *machine, const char *boot_id)
{
	struct kerror_origin *made = build_origin(boot_id);

	assert_int_equal(kerror_origin_set(made, "machine", machine), 0);
	assert_int_equal(kerror_origin_set(made, "host", *machine == 'd' ? "db" : "web"), 0);
	return made;
}

/* Whether the event is new to the store */
static int collect(struct store *store, const char *machine, const char *boot_id,
		   uint32_t sequence)
{
	struct kerror_origin *of = origin_of(machine, boot_id);
	struct kerror_event *event;
	struct build build;
	int result;

	build_begin(&build, NULL, EVL_FORMAT_STRING, NULL);
	event = kerror_event_new(KERROR_GROUP_EVLOG, KERROR_SEQUENCE_FIRST + sequence, 42,
				 build.data, build.size);
	kerror_event_set_origin(event, of);
	assert_int_equal(store_begin(store), 0);
	result = store_collect_event(store, event, 0, true);
	assert_int_equal(store_commit(store), 0);
	kerror_event_free(event);
	kerror_origin_release(of);
	return result;
}

static void beat(struct store *store, const char *machine, const char *boot_id)
{
	const struct store_heartbeat heartbeat = { .interval = 60 };
	struct kerror_origin *of = origin_of(machine, boot_id);

	assert_int_equal(store_begin(store), 0);
	assert_true(store_collect_heartbeat(store, of, &heartbeat) >= 0);
	assert_int_equal(store_commit(store), 0);
	kerror_origin_release(of);
}

static int forget(struct store *store, const char *name)
{
	int count;

	assert_int_equal(store_begin(store), 0);
	count = store_forget(store, name);
	assert_int_equal(store_commit(store), 0);
	return count;
}

static int64_t rows(const char *table)
{
	sqlite3_stmt *statement;
	sqlite3 *database;
	char sql[128];
	int64_t count;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	count = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return count;
}

static void count_machine(void *context, const struct store_machine *machine)
{
	(void)machine;
	++*(int *)context;
}

static int fleet(struct store *store)
{
	int count = 0;

	assert_int_equal(store_fleet(store, count_machine, &count), 0);
	return count;
}

/*
 * What is known of a boot stays for as long as a stream can have its events, and no longer;
 * that of the boot that a machine runs stays.
 */
static void test_forget(void **state)
{
	struct store *store;

	(void)state;
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "2");
	store = open_it();
	assert_int_equal(collect(store, "a", NEW, 0), 1);
	assert_int_equal(collect(store, "d", NOBEAT, 0), 1);
	assert_int_equal(collect(store, "a", OLD, 0), 1);
	beat(store, "a", NEW);
	assert_int_equal(collect(store, "b", OTHER, 0), 1);
	beat(store, "b", OTHER);
	assert_int_equal(fleet(store), 3);
	assert_int_equal(forget(store, "nobody"), 0);
	assert_int_equal(forget(store, "web"), 2);
	assert_int_equal(fleet(store), 3);
	assert_int_equal(forget(store, "b"), 1);
	assert_int_equal(fleet(store), 2);
	/* Of those of that name, it is the one that is left; and a heartbeat brings it back. */
	assert_int_equal(forget(store, "web"), 1);
	assert_int_equal(fleet(store), 1);
	beat(store, "a", NEW);
	assert_int_equal(fleet(store), 2);

	/* All events are too old. Those that come again are known by their boots. */
	boot_s += AGE + 1;
	assert_int_equal(store_retain(store, AGE, 0), 0);
	assert_int_equal(rows("event"), 0);
	assert_int_equal(store_retain_boots(store), 0);
	boot_s += 3 * DAY;
	assert_int_equal(store_retain_boots(store), 0);
	assert_int_equal(collect(store, "a", OLD, 0), 0);
	assert_int_equal(collect(store, "a", NEW, 0), 0);
	assert_int_equal(collect(store, "b", OTHER, 0), 0);
	assert_int_equal(rows("boot"), 4);
	/* A new one begins that time anew. */
	assert_int_equal(collect(store, "a", OLD, 1), 1);
	boot_s += 5 * DAY;
	assert_int_equal(store_retain_boots(store), 0);
	assert_int_equal(rows("boot"), 4);
	boot_s += AGE;
	assert_int_equal(store_retain(store, AGE, 0), 0);
	assert_int_equal(store_retain_boots(store), 0);
	boot_s += 8 * DAY;
	assert_int_equal(store_retain_boots(store), 0);
	/* The newest row stays, and the boot that a machine runs. */
	assert_int_equal(rows("boot"), 3);
	assert_int_equal(rows("boot WHERE boot_id = '" OLD "'"), 0);
	assert_int_equal(rows("collected"), 3);
	assert_int_equal(collect(store, "a", NEW, 0), 0);
	/* With a newer row, nothing is left of the machine that was forgotten. */
	beat(store, "c", BOOT);
	assert_int_equal(store_retain_boots(store), 0);
	boot_s += 8 * DAY;
	assert_int_equal(store_retain_boots(store), 0);
	assert_int_equal(rows("boot WHERE boot_id = '" OTHER "'"), 0);
	assert_int_equal(rows("collected"), 2);
	assert_int_equal(rows("machine"), 2);
	assert_int_equal(fleet(store), 3);
	store_close(store);
}

static void raise_some(struct store *store, int begin, int end)
{
	char key[16];

	assert_int_equal(store_begin(store), 0);
	for (int i = begin; i < end; i++) {
		snprintf(key, sizeof(key), "%d", i);
		/* The second time, it is counted. */
		for (int j = 0; j < 2; j++)
			assert_int_equal(store_raise(store, "", &(struct condition) {
				.name = "x", .key = key, .rule = "", .severity = 3, .text = "",
				.meaning = "", .remedy = "", .found = "",
			}), 0);
	}
	assert_int_equal(store_commit(store), 0);
}

/* There are so many, and more in the store of a fleet. */
static void test_conditions(void **state)
{
	struct store *store;

	(void)state;
	path[strlen(path) - 1]++;
	store = open_it();
	raise_some(store, 0, CONDITIONS_MAX - 1);
	raise_some(store, 0, CONDITIONS_MAX + 5);
	assert_int_equal(rows("condition"), CONDITIONS_MAX + 1);
	assert_int_equal(rows("condition WHERE key = 'others' AND count = 10"), 1);
	beat(store, "a", BOOT);
	raise_some(store, 0, CONDITIONS_FLEET + 5);
	assert_int_equal(rows("condition"), CONDITIONS_FLEET);
	assert_int_equal(rows("condition WHERE count >= 2"), CONDITIONS_FLEET);
	store_close(store);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_conditions),
	};
	char folder[] = "/tmp/test_store.XXXXXX", name[80];
	static const char *const suffixes[] = { "", "-wal", "-shm", "2", "2-wal", "2-shm",
						"3", "3-wal", "3-shm" };
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/db", folder);
	origin = build_origin(BOOT);
	failed = cmocka_run_group_tests_name("store", tests, NULL, NULL);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "%s/db%s", folder, suffixes[i]);
		unlink(name);
	}
	rmdir(folder);
	kerror_origin_release(origin);
	return failed;
}
