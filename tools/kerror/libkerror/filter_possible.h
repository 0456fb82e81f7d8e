/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a filter can match an event of which only the kind is known. Not part of
 * the library's interface: for kerrorctl check-rules.
 */
#ifndef LIBKERROR_FILTER_POSSIBLE_H
#define LIBKERROR_FILTER_POSSIBLE_H

#include "libkerror.h"

/**
 * struct filter_kind - what is known of all events of a kind
 * @id: event id; 0 if it has no format
 * @format: its format string, or NULL: it has none
 * @facility: the name, or NULL: not known
 * @severity: 0 to 7, or negative: not known
 * @kind: of what it holds: an EVL_FORMAT number
 * @flags: EVL_FLAG bits that it has
 * @known: EVL_FLAG bits of which it is known whether it has them
 * @likely: take a text for impossible if less of the letters of its words, in percent,
 *	can be the format's own, and all others had to come out of arguments or, if
 *	there is no format, out of data; what has a digit is no word
 * @own: a text is possible, too, if it has most of the letters of the format's own
 *	words, and they are not a small part of it
 * @prefixed: the format begins with a %s that stands for all that somebody may put
 *	before it; take a text for impossible if its pattern begins with any bytes,
 *	as it need not be looked for behind something then
 */
struct filter_kind {
	uint32_t id;
	const char *format, *facility;
	int severity;
	unsigned int kind;
	uint32_t flags, known;
	unsigned int likely;
	bool own, prefixed;
};

enum possible { NEVER, PERHAPS, ALWAYS };

/* Whether an event of this kind can match: filter_possible.c */
enum possible filter_possible(const struct kerror_filter *filter,
			      const struct filter_kind *kind);

#endif
