/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkerror: receives, decodes and formats the kernel's error events.
 *
 * Two halves. The reader is a state machine without input or output: it is fed
 * datagrams, and gives events, losses, and requests that are to be sent. The
 * socket layer moves bytes between a NETLINK_KERROR socket and a reader. Most
 * programs need kerror_socket_open(), kerror_reader_new() and then
 * kerror_socket_next() in a loop; see examples/.
 *
 * Functions return 0 or more, or a negative errno. Nothing is thread-safe for
 * one object, except for what takes a const one; different objects are
 * independent. Pointers that accessors return belong to the library and are
 * valid as long as stated.
 */
#ifndef LIBKERROR_H
#define LIBKERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/evlog.h>
#include <linux/kerror.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ---- */

/*
 * Of this header; the Makefile takes it from here. A function that is newer than 1.0 says
 * so, and a program asks with #if LIBKERROR_VERSION >= LIBKERROR_VERSION_OF(1, 1, 0).
 */
#define LIBKERROR_VERSION_MAJOR 1
#define LIBKERROR_VERSION_MINOR 0
#define LIBKERROR_VERSION_MICRO 0
#define LIBKERROR_VERSION_OF(major, minor, micro) \
	(((major) << 16) | ((minor) << 8) | (micro))
#define LIBKERROR_VERSION						\
	LIBKERROR_VERSION_OF(LIBKERROR_VERSION_MAJOR, LIBKERROR_VERSION_MINOR,	\
			     LIBKERROR_VERSION_MICRO)

/* That of the library that the program runs with, which may be newer. */
unsigned int kerror_version(void);

/* ---- Groups ---- */

/*
 * Groups that events are raised for. An index numbers them without a gap, for
 * arrays: raw 0, evlog 1, printk 2. The functions are inline, so that a program
 * and its arrays agree, whatever library it runs with.
 */
#define KERROR_GROUP_COUNT 3

/* The group of an index; 0 if there is none. */
static inline uint32_t kerror_group_at(unsigned int index)
{
	return index == 0 ? KERROR_GROUP_RAW :
	       index == 1 ? KERROR_GROUP_EVLOG :
	       index == 2 ? KERROR_GROUP_PRINTK : 0;
}

/* The index of one group; -1 of anything else, batches included. */
static inline int kerror_group_index(uint32_t group)
{
	return group == KERROR_GROUP_RAW ? 0 :
	       group == KERROR_GROUP_EVLOG ? 1 :
	       group == KERROR_GROUP_PRINTK ? 2 : -1;
}

/* ---- Events ---- */

struct kerror_event;

/**
 * kerror_event_new() - decode an event that was stored or captured
 * @group: the one group that it was sent to
 * @sequence: its sequence number
 * @thread: nlmsg_pid of its message
 * @data: its bytes, which are copied
 * @size: how many
 *
 * Return: an event to be freed with kerror_event_free(), or NULL if there is
 * no memory. An event that is not well-formed evlog is given as raw bytes, and
 * so is any event of KERROR_GROUP_RAW.
 */
struct kerror_event *kerror_event_new(uint32_t group, uint32_t sequence,
				      uint32_t thread, const void *data,
				      size_t size);
void kerror_event_free(struct kerror_event *event);

uint32_t kerror_event_group(const struct kerror_event *event);
uint32_t kerror_event_sequence(const struct kerror_event *event);
uint32_t kerror_event_thread(const struct kerror_event *event);

/**
 * kerror_event_copy() - an event that can be kept
 * @event: any event, such as that of kerror_reader_event()
 *
 * Return: one of its own, with the same bytes, severity, origin and first part, to be
 * freed with kerror_event_free(); or NULL.
 */
struct kerror_event *kerror_event_copy(const struct kerror_event *event);

/* Bytes of memory that an event of kerror_event_new() or _copy() takes. */
size_t kerror_event_memory(const struct kerror_event *event);

/* The event's bytes as the kernel sent them; valid as long as the event. */
const void *kerror_event_data(const struct kerror_event *event, size_t *size);

/**
 * kerror_event_header() - context of an evlog event
 * @event: the event
 *
 * Return: the header, with zeros for fields that an older kernel does not have,
 * valid as long as the event; NULL if this is not an evlog event, in which case
 * only the functions above apply.
 */
const struct evl_header *kerror_event_header(const struct kerror_event *event);

/*
 * The same value by value, for programs that cannot know the layout of the header, as
 * those of another language. If this is not an evlog event, severity and kind are
 * -ENODATA, all others 0 or "". The strings are valid as long as the event.
 */
int kerror_event_severity(const struct kerror_event *event);
int kerror_event_kind(const struct kerror_event *event);	/* EVL_FORMAT number */
uint32_t kerror_event_flags(const struct kerror_event *event);	/* EVL_FLAG bits */
uint64_t kerror_event_time_realtime(const struct kerror_event *event);
uint64_t kerror_event_time_boot(const struct kerror_event *event);
const char *kerror_event_facility(const struct kerror_event *event);
const char *kerror_event_comm(const struct kerror_event *event);
uint32_t kerror_event_id(const struct kerror_event *event);
uint32_t kerror_event_type(const struct kerror_event *event);
uint32_t kerror_event_cpu(const struct kerror_event *event);
uint32_t kerror_event_uid(const struct kerror_event *event);
uint32_t kerror_event_gid(const struct kerror_event *event);
uint32_t kerror_event_pid(const struct kerror_event *event);
uint32_t kerror_event_tid(const struct kerror_event *event);

/*
 * Gives the event another severity, 0 to 7, as somebody who knows better has it:
 * its header and filters have that from now on, its bytes that of the kernel.
 * Does nothing if this is not an evlog event.
 */
void kerror_event_set_severity(struct kerror_event *event, unsigned int severity);

/* Device such as "+pci:0000:00:1f.2", "" if none. Valid as the event. */
const char *kerror_event_device(const struct kerror_event *event);

/* Format string, NULL unless EVL_FORMAT_PRINTF. Valid as the event. */
const char *kerror_event_format(const struct kerror_event *event);

/* The driver's bytes of EVL_FORMAT_BINARY or _STRING. Valid as the event. */
const void *kerror_event_payload(const struct kerror_event *event,
				 size_t *size);

/**
 * struct kerror_argument - value of one conversion
 * @type: EVL_ARG number
 * @invalid: the pointer of a %s was NULL or an error
 * @number: the value of S32 and S64 (sign-extended), U32, U64, CHAR, POINTER
 * @text: the bytes of STRING and TEXT, not NUL-terminated; valid as the event
 * @size: how many, or the bytes of the number as recorded
 */
struct kerror_argument {
	uint8_t type;
	bool invalid;
	uint64_t number;
	const char *text;
	size_t size;
};

/* Values that the format converts; '*' widths and precisions do not count. */
size_t kerror_event_argument_count(const struct kerror_event *event);

/* 0, or -ENOENT if there is no such argument; the first is 0. */
int kerror_event_argument(const struct kerror_event *event, size_t index,
			  struct kerror_argument *argument);

/*
 * Fields of an event, in the order in which kerror_event_next_field() gives them.
 * More may come, behind the last one.
 */
enum kerror_field_id {
	KERROR_FIELD_NONE,
	KERROR_FIELD_GROUP,
	KERROR_FIELD_SEQUENCE,
	KERROR_FIELD_THREAD,
	KERROR_FIELD_TIME_REALTIME,
	KERROR_FIELD_TIME_BOOT,
	KERROR_FIELD_SEVERITY,
	KERROR_FIELD_KERNEL_SEVERITY,
	KERROR_FIELD_FACILITY,
	KERROR_FIELD_DEVICE,
	KERROR_FIELD_CONTEXT,
	KERROR_FIELD_BOOT,
	KERROR_FIELD_OOPS,
	KERROR_FIELD_TRUNCATED,
	KERROR_FIELD_PRINTK,
	KERROR_FIELD_CONTINUES,
	KERROR_FIELD_OPEN,
	KERROR_FIELD_IMPORTED,
	KERROR_FIELD_CPU,
	KERROR_FIELD_UID,
	KERROR_FIELD_GID,
	KERROR_FIELD_PID,
	KERROR_FIELD_TID,
	KERROR_FIELD_COMM,
	KERROR_FIELD_TYPE,
	KERROR_FIELD_ID,
	KERROR_FIELD_KIND,
	KERROR_FIELD_FORMAT,
	KERROR_FIELD_ARG,
	KERROR_FIELD_TEXT,
	KERROR_FIELD_DATA,
	KERROR_FIELD_ARGC,	/* in filters only */
	/* Of the event's origin */
	KERROR_FIELD_MACHINE,
	KERROR_FIELD_HOST,
	KERROR_FIELD_BOOT_ID,
	KERROR_FIELD_INSTANCE,
	KERROR_FIELD_RELEASE,
	KERROR_FIELD_VERSION,
	KERROR_FIELD_ARCH,
	KERROR_FIELD_LIVEPATCH,
	KERROR_FIELD_TAG,
};

/**
 * enum kerror_value - how the value of a field is to be shown
 * @KERROR_VALUE_NONE: not here: an argument of a type that this library does not
 *	know, or KERROR_FIELD_TEXT, which kerror_event_text() makes
 * @KERROR_VALUE_NUMBER: number, in decimal
 * @KERROR_VALUE_SIGNED: number as an int64_t, in decimal
 * @KERROR_VALUE_HEX: number, in hexadecimal with two digits for each of size bytes
 * @KERROR_VALUE_FLAG: that the event has the field is all there is to tell
 * @KERROR_VALUE_TEXT: size bytes at text, which may be any
 * @KERROR_VALUE_BYTES: size bytes at text, each as two hexadecimal digits
 */
enum kerror_value {
	KERROR_VALUE_NONE,
	KERROR_VALUE_NUMBER,
	KERROR_VALUE_SIGNED,
	KERROR_VALUE_HEX,
	KERROR_VALUE_FLAG,
	KERROR_VALUE_TEXT,
	KERROR_VALUE_BYTES,
};

/**
 * struct kerror_field - one field of an event
 * @id: which; all zeros before the first
 * @value: how it is to be shown
 * @name: as in filters, such as "facility", "arg" or, of a tag, "tag.rack"
 * @number: see enum kerror_value
 * @text: see enum kerror_value; valid as long as the event
 * @size: see enum kerror_value
 * @index: of an argument or a tag: its number; the first is 0
 * @type: of an argument: EVL_ARG number
 * @invalid: of an argument: the pointer of a %s was NULL or an error
 * @place: of the library
 */
struct kerror_field {
	enum kerror_field_id id;
	enum kerror_value value;
	const char *name;
	uint64_t number;
	const char *text;
	size_t size;
	size_t index;
	uint8_t type;
	bool invalid;
	size_t place;
};

/**
 * kerror_event_next_field() - visit the fields of an event
 * @event: the event
 * @field: all zeros at first, then as the last call has set it
 *
 * Gives each field that the event has once, an argument or a tag at a time. A program
 * that makes its output of them shows each value as all others do.
 *
 * Return: false behind the last one.
 */
bool kerror_event_next_field(const struct kerror_event *event,
			     struct kerror_field *field);

/* One field; @index is of an argument or a tag. 0, or -ENOENT if the event has none. */
int kerror_event_field(const struct kerror_event *event, enum kerror_field_id id,
		       size_t index, struct kerror_field *field);

/* Its name, "unknown" of other numbers; and its number, or -EINVAL. */
const char *kerror_field_name(enum kerror_field_id id);
int kerror_field_number(const char *name);

/**
 * kerror_event_text() - the text that printk() would have made
 * @event: the event
 * @buffer: where to; NUL-terminated if @size is not 0
 * @size: its bytes
 *
 * The text may hold any byte that the driver's strings do, NUL and terminal
 * controls included. For binary data and raw events it is in hexadecimal.
 *
 * A width can ask for 8 MB in each conversion. Such text is counted, not made:
 * neither memory nor time depend on the length, only on @size and the event's.
 *
 * Return: bytes of the whole text, without NUL; more than @size - 1 means cut.
 */
size_t kerror_event_text(const struct kerror_event *event, char *buffer,
			 size_t size);

/**
 * kerror_event_text_as() - the text with another format, such as a translation
 * @event: the event
 * @format: any string; NULL, or an event without a format: its own text
 * @buffer: where to; NUL-terminated if @size is not 0
 * @size: its bytes
 *
 * A conversion takes the next value of the event's own format or, as %1$s, the
 * one of that number; '*' widths and precisions do not count. Its flags, width,
 * precision and letter are used with it, by the rules of <linux/evlog.h>; '*'
 * is what was recorded for that value, if anything. A length such as ll is the
 * recorded one, whatever stands there.
 *
 * If its letter does not fit the type of the value, the value is shown as the
 * event's own format has it, text of a %p extension always. If there is no such
 * value, or no such conversion, it stands in the text as it is.
 *
 * Return: as kerror_event_text().
 */
size_t kerror_event_text_as(const struct kerror_event *event,
			    const char *format, char *buffer, size_t size);

/* The most bytes of an event's text that its JSON has */
#define KERROR_JSON_TEXT 65536

/**
 * kerror_event_json() - the event as kerrorctl(1) prints it with --json
 * @event: the event
 * @buffer: where to; NUL-terminated if @size is not 0
 * @size: its bytes
 *
 * One object, without a newline. It has the keys that kerrorctl(1) documents, those of
 * a store excepted: all fields of the event and of its origin. It is valid UTF-8.
 *
 * Return: bytes of the whole object, without NUL; more than @size - 1 means cut. 0 if
 * there is no memory.
 */
size_t kerror_event_json(const struct kerror_event *event, char *buffer, size_t size);

/**
 * struct kerror_span - a part of a text
 * @start: its first byte
 * @size: its bytes
 */
struct kerror_span {
	const char *start;
	size_t size;
};

/**
 * kerror_format_match() - find a format's values in a text
 * @format: a format of the kernel, without level and newline
 * @text: the text, without newline
 * @size: its bytes
 * @values: where the part of the text goes that each conversion became
 * @most: for how many of them there is room
 *
 * A number takes digits, a string any text, as little as it can. So the values of
 * "%s %s" are a guess, and a format of conversions only fits each text.
 *
 * Return: how many conversions the format has, if all of the text can have been made
 * of it; -ENOENT if not, or if it would take long to find out; -ENOMEM.
 */
int kerror_format_match(const char *format, const char *text, size_t size,
			struct kerror_span *values, size_t most);

/**
 * kerror_format_own_id() - does a format tell what its messages are about?
 * @format: a format of the kernel, without level and newline
 *
 * "%s" and "%s: %pA", which each message of Rust's pr_err!() has, are formats of many
 * messages, and so is their id. The text of such a message tells what it is about.
 *
 * Return: false if there is no letter outside of the conversions.
 */
bool kerror_format_own_id(const char *format);

/* ---- Origins: where events come from ---- */

/* The most tags that an origin has */
#define KERROR_TAGS_MAX 16

struct kerror_origin;

/**
 * kerror_origin_new() - the machine, the boot and the kernel that events come from
 *
 * The kernel does not send these. A program sets what it knows of them, before the
 * origin is given to a reader or an event; then it does not change any more.
 *
 * Return: an origin without fields, to be released with kerror_origin_release(), or
 * NULL.
 */
struct kerror_origin *kerror_origin_new(void);

/*
 * References, which any thread may take and give back: the last one frees it. Both
 * take NULL, too.
 */
struct kerror_origin *kerror_origin_hold(struct kerror_origin *origin);
void kerror_origin_release(struct kerror_origin *origin);

/**
 * kerror_origin_set() - set a field of an origin that is new
 * @origin: the origin
 * @name: machine, host, boot_id, instance, release, version, arch, livepatch, or
 *	tag.NAME, of which NAME is up to 32 lower-case letters, digits and _
 * @value: its text, which is copied
 *
 * Return: 0; -EINVAL for another name; -E2BIG beyond KERROR_TAGS_MAX tags; -ENOMEM.
 */
int kerror_origin_set(struct kerror_origin *origin, const char *name, const char *value);

/* How many fields it has; 0 of an origin that is NULL */
size_t kerror_origin_count(const struct kerror_origin *origin);

/* The value of a field, or NULL: of an origin that is NULL, too. */
const char *kerror_origin_get(const struct kerror_origin *origin, const char *name);

/* Name and value of the field with that index, in the order of the fields, or NULL */
const char *kerror_origin_at(const struct kerror_origin *origin, size_t index,
			     const char **value);

/* Whether both have the same fields */
bool kerror_origin_same(const struct kerror_origin *a, const struct kerror_origin *b);

/*
 * The origin of an event, NULL if it is not known. The event takes a reference of its
 * own, and kerror_event_origin() gives none.
 */
void kerror_event_set_origin(struct kerror_event *event, struct kerror_origin *origin);
struct kerror_origin *kerror_event_origin(const struct kerror_event *event);

/* The same of a loss, such as that of kerror_reader_loss(); @origin may be NULL. */
size_t kerror_loss_json(const struct kerror_loss *loss, const struct kerror_origin *origin,
			char *buffer, size_t size);

/* ---- Names, constant strings ---- */

const char *kerror_severity_name(unsigned int severity);	/* "err" */
const char *kerror_cause_name(unsigned int cause);	/* "staging-full" */
const char *kerror_group_name(uint32_t group);		/* "evlog" */
const char *kerror_context_name(uint32_t flags);	/* "softirq" */
const char *kerror_argument_name(unsigned int type);	/* "s32" */

/* 0 to 7, for logs that take no other number; 4 (warning) for a severity beyond. */
unsigned int kerror_severity_level(unsigned int severity);

/* 0 to 7 of a name such as "err", or of the digit; else -EINVAL. */
int kerror_severity_number(const char *name);

/* The KERROR_GROUP bit of a name such as "evlog"; else -EINVAL. */
int kerror_group_number(const char *name);

/* ---- Filters ---- */

struct kerror_filter;
struct sock_filter;

/**
 * kerror_filter_new() - make a filter of its text
 * @filter: set to a filter to be freed with kerror_filter_free()
 * @text: such as severity<=err && facility=="ata"; see kerror-filter(7)
 * @message: set to one line that tells what is wrong, where, and what is
 *	possible instead, or to ""; may be NULL if @size is 0
 * @size: its bytes; 400 hold any message
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int kerror_filter_new(struct kerror_filter **filter, const char *text,
		      char *message, size_t size);
void kerror_filter_free(struct kerror_filter *filter);

/* Whether an event matches; any number of threads may ask one filter. Takes 33 KB of stack. */
bool kerror_filter_matches(const struct kerror_filter *filter,
			   const struct kerror_event *event);

/**
 * kerror_filter_program() - the part of a filter that the kernel can do
 * @filter: the filter
 * @count: set to the number of instructions
 *
 * Return: classic BPF for SO_ATTACH_FILTER on a NETLINK_KERROR socket, valid as
 * long as the filter. It passes what matches, may pass what does not, and
 * passes whatever is not the broadcast of an event. NULL, and a @count of 0, if
 * it would pass everything.
 */
const struct sock_filter *
kerror_filter_program(const struct kerror_filter *filter, size_t *count);

/**
 * kerror_filter_explain() - which part is done where
 * @filter: the filter
 * @buffer: where to; NUL-terminated if @size is not 0
 * @size: its bytes
 *
 * Writes a line for each comparison and flag, "kernel: severity<=err" or
 * "user space: arg[0]>3", and a last one with the number of instructions.
 *
 * Return: bytes of all lines, without NUL; more than @size - 1 means cut.
 */
size_t kerror_filter_explain(const struct kerror_filter *filter, char *buffer,
			     size_t size);

/**
 * struct kerror_filter_term - one comparison or flag of a filter
 * @field: its name, such as "severity", "arg" or "tag.rack"
 * @comparison: "==", "!=", "<", "<=", ">", ">=" or "~"; "" of a flag
 * @negated: it holds if the comparison does not, or if the event lacks the field
 * @index: of "arg": which
 * @is_string: it is compared with a string, not with a number
 * @string: that string, or NULL if it has wildcards; valid within the call
 * @negative: the number is @number - 2^64
 * @number: what it is compared with; severities are numbers, names are strings
 */
struct kerror_filter_term {
	const char *field, *comparison;
	bool negated;
	uint32_t index;
	bool is_string;
	const char *string;
	bool negative;
	uint64_t number;
};

/**
 * struct kerror_filter_visitor - functions for the parts of a filter
 * @begin: of a list all of whose parts must hold, or any
 * @term: a part that is no list; without a list it is the whole filter
 * @end: of the list that began last
 */
struct kerror_filter_visitor {
	void (*begin)(void *context, bool all);
	void (*term)(void *context, const struct kerror_filter_term *term);
	void (*end)(void *context);
};

/* Calls the functions for each part, in the order of the text. */
void kerror_filter_visit(const struct kerror_filter *filter,
			 const struct kerror_filter_visitor *visitor,
			 void *context);

/* ---- Reader ---- */

struct kerror_reader;

/**
 * enum kerror_item - what kerror_reader_next() found
 * @KERROR_ITEM_NONE: nothing more; feed the next datagram
 * @KERROR_ITEM_EVENT: see kerror_reader_event()
 * @KERROR_ITEM_LOSS: see kerror_reader_loss()
 * @KERROR_ITEM_STATISTICS: see kerror_reader_statistics()
 * @KERROR_ITEM_REQUEST: send what kerror_reader_request() gives
 * @KERROR_ITEM_ERROR: see kerror_reader_error()
 */
enum kerror_item {
	KERROR_ITEM_NONE,
	KERROR_ITEM_EVENT,
	KERROR_ITEM_LOSS,
	KERROR_ITEM_STATISTICS,
	KERROR_ITEM_REQUEST,
	KERROR_ITEM_ERROR,
};

/**
 * kerror_reader_new() - make a reader
 * @groups: KERROR_GROUP bits to give events of
 *
 * It gives events from the first one it is fed; each exactly once and in order,
 * or the number of those that are lost.
 *
 * Return: a reader to be freed with kerror_reader_free(), or NULL.
 */
struct kerror_reader *kerror_reader_new(uint32_t groups);
void kerror_reader_free(struct kerror_reader *reader);

/* Before anything is fed: begin with the first event since boot. */
void kerror_reader_from_boot(struct kerror_reader *reader);

/*
 * Before anything is fed: give the events of an earlier boot, which kerror_boots()
 * names, and no others; then NONE. Use a socket that listens to no group.
 */
void kerror_reader_earlier(struct kerror_reader *reader, const struct kerror_boot *boot);

/*
 * Before anything is fed: begin with that event of one group. It must be of
 * this boot and instance, see kerror_socket_instance(). If the kernel knows that it
 * is not, there is an ERROR item, -EINVAL, and the group begins with the first event
 * since boot.
 */
int kerror_reader_from(struct kerror_reader *reader, uint32_t group,
		       uint32_t sequence);

/*
 * Before anything is fed, with kerror_reader_from(): this is the last LOSS of
 * its group and cause that was given before the restart. Without it losses
 * between the last event and the restart are counted twice. Uses its group,
 * cause and total.
 */
int kerror_reader_from_loss(struct kerror_reader *reader,
			    const struct kerror_loss *loss);

/* From now on the events that it gives have this origin. */
void kerror_reader_set_origin(struct kerror_reader *reader,
			      struct kerror_origin *origin);

/*
 * Before anything is fed: the kernel has a filter for this socket. An event
 * that is later than expected is accepted then, for those before it were
 * filtered: nothing is asked for and nothing counted, unless events may have
 * been dropped, too. A replay is not filtered, so use kerror_filter_matches()
 * with each event. Of KERROR_LOST_HISTORY the count has events that would have
 * been filtered, too, as nobody knows any more.
 */
void kerror_reader_filtered(struct kerror_reader *reader);

/**
 * kerror_reader_feed() - hand over one datagram from the kernel
 * @reader: the reader, when kerror_reader_next() has said NONE
 * @group: nl_groups of its source address: 0 for an answer
 * @datagram: aligned to 4 bytes; must stay until NONE
 * @size: its bytes
 *
 * Return: 0, or -EBUSY before NONE.
 */
int kerror_reader_feed(struct kerror_reader *reader, uint32_t group,
		       const void *datagram, size_t size);

/* The receive queue overflowed, recvmsg() said ENOBUFS; or cut, MSG_TRUNC. */
void kerror_reader_overrun(struct kerror_reader *reader);

/*
 * The receive queue is empty: recvmsg() said EAGAIN. An answer that has not
 * come after an overrun will not come any more. Return: true if there may be
 * requests now, so that kerror_reader_next() must be called before a wait.
 */
bool kerror_reader_drained(struct kerror_reader *reader);

/* Ask the kernel for its counters; tells of losses not yet announced, too. */
void kerror_reader_want_statistics(struct kerror_reader *reader);

enum kerror_item kerror_reader_next(struct kerror_reader *reader);

/* Of the item that kerror_reader_next() gave last, until its next call. */
const struct kerror_event *
kerror_reader_event(const struct kerror_reader *reader);
const struct kerror_statistics *
kerror_reader_statistics(const struct kerror_reader *reader);

/*
 * The error of an ERROR item: a negative errno. -EBADMSG for a datagram that
 * is malformed, -ENOMEM, or what the kernel answered to a request. After any of
 * them the reader goes on. It repeats a request that failed when
 * there is a newer event, or statistics.
 */
int kerror_reader_error(const struct kerror_reader *reader);

/**
 * kerror_reader_loss() - the loss of a LOSS item
 * @reader: the reader
 *
 * Return: valid until the next call of kerror_reader_next(). Its count is of
 * events that this reader did not know to be lost yet.
 */
const struct kerror_loss *
kerror_reader_loss(const struct kerror_reader *reader);

/**
 * kerror_reader_request() - the request of a REQUEST item
 * @reader: the reader
 * @size: set to its bytes
 *
 * Return: bytes to be sent as one datagram; valid until the next call of
 * kerror_reader_next().
 */
const void *kerror_reader_request(const struct kerror_reader *reader,
				  size_t *size);

/*
 * The groups that it gives events of: of those given to kerror_reader_new() the
 * ones that exist. KERROR_GROUP_PRINTK leaves them at the first answer of a
 * kernel that does not have this group yet.
 */
uint32_t kerror_reader_groups(const struct kerror_reader *reader);

/* True while events are being asked for or replayed. */
bool kerror_reader_replaying(const struct kerror_reader *reader);

/* Events given and events known to be lost, since kerror_reader_new(). */
uint64_t kerror_reader_received(const struct kerror_reader *reader);
uint64_t kerror_reader_lost(const struct kerror_reader *reader);

/* Sequence number expected next: a cursor for kerror_reader_from(). 0, or
 * -EAGAIN if no event has told yet.
 */
int kerror_reader_cursor(const struct kerror_reader *reader, uint32_t group,
			 uint32_t *sequence);

/* ---- Joiner ---- */

struct kerror_joiner;

/* No line waits for longer after its last part, in milliseconds of the program's clock. */
#define KERROR_JOIN_MS 500

/**
 * kerror_joiner_new() - make a joiner
 *
 * A line of the kernel log can be several messages, and so several events: the kernel
 * says by EVL_FLAG_OPEN that a line may go on, by EVL_FLAG_CONTINUES that it does. A
 * joiner makes one event of them, with all formats and arguments in order. Its context,
 * id and number are those of the first part; it is open or truncated if the last part is.
 *
 * Events of other tasks and CPUs are given at once, so that a line can come after events
 * that were raised later than its first part. A line that is larger than
 * KERROR_EVENT_MAX, that was cut, or that does not go on within KERROR_JOIN_MS is given
 * as far as it came, and the rest after it. At most 64 lines are held. The writer of a line
 * may print much in the middle of it, to a slow console: so this time is long.
 *
 * Return: a joiner to be freed with kerror_joiner_free(), and what it holds with it; or
 * NULL.
 */
struct kerror_joiner *kerror_joiner_new(void);
void kerror_joiner_free(struct kerror_joiner *joiner);

/**
 * kerror_joiner_add() - hand over an event
 * @joiner: the joiner, when kerror_joiner_next() has given NULL
 * @event: the event, which is copied
 * @now: milliseconds of a clock that is never set back
 *
 * Return: 0; -EBUSY before that NULL; -ENOMEM, then use the event as it is.
 */
int kerror_joiner_add(struct kerror_joiner *joiner, const struct kerror_event *event,
		      uint64_t now);

/*
 * An event that is complete, to be freed with kerror_event_free(), or NULL. To be called
 * until NULL after each event, and after the time of kerror_joiner_wait(). With UINT64_MAX
 * for @now it gives all that is held, with 0 what is complete: so a program that was
 * stopped parts no line of which the rest waits in its socket.
 */
struct kerror_event *kerror_joiner_next(struct kerror_joiner *joiner, uint64_t now);

/* Milliseconds until kerror_joiner_next() has something; -1: not before an event */
int kerror_joiner_wait(const struct kerror_joiner *joiner, uint64_t now);

/* Of an event that a joiner made of several, the first, valid as that; else NULL */
const struct kerror_event *kerror_event_first_part(const struct kerror_event *event);

/* ---- Socket ---- */

struct kerror_socket;

/**
 * kerror_socket_open() - listen
 * @socket: set to a socket to be closed with kerror_socket_close()
 * @groups: KERROR_GROUP bits; KERROR_GROUP_ALL is all groups that there are
 *
 * Works on Linux from 2.6.0 on, whatever number the protocol has there. It joins
 * all of @groups or none.
 *
 * Return: 0; -EPERM without CAP_SYSLOG or, if @groups lacks KERROR_GROUP_PRINTK,
 * without CAP_SYSLOG and CAP_NET_ADMIN; -ENONET in another network namespace than
 * the initial one; -EPROTONOSUPPORT if this kernel has no CONFIG_KERROR; or another
 * negative errno.
 */
int kerror_socket_open(struct kerror_socket **socket, uint32_t groups);
void kerror_socket_close(struct kerror_socket *socket);

/**
 * kerror_socket_instance() - which load of the module the socket is of
 * @socket: the socket
 *
 * kerror.ko numbers its events anew after each load. An open socket keeps it loaded. So
 * a cursor is of use only for a socket of the same boot and the same instance.
 *
 * Return: microseconds from boot to the load; 0 of a kernel with the facility built
 * in, or where /sys/module/kerror/parameters/instance cannot be seen.
 */
uint64_t kerror_socket_instance(const struct kerror_socket *socket);

/* For poll(); readable means that kerror_socket_next() has work to do. */
int kerror_socket_fd(const struct kerror_socket *socket);

/**
 * kerror_socket_set_filter() - have the kernel keep back what does not match
 * @socket: the socket
 * @filter: what to keep, or NULL for everything; no longer needed afterwards
 *
 * This saves the time to wake up and to receive, no more: a filter may have
 * parts that the kernel cannot decide, replays are not filtered, Linux before
 * 2.6.26 does not filter netlink at all. So use kerror_filter_matches() with
 * each event in any case, and go on if this fails. Call
 * kerror_reader_filtered(), too, unless it failed.
 *
 * Return: 0, also if there is nothing for the kernel to do; or a negative errno
 * of setsockopt(), such as -ENOMEM beyond net.core.optmem_max. The filter that
 * the socket had before then remains.
 */
int kerror_socket_set_filter(struct kerror_socket *socket,
			     const struct kerror_filter *filter);

/**
 * kerror_socket_next() - get the next item, doing all the work for it
 * @socket: where to read and to send requests
 * @reader: what to feed
 * @timeout: milliseconds to wait, 0 not to, -1 for ever
 * @item: set to EVENT, LOSS, STATISTICS, ERROR or, on a time-out, NONE
 *
 * Return: 0, or a negative errno of the socket; -EINTR after a signal.
 */
int kerror_socket_next(struct kerror_socket *socket,
		       struct kerror_reader *reader, int timeout,
		       enum kerror_item *item);

/* ---- Earlier boots ---- */

/**
 * kerror_boots() - list the boots that the kernel keeps in memory that outlives it
 * @boots: filled in, the oldest first; the last is this one, with KERROR_END_NONE
 * @most: elements of @boots
 *
 * Return: how many there are, 0 without the boot parameter kerror.persist=; or a
 * negative errno, -EOPNOTSUPP if this kernel does not know of it.
 */
int kerror_boots(struct kerror_boot *boots, size_t most);

/* Gives this boot the name under which the next kernel tells of it. 0, or -errno */
int kerror_boot_name(const uint8_t boot[16]);

/* Clears what the kernel keeps of an earlier boot. 0, or -errno; needs CAP_SYSLOG */
int kerror_boot_drop(const struct kerror_boot *boot);

/* A name as /proc/sys/kernel/random/boot_id has it, and back; 0, or -EINVAL */
void kerror_boot_text(const uint8_t boot[16], char text[37]);
int kerror_boot_parse(const char *text, uint8_t boot[16]);

#ifdef __cplusplus
}
#endif

#endif /* LIBKERROR_H */
