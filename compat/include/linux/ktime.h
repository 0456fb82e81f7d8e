/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.16 */
#ifndef KERROR_COMPAT_KTIME_H
#define KERROR_COMPAT_KTIME_H

#include <linux/types.h>

typedef s64 ktime_t;

#define ns_to_ktime(ns)		((ktime_t)(ns))
#define ktime_to_ns(time)	((s64)(time))

#endif
