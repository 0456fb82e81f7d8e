/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For kernel/evlog_args.c and evlog_render.c: snprintf() as it is today in two
 * respects. It shows no address of the kernel (4.15), and an error pointer is no
 * string (5.2).
 */
#ifndef KERROR_COMPAT_PRINTF_H
#define KERROR_COMPAT_PRINTF_H

#include <kerror_compat.h>

__printf(3, 4)
int kerror_compat_snprintf(char *buffer, size_t size, const char *fmt, ...);
__printf(3, 4)
int kerror_compat_scnprintf(char *buffer, size_t size, const char *fmt, ...);

#define snprintf	kerror_compat_snprintf
#define scnprintf	kerror_compat_scnprintf

#endif
