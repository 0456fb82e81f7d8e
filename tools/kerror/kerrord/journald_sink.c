// SPDX-License-Identifier: GPL-2.0-only
/*
 * systemd's journal, over its native protocol: each field of an event is one of
 * the entry, and a loss is an entry of its own. journal_entry.c makes the entries,
 * journal.c sends them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "journal.h"
#include "message.h"

static int open_journal(struct sink *sink, char *message, size_t size)
{
	struct journal *journal;
	int err = journal_open(&journal, sink);

	if (err)
		snprintf(message, size, "%s: %s; does systemd-journald run?",
			 journal_socket, strerror(-err));
	else
		sink->private = journal;
	return err;
}

static int write_record(struct sink *sink, const struct record *record)
{
	struct journal_entry entry = { .count = 0 };
	int err = journal_entry(&entry, record);

	if (!err)
		err = journal_send(sink->private, entry.field, entry.count);
	free_journal_entry(&entry);
	return err;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	int err = 0, unread;
	size_t i;

	for (i = 0; i < count && i < JOURNAL_MOST; i++) {
		err = write_record(sink, records[i]);
		if (err)
			break;
	}
	/* Those before one that fails are not sent again. */
	unread = i ? journal_confirm(sink->private) : err;
	if (!unread)
		return i;
	snprintf(message, size, "systemd-journald: %s",
		 unread == -ECANCELED ? "is stuck" : strerror(-unread));
	return unread;
}

static void close_journal(struct sink *sink)
{
	journal_close(sink->private);
	sink->private = NULL;
}

const struct sink_type journald_sink = {
	.name = "journald",
	.keeps_progress = true,
	.open = open_journal,
	.write = write_records,
	.close = close_journal,
};
