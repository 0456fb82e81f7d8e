/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guesses which of a kernel's formats a text was made of, for text that came without:
 * messages that were taken out of the log, and those that were text before printk()
 * got them, as "%s: %s".
 */
#ifndef GUESS_H
#define GUESS_H

#include <libkerror.h>
#include "catalogue.h"

/* With fewer letters of its own, a format says too little. */
#define GUESS_LETTERS	4

/* How many @format has, outside of its conversions */
int guess_letters(const char *format);

/* Of a format, as many as are kept */
#define GUESS_VALUES	32

/**
 * struct guess - a format that a text fits
 * @entry: where the kernel has it
 * @values: the parts of the text that its conversions became
 * @count: how many, at most GUESS_VALUES
 */
struct guess {
	const struct catalogue_entry *entry;
	struct kerror_span values[GUESS_VALUES];
	size_t count;
};

struct guesser;

/* @catalogue stays as it is; nothing is freed before the program ends. */
struct guesser *guesser_new(const struct catalogue *catalogue);

/*
 * The format that has most of the letters of the text itself, if there is one, and no
 * other with as many. False: nothing is better than what may well be wrong.
 */
bool guess_format(const struct guesser *guesser, const char *text, size_t size,
		  struct guess *guess);

#endif
