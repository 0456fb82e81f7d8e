// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Origins: the machine, the boot and the kernel that events come from. The kernel
 * does not send them; the program that receives the events makes an origin once, and
 * all its events share it. An origin that an event has never changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fields.h"
#include "origin.h"

static const char tag_prefix[] = "tag.";

bool origin_is_tag(const char *name, size_t size)
{
	const size_t prefix = sizeof(tag_prefix) - 1;

	if (size <= prefix || size > ORIGIN_NAME_MAX || memcmp(name, tag_prefix, prefix))
		return false;
	for (size_t i = prefix; i < size; i++)
		if ((name[i] < 'a' || name[i] > 'z') && (name[i] < '0' || name[i] > '9') &&
		    name[i] != '_')
			return false;
	return true;
}

/* KERROR_FIELD_NONE if no origin can have it */
static enum kerror_field_id id_of(const char *name)
{
	int id = kerror_field_number(name);

	if (origin_is_tag(name, strlen(name)))
		return KERROR_FIELD_TAG;
	return id > 0 && field_table[id].source == ORIGIN && id != KERROR_FIELD_TAG ?
	       id : KERROR_FIELD_NONE;
}

struct kerror_origin *kerror_origin_new(void)
{
	struct kerror_origin *origin = calloc(1, sizeof(*origin));

	if (origin)
		origin->references = 1;
	return origin;
}

struct kerror_origin *kerror_origin_hold(struct kerror_origin *origin)
{
	if (origin)
		atomic_fetch_add(&origin->references, 1);
	return origin;
}

void kerror_origin_release(struct kerror_origin *origin)
{
	if (!origin || atomic_fetch_sub(&origin->references, 1) > 1)
		return;
	for (size_t i = 0; i < origin->count; i++) {
		free(origin->entry[i].name);
		free(origin->entry[i].value);
	}
	free(origin);
}

/* The first entry that does not come before this one */
static size_t place_of(const struct kerror_origin *origin, enum kerror_field_id id,
		       const char *name)
{
	size_t at = 0;

	while (at < origin->count &&
	       (origin->entry[at].id < id ||
		(origin->entry[at].id == id && strcmp(origin->entry[at].name, name) < 0)))
		at++;
	return at;
}

int kerror_origin_set(struct kerror_origin *origin, const char *name, const char *value)
{
	struct origin_entry entry = { .id = id_of(name) };
	size_t at;

	if (!entry.id)
		return -EINVAL;
	entry.value = strdup(value);
	if (!entry.value)
		return -ENOMEM;
	at = place_of(origin, entry.id, name);
	if (at < origin->count && !strcmp(origin->entry[at].name, name)) {
		free(origin->entry[at].value);
		origin->entry[at].value = entry.value;
		return 0;
	}
	entry.name = origin->count < ORIGIN_MAX ? strdup(name) : NULL;
	if (!entry.name) {
		free(entry.value);
		return origin->count < ORIGIN_MAX ? -ENOMEM : -E2BIG;
	}
	memmove(&origin->entry[at + 1], &origin->entry[at],
		(origin->count++ - at) * sizeof(entry));
	origin->entry[at] = entry;
	return 0;
}

size_t kerror_origin_count(const struct kerror_origin *origin)
{
	return origin ? origin->count : 0;
}

const char *kerror_origin_get(const struct kerror_origin *origin, const char *name)
{
	for (size_t i = 0; origin && i < origin->count; i++)
		if (!strcmp(origin->entry[i].name, name))
			return origin->entry[i].value;
	return NULL;
}

const char *kerror_origin_at(const struct kerror_origin *origin, size_t index,
			     const char **value)
{
	if (!origin || index >= origin->count)
		return NULL;
	*value = origin->entry[index].value;
	return origin->entry[index].name;
}

bool kerror_origin_same(const struct kerror_origin *a, const struct kerror_origin *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->entry[i].name, b->entry[i].name) ||
		    strcmp(a->entry[i].value, b->entry[i].value))
			return false;
	return true;
}

const struct origin_entry *origin_entry(const struct kerror_origin *origin,
					enum kerror_field_id id, size_t index)
{
	for (size_t i = 0; origin && i < origin->count; i++)
		if (origin->entry[i].id == id && !index--)
			return &origin->entry[i];
	return NULL;
}

void kerror_event_set_origin(struct kerror_event *event, struct kerror_origin *origin)
{
	kerror_origin_hold(origin);
	kerror_origin_release(event->origin);
	event->origin = origin;
}

struct kerror_origin *kerror_event_origin(const struct kerror_event *event)
{
	return event->origin;
}
