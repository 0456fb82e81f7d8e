// SPDX-License-Identifier: GPL-2.0-only
/*
 * A collector's knowledge of the events of many machines: how far each group of each boot
 * has come, which numbers before that are missing, and what each machine said last.
 *
 * Promise: of each boot and group, each number up to the newest is an event that is
 * stored, a gap that is young, or one of a loss: one that the machine told of, or one of
 * the cause "stream" that is made of an old gap. An event that arrives later still is
 * stored, and taken out of that loss.
 *
 * Positions count from the first number of a boot and do not wrap. Their state is kept in
 * memory within a transaction only, so that several collectors may share a store.
 */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"
#include "store_internal.h"

#define STREAM CAUSE_STREAM

/* Gaps, and silent machines, that one transaction looks at */
#define SWEEP_GAPS 1000
#define SWEEP_SILENT 500

/**
 * struct group - of one series
 * @loaded: the rest is known
 * @dirty: it is not in the table
 * @next: position behind the newest event
 * @told: likewise, as the machine said
 * @lost: events without a number that it said are lost
 * @gone: numbers of old gaps
 * @reported: numbers in the losses that it told of
 * @named: numbers in losses of the cause "stream"
 */
struct group {
	bool loaded, dirty;
	int64_t next, told, lost, gone, reported, named;
};

struct collected {
	struct series series;
	struct kerror_origin *origin;
	int64_t boot;
	struct group group[KERROR_GROUP_COUNT];
};

static struct values values_of(struct store *store, enum statement which)
{
	return (struct values) { .statement = store->statement[which] };
}

static int64_t column(struct store *store, enum statement which, int index)
{
	return sqlite3_column_int64(store->statement[which], index);
}

/* ---- Series ---- */

static int compare(const void *a, const void *b)
{
	const struct series *left = &((const struct collected *)a)->series;
	const struct series *right = &((const struct collected *)b)->series;
	int order = strcmp(left->boot_id, right->boot_id);

	return order ? order : (left->instance > right->instance) -
			       (left->instance < right->instance);
}

static void free_node(void *node)
{
	kerror_origin_release(((struct collected *)node)->origin);
	free(node);
}

void store_collect_drop(struct store *store)
{
	tdestroy(store->collected, free_node);
	store->collected = NULL;
}

/* A machine without an id is known by its name, until it gets one. */
static bool is_machine(const struct kerror_origin *origin, const char *id, const char *name)
{
	const char *machine = kerror_origin_get(origin, "machine");
	const char *host = kerror_origin_get(origin, "host");

	if (id)
		return machine && !strcmp(id, machine);
	return !name || (host && !strcmp(name, host));
}

/*
 * Two machines with one boot id, such as copies of a virtual one, cannot be told apart, and
 * none is to speak for another.
 */
static int check_machine(struct store *store, const struct series *series,
			 const struct kerror_origin *origin)
{
	struct values values = values_of(store, BOOT_MACHINE);
	const char *id, *name;
	int err;

	add_series(&values, series);
	err = store_step_with(store, BOOT_MACHINE, &values);
	if (err <= 0)
		return err;
	id = (const char *)sqlite3_column_text(values.statement, 0);
	name = (const char *)sqlite3_column_text(values.statement, 1);
	err = is_machine(origin, id, name) ? 0 : -EINVAL;
	if (err)
		snprintf(store->message, sizeof(store->message),
			 "boot %s is one of machine %.40s, too; is one a copy that was resumed? reboot it",
			 series->boot_id, id ? id : name);
	store_finish(store, BOOT_MACHINE);
	return err;
}

static int use(struct store *store, struct kerror_origin *origin, struct collected **result)
{
	const char *boot_id = kerror_origin_get(origin, "boot_id");
	const char *instance = kerror_origin_get(origin, "instance");
	struct collected key = { 0 }, **found, *node;
	int err;

	if (!boot_id || !*boot_id || strlen(boot_id) >= BOOT_ID_SIZE) {
		snprintf(store->message, sizeof(store->message), "an event of no boot");
		return -EINVAL;
	}
	snprintf(key.series.boot_id, BOOT_ID_SIZE, "%s", boot_id);
	key.series.instance = instance ? strtoull(instance, NULL, 10) : 0;
	found = tfind(&key, &store->collected, compare);
	node = found ? *found : NULL;
	if (node && (node->origin == origin || kerror_origin_same(node->origin, origin))) {
		*result = node;
		return 0;
	}
	err = check_machine(store, &key.series, origin);
	if (!err)
		err = store_add_origin(store, origin, &key.boot);
	if (err)
		return err;
	if (!node) {
		node = malloc(sizeof(*node));
		if (!node)
			return -ENOMEM;
		*node = key;
		if (!tsearch(node, &store->collected, compare)) {
			free(node);
			return -ENOMEM;
		}
	}
	kerror_origin_release(node->origin);
	node->origin = kerror_origin_hold(origin);
	*result = node;
	return 0;
}

static int use_boot(struct store *store, int64_t boot, struct collected **result)
{
	struct kerror_origin *origin = kerror_origin_new();
	int err = origin ? store_read_origin(store, boot, origin) : -ENOMEM;

	if (!err)
		err = use(store, origin, result);
	kerror_origin_release(origin);
	return err;
}

/* ---- Groups ---- */

static int load(struct store *store, struct collected *node, uint32_t bit,
		struct group **result)
{
	struct values values = values_of(store, GET_COLLECTED);
	int index = kerror_group_index(bit), err;
	struct group *group;

	if (index < 0)
		return -EINVAL;
	group = &node->group[index];
	*result = group;
	if (group->loaded)
		return 0;
	add_number(&values, node->boot);
	add_number(&values, bit);
	err = store_step_with(store, GET_COLLECTED, &values);
	if (err < 0)
		return err;
	if (err)
		*group = (struct group) {
			.next = column(store, GET_COLLECTED, 0),
			.told = column(store, GET_COLLECTED, 1),
			.lost = column(store, GET_COLLECTED, 2),
			.gone = column(store, GET_COLLECTED, 3),
			.reported = column(store, GET_COLLECTED, 4),
			.named = column(store, GET_COLLECTED, 5),
		};
	store_finish(store, GET_COLLECTED);
	group->loaded = true;
	return 0;
}

/* Of a number, the position nearest to the newest */
static int64_t position_of(const struct group *group, uint32_t sequence)
{
	return group->next + (int32_t)(sequence - (uint32_t)(KERROR_SEQUENCE_FIRST +
							      group->next));
}

static int run_gap(struct store *store, enum statement which, int64_t boot, uint32_t bit,
		   int64_t first, int64_t last, int64_t arrived)
{
	struct values values = values_of(store, which);

	add_number(&values, boot);
	add_number(&values, bit);
	add_number(&values, first);
	if (which == ADD_GAP) {
		add_number(&values, last);
		add_number(&values, arrived);
	}
	return store_step_with(store, which, &values);
}

/* Up to @next all that did not arrive is missing from now on. */
static int extend(struct store *store, int64_t boot, uint32_t bit, struct group *group,
		  int64_t next)
{
	int err = 0;

	if (next <= group->next)
		return 0;
	store->clock_used = true;
	err = run_gap(store, ADD_GAP, boot, bit, group->next, next - 1, store_clock(store));
	group->next = next;
	group->dirty = true;
	return err;
}

/* Takes a position out of the gap that it is in: 1, or 0 if it is in none */
static int fill(struct store *store, int64_t boot, uint32_t bit, int64_t position)
{
	struct values values = values_of(store, FIND_GAP);
	int64_t first, last, arrived;
	int err;

	add_number(&values, boot);
	add_number(&values, bit);
	add_number(&values, position);
	err = store_step_with(store, FIND_GAP, &values);
	if (err <= 0)
		return err;
	first = column(store, FIND_GAP, 0);
	last = column(store, FIND_GAP, 1);
	arrived = column(store, FIND_GAP, 2);
	store_finish(store, FIND_GAP);
	if (last < position)
		return 0;
	err = run_gap(store, DELETE_GAP, boot, bit, first, 0, 0);
	if (!err && first < position)
		err = run_gap(store, ADD_GAP, boot, bit, first, position - 1, arrived);
	if (!err && last > position)
		err = run_gap(store, ADD_GAP, boot, bit, position + 1, last, arrived);
	return err ? err : 1;
}

int store_collect_event(struct store *store, const struct kerror_event *event, uint64_t time,
			bool gaps)
{
	uint32_t bit = kerror_event_group(event);
	struct collected *node;
	struct group *group;
	int64_t position;
	int err = use(store, kerror_event_origin(event), &node), is_new = 1;

	if (!err)
		err = load(store, node, bit, &group);
	if (err)
		return err;
	position = position_of(group, kerror_event_sequence(event));
	if (position < 0) {
		snprintf(store->message, sizeof(store->message),
			 "number %u is before the first of its boot", kerror_event_sequence(event));
		return -EINVAL;
	}
	if (gaps && position < group->next) {
		is_new = fill(store, node->boot, bit, position);
		/* In no gap: it is there, or it was until retention, or it is late. */
		if (is_new < 0 || (!is_new && !group->gone))
			return is_new;
	}
	store->boot = node->boot;
	err = store_insert_event(store, event, time);
	if (err)
		return err;
	if (!sqlite3_changes(store->database))
		return 0;
	group->dirty = true;
	if (!is_new)
		group->gone--;
	if (position < group->next)
		return 1;
	if (gaps)
		err = extend(store, node->boot, bit, group, position);
	group->next = position + 1;
	return err ? err : 1;
}

static bool has_numbers(const char *cause)
{
	return !strcmp(cause, "history") || !strcmp(cause, "sink") || !strcmp(cause, "poison") ||
	       is_collapsed(cause);
}

int store_collect_loss(struct store *store, struct kerror_origin *origin, uint64_t time,
		       const struct kerror_loss *loss, const char *cause, bool gaps)
{
	struct values values = values_of(store, FIND_LOSS);
	struct collected *node;
	struct group *group;
	int err = use(store, origin, &node);

	if (!err)
		err = load(store, node, loss->group, &group);
	if (err)
		return err;
	add_number(&values, node->boot);
	add_number(&values, loss->group);
	add_text(&values, cause, strlen(cause));
	add_number(&values, loss->total);
	add_number(&values, time);
	err = store_step_with(store, FIND_LOSS, &values);
	store_finish(store, FIND_LOSS);
	if (err)
		return err < 0 ? err : 0;
	store->boot = node->boot;
	err = store_insert_loss(store, time, loss, cause);
	if (!err && gaps && has_numbers(cause)) {
		group->reported += loss->count;
		group->dirty = true;
	}
	return err ? err : 1;
}

/* ---- Losses of the stream ---- */

/* Takes @count out of the newest ones. */
static int cut_named(struct store *store, int64_t boot, uint32_t bit, int64_t count)
{
	int err = 0;

	while (!err && count) {
		struct values values = values_of(store, LAST_LOSS);
		int64_t row, there, less;
		char sql[160];

		add_number(&values, boot);
		add_number(&values, bit);
		add_text(&values, STREAM, strlen(STREAM));
		err = store_step_with(store, LAST_LOSS, &values);
		if (err <= 0)
			return err;
		row = column(store, LAST_LOSS, 0);
		there = column(store, LAST_LOSS, 1);
		store_finish(store, LAST_LOSS);
		less = there < count ? there : count;
		count -= less;
		if (less == there)
			snprintf(sql, sizeof(sql), "DELETE FROM loss WHERE rowid = %lld",
				 (long long)row);
		else
			snprintf(sql, sizeof(sql), "UPDATE loss SET count = count - %lld,"
				 " total = total - %lld WHERE rowid = %lld", (long long)less,
				 (long long)less, (long long)row);
		err = store_execute(store, sql);
	}
	return err;
}

/* Names what is gone and of which the machine has not told. */
static int settle(struct store *store, struct collected *node, uint32_t bit,
		  struct group *group)
{
	int64_t wanted = group->gone > group->reported ? group->gone - group->reported : 0;
	struct kerror_loss loss = {
		.group = bit, .cause = KERROR_CAUSES, .total = wanted,
		.count = wanted - group->named,
	};
	uint64_t now = store_now();
	int err = 0;

	if (wanted < group->named)
		err = cut_named(store, node->boot, bit, group->named - wanted);
	if (wanted > group->named) {
		store->boot = node->boot;
		err = store_insert_loss(store, now, &loss, STREAM);
		if (!err && store->named)
			store->named(store->named_context, node->origin, &loss);
	}
	group->named = wanted;
	return err;
}

static int save(struct store *store, struct collected *node, uint32_t bit,
		struct group *group)
{
	struct values values = values_of(store, SET_COLLECTED);
	int err = settle(store, node, bit, group);

	if (err)
		return err;
	add_number(&values, node->boot);
	add_number(&values, bit);
	add_number(&values, group->next);
	add_number(&values, group->told);
	add_number(&values, group->lost);
	add_number(&values, group->gone);
	add_number(&values, group->reported);
	add_number(&values, group->named);
	group->dirty = false;
	return store_step_with(store, SET_COLLECTED, &values);
}

struct saving {
	struct store *store;
	int err;
};

static void save_node(const void *at, VISIT visit, void *context)
{
	struct collected *node = *(struct collected **)at;
	struct saving *saving = context;

	if (visit != leaf && visit != postorder)
		return;
	for (int i = 0; !saving->err && i < KERROR_GROUP_COUNT; i++)
		if (node->group[i].dirty)
			saving->err = save(saving->store, node, kerror_group_at(i),
					   &node->group[i]);
}

int store_collect_save(struct store *store)
{
	struct saving saving = { .store = store };

	twalk_r(store->collected, save_node, &saving);
	return saving.err;
}

struct old_gap {
	int64_t boot, first, last;
	uint32_t bit;
};

/* One transaction; how many gaps there were */
static int sweep_some(struct store *store, int64_t before)
{
	struct old_gap *gaps = calloc(SWEEP_GAPS, sizeof(*gaps));
	struct values values = values_of(store, OLD_GAPS);
	int count = 0, err = gaps ? store_begin(store) : -ENOMEM;

	add_number(&values, before);
	add_number(&values, SWEEP_GAPS);
	while (!err && (err = store_step_with(store, OLD_GAPS, &values)) > 0) {
		gaps[count++] = (struct old_gap) {
			.boot = column(store, OLD_GAPS, 0), .bit = column(store, OLD_GAPS, 1),
			.first = column(store, OLD_GAPS, 2), .last = column(store, OLD_GAPS, 3),
		};
		err = 0;
	}
	store_finish(store, OLD_GAPS);
	for (int i = 0; !err && i < count; i++) {
		struct collected *node;
		struct group *group;

		err = use_boot(store, gaps[i].boot, &node);
		if (!err)
			err = load(store, node, gaps[i].bit, &group);
		if (err)
			break;
		group->gone += gaps[i].last - gaps[i].first + 1;
		group->dirty = true;
		err = run_gap(store, DELETE_GAP, gaps[i].boot, gaps[i].bit, gaps[i].first, 0, 0);
	}
	free(gaps);
	if (!err)
		err = store_commit(store);
	if (err)
		store_rollback(store);
	return err ? err : count;
}

int store_collect_sweep(struct store *store, int64_t before,
			void (*named)(void *context, struct kerror_origin *origin,
				      const struct kerror_loss *loss),
			void *context)
{
	int64_t old = 0;
	char sql[80];
	int err;

	snprintf(sql, sizeof(sql), "SELECT EXISTS(SELECT 1 FROM gap WHERE arrived <= %lld)",
		 (long long)before);
	err = store_number(store, sql, &old);
	if (err || !old)
		return err;
	store->named = named;
	store->named_context = context;
	do
		err = sweep_some(store, before);
	while (err == SWEEP_GAPS);
	store->named = NULL;
	return err < 0 ? err : 0;
}

/* ---- Machines ---- */

/* Events that the machine told of, and that did not arrive: of all of its boots */
static int extend_machine(struct store *store, const char *machine)
{
	struct { int64_t boot; uint32_t bit; } found[64];
	struct values values = values_of(store, TOLD_MORE);
	int count = 0, err = store_collect_save(store);

	add_text(&values, machine, strlen(machine));
	while (!err && count < 64 && (err = store_step_with(store, TOLD_MORE, &values)) > 0) {
		found[count].boot = column(store, TOLD_MORE, 0);
		found[count++].bit = column(store, TOLD_MORE, 1);
		err = 0;
	}
	store_finish(store, TOLD_MORE);
	for (int i = 0; !err && i < count; i++) {
		struct collected *node;
		struct group *group;

		err = use_boot(store, found[i].boot, &node);
		if (!err)
			err = load(store, node, found[i].bit, &group);
		if (!err)
			err = extend(store, node->boot, found[i].bit, group, group->told);
	}
	return err;
}

/*
 * What the table has of the machine: 1 if it was silent, else 0. Of a boot before the newest
 * one, a heartbeat is @old: it came again. One that was sent later is of another machine that
 * has this id, such as a copy: none of both is to end the boot of the other.
 */
static int look_at_machine(struct store *store, const char *machine, int64_t boot,
			   uint64_t time, bool *old)
{
	struct values values = values_of(store, GET_MACHINE);
	int64_t silent, newest, sent;
	int err;

	add_text(&values, machine, strlen(machine));
	err = store_step_with(store, GET_MACHINE, &values);
	if (err <= 0)
		return err;
	silent = column(store, GET_MACHINE, 0);
	newest = column(store, GET_MACHINE, 1);
	sent = column(store, GET_MACHINE, 2);
	store_finish(store, GET_MACHINE);
	*old = silent != MACHINE_FORGOTTEN && boot < newest;
	if (!*old || time <= (uint64_t)sent)
		return silent != 0;
	snprintf(store->message, sizeof(store->message),
		 "machine %.40s runs a newer boot, too; is one a copy? give it an id of its own in /etc/machine-id",
		 machine);
	return -EINVAL;
}

int store_collect_heartbeat(struct store *store, struct kerror_origin *origin,
			    const struct store_heartbeat *heartbeat)
{
	const char *machine = kerror_origin_get(origin, "machine");
	struct values values = values_of(store, SET_MACHINE);
	struct collected *node;
	int err = use(store, origin, &node), was_silent = 0;
	bool old = false;

	if (!machine)
		machine = kerror_origin_get(origin, "host");
	if (!err && !machine)
		err = -EINVAL;
	if (!err)
		was_silent = look_at_machine(store, machine, node->boot, heartbeat->time, &old);
	if (was_silent < 0)
		err = was_silent;
	for (size_t i = 0; !err && i < heartbeat->count; i++) {
		struct group *group;
		int64_t told;

		err = load(store, node, heartbeat->group[i].group, &group);
		if (err)
			break;
		told = position_of(group, heartbeat->group[i].next);
		if (told > group->told)
			group->told = told;
		group->lost = heartbeat->group[i].lost;
		group->dirty = true;
	}
	if (err || old)
		return err;
	store->clock_used = true;
	add_text(&values, machine, strlen(machine));
	add_number(&values, node->boot);
	add_number(&values, store_now());
	add_number(&values, store_clock(store));
	add_number(&values, heartbeat->time);
	add_number(&values, heartbeat->interval);
	add_number(&values, heartbeat->behind);
	err = store_step_with(store, SET_MACHINE, &values);
	if (!err && !heartbeat->behind && !heartbeat->filtered)
		err = extend_machine(store, machine);
	return err ? err : was_silent;
}

struct silent {
	char machine[128], host[128];
	int64_t seconds;
};

/* The machines that are to be told as silent now, of which some may be left */
static int find_silent(struct store *store, struct silent *silent, int64_t listens_since,
		       int64_t until, unsigned int intervals)
{
	struct values values = values_of(store, FIND_SILENT);
	int count = 0, err;

	add_number(&values, listens_since);
	add_number(&values, intervals);
	add_number(&values, until);
	add_number(&values, SWEEP_SILENT);
	while ((err = store_step_with(store, FIND_SILENT, &values)) > 0) {
		struct silent *at = &silent[count++];

		snprintf(at->machine, sizeof(at->machine), "%s",
			 (const char *)sqlite3_column_text(values.statement, 0));
		snprintf(at->host, sizeof(at->host), "%s",
			 (const char *)sqlite3_column_text(values.statement, 1));
		at->seconds = column(store, FIND_SILENT, 2);
	}
	store_finish(store, FIND_SILENT);
	return err ? err : count;
}

int store_collect_silent(struct store *store, int64_t listens_since, int64_t until,
			 unsigned int intervals,
			 int (*found)(void *context, const char *machine, const char *host,
				      uint64_t seconds),
			 void *context)
{
	struct silent *silent = calloc(SWEEP_SILENT, sizeof(*silent));
	int count, err;
	bool began;

	if (!silent)
		return -ENOMEM;
	count = find_silent(store, silent, listens_since, until, intervals);
	err = count > 0 ? store_begin(store) : count;
	began = !err && count > 0;
	/* Another collector may have heard of some, or told. */
	if (!err && began)
		count = find_silent(store, silent, listens_since, until, intervals);
	if (count < 0)
		err = count;
	for (int i = 0; !err && i < count; i++) {
		struct values marked = values_of(store, SET_SILENT);

		add_text(&marked, silent[i].machine, strlen(silent[i].machine));
		err = store_step_with(store, SET_SILENT, &marked);
		if (!err)
			err = extend_machine(store, silent[i].machine);
		if (!err)
			err = found(context, silent[i].machine, silent[i].host,
				    silent[i].seconds);
	}
	if (!err && began)
		err = store_commit(store);
	if (err && began)
		store_rollback(store);
	free(silent);
	return err ? err : count;
}

int store_collect_heard(struct store *store, const char *name)
{
	int64_t over = 0;
	char sql[256];
	int err;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM condition WHERE name = '%s'"
		 " AND key = '" CONDITION_OTHERS "' AND cleared IS NULL"
		 " AND NOT EXISTS(SELECT 1 FROM machine WHERE silent = 1)", name);
	err = store_number(store, sql, &over);
	if (err || !over)
		return err;
	err = store_begin(store);
	if (!err && store_clear(store, name, CONDITION_OTHERS, "heartbeat", store_now()) < 0)
		err = -EIO;
	if (!err)
		err = store_commit(store);
	if (err)
		store_rollback(store);
	return err;
}

int64_t store_collect_clock(struct store *store)
{
	store->clock_used = true;
	return store_clock(store);
}

int store_fleet(struct store *store,
		void (*found)(void *context, const struct store_machine *machine),
		void *context)
{
	static const char machines[] =
		"WITH of AS (SELECT boot, coalesce(machine, host) AS name FROM boot),"
		/* By the first word of their keys, which is a name */
		" lasting AS MATERIALIZED (SELECT substr(key, 1, instr(key || ' ', ' ') - 1) AS host,"
		"  count(*) AS n FROM condition WHERE cleared IS NULL GROUP BY 1),"
		" newest AS (SELECT name, max(boot) AS boot FROM of WHERE name NOTNULL GROUP BY name)"
		" SELECT name, coalesce(b.host, ''), coalesce(b.release, ''), b.boot_id,"
		" coalesce(m.heard, 0), coalesce(m.interval, 0), coalesce(m.behind, 0),"
		" coalesce(m.silent, 0),"
		" (SELECT coalesce(sum(max(c.told - c.next, 0) - max(c.reported - c.gone, 0)), 0)"
		"  FROM collected c"
		"  JOIN of USING(boot) WHERE of.name = n.name)"
		" + (SELECT coalesce(sum(g.last - g.first + 1), 0) FROM gap g"
		"  JOIN of USING(boot) WHERE of.name = n.name),"
		" (SELECT coalesce(sum(l.count), 0) FROM loss l JOIN of USING(boot)"
		"  WHERE of.name = n.name AND l.cause != '" CAUSE_COLLAPSED "'),"
		" (SELECT coalesce(sum(l.count), 0) FROM loss l JOIN of USING(boot)"
		"  WHERE of.name = n.name AND l.cause = '" CAUSE_COLLAPSED "'),"
		" coalesce((SELECT n FROM lasting l WHERE l.host = b.host), 0)"
		" FROM newest n LEFT JOIN machine m ON m.machine = name"
		" JOIN boot b ON b.boot = coalesce(m.boot, n.boot)"
		" WHERE coalesce(m.silent, 0) < 2"
		" ORDER BY coalesce(m.silent, 0) DESC, b.host, name";
	sqlite3_stmt *statement;
	int64_t version;
	int code, err = store_number(store, "PRAGMA user_version", &version);

	if (err || version < STORE_HAS_FLEET)
		return err;
	if (sqlite3_prepare_v2(store->database, machines, -1, &statement, NULL) != SQLITE_OK)
		return store_failed(store);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		found(context, &(struct store_machine) {
			.machine = (const char *)sqlite3_column_text(statement, 0),
			.host = (const char *)sqlite3_column_text(statement, 1),
			.release = (const char *)sqlite3_column_text(statement, 2),
			.boot_id = (const char *)sqlite3_column_text(statement, 3),
			.heard = sqlite3_column_int64(statement, 4),
			.interval = sqlite3_column_int64(statement, 5),
			.behind = sqlite3_column_int(statement, 6),
			.silent = sqlite3_column_int(statement, 7),
			/* Events that were told of may have no gap. */
			.lag = sqlite3_column_int64(statement, 8) < 0 ? 0 :
			       sqlite3_column_int64(statement, 8),
			.lost = sqlite3_column_int64(statement, 9),
			.collapsed = sqlite3_column_int64(statement, 10),
			.conditions = sqlite3_column_int64(statement, 11),
		});
	code = sqlite3_finalize(statement);
	return code == SQLITE_OK ? 0 : store_failed(store);
}
