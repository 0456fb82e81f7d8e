// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook in printk(): makes an event of each message of the kernel, without a
 * change to any driver.
 *
 * printk() calls evl_message() through <linux/evlog_printk.h>, with the format and
 * the arguments of the message. That is in evlog_printk_record.c, which calls this
 * file for a message of which the cache does not know all. This file finds its level
 * and whether it continues a line.
 * <uapi/linux/evlog.h> says under PRINTK what the event holds.
 *
 * Promise: that of evlog.c, as printk() works in any context, too. Output of the
 * transport's worker, such as an event without a listener, makes no event. The
 * transport does not print an event that was a message.
 */
#include <linux/device.h>
#include <linux/evlog_printk.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "evlog_internal.h"

#ifndef MODULE
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "evlog."
#endif

int evl_printk_level = CONFIG_KERROR_PRINTK_LEVEL;

static int evl_level_set(const char *value, const struct kernel_param *kp)
{
	unsigned long level;
	int err = kstrtoul(value, 0, &level);

	if (err || level > LOG_DEBUG + 1)
		return err ?: -EINVAL;
	WRITE_ONCE(evl_printk_level, level);
	return 0;
}

static int evl_level_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%d\n", READ_ONCE(evl_printk_level));
}

static const struct kernel_param_ops evl_level_ops = {
	.set = evl_level_set,
	.get = evl_level_get,
};

module_param_cb(printk, &evl_level_ops, NULL, 0644);
MODULE_PARM_DESC(printk, "messages of a level below this become events: 0 (none) to 8 (all)");

static int evl_forwarded_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%lu\n", evl_forwarded());
}

static const struct kernel_param_ops evl_forwarded_ops = {
	.get = evl_forwarded_get,
};

module_param_cb(forwarded, &evl_forwarded_ops, NULL, 0444);
MODULE_PARM_DESC(forwarded, "how many messages became events, or were counted as lost");

/* The address of this format tells that user space wrote the text. */
const char evl_devkmsg_fmt[sizeof("%s")] = "%s";

/* Returns the first byte of @text behind its levels; @level gets the first. */
const char *evl_skip_levels(const char *text, struct evl_level *level)
{
	/* "\0013", or "<3>" on Linux 2.6 */
	const size_t size = sizeof(KERN_ERR) - 1;

	while (text[0] == KERN_ERR[0] && text[1] &&
	       (size == 2 || text[2] == KERN_ERR[size - 1])) {
		if (text[1] >= '0' && text[1] <= '7') {
			if (level->severity < 0)
				level->severity = text[1] - '0';
		} else if (text[1] == 'c') {
			level->continues = true;
		} else if (text[1] != 'd') {
			break;
		}
		text += size;
	}
	return text;
}

/*
 * How many bytes of @fmt are a level that is the first argument, as btrfs and ebtables
 * print it: "\001%d" of a number, or "\001%c" of its digit.
 */
static size_t evl_level_conversion(const char *fmt)
{
	const size_t size = sizeof(KERN_ERR) - 1;

	if (fmt[0] != KERN_ERR[0] || fmt[1] != '%' ||
	    (fmt[2] != 'd' && fmt[2] != 'c') ||
	    (size == 3 && fmt[3] != KERN_ERR[2]))
		return 0;
	return size + 1;
}

/*
 * Looks for levels at the start of the string, or of the format, that @fmt begins
 * with. Returns how many bytes of that string they are.
 */
static size_t evl_find_levels(const char *fmt, va_list list,
			      struct evl_level *level)
{
	const struct va_format *format;
	struct evl_arguments args;
	const void *pointer;
	size_t skip = 0;

	if (fmt[0] != '%' || (fmt[1] != 's' && (fmt[1] != 'p' || fmt[2] != 'V')))
		return 0;
	va_copy(args.list, list);
	pointer = evl_fetch_pointer(&args);
	va_end(args.list);
	if (!evl_string_valid(pointer))
		return 0;
	if (fmt[1] == 's') {
		skip = evl_skip_levels(pointer, level) - (const char *)pointer;
	} else {
		format = pointer;
		evl_skip_levels(format->fmt, level);
	}
	return skip;
}

/*
 * Level of the last message if no newline ended it, or -1. A continuation
 * inherits it. As in the log, a message of another CPU ends the line.
 */
int evl_open_severity = -1;

/* Completes @level; @of_line: EVL_LEVEL_OF_LINE was given. */
static void evl_complete_level(struct evl_level *level, bool of_line)
{
	int open = READ_ONCE(evl_open_severity);

	if (level->severity >= 0)
		return;
	if (of_line && open >= 0)
		level->continues = true;
	level->severity = level->continues && open >= 0 ?
			  open : default_message_loglevel;
}

/*
 * Records a message of which @said and @fmt, without the levels that begin the format
 * @given, are known.
 */
static void evl_message_at(struct evl_level said, bool of_line,
			   const struct dev_printk_info *info,
			   const char *given, const char *fmt, va_list args)
{
	struct evl_event event __uninitialized;
	/* printk() ends the line of a message about a device. */
	bool ended = info;
	u8 skip;

	skip = evl_find_levels(fmt, args, &said);
	evl_complete_level(&said, of_line);
	if (said.severity >= READ_ONCE(evl_printk_level)) {
		ended |= evl_ends_line(fmt, strlen(fmt));
		goto out;
	}
	/* Each member alone: clearing all of it first would take longer. */
	event.dev = NULL;
	event.device = info && info->device[0] ? info->device : NULL;
	event.event_type = 0;
	event.severity = said.severity;
	event.flags = EVL_FLAG_PRINTK;
	if (said.continues)
		event.flags |= EVL_FLAG_CONTINUES;
	event.format = EVL_FORMAT_PRINTF;
	event.prefix_size = 0;
	preempt_disable_notrace();
	ended = evl_record_message(&event, given, fmt, args, skip, ended);
	preempt_enable_notrace();
out:
	evl_leave_open(ended ? -1 : said.severity);
}

/* The level is the first of @args; @size bytes of @fmt are for it. */
static void evl_message_argument(struct evl_level said, bool of_line,
				 const struct dev_printk_info *info,
				 const char *given, const char *fmt,
				 size_t size, va_list args)
{
	va_list others;
	int number;

	va_copy(others, args);
	number = va_arg(others, int) - (fmt[2] == 'c' ? '0' : 0);
	if (said.severity < 0 && number >= 0 && number <= LOG_DEBUG)
		said.severity = number;
	evl_message_at(said, of_line, info, given, fmt + size, others);
	va_end(others);
}

/*
 * Records a message whose level is looked for, and whose format may be parsed. Gets what
 * evl_message() gets.
 */
void evl_message_parsed(int level, const struct dev_printk_info *info,
			const char *fmt, va_list args)
{
	struct evl_level said = { .severity = level < 0 ? -1 : level };
	bool of_line = level == EVL_LEVEL_OF_LINE;
	const char *given = fmt;
	size_t size;

	fmt = evl_skip_levels(fmt, &said);
	size = evl_level_conversion(fmt);
	if (unlikely(size))
		evl_message_argument(said, of_line, info, given, fmt, size,
				     args);
	else
		evl_message_at(said, of_line, info, given, fmt, args);
}
