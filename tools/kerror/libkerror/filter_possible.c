// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finds out whether a filter can match any event of a kind, of which no more is
 * known than the kernel's source says: id, format, severity and facility. For who
 * checks rules against a kernel before it runs.
 *
 * Three-valued: a term is true of all such events, of none, or perhaps of some.
 * The arguments, the device and the function that raises the event are not known.
 * Of the text it is known what stands between the format's conversions.
 */
#include <stdlib.h>
#include <string.h>
#include "filter.h"

static bool is_digit(uint16_t unit)
{
	return unit >= '0' && unit <= '9';
}

static bool is_letter(uint16_t unit)
{
	return (unit >= 'a' && unit <= 'z') || (unit >= 'A' && unit <= 'Z');
}

/*
 * Sets @counts for each unit of a pattern: 1 if it is a letter of a word, 0 if not.
 * A word with a digit is a number or a name, and most likely an argument. Returns
 * how many letters there are.
 */
static unsigned int count_letters(const uint16_t *pattern, size_t size, int *counts)
{
	unsigned int letters = 0;
	size_t end;

	for (size_t start = 0; start < size; start = end) {
		bool word = true;

		for (end = start; end < size &&
		     (is_letter(pattern[end]) || is_digit(pattern[end])); end++)
			word &= is_letter(pattern[end]);
		for (size_t i = start; i < end; i++)
			counts[i] = word;
		letters += word ? end - start : 0;
		end += end == start;
	}
	return letters;
}

/*
 * Looks for a string that a format and a filter's pattern both take. Returns -1 if
 * there is none; else how many units of the pattern, as @counts counts them, the
 * format can have itself, rather than in what its conversions become.
 *
 * @best has, for the units of @format gone past so far, the most of them for each
 * number of units of @pattern gone past, or -1.
 */
static int meet(const uint16_t *format, size_t format_size,
		const uint16_t *pattern, size_t pattern_size, const int *counts,
		int *best)
{
	best[0] = 0;
	for (size_t j = 0; j < pattern_size; j++)
		best[j + 1] = pattern[j] == ANY_STRING ? best[j] : -1;
	for (size_t i = 0; i < format_size; i++) {
		bool any = format[i] == ANY_STRING;
		int diagonal = best[0], above;

		if (!any)
			best[0] = -1;
		for (size_t j = 0; j < pattern_size; j++) {
			above = best[j + 1];
			/* It takes nothing, or one unit more of the other. */
			if (any || pattern[j] == ANY_STRING) {
				if (best[j] > best[j + 1])
					best[j + 1] = best[j];
			} else if (diagonal >= 0 &&
				   (format[i] == pattern[j] || pattern[j] == ANY_BYTE)) {
				best[j + 1] = diagonal + counts[j];
			} else {
				best[j + 1] = -1;
			}
			diagonal = above;
		}
	}
	return best[pattern_size];
}

static enum possible certain(bool holds)
{
	return holds ? ALWAYS : NEVER;
}

static enum possible number_possible(const struct term *term, uint64_t number)
{
	const uint64_t literal = term->number.value;
	unsigned int relation = term->number.negative || number > literal ? GREATER :
				number < literal ? LESS : EQUAL;

	return certain(term->comparison->accepts & relation);
}

static bool is_likely(const struct term *term, const struct filter_kind *kind,
		      unsigned int letters, unsigned int own, unsigned int met)
{
	if (!kind->likely)
		return true;
	if (kind->prefixed && term->pattern_size && term->pattern[0] == ANY_STRING)
		return false;
	return 100 * met >= kind->likely * letters ||
	       (kind->own && met >= 4 && 4 * met >= 3 * own && 4 * met >= letters);
}

static enum possible text_possible(const struct term *term,
				   const struct filter_kind *kind)
{
	const char *format = kind->format ? : "";
	size_t size = strlen(format);
	uint16_t *units = malloc((size + 1) * sizeof(*units));
	int *best = calloc(term->pattern_size + 1, sizeof(*best));
	int *counts = calloc(term->pattern_size + size + 1, sizeof(*counts));
	unsigned int letters, own;
	int met;
	enum possible result = PERHAPS;
	bool open = false;

	/* Without memory nothing is ruled out. */
	if (!units || !best || !counts)
		goto out;
	size = format_pattern(format, units);
	own = count_letters(units, size, counts);
	letters = count_letters(term->pattern, term->pattern_size, counts);
	for (size_t i = 0; i < size; i++)
		open |= units[i] == FORMAT_ANY;
	met = kind->format ? meet(units, size, term->pattern, term->pattern_size,
				  counts, best) : 0;
	if (met < 0 || !is_likely(term, kind, letters, own, met))
		result = certain(term->comparison->accepts & (LESS | GREATER));
	else if (kind->format && !open)
		result = certain(term->comparison->accepts & (EQUAL | MATCHES));
out:
	free(units);
	free(best);
	free(counts);
	return result;
}

/* Messages of the kernel have a group of their own. */
static enum possible group_possible(const struct term *term,
				    const struct filter_kind *kind)
{
	bool evlog = filter_accepts(term, "evlog", strlen("evlog"));
	bool printk = filter_accepts(term, "printk", strlen("printk"));

	if (kind->known & EVL_FLAG_PRINTK)
		return certain(kind->flags & EVL_FLAG_PRINTK ? printk : evlog);
	return evlog == printk ? certain(evlog) : PERHAPS;
}

static enum possible term_possible(const struct term *term,
				   const struct filter_kind *kind)
{
	uint32_t flag = term->field->flag;

	switch (term->field->source) {
	case HEADER_NUMBER:
		if (term->field->literal == ID)
			return number_possible(term, kind->id);
		if (term->field->literal == SEVERITY && kind->severity >= 0)
			return number_possible(term, kind->severity);
		return PERHAPS;
	case HEADER_STRING:
		if (strcmp(term->field->name, "facility") || !kind->facility)
			return PERHAPS;
		return certain(filter_accepts(term, kind->facility, strlen(kind->facility)));
	case HEADER_FLAG:
		return kind->known & flag ? certain(kind->flags & flag) : PERHAPS;
	case KIND:
		return certain(filter_accepts(term, kind_name(kind->kind),
					      strlen(kind_name(kind->kind))));
	case GROUP:
		return group_possible(term, kind);
	case FORMAT:
		return certain(kind->format &&
			       filter_accepts(term, kind->format, strlen(kind->format)));
	case TEXT:
		return text_possible(term, kind);
	default:
		return PERHAPS;
	}
}

enum possible filter_term_possible(const struct node *node,
				   const struct filter_kind *kind)
{
	enum possible result = term_possible(&node->term, kind);

	return node->negated ? ALWAYS - result : result;
}

static enum possible node_possible(const struct kerror_filter *filter, int at,
				   const struct filter_kind *kind)
{
	const struct node *node = &filter->nodes[at];
	enum possible result = node->type == ANY ? NEVER : ALWAYS, part;

	if (node->type == TERM)
		return filter_term_possible(node, kind);
	for (int i = node->first; i >= 0; i = filter->nodes[i].next) {
		part = node_possible(filter, i, kind);
		if (node->type == ANY ? part > result : part < result)
			result = part;
		/* The others do not matter any more. */
		if (result == (node->type == ANY ? ALWAYS : NEVER))
			break;
	}
	return result;
}

enum possible filter_possible(const struct kerror_filter *filter,
			      const struct filter_kind *kind)
{
	return node_possible(filter, filter->root, kind);
}
