// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes messages out of the kernel's log, as text: those that were printed before
 * the tap was there, or while it was off; all of them, if the log is what is tapped.
 *
 * tap.c calls evl_import() when the tap is on. An imported event has the time, the
 * level and the text of the log, and EVL_FLAG_IMPORTED; where the log has no times
 * (printk.time=0), it has that of the import. Lines that user space wrote to
 * the log are left out, as the hook in printk() leaves it out. A line that the
 * transport printed for want of a listener is not told from others.
 *
 * Promise: no message of the log is there twice, and none is missing. While the tap
 * is switched, it notes the texts that it sees in a seam, as the log keeps them. A
 * message of the log that is equal to one of them has become an event already. If
 * more than SEAM_MESSAGES or SEAM_BYTES are printed meanwhile, those beyond are there
 * twice, and so is a line that was printed in pieces.
 */
#define pr_fmt(fmt) "evlog: " fmt

#include <linux/delay.h>
#include <linux/evlog.h>
#include <linux/evlog_printk.h>
#include <linux/kerror.h>
#include <linux/kmsg_dump.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "../kernel/evlog_internal.h"
#include "../net/netlink/kerror_ring.h"
#include "tap.h"

/* Most messages that are printed while the tap is switched */
#define SEAM_MESSAGES	8192
#define SEAM_BYTES	1048576

/* The log cuts a message to that size, with its level and newline. */
#define LOG_TEXT_MAX	1024

/* The longest line of the log, with its prefix */
#define LINE_MAX	4096

struct evl_seam {
	atomic_t messages, bytes;
	atomic_t beyond;		/* messages that it had no room for */
	struct {
		bool waits;		/* for its like in the log */
		unsigned int size;
		u64 time;		/* not later than that in the log */
		const char *text;
	} message[SEAM_MESSAGES];
	char texts[SEAM_BYTES];
};

struct evl_seam *evl_seam_new(void)
{
	return kvzalloc(sizeof(struct evl_seam), GFP_KERNEL);
}

void evl_seam_free(struct evl_seam *seam)
{
	kvfree(seam);
}

/* Context: any. */
void evl_seam_note(struct evl_seam *seam, const char *fmt, va_list args)
{
	int i, size, end = 0;
	char *text;
	va_list list;

	va_copy(list, args);
	size = min(vsnprintf(NULL, 0, fmt, list) + 1, LOG_TEXT_MAX);
	va_end(list);
	if (atomic_read(&seam->bytes) + size <= SEAM_BYTES &&
	    atomic_read(&seam->messages) < SEAM_MESSAGES) {
		end = atomic_add_return(size, &seam->bytes);
		i = atomic_inc_return(&seam->messages) - 1;
	} else {
		i = SEAM_MESSAGES;
	}
	if (i >= SEAM_MESSAGES || end > SEAM_BYTES) {
		atomic_inc(&seam->beyond);
		return;
	}
	text = seam->texts + end - size;
	va_copy(list, args);
	size = vscnprintf(text, size, fmt, list);
	va_end(list);
	while (size && text[size - 1] == '\n')
		text[--size] = '\0';
	seam->message[i].time = local_clock();
	seam->message[i].text = printk_skip_headers(text);
	seam->message[i].size = strlen(seam->message[i].text);
	/* Pairs with the acquire in seam_take(). */
	smp_store_release(&seam->message[i].waits, true);
}

/*
 * Whether the tap has seen a message of that text, which the log had at @time or, if
 * it has no times, 0. Each counts once.
 */
static bool seam_take(struct evl_seam *seam, const char *text, size_t size,
		      u64 time)
{
	int i, count = min(atomic_read(&seam->messages), SEAM_MESSAGES);

	for (i = 0; i < count; i++) {
		if (!smp_load_acquire(&seam->message[i].waits) ||
		    seam->message[i].size != size ||
		    /* The log shows microseconds. */
		    (time && seam->message[i].time >= time + NSEC_PER_USEC) ||
		    memcmp(seam->message[i].text, text, size))
			continue;
		WRITE_ONCE(seam->message[i].waits, false);
		return true;
	}
	return false;
}

/* How many messages may be there twice, for want of room in @seam */
unsigned int evl_seam_beyond(struct evl_seam *seam)
{
	return atomic_read(&seam->beyond);
}

/* The sequence number that the next message of the log gets */
u64 evl_log_end(void)
{
	struct kmsg_dump_iter iter;

	kmsg_dump_rewind(&iter);
	return iter.next_seq;
}

/*
 * Prints a message, and so ends a line that is open: until then the log shows it to no
 * reader. Returns the sequence number that the next message of the log gets.
 */
u64 evl_log_cut(void)
{
	pr_info("the tap of messages is switched\n");
	return evl_log_end();
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

/*
 * Reads the log from @count->next on, which becomes the next message, up to @end.
 * Messages that are in @seam are taken off it, others become events if @import.
 */
static void log_read(struct evl_seam *seam, struct evl_imported *count, u64 end,
		     bool import)
{
	struct kmsg_dump_iter iter = { .cur_seq = count->next };
	char *text, *line = kmalloc(LINE_MAX, GFP_KERNEL);
	unsigned int level;
	u64 time = 0;
	size_t size;

	while (line && count->next < end &&
	       kmsg_dump_get_line(&iter, true, line, LINE_MAX - 1, &size)) {
		/* The iterator stands behind the message. */
		count->overwritten += min(iter.cur_seq - 1, end) - count->next;
		count->next = min(iter.cur_seq, end);
		if (iter.cur_seq > end)
			break;
		while (size && line[size - 1] == '\n')
			size--;
		line[size] = '\0';
		text = message_parse(line, &level, &time);
		if (!text)
			continue;
		size = strlen(text);
		if ((seam && seam_take(seam, text, size, time)) || !import ||
		    level >= READ_ONCE(evl_printk_level))
			continue;
		import_line(text, size, level, time ?: ktime_get_ns());
		count->events++;
		cond_resched();
	}
	kfree(line);
}

/**
 * evl_import - make events of messages that are in the log
 * @seam: the messages that the tap has seen, or NULL
 * @from: sequence number of the first
 *
 * Context: process, when the tap sees each new message or the log is read again.
 * Return: what it did.
 */
struct evl_imported evl_import(struct evl_seam *seam, u64 from)
{
	struct evl_imported count = { .next = from };

	log_read(seam, &count, seam ? evl_log_cut() : evl_log_end(), true);
	return count;
}

/*
 * Takes messages that are in the log from @from on, but before @to, off @seam: a later
 * one may have the same text. Context: process.
 */
void evl_seam_settle(struct evl_seam *seam, u64 from, u64 to)
{
	struct evl_imported count = { .next = from };

	log_read(seam, &count, to, false);
}
