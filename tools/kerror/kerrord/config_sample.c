// SPDX-License-Identifier: GPL-2.0-only
/*
 * A configuration file to begin with: each option with its default and effect.
 */
#include <string.h>
#include "config.h"

/* What is printed of an option that has no default; "?" is a fault, for the tests to see */
static const struct { const char *option, *value; } examples[] = {
	{ "clears", "link-down" },
	{ "command", "/usr/local/sbin/what-to-do --now" },
	{ "credentials", "/etc/kerror/file.pem" },
	{ "filter", "severity<=err && facility==\"ata\"" },
	{ "headers", "/etc/kerror/otlp.headers" },
	{ "instead_of", "link-of-6.1" },
	{ "key", "device" },
	{ "listen", "127.0.0.1:9817" },
	{ "meaning", "The link of this interface is down." },
	{ "nkey", "UABC" },
	{ "nkey_seed", "/etc/kerror/file.pem" },
	{ "rack", "r17" },
	{ "raises", "link-down" },
	{ "remedy", "Look at the cable and the switch." },
	{ "text_format", "\"Sense Key : \"" },
	{ "tls_ca", "/etc/kerror/file.pem" },
	{ "tls_cert", "/etc/kerror/file.pem" },
	{ "tls_key", "/etc/kerror/file.pem" },
	{ "tls_name", "logs.example" },
};

static const char *example(const struct option *option)
{
	if (option->fallback && *option->fallback)
		return option->fallback;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		if (!strcmp(examples[i].option, option->name))
			return examples[i].value;
	return "?";
}

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
			fprintf(file, "# %s\n#%s = %s\n", option->effect, option->name,
				example(option));
		}
	}
}
