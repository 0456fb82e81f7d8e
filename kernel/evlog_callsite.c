// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of an event that are computed once per call site: the facility's hash,
 * the event's id, the types of the arguments.
 *
 * evl_callsite_get() calls this for the first event of a call site. Calls whose
 * facility or format is no constant, and new messages of printk(), have no call
 * site in the source: they fill in one of their own.
 *
 * Promise: safe in any context. One caller fills in a call site; a caller that
 * interrupts it, or runs on another CPU meanwhile, fills in a copy on its stack.
 */
#include <linux/align.h>
#include <linux/evlog.h>
#include <linux/hardirq.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "evlog_internal.h"

/* The most that one conversion without text adds: '*', '.*' and 64 bits. */
#define EVL_CONV_ARGS_MAX	(8 + 8 + 12)

/* The CRC-32 of each value of four bits */
static const u32 evl_crc_table[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
	0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

/*
 * zlib's CRC-32. The kernel's crc32_le() uses the vector unit on some processors, and
 * must not be called from NMI there.
 */
u32 evl_crc(const char *text, size_t len)
{
	u32 crc = ~0U;

	while (len--) {
		crc ^= (u8)*text++;
		crc = (crc >> 4) ^ evl_crc_table[crc & 15];
		crc = (crc >> 4) ^ evl_crc_table[crc & 15];
	}
	return ~crc;
}

/* Adds one conversion to what the call site's fast path records. */
static void evl_callsite_add(struct evl_callsite *callsite,
			     const struct evl_conv *conv)
{
	u8 type = evl_conv_type(conv);

	if (!type)
		return;
	if (type == EVL_ARG_POINTER || conv->width_arg || conv->precision_arg ||
	    (type == EVL_ARG_STRING && conv->precision >= 0) ||
	    callsite->args == EVL_CALLSITE_ARGS) {
		callsite->simple = false;
		return;
	}
	if (type == EVL_ARG_STRING)
		callsite->strings |= 1 << callsite->args;
	callsite->types[callsite->args++] = type;
	callsite->args_size += sizeof(struct evl_argument) +
		(type == EVL_ARG_STRING ? 0 :
		 type == EVL_ARG_S64 || type == EVL_ARG_U64 ? 8 : 4);
}

/* Fills in @callsite, all zero before. @fmt: NULL for evl_write(). */
void evl_callsite_init(struct evl_callsite *callsite, const char *facility,
		       const char *fmt)
{
	size_t length = strlen(facility);
	struct evl_conv conv;

	callsite->facility = facility;
	callsite->facility_hash = evl_crc(facility, length);
	callsite->flags = length >= EVL_FACILITY_SIZE ? EVL_FLAG_TRUNCATED : 0;
	callsite->facility_size = min_t(size_t, length, EVL_FACILITY_SIZE - 1);
	callsite->fmt = fmt;
	if (!fmt)
		return;
	length = strlen(fmt);
	if (length && fmt[length - 1] == '\n')
		length--;
	callsite->event_id = evl_crc(fmt, length);
	callsite->fmt_size = min_t(size_t, length + 1, EVL_VARIABLE_MAX);
	callsite->fmt_cut = length >= EVL_VARIABLE_MAX;
	callsite->simple = !callsite->fmt_cut;
	while (evl_conv_next(fmt, &conv)) {
		fmt = conv.end;
		if (!evl_conv_supported(&conv)) {
			callsite->args_max = -EINVAL;
			callsite->simple = false;
			return;
		}
		if (conv.letter == 's' || conv.letter == 'p')
			callsite->args_max = EVL_VARIABLE_MAX;
		callsite->args_max = min(callsite->args_max + EVL_CONV_ARGS_MAX,
					 2 * EVL_VARIABLE_MAX);
		evl_callsite_add(callsite, &conv);
	}
}

/* Fills in @shared if no one does so yet, else @own; returns that one. */
const struct evl_callsite *evl_callsite_fill(struct evl_callsite *shared,
					     struct evl_callsite *own,
					     const char *facility,
					     const char *fmt)
{
	if (shared && !in_nmi() && !READ_ONCE(shared->claimed) &&
	    !xchg(&shared->claimed, 1)) {
		evl_callsite_init(shared, facility, fmt);
		/* Pairs with the acquire in evl_callsite_get(). */
		smp_store_release(&shared->ready, 1);
		return shared;
	}
	memset(own, 0, sizeof(*own));
	evl_callsite_init(own, facility, fmt);
	return own;
}
