// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One comparison of a filter by itself: which strings it accepts, and how it is written.
 * The rest of the filters calls this, and kerrorctl check-rules, which is linked with a
 * copy. Both functions need the term only.
 */
#include <stdio.h>
#include "filter.h"

static bool pattern_matches(const uint16_t *pattern, size_t pattern_size,
			    const uint8_t *bytes, size_t size)
{
	size_t at = 0, i = 0, behind_star = 0, retry = 0;

	while (i < size) {
		if (at < pattern_size && pattern[at] == ANY_STRING) {
			behind_star = ++at;
			retry = i;
		} else if (at < pattern_size &&
			   (pattern[at] == ANY_BYTE ||
			    pattern[at] == bytes[i])) {
			at++;
			i++;
		} else if (behind_star) {
			/* Of the stars only the last one need take more. */
			at = behind_star;
			i = ++retry;
		} else {
			return false;
		}
	}
	while (at < pattern_size && pattern[at] == ANY_STRING)
		at++;
	return at == pattern_size;
}

bool filter_accepts(const struct term *term, const void *bytes, size_t size)
{
	bool equal = pattern_matches(term->pattern, term->pattern_size, bytes,
				     size);

	return term->comparison->accepts &
	       (equal ? EQUAL | MATCHES : LESS | GREATER);
}

void filter_add_term(struct text *text, const struct node *node)
{
	const struct term *term = &node->term;
	bool alone = term->field->source == HEADER_FLAG;
	char index[16];

	text_add_string(text, !node->negated ? "" : alone ? "!" : "!(");
	text_add(text, term->name, term->name_size);
	if (term->field->source == ARGUMENT) {
		snprintf(index, sizeof(index), "[%u]", (unsigned int)term->index);
		text_add_string(text, index);
	}
	if (!alone) {
		text_add_string(text, term->comparison->symbol);
		text_add(text, term->literal, term->literal_size);
	}
	if (node->negated && !alone)
		text_add_string(text, ")");
}
