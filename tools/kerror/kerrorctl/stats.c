// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl stats: the counters of the kernel, with what each cause of a loss
 * means and what helps against it, and those that kerrord writes for Prometheus.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <json-c/json.h>
#include "kerrorctl.h"

#define METRICS_PATH "/run/kerror/metrics.prom"

/* How long the kernel may take to answer */
#define PATIENCE_MS 2000

static const char usage[] =
"Usage: kerrorctl stats [OPTION]...\n"
"Show how many events the kernel has raised and lost, and why, and the counters\n"
"of kerrord.\n"
"\n"
"      --metrics=FILE   what kerrord writes; default: " METRICS_PATH "\n"
"  -j, --json           one JSON object a line\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n"
"\n"
"Those of the kernel need CAP_SYSLOG; CAP_NET_ADMIN is enough for all groups but\n"
"printk.\n";

/* KERROR_LOST_HISTORY is not here: it is counted by each reader for itself. */
static const struct {
	const char *meaning, *remedy;
} causes[] = {
	[KERROR_LOST_STAGING_FULL] = {
		"raised faster than they could be taken out of a CPU's staging",
		"enlarge the boot parameter kerror.staging_kb",
	},
	[KERROR_LOST_NO_STAGING] = {
		"no memory for a CPU's staging at boot",
		"reduce the boot parameter kerror.staging_kb",
	},
	[KERROR_LOST_TOO_LONG] = {
		"longer than an event may be",
		"the driver has to report less at once",
	},
	[KERROR_LOST_NMI] = {
		"raised in an NMI, where this architecture cannot record",
		"none; the driver has to report later",
	},
	[KERROR_LOST_RATE_LIMIT] = {
		"suppressed by the driver's own limit",
		"none is needed; those before them tell what happens",
	},
	[KERROR_LOST_ABANDONED] = {
		"their driver died in an oops while it raised them",
		"look for the oops in dmesg",
	},
};

#define CAUSES (sizeof(causes) / sizeof(*causes))

static uint64_t sum_of_losses(const struct kerror_statistics *statistics)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < statistics->causes && i < KERROR_CAUSES; i++)
		sum += statistics->lost[i];
	return sum;
}

static void print_kernel(const struct print_style *style,
			 const struct kerror_statistics *statistics)
{
	uint64_t lost = sum_of_losses(statistics);

	printf("%s%s%s: %" PRIu64 " events raised since boot, %s%" PRIu64
	       " lost%s\n",
	       color_begin(style, LOG_INFO),
	       kerror_group_name(statistics->group), color_end(style),
	       (uint64_t)statistics->numbered + lost,
	       lost ? color_begin(style, LOG_ERR) : "", lost,
	       lost ? color_end(style) : "");
	for (uint32_t i = 0; i < CAUSES && i < statistics->causes; i++) {
		if (!causes[i].meaning)
			continue;
		printf("  %-12s %8" PRIu64 "  %s", kerror_cause_name(i),
		       (uint64_t)statistics->lost[i], causes[i].meaning);
		if (statistics->lost[i])
			printf(": %s", causes[i].remedy);
		putchar('\n');
	}
	printf("  history      %8" PRIu32 "  bytes; it holds the last %" PRIu32
	       " events (boot parameter kerror.history_kb)\n",
	       statistics->history_size,
	       statistics->sequence_next - statistics->sequence_oldest);
	printf("  staging      %8" PRIu32 "  bytes a CPU (boot parameter kerror.staging_kb)\n",
	       statistics->staging_size);
}

static void print_kernel_json(const struct kerror_statistics *statistics)
{
	struct json_object *object = must_have(json_object_new_object());
	struct json_object *lost = must_have(json_object_new_object());

	for (uint32_t i = 0; i < CAUSES && i < statistics->causes; i++)
		if (causes[i].meaning)
			json_add(lost, kerror_cause_name(i),
				 json_number(statistics->lost[i]));
	json_add(object, "item", json_string("kernel"));
	json_add(object, "group",
		 json_string(kerror_group_name(statistics->group)));
	json_add(object, "numbered", json_number(statistics->numbered));
	json_add(object, "lost", lost);
	json_add(object, "sequence_next",
		 json_number(statistics->sequence_next));
	json_add(object, "sequence_oldest",
		 json_number(statistics->sequence_oldest));
	json_add(object, "history_size", json_number(statistics->history_size));
	json_add(object, "staging_size", json_number(statistics->staging_size));
	json_print(stdout, object);
}

/* Returns false if the kernel could not be asked, and says why. */
static bool show_kernel(const struct common *common)
{
	uint32_t groups = ALL_GROUPS;
	int answers = 0, missing;
	uint64_t deadline = now_ms() + PATIENCE_MS;
	struct kerror_reader *reader;
	struct kerror_socket *sock;
	int error = listen_as_permitted(&sock, &groups);

	if (error) {
		warnx("%s", listen_failure(error, groups));
		return false;
	}
	reader = read_from(groups);
	kerror_reader_want_statistics(reader);
	while ((missing = __builtin_popcount(kerror_reader_groups(reader)) - answers) &&
	       now_ms() < deadline) {
		enum kerror_item item = next_item(sock, reader, 100, NULL);

		if (item == KERROR_ITEM_ERROR)
			errx(EXIT_FAILURE, "the kernel answered: %s",
			     strerror(-kerror_reader_error(reader)));
		if (item != KERROR_ITEM_STATISTICS)
			continue;
		answers++;
		if (common->json)
			print_kernel_json(kerror_reader_statistics(reader));
		else
			print_kernel(&common->style,
				     kerror_reader_statistics(reader));
	}
	if (missing)
		warnx("the kernel did not answer for all groups; try again");
	kerror_reader_free(reader);
	kerror_socket_close(sock);
	return !missing;
}

/* ---- kerrord's file: "# HELP name text" and "name{label="value"} number" ---- */

/* Adds the labels behind @text, a '{', and returns what follows their '}'. */
static char *add_labels(struct json_object *object, char *text)
{
	struct json_object *labels = must_have(json_object_new_object());

	text++;
	while (*text && *text != '}') {
		char *name = text + (*text == ','), *value, *to;

		text = strstr(name, "=\"");
		if (!text)
			break;
		*text = '\0';
		text += 2;
		for (value = to = text; *text && *text != '"'; text++) {
			if (*text == '\\' && text[1])
				*to++ = *++text == 'n' ? '\n' : *text;
			else
				*to++ = *text;
		}
		text += *text == '"';
		*to = '\0';
		json_add(labels, name, json_string(value));
	}
	json_add(object, "labels", labels);
	return text && *text ? text + 1 : NULL;
}

static void print_sample_json(char *line)
{
	struct json_object *object = must_have(json_object_new_object());
	size_t length = strcspn(line, "{ ");
	struct json_object *value;
	char *rest = line + length;

	json_add(object, "item", json_string("kerrord"));
	json_add(object, "name", json_text(line, length));
	if (*rest == '{')
		rest = add_labels(object, rest);
	value = rest ? json_tokener_parse(rest) : NULL;
	json_add(object, "value", value ? value : json_string("?"));
	json_print(stdout, object);
}

static void print_line(const char *line)
{
	print_printable(stdout, line, strlen(line));
	putchar('\n');
}

static void show_daemon(const struct common *common, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	struct stat status;
	size_t room = 0;
	ssize_t size;

	if (!file) {
		const char *remedy = errno != ENOENT ? "" :
			"; is kerrord running, with textfile in [metrics]?";

		/* The kernel's counters were what was asked for, too. */
		warnx("no counters of kerrord: %s: %s%s", path, strerror(errno),
		      remedy);
		return;
	}
	if (!common->json && !fstat(fileno(file), &status)) {
		printf("%skerrord%s: ", color_begin(&common->style, LOG_INFO),
		       color_end(&common->style));
		print_time(stdout, status.st_mtim.tv_sec * 1000000000ULL +
				   status.st_mtim.tv_nsec);
		putchar('\n');
	}
	while ((size = getline(&line, &room, file)) > 0) {
		static const char help[] = "# HELP ";

		if (line[size - 1] == '\n')
			line[--size] = '\0';
		if (!common->json && !strncmp(line, help, strlen(help))) {
			char *text = strchr(line + strlen(help), ' ');

			fputs("  ", stdout);
			print_line(text ? text + 1 : line);
		} else if (size && *line != '#' && common->json) {
			print_sample_json(line);
		} else if (size && *line != '#') {
			fputs("    ", stdout);
			print_line(line);
		}
	}
	if (ferror(file))
		warn("no counters of kerrord: %s", path);
	free(line);
	fclose(file);
}

int command_stats(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "metrics", required_argument, NULL, OPTION_FIRST_OWN },
		JSON_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	const char *metrics = METRICS_PATH;
	bool asked;

	while (next_option(&common, argc, argv, ":jh", longs) >= 0)
		metrics = optarg;
	no_arguments(argc, argv);
	asked = show_kernel(&common);
	show_daemon(&common, metrics);
	flush_output();
	return asked ? EXIT_SUCCESS : EXIT_FAILURE;
}
