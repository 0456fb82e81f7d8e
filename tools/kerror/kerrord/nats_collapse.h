/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of a storm: of a kind of events, the first of a second are sent, then the last, with
 * the number of those between. A kind is a boot, a group, a facility, a device, a
 * severity and an event id.
 */
#ifndef NATS_COLLAPSE_H
#define NATS_COLLAPSE_H

#include "kerrord.h"

struct collapse;

/* Events of more kinds are all sent: a storm has few. */
#define COLLAPSE_KINDS 128

/**
 * struct collapse_state - what a round begins with
 * @total: how many events are counted
 * @kind: of those of the round before: a hash, seconds since boot, how many were sent
 */
struct collapse_state {
	uint64_t total;
	struct { uint64_t key, second, sent; } kind[COLLAPSE_KINDS];
};

/* NULL without memory */
struct collapse *collapse_new(void);
void collapse_free(struct collapse *collapse);

void collapse_begin(struct collapse *collapse, const struct collapse_state *state);
/* After its end, what the next one begins with */
void collapse_get_state(const struct collapse *collapse, struct collapse_state *state);

/*
 * Gives @send what becomes of an event: itself now, or later, or, with others, an item
 * of the cause "collapsed" that counts them; @limit of a kind and second at once.
 */
void collapse_event(struct collapse *collapse, uint64_t limit, int64_t boot,
		    const struct store_item *item,
		    void (*send)(void *context, const struct store_item *item), void *context);

/* The round ends: gives @send what was kept. False if memory was short. */
bool collapse_end(struct collapse *collapse,
		  void (*send)(void *context, const struct store_item *item), void *context);

/* Items that collapse_end() is to send, at most */
size_t collapse_kept(const struct collapse *collapse);

/* Whether one was kept in this round */
bool collapse_has_kept(const struct collapse *collapse);

#endif
