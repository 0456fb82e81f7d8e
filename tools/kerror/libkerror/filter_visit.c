// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Shows a filter part by part to a program that translates it, such as into the
 * query language of a database.
 */
#include <stdio.h>
#include <stdlib.h>
#include "filter.h"
#include "origin.h"

struct visit {
	const struct kerror_filter *filter;
	const struct kerror_filter_visitor *visitor;
	void *context;
	char string[FILTER_TEXT_MAX + 1], tag[ORIGIN_NAME_MAX + 1];
};

/* The string of a term; NULL if it has wildcards or bytes that end a string */
static const char *exact_string(struct visit *visit, const struct term *term)
{
	if (term->pattern_size > FILTER_TEXT_MAX)
		return NULL;
	for (size_t i = 0; i < term->pattern_size; i++) {
		if (!term->pattern[i] || term->pattern[i] > UINT8_MAX)
			return NULL;
		visit->string[i] = term->pattern[i];
	}
	visit->string[term->pattern_size] = '\0';
	return visit->string;
}

static void visit_term(struct visit *visit, const struct node *node)
{
	const struct term *term = &node->term;
	struct kerror_filter_term shown = {
		.field = term->field->name,
		.comparison = term->comparison->symbol,
		.negated = node->negated,
		.index = term->index,
		.is_string = term->is_string,
		.string = term->is_string ? exact_string(visit, term) : NULL,
		.negative = term->number.negative,
		.number = term->number.value,
	};

	/* The table has one name for all tags. */
	if (term->field == &field_table[KERROR_FIELD_TAG]) {
		snprintf(visit->tag, sizeof(visit->tag), "%.*s", (int)term->name_size,
			 term->name);
		shown.field = visit->tag;
	}
	visit->visitor->term(visit->context, &shown);
}

static void visit_node(struct visit *visit, int at)
{
	const struct node *node = &visit->filter->nodes[at];

	if (node->type == TERM) {
		visit_term(visit, node);
		return;
	}
	visit->visitor->begin(visit->context, node->type == ALL);
	for (int part = node->first; part >= 0;
	     part = visit->filter->nodes[part].next)
		visit_node(visit, part);
	visit->visitor->end(visit->context);
}

void kerror_filter_visit(const struct kerror_filter *filter,
			 const struct kerror_filter_visitor *visitor,
			 void *context)
{
	struct visit visit = {
		.filter = filter, .visitor = visitor, .context = context,
	};

	visit_node(&visit, filter->root);
}
