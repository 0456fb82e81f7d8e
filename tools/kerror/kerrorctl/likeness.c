// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds formats that are like another one, for what has been reworded. Words
 * count by how rare they are in the catalogue. See catalogue.h.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "catalogue.h"
#include "kerrorctl.h"

/* Words of so many entries say nothing: they only count, but are not looked up. */
#define COMMON	500
#define WORDS	64		/* of one format, that are looked at */

struct posting {
	uint32_t word;		/* CRC-32 of it */
	uint32_t entry;
};

struct likeness {
	const struct catalogue *catalogue;
	struct posting *postings;	/* by word */
	size_t size, kinds;
	double *weight;			/* of all words of an entry */
	double *score;			/* of likeness_find(); else all 0 */
};

static int compare_words(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

/* The words of a format, each once; what is behind a % is none. */
static size_t split(const char *format, uint32_t *words)
{
	size_t count = 0, unique = 0;

	while (*format && count < WORDS) {
		char word[32];
		size_t length = 0;

		if (*format == '%') {
			format++;
			format += strspn(format, "-+ #0123456789.*hlLzt");
			if (*format == 'p')
				while (isalnum((unsigned char)*format))
					format++;
			else if (*format)
				format++;
			continue;
		}
		for (; isalnum((unsigned char)*format) || *format == '_'; format++)
			if (length < sizeof(word))
				word[length++] = tolower((unsigned char)*format);
		if (length)
			words[count++] = crc32(0, (const Bytef *)word, length);
		else
			format++;
	}
	qsort(words, count, sizeof(*words), compare_words);
	for (size_t i = 0; i < count; i++)
		if (!i || words[i] != words[unique - 1])
			words[unique++] = words[i];
	return unique;
}

/* The first posting of a word, and in @count how many there are */
static const struct posting *postings_of(const struct likeness *likeness,
					 uint32_t word, size_t *count)
{
	size_t low = 0, high = likeness->size, end;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (likeness->postings[middle].word < word)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < likeness->size && likeness->postings[end].word == word; end++)
		;
	*count = end - low;
	return likeness->postings + low;
}

static double weight_of(const struct likeness *likeness, size_t count)
{
	return log((likeness->kinds + 1.0) / (count + 0.5));
}

struct likeness *likeness_new(const struct catalogue *catalogue)
{
	struct likeness *likeness = must_have(calloc(1, sizeof(*likeness)));
	const struct catalogue_entry *entry = catalogue->entries;
	const struct catalogue_entry *end = entry + catalogue->size;
	uint32_t words[WORDS];
	size_t room = 0;

	likeness->catalogue = catalogue;
	likeness->weight = must_have(calloc(catalogue->size + 1, sizeof(double)));
	likeness->score = must_have(calloc(catalogue->size + 1, sizeof(double)));
	for (; entry < end; entry = catalogue_next_id(catalogue, entry)) {
		size_t count = split(entry->format, words);

		likeness->kinds++;
		if (likeness->size + count > room) {
			room = 2 * room + WORDS;
			likeness->postings =
				must_have(reallocarray(likeness->postings, room,
						       sizeof(struct posting)));
		}
		for (size_t i = 0; i < count; i++)
			likeness->postings[likeness->size++] = (struct posting) {
				words[i], entry - catalogue->entries,
			};
	}
	if (likeness->size)
		qsort(likeness->postings, likeness->size, sizeof(struct posting),
		      compare_words);
	for (size_t i = 0, count; i < likeness->size; i += count) {
		postings_of(likeness, likeness->postings[i].word, &count);
		for (size_t j = 0; j < count; j++)
			likeness->weight[likeness->postings[i + j].entry] +=
				weight_of(likeness, count);
	}
	return likeness;
}

static void insert(struct like *found, size_t *size, size_t most, struct like like)
{
	size_t at = *size < most ? (*size)++ : most;

	while (at && (found[at - 1].score < like.score ||
		      (found[at - 1].score == like.score &&
		       found[at - 1].entry > like.entry))) {
		if (at < most)
			found[at] = found[at - 1];
		at--;
	}
	if (at < most)
		found[at] = like;
}

size_t likeness_find(struct likeness *likeness, const char *format,
		     struct like *found, size_t most)
{
	uint32_t words[WORDS];
	size_t count = split(format, words), size = 0;
	const struct posting *postings[WORDS];
	size_t counts[WORDS];
	double own = 0;

	for (size_t i = 0; i < count; i++) {
		postings[i] = postings_of(likeness, words[i], &counts[i]);
		own += weight_of(likeness, counts[i]);
		for (size_t j = 0; counts[i] <= COMMON && j < counts[i]; j++)
			likeness->score[postings[i][j].entry] +=
				weight_of(likeness, counts[i]);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; counts[i] <= COMMON && j < counts[i]; j++) {
			uint32_t entry = postings[i][j].entry;
			double both = likeness->score[entry];

			if (both > 0)
				insert(found, &size, most, (struct like) {
					entry, both / (own + likeness->weight[entry] - both),
				});
			likeness->score[entry] = 0;
		}
	}
	return size;
}
