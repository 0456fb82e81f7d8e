// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl rules: what the rules of kerrord have done and which of their commands
 * wait, out of the state files that kerrord writes. A request to kerrord is an
 * empty file beside them, which kerrord takes away once it has done so.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include "json_values.h"
#include "kerrorctl.h"

#define STATE_FOLDER "/var/lib/kerror"

/* kerrord looks for requests once a second. */
#define PATIENCE_MS 5000

static const char usage[] =
"Usage: kerrorctl rules [OPTION]... [RULE]...\n"
"Show the rules of kerrord, how often their commands ran and failed, and which\n"
"commands wait; or only the rules that are named.\n"
"\n"
"      --flush          run at once what waits, as after a repair of the command\n"
"      --drop           throw away what waits\n"
"      --state=FOLDER   'state' of [kerrord]; default: " STATE_FOLDER "\n"
"  -j, --json           one JSON object a line\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n";

enum { OPTION_FLUSH = 1000, OPTION_DROP, OPTION_STATE };

/* ---- State files ---- */

/* Value of a variable of a command that waits */
static const char *get_variable(struct json_object *firing, const char *name)
{
	struct json_object *variables;
	size_t count = json_get_array(firing, "variables", &variables);

	for (size_t i = 0; i < count; i++) {
		struct json_object *variable = json_object_array_get_idx(variables, i);
		const char *text = json_object_get_string(variable);

		if (text && !strncmp(text, name, strlen(name)) &&
		    text[strlen(name)] == '=')
			return text + strlen(name) + 1;
	}
	return "";
}

/* Seconds until it is run again, of which some have passed since the file's time */
static uint64_t seconds_left(struct json_object *rule, struct json_object *firing)
{
	struct timespec now;
	uint64_t written = json_get_number(rule, "time"), passed;
	uint64_t left = json_get_number(firing, "retry_in");

	clock_gettime(CLOCK_REALTIME, &now);
	passed = now.tv_sec * 1000000000ULL + now.tv_nsec;
	passed = passed > written ? passed - written : 0;
	return left > passed ? (left - passed) / 1000000000 + 1 : 0;
}

/* ---- For people ---- */

static void print_text(const char *text)
{
	print_printable(stdout, text, strlen(text));
}

static void print_waiting(struct json_object *rule, struct json_object *firing)
{
	uint64_t attempts = json_get_number(firing, "attempts");
	uint64_t more = json_get_number(firing, "more");

	fputs("  waits: ", stdout);
	print_time(stdout, json_get_number(firing, "since"));
	putchar(' ');
	print_text(get_variable(firing, "KERROR_TEXT"));
	if (more)
		printf(", and %" PRIu64 " more", more);
	if (attempts)
		printf(" (failed %" PRIu64 " times, again in %" PRIu64 " s)",
		       attempts, seconds_left(rule, firing));
	putchar('\n');
}

static void print_rule(const struct common *common, struct json_object *rule)
{
	struct json_object *backlog;
	size_t count = json_get_array(rule, "backlog", &backlog);
	const char *failure = json_get_string(rule, "last_failure");

	fputs(color_begin(&common->style, *failure ? LOG_ERR : LOG_INFO), stdout);
	print_text(json_get_string(rule, "rule"));
	fputs(color_end(&common->style), stdout);
	printf(": ran %" PRIu64 " times, failed %" PRIu64 ", given up %" PRIu64 " events; %zu wait%s\n",
	       json_get_number(rule, "fired"), json_get_number(rule, "failed"),
	       json_get_number(rule, "given_up"), count,
	       json_get_bool(rule, "active") ? "" : "; kerrord does not run it now");
	fputs("  command: ", stdout);
	print_text(json_get_string(rule, "command"));
	fputs(json_get_bool(rule, "direct") ? " (run by kerrord itself)\n" : "\n", stdout);
	if (*failure) {
		fputs("  last failure: ", stdout);
		print_text(failure);
		putchar('\n');
	}
	for (size_t i = 0; i < count; i++)
		print_waiting(rule, json_object_array_get_idx(backlog, i));
}

/* ---- JSON ---- */

static struct json_object *waiting_value(struct json_object *firing)
{
	struct json_object *value = must_have(json_object_new_object());

	json_add(value, "time_realtime", json_number(json_get_number(firing, "since")));
	json_add(value, "text", json_string(get_variable(firing, "KERROR_TEXT")));
	json_add(value, "attempts", json_number(json_get_number(firing, "attempts")));
	json_add(value, "more", json_number(json_get_number(firing, "more")));
	return value;
}

static void print_rule_json(struct json_object *rule)
{
	struct json_object *object = must_have(json_object_new_object());
	struct json_object *waiting = must_have(json_object_new_array());
	struct json_object *backlog;
	size_t count = json_get_array(rule, "backlog", &backlog);

	for (size_t i = 0; i < count; i++)
		json_object_array_add(waiting,
				      waiting_value(json_object_array_get_idx(backlog, i)));
	json_add(object, "item", json_string("rule_state"));
	json_add(object, "rule", json_string(json_get_string(rule, "rule")));
	json_add(object, "command", json_string(json_get_string(rule, "command")));
	json_add(object, "active", json_object_new_boolean(json_get_bool(rule, "active")));
	json_add(object, "direct", json_object_new_boolean(json_get_bool(rule, "direct")));
	json_add(object, "fired", json_number(json_get_number(rule, "fired")));
	json_add(object, "failed", json_number(json_get_number(rule, "failed")));
	json_add(object, "given_up", json_number(json_get_number(rule, "given_up")));
	json_add(object, "last_failure", json_string(json_get_string(rule, "last_failure")));
	json_add(object, "waiting", waiting);
	json_print(stdout, object);
}

/* ---- Requests ---- */

/* "NAME.state" becomes "NAME.flush" or "NAME.drop". */
static char *request_path(const char *path, const char *request)
{
	char *result;

	if (asprintf(&result, "%.*s%s", (int)(strlen(path) - strlen("state")),
		     path, request) < 0)
		errx(EXIT_FAILURE, "out of memory");
	return result;
}

/* False if kerrord has not taken it. */
static bool make_request(const char *path, const char *request,
			 struct json_object *rule)
{
	static const struct timespec moment = { .tv_nsec = 50000000 };
	char *file = request_path(path, request);
	uint64_t deadline = now_ms() + PATIENCE_MS;
	int fd = open(file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	bool taken = false;

	if (fd < 0)
		err(EXIT_FAILURE, "cannot ask kerrord by %s", file);
	close(fd);
	while (json_get_bool(rule, "active") && !taken && now_ms() < deadline) {
		taken = access(file, F_OK) && errno == ENOENT;
		if (!taken)
			nanosleep(&moment, NULL);
	}
	if (!taken)
		warnx("kerrord does not run [%s] now; --%s counts when it starts",
		      json_get_string(rule, "rule"), request);
	free(file);
	return taken;
}

/* ---- All ---- */

/* "rule disk", or "disk" for short */
static bool is_named(const char *rule, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(rule, *names) ||
		    (!strncmp(rule, "rule ", 5) && !strcmp(rule + 5, *names)))
			return true;
	return false;
}

/* Returns whether it is one of @names; @taken becomes false if a request is not. */
static bool show(const struct common *common, const char *path, char **names,
		 const char *request, bool *taken)
{
	struct json_object *rule = json_object_from_file(path);
	bool named;

	if (!rule || json_get_number(rule, "version") != 1) {
		json_object_put(rule);
		if (access(path, R_OK))
			err(EXIT_FAILURE, "%s", path);
		warnx("%s is no state of a rule that this version can read", path);
		return false;
	}
	named = is_named(json_get_string(rule, "rule"), names);
	if (named && request)
		*taken &= make_request(path, request, rule);
	else if (named && common->json)
		print_rule_json(rule);
	else if (named)
		print_rule(common, rule);
	json_object_put(rule);
	return named;
}

static void find_files(const char *folder, glob_t *files)
{
	char *pattern;
	int error;

	/* A folder that cannot be read would look like one without rules. */
	if (access(folder, R_OK | X_OK))
		errx(EXIT_FAILURE, "%s: %s; %s", folder, strerror(errno),
		     errno == EACCES ? "root and the user kerror can read it" :
		     "is that 'state' of [kerrord]?");
	if (asprintf(&pattern, "%s/rule*.state", folder) < 0)
		errx(EXIT_FAILURE, "out of memory");
	error = glob(pattern, 0, NULL, files);
	if (error && error != GLOB_NOMATCH)
		errx(EXIT_FAILURE, "cannot read %s", folder);
	if (error)
		errx(EXIT_FAILURE,
		     "%s has no state of a rule; does kerrord run, with a [rule NAME]?",
		     folder);
	free(pattern);
}

int command_rules(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "flush", no_argument, NULL, OPTION_FLUSH },
		{ "drop", no_argument, NULL, OPTION_DROP },
		{ "state", required_argument, NULL, OPTION_STATE },
		JSON_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	const char *folder = STATE_FOLDER, *request = NULL;
	struct common common = { .usage = usage };
	size_t shown = 0;
	bool taken = true;
	glob_t files;
	int option;

	while ((option = next_option(&common, argc, argv, ":jh", longs)) >= 0) {
		if (option == OPTION_STATE)
			folder = optarg;
		else if (request)
			wrong_use("--flush or --drop, not both; see kerrorctl rules --help");
		else
			request = option == OPTION_FLUSH ? "flush" : "drop";
	}
	find_files(folder, &files);
	for (size_t i = 0; i < files.gl_pathc; i++)
		shown += show(&common, files.gl_pathv[i], argv + optind, request,
			      &taken);
	globfree(&files);
	if (!shown)
		errx(EXIT_FAILURE, "no such rule; kerrorctl rules shows all");
	flush_output();
	return taken ? EXIT_SUCCESS : EXIT_FAILURE;
}
