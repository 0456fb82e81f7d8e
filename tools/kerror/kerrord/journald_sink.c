// SPDX-License-Identifier: GPL-2.0-only
/*
 * systemd's journal, over its native protocol by way of libsystemd: each field of
 * an event is one of the entry, and a loss is an entry of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <systemd/sd-journal.h>
#include "message.h"

#define SOCKET "/run/systemd/journal/socket"

/* libsystemd says nothing if there is no journal. */
static int open_journal(struct sink *sink, char *message, size_t size)
{
	int err;

	(void)sink;
	if (!access(SOCKET, W_OK))
		return 0;
	err = -errno;
	snprintf(message, size, "%s: %s; does systemd-journald run?", SOCKET,
		 strerror(-err));
	return err;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	struct journal_entry entry = { .count = 0 };
	int err;

	(void)count;
	err = open_journal(sink, message, size);
	if (err)
		return err;
	err = journal_entry(&entry, records[0]);
	if (!err)
		err = sd_journal_sendv(entry.field, entry.count);
	free_journal_entry(&entry);
	if (!err)
		return 1;
	snprintf(message, size, "systemd-journald: %s", strerror(-err));
	return err;
}

static void close_journal(struct sink *sink)
{
	(void)sink;	/* libsystemd keeps a socket of its own */
}

const struct sink_type journald_sink = {
	.name = "journald",
	.keeps_progress = true,
	.open = open_journal,
	.write = write_records,
	.close = close_journal,
};
