// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records messages of printk() with what the cache of this CPU knows of their
 * formats, and counts them.
 *
 * printk() calls evl_message(). On a hit of the cache, the message costs about what
 * evl_printf() costs. evlog_printk.c looks for the level of other messages, and calls
 * evl_record_message() with preemption disabled. Those of which the cache still does
 * not know enough take the slow path. So does every message before the caches exist,
 * or on a CPU that had no memory for one.
 *
 * Promise: that of evlog.c. Each message is counted once, when it becomes an
 * event or is lost.
 */
#define pr_fmt(fmt) "evlog: " fmt

#include <linux/align.h>
#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/evlog_printk.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include "evlog_fast.h"
#include "evlog_printk_cache.h"

/* Process, softirq, interrupt, NMI; and messages printed while printing. */
#define EVL_USERS	8

struct evl_cpu {
	struct evl_fmt_cache *cache;	/* NULL: there was no memory */
	struct task_struct *task;	/* the one that the outermost user runs in */
	unsigned int users;
	/* By number of users: a caller that interrupts another has its own. */
	unsigned long forwarded[EVL_USERS];
};

static DEFINE_PER_CPU(struct evl_cpu, evl_cpu);

/* False while per-CPU memory may not exist yet, or may still be copied. */
static bool evl_cpu_ready;

/* Messages before evl_cpu_ready. */
static atomic_long_t evl_forwarded_early;

/* Makes a string that was fetched shorter, the argument @i. */
static void evl_shorten(struct evl_values *values, unsigned int i, size_t size)
{
	values->size -= ALIGN(values->length[i], 4) - ALIGN(size, 4);
	values->length[i] = size;
}

/*
 * Fetches all arguments of a message. @skip: bytes of level in the first string.
 * Returns what is known of its format, or of the format inside; NULL: only the
 * slow path can record it.
 */
static struct evl_fmt_info *evl_fetch_message(struct evl_fmt_cache *cache,
					      bool add,
					      struct evl_values *values,
					      struct evl_fmt_info *info,
					      struct evl_event *event,
					      struct evl_arguments *args, u8 skip)
{
	struct evl_level ignored = {};
	const struct va_format *format;
	struct evl_arguments inner;
	const char *fmt;
	bool fetched;

	values->count = 0;
	values->size = 0;
	if (!evl_fetch_args(values, &info->callsite, args))
		return NULL;
	if (skip) {
		skip = min_t(size_t, skip, values->length[0]);
		values->own[0] += skip;
		evl_shorten(values, 0, values->length[0] - skip);
	}
	if (info->kind == EVL_FMT_PREFIX) {
		format = evl_fetch_pointer(args);
		if (!evl_string_valid(format))
			return NULL;
		event->prefix = info->callsite.fmt;
		event->prefix_size = info->prefix_size;
		fmt = format->fmt;
		if (!event->prefix_size)
			fmt = evl_skip_levels(fmt, &ignored);
		info = evl_cache_get(cache, add, fmt, fmt, info);
		if (!info || info->kind != EVL_FMT_PLAIN)
			return NULL;
		va_copy(inner.list, *format->va);
		fetched = evl_fetch_args(values, &info->callsite, &inner);
		va_end(inner.list);
		if (!fetched)
			return NULL;
	}
	return evl_values_fit(values, &info->callsite) ? info : NULL;
}

/* Records a message by way of the cache of this CPU. */
static bool evl_record_cached(struct evl_fmt_cache *cache, bool add,
			      struct evl_event *event, const char *given,
			      const char *fmt, va_list list, u8 skip,
			      bool ended)
{
	struct evl_fmt_info *info = evl_cache_get(cache, add, given, fmt, NULL);
	struct evl_values values __uninitialized;
	struct evl_arguments args;
	unsigned int last;

	event->callsite = info ? &info->callsite : NULL;
	if (!info || info->kind == EVL_FMT_SLOW)
		return evl_record_slow(event, fmt, list, skip, ended);
	if (info->kind == EVL_FMT_PREFIX || info->callsite.simple) {
		va_copy(args.list, list);
		info = evl_fetch_message(cache, add, &values, info, event,
					 &args, skip);
		va_end(args.list);
		if (!info)
			return evl_record_slow(event, fmt, list, skip, ended);
		event->callsite = &info->callsite;
	}
	ended |= info->ended;
	if (info->ends_in_string) {
		last = values.count - 1;
		if (evl_ends_line(evl_string(&values, last), values.length[last])) {
			evl_shorten(&values, last, values.length[last] - 1);
			ended = true;
		}
	}
	if (!ended)
		event->flags |= EVL_FLAG_OPEN;
	if (info->callsite.simple)
		evl_record_values(event, &values);
	else
		evl_record(event, list);
	return ended;
}

/*
 * Returns how many callers this one has interrupted. The outermost one stores its
 * task. All that interrupt it run in the same task, so a count of another task is
 * stale: that task died in an oops while it was here.
 */
static unsigned int evl_cpu_enter(struct evl_cpu *cpu)
{
	unsigned int users = READ_ONCE(cpu->users);
	unsigned long *forwarded;

	if (users && READ_ONCE(cpu->task) != current)
		users = 0;
	if (!users)
		WRITE_ONCE(cpu->task, current);
	barrier();	/* a caller that interrupts this sees the task first */
	WRITE_ONCE(cpu->users, users + 1);
	forwarded = &cpu->forwarded[min_t(unsigned int, users, EVL_USERS - 1)];
	WRITE_ONCE(*forwarded, *forwarded + 1);
	return users;
}

/*
 * Records a message whose format is @fmt, behind its levels in @given. @ended: the
 * line ends in any case. Returns whether it ended.
 */
bool evl_record_message(struct evl_event *event, const char *given,
			const char *fmt, va_list list, u8 skip, bool ended)
{
	struct evl_fmt_cache *cache;
	struct evl_cpu *cpu;
	unsigned int users;

	if (unlikely(!READ_ONCE(evl_cpu_ready))) {
		atomic_long_inc(&evl_forwarded_early);
		event->callsite = NULL;
		return evl_record_slow(event, fmt, list, skip, ended);
	}
	cpu = &per_cpu(evl_cpu, raw_smp_processor_id());
	users = evl_cpu_enter(cpu);
	cache = READ_ONCE(cpu->cache);
	if (cache) {
		ended = evl_record_cached(cache, !users, event, given, fmt,
					  list, skip, ended);
	} else {
		event->callsite = NULL;
		ended = evl_record_slow(event, fmt, list, skip, ended);
	}
	barrier();
	WRITE_ONCE(cpu->users, users);
	return ended;
}

/* The compiler inlines no function that copies a list. */
static bool evl_fetch_inner(struct evl_values *values,
			    const struct evl_callsite *callsite,
			    const struct va_format *format)
{
	struct evl_arguments args;
	bool fetched;

	va_copy(args.list, *format->va);
	fetched = evl_fetch_all(values, callsite, &args);
	va_end(args.list);
	return fetched;
}

/*
 * Fetches the arguments of a message of which the cache knows all, and of one that it
 * passes on by %pV. Returns what is known of the format that ends it, or NULL.
 */
static __always_inline const struct evl_fmt_info *
evl_fetch_known(struct evl_fmt_cache *cache, const char *given,
		const struct evl_fmt_info *info, struct evl_values *values,
		struct evl_arguments *args)
{
	const struct va_format *format;

	values->count = 0;
	values->size = 0;
	if (!evl_fetch_all(values, &info->callsite, args) ||
	    (info->begins_in_string &&
	     evl_string(values, 0)[0] == KERN_ERR[0]))
		return NULL;
	if (info->kind == EVL_FMT_PREFIX) {
		format = evl_fetch_pointer(args);
		if (!evl_string_valid(format))
			return NULL;
		info = evl_cache_find(cache, format->fmt, info);
		if (!info || !info->known ||
		    !evl_fetch_inner(values, &info->callsite, format))
			return NULL;
	}
	return evl_values_fit(values, &info->callsite) ? info : NULL;
}

/* Records a message of @info, and of @outer, if that passes it on. */
static __always_inline void evl_record_by(struct evl_cpu *cpu, int level,
					  const struct dev_printk_info *about,
					  const struct evl_fmt_info *outer,
					  const struct evl_fmt_info *info,
					  const struct evl_values *values)
{
	/* printk() ends the line of a message about a device. */
	bool ended = about || info->ended;
	struct evl_event event __uninitialized;

	event.callsite = &info->callsite;
	event.dev = NULL;
	event.device = about && about->device[0] ? about->device : NULL;
	event.event_type = 0;
	event.severity = level;
	event.flags = EVL_FLAG_PRINTK | (ended ? 0 : EVL_FLAG_OPEN);
	event.format = EVL_FORMAT_PRINTF;
	event.prefix_size = 0;
	if (outer != info) {
		event.prefix = outer->callsite.fmt;
		event.prefix_size = outer->prefix_size;
	}
	WRITE_ONCE(cpu->forwarded[0], cpu->forwarded[0] + 1);
	evl_record_fetched(&event, values);
	evl_leave_open(ended ? -1 : level);
}

/* Records a message of which the cache knows all. Returns false if it does not. */
static __always_inline bool evl_record_known(struct evl_cpu *cpu, int level,
					     const struct dev_printk_info *about,
					     const char *given,
					     struct evl_arguments *args)
{
	struct evl_fmt_cache *cache = READ_ONCE(cpu->cache);
	struct evl_values values __uninitialized;
	const struct evl_fmt_info *outer, *info;

	outer = cache ? evl_cache_find(cache, given, NULL) : NULL;
	if (!outer || !outer->known)
		return false;
	if (level < 0)
		level = outer->severity;
	if (level < 0)
		return false;
	if (level >= READ_ONCE(evl_printk_level)) {
		evl_leave_open(about || outer->ended ? -1 : level);
		return true;
	}
	/* Messages without arguments are many. */
	if (outer->kind == EVL_FMT_PLAIN && !outer->callsite.args) {
		evl_record_by(cpu, level, about, outer, outer, NULL);
		return true;
	}
	info = evl_fetch_known(cache, given, outer, &values, args);
	if (info)
		evl_record_by(cpu, level, about, outer, info, &values);
	return info;
}

/**
 * evl_message - record a message that is being printed
 * @level: as evl_forward_printk()
 * @info: the device that it is about, or NULL
 * @fmt: the format that printk() got
 * @args: its arguments, which are not used up
 *
 * By one look at the cache, which knows the level, too. evl_message_parsed() takes what
 * is not there, and what interrupts another message.
 *
 * Context: any, NMI included.
 */
void evl_message(int level, const struct dev_printk_info *info,
		 const char *fmt, va_list args)
{
	struct evl_arguments own __uninitialized;
	struct evl_cpu *cpu;
	bool done = false;

	if (!fmt || fmt == evl_devkmsg_fmt || kerror_is_printing())
		return;
	preempt_disable_notrace();
	if (likely(READ_ONCE(evl_cpu_ready))) {
		cpu = &per_cpu(evl_cpu, raw_smp_processor_id());
		if (likely(!READ_ONCE(cpu->users))) {
			WRITE_ONCE(cpu->task, current);
			barrier();	/* as in evl_cpu_enter() */
			WRITE_ONCE(cpu->users, 1);
			va_copy(own.list, args);
			done = evl_record_known(cpu, level, info, fmt, &own);
			va_end(own.list);
			barrier();
			WRITE_ONCE(cpu->users, 0);
		}
	}
	preempt_enable_notrace();
	if (unlikely(!done))
		evl_message_parsed(level, info, fmt, args);
}

/* Returns how many messages became events or were lost. */
unsigned long evl_forwarded(void)
{
	unsigned long forwarded = atomic_long_read(&evl_forwarded_early);
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < EVL_USERS; i++)
			forwarded += READ_ONCE(per_cpu(evl_cpu, cpu).forwarded[i]);
	return forwarded;
}

/* Allocates a CPU's cache before it comes up; it stays when the CPU goes. */
static int evl_cpu_prepare(unsigned int cpu)
{
	struct evl_cpu *of_cpu = &per_cpu(evl_cpu, cpu);

	if (!of_cpu->cache) {
		/* Pairs with the address dependency in evl_record_message(). */
		smp_store_release(&of_cpu->cache, evl_cache_alloc(cpu));
	}
	return 0;
}

static int evl_prepare_state;

/* Runs before other CPUs start: each has its cache before its first message. */
static int __init evl_cpu_init(void)
{
	evl_prepare_state = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN,
					      "kernel/evlog:prepare",
					      evl_cpu_prepare, NULL);
	if (evl_prepare_state < 0)
		pr_warn("no cache of formats; messages cost more time\n");
	WRITE_ONCE(evl_cpu_ready, true);
	return 0;
}
early_initcall(evl_cpu_init);

#ifdef MODULE
/* Some kernels do not tell the state that they chose: then it stays for ever. */
bool evl_cpu_pinned(void)
{
	return !evl_prepare_state;
}

/* Frees the caches. No message is recorded any more. */
void evl_cpu_exit(void)
{
	unsigned int cpu;

	if (evl_prepare_state > 0)
		cpuhp_remove_state_nocalls(evl_prepare_state);
	for_each_possible_cpu(cpu)
		evl_cache_free(per_cpu(evl_cpu, cpu).cache);
}
#endif

#ifdef CONFIG_EVLOG_KUNIT_TEST
#include "evlog_printk_kunit.c"
#endif
