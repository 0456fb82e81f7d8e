// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parses the text of a filter, as kerror-filter(7) describes the language, to a
 * tree. Whatever the text, this takes time and memory in proportion to its
 * length, which is limited, and stack in proportion to the depth of its
 * parentheses, which is limited, too. An error is told with its column, what
 * was found there, and what is possible instead.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "filter_parser.h"
#include "origin.h"

static const struct comparison comparisons[] = {
	{ "==", EQUAL },
	{ "!=", LESS | GREATER },
	{ "<", LESS },
	{ "<=", LESS | EQUAL },
	{ ">", GREATER },
	{ ">=", GREATER | EQUAL },
	{ "~", MATCHES },
};

/* A flag alone: whether its bit is not 0. */
static const struct comparison is_set = { "", LESS | GREATER };

/* JSON has these under longer names, which are as good here. */
static const char *json_name(size_t field)
{
	return field == KERROR_FIELD_ID ? "event_id" :
	       field == KERROR_FIELD_TYPE ? "event_type" : field_table[field].name;
}

static int parse_field(struct parser *parser, struct term *term)
{
	char shown[FOUND_SIZE], list[LIST_SIZE];
	struct text names = { .buffer = list, .size = sizeof(list) };
	uint64_t index;
	size_t i;

	for (i = 1; i < FIELD_COUNT && !term->field; i++) {
		const struct field *field = &field_table[i];

		if (field->literal == UNFILTERED)
			continue;
		if (i == KERROR_FIELD_TAG ?
		    origin_is_tag(parser->token, parser->token_size) :
		    parser_is_token(parser, field->name) ||
		    parser_is_token(parser, json_name(i)))
			term->field = field;
		parser_add_name(&names, field->source == ARGUMENT ? "arg[0]" : field->name);
	}
	if (!term->field)
		return parser_fail(parser, parser->token,
				   "%s where a field is expected; there are %s",
				   parser_found(parser, shown), list);
	term->name = parser->token;
	term->name_size = parser->token_size;
	parser_advance(parser);
	if (term->field->source != ARGUMENT)
		return 0;
	if (!parser_accept(parser, "[") || parser->type != WORD ||
	    !parser_digits(parser->token, parser->token_size, 10, &index) ||
	    index > UINT16_MAX)
		return parser_fail(parser, parser->token,
				   "%s where the number of the argument is expected, as in arg[0]",
				   parser_found(parser, shown));
	term->index = index;
	parser_advance(parser);
	if (!parser_accept(parser, "]"))
		return parser_fail(parser, parser->token, "%s where ] is expected",
				   parser_found(parser, shown));
	return 0;
}

static int parse_comparison(struct parser *parser, struct term *term)
{
	enum literal literal = term->field->literal;
	const char *name = term->field->name;
	char shown[FOUND_SIZE];
	size_t i;
	int err;

	parser->symbol = parser->token;
	for (i = 0; i < COUNT(comparisons); i++)
		if (parser_is_token(parser, comparisons[i].symbol))
			term->comparison = &comparisons[i];
	if (literal == NOTHING) {
		if (term->comparison)
			return parser_fail(parser, parser->symbol,
					   "%s behind a flag, which stands alone: %s or !%s",
					   parser_found(parser, shown), name, name);
		term->comparison = &is_set;
		return 0;
	}
	if (!term->comparison)
		return parser_fail(parser, parser->symbol,
				   "%s where a comparison is expected; use == != < <= > >= or ~",
				   parser_found(parser, shown));
	if (literal < STRING && term->comparison->accepts == MATCHES)
		return parser_fail(parser, parser->symbol,
				   "'~' is for text, and %s is a number; use == != < <= > or >=",
				   name);
	parser_advance(parser);
	err = parser_literal(parser, term);
	if (err)
		return err;
	parser_advance(parser);
	return 0;
}

static int add_node(struct parser *parser, enum node_type type)
{
	struct kerror_filter *filter = parser->filter;

	if (filter->node_count == filter->node_room) {
		size_t room = 2 * filter->node_room + 8;
		struct node *more = realloc(filter->nodes,
					    room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		filter->nodes = more;
		filter->node_room = room;
	}
	filter->nodes[filter->node_count] = (struct node) {
		.type = type, .first = -1, .last = -1, .next = -1,
		.previous = -1,
	};
	return filter->node_count++;
}

static int parse_term(struct parser *parser, bool negated)
{
	struct kerror_filter *filter = parser->filter;
	struct term term = { 0 };
	int err, at;

	err = parse_field(parser, &term);
	if (!err)
		err = parse_comparison(parser, &term);
	if (err)
		return err;
	at = add_node(parser, TERM);
	if (at >= 0) {
		filter->nodes[at].term = term;
		filter->nodes[at].negated = negated;
	}
	return at;
}

static int parse_list(struct parser *parser, bool any, bool negated);

/* A term or parentheses; returns the node or a negative errno. */
static int parse_part(struct parser *parser, bool negated)
{
	const char *open = parser->token;
	char shown[FOUND_SIZE];
	int part;

	while (parser_accept(parser, "!")) {
		negated = !negated;
		open = parser->token;
	}
	if (!parser_accept(parser, "("))
		return parse_term(parser, negated);
	if (++parser->depth > FILTER_DEPTH_MAX)
		return parser_fail(parser, open,
				   "parentheses in more than %d others; use fewer",
				   FILTER_DEPTH_MAX);
	part = parse_list(parser, true, negated);
	if (part < 0)
		return part;
	parser->depth--;
	if (!parser_accept(parser, ")"))
		return parser_fail(parser, parser->token,
				   "%s where && || or the ) of column %zu is expected",
				   parser_found(parser, shown),
				   open - parser->filter->text + 1);
	return part;
}

/* What || joins if @any, else what && joins, which binds tighter. */
static int parse_list(struct parser *parser, bool any, bool negated)
{
	struct kerror_filter *filter = parser->filter;
	const char *symbol = any ? "||" : "&&";
	int list = -1, part;

	for (;;) {
		part = any ? parse_list(parser, false, negated) :
			     parse_part(parser, negated);
		if (part < 0)
			return part;
		if (list < 0) {
			if (!parser_is_token(parser, symbol))
				return part;
			list = add_node(parser, any != negated ? ANY : ALL);
			if (list < 0)
				return list;
			filter->nodes[list].first = part;
		} else {
			filter->nodes[part].previous = filter->nodes[list].last;
			filter->nodes[filter->nodes[list].last].next = part;
		}
		filter->nodes[list].last = part;
		if (!parser_accept(parser, symbol))
			return list;
	}
}

static int parse(struct kerror_filter *filter, char *message, size_t size)
{
	struct parser parser = {
		.filter = filter,
		.at = filter->text,
		.message = message,
		.message_size = size,
	};
	char shown[FOUND_SIZE];

	parser_advance(&parser);
	filter->root = parse_list(&parser, true, false);
	if (filter->root < 0)
		return filter->root;
	if (parser.type != END)
		return parser_fail(&parser, parser.token,
				   "%s where && || or the end is expected",
				   parser_found(&parser, shown));
	return 0;
}

int kerror_filter_new(struct kerror_filter **result, const char *text,
		      char *message, size_t size)
{
	struct kerror_filter *filter;
	size_t length = strlen(text);
	int err = -ENOMEM;

	if (size)
		*message = '\0';
	if (length > FILTER_TEXT_MAX) {
		snprintf(message, size,
			 "column %d: the filter is longer than %d bytes; make it shorter",
			 FILTER_TEXT_MAX + 1, FILTER_TEXT_MAX);
		return -EINVAL;
	}
	filter = calloc(1, sizeof(*filter));
	if (filter) {
		filter->text = strdup(text);
		filter->patterns = calloc(length + 1, sizeof(*filter->patterns));
		if (filter->text && filter->patterns)
			err = parse(filter, message, size);
		if (!err)
			err = filter_compile(filter);
	}
	if (err) {
		if (err == -ENOMEM)
			snprintf(message, size, "out of memory");
		kerror_filter_free(filter);
		return err;
	}
	*result = filter;
	return 0;
}

void kerror_filter_free(struct kerror_filter *filter)
{
	if (!filter)
		return;
	free(filter->text);
	free(filter->nodes);
	free(filter->patterns);
	free(filter->program);
	free(filter);
}
