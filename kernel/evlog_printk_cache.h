/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache of parsed formats, as those see it who look something up in it.
 * evlog_printk_cache.c fills it in.
 */
#ifndef EVLOG_PRINTK_CACHE_H
#define EVLOG_PRINTK_CACHE_H

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/kernel.h>
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

extern atomic_t evl_modules;

/* The aligned words that @fmt is in. */
static inline
const unsigned long *evl_words(const char *fmt)
{
	return (void *)ALIGN_DOWN((unsigned long)fmt, sizeof(long));
}

/* Where @entry has the copy of a text at @fmt: at the same place in a word. */
static inline char *evl_entry_text(struct evl_cache_entry *entry, const char *fmt)
{
	return (char *)entry->words + (fmt - (char *)evl_words(fmt));
}

/*
 * Whether @fmt is the text of @entry. Reads whole words, but none behind the one
 * in which @fmt ends. Bytes around @fmt do no harm, but the detectors of such
 * accesses would report them.
 */
static inline bool evl_entry_matches(struct evl_cache_entry *entry, const char *fmt)
{
	const unsigned long *words = evl_words(fmt);
	unsigned int last = entry->last, i;
	unsigned long differ;

	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ||
	    IS_ENABLED(CONFIG_KMSAN))
		return !strcmp(fmt, evl_entry_text(entry, fmt));
	differ = (words[0] ^ entry->words[0]) & entry->first_mask;
	if (last) {
		if (differ)
			return false;
		for (i = 1; i < last; i++)
			if (words[i] != entry->words[i])
				return false;
		differ = words[last] ^ entry->words[last];
	}
	return !(differ & entry->last_mask);
}

/* The entry that @given has, but not if that is the one of @outer. */
static inline struct evl_cache_entry *
evl_cache_slot(struct evl_fmt_cache *cache, const char *given,
	       const struct evl_fmt_info *outer)
{
	unsigned int slot = hash_long((unsigned long)given +
				      (outer ? outer->id : 0), EVL_CACHE_BITS);

	if (outer && &cache->entries[slot].info == outer)
		slot ^= 1;
	return &cache->entries[slot];
}

/* Looks up @fmt as evl_cache_get(), which may add it if it is not there. */
static inline struct evl_fmt_info *
evl_cache_find(struct evl_fmt_cache *cache, const char *given,
	       const struct evl_fmt_info *outer)
{
	struct evl_cache_entry *entry = evl_cache_slot(cache, given, outer);

	/* Else the compiler finds its place anew for each member. */
	OPTIMIZER_HIDE_VAR(entry);
	if (READ_ONCE(entry->fmt) == given &&
	    entry->outer == (outer ? outer->id : 0) &&
	    entry->modules == atomic_read(&evl_modules) &&
	    evl_entry_matches(entry, given))
		return &entry->info;
	return NULL;
}

#endif
