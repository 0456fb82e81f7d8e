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

/* Likewise those of a format in its text, at most FOUND_VARIABLES */
#define FOUND_VARIABLES (2 + FOUND_VALUES)
struct found;
int found_environment(char **variables, const struct found *found);

/* ---- found.c ---- */

/* Of a format, as many as are kept */
#define FOUND_VALUES 16

/**
 * struct found - a format of the kernel's that is in the text of an event
 * @format: the rule's
 * @values: what its conversions became, and what is behind it, in @text
 * @count: how many
 */
struct found {
	const char *format;
	char *text;
	struct kerror_span values[FOUND_VALUES];
	size_t count;
};

/* False: it is not there. To be freed if it is. */
bool find_in_text(struct found *found, const char *format, const struct kerror_event *event);
void found_free(struct found *found);

/* The id of its format, as an event with that would have */
uint32_t found_id(const struct found *found);

/* As a condition keeps it, to be freed; NULL without memory */
char *found_json(const struct found *found);

/* ---- disk.c ---- */

/* Before the folders of the system, for tests */
extern const char *disk_root;

/* Before a part of a key that names a disk */
#define DISK_KEY "disk:"

/* Adds the name of a disk in its one form; a text that is no such name as it is. */
void disk_form(struct buffer *buffer, const char *text, size_t size);

/*
 * Adds the values of the fields that @keys names, a line each; of one behind "disk:" in
 * the form of a disk's name. @found: what "found[N]" is of, or NULL.
 */
void event_key(struct buffer *buffer, const char *keys, const struct kerror_event *event,
	       const struct found *found);

#endif
