/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts events by what they have in common: for query --count-by, top, explain and
 * report. Events with the same key are one entry; the key is text, as it is shown.
 */
#ifndef TALLY_H
#define TALLY_H

#include "kerrorctl.h"

/*
 * A part of the key; TALLY_EVENT is the format, of a message of the kernel that came as
 * text its words, or else kind and number.
 */
enum tally_kind {
	TALLY_FACILITY, TALLY_EVENT, TALLY_DEVICE, TALLY_SEVERITY, TALLY_HOUR, TALLY_DAY,
	TALLY_HOST, TALLY_RELEASE, TALLY_ARG, TALLY_TAG
};

#define TALLY_KEYS_MAX 8

/* @index: of an argument; @tag: its name, as in an origin */
struct tally_key {
	enum tally_kind kind;
	unsigned int index;
	char tag[40];
};

struct tally_keys {
	struct tally_key key[TALLY_KEYS_MAX];
	size_t count;
};

/* The value of --count-by, such as "device,arg[0]", or ends the program */
struct tally_keys parse_keys(const char *value);

/* For the head of a table */
const char *key_name(const struct tally_key *key);

/* A message of the kernel without a format: its words, with a # for each number, tell the kind. */
bool is_text_of_printk(const struct kerror_event *event);
void add_words(struct buffer *value, const struct kerror_event *event);

/* The value of the key, any bytes, which the caller frees; "" if there is none */
char *key_value(const struct tally_key *key, const struct kerror_event *event, uint64_t time);

/**
 * struct tally_entry - events that have the same key
 * @keys: what is in the key
 * @value: of each key
 * @event: the first of them
 * @count: how many
 * @fresh: how many since somebody set this to 0
 * @first: earliest time
 * @last: latest time
 * @worst: the worst severity
 */
struct tally_entry {
	const struct tally_keys *keys;
	char *value[TALLY_KEYS_MAX];
	struct kerror_event *event;
	uint64_t count, fresh, first, last;
	unsigned int worst;
};

/**
 * struct tally - counts of events by a key; begin with zeros and @keys
 * @keys: what they have in common
 * @narrow: a table has times without the date, and formats without the id
 * @entries: in no order until tally_sort()
 * @size: how many
 * @tree: finds them
 */
struct tally {
	struct tally_keys keys;
	bool narrow;
	struct tally_entry **entries;
	size_t size;
	void *tree;
};

/* Forgets all events, but not the keys. */
void tally_clear(struct tally *tally);

/* @time: nanoseconds since 1970. @tally stays where it is from now on. */
void tally_add(struct tally *tally, const struct kerror_event *event, uint64_t time);

/* With an hour or a day in the key by time; else the most fresh first, then the most frequent. */
void tally_sort(struct tally *tally);

/* One line each: at most @limit entries (0: all), below a head */
void tally_print(FILE *file, const struct tally *tally, const struct print_style *style,
		 size_t limit, double interval_s);
void tally_print_json(const struct tally *tally, size_t limit, double interval_s);

/* The same as an object, for a list; @interval_s as above */
struct json_object *tally_entry_json(const struct tally_entry *entry, double interval_s);

#endif
