/* SPDX-License-Identifier: GPL-2.0-only */
/* See writes.c. */
#ifndef REGION_WRITES_H
#define REGION_WRITES_H

#include "machine.h"

struct kerror_record *write_reserve(struct kerror_ring *ring, size_t size, u32 groups,
				    u32 pid);
void write_commit(struct kerror_ring *ring, struct kerror_record *record, size_t used);
/* As kerror_replace_ring() does: the first record is lost. */
void write_replace(struct kerror_ring *ring, u64 *lost);
void write_consume(struct kerror_ring *ring, struct kerror_record *record);

#endif
