/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the tap share. */
#ifndef EVLOG_TAP_H
#define EVLOG_TAP_H

#include <linux/stdarg.h>
#include <linux/types.h>

/* tap.c: messages of printk() become events */
void evl_tap_init(void);
void evl_tap_exit(void);

/* import.c: messages that the tap did not see */
struct evl_seam;

struct evl_seam *evl_seam_new(void);
void evl_seam_clear(struct evl_seam *seam);
void evl_seam_note(struct evl_seam *seam, const char *fmt, va_list args);
void evl_seam_free(struct evl_seam *seam);
u64 evl_log_end(void);
void evl_import(struct evl_seam *seam, u64 from, unsigned long *imported,
		unsigned long *overwritten);

#endif
