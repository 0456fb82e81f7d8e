// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parts a format into its conversions, as the kernel's vsnprintf() does. format.c expands
 * them, format_match.c looks for them in a text, and kerrorctl, which is linked with a copy,
 * compares formats by them. Any string is a format; nothing fails.
 */
#include <string.h>
#include "format.h"

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

bool format_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

bool format_kernel_alnum(unsigned char c)
{
	return format_alnum(c) || (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

const char *format_conversion(const char *start, const char *at,
			      bool (*belongs)(unsigned char c), struct conversion *c)
{
	*c = (struct conversion) {
		.start = start, .width = -1, .precision = -1,
	};
	for (;; at++) {
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
		while (belongs(*at))
			at++;
	c->size = at - c->start;
	return at;
}

size_t format_units(const char *format, uint16_t *units)
{
	const char *at = format, *percent;
	struct conversion c;
	size_t size = 0;

	for (;;) {
		percent = strchrnul(at, '%');
		while (at < percent)
			units[size++] = (uint8_t)*at++;
		if (!*at)
			return size;
		at = format_conversion(percent, percent + 1, format_kernel_alnum, &c);
		units[size++] = c.letter == '%' ? '%' : FORMAT_CONVERSION | (uint8_t)c.letter;
	}
}

size_t format_pattern(const char *format, uint16_t *units)
{
	size_t size = format_units(format, units);

	for (size_t i = 0; i < size; i++)
		if (units[i] & FORMAT_CONVERSION)
			units[i] = FORMAT_ANY;
	return size;
}
