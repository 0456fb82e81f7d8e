// SPDX-License-Identifier: GPL-2.0-only
/*
 * Texts on a terminal: health, show and report break them between words, where the
 * terminal ends. Elsewhere a text stays one line, for grep.
 */
#include <stdlib.h>
#include "kerrorctl.h"

/* A narrower terminal is left to cut words itself. */
#define COLUMNS_MIN 20

/* Bytes of @text that fit, up to a blank or its end; a longer word counts whole. */
static size_t fitting(const char *text, size_t size, size_t columns)
{
	size_t best = 0, used = 0, at;

	for (at = 0; at < size && (used <= columns || !best); at++) {
		if (text[at] == ' ' && at)
			best = at;
		used += (text[at] & 0xc0) != 0x80;
	}
	return at == size && (used <= columns || !best) ? size : best;
}

void print_folded(const char *text, size_t size, size_t indent, size_t columns)
{
	struct buffer made = { 0 };
	size_t at = 0, fits;

	buffer_printable(&made, text, size);
	must_have(made.failed ? NULL : &made);
	columns = columns >= indent + COLUMNS_MIN ? columns - indent : SIZE_MAX;
	while (at < made.size) {
		fits = fitting(made.bytes + at, made.size - at, columns);
		fwrite(made.bytes + at, 1, fits, stdout);
		for (at += fits; at < made.size && made.bytes[at] == ' '; at++)
			;
		if (at < made.size)
			printf("\n%*s", (int)indent, "");
	}
	putchar('\n');
	buffer_free(&made);
}
