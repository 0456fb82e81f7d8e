// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cuts the text of a filter into tokens, and tells what is wrong at one of them.
 * filter.c and filter_literal.c look at one token at a time.
 */
#include <errno.h>
#include <string.h>
#include "filter_parser.h"

/* Only the first error counts: those that follow are consequences. */
int parser_refuse(struct parser *parser, const char *at)
{
	if (!parser->failed)
		snprintf(parser->message, parser->message_size,
			 "column %zu: %s", at - parser->filter->text + 1,
			 parser->reason);
	parser->failed = true;
	return -EINVAL;
}

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
			parser_fail(parser, parser->token,
				    "a string that has no end; it needs another \"");
		else if (is_control(*at))
			parser_fail(parser, at,
				    "a control character; write it as \\x%02x", *at);
		else
			continue;
		parser->type = INVALID;
		parser->at = at;
		return;
	}
	parser->at = at + 1;
}

void parser_advance(struct parser *parser)
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

bool parser_is_token(const struct parser *parser, const char *text)
{
	return parser->token_size == strlen(text) &&
	       !memcmp(parser->token, text, parser->token_size);
}

bool parser_accept(struct parser *parser, const char *symbol)
{
	if (!parser_is_token(parser, symbol))
		return false;
	parser_advance(parser);
	return true;
}

const char *parser_found(const struct parser *parser, char shown[FOUND_SIZE])
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

void parser_add_name(struct text *list, const char *name)
{
	if (list->length)
		text_add(list, " ", 1);
	text_add(list, name, strlen(name));
	text_end(list);
}
