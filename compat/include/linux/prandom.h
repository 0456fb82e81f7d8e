/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 5.9, and since 3.8 in linux/random.h: numbers that a seed makes. Not the same
 * as today's, but as many. For tests.
 */
#ifndef KERROR_COMPAT_PRANDOM_H
#define KERROR_COMPAT_PRANDOM_H

#include <linux/types.h>

/* 2.6.35 has another one. */
#define rnd_state kerror_compat_rnd_state

struct rnd_state {
	u64 state;
};

static inline u32 prandom_u32_state(struct rnd_state *random)
{
	random->state = random->state * 6364136223846793005ULL +
			1442695040888963407ULL;
	return random->state >> 32;
}

static inline void prandom_seed_state(struct rnd_state *random, u64 seed)
{
	random->state = seed;
	prandom_u32_state(random);
}

static inline void prandom_bytes_state(struct rnd_state *random, void *buffer,
				       size_t size)
{
	u8 *bytes = buffer;

	while (size--)
		*bytes++ = prandom_u32_state(random);
}

#endif
