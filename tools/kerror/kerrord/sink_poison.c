// SPDX-License-Identifier: GPL-2.0-only
/*
 * Poison: a record that a sink cannot write, although its peer works. It is skipped,
 * reported and told as a loss, so that what comes after it is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "sink.h"

/*
 * A record that fails so often alone, for a reason of its own, is skipped. One that
 * the sink refuses (-EINVAL) is skipped at once.
 */
#define POISON_ATTEMPTS	4

/* Between two reports of skipped records; those between are counted. */
#define POISON_REPORT_S	60

/* Of other errors, such as ENOSPC or EPIPE, no record is the reason. */
static bool may_be_poison(int err)
{
	return err == -ENOMEM || err == -EINVAL || err == -EMSGSIZE ||
	       err == -E2BIG || err == -EBADMSG || err == -EOVERFLOW ||
	       err == -EILSEQ;
}

static void report_poison(struct sink *sink, struct work *work,
			  const struct kerror_event *event, const char *message)
{
	char text[832];

	if (now_ns(CLOCK_MONOTONIC) < work->poison_report_at)
		return;
	work->poison_report_at = now_ns(CLOCK_MONOTONIC) +
				 POISON_REPORT_S * 1000000000ULL;
	snprintf(text, sizeof(text),
		 "skips event #%" PRIu32 " of %s: %s (attempts: %u, skipped so far: %llu)",
		 kerror_event_sequence(event),
		 kerror_group_name(kerror_event_group(event)), message,
		 work->attempts, (unsigned long long)sink->poison);
	sink->report(sink, 3, text);
}

/* Puts a loss in the place of the first record, or nothing if it was no event. */
static void skip_first(struct sink *sink, struct work *work, const char *message)
{
	struct record *record = work->batch[0], *loss = NULL;

	/* The loss that stands for an event is counted with that. */
	if (record->kind != RECORD_LOSS || strcmp(record->cause, CAUSE_POISON))
		sink->poison++;
	if (record->kind == RECORD_EVENT) {
		const struct kerror_loss lost = {
			.count = 1, .group = kerror_event_group(record->event),
			.total = sink->poison, .cause = KERROR_CAUSES,
		};
		uint32_t sequence = kerror_event_sequence(record->event);

		report_poison(sink, work, record->event, message);
		loss = record_of_loss(&lost, CAUSE_POISON, sequence + 1);
	}
	work->attempts = 0;
	if (loss) {
		work->batch[0] = loss;
		record_put(record);
	} else {
		work_written(sink, work, 1);
		work->alone -= work->alone > 0;
	}
}

bool work_can_go_on(struct sink *sink, struct work *work, int err,
		    const char *message)
{
	if (!may_be_poison(err))
		return false;
	if (!work->alone && work->count > 1) {
		work->alone = work->count;
		return true;
	}
	work->alone = work->alone ? : 1;
	work->attempts++;
	if (err != -EINVAL && work->attempts < POISON_ATTEMPTS)
		return false;
	skip_first(sink, work, message);
	return true;
}
