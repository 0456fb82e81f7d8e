/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of an origin, for the files that look at its fields: origin.c makes
 * it, fields.c and filter_match.c read it.
 */
#ifndef LIBKERROR_ORIGIN_H
#define LIBKERROR_ORIGIN_H

#include <stdatomic.h>
#include "internal.h"

#define ORIGIN_NAME_MAX	36	/* "tag." and 32 letters */
#define ORIGIN_MAX	(KERROR_TAGS_MAX + 8)

struct origin_entry {
	enum kerror_field_id id;
	char *name, *value;
};

/* In the order of ids, tags in that of their names. */
struct kerror_origin {
	atomic_uint references;
	size_t count;
	struct origin_entry entry[ORIGIN_MAX];
};

/* Whether @size bytes at @name are "tag." and a name that a tag can have */
bool origin_is_tag(const char *name, size_t size);

/* The entry with that id, of tags the one of that index; NULL if there is none. */
const struct origin_entry *origin_entry(const struct kerror_origin *origin,
					enum kerror_field_id id, size_t index);

#endif
