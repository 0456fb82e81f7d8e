/* SPDX-License-Identifier: GPL-2.0-only */
/* All outputs of one event, for the tests. */
#ifndef TESTS_OUTPUTS_H
#define TESTS_OUTPUTS_H

#include <stdlib.h>
#include "hostile.h"
#include "../kerrord/message.h"

#define VARIABLES 126

/* No event of 9 KiB takes more than this in any output. */
#define MOST_BYTES 1048576

struct outputs {
	struct record record;
	struct buffer json, line, syslog;
	struct journal_entry entry;
	char *variables[VARIABLES + 1];
};

static inline void make(struct outputs *outputs, struct kerror_event *event)
{
	static struct kerror_origin *origin;
	const struct print_style style = { 0 };

	if (!origin)
		origin = build_whole_origin();
	kerror_event_set_origin(event, origin);
	memset(outputs, 0, sizeof(*outputs));
	outputs->record = (struct record) { .kind = RECORD_EVENT, .event = event };
	event_json(&outputs->json, &style, event);
	event_line(&outputs->line, &style, event);
	syslog_message(&outputs->syslog, 0, &outputs->record);
	assert_int_equal(journal_entry(&outputs->entry, &outputs->record), 0);
	assert_true(event_environment(outputs->variables, VARIABLES, event) > 0);
	assert_non_null(buffer_terminate(&outputs->json));
	assert_non_null(buffer_terminate(&outputs->line));
	assert_non_null(buffer_terminate(&outputs->syslog));
}

static inline void free_outputs(struct outputs *outputs)
{
	buffer_free(&outputs->json);
	buffer_free(&outputs->line);
	buffer_free(&outputs->syslog);
	free_journal_entry(&outputs->entry);
	for (size_t i = 0; outputs->variables[i]; i++)
		free(outputs->variables[i]);
}

/* ---- No output controls a terminal, or is larger than it may be ---- */

static inline void check_bytes(const char *bytes, size_t size)
{
	assert_true(size <= MOST_BYTES);
	while (size) {
		uint32_t character = 0;
		size_t length = utf8_decode(bytes, size, &character);

		assert_true(length && is_harmless(character));
		bytes += length;
		size -= length;
	}
}

static inline void check_all_bytes(const struct outputs *outputs)
{
	check_bytes(outputs->json.bytes, outputs->json.size - 1);
	assert_int_equal(outputs->json.bytes[outputs->json.size - 1], '\n');
	check_bytes(outputs->line.bytes, outputs->line.size - 1);
	assert_int_equal(outputs->line.bytes[outputs->line.size - 1], '\n');
	check_bytes(outputs->syslog.bytes, outputs->syslog.size);
	assert_true(outputs->entry.bytes.size <= MOST_BYTES);
	for (size_t i = 0; i < outputs->entry.count; i++)
		check_bytes(outputs->entry.field[i].iov_base,
			    outputs->entry.field[i].iov_len);
	for (size_t i = 0; outputs->variables[i]; i++)
		check_bytes(outputs->variables[i], strlen(outputs->variables[i]));
}

#endif
