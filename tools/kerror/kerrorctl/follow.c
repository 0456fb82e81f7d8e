// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl query --follow: prints what kerrord stores from now on. It looks several
 * times a second whether the files have changed, and then opens the store anew, as a
 * reader without the right to write does not see what came after it opened it.
 * Whatever comes late, a line is printed once: what is new is told by its number.
 */
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "kerrorctl.h"
#include "store.h"

#define INTERVAL_NS 250000000L

/* Of the store and of its log */
struct state {
	struct stat file[2];
};

static struct state state_of(const struct common *common)
{
	const char *path = common->store ? common->store : STORE_PATH;
	static const char *const suffixes[] = { "", "-wal" };
	struct state state = { 0 };
	char name[300];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		if (stat(name, &state.file[i]))
			memset(&state.file[i], 0, sizeof(state.file[i]));
	}
	return state;
}

static bool is_same(const struct state *a, const struct state *b)
{
	for (int i = 0; i < 2; i++)
		if (a->file[i].st_ino != b->file[i].st_ino ||
		    a->file[i].st_size != b->file[i].st_size ||
		    memcmp(&a->file[i].st_mtim, &b->file[i].st_mtim,
			   sizeof(a->file[i].st_mtim)))
			return false;
	return true;
}

static int found(void *context, const struct store_item *item)
{
	print_stored(context, item);
	return 0;
}

static struct store_mark print_new(const struct common *common, const struct store_query *query,
				   struct store_mark mark)
{
	struct store *store = open_store(common, false);
	struct stored_style style = stored_style(common, store, terminal_width(), false);
	struct store_query more = *query;

	more.limit = 0;
	more.newest_first = false;
	more.after = mark;
	check_store(store, store_mark(store, &more.up_to));
	/* Numbers begin anew in a store that was made anew, or from which all was deleted. */
	if (more.up_to.event < mark.event)
		more.after.event = 0;
	if (more.up_to.loss < mark.loss)
		more.after.loss = 0;
	if (more.up_to.event > more.after.event || more.up_to.loss > more.after.loss)
		check_store(store, store_query(store, &more, found, &style));
	store_close(store);
	return more.up_to;
}

void follow_store(const struct common *common, const struct store_query *query,
		  struct store_mark mark)
{
	static const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	struct state seen = { 0 }, state;

	for (;;) {
		flush_output();
		state = state_of(common);
		if (is_same(&state, &seen)) {
			nanosleep(&interval, NULL);
			continue;
		}
		seen = state;
		mark = print_new(common, query, mark);
	}
}
