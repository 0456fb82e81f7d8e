// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guesses which of a kernel's formats a text was made of. See guess.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "guess.h"
#include "kerrorctl.h"

/*
 * Formats by the first and the last byte of their texts. That is '%' if a conversion
 * makes it, or may do so.
 */
#define BYTES		256

struct candidate {
	const struct catalogue_entry *entry;
	struct candidate *next;
};

struct guesser {
	struct candidate *lists[BYTES][BYTES];
};

/* The letters of a conversion are behind its '%', with no blank between them. */
static unsigned char last_byte(const char *format)
{
	const char *percent = strrchr(format, '%');

	if (percent)
		percent += 1 + strspn(percent + 1, "-+ #0");
	if (!*format || (percent && !strpbrk(percent, " :,;)]}")))
		return '%';
	return format[strlen(format) - 1];
}

struct guesser *guesser_new(const struct catalogue *catalogue)
{
	const struct catalogue_entry *entry, *end = catalogue->entries + catalogue->size;
	struct guesser *guesser = must_have(calloc(1, sizeof(*guesser)));

	for (entry = catalogue->entries; entry < end;
	     entry = catalogue_next_id(catalogue, entry)) {
		struct candidate *candidate = must_have(malloc(sizeof(*candidate)));
		struct candidate **list = &guesser->lists[(uint8_t)entry->format[0]]
							 [last_byte(entry->format)];

		*candidate = (struct candidate) { entry, *list };
		*list = candidate;
	}
	return guesser;
}

static int letters_in(const char *text, size_t size)
{
	int letters = 0;

	for (size_t i = 0; i < size; i++)
		letters += (text[i] >= 'a' && text[i] <= 'z') ||
			   (text[i] >= 'A' && text[i] <= 'Z');
	return letters;
}

int guess_letters(const char *format)
{
	int letters = 0;

	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			letters += letters_in(at, 1);
			continue;
		}
		at += 1 + strspn(at + 1, "-+ #.*0123456789hlLzt");
		if (*at == 'p')
			while (isalnum((unsigned char)at[1]))
				at++;
		if (!*at)
			break;
	}
	return letters;
}

/*
 * How many letters of the text @candidate has itself, or -1 if the text does not fit;
 * or if it could be any text, as for "%s %s failed": less than half of it is of the
 * format, which does not begin it either.
 */
static int try_candidate(const struct candidate *candidate, const char *text, size_t size,
			 struct guess *guess)
{
	int count = kerror_format_match(candidate->entry->format, text, size,
					guess->values, GUESS_VALUES);
	int all = letters_in(text, size), letters = all, first = all;

	if (count < 0 || count > GUESS_VALUES)
		return -1;
	guess->entry = candidate->entry;
	guess->count = count;
	if (count)
		first = letters_in(text, guess->values[0].start - text);
	for (int i = 0; i < count; i++)
		letters -= letters_in(guess->values[i].start, guess->values[i].size);
	return 2 * letters >= all || first >= GUESS_LETTERS ? letters : -1;
}

bool guess_format(const struct guesser *guesser, const char *text, size_t size,
		  struct guess *guess)
{
	const unsigned char first = size ? text[0] : '%', last = size ? text[size - 1] : '%';
	const struct candidate *lists[] = {
		guesser->lists[first][last],
		first != '%' ? guesser->lists['%'][last] : NULL,
		last != '%' ? guesser->lists[first]['%'] : NULL,
		first != '%' && last != '%' ? guesser->lists['%']['%'] : NULL,
	};
	int best = GUESS_LETTERS - 1;
	bool found = false;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct candidate *at = lists[i]; at; at = at->next) {
			struct guess other;
			int letters = try_candidate(at, text, size, &other);

			if (letters == best)
				found = false;
			if (letters <= best)
				continue;
			best = letters;
			*guess = other;
			found = true;
		}
	return found;
}
