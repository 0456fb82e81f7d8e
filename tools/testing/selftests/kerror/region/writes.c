// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's code that writes a region, for deaths.c: compiled with -fsanitize=thread,
 * it calls a function before each store. What is set or copied is written in words.
 */
#include <stdio.h>
#include "stubs.h"

typedef u64 __attribute__((aligned(1), may_alias)) word;

static void set(u8 *to, u8 byte, size_t size)
{
	for (; size >= sizeof(word); size -= sizeof(word), to += sizeof(word))
		*(volatile word *)to = byte * 0x0101010101010101ULL;
	while (size--)
		*(volatile u8 *)to++ = byte;
}

static void copy(u8 *to, const u8 *from, size_t size)
{
	for (; size >= sizeof(word); size -= sizeof(word)) {
		*(volatile word *)to = *(const word *)from;
		to += sizeof(word);
		from += sizeof(word);
	}
	while (size--)
		*(volatile u8 *)to++ = *from++;
}

#define memset(to, byte, size)	set((u8 *)(to), byte, size)
#define memcpy(to, from, size)	copy((u8 *)(to), (const u8 *)(from), size)
#include "machine.h"
#include "writes.h"
#include "kerror_region_write.c"

struct kerror_record *write_reserve(struct kerror_ring *ring, size_t size, u32 groups,
				    u32 pid)
{
	return kerror_ring_reserve(ring, size, groups, pid);
}

void write_commit(struct kerror_ring *ring, struct kerror_record *record, size_t used)
{
	kerror_ring_commit(ring, record, used);
}

void write_replace(struct kerror_ring *ring, u64 *lost)
{
	u32 bytes = kerror_record_bytes(kerror_ring_peek(ring));

	kerror_ring_retire(ring, *lost + 1);
	++*(volatile u64 *)lost;
	kerror_ring_advance(ring, bytes);
}

void write_consume(struct kerror_ring *ring, struct kerror_record *record)
{
	kerror_ring_consume(ring, record);
}
