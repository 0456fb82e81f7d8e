// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Decides whether the arguments of an event are those of its format, as the list of what
 * is well-formed in <linux/evlog.h> says. event.c calls it before anything is expanded, so
 * that an expansion finds a value of the right type for each conversion, or the end.
 */
#include <string.h>
#include "format.h"

static bool is_plain_pointer(const struct conversion *c)
{
	return c->letter == 'p' && c->start[c->size - 1] == 'p' &&
	       memchr(c->start, 'p', c->size) == c->start + c->size - 1;
}

static bool takes(const struct conversion *c, const struct argument *value)
{
	switch (value->type) {
	case EVL_ARG_WIDTH:
	case EVL_ARG_PRECISION:
		return false;
	case EVL_ARG_S32:
	case EVL_ARG_U32:
	case EVL_ARG_S64:
	case EVL_ARG_U64:
		return strchr("diuoxX", c->letter);
	case EVL_ARG_CHAR:
		return c->letter == 'c';
	case EVL_ARG_STRING:
		return c->letter == 's';
	case EVL_ARG_POINTER:
		return is_plain_pointer(c);
	case EVL_ARG_TEXT:
		return c->letter == 'p';
	}
	return true;
}

/* The rest of an event's arguments; @short_of: one was wanted, and there was none. */
struct rest {
	const struct argument *at, *end;
	bool short_of;
};

/* Goes past an argument of the type of a '*', false if there is another one. */
static bool take_star(struct rest *rest, uint8_t type)
{
	if (rest->at == rest->end) {
		rest->short_of = true;
		return true;
	}
	return rest->at++->type == type;
}

static bool take_value(struct rest *rest, const struct conversion *c)
{
	if (rest->at == rest->end) {
		rest->short_of = true;
		return true;
	}
	return takes(c, rest->at++);
}

bool format_fits(const struct kerror_event *event)
{
	bool truncated = event->header.flags & EVL_FLAG_TRUNCATED;
	const char *at = event->format;
	struct conversion c;
	struct rest rest = {
		.at = event->arguments,
		/* Without arguments there is no array to add to. */
		.end = event->argument_count ?
		       event->arguments + event->argument_count : event->arguments,
	};

	while ((at = strchr(at, '%'))) {
		at = format_conversion(at, at + 1, format_kernel_alnum, &c);
		/* The format was cut within it. */
		if (!c.letter)
			return truncated && rest.at == rest.end;
		if (!strchr("diuoxXcsp%", c.letter))
			return false;
		if (c.letter == '%') {
			if (c.width_argument || c.precision_argument)
				return false;
			continue;
		}
		if (c.width_argument && !take_star(&rest, EVL_ARG_WIDTH))
			return false;
		if (c.precision_argument && !take_star(&rest, EVL_ARG_PRECISION))
			return false;
		if (!take_value(&rest, &c))
			return false;
	}
	return rest.at == rest.end && (truncated || !rest.short_of);
}
