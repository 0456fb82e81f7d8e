// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Expands a format string with recorded arguments to the text that the
 * kernel's vsnprintf() makes of the same call, byte for byte. The rules, which
 * are not quite those of printf(3), are in <linux/evlog.h>. Or expands another
 * format with the same arguments, whatever that is.
 */
#include <string.h>
#include "format.h"

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

static long limit(const struct argument *argument, long most)
{
	int64_t value = argument_number(argument);

	return value > most ? most : value < -most ? -most : (long)value;
}

static void apply_star_values(struct conversion *c)
{
	if (c->width_argument && c->width_value) {
		c->width = limit(c->width_value, WIDTH_MAX);
		if (c->width < 0) {
			c->width = -c->width;
			c->left = true;
		}
	}
	if (c->precision_argument && c->precision_value) {
		c->precision = limit(c->precision_value, PRECISION_MAX);
		if (c->precision < 0)
			c->precision = 0;
	}
}

static void expand_value(struct text *text, struct conversion *c)
{
	const struct argument *argument = c->value;
	bool is_signed = c->letter == 'd' || c->letter == 'i';
	uint64_t value = argument_number(argument);
	unsigned int base = 10;
	size_t size;

	apply_star_values(c);
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

/* Where one stands in the format of an event, and in its arguments. */
struct position {
	const char *at;
	const struct argument *argument, *end;
};

static struct position position_begin(const struct kerror_event *event)
{
	return (struct position) {
		.at = event->format,
		.argument = event->arguments,
		/* Without arguments there is no array to add to. */
		.end = event->argument_count ?
		       event->arguments + event->argument_count :
		       event->arguments,
	};
}

static const struct argument *take_argument(struct position *position,
					    uint8_t type)
{
	if (position->argument < position->end &&
	    position->argument->type == type)
		return position->argument++;
	return NULL;
}

/*
 * Adds the text up to the next conversion that has a value, which is stored in
 * @c. False if there is none: then all of the text has been added.
 */
static bool next_conversion(struct position *position, struct text *text,
			    struct conversion *c)
{
	const char *percent;

	while ((percent = strchr(position->at, '%'))) {
		text_add(text, position->at, percent - position->at);
		position->at = format_conversion(percent, percent + 1, format_kernel_alnum,
						 c);
		if (c->letter == '%') {
			text_add(text, "%", 1);
			continue;
		}
		if (c->width_argument)
			c->width_value = take_argument(position, EVL_ARG_WIDTH);
		if (c->precision_argument)
			c->precision_value = take_argument(position,
							   EVL_ARG_PRECISION);
		/* Cut off: the text ends here. */
		if (position->argument == position->end)
			return false;
		c->value = position->argument++;
		return true;
	}
	text_add(text, position->at, strlen(position->at));
	return false;
}

void format_expand(struct text *text, const struct kerror_event *event)
{
	struct position position = position_begin(event);
	struct conversion c;

	while (next_conversion(&position, text, &c))
		expand_value(text, &c);
}

/* The conversion of value number @index in the event's own format. */
static bool find_conversion(const struct kerror_event *event, size_t index,
			    struct conversion *c)
{
	struct position position = position_begin(event);
	struct text nowhere = { 0 };

	do {
		if (!next_conversion(&position, &nowhere, c))
			return false;
	} while (index--);
	return true;
}

/* The index of "N$", N counted from 1, if that is at @at; returns its end. */
static const char *parse_index(const char *at, size_t *index)
{
	const char *end = at;
	size_t number = 0;

	for (; *end >= '0' && *end <= '9'; end++)
		if (number <= EVL_VARIABLE_MAX)
			number = number * 10 + *end - '0';
	if (end == at || *end != '$')
		return at;
	/* There is no value 0; it becomes one that is not there either. */
	*index = number - 1;
	return end + 1;
}

static bool fits(char letter, const struct argument *value)
{
	switch (value->type) {
	case EVL_ARG_S32:
	case EVL_ARG_U32:
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		return strchr("diuoxX", letter);
	case EVL_ARG_CHAR:
		return letter == 'c';
	case EVL_ARG_STRING:
		return letter == 's';
	case EVL_ARG_POINTER:
		return letter == 'p';
	}
	/* Text is the whole conversion, whatever its letter. */
	return false;
}

void format_translate(struct text *text, const struct kerror_event *event,
		      const char *format)
{
	struct conversion c, own;
	size_t next = 0, index;
	const char *percent, *at;

	while ((percent = strchr(format, '%'))) {
		text_add(text, format, percent - format);
		index = next;
		at = parse_index(percent + 1, &index);
		/* Behind a p comes text of any language, if not what %p takes. */
		format = format_conversion(percent, at, format_alnum, &c);
		if (c.letter == '%') {
			text_add(text, "%", 1);
			continue;
		}
		if (!c.letter || !strchr("diuoxXcsp", c.letter)) {
			text_add(text, c.start, c.size);
			continue;
		}
		if (at == percent + 1)
			next++;
		if (!find_conversion(event, index, &own)) {
			text_add(text, c.start, c.size);
			continue;
		}
		if (!fits(c.letter, own.value)) {
			expand_value(text, &own);
			continue;
		}
		/* The size of a value is a matter of the driver only. */
		c.qualifier = own.qualifier;
		c.width_value = own.width_value;
		c.precision_value = own.precision_value;
		c.value = own.value;
		expand_value(text, &c);
	}
	text_add(text, format, strlen(format));
}
