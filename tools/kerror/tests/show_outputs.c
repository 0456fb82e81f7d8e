// SPDX-License-Identifier: GPL-2.0-only
/*
 * "show_outputs" prints one event in all outputs, one after the other.
 * "show_outputs N" makes all outputs of N hostile events in an address space of
 * 64 MiB, and ends with status 0 if each of them could be made.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <sys/resource.h>
#include "outputs.h"

static void show(void)
{
	uint64_t pointer = 0xbadc0de;
	struct kerror_event *event;
	struct outputs outputs;
	struct build build;
	int32_t sector = -7;

	build_begin(&build, "b8:0", EVL_FORMAT_PRINTF, "%s: sector %d of %p failed\n%c");
	build_argument(&build, EVL_ARG_STRING, 0, "sda\xe2\x80\xae\xc2\x9b\xff", 9);
	build_argument(&build, EVL_ARG_S32, 0, &sector, 4);
	build_argument(&build, EVL_ARG_POINTER, 0, &pointer, 8);
	build_argument(&build, EVL_ARG_CHAR, 0, "]", 1);
	build.header.flags = EVL_FLAG_SOFTIRQ | EVL_FLAG_OOPS;
	build.header.severity = 104;
	build.header.event_id = 0x1234abcd;
	event = kerror_event_new(KERROR_GROUP_EVLOG, 7, 42, build.data, build.size);
	make(&outputs, event);
	printf("line\n%s\nJSON\n%s\nsyslog\n%s\n\njournal\n", outputs.line.bytes,
	       outputs.json.bytes, outputs.syslog.bytes);
	for (size_t i = 0; i < outputs.entry.count; i++)
		printf("%.*s\n", (int)outputs.entry.field[i].iov_len,
		       (char *)outputs.entry.field[i].iov_base);
	printf("\nenvironment of a rule's command\n");
	for (size_t i = 0; outputs.variables[i]; i++)
		printf("%s\n", outputs.variables[i]);
	free_outputs(&outputs);
	kerror_event_free(event);
	event_text_done();
}

static int try_hostile(uint64_t count)
{
	static const struct rlimit limit = { 64 << 20, 64 << 20 };
	struct rusage usage;
	struct outputs outputs;
	struct build build;

	if (setrlimit(RLIMIT_AS, &limit))
		return 1;
	for (uint64_t number = 0; number < count; number++) {
		struct json_object *line;
		struct kerror_event *event;

		hostile_event(&build, number);
		event = kerror_event_new(KERROR_GROUP_EVLOG, 1, 2, build.data, build.size);
		make(&outputs, event);
		check_all_bytes(&outputs);
		line = json_tokener_parse(outputs.json.bytes);
		assert_non_null(line);
		json_object_put(line);
		free_outputs(&outputs);
		kerror_event_free(event);
	}
	event_text_done();
	getrusage(RUSAGE_SELF, &usage);
	printf("%llu hostile events in all outputs: at most %ld KiB\n",
	       (unsigned long long)count, usage.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return try_hostile(strtoull(argv[1], NULL, 10));
	show();
	return 0;
}
