// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts machines: of how many an event comes. Machines are told apart by their ids, so
 * that two of one name are two; of one without an id, the name is looked at.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "tally.h"

/* @id: a part of @origin, which is that of the first event */
struct machine {
	const char *id;
	struct kerror_origin *origin;
	uint32_t number;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct machine *)a)->id, ((const struct machine *)b)->id);
}

static struct machine *new_machine(struct machines *machines, const char *id,
				   struct kerror_origin *origin)
{
	struct machine *machine = must_have(malloc(sizeof(*machine)));

	*machine = (struct machine) {
		.id = id, .origin = kerror_origin_hold(origin), .number = ++machines->count,
	};
	must_have(tsearch(machine, &machines->tree, compare));
	return machine;
}

uint32_t machine_number(struct machines *machines, const struct kerror_event *event)
{
	struct kerror_origin *origin = kerror_event_origin(event);
	struct machine key = { 0 }, **found;

	if (machines->last && machines->last->origin == origin)
		return machines->last->number;
	key.id = kerror_origin_get(origin, "machine");
	if (!key.id)
		key.id = kerror_origin_get(origin, "host");
	if (!key.id)
		return 0;
	found = tfind(&key, &machines->tree, compare);
	machines->last = found ? *found : new_machine(machines, key.id, origin);
	return machines->last->number;
}

static void free_machine(void *node)
{
	struct machine *machine = node;

	kerror_origin_release(machine->origin);
	free(machine);
}

void machines_clear(struct machines *machines)
{
	tdestroy(machines->tree, free_machine);
	*machines = (struct machines) { 0 };
}

/* The slot that has @number, or else the one for it */
static uint32_t *find_slot(const struct machine_set *set, uint32_t number)
{
	size_t at = number * 2654435761U;

	while (set->slot[at & (set->slots - 1)] && set->slot[at & (set->slots - 1)] != number)
		at++;
	return &set->slot[at & (set->slots - 1)];
}

/* Half of the slots are empty at least. */
static void grow(struct machine_set *set)
{
	struct machine_set old = *set;

	set->slots = old.slots ? old.slots * 2 : 2;
	set->slot = must_have(calloc(set->slots, sizeof(*set->slot)));
	for (size_t i = 0; i < old.slots; i++)
		if (old.slot[i])
			*find_slot(set, old.slot[i]) = old.slot[i];
	free(old.slot);
}

void machine_set_add(struct machine_set *set, uint32_t number)
{
	uint32_t *slot;

	if (set->count * 2 >= set->slots)
		grow(set);
	slot = find_slot(set, number);
	set->count += !*slot;
	*slot = number;
}
