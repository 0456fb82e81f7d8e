// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrorctl check-rules: says which filters of a configuration of kerrord can no
 * longer match any event of a kernel, before that kernel is rolled out. Each part of an
 * outermost || is judged by itself: what one part matches would hide that another
 * matches nothing any more.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ini.h>
#include <json-c/json.h>
#include <zlib.h>
#include "catalogue.h"
#include "explanations.h"
#include "filter.h"
#include "kerrorctl.h"

static const char usage[] =
"Usage: kerrorctl check-rules [OPTION]... RULES [KERNEL]\n"
"Tell which filters in RULES, a configuration of kerrord or a folder with *.conf,\n"
"cannot match any event of KERNEL any more, and what may have become of the events\n"
"that they were about.\n"
"KERNEL is what kerrorctl formats takes. Status 1: there is such a filter.\n"
"\n"
"  -w, --was=KERNEL     the kernel that RULES were written for\n"
"      --partial        KERNEL lacks modules; a filter about one is right\n"
"      --matches        print what of KERNEL's catalogue the filters are about, as\n"
"                       kerrorctl formats does: a catalogue for later checks\n"
EXPLANATIONS_USAGE
"  -j, --json           one JSON object for each filter\n"
"  -h, --help           this text\n";

enum { OPTION_PARTIAL = OPTION_FIRST_OWN, OPTION_MATCHES };

/* Of a filter, or of a part of it */
struct verdict {
	const char *filter;
	size_t matches;
	bool unknown, absent;
	const char *culprit, *old_format;
	const struct catalogue_entry *string;	/* what an unknown one may be about */
	const struct catalogue_entry *old, *nearest;
	struct verdict *next;
};

/*
 * @broken: it has a verdict that it cannot match; else it has one of the whole filter.
 * @text_format: that the text must have in it, too, or NULL
 */
struct rule {
	const char *path;
	char *section, *filter, *instead_of, *text_format;
	unsigned int line;
	bool broken;
	struct verdict *verdicts;
	struct rule *next;
};

struct rules {
	const struct explanations *explanations;
	const char *path;
	FILE *file;
	unsigned int line;
	bool partial;
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

static struct rule *find_rule(struct rules *rules, const char *section)
{
	struct rule *rule;

	for (rule = rules->first; rule; rule = rule->next)
		if (rule->path == rules->path && !strcmp(rule->section, section))
			return rule;
	rule = must_have(calloc(1, sizeof(*rule)));
	rule->path = rules->path;
	rule->section = must_have(strdup(section));
	*rules->last = rule;
	rules->last = &rule->next;
	return rule;
}

/* Other options are kerrord's business. A value may go on in the next line. */
static int take_option(void *context, const char *section, const char *name,
		       const char *value)
{
	struct rules *rules = context;
	bool is_filter = !strcmp(name, "filter"), is_format = !strcmp(name, "text_format");
	struct rule *rule;
	char **text, *joined;
	size_t size = strlen(value);

	if (!is_filter && !is_format && strcmp(name, "instead_of"))
		return 1;
	rule = find_rule(rules, section);
	if (is_format) {
		bool quoted = size > 1 && *value == '"' && value[size - 1] == '"';

		free(rule->text_format);
		rule->text_format = must_have(strndup(value + quoted, size - 2 * quoted));
		return 1;
	}
	text = is_filter ? &rule->filter : &rule->instead_of;
	if (is_filter && !*text)
		rule->line = rules->line;
	if (asprintf(&joined, "%s%s%s", *text ? : "", *text ? " " : "", value) < 0)
		must_have(NULL);
	free(*text);
	*text = joined;
	return 1;
}

static void read_file(struct rules *rules, const char *path)
{
	int line;

	rules->path = path;
	rules->line = 0;
	rules->file = fopen(path, "re");
	if (!rules->file)
		err(EXIT_FAILURE, "cannot read %s", path);
	line = ini_parse_stream(read_line, rules, take_option, rules);
	if (line || ferror(rules->file))
		errx(EXIT_FAILURE,
		     "%s, line %d: neither [section] nor option = value; kerrord --check-config tells more",
		     path, line);
	fclose(rules->file);
}

/* The rule that one is there instead of on some kernels is one of them. */
static bool is_rule(const struct rules *rules, const char *name)
{
	for (const struct rule *rule = rules->first; rule; rule = rule->next)
		if (rule->filter && !strncmp(rule->section, "rule ", 5) &&
		    !strcmp(rule->section + 5, name))
			return true;
	return false;
}

static void read_rules(struct rules *rules, const char *path)
{
	struct stat status;
	size_t filters = 0;
	glob_t found;
	char *pattern;

	rules->last = &rules->first;
	if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
		read_file(rules, path);
	} else {
		if (asprintf(&pattern, "%s/*.conf", path) < 0)
			must_have(NULL);
		if (!glob(pattern, 0, NULL, &found))
			for (size_t i = 0; i < found.gl_pathc; i++)
				read_file(rules, found.gl_pathv[i]);
	}
	for (const struct rule *rule = rules->first; rule; rule = rule->next) {
		filters += !!rule->filter;
		if (rule->instead_of && !is_rule(rules, rule->instead_of))
			errx(EXIT_FAILURE,
			     "%s: [%s] instead_of: there is no [rule %s] with a filter; name the rule that other kernels need",
			     rule->path, rule->section, rule->instead_of);
	}
	if (!filters)
		errx(EXIT_FAILURE, "%s: no filter in it, so nothing to check", path);
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

/* Whether a filter asks for a module of which the kernel has nothing */
static bool is_of_absent_module(const struct kerror_filter *filter,
				const struct catalogue *catalogue)
{
	for (size_t i = 0; i < filter->node_count; i++) {
		const struct node *node = &filter->nodes[i];
		bool there = false;

		if (node->type != TERM || node->negated ||
		    strcmp(node->term.field->name, "facility") ||
		    !(node->term.comparison->accepts & EQUAL))
			continue;
		for (size_t j = 0; !there && j < catalogue->size; j++)
			there = filter_accepts(&node->term, catalogue->entries[j].facility,
					       strlen(catalogue->entries[j].facility));
		if (!there)
			return true;
	}
	return false;
}

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

static bool is_broken(const struct rules *rules, const struct verdict *verdict)
{
	return !verdict->matches && !verdict->unknown &&
	       !(rules->partial && verdict->absent);
}

/* The rule that others have a relation to by instead_of */
static const char *meant_by(const struct rule *rule)
{
	return rule->instead_of ? :
	       !strncmp(rule->section, "rule ", 5) ? rule->section + 5 : NULL;
}

/* The rule that matches what one would match on another kernel, or NULL */
static const struct rule *find_substitute(const struct rules *rules, const struct rule *rule)
{
	const char *meant = meant_by(rule);

	for (const struct rule *other = rules->first; meant && other; other = other->next)
		if (other->filter && !other->broken && meant_by(other) &&
		    !strcmp(meant, meant_by(other)))
			return other;
	return NULL;
}

static const char *name_verdict(const struct verdict *verdict, const struct rule *substitute)
{
	return verdict->matches ? "can match" : verdict->unknown ? "unknown" :
	       substitute ? "other rule" : "cannot match";
}

static void print(const struct rule *rule, const struct verdict *verdict,
		  const struct rule *substitute, bool broken)
{
	printf("%s:%u: [%s] ", rule->path, rule->line, rule->section);
	if (verdict->matches) {
		printf("can match %zu places\n", verdict->matches);
		return;
	}
	if (verdict->unknown) {
		if (verdict->string)
			printf("unknown: the kernel does not list \"%s\" as a message\n",
			       catalogue_escape(verdict->string->format));
		else
			puts("unknown: about what is in no catalogue");
		return;
	}
	if (!broken) {
		printf("is about a module that is not there: %s\n", verdict->filter);
		return;
	}
	if (substitute) {
		printf("cannot match, but [%s] can\n", substitute->section);
		return;
	}
	printf("CANNOT MATCH: %s\n", verdict->filter);
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

static void print_json(const struct rule *rule, const struct verdict *verdict,
		       const struct rule *substitute, bool broken)
{
	struct json_object *object = must_have(json_object_new_object());
	char id[9];

	json_add(object, "item", json_string("rule"));
	json_add(object, "file", json_string(rule->path));
	json_add(object, "line", json_number(rule->line));
	json_add(object, "section", json_string(rule->section));
	json_add(object, "filter", json_string(verdict->filter));
	json_add(object, "verdict", json_string(!verdict->matches && !verdict->unknown && !broken ?
						"no module" : name_verdict(verdict, substitute)));
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

static struct kerror_filter *parse_filter(const struct rule *rule, const char *text)
{
	struct kerror_filter *filter;
	char message[400];

	if (kerror_filter_new(&filter, text, message, sizeof(message)))
		errx(EXIT_FAILURE, "%s, line %u: [%s] filter: %s; see kerror-filter(7)",
		     rule->path, rule->line, rule->section, message);
	return filter;
}

/**
 * struct kernels - the kernels, and what judges filters against them
 * @catalogue: of the one that the rules are checked against
 * @was: of the one that they were written for
 * @likeness: finds what was reworded
 * @used: which entries of @catalogue filters can match, or NULL
 */
struct kernels {
	struct catalogue catalogue, was;
	struct likeness *likeness;
	bool *used;
};

static void add_part(struct text *text, const struct kerror_filter *filter, int at)
{
	const struct node *node = &filter->nodes[at];

	if (node->type == TERM) {
		filter_add_term(text, node);
		return;
	}
	text_add(text, "(", 1);
	for (int i = node->first; i >= 0; i = filter->nodes[i].next) {
		if (i != node->first)
			text_add(text, node->type == ANY ? " || " : " && ", 4);
		add_part(text, filter, i);
	}
	text_add(text, ")", 1);
}

/* ---- Texts made before they are printed ---- */

/* Whether the term asks for a format that is hardly more than conversions */
static bool is_bare_format(const struct term *term)
{
	static const char conversions[] = "%s%d%u%c%x";
	size_t size = term->pattern_size;

	if (term->field->source != FORMAT || !(term->comparison->accepts & EQUAL))
		return false;
	for (size_t i = 0; i < size; i++) {
		bool letter = term->pattern[i] < 0x80 && isalpha(term->pattern[i]);

		if (letter && !(i && term->pattern[i - 1] == '%' &&
				strchr(conversions, term->pattern[i])))
			return false;
	}
	return true;
}

/* Of an argument that has to be a string, the same of the text */
static void add_as_text(struct text *text, const struct term *term)
{
	bool quoted = *term->literal == '"', whole = term->comparison->accepts & EQUAL;

	text_add(text, whole ? "text~\"*" : "text~\"", whole ? 7 : 6);
	text_add(text, term->literal + quoted, term->literal_size - 2 * quoted);
	text_add(text, whole ? "*\"" : "\"", whole ? 2 : 1);
}

/*
 * The filter for the strings that such a text is made of: its arguments are asked for
 * in the text, and the format is not. NULL: it is not about such a text.
 */
static struct kerror_filter *filter_of_strings(const struct rule *rule,
					       const struct kerror_filter *filter)
{
	const struct node *root = &filter->nodes[filter->root];
	struct text text = { .size = 2 * FILTER_TEXT_MAX };
	struct kerror_filter *strings = NULL;
	unsigned int formats = 0, texts = 0;

	text.buffer = must_have(malloc(text.size));
	for (int i = root->type == ALL ? root->first : -1; i >= 0; i = filter->nodes[i].next) {
		const struct node *node = &filter->nodes[i];
		const struct term *term = &node->term;
		bool plain = node->type == TERM && !node->negated;

		if (plain && is_bare_format(term)) {
			formats++;
			continue;
		}
		if (text.length)
			text_add(&text, " && ", 4);
		if (plain && term->field->source == ARGUMENT && term->is_string &&
		    term->comparison->accepts & (EQUAL | MATCHES)) {
			texts++;
			add_as_text(&text, term);
		} else {
			add_part(&text, filter, i);
		}
	}
	text_end(&text);
	if (formats && texts && text.length <= FILTER_TEXT_MAX)
		strings = parse_filter(rule, text.buffer);
	free(text.buffer);
	return strings;
}

/* Strings count only if no message matches. */
static void note_used(const struct kernels *kernels, const struct question *question,
		      bool messages)
{
	for (size_t i = 0; kernels->used && i < kernels->catalogue.size; i++) {
		const struct catalogue_entry *entry = &kernels->catalogue.entries[i];

		if (!messages || entry->by != BY_STRING)
			kernels->used[i] |= catalogue_can_match(entry, question);
	}
}

/* Whether the kernel has the strings of such a text; the first of them */
static const struct catalogue_entry *find_strings(const struct rule *rule,
						  const struct kerror_filter *filter,
						  const struct kernels *kernels)
{
	struct question question = { .filter = filter_of_strings(rule, filter) };
	const struct catalogue_entry *found = NULL;

	if (question.filter) {
		found = find_match(&kernels->catalogue, true, &question);
		note_used(kernels, &question, false);
		kerror_filter_free((struct kerror_filter *)question.filter);
	}
	return found;
}

/* ---- Verdicts ---- */

static struct verdict judge(const struct rules *rules, const struct rule *rule,
			    const char *text, const struct kernels *kernels)
{
	struct kerror_filter *filter = parse_filter(rule, text);
	const struct catalogue *catalogue = &kernels->catalogue, *was = &kernels->was;
	struct question question = {
		.strict = true, .filter = filter, .catalogue = catalogue,
	};
	struct verdict verdict = { .filter = text };
	const struct node *culprit;
	struct like like;

	/* In the new kernel it is as likely as it was in the old one. */
	verdict.old = find_match(was, false, &question);
	if (!verdict.old) {
		question.strict = false;
		verdict.old = find_match(was, false, &question);
	}
	verdict.matches = count_matches(catalogue, question);
	if (!verdict.matches)
		look_elsewhere(&verdict, &question, catalogue, was);
	note_used(kernels, &question, verdict.matches);
	if (!verdict.matches && !verdict.unknown) {
		verdict.string = find_strings(rule, filter, kernels);
		verdict.unknown = verdict.string;
	}
	if (!verdict.matches && !verdict.unknown) {
		verdict.absent = is_of_absent_module(filter, catalogue);
		culprit = find_culprit(question, catalogue);
		verdict.culprit = culprit ? term_text(culprit) : NULL;
		verdict.old_format = find_old_format(verdict.old, culprit,
						     rules->explanations);
		if (verdict.old_format &&
		    likeness_find(kernels->likeness, verdict.old_format, &like, 1))
			verdict.nearest = &catalogue->entries[like.entry];
	}
	kerror_filter_free(filter);
	return verdict;
}

static void add_verdict(struct rule *rule, struct verdict verdict)
{
	struct verdict **last = &rule->verdicts;

	while (*last)
		last = &(*last)->next;
	*last = must_have(malloc(sizeof(**last)));
	**last = verdict;
}

/* The place of that very string, in a message or by itself, or NULL */
static const struct catalogue_entry *find_text_format(const struct rule *rule,
						      const struct kernels *kernels)
{
	const char *format = rule->text_format ? : "";

	return catalogue_find(&kernels->catalogue,
			      crc32(0, (const Bytef *)format, strlen(format)));
}

/* The kernel must have it. */
static void check_text_format(struct rule *rule, const struct kernels *kernels)
{
	const struct catalogue *catalogue = &kernels->catalogue;
	const struct catalogue_entry *end = catalogue->entries + catalogue->size;
	const struct catalogue_entry *found = find_text_format(rule, kernels), *entry;
	struct verdict verdict = { .filter = rule->filter, .old_format = rule->text_format };
	struct like like;

	for (entry = found; entry && kernels->used && entry < end && entry->id == found->id;
	     entry++)
		kernels->used[entry - catalogue->entries] = true;
	if (found)
		return;
	if (asprintf((char **)&verdict.culprit, "text_format = \"%s\"",
		     catalogue_escape(rule->text_format)) < 0)
		must_have(NULL);
	if (likeness_find(kernels->likeness, rule->text_format, &like, 1))
		verdict.nearest = &catalogue->entries[like.entry];
	add_verdict(rule, verdict);
}

/* An id that many messages share is no reason for a verdict: they may be meant. */
static void warn_of_shared_ids(const struct rule *rule, const struct kerror_filter *filter,
			       const struct catalogue *catalogue)
{
	const struct catalogue_entry *entry = NULL;

	for (size_t i = 0; i < filter->node_count; i++) {
		const struct node *node = &filter->nodes[i];
		const struct term *term = &node->term;
		const struct catalogue_entry *found;

		if (node->type != TERM || node->negated)
			continue;
		if (term->field->source == TEXT || term->field->source == ARGUMENT)
			return;
		found = term->field->literal == ID && term->comparison->accepts & EQUAL ?
			catalogue_find(catalogue, term->number.value) : NULL;
		if (found && !kerror_format_own_id(found->format))
			entry = found;
	}
	if (entry)
		warnx("%s, line %u: [%s] filter: %08" PRIx32 " is the id of many messages, as \"%s\" is their format; ask for an argument, too",
		      rule->path, rule->line, rule->section, entry->id,
		      catalogue_escape(entry->format));
}

/* Each part of an outermost ||; if none is broken, the filter as a whole */
static void check(const struct rules *rules, struct rule *rule, const struct kernels *kernels)
{
	struct kerror_filter *filter = parse_filter(rule, rule->filter);
	const struct node *root = &filter->nodes[filter->root];
	struct verdict verdict;

	warn_of_shared_ids(rule, filter, &kernels->catalogue);
	for (int i = root->type == ANY ? root->first : -1; i >= 0; i = filter->nodes[i].next) {
		struct text text = { .size = FILTER_TEXT_MAX };

		text.buffer = must_have(malloc(text.size));
		add_part(&text, filter, i);
		text_end(&text);
		/* So long a text is not taken apart. */
		if (text.length >= text.size)
			continue;
		verdict = judge(rules, rule, text.buffer, kernels);
		if (is_broken(rules, &verdict))
			add_verdict(rule, verdict);
	}
	kerror_filter_free(filter);
	if (rule->text_format && *rule->text_format)
		check_text_format(rule, kernels);
	rule->broken = rule->verdicts;
	if (rule->broken)
		return;
	verdict = judge(rules, rule, rule->filter, kernels);
	rule->broken = is_broken(rules, &verdict);
	if (verdict.unknown && find_text_format(rule, kernels))
		verdict.string = find_text_format(rule, kernels);
	add_verdict(rule, verdict);
}

/* Messages that the filters are about, and others of the same modules */
static void print_matches(const struct kernels *kernels)
{
	const struct catalogue *catalogue = &kernels->catalogue;

	for (size_t i = 0; i < catalogue->frame_count; i++) {
		const struct catalogue_entry *frame = catalogue->frames[i];
		bool needed = !strcmp(frame->facility, "kernel");

		for (size_t j = 0; !needed && j < catalogue->size; j++)
			needed = kernels->used[j] &&
				 !strcmp(catalogue->entries[j].facility, frame->facility);
		kernels->used[frame - catalogue->entries] |= needed;
	}
	puts(CATALOGUE_HEAD);
	for (size_t i = 0; i < catalogue->size; i++)
		if (kernels->used[i])
			catalogue_print(&catalogue->entries[i]);
}

int command_check_rules(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "was", required_argument, NULL, 'w' },
		{ "partial", no_argument, NULL, OPTION_PARTIAL },
		{ "matches", no_argument, NULL, OPTION_MATCHES },
		EXPLANATIONS_OPTION,
		CATALOGUE_OPTION,
		JSON_OPTION,
		HELP_OPTION,
		LAST_OPTION
	};
	struct common common = { .usage = usage };
	struct kernels kernels = { 0 };
	struct rules rules = { 0 };
	const char *old = NULL;
	bool matches = false;
	size_t broken = 0;
	int option;

	while ((option = next_option(&common, argc, argv, ":w:jh", longs)) >= 0) {
		if (option == OPTION_PARTIAL)
			rules.partial = true;
		else if (option == OPTION_MATCHES)
			matches = true;
		else
			old = optarg;
	}
	if (optind == argc)
		wrong_use("no configuration to check; see kerrorctl check-rules --help");
	read_rules(&rules, argv[optind++]);
	rules.explanations = read_explanations(&common);
	catalogue_read(&kernels.catalogue, optind < argc ? argv[optind++] : NULL);
	no_arguments(argc, argv);
	if (old)
		catalogue_read(&kernels.was, old);
	take_severities(&kernels.catalogue, rules.explanations);
	take_severities(&kernels.was, rules.explanations);
	kernels.likeness = likeness_new(&kernels.catalogue);
	if (matches)
		kernels.used = must_have(calloc(kernels.catalogue.size, sizeof(bool)));
	for (struct rule *rule = rules.first; rule; rule = rule->next)
		if (rule->filter)
			check(&rules, rule, &kernels);
	for (const struct rule *rule = rules.first; rule; rule = rule->next) {
		const struct rule *substitute = rule->broken ? find_substitute(&rules, rule) : NULL;

		broken += rule->broken && !substitute;
		for (const struct verdict *v = matches ? NULL : rule->verdicts; v; v = v->next)
			(common.json ? print_json : print)(rule, v, substitute, rule->broken);
	}
	if (matches)
		print_matches(&kernels);
	flush_output();
	if (!broken)
		return EXIT_SUCCESS;
	warnx("%zu of the filters cannot match any event of that kernel; give them another id or text",
	      broken);
	return EXIT_FAILURE;
}
