// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parses what a field of a filter is compared with: numbers, severities, ids,
 * names, and text, which becomes a pattern. filter.c calls it for each term.
 * A word that no event can have is an error, with what is possible.
 */
#include <errno.h>
#include <string.h>
#include "filter_parser.h"

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

bool parser_digits(const char *text, size_t size, unsigned int base,
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
	if (!parser_digits(text + 2 * hexadecimal, size - 2 * hexadecimal,
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
		parser_add_name(&names, kerror_severity_name(severity));
	return parser_fail(parser, parser->token,
			   "%s is no severity; use %s, or 0 to 7",
			   parser_found(parser, shown), list);
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
	    parser_digits(text + 2 * hexadecimal, size - 2 * hexadecimal, 16,
			  &term->number.value))
		return 0;
	return parser_fail(parser, parser->token,
			   "%s is no id; use 8 hexadecimal digits such as fcf2063c",
			   parser_found(parser, shown));
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
		return parser_fail(parser, parser->symbol,
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
			if (!parser_digits(at + 2, 2, 16, &byte))
				return parser_fail(parser, at,
						   "\\x needs two hexadecimal digits");
			*pattern++ = byte;
			at += 3;
		} else if (c == '\\') {
			if (!strchr("\"\\*?", *++at))
				return parser_fail(parser, at - 1, "\\%c %s", *at,
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
		parser_add_name(&names, name);
	}
	return parser_fail(parser, parser->token, "%s is no %s; use %s",
			   parser_found(parser, shown), field->name, list);
}

int parser_literal(struct parser *parser, struct term *term)
{
	enum literal literal = term->field->literal;
	char shown[FOUND_SIZE];

	term->literal = parser->token;
	term->literal_size = parser->token_size;
	if (parser->type != WORD && parser->type != QUOTED)
		return parser_fail(parser, parser->token, "%s where a %s is expected",
				   parser_found(parser, shown),
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
	return parser_fail(parser, parser->token, literal == ANYTHING ?
			   "%s is no number; text needs quotes" :
			   "%s is no number; use digits or 0x, up to 64 bits",
			   parser_found(parser, shown));
}
