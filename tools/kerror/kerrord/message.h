/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages that sinks send of a record, without input or output: each field that
 * libkerror visits, under its name, with the value that common/printable.c shows.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <sys/uio.h>
#include "kerrord.h"

/* ---- syslog_message.c ---- */

/* Adds a message of RFC 5424. */
void syslog_message(struct buffer *buffer, unsigned int facility,
		    const struct record *record);

/*
 * Shortens a message, in its place, to at most @most bytes, at least 1024: its text
 * at the end, and its structured data as a whole if they leave no room for text.
 * Returns the bytes that are left.
 */
size_t syslog_shorten(char *message, size_t size, size_t most);

/* A datagram that was too large is sent again with so many. */
#define SYSLOG_SHORT 8192

/* ---- journal_entry.c ---- */

/* The journal ignores an entry of more than 1024 fields. */
#define JOURNAL_FIELDS 512

/* An entry under construction, all zeros at first: fields of NAME=value */
struct journal_entry {
	struct buffer bytes;
	struct iovec field[JOURNAL_FIELDS];
	size_t count;
};

/* 0, or -ENOMEM; free_journal_entry() in any case */
int journal_entry(struct journal_entry *entry, const struct record *record);
void free_journal_entry(struct journal_entry *entry);

/* ---- environment.c ---- */

/* Bytes of the value of one variable: execve() takes no more than 128 KiB. */
#define VARIABLE_BYTES 65536

/*
 * Stores the variables of an event at @variables, to be freed one by one, at most
 * @most of them and no NULL. Returns how many, or -ENOMEM, of which none are left.
 */
int event_environment(char **variables, size_t most,
		      const struct kerror_event *event);

/* ---- disk.c ---- */

/* Before the folders of the system, for tests */
extern const char *disk_root;

/* Before a part of a key that names a disk */
#define DISK_KEY "disk:"

/* Adds the name of a disk in its one form; a text that is no such name as it is. */
void disk_form(struct buffer *buffer, const char *text, size_t size);

/*
 * Adds the values of the fields that @keys names, a line each; of one behind "disk:" in
 * the form of a disk's name.
 */
void event_key(struct buffer *buffer, const char *keys,
	       const struct kerror_event *event);

#endif
