// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl selftest: sends a test event the way that all events go, and gives a
 * verdict for each hop of it: so that "nothing arrives" becomes the one thing
 * that is to be done. A hop behind one that failed is skipped.
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include <zlib.h>
#include "kerrorctl.h"
#include "printk_state.h"
#include "store.h"

static const char usage[] =
"Usage: kerrorctl selftest [OPTION]...\n"
"Find out which part does not work: kernel, socket, permission, receive, decode,\n"
"store, printk. Has the kernel raise a test event for that.\n"
"\n"
"  -j, --json           one JSON object a line\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n"
"\n"
"Ends with status 0 if nothing failed. Needs root.\n";

/* How long an event may take to this program, and to the store */
#define RECEIVE_MS 3000
#define STORE_MS 10000

enum hop { KERNEL, SOCKET, PERMISSION, RECEIVE, DECODE, STORE, PRINTK, HOPS };
enum verdict { OK, SKIPPED, WARNING, FAILED };

/**
 * struct selftest - what is known so far
 * @common: options
 * @done: hops that have their verdict
 * @failed: one of them failed
 * @number: that of the test event
 * @start: earlier than the test event, nanoseconds since 1970
 * @raised: the kernel said that it raised it
 * @message: why not
 * @next: without a test event: sequence number behind the newest event
 * @series: what the kernel numbers now
 */
struct selftest {
	struct common common;
	enum hop done;
	bool failed;
	uint32_t number;
	uint64_t start;
	bool raised;
	char message[256];
	uint32_t next;
	struct series series;
};

/* The verdict of the next hop */
__attribute__((format(printf, 3, 4)))
static void conclude(struct selftest *test, enum verdict verdict,
		     const char *format, ...)
{
	static const char *const hops[] = {
		"kernel", "socket", "permission", "receive", "decode", "store",
		"printk",
	};
	static const char *const verdicts[] = { "ok", "skipped", "warning", "FAILED" };
	const struct print_style *style = &test->common.style;
	const char *hop = hops[test->done++];
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	test->failed |= verdict == FAILED;
	if (test->common.json) {
		struct json_object *object =
			must_have(json_object_new_object());

		json_add(object, "item", json_string("selftest"));
		json_add(object, "hop", json_string(hop));
		json_add(object, "verdict", json_string(verdicts[verdict]));
		json_add(object, "text", json_string(text));
		json_print(stdout, object);
	} else {
		printf("%-10s  %s%-7s%s  ", hop,
		       verdict == FAILED ? color_begin(style, LOG_ERR) : "",
		       verdicts[verdict],
		       verdict == FAILED ? color_end(style) : "");
		print_printable(stdout, text, strlen(text));
		putchar('\n');
	}
	/* The next one may take its time. */
	flush_output();
}

static struct kerror_socket *test_socket(struct selftest *test)
{
	struct kerror_socket *sock;
	int error = kerror_socket_open(&sock, KERROR_GROUP_EVLOG);
	struct kerror_socket *printk;

	if (error == -EPROTONOSUPPORT) {
		conclude(test, FAILED, "%s", facility_missing());
		return NULL;
	}
	conclude(test, OK, "it has NETLINK_KERROR");
	if (error && error != -EPERM) {
		conclude(test, FAILED, "%s", listen_failure(error, KERROR_GROUP_EVLOG));
		return NULL;
	}
	conclude(test, OK, "it can be opened");
	if (error) {
		conclude(test, FAILED, "%s", listen_failure(error, KERROR_GROUP_EVLOG));
		return NULL;
	}
	test->series.instance = kerror_socket_instance(sock);
	store_boot_id(test->series.boot_id);
	error = kerror_socket_open(&printk, KERROR_GROUP_PRINTK);
	conclude(test, OK, error == -EPERM ?
		 "this process may listen, but not to the group printk, which needs CAP_SYSLOG" :
		 "this process may listen");
	if (!error)
		kerror_socket_close(printk);
	return sock;
}

static bool is_test_event(const struct selftest *test,
			  const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_argument argument;

	return header && !strcmp(header->facility, TEST_FACILITY) &&
	       !kerror_event_argument(event, 0, &argument) &&
	       argument.number == test->number;
}

static void test_decode(struct selftest *test, const struct kerror_event *event)
{
	uint32_t expected_id = crc32(0, (const Bytef *)TEST_FORMAT,
				     strlen(TEST_FORMAT));
	const struct evl_header *header = kerror_event_header(event);
	struct kerror_argument argument;
	char expected[128];
	const char *text;
	size_t size;

	snprintf(expected, sizeof(expected), TEST_FORMAT, test->number);
	text = event_text(event, &size);
	kerror_event_argument(event, 0, &argument);
	if (strlen(expected) != size || memcmp(expected, text, size))
		conclude(test, FAILED,
			 "the text is '%.*s', not '%s'; are kernel and kerrorctl of the same version?",
			 (int)size, text, expected);
	else if (header->event_id != expected_id)
		conclude(test, FAILED,
			 "the event id is %08" PRIx32 ", not %08" PRIx32,
			 header->event_id, expected_id);
	else if (argument.type != EVL_ARG_U32)
		conclude(test, FAILED, "the argument is of type %s, not u32",
			 kerror_argument_name(argument.type));
	else
		conclude(test, OK, "event %08" PRIx32 ": %s", expected_id,
			 expected);
}

/* Waits for the test event or, if none could be raised, for the counters. */
static void test_receive(struct selftest *test, struct kerror_socket *sock)
{
	struct kerror_reader *reader = read_from(KERROR_GROUP_EVLOG);
	uint64_t begin = now_ms();
	enum kerror_item item;

	if (!test->raised)
		kerror_reader_want_statistics(reader);
	do {
		item = next_item(sock, reader, 100, NULL);
		if (item == KERROR_ITEM_ERROR) {
			conclude(test, FAILED, "the kernel answered: %s",
				 strerror(-kerror_reader_error(reader)));
			goto out;
		}
		if (test->raised && item == KERROR_ITEM_EVENT &&
		    is_test_event(test, kerror_reader_event(reader))) {
			conclude(test, OK, "the test event came within %" PRIu64 " ms",
				 now_ms() - begin);
			test_decode(test, kerror_reader_event(reader));
			goto out;
		}
		if (!test->raised && item == KERROR_ITEM_STATISTICS) {
			const struct kerror_statistics *statistics =
				kerror_reader_statistics(reader);

			test->next = statistics->sequence_next;
			conclude(test, OK,
				 "the kernel answers, after %" PRIu64 " events since boot; but %s",
				 (uint64_t)statistics->numbered, test->message);
			conclude(test, SKIPPED, "without a test event");
			goto out;
		}
	} while (now_ms() - begin < RECEIVE_MS);
	conclude(test, FAILED,
		 "%s did not come within %d s; see kerrorctl stats and dmesg",
		 test->raised ? "the test event" : "the kernel's answer",
		 RECEIVE_MS / 1000);
out:
	kerror_reader_free(reader);
}

static bool daemon_is_running(void)
{
	bool running = false;
	char name[32];
	glob_t files;

	if (glob("/proc/[1-9]*/comm", 0, NULL, &files))
		return false;
	for (size_t i = 0; !running && i < files.gl_pathc; i++) {
		FILE *file = fopen(files.gl_pathv[i], "re");

		if (!file)
			continue;
		running = fgets(name, sizeof(name), file) &&
			  !strcmp(name, "kerrord\n");
		fclose(file);
	}
	globfree(&files);
	return running;
}

static int found(void *context, const struct store_item *item)
{
	return item->event && is_test_event(context, item->event);
}

/* 1: the event, or all that there was, is there. 0: not yet. */
static int is_stored(const struct selftest *test, struct store *store)
{
	const struct store_query query = { .since = test->start };
	uint32_t next;
	int error;

	if (test->raised)
		return store_query(store, &query, found, (void *)test);
	error = store_cursor(store, &test->series, KERROR_GROUP_EVLOG, &next);
	return error ? error : (int32_t)(next - test->next) >= 0;
}

static void wait_for_store(struct selftest *test, struct store *store)
{
	static const struct timespec pause = { .tv_nsec = 100000000 };
	uint64_t begin = now_ms();
	int stored;

	while (!(stored = is_stored(test, store)) || stored == -ENOENT) {
		if (now_ms() - begin > STORE_MS)
			break;
		nanosleep(&pause, NULL);
	}
	if (stored > 0)
		conclude(test, OK, "kerrord stored it");
	else if (!stored || stored == -ENOENT)
		conclude(test, FAILED,
			 "kerrord runs, but has not stored it within %d s; see its messages, and its configuration for filters",
			 STORE_MS / 1000);
	else
		conclude(test, FAILED, "%s", store_message(store));
}

static void test_store(struct selftest *test)
{
	const char *path = test->common.store ? test->common.store : STORE_PATH;
	bool running = daemon_is_running();
	struct store *store;
	int error = store_open(&store, path, false);

	if (!running)
		conclude(test, error == -ENOENT ? SKIPPED : FAILED,
			 "kerrord is not running; start it: systemctl enable --now kerrord");
	else if (error)
		conclude(test, FAILED, "%s", store_message(store));
	else
		wait_for_store(test, store);
	store_close(store);
}

/* Whether messages of the kernel become events, and how */
static void test_printk(struct selftest *test)
{
	struct printk_state state;

	printk_state_read(&state);
	if (state.how == PRINTK_ARGUMENTS)
		conclude(test, state.missed ? WARNING : OK,
			 "messages become events with their arguments (%s); %lu were missed",
			 state.kind, state.missed);
	else if (state.how == PRINTK_TEXT)
		conclude(test, WARNING,
			 "messages become events as text only; if the kernel has ftrace or kprobes: echo 1 > %stap",
			 printk_parameters);
	else if (state.how == PRINTK_NEVER)
		conclude(test, SKIPPED,
			 "messages do not become events; that needs CONFIG_KERROR_PRINTK=y");
	else if (!strcmp(state.kind, "unloaded"))
		conclude(test, FAILED,
			 "messages do not become events: kerror.ko is loaded, evlog.ko is not; run: modprobe evlog");
	else if (!strcmp(state.kind, "level"))
		conclude(test, WARNING,
			 "messages do not become events: no level is wanted; all of them: echo 8 > %sprintk",
			 printk_parameters);
	else
		conclude(test, FAILED,
			 "messages do not become events: the tap is %s; switch it on: echo 1 > %stap",
			 state.kind, printk_parameters);
}

int command_selftest(int argc, char **argv)
{
	static const struct option longs[] = {
		JSON_OPTION,
		STORE_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct selftest test = { .common.usage = usage };
	struct kerror_socket *sock;

	next_option(&test.common, argc, argv, ":js:h", longs);
	no_arguments(argc, argv);
	/* Another one each time; the store may still have the last one. */
	test.start = now_ns();
	test.number = test.start / 1000000;
	sock = test_socket(&test);
	if (sock) {
		test.raised = raise_test_event(test.number, test.message,
					       sizeof(test.message));
		test_receive(&test, sock);
		kerror_socket_close(sock);
	}
	if (!test.failed)
		test_store(&test);
	/* A kernel without the facility has no parameters either. */
	if (test.done > SOCKET) {
		while (test.done < PRINTK)
			conclude(&test, SKIPPED, "because of what failed");
		test_printk(&test);
	}
	while (test.done < HOPS)
		conclude(&test, SKIPPED, "because of what failed");
	return test.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
