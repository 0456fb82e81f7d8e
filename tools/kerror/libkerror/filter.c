// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parses the text of a filter, as kerror-filter(7) describes the language, to a
 * tree. Whatever the text, this takes time and memory in proportion to its
 * length, which is limited, and stack in proportion to the depth of its
 * parentheses, which is limited, too. An error is told with its column, what
 * was found there, and what is possible instead.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "filter.h"

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

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum token { END, WORD, QUOTED, SYMBOL, INVALID };

struct parser {
	struct kerror_filter *filter;
	const char *at;			/* behind the token */
	enum token type;
	const char *token;
	size_t token_size;
	const char *symbol;		/* of the comparison */
	unsigned int depth;
	bool failed;
	char reason[256];
	char *message;
	size_t message_size;
};

/* Only the first error counts: those that follow are consequences. */
static int refuse(struct parser *parser, const char *at)
{
	if (!parser->failed)
		snprintf(parser->message, parser->message_size,
			 "column %zu: %s", at - parser->filter->text + 1,
			 parser->reason);
	parser->failed = true;
	return -EINVAL;
}

/* What is wrong at @at, as for printf(). */
#define fail(parser, at, ...)						\
	(snprintf((parser)->reason, sizeof((parser)->reason),		\
		  __VA_ARGS__), refuse(parser, at))

/* ---- Tokens ---- */

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c >= 0x80 ||
	       (c && strchr("_.:/+-*?@%,", c));
}

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/* Finds the end of the quoted string that begins at the token. */
static void scan_quoted(struct parser *parser)
{
	const char *at = parser->token + 1;

	parser->type = QUOTED;
	for (; *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		if (!*at)
			fail(parser, parser->token,
			     "a string that has no end; it needs another \"");
		else if (is_control(*at))
			fail(parser, at,
			     "a control character; write it as \\x%02x", *at);
		else
			continue;
		parser->type = INVALID;
		parser->at = at;
		return;
	}
	parser->at = at + 1;
}

static void advance(struct parser *parser)
{
	static const char *const symbols[] = {
		"&&", "||", "==", "!=", "<=", ">=",
		"<", ">", "~", "!", "(", ")", "[", "]",
	};
	const char *at = parser->at;
	size_t i, length;

	at += strspn(at, " \t\r\n");
	parser->token = at;
	parser->at = at + !!*at;
	parser->type = INVALID;
	if (!*at) {
		parser->type = END;
	} else if (*at == '"') {
		scan_quoted(parser);
	} else if (is_word(*at)) {
		parser->type = WORD;
		while (is_word(*parser->at))
			parser->at++;
	} else {
		for (i = 0; i < COUNT(symbols); i++) {
			length = strlen(symbols[i]);
			if (strncmp(at, symbols[i], length))
				continue;
			parser->type = SYMBOL;
			parser->at = at + length;
			break;
		}
	}
	parser->token_size = parser->at - parser->token;
}

static bool is_token(const struct parser *parser, const char *text)
{
	return parser->token_size == strlen(text) &&
	       !memcmp(parser->token, text, parser->token_size);
}

static bool accept(struct parser *parser, const char *symbol)
{
	if (!is_token(parser, symbol))
		return false;
	advance(parser);
	return true;
}

/* Room for what was found, and for the names of what is known. */
#define FOUND_SIZE 48
#define LIST_SIZE 192

/* The token for a message. */
static const char *found(const struct parser *parser, char shown[FOUND_SIZE])
{
	size_t size = parser->token_size, i;
	const char *more = "";

	if (parser->type == END)
		return "the end of the filter";
	if (size > FOUND_SIZE - 6) {
		size = FOUND_SIZE - 6;
		/* Not within a character. */
		while (size && (parser->token[size] & 0xc0) == 0x80)
			size--;
		more = "...";
	}
	snprintf(shown, FOUND_SIZE, "'%.*s%s'", (int)size, parser->token, more);
	for (i = 0; shown[i]; i++)
		if (is_control(shown[i]))
			shown[i] = '?';
	return shown;
}

static void add_name(struct text *list, const char *name)
{
	if (list->length)
		text_add(list, " ", 1);
	text_add(list, name, strlen(name));
	text_end(list);
}

/* ---- Literals ---- */

/* The token as text, without quotes, for what has no escapes. */
static void plain_text(const struct parser *parser, const char **text,
		       size_t *size)
{
	bool quoted = parser->type == QUOTED;

	*text = parser->token + quoted;
	*size = parser->token_size - 2 * quoted;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool parse_digits(const char *text, size_t size, unsigned int base,
			 uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < size; i++) {
		unsigned int next = digit(text[i]);

		if (next >= base || *value > (UINT64_MAX - next) / base)
			return false;
		*value = *value * base + next;
	}
	return size;
}

static bool is_hexadecimal(const char *text, size_t size)
{
	return size > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
}

static bool parse_number(const char *text, size_t size, struct number *number)
{
	bool minus = size && *text == '-', hexadecimal;

	text += minus;
	size -= minus;
	hexadecimal = is_hexadecimal(text, size);
	if (!parse_digits(text + 2 * hexadecimal, size - 2 * hexadecimal,
			  hexadecimal ? 16 : 10, &number->value))
		return false;
	if (minus && number->value > (uint64_t)INT64_MAX + 1)
		return false;
	number->negative = minus && number->value;
	if (minus)
		number->value = -number->value;
	return true;
}

static int parse_severity(struct parser *parser, struct term *term)
{
	char shown[FOUND_SIZE], list[LIST_SIZE], name[16];
	struct text names = { .buffer = list, .size = sizeof(list) };
	const char *text;
	int severity = -EINVAL;
	size_t size;

	plain_text(parser, &text, &size);
	if (size < sizeof(name)) {
		memcpy(name, text, size);
		name[size] = '\0';
		severity = kerror_severity_number(name);
	}
	if (severity >= 0) {
		term->number.value = severity;
		return 0;
	}
	for (severity = 0; severity < 8; severity++)
		add_name(&names, kerror_severity_name(severity));
	return fail(parser, parser->token,
		    "%s is no severity; use %s, or 0 to 7",
		    found(parser, shown), list);
}

static int parse_id(struct parser *parser, struct term *term)
{
	char shown[FOUND_SIZE];
	bool hexadecimal;
	const char *text;
	size_t size;

	plain_text(parser, &text, &size);
	hexadecimal = is_hexadecimal(text, size);
	if ((hexadecimal ? size <= 10 : size == 8) &&
	    parse_digits(text + 2 * hexadecimal, size - 2 * hexadecimal, 16,
			 &term->number.value))
		return 0;
	return fail(parser, parser->token,
		    "%s is no id; use 8 hexadecimal digits such as fcf2063c",
		    found(parser, shown));
}

/* Appends the token to the patterns; without escapes a word needs no quotes. */
static int parse_string(struct parser *parser, struct term *term)
{
	struct kerror_filter *filter = parser->filter;
	uint16_t *pattern = filter->patterns + filter->pattern_size;
	unsigned int accepts = term->comparison->accepts;
	const char *at, *end;
	size_t size;

	if (accepts != EQUAL && accepts != (LESS | GREATER) &&
	    accepts != MATCHES)
		return fail(parser, parser->symbol,
			    "'%s' is for numbers, not for text; use == != or ~",
			    term->comparison->symbol);
	plain_text(parser, &at, &size);
	term->is_string = true;
	term->pattern = pattern;
	for (end = at + size; at < end; at++) {
		unsigned char c = *at;
		uint64_t byte;

		if (c == '\\' && at[1] == 'x') {
			/* No further than the quote behind it. */
			if (!parse_digits(at + 2, 2, 16, &byte))
				return fail(parser, at,
					    "\\x needs two hexadecimal digits");
			*pattern++ = byte;
			at += 3;
		} else if (c == '\\') {
			if (!strchr("\"\\*?", *++at))
				return fail(parser, at - 1, "\\%c %s", *at,
					    "is no escape; use \\\" \\\\ \\* \\? or \\xHH");
			*pattern++ = *at;
		} else if (accepts == MATCHES && c == '*') {
			*pattern++ = ANY_STRING;
		} else if (accepts == MATCHES && c == '?') {
			*pattern++ = ANY_BYTE;
		} else {
			*pattern++ = c;
		}
	}
	term->pattern_size = pattern - term->pattern;
	filter->pattern_size += term->pattern_size;
	return 0;
}

const char *filter_name(enum source source, unsigned int index)
{
	static const uint32_t contexts[] = {
		0, EVL_FLAG_SOFTIRQ, EVL_FLAG_INTERRUPT, EVL_FLAG_NMI,
	};

	switch (source) {
	case CONTEXT:
		return index < COUNT(contexts) ?
		       kerror_context_name(contexts[index]) : NULL;
	case KIND:
		return index <= EVL_FORMAT_PRINTF ? kind_name(index) : NULL;
	case GROUP:
		return index < KERROR_GROUP_COUNT ?
		       kerror_group_name(kerror_group_at(index)) : NULL;
	default:
		return NULL;
	}
}

/* A word that is misspelt would never match. */
static int parse_name(struct parser *parser, struct term *term)
{
	char shown[FOUND_SIZE], list[LIST_SIZE];
	struct text names = { .buffer = list, .size = sizeof(list) };
	const struct field *field = term->field;
	bool expected = term->comparison->accepts == EQUAL;
	unsigned int i;
	int err;

	err = parse_string(parser, term);
	if (err || term->comparison->accepts == MATCHES)
		return err;
	for (i = 0; filter_name(field->source, i); i++) {
		const char *name = filter_name(field->source, i);

		if (filter_accepts(term, name, strlen(name)) == expected)
			return 0;
		add_name(&names, name);
	}
	return fail(parser, parser->token, "%s is no %s; use %s",
		    found(parser, shown), field->name, list);
}

static int parse_literal(struct parser *parser, struct term *term)
{
	enum literal literal = term->field->literal;
	char shown[FOUND_SIZE];

	term->literal = parser->token;
	term->literal_size = parser->token_size;
	if (parser->type != WORD && parser->type != QUOTED)
		return fail(parser, parser->token, "%s where a %s is expected",
			    found(parser, shown),
			    literal == NUMBER ? "number" : "value");
	switch (literal) {
	case SEVERITY:
		return parse_severity(parser, term);
	case ID:
		return parse_id(parser, term);
	case STRING:
		return parse_string(parser, term);
	case NAME:
		return parse_name(parser, term);
	case ANYTHING:
		if (parser->type == QUOTED ||
		    term->comparison->accepts == MATCHES ||
		    !strchr("-+.0123456789", *parser->token))
			return parse_string(parser, term);
		/* Begins as a number: more than a word of many letters. */
		break;
	default:
		break;
	}
	if (parser->type == WORD &&
	    parse_number(parser->token, parser->token_size, &term->number))
		return 0;
	return fail(parser, parser->token, literal == ANYTHING ?
		    "%s is no number; text needs quotes" :
		    "%s is no number; use digits or 0x, up to 64 bits",
		    found(parser, shown));
}

/* ---- Terms ---- */

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
		if (is_token(parser, field->name))
			term->field = field;
		add_name(&names, field->source == ARGUMENT ? "arg[0]" : field->name);
	}
	if (!term->field)
		return fail(parser, parser->token,
			    "%s where a field is expected; there are %s",
			    found(parser, shown), list);
	advance(parser);
	if (term->field->source != ARGUMENT)
		return 0;
	if (!accept(parser, "[") || parser->type != WORD ||
	    !parse_digits(parser->token, parser->token_size, 10, &index) ||
	    index > UINT16_MAX)
		return fail(parser, parser->token,
			    "%s where the number of the argument is expected, as in arg[0]",
			    found(parser, shown));
	term->index = index;
	advance(parser);
	if (!accept(parser, "]"))
		return fail(parser, parser->token, "%s where ] is expected",
			    found(parser, shown));
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
		if (is_token(parser, comparisons[i].symbol))
			term->comparison = &comparisons[i];
	if (literal == NOTHING) {
		if (term->comparison)
			return fail(parser, parser->symbol,
				    "%s behind a flag, which stands alone: %s or !%s",
				    found(parser, shown), name, name);
		term->comparison = &is_set;
		return 0;
	}
	if (!term->comparison)
		return fail(parser, parser->symbol,
			    "%s where a comparison is expected; use == != < <= > >= or ~",
			    found(parser, shown));
	if (literal < STRING && term->comparison->accepts == MATCHES)
		return fail(parser, parser->symbol,
			    "'~' is for text, and %s is a number; use == != < <= > or >=",
			    name);
	advance(parser);
	err = parse_literal(parser, term);
	if (err)
		return err;
	advance(parser);
	return 0;
}

/* ---- The tree ---- */

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
	if (term.field->source == TEXT && !filter->event_text) {
		filter->event_text = malloc(FILTER_EVENT_TEXT_MAX + 1);
		if (!filter->event_text)
			return -ENOMEM;
	}
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

	while (accept(parser, "!")) {
		negated = !negated;
		open = parser->token;
	}
	if (!accept(parser, "("))
		return parse_term(parser, negated);
	if (++parser->depth > FILTER_DEPTH_MAX)
		return fail(parser, open,
			    "parentheses in more than %d others; use fewer",
			    FILTER_DEPTH_MAX);
	part = parse_list(parser, true, negated);
	if (part < 0)
		return part;
	parser->depth--;
	if (!accept(parser, ")"))
		return fail(parser, parser->token,
			    "%s where && || or the ) of column %zu is expected",
			    found(parser, shown),
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
			if (!is_token(parser, symbol))
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
		if (!accept(parser, symbol))
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

	advance(&parser);
	filter->root = parse_list(&parser, true, false);
	if (filter->root < 0)
		return filter->root;
	if (parser.type != END)
		return fail(&parser, parser.token,
			    "%s where && || or the end is expected",
			    found(&parser, shown));
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
	free(filter->event_text);
	free(filter->program);
	free(filter);
}
