/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast path, which is inlined where an event is raised: by evl_printf() in
 * evlog_args.c, by printk() in evlog_printk_record.c. Each call costs what several
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
	u32 flags = event->flags;
	int err;

	if (callsite->facility_cut || device_size > EVL_DEVICE_MAX) {
		device_size = min_t(size_t, device_size, EVL_DEVICE_MAX);
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

/* Types are in the order of their sizes. */
static inline unsigned int evl_value_size(u8 type, const struct evl_value *value)
{
	return type <= EVL_ARG_U32 ? sizeof(u32) :
	       type <= EVL_ARG_U64 ? sizeof(u64) :
	       type == EVL_ARG_CHAR ? 1 : value->size;
}

/*
 * Writes an argument to where all is zero and there is space for it. Returns its
 * bytes. Takes any type but EVL_ARG_TEXT, whose bytes vsnprintf() has written.
 */
static __always_inline size_t evl_put_value(u8 *to, u8 type, u8 flags,
					    const struct evl_value *value)
{
	struct evl_recorded *recorded = (void *)to;
	unsigned int size = evl_value_size(type, value);

	if (type <= EVL_ARG_U32)
		recorded->number32 = value->number;
	else if (type <= EVL_ARG_U64)
		recorded->number64 = value->number;
	else if (type == EVL_ARG_CHAR)
		recorded->bytes[0] = value->number;
	else	/* By address: it may be longer than the field. */
		evl_copy(to + offsetof(struct evl_recorded, bytes),
			 value->string, size);
	return evl_put_head(to, type, flags, size);
}

/* Fetches the arguments of @callsite, except those that @values has already. */
static __always_inline bool evl_fetch_all(struct evl_values *values,
					  const struct evl_callsite *callsite,
					  struct evl_arguments *args)
{
	const u8 *type = &callsite->types[values->count];
	const u8 *end = &callsite->types[callsite->args];
	struct evl_value *value = &values->value[values->count];

	for (; type < end; type++, value++) {
		evl_fetch_arg(args, *type, value);
		if (*type != EVL_ARG_STRING)
			continue;
		if (!evl_string_valid(value->string))
			return false;
		value->size = evl_length(value->string, EVL_VARIABLE_MAX);
		values->size += ALIGN(value->size, 4);
	}
	values->count = callsite->args;
	return true;
}

/* Records an event; @values: NULL if the call site has no arguments. */
static __always_inline int evl_record_fetched(const struct evl_event *event,
					      const struct evl_values *values)
{
	const struct evl_callsite *callsite = event->callsite;
	size_t device_size = 0, size = callsite->fmt_size;
	struct kerror_reservation reservation __uninitialized;
	const struct evl_value *value;
	struct evl_header *header;
	const u8 *type, *end;
	int err;
	u8 *to;

	if (values)
		size += callsite->args_size + values->size;
	if (unlikely(event->dev)) {
		err = evl_begin(&reservation, size, event);
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
		type = callsite->types;
		end = type + callsite->args;
		for (value = values->value; type < end; type++, value++)
			to += evl_put_value(to, *type, 0, value);
	}
	kerror_commit(&reservation, size);
	return 0;
}

#endif
