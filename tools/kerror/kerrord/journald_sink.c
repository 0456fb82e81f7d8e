// SPDX-License-Identifier: GPL-2.0-only
/*
 * systemd's journal: each part of an event is a field of its own, and a loss is
 * an entry of its own. The fields are listed in kerrord(8); journal.c sends them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include "journal.h"

/* MESSAGE_ID of losses and of what kerrord says of itself; never changed. */
#define LOSS_MESSAGE	"5f0c2d1cf4a84cd58f0e0a6d7c9b3e21"
#define REPORT_MESSAGE	"b1a7e64d2f0f4b2c9c5d80f1b7a3d9e6"

/* Enough for the context and for 40 arguments; later ones are left out. */
#define FIELDS 64

struct fields {
	struct iovec field[FIELDS];
	size_t count;
	bool failed;
};

static void add_bytes(struct fields *fields, const char *name, const void *data,
		      size_t size)
{
	size_t length = strlen(name);
	char *field;

	if (fields->count == FIELDS)
		return;
	field = malloc(length + 1 + size);
	if (!field) {
		fields->failed = true;
		return;
	}
	memcpy(field, name, length);
	field[length] = '=';
	memcpy(field + length + 1, data, size);
	fields->field[fields->count++] = (struct iovec) {
		.iov_base = field, .iov_len = length + 1 + size,
	};
}

static void add(struct fields *fields, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct fields *fields, const char *name, const char *format, ...)
{
	va_list arguments;
	char *value;
	int size;

	va_start(arguments, format);
	size = vasprintf(&value, format, arguments);
	va_end(arguments);
	if (size < 0) {
		fields->failed = true;
		return;
	}
	add_bytes(fields, name, value, size);
	free(value);
}

static void add_arguments(struct fields *fields, const struct kerror_event *event)
{
	struct kerror_argument argument;

	for (size_t i = 0; !kerror_event_argument(event, i, &argument); i++) {
		char name[32];

		snprintf(name, sizeof(name), "KERROR_ARG_%zu", i);
		if (argument.text)
			add_bytes(fields, name, argument.text, argument.size);
		else if (argument.type == EVL_ARG_S32 ||
			 argument.type == EVL_ARG_S64)
			add(fields, name, "%" PRId64, (int64_t)argument.number);
		else if (argument.type == EVL_ARG_POINTER)
			add(fields, name, "%" PRIx64, argument.number);
		else
			add(fields, name, "%" PRIu64, argument.number);
	}
}

static void add_event(struct fields *fields, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	const char *device = kerror_event_device(event), *text;
	size_t size;

	text = event_text(event, &size);
	add(fields, "KERROR_GROUP", "%s",
	    kerror_group_name(kerror_event_group(event)));
	add(fields, "KERROR_SEQUENCE", "%" PRIu32, kerror_event_sequence(event));
	if (!header) {
		add(fields, "MESSAGE", "%s", text);
		add(fields, "PRIORITY", "4");
		return;
	}
	add_bytes(fields, "MESSAGE", text, size);
	add(fields, "PRIORITY", "%u", header->severity & 7);
	add(fields, "SYSLOG_IDENTIFIER", "%s", identifier_of(header));
	if (header->flags & EVL_FLAG_PRINTK) {
		/* As the journal has it of what it reads itself */
		add(fields, "SYSLOG_FACILITY", "0");
		add(fields, "KERROR_PRINTK", "1");
		if (header->flags & EVL_FLAG_CONTINUES)
			add(fields, "KERROR_CONTINUES", "1");
		if (header->flags & EVL_FLAG_OPEN)
			add(fields, "KERROR_OPEN", "1");
	}
	add(fields, "KERROR_FACILITY", "%s", header->facility);
	add(fields, "KERROR_TIME_REALTIME", "%" PRIu64,
	    (uint64_t)header->time_realtime);
	add(fields, "KERROR_TIME_BOOT", "%" PRIu64, (uint64_t)header->time_boot);
	if (*device) {
		add(fields, "KERROR_DEVICE", "%s", device);
		/* As the journal's own field for devices has it */
		add(fields, "KERNEL_DEVICE", "%s", device);
	}
	add(fields, "KERROR_CONTEXT", "%s", kerror_context_name(header->flags));
	add(fields, "KERROR_CPU", "%" PRIu32, (uint32_t)header->cpu);
	add(fields, "KERROR_UID", "%" PRIu32, (uint32_t)header->uid);
	add(fields, "KERROR_GID", "%" PRIu32, (uint32_t)header->gid);
	add(fields, "KERROR_PID", "%" PRIu32, (uint32_t)header->pid);
	add(fields, "KERROR_TID", "%" PRIu32, (uint32_t)header->tid);
	add(fields, "KERROR_COMM", "%s", header->comm);
	if (header->event_type)
		add(fields, "KERROR_TYPE", "%" PRIu32,
		    (uint32_t)header->event_type);
	if (header->format == EVL_FORMAT_PRINTF) {
		add(fields, "KERROR_ID", "%08" PRIx32, (uint32_t)header->event_id);
		add(fields, "KERROR_FORMAT", "%s", kerror_event_format(event));
		add_arguments(fields, event);
	} else if (header->format == EVL_FORMAT_BINARY) {
		const void *data = kerror_event_payload(event, &size);

		add_bytes(fields, "KERROR_DATA", data, size);
	}
}

static void add_record(struct fields *fields, const struct record *record)
{
	const struct kerror_loss *loss = &record->loss;

	switch (record->kind) {
	case RECORD_EVENT:
		add_event(fields, record->event);
		break;
	case RECORD_LOSS:
		add(fields, "MESSAGE", "%" PRIu64 " %s events lost: %s",
		    (uint64_t)loss->count, kerror_group_name(loss->group),
		    record->cause);
		add(fields, "MESSAGE_ID", LOSS_MESSAGE);
		add(fields, "PRIORITY", "4");
		add(fields, "KERROR_GROUP", "%s", kerror_group_name(loss->group));
		add(fields, "KERROR_LOST", "%" PRIu64, (uint64_t)loss->count);
		add(fields, "KERROR_LOST_TOTAL", "%" PRIu64,
		    (uint64_t)loss->total);
		add(fields, "KERROR_CAUSE", "%s", record->cause);
		break;
	case RECORD_REPORT:
		add(fields, "MESSAGE", "%s", record->text);
		add(fields, "MESSAGE_ID", REPORT_MESSAGE);
		add(fields, "PRIORITY", "%u", record->severity);
		break;
	}
}

static int open_journal(struct sink *sink, char *message, size_t size)
{
	struct journal *journal;
	int err = journal_open(&journal, sink);

	if (err)
		snprintf(message, size, "%s: %s; does systemd-journald run?",
			 JOURNAL_SOCKET, strerror(-err));
	else
		sink->private = journal;
	return err;
}

static int write_record(struct sink *sink, const struct record *record)
{
	struct fields fields = { .count = 0 };
	int err;

	add_record(&fields, record);
	err = fields.failed ? -ENOMEM :
	      journal_send(sink->private, fields.field, fields.count);
	for (size_t i = 0; i < fields.count; i++)
		free(fields.field[i].iov_base);
	return err;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	int err = 0;
	size_t i;

	for (i = 0; !err && i < count && i < JOURNAL_MOST; i++)
		err = write_record(sink, records[i]);
	if (!err)
		err = journal_confirm(sink->private);
	if (!err)
		return i;
	snprintf(message, size, "systemd-journald: %s",
		 err == -ECANCELED ? "is stuck" : strerror(-err));
	return err;
}

static void close_journal(struct sink *sink)
{
	journal_close(sink->private);
	sink->private = NULL;
}

const struct sink_type journald_sink = {
	.name = "journald",
	.keeps_progress = true,
	.open = open_journal,
	.write = write_records,
	.close = close_journal,
};
