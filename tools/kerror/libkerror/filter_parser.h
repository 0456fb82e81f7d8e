/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parser of a filter's text, for the files that it is made of: tokens
 * (filter_token.c), literals (filter_literal.c), and the tree (filter.c).
 */
#ifndef LIBKERROR_FILTER_PARSER_H
#define LIBKERROR_FILTER_PARSER_H

#include <stdio.h>
#include "filter.h"

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
	char reason[360];
	char *message;
	size_t message_size;
};

/* Tells what parser->reason says of @at, unless another error was told; -EINVAL */
int parser_refuse(struct parser *parser, const char *at);

/* Tells of the mistake at @at, as printf() does. */
#define parser_fail(parser, at, ...)					\
	(snprintf((parser)->reason, sizeof((parser)->reason),		\
		  __VA_ARGS__), parser_refuse(parser, at))

/* Room for a token that was found, and for the names that are known. */
#define FOUND_SIZE 48
#define LIST_SIZE 256

/* Goes to the next token. */
void parser_advance(struct parser *parser);

/* Whether the token is @text, or, with accept, goes to the next one if it is */
bool parser_is_token(const struct parser *parser, const char *text);
bool parser_accept(struct parser *parser, const char *text);

/* The token for a message */
const char *parser_found(const struct parser *parser, char shown[FOUND_SIZE]);

/* Adds a name to the list of possible ones. */
void parser_add_name(struct text *list, const char *name);

/* Whether all of @text are digits of a number of 64 bits */
bool parser_digits(const char *text, size_t size, unsigned int base, uint64_t *value);

/* Parses the token as what the term's field is compared with; 0 or -EINVAL. */
int parser_literal(struct parser *parser, struct term *term);

#endif
