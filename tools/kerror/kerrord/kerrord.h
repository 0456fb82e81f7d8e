/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How kerrord shows an event or a loss: as a line for people (print.c) or as a
 * JSON object in one line (json.c).
 */
#ifndef KERRORD_H
#define KERRORD_H

#include <stdio.h>
#include "../libkerror/libkerror.h"

struct print_style {
	bool color;
};

void print_event(FILE *file, const struct print_style *style,
		 const struct kerror_event *event);
void print_loss(FILE *file, const struct print_style *style,
		const struct kerror_loss *loss);
void print_event_json(FILE *file, const struct print_style *style,
		      const struct kerror_event *event);
void print_loss_json(FILE *file, const struct print_style *style,
		     const struct kerror_loss *loss);

/*
 * Returns the text of @event with its length in @size; valid until the next
 * call.
 */
const char *event_text(const struct kerror_event *event, size_t *size);

/* Returns the bytes of the UTF-8 character that @text begins with, or 0. */
size_t utf8_length(const char *text, size_t size);

#endif
