// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds out how messages of printk() become events on this machine, for kerrorctl
 * selftest and kerrord's metrics.
 *
 * The parameters of evlog in sysfs tell it. The module alone has "tap", as a kernel
 * with the series has a hook in printk(). Both have "printk", the level. While a reader
 * keeps kerror.ko, evlog.ko can be unloaded: then there are none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "output.h"
#include "printk_state.h"

const char *printk_parameters = "/sys/module/evlog/parameters/";

/* Reads the line of the parameter @name; false: there is none. */
static bool parameter(const char *name, char *line, size_t size)
{
	char path[256];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s%s", printk_parameters, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fgets(line, size, file);
	fclose(file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	return good;
}

static bool transport_is_module(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/sys/module/kerror/initstate", facility_root);
	return !access(path, F_OK);
}

void printk_state_read(struct printk_state *state)
{
	char line[sizeof(state->kind)];
	bool level = parameter("printk", line, sizeof(line));
	bool wanted = level && strcmp(line, "0");

	memset(state, 0, sizeof(*state));
	strcpy(state->kind, level ? "hook" : "none");
	if (parameter("tap", line, sizeof(line)))
		strcpy(state->kind, line);
	if (parameter("tap_missed", line, sizeof(line)))
		state->missed = strtoul(line, NULL, 10);
	if (!level && transport_is_module()) {
		state->how = PRINTK_OFF;
		strcpy(state->kind, "unloaded");
	} else if (!level) {
		state->how = PRINTK_NEVER;
	} else if (!strncmp(state->kind, "off", 3)) {
		state->how = PRINTK_OFF;
	} else if (!wanted) {
		state->how = PRINTK_OFF;
		strcpy(state->kind, "level");
	} else {
		state->how = strcmp(state->kind, "text") ? PRINTK_ARGUMENTS :
			     PRINTK_TEXT;
	}
}
