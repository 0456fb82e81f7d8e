// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of the kernel as events, without a change to any driver.
 *
 * Called by printk() through <linux/evlog_printk.h>, with the format and the
 * arguments that it was given. Records them as evl_printf() does, with
 * EVL_FLAG_PRINTK and what <uapi/linux/evlog.h> says of it: the level goes from
 * the format to the header, and a format that was passed on by %pV is put where
 * it belongs, so that the event's id is that of the whole.
 *
 * Promise: that of evlog.c, as printk() works everywhere, too. What this
 * facility prints itself, because nobody listens, does not come back as an
 * event; what came through here is not printed again.
 */
#include <linux/device.h>
#include <linux/evlog_printk.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "evlog_internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "evlog."

int evl_printk_limit = CONFIG_KERROR_PRINTK_LEVEL;

static int evl_limit_set(const char *value, const struct kernel_param *kp)
{
	unsigned long limit;
	int err = kstrtoul(value, 0, &limit);

	if (err || limit > LOG_DEBUG + 1)
		return err ?: -EINVAL;
	WRITE_ONCE(evl_printk_limit, limit);
	return 0;
}

static int evl_limit_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%d\n", READ_ONCE(evl_printk_limit));
}

static const struct kernel_param_ops evl_limit_ops = {
	.set = evl_limit_set,
	.get = evl_limit_get,
};

module_param_cb(printk, &evl_limit_ops, NULL, 0644);
MODULE_PARM_DESC(printk, "messages of a level below this become events: 0 (none) to 8 (all)");

static atomic_long_t evl_forwarded;

static int evl_forwarded_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%lu\n",
		       (unsigned long)atomic_long_read(&evl_forwarded));
}

static const struct kernel_param_ops evl_forwarded_ops = {
	.get = evl_forwarded_get,
};

module_param_cb(forwarded, &evl_forwarded_ops, NULL, 0444);
MODULE_PARM_DESC(forwarded, "how many messages became events, or were counted as lost");

/* By its address it is known that user space wrote the text. */
const char evl_printk_by_user[sizeof("%s")] = "%s";

/* ------------------------------------------------------------------ */
/* Levels. */

/* What a message says of itself; of several levels the first counts. */
struct evl_level {
	int severity;		/* negative: nothing */
	bool continues;
};

/* Returns what is behind the levels that @text begins with, if any. */
static const char *evl_take_levels(const char *text, struct evl_level *level)
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

/* As vsnprintf(): the first page and the last have nothing to show. */
static bool evl_is_valid(const void *pointer)
{
	return (unsigned long)pointer >= PAGE_SIZE && !IS_ERR_VALUE(pointer);
}

/*
 * The level may be at the start of what the format begins with, too. Returns
 * how many bytes of a first string it is.
 */
static size_t evl_look_for_levels(const char *fmt, va_list list,
				  struct evl_level *level)
{
	struct evl_arguments args;
	struct va_format *format;
	const char *string;
	size_t skip = 0;

	va_copy(args.list, list);
	if (!strncmp(fmt, "%s", 2)) {
		string = va_arg(args.list, char *);
		if (evl_is_valid(string))
			skip = evl_take_levels(string, level) - string;
	} else if (!strncmp(fmt, "%pV", 3)) {
		format = va_arg(args.list, struct va_format *);
		if (evl_is_valid(format))
			evl_take_levels(format->fmt, level);
	}
	va_end(args.list);
	return skip;
}

static bool evl_ends_line(const char *text, size_t length)
{
	return length && text[length - 1] == '\n';
}

/*
 * The level of the line that the last message left open, or -1: what continues it
 * has that level. As in the log, where a message of another CPU ends the line.
 */
static int evl_open_severity = -1;

/* Completes @level; @of_line as EVL_LEVEL_OF_LINE. */
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

/* ------------------------------------------------------------------ */
/* Formats that stand for others. */

/* A format as it is put together. */
struct evl_text {
	u8 *data;		/* NULL: only measure */
	size_t at;
	size_t limit;
	char last;
	const char *innermost;	/* the format that was begun last */
};

static void evl_add(struct evl_text *text, const char *from, size_t size)
{
	if (!size)
		return;
	if (text->data && text->at < text->limit)
		memcpy(text->data + text->at, from,
		       min(size, text->limit - text->at));
	text->at += size;
	text->last = from[size - 1];
}

/* Goes past the arguments of one conversion. */
static void evl_pass(const struct evl_conversion *conversion,
		     struct evl_arguments *args)
{
	if (conversion->width_argument)
		(void)va_arg(args->list, int);
	if (conversion->precision_argument)
		(void)va_arg(args->list, int);
	if (conversion->letter == 's' || conversion->letter == 'p')
		(void)va_arg(args->list, void *);
	else if (conversion->letter == '%')
		return;
	else if (conversion->letter != 'c' && evl_is_64bit(conversion))
		(void)va_arg(args->list, u64);
	else
		(void)va_arg(args->list, u32);
}

/* Adds @fmt; false if it, or one inside, is none that evl_printf() takes. */
static bool evl_splice(struct evl_text *text, const char *fmt,
		       struct evl_arguments *args)
{
	struct evl_conversion conversion __uninitialized;
	struct evl_arguments inner;
	struct evl_level ignored = {};
	struct va_format *format;
	bool taken = true;

	text->innermost = fmt;
	if (!text->at)
		fmt = evl_take_levels(fmt, &ignored);
	while (taken && evl_next(fmt, &conversion)) {
		if (!evl_is_taken(&conversion))
			return false;
		if (evl_is_format(&conversion)) {
			evl_add(text, fmt, conversion.start - fmt);
			format = va_arg(args->list, struct va_format *);
			if (!evl_is_valid(format))
				return false;
			va_copy(inner.list, *format->va);
			taken = evl_splice(text, format->fmt, &inner);
			va_end(inner.list);
		} else {
			evl_add(text, fmt, conversion.end - fmt);
			evl_pass(&conversion, args);
		}
		fmt = conversion.end;
	}
	evl_add(text, fmt, strlen(fmt));
	return taken;
}

/* A message whose format has to be looked at each time. */
struct evl_spliced {
	const char *fmt;
	struct evl_arguments args;
	u8 skip;		/* bytes of level in its first string */
	bool taken;		/* evl_printf() would take the format */
	bool ended;		/* by a newline */
	const char *innermost;	/* the last format that it is made of */
	size_t size;		/* bytes of the whole with NUL */
	u32 event_id;
};

/* Writes format and arguments, or measures them. */
static void evl_write_spliced(struct evl_spliced *message,
			      struct evl_writer *writer)
{
	struct evl_text text = {
		.data = writer->data, .limit = writer->limit - 1,
	};
	struct evl_arguments args;
	bool newline;

	va_copy(args.list, message->args.list);
	message->taken = evl_splice(&text, message->fmt, &args);
	va_end(args.list);
	if (!message->taken)
		return;
	message->innermost = text.innermost;
	newline = text.last == '\n';
	message->ended |= newline;
	text.at -= newline;
	if (writer->data) {
		if (text.at < text.limit)
			writer->data[text.at] = '\0';
		message->event_id = evl_crc(writer->data,
					    min(text.at, text.limit));
	}
	writer->truncated = text.at > text.limit;
	message->size = min(text.at, text.limit) + 1;
	writer->at = message->size;
	if (writer->truncated)
		return;
	writer->splice = true;
	writer->skip = message->skip;
	va_copy(args.list, message->args.list);
	evl_put_arguments(writer, message->fmt, &args, !newline);
	va_end(args.list);
	message->ended |= writer->ended;
}

/* Has vsnprintf() say what it makes of a format that is not taken. */
static void evl_write_text(struct evl_spliced *message,
			   struct evl_writer *writer)
{
	struct evl_level ignored = {};
	struct evl_arguments args;
	char *text = (char *)writer->data;
	const char *start;
	int size;

	va_copy(args.list, message->args.list);
	size = vsnprintf(text, writer->limit, message->fmt, args.list);
	va_end(args.list);
	writer->truncated = size >= writer->limit;
	writer->at = strnlen(text, writer->limit - 1);
	start = evl_take_levels(text, &ignored);
	writer->at -= start - text;
	memmove(text, start, writer->at);
	if (evl_ends_line(text, writer->at)) {
		message->ended = true;
		writer->at--;
	}
	message->size = 0;
}

/* The module whose text @fmt is. Preemption is disabled: so it stays. */
static const char *evl_facility(const char *fmt)
{
	struct module *module = __module_address((unsigned long)fmt);

	return module ? module->name : "kernel";
}

static void evl_set_facility(struct evl_header *header, const char *facility)
{
	size_t length = strlen(facility);

	header->facility_hash = evl_crc(facility, length);
	length = min_t(size_t, length, EVL_FACILITY_SIZE - 1);
	memset(header->facility, 0, sizeof(header->facility));
	memcpy(header->facility, facility, length);
}

/*
 * Records a message that is not plain: @skip bytes of its first string are its
 * level. Returns whether it ended its line. Apart, so that what is on the stack
 * here is not cleared for those that are plain.
 */
static noinline bool evl_record_spliced(const struct evl_event *event,
					const char *fmt, va_list list,
					u8 skip, bool ended)
{
	struct evl_spliced message = {
		.fmt = fmt, .skip = skip, .ended = ended,
	};
	struct kerror_reservation reservation __uninitialized;
	struct evl_writer writer = { .limit = EVL_VARIABLE_MAX };
	struct evl_header *header;
	int err;

	va_copy(message.args.list, list);
	err = evl_begin(&reservation, writer.limit, event);
	if (err == -ENOBUFS) {
		evl_write_spliced(&message, &writer);
		if (message.taken) {
			writer.limit = min_t(size_t, writer.at,
					     EVL_VARIABLE_MAX);
			err = evl_begin(&reservation, writer.limit, event);
		}
	}
	if (err) {
		kerror_count_lost(KERROR_GROUP_EVLOG, reservation.cause);
		goto out;
	}
	header = reservation.data;
	writer = (struct evl_writer) {
		.data = evl_variable(&reservation), .limit = writer.limit,
	};
	evl_write_spliced(&message, &writer);
	if (!message.taken) {
		evl_write_text(&message, &writer);
		header->format = EVL_FORMAT_STRING;
	} else if (message.innermost != message.fmt) {
		evl_set_facility(header, evl_facility(message.innermost));
	}
	/* What was written and is not part of it */
	if (!message.taken || writer.truncated)
		memset(writer.data + writer.at, 0, writer.limit - writer.at);
	header->event_id = message.taken ? message.event_id : 0;
	header->format_size = message.size;
	if (!message.ended)
		header->flags |= EVL_FLAG_OPEN;
	evl_end(&reservation, writer.at, writer.truncated);
out:
	va_end(message.args.list);
	return message.ended;
}

/* ------------------------------------------------------------------ */
/* Formats that were seen before. */

#define EVL_KNOWN_BITS	7

/*
 * What was found out about a format, to be used again as long as there is the
 * same text at the same address. Protected by evl_known_busy, for which nobody
 * waits: who finds it taken does without.
 */
struct evl_known {
	const char *fmt;
	struct evl_site site;
	bool plain;		/* evl_record() can do it */
	bool ended;		/* by a newline */
	char facility[EVL_FACILITY_SIZE];
	char text[112];
};

static struct evl_known evl_known[1 << EVL_KNOWN_BITS];
static atomic_t evl_known_busy;

/* Whether all about @fmt and its arguments is in the format itself. */
static bool evl_is_plain(const char *fmt, size_t length)
{
	struct evl_conversion conversion;
	const char *at = fmt;

	/* A level and a newline may be in a string. */
	if (!strncmp(fmt, "%s", 2) ||
	    (length >= 2 && !strcmp(fmt + length - 2, "%s")))
		return false;
	while (evl_next(at, &conversion)) {
		if (!evl_is_taken(&conversion) || evl_is_format(&conversion))
			return false;
		at = conversion.end;
	}
	return true;
}

/*
 * Fills in @site for @fmt; false if that is not plain, so that @site is about the
 * facility alone. The caller has disabled preemption.
 */
static bool evl_known_get(struct evl_site *site, bool *ended,
			  const char *facility, const char *fmt)
{
	struct evl_known *known = &evl_known[hash_ptr((void *)fmt,
						      EVL_KNOWN_BITS)];
	bool plain, newline, may_use = !atomic_xchg(&evl_known_busy, 1);
	size_t length;

	if (may_use && known->fmt == fmt && !strcmp(known->text, fmt) &&
	    !strcmp(known->facility, facility)) {
		*site = known->site;
		newline = known->ended;
		plain = known->plain;
		goto out;
	}
	length = strlen(fmt);
	newline = evl_ends_line(fmt, length);
	plain = evl_is_plain(fmt, length);
	memset(site, 0, sizeof(*site));
	evl_site_learn(site, facility, plain ? fmt : NULL);
	if (may_use && length < sizeof(known->text) &&
	    strlen(facility) < sizeof(known->facility)) {
		known->fmt = fmt;
		known->site = *site;
		known->plain = plain;
		known->ended = newline;
		memcpy(known->facility, facility, strlen(facility) + 1);
		memcpy(known->text, fmt, length + 1);
	}
out:
	if (may_use)
		atomic_set(&evl_known_busy, 0);
	*ended |= newline;
	site->facility = facility;
	site->fmt = plain ? fmt : NULL;
	return plain;
}

/* ------------------------------------------------------------------ */
/* The message. */

/**
 * evl_message - record a message that is being printed
 * @level: as evl_forward_printk()
 * @info: the device that it is about, or NULL
 * @fmt: as printk() was given it
 * @args: its arguments, which are not used up
 *
 * Context: any, NMI included.
 */
void evl_message(int level, const struct dev_printk_info *info,
		 const char *fmt, va_list args)
{
	struct evl_level said = { .severity = level < 0 ? -1 : level };
	struct evl_event event = {
		.format = EVL_FORMAT_PRINTF,
		.flags = EVL_FLAG_PRINTK,
	};
	struct evl_site site __uninitialized;
	/* What is about a device is a line of its own. */
	bool ended = info;
	u8 skip;

	if (!fmt || fmt == evl_printk_by_user || kerror_is_printing())
		return;
	fmt = evl_take_levels(fmt, &said);
	skip = evl_look_for_levels(fmt, args, &said);
	evl_complete_level(&said, level == EVL_LEVEL_OF_LINE);
	if (said.severity >= READ_ONCE(evl_printk_limit)) {
		ended |= evl_ends_line(fmt, strlen(fmt));
		goto out;
	}
	atomic_long_inc(&evl_forwarded);
	event.severity = said.severity;
	if (said.continues)
		event.flags |= EVL_FLAG_CONTINUES;
	if (info && info->device[0])
		event.device = info->device;
	event.site = &site;
	preempt_disable_notrace();
	if (evl_known_get(&site, &ended, evl_facility(fmt), fmt)) {
		if (!ended)
			event.flags |= EVL_FLAG_OPEN;
		evl_record(&event, args);
	} else {
		ended = evl_record_spliced(&event, fmt, args, skip, ended);
	}
	preempt_enable_notrace();
out:
	WRITE_ONCE(evl_open_severity, ended ? -1 : said.severity);
}
