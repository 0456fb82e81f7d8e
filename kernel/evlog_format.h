/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parser of conversions such as "%08x"; evlog_format.c implements it.
 *
 * Needs <linux/types.h> only, so that a program can include it, too.
 */
#ifndef EVLOG_FORMAT_H
#define EVLOG_FORMAT_H

#include <linux/types.h>

/* Longest conversion that is expanded alone, such as "%-08.4pISpfsc". */
#define EVL_CONV_MAX	64

/* One conversion, as vsnprintf() of this kernel reads it. */
struct evl_conv {
	const char *start;	/* its '%' */
	const char *end;	/* behind it */
	bool width_arg;		/* '*' */
	bool precision_arg;
	bool left;		/* flag '-' */
	int width;		/* -1: none; of '*', once it was fetched */
	int precision;		/* likewise */
	char qualifier;		/* h, H (hh), l, L (ll), z, t or 0 */
	char letter;		/* 0: vsnprintf() does not know it */
};

bool evl_conv_next(const char *fmt, struct evl_conv *conv);
bool evl_conv_supported(const struct evl_conv *conv);
bool evl_conv_is_format(const struct evl_conv *conv);
bool evl_conv_is_text(const struct evl_conv *conv);
u8 evl_conv_type(const struct evl_conv *conv);
void evl_conv_copy(char *fmt, const struct evl_conv *conv);

#endif
