// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Expands a format string with recorded arguments to the text that the
 * kernel's vsnprintf() makes of the same call, byte for byte. The rules, which
 * are not quite those of printf(3), are in <linux/evlog.h>.
 */
#include <string.h>
#include "internal.h"

#define WIDTH_MAX	8388607
#define PRECISION_MAX	32767

struct conversion {
	const char *start;
	size_t size;
	bool left, plus, space, special, zero;
	bool width_argument, precision_argument;
	long width;		/* -1: none */
	long precision;		/* -1: none */
	char qualifier;		/* 'H' for hh */
	char letter;
};

static const char *parse_number(const char *at, bool *argument, long *number,
				long most)
{
	if (*at == '*') {
		*argument = true;
		return at + 1;
	}
	if (*at >= '0' && *at <= '9') {
		*number = 0;
		for (; *at >= '0' && *at <= '9'; at++)
			if (*number <= most)
				*number = *number * 10 + *at - '0';
		if (*number > most)
			*number = most;
	}
	return at;
}

/* The kernel's isalnum(), which knows the letters of Latin-1. */
static bool is_kernel_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* Parses the conversion at the '%' that @at points to; returns its end. */
static const char *parse_conversion(const char *at, struct conversion *c)
{
	*c = (struct conversion) { .start = at, .width = -1, .precision = -1 };
	for (at++;; at++) {
		if (*at == '-')
			c->left = true;
		else if (*at == '+')
			c->plus = true;
		else if (*at == ' ')
			c->space = true;
		else if (*at == '#')
			c->special = true;
		else if (*at == '0')
			c->zero = true;
		else
			break;
	}
	at = parse_number(at, &c->width_argument, &c->width, WIDTH_MAX);
	if (*at == '.')
		at = parse_number(at + 1, &c->precision_argument, &c->precision,
				  PRECISION_MAX);
	if (*at && strchr("hlLzt", *at)) {
		c->qualifier = *at++;
		if (*at == c->qualifier && (*at == 'h' || *at == 'l')) {
			c->qualifier = *at == 'h' ? 'H' : 'L';
			at++;
		}
	}
	c->letter = *at;
	if (*at)
		at++;
	if (c->letter == 'p')
		while (is_kernel_alnum(*at))
			at++;
	c->size = at - c->start;
	return at;
}

static void expand_bytes(struct text *text, const struct conversion *c,
			 const void *bytes, size_t size)
{
	long fill = c->width - (long)size;

	if (!c->left)
		text_fill(text, ' ', fill);
	text_add(text, bytes, size);
	if (c->left)
		text_fill(text, ' ', fill);
}

static void expand_integer(struct text *text, const struct conversion *c,
			   uint64_t value, unsigned int base, bool is_signed,
			   bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char number[24], sign = 0;
	const char *prefix = "";
	long count = 0, zeros, fill;
	bool zero = c->zero && !c->left;

	if (is_signed && (int64_t)value < 0) {
		sign = '-';
		value = -value;
	} else if (is_signed && c->plus) {
		sign = '+';
	} else if (is_signed && c->space) {
		sign = ' ';
	}
	if (c->special && base == 16)
		prefix = upper ? "0X" : "0x";
	else if (c->special && base == 8 && value)
		prefix = "0";
	do {
		number[sizeof(number) - ++count] = digits[value % base];
		value /= base;
	} while (value);

	zeros = c->precision > count ? c->precision - count : 0;
	fill = c->width - zeros - count - (long)strlen(prefix) - !!sign;
	if (!c->left && !zero)
		text_fill(text, ' ', fill);
	if (sign)
		text_add(text, &sign, 1);
	text_add(text, prefix, strlen(prefix));
	if (zero)
		text_fill(text, '0', fill);
	text_fill(text, '0', zeros);
	text_add(text, number + sizeof(number) - count, count);
	if (c->left)
		text_fill(text, ' ', fill);
}

static void expand_value(struct text *text, struct conversion *c,
			 const struct argument *argument)
{
	bool is_signed = c->letter == 'd' || c->letter == 'i';
	uint64_t value = argument_number(argument);
	unsigned int base = 10;
	size_t size;

	switch (argument->type) {
	case EVL_ARG_TEXT:
		text_add(text, argument->value, argument->size);
		return;
	case EVL_ARG_STRING:
		size = argument->size;
		if (c->precision >= 0 && (size_t)c->precision < size)
			size = c->precision;
		expand_bytes(text, c, argument->value, size);
		return;
	case EVL_ARG_CHAR:
		expand_bytes(text, c, argument->value, 1);
		return;
	case EVL_ARG_POINTER:
		if (c->width < 0) {
			c->width = 2 * argument->size;
			c->zero = true;
		}
		expand_integer(text, c, value, 16, false, false);
		return;
	case EVL_ARG_S32:
	case EVL_ARG_U32:
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		break;
	default:
		text_add(text, c->start, c->size);
		return;
	}
	if (c->letter == 'o')
		base = 8;
	else if (c->letter == 'x' || c->letter == 'X')
		base = 16;
	if (argument->size == 4)
		value = is_signed ? (uint64_t)(int32_t)value : (uint32_t)value;
	if (c->qualifier == 'H')
		value = is_signed ? (uint64_t)(int8_t)value : (uint8_t)value;
	else if (c->qualifier == 'h')
		value = is_signed ? (uint64_t)(int16_t)value : (uint16_t)value;
	expand_integer(text, c, value, base, is_signed, c->letter == 'X');
}

static long limit(int64_t value, long most)
{
	return value > most ? most : value < -most ? -most : (long)value;
}

void format_expand(struct text *text, const struct kerror_event *event)
{
	const struct argument *argument = event->arguments;
	/* Without arguments there is no array to add to. */
	const struct argument *end = event->argument_count ?
				     argument + event->argument_count : argument;
	const char *at = event->format, *percent;
	struct conversion c;

	while ((percent = strchr(at, '%'))) {
		text_add(text, at, percent - at);
		at = parse_conversion(percent, &c);
		if (c.letter == '%') {
			text_add(text, "%", 1);
			continue;
		}
		if (c.width_argument && argument < end &&
		    argument->type == EVL_ARG_WIDTH) {
			c.width = limit((int64_t)argument_number(argument++),
					WIDTH_MAX);
			if (c.width < 0) {
				c.width = -c.width;
				c.left = true;
			}
		}
		if (c.precision_argument && argument < end &&
		    argument->type == EVL_ARG_PRECISION) {
			c.precision = limit((int64_t)argument_number(argument),
					    PRECISION_MAX);
			argument++;
			if (c.precision < 0)
				c.precision = 0;
		}
		if (argument == end)
			return;
		expand_value(text, &c, argument++);
	}
	text_add(text, at, strlen(at));
}
