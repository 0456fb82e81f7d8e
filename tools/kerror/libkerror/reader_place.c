// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The reader's place in each group: which event is next, which later ones are
 * known to exist, and whether a replay is wanted. reader_message.c moves it by
 * what the kernel says, reader.c asks for the replays. A program sets it by a
 * cursor, and tells here that messages were dropped.
 */
#include <errno.h>
#include <string.h>
#include "reader.h"

bool reader_reads(const struct kerror_reader *reader, int index)
{
	return index >= 0 && reader->groups & kerror_group_at(index);
}

void group_start(struct group *group, uint32_t next)
{
	group->started = true;
	group->next = next;
	group->seen = next;
}

void group_advance(struct group *group, uint32_t next)
{
	group->next = next;
	if ((int32_t)(next - group->seen) > 0)
		group->seen = next;
}

void group_want_replay(struct group *group)
{
	group->replay_wanted = true;
	group->gaps_count = true;
}

bool group_wants_replay(const struct group *group)
{
	return group->replay_wanted || group->seen != group->next;
}

/* The filter kept back all that is missing up to now. */
static bool is_filtered(const struct kerror_reader *reader, int index)
{
	const struct group *group = &reader->group[index];

	return reader->filtered && group->started && !reader->overrun &&
	       !group->gaps_count;
}

void reader_saw(struct kerror_reader *reader, int index, uint32_t next)
{
	struct group *group = &reader->group[index];

	if (!group->started) {
		/* The replay from boot will bring them, or has failed. */
		if (group->from_boot && reader->replaying != index)
			group_want_replay(group);
	} else if ((int32_t)(next - group->seen) > 0 &&
		   !is_filtered(reader, index)) {
		group->seen = next;
	}
}

void reader_pass_over(struct kerror_reader *reader, int index,
		      uint32_t sequence)
{
	struct group *group = &reader->group[index];

	if (is_filtered(reader, index) && (int32_t)(sequence - group->next) > 0)
		group_start(group, sequence);
}

void group_restart(struct group *group)
{
	group->started = false;
	group->from_boot = true;
	group_want_replay(group);
	/* At boot nothing was lost. */
	memset(group->losses, 0, sizeof(group->losses));
	for (int cause = 0; cause < CAUSES; cause++)
		group->losses[cause].known = true;
}

void kerror_reader_from_boot(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (reader_reads(reader, i))
			group_restart(&reader->group[i]);
}

int kerror_reader_from(struct kerror_reader *reader, uint32_t group,
		       uint32_t sequence)
{
	int i = kerror_group_index(group);

	if (!reader_reads(reader, i))
		return -EINVAL;
	group_start(&reader->group[i], sequence);
	group_want_replay(&reader->group[i]);
	return 0;
}

int kerror_reader_from_loss(struct kerror_reader *reader,
			    const struct kerror_loss *loss)
{
	int i = kerror_group_index(loss->group);

	if (!reader_reads(reader, i) || loss->cause >= CAUSES)
		return -EINVAL;
	reader->group[i].losses[loss->cause] = (struct losses) {
		.known = true, .last = loss->total,
	};
	return 0;
}

static void want_replays(struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (reader->group[i].started || reader->group[i].from_boot)
			group_want_replay(&reader->group[i]);
}

void kerror_reader_overrun(struct kerror_reader *reader)
{
	reader->overrun = true;
	want_replays(reader);
}

void reader_ask_again(struct kerror_reader *reader)
{
	group_want_replay(&reader->group[reader->replaying]);
	reader->unsure = reader->replaying;
	reader->replaying = -1;
}

void group_satisfy(struct group *group)
{
	group->replay_wanted = false;
	group->seen = group->next;
}

bool kerror_reader_drained(struct kerror_reader *reader)
{
	/* Without an overrun every request is answered. */
	if (!reader->overrun)
		return false;
	reader->overrun = false;
	if (reader->replaying >= 0)
		reader_ask_again(reader);
	reader->busy = false;
	/* Nothing else tells of messages that were dropped since a replay ended. */
	if (reader->filtered)
		want_replays(reader);
	for (int i = 0; i < GROUPS; i++)
		reader->group[i].statistics_wanted |=
			reader->group[i].statistics_asked;
	return true;
}

bool kerror_reader_replaying(const struct kerror_reader *reader)
{
	for (int i = 0; i < GROUPS; i++)
		if (group_wants_replay(&reader->group[i]))
			return true;
	return reader->replaying >= 0;
}

int kerror_reader_cursor(const struct kerror_reader *reader, uint32_t group,
			 uint32_t *sequence)
{
	int i = kerror_group_index(group);

	if (!reader_reads(reader, i))
		return -EINVAL;
	if (!reader->group[i].started)
		return -EAGAIN;
	*sequence = reader->group[i].next;
	return 0;
}
