// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines: what libkerror writes of an event or a loss, and what the tools alone know.
 * Each is written into the room that a buffer has, and anew if that was too little.
 */
#include "json_write.h"
#include "output.h"

static struct text room_of(const struct buffer *buffer)
{
	return (struct text) { buffer->bytes + buffer->size, buffer->room - buffer->size, 0 };
}

/* False: @buffer has room now for @json, of which a part was missing. */
static bool is_added(struct buffer *buffer, const struct text *json)
{
	if (json->length > json->size)
		return !buffer_grow(buffer, json->length);
	buffer->size += json->length;
	return true;
}

void event_json(struct buffer *buffer, const struct print_style *style,
		const struct kerror_event *event)
{
	struct json_event_text text = { 0 };
	struct text json;

	if (json_has_text(event)) {
		text.bytes = styled_text(style, event, &text.size);
		text.truncated = event_text_truncated();
	}
	do {
		json = room_of(buffer);
		json_write_item(&json, style->item ? style->item : "event");
		if (style->id)
			json_write_number(&json, "number", style->id);
		if (style->acknowledged)
			json_write_number(&json, "acknowledged", style->acknowledged);
		if (style->time && !kerror_event_header(event))
			json_write_number(&json, "time_realtime", style->time);
		json_write_event(&json, event, &text);
		text_byte(&json, '\n');
	} while (!is_added(buffer, &json));
}

void loss_json(struct buffer *buffer, const struct print_style *style,
	       const struct kerror_loss *loss)
{
	const char *cause = style->cause ? style->cause : kerror_cause_name(loss->cause);
	struct text json;

	do {
		json = room_of(buffer);
		json_write_item(&json, is_collapsed(style->cause) ? "collapsed" : "loss");
		if (style->time)
			json_write_number(&json, "time_realtime", style->time);
		json_write_loss(&json, loss, cause, style->origin);
		text_byte(&json, '\n');
	} while (!is_added(buffer, &json));
}

void heartbeat_json(struct buffer *buffer, const struct kerror_origin *origin, uint64_t time,
		    uint64_t interval, bool behind)
{
	struct text json;

	do {
		json = room_of(buffer);
		json_write_item(&json, "heartbeat");
		json_write_number(&json, "time_realtime", time);
		json_write_series(&json, origin);
		json_write_origin(&json, origin);
		json_write_number(&json, "interval", interval);
		text_add_string(&json, behind ? ",\"behind\":true" : ",\"behind\":false");
		text_add_string(&json, ",\"groups\":[");
	} while (!is_added(buffer, &json));
}

void report_json(struct buffer *buffer, const struct print_style *style, uint64_t time,
		 unsigned int severity, const char *text)
{
	struct text json;

	do {
		json = room_of(buffer);
		json_write_item(&json, "report");
		json_write_series(&json, style->origin);
		json_write_number(&json, "time_realtime", time);
		json_write_string(&json, "severity", kerror_severity_name(severity));
		json_write_string(&json, "text", text);
		json_write_origin(&json, style->origin);
		text_add(&json, "}\n", 2);
	} while (!is_added(buffer, &json));
}
