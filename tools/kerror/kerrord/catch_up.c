// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sink that had no room for an event is behind: the receiver passes it by, and
 * it is fed out of the kernel's history, at its own pace, from that event on.
 * So one that is slow, stuck or dead for a while costs no other sink anything,
 * and loses only what the history no longer has when it has room again.
 *
 * A socket that joined no group brings replays only. When one replay is over
 * and the receiver is further by then, another begins where it ended.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kerrord.h"

/* Items for one sink, then it is another one's turn */
#define ROUND 256

#define RETRY_NS 1000000000ULL

struct catch_up {
	struct kerror_socket *sock;	/* NULL: no replay runs */
	struct kerror_reader *reader;
	struct kerror_joiner *joiner;	/* NULL without memory: no lines */
	bool known[GROUPS];		/* when the replay began, the receiver was */
	uint32_t at[GROUPS];		/* at this event */
	uint64_t gone;			/* events that the history did not have */
	uint64_t retry;			/* after a failure, when to try again */
	bool failed;
};

void begin_after(struct kerror_reader *reader, uint32_t groups,
		 const struct progress *progress)
{
	kerror_reader_from_boot(reader);
	for (int i = 0; i < GROUPS; i++) {
		uint32_t group = kerror_group_at(i);

		if (!(groups & group) || !progress[i].known)
			continue;
		kerror_reader_from(reader, group, progress[i].next);
		for (int cause = 0; cause < KERROR_CAUSES; cause++) {
			struct kerror_loss loss = {
				.group = group, .cause = cause,
				.total = progress[i].lost[cause],
			};

			if (loss.total == UINT64_MAX)
				loss.total = 0;
			if (cause != KERROR_LOST_HISTORY)
				kerror_reader_from_loss(reader, &loss);
		}
	}
}

static void end_replay(struct catch_up *catch_up)
{
	kerror_reader_free(catch_up->reader);
	if (catch_up->sock)
		kerror_socket_close(catch_up->sock);
	catch_up->reader = NULL;
	catch_up->sock = NULL;
}

void catch_up_end(struct sink *sink)
{
	if (!sink->catch_up)
		return;
	end_replay(sink->catch_up);
	kerror_joiner_free(sink->catch_up->joiner);
	free(sink->catch_up);
	sink->catch_up = NULL;
}

static void begin_replay(struct sink *sink, const struct kerror_reader *reader,
			 uint32_t groups)
{
	struct catch_up *catch_up = sink->catch_up;
	int err = kerror_socket_open(&catch_up->sock, 0);
	char text[200];

	if (err)
		catch_up->sock = NULL;
	else
		catch_up->reader = kerror_reader_new(groups);
	if (!catch_up->reader) {
		end_replay(catch_up);
		catch_up->retry = now_ns(CLOCK_MONOTONIC) + RETRY_NS;
		snprintf(text, sizeof(text),
			 "cannot ask for the kernel's history: %s; tried again each second",
			 strerror(err ? -err : ENOMEM));
		if (!catch_up->failed)
			sink->report(sink, 3, text);
		catch_up->failed = true;
		return;
	}
	catch_up->failed = false;
	identity_use(catch_up->reader);
	begin_after(catch_up->reader, groups, sink->progress);
	for (int i = 0; i < GROUPS; i++)
		catch_up->known[i] = !kerror_reader_cursor(reader,
							   kerror_group_at(i),
							   &catch_up->at[i]);
}

/* Whether the sink has, of all groups, what the receiver has had */
static bool is_level(const struct catch_up *catch_up,
		     const struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++) {
		uint32_t group = kerror_group_at(i), mine, its;

		if (kerror_reader_cursor(reader, group, &its))
			continue;
		if (!kerror_reader_cursor(catch_up->reader, group, &mine)) {
			if ((int32_t)(its - mine) > 0)
				return false;
		} else if (!catch_up->known[i] || catch_up->at[i] != its) {
			return false;
		}
	}
	return true;
}

/*
 * Events that the history no longer has are a loss of this sink, not of the kernel; but not
 * for a sink that never had anything of the group, such as one that is new in the
 * configuration.
 */
static struct record *loss_of(struct sink *sink)
{
	struct catch_up *catch_up = sink->catch_up;
	struct kerror_loss loss = *kerror_reader_loss(catch_up->reader);
	int index = kerror_group_index(loss.group);
	const struct progress *had = index < 0 ? NULL : &sink->progress[index];
	uint32_t next = 0;

	kerror_reader_cursor(catch_up->reader, loss.group, &next);
	if (loss.cause != KERROR_LOST_HISTORY || !had || !had->known ||
	    (int32_t)(next - had->next) <= 0)
		return record_of_loss(&loss, kerror_cause_name(loss.cause), next);
	/* It may have been told of a part already, see sink_offer(). */
	if (next - had->next < loss.count)
		loss.count = next - had->next;
	catch_up->gone += loss.count;
	sink->dropped_total += loss.count;
	loss.cause = KERROR_CAUSES;
	loss.total = sink->dropped_total;
	return record_of_loss(&loss, CAUSE_SINK, next);
}

/* A continuation at the beginning is the rest of a line, of which the receiver has all. */
static void feed_lines(struct sink *sink)
{
	struct record *record;

	while ((record = lines_next(sink->catch_up->joiner, 0))) {
		if (!(kerror_event_header(record->event)->flags & EVL_FLAG_CONTINUES))
			sink_feed(sink, record);
		record_put(record);
	}
}

/* Feeds one item; false if the sink has to be asked for again later */
static bool feed(struct sink *sink, enum kerror_item item,
		 const struct explanations *explanations)
{
	const struct kerror_reader *reader = sink->catch_up->reader;
	struct record *record;
	bool fed;

	if (item == KERROR_ITEM_EVENT)
		record = record_of_event(kerror_reader_event(reader), explanations);
	else if (item == KERROR_ITEM_LOSS)
		record = loss_of(sink);
	else
		return true;
	fed = record && sink_feed(sink, record);
	if (fed && item == KERROR_ITEM_EVENT) {
		lines_add(sink->catch_up->joiner, record->event);
		feed_lines(sink);
	}
	if (record)
		record_put(record);
	return fed;
}

static void note_end(struct sink *sink)
{
	struct catch_up *catch_up = sink->catch_up;
	char text[200];

	/* The receiver's joiner has what is open, too. */
	sink->behind = false;
	sink->passed = 0;
	if (catch_up->gone) {
		snprintf(text, sizeof(text),
			 "lost %llu events: the kernel's history had them no longer when there was room for them",
			 (unsigned long long)catch_up->gone);
		sink->report(sink, 4, text);
	}
	catch_up_end(sink);
}

bool catch_up(struct sink *sink, const struct kerror_reader *reader,
	      uint32_t groups, const struct explanations *explanations)
{
	const uint64_t queue = sink->settings->queue;
	struct catch_up *catch_up = sink->catch_up;
	enum kerror_item item;

	if (!sink->behind)
		return false;
	if (!catch_up) {
		catch_up = calloc(1, sizeof(*catch_up));
		if (catch_up)
			catch_up->joiner = kerror_joiner_new();
		sink->catch_up = catch_up;
	}
	if (!catch_up || sink_queued(sink) > queue / 4 * (catch_up->sock ? 3 : 1))
		return false;
	if (!catch_up->sock) {
		if (now_ns(CLOCK_MONOTONIC) < catch_up->retry)
			return false;
		begin_replay(sink, reader, groups);
	}
	for (int i = 0; catch_up->sock && i < ROUND; i++) {
		if (sink_queued(sink) > queue / 4 * 3)
			break;
		if (kerror_socket_next(catch_up->sock, catch_up->reader, 0, &item) ||
		    (item != KERROR_ITEM_NONE && !feed(sink, item, explanations))) {
			/* Again from what it had last */
			end_replay(catch_up);
			catch_up->retry = now_ns(CLOCK_MONOTONIC) + RETRY_NS;
			return false;
		}
		if (item != KERROR_ITEM_NONE)
			continue;
		if (kerror_reader_replaying(catch_up->reader))
			return false;
		if (is_level(catch_up, reader))
			note_end(sink);
		else
			end_replay(catch_up);
		break;
	}
	return true;
}
