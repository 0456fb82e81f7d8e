// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guesses which of a kernel's formats a text was made of. See guess.h.
 */
#include <stdlib.h>
#include <string.h>
#include "guess.h"
#include "format.h"
#include "kerrorctl.h"

/*
 * Formats by the first and the last byte of their texts, which is '%' if a conversion
 * makes it.
 */
#define BYTES		256

struct candidate {
	const struct catalogue_entry *entry;
	struct candidate *next;
};

struct guesser {
	struct candidate *lists[BYTES][BYTES];
};

/* A pattern of the format's texts, see format_pattern(); the caller frees it. */
static uint16_t *units_of(const char *format, size_t *size)
{
	uint16_t *units = must_have(malloc((strlen(format) + 1) * sizeof(*units)));

	*size = format_pattern(format, units);
	return units;
}

static unsigned char last_byte(const char *format)
{
	size_t size;
	uint16_t *units = units_of(format, &size);
	uint16_t last = size ? units[size - 1] : FORMAT_ANY;

	free(units);
	return last == FORMAT_ANY ? '%' : last;
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

static bool is_letter(uint16_t unit)
{
	return (unit >= 'a' && unit <= 'z') || (unit >= 'A' && unit <= 'Z');
}

static int letters_in(const char *text, size_t size)
{
	int letters = 0;

	for (size_t i = 0; i < size; i++)
		letters += is_letter((unsigned char)text[i]);
	return letters;
}

int guess_letters(const char *format)
{
	size_t size;
	uint16_t *units = units_of(format, &size);
	int letters = 0;

	for (size_t i = 0; i < size; i++)
		letters += is_letter(units[i]);
	free(units);
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
