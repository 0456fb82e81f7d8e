// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rings of each CPU: from the first event on, and while CPUs come and go.
 *
 * kerror.c calls the functions for the start-up, the hotplug code calls
 * kerror_cpu_prepare() and kerror_cpu_changed().
 *
 * Promise: a CPU that was never there costs no memory. A CPU that goes keeps its
 * rings, and events that it raised on its way are delivered. The memory for the
 * events of early boot is given back.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include "kerror_internal.h"

DEFINE_PER_CPU(struct kerror_cpu, kerror_cpu);

/* Bytes of each ring of a CPU that comes up, if there is memory in one piece */
unsigned int kerror_staging_size;

/*
 * Early rings: those of the boot CPU, before it has others and before there are
 * other CPUs. A ring holds the largest event twice, as one can always wait behind
 * padding. If printk() raises events, there are more before other CPUs start. The
 * memory is given back with all that only the boot needs.
 */
#define EARLY_SIZE		32768
#define EARLY_SIZE_PRINTK						\
	(IS_ENABLED(CONFIG_KERROR_PRINTK) ? 262144 : EARLY_SIZE)

static u8 kerror_early_raw[EARLY_SIZE] __initdata __aligned(KERROR_RECORD_ALIGN);
static u8 kerror_early_evlog[EARLY_SIZE] __initdata __aligned(KERROR_RECORD_ALIGN);
static u8 kerror_early_printk[EARLY_SIZE_PRINTK] __initdata
					  __aligned(KERROR_RECORD_ALIGN);

struct kerror_source kerror_early[KERROR_GROUPS] __refdata = {
	[KERROR_RAW] = {
		.ring = { .size = EARLY_SIZE, .buffer = kerror_early_raw },
	},
	[KERROR_EVLOG] = {
		.ring = { .size = EARLY_SIZE, .buffer = kerror_early_evlog },
	},
	[KERROR_PRINTK] = {
		.ring = { .size = EARLY_SIZE_PRINTK, .buffer = kerror_early_printk },
	},
};

/* States of the hotplug code, or a negative errno */
static int kerror_prepare_state, kerror_online_state;

/* There are per-CPU data, and rings of all CPUs that run. */
bool kerror_cpus_ready __read_mostly;

/* Calls @look for each ring that may hold events. Context: any. */
void kerror_visit_sources(void (*look)(struct kerror_source *source))
{
	struct kerror_source *source;
	unsigned int cpu, group;

	for (group = 0; group < KERROR_GROUPS; group++) {
		if (!kerror_cpus_ready) {
			look(&kerror_early[group]);
			continue;
		}
		for_each_possible_cpu(cpu)
			for (source = per_cpu(kerror_cpu, cpu).source[group];
			     source; source = source->older)
				look(source);
	}
}

/*
 * Returns an empty ring, or NULL: of @size bytes, or of fewer if memory is in pieces, as
 * it may be when a CPU comes late or a module is loaded. Context: process.
 */
struct kerror_source *kerror_source_new(unsigned int cpu, unsigned int group,
					unsigned long size)
{
	const gfp_t flags = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct kerror_source *source = kzalloc_node(sizeof(*source), flags,
						    cpu_to_node(cpu));
	struct page *pages;

	if (!source)
		return NULL;
	source->ring.size = size;
	source->cpu = cpu;
	source->group = group;
	if (kerror_persist_ring(source))
		return source;
	do {
		source->ring.size = size;
		pages = alloc_pages_node(cpu_to_node(cpu), flags | __GFP_ZERO,
					 get_order(size));
		size /= 2;
	} while (!pages && size >= EARLY_SIZE);
	if (!pages) {
		kfree(source);
		return NULL;
	}
	source->ring.buffer = page_address(pages);
	return source;
}

/* Frees a ring that was not used. @source may be NULL. */
void kerror_source_free(struct kerror_source *source)
{
	if (!source)
		return;
	if (!kerror_ring_saved(&source->ring))
		free_pages((unsigned long)source->ring.buffer,
			   get_order(source->ring.size));
	kfree(source);
}

/* Gives a CPU that comes up its rings, if it has none from before. */
static int kerror_cpu_prepare(unsigned int cpu)
{
	struct kerror_cpu *this = &per_cpu(kerror_cpu, cpu);
	struct kerror_source *source;
	unsigned int group;

	if (!this->wake_work.func)
		kerror_cpu_init(this);
	for (group = 0; group < KERROR_GROUPS; group++) {
		if (this->source[group] ||
		    !(KERROR_BITS_RAISED & KERROR_BIT(group)))
			continue;
		source = kerror_source_new(cpu, group, kerror_staging_size);
		this->source[group] = source;
		if (!source)
			pr_err("no memory for %u KiB of staging for CPU %u; use a smaller kerror.staging_kb\n",
			       kerror_staging_size / 1024, cpu);
		else if (source->ring.size < kerror_staging_size)
			pr_notice("CPU %u has %lu KiB of staging in a ring, no larger piece of memory is free\n",
				  cpu, source->ring.size / 1024);
	}
	return 0;
}

/* A CPU has gone, or has come: the events that it raised meanwhile wait. */
static int kerror_cpu_changed(unsigned int cpu)
{
	kerror_mark(cpu);
	kerror_guard(&per_cpu(kerror_cpu, cpu));
	return 0;
}

/*
 * Prepares the boot CPU, and the others before they start. Runs in process
 * context, so nothing of this CPU is half-written now except what an interrupt
 * begins and ends here.
 */
void __init kerror_cpus_init(unsigned int size)
{
	unsigned int cpu = raw_smp_processor_id(), group;
	struct kerror_cpu *this = &per_cpu(kerror_cpu, cpu);

	kerror_staging_size = size;
	kerror_prepare_state = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN,
						 "net/kerror:prepare",
						 kerror_cpu_prepare,
						 kerror_cpu_changed);
	if (kerror_prepare_state < 0)
		pr_err("cannot watch CPUs come and go\n");
	for (group = 0; group < KERROR_GROUPS; group++) {
		kerror_early[group].cpu = cpu;
		kerror_early[group].group = group;
		if (this->source[group])
			this->source[group]->older = &kerror_early[group];
		else
			this->source[group] = &kerror_early[group];
	}
	kerror_mark(cpu);
	WRITE_ONCE(kerror_cpus_ready, true);
}

/* Begins to deliver. Called when there is all that it takes. */
void __init kerror_cpus_watch(void)
{
	kerror_cpu_changed(raw_smp_processor_id());
	/* Without it, the events of a CPU that comes wait for its next one. */
	kerror_online_state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
							"net/kerror:online",
							kerror_cpu_changed,
							NULL);
	if (kerror_online_state < 0)
		pr_err("cannot watch CPUs come\n");
}

/* Has all that waits in the early rings delivered: their memory goes. */
void __init kerror_early_exit(void)
{
	unsigned int cpu = kerror_early[0].cpu, group;
	struct kerror_ring *ring;

	kerror_sync();
	kerror_forget(cpu, kerror_early);
	for (group = 0; group < KERROR_GROUPS; group++) {
		ring = &kerror_early[group].ring;
		if (!kerror_ring_empty(ring))
			kerror_count_lost(KERROR_BIT(group),
					  KERROR_LOST_ABANDONED);
		ring->buffer = NULL;
	}
}

#ifdef MODULE
/* Some kernels do not tell the state that they chose: then it stays for ever. */
bool kerror_cpus_pinned(void)
{
	return !kerror_prepare_state;
}

/* Leaves CPUs alone. Events that are raised still reach the worker. */
void kerror_cpus_unwatch(void)
{
	if (kerror_online_state > 0)
		cpuhp_remove_state_nocalls(kerror_online_state);
	if (kerror_prepare_state > 0)
		cpuhp_remove_state_nocalls(kerror_prepare_state);
}

/* Frees the rings, except those to which a dead writer might come back. */
void kerror_cpus_exit(void)
{
	struct kerror_source *source, *older;
	unsigned int cpu, group;

	for_each_possible_cpu(cpu) {
		for (group = 0; group < KERROR_GROUPS; group++) {
			source = per_cpu(kerror_cpu, cpu).source[group];
			for (; source; source = older) {
				older = source->older;
				if (!source->ring.retired)
					kerror_source_free(source);
			}
		}
	}
}
#endif
