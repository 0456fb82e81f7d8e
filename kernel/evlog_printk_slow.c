// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records messages of printk() whose format cannot be cached: formats inside
 * formats (%pV), long ones, and those that evl_printf() refuses.
 *
 * evlog_printk_record.c calls evl_record_slow() with preemption disabled. It also
 * does so for any message while there is no cache. A format that %pV passes on
 * takes the place of that %pV, so that the event's id is that of the whole
 * format. A message whose format evl_printf() refuses becomes text.
 *
 * Promise: that of evlog.c. Keeps no state. Writes only into the record, so that
 * a text that changes meanwhile is cut, at worst.
 */
#include <linux/kernel.h>
#include <linux/kerror.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "evlog_internal.h"

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

/* Adds @fmt; false if evl_printf() refuses it, or a format inside it. */
static bool evl_splice(struct evl_text *text, const char *fmt,
		       struct evl_arguments *args)
{
	struct evl_conv conv __uninitialized;
	struct evl_value value __uninitialized;
	struct evl_level ignored = {};
	const struct va_format *format;
	struct evl_arguments inner;
	bool supported = true;

	text->innermost = fmt;
	if (!text->at)
		fmt = evl_skip_levels(fmt, &ignored);
	while (supported && evl_conv_next(fmt, &conv)) {
		if (!evl_conv_supported(&conv))
			return false;
		evl_fetch_conv(args, &conv, &value);
		if (evl_conv_is_format(&conv)) {
			evl_add(text, fmt, conv.start - fmt);
			if (!evl_string_valid(value.pointer))
				return false;
			format = value.pointer;
			va_copy(inner.list, *format->va);
			supported = evl_splice(text, format->fmt, &inner);
			va_end(inner.list);
		} else {
			evl_add(text, fmt, conv.end - fmt);
		}
		fmt = conv.end;
	}
	evl_add(text, fmt, strlen(fmt));
	return supported;
}

/* A message whose format is parsed for each event. */
struct evl_spliced {
	const char *fmt;
	struct evl_arguments args;
	u8 skip;		/* bytes of level in its first string */
	bool supported;		/* evl_printf() takes the format */
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
	message->supported = evl_splice(&text, message->fmt, &args);
	va_end(args.list);
	if (!message->supported)
		return;
	message->innermost = text.innermost;
	newline = text.last == '\n';
	message->ended |= newline;
	text.at -= newline;
	if (writer->data) {
		if (text.at < text.limit)
			writer->data[text.at] = '\0';
		message->event_id = evl_crc((char *)writer->data,
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
	evl_put_args(writer, message->fmt, &args, !newline);
	va_end(args.list);
	message->ended |= writer->ended;
}

/* Writes the text that vsnprintf() makes of a format that is not supported. */
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
	start = evl_skip_levels(text, &ignored);
	writer->at -= start - text;
	memmove(text, start, writer->at);
	if (evl_ends_line(text, writer->at)) {
		message->ended = true;
		writer->at--;
	}
	message->size = 0;
}

/*
 * Writes the name of the module that @fmt belongs to, which it returns. Context: any,
 * with preemption disabled.
 */
const char *evl_module_name(const char *fmt, char name[MODULE_NAME_LEN])
{
#ifdef MODULE
	/* "symbol [module]": modules cannot call __module_address(). */
	char symbol[KSYM_SYMBOL_LEN] __uninitialized, *begin, *end;

	snprintf(symbol, sizeof(symbol), "%ps", fmt);
	begin = strchr(symbol, '[');
	end = begin ? strpbrk(begin, " ]") : NULL;
	if (end)
		*end = '\0';
	strscpy(name, end ? begin + 1 : "kernel", MODULE_NAME_LEN);
#else
	struct module *module = __module_address((unsigned long)fmt);

	strscpy(name, module ? module->name : "kernel", MODULE_NAME_LEN);
#endif
	return name;
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
 * Records a message, and parses its format for that. event->callsite: has the
 * facility, or is NULL. @skip: bytes of level in the first string. @ended: the line
 * ends in any case. Returns whether it ended.
 */
bool evl_record_slow(struct evl_event *event, const char *fmt, va_list list,
		     u8 skip, bool ended)
{
	char facility[MODULE_NAME_LEN] __uninitialized;
	struct evl_callsite callsite = {};
	struct evl_spliced message = {
		.fmt = fmt, .skip = skip, .ended = ended,
	};
	struct kerror_reservation reservation __uninitialized;
	struct evl_writer writer = { .limit = EVL_VARIABLE_MAX };
	struct evl_header *header;
	int err;

	if (!event->callsite) {
		evl_callsite_init(&callsite, evl_module_name(fmt, facility),
				  NULL);
		event->callsite = &callsite;
	}
	va_copy(message.args.list, list);
	err = evl_begin(&reservation, writer.limit, event);
	if (err == -ENOBUFS) {
		evl_write_spliced(&message, &writer);
		if (message.supported) {
			writer.limit = min_t(size_t, writer.at,
					     EVL_VARIABLE_MAX);
			err = evl_begin(&reservation, writer.limit, event);
		}
	}
	if (err) {
		kerror_count_lost(KERROR_GROUP_PRINTK, reservation.cause);
		goto out;
	}
	header = reservation.data;
	writer = (struct evl_writer) {
		.data = evl_variable(&reservation), .limit = writer.limit,
	};
	evl_write_spliced(&message, &writer);
	if (!message.supported) {
		evl_write_text(&message, &writer);
		header->format = EVL_FORMAT_STRING;
	} else if (message.innermost != message.fmt) {
		evl_set_facility(header, evl_module_name(message.innermost,
							 facility));
	}
	/* Bytes that were written and then cut off */
	if (!message.supported || writer.truncated)
		memset(writer.data + writer.at, 0, writer.limit - writer.at);
	header->event_id = message.supported ? message.event_id : 0;
	header->format_size = message.size;
	if (!message.ended)
		header->flags |= EVL_FLAG_OPEN;
	evl_end(&reservation, writer.at, writer.truncated);
out:
	va_end(message.args.list);
	return message.ended;
}
