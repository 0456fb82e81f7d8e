/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of a filter, for the files that parse it (filter.c, with
 * filter_parser.h), evaluate it (filter_match.c) and compile it for the kernel
 * (filter_program.c).
 *
 * A filter is a tree in negation normal form: lists of which all or any parts
 * must hold, and terms, each of which may be negated. A term is false if the
 * event does not have what it is about; negated, it is true then. So !(a==b) and
 * a!=b are different terms.
 */
#ifndef LIBKERROR_FILTER_H
#define LIBKERROR_FILTER_H

#include "fields.h"
#include "filter_possible.h"
#include "format.h"

#define FILTER_TEXT_MAX		4096	/* bytes */
#define FILTER_DEPTH_MAX	32	/* parentheses in parentheses */

/* More of an event's text is not looked at: 8 KiB in hexadecimal are less. */
#define FILTER_EVENT_TEXT_MAX	32768	/* bytes */

/* Relations of the event's value to the literal that a comparison accepts. */
#define LESS	0x1
#define EQUAL	0x2
#define GREATER	0x4
#define MATCHES	0x8	/* as a pattern: strings only */

struct comparison {
	const char *symbol;
	unsigned int accepts;
};

/* Any number of 64 bits, signed or not: @value is modulo 2^64. */
struct number {
	bool negative;
	uint64_t value;
};

/* Strings are kept as patterns: bytes, and wildcards beyond. */
#define ANY_BYTE	('?' + 0x100)
#define ANY_STRING	FORMAT_ANY

struct term {
	const struct field *field;
	const char *name;		/* as it is written: of a tag, with its prefix */
	size_t name_size;
	const struct comparison *comparison;
	uint32_t index;			/* ARGUMENT: which */
	bool is_string;
	struct number number;
	const uint16_t *pattern;
	size_t pattern_size;
	const char *literal;		/* as it is written */
	size_t literal_size;
	size_t cost;			/* instructions, when last compiled */
	bool too_long;			/* the program would be: do without */
};

enum node_type { TERM, ALL, ANY };

/* Nodes name each other by index, -1 for none. */
struct node {
	enum node_type type;
	struct term term;
	bool negated;			/* TERM */
	int first, last;		/* parts of a list */
	int next, previous;		/* in the list that this is part of */
	bool undecided;			/* in the kernel: it may hold */
};

struct sock_filter;

struct kerror_filter {
	char *text;
	struct node *nodes;
	size_t node_count, node_room;
	int root;
	uint16_t *patterns;		/* of all terms */
	size_t pattern_size;
	struct sock_filter *program;
	size_t program_size;		/* instructions */
};

/* Of one term, with what negates it: as filter_possible() */
enum possible filter_term_possible(const struct node *node,
				   const struct filter_kind *kind);

/* Adds a term as it is written, with what negates it. */
void filter_add_term(struct text *text, const struct node *node);

/* Name number @index of the values of a NAME, or NULL. */
const char *filter_name(enum source source, unsigned int index);

/* Whether a term that compares with a string accepts this one. */
bool filter_accepts(const struct term *term, const void *bytes, size_t size);

/* Makes the program; 0 or -ENOMEM. */
int filter_compile(struct kerror_filter *filter);

#endif
