// SPDX-License-Identifier: GPL-2.0-only
/*
 * evlog: events with a format, typed arguments and the context they arose in.
 *
 * Called by drivers through <linux/evlog.h>. Writes each event straight into
 * the staging of the transport (net/netlink/kerror.c), in the layout that
 * <uapi/linux/evlog.h> specifies. The format string is not expanded: its
 * arguments are recorded one by one, so that user space gets values. Only what
 * user space cannot expand, the extensions of %p, is expanded here.
 *
 * Promise: safe in any context, NMI included; no lock, no allocation, no wait.
 * The vsnprintf() of this kernel, given the same call, makes the text that a
 * reader makes from the record.
 */
#include <linux/align.h>
#include <linux/cred.h>
#include <linux/crc32.h>
#include <linux/ctype.h>
#include <linux/evlog.h>
#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include "evlog_device.h"
#include "evlog_internal.h"

/* vsnprintf() keeps 24 and 16 bits of them. */
#define EVL_WIDTH_MAX		((1 << 23) - 1)
#define EVL_PRECISION_MAX	((1 << 15) - 1)

/* Longest conversion that is expanded here, such as "%-08.4pISpfsc". */
#define EVL_CONVERSION_MAX	64

/*
 * With CONFIG_INIT_STACK_ALL_ZERO, which is usual, a variable is cleared where it
 * is declared. That would cost a caller more than to fill in those that
 * are marked __uninitialized, each of which is written before it is read.
 */

/* ------------------------------------------------------------------ */
/* The format string. */

static const char *evl_number(const char *fmt, bool *argument, int *number)
{
	if (*fmt == '*') {
		*argument = true;
		return fmt + 1;
	}
	if (isdigit(*fmt)) {
		*number = 0;
		while (isdigit(*fmt))
			*number = min(*number * 10 + (*fmt++ - '0'),
				      EVL_WIDTH_MAX + 1);
	}
	return fmt;
}

/* Finds the next conversion at or behind @fmt. */
bool evl_next(const char *fmt, struct evl_conversion *conversion)
{
	fmt = strchr(fmt, '%');
	if (!fmt)
		return false;
	*conversion = (struct evl_conversion) {
		.start = fmt, .width = -1, .precision = -1,
	};
	do {
		fmt++;
		conversion->left |= *fmt == '-';
	} while (*fmt && strchr("-+ #0", *fmt));
	fmt = evl_number(fmt, &conversion->width_argument, &conversion->width);
	if (*fmt == '.')
		fmt = evl_number(fmt + 1, &conversion->precision_argument,
				 &conversion->precision);
	if (*fmt && strchr("hlLzt", *fmt)) {
		conversion->qualifier = *fmt++;
		if (*fmt == conversion->qualifier &&
		    (*fmt == 'h' || *fmt == 'l'))
			conversion->qualifier = toupper(*fmt++);
	}
	if (*fmt && strchr("diuoxXcsp%", *fmt))
		conversion->letter = *fmt++;
	if (conversion->letter == 'p')
		while (isalnum(*fmt))
			fmt++;
	conversion->end = fmt;
	return true;
}

bool evl_is_64bit(const struct evl_conversion *conversion)
{
	return conversion->qualifier == 'L' ||
	       (BITS_PER_LONG == 64 && conversion->qualifier &&
		strchr("lzt", conversion->qualifier));
}

/* False for what vsnprintf() does not take, or what it makes nonsense of. */
bool evl_is_taken(const struct evl_conversion *conversion)
{
	if (conversion->letter == '%' &&
	    (conversion->width_argument || conversion->precision_argument))
		return false;
	/* What is longer up to its letter could not be isolated. */
	return conversion->letter &&
	       conversion->width <= EVL_WIDTH_MAX &&
	       conversion->precision <= EVL_PRECISION_MAX &&
	       strcspn(conversion->start + 1, "diuoxXcsp%") <
	       EVL_CONVERSION_MAX / 2;
}

/* Whether it stands for a format and its arguments. */
bool evl_is_format(const struct evl_conversion *conversion)
{
	const char *p = conversion->end - 2;

	return conversion->letter == 'p' && p[0] == 'p' && p[1] == 'V' &&
	       !conversion->width_argument && !conversion->precision_argument;
}

/* ------------------------------------------------------------------ */
/* Recording. */

/*
 * Adds an argument, or as much of it as fits if @divisible. Returns false if
 * it was cut or absent: then no further one may follow.
 */
static bool evl_put(struct evl_writer *writer, u8 type, u8 flags,
		    const void *value, size_t size, bool divisible)
{
	struct evl_argument argument = { .type = type, .flags = flags };
	size_t room = writer->limit - writer->at;

	if (ALIGN(sizeof(argument) + size, 4) > room) {
		writer->truncated = true;
		if (!divisible || room < sizeof(argument) + 4)
			return false;
		size = ALIGN_DOWN(room - sizeof(argument), 4);
	}
	argument.size = size;
	if (writer->data) {
		memcpy(writer->data + writer->at, &argument, sizeof(argument));
		/* NULL if the value is there already */
		if (value)
			memcpy(writer->data + writer->at + sizeof(argument),
			       value, size);
	}
	writer->at += ALIGN(sizeof(argument) + size, 4);
	return !writer->truncated;
}

static bool evl_put_string(struct evl_writer *writer,
			   const struct evl_conversion *conversion,
			   const char *string, bool last)
{
	size_t size, most = EVL_VARIABLE_MAX;
	char shown[16];

	/* As vsnprintf(): the first page and the last are no strings. */
	if ((unsigned long)string < PAGE_SIZE || IS_ERR_VALUE(string)) {
		size = scnprintf(shown, sizeof(shown), "%s", string);
		return evl_put(writer, EVL_ARG_STRING, EVL_ARG_FLAG_INVALID,
			       shown, size, true);
	}
	/* With a precision, what is behind it may not be readable. */
	if (conversion->precision >= 0)
		most = min_t(size_t, most, conversion->precision);
	size = strnlen(string, most);
	string += min_t(size_t, writer->skip, size);
	size -= min_t(size_t, writer->skip, size);
	writer->skip = 0;
	if (last && size && string[size - 1] == '\n' &&
	    conversion->width < 0 && !conversion->width_argument) {
		size--;
		writer->ended = true;
	}
	return evl_put(writer, EVL_ARG_STRING, 0, string, size, true);
}

/*
 * Calls snprintf() for one conversion that stands alone in @fmt, with the
 * values of its '*' from @c.
 */
#define evl_snprintf(buffer, size, fmt, conversion, value)		\
({									\
	const struct evl_conversion *__c = (conversion);		\
	typeof(value) __v = (value);					\
	const char *__f = (fmt);					\
	char *__b = (buffer);						\
	size_t __s = (size);						\
	int __n;							\
									\
	if (__c->width_argument && __c->precision_argument)		\
		__n = snprintf(__b, __s, __f, __c->width, __c->precision, __v); \
	else if (__c->width_argument)					\
		__n = snprintf(__b, __s, __f, __c->width, __v);		\
	else if (__c->precision_argument)				\
		__n = snprintf(__b, __s, __f, __c->precision, __v);	\
	else								\
		__n = snprintf(__b, __s, __f, __v);			\
	__n;								\
})

/* Copies one conversion. */
static void evl_isolate(char *fmt, const struct evl_conversion *conversion)
{
	strscpy(fmt, conversion->start,
		min_t(size_t, EVL_CONVERSION_MAX,
		      conversion->end - conversion->start + 1));
}

static bool evl_put_pointer(struct evl_writer *writer,
			    const struct evl_conversion *conversion,
			    const void *pointer)
{
	size_t start = writer->at + sizeof(struct evl_argument);
	size_t room = writer->limit > start ? writer->limit - start : 0;
	char hashed[2 * sizeof(pointer) + 8];
	char fmt[EVL_CONVERSION_MAX];
	unsigned long value;
	int size;

	/* Without an extension, some of which end in p, too. */
	if (strchr(conversion->start, 'p') + 1 == conversion->end) {
		snprintf(hashed, sizeof(hashed), "%p", pointer);
		/* Early in boot there is no hash yet but a text that says so. */
		if (!kstrtoul(hashed, 16, &value))
			return evl_put(writer, EVL_ARG_POINTER, 0, &value,
				       sizeof(value), false);
	}
	evl_isolate(fmt, conversion);
	if (!writer->data) {
		size = evl_snprintf(NULL, 0, fmt, conversion, pointer);
		return evl_put(writer, EVL_ARG_TEXT, 0, NULL, size + 1, true);
	}
	size = evl_snprintf((char *)writer->data + start, room, fmt, conversion,
			    pointer);
	if (size >= room && room) {
		/* The last byte that was written is the NUL: no text. */
		evl_put(writer, EVL_ARG_TEXT, 0, NULL, room - 1, true);
		writer->truncated = true;
		return false;
	}
	return evl_put(writer, EVL_ARG_TEXT, 0, NULL, size, true);
}

static u8 evl_integer_type(const struct evl_conversion *conversion)
{
	bool is_signed = conversion->letter == 'd' || conversion->letter == 'i';

	if (evl_is_64bit(conversion))
		return is_signed ? EVL_ARG_S64 : EVL_ARG_U64;
	return is_signed ? EVL_ARG_S32 : EVL_ARG_U32;
}

static bool evl_put_integer(struct evl_writer *writer,
			    const struct evl_conversion *conversion,
			    struct evl_arguments *args)
{
	u8 type = evl_integer_type(conversion);
	u64 value64;
	u32 value32;

	if (evl_is_64bit(conversion)) {
		value64 = va_arg(args->list, u64);	/* long, or long long */
		return evl_put(writer, type, 0, &value64, sizeof(value64),
			       false);
	}
	value32 = va_arg(args->list, u32);	/* int, or long of 32 bits */
	return evl_put(writer, type, 0, &value32, sizeof(value32), false);
}

/*
 * Adds the arguments of @fmt. If writer->splice, those of a %pV take its place,
 * and the newline that ends the message is not recorded; @last: @fmt ends it.
 */
bool evl_put_arguments(struct evl_writer *writer, const char *fmt,
		       struct evl_arguments *args, bool last)
{
	struct evl_conversion conversion __uninitialized;
	struct evl_arguments inner;
	struct va_format *format;
	bool fits = true;
	int number;
	u8 byte;

	while (fits && evl_next(fmt, &conversion)) {
		fmt = conversion.end;
		if (conversion.width_argument) {
			number = va_arg(args->list, int);
			conversion.width = number;
			if (!evl_put(writer, EVL_ARG_WIDTH, 0, &number,
				     sizeof(number), false))
				return false;
		}
		if (conversion.precision_argument) {
			number = va_arg(args->list, int);
			conversion.precision = max(number, 0);
			if (!evl_put(writer, EVL_ARG_PRECISION, 0, &number,
				     sizeof(number), false))
				return false;
		}
		switch (conversion.letter) {
		case '%':
			break;
		case 'c':
			byte = va_arg(args->list, int);
			fits = evl_put(writer, EVL_ARG_CHAR, 0, &byte, 1,
				       false);
			break;
		case 's':
			fits = evl_put_string(writer, &conversion,
					      va_arg(args->list, char *),
					      last && !*fmt);
			break;
		case 'p':
			if (!writer->splice || !evl_is_format(&conversion)) {
				fits = evl_put_pointer(writer, &conversion,
						       va_arg(args->list, void *));
				break;
			}
			format = va_arg(args->list, struct va_format *);
			va_copy(inner.list, *format->va);
			fits = evl_put_arguments(writer, format->fmt, &inner,
						 last && !*fmt);
			va_end(inner.list);
			break;
		default:
			fits = evl_put_integer(writer, &conversion, args);
		}
	}
	return fits;
}

/* zlib's CRC-32. */
u32 evl_crc(const char *text, size_t len)
{
	return ~crc32_le(~0U, (const u8 *)text, len);
}

/* ------------------------------------------------------------------ */
/* Sites: what facility and format are, found out once. */

/* @fmt is NULL for an event without one. */
void evl_site_learn(struct evl_site *site, const char *facility,
		    const char *fmt)
{
	struct evl_conversion conversion;
	size_t length = strlen(facility);

	site->facility = facility;
	site->facility_hash = evl_crc(facility, length);
	site->facility_cut = length >= EVL_FACILITY_SIZE;
	site->facility_size = min_t(size_t, length, EVL_FACILITY_SIZE - 1);
	site->fmt = fmt;
	if (!fmt)
		return;
	length = strlen(fmt);
	if (length && fmt[length - 1] == '\n')
		length--;
	site->event_id = evl_crc(fmt, length);
	site->size = min_t(size_t, length + 1, EVL_VARIABLE_MAX);
	site->fmt_cut = length >= EVL_VARIABLE_MAX;
	site->simple = !site->fmt_cut;
	while (evl_next(fmt, &conversion)) {
		u8 type;

		fmt = conversion.end;
		if (!evl_is_taken(&conversion)) {
			site->bound = -EINVAL;
			site->simple = false;
			return;
		}
		if (conversion.letter == 's' || conversion.letter == 'p')
			site->bound = EVL_VARIABLE_MAX;
		/* width, precision, 64 bits */
		site->bound = min(site->bound + 8 + 8 + 12,
				  2 * EVL_VARIABLE_MAX);
		if (conversion.letter == '%')
			continue;
		if (conversion.letter == 'p' || conversion.width_argument ||
		    conversion.precision_argument ||
		    (conversion.letter == 's' && conversion.precision >= 0) ||
		    site->arguments == EVL_SITE_ARGUMENTS) {
			site->simple = false;
			continue;
		}
		type = conversion.letter == 's' ? EVL_ARG_STRING :
		       conversion.letter == 'c' ? EVL_ARG_CHAR :
		       evl_integer_type(&conversion);
		site->types[site->arguments++] = type;
		site->room += type == EVL_ARG_STRING ? 4 :
			      type == EVL_ARG_S64 || type == EVL_ARG_U64 ? 12 : 8;
	}
}

/*
 * Returns @site, or @own if that is not, or not yet, about this facility and
 * format: a call that was made part of two others has one site for both.
 */
static const struct evl_site *evl_site_get(struct evl_site *site,
					   struct evl_site *own,
					   const char *facility,
					   const char *fmt)
{
	if (site && smp_load_acquire(&site->ready)) { /* pairs with (D) */
		if (site->facility == facility && site->fmt == fmt)
			return site;
	} else if (site && !in_nmi() && !xchg(&site->claimed, 1)) {
		evl_site_learn(site, facility, fmt);
		/* (D) who sees it ready sees the rest */
		smp_store_release(&site->ready, 1);
		return site;
	}
	memset(own, 0, sizeof(*own));
	evl_site_learn(own, facility, fmt);
	return own;
}

/* ------------------------------------------------------------------ */
/* The event. */

/* What every event begins with; on success evl_end() must follow. */
int evl_begin(struct kerror_reservation *reservation, size_t room,
	      const struct evl_event *event)
{
	const struct evl_site *site = event->site;
	const char *device = event->device;
	char name[EVL_DEVICE_MAX] __uninitialized;
	size_t device_size = 0;
	struct task_struct *task = current;
	struct evl_header *header;
	u32 flags = event->flags;
	int err;

	if (event->dev) {
		device_size = evl_device(event->dev, name);
		device = name;
	} else if (device) {
		device_size = strlen(device) + 1;
	}
	if (site->facility_cut || device_size > sizeof(name)) {
		device_size = min(device_size, sizeof(name));
		flags |= EVL_FLAG_TRUNCATED;
	}
	err = kerror_reserve(reservation, sizeof(*header) + device_size + room,
			     KERROR_STAMPED | evl_group(event));
	if (err)
		return err;
	/* The rest is zero already; the worker sets both times. */
	header = reservation->data;
	header->event_id = site->event_id;
	header->event_type = event->event_type;
	header->facility_hash = site->facility_hash;

	if (in_nmi())
		flags |= EVL_FLAG_NMI;
	if (in_hardirq())
		flags |= EVL_FLAG_INTERRUPT;
	if (in_serving_softirq())
		flags |= EVL_FLAG_SOFTIRQ;
	if (system_state < SYSTEM_RUNNING)
		flags |= EVL_FLAG_BOOT;
	if (oops_in_progress)
		flags |= EVL_FLAG_OOPS;
	header->flags = flags;
	header->cpu = raw_smp_processor_id();
	/* What a kuid is made of is its number in the initial namespace. */
	header->uid = __kuid_val(current_uid());
	header->gid = __kgid_val(current_gid());
	header->pid = task_tgid_nr(task);
	header->tid = task_pid_nr(task);
	header->magic = EVL_MAGIC;
	header->header_size = sizeof(*header);
	header->device_size = device_size;
	header->format_size = site->fmt ? site->size : 0;
	header->version = EVL_VERSION;
	header->severity = (unsigned int)event->severity > LOG_DEBUG ?
			   LOG_WARNING : event->severity;
	header->format = event->format;
	memcpy(header->comm, task->comm, sizeof(header->comm));
	header->comm[sizeof(header->comm) - 1] = '\0';
	memcpy(header->facility, site->facility, site->facility_size);
	if (device_size)
		memcpy(header + 1, device, device_size);
	return 0;
}

void evl_end(struct kerror_reservation *reservation, size_t used,
	     bool truncated)
{
	struct evl_header *header = reservation->data;

	header->variable_size = used;
	if (truncated)
		header->flags |= EVL_FLAG_TRUNCATED;
	kerror_commit(reservation,
		      sizeof(*header) + header->device_size + used);
}

/**
 * evl_write_at - evl_write() from a place that is always the same
 * @site: what is known of that place, or NULL
 * @facility: see evl_write()
 * @event_type: see evl_write()
 * @severity: see evl_write()
 * @buf: see evl_write()
 * @len: see evl_write()
 * @format: see evl_write()
 *
 * Context: any, NMI included.
 * Return: as evl_write().
 */
int evl_write_at(struct evl_site *site, const char *facility, int event_type,
		 int severity, const void *buf, size_t len, int format)
{
	struct kerror_reservation reservation __uninitialized;
	struct evl_site own __uninitialized;
	struct evl_event event = {
		.event_type = event_type,
		.severity = severity,
		.format = format,
	};
	size_t used;
	int err;

	if (!facility || format < EVL_FORMAT_NODATA ||
	    format > EVL_FORMAT_STRING ||
	    (format == EVL_FORMAT_NODATA ? len : len && !buf))
		return -EINVAL;
	event.site = evl_site_get(site, &own, facility, NULL);
	if (format == EVL_FORMAT_STRING && len)
		len = strnlen(buf, len);
	used = min_t(size_t, len, EVL_VARIABLE_MAX);
	err = evl_begin(&reservation, used, &event);
	if (err) {
		kerror_count_lost(KERROR_GROUP_EVLOG, reservation.cause);
		return err;
	}
	if (used)
		memcpy(evl_variable(&reservation), buf, used);
	evl_end(&reservation, used, used < len);
	return 0;
}
EXPORT_SYMBOL_GPL(evl_write_at);

/* evl_write() for who needs its address; <linux/evlog.h> describes it. */
int (evl_write)(const char *facility, int event_type, int severity,
		const void *buf, size_t len, int format)
{
	return evl_write_at(NULL, facility, event_type, severity, buf, len,
			    format);
}
EXPORT_SYMBOL_GPL(evl_write);

/*
 * Takes the arguments of @site off @args, but for those that @values has already.
 * Returns false if one has to be looked at more closely.
 */
bool evl_take_values(struct evl_values *values, const struct evl_site *site,
		     struct evl_arguments *args)
{
	struct evl_value *value = &values->value[values->number];

	for (; values->number < site->arguments; values->number++, value++) {
		switch (site->types[values->number]) {
		case EVL_ARG_S64:
		case EVL_ARG_U64:
			value->number = va_arg(args->list, u64);
			break;
		case EVL_ARG_STRING:
			value->string = va_arg(args->list, char *);
			if ((unsigned long)value->string < PAGE_SIZE ||
			    IS_ERR_VALUE(value->string))
				return false;
			value->size = strnlen(value->string, EVL_VARIABLE_MAX);
			values->size += ALIGN(value->size, 4);
			break;
		default:
			value->number = va_arg(args->list, u32);
		}
	}
	return true;
}

/* One as it is recorded, at any address. */
struct evl_recorded {
	struct evl_argument head;
	union {
		u8 bytes[8];
		u32 number32;
		u64 number64;
	};
} __packed;

/* Writes them to where all is zero and there is room for them. */
static void evl_put_values(const struct evl_site *site,
			   const struct evl_values *values, u8 *to)
{
	const struct evl_value *value = values->value;
	struct evl_recorded *recorded;
	unsigned int i, size;

	for (i = 0; i < site->arguments; i++, value++) {
		recorded = (void *)to;
		switch (site->types[i]) {
		case EVL_ARG_S64:
		case EVL_ARG_U64:
			size = 8;
			recorded->number64 = value->number;
			break;
		case EVL_ARG_STRING:
			size = value->size;
			memcpy(recorded->bytes, value->string, size);
			break;
		case EVL_ARG_CHAR:
			size = 1;
			recorded->bytes[0] = value->number;
			break;
		default:
			size = 4;
			recorded->number32 = value->number;
		}
		recorded->head.type = site->types[i];
		recorded->head.size = size;
		to += sizeof(recorded->head) + ALIGN(size, 4);
	}
}

/*
 * Records arguments of any kind. Reserves room for what may come. If there is
 * no such room, for what does come: that takes a look at each argument more.
 */
static int evl_vprintf_any(const struct evl_event *event, va_list list)
{
	const struct evl_site *site = event->site;
	struct kerror_reservation reservation __uninitialized;
	struct evl_arguments args;
	struct evl_writer writer = {
		.limit = min_t(size_t, ALIGN(site->size, 4) + site->bound,
			       EVL_VARIABLE_MAX),
	};
	int err = evl_begin(&reservation, writer.limit, event);

	if (err == -ENOBUFS && site->bound >= EVL_VARIABLE_MAX) {
		writer.at = site->size;
		va_copy(args.list, list);
		evl_put_arguments(&writer, site->fmt, &args, false);
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
	memcpy(writer.data, site->fmt, site->size - 1);
	writer.at = site->size;
	if (site->fmt_cut) {
		writer.truncated = true;
	} else {
		va_copy(args.list, list);
		evl_put_arguments(&writer, site->fmt, &args, false);
		va_end(args.list);
	}
	/* What was cut off may have been written. */
	if (writer.truncated)
		memset(writer.data + writer.at, 0, writer.limit - writer.at);
	evl_end(&reservation, writer.at, writer.truncated);
	return 0;
}

/* Records an event of a site that is simple. */
int evl_record_values(const struct evl_event *event,
		      const struct evl_values *values)
{
	const struct evl_site *site = event->site;
	size_t size = site->size + site->room + values->size;
	struct kerror_reservation reservation __uninitialized;
	int err = evl_begin(&reservation, size, event);
	u8 *to;

	if (err) {
		kerror_count_lost(evl_group(event), reservation.cause);
		return err;
	}
	to = evl_variable(&reservation);
	if (event->before)
		memcpy(to, event->around, event->before);
	memcpy(to + event->before, site->fmt, site->size - 1 - event->before);
	evl_put_values(site, values, to + site->size);
	evl_end(&reservation, size, false);
	return 0;
}

/* Records an event of which all but the arguments is known. */
int evl_record(const struct evl_event *event, va_list list)
{
	const struct evl_site *site = event->site;
	struct evl_values values __uninitialized;
	struct evl_arguments args;
	bool taken = true;

	if (site->bound < 0)
		return site->bound;
	if (!site->simple)
		return evl_vprintf_any(event, list);
	values.number = 0;
	values.size = 0;
	if (site->arguments) {
		va_copy(args.list, list);
		taken = evl_take_values(&values, site, &args) &&
			evl_values_fit(&values, site);
		va_end(args.list);
	}
	return taken ? evl_record_values(event, &values) :
		       evl_vprintf_any(event, list);
}

static __printf(6, 0)
int evl_vprintf_at(struct evl_site *known, const struct device *dev,
		   const char *facility, int event_type, int severity,
		   const char *fmt, va_list list)
{
	struct evl_site own __uninitialized;
	struct evl_event event = {
		.dev = dev,
		.event_type = event_type,
		.severity = severity,
		.format = EVL_FORMAT_PRINTF,
	};

	if (!facility || !fmt)
		return -EINVAL;
	event.site = evl_site_get(known, &own, facility, fmt);
	return evl_record(&event, list);
}

/**
 * evl_printf_at - evl_printf() from a place that is always the same
 * @site: what is known of that place, or NULL
 * @dev: see dev_evl_printf()
 * @facility: see evl_vprintf()
 * @event_type: see evl_vprintf()
 * @severity: see evl_vprintf()
 * @fmt: see evl_vprintf()
 *
 * Context: any, NMI included.
 * Return: as evl_vprintf().
 */
int evl_printf_at(struct evl_site *site, const struct device *dev,
		  const char *facility, int event_type, int severity,
		  const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = evl_vprintf_at(site, dev, facility, event_type, severity, fmt,
			     args);
	va_end(args);
	return err;
}
EXPORT_SYMBOL_GPL(evl_printf_at);

/**
 * evl_vprintf - raise an event with a format and a list of arguments
 * @facility: name of the driver or subsystem; 59 characters are kept
 * @event_type: the driver's number for this kind of event, or 0 to have it
 *	known by the CRC of @fmt
 * @severity: LOG_EMERG to LOG_DEBUG; another one is taken as LOG_WARNING
 * @fmt: as for printk(), without a level; a newline at its end is dropped
 * @args: its arguments
 *
 * Context: any, NMI included; what %p extensions do must be allowed there.
 * Return: 0; -EINVAL if @fmt has %n or another conversion that vsnprintf() does
 * not take, or for a NULL; -ENOBUFS if there was no room, which readers are
 * told; -ENOSYS without CONFIG_EVLOG.
 */
int evl_vprintf(const char *facility, int event_type, int severity,
		const char *fmt, va_list args)
{
	return evl_vprintf_at(NULL, NULL, facility, event_type, severity, fmt,
			      args);
}
EXPORT_SYMBOL_GPL(evl_vprintf);

/* evl_printf() for who needs its address; <linux/evlog.h> describes it. */
int (evl_printf)(const char *facility, int event_type, int severity,
		 const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = evl_vprintf_at(NULL, NULL, facility, event_type, severity, fmt,
			     args);
	va_end(args);
	return err;
}
EXPORT_SYMBOL_GPL(evl_printf);

/* dev_evl_printf() for who needs its address; <linux/evlog.h> describes it. */
int (dev_evl_printf)(const struct device *dev, const char *facility,
		     int event_type, int severity, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = evl_vprintf_at(NULL, dev, facility, event_type, severity, fmt,
			     args);
	va_end(args);
	return err;
}
EXPORT_SYMBOL_GPL(dev_evl_printf);

/**
 * evl_suppressed - count an event that a rate limit left out
 *
 * For evl_ratelimited(). Context: any, NMI included.
 * Return: -EBUSY.
 */
int evl_suppressed(void)
{
	kerror_count_lost(KERROR_GROUP_EVLOG, KERROR_LOST_RATE_LIMIT);
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(evl_suppressed);

/* ------------------------------------------------------------------ */
/* Paraphrase: how an event looks in the kernel log when nobody listens. */

/* The longest text that printk() takes anyhow. */
static char evl_text[1024];

/* Takes the next argument of @type from @at; returns NULL if it is absent. */
static const void *evl_take(const u8 **at, const u8 *end,
			    struct evl_argument *argument)
{
	const u8 *value = *at + sizeof(*argument);

	if (end - *at < (ptrdiff_t)sizeof(*argument))
		return NULL;
	memcpy(argument, *at, sizeof(*argument));
	*at += ALIGN(sizeof(*argument) + argument->size, 4);
	return *at > end ? NULL : value;
}

/* Expands one conversion with the arguments at @at; false: one is absent. */
static bool evl_render_conversion(char *text, size_t size,
				  struct evl_conversion *conversion,
				  const u8 **at, const u8 *end)
{
	char fmt[EVL_CONVERSION_MAX + 4];
	struct evl_argument argument;
	const void *value;
	u32 value32;
	u64 value64;

	for (;;) {
		value = evl_take(at, end, &argument);
		if (!value)
			return false;
		if (argument.type == EVL_ARG_WIDTH)
			memcpy(&conversion->width, value, sizeof(int));
		else if (argument.type == EVL_ARG_PRECISION)
			memcpy(&conversion->precision, value, sizeof(int));
		else
			break;
	}
	conversion->precision = conversion->precision_argument ?
		max(conversion->precision, 0) : conversion->precision;
	evl_isolate(fmt, conversion);
	switch (argument.type) {
	case EVL_ARG_TEXT:
		snprintf(text, size, "%.*s", argument.size, (char *)value);
		break;
	case EVL_ARG_STRING:
		if (conversion->width < 0 && !conversion->width_argument)
			conversion->width = 0;
		if (conversion->left)
			conversion->width = -abs(conversion->width);
		if (conversion->precision < 0 ||
		    conversion->precision > argument.size)
			conversion->precision = argument.size;
		snprintf(text, size, "%*.*s", conversion->width,
			 conversion->precision, (char *)value);
		break;
	case EVL_ARG_POINTER: {
		unsigned long hashed;

		memcpy(&hashed, value, sizeof(hashed));
		memcpy(strchr(fmt, 'p'), "lx", 3);
		if (conversion->width < 0 && !conversion->width_argument) {
			char *behind = fmt + 1 + strspn(fmt + 1, "-+ #0");

			memmove(behind + 3, behind, strlen(behind) + 1);
			memcpy(behind, sizeof(hashed) == 8 ? "016" : "008", 3);
		}
		evl_snprintf(text, size, fmt, conversion, hashed);
		break;
	}
	case EVL_ARG_CHAR:
		evl_snprintf(text, size, fmt, conversion, *(u8 *)value);
		break;
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		memcpy(&value64, value, sizeof(value64));
		if (conversion->qualifier == 'L')
			evl_snprintf(text, size, fmt, conversion, value64);
		else
			evl_snprintf(text, size, fmt, conversion,
				     (unsigned long)value64);
		break;
	default:
		memcpy(&value32, value, sizeof(value32));
		evl_snprintf(text, size, fmt, conversion, value32);
	}
	return true;
}

/* Expands @fmt with the arguments from @at to @end into @text. */
static void evl_render(char *text, size_t size, const char *fmt, const u8 *at,
		       const u8 *end)
{
	struct evl_conversion conversion;
	size_t used = 0;

	while (evl_next(fmt, &conversion)) {
		used += scnprintf(text + used, size - used, "%.*s",
				  (int)(conversion.start - fmt), fmt);
		fmt = conversion.end;
		if (conversion.letter == '%')
			used += scnprintf(text + used, size - used, "%%");
		else if (!conversion.letter ||
			 !evl_render_conversion(text + used, size - used,
						&conversion, &at, end))
			return;
		used += strlen(text + used);
	}
	scnprintf(text + used, size - used, "%s", fmt);
}

static const char * const evl_levels[] = {
	KERN_EMERG, KERN_ALERT, KERN_CRIT, KERN_ERR,
	KERN_WARNING, KERN_NOTICE, KERN_INFO, KERN_DEBUG,
};

/* printk() whose level is an argument. */
static __printf(1, 2)
void evl_printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

/* Called by the drain worker, one event at a time, or in a panic. */
static bool evl_paraphrase(const void *data, size_t len)
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

/* A test event, for whoever wants to see that events arrive. */
static unsigned int evl_test_number;

static int evl_test_set(const char *value, const struct kernel_param *kp)
{
	int err = param_set_uint(value, kp);

	if (err)
		return err;
	return evl_notice("test event %u, asked for by user space\n",
			  evl_test_number);
}

static const struct kernel_param_ops evl_test_ops = {
	.set = evl_test_set,
};

module_param_cb(test, &evl_test_ops, &evl_test_number, 0200);
MODULE_PARM_DESC(test, "write a number: raises a test event with it");

static int __init evl_init(void)
{
	kerror_set_printer(evl_paraphrase);
	return 0;
}
early_initcall(evl_init);

#ifdef CONFIG_EVLOG_KUNIT_TEST
#include "evlog_kunit.c"
#endif
