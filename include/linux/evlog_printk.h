/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hook in printk(): hands each message to kernel/evlog_printk.c, and so to
 * the programs that listen on NETLINK_KERROR. It compiles to nothing without
 * CONFIG_KERROR_PRINTK.
 */
#ifndef _LINUX_EVLOG_PRINTK_H
#define _LINUX_EVLOG_PRINTK_H

#include <linux/compiler.h>
#include <linux/stdarg.h>

struct dev_printk_info;

/*
 * Level for callers on Linux 2.6: the format says the level. If it does not, the
 * message continues the line that the last message left open.
 */
#define EVL_LEVEL_OF_LINE	(-2)

#ifdef CONFIG_KERROR_PRINTK

extern int evl_printk_level;
extern const char evl_devkmsg_fmt[];

__printf(3, 0)
void evl_message(int level, const struct dev_printk_info *info,
		 const char *fmt, va_list args);

/**
 * evl_forward_printk - make an event of a message that is being printed
 * @facility: 0 for a message of the kernel; all else is user space's
 * @level: 0 to 7; -1: what @fmt says, or the default; or %EVL_LEVEL_OF_LINE
 * @info: the device that it is about, or NULL
 * @fmt: the format that printk() got, with a level or without
 * @args: its arguments, which are not used up
 *
 * Context: any. Costs a predicted branch if messages are not to be forwarded.
 */
static inline __printf(4, 0)
void evl_forward_printk(int facility, int level,
			const struct dev_printk_info *info, const char *fmt,
			va_list args)
{
	if (unlikely(READ_ONCE(evl_printk_level)) && !facility)
		evl_message(level, info, fmt, args);
}

#else

/* The format of a text that user space writes; only its address tells so. */
#define evl_devkmsg_fmt	"%s"

static inline __printf(4, 0)
void evl_forward_printk(int facility, int level,
			const struct dev_printk_info *info, const char *fmt,
			va_list args)
{
}

#endif

#endif /* _LINUX_EVLOG_PRINTK_H */
