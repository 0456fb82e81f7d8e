// SPDX-License-Identifier: GPL-2.0-only
/*
 * evlog: events with a format, typed arguments and the context they arose in.
 *
 * Drivers call evl_printf() and evl_write() through <linux/evlog.h>. This file
 * is that interface. It reserves a record in the ring of the transport
 * (net/netlink/kerror.c) and writes the header that <uapi/linux/evlog.h>
 * specifies. evlog_callsite.c knows the format, and evlog_args.c records the
 * arguments one by one, so that user space gets values. Only the extensions of
 * %p, which user space cannot expand, become text here.
 *
 * Promise: safe in any context, NMI included; no lock, no allocation, no wait.
 * A reader makes the text from the record that vsnprintf() of this kernel makes
 * from the same call.
 */
#include <linux/cred.h>
#include <linux/evlog.h>
#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include "evlog_device.h"
#include "evlog_fast.h"

/*
 * Reserves a record with @size bytes for the variable part, and writes the header
 * and the device. If it returns 0, the caller has to call evl_end().
 */
int evl_begin(struct kerror_reservation *reservation, size_t size,
	      const struct evl_event *event)
{
	const char *device = event->device;
	char name[EVL_DEVICE_MAX] __uninitialized;
	size_t device_size = 0;

	if (event->dev) {
		device_size = evl_device(event->dev, name);
		device = name;
	} else if (device) {
		device_size = strlen(device) + 1;
	}
	return evl_start(reservation, size, event, device, device_size);
}

/**
 * evl_write_at - evl_write() from one place in the source
 * @callsite: what is computed once for that place, or NULL
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
int evl_write_at(struct evl_callsite *callsite, const char *facility,
		 int event_type, int severity, const void *buf, size_t len,
		 int format)
{
	struct kerror_reservation reservation __uninitialized;
	struct evl_callsite own __uninitialized;
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
	event.callsite = evl_callsite_get(callsite, &own, facility, NULL);
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

/* Out-of-line evl_write(), for callers that take its address. */
int (evl_write)(const char *facility, int event_type, int severity,
		const void *buf, size_t len, int format)
{
	return evl_write_at(NULL, facility, event_type, severity, buf, len,
			    format);
}
EXPORT_SYMBOL_GPL(evl_write);

static __printf(6, 0)
int evl_vprintf_at(struct evl_callsite *callsite, const struct device *dev,
		   const char *facility, int event_type, int severity,
		   const char *fmt, va_list list)
{
	struct evl_callsite own __uninitialized;
	struct evl_event event __uninitialized;

	if (!facility || !fmt)
		return -EINVAL;
	/* One by one: to clear it all first would cost more. */
	event.callsite = evl_callsite_get(callsite, &own, facility, fmt);
	event.dev = dev;
	event.device = NULL;
	event.event_type = event_type;
	event.severity = severity;
	event.flags = 0;
	event.format = EVL_FORMAT_PRINTF;
	event.prefix_size = 0;
	return evl_record(&event, list);
}

/**
 * evl_printf_at - evl_printf() from one place in the source
 * @callsite: what is computed once for that place, or NULL
 * @dev: see dev_evl_printf()
 * @facility: see evl_vprintf()
 * @event_type: see evl_vprintf()
 * @severity: see evl_vprintf()
 * @fmt: see evl_vprintf()
 *
 * Context: any, NMI included.
 * Return: as evl_vprintf().
 */
int evl_printf_at(struct evl_callsite *callsite, const struct device *dev,
		  const char *facility, int event_type, int severity,
		  const char *fmt, ...)
{
	struct evl_event event = {
		.callsite = callsite,
		.dev = dev,
		.event_type = event_type,
		.severity = severity,
		.format = EVL_FORMAT_PRINTF,
	};
	struct evl_values values __uninitialized;
	struct evl_arguments args __uninitialized;
	bool fetched;
	int err;

	if (likely(evl_callsite_is(callsite, facility, fmt) &&
		   callsite->simple)) {
		va_start(args.list, fmt);
		fetched = evl_fetch_row(&values, callsite, &args) &&
			  evl_values_fit(&values, callsite);
		va_end(args.list);
		if (likely(fetched))
			return evl_record_fetched(&event, &values);
	}
	va_start(args.list, fmt);
	err = evl_vprintf_at(callsite, dev, facility, event_type, severity, fmt,
			     args.list);
	va_end(args.list);
	return err;
}
EXPORT_SYMBOL_GPL(evl_printf_at);

/**
 * evl_vprintf - raise an event with a format and a list of arguments
 * @facility: name of the driver or subsystem; 59 characters are kept
 * @event_type: the driver's number for this kind of event, or 0: the CRC of
 *	@fmt identifies it
 * @severity: LOG_EMERG to LOG_DEBUG; another one is taken as LOG_WARNING
 * @fmt: as for printk(), without a level; a newline at its end is dropped
 * @args: its arguments
 *
 * Context: any, NMI included; what %p extensions do must be allowed there.
 * Return: 0; -EINVAL if @fmt has %n or another conversion that vsnprintf() does
 * not support, or for a NULL; -ENOBUFS if there was no space, which readers are
 * told; -ENOSYS without CONFIG_EVLOG.
 */
int evl_vprintf(const char *facility, int event_type, int severity,
		const char *fmt, va_list args)
{
	return evl_vprintf_at(NULL, NULL, facility, event_type, severity, fmt,
			      args);
}
EXPORT_SYMBOL_GPL(evl_vprintf);

/* Out-of-line evl_printf(), for callers that take its address. */
int (evl_printf)(const char *facility, int event_type, int severity,
		 const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = evl_vprintf(facility, event_type, severity, fmt, args);
	va_end(args);
	return err;
}
EXPORT_SYMBOL_GPL(evl_printf);

/* Out-of-line dev_evl_printf(), for callers that take its address. */
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

/* Raises a test event, so that an administrator sees whether events arrive. */
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
	kerror_set_printer(evl_print_event);
	return 0;
}
early_initcall(evl_init);
