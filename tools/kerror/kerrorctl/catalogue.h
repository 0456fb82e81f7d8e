/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events that a kernel can raise, as far as it says so itself: read by
 * catalogue.c from the kernel that runs, from a copy of its index, from vmlinux
 * and modules (catalogue_elf.c) or from what kerrorctl formats has printed. For
 * kerrorctl formats and kerrorctl check-rules.
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Levels beside syslog's severities */
#define LEVEL_DEFAULT	(-1)	/* the kernel's default level */
#define LEVEL_CONTINUES	(-2)	/* that of the message it goes on with */
#define LEVEL_UNKNOWN	(-3)

/*
 * The function that raises an event; the kernel's index does not tell. A string may be the end
 * of a format, or nothing that has to do with messages.
 */
enum raiser { BY_UNKNOWN, BY_PRINTK, BY_EVLOG, BY_STRING, RAISERS };

/**
 * struct catalogue_entry - a place in the kernel that raises an event
 * @id: CRC-32 of @format
 * @level: 0 to 7, or one of the above
 * @by: what raises it
 * @facility: the module that has it, or "kernel"; what evlog raises may have another
 * @file: of the source, or ""
 * @line: in it, or 0
 * @function: in it, or ""
 * @format: without level and newline
 */
struct catalogue_entry {
	uint32_t id;
	int level;
	enum raiser by;
	unsigned int line;
	const char *facility, *file, *function, *format;
};

/**
 * struct catalogue - all of them
 * @entries: by id, then by place; each only once
 * @size: how many
 * @room: for how many there is memory
 * @frames: those that print another message by %pV, which is a string here: the event's
 *	format has it in that place
 * @frame_count: how many
 */
struct catalogue {
	struct catalogue_entry *entries;
	size_t size, room;
	const struct catalogue_entry **frames;
	size_t frame_count;
};

/*
 * Reads all of @source, NULL being the kernel that runs, or ends the program.
 * Nothing is freed before it ends.
 */
void catalogue_read(struct catalogue *catalogue, const char *source);

/* Whether the kernel that runs tells */
bool catalogue_is_there(void);

/*
 * Adds a copy of @entry, with @prefix before its format, which may begin with a
 * level and end in a newline. Its id is found out.
 */
void catalogue_add(struct catalogue *catalogue, const struct catalogue_entry *entry,
		   const char *prefix);

/* Takes levels off the start of @format, for the first into @level. */
const char *catalogue_take_level(const char *format, int *level);

/* Adds what is in an ELF file; false if it is none. Else errors end the program. */
bool catalogue_read_elf(struct catalogue *catalogue, const char *path);

/*
 * If @fd is a vmlinuz of x86 that is packed with zstd, a file with what is in it; else -1.
 */
int vmlinuz_unpack(int fd);

/* The first entry of an id, or NULL */
const struct catalogue_entry *catalogue_find(const struct catalogue *catalogue,
					     uint32_t id);

/* A string that @format is, perhaps with something before it, or NULL */
const struct catalogue_entry *catalogue_find_string(const struct catalogue *catalogue,
						    const char *format);

/* The first entry of the id behind that of @entry, or the end of the catalogue */
const struct catalogue_entry *catalogue_next_id(const struct catalogue *catalogue,
						const struct catalogue_entry *entry);

/* A catalogue as text: its first line, and the line of an entry */
#define CATALOGUE_HEAD "# kerrorctl formats: id, level, by, facility, place, function, format"
void catalogue_print(const struct catalogue_entry *entry);

const char *catalogue_level_name(int level);
const char *catalogue_raiser_name(enum raiser raiser);

/* Percent of the letters of a text's words that are to be the format's own */
#define LIKELY	50

struct kerror_filter;
struct node;

/**
 * struct question - what an event may be matched by
 * @filter: a filter
 * @node: only this part of it, or NULL: all
 * @facility: of what evlog raises, which nothing tells; NULL: it may be any
 * @catalogue: has the frames that a string may be in; NULL: none
 * @strict: "%s" can become any text, so half of the words of a text that is asked
 *	for must be in the format; false: or most of the format's in the text
 */
struct question {
	const struct kerror_filter *filter;
	const struct node *node;
	const char *facility;
	const struct catalogue *catalogue;
	bool strict;
};

bool catalogue_can_match(const struct catalogue_entry *entry,
			 const struct question *question);

/* "FILE:LINE", or "" */
char *catalogue_place(const struct catalogue_entry *entry);

/* A format as in the source, between quotation marks or not */
char *catalogue_escape(const char *format);

/*
 * How alike two formats are, from 0 to 1: of the words that either has, those
 * that both have, rare ones with more weight.
 */
struct likeness;
struct likeness *likeness_new(const struct catalogue *catalogue);

/**
 * struct like - an entry that is like a format
 * @entry: index of the first entry of its id
 * @score: how much
 */
struct like {
	size_t entry;
	double score;
};

/* The most alike first; returns how many are stored in @found, at most @most. */
size_t likeness_find(struct likeness *likeness, const char *format,
		     struct like *found, size_t most);

#endif
