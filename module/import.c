// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes messages out of the kernel's log, as text: those that were printed before
 * the tap was there, or while it was off.
 *
 * tap.c calls evl_import() when the tap is on. An imported event has the time, the
 * level and the text of the log, and EVL_FLAG_IMPORTED. What user space wrote to
 * the log is left out, as the hook in printk() leaves it out.
 *
 * Promise: no message of the log is there twice, and none is missing. While the tap
 * is switched, it notes the beginnings of the texts that it sees in a seam. A message
 * of the log that begins so has become an event already. If more than SEAM_MESSAGES
 * are printed meanwhile, those beyond are there twice.
 */
#include <linux/delay.h>
#include <linux/evlog.h>
#include <linux/evlog_printk.h>
#include <linux/kerror.h>
#include <linux/kmsg_dump.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "../kernel/evlog_internal.h"
#include "../net/netlink/kerror_ring.h"
#include "tap.h"

/* Messages that may be printed while the tap is switched, and their length */
#define SEAM_MESSAGES	512
#define SEAM_TEXT	128

/* The longest line of the log, with its prefix */
#define LINE_MAX	4096

struct evl_seam {
	atomic_t count;
	struct {
		bool waits;	/* for its like in the log */
		char text[SEAM_TEXT];
	} message[SEAM_MESSAGES];
};

struct evl_seam *evl_seam_new(void)
{
	return kvzalloc(sizeof(struct evl_seam), GFP_KERNEL);
}

/* When nothing is noted any more */
void evl_seam_clear(struct evl_seam *seam)
{
	memset(seam, 0, sizeof(*seam));
}

void evl_seam_free(struct evl_seam *seam)
{
	kvfree(seam);
}

/* Context: any. */
void evl_seam_note(struct evl_seam *seam, const char *fmt, va_list args)
{
	int i = atomic_inc_return(&seam->count) - 1;
	char *text;
	size_t size;
	va_list list;

	if (i >= SEAM_MESSAGES)
		return;
	text = seam->message[i].text;
	va_copy(list, args);
	size = vscnprintf(text, SEAM_TEXT, printk_skip_level(fmt), list);
	va_end(list);
	while (size && text[size - 1] == '\n')
		text[--size] = '\0';
	/* Pairs with the acquire in seam_take(). */
	smp_store_release(&seam->message[i].waits, true);
}

/* Whether the tap has seen a message of that text; each counts once. */
static bool seam_take(struct evl_seam *seam, const char *text)
{
	int i, count = min(atomic_read(&seam->count), SEAM_MESSAGES);

	for (i = 0; i < count; i++) {
		if (!smp_load_acquire(&seam->message[i].waits) ||
		    strncmp(seam->message[i].text, text, SEAM_TEXT - 1))
			continue;
		WRITE_ONCE(seam->message[i].waits, false);
		return true;
	}
	return false;
}

/* The sequence number that the next message of the log gets */
u64 evl_log_end(void)
{
	struct kmsg_dump_iter iter;

	kmsg_dump_rewind(&iter);
	return iter.next_seq;
}

/*
 * Takes "<LEVEL>[SECONDS.MICROSECONDS] " off the beginning of a line. The time is
 * @time, if it has none. Returns the rest, or NULL: user space wrote it.
 */
static const char *line_parse(const char *line, unsigned int *level, u64 *time)
{
	unsigned long seconds, micros;
	unsigned int priority = 0;
	int used = 0;

	if (sscanf(line, "<%u>%n", &priority, &used) != 1 || !used)
		return NULL;
	*level = priority & LOG_DEBUG;
	if (priority >> 3)
		return NULL;
	line += used;
	used = 0;
	if (sscanf(line, "[%lu.%lu]%n", &seconds, &micros, &used) == 2 && used) {
		*time = seconds * NSEC_PER_SEC + micros * NSEC_PER_USEC;
		line += used;
		/* With CONFIG_PRINTK_CALLER */
		if (*line == '[' && strchr(line, ']'))
			line = strchr(line, ']') + 1;
		if (*line == ' ')
			line++;
	}
	return line;
}

/*
 * Takes off what each line of a message begins with. Returns the text of all lines,
 * which is in @line, or NULL: user space wrote it.
 */
static char *message_parse(char *line, unsigned int *level, u64 *time)
{
	char *first = (char *)line_parse(line, level, time), *end = first;
	const char *next;

	while (first && (end = strchr(end, '\n'))) {
		end++;
		next = line_parse(end, level, time);
		if (next)
			memmove(end, next, strlen(next) + 1);
	}
	return first;
}

/* Raises one event, of the time @time. */
static void import_line(const char *text, size_t size, unsigned int level,
			u64 time)
{
	struct kerror_reservation reservation;
	struct evl_callsite callsite = {};
	struct evl_header *header;
	unsigned int tries = 0;
	int err;

	size = min_t(size_t, size, EVL_VARIABLE_MAX);
	evl_callsite_init(&callsite, "kernel", NULL);
	/* The log is larger than a ring, so the worker has to keep up. */
	while ((err = kerror_reserve(&reservation, sizeof(*header) + size,
				     KERROR_GROUP_PRINTK | KERROR_STAMPED)) &&
	       tries++ < 1000)
		usleep_range(1000, 2000);
	if (err) {
		kerror_count_lost(KERROR_GROUP_PRINTK, reservation.cause);
		return;
	}
	header = reservation.data;
	header->flags = EVL_FLAG_PRINTK | EVL_FLAG_IMPORTED;
	header->facility_hash = callsite.facility_hash;
	header->magic = EVL_MAGIC;
	header->header_size = sizeof(*header);
	header->version = EVL_VERSION;
	header->severity = level;
	header->format = EVL_FORMAT_STRING;
	memcpy(header->facility, callsite.facility, callsite.facility_size);
	memcpy(header + 1, text, size);
	header->variable_size = size;
	/* The worker writes the times from this one. */
	reservation.record->time = time;
	kerror_commit(&reservation, sizeof(*header) + size);
}

/**
 * evl_import - make events of messages that are in the log
 * @seam: the messages that the tap has seen
 * @from: sequence number of the first
 * @imported: set to how many were made events
 * @overwritten: set to how many the log has no more
 *
 * Context: process, when the tap sees each new message.
 */
void evl_import(struct evl_seam *seam, u64 from, unsigned long *imported,
		unsigned long *overwritten)
{
	struct kmsg_dump_iter iter;
	u64 end, time = 0, next = from;
	unsigned int level;
	size_t size;
	char *text, *line = kmalloc(LINE_MAX, GFP_KERNEL);

	*imported = 0;
	*overwritten = 0;
	if (!line)
		return;
	kmsg_dump_rewind(&iter);
	end = iter.next_seq;
	while (iter.cur_seq < end &&
	       kmsg_dump_get_line(&iter, true, line, LINE_MAX - 1, &size)) {
		if (iter.cur_seq <= from)
			continue;
		/* The iterator stands behind the message. */
		*overwritten += iter.cur_seq - 1 - next;
		next = iter.cur_seq;
		if (next > end)
			break;
		while (size && line[size - 1] == '\n')
			size--;
		line[size] = '\0';
		text = message_parse(line, &level, &time);
		if (!text || seam_take(seam, text) ||
		    level >= READ_ONCE(evl_printk_level))
			continue;
		import_line(text, strlen(text), level, time);
		++*imported;
		cond_resched();
	}
	kfree(line);
}
