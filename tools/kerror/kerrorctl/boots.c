// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boots of a store, as --boot names them and --list-boots shows them: 0 is the one
 * that runs, -1 the one before, 1 the first that the store has.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "kerrorctl.h"
#include "store.h"

/* A part of an id, not a number */
#define PREFIX_MIN 8

/**
 * struct boots - of a store
 * @boot: copies, of which the ids are to be freed
 * @count: how many
 * @current: index of the one that runs; @count: the store has nothing of it
 * @running: its id
 */
struct boots {
	struct store_boot *boot;
	size_t count, current;
	char running[BOOT_ID_SIZE];
};

static void add_boot(void *context, const struct store_boot *boot)
{
	struct boots *boots = context;

	boots->boot = must_have(reallocarray(boots->boot, boots->count + 1,
					     sizeof(*boots->boot)));
	boots->boot[boots->count] = *boot;
	boots->boot[boots->count++].id = must_have(strdup(boot->id));
}

static struct boots read_boots(struct store *store, bool count)
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
	       (strlen(value) >= PREFIX_MIN && strspn(value, "0123456789abcdef-") == strlen(value));
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
	struct boots boots = read_boots(store, false);
	const char *id = NULL;
	long long offset;
	char *end;

	if (!strcmp(value, "all"))
		return NULL;
	if (!strcmp(value, "current"))
		value = "0";
	offset = strtoll(value, &end, 10);
	/* Of an id that begins with digits it is not the number that counts. */
	if (!*end && !offset)
		return must_have(strdup(boots.running));
	if (!*end && strlen(value) < PREFIX_MIN) {
		offset = offset < 0 ? (long long)boots.current + offset : offset - 1;
		if (offset >= 0 && offset < (long long)boots.count)
			id = boots.boot[offset].id;
	}
	for (size_t i = 0; !id && strlen(value) >= PREFIX_MIN && i < boots.count; i++)
		if (!strncmp(boots.boot[i].id, value, strlen(value)))
			id = boots.boot[i].id;
	if (!id)
		errx(EXIT_FAILURE,
		     "--boot: the store has no boot %s; kerrorctl query --list-boots shows them",
		     value);
	return id;
}

static void print_json(const struct store_boot *boot, long index)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("boot"));
	json_add(object, "index", json_object_new_int64(index));
	json_add(object, "boot_id", json_string(boot->id));
	json_add(object, "events", json_number(boot->events));
	if (boot->events) {
		json_add(object, "first", json_number(boot->first));
		json_add(object, "last", json_number(boot->last));
	}
	json_print(stdout, object);
}

static void print_boot(const struct store_boot *boot, long index)
{
	printf("%5ld  %s  %8" PRIu64, index, boot->id, boot->events);
	if (boot->events) {
		fputs("  ", stdout);
		print_time(stdout, boot->first);
		fputs("  ", stdout);
		print_time(stdout, boot->last);
	}
	putchar('\n');
}

void list_boots(const struct common *common, struct store *store)
{
	struct boots boots = read_boots(store, true);

	if (!common->json)
		printf("%s%5s  %-36s  %8s  %-19s  %s%s\n", color_begin(&common->style, LOG_INFO),
		       "BOOT", "ID", "EVENTS", "FIRST", "LAST", color_end(&common->style));
	for (size_t i = 0; i < boots.count; i++)
		(common->json ? print_json : print_boot)
			(&boots.boot[i], (long)i - (long)boots.current);
}
