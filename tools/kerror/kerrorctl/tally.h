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
 * struct machine_set - numbers of machines; begin with zeros
 * @slot: a hash table, in which 0 is an empty slot
 * @slots: its size, a power of two, or 0
 * @count: how many there are
 */
struct machine_set {
	uint32_t *slot;
	size_t slots, count;
};

/**
 * struct machines - the machines that events come from; begin with zeros
 * @tree: finds them by machine id, or by name if that is not known
 * @count: how many
 * @last: the one that was asked for last
 */
struct machines {
	void *tree;
	uint32_t count;
	struct machine *last;
};

/* The number of the event's machine, from 1 on; 0 if it is not known */
uint32_t machine_number(struct machines *machines, const struct kerror_event *event);
void machines_clear(struct machines *machines);

/* Adds a number that is not 0. */
void machine_set_add(struct machine_set *set, uint32_t number);

/**
 * struct tally_entry - events that have the same key
 * @keys: what is in the key
 * @known: not new, see tally_know()
 * @machines: those that raised them
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
	bool known;
	struct machine_set machines;
	char *value[TALLY_KEYS_MAX];
	struct kerror_event *event;
	uint64_t count, fresh, first, last;
	unsigned int worst;
};

/**
 * struct tally - counts of events by a key; begin with zeros and @keys
 * @keys: what they have in common
 * @narrow: a table has times without the date, and formats without the id
 * @first: a table has the time of the first event, if the rows fit into @width
 * @width: of the terminal, or 0
 * @entries: in no order until tally_sort()
 * @size: how many
 * @tree: finds them
 * @machines: of all events that were counted; if there are several, a table has how many
 */
struct tally {
	struct tally_keys keys;
	bool narrow, first;
	size_t width;
	struct tally_entry **entries;
	size_t size;
	void *tree;
	struct machines machines;
};

/* Forgets all events, but not the keys. */
void tally_clear(struct tally *tally);

/* @time: nanoseconds since 1970. @tally stays where it is from now on. */
void tally_add(struct tally *tally, const struct kerror_event *event, uint64_t time);

/*
 * Events with the key of this one are nothing new. It is not counted; an entry may have
 * no other.
 */
void tally_know(struct tally *tally, const struct kerror_event *event, uint64_t time);

/* The entries of @all that are new, which both have from now on; @all stays where it is. */
struct tally tally_new(const struct tally *all);

/* With an hour or a day in the key by time; else the most fresh first, then the most frequent. */
void tally_sort(struct tally *tally);

/* One line each: at most @limit entries (0: all), below a head */
void tally_print(FILE *file, const struct tally *tally, const struct print_style *style,
		 size_t limit, double interval_s);
void tally_print_json(const struct tally *tally, size_t limit, double interval_s);

/* The same as an object, for a list; @interval_s as above */
struct json_object *tally_entry_json(const struct tally_entry *entry, double interval_s);

#endif
