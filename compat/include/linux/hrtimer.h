/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.16 */
#ifndef KERROR_COMPAT_LINUX_HRTIMER_H
#define KERROR_COMPAT_LINUX_HRTIMER_H

struct hrtimer {
	int unused;
};

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };

#endif
