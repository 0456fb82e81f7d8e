/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * systemd's journal over its native protocol, for a sink's thread. libsystemd
 * would wait for a journald that is stopped as long as that takes.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <sys/uio.h>
#include "local.h"

/* Where systemd-journald listens; tests have another place. */
extern const char *journal_socket;

/* The most entries between two calls of journal_confirm() */
#define JOURNAL_MOST DATAGRAMS

struct journal;

/* 0, or a negative errno */
int journal_open(struct journal **journal, struct sink *sink);
void journal_close(struct journal *journal);

/* Sends one entry: fields like "MESSAGE=text". 0, or a negative errno. */
int journal_send(struct journal *journal, const struct iovec *fields,
		 size_t count);

/* Waits until journald has read all entries; 0, or a negative errno. */
int journal_confirm(struct journal *journal);

#endif
