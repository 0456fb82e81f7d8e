// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of some names was probably meant by one that is none of them: for commands
 * and options that are mistyped. Letters that are missing, too many, wrong or in
 * the place of the next one count 1 each; more than 1 and a quarter of the name are no typo.
 */
#include <stdio.h>
#include <string.h>
#include "kerrorctl.h"

#define LENGTH_MAX 32

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* How many typos make @b of @a */
static unsigned int typos_between(const char *a, const char *b)
{
	unsigned int cost[LENGTH_MAX + 1][LENGTH_MAX + 1];
	size_t rows = strlen(a), columns = strlen(b);

	if (rows > LENGTH_MAX || columns > LENGTH_MAX)
		return LENGTH_MAX;
	for (size_t i = 0; i <= rows; i++) {
		for (size_t j = 0; j <= columns; j++) {
			if (!i || !j) {
				cost[i][j] = i + j;
				continue;
			}
			cost[i][j] = least(least(cost[i - 1][j], cost[i][j - 1]) + 1,
					   cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[rows][columns];
}

void likely_add(struct likely *likely, const char *name)
{
	unsigned int typos = typos_between(likely->wanted, name);

	if (typos > 1 + strlen(name) / 4 || typos >= strlen(name) ||
	    (likely->best && typos >= likely->typos))
		return;
	likely->best = name;
	likely->typos = typos;
}

const char *did_you_mean(const struct likely *likely, const char *before)
{
	static char text[LENGTH_MAX + 24];

	if (!likely->best)
		return "";
	snprintf(text, sizeof(text), "; did you mean %s%s?", before, likely->best);
	return text;
}
