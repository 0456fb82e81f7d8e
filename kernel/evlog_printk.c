// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of the kernel as events, without a change to any driver.
 *
 * Called by printk() through <linux/evlog_printk.h>, with the format and the
 * arguments that it was given. Records them as evl_printf() does, with
 * EVL_FLAG_PRINTK and what <uapi/linux/evlog.h> says of it: the level goes from
 * the format to the header, and a format that was passed on by %pV is put where
 * it belongs, so that the event's id is that of the whole.
 *
 * Promise: that of evlog.c, as printk() works everywhere, too. What this
 * facility prints itself, because nobody listens, does not come back as an
 * event; what came through here is not printed again.
 */
#include <linux/align.h>
#include <linux/device.h>
#include <linux/evlog_printk.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "evlog_internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "evlog."

int evl_printk_limit = CONFIG_KERROR_PRINTK_LEVEL;

static int evl_limit_set(const char *value, const struct kernel_param *kp)
{
	unsigned long limit;
	int err = kstrtoul(value, 0, &limit);

	if (err || limit > LOG_DEBUG + 1)
		return err ?: -EINVAL;
	WRITE_ONCE(evl_printk_limit, limit);
	return 0;
}

static int evl_limit_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%d\n", READ_ONCE(evl_printk_limit));
}

static const struct kernel_param_ops evl_limit_ops = {
	.set = evl_limit_set,
	.get = evl_limit_get,
};

module_param_cb(printk, &evl_limit_ops, NULL, 0644);
MODULE_PARM_DESC(printk, "messages of a level below this become events: 0 (none) to 8 (all)");

/* By its address it is known that user space wrote the text. */
const char evl_printk_by_user[sizeof("%s")] = "%s";

/* ------------------------------------------------------------------ */
/* Levels. */

/* What a message says of itself; of several levels the first counts. */
struct evl_level {
	int severity;		/* negative: nothing */
	bool continues;
};

/* Returns what is behind the levels that @text begins with, if any. */
static const char *evl_take_levels(const char *text, struct evl_level *level)
{
	/* "\0013", or "<3>" on Linux 2.6 */
	const size_t size = sizeof(KERN_ERR) - 1;

	while (text[0] == KERN_ERR[0] && text[1] &&
	       (size == 2 || text[2] == KERN_ERR[size - 1])) {
		if (text[1] >= '0' && text[1] <= '7') {
			if (level->severity < 0)
				level->severity = text[1] - '0';
		} else if (text[1] == 'c') {
			level->continues = true;
		} else if (text[1] != 'd') {
			break;
		}
		text += size;
	}
	return text;
}

/* As vsnprintf(): the first page and the last have nothing to show. */
static bool evl_is_valid(const void *pointer)
{
	return (unsigned long)pointer >= PAGE_SIZE && !IS_ERR_VALUE(pointer);
}

/*
 * The level may be at the start of what the format begins with, too. Returns
 * how many bytes of a first string it is.
 */
static size_t evl_look_for_levels(const char *fmt, va_list list,
				  struct evl_level *level)
{
	struct evl_arguments args;
	struct va_format *format;
	const char *string;
	size_t skip = 0;

	if (fmt[0] != '%')
		return 0;
	va_copy(args.list, list);
	if (fmt[1] == 's') {
		string = va_arg(args.list, char *);
		if (evl_is_valid(string))
			skip = evl_take_levels(string, level) - string;
	} else if (fmt[1] == 'p' && fmt[2] == 'V') {
		format = va_arg(args.list, struct va_format *);
		if (evl_is_valid(format))
			evl_take_levels(format->fmt, level);
	}
	va_end(args.list);
	return skip;
}

static bool evl_ends_line(const char *text, size_t length)
{
	return length && text[length - 1] == '\n';
}

/*
 * The level of the line that the last message left open, or -1: what continues it
 * has that level. As in the log, where a message of another CPU ends the line.
 */
static int evl_open_severity = -1;

/* Completes @level; @of_line as EVL_LEVEL_OF_LINE. */
static void evl_complete_level(struct evl_level *level, bool of_line)
{
	int open = READ_ONCE(evl_open_severity);

	if (level->severity >= 0)
		return;
	if (of_line && open >= 0)
		level->continues = true;
	level->severity = level->continues && open >= 0 ?
			  open : default_message_loglevel;
}

/* ------------------------------------------------------------------ */
/* Formats that stand for others. */

/* A format as it is put together. */
struct evl_text {
	u8 *data;		/* NULL: only measure */
	size_t at;
	size_t limit;
	char last;
	const char *innermost;	/* the format that was begun last */
};

static void evl_add(struct evl_text *text, const char *from, size_t size)
{
	if (!size)
		return;
	if (text->data && text->at < text->limit)
		memcpy(text->data + text->at, from,
		       min(size, text->limit - text->at));
	text->at += size;
	text->last = from[size - 1];
}

/* Goes past the arguments of one conversion. */
static void evl_pass(const struct evl_conversion *conversion,
		     struct evl_arguments *args)
{
	if (conversion->width_argument)
		(void)va_arg(args->list, int);
	if (conversion->precision_argument)
		(void)va_arg(args->list, int);
	if (conversion->letter == 's' || conversion->letter == 'p')
		(void)va_arg(args->list, void *);
	else if (conversion->letter == '%')
		return;
	else if (conversion->letter != 'c' && evl_is_64bit(conversion))
		(void)va_arg(args->list, u64);
	else
		(void)va_arg(args->list, u32);
}

/* Adds @fmt; false if it, or one inside, is none that evl_printf() takes. */
static bool evl_splice(struct evl_text *text, const char *fmt,
		       struct evl_arguments *args)
{
	struct evl_conversion conversion __uninitialized;
	struct evl_arguments inner;
	struct evl_level ignored = {};
	struct va_format *format;
	bool taken = true;

	text->innermost = fmt;
	if (!text->at)
		fmt = evl_take_levels(fmt, &ignored);
	while (taken && evl_next(fmt, &conversion)) {
		if (!evl_is_taken(&conversion))
			return false;
		if (evl_is_format(&conversion)) {
			evl_add(text, fmt, conversion.start - fmt);
			format = va_arg(args->list, struct va_format *);
			if (!evl_is_valid(format))
				return false;
			va_copy(inner.list, *format->va);
			taken = evl_splice(text, format->fmt, &inner);
			va_end(inner.list);
		} else {
			evl_add(text, fmt, conversion.end - fmt);
			evl_pass(&conversion, args);
		}
		fmt = conversion.end;
	}
	evl_add(text, fmt, strlen(fmt));
	return taken;
}

/* A message whose format has to be looked at each time. */
struct evl_spliced {
	const char *fmt;
	struct evl_arguments args;
	u8 skip;		/* bytes of level in its first string */
	bool taken;		/* evl_printf() would take the format */
	bool ended;		/* by a newline */
	const char *innermost;	/* the last format that it is made of */
	size_t size;		/* bytes of the whole with NUL */
	u32 event_id;
};

/* Writes format and arguments, or measures them. */
static void evl_write_spliced(struct evl_spliced *message,
			      struct evl_writer *writer)
{
	struct evl_text text = {
		.data = writer->data, .limit = writer->limit - 1,
	};
	struct evl_arguments args;
	bool newline;

	va_copy(args.list, message->args.list);
	message->taken = evl_splice(&text, message->fmt, &args);
	va_end(args.list);
	if (!message->taken)
		return;
	message->innermost = text.innermost;
	newline = text.last == '\n';
	message->ended |= newline;
	text.at -= newline;
	if (writer->data) {
		if (text.at < text.limit)
			writer->data[text.at] = '\0';
		message->event_id = evl_crc(writer->data,
					    min(text.at, text.limit));
	}
	writer->truncated = text.at > text.limit;
	message->size = min(text.at, text.limit) + 1;
	writer->at = message->size;
	if (writer->truncated)
		return;
	writer->splice = true;
	writer->skip = message->skip;
	va_copy(args.list, message->args.list);
	evl_put_arguments(writer, message->fmt, &args, !newline);
	va_end(args.list);
	message->ended |= writer->ended;
}

/* Has vsnprintf() say what it makes of a format that is not taken. */
static void evl_write_text(struct evl_spliced *message,
			   struct evl_writer *writer)
{
	struct evl_level ignored = {};
	struct evl_arguments args;
	char *text = (char *)writer->data;
	const char *start;
	int size;

	va_copy(args.list, message->args.list);
	size = vsnprintf(text, writer->limit, message->fmt, args.list);
	va_end(args.list);
	writer->truncated = size >= writer->limit;
	writer->at = strnlen(text, writer->limit - 1);
	start = evl_take_levels(text, &ignored);
	writer->at -= start - text;
	memmove(text, start, writer->at);
	if (evl_ends_line(text, writer->at)) {
		message->ended = true;
		writer->at--;
	}
	message->size = 0;
}

/* The module whose text @fmt is. Preemption is disabled: so it stays. */
static const char *evl_facility(const char *fmt)
{
	struct module *module = __module_address((unsigned long)fmt);

	return module ? module->name : "kernel";
}

static void evl_set_facility(struct evl_header *header, const char *facility)
{
	size_t length = strlen(facility);

	header->facility_hash = evl_crc(facility, length);
	length = min_t(size_t, length, EVL_FACILITY_SIZE - 1);
	memset(header->facility, 0, sizeof(header->facility));
	memcpy(header->facility, facility, length);
}

/*
 * Records a message that is not plain: @skip bytes of its first string are its
 * level. Returns whether it ended its line. Apart, so that what is on the stack
 * here is not cleared for those that are plain.
 */
static noinline bool evl_record_spliced(struct evl_event *event,
					const char *fmt, va_list list,
					u8 skip, bool ended)
{
	struct evl_site site = {};
	struct evl_spliced message = {
		.fmt = fmt, .skip = skip, .ended = ended,
	};
	struct kerror_reservation reservation __uninitialized;
	struct evl_writer writer = { .limit = EVL_VARIABLE_MAX };
	struct evl_header *header;
	int err;

	if (!event->site) {
		evl_site_learn(&site, evl_facility(fmt), NULL);
		event->site = &site;
	}
	va_copy(message.args.list, list);
	err = evl_begin(&reservation, writer.limit, event);
	if (err == -ENOBUFS) {
		evl_write_spliced(&message, &writer);
		if (message.taken) {
			writer.limit = min_t(size_t, writer.at,
					     EVL_VARIABLE_MAX);
			err = evl_begin(&reservation, writer.limit, event);
		}
	}
	if (err) {
		kerror_count_lost(KERROR_GROUP_PRINTK, reservation.cause);
		goto out;
	}
	header = reservation.data;
	writer = (struct evl_writer) {
		.data = evl_variable(&reservation), .limit = writer.limit,
	};
	evl_write_spliced(&message, &writer);
	if (!message.taken) {
		evl_write_text(&message, &writer);
		header->format = EVL_FORMAT_STRING;
	} else if (message.innermost != message.fmt) {
		evl_set_facility(header, evl_facility(message.innermost));
	}
	/* What was written and is not part of it */
	if (!message.taken || writer.truncated)
		memset(writer.data + writer.at, 0, writer.limit - writer.at);
	header->event_id = message.taken ? message.event_id : 0;
	header->format_size = message.size;
	if (!message.ended)
		header->flags |= EVL_FLAG_OPEN;
	evl_end(&reservation, writer.at, writer.truncated);
out:
	va_end(message.args.list);
	return message.ended;
}

/* ------------------------------------------------------------------ */
/* Formats that were seen before. */

enum evl_kind {
	EVL_SPLICED,	/* has to be looked at each time */
	EVL_PLAIN,	/* the site says all about it */
	EVL_AROUND,	/* ends with %pV; the site is about what is before */
};

struct evl_about {
	struct evl_site site;
	char facility[MODULE_NAME_LEN];	/* the site's */
	unsigned long number;	/* its own, so that another can refer to it */
	u8 kind;
	u8 before;		/* EVL_AROUND: bytes before the %pV */
	bool ended;		/* by a newline */
	bool ends_in_string;	/* which may have that newline */
};

#define EVL_KNOWN_TEXT	128
#define EVL_KNOWN_WORDS	(EVL_KNOWN_TEXT / sizeof(long))

/*
 * What was found out about a format, to be used again as long as there is the
 * same text at the same address, and no module came that may be what is there
 * now; of one that was passed on by %pV, also in the same format around it.
 */
struct evl_known {
	const char *fmt;	/* with its levels; NULL while this is written */
	unsigned long around;	/* evl_about.number of that, or 0 */
	int modules;		/* evl_modules before it was looked at */
	u8 last;		/* of the words that the text is in */
	unsigned long first_mask;	/* which bytes of the first word, and */
	unsigned long last_mask;	/* of the last one, with the NUL */
	unsigned long words[EVL_KNOWN_WORDS];
	struct evl_about about;
};

#define EVL_KNOWN_BITS	5

/* Process, softirq, interrupt, NMI; and what is printed while printing. */
#define EVL_USERS	8

/*
 * Of one CPU, with preemption disabled. Only the outermost user writes: what
 * interrupts him does without what it does not find.
 */
struct evl_memory {
	int owner;		/* its CPU + 1, as all begin as copies of one */
	unsigned int users;
	/* By how many users there were: so who interrupts has his own counter */
	unsigned long forwarded[EVL_USERS];
	unsigned long number;
	struct evl_known known[1 << EVL_KNOWN_BITS];
};

static DEFINE_PER_CPU(struct evl_memory, evl_memory);

/* How many modules were loaded. */
static atomic_t evl_modules;

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

static int __init evl_printk_init(void)
{
	return register_module_notifier(&evl_module_notifier);
}
early_initcall(evl_printk_init);

/* The words that @fmt is in are those from the one that it begins in. */
static const unsigned long *evl_words(const char *fmt)
{
	return (void *)ALIGN_DOWN((unsigned long)fmt, sizeof(long));
}

static void evl_learn_text(struct evl_known *known, const char *fmt,
			   size_t length)
{
	size_t before = fmt - (char *)evl_words(fmt);
	size_t end = before + length + 1;

	memcpy((char *)known->words + before, fmt, length);
	known->last = (end - 1) / sizeof(long);
	memset((char *)&known->first_mask + before, 0xff, sizeof(long) - before);
	memset(&known->last_mask, 0xff, end - known->last * sizeof(long));
}

/*
 * Whether @fmt is what is known. Reads no word beyond that in which @fmt ends; the
 * bytes around it do no harm, which the kernel's own detectors do not know.
 */
static bool evl_is_text(const struct evl_known *known, const char *fmt)
{
	const unsigned long *words = evl_words(fmt);
	unsigned long mask = known->first_mask;
	unsigned int i;

	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ||
	    IS_ENABLED(CONFIG_KMSAN))
		return !strcmp(fmt, (char *)known->words +
				    (fmt - (char *)words));
	for (i = 0; i < known->last; i++, mask = ~0UL)
		if ((words[i] ^ known->words[i]) & mask)
			return false;
	return !((words[i] ^ known->words[i]) & mask & known->last_mask);
}

/* Fills in all of @known but what tells that it is there. */
static void evl_learn(struct evl_known *known, const char *fmt,
		      const struct evl_about *around)
{
	size_t before = around ? around->before : 0;
	size_t length = strlen(fmt);
	struct evl_about *about = &known->about;
	char *facility = about->facility;
	struct evl_conversion conversion;
	char text[2 * EVL_KNOWN_TEXT] = "";	/* with what is around */
	const char *next = text;

	strscpy(facility, evl_facility(fmt), sizeof(about->facility));
	if (around)
		memcpy(text, around->site.fmt, before);
	memcpy(text + before, fmt, length);
	if (around && around->ended)
		text[before + length] = '\n';
	about->kind = EVL_PLAIN;
	while (about->kind == EVL_PLAIN && evl_next(next, &conversion)) {
		next = conversion.end;
		if (!evl_is_taken(&conversion))
			about->kind = EVL_SPLICED;
		else if (evl_is_format(&conversion))
			about->kind = EVL_AROUND;
		about->ends_in_string = !*next && conversion.letter == 's' &&
			conversion.width < 0 && !conversion.width_argument;
	}
	about->ended = evl_ends_line(text, strlen(text));
	switch (about->kind) {
	case EVL_AROUND:
		about->before = conversion.start - text;
		text[about->before] = '\0';
		evl_site_learn(&about->site, facility, text);
		if (around || next[about->ended] || !about->site.simple)
			about->kind = EVL_SPLICED;
		break;
	case EVL_PLAIN:
		evl_site_learn(&about->site, facility, text);
		/* More than evl_record() does */
		if (!about->site.simple &&
		    (around || about->ends_in_string || !strncmp(text, "%s", 2)))
			about->kind = EVL_SPLICED;
		if (about->site.size <= before)
			about->kind = EVL_SPLICED;
		break;
	default:
		evl_site_learn(&about->site, facility, NULL);
	}
	about->site.fmt = fmt;
}

/*
 * Returns what is known about @fmt, which @around is around, if that is not
 * NULL, and which is behind its levels in @given; NULL if nothing is.
 */
static struct evl_about *evl_look_up(struct evl_memory *memory,
				     const char *given, const char *fmt,
				     const struct evl_about *around)
{
	unsigned long number = around ? around->number : 0;
	unsigned int slot = hash_long((unsigned long)given + number,
				      EVL_KNOWN_BITS);
	struct evl_known *known = &memory->known[slot];
	size_t length;

	if (&known->about == around)
		known = &memory->known[slot ^ 1];
	if (READ_ONCE(known->fmt) == given && known->around == number &&
	    known->modules == atomic_read(&evl_modules) &&
	    evl_is_text(known, given))
		goto out;
	length = strlen(given);
	if (memory->users > 1 || length >= EVL_KNOWN_TEXT - sizeof(long))
		return NULL;
	WRITE_ONCE(known->fmt, NULL);
	barrier();	/* what interrupts this does not use it */
	memset(known, 0, sizeof(*known));
	known->around = number;
	known->modules = atomic_read(&evl_modules);
	known->about.number = ++memory->number;
	evl_learn_text(known, given, length);
	evl_learn(known, fmt, around);
	barrier();	/* now it does */
	WRITE_ONCE(known->fmt, given);
out:
	/* What is of a CPU is copied early in boot: so it points to itself. */
	known->about.site.facility = known->about.facility;
	return &known->about;
}

/* Makes a string that was taken shorter. */
static void evl_shorten(struct evl_values *values, struct evl_value *value,
			size_t size)
{
	values->size -= ALIGN(value->size, 4) - ALIGN(size, 4);
	value->size = size;
}

/*
 * Takes all arguments of a message off @args. Returns what is known about its
 * format, or about the one inside, or NULL if they have to be looked at more
 * closely. @skip: bytes of the first string that are its level.
 */
static struct evl_about *evl_take_message(struct evl_memory *memory,
					  struct evl_values *values,
					  struct evl_about *about,
					  struct evl_event *event,
					  struct evl_arguments *args, u8 skip)
{
	struct evl_level ignored = {};
	struct evl_arguments inner;
	struct evl_value *string = values->value;
	struct va_format *format;
	const char *fmt;
	bool taken;

	values->number = 0;
	values->size = 0;
	if (!evl_take_values(values, &about->site, args))
		return NULL;
	if (skip) {
		skip = min_t(size_t, skip, string->size);
		string->string += skip;
		evl_shorten(values, string, string->size - skip);
	}
	if (about->kind == EVL_AROUND) {
		format = va_arg(args->list, struct va_format *);
		if (!evl_is_valid(format))
			return NULL;
		event->around = about->site.fmt;
		event->before = about->before;
		fmt = format->fmt;
		if (!event->before)
			fmt = evl_take_levels(fmt, &ignored);
		about = evl_look_up(memory, fmt, fmt, about);
		if (!about || about->kind != EVL_PLAIN)
			return NULL;
		va_copy(inner.list, *format->va);
		taken = evl_take_values(values, &about->site, &inner);
		va_end(inner.list);
		if (!taken)
			return NULL;
	}
	return evl_values_fit(values, &about->site) ? about : NULL;
}

/*
 * Records a message whose format is @fmt, behind its levels in @given. Returns
 * whether it ended its line; @ended: it does anyhow.
 */
static bool evl_record_message(struct evl_memory *memory,
			       struct evl_event *event, const char *given,
			       const char *fmt, va_list list, u8 skip,
			       bool ended)
{
	struct evl_about *about = evl_look_up(memory, given, fmt, NULL);
	struct evl_values values __uninitialized;
	struct evl_arguments args;
	struct evl_value *string;

	event->site = about ? &about->site : NULL;
	if (!about || about->kind == EVL_SPLICED)
		return evl_record_spliced(event, fmt, list, skip, ended);
	if (about->kind == EVL_AROUND || about->site.simple) {
		va_copy(args.list, list);
		about = evl_take_message(memory, &values, about, event, &args,
					 skip);
		va_end(args.list);
		if (!about)
			return evl_record_spliced(event, fmt, list, skip,
						  ended);
		event->site = &about->site;
	}
	ended |= about->ended;
	if (about->ends_in_string) {
		string = &values.value[values.number - 1];
		if (evl_ends_line(string->string, string->size)) {
			evl_shorten(&values, string, string->size - 1);
			ended = true;
		}
	}
	if (!ended)
		event->flags |= EVL_FLAG_OPEN;
	if (about->site.simple)
		evl_record_values(event, &values);
	else
		evl_record(event, list);
	return ended;
}

/* ------------------------------------------------------------------ */
/* The message. */

static int evl_forwarded_get(char *buffer, const struct kernel_param *kp)
{
	const struct evl_memory *memory;
	unsigned long forwarded = 0;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		memory = &per_cpu(evl_memory, cpu);
		if (READ_ONCE(memory->owner) != cpu + 1)
			continue;
		for (i = 0; i < EVL_USERS; i++)
			forwarded += READ_ONCE(memory->forwarded[i]);
	}
	return sprintf(buffer, "%lu\n", forwarded);
}

static const struct kernel_param_ops evl_forwarded_ops = {
	.get = evl_forwarded_get,
};

module_param_cb(forwarded, &evl_forwarded_ops, NULL, 0444);
MODULE_PARM_DESC(forwarded, "how many messages became events, or were counted as lost");

/**
 * evl_message - record a message that is being printed
 * @level: as evl_forward_printk()
 * @info: the device that it is about, or NULL
 * @fmt: as printk() was given it
 * @args: its arguments, which are not used up
 *
 * Context: any, NMI included.
 */
void evl_message(int level, const struct dev_printk_info *info,
		 const char *fmt, va_list args)
{
	struct evl_level said = { .severity = level < 0 ? -1 : level };
	struct evl_event event __uninitialized;
	struct evl_memory *memory;
	const char *given = fmt;
	unsigned long *forwarded;
	unsigned int users;
	int cpu;
	/* What is about a device is a line of its own. */
	bool ended = info;
	u8 skip;

	if (!fmt || fmt == evl_printk_by_user || kerror_is_printing())
		return;
	fmt = evl_take_levels(fmt, &said);
	skip = evl_look_for_levels(fmt, args, &said);
	evl_complete_level(&said, level == EVL_LEVEL_OF_LINE);
	if (said.severity >= READ_ONCE(evl_printk_limit)) {
		ended |= evl_ends_line(fmt, strlen(fmt));
		goto out;
	}
	/* One by one: to clear all of it first would take longer. */
	event.dev = NULL;
	event.device = info && info->device[0] ? info->device : NULL;
	event.event_type = 0;
	event.severity = said.severity;
	event.flags = EVL_FLAG_PRINTK;
	if (said.continues)
		event.flags |= EVL_FLAG_CONTINUES;
	event.format = EVL_FORMAT_PRINTF;
	event.before = 0;
	preempt_disable_notrace();
	cpu = raw_smp_processor_id();
	memory = &per_cpu(evl_memory, cpu);
	users = memory->users++;
	barrier();	/* what interrupts this sees it */
	if (unlikely(memory->owner != cpu + 1)) {
		memset(memory->forwarded, 0, sizeof(memory->forwarded));
		WRITE_ONCE(memory->owner, cpu + 1);
	}
	forwarded = &memory->forwarded[min_t(unsigned int, users, EVL_USERS - 1)];
	WRITE_ONCE(*forwarded, *forwarded + 1);
	ended = evl_record_message(memory, &event, given, fmt, args, skip,
				   ended);
	barrier();
	memory->users--;
	preempt_enable_notrace();
out:
	WRITE_ONCE(evl_open_severity, ended ? -1 : said.severity);
}
