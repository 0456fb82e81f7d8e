/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 6.12: reserve_mem=. Without it, kerror.persist=SIZE@ADDRESS names the memory. The
 * series has this file, by itself, for any kernel that lacks the function.
 */
#ifndef KERROR_COMPAT_RESERVE_MEM_H
#define KERROR_COMPAT_RESERVE_MEM_H

#include <linux/types.h>

static inline int reserve_mem_find_by_name(const char *name, phys_addr_t *start,
					   phys_addr_t *size)
{
	return 0;
}

#endif
