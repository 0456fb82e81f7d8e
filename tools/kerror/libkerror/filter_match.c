// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Evaluates a filter for an event. A field of the header is read from the
 * event's bytes, whatever its group and whether or not the rest is well-formed:
 * just as the program does that filter_program.c makes for the kernel.
 */
#include <string.h>
#include "filter.h"
#include "origin.h"

struct value {
	bool is_string;
	struct number number;
	const void *bytes;
	size_t size;
};

/* An event that is looked at. */
struct view {
	const struct kerror_filter *filter;
	const struct kerror_event *event;
	bool has_header;
	struct evl_header header;
	char *text;			/* room for FILTER_EVENT_TEXT_MAX bytes and a NUL */
	bool has_text;			/* it is expanded there */
	size_t text_size;
};

static bool accepts_number(const struct term *term, struct number number)
{
	const struct number *literal = &term->number;
	unsigned int relation;

	/* Of the same sign they are in the order of their 64 bits. */
	if (number.negative != literal->negative)
		relation = number.negative ? LESS : GREATER;
	else
		relation = number.value < literal->value ? LESS :
			   number.value > literal->value ? GREATER : EQUAL;
	return term->comparison->accepts & relation;
}

static bool set_string(struct value *value, const void *bytes, size_t size)
{
	value->is_string = true;
	value->bytes = bytes;
	value->size = size;
	return true;
}

static bool set_name(struct value *value, const char *name)
{
	return set_string(value, name, strlen(name));
}

static bool get_header_value(const struct evl_header *header,
			     const struct field *field, struct value *value)
{
	const char *at = (const char *)header + field->offset;
	uint32_t number;

	switch (field->source) {
	case HEADER_STRING:
		return set_string(value, at, strnlen(at, field->size));
	case CONTEXT:
		return set_name(value, kerror_context_name(header->flags));
	case KIND:
		return set_name(value, kind_name(header->format));
	default:
		break;
	}
	if (field->size == 1) {
		value->number.value = *(const uint8_t *)at;
		return true;
	}
	memcpy(&number, at, sizeof(number));
	value->number.value = field->flag ? number & field->flag : number;
	return true;
}

static bool get_argument(const struct kerror_event *event, uint32_t index,
			 struct value *value)
{
	struct kerror_argument argument;

	if (kerror_event_argument(event, index, &argument))
		return false;
	switch (argument.type) {
	case EVL_ARG_STRING:
	case EVL_ARG_TEXT:
		return set_string(value, argument.text, argument.size);
	case EVL_ARG_S32:
	case EVL_ARG_S64:
		value->number.negative = (int64_t)argument.number < 0;
		break;
	case EVL_ARG_U32:
	case EVL_ARG_U64:
	case EVL_ARG_CHAR:
	case EVL_ARG_POINTER:
		break;
	default:
		return false;
	}
	value->number.value = argument.number;
	return true;
}

/* Of a tag, that of the name that the term has */
static bool get_origin(const struct kerror_event *event, const struct term *term,
		       struct value *value)
{
	const struct origin_entry *entry;

	for (size_t i = 0; (entry = origin_entry(event->origin,
						 term->field - field_table, i)); i++)
		if (strlen(entry->name) == term->name_size &&
		    !memcmp(entry->name, term->name, term->name_size))
			return set_name(value, entry->value);
	return false;
}

static bool get_text(struct view *view, struct value *value)
{
	if (!view->has_text) {
		view->has_text = true;
		view->text_size = kerror_event_text(view->event, view->text,
						    FILTER_EVENT_TEXT_MAX + 1);
		if (view->text_size > FILTER_EVENT_TEXT_MAX)
			view->text_size = FILTER_EVENT_TEXT_MAX;
	}
	return set_string(value, view->text, view->text_size);
}

/* False if the event does not have it. */
static bool get_value(struct view *view, const struct term *term,
		      struct value *value)
{
	const struct kerror_event *event = view->event;

	*value = (struct value) { 0 };
	if (term->field->source <= KIND)
		return view->has_header &&
		       get_header_value(&view->header, term->field, value);
	if (term->field->source == GROUP)
		return set_name(value, kerror_group_name(event->group));
	if (term->field->source == ORIGIN)
		return get_origin(event, term, value);
	if (!event->structured)
		return false;
	switch (term->field->source) {
	case DEVICE:
		return *event->device && set_name(value, event->device);
	case FORMAT:
		return event->format && set_name(value, event->format);
	case TEXT:
		return get_text(view, value);
	case ARGUMENT_COUNT:
		value->number.value = kerror_event_argument_count(event);
		return true;
	default:
		return get_argument(event, term->index, value);
	}
}

static bool term_holds(struct view *view, const struct term *term)
{
	struct value value;

	if (!get_value(view, term, &value) ||
	    value.is_string != term->is_string)
		return false;
	return value.is_string ?
	       filter_accepts(term, value.bytes, value.size) :
	       accepts_number(term, value.number);
}

static bool node_holds(struct view *view, int at)
{
	const struct node *node = &view->filter->nodes[at];
	bool any = node->type == ANY;
	int part;

	if (node->type == TERM)
		return term_holds(view, &node->term) != node->negated;
	for (part = node->first; part >= 0;
	     part = view->filter->nodes[part].next)
		if (node_holds(view, part) == any)
			return any;
	return !any;
}

bool kerror_filter_matches(const struct kerror_filter *filter,
			   const struct kerror_event *event)
{
	char text[FILTER_EVENT_TEXT_MAX + 1];
	struct view view = { .filter = filter, .event = event, .text = text };

	if (event->size >= EVL_HEADER_SIZE) {
		memcpy(&view.header, event->data, EVL_HEADER_SIZE);
		view.has_header = view.header.magic == EVL_MAGIC &&
				  view.header.header_size >= EVL_HEADER_SIZE;
		/* It may have been given another one. */
		if (event->structured)
			view.header.severity = event->header.severity;
	}
	return node_holds(&view, filter->root);
}
