// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl formats: lists the events that a kernel can raise, and compares two
 * kernels.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "catalogue.h"
#include "guess.h"
#include "kerrorctl.h"

static const char usage[] =
"Usage: kerrorctl formats [OPTION]... [KERNEL]\n"
"       kerrorctl formats --diff [OPTION]... OLD NEW\n"
"List the events that a kernel can raise: what it prints, and what drivers raise.\n"
"KERNEL is vmlinux, a module, a folder with them, a copy of the folder\n"
"/sys/kernel/debug/printk/index or what this has printed; default: that which runs.\n"
"\n"
"  -d, --diff           which events of OLD are gone, reworded or of another\n"
"                       level in NEW, and which are new there\n"
"  -p, --priority=LEVEL of this level and more severe ones (emerg to debug)\n"
"  -F, --facility=NAME  of this module, or of \"kernel\"\n"
"  -m, --match=TEXT     with this text in format or file\n"
"      --of=TEXT        that TEXT was most likely made of, such as a line of the log\n"
"      --filter=FILTER  that FILTER can match, see kerror-filter(7)\n"
"  -j, --json           one JSON object a line\n"
"  -h, --help           this text\n";

/* How alike formats must be to be taken for the same, reworded */
#define ALIKE_IN_FILE	0.3
#define ALIKE		0.6
#define CANDIDATES	8

enum { OPTION_OF = OPTION_FIRST_OWN };

struct choice {
	const struct common *common;
	const char *facility, *text, *of;
	struct question question;
};

static bool is_chosen(const struct choice *choice,
		      const struct catalogue_entry *entry)
{
	const struct common *common = choice->common;

	return (!common->has_priority ||
		(entry->level >= common->worst && entry->level <= common->least)) &&
	       (!choice->facility || !strcmp(choice->facility, entry->facility)) &&
	       (!choice->text || strcasestr(entry->format, choice->text) ||
		strcasestr(entry->file, choice->text)) &&
	       (!choice->question.filter ||
		catalogue_can_match(entry, &choice->question));
}

/* The columns of a catalogue as text */
enum { ID, LEVEL, BY, FACILITY, PLACE, FUNCTION, FORMAT, COLUMNS };

/* Nothing of it is freed. */
static void get_columns(const struct catalogue_entry *entry, const char **columns)
{
	char id[9];

	if (!entry)
		return;
	snprintf(id, sizeof(id), "%08" PRIx32, entry->id);
	columns[ID] = must_have(strdup(id));
	columns[LEVEL] = catalogue_level_name(entry->level);
	columns[BY] = catalogue_raiser_name(entry->by);
	columns[FACILITY] = entry->facility;
	columns[PLACE] = catalogue_place(entry);
	columns[FUNCTION] = entry->function;
	columns[FORMAT] = catalogue_escape(entry->format);
}

void catalogue_print(const struct catalogue_entry *entry)
{
	const char *columns[COLUMNS];

	get_columns(entry, columns);
	for (int i = 0; i < COLUMNS; i++)
		printf("%s%s", i ? "\t" : "", columns[i]);
	putchar('\n');
}

static void add_entry(struct json_object *object,
		      const struct catalogue_entry *entry)
{
	char id[9];

	snprintf(id, sizeof(id), "%08" PRIx32, entry->id);
	json_add(object, "event_id", json_string(id));
	json_add(object, "level", json_string(catalogue_level_name(entry->level)));
	if (entry->by != BY_UNKNOWN)
		json_add(object, "by", json_string(catalogue_raiser_name(entry->by)));
	json_add(object, "facility", json_string(entry->facility));
	if (*entry->file) {
		json_add(object, "file", json_string(entry->file));
		json_add(object, "line", json_number(entry->line));
		json_add(object, "function", json_string(entry->function));
	}
	json_add(object, "format", json_string(entry->format));
	json_add_own_id(object, entry->format);
}

static void print_entry_json(const struct catalogue_entry *entry)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("catalogue"));
	add_entry(object, entry);
	json_print(stdout, object);
}

/* Two formats with the same CRC-32 cannot be told apart by it. */
static void warn_of_collisions(const struct catalogue *catalogue)
{
	for (size_t i = 1; i < catalogue->size; i++) {
		const struct catalogue_entry *a = &catalogue->entries[i - 1], *b = a + 1;

		if (a->id == b->id && strcmp(a->format, b->format))
			warnx("%08" PRIx32 " is the id of two formats: \"%s\" and \"%s\"",
			      a->id, catalogue_escape(a->format),
			      catalogue_escape(b->format));
	}
}

static int list(const struct common *common, const struct choice *choice,
		const char *source)
{
	struct catalogue catalogue = { 0 };
	struct guess guess = { 0 };
	size_t found = 0;

	catalogue_read(&catalogue, source);
	warn_of_collisions(&catalogue);
	if (choice->of && !guess_format(guesser_new(&catalogue), choice->of,
					strlen(choice->of), &guess))
		errx(EXIT_FAILURE,
		     "no format of %zu stands out as that of this text; give all of a message, without its time",
		     catalogue.size);
	if (!common->json)
		puts(CATALOGUE_HEAD);
	for (size_t i = 0; i < catalogue.size; i++) {
		const struct catalogue_entry *entry = &catalogue.entries[i];

		if (!is_chosen(choice, entry) || (guess.entry && guess.entry->id != entry->id))
			continue;
		found++;
		if (common->json)
			print_entry_json(entry);
		else
			catalogue_print(entry);
	}
	flush_output();
	if (!found)
		warnx("none of %zu events is chosen by these options", catalogue.size);
	return EXIT_SUCCESS;
}

/* ---- Two kernels ---- */

enum change { SAME, LEVEL_CHANGED, UNLISTED, REWORDED, VANISHED, APPEARED, CHANGES };

static const char *const change_names[CHANGES] = {
	"unchanged", "level", "unlisted", "reworded", "vanished", "appeared",
};

/* A kernel: what it lists as messages, and strings that may be some */
struct side {
	struct catalogue events, strings;
};

struct pair {
	const struct catalogue_entry *old, *new;
	double score;
};

/* Whether the same levels occur */
static bool same_levels(const struct catalogue *old, const struct catalogue_entry *a,
			const struct catalogue *new, const struct catalogue_entry *b)
{
	uint32_t id = a->id, levels[2] = { 0 };

	/* Levels that are no severity count, too. */
	for (; a < old->entries + old->size && a->id == id; a++)
		levels[0] |= 1U << (a->level - LEVEL_UNKNOWN);
	for (; b < new->entries + new->size && b->id == id; b++)
		levels[1] |= 1U << (b->level - LEVEL_UNKNOWN);
	return levels[0] == levels[1];
}

/* A format that is the same on both sides, or on one only, is shown once. */
static void print_sides(const char *old, const char *new)
{
	printf("\t%s", old ? old : new);
	if (old && new && strcmp(old, new))
		printf(" -> %s", new);
}

static void print_change(enum change change, const struct catalogue_entry *old,
			 const struct catalogue_entry *new)
{
	const char *left[COLUMNS] = { NULL }, *right[COLUMNS] = { NULL };

	get_columns(old, left);
	get_columns(new, right);
	fputs(change_names[change], stdout);
	for (int i = 0; i < COLUMNS; i++)
		print_sides(left[i], right[i]);
	putchar('\n');
}

static void add_side(struct json_object *object, const char *name,
		     const struct catalogue_entry *entry)
{
	struct json_object *side;

	if (!entry)
		return;
	side = must_have(json_object_new_object());
	add_entry(side, entry);
	json_add(object, name, side);
}

static void print_change_json(enum change change, const struct catalogue_entry *old,
			      const struct catalogue_entry *new)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("change"));
	json_add(object, "change", json_string(change_names[change]));
	add_side(object, "old", old);
	add_side(object, "new", new);
	json_print(stdout, object);
}

static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->old != b->old)
		return a->old < b->old ? -1 : 1;
	return a->new < b->new ? -1 : a->new > b->new;
}

/* Pairs what is only in @old with what is only in @new, the most alike first. */
static const struct catalogue_entry **pair_up(const struct catalogue *old,
					      const struct catalogue *new,
					      const enum change *fate)
{
	const struct catalogue_entry **partners =
		must_have(calloc(old->size + 1, sizeof(*partners)));
	bool *taken = must_have(calloc(new->size + 1, sizeof(*taken)));
	struct likeness *likeness = likeness_new(new);
	const struct catalogue_entry *a = old->entries;
	struct pair *pairs = NULL;
	size_t size = 0, room = 0;

	for (; a < old->entries + old->size; a = catalogue_next_id(old, a)) {
		struct like likes[CANDIDATES];
		size_t count;

		if (fate[a - old->entries] != VANISHED)
			continue;
		count = likeness_find(likeness, a->format, likes, CANDIDATES);
		for (size_t i = 0; i < count; i++) {
			const struct catalogue_entry *b = &new->entries[likes[i].entry];
			bool same_file = *a->file && !strcmp(a->file, b->file);

			if (likes[i].score < (same_file ? ALIKE_IN_FILE : ALIKE) ||
			    catalogue_find(old, b->id))
				continue;
			if (size == room) {
				room = room ? 2 * room : 1024;
				pairs = must_have(reallocarray(pairs, room, sizeof(*pairs)));
			}
			/* A place in the same function, then in the same file, goes first. */
			pairs[size++] = (struct pair) {
				a, b, likes[i].score + same_file +
				(same_file && !strcmp(a->function, b->function)),
			};
		}
	}
	if (size)
		qsort(pairs, size, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < size; i++) {
		const struct catalogue_entry **partner = &partners[pairs[i].old - old->entries];
		bool *used = &taken[pairs[i].new - new->entries];

		if (*partner || *used)
			continue;
		*partner = pairs[i].new;
		*used = true;
	}
	free(pairs);
	free(taken);
	return partners;
}

/* Of the whole, whatever options choose to be shown */
static void print_summary_json(const size_t *kinds, const size_t *counts)
{
	struct json_object *object = must_have(json_object_new_object());

	json_add(object, "item", json_string("summary"));
	json_add(object, "old", json_number(kinds[0]));
	json_add(object, "new", json_number(kinds[1]));
	for (enum change change = SAME; change < CHANGES; change++)
		json_add(object, change_names[change], json_number(counts[change]));
	json_print(stdout, object);
}

static void read_side(struct side *side, const char *source)
{
	struct catalogue *events = &side->events, *strings = &side->strings;
	size_t count = 0;

	catalogue_read(events, source);
	strings->entries = must_have(calloc(events->size, sizeof(*strings->entries)));
	for (size_t i = 0; i < events->size; i++) {
		const struct catalogue_entry *entry = &events->entries[i];

		if (entry->by == BY_STRING)
			strings->entries[strings->size++] = *entry;
		else
			events->entries[count++] = *entry;
	}
	events->size = count;
}

/* The fate of the formats of @from in @to, where no other is taken for them */
static enum change *find_fates(const struct side *from, const struct side *to)
{
	const struct catalogue *events = &from->events;
	const struct catalogue_entry *a = events->entries, *b;
	enum change *fates = must_have(calloc(events->size + 1, sizeof(*fates)));

	for (; a < events->entries + events->size; a = catalogue_next_id(events, a)) {
		b = catalogue_find(&to->events, a->id);
		fates[a - events->entries] =
			b ? (same_levels(events, a, &to->events, b) ? SAME : LEVEL_CHANGED) :
			catalogue_find_string(&to->strings, a->format) ? UNLISTED :
			VANISHED;
	}
	return fates;
}

static int diff(const struct common *common, const struct choice *choice,
		const char *old_source, const char *new_source)
{
	void (*print)(enum change change, const struct catalogue_entry *from,
		      const struct catalogue_entry *to) =
		common->json ? print_change_json : print_change;
	struct side old_side = { 0 }, new_side = { 0 };
	const struct catalogue *old = &old_side.events, *new = &new_side.events;
	size_t counts[CHANGES] = { 0 }, kinds[2] = { 0 };
	const struct catalogue_entry **partners, *a, *b;
	enum change *fates, *origins;

	read_side(&old_side, old_source);
	read_side(&new_side, new_source);
	fates = find_fates(&old_side, &new_side);
	origins = find_fates(&new_side, &old_side);
	partners = pair_up(old, new, fates);
	for (a = old->entries; a < old->entries + old->size; a = catalogue_next_id(old, a)) {
		const struct catalogue_entry *partner = partners[a - old->entries];
		enum change change = partner ? REWORDED : fates[a - old->entries];

		b = partner ? partner : catalogue_find(new, a->id);
		if (partner)
			origins[partner - new->entries] = REWORDED;
		kinds[0]++;
		counts[change]++;
		if (change != SAME && is_chosen(choice, a))
			print(change, a, b);
	}
	for (b = new->entries; b < new->entries + new->size; b = catalogue_next_id(new, b)) {
		enum change change = origins[b - new->entries];

		kinds[1]++;
		if (change != VANISHED && change != UNLISTED)
			continue;
		change = change == VANISHED ? APPEARED : UNLISTED;
		counts[change]++;
		if (is_chosen(choice, b))
			print(change, NULL, b);
	}
	if (common->json)
		print_summary_json(kinds, counts);
	flush_output();
	if (!common->json)
		fprintf(stderr,
			"kerrorctl: of %zu formats %zu are unchanged, %zu have another level, %zu are reworded, %zu are gone; of %zu %zu are new; %zu are listed by one kernel only\n",
			kinds[0], counts[SAME], counts[LEVEL_CHANGED], counts[REWORDED],
			counts[VANISHED], kinds[1], counts[APPEARED], counts[UNLISTED]);
	free(partners);
	free(fates);
	free(origins);
	return EXIT_SUCCESS;
}

int command_formats(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "diff", no_argument, NULL, 'd' },
		PRIORITY_OPTION,
		{ "level", required_argument, NULL, 'p' },	/* the old word */
		{ "facility", required_argument, NULL, 'F' },
		{ "match", required_argument, NULL, 'm' },
		{ "of", required_argument, NULL, OPTION_OF },
		FILTER_OPTION,
		JSON_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	/* A level that is not known is none of those that --priority asks for. */
	struct common common = { .usage = usage, .own_choice = true };
	struct choice choice = { 0 };
	const char *sources[2] = { NULL };
	bool compare = false;
	int option;

	while ((option = next_option(&common, argc, argv, ":dp:F:m:jh", longs)) >= 0) {
		switch (option) {
		case 'd':
			compare = true;
			break;
		case 'F':
			choice.facility = optarg;
			break;
		case OPTION_OF:
			choice.of = optarg;
			break;
		default:
			choice.text = optarg;
		}
	}
	for (int i = 0; i < 1 + compare && optind < argc; i++)
		sources[i] = argv[optind++];
	no_arguments(argc, argv);
	choice.question.filter = common.filter;
	choice.common = &common;
	if (compare && choice.of)
		wrong_use("--of looks into one kernel, so not with --diff");
	if (!compare)
		return list(&common, &choice, sources[0]);
	if (!sources[1])
		wrong_use("--diff needs two kernels; see kerrorctl formats --help");
	return diff(&common, &choice, sources[0], sources[1]);
}
