// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parses one conversion of a format as vsnprintf() of this kernel does.
 *
 * Called wherever evlog reads a format: for a new call site or message, and by
 * the slow paths. Keeps no state and calls nothing of the kernel but its string
 * and ctype functions, so that a test in user space can compile this file and
 * compare it with the parser of libkerror.
 *
 * Promise: reads no byte behind the NUL that ends the format.
 */
#include <linux/ctype.h>
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/evlog.h>
#include "evlog_format.h"

/* vsnprintf() keeps 24 and 16 bits of them. */
#define EVL_WIDTH_MAX		((1 << 23) - 1)
#define EVL_PRECISION_MAX	((1 << 15) - 1)

/* Parses a width or precision. More digits than fit make it too large. */
static const char *evl_conv_number(const char *fmt, bool *arg, int *number)
{
	if (*fmt == '*') {
		*arg = true;
		return fmt + 1;
	}
	if (isdigit(*fmt))
		*number = 0;
	while (isdigit(*fmt)) {
		*number = *number * 10 + (*fmt++ - '0');
		if (*number > EVL_WIDTH_MAX)
			*number = EVL_WIDTH_MAX + 1;
	}
	return fmt;
}

/* Finds the next conversion at or behind @fmt; false: there is none. */
bool evl_conv_next(const char *fmt, struct evl_conv *conv)
{
	fmt = strchr(fmt, '%');
	if (!fmt)
		return false;
	*conv = (struct evl_conv) {
		.start = fmt, .width = -1, .precision = -1,
	};
	do {
		fmt++;
		conv->left |= *fmt == '-';
	} while (*fmt && strchr("-+ #0", *fmt));
	fmt = evl_conv_number(fmt, &conv->width_arg, &conv->width);
	if (*fmt == '.')
		fmt = evl_conv_number(fmt + 1, &conv->precision_arg,
				      &conv->precision);
	if (*fmt && strchr("hlLzt", *fmt)) {
		conv->qualifier = *fmt++;
		if (*fmt == conv->qualifier && (*fmt == 'h' || *fmt == 'l'))
			conv->qualifier = toupper(*fmt++);
	}
	if (*fmt && strchr("diuoxXcsp%", *fmt))
		conv->letter = *fmt++;
	if (conv->letter == 'p')
		while (isalnum(*fmt))
			fmt++;
	conv->end = fmt;
	return true;
}

/* False if vsnprintf() refuses it, or makes nonsense of it. */
bool evl_conv_supported(const struct evl_conv *conv)
{
	if (conv->letter == '%' && (conv->width_arg || conv->precision_arg))
		return false;
	/* One that is longer up to its letter could not be expanded alone. */
	return conv->letter &&
	       conv->width <= EVL_WIDTH_MAX &&
	       conv->precision <= EVL_PRECISION_MAX &&
	       strcspn(conv->start + 1, "diuoxXcsp%") < EVL_CONV_MAX / 2;
}

/* True for %pV, whose argument is a format with its arguments. */
bool evl_conv_is_format(const struct evl_conv *conv)
{
	const char *p = conv->end - 2;

	return conv->letter == 'p' && p[0] == 'p' && p[1] == 'V' &&
	       !conv->width_arg && !conv->precision_arg;
}

/* True for any %p but the plain one. Some extensions end in a p, too. */
bool evl_conv_is_text(const struct evl_conv *conv)
{
	return conv->letter == 'p' && strchr(conv->start, 'p') + 1 != conv->end;
}

/* Returns the EVL_ARG number of its value; 0: it has none. */
u8 evl_conv_type(const struct evl_conv *conv)
{
	bool wide = conv->qualifier == 'L' ||
		    (sizeof(long) == 8 && conv->qualifier &&
		     strchr("lzt", conv->qualifier));

	switch (conv->letter) {
	case '\0':
	case '%':
		return 0;
	case 'c':
		return EVL_ARG_CHAR;
	case 's':
		return EVL_ARG_STRING;
	case 'p':
		return EVL_ARG_POINTER;
	case 'd':
	case 'i':
		return wide ? EVL_ARG_S64 : EVL_ARG_S32;
	default:
		return wide ? EVL_ARG_U64 : EVL_ARG_U32;
	}
}

/* Copies it alone to @fmt, which has EVL_CONV_MAX bytes. */
void evl_conv_copy(char *fmt, const struct evl_conv *conv)
{
	size_t length = conv->end - conv->start;

	if (length > EVL_CONV_MAX - 1)
		length = EVL_CONV_MAX - 1;
	memcpy(fmt, conv->start, length);
	fmt[length] = '\0';
}
