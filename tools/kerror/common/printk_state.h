/* SPDX-License-Identifier: GPL-2.0-only */
/* How messages of printk() become events on this machine, see printk_state.c. */
#ifndef PRINTK_STATE_H
#define PRINTK_STATE_H

enum printk_how {
	PRINTK_NEVER,		/* this kernel has nothing for that */
	PRINTK_OFF,		/* the tap is off, no level is wanted, or no evlog.ko */
	PRINTK_TEXT,		/* as text out of the log */
	PRINTK_ARGUMENTS,	/* with format and arguments */
};

/**
 * struct printk_state - how messages become events
 * @how: as good as this
 * @kind: "hook" of a kernel with the series; else what the module's tap says, such
 *	as "ftrace" or "off, error -12"; "level" if none is wanted; "unloaded" if
 *	there is kerror.ko alone; "none"
 * @missed: messages that did not become events, by the module's account
 */
struct printk_state {
	enum printk_how how;
	char kind[32];
	unsigned long missed;
};

/* Where the parameters of evlog are, with a slash */
extern const char *printk_parameters;

void printk_state_read(struct printk_state *state);

#endif
