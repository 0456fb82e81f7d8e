// SPDX-License-Identifier: GPL-2.0-only
/*
 * Earlier boots: what the kernel kept of them in memory that outlives it. Each goes to
 * the stores, under its own name; then the kernel is told that it may go.
 *
 * The receiver calls this once, before its sinks begin. A store is written in one
 * transaction that says how far the boot was read, and that is on the disk when the
 * kernel is told. So an event is in a store once, whenever kerrord or the machine is
 * killed. Other sinks get nothing: they have no place for what is of another boot.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kerrord.h"

/* More than a kernel keeps */
#define BOOTS_MAX 32

/* For one answer of the kernel, which takes it out of memory */
#define ANSWER_MS 10000

static const char *const ends[] = {
	[KERROR_END_NONE] = "", [KERROR_END_CLEAN] = "clean",
	[KERROR_END_PANIC] = "panic", [KERROR_END_CUT] = "cut",
};

/* The store's events of that boot: kerrord stored them while the boot ran. */
static int load(struct store *store, const struct series *series,
		struct progress progress[GROUPS])
{
	int err = 0;

	for (int i = 0; i < GROUPS; i++) {
		uint32_t group = kerror_group_at(i);

		err = store_cursor(store, series, group, &progress[i].next);
		progress[i].known = !err;
		for (int cause = 0; cause < KERROR_CAUSES; cause++)
			if (!err || err == -ENOENT)
				err = store_loss_total(store, series, group, cause,
						       &progress[i].lost[cause]);
		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

/*
 * Where its events come from. If kerrord did not run in that boot, its machine and tags
 * are taken to have been those of now; what else is of one kernel is not known.
 */
struct kerror_origin *origin_of_boot(struct store *store, const struct series *series,
				     const char *release)
{
	struct kerror_origin *origin = store_origin(store, series), *own;
	const char *name, *value;
	int err = origin ? 0 : -ENOMEM;

	if (!origin || kerror_origin_get(origin, "release"))
		return origin;
	own = identity();
	for (size_t i = 0; !err && (name = kerror_origin_at(own, i, &value)); i++)
		if (!strcmp(name, "machine") || !strcmp(name, "host") ||
		    !strncmp(name, "tag.", 4))
			err = kerror_origin_set(origin, name, value);
	kerror_origin_release(own);
	if (!err && *release)
		err = kerror_origin_set(origin, "release", release);
	if (!err)
		return origin;
	kerror_origin_release(origin);
	return NULL;
}

static int add_item(struct store *store, struct kerror_origin *origin, uint64_t time,
		    struct kerror_reader *reader, enum kerror_item item)
{
	const struct kerror_loss *loss;
	uint32_t next = 0;

	if (item == KERROR_ITEM_EVENT)
		return store_add_event(store, kerror_reader_event(reader));
	if (item == KERROR_ITEM_ERROR)
		return kerror_reader_error(reader);
	loss = kerror_reader_loss(reader);
	kerror_reader_cursor(reader, loss->group, &next);
	return store_add_loss(store, origin, time, loss,
			      kerror_cause_name(loss->cause),
			      loss->cause == KERROR_LOST_HISTORY ? &next : NULL);
}

/* Within a transaction: adds all of a boot that the store has not. */
static int add_boot(struct store *store, const struct kerror_boot *boot,
		    const struct series *series, const char *running, uint32_t groups,
		    uint64_t *count)
{
	struct progress progress[GROUPS] = { 0 };
	uint64_t ended = boot->time_realtime + boot->time_boot;
	struct kerror_origin *origin = origin_of_boot(store, series, boot->release);
	struct kerror_reader *reader = kerror_reader_new(groups);
	struct kerror_socket *sock = NULL;
	enum kerror_item item;
	int err = reader && origin ? load(store, series, progress) : -ENOMEM;

	if (!err)
		err = kerror_socket_open(&sock, 0);
	if (!err) {
		kerror_reader_earlier(reader, boot);
		kerror_reader_set_origin(reader, origin);
		begin_after(reader, groups, progress);
	}
	while (!err) {
		err = kerror_socket_next(sock, reader, ANSWER_MS, &item);
		if (err == -EINTR)
			err = 0;
		else if (!err && item != KERROR_ITEM_NONE)
			err = add_item(store, origin, ended, reader, item);
		else if (!err && !kerror_reader_replaying(reader))
			break;
		else if (!err)
			err = -ETIMEDOUT;
	}
	if (!err)
		err = store_end_boot(store, origin, &(struct store_boot) {
			.how = ends[boot->end],
			.message = boot->message,
			.began = boot->time_realtime,
			.ended = ended,
		}, running);
	*count = reader ? kerror_reader_received(reader) : 0;
	if (sock)
		kerror_socket_close(sock);
	kerror_reader_free(reader);
	kerror_origin_release(origin);
	return err;
}

static bool store_boot(const char *path, const struct kerror_boot *boot,
		       const char *running, uint32_t groups)
{
	struct series series = { .instance = boot->instance };
	struct store *store;
	uint64_t count = 0;
	int err = store_open(&store, path, true);

	kerror_boot_text(boot->boot, series.boot_id);
	if (!err)
		err = store_begin(store);
	if (!err) {
		err = add_boot(store, boot, &series, running, groups, &count);
		if (!err)
			err = store_commit(store);
		if (err)
			store_rollback(store);
	}
	if (err)
		fprintf(stderr, "kerrord: the boot %s is not stored, and stays with the kernel until the next start: %s\n",
			series.boot_id, *store_message(store) ? store_message(store) :
							 strerror(-err));
	else
		fprintf(stderr, "kerrord: boot %s of Linux %s ended (%s%s%s); %llu of its events are new in %s\n",
			series.boot_id, boot->release, ends[boot->end],
			*boot->message ? ": " : "", boot->message,
			(unsigned long long)count, path);
	store_close(store);
	return !err;
}

void earlier_boots(const struct settings *settings, const char *boot_id)
{
	struct kerror_boot boots[BOOTS_MAX];
	const struct sink_settings *sink;
	int count, stores, failed;
	uint8_t id[16];

	if (kerror_boot_parse(boot_id, id) || kerror_boot_name(id))
		return;
	count = kerror_boots(boots, BOOTS_MAX);
	for (int i = 0; i < count && i < BOOTS_MAX; i++) {
		if (boots[i].end == KERROR_END_NONE ||
		    boots[i].end >= sizeof(ends) / sizeof(*ends))
			continue;
		stores = 0;
		failed = 0;
		for (sink = settings->sinks; sink; sink = sink->next) {
			if (sink->type != &store_sink)
				continue;
			stores++;
			failed += !store_boot(sink->path, &boots[i], boot_id,
					      settings->groups);
		}
		if (stores && !failed)
			kerror_boot_drop(&boots[i]);
	}
}
