/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocation. */
#ifndef KERROR_COMPAT_MEMORY_H
#define KERROR_COMPAT_MEMORY_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/* 2.6.14 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 14)
typedef unsigned int kerror_compat_gfp_t;
#define gfp_t kerror_compat_gfp_t
#endif

/* 2.6.11 */
#ifndef __GFP_ZERO
#define __GFP_ZERO 0x80000000U

static inline struct page *kerror_compat_alloc_pages(int node, gfp_t flags,
						     unsigned int order)
{
	struct page *pages = alloc_pages_node(node, flags & ~__GFP_ZERO, order);

	if (pages && flags & __GFP_ZERO)
		memset(page_address(pages), 0, PAGE_SIZE << order);
	return pages;
}

#undef alloc_pages_node
#define alloc_pages_node(node, flags, order) \
	kerror_compat_alloc_pages(node, flags, order)
#endif

/* 2.6.26; before, not on the node that is asked for */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 26)
static inline void *kerror_compat_kzalloc(size_t size, gfp_t flags)
{
	void *memory = kmalloc(size, flags);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

#undef kzalloc_node
#define kzalloc_node(size, flags, node) \
	((void)(node), kerror_compat_kzalloc(size, flags))
#endif

#endif
