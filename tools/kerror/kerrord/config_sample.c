// SPDX-License-Identifier: GPL-2.0-only
/*
 * A configuration file to begin with: each option with its default and effect.
 */
#include <string.h>
#include "config.h"

void config_print_sample(FILE *file)
{
	fputs("# Configuration of kerrord, see kerrord(8). What is commented out is the\n"
	      "# default, or an example. Times: s, m, h, d. Sizes: K, M, G. A filter may\n"
	      "# go on in lines that begin with a blank.\n", file);
	for (size_t i = 0; i < config_section_count; i++) {
		const char *name = config_sections[i].name;
		bool active = !config_sections[i].type || config_sections[i].type == &store_sink;
		const char *off = active ? "" : "#";

		fprintf(file, "\n# %s\n%s[%s%s]\n", config_sections[i].purpose, off, name,
			config_sections[i].type == &rule_sink ? " NAME" : "");
		for (size_t j = 0; j < config_option_count; j++) {
			const struct option *option = &config_options[j];

			if (!has_word(option->sections, name, strlen(name)))
				continue;
			fprintf(file, "# %s\n#%s = %s\n", option->effect,
				option->name,
				!option->fallback ? "/usr/local/sbin/what-to-do --now" :
				*option->fallback ? option->fallback :
				option->kind == FILTER ?
				"severity<=err && facility==\"ata\"" :
				option->kind == TAG ? "r17" :
				!strcmp(option->name, "key") ? "device" :
				!strcmp(option->name, "raises") ||
				!strcmp(option->name, "clears") ? "link-down" :
				!strcmp(option->name, "meaning") ?
				"The link of this interface is down." :
				!strcmp(option->name, "remedy") ?
				"Look at the cable and the switch." :
				!strcmp(option->name, "tls_name") ?
				"logs.example" :
				!strcmp(option->name, "nkey") ? "UABC" :
				!strcmp(option->name, "credentials") ||
				!strcmp(option->name, "nkey_seed") ?
				"/etc/kerror/file.pem" :
				!strcmp(option->name, "headers") ?
				"/etc/kerror/otlp.headers" :
				!strncmp(option->name, "tls_", 4) ?
				"/etc/kerror/file.pem" :
				"127.0.0.1:9817");
		}
	}
}
