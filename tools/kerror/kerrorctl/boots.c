// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boots of a store, as --boot names them and kerrorctl boots and --list-boots show
 * them: 0 is the one that runs, -1 the one before, 1 the first that the store has. What
 * the kernel keeps over a boot, kerrord stores when it starts; it tells how a boot ended.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "store.h"

static void add_boot(void *context, const struct store_boot *boot)
{
	struct boots *boots = context;
	struct store_boot *kept;

	boots->boot = must_have(reallocarray(boots->boot, boots->count + 1,
					     sizeof(*boots->boot)));
	kept = &boots->boot[boots->count++];
	*kept = *boot;
	kept->id = must_have(strdup(boot->id));
	kept->release = must_have(strdup(boot->release));
	kept->message = must_have(strdup(boot->message));
	/* Of an earlier load of its modules */
	kept->how = must_have(strdup(strcmp(boot->id, boots->running) ? boot->how : "running"));
}

void free_boots(struct boots *boots)
{
	for (size_t i = 0; i < boots->count; i++) {
		free((void *)boots->boot[i].id);
		free((void *)boots->boot[i].release);
		free((void *)boots->boot[i].message);
		free((void *)boots->boot[i].how);
	}
	free(boots->boot);
}

struct boots read_boots(struct store *store, bool count)
{
	struct boots boots = { 0 };

	if (store_boot_id(boots.running))
		err(EXIT_FAILURE, "cannot read the id of this boot");
	check_store(store, store_boots(store, count, add_boot, &boots));
	while (boots.current < boots.count &&
	       strcmp(boots.boot[boots.current].id, boots.running))
		boots.current++;
	return boots;
}

static bool is_boot(const char *value)
{
	size_t digits = strspn(value + (*value == '-'), "0123456789");

	return !strcmp(value, "all") || !strcmp(value, "current") ||
	       (digits && !value[(*value == '-') + digits]) ||
	       (strlen(value) >= BOOT_PREFIX &&
		strspn(value, "0123456789abcdef-") == strlen(value));
}

const char *boot_value(int argc, char **argv)
{
	const char *value = optarg;

	if (!value && optind < argc && is_boot(argv[optind]))
		value = argv[optind++];
	if (value && !is_boot(value))
		wrong_use("--boot: '%s' is none of all, current, -1 and so on, or the beginning of an id; kerrorctl query --list-boots shows them",
			  value);
	return value ? value : "0";
}

const char *find_boot(struct store *store, const char *value)
{
	struct boots boots;
	char *id = NULL;
	long long offset;
	char *end;

	if (!strcmp(value, "all"))
		return NULL;
	boots = read_boots(store, false);
	if (!strcmp(value, "current"))
		value = "0";
	offset = strtoll(value, &end, 10);
	/* Of an id that begins with digits it is not the number that counts. */
	if (!*end && !offset)
		id = must_have(strdup(boots.running));
	if (!id && !*end && strlen(value) < BOOT_PREFIX) {
		offset = offset < 0 ? (long long)boots.current + offset : offset - 1;
		if (offset >= 0 && offset < (long long)boots.count)
			id = must_have(strdup(boots.boot[offset].id));
	}
	for (size_t i = 0; !id && strlen(value) >= BOOT_PREFIX && i < boots.count; i++)
		if (!strncmp(boots.boot[i].id, value, strlen(value)))
			id = must_have(strdup(boots.boot[i].id));
	if (!id)
		errx(EXIT_FAILURE,
		     "--boot: the store has no boot %s; kerrorctl query --list-boots shows them",
		     value);
	free_boots(&boots);
	return id;
}

static void print_json(const struct store_boot *boot, long index)
{
	struct json_object *object = must_have(json_object_new_object());
	struct json_object *severities = must_have(json_object_new_object());

	json_add(object, "item", json_string("boot"));
	json_add(object, "index", json_object_new_int64(index));
	json_add(object, "boot_id", json_string(boot->id));
	json_add(object, "events", json_number(boot->events));
	if (boot->events) {
		json_add(object, "first", json_number(boot->first));
		json_add(object, "last", json_number(boot->last));
	}
	for (unsigned int i = 0; i < 8; i++)
		if (boot->severity[i])
			json_add(severities, kerror_severity_name(i),
				 json_number(boot->severity[i]));
	json_add(object, "severities", severities);
	if (*boot->release)
		json_add(object, "release", json_string(boot->release));
	json_add(object, "how", json_string(*boot->how ? boot->how : "unknown"));
	if (boot->began) {
		json_add(object, "began", json_number(boot->began));
		json_add(object, "ended", json_number(boot->ended));
	}
	if (*boot->message)
		json_add(object, "message", json_string(boot->message));
	json_print(stdout, object);
}

static void print_text(const char *before, const char *text)
{
	fputs(before, stdout);
	print_printable(stdout, text, strlen(text));
}

void print_end(const struct store_boot *boot)
{
	print_text("", *boot->how ? boot->how : "end unknown");
	if (boot->began)
		printf(" after %" PRIu64 " s", (boot->ended - boot->began) / 1000000000);
	if (*boot->message)
		print_text(": ", boot->message);
	if (*boot->release)
		print_text(", Linux ", boot->release);
}

void print_severities(const struct store_boot *boot, const char *separator)
{
	for (unsigned int i = 0; i < 8; i++) {
		if (!boot->severity[i])
			continue;
		printf("%s%" PRIu64 " %s", separator, boot->severity[i],
		       kerror_severity_name(i));
		separator = ", ";
	}
}

/* On a terminal, severities are below; on a narrow one, the end is, too. */
static void print_boot(const struct store_boot *boot, long index, size_t width)
{
	const bool narrow = is_narrow(width);

	printf("%5ld  %.*s  %8" PRIu64 "  ", index, narrow ? BOOT_PREFIX : BOOT_ID_SIZE, boot->id,
	       boot->events);
	if (boot->events) {
		print_time(stdout, boot->first);
		fputs("  ", stdout);
		print_time(stdout, boot->last);
	} else {
		printf("%-19s  %-19s", "-", "-");
	}
	fputs(narrow ? "\n       " : "  ", stdout);
	print_end(boot);
	print_severities(boot, width ? "\n       " : "; ");
	putchar('\n');
}

void list_boots(const struct common *common, struct store *store)
{
	struct boots boots = read_boots(store, true);
	const size_t width = terminal_width();
	const bool narrow = is_narrow(width);

	begin_pager(common);
	if (!common->json)
		printf("%s%5s  %-*s  %8s  %-19s  %-19s%s%s\n",
		       color_begin(&common->style, LOG_INFO), "BOOT",
		       narrow ? BOOT_PREFIX : BOOT_ID_SIZE - 1, "ID", "EVENTS", "FIRST", "LAST",
		       narrow ? "" : "  END", color_end(&common->style));
	for (size_t i = 0; i < boots.count; i++) {
		long index = (long)i - (long)boots.current;

		if (common->json)
			print_json(&boots.boot[i], index);
		else
			print_boot(&boots.boot[i], index, width);
	}
	free_boots(&boots);
}

static const char usage[] =
"Usage: kerrorctl boots [OPTION]...\n"
"Show the boots that the store has, oldest first, with the number and id that --boot\n"
"takes: how many events each has, when, and of which severity, the kernel, and how it\n"
"ended: clean (shut down), panic (with its message) or cut (off: a reset, a hang, no\n"
"power). If nothing outlives the kernel, the end of a boot is not known.\n"
"\n"
"  -j, --json           one JSON object a line\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
NO_PAGER_USAGE
COLOR_USAGE
HELP_USAGE;

int command_boots(int argc, char **argv)
{
	static const struct option longs[] = {
		JSON_OPTION,
		STORE_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	struct store *store;

	while (next_option(&common, argc, argv, ":js:h", longs) >= 0)
		;
	no_arguments(argc, argv);
	store = open_store(&common, false);
	list_boots(&common, store);
	store_close(store);
	flush_output();
	return EXIT_SUCCESS;
}
