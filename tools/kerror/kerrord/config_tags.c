// SPDX-License-Identifier: GPL-2.0-only
/*
 * The section [tags]: each of its options, whatever its name, is a tag of this machine.
 * config_file.c calls this for each. A later file may change a tag, or take it away by an
 * empty value.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"

static const struct option *table_entry(void)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].kind == TAG)
			return &config_options[i];
	return NULL;
}

static bool is_name(const char *name)
{
	struct kerror_origin *origin = kerror_origin_new();
	bool good = origin && kerror_origin_set(origin, name, "") != -EINVAL;

	kerror_origin_release(origin);
	return good;
}

static void free_tag(struct tag *tag)
{
	free(tag->name);
	free(tag->value);
	free(tag);
}

static void change(struct parser *parser, const char *name, const char *value)
{
	struct tag **at = &parser->settings->tags, *old, *tag;

	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	old = *at;
	if (old && old->file == parser->place.path)
		config_complain(parser, "a second '%s' in [tags]", name + strlen("tag."));
	tag = config_memory(calloc(1, sizeof(*tag)));
	tag->next = old ? old->next : NULL;
	tag->name = config_copy(name);
	tag->value = config_copy(value);
	tag->file = parser->place.path;
	*at = tag;
	if (old)
		free_tag(old);
}

void config_tag(struct parser *parser, const char *name, const char *value)
{
	struct option option = *table_entry();
	char whole[64];

	option.name = name;
	snprintf(whole, sizeof(whole), "tag.%s", name);
	if (!is_name(whole))
		config_complain(parser,
				"[tags] '%s': a name has up to 32 lower-case letters, digits and _",
				name);
	else if (config_check_value(parser, &option, value))
		change(parser, whole, value);
}

void config_check_tags(struct parser *parser)
{
	struct tag **at = &parser->settings->tags, *tag;
	size_t count = 0;

	while ((tag = *at)) {
		count += *tag->value != '\0';
		if (*tag->value) {
			at = &tag->next;
			continue;
		}
		*at = tag->next;
		free_tag(tag);
	}
	parser->place.line = 0;
	if (count > KERROR_TAGS_MAX)
		config_complain(parser, "[tags] has %zu tags; at most %d", count,
				KERROR_TAGS_MAX);
}

void config_free_tags(struct tag *tag)
{
	struct tag *next;

	for (; tag; tag = next) {
		next = tag->next;
		free_tag(tag);
	}
}
