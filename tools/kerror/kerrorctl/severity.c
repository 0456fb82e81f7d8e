// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives events that come from the kernel the severity that operators have written
 * into their catalogues. A filter in the kernel sees the kernel's severity only,
 * so it must let all events through that have another one here.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "explanations.h"
#include "kerrorctl.h"

static struct explanations *explanations;

struct explanations *read_explanations(const struct common *common)
{
	struct explanations *result =
		common->explanations ? explanations_read_file(common->explanations) :
				    explanations_read(EXPLANATIONS_FOLDER);

	if (!result)
		err(EXIT_FAILURE, "--explanations: cannot read %s", common->explanations);
	return result;
}

void use_severities(const struct common *common)
{
	explanations = read_explanations(common);
}

const struct kerror_event *event_of(const struct kerror_reader *reader)
{
	const struct kerror_event *event = kerror_reader_event(reader);
	static struct kerror_event *copy;

	kerror_event_free(copy);
	copy = NULL;
	if (explanations_severity(explanations, event) < 0)
		return event;
	copy = must_have(explanations_copy(explanations, event));
	return copy;
}

static void add_id(void *context, const struct explanation *explanation)
{
	fprintf(context, " || id==%08" PRIx32, explanation->id);
}

struct kerror_filter *widen_filter(const struct common *common)
{
	struct kerror_filter *filter = common->filter;
	char *others = NULL, *text;
	size_t size;
	FILE *file;

	if (!filter || !strstr(common->filter_text, "severity"))
		return filter;
	file = must_have(open_memstream(&others, &size));
	explanations_each_severity(explanations, add_id, file);
	must_have(fclose(file) ? NULL : others);
	if (size) {
		if (asprintf(&text, "(%s)%s", common->filter_text, others) < 0)
			must_have(NULL);
		/* It may be too long. */
		if (kerror_filter_new(&filter, text, NULL, 0))
			filter = NULL;
		free(text);
	}
	free(others);
	return filter;
}
