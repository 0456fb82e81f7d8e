// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints a recorded event to the kernel log, as the text that vsnprintf() would
 * have made of the call.
 *
 * The transport calls evl_print_event() for an event that has no listener, and
 * in a panic for each event that is still in a ring. Its worker calls one at a
 * time, so that one buffer is enough.
 *
 * Promise: reads nothing outside the event. Data that is no event of evlog is
 * left to the transport, which prints its bytes.
 */
#include <linux/align.h>
#include <linux/evlog.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "evlog_internal.h"

/* printk() cuts a longer text. */
static char evl_text[1024];

/*
 * Returns the value of the argument at @at and goes on to the next one; NULL:
 * there is none, or not all of it.
 */
const void *evl_next_arg(const u8 **at, const u8 *end,
			 struct evl_argument *argument)
{
	const u8 *value = *at + sizeof(*argument);

	if (end - *at < (ptrdiff_t)sizeof(*argument))
		return NULL;
	memcpy(argument, *at, sizeof(*argument));
	*at += ALIGN(sizeof(*argument) + argument->size, 4);
	return *at > end ? NULL : value;
}

static void evl_render_string(char *text, size_t size, struct evl_conv *conv,
			      const struct evl_argument *argument,
			      const void *value)
{
	if (conv->width < 0 && !conv->width_arg)
		conv->width = 0;
	if (conv->left)
		conv->width = -abs(conv->width);
	if (conv->precision < 0 || conv->precision > argument->size)
		conv->precision = argument->size;
	snprintf(text, size, "%*.*s", conv->width, conv->precision,
		 (const char *)value);
}

/* Renders a hashed %p as a number; @fmt has 4 bytes more than EVL_CONV_MAX. */
static void evl_render_pointer(char *text, size_t size, char *fmt,
			       const struct evl_conv *conv, const void *value)
{
	unsigned long hashed;
	char *digits;

	memcpy(&hashed, value, sizeof(hashed));
	memcpy(strchr(fmt, 'p'), "lx", 3);
	if (conv->width < 0 && !conv->width_arg) {
		digits = fmt + 1 + strspn(fmt + 1, "-+ #0");
		memmove(digits + 3, digits, strlen(digits) + 1);
		memcpy(digits, sizeof(hashed) == 8 ? "016" : "008", 3);
	}
	evl_snprintf(text, size, fmt, conv, hashed);
}

/* Expands one conversion with the arguments at @at; false: one is absent. */
static bool evl_render_conv(char *text, size_t size, struct evl_conv *conv,
			    const u8 **at, const u8 *end)
{
	char fmt[EVL_CONV_MAX + 4];
	struct evl_argument argument;
	const void *value;
	u32 value32;
	u64 value64;

	for (;;) {
		value = evl_next_arg(at, end, &argument);
		if (!value)
			return false;
		if (argument.type == EVL_ARG_WIDTH)
			memcpy(&conv->width, value, sizeof(int));
		else if (argument.type == EVL_ARG_PRECISION)
			memcpy(&conv->precision, value, sizeof(int));
		else
			break;
	}
	if (conv->precision_arg)
		conv->precision = max(conv->precision, 0);
	evl_conv_copy(fmt, conv);
	switch (argument.type) {
	case EVL_ARG_TEXT:
		snprintf(text, size, "%.*s", argument.size,
			 (const char *)value);
		break;
	case EVL_ARG_STRING:
		evl_render_string(text, size, conv, &argument, value);
		break;
	case EVL_ARG_POINTER:
		evl_render_pointer(text, size, fmt, conv, value);
		break;
	case EVL_ARG_CHAR:
		evl_snprintf(text, size, fmt, conv, *(const u8 *)value);
		break;
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		memcpy(&value64, value, sizeof(value64));
		if (conv->qualifier == 'L')
			evl_snprintf(text, size, fmt, conv, value64);
		else
			evl_snprintf(text, size, fmt, conv,
				     (unsigned long)value64);
		break;
	default:
		memcpy(&value32, value, sizeof(value32));
		evl_snprintf(text, size, fmt, conv, value32);
	}
	return true;
}

/* Expands @fmt with the arguments from @at to @end into @text. */
void evl_render(char *text, size_t size, const char *fmt, const u8 *at,
		const u8 *end)
{
	struct evl_conv conv;
	size_t used = 0;

	while (evl_conv_next(fmt, &conv)) {
		used += scnprintf(text + used, size - used, "%.*s",
				  (int)(conv.start - fmt), fmt);
		fmt = conv.end;
		if (conv.letter == '%')
			used += scnprintf(text + used, size - used, "%%");
		else if (!conv.letter ||
			 !evl_render_conv(text + used, size - used, &conv, &at,
					  end))
			return;
		used += strlen(text + used);
	}
	scnprintf(text + used, size - used, "%s", fmt);
}

static const char * const evl_levels[] = {
	KERN_EMERG, KERN_ALERT, KERN_CRIT, KERN_ERR,
	KERN_WARNING, KERN_NOTICE, KERN_INFO, KERN_DEBUG,
};

/* printk() without an entry in its index, as the level is an argument. */
static __printf(1, 2)
void evl_printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

/* Prints an event; false: it is not one of evlog. */
bool evl_print_event(const void *data, size_t len)
{
	const struct evl_header *header = data;
	const char *device = "", *level;
	const u8 *variable;

	if (len < sizeof(*header) || header->magic != EVL_MAGIC ||
	    header->version != EVL_VERSION ||
	    header->header_size != sizeof(*header) ||
	    len != sizeof(*header) + header->device_size +
		   header->variable_size)
		return false;
	variable = data + sizeof(*header) + header->device_size;
	if (header->device_size)
		device = data + sizeof(*header);
	level = evl_levels[header->severity & 7];

	switch (header->format) {
	case EVL_FORMAT_PRINTF:
		evl_text[0] = '\0';
		evl_render(evl_text, sizeof(evl_text), variable,
			   variable + header->format_size,
			   variable + header->variable_size);
		break;
	case EVL_FORMAT_STRING:
		snprintf(evl_text, sizeof(evl_text), "%.*s",
			 (int)header->variable_size, variable);
		break;
	default:
		snprintf(evl_text, sizeof(evl_text), "event type %u, %u bytes",
			 header->event_type, header->variable_size);
	}
	evl_printk("%s%s%s%s: %s\n", level, header->facility,
		   header->device_size ? " " : "", device, evl_text);
	if (header->format == EVL_FORMAT_BINARY)
		print_hex_dump(level, header->facility, DUMP_PREFIX_OFFSET, 16,
			       1, variable, min(header->variable_size, 256U),
			       true);
	return true;
}
