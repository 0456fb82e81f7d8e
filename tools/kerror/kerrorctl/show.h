/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kerrorctl show: what show.c finds out about one event, and show_print.c prints.
 */
#ifndef SHOW_H
#define SHOW_H

#include "catalogue.h"
#include "explanations.h"
#include "guess.h"
#include "kerrorctl.h"

/* Events around one: how long before and behind it, and how many at most */
#define AROUND_S	10
#define AROUND_MAX	20

/* The last of the same events before that are shown */
#define BEFORE_MAX	3

/* Copies of items of the store, in their order */
struct items {
	struct store_item *item;
	size_t count;
};

/**
 * struct details - all that is known of an event
 * @item: the event, as the store has it
 * @explanation: what somebody has written about it, or NULL
 * @places: of the kernel's formats, where it may be raised; places_count of them
 * @places_known: whether it was looked for at all
 * @guessed: the places are those of a format that the text fits, as its own tells
 *	nothing: the message was taken out of the log, or was text before it was printed
 * @guess: that format and the values that it finds in the text
 * @before: the last of the same events before it
 * @before_count: how many there are in the store
 * @before_first: time of the first of them
 * @before_device: how many of them are of the same device
 * @around: what happened within AROUND_S, with the event itself
 */
struct details {
	struct store_item item;
	const struct explanation *explanation;
	const struct catalogue_entry *places;
	size_t places_count;
	bool places_known, guessed;
	struct guess guess;
	struct items before, around;
	uint64_t before_count, before_first, before_device;
};

void print_details(const struct common *common, struct store *store,
		   const struct details *details);
void print_details_json(const struct common *common, const struct details *details);

#endif
