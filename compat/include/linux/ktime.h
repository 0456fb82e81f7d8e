/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.16 */
#ifndef KERROR_COMPAT_KTIME_H
#define KERROR_COMPAT_KTIME_H

#include <kerror_compat.h>

typedef s64 ktime_t;

static inline ktime_t ktime_set(long seconds, unsigned long nanoseconds)
{
	return (ktime_t)seconds * 1000000000 + nanoseconds;
}

#endif
