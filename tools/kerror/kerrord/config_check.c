// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the configuration. A value that cannot be right is refused whenever
 * the file is read. A user, a folder or a command that this machine lacks is
 * refused by --check-config only: it may be there when it is needed.
 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "config.h"
#include "message.h"
#include "rule.h"

/* ---- Values ---- */

static bool is_port(const char *text)
{
	char *end;
	unsigned long port;

	errno = 0;
	port = strtoul(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end && port &&
	       port <= 65535;
}

/* HOST:PORT; an IPv6 address in brackets */
static bool is_host_and_port(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	if (!length || !is_port(colon + 1))
		return false;
	if (*text == '[')
		return length > 2 && text[length - 1] == ']';
	return !memchr(text, ':', length);
}

/* A path that connect_unix() takes */
static bool is_socket_path(const char *text)
{
	return *text == '/' &&
	       strlen(text) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static bool is_address(const char *text)
{
	if (!strncmp(text, "unix:", 5))
		return is_socket_path(text + 5);
	return (!strncmp(text, "udp:", 4) || !strncmp(text, "tcp:", 4) ||
		!strncmp(text, "tls:", 4)) &&
	       is_host_and_port(text + 4);
}

static bool is_output(const char *text)
{
	return *text == '/' || !strcmp(text, "-") ||
	       (!strncmp(text, "unix:", 5) && is_socket_path(text + 5));
}

/* The character that a shell would change; NULL: none */
static const char *shell_word(const char *command)
{
	static const char *const words[] = { "|", "||", "&", "&&", ";", ">", "<" };
	size_t length;

	for (; *command; command += length) {
		command += strspn(command, " \t");
		length = strcspn(command, " \t");
		if (length && (command[length - 1] == ';' || *command == '$' ||
			       *command == '`' || *command == '>' || *command == '<' ||
			       !strncmp(command, "2>", 2)))
			return command;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (length == strlen(words[i]) &&
			    !strncmp(command, words[i], length))
				return command;
	}
	return NULL;
}

static size_t count_words(const char *text)
{
	size_t count = 0;

	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		text += strcspn(text, " \t");
		count++;
	}
	return count;
}

static bool check_command(struct parser *parser, const char *value)
{
	const char *word = shell_word(value);

	if (strpbrk(value, "\"'\\"))
		config_complain(parser,
				"command: quotes and backslashes do not keep words together, there is no shell; put the command into a script");
	else if (word)
		config_complain(parser,
				"command: '%.*s' is for a shell, and there is none; put the command into a script",
				(int)strcspn(word, " \t"), word);
	else if (count_words(value) > ARGUMENTS)
		config_complain(parser, "command: more than %d words; put it into a script",
				ARGUMENTS);
	else if (*value != '/' && memchr(value, '/', strcspn(value, " \t")))
		config_complain(parser, "command: '%.*s' is a relative path; begin it with /",
				(int)strcspn(value, " \t"), value);
	else
		return true;
	return false;
}

/* Returns what a value has to be like if this is none, or NULL. */
static const char *wanted_of(enum kind kind, const char *value)
{
	switch (kind) {
	case PATH:
	case FILE_PATH:
		return *value == '/' ? NULL : "is no absolute path; begin it with /";
	case OUTPUT:
		if (!strncmp(value, "unix:/", 6) && !is_output(value))
			return "is longer than the 107 bytes that a socket's path may have";
		return is_output(value) ? NULL :
		       "is neither an absolute path nor - nor unix:/PATH";
	case ADDRESS:
		if (!strncmp(value, "unix:/", 6) && !is_address(value))
			return "is longer than the 107 bytes that a socket's path may have";
		return is_address(value) ? NULL :
		       "is none of unix:/PATH, udp:HOST:PORT, tcp:HOST:PORT, tls:HOST:PORT, with a port from 1 to 65535";
	case URL:
		return (!strncmp(value, "http://", 7) && value[7]) ||
		       (!strncmp(value, "https://", 8) && value[8]) ? NULL :
		       "is none of http://HOST:PORT/PATH, https://HOST:PORT/PATH";
	case LISTEN:
		return is_host_and_port(value) ? NULL :
		       "is not ADDRESS:PORT such as 127.0.0.1:9817, with a port from 1 to 65535";
	default:
		return NULL;
	}
}

bool config_check_value(struct parser *parser, const struct option *option,
			const char *value)
{
	bool may_be_empty = option->kind == OPTIONAL || option->kind == QUOTED || option->kind == LISTEN ||
			    option->kind == FILE_PATH || option->kind == TAG;
	const char *wanted, *hash = strstr(value, " #");

	if (!*value && may_be_empty)
		return true;
	if (!*value && option->fallback) {
		config_complain(parser,
				"%s: is empty; give it a value, or leave the line out for '%s'",
				option->name, option->fallback);
		return false;
	}
	if (!*value) {
		config_complain(parser, "%s: is empty; it is to be a %s", option->name,
				option->effect);
		return false;
	}
	if (hash && (!hash[2] || hash[2] == ' ' || option->kind != COMMAND)) {
		config_complain(parser,
				"%s: '%s' would be a part of the value; a comment needs a line of its own",
				option->name, hash + 1);
		return false;
	}
	if (option->kind == COMMAND)
		return check_command(parser, value);
	wanted = wanted_of(option->kind, value);
	if (wanted)
		config_complain(parser, "%s: '%s' %s", option->name, value, wanted);
	return !wanted;
}

/* ---- Sections ---- */

static const struct place *place_of_general(const struct settings *settings,
					    const char *name)
{
	static const struct place nowhere;

	for (size_t i = 0; i < config_option_count; i++)
		if (!strcmp(config_options[i].name, name) && settings->places[i].line)
			return &settings->places[i];
	return &nowhere;
}

/* Where the option of the sink was given, else its section */
static const struct place *place_of(const struct sink_settings *sink,
				    const char *name)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (!strcmp(config_options[i].name, name) && sink->places[i + 1].line)
			return &sink->places[i + 1];
	return &sink->places[0];
}

static void check_keys(struct parser *parser, const struct sink_settings *sink)
{
	char *keys = config_copy(sink->key), *rest = keys, *key;

	while ((key = strsep(&rest, " "))) {
		const char *index;
		size_t digits;

		if (!strncmp(key, DISK_KEY, strlen(DISK_KEY)))
			key += strlen(DISK_KEY);
		index = !strncmp(key, "arg[", 4) ? key + 4 :
			!strncmp(key, "found[", 6) && sink->text_format ? key + 6 : "";
		digits = strspn(index, "0123456789");

		if (*key && !has_word("facility device id", key, strlen(key)) &&
		    (!digits || digits > 2 || strcmp(index + digits, "]")))
			config_complain_at(parser, place_of(sink, "key"),
					   "[%s] key: '%s' is none of facility, device, id, arg[N], disk:arg[N]; nor, with a text_format, found[N]",
					   sink->name, key);
	}
	free(keys);
}

/* A rule of a condition: what is for commands would be without effect. */
static void check_condition(struct parser *parser, const struct sink_settings *sink)
{
	static const char *const others[] = {
		"command", "threshold", "cooldown", "retries", "retry_after", "backlog",
		"runner", "timeout", "queue",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (place_of(sink, others[i]) != &sink->places[0])
			config_complain_at(parser, place_of(sink, others[i]),
					   "[%s] %s: a rule that raises or clears a condition has none; make a section of its own for the command",
					   sink->name, others[i]);
	if (!sink->filter_text)
		config_complain_at(parser, &sink->places[0],
				   "[%s] has no filter: each event would raise or clear its condition; say which, see kerror-filter(7)",
				   sink->name);
	if (sink->raises && strpbrk(sink->raises, " \t"))
		config_complain_at(parser, place_of(sink, "raises"),
				   "[%s] raises: '%s' is more than one word; name one condition, as in link-down",
				   sink->name, sink->raises);
}

/* Room for the largest event, and for a store of some pages */
#define QUEUE_LEAST	(64 << 10)
#define STORE_LEAST	(1 << 20)

static void check_sink(struct parser *parser, struct sink_settings *sink)
{
	char message[400];

	if (sink->queue < QUEUE_LEAST && !sink->type->follows_store)
		config_complain_at(parser, place_of(sink, "queue"),
				   "queue: it does not hold the largest event; at least 64K");
	if (sink->max_size && sink->max_size < STORE_LEAST)
		config_complain_at(parser, place_of(sink, "max_size"),
				   "max_size: it holds no events worth the name; at least 1M, or 0 for no limit");

	if (!sink->tls_cert != !sink->tls_key)
		config_complain_at(parser, place_of(sink, sink->tls_cert ?
						    "tls_cert" : "tls_key"),
			"[%s] tls_cert and tls_key need each other", sink->name);
	if (sink->filter_text &&
	    kerror_filter_new(&sink->filter, sink->filter_text, message,
			      sizeof(message)))
		config_complain_at(parser, place_of(sink, "filter"), "[%s] filter: %s",
				   sink->name, message);
	for (size_t i = 0; i < config_option_count; i++)
		if (!config_options[i].fallback && !sink->places[i + 1].line &&
		    !sink->raises && !sink->clears &&
		    option_is_of(&config_options[i], sink->name))
			config_complain_at(parser, &sink->places[0],
					   "[%s] has no %s, which it needs: %s", sink->name,
					   config_options[i].name, config_options[i].effect);
	if (sink->type == &rule_sink && sink->key)
		check_keys(parser, sink);
	if (sink->raises || sink->clears)
		check_condition(parser, sink);
	if (sink->text_format && *sink->text_format == '%')
		config_complain_at(parser, place_of(sink, "text_format"),
				   "[%s] text_format: '%s' can begin with anything; leave out what is before the first word",
				   sink->name, sink->text_format);
}

/* A file, under whatever name; "-" and sockets may have several. */
static bool same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	if (!a || !b || *a != '/' || *b != '/')
		return false;
	return !strcmp(a, b) ||
	       (!stat(a, &of_a) && !stat(b, &of_b) && S_ISREG(of_a.st_mode) &&
		of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino);
}

/* Names differ, but the files named after them in the state folder do not. */
static bool same_state(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr(" /-", *a) && strchr(" /-", *b)))
			return false;
	return *a == *b;
}

static void check_pair(struct parser *parser, const struct sink_settings *first,
		       const struct sink_settings *second)
{
	if (same_file(first->path, second->path))
		config_complain_at(parser, place_of(second, "path"),
				   "path: [%s] writes to %s, too; give one of them another file",
				   first->name, second->path);
	if (same_state(first->name, second->name))
		config_complain_at(parser, &second->places[0],
				   "[%s] and [%s] would have one state file; rename one", first->name,
				   second->name);
}

/* Too many would be left out in silence. */
static void check_servers(struct parser *parser, const struct sink_settings *sink)
{
	char *text = config_copy(sink->servers), *rest = text, *server;
	unsigned int count = 0;

	while ((server = strsep(&rest, NATS_SERVERS_APART)))
		count += *server != '\0';
	free(text);
	if (!count || count > NATS_SERVERS)
		config_complain_at(parser, place_of(sink, "servers"),
				   "[%s] servers: %u of them; name 1 to %d, of which one that answers is enough",
				   sink->name, count, NATS_SERVERS);
}

/* A nats sink sends the events of the first store, and a collector fills that. */
static void find_store(struct parser *parser, struct sink_settings *sink)
{
	struct sink_settings *store = parser->settings->sinks;

	check_servers(parser, sink);
	if (!sink->nkey != !sink->nkey_seed)
		config_complain_at(parser, place_of(sink, sink->nkey ? "nkey" : "nkey_seed"),
				   "[%s] nkey and nkey_seed need each other", sink->name);
	while (store && store->type != &store_sink)
		store = store->next;
	if (!store)
		config_complain_at(parser, &sink->places[0],
				   "[%s] %s; make a section [store], too", sink->name,
				   sink->stream ? "fills the store" : "sends what is in the store");
	else
		sink->store = config_copy(store->path);
	sink->filtered = sink->filter_text || (store && store->filter_text);
	if (store && sink->stream)
		store->collected = true;
}

static void check_source(struct parser *parser)
{
	const struct settings *settings = parser->settings;
	const struct sink_settings *sink = settings->sinks;

	while (sink && !sink->stream)
		sink = sink->next;
	if (settings->collects && !sink)
		config_complain_at(parser, place_of_general(settings, "source"),
				   "source: nats needs a section [collector]");
	if (!settings->collects && sink)
		config_complain_at(parser, &sink->places[0],
				   "[%s] needs 'source = nats' in [kerrord], which then takes nothing of its own kernel",
				   sink->name);
}

void config_check_sections(struct parser *parser)
{
	const struct settings *settings = parser->settings;
	struct sink_settings *sink, *other;

	if (settings->max_text < TEXT_LIMIT_MIN || settings->max_text > TEXT_LIMIT_MAX)
		config_complain_at(parser, place_of_general(settings, "max_text"),
				   "max_text: %" PRIu64 " bytes is not from 1K to 128K",
				   settings->max_text);
	check_source(parser);
	for (sink = settings->sinks; sink; sink = sink->next) {
		check_sink(parser, sink);
		if (sink->type->follows_store)
			find_store(parser, sink);
		for (other = settings->sinks; other != sink; other = other->next)
			check_pair(parser, other, sink);
		if (same_file(settings->textfile, sink->path))
			config_complain_at(parser, place_of(sink, "path"),
					   "path: %s is the textfile of [metrics]; give one of them another file",
					   sink->path);
	}
}

/* ---- This machine ---- */

static bool is_folder(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* kerrord makes the folder itself, but not the one above. */
static void check_folder(struct parser *parser, const struct place *place,
			 const char *option, const char *folder)
{
	char *copy = config_copy(folder);
	const char *above = dirname(copy);

	if (!is_folder(folder) && !access(folder, F_OK))
		config_complain_at(parser, place, "%s: %s is no folder", option, folder);
	else if (!is_folder(folder) && !is_folder(above))
		config_complain_at(parser, place,
				   "%s: there is no folder %s; 'mkdir -p %s' makes it", option, above,
				   above);
	free(copy);
}

static void check_file(struct parser *parser, const struct place *place,
		       const char *option, const char *path)
{
	char *copy;

	if (!path || *path != '/')
		return;
	copy = config_copy(path);
	if (is_folder(path))
		config_complain_at(parser, place,
				   "%s: %s is a folder; name a file in it", option, path);
	else
		check_folder(parser, place, option, dirname(copy));
	free(copy);
}

/* One that is a file if it is there: no device, pipe or socket */
static void check_regular(struct parser *parser, const struct place *place,
			  const char *option, const char *path)
{
	struct stat status;

	if (path && !stat(path, &status) && !S_ISREG(status.st_mode) &&
	    !S_ISDIR(status.st_mode))
		config_complain_at(parser, place, "%s: %s is no file; name one", option, path);
}

/* A file that is only read */
static void check_there(struct parser *parser, const struct sink_settings *sink,
			const char *option, const char *path)
{
	if (path && access(path, F_OK))
		config_complain_at(parser, place_of(sink, option), "%s: %s: %s", option,
				   path, strerror(errno));
}

static bool is_program(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) &&
	       status.st_mode & 0111;
}

/* In the folders of PATH, as when it is run */
static bool is_found(const char *name)
{
	const char *path = getenv("PATH");
	char *folders = config_copy(path ? path : "/usr/bin:/bin"), *rest = folders;
	char *folder, file[4096];
	bool found = false;

	while (!found && (folder = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/%s", folder, name);
		found = is_program(file);
	}
	free(folders);
	return found;
}

static void check_program(struct parser *parser, const struct sink_settings *sink)
{
	const struct place *place = place_of(sink, "command");
	char *command = config_copy(sink->command);

	command[strcspn(command, " \t")] = '\0';
	if (*command == '/' ? is_program(command) : is_found(command))
		;
	else if (*command == '/' && !access(command, F_OK))
		config_complain_at(parser, place,
				   "command: %s is no program; 'chmod +x %s', if it is a script",
				   command, command);
	else
		config_complain_at(parser, place,
				   "command: there is no %s; install it, or name another program",
				   command);
	free(command);
}

static void check_user(struct parser *parser)
{
	const struct settings *settings = parser->settings;
	const struct place *place = place_of_general(settings, "user");

	/* Only root can become somebody else. */
	if (getuid() && place->line == 0)
		return;
	if (strcmp(settings->user, "root") && !getpwnam(settings->user))
		config_complain_at(parser, place,
				   "user: there is no user '%s'; 'useradd --system %s' makes it, or name another one in [kerrord]",
				   settings->user, settings->user);
}

void config_check_machine(struct parser *parser)
{
	const struct settings *settings = parser->settings;
	const struct sink_settings *sink;

	check_user(parser);
	check_folder(parser, place_of_general(settings, "state"), "state",
		     settings->state);
	check_file(parser, place_of_general(settings, "textfile"), "textfile",
		   settings->textfile);
	check_regular(parser, place_of_general(settings, "textfile"), "textfile",
		      settings->textfile);
	for (sink = settings->sinks; sink; sink = sink->next) {
		check_file(parser, place_of(sink, "path"), "path", sink->path);
		if (sink->type == &store_sink)
			check_regular(parser, place_of(sink, "path"), "path", sink->path);
		check_there(parser, sink, "tls_ca", sink->tls_ca);
		check_there(parser, sink, "tls_cert", sink->tls_cert);
		check_there(parser, sink, "tls_key", sink->tls_key);
		check_there(parser, sink, "headers", sink->headers);
		check_there(parser, sink, "credentials", sink->credentials);
		check_there(parser, sink, "nkey_seed", sink->nkey_seed);
		if (sink->command)
			check_program(parser, sink);
	}
}
