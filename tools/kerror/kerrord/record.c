// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records: made once by the receiver, then shared by the queues of all sinks.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kerrord.h"

/* Of malloc(), for the parts of an event, its record and its entry in a queue */
#define OVERHEAD 80

uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static struct record *record_new(enum record_kind kind, size_t bytes)
{
	struct record *record = calloc(1, sizeof(*record) + bytes);

	if (!record)
		return NULL;
	record->references = 1;
	record->kind = kind;
	record->time = now_ns(CLOCK_REALTIME);
	record->received = now_ns(CLOCK_MONOTONIC);
	record->bytes = sizeof(*record) + bytes + sizeof(struct entry);
	return record;
}

struct record *record_of_event(const struct kerror_event *event,
			       const struct explanations *explanations)
{
	struct record *record = record_new(RECORD_EVENT, 0);

	if (!record)
		return NULL;
	record->event = explanations_copy(explanations, event);
	if (!record->event) {
		free(record);
		return NULL;
	}
	record->bytes += kerror_event_memory(record->event) + OVERHEAD;
	return record;
}

struct record *record_of_line(struct kerror_event *event)
{
	struct record *record = record_new(RECORD_LINE, 0);

	if (!record)
		return NULL;
	record->event = event;
	record->bytes += kerror_event_memory(event) + OVERHEAD;
	return record;
}

struct record *record_of_loss(const struct kerror_loss *loss, const char *cause,
			      uint32_t next)
{
	size_t size = strlen(cause) + 1;
	struct record *record = record_new(RECORD_LOSS, size);

	if (!record)
		return NULL;
	record->origin = identity();
	record->loss = *loss;
	/* A message of the stream has it, which is not kept. */
	memcpy(record->text, cause, size);
	record->cause = record->text;
	record->next = next;
	return record;
}

struct record *record_of_report(const char *about, unsigned int severity,
				const char *format, ...)
{
	struct record *record;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	record = record_new(RECORD_REPORT, size + 1);
	if (!record)
		return NULL;
	record->origin = identity();
	record->about = about;
	record->severity = severity;
	va_start(arguments, format);
	vsnprintf(record->text, size + 1, format, arguments);
	va_end(arguments);
	return record;
}

bool record_is_numbered_loss(const struct record *record)
{
	return record->kind == RECORD_LOSS &&
	       (record->loss.cause == KERROR_LOST_HISTORY ||
		!strcmp(record->cause, CAUSE_SINK) ||
		!strcmp(record->cause, CAUSE_POISON));
}

struct kerror_origin *record_origin(const struct record *record)
{
	return record->event ? kerror_event_origin(record->event) : record->origin;
}

const char *identifier_of(const struct evl_header *header)
{
	return header->flags & EVL_FLAG_PRINTK ? "kernel" : header->facility;
}

struct record *record_get(struct record *record)
{
	atomic_fetch_add(&record->references, 1);
	return record;
}

void record_put(struct record *record)
{
	if (atomic_fetch_sub(&record->references, 1) > 1)
		return;
	kerror_event_free(record->event);
	kerror_origin_release(record->origin);
	free(record);
}
