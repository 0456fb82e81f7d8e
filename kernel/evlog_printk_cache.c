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
#include <linux/align.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "evlog_internal.h"

#define EVL_CACHE_BITS	5
#define EVL_CACHE_TEXT	128	/* bytes of a text in an entry */

/*
 * Cache entry for one format. Valid while the same text is at the same address
 * and no module was loaded since, whose strings could be there instead. A format
 * passed by %pV has one entry per outer format.
 */
struct evl_cache_entry {
	const char *fmt;	/* with its levels; NULL while this is written */
	unsigned long outer;	/* id of the outer format's entry, or 0 */
	int modules;		/* evl_modules before the format was parsed */
	u8 last;		/* of the words that the text is in */
	unsigned long first_mask;	/* which bytes of the first word, and */
	unsigned long last_mask;	/* of the last one, with the NUL */
	unsigned long words[EVL_CACHE_TEXT / sizeof(long)];
	struct evl_fmt_info info;
};

struct evl_fmt_cache {
	unsigned long last_id;
	struct evl_cache_entry entries[1 << EVL_CACHE_BITS];
};

/* How many modules were loaded. */
static atomic_t evl_modules;

/* The aligned words that @fmt is in. */
static const unsigned long *evl_words(const char *fmt)
{
	return (void *)ALIGN_DOWN((unsigned long)fmt, sizeof(long));
}

/* Where @entry has the copy of a text at @fmt: at the same place in a word. */
static char *evl_entry_text(struct evl_cache_entry *entry, const char *fmt)
{
	return (char *)entry->words + (fmt - (char *)evl_words(fmt));
}

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
 * Whether @fmt is the text of @entry. Reads whole words, but none behind the one
 * in which @fmt ends. Bytes around @fmt do no harm, but the detectors of such
 * accesses would report them.
 */
static bool evl_entry_matches(struct evl_cache_entry *entry, const char *fmt)
{
	const unsigned long *words = evl_words(fmt);
	unsigned long mask = entry->first_mask;
	unsigned int i;

	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ||
	    IS_ENABLED(CONFIG_KMSAN))
		return !strcmp(fmt, evl_entry_text(entry, fmt));
	for (i = 0; i < entry->last; i++, mask = ~0UL)
		if ((words[i] ^ entry->words[i]) & mask)
			return false;
	return !((words[i] ^ entry->words[i]) & mask & entry->last_mask);
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

/* The entry that @given has, but not if that is the one of @outer. */
static struct evl_cache_entry *evl_cache_slot(struct evl_fmt_cache *cache,
					      const char *given,
					      const struct evl_fmt_info *outer)
{
	unsigned int slot = hash_long((unsigned long)given +
				      (outer ? outer->id : 0), EVL_CACHE_BITS);

	if (&cache->entries[slot].info == outer)
		slot ^= 1;
	return &cache->entries[slot];
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

	WRITE_ONCE(entry->fmt, NULL);
	barrier();	/* a caller that interrupts this does not use it */
	memset(entry, 0, sizeof(*entry));
	entry->outer = outer ? outer->id : 0;
	entry->modules = atomic_read(&evl_modules);
	evl_entry_copy(entry, given, length);
	info->id = ++cache->last_id;
	evl_module_name(fmt, info->facility);
	evl_fmt_parse(info, evl_entry_text(entry, given) + (fmt - given), outer);
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
	struct evl_cache_entry *entry = evl_cache_slot(cache, given, outer);
	size_t length;

	if (READ_ONCE(entry->fmt) == given &&
	    entry->outer == (outer ? outer->id : 0) &&
	    entry->modules == atomic_read(&evl_modules) &&
	    evl_entry_matches(entry, given))
		return &entry->info;
	if (!add)
		return NULL;
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
