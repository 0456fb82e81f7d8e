/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Error events of drivers: what happened, how bad it is, and the values, as
 * values, to the programs that listen on NETLINK_KERROR.
 *
 *	evl_err("link down, status %#x\n", status);
 *	dev_evl_warn(&pdev->dev, "queue %d stalled for %u ms\n", q, ms);
 *	evl_printf("ata", ATA_EVENT_CRC, LOG_ERR, "CRC error at %llu\n", lba);
 *	evl_write("sbp", SBP_SENSE, LOG_ERR, sense, 18, EVL_FORMAT_BINARY);
 *
 * Formats are those of printk(). All may be called from any context, NMI and
 * early boot included, and do not sleep. kernel/evlog*.c implements them, the
 * layout is in <uapi/linux/evlog.h>, the guide is Documentation/kerror.txt.
 *
 * Without CONFIG_EVLOG all return -ENOSYS. Each argument is evaluated once.
 */
#ifndef _LINUX_EVLOG_H
#define _LINUX_EVLOG_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/stdarg.h>
#include <linux/types.h>
#include <uapi/linux/evlog.h>

/* Severities, as in syslog(3). */
#ifndef LOG_EMERG
#define LOG_EMERG	0
#define LOG_ALERT	1
#define LOG_CRIT	2
#define LOG_ERR		3
#define LOG_WARNING	4
#define LOG_NOTICE	5
#define LOG_INFO	6
#define LOG_DEBUG	7
#endif

struct device;

#ifdef CONFIG_EVLOG

/* A format with more arguments is parsed for each event. */
#define EVL_CALLSITE_ARGS	12

/**
 * struct evl_callsite - what is computed once per call with a constant text
 * @facility: the facility that the rest describes
 * @fmt: the format that the rest describes; NULL: there is none
 * @claimed: a caller fills this in, or has done so
 * @ready: all the rest is filled in
 * @facility_hash: CRC of @facility
 * @event_id: CRC of @fmt without its trailing newline
 * @args_max: most bytes that its arguments need, or -EINVAL
 * @strings: bits of those of @types that are %EVL_ARG_STRING
 * @fmt_size: bytes of @fmt that an event records, with a NUL
 * @facility_size: bytes of @facility that an event records, without NUL
 * @flags: %EVL_FLAG_TRUNCATED if @facility has more
 * @fmt_cut: @fmt has more
 * @simple: @types and @args_size say all about the arguments
 * @args: how many of @types are set
 * @args_size: bytes that the arguments need, except the bytes of strings
 * @types: EVL_ARG numbers
 *
 * Static memory of the caller, which goes when its module goes.
 */
struct evl_callsite {
	const char *facility;
	const char *fmt;
	int claimed;
	int ready;
	u32 facility_hash;
	u32 event_id;
	s16 args_max;
	u16 strings;
	u16 fmt_size;
	u8 facility_size;
	u8 flags;
	u8 fmt_cut;
	u8 simple;
	u8 args;
	u8 args_size;
	u8 types[EVL_CALLSITE_ARGS];
};

int evl_write(const char *facility, int event_type, int severity,
	      const void *buf, size_t len, int format);
int evl_write_at(struct evl_callsite *callsite, const char *facility,
		 int event_type, int severity, const void *buf, size_t len,
		 int format);
__printf(4, 5)
int evl_printf(const char *facility, int event_type, int severity,
	       const char *fmt, ...);
__printf(4, 0)
int evl_vprintf(const char *facility, int event_type, int severity,
		const char *fmt, va_list args);
__printf(5, 6)
int dev_evl_printf(const struct device *dev, const char *facility,
		   int event_type, int severity, const char *fmt, ...);
__printf(6, 7)
int evl_printf_at(struct evl_callsite *callsite, const struct device *dev,
		  const char *facility, int event_type, int severity,
		  const char *fmt, ...);
int evl_suppressed(void);

/*
 * Lists the event where the messages of printk() are listed
 * (CONFIG_PRINTK_INDEX), if its severity and format are constant.
 */
#define evl_index(severity, fmt)					\
	printk_index_subsys_emit("",					\
				 (severity) == LOG_EMERG ? KERN_EMERG :	\
				 (severity) == LOG_ALERT ? KERN_ALERT :	\
				 (severity) == LOG_CRIT ? KERN_CRIT :	\
				 (severity) == LOG_ERR ? KERN_ERR :	\
				 (severity) == LOG_NOTICE ? KERN_NOTICE : \
				 (severity) == LOG_INFO ? KERN_INFO :	\
				 (severity) == LOG_DEBUG ? KERN_DEBUG :	\
				 KERN_WARNING, fmt)

/*
 * The address of a static call site, or NULL. The functions named evl_write,
 * evl_printf and dev_evl_printf do without one: they compute its contents for
 * each event.
 */
#define evl_callsite_if(constant)					\
({									\
	static struct evl_callsite evl_callsite;			\
									\
	(constant) ? &evl_callsite : NULL;				\
})

/**
 * evl_write - raise an event with data of the caller's own
 * @facility: name of the driver or subsystem; 59 characters are kept
 * @event_type: the driver's number for this kind of event
 * @severity: LOG_EMERG to LOG_DEBUG; another one is taken as LOG_WARNING
 * @buf: the data
 * @len: its bytes; %EVL_VARIABLE_MAX are kept and more flagged as truncated
 * @format: %EVL_FORMAT_NODATA (@len is 0), %EVL_FORMAT_BINARY, or
 *	%EVL_FORMAT_STRING (a NUL ends it before @len)
 *
 * Context: any, NMI included.
 * Return: 0; -EINVAL for a @format that does not fit the data, or a NULL;
 * -ENOBUFS if there was no room, which readers are told; -ENOSYS without
 * CONFIG_EVLOG.
 */
#define evl_write(facility, event_type, severity, buf, len, format)	\
	evl_write_at(evl_callsite_if(__builtin_constant_p(facility)),	\
		     facility, event_type, severity, buf, len, format)

/**
 * evl_printf - raise an event with a format and arguments
 * @facility: see evl_vprintf()
 * @event_type: see evl_vprintf()
 * @severity: see evl_vprintf()
 * @fmt: see evl_vprintf()
 *
 * Context: any, NMI included.
 * Return: as evl_vprintf().
 */
#define evl_printf(facility, event_type, severity, fmt, ...)		\
	dev_evl_printf(NULL, facility, event_type, severity, fmt,	\
		       ##__VA_ARGS__)

/**
 * dev_evl_printf - raise an event about a device
 * @dev: the device, which is recorded; NULL: none
 * @facility: see evl_vprintf()
 * @event_type: see evl_vprintf()
 * @severity: see evl_vprintf()
 * @fmt: see evl_vprintf()
 *
 * Context: any, NMI included.
 * Return: as evl_vprintf().
 */
#define dev_evl_printf(dev, facility, event_type, severity, fmt, ...)	\
({									\
	evl_index(severity, fmt);					\
	evl_printf_at(evl_callsite_if(__builtin_constant_p(facility) &&	\
				      __builtin_constant_p(fmt)),	\
		      dev, facility, event_type, severity, fmt,		\
		      ##__VA_ARGS__);					\
})

#else /* CONFIG_EVLOG */

static inline int evl_write(const char *facility, int event_type, int severity,
			    const void *buf, size_t len, int format)
{
	return -ENOSYS;
}

static inline __printf(4, 5)
int evl_printf(const char *facility, int event_type, int severity,
	       const char *fmt, ...)
{
	return -ENOSYS;
}

static inline __printf(4, 0)
int evl_vprintf(const char *facility, int event_type, int severity,
		const char *fmt, va_list args)
{
	return -ENOSYS;
}

static inline __printf(5, 6)
int dev_evl_printf(const struct device *dev, const char *facility,
		   int event_type, int severity, const char *fmt, ...)
{
	return -ENOSYS;
}

static inline int evl_suppressed(void)
{
	return -ENOSYS;
}

#endif /* CONFIG_EVLOG */

/* A driver may define another name before it includes this. */
#ifndef EVL_FACILITY
#define EVL_FACILITY	KBUILD_MODNAME
#endif

/*
 * By severity, with EVL_FACILITY and the format's CRC as the kind of event.
 */
#define evl_emerg(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_EMERG, fmt, ##__VA_ARGS__)
#define evl_alert(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_ALERT, fmt, ##__VA_ARGS__)
#define evl_crit(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_CRIT, fmt, ##__VA_ARGS__)
#define evl_err(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_ERR, fmt, ##__VA_ARGS__)
#define evl_warn(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_WARNING, fmt, ##__VA_ARGS__)
#define evl_notice(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_NOTICE, fmt, ##__VA_ARGS__)
#define evl_info(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_INFO, fmt, ##__VA_ARGS__)
#define evl_debug(fmt, ...) \
	evl_printf(EVL_FACILITY, 0, LOG_DEBUG, fmt, ##__VA_ARGS__)

/* The same, about a device, which the event names. */
#define dev_evl_emerg(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_EMERG, fmt, ##__VA_ARGS__)
#define dev_evl_alert(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_ALERT, fmt, ##__VA_ARGS__)
#define dev_evl_crit(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_CRIT, fmt, ##__VA_ARGS__)
#define dev_evl_err(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_ERR, fmt, ##__VA_ARGS__)
#define dev_evl_warn(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_WARNING, fmt, ##__VA_ARGS__)
#define dev_evl_notice(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_NOTICE, fmt, ##__VA_ARGS__)
#define dev_evl_info(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_INFO, fmt, ##__VA_ARGS__)
#define dev_evl_debug(dev, fmt, ...) \
	dev_evl_printf(dev, EVL_FACILITY, 0, LOG_DEBUG, fmt, ##__VA_ARGS__)

/*
 * Makes @call, such as evl_err(...), at most DEFAULT_RATELIMIT_BURST times in
 * DEFAULT_RATELIMIT_INTERVAL from this place. Those left out are counted under
 * KERROR_LOST_RATE_LIMIT, which readers see in the stream, and return -EBUSY.
 */
#define evl_ratelimited(call)						\
({									\
	static struct ratelimit_state evl_limit =			\
		RATELIMIT_STATE_INIT_FLAGS(evl_limit,			\
					   DEFAULT_RATELIMIT_INTERVAL,	\
					   DEFAULT_RATELIMIT_BURST,	\
					   RATELIMIT_MSG_ON_RELEASE);	\
									\
	__ratelimit(&evl_limit) ? (call) : evl_suppressed();		\
})

#define evl_emerg_ratelimited(fmt, ...) \
	evl_ratelimited(evl_emerg(fmt, ##__VA_ARGS__))
#define evl_alert_ratelimited(fmt, ...) \
	evl_ratelimited(evl_alert(fmt, ##__VA_ARGS__))
#define evl_crit_ratelimited(fmt, ...) \
	evl_ratelimited(evl_crit(fmt, ##__VA_ARGS__))
#define evl_err_ratelimited(fmt, ...) \
	evl_ratelimited(evl_err(fmt, ##__VA_ARGS__))
#define evl_warn_ratelimited(fmt, ...) \
	evl_ratelimited(evl_warn(fmt, ##__VA_ARGS__))
#define evl_notice_ratelimited(fmt, ...) \
	evl_ratelimited(evl_notice(fmt, ##__VA_ARGS__))
#define evl_info_ratelimited(fmt, ...) \
	evl_ratelimited(evl_info(fmt, ##__VA_ARGS__))
#define evl_debug_ratelimited(fmt, ...) \
	evl_ratelimited(evl_debug(fmt, ##__VA_ARGS__))

#define dev_evl_emerg_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_emerg(dev, fmt, ##__VA_ARGS__))
#define dev_evl_alert_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_alert(dev, fmt, ##__VA_ARGS__))
#define dev_evl_crit_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_crit(dev, fmt, ##__VA_ARGS__))
#define dev_evl_err_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_err(dev, fmt, ##__VA_ARGS__))
#define dev_evl_warn_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_warn(dev, fmt, ##__VA_ARGS__))
#define dev_evl_notice_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_notice(dev, fmt, ##__VA_ARGS__))
#define dev_evl_info_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_info(dev, fmt, ##__VA_ARGS__))
#define dev_evl_debug_ratelimited(dev, fmt, ...) \
	evl_ratelimited(dev_evl_debug(dev, fmt, ##__VA_ARGS__))

#endif /* _LINUX_EVLOG_H */
