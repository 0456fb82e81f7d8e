// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the events of a storm in the place of sending them.
 *
 * Promise: of a round, each event is sent, or counted in one item. The result is that of
 * its events and of the state at its begin alone, so that a second attempt is equal.
 */
#include <stdlib.h>
#include <string.h>
#include "nats_collapse.h"

#define KINDS	COLLAPSE_KINDS

/**
 * struct kind - of the same second
 * @key: hash of what makes a kind
 * @second: since boot
 * @sent: how many were sent at once
 * @seen: there was one in this round
 * @count: how many are counted
 * @counted_time: of the last of them
 * @last: the one that came last, which is kept
 * @last_time: of it
 */
struct kind {
	uint64_t key, second, sent, count, counted_time, last_time;
	struct kerror_event *last;
	bool seen;
};

struct collapse {
	struct kind kind[KINDS];
	size_t kinds, kept;
	uint64_t total;
	bool has_kept, failed;
};

struct collapse *collapse_new(void)
{
	return calloc(1, sizeof(struct collapse));
}

void collapse_free(struct collapse *collapse)
{
	for (size_t i = 0; collapse && i < KINDS; i++)
		kerror_event_free(collapse->kind[i].last);
	free(collapse);
}

size_t collapse_kept(const struct collapse *collapse)
{
	return 2 * collapse->kept;
}

bool collapse_has_kept(const struct collapse *collapse)
{
	return collapse->has_kept;
}

static uint64_t hash_text(uint64_t key, const char *text)
{
	return text ? hash_bytes(key, text, strlen(text) + 1) : hash_bytes(key, "\1", 2);
}

static uint64_t key_of(const struct kerror_event *event, int64_t boot)
{
	const struct evl_header *header = kerror_event_header(event);
	uint32_t numbers[] = { kerror_event_group(event), header->event_id, header->severity };
	uint64_t key = hash_bytes(HASH_BEGIN, &boot, sizeof(boot));

	key = hash_bytes(key, numbers, sizeof(numbers));
	key = hash_text(key, kerror_event_facility(event));
	return hash_text(key, kerror_event_device(event));
}

/* NULL if there are too many */
static struct kind *find(struct collapse *collapse, uint64_t key)
{
	for (size_t i = key % KINDS;; i = (i + 1) % KINDS) {
		struct kind *kind = &collapse->kind[i];

		if (kind->key == key)
			return kind;
		if (kind->key)
			continue;
		/* One stays free, so that the search ends. */
		if (collapse->kinds == KINDS - 1)
			return NULL;
		collapse->kinds++;
		kind->key = key;
		return kind;
	}
}

void collapse_begin(struct collapse *collapse, const struct collapse_state *state)
{
	for (size_t i = 0; i < KINDS; i++)
		kerror_event_free(collapse->kind[i].last);
	memset(collapse, 0, sizeof(*collapse));
	collapse->total = state->total;
	for (size_t i = 0; i < KINDS; i++) {
		struct kind *kind = state->kind[i].key ? find(collapse, state->kind[i].key) : NULL;

		if (!kind)
			continue;
		kind->second = state->kind[i].second;
		kind->sent = state->kind[i].sent;
	}
}

void collapse_get_state(const struct collapse *collapse, struct collapse_state *state)
{
	memset(state, 0, sizeof(*state));
	state->total = collapse->total;
	for (size_t i = 0; i < KINDS; i++) {
		if (!collapse->kind[i].seen)
			continue;
		state->kind[i].key = collapse->kind[i].key;
		state->kind[i].second = collapse->kind[i].second;
		state->kind[i].sent = collapse->kind[i].sent;
	}
}

static void give(struct collapse *collapse, struct kind *kind,
		 void (*send)(void *context, const struct store_item *item), void *context)
{
	struct store_item item = { 0 };

	if (!kind->last)
		return;
	item.origin = kerror_event_origin(kind->last);
	if (kind->count) {
		collapse->total += kind->count;
		item.loss = (struct kerror_loss) {
			.group = kerror_event_group(kind->last), .cause = KERROR_CAUSES,
			.count = kind->count, .total = collapse->total,
		};
		item.cause = CAUSE_COLLAPSED;
		item.time = kind->counted_time;
		send(context, &item);
	}
	item.event = kind->last;
	item.time = kind->last_time;
	send(context, &item);
	kerror_event_free(kind->last);
	kind->last = NULL;
	kind->count = 0;
	collapse->kept--;
}

void collapse_event(struct collapse *collapse, uint64_t limit, int64_t boot,
		    const struct store_item *item,
		    void (*send)(void *context, const struct store_item *item), void *context)
{
	const struct evl_header *header = kerror_event_header(item->event);
	struct kind *kind = limit && header ? find(collapse, key_of(item->event, boot)) : NULL;
	struct kerror_event *copy;
	uint64_t second;

	if (!kind) {
		send(context, item);
		return;
	}
	kind->seen = true;
	second = header->time_boot / 1000000000;
	if (kind->second != second) {
		give(collapse, kind, send, context);
		kind->second = second;
		kind->sent = 0;
	}
	if (kind->sent < limit) {
		kind->sent++;
		send(context, item);
		return;
	}
	copy = kerror_event_copy(item->event);
	collapse->failed |= !copy;
	if (!copy)
		return;
	if (kind->last) {
		kind->count++;
		kind->counted_time = kind->last_time;
		kerror_event_free(kind->last);
	} else {
		collapse->kept++;
	}
	kind->last = copy;
	kind->last_time = item->time;
	collapse->has_kept = true;
}

bool collapse_end(struct collapse *collapse,
		  void (*send)(void *context, const struct store_item *item), void *context)
{
	for (size_t i = 0; i < KINDS; i++)
		give(collapse, &collapse->kind[i], send, context);
	return !collapse->failed;
}
