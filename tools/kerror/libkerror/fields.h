/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of an event: the one list of them. fields.c gives their values to
 * programs, the filters take names and places from it.
 */
#ifndef LIBKERROR_FIELDS_H
#define LIBKERROR_FIELDS_H

#include "internal.h"

/* Where a value comes from */
enum source {
	/* The header alone, which the kernel can look at */
	HEADER_NUMBER,
	HEADER_STRING,
	HEADER_FLAG,
	CONTEXT,
	KIND,
	/* The rest */
	GROUP,
	DEVICE,
	FORMAT,
	TEXT,
	ARGUMENT_COUNT,
	ARGUMENT,
	ORIGIN,
	/* In no filter */
	HEADER_TIME,
	SEQUENCE,
	THREAD,
	KERNEL_SEVERITY,
	DATA,
};

/* A filter compares the value with one of these. */
enum literal {
	UNFILTERED,
	NUMBER,
	SEVERITY,
	ID,
	STRING,
	NAME,		/* a string that is one of filter_name()'s */
	ANYTHING,	/* a number or a string */
	NOTHING,	/* stands alone */
};

struct field {
	const char *name;
	enum source source;
	enum literal literal;
	uint8_t offset, size;	/* HEADER_...: in struct evl_header */
	uint32_t flag;		/* HEADER_FLAG: its bit */
};

/* By enum kerror_field_id; the first has no name. A tag has one of its own. */
#define FIELD_COUNT (KERROR_FIELD_TAG + 1)
extern const struct field field_table[FIELD_COUNT];

#endif
