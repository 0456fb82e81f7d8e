// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records the arguments of an event: a fast path for types that the call site
 * knows, a slow path for the rest.
 *
 * Called by evlog.c and, for messages of printk(), by evlog_printk_record.c and
 * evlog_printk_slow.c. The fast path fetches all values, reserves what they need
 * and writes them. The slow path parses the format for each event. It takes what
 * the fast path cannot: '*', pointers, invalid strings, arguments that do not fit.
 *
 * Promise: that of evlog.c. An argument is recorded whole or cut at its end, and
 * none follows one that was cut.
 */
#include <linux/align.h>
#include <linux/evlog.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include "evlog_fast.h"
#include "evlog_internal.h"

/* ---- the fast path: evlog_fast.h ---- */

/*
 * Fetches the arguments of @callsite, except those that @values has already.
 * Returns false if the slow path has to record one.
 */
bool evl_fetch_args(struct evl_values *values,
		    const struct evl_callsite *callsite,
		    struct evl_arguments *args)
{
	return evl_fetch_all(values, callsite, args);
}

/* Records an event of a call site that is simple. */
int evl_record_values(const struct evl_event *event,
		      const struct evl_values *values)
{
	return evl_record_fetched(event, values);
}

/* ---- the slow path ---- */

/*
 * Fetches what belongs to one conversion: its '*' width and precision go to
 * @conv. Returns the type of @value; 0: there is none.
 */
u8 evl_fetch_conv(struct evl_arguments *args, struct evl_conv *conv,
		  struct evl_value *value)
{
	u8 type = evl_conv_type(conv);

	if (conv->width_arg)
		conv->width = evl_fetch_arg(args, EVL_ARG_WIDTH);
	if (conv->precision_arg)
		conv->precision = evl_fetch_arg(args, EVL_ARG_PRECISION);
	if (type == EVL_ARG_STRING || type == EVL_ARG_POINTER)
		value->pointer = evl_fetch_pointer(args);
	else if (type)
		value->number = evl_fetch_arg(args, type);
	return type;
}

/*
 * Records an argument, or as much of a string or text as fits. Returns false if
 * it was cut or left out.
 */
static bool evl_put(struct evl_writer *writer, u8 type, u8 flags,
		    struct evl_value *value)
{
	const size_t head = sizeof(struct evl_argument);
	size_t left = writer->limit - writer->at;
	size_t size = type < EVL_ARG_STRING ? evl_number_head[type].size :
					      value->size;

	if (ALIGN(head + size, 4) > left) {
		writer->truncated = true;
		if ((type != EVL_ARG_STRING && type != EVL_ARG_TEXT) ||
		    left < head + 4)
			return false;
		size = ALIGN_DOWN(left - head, 4);
		value->size = size;
	}
	if (writer->data && type == EVL_ARG_TEXT)
		evl_put_head(writer->data + writer->at, type, flags, size);
	else if (writer->data && type < EVL_ARG_STRING)
		evl_put_number(writer->data + writer->at, type, value->number);
	else if (writer->data)
		evl_put_bytes(writer->data + writer->at, type, flags,
			      value->string, size);
	writer->at += ALIGN(head + size, 4);
	return !writer->truncated;
}

static bool evl_put_int(struct evl_writer *writer, u8 type, int number)
{
	struct evl_value value;

	value.number = number;
	return evl_put(writer, type, 0, &value);
}

static bool evl_put_string(struct evl_writer *writer,
			   const struct evl_conv *conv,
			   struct evl_value *value, bool last)
{
	size_t skip, most = EVL_VARIABLE_MAX;
	char shown[16];

	if (!evl_string_valid(value->string)) {
		value->size = scnprintf(shown, sizeof(shown), "%s",
					value->string);
		value->string = shown;
		return evl_put(writer, EVL_ARG_STRING, EVL_ARG_FLAG_INVALID,
			       value);
	}
	/* Bytes behind the precision need not be readable. */
	if (conv->precision_arg || conv->precision >= 0)
		most = min_t(size_t, most, max(conv->precision, 0));
	value->size = strnlen(value->string, most);
	skip = min_t(size_t, writer->skip, value->size);
	writer->skip = 0;
	value->string += skip;
	value->size -= skip;
	writer->ended = last && conv->width < 0 && !conv->width_arg &&
			evl_ends_line(value->string, value->size);
	value->size -= writer->ended;
	return evl_put(writer, EVL_ARG_STRING, 0, value);
}

/* Records a plain %p as its hash, an extension as vsnprintf()'s text. */
static bool evl_put_pointer(struct evl_writer *writer,
			    const struct evl_conv *conv,
			    struct evl_value *value, bool last)
{
	size_t start = writer->at + sizeof(struct evl_argument);
	size_t left = writer->data && writer->limit > start ?
		      writer->limit - start : 0;
	char *text = (char *)writer->data + start;
	const void *pointer = value->pointer;
	char hashed[2 * sizeof(pointer) + 8];
	char fmt[EVL_CONV_MAX];
	unsigned long hash;
	bool cut;

	if (!evl_conv_is_text(conv)) {
		snprintf(hashed, sizeof(hashed), "%p", pointer);
		/* Early in boot vsnprintf() has no key to hash with, and says so. */
		if (!kstrtoul(hashed, 16, &hash)) {
			value->string = (char *)&hash;
			value->size = sizeof(hash);
			return evl_put(writer, EVL_ARG_POINTER, 0, value);
		}
	}
	evl_conv_copy(fmt, conv);
	value->size = evl_snprintf(text, left, fmt, conv, pointer);
	cut = left && value->size >= left;
	writer->ended = left && last && !cut &&
			evl_ends_line(text, value->size);
	if (!writer->data)
		value->size++;	/* for vsnprintf()'s NUL, which is not text */
	else if (cut)
		value->size = left - 1;
	else if (writer->ended)
		text[--value->size] = '\0';
	evl_put(writer, EVL_ARG_TEXT, 0, value);
	writer->truncated |= cut;
	return !writer->truncated;
}

static bool evl_put_spliced(struct evl_writer *writer,
			    const struct va_format *format, bool last)
{
	struct evl_arguments args;
	bool fits;

	va_copy(args.list, *format->va);
	fits = evl_put_args(writer, format->fmt, &args, last);
	va_end(args.list);
	return fits;
}

/*
 * Records the arguments of @fmt, or measures them. With writer->splice, those of
 * a %pV take its place, and a newline at the end of the message is left out;
 * @last: @fmt is that end. Returns false if an argument was cut.
 */
bool evl_put_args(struct evl_writer *writer, const char *fmt,
		  struct evl_arguments *args, bool last)
{
	struct evl_conv conv __uninitialized;
	struct evl_value value __uninitialized;
	bool fits = true;
	u8 type;

	while (fits && evl_conv_next(fmt, &conv)) {
		fmt = conv.end;
		type = evl_fetch_conv(args, &conv, &value);
		if (conv.width_arg &&
		    !evl_put_int(writer, EVL_ARG_WIDTH, conv.width))
			return false;
		if (conv.precision_arg &&
		    !evl_put_int(writer, EVL_ARG_PRECISION, conv.precision))
			return false;
		switch (type) {
		case 0:
			break;
		case EVL_ARG_STRING:
			fits = evl_put_string(writer, &conv, &value,
					      last && !*fmt);
			break;
		case EVL_ARG_POINTER:
			if (writer->splice && evl_conv_is_format(&conv))
				fits = evl_put_spliced(writer, value.pointer,
						       last && !*fmt);
			else
				fits = evl_put_pointer(writer, &conv, &value,
						       last && !*fmt);
			break;
		default:
			fits = evl_put(writer, type, 0, &value);
		}
	}
	return fits;
}

/*
 * Reserves what the arguments may need at most. If the ring has less left, parses
 * the format once more to reserve what they do need.
 */
static int evl_record_parsed(const struct evl_event *event, va_list list)
{
	const struct evl_callsite *callsite = event->callsite;
	struct kerror_reservation reservation __uninitialized;
	struct evl_arguments args;
	struct evl_writer writer = {
		.limit = min_t(size_t,
			       ALIGN(callsite->fmt_size, 4) + callsite->args_max,
			       EVL_VARIABLE_MAX),
	};
	int err = evl_begin(&reservation, writer.limit, event);

	if (err == -ENOBUFS && callsite->args_max >= EVL_VARIABLE_MAX) {
		writer.at = callsite->fmt_size;
		va_copy(args.list, list);
		evl_put_args(&writer, callsite->fmt, &args, false);
		va_end(args.list);
		writer.limit = min_t(size_t, writer.at, EVL_VARIABLE_MAX);
		writer.truncated = false;
		err = evl_begin(&reservation, writer.limit, event);
	}
	if (err) {
		kerror_count_lost(evl_group(event), reservation.cause);
		return err;
	}
	writer.data = evl_variable(&reservation);
	memcpy(writer.data, callsite->fmt, callsite->fmt_size - 1);
	writer.at = callsite->fmt_size;
	if (callsite->fmt_cut) {
		writer.truncated = true;
	} else {
		va_copy(args.list, list);
		evl_put_args(&writer, callsite->fmt, &args, false);
		va_end(args.list);
	}
	/* vsnprintf() may have written text that was then cut off. */
	if (writer.truncated)
		memset(writer.data + writer.at, 0, writer.limit - writer.at);
	evl_end(&reservation, writer.at, writer.truncated);
	return 0;
}

/* Records an event with a format, by the faster path that takes it. */
int evl_record(const struct evl_event *event, va_list list)
{
	const struct evl_callsite *callsite = event->callsite;
	struct evl_values values __uninitialized;
	struct evl_arguments args __uninitialized;
	bool fetched;

	if (callsite->args_max < 0)
		return callsite->args_max;
	if (!callsite->simple)
		return evl_record_parsed(event, list);
	values.count = 0;
	values.size = 0;
	va_copy(args.list, list);
	fetched = evl_fetch_args(&values, callsite, &args) &&
		  evl_values_fit(&values, callsite);
	va_end(args.list);
	return fetched ? evl_record_values(event, &values) :
			 evl_record_parsed(event, list);
}
