/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel/evlog.c and kernel/evlog_printk.c share: how a format is read, and
 * how an event is written into the staging of the transport. Each function is
 * described where it is, and promises what evlog.c promises.
 */
#ifndef EVLOG_INTERNAL_H
#define EVLOG_INTERNAL_H

#include <linux/evlog.h>
#include <linux/kerror.h>

/* One conversion, as vsnprintf() of this kernel reads it. */
struct evl_conversion {
	const char *start;	/* its '%' */
	const char *end;	/* behind it */
	bool width_argument;
	bool precision_argument;
	bool left;		/* flag '-' */
	int width;		/* -1: none */
	int precision;		/* -1: none */
	char qualifier;		/* h, H (hh), l, L (ll), z, t or 0 */
	char letter;		/* what it is, 0: vsnprintf() does not know it */
};

struct evl_writer {
	u8 *data;		/* NULL: only measure */
	size_t at;
	size_t limit;
	bool truncated;
	bool splice;		/* %pV is what it stands for */
	bool ended;		/* a newline was left out at the end */
	u8 skip;		/* bytes to leave out of the first string */
};

/* A va_list that can be passed by address, whatever its type is. */
struct evl_arguments {
	va_list list;
};

/* What a call says of an event, but for its variable part. */
struct evl_event {
	const struct evl_site *site;
	const struct device *dev;
	const char *device;	/* if @dev is NULL: its text, or NULL */
	int event_type;
	int severity;
	u32 flags;
	u8 format;
	u8 before;		/* bytes of @around that go before the site's format, */
	const char *around;	/* and are part of the site's size */
};

/* An argument of a site that is simple. */
struct evl_value {
	union {
		u64 number;
		const char *string;
	};
	u32 size;		/* bytes of a string */
};

/* Those that were taken off a list. */
struct evl_values {
	unsigned int number;
	size_t size;		/* what their strings need */
	struct evl_value value[EVL_SITE_ARGUMENTS];
};

/* Messages of printk() are a group of their own. */
static inline unsigned int evl_group(const struct evl_event *event)
{
	return event->flags & EVL_FLAG_PRINTK ? KERROR_GROUP_PRINTK :
	       KERROR_GROUP_EVLOG;
}

bool evl_next(const char *fmt, struct evl_conversion *conversion);
bool evl_is_taken(const struct evl_conversion *conversion);
bool evl_is_64bit(const struct evl_conversion *conversion);
bool evl_is_format(const struct evl_conversion *conversion);
bool evl_put_arguments(struct evl_writer *writer, const char *fmt,
		       struct evl_arguments *args, bool last);
u32 evl_crc(const char *text, size_t len);
void evl_site_learn(struct evl_site *site, const char *facility,
		    const char *fmt);
int evl_begin(struct kerror_reservation *reservation, size_t room,
	      const struct evl_event *event);
void evl_end(struct kerror_reservation *reservation, size_t used,
	     bool truncated);
bool evl_take_values(struct evl_values *values, const struct evl_site *site,
		     struct evl_arguments *args);
int evl_record_values(const struct evl_event *event,
		      const struct evl_values *values);
int evl_record(const struct evl_event *event, va_list list);

/* Whether all fits, so that nothing has to be cut. */
static inline bool evl_values_fit(const struct evl_values *values,
				  const struct evl_site *site)
{
	return site->size + site->room + values->size <= EVL_VARIABLE_MAX;
}

static inline u8 *evl_variable(struct kerror_reservation *reservation)
{
	const struct evl_header *header = reservation->data;

	return reservation->data + sizeof(*header) + header->device_size;
}

#endif
