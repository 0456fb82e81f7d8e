// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the memory that outlives the kernel, kerror.persist=, what earlier boots left
 * there, and a place for this one.
 *
 * kerror.c calls kerror_region_init() before there are rings. kerror_region.h has the
 * layout; kerror_persist.c writes what this boot raises, kerror_boots.c hands out the
 * rest.
 *
 * Promise: what another kernel left stays until user space drops it, or until no slot
 * is free and it is the oldest. A wrong parameter destroys nothing: memory that the
 * kernel or a device uses is refused. Programs cannot map the memory by /dev/mem, if
 * the kernel has CONFIG_STRICT_DEVMEM.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/build_bug.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include "kerror_internal.h"

/* Boots that a region has room for, if it is large enough for all rings of each */
#define SLOTS			4

/* A ring that is not made smaller so that logs have room */
#define RING_ENOUGH		65536

/* Least bytes of a log, and what is large enough not to have fewer slots for it */
#define LOG_LEAST		32768
#define LOG_ENOUGH		131072

/* Rings of a CPU that is added, or that take the place of one whose writer died */
#define SPARE_RINGS		2

/* Earlier boots, the oldest first */
struct kerror_old_boot kerror_old_boots[KERROR_OLD_BOOTS];

static void *kerror_region;
static phys_addr_t kerror_region_start, kerror_region_size;
static bool kerror_region_named;

/* ------------------------------------------------------------------ */
/* The memory. */

/*
 * Returns where @where is, or NULL. It must be memory that nobody else uses, so that
 * a wrong address destroys nothing.
 */
static void *__init map_region(const char *where)
{
	phys_addr_t start = 0, size;
	void *region = NULL;
	char *end;

	size = memparse(where, &end);
	if (end == where || *end != '@') {
		if (!reserve_mem_find_by_name(where, &start, &size)) {
			pr_err("persist=%s: no such region; add reserve_mem=SIZE:4096:%s, or say SIZE@ADDRESS\n",
			       where, where);
			return NULL;
		}
		kerror_region_named = true;
	} else {
		start = memparse(end + 1, &end);
		if (*end || start + size < start) {
			pr_err("persist=%s: say SIZE@ADDRESS\n", where);
			return NULL;
		}
	}
	kerror_region_start = round_up(start, KERROR_SLOT_ALIGN);
	if (size > 2 * KERROR_SLOT_ALIGN)
		kerror_region_size = round_down(start + size, KERROR_SLOT_ALIGN) -
				     kerror_region_start;
	if (kerror_region_named)
		return phys_to_virt(kerror_region_start);
	if (IS_ENABLED(CONFIG_HAS_IOMEM) && kerror_region_size &&
	    region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) == REGION_DISJOINT &&
	    request_mem_region_exclusive(kerror_region_start,
					 kerror_region_size, "kerror")) {
		region = memremap(kerror_region_start, kerror_region_size,
				  MEMREMAP_WB);
		if (!region)
			release_mem_region(kerror_region_start,
					   kerror_region_size);
	}
	if (!region)
		pr_err("persist=%s: the kernel or a device uses that memory; add memmap=SIZE$ADDRESS\n",
		       where);
	return region;
}

/* ------------------------------------------------------------------ */
/* Earlier boots. */

static int __init compare_boots(const void *a, const void *b)
{
	const struct kerror_old_boot *first = a, *second = b;

	return first->slot->number < second->slot->number ? -1 : 1;
}

/* Finds the slots of earlier boots, the oldest first. Returns how many. */
static unsigned int __init find_boots(void)
{
	struct kerror_boot boot;
	unsigned int count = 0;
	size_t at = 0, bytes;

	while (at < kerror_region_size && count < KERROR_OLD_BOOTS) {
		bytes = kerror_slot_repair(kerror_region + at,
					   kerror_region_size - at);
		if (bytes) {
			kerror_old_boots[count].slot = kerror_region + at;
			kerror_boot_describe(kerror_region + at, &boot);
			memcpy(kerror_old_boots[count++].id, boot.boot, 16);
		}
		at += bytes ?: KERROR_SLOT_ALIGN;
	}
	sort(kerror_old_boots, count, sizeof(*kerror_old_boots), compare_boots,
	     NULL);
	return count;
}

static bool __init overlaps(const void *at, size_t size,
			    const struct kerror_old_boot *boot)
{
	return boot->slot && at < (void *)boot->slot + boot->slot->size &&
	       at + size > (void *)boot->slot;
}

/*
 * Returns where a slot of @size bytes goes: where no boot is, or else where the newest
 * one is the oldest. Boots that are there are forgotten; *@overwritten counts them.
 */
static void *__init choose_slot(size_t size, unsigned int count, u32 *overwritten)
{
	unsigned int i, newest, least = UINT_MAX;
	size_t at, best = 0;

	for (at = 0; at + size <= kerror_region_size; at += size) {
		newest = 0;
		for (i = 0; i < count; i++)
			if (overlaps(kerror_region + at, size,
				     &kerror_old_boots[i]))
				newest = i + 1;
		if (newest < least) {
			least = newest;
			best = at;
		}
	}
	for (i = 0; i < count; i++) {
		if (!overlaps(kerror_region + best, size, &kerror_old_boots[i]))
			continue;
		kerror_slot_drop(kerror_old_boots[i].slot);
		kerror_old_boots[i].slot = NULL;
		++*overwritten;
	}
	return kerror_region + best;
}

/*
 * Returns the size that rings have here. A quarter of the room of a boot is theirs: what
 * has left them says more of its end than a longer burst.
 */
static u32 __init fit_ring(u32 ring_size, u32 rings)
{
	while (ring_size > RING_ENOUGH &&
	       (u64)rings * ring_size > kerror_region_size / SLOTS / 4)
		ring_size /= 2;
	return ring_size;
}

/* Makes the slot of this boot, or returns NULL if the region is too small. */
static struct kerror_slot *__init begin_slot(u32 *ring_size, unsigned int count,
					     bool *for_all)
{
	const unsigned int groups = IS_ENABLED(CONFIG_KERROR_PRINTK) ? 3 : 2;
	const u32 rings = num_present_cpus() * groups + SPARE_RINGS;
	const u32 fits = fit_ring(*ring_size, rings);
	const size_t ring = sizeof(struct kerror_saved_ring) + fits;
	/* Too large for a stack */
	static struct kerror_slot header __initdata = {
		.version = KERROR_SLOT_VERSION,
		.long_size = sizeof(long),
		.number = 1,
	};
	unsigned int slots = SLOTS, i;
	struct kerror_slot *slot;
	size_t log;

	for (;; slots--) {
		header.size = round_down(min_t(u64, div_u64(kerror_region_size, slots),
					       U32_MAX), KERROR_SLOT_ALIGN);
		if (slots == 2 || header.size >= KERROR_SLOT_ALIGN +
		    rings * ring + groups * LOG_ENOUGH)
			break;
	}
	if (header.size < KERROR_SLOT_ALIGN + groups * LOG_LEAST)
		return NULL;
	log = header.size - KERROR_SLOT_ALIGN - groups * LOG_LEAST;
	header.rings = min_t(size_t, rings, log / ring);
	*for_all = header.rings == rings;
	log = header.size - KERROR_SLOT_ALIGN - header.rings * ring;
	for (i = 0; i < groups; i++)
		header.log_size[i] = round_down(log / groups, 8);
	if (fits < *ring_size)
		pr_notice("staging_kb=%u is taken as %u, as kerror.persist= has %u KiB\n",
			  *ring_size / 1024, fits / 1024,
			  (u32)(kerror_region_size / 1024));
	header.ring_size = fits;
	*ring_size = fits;
	header.instance = kerror_instance;
	header.time = ktime_get_real_ns();
	if (count)
		header.number = kerror_old_boots[count - 1].slot->number + 1;
	get_random_bytes(&header.key, sizeof(header.key));
	get_random_bytes(header.boot, sizeof(header.boot));
	strscpy(header.release, init_utsname()->release, sizeof(header.release));
	slot = choose_slot(header.size, count, &header.overwritten);
	if (header.overwritten)
		pr_notice("%u earlier boots made room for this one, and nobody had taken their events\n",
			  header.overwritten);
	kerror_slot_begin(slot, &header);
	pr_info("%u KiB outlive a reboot, of %u boots\n",
		(u32)(kerror_region_size / 1024), slots);
	if (!*for_all)
		pr_notice("not all rings outlive a reboot, kerror.persist= has %u KiB; with %u KiB they would\n",
			  (u32)(kerror_region_size / 1024),
			  (u32)(2 * (KERROR_SLOT_ALIGN + rings * ring +
				     groups * LOG_LEAST) / 1024));
	return slot;
}

/* Warns of those that did not end well, in words that a rule can match. */
static void __init tell_of_boots(unsigned int count)
{
	struct kerror_boot boot;
	unsigned int i;
	u64 seconds;

	for (i = 0; i < count; i++) {
		if (!kerror_old_boots[i].slot)
			continue;
		kerror_boot_describe(kerror_old_boots[i].slot, &boot);
		seconds = div_u64(boot.time_boot, NSEC_PER_SEC);
		if (boot.end == KERROR_END_PANIC)
			pr_warn("boot %pUb of %s ended in a panic after %llu s: %s\n",
				boot.boot, boot.release, seconds, boot.message);
		else if (boot.end == KERROR_END_CUT)
			pr_warn("boot %pUb of %s was cut off after %llu s\n",
				boot.boot, boot.release, seconds);
		else
			pr_info("boot %pUb of %s was shut down after %llu s\n",
				boot.boot, boot.release, seconds);
	}
}

/*
 * The image of a hibernation has not what the kernel does not own: this kernel would go on
 * with rings that hold anything. A region with a name is in it.
 */
static int kerror_region_sleep(struct notifier_block *notifier, unsigned long event,
			       void *unused)
{
	if (event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	pr_err("no hibernation: its image would lack kerror.persist=SIZE@ADDRESS\n");
	return NOTIFY_BAD;
}

static struct notifier_block kerror_region_notifier = {
	.notifier_call = kerror_region_sleep,
};

/**
 * kerror_region_init - find the memory that outlives the kernel, and begin to use it
 * @where: the parameter, or NULL
 * @ring_size: bytes of each ring; made less if the memory is small
 *
 * Return: where losses are counted from now on, or NULL.
 */
atomic_long_t *__init kerror_region_init(const char *where, u32 *ring_size)
{
	struct kerror_slot *slot;
	unsigned int count;
	bool for_all;

	BUILD_BUG_ON(KERROR_SLOT_GROUPS != KERROR_GROUPS);
	BUILD_BUG_ON(KERROR_SLOT_CAUSES != KERROR_CAUSES_COUNTED);
	if (!where || !*where)
		return NULL;
	kerror_region = map_region(where);
	if (!kerror_region)
		return NULL;
	count = find_boots();
	slot = begin_slot(ring_size, count, &for_all);
	if (!slot)
		pr_err("persist=%s: too small; give it 2 MiB or more\n", where);
	tell_of_boots(count);
	if (slot && !kerror_region_named)
		register_pm_notifier(&kerror_region_notifier);
	return slot ? kerror_persist_begin(slot, for_all) : NULL;
}

#ifdef MODULE
void kerror_region_exit(void)
{
	if (kerror_this_boot && !kerror_region_named)
		unregister_pm_notifier(&kerror_region_notifier);
	/* A dead writer might come back to its ring. */
	if (kerror_persist_end() || !kerror_region || kerror_region_named)
		return;
	memunmap(kerror_region);
	release_mem_region(kerror_region_start, kerror_region_size);
}
#endif
