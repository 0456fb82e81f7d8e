// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts events by what they have in common. Promises that events with the same key
 * are one entry, and that the order does not depend on that of the events unless keys
 * are equally frequent, which then are in the order of their text.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "tally.h"

static int compare_values(const struct tally_entry *a, const struct tally_entry *b)
{
	int order = 0;

	for (size_t i = 0; !order && i < a->keys->count; i++)
		order = strcmp(a->value[i], b->value[i]);
	return order;
}

static int compare_keys(const void *a, const void *b)
{
	return compare_values(a, b);
}

static struct tally_entry *find_entry(struct tally *tally, const struct kerror_event *event,
				      uint64_t time)
{
	struct tally_entry key = {
		.keys = &tally->keys, .worst = UINT8_MAX, .first = UINT64_MAX,
	};
	struct tally_entry **found, *entry;

	for (size_t i = 0; i < tally->keys.count; i++)
		key.value[i] = key_value(&tally->keys.key[i], event, time);
	found = must_have(tsearch(&key, &tally->tree, compare_keys));
	if (*found != &key) {
		for (size_t i = 0; i < tally->keys.count; i++)
			free(key.value[i]);
		return *found;
	}
	entry = must_have(malloc(sizeof(*entry)));
	*entry = key;
	entry->event = copy_event(event);
	*found = entry;
	/* Twice as large whenever the size is a power of two. */
	if (!(tally->size & (tally->size - 1)))
		tally->entries = must_have(reallocarray(tally->entries,
							tally->size * 2 + 1,
							sizeof(entry)));
	tally->entries[tally->size++] = entry;
	return entry;
}

void tally_add(struct tally *tally, const struct kerror_event *event, uint64_t time)
{
	const struct evl_header *header = kerror_event_header(event);
	struct tally_entry *entry = find_entry(tally, event, time);
	uint32_t machine = machine_number(&tally->machines, event);

	if (machine)
		machine_set_add(&entry->machines, machine);
	entry->count++;
	entry->fresh++;
	if (time < entry->first)
		entry->first = time;
	if (time > entry->last)
		entry->last = time;
	if (header && header->severity < entry->worst)
		entry->worst = header->severity;
}

void tally_know(struct tally *tally, const struct kerror_event *event, uint64_t time)
{
	find_entry(tally, event, time)->known = true;
}

struct tally tally_new(const struct tally *all)
{
	struct tally new = *all;

	new.tree = NULL;
	new.size = 0;
	new.entries = must_have(calloc(all->size + 1, sizeof(*new.entries)));
	for (size_t i = 0; i < all->size; i++)
		if (!all->entries[i]->known)
			new.entries[new.size++] = all->entries[i];
	return new;
}

static void keep(void *entry)
{
	(void)entry;
}

void tally_clear(struct tally *tally)
{
	tdestroy(tally->tree, keep);
	for (size_t i = 0; i < tally->size; i++) {
		for (size_t key = 0; key < tally->keys.count; key++)
			free(tally->entries[i]->value[key]);
		kerror_event_free(tally->entries[i]->event);
		free(tally->entries[i]->machines.slot);
		free(tally->entries[i]);
	}
	free(tally->entries);
	machines_clear(&tally->machines);
	*tally = (struct tally) { .keys = tally->keys };
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* An hour and its day begin with the same letters. */
static int compare_periods(const struct tally_entry *a, const struct tally_entry *b)
{
	int order = 0;

	for (size_t i = 0; !order && i < a->keys->count; i++)
		if (a->keys->key[i].kind == TALLY_HOUR || a->keys->key[i].kind == TALLY_DAY)
			order = strcmp(a->value[i], b->value[i]);
	return order;
}

static int compare_counts(const void *a, const void *b)
{
	const struct tally_entry *left = *(struct tally_entry *const *)a;
	const struct tally_entry *right = *(struct tally_entry *const *)b;
	int order = compare_periods(left, right);

	if (!order)
		order = compare_numbers(right->fresh, left->fresh);
	if (!order)
		order = compare_numbers(right->count, left->count);
	return order ? order : compare_values(left, right);
}

void tally_sort(struct tally *tally)
{
	if (tally->size)
		qsort(tally->entries, tally->size, sizeof(*tally->entries),
		      compare_counts);
}
