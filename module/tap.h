/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations that the files of the tap share. */
#ifndef EVLOG_TAP_H
#define EVLOG_TAP_H

#include <linux/stdarg.h>
#include <linux/types.h>

/* tap.c: messages of printk() become events */
void evl_tap_init(void);
void evl_tap_exit(void);
void evl_tap_seen(unsigned long facility, unsigned long level,
		  unsigned long info, unsigned long fmt, unsigned long args);

/*
 * tap_kinds.c: by index, best first. The last one works in each kernel, and has
 * nothing to switch off.
 */
#define EVL_TAP_TEXT	2
#define EVL_TAP_KINDS	3

struct evl_tap_kind {
	const char *name;
	int (*on)(void);
	void (*off)(void);
	unsigned long (*missed)(void);	/* messages since it was switched on */
};

extern const struct evl_tap_kind evl_tap_kinds[EVL_TAP_KINDS];

/* Frees what the kinds keep while they are off. None is switched on again. */
void evl_tap_free(void);

/* import.c: messages that the tap did not see */
struct evl_seam;

struct evl_imported {
	u64 next;			/* sequence number of the next message */
	unsigned long events;
	unsigned long overwritten;	/* messages that the log has no more */
};

struct evl_seam *evl_seam_new(void);
void evl_seam_note(struct evl_seam *seam, const char *fmt, va_list args);
void evl_seam_settle(struct evl_seam *seam, u64 from, u64 to);
unsigned int evl_seam_beyond(struct evl_seam *seam);
void evl_seam_free(struct evl_seam *seam);
u64 evl_log_end(void);
u64 evl_log_cut(void);
struct evl_imported evl_import(struct evl_seam *seam, u64 from);

#endif
