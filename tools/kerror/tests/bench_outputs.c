// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes one output of an event N times, for bench_outputs.sh, which counts the
 * instructions: bench_outputs OUTPUT N.
 */
#include <stdio.h>
#include <stdlib.h>
#include "build.h"
#include "../kerrord/message.h"

static void none(struct buffer *buffer, const struct record *record)
{
	(void)buffer;
	(void)record;
}

static void text(struct buffer *buffer, const struct record *record)
{
	size_t size;

	(void)buffer;
	event_text(record->event, &size);
}

static const struct print_style style;

static void json(struct buffer *buffer, const struct record *record)
{
	event_json(buffer, &style, record->event);
}

static void line(struct buffer *buffer, const struct record *record)
{
	event_line(buffer, &style, record->event);
}

static void syslog_of(struct buffer *buffer, const struct record *record)
{
	syslog_message(buffer, 0, record);
}

static void journal(struct buffer *buffer, const struct record *record)
{
	static struct journal_entry entry;

	(void)buffer;
	journal_entry(&entry, record);
	free_journal_entry(&entry);
}

static void environment(struct buffer *buffer, const struct record *record)
{
	char *variables[126];
	int count = event_environment(variables, 126, record->event);

	(void)buffer;
	while (count > 0)
		free(variables[--count]);
}

/* Of the disk driver: one of each kind of argument that is common */
static struct kerror_event *make_event(void)
{
	uint64_t sector = 123456789012;
	struct kerror_event *event;
	struct build build;
	int32_t error = -5;

	build_begin(&build, "+scsi:0:0:0:0", EVL_FORMAT_PRINTF,
		    "%s: I/O error %d at sector %llu (%s)");
	build_argument(&build, EVL_ARG_STRING, 0, "sda", 3);
	build_argument(&build, EVL_ARG_S32, 0, &error, 4);
	build_argument(&build, EVL_ARG_U64, 0, &sector, 8);
	build_argument(&build, EVL_ARG_STRING, 0, "critical medium error", 21);
	build.header.event_id = 0x1234abcd;
	event = kerror_event_new(KERROR_GROUP_EVLOG, 7, 42, build.data, build.size);
	if (event)
		kerror_event_set_origin(event, build_whole_origin());
	return event;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(struct buffer *buffer, const struct record *record);
	} outputs[] = {
		{ "none", none }, { "text", text }, { "json", json }, { "line", line },
		{ "syslog", syslog_of }, { "journal", journal },
		{ "environment", environment },
	};
	struct record record = { .kind = RECORD_EVENT, .event = make_event() };
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct buffer buffer = { 0 };

	for (size_t i = 0; argc == 3 && i < sizeof(outputs) / sizeof(*outputs); i++) {
		if (strcmp(argv[1], outputs[i].name))
			continue;
		while (count--) {
			buffer.size = 0;
			outputs[i].make(&buffer, &record);
		}
		return 0;
	}
	fputs("usage: bench_outputs none|text|json|line|syslog|journal|environment N\n",
	      stderr);
	return 1;
}
