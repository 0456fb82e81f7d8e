/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files kernel/evlog*.c share. Each part names the file that
 * implements it; each function is described there, and promises what evlog.c
 * promises.
 */
#ifndef EVLOG_INTERNAL_H
#define EVLOG_INTERNAL_H

#include <asm/page.h>
#include <linux/err.h>
#include <linux/evlog.h>
#include <linux/kerror.h>
#include <linux/module.h>
#include "evlog_format.h"
#ifdef MODULE
#include <kerror_compat/module.h>
#endif

/*
 * With CONFIG_INIT_STACK_ALL_ZERO, which is usual, the compiler clears each
 * variable where it is declared. Large ones are marked __uninitialized to save
 * that time; the code writes each part of them before it reads it.
 */

/* A va_list that can be passed by address, whatever its type is. */
struct evl_arguments {
	va_list list;
};

/* One argument on its way from the va_list to the record. */
struct evl_value {
	union {
		u64 number;
		const void *pointer;
		const char *string;
	};
	u32 size;		/* bytes of a string, text or hash */
};

/* As vsnprintf(): the first page and the last hold no string. */
static inline bool evl_string_valid(const void *string)
{
	return (unsigned long)string >= PAGE_SIZE && !IS_ERR_VALUE(string);
}

/*
 * Fetches an argument of @type, an EVL_ARG number. No other code uses va_arg(). With
 * 64 bits each takes as much, and a smaller one is the low part of it.
 */
static inline u64 evl_fetch_arg(struct evl_arguments *args, u8 type)
{
	switch (IS_ENABLED(CONFIG_64BIT) ? EVL_ARG_U64 : type) {
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		return va_arg(args->list, u64); /* long or long long */
	case EVL_ARG_STRING:
	case EVL_ARG_POINTER:
		return (unsigned long)va_arg(args->list, void *);
	default:
		return va_arg(args->list, u32); /* int, or a long of 32 bits */
	}
}

static inline
const void *evl_fetch_pointer(struct evl_arguments *args)
{
	return (void *)(unsigned long)evl_fetch_arg(args, EVL_ARG_POINTER);
}

/*
 * Calls snprintf() for one conversion that stands alone in @fmt, with the
 * values of its '*' from @conv.
 */
#define evl_snprintf(buffer, size, fmt, conv, value)			\
({									\
	const struct evl_conv *__c = (conv);				\
	typeof(value) __v = (value);					\
	const char *__f = (fmt);					\
	char *__b = (buffer);						\
	size_t __s = (size);						\
	int __n;							\
									\
	if (__c->width_arg && __c->precision_arg)			\
		__n = snprintf(__b, __s, __f, __c->width, __c->precision, __v); \
	else if (__c->width_arg)					\
		__n = snprintf(__b, __s, __f, __c->width, __v);		\
	else if (__c->precision_arg)					\
		__n = snprintf(__b, __s, __f, __c->precision, __v);	\
	else								\
		__n = snprintf(__b, __s, __f, __v);			\
	__n;								\
})

/* ---- evlog.c: the event ---- */

/* Longest device text, NUL included; a longer name is cut. */
#define EVL_DEVICE_MAX	128

/* All that a call says of its event, except for the variable part. */
struct evl_event {
	const struct evl_callsite *callsite;
	const struct device *dev;
	const char *device;	/* if @dev is NULL: its text, or NULL */
	int event_type;
	int severity;
	u32 flags;
	u8 format;
	u8 prefix_size;		/* bytes of @prefix before the call site's format; */
	const char *prefix;	/* the call site's fmt_size includes them */
};

/* Messages of printk() are a group of their own. */
static inline unsigned int evl_group(const struct evl_event *event)
{
	return event->flags & EVL_FLAG_PRINTK ? KERROR_GROUP_PRINTK :
	       KERROR_GROUP_EVLOG;
}

static inline u8 *evl_variable(struct kerror_reservation *reservation)
{
	const struct evl_header *header = reservation->data;

	return reservation->data + sizeof(*header) + header->device_size;
}

int evl_begin(struct kerror_reservation *reservation, size_t size,
	      const struct evl_event *event);

/* Commits the record, of whose variable part @used bytes are used. */
static inline void evl_end(struct kerror_reservation *reservation, size_t used,
			   bool truncated)
{
	struct evl_header *header = reservation->data;

	header->variable_size = used;
	if (truncated)
		header->flags |= EVL_FLAG_TRUNCATED;
	kerror_commit(reservation,
		      sizeof(*header) + header->device_size + used);
}

/* ---- evlog_callsite.c: what is computed once per call site ---- */

u32 evl_crc(const char *text, size_t len);
void evl_callsite_init(struct evl_callsite *callsite, const char *facility,
		       const char *fmt);
const struct evl_callsite *evl_callsite_fill(struct evl_callsite *shared,
					     struct evl_callsite *own,
					     const char *facility,
					     const char *fmt);

/* Whether it is filled in, and for these. */
static inline bool evl_callsite_is(const struct evl_callsite *callsite,
				   const char *facility, const char *fmt)
{
	/* Pairs with the release in evl_callsite_fill(). */
	return callsite && smp_load_acquire(&callsite->ready) &&
	       callsite->facility == facility && callsite->fmt == fmt;
}

/*
 * Returns @shared if it describes this facility and format, else fills in @own.
 * They differ if the compiler inlined a function into two callers: both then
 * share one call site.
 */
static inline
const struct evl_callsite *evl_callsite_get(struct evl_callsite *shared,
					    struct evl_callsite *own,
					    const char *facility,
					    const char *fmt)
{
	if (evl_callsite_is(shared, facility, fmt))
		return shared;
	return evl_callsite_fill(shared, own, facility, fmt);
}

/* ---- evlog_args.c: arguments ---- */

/* The arguments of a call site that is simple. */
struct evl_values {
	unsigned int count;
	size_t size;		/* bytes that the strings among them need */
	const u64 *value;	/* numbers and addresses: @own, or those of the caller */
	u64 own[EVL_CALLSITE_ARGS];
	u32 length[EVL_CALLSITE_ARGS];	/* of strings */
};

static inline
const char *evl_string(const struct evl_values *values, unsigned int i)
{
	return (const char *)(unsigned long)values->value[i];
}

/* Where the slow path writes. */
struct evl_writer {
	u8 *data;		/* NULL: only measure */
	size_t at;
	size_t limit;
	bool truncated;
	bool splice;		/* the arguments of a %pV take its place */
	bool ended;		/* a newline was left out at the end */
	u8 skip;		/* bytes to leave out of the first string */
};

bool evl_fetch_args(struct evl_values *values,
		    const struct evl_callsite *callsite,
		    struct evl_arguments *args);
u8 evl_fetch_conv(struct evl_arguments *args, struct evl_conv *conv,
		  struct evl_value *value);
bool evl_put_args(struct evl_writer *writer, const char *fmt,
		  struct evl_arguments *args, bool last);
int evl_record(const struct evl_event *event, va_list list);
int evl_record_values(const struct evl_event *event,
		      const struct evl_values *values);

/* Whether all fits, so that nothing has to be cut. */
static inline bool evl_values_fit(const struct evl_values *values,
				  const struct evl_callsite *callsite)
{
	return callsite->fmt_size + callsite->args_size + values->size <=
	       EVL_VARIABLE_MAX;
}

/* ---- evlog_render.c: text for the kernel log ---- */

const void *evl_next_arg(const u8 **at, const u8 *end,
			 struct evl_argument *argument);
void evl_render(char *text, size_t size, const char *fmt, const u8 *at,
		const u8 *end);
bool evl_print_event(const void *data, size_t len);

/* ---- evlog_printk.c: levels of messages ---- */

/* The level in a message; the first of several counts. */
struct evl_level {
	int severity;		/* negative: nothing */
	bool continues;		/* KERN_CONT */
};

struct dev_printk_info;

extern int evl_open_severity;

void evl_message_parsed(int level, const struct dev_printk_info *info,
			const char *fmt, va_list args);

const char *evl_skip_levels(const char *text, struct evl_level *level);

/* Level of a line that the next message may continue; -1: it is ended. */
static inline void evl_leave_open(int severity)
{
	if (READ_ONCE(evl_open_severity) != severity)
		WRITE_ONCE(evl_open_severity, severity);
}

static inline bool evl_ends_line(const char *text, size_t length)
{
	return length && text[length - 1] == '\n';
}

/* ---- evlog_printk_cache.c: parsed formats ---- */

enum evl_fmt_kind {
	EVL_FMT_SLOW,		/* has to be parsed for each event */
	EVL_FMT_PLAIN,		/* the call site says all about it */
	EVL_FMT_PREFIX,		/* ends with %pV; the call site describes the rest */
};

/* A format that was parsed. */
struct evl_fmt_info {
	struct evl_callsite callsite;	/* its fmt: the entry's copy of the text */
	char facility[MODULE_NAME_LEN];	/* the call site's */
	unsigned long id;	/* of this entry, never used again */
	u8 kind;
	u8 prefix_size;		/* EVL_FMT_PREFIX: bytes before the %pV */
	bool ended;		/* by a newline */
	bool begins_in_string;	/* whose first byte may be a level */
	bool ends_in_string;	/* whose last byte may be that newline */
	bool known;		/* evl_record_known() can record it */
	s8 severity;		/* of the level that it begins with, or -1 */
};

struct evl_fmt_cache;

struct evl_fmt_cache *evl_cache_alloc(unsigned int cpu);
void evl_cache_free(struct evl_fmt_cache *cache);
void evl_cache_exit(void);
struct evl_fmt_info *evl_cache_get(struct evl_fmt_cache *cache, bool add,
				   const char *given, const char *fmt,
				   const struct evl_fmt_info *outer);
struct evl_fmt_info *evl_cache_add(struct evl_fmt_cache *cache,
				   const char *given, size_t length,
				   const char *fmt,
				   const struct evl_fmt_info *outer);

/* ---- evlog_printk_record.c: messages ---- */

bool evl_record_message(struct evl_event *event, const char *given,
			const char *fmt, va_list list, u8 skip, bool ended);
unsigned long evl_forwarded(void);
bool evl_cpu_pinned(void);
void evl_cpu_exit(void);

/* ---- evlog_printk_slow.c: messages whose format is parsed each time ---- */

const char *evl_module_name(const char *fmt, char name[MODULE_NAME_LEN]);
bool evl_record_slow(struct evl_event *event, const char *fmt, va_list list,
		     u8 skip, bool ended);

#endif
