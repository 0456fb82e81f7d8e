/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast path, which is inlined where an event is raised: by evl_printf() in
 * evlog.c, by printk() in evlog_printk_record.c. Each call costs what several
 * fields of the header cost.
 *
 * Promise: that of evlog.c.
 */
#ifndef EVLOG_FAST_H
#define EVLOG_FAST_H

#include <asm/byteorder.h>
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/cred.h>
#include <linux/hardirq.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include "evlog_internal.h"

/*
 * strnlen(), by words. It reads none behind the one in which @text ends, but bytes
 * around @text, which the detectors of such accesses would report.
 */
static inline size_t evl_length(const char *text, size_t most)
{
#ifdef __LITTLE_ENDIAN
	const unsigned long ones = ~0UL / 0xff, high = ones << 7;
	const size_t skip = (unsigned long)text % sizeof(long);
	const unsigned long *word = (void *)(text - skip);
	unsigned long value, zeros;
	size_t length;

	if (!IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KCSAN) &&
	    !IS_ENABLED(CONFIG_KMSAN)) {
		/* The bytes before the text are no end of it. */
		value = *word | ((1UL << (8 * skip)) - 1);
		for (length = 0; length < most + skip; value = *++word) {
			zeros = (value - ones) & ~value & high;
			if (zeros)
				return min(length + __ffs(zeros) / 8 - skip,
					   most);
			length += sizeof(long);
		}
		return most;
	}
#endif
	return strnlen(text, most);
}

/* Two copies that overlap make one of any size between theirs and twice that. */
#define evl_copy_twice(type, to, from, size)				\
do {									\
	type __first, __last;						\
									\
	memcpy(&__first, from, sizeof(type));				\
	memcpy(&__last, (from) + (size) - sizeof(type), sizeof(type));	\
	memcpy(to, &__first, sizeof(type));				\
	memcpy((to) + (size) - sizeof(type), &__last, sizeof(type));	\
} while (0)

/* memcpy() that is no call for a few bytes */
static __always_inline void evl_copy(void *to, const void *from, size_t size)
{
	if (size > 2 * sizeof(u64))
		memcpy(to, from, size);
	else if (size >= sizeof(u64))
		evl_copy_twice(u64, to, from, size);
	else if (size >= sizeof(u32))
		evl_copy_twice(u32, to, from, size);
	else
		while (size--)
			((u8 *)to)[size] = ((const u8 *)from)[size];
}

/* As evl_begin(), of a device whose text has @device_size bytes with its NUL */
static __always_inline int evl_start(struct kerror_reservation *reservation,
				     size_t size, const struct evl_event *event,
				     const char *device, size_t device_size)
{
	const struct evl_callsite *callsite = event->callsite;
	struct task_struct *task = current;
	struct evl_header *header;
	u32 flags = event->flags | callsite->flags;
	int err;

	if (device_size > EVL_DEVICE_MAX) {
		device_size = EVL_DEVICE_MAX;
		flags |= EVL_FLAG_TRUNCATED;
	}
	err = kerror_reserve(reservation, sizeof(*header) + device_size + size,
			     KERROR_STAMPED | evl_group(event));
	if (err)
		return err;
	/* The record is zero; the worker writes both times. */
	header = reservation->data;
	header->event_id = callsite->event_id;
	header->event_type = event->event_type;
	header->facility_hash = callsite->facility_hash;

	if (in_interrupt()) {	/* or softirqs are only disabled */
		if (in_nmi())
			flags |= EVL_FLAG_NMI;
		if (in_hardirq())
			flags |= EVL_FLAG_INTERRUPT;
		if (in_serving_softirq())
			flags |= EVL_FLAG_SOFTIRQ;
	}
	if (system_state < SYSTEM_RUNNING)
		flags |= EVL_FLAG_BOOT;
	if (oops_in_progress)
		flags |= EVL_FLAG_OOPS;
	header->flags = flags;
	header->cpu = raw_smp_processor_id();
	/* The value of a kuid is its number in the initial namespace. */
	header->uid = __kuid_val(current_uid());
	header->gid = __kgid_val(current_gid());
	header->pid = task_tgid_nr(task);
	header->tid = task_pid_nr(task);
	header->magic = EVL_MAGIC;
	header->header_size = sizeof(*header);
	header->device_size = device_size;
	header->format_size = callsite->fmt_size;
	header->version = EVL_VERSION;
	header->severity = (unsigned int)event->severity > LOG_DEBUG ?
			   LOG_WARNING : event->severity;
	header->format = event->format;
	memcpy(header->comm, task->comm, sizeof(header->comm));
	header->comm[sizeof(header->comm) - 1] = '\0';
	evl_copy(header->facility, callsite->facility, callsite->facility_size);
	if (device_size)
		memcpy(header + 1, device, device_size);
	return 0;
}

/* An argument as it is recorded, at any address. */
struct evl_recorded {
	struct evl_argument head;
	union {
		u8 bytes[8];
		u32 number32;
		u64 number64;
	};
} __packed;

/* Writes what every argument begins with. Returns the bytes of the whole. */
static inline size_t evl_put_head(u8 *to, u8 type, u8 flags, unsigned int size)
{
	struct evl_recorded *recorded = (void *)to;

	recorded->head.type = type;
	if (flags)	/* zero already */
		recorded->head.flags = flags;
	recorded->head.size = size;
	return sizeof(recorded->head) + ALIGN(size, 4);
}

/* What numbers begin with: in one piece, so that it is one store. */
static const struct evl_argument evl_number_head[] = {
	[EVL_ARG_WIDTH] = { EVL_ARG_WIDTH, 0, sizeof(u32) },
	[EVL_ARG_PRECISION] = { EVL_ARG_PRECISION, 0, sizeof(u32) },
	[EVL_ARG_S32] = { EVL_ARG_S32, 0, sizeof(u32) },
	[EVL_ARG_U32] = { EVL_ARG_U32, 0, sizeof(u32) },
	[EVL_ARG_S64] = { EVL_ARG_S64, 0, sizeof(u64) },
	[EVL_ARG_U64] = { EVL_ARG_U64, 0, sizeof(u64) },
	[EVL_ARG_CHAR] = { EVL_ARG_CHAR, 0, 1 },
};

/*
 * Writes a number to where all is zero and there is space for it. Returns its bytes.
 * Types are in the order of their sizes.
 */
static __always_inline size_t evl_put_number(u8 *to, u8 type, u64 number)
{
	struct evl_recorded *recorded = (void *)to;
	size_t size = sizeof(u32);

	recorded->head = evl_number_head[type];
	if (type <= EVL_ARG_U32) {
		recorded->number32 = number;
	} else if (type <= EVL_ARG_U64) {
		recorded->number64 = number;
		size = sizeof(u64);
	} else {
		recorded->bytes[0] = number;
	}
	return sizeof(recorded->head) + size;
}

/* As evl_put_number(), a string or a hash. */
static __always_inline size_t evl_put_bytes(u8 *to, u8 type, u8 flags,
					    const char *bytes, unsigned int size)
{
	/* By address: it may be longer than the field. */
	evl_copy(to + offsetof(struct evl_recorded, bytes), bytes, size);
	return evl_put_head(to, type, flags, size);
}

/* Measures the strings, except those that were measured before. */
static __always_inline bool evl_measure(struct evl_values *values,
					const struct evl_callsite *callsite)
{
	unsigned int i, left = callsite->strings & (~0U << values->count);
	size_t size = values->size;

	for (; left; left &= left - 1) {
		i = __ffs(left);
		if (!evl_string_valid(evl_string(values, i)))
			return false;
		values->length[i] = evl_length(evl_string(values, i),
					       EVL_VARIABLE_MAX);
		size += ALIGN(values->length[i], 4);
	}
	values->size = size;
	values->count = callsite->args;
	return true;
}

/* Fetches the arguments of @callsite, except those that @values has already. */
static __always_inline bool evl_fetch_all(struct evl_values *values,
					  const struct evl_callsite *callsite,
					  struct evl_arguments *args)
{
	unsigned int i, end = callsite->args;

	for (i = values->count; i < end; i++)
		values->own[i] = evl_fetch_arg(args, callsite->types[i]);
	values->value = values->own;
	return evl_measure(values, callsite);
}

/*
 * The same for evl_printf_at(). On x86-64 its parameters take all registers. So the
 * arguments lie in a row, 8 bytes each, and need not be fetched.
 */
static __always_inline bool evl_fetch_row(struct evl_values *values,
					  const struct evl_callsite *callsite,
					  struct evl_arguments *args)
{
	values->count = 0;
	values->size = 0;
#if defined(__x86_64__) && !defined(__CHECKER__)
	values->value = args->list->overflow_arg_area;
	return args->list->gp_offset == 6 * sizeof(u64) &&
	       evl_measure(values, callsite);
#else
	return evl_fetch_all(values, callsite, args);
#endif
}

/* Records an event; @values: NULL if the call site has no arguments. */
static __always_inline int evl_record_fetched(const struct evl_event *event,
					      const struct evl_values *values)
{
	const struct evl_callsite *callsite = event->callsite;
	size_t device_size = 0, size = callsite->fmt_size;
	struct kerror_reservation reservation __uninitialized;
	struct evl_event copy __uninitialized;
	struct evl_header *header;
	unsigned int i, end;
	int err;
	u8 *to;

	if (values)
		size += callsite->args_size + values->size;
	if (unlikely(event->dev)) {
		copy = *event;	/* @event itself stays in registers. */
		err = evl_begin(&reservation, size, &copy);
	} else {
		if (event->device)
			device_size = evl_length(event->device, EVL_DEVICE_MAX) + 1;
		err = evl_start(&reservation, size, event, event->device,
				device_size);
	}
	if (err) {
		kerror_count_lost(evl_group(event), reservation.cause);
		return err;
	}
	header = reservation.data;
	header->variable_size = size;
	size += sizeof(*header) + header->device_size;
	to = (u8 *)(header + 1) + header->device_size;
	if (event->prefix_size)
		memcpy(to, event->prefix, event->prefix_size);
	evl_copy(to + event->prefix_size, callsite->fmt,
		 callsite->fmt_size - 1 - event->prefix_size);
	if (values) {
		to += callsite->fmt_size;
		end = callsite->args;
		for (i = 0; i < end; i++)
			to += likely(callsite->types[i] != EVL_ARG_STRING) ?
			      evl_put_number(to, callsite->types[i],
					     values->value[i]) :
			      evl_put_bytes(to, EVL_ARG_STRING, 0,
					    evl_string(values, i),
					    values->length[i]);
	}
	kerror_commit(&reservation, size);
	return 0;
}

#endif
