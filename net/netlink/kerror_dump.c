// SPDX-License-Identifier: GPL-2.0-only
/*
 * For debuggers: where the events are in a dump of the machine's memory, and how
 * many of each severity there were.
 *
 * kerror_drain.c counts each event that it delivers. Nothing here reads. The tool
 * kerror-drgn does; it needs neither symbols nor debug information of the kernel.
 * It finds kerror_dump by its magic, or by the name in VMCOREINFO.
 *
 * This is the one file of the transport that looks into an event: the severity of
 * evlog is at an offset that <uapi/linux/evlog.h> fixes.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <uapi/linux/evlog.h>
#include "kerror_internal.h"

/* Modules cannot add to VMCOREINFO. Before 6.9 it came with the other option. */
#if (defined(CONFIG_VMCORE_INFO) || defined(CONFIG_CRASH_CORE)) && !defined(MODULE)
#include <linux/kexec.h>
#define HAS_VMCOREINFO
#endif

#define RING(member)	(offsetof(struct kerror_source, ring) +		\
			 offsetof(struct kerror_ring, member))

struct kerror_dump kerror_dump = {
	.magic = KERROR_DUMP_MAGIC,
	.early = kerror_early,
	.history = kerror_history,
	.word = sizeof(long),
	.groups = KERROR_GROUPS,
	.causes = KERROR_CAUSES_COUNTED,
	.sizes = {
		sizeof(struct kerror_source), sizeof(struct kerror_history),
		sizeof(struct kerror_record),
	},
	.cpu = {
		offsetof(struct kerror_cpu, source),
		offsetof(struct kerror_cpu, next),
	},
	.source = {
		offsetof(struct kerror_source, older),
		RING(head), RING(size), RING(buffer), RING(tail), RING(next),
	},
	.messages = {
		offsetof(struct kerror_history, head),
		offsetof(struct kerror_history, tail),
		offsetof(struct kerror_history, size),
		offsetof(struct kerror_history, buffer),
		offsetof(struct kerror_history, sequence_next),
		offsetof(struct kerror_history, lost),
	},
};

/**
 * kerror_dump_from - note which record is delivered next
 * @source: whose first record it is
 *
 * It has a number as soon as the head of its history is another one.
 *
 * Context: that of a delivery.
 */
void kerror_dump_from(const struct kerror_source *source)
{
	WRITE_ONCE(kerror_dump.delivers, NULL);
	smp_wmb();	/* A dump has all three of the same record, or none. */
	WRITE_ONCE(kerror_dump.position,
		   kerror_ring_position(&source->ring, source->first));
	WRITE_ONCE(kerror_dump.head, kerror_history[source->group].head);
	smp_wmb();	/* As above. */
	WRITE_ONCE(kerror_dump.delivers, source);
}

/**
 * kerror_dump_count - count an event by its severity
 * @group: an index
 * @record: the event
 *
 * Context: that of a delivery.
 */
void kerror_dump_count(unsigned int group, const struct kerror_record *record)
{
	const struct evl_header *header = (const void *)record->data;

	if (group == KERROR_RAW || record->size < sizeof(*header) ||
	    header->magic != EVL_MAGIC)
		return;
	kerror_dump.severities[header->severity & 7]++;
	if (record->groups & KERROR_STAMPED) {
		kerror_dump.offset_real = header->time_realtime - record->time;
		kerror_dump.offset_boot = header->time_boot - record->time;
	}
}

/**
 * kerror_dump_init - make it known
 * @lost: losses since boot
 *
 * Return: 0.
 */
int __init kerror_dump_init(const void *lost)
{
	kerror_dump.lost = lost;
	kerror_dump.instance = kerror_instance;
	kerror_dump.self = (unsigned long)&kerror_dump;
#ifdef HAS_VMCOREINFO
	VMCOREINFO_SYMBOL(kerror_dump);
	VMCOREINFO_OFFSET(kerror_dump, severities);
#endif
	return 0;
}
