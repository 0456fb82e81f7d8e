/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.16 */
#ifndef KERROR_COMPAT_MUTEX_H
#define KERROR_COMPAT_MUTEX_H

#include <asm/semaphore.h>

#define DEFINE_MUTEX(name)	DECLARE_MUTEX(name)
#define mutex_lock(mutex)	down(mutex)
#define mutex_unlock(mutex)	up(mutex)

#endif
