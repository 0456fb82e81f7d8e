// SPDX-License-Identifier: GPL-2.0-only
/*
 * The origins of the events that a query finds, by series. A store of many machines has
 * many, so each is read when the first event of it is found, within the transaction of
 * that page.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include "store_internal.h"

struct boot {
	int64_t boot;
	struct kerror_origin *origin;
};

static int compare(const void *a, const void *b)
{
	int64_t left = ((const struct boot *)a)->boot;
	int64_t right = ((const struct boot *)b)->boot;

	return left < right ? -1 : left > right;
}

static void free_boot(void *node)
{
	struct boot *boot = node;

	kerror_origin_release(boot->origin);
	free(boot);
}

static struct boot *new_boot(struct origins *origins, int64_t number, int *err)
{
	struct boot *boot = calloc(1, sizeof(*boot));

	*err = -ENOMEM;
	if (!boot)
		return NULL;
	boot->boot = number;
	boot->origin = kerror_origin_new();
	if (boot->origin)
		*err = store_read_origin(origins->store, number, boot->origin);
	if (!*err && !tsearch(boot, &origins->tree, compare))
		*err = -ENOMEM;
	if (!*err)
		return boot;
	free_boot(boot);
	return NULL;
}

struct kerror_origin *origins_of(struct origins *origins, int64_t number, int *err)
{
	const struct boot key = { .boot = number };
	struct boot **found;

	if (origins->last && origins->last->boot == number)
		return origins->last->origin;
	found = tfind(&key, &origins->tree, compare);
	origins->last = found ? *found : new_boot(origins, number, err);
	return origins->last ? origins->last->origin : NULL;
}

void origins_free(struct origins *origins)
{
	tdestroy(origins->tree, free_boot);
}
