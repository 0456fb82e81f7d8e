// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache of parsed formats, for messages of printk().
 *
 * evlog_printk_record.c allocates a cache per CPU and looks up the format of each
 * message, with preemption disabled. Only the outermost caller of a CPU adds
 * entries. A caller that interrupts it only reads, and takes the slow path on a
 * miss.
 *
 * Promise: no lock, no wait. An entry describes its own copy of the text, so that
 * an event is consistent even if the caller's text changes meanwhile.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "evlog_printk_cache.h"

/* How many modules were loaded. */
atomic_t evl_modules;

/*
 * Copies @fmt, which had @length bytes before. It may have changed meanwhile: then
 * the copy is shorter, or is not equal to it and will not be found.
 */
static void evl_entry_copy(struct evl_cache_entry *entry, const char *fmt,
			   size_t length)
{
	char *text = evl_entry_text(entry, fmt);
	size_t before = text - (char *)entry->words;
	size_t copied, end;

	memcpy(text, fmt, length);
	copied = strnlen(text, length);
	memset(text + copied, 0, length - copied);
	end = before + copied + 1;
	entry->last = (end - 1) / sizeof(long);
	memset((char *)&entry->first_mask + before, 0xff, sizeof(long) - before);
	memset(&entry->last_mask, 0xff, end - entry->last * sizeof(long));
}

/*
 * Fills in @info about @text, the entry's copy without its levels. @outer: what
 * is known of the outer format, or NULL.
 */
static void evl_fmt_parse(struct evl_fmt_info *info, const char *text,
			  const struct evl_fmt_info *outer)
{
	size_t prefix_size = outer ? outer->prefix_size : 0;
	size_t length = strnlen(text, EVL_CACHE_TEXT);
	struct evl_callsite *callsite = &info->callsite;
	char whole[2 * EVL_CACHE_TEXT] = "";	/* with the outer one's prefix */
	const char *next = whole;
	struct evl_conv conv;

	info->kind = EVL_FMT_SLOW;
	/* A newline of the outer format and a NUL follow. */
	if (prefix_size + length + 2 > sizeof(whole))
		goto out;
	if (outer)
		memcpy(whole, outer->callsite.fmt, prefix_size);
	memcpy(whole + prefix_size, text, length);
	if (outer && outer->ended)
		whole[prefix_size + length] = '\n';
	info->kind = EVL_FMT_PLAIN;
	while (info->kind == EVL_FMT_PLAIN && evl_conv_next(next, &conv)) {
		next = conv.end;
		if (!evl_conv_supported(&conv))
			info->kind = EVL_FMT_SLOW;
		else if (evl_conv_is_format(&conv))
			info->kind = EVL_FMT_PREFIX;
		else if (!*next && evl_conv_is_text(&conv))
			info->kind = EVL_FMT_SLOW; /* may end in a newline */
		info->ends_in_string = !*next && conv.letter == 's' &&
				       conv.width < 0 && !conv.width_arg;
	}
	info->ended = evl_ends_line(whole, strlen(whole));
	switch (info->kind) {
	case EVL_FMT_PREFIX:
		info->prefix_size = conv.start - whole;
		whole[info->prefix_size] = '\0';
		evl_callsite_init(callsite, info->facility, whole);
		if (outer || next[info->ended] || !callsite->simple)
			info->kind = EVL_FMT_SLOW;
		break;
	case EVL_FMT_PLAIN:
		evl_callsite_init(callsite, info->facility, whole);
		/* evl_record() takes neither a prefix nor a newline off. */
		if (!callsite->simple &&
		    (outer || info->ends_in_string || !strncmp(whole, "%s", 2)))
			info->kind = EVL_FMT_SLOW;
		if (callsite->fmt_size <= prefix_size)
			info->kind = EVL_FMT_SLOW;
		break;
	}
out:
	if (info->kind != EVL_FMT_SLOW) {
		callsite->fmt = text;
		return;
	}
	memset(callsite, 0, sizeof(*callsite));
	evl_callsite_init(callsite, info->facility, NULL);
}

/*
 * Adds @fmt, behind its levels in @given, which had @length bytes. Parses nothing
 * but the copy in the entry: @given may change at any time.
 */
struct evl_fmt_info *evl_cache_add(struct evl_fmt_cache *cache,
				   const char *given, size_t length,
				   const char *fmt,
				   const struct evl_fmt_info *outer)
{
	struct evl_cache_entry *entry = evl_cache_slot(cache, given, outer);
	struct evl_fmt_info *info = &entry->info;
	struct evl_level level = { .severity = -1 };
	char *text;

	WRITE_ONCE(entry->fmt, NULL);
	barrier();	/* a caller that interrupts this does not use it */
	memset(entry, 0, sizeof(*entry));
	entry->outer = outer ? outer->id : 0;
	entry->modules = atomic_read(&evl_modules);
	evl_entry_copy(entry, given, length);
	info->id = ++cache->last_id;
	evl_module_name(fmt, info->facility);
	text = evl_entry_text(entry, given);
	evl_fmt_parse(info, text + (fmt - given), outer);
	/* A level may be an argument, and the text may have changed. */
	info->known = evl_skip_levels(text, &level) == text + (fmt - given) &&
		      !level.continues && info->callsite.simple &&
		      (info->kind == EVL_FMT_PREFIX ? info->prefix_size :
		       info->kind == EVL_FMT_PLAIN && !info->ends_in_string);
	info->severity = level.severity;
	info->begins_in_string = !strncmp(text + (fmt - given), "%s", 2);
	barrier();	/* now it does */
	WRITE_ONCE(entry->fmt, given);
	return info;
}

/*
 * Looks up @fmt, or parses and caches it. @given: the format with its levels.
 * @outer: entry of the outer format, or NULL. @add: there may be a new entry.
 * Returns NULL if the format is not cached.
 */
struct evl_fmt_info *evl_cache_get(struct evl_fmt_cache *cache, bool add,
				   const char *given, const char *fmt,
				   const struct evl_fmt_info *outer)
{
	struct evl_fmt_info *info = evl_cache_find(cache, given, outer);
	size_t length;

	if (info || !add)
		return info;
	/* The text begins somewhere in the first word of its copy. */
	length = strnlen(given, EVL_CACHE_TEXT);
	if (length >= EVL_CACHE_TEXT - sizeof(long) || fmt > given + length)
		return NULL;
	return evl_cache_add(cache, given, length, fmt, outer);
}

/* Allocates a cache near @cpu; NULL: there is no memory. May sleep. */
struct evl_fmt_cache *evl_cache_alloc(unsigned int cpu)
{
	return kzalloc_node(sizeof(struct evl_fmt_cache),
			    GFP_KERNEL | __GFP_NOWARN, cpu_to_node(cpu));
}

static int evl_module_changed(struct notifier_block *notifier,
			      unsigned long state, void *module)
{
	if (state == MODULE_STATE_COMING)
		atomic_inc(&evl_modules);
	return NOTIFY_DONE;
}

static struct notifier_block evl_module_notifier = {
	.notifier_call = evl_module_changed,
	.priority = INT_MAX,	/* before others use its formats */
};

static int __init evl_cache_init(void)
{
	return register_module_notifier(&evl_module_notifier);
}
early_initcall(evl_cache_init);

#ifdef MODULE
void evl_cache_exit(void)
{
	unregister_module_notifier(&evl_module_notifier);
}

void evl_cache_free(struct evl_fmt_cache *cache)
{
	kfree(cache);
}
#endif
