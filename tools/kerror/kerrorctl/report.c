// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl report: a page on what the store has of a time: what is wrong now, the
 * boots, how many events there were when, of what kind, of which device, which kinds
 * are new, and what was lost. This file counts; others print.
 */
#include <err.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "report.h"

#define NS_PER_S 1000000000ULL
#define DEFAULT_SINCE "-7d"

static const char usage[] =
"Usage: kerrorctl report [OPTION]...\n"
"Tell what happened: conditions, boots and how they ended, events over time, the most\n"
"frequent and the new kinds, devices, losses.\n"
"\n"
"      --html           as one HTML page, which needs nothing else\n"
"  -j, --json           as one JSON object\n"
"  -S, --since=TIME     default: " DEFAULT_SINCE "; all: everything\n"
"  -U, --until=TIME     up to that time, exclusive; default: now\n"
SELECTION_USAGE
"  -g, --group=GROUP    raw, evlog, printk or all (default)\n"
"  -s, --store=FILE     default: " STORE_PATH "\n"
NO_PAGER_USAGE
COLOR_USAGE
HELP_USAGE;

enum { OPTION_HTML = OPTION_FIRST_OWN };

const char *const band_names[BANDS] = { "crit and worse", "err", "warning", "other" };

enum band band_of(unsigned int severity)
{
	return severity < 3 ? BAND_CRIT : severity == 3 ? BAND_ERR :
	       severity == 4 ? BAND_WARNING : BAND_OTHER;
}

/**
 * struct search - what is counted while the store is read
 * @report: where to
 * @running: the id of the boot that runs
 * @places: struct place of each boot: a fleet has many
 */
struct search {
	struct report *report;
	char running[BOOT_ID_SIZE];
	void *places;
};

/* ---- Boots ---- */

/* Where a boot is among those of the report */
struct place {
	const char *id;
	size_t at;
};

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static struct report_boot *known_boot(const struct search *search, const char *id)
{
	struct place key = { .id = id }, **found = tfind(&key, &search->places, compare_places);

	return found ? &search->report->boots[(*found)->at] : NULL;
}

const char *ending_text(const struct report_boot *boot)
{
	static const char *const texts[] = {
		[ENDING_RUNS] = "running", [ENDING_PANIC] = "panic",
		[ENDING_STOPPED] = "clean", [ENDING_CUT] = "cut",
		[ENDING_UNKNOWN] = "unknown",
	};

	return texts[boot->ending];
}

static struct report_boot *find_boot_of(struct search *search, const struct kerror_origin *origin)
{
	const char *id = kerror_origin_get(origin, "boot_id");
	const char *host = kerror_origin_get(origin, "host");
	struct report *report = search->report;
	struct report_boot *boot = known_boot(search, id);
	struct place *place;

	if (boot)
		return boot;
	report->boots = must_have(reallocarray(report->boots, report->boots_count + 1,
					       sizeof(*report->boots)));
	boot = &report->boots[report->boots_count++];
	*boot = (struct report_boot) {
		.id = must_have(strdup(id)), .host = must_have(strdup(host ? host : "")),
		.first = UINT64_MAX,
		.ending = strcmp(id, search->running) ? ENDING_UNKNOWN : ENDING_RUNS,
	};
	place = must_have(malloc(sizeof(*place)));
	*place = (struct place) { .id = boot->id, .at = report->boots_count - 1 };
	must_have(tsearch(place, &search->places, compare_places));
	return boot;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep_name(void *name)
{
	(void)name;
}

/* A boot is of one machine. */
static void name_machines(struct report *report)
{
	const char *host = NULL;
	void *names = NULL;

	for (size_t i = 0; i < report->boots_count; i++) {
		host = report->boots[i].host;
		report->hosts += *(const char **)must_have(tsearch(host, &names,
								   compare_names)) == host;
	}
	tdestroy(names, keep_name);
	if (report->hosts > 1)
		snprintf(report->host, sizeof(report->host), "%zu machines", report->hosts);
	else if (host && *host)
		snprintf(report->host, sizeof(report->host), "%s", host);
	else
		gethostname(report->host, sizeof(report->host) - 1);
}

static bool begins_with(const char *text, size_t size, const char *start)
{
	return size >= strlen(start) && !memcmp(text, start, strlen(start));
}

/*
 * The last messages of the kernel; kerrord may be gone by then. Of messages that came as
 * text, the text is looked at.
 */
static enum ending ending_of(const struct kerror_event *event, enum ending otherwise)
{
	static const char *const stops[] = {
		"reboot: Restarting system", "reboot: Power down", "reboot: System halted",
	};
	const char *text = kerror_event_format(event);
	size_t size = text ? strlen(text) : 0;

	if (otherwise == ENDING_RUNS || kerror_event_group(event) != KERROR_GROUP_PRINTK)
		return otherwise;
	if (!text)
		text = event_text(event, &size);
	if (begins_with(text, size, "Kernel panic - not syncing"))
		return ENDING_PANIC;
	for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++)
		if (otherwise != ENDING_PANIC && begins_with(text, size, stops[i]))
			return ENDING_STOPPED;
	return otherwise;
}

static void count_boot(struct search *search, const struct store_item *item)
{
	const struct evl_header *header = kerror_event_header(item->event);
	struct report_boot *boot = find_boot_of(search, item->origin);

	if (item->time < boot->first)
		boot->first = item->time;
	if (item->time > boot->last)
		boot->last = item->time;
	boot->events[band_of(header ? header->severity : 7)]++;
	boot->oopses += header && header->flags & EVL_FLAG_OOPS;
	boot->ending = ending_of(item->event, boot->ending);
}

/* The end that the store was told is better than a guess by the last events. */
static void correct_ending(void *context, const struct store_boot *told)
{
	struct report_boot *boot = known_boot(context, told->id);

	if (boot && *told->how && boot->ending != ENDING_RUNS)
		boot->ending = !strcmp(told->how, "panic") ? ENDING_PANIC :
			       !strcmp(told->how, "clean") ? ENDING_STOPPED : ENDING_CUT;
}

/* ---- The rest ---- */

static void count_loss(struct report *report, const struct store_item *item)
{
	const char *group = kerror_group_name(item->loss.group);
	struct report_loss *loss;
	size_t i;

	if (is_collapsed(item->cause))
		return;
	report->losses_total += item->loss.count;
	for (i = 0; i < report->losses_count; i++)
		if (!strcmp(report->losses[i].cause, item->cause) &&
		    report->losses[i].group == group)
			break;
	if (i == report->losses_count) {
		report->losses = must_have(reallocarray(report->losses, i + 1,
							sizeof(*report->losses)));
		report->losses[report->losses_count++] = (struct report_loss) {
			.cause = must_have(strdup(item->cause)), .group = group,
		};
	}
	loss = &report->losses[i];
	loss->count += item->loss.count;
}

static int found(void *context, const struct store_item *item)
{
	struct search *search = context;
	struct report *report = search->report;
	const struct evl_header *header;
	uint64_t slot;

	if (item->time < report->since) {
		if (item->event)
			tally_know(&report->all, item->event, item->time);
		return 0;
	}
	if (!item->event) {
		count_loss(report, item);
		return 0;
	}
	header = kerror_event_header(item->event);
	report->events++;
	tally_add(&report->all, item->event, item->time);
	report->unacknowledged += !item->acknowledged;
	report->by_severity[header && header->severity < 8 ? header->severity : 8]++;
	slot = (item->time - report->begin) / report->slot_ns;
	report->slot[slot][band_of(header ? header->severity : 7)]++;
	tally_add(&report->kinds, item->event, item->time);
	tally_add(&report->facilities, item->event, item->time);
	if (*kerror_event_device(item->event))
		tally_add(&report->devices, item->event, item->time);
	count_boot(search, item);
	return 0;
}

static int compare_first(const void *a, const void *b)
{
	const struct tally_entry *left = *(struct tally_entry *const *)a;
	const struct tally_entry *right = *(struct tally_entry *const *)b;

	return left->first < right->first ? 1 : left->first > right->first ? -1 : 0;
}

static void find_new_kinds(struct report *report)
{
	struct tally *new = &report->new_kinds;

	*new = tally_new(&report->all);
	qsort(new->entries, new->size, sizeof(*new->entries), compare_first);
}

/* Columns are full hours, say, or days; as many as fit, as the first begins before @since. */
static uint64_t slot_width(uint64_t period_ns)
{
	static const unsigned int seconds[] = {
		1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 86400, 7 * 86400, 30 * 86400,
	};

	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		if (period_ns / (seconds[i] * NS_PER_S) < REPORT_SLOTS - 1)
			return seconds[i] * NS_PER_S;
	return period_ns / (REPORT_SLOTS - 1) + 1;
}

/* Which begin on the hour, say, of the local time */
static void divide_period(struct report *report)
{
	time_t since = report->since / NS_PER_S;
	uint64_t past;
	struct tm tm;

	report->slot_ns = slot_width(report->until - report->since);
	localtime_r(&since, &tm);
	past = (report->since + tm.tm_gmtoff * NS_PER_S) % report->slot_ns;
	report->begin = report->since > past ? report->since - past : 0;
	report->slots = (report->until - 1 - report->begin) / report->slot_ns + 1;
}

static void add_condition(void *context, const struct condition *condition)
{
	struct report *report = context;
	struct condition *copy;

	if (condition->cleared && condition->cleared < report->since)
		return;
	report->conditions = must_have(reallocarray(report->conditions,
						    report->conditions_count + 1,
						    sizeof(*report->conditions)));
	copy = &report->conditions[report->conditions_count++];
	*copy = *condition;
	copy->name = must_have(strdup(condition->name));
	copy->key = must_have(strdup(condition->key));
	copy->rule = must_have(strdup(condition->rule));
	copy->meaning = must_have(strdup(condition->meaning));
	copy->remedy = must_have(strdup(condition->remedy));
	copy->text = must_have(strdup(condition->text));
	copy->found = must_have(strdup(condition->found));
	copy->cleared_by = must_have(strdup(condition->cleared_by));
	report->conditions_last += !condition->cleared;
}

static int first_only(void *context, const struct store_item *item)
{
	*(uint64_t *)context = item->time;
	return 1;
}

static void count_all(struct report *report, struct common *common)
{
	struct search search = { .report = report };
	struct store_query query = { .losses = true, .until = report->until };
	struct store *store = open_store(common, false);
	struct store_query any = { 0 };
	struct store_deleted deleted;

	if (store_boot_id(search.running))
		err(EXIT_FAILURE, "cannot read the id of this boot");
	check_store(store, store_query(store, &any, first_only, &report->oldest));
	if (!report->since)
		report->since = report->oldest ? report->oldest : report->until - 1;
	divide_period(report);
	select_stored(&query, common);
	check_store(store, store_query(store, &query, found, &search));
	check_store(store, store_boots(store, false, correct_ending, &search));
	tdestroy(search.places, free);
	check_store(store, store_conditions(store, add_condition, report));
	check_store(store, store_deleted(store, &deleted));
	report->deleted = deleted.age + deleted.size;
	store_close(store);
	tally_sort(&report->kinds);
	tally_sort(&report->facilities);
	tally_sort(&report->devices);
	find_new_kinds(report);
	name_machines(report);
}

int command_report(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "html", no_argument, NULL, OPTION_HTML },
		{ "since", required_argument, NULL, 'S' },
		{ "until", required_argument, NULL, 'U' },
		FILTER_OPTION,
		FACILITY_OPTION,
		PRIORITY_OPTION,
		GREP_OPTION,
		GROUP_OPTION,
		JSON_OPTION,
		STORE_OPTION,
		NO_PAGER_OPTION,
		COLOR_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	struct report report = {
		.common = &common, .made = now_ns(),
		.since = parse_time("--since", DEFAULT_SINCE),
		.all.keys = parse_keys("facility,event"),
		.kinds.keys = parse_keys("facility,event"),
		.devices.keys = parse_keys("facility,device"),
		.facilities.keys = parse_keys("facility"),
	};
	bool html = false;
	int option;

	while ((option = next_option(&common, argc, argv, ":S:U:" SELECTION_SHORTS "js:h",
				     longs)) >= 0) {
		if (option == OPTION_HTML)
			html = true;
		else if (option == 'S')
			report.since = parse_since(optarg);
		else
			report.until = parse_time("--until", optarg);
	}
	no_arguments(argc, argv);
	if (!report.until)
		report.until = report.made;
	check_period(report.since, report.until);
	count_all(&report, &common);
	if (common.json) {
		report_as_json(&report);
	} else if (html) {
		report_as_html(&report);
	} else {
		report.width = terminal_width();
		begin_pager(&common);
		report_as_text(&report);
	}
	flush_output();
	return EXIT_SUCCESS;
}
