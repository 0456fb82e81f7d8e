// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl explain: what an event id stands for. Puts together what kerrord has
 * stored of it, and what somebody who knows the driver has written about it in
 * a catalogue of explanations.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <ini.h>
#include <json-c/json.h>
#include <zlib.h>
#include "kerrorctl.h"
#include "kerror_paths.h"
#include "store.h"

#define LOCAL_CATALOGUES	"/etc/kerror/explain.d/*.ini"
#define SHIPPED_CATALOGUES	KERROR_DATADIR "/explain.d/*.ini"

static const char usage[] =
"Usage: kerrorctl explain [OPTION]... EVENT-ID | FORMAT\n"
"Tell what an event means, what to do, and how often kerrord has stored it.\n"
"EVENT-ID has 8 hexadecimal digits; FORMAT is the format string in the driver.\n"
"\n"
"  -c, --catalogue=FILE only this one, instead of " LOCAL_CATALOGUES "\n"
"                       and " SHIPPED_CATALOGUES "\n"
"  -j, --json           as a JSON object\n"
"  -t, --translate      show the format in the language of the environment, too\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
"      --color=WHEN     auto (default: on a terminal), always or never\n"
"  -h, --help           this text\n";

enum key { FORMAT, TEXT, ACTION, SEVERITY, KEYS };

static const char *const keys[] = { "format", "text", "action", "severity" };

/* What a catalogue says; NULL where it says nothing */
struct explanation {
	char id[9];
	bool found;
	char *value[KEYS];
};

/* What the store has of an event id */
struct stored {
	uint32_t id;
	struct tally formats, facilities, devices;
};

/* Lines that continue a value come as the same key again. */
static int take_value(void *context, const char *section, const char *name,
		      const char *value)
{
	struct explanation *explanation = context;

	if (strcasecmp(section, explanation->id))
		return 1;
	explanation->found = true;
	for (int i = 0; i < KEYS; i++) {
		char *before = explanation->value[i], *all;

		if (strcmp(name, keys[i]))
			continue;
		if (asprintf(&all, "%s%s%s", before ? before : "",
			     before ? " " : "", value) < 0)
			must_have(NULL);
		free(before);
		explanation->value[i] = all;
	}
	return 1;
}

/* Returns false if the file cannot be read; a wrong line is only warned about. */
static bool read_catalogue(struct explanation *explanation, const char *path)
{
	int line = ini_parse(path, take_value, explanation);

	if (line < 0)
		return false;
	if (line)
		warnx("%s, line %d: not [EVENT-ID], not KEY = VALUE, or above 198 bytes",
		      path, line);
	return true;
}

/* The first that knows the event has the word. */
static void search_catalogues(struct explanation *explanation,
			      const char *catalogue)
{
	glob_t files = { 0 };

	if (catalogue) {
		if (!read_catalogue(explanation, catalogue))
			err(EXIT_FAILURE, "--catalogue: cannot read %s",
			    catalogue);
		return;
	}
	glob(LOCAL_CATALOGUES, 0, NULL, &files);
	glob(SHIPPED_CATALOGUES, GLOB_APPEND, NULL, &files);
	for (size_t i = 0; !explanation->found && i < files.gl_pathc; i++)
		if (!read_catalogue(explanation, files.gl_pathv[i]))
			warn("cannot read %s", files.gl_pathv[i]);
	globfree(&files);
}

static int found(void *context, const struct store_item *item)
{
	const struct evl_header *header;
	struct stored *stored = context;

	header = item->event ? kerror_event_header(item->event) : NULL;
	if (!header || header->format != EVL_FORMAT_PRINTF ||
	    header->event_id != stored->id)
		return 0;
	tally_add(&stored->formats, item->event, item->time);
	tally_add(&stored->facilities, item->event, item->time);
	if (*kerror_event_device(item->event))
		tally_add(&stored->devices, item->event, item->time);
	return 0;
}

/* A catalogue is of use without a store, too. */
static void search_store(struct stored *stored, const struct common *common)
{
	const struct store_query everything = { 0 };
	struct store *store;

	if (store_open(&store, common->store ? common->store : STORE_PATH,
		       false) ||
	    store_query(store, &everything, found, stored))
		warnx("%s", store_message(store));
	store_close(store);
	tally_sort(&stored->formats);
	tally_sort(&stored->facilities);
	tally_sort(&stored->devices);
}

/* An id as it stands, or that of a format as it stands in the source. */
static uint32_t parse_id(const char *text)
{
	size_t length = strlen(text);

	if (length == 8 && strspn(text, "0123456789abcdefABCDEF") == 8)
		return strtoul(text, NULL, 16);
	if (length && text[length - 1] == '\n')
		length--;
	else if (length > 1 && !strcmp(text + length - 2, "\\n"))
		length -= 2;
	return crc32(0, (const Bytef *)text, length);
}

static const char *facility_of(const struct kerror_event *event)
{
	return kerror_event_header(event)->facility;
}

static void print_name(const struct print_style *style, const char *name)
{
	printf("%s%-11s%s ", color_begin(style, LOG_INFO), name,
	       color_end(style));
}

static void print_field(const struct print_style *style, const char *name,
			const char *text)
{
	print_name(style, name);
	print_printable(stdout, text, strlen(text));
	putchar('\n');
}

static void print_all(const struct print_style *style, const char *name,
		      const struct tally *tally,
		      const char *(*text_of)(const struct kerror_event *event))
{
	for (size_t i = 0; i < tally->size; i++)
		print_field(style, i ? "" : name,
			    text_of(tally->entries[i]->event));
}

static void print_time_field(const struct print_style *style, const char *name,
			     uint64_t time)
{
	print_name(style, name);
	print_time(stdout, time);
	putchar('\n');
}

/* Of all entries: all that are counted have the same id. */
static struct tally_entry sum_of(const struct tally *tally)
{
	struct tally_entry sum = { .first = UINT64_MAX, .worst = UINT8_MAX };

	for (size_t i = 0; i < tally->size; i++) {
		const struct tally_entry *entry = tally->entries[i];

		sum.count += entry->count;
		if (entry->first < sum.first)
			sum.first = entry->first;
		if (entry->last > sum.last)
			sum.last = entry->last;
		if (entry->worst < sum.worst)
			sum.worst = entry->worst;
	}
	return sum;
}

static void print(const struct print_style *style,
		  const struct explanation *explanation,
		  const struct stored *stored)
{
	struct tally_entry sum = sum_of(&stored->formats);
	const char *severity = explanation->value[SEVERITY];
	const char *format = explanation->value[FORMAT];

	print_field(style, "event", explanation->id);
	if (stored->formats.size) {
		format = kerror_event_format(stored->formats.entries[0]->event);
		print_all(style, "format", &stored->formats, kerror_event_format);
	} else if (format) {
		print_field(style, "format", format);
	}
	if (format && style->translate)
		print_field(style, "translation", style->translate(format));
	print_all(style, "facility", &stored->facilities, facility_of);
	print_all(style, "device", &stored->devices, kerror_event_device);
	if (severity || sum.count)
		print_field(style, "severity", severity ? severity :
			    kerror_severity_name(sum.worst));
	if (sum.count) {
		print_name(style, "count");
		printf("%" PRIu64 "\n", sum.count);
		print_time_field(style, "first", sum.first);
		print_time_field(style, "last", sum.last);
	}
	if (explanation->value[TEXT])
		print_field(style, "meaning", explanation->value[TEXT]);
	if (explanation->value[ACTION])
		print_field(style, "action", explanation->value[ACTION]);
}

static void add_list(struct json_object *object, const char *name,
		     const struct tally *tally,
		     const char *(*text_of)(const struct kerror_event *event))
{
	struct json_object *list = must_have(json_object_new_array());

	for (size_t i = 0; i < tally->size; i++)
		json_object_array_add(list,
				      json_string(text_of(tally->entries[i]->event)));
	json_add(object, name, list);
}

static void print_json(const struct explanation *explanation,
		       const struct stored *stored)
{
	struct json_object *object = must_have(json_object_new_object());
	struct tally_entry sum = sum_of(&stored->formats);

	json_add(object, "item", json_string("explanation"));
	json_add(object, "event_id", json_string(explanation->id));
	add_list(object, "formats", &stored->formats, kerror_event_format);
	add_list(object, "facilities", &stored->facilities, facility_of);
	add_list(object, "devices", &stored->devices, kerror_event_device);
	json_add(object, "count", json_number(sum.count));
	if (sum.count) {
		json_add(object, "first", json_number(sum.first));
		json_add(object, "last", json_number(sum.last));
	}
	for (int i = 0; i < KEYS; i++)
		if (explanation->value[i])
			json_add(object, keys[i],
				 json_string(explanation->value[i]));
	json_print(stdout, object);
}

int command_explain(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "catalogue", required_argument, NULL, 'c' },
		JSON_OPTION,
		TRANSLATE_OPTION,
		STORE_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct stored stored = {
		.formats.by = TALLY_EVENT, .facilities.by = TALLY_FACILITY,
		.devices.by = TALLY_DEVICE,
	};
	struct common common = { .usage = usage };
	struct explanation explanation = { 0 };
	const char *catalogue = NULL;

	while (next_option(&common, argc, argv, ":c:jts:h", longs) >= 0)
		catalogue = optarg;
	if (optind == argc)
		errx(EXIT_FAILURE,
		     "no event id and no format; see kerrorctl explain --help");
	stored.id = parse_id(argv[optind++]);
	no_arguments(argc, argv);
	snprintf(explanation.id, sizeof(explanation.id), "%08" PRIx32,
		 stored.id);

	search_catalogues(&explanation, catalogue);
	search_store(&stored, &common);
	if (!explanation.found && !stored.formats.size)
		errx(EXIT_FAILURE,
		     "neither the store nor a catalogue knows event %s; kerrorctl query --count-by=event lists those stored",
		     explanation.id);
	if (common.json)
		print_json(&explanation, &stored);
	else
		print(&common.style, &explanation, &stored);
	flush_output();
	return EXIT_SUCCESS;
}
