/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The conversions of a format, for the files that expand it (format.c) and that compare
 * it with a text (format_match.c, filter_possible.c, and guess.c of kerrorctl).
 * format_parse.c has the functions.
 */
#ifndef LIBKERROR_FORMAT_H
#define LIBKERROR_FORMAT_H

#include "internal.h"

#define WIDTH_MAX	8388607
#define PRECISION_MAX	32767

struct conversion {
	const char *start;
	size_t size;
	bool left, plus, space, special, zero;
	bool width_argument, precision_argument;
	long width;		/* -1: none */
	long precision;		/* -1: none */
	char qualifier;		/* 'H' for hh */
	char letter;
	/* The value that was recorded for it; NULL: none. */
	const struct argument *width_value, *precision_value, *value;
};

/* ASCII letters and digits; and the kernel's isalnum(), which knows those of Latin-1, too */
bool format_alnum(unsigned char c);
bool format_kernel_alnum(unsigned char c);

/*
 * Parses the conversion of which @start is the '%' and @at what comes behind
 * it, or behind its position; @belongs tells what a p takes with it. Returns
 * its end.
 */
const char *format_conversion(const char *start, const char *at,
			      bool (*belongs)(unsigned char c), struct conversion *c);

/*
 * Writes what the text of @format is made of to @units, one for each byte at
 * most: bytes, and FORMAT_CONVERSION with the letter of a conversion. Returns how many.
 */
#define FORMAT_CONVERSION	0x100
size_t format_units(const char *format, uint16_t *units);

/* Likewise, with FORMAT_ANY for what each conversion becomes. */
#define FORMAT_ANY	('*' | FORMAT_CONVERSION)
size_t format_pattern(const char *format, uint16_t *units);

#endif
