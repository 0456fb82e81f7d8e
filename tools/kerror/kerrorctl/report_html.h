/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations that the files of the HTML page of kerrorctl report share. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report.h"

/* The class that the style sheet colours */
const char *band_class(enum band band);

/* Stacked columns: how many events there were when, by band */
void svg_events(const struct report *report);

/* A bar of @count, if @most fills it */
void svg_bar(uint64_t count, uint64_t most, unsigned int severity);

/* One that is full, of the shares of the bands */
void svg_bands(const uint64_t *counts);

/* The style sheet: light, dark and paper; narrow and wide */
extern const char report_style[];

#endif
