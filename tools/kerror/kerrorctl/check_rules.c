// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl check-rules: says which filters of a configuration of kerrord can no
 * longer match any event of a kernel, before that kernel is rolled out.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <ini.h>
#include <json-c/json.h>
#include "catalogue.h"
#include "explanations.h"
#include "filter.h"
#include "kerrorctl.h"

static const char usage[] =
"Usage: kerrorctl check-rules [OPTION]... RULES [KERNEL]\n"
"Tell which filters in RULES, a configuration of kerrord, cannot match any event of\n"
"KERNEL any more, and what may have become of the events that they were about.\n"
"KERNEL is what kerrorctl catalog takes. Status 1: there is such a filter.\n"
"\n"
"  -w, --was=KERNEL     the kernel that RULES were written for\n"
"      --catalogue=FILE take severities from here; default: all that are installed\n"
"  -j, --json           one JSON object for each filter\n"
"  -h, --help           this text\n";

struct rule {
	char *section, *filter;
	unsigned int line;
	struct rule *next;
};

struct rules {
	const struct explanations *explanations;
	const char *path;
	FILE *file;
	unsigned int line;
	struct rule *first, **last;
};

static char *read_line(char *line, int size, void *context)
{
	struct rules *rules = context;

	if (!fgets(line, size, rules->file))
		return NULL;
	rules->line++;
	return line;
}

/* Other options are kerrord's business. A value may go on in the next line. */
static int take_option(void *context, const char *section, const char *name,
		       const char *value)
{
	struct rules *rules = context;
	struct rule *rule;
	char *joined;

	if (strcmp(name, "filter"))
		return 1;
	for (rule = rules->first; rule; rule = rule->next) {
		if (strcmp(rule->section, section))
			continue;
		if (asprintf(&joined, "%s %s", rule->filter, value) < 0)
			must_have(NULL);
		free(rule->filter);
		rule->filter = joined;
		return 1;
	}
	rule = must_have(calloc(1, sizeof(*rule)));
	rule->section = must_have(strdup(section));
	rule->filter = must_have(strdup(value));
	rule->line = rules->line;
	*rules->last = rule;
	rules->last = &rule->next;
	return 1;
}

static void read_rules(struct rules *rules)
{
	int line;

	rules->last = &rules->first;
	rules->file = fopen(rules->path, "re");
	if (!rules->file)
		err(EXIT_FAILURE, "cannot read %s", rules->path);
	line = ini_parse_stream(read_line, rules, take_option, rules);
	if (line || ferror(rules->file))
		errx(EXIT_FAILURE,
		     "%s, line %d: neither [section] nor option = value; kerrord --check-config tells more",
		     rules->path, line);
	fclose(rules->file);
	if (!rules->first)
		errx(EXIT_FAILURE, "%s: no filter in it, so nothing to check",
		     rules->path);
}

/* ---- One filter ---- */

/*
 * The first place that can raise what catalogue_can_match() is asked for, or the
 * first string that may be a message of that kind, or NULL
 */
static const struct catalogue_entry *find_match(const struct catalogue *catalogue,
						bool string,
						const struct question *question)
{
	for (size_t i = 0; i < catalogue->size; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		bool is_string = entry->by == BY_STRING;

		if (is_string == string && catalogue_can_match(entry, question))
			return entry;
	}
	return NULL;
}

/* Not strings, and not those that it can match only if evlog's facility fits. */
static size_t count_matches(const struct catalogue *catalogue, struct question question)
{
	size_t count = 0;

	question.facility = "";
	for (size_t i = 0; i < catalogue->size; i++)
		count += catalogue->entries[i].by != BY_STRING &&
			 catalogue_can_match(&catalogue->entries[i], &question);
	return count;
}

/*
 * Events without a format are in no catalogue: what evl_write() raises. That a
 * text comes from there, or that such a message came through printk(), is believed
 * only of a filter that names what tells these events apart.
 */
static bool is_about_others(const struct kerror_filter *filter)
{
	static const unsigned int kinds[] = {
		EVL_FORMAT_NODATA, EVL_FORMAT_BINARY, EVL_FORMAT_STRING,
	};
	bool named = false;

	for (size_t i = 0; i < filter->node_count; i++) {
		const struct node *node = &filter->nodes[i];

		if (node->type == TERM &&
		    (node->term.field->source == KIND ||
		     node->term.field->source == GROUP ||
		     !strcmp(node->term.field->name, "type")))
			named = true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct filter_kind kind = {
			.severity = -1, .kind = kinds[i], .likely = named ? 0 : LIKELY,
			.known = named ? 0 : EVL_FLAG_PRINTK,
		};

		if (filter_possible(filter, &kind) != NEVER)
			return true;
	}
	/* Those of the group raw have not even a header. */
	for (size_t i = 0; i < filter->node_count; i++)
		if (filter->nodes[i].type == TERM &&
		    filter->nodes[i].term.field->source == GROUP &&
		    filter_accepts(&filter->nodes[i].term, "raw", 3) !=
		    filter->nodes[i].negated)
			return true;
	return false;
}

/* The first term that nothing in the kernel satisfies, or NULL */
static const struct node *find_culprit(struct question question,
				       const struct catalogue *catalogue)
{
	const struct kerror_filter *filter = question.filter;

	for (size_t i = 0; i < filter->node_count; i++) {
		question.node = &filter->nodes[i];
		if (question.node->type == TERM &&
		    !find_match(catalogue, false, &question))
			return question.node;
	}
	return NULL;
}

/* As it is written in the filter */
static char *term_text(const struct node *node)
{
	struct text text = { .size = FILTER_TEXT_MAX + 8 };

	text.buffer = must_have(malloc(text.size));
	filter_add_term(&text, node);
	text_end(&text);
	return text.buffer;
}

/*
 * The format that a filter was about, as far as that can be known, or NULL: what
 * it matched in the old kernel, of which the first will do, or what it asks for.
 */
static const char *find_old_format(const struct catalogue_entry *old,
				   const struct node *culprit,
				   const struct explanations *explanations)
{
	const struct term *term = culprit ? &culprit->term : NULL;
	const struct explanation *explanation;

	if (old)
		return old->format;
	if (term && term->field->literal == ID) {
		explanation = explanations_find(explanations, term->number.value);
		return explanation ? explanation->value[EXPLANATION_FORMAT] : NULL;
	}
	if (term && (term->field->source == TEXT || term->field->source == FORMAT)) {
		bool quoted = *term->literal == '"';

		return must_have(strndup(term->literal + quoted,
					 term->literal_size - 2 * quoted));
	}
	return NULL;
}

/* kerrord's filters see the operator's severities. */
static void take_severities(struct catalogue *catalogue,
			    const struct explanations *explanations)
{
	for (size_t i = 0; i < catalogue->size; i++) {
		struct catalogue_entry *entry = &catalogue->entries[i];
		const struct explanation *explanation =
			explanations_find(explanations, entry->id);

		if (explanation && explanation->severity >= 0)
			entry->level = explanation->severity;
	}
}

struct verdict {
	size_t matches;
	bool unknown;
	const char *culprit, *old_format;
	const struct catalogue_entry *string;	/* what an unknown one may be about */
	const struct catalogue_entry *old, *nearest;
};

/*
 * Whether there is a reason to believe that no catalogue has what a filter is about:
 * so it is, too, if the old kernel's has not. If that lists the message, no other
 * string will do.
 */
static void look_elsewhere(struct verdict *verdict, const struct question *question,
			   const struct catalogue *catalogue, const struct catalogue *was)
{
	verdict->string = verdict->old ?
			  catalogue_find_string(catalogue, verdict->old->format) :
			  find_match(catalogue, true, question);
	verdict->unknown = verdict->string || (was->size && !verdict->old) ||
			   find_match(catalogue, false, question) ||
			   is_about_others(question->filter);
}

static void print(const struct rules *rules, const struct rule *rule,
		  const struct verdict *verdict)
{
	if (verdict->matches) {
		printf("%s:%u: [%s] can match %zu places\n", rules->path, rule->line,
		       rule->section, verdict->matches);
		return;
	}
	if (verdict->unknown) {
		printf("%s:%u: [%s] unknown: ", rules->path, rule->line, rule->section);
		if (verdict->string)
			printf("the kernel does not list \"%s\" as a message\n",
			       catalogue_escape(verdict->string->format));
		else
			puts("about what is in no catalogue");
		return;
	}
	printf("%s:%u: [%s] CANNOT MATCH: %s\n", rules->path, rule->line,
	       rule->section, rule->filter);
	if (verdict->culprit)
		printf("\tno event has: %s\n", verdict->culprit);
	else
		printf("\tno event has all of it\n");
	if (verdict->old_format)
		printf("\twas about: \"%s\"\n", catalogue_escape(verdict->old_format));
	if (!verdict->nearest)
		return;
	printf("\treworded to? ");
	/* Of a string it is not known what else is in the format. */
	if (verdict->nearest->by != BY_STRING)
		printf("id==%08" PRIx32 " ", verdict->nearest->id);
	printf("\"%s\" (%s, %s%s%s)\n", catalogue_escape(verdict->nearest->format),
	       verdict->nearest->facility, catalogue_level_name(verdict->nearest->level),
	       *verdict->nearest->file ? ", " : "", catalogue_place(verdict->nearest));
}

static void print_json(const struct rules *rules, const struct rule *rule,
		       const struct verdict *verdict)
{
	struct json_object *object = must_have(json_object_new_object());
	char id[9];

	json_add(object, "item", json_string("rule"));
	json_add(object, "file", json_string(rules->path));
	json_add(object, "line", json_number(rule->line));
	json_add(object, "section", json_string(rule->section));
	json_add(object, "filter", json_string(rule->filter));
	json_add(object, "verdict", json_string(verdict->matches ? "can match" :
						verdict->unknown ? "unknown" :
						"cannot match"));
	json_add(object, "matches", json_number(verdict->matches));
	if (verdict->string)
		json_add(object, "string", json_string(verdict->string->format));
	if (verdict->culprit)
		json_add(object, "term", json_string(verdict->culprit));
	if (verdict->old_format)
		json_add(object, "was", json_string(verdict->old_format));
	if (verdict->nearest) {
		snprintf(id, sizeof(id), "%08" PRIx32, verdict->nearest->id);
		if (verdict->nearest->by != BY_STRING)
			json_add(object, "nearest_id", json_string(id));
		json_add(object, "nearest", json_string(verdict->nearest->format));
	}
	json_print(stdout, object);
}

static bool check(const struct common *common, const struct rules *rules,
		  const struct rule *rule, const struct catalogue *catalogue,
		  const struct catalogue *was, struct likeness *likeness)
{
	struct verdict verdict = { 0 };
	struct question question = { .strict = true };
	struct kerror_filter *filter;
	const struct node *culprit;
	char message[320];
	struct like like;

	if (kerror_filter_new(&filter, rule->filter, message, sizeof(message)))
		errx(EXIT_FAILURE, "%s, line %u: [%s] filter: %s; see kerror-filter(7)",
		     rules->path, rule->line, rule->section, message);
	/* In the new kernel it is as likely as it was in the old one. */
	question.filter = filter;
	verdict.old = find_match(was, false, &question);
	if (!verdict.old) {
		question.strict = false;
		verdict.old = find_match(was, false, &question);
	}
	verdict.matches = count_matches(catalogue, question);
	if (!verdict.matches)
		look_elsewhere(&verdict, &question, catalogue, was);
	if (!verdict.matches && !verdict.unknown) {
		culprit = find_culprit(question, catalogue);
		verdict.culprit = culprit ? term_text(culprit) : NULL;
		verdict.old_format = find_old_format(verdict.old, culprit,
						     rules->explanations);
		if (verdict.old_format &&
		    likeness_find(likeness, verdict.old_format, &like, 1))
			verdict.nearest = &catalogue->entries[like.entry];
	}
	if (common->json)
		print_json(rules, rule, &verdict);
	else
		print(rules, rule, &verdict);
	kerror_filter_free(filter);
	return verdict.matches || verdict.unknown;
}

int command_check_rules(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "was", required_argument, NULL, 'w' },
		CATALOGUE_OPTION,
		JSON_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	struct catalogue catalogue = { 0 }, was = { 0 };
	struct rules rules = { 0 };
	struct likeness *likeness;
	const char *old = NULL;
	size_t broken = 0;

	while (next_option(&common, argc, argv, ":w:jh", longs) >= 0)
		old = optarg;
	if (optind == argc)
		errx(EXIT_FAILURE,
		     "no configuration to check; see kerrorctl check-rules --help");
	rules.path = argv[optind++];
	read_rules(&rules);
	rules.explanations = read_explanations(&common);
	catalogue_read(&catalogue, optind < argc ? argv[optind++] : NULL);
	no_arguments(argc, argv);
	if (old)
		catalogue_read(&was, old);
	take_severities(&catalogue, rules.explanations);
	take_severities(&was, rules.explanations);
	likeness = likeness_new(&catalogue);
	for (const struct rule *rule = rules.first; rule; rule = rule->next)
		broken += !check(&common, &rules, rule, &catalogue, &was, likeness);
	flush_output();
	if (!broken)
		return EXIT_SUCCESS;
	warnx("%zu of the filters cannot match any event of that kernel; give them another id or text",
	      broken);
	return EXIT_FAILURE;
}
