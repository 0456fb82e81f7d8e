/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that outlives the kernel, kerror.persist=, on x86 and 2.6.32 or later.
 * Kconfig.kerror asks for both.
 */
#ifndef KERROR_COMPAT_REGION_H
#define KERROR_COMPAT_REGION_H

#ifdef CONFIG_KERROR_PERSIST
#include <kerror_compat.h>
#include <kerror_compat/reserve_mem.h>
#include <asm/cacheflush.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/random.h>
#include <asm/timex.h>

/* 4.3 */
#define MEMREMAP_WB			0
#define memremap(start, size, flags)	((__force void *)ioremap_cache(start, size))
#define memunmap(at)			iounmap((__force void __iomem *)(at))

/* 4.6. The one caller asks about RAM, and whether it is disjoint. */
#define IORESOURCE_SYSTEM_RAM		IORESOURCE_MEM
#define IORES_DESC_NONE			0
enum { REGION_DISJOINT, REGION_MIXED };

static inline int region_intersects(resource_size_t start, size_t size,
				    unsigned long flags, unsigned long desc)
{
	unsigned long page = start >> PAGE_SHIFT;

	for (; page <= (start + size - 1) >> PAGE_SHIFT; page++)
		if (page_is_ram(page))
			return REGION_MIXED;
	return REGION_DISJOINT;
}

/* 4.13 */
static inline void arch_wb_cache_pmem(void *at, size_t size)
{
	if (cpu_has_clflush)
		clflush_cache_range(at, size);
}

/* 3.17 */
#define ktime_get_real_ns()		ktime_to_ns(ktime_get_real())

/* 5.4: before, random numbers of early boot may be the same in each boot. */
static inline void kerror_compat_random(void *to, int size)
{
	u64 *word = to, mixed = ktime_get_real_ns() ^ (u64)get_cycles() << 20;

	get_random_bytes(to, size);
	for (; size >= (int)sizeof(*word); size -= sizeof(*word))
		*word++ ^= mixed;
}

#define get_random_bytes(to, size)	kerror_compat_random(to, size)

#endif
#endif
