// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translates a filter to SQL, as far as the columns go. Promises that no event
 * with a header that the filter matches is left out; what is found may not match,
 * so the filter itself is asked again. An event without a header has no columns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "store_internal.h"

#define DEPTH_MAX 80

/* A list of which all or any parts must hold */
struct list {
	size_t begin;		/* where it begins in the SQL */
	bool all, open;		/* open: a part of it can be anything */
	unsigned int parts;
	struct store_ids ids;	/* the parts so far, if each is an id */
	bool only_ids;
};

struct translation {
	struct store_condition *condition;
	bool origins;
	size_t length;
	struct list list[DEPTH_MAX];
	int depth;
	bool failed;
};

static const char *operator_of(const struct kerror_filter_term *term)
{
	static const char *const operators[][2] = {
		{ "==", "=" }, { "!=", "<>" }, { "<", "<" }, { "<=", "<=" },
		{ ">", ">" }, { ">=", ">=" },
	};

	/* A pattern without wildcards */
	if (!strcmp(term->comparison, "~"))
		return "=";
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strcmp(term->comparison, operators[i][0]))
			return operators[i][1];
	return NULL;
}

static bool is_field(const struct kerror_filter_term *term, const char *name)
{
	return !strcmp(term->field, name);
}

/* Of the table of boots; false if it is no field of an origin. */
static bool translate_origin(const struct kerror_filter_term *term, const char *operator,
			     char *sql, size_t size)
{
	static const char *const columns[][2] = {
		{ "machine", "machine" }, { "host", "host" }, { "boot_id", "boot_id" },
		{ "instance", STORE_INSTANCE }, { "release", "release" },
		{ "version", "version" }, { "arch", "arch" }, { "livepatch", "livepatch" },
	};

	/* With "+" SQLite goes on in the order of time. */
	if (!strncmp(term->field, "tag.", 4)) {
		sqlite3_snprintf(size, sql,
				 "+boot IN (SELECT boot FROM tag WHERE name = %Q AND value %s %Q)",
				 term->field + 4, operator, term->string);
		return true;
	}
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		if (!is_field(term, columns[i][0]))
			continue;
		sqlite3_snprintf(size, sql, "+boot IN (SELECT boot FROM boot WHERE %s %s %Q)",
				 columns[i][1], operator, term->string);
		return true;
	}
	return false;
}

/*
 * False if the columns do not tell. An index is in the order of time for one
 * value; @alone: this is the only one. With "+" SQLite uses no index.
 */
static bool translate_term(const struct kerror_filter_term *term, bool alone, bool origins,
			   char *sql, size_t size)
{
	const char *operator = operator_of(term);
	int length = size;

	if (term->negated || !operator)
		return false;
	if (!term->is_string && (term->negative || term->number > INT64_MAX))
		return false;
	if (term->is_string && !term->string)
		return false;
	if (is_field(term, "severity")) {
		length = snprintf(sql, size, "severity %s %" PRIu64, operator,
				  term->number);
	} else if (is_field(term, "id") && term->number && *operator == '=') {
		length = snprintf(sql, size, "+event_id = %" PRIu64,
				  term->number);
	} else if (is_field(term, "group") && strlen(operator) < 3 &&
		   kerror_group_number(term->string) > 0) {
		length = snprintf(sql, size, "event_group %s %d", operator,
				  kerror_group_number(term->string));
	} else if (is_field(term, "facility") || is_field(term, "device")) {
		sqlite3_snprintf(size, sql, "%s%s %s %Q",
				 alone && *operator == '=' ? "" : "+",
				 term->field, operator, term->string);
		length = strlen(sql);
	} else if (origins && translate_origin(term, operator, sql, size)) {
		length = strlen(sql);
	}
	return length < (int)size - 1;
}

static void add(struct translation *translation, const char *text)
{
	size_t length = strlen(text);

	if (length >= sizeof(translation->condition->sql) - translation->length) {
		translation->failed = true;
		return;
	}
	memcpy(translation->condition->sql + translation->length, text,
	       length + 1);
	translation->length += length;
}

/* Adds a part of the list that is open, or the whole. */
static void add_part(struct translation *translation, const char *sql)
{
	struct list *list = &translation->list[translation->depth];

	if (list->parts++)
		add(translation, list->all ? " AND " : " OR ");
	add(translation, sql);
}

static void begin(void *context, bool all)
{
	struct translation *translation = context;
	struct list *list;

	if (translation->depth + 1 >= DEPTH_MAX) {
		translation->failed = true;
		return;
	}
	translation->list[translation->depth].only_ids = false;
	list = &translation->list[++translation->depth];
	*list = (struct list) {
		.begin = translation->length, .all = all, .only_ids = !all,
	};
	add(translation, "(");
}

/* Whether all lists around this one are of parts that must all hold */
static bool must_hold(const struct translation *translation, int depth)
{
	for (; depth >= 0; depth--)
		if (!translation->list[depth].all)
			return false;
	return true;
}

static void end(void *context)
{
	struct translation *translation = context;
	struct list list = translation->list[translation->depth];
	struct list *outer;
	char sql[sizeof(translation->condition->sql)];

	if (translation->failed)
		return;
	add(translation, ")");
	outer = &translation->list[--translation->depth];
	/* The list begins behind what its own list has so far. */
	memcpy(sql, translation->condition->sql + list.begin,
	       sizeof(sql) - list.begin);
	translation->length = list.begin;
	translation->condition->sql[list.begin] = '\0';
	if (list.parts && !(list.open && !list.all))
		add_part(translation, sql);
	else
		outer->open = true;
	if (list.only_ids && !translation->condition->ids.count &&
	    must_hold(translation, translation->depth))
		translation->condition->ids = list.ids;
}

/* Adds an id once; false if there is no room. */
static bool add_id(struct store_ids *ids, uint32_t id)
{
	for (int i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return true;
	if (ids->count == STORE_IDS_MAX)
		return false;
	ids->id[ids->count++] = id;
	return true;
}

static void take_term(void *context, const struct kerror_filter_term *term)
{
	struct translation *translation = context;
	struct list *list = &translation->list[translation->depth];
	struct store_ids *ids = &translation->condition->ids;
	bool is_id, alone = must_hold(translation, translation->depth);
	char sql[1024];

	if (translation->failed)
		return;
	is_id = is_field(term, "id") && !term->negated && !term->negative &&
		term->number && term->number <= UINT32_MAX &&
		!strcmp(term->comparison, "==");
	/* A single id is better than several. */
	if (is_id && alone) {
		ids->count = 0;
		add_id(ids, term->number);
	}
	list->only_ids = list->only_ids && is_id &&
			 add_id(&list->ids, term->number);
	if (translate_term(term, alone, translation->origins, sql, sizeof(sql)))
		add_part(translation, sql);
	else
		list->open = true;
}

void store_translate(struct store_condition *condition,
		     const struct kerror_filter *filter, bool origins)
{
	static const struct kerror_filter_visitor visitor = {
		.begin = begin, .term = take_term, .end = end,
	};
	struct translation translation = {
		.condition = condition, .origins = origins, .list[0].all = true,
	};

	condition->sql[0] = '\0';
	condition->ids.count = 0;
	if (filter)
		kerror_filter_visit(filter, &visitor, &translation);
	if (translation.failed) {
		condition->sql[0] = '\0';
		condition->ids.count = 0;
	}
}
