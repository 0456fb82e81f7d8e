// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints events to the kernel log: those that have no listener and, in a panic,
 * those that still wait in the rings.
 *
 * kerror_drain.c calls kerror_print() for each event, and the panic notifier
 * chain calls kerror_panic().
 *
 * Promise: an error is seen even if nobody listens, at most 10 in 5 s, unless the
 * parameter kerror.printk says otherwise. A panic prints all that waits, and
 * takes no lock.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/string.h>
#include "kerror_internal.h"

enum { PRINTK_NEVER, PRINTK_UNHEARD, PRINTK_ALWAYS };

static const char * const printk_policies[] = {
	[PRINTK_NEVER] = "never",
	[PRINTK_UNHEARD] = "unheard",
	[PRINTK_ALWAYS] = "always",
};

static int printk_policy = PRINTK_UNHEARD;

static int printk_policy_set(const char *value, const struct kernel_param *kp)
{
	int policy = sysfs_match_string(printk_policies, value);

	if (policy < 0)
		return policy;
	WRITE_ONCE(printk_policy, policy);
	return 0;
}

static int printk_policy_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%s\n",
		       printk_policies[READ_ONCE(printk_policy)]);
}

const struct kernel_param_ops kerror_printk_ops = {
	.set = printk_policy_set,
	.get = printk_policy_get,
};

static DEFINE_RATELIMIT_STATE(kerror_printk_limit, DEFAULT_RATELIMIT_INTERVAL,
			      DEFAULT_RATELIMIT_BURST);
static bool (*kerror_printer)(const void *data, size_t len);

/**
 * kerror_set_printer - say how events are printed when nobody listens
 * @printer: prints the event with printk() and returns true, or returns
 *	false if it is not of its kind; called with softirqs disabled and, in
 *	a panic, in any context
 *
 * There is one; events that it does not know are printed in hexadecimal.
 */
void kerror_set_printer(bool (*printer)(const void *data, size_t len))
{
	WRITE_ONCE(kerror_printer, printer);
}
EXPORT_SYMBOL_GPL(kerror_set_printer);

static void print_record(const struct kerror_record *record)
{
	bool (*printer)(const void *data, size_t len) =
		READ_ONCE(kerror_printer);

	if (printer && printer(record->data, record->size))
		return;
	pr_warn("event of %u bytes, groups %#x, pid %u\n", record->size,
		record->groups, record->pid);
	print_hex_dump(KERN_WARNING, "kerror: ", DUMP_PREFIX_OFFSET, 16, 1,
		       record->data, min(record->size, 64U), false);
}

/**
 * kerror_print - print an event as the policy says
 * @record: the event
 * @heard: a listener gets it
 *
 * Context: that of a delivery.
 */
void kerror_print(const struct kerror_record *record, bool heard)
{
	int policy = READ_ONCE(printk_policy);

	if (policy == PRINTK_ALWAYS || (policy == PRINTK_UNHEARD && !heard))
		if (__ratelimit(&kerror_printk_limit))
			print_record(record);
}

/* ------------------------------------------------------------------ */
/* Panic. The other CPUs have been stopped, perhaps in the midst of anything. */

bool kerror_panicked __read_mostly;

static struct kerror_source *panic_first;
static unsigned int panic_unfinished;

static void panic_start(struct kerror_source *source)
{
	source->panic_position = READ_ONCE(source->ring.next);
}

/* Sets panic_first to the source whose next event is the oldest. */
static void panic_look(struct kerror_source *source)
{
	const struct kerror_ring *ring = &source->ring;
	struct kerror_record *record;

	while ((record = kerror_ring_look(ring, &source->panic_position)) &&
	       !kerror_record_committed(record)) {
		panic_unfinished++;
		source->panic_position += kerror_record_bytes(record);
	}
	source->first = record;
	if (record && (!panic_first ||
		       record->time < panic_first->first->time))
		panic_first = source;
}

/* Prints all that waits in the rings, whatever the policy says. Only looks. */
static int kerror_panic(struct notifier_block *notifier, unsigned long event,
			void *message)
{
	struct kerror_record *record;

	WRITE_ONCE(kerror_panicked, true);
	kerror_visit_sources(panic_start);
	for (;;) {
		panic_first = NULL;
		kerror_visit_sources(panic_look);
		if (!panic_first)
			break;
		record = panic_first->first;
		if (kerror_record_printable(record, panic_first->group))
			print_record(record);
		panic_first->panic_position += kerror_record_bytes(record);
	}
	if (panic_unfinished)
		pr_emerg("%u events were being written\n", panic_unfinished);
	return NOTIFY_DONE;
}

static struct notifier_block kerror_panic_notifier = {
	.notifier_call = kerror_panic,
};

void __init kerror_print_init(void)
{
	atomic_notifier_chain_register(&panic_notifier_list,
				       &kerror_panic_notifier);
}

#ifdef MODULE
void kerror_print_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &kerror_panic_notifier);
}
#endif
