// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options: one table has each with its unit, default and effect; the sample
 * file is printed from it. Here are the parsers of values, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "config.h"

#define GENERAL(member)	offsetof(struct settings, member)
#define SINK(member)	offsetof(struct sink_settings, member)

const struct option config_options[] = {
	{ "kerrord", "groups", GROUP, GENERAL(groups), "evlog printk",
	  "several of evlog: events of drivers; printk: messages of the kernel; raw: bytes sent by kernel_error_event(); or all" },
	{ "kerrord", "source", SOURCE, GENERAL(collects), "kernel",
	  "where events come from: kernel, or nats: those of other machines, by a [collector]" },
	{ "kerrord", "user", TEXT, GENERAL(user), "kerror",
	  "whom to become if started as root; root: stay" },
	{ "kerrord", "state", PATH, GENERAL(state), "/var/lib/kerror",
	  "folder in which sinks remember what they have had" },
	{ "kerrord", "explain", FILE_PATH, GENERAL(explain), EXPLANATIONS_FOLDER,
	  "folder of catalogues whose severities count instead of the kernel's, see kerrord(8)" },
	{ "kerrord", "rules", FILE_PATH, GENERAL(rules_folder), RULES_FOLDER,
	  "folder whose *.conf are read before this file: rules for faults of the kernel; none: without them" },
	{ "kerrord", "pstore", FILE_PATH, GENERAL(pstore), PSTORE_PATH,
	  "folder of pstore's records, whose lines the stores get as events of the boot that left them; none: without them" },
	{ "kerrord", "pstore_remove", YES, GENERAL(pstore_remove), "no",
	  "yes: a record is removed from there when it was copied to the state folder" },
	{ "kerrord", "max_text", BYTES, GENERAL(max_text), "64K",
	  "longer texts of events are cut, from 1K to 128K; bounds the memory that an event can take" },

	{ "metrics", "textfile", FILE_PATH, GENERAL(textfile),
	  "/run/kerror/metrics.prom",
	  "file with the counters, for kerrorctl stats and Prometheus' node_exporter" },
	{ "metrics", "interval", SECONDS, GENERAL(interval), "10s",
	  "time between two writings of it, and between two looks at the kernel's counters" },
	{ "metrics", "listen", LISTEN, GENERAL(listen), "",
	  "ADDRESS:PORT of an HTTP server with them, such as 127.0.0.1:9817; none: no server" },

	{ "tags", "rack", TAG, 0, "",
	  "any name: lower-case letters, digits and _; its value is in each record of all sinks; filters have it as tag.NAME" },

	{ "store", "path", PATH, SINK(path), STORE_PATH,
	  "SQLite database; its folder must be writable for the user" },
	{ "store", "max_age", SECONDS, SINK(max_age), "90d",
	  "what arrived earlier is deleted, whatever time it says of itself; 0: never" },
	{ "store", "max_size", BYTES, SINK(max_size), "1G",
	  "what arrived first is deleted while there are more bytes; 0: no limit" },
	{ "store", "max_log", BYTES, SINK(max_log), "256M",
	  "the write-ahead log grows so far while a program reads without an end; then the store waits; 0: no limit" },

	{ "json text", "path", OUTPUT, SINK(path), "-",
	  "file to append to; -: standard output; unix:PATH: a stream socket that listens" },
	{ "json", "lines", YES, SINK(lines), "no",
	  "yes: a line of the kernel log that several events make up is an item of its own behind these, with all formats and arguments" },

	{ "syslog", "address", ADDRESS, SINK(address), "unix:/dev/log",
	  "unix:PATH, udp:HOST:PORT, tcp:HOST:PORT or tls:HOST:PORT; an IPv6 address in brackets" },
	{ "syslog", "facility", FACILITY, SINK(facility), "kern",
	  "syslog's facility: kern, user, daemon, local0 to local7" },
	{ "syslog", "framing", FRAMING, SINK(newline), "octet-counting",
	  "over tcp and tls: octet-counting (the length before each message) or newline (after it)" },
	{ "syslog otlp nats collector", "tls_ca", FILE_PATH, SINK(tls_ca), "",
	  "file of the authorities that may certify the server; none: those of the system" },
	{ "syslog otlp nats collector", "tls_cert", FILE_PATH, SINK(tls_cert), "",
	  "file of the certificate to show to the server; none: no certificate" },
	{ "syslog otlp nats collector", "tls_key", FILE_PATH, SINK(tls_key), "",
	  "file of the key of tls_cert" },
	{ "syslog nats collector", "tls_name", OPTIONAL, SINK(tls_name), "",
	  "name that the server's certificate must have; none: the HOST of its address" },

	{ "otlp", "endpoint", URL, SINK(endpoint), "http://127.0.0.1:4318/v1/logs",
	  "http:// or https:// address of the server, with its path" },
	{ "otlp", "encoding", ENCODING, SINK(json), "protobuf", "of requests: protobuf or json" },
	{ "otlp", "compression", COMPRESSION, SINK(gzip), "gzip", "of requests: gzip or none" },
	{ "otlp", "headers", FILE_PATH, SINK(headers), "",
	  "file of lines such as 'Authorization: Bearer TOKEN' for the head of each request; none: no more than needed" },
	{ "otlp", "timeout", SECONDS, SINK(timeout), "10s",
	  "a request that has no answer by then has failed" },

	{ "nats collector", "servers", TEXT, SINK(servers), "nats://127.0.0.1:4222",
	  "nats://HOST:PORT or tls://HOST:PORT of servers, parted by blanks, 16 at most; one of them is enough" },
	{ "nats collector", "credentials", FILE_PATH, SINK(credentials), "",
	  "file of the credentials (JWT and seed) that the server knows this machine by" },
	{ "nats collector", "nkey", OPTIONAL, SINK(nkey), "",
	  "public key that the server knows this machine by, in place of credentials" },
	{ "nats collector", "nkey_seed", FILE_PATH, SINK(nkey_seed), "", "file of the seed of nkey" },
	{ "nats collector", "timeout", SECONDS, SINK(timeout), "5s",
	  "to connect, and for the answers to what was sent" },

	{ "nats", "heartbeat", SECONDS, SINK(heartbeat), "60s",
	  "between two messages that say that this machine lives and how far its store is; 0: none" },

	{ "nats", "collapse", COUNT, SINK(collapse), "100",
	  "events of a kind and second that are sent; of more the number and the last one; 0: all are sent" },

	{ "collector", "stream", TEXT, SINK(stream), "KERROR",
	  "name of the stream that has the events" },
	{ "collector", "heartbeats", OPTIONAL, SINK(heartbeats), "KERROR_HEARTBEATS",
	  "name of the stream that has the heartbeats of machines; none: without them" },
	{ "collector", "consumer", TEXT, SINK(consumer), "collector",
	  "name of the durable consumer of both streams; collectors that share it must share the store" },
	{ "collector", "replicas", COUNT, SINK(replicas), "3",
	  "how many servers keep each message of the streams that kerrord --make-streams makes" },
	{ "collector", "stream_size", BYTES, SINK(stream_size), "10G",
	  "bytes of the stream of events that it makes; the oldest make way; 0: no limit" },
	{ "collector", "grace", SECONDS, SINK(grace), "2m",
	  "a number that is missing for so long is a loss of the cause stream" },
	{ "collector", "silent", COUNT, SINK(silent), "3",
	  "a machine without a heartbeat for so many of its intervals raises machine-silent; 0: none does" },

	{ "rule", "command", COMMAND, SINK(command), NULL,
	  "program with arguments, parted by blanks; gets the event in variables, see kerrord(8)" },
	{ "rule", "raises", OPTIONAL, SINK(raises), "",
	  "in place of a command: name of a condition that each event raises, such as link-down; none: the rule is off" },
	{ "rule", "clears", OPTIONAL, SINK(clears), "",
	  "in place of a command: conditions that each event clears, parted by blanks, of its key; without a key, of all" },
	{ "rule", "severity", LEVEL, SINK(severity), "err",
	  "of the condition: emerg, alert, crit, err, warning, notice, info, debug" },
	{ "rule", "meaning", OPTIONAL, SINK(meaning), "",
	  "what is wrong then, for kerrorctl health" },
	{ "rule", "remedy", OPTIONAL, SINK(remedy), "",
	  "what to do about it" },
	{ "rule", "instead_of", OPTIONAL, SINK(instead_of), "",
	  "name of the rule in whose place this one is for other kernels, for kerrorctl check-rules" },
	{ "rule", "text_format", QUOTED, SINK(text_format), "",
	  "string of the kernel that the text must have in it, as \"Sense Key : \"; the key has its values as found[N], see kerrord(8)" },
	{ "rule", "expires", EXPIRY, SINK(expires), "boot",
	  "when a condition ends by itself: boot: with the next boot; a time such as 1h: so long after its last event; never" },
	{ "rule", "threshold", THRESHOLD, 0, "1",
	  "N in TIME, such as 5 in 1m: fires at the N-th event within it; 1: at each" },
	{ "rule", "key", OPTIONAL, SINK(key), "",
	  "what events have in common to count together: facility, device, id, arg[N], or several; disk:arg[N] if it names a disk" },
	{ "rule", "cooldown", SECONDS, SINK(cooldown), "0",
	  "after a command succeeded, the same key does not fire for so long" },
	{ "rule", "retries", COUNT, SINK(retries), "10",
	  "how often a command that failed is run again" },
	{ "rule", "retry_after", SECONDS, SINK(retry_after), "5s",
	  "time before that; it doubles each time, up to 10 minutes" },
	{ "rule", "backlog", COUNT, SINK(backlog), "16",
	  "commands that may wait; further events are told by the last as 'and N more'" },
	{ "rule", "runner", FILE_PATH, SINK(runner), "/run/kerror-rules.socket",
	  "socket of the unit that runs the command; none: kerrord does, within its sandbox" },
	{ "rule", "timeout", SECONDS, SINK(timeout), "30s",
	  "a command that runs longer is killed" },

	{ FED_SINKS " nats", "filter", FILTER, SINK(filter_text), "",
	  "only events that match, see kerror-filter(7); none: all" },
	{ FED_SINKS, "queue", BYTES, SINK(queue), "16M",
	  "memory for what waits while the sink does not work; it gets the rest out of the kernel's history" },
	{ "store json text journald syslog otlp nats collector", "stuck", SECONDS, SINK(stuck), "10s",
	  "a sink whose peer takes nothing for so long is reported, and not up; 0: never" },
};

const size_t config_option_count = sizeof(config_options) / sizeof(*config_options);

const struct section config_sections[] = {
	{ "kerrord", NULL, "The daemon itself" },
	{ "metrics", NULL, "Counters: events, losses, sinks" },
	{ "tags", NULL, "What is to be known of this machine wherever its events go" },
	{ "store", &store_sink, "The events, for kerrorctl query" },
	{ "json", &json_sink,
	  "One JSON object a line, see kerrorctl(1); SIGHUP opens the file anew" },
	{ "text", &text_sink, "Lines for people; otherwise as [json]" },
	{ "journald", &journald_sink, "systemd's journal, with a field for each part" },
	{ "syslog", &syslog_sink, "RFC 5424, with structured data" },
#ifdef WITH_OTLP
	{ "otlp", &otlp_sink, "A collector of OpenTelemetry: OTLP over HTTP, see Documentation/otlp.md" },
#endif
#ifdef WITH_NATS
	{ "nats", &nats_sink, "A stream of NATS JetStream, out of [store], see Documentation/nats.md" },
	{ "collector", &collector_sink,
	  "For source = nats: into [store], what [nats] of other machines has sent, see Documentation/fleet.md" },
#endif
	{ "rule", &rule_sink,
	  "[rule NAME] runs a command for each event, or when there are many; or raises or clears a condition" },
};

const size_t config_section_count = sizeof(config_sections) / sizeof(*config_sections);

/* A number with one of the letters of @units, each worth its factor */
static bool parse_scaled(const char *value, const char *units,
			 const uint64_t *factors, uint64_t *number)
{
	const char *unit;
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (errno || *value < '0' || *value > '9')
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end);
	if (!unit || end[1] ||
	    __builtin_mul_overflow(*number, factors[unit - units], number))
		return false;
	return true;
}

static bool parse_seconds(const char *value, uint64_t *seconds)
{
	static const uint64_t factors[] = { 1, 60, 3600, 86400 };

	/* As nanoseconds it must fit, too. */
	return parse_scaled(value, "smhd", factors, seconds) &&
	       *seconds < UINT32_MAX;
}

/* One or more, parted by blanks or commas */
static bool parse_groups(const char *value, uint64_t *groups)
{
	static const char separators[] = " \t,";
	size_t length;

	*groups = 0;
	for (value += strspn(value, separators); *value;
	     value += length, value += strspn(value, separators)) {
		char name[8];
		int group;

		length = strcspn(value, separators);
		snprintf(name, sizeof(name), "%.*s", (int)length, value);
		group = kerror_group_number(name);
		if (length == strlen("all") && !strcmp(name, "all"))
			for (int i = 0; i < GROUPS; i++)
				*groups |= kerror_group_at(i);
		else if (length < sizeof(name) && group > 0)
			*groups |= group;
		else
			return false;
	}
	return *groups;
}

static bool parse_threshold(const char *value, struct sink_settings *sink)
{
	const char *in = strstr(value, " in ");
	char number[24];

	snprintf(number, sizeof(number), "%.*s",
		 (int)(in ? in - value : (long)strlen(value)), value);
	if (!parse_scaled(number, "", NULL, &sink->threshold) ||
	    !sink->threshold || sink->threshold > 10000)
		return false;
	sink->period = 0;
	if (!in)
		return sink->threshold == 1;
	return parse_seconds(in + 4 + strspn(in + 4, " "), &sink->period) &&
	       sink->period;
}

static bool parse_level(const char *value, uint64_t *level)
{
	for (*level = 0; *level < 8; ++*level)
		if (!strcmp(value, kerror_severity_name(*level)))
			return true;
	return false;
}

static bool parse_expiry(const char *value, uint64_t *seconds)
{
	*seconds = CONDITION_NEVER;
	if (!strcmp(value, "never"))
		return true;
	if (strcmp(value, "boot"))
		return parse_seconds(value, seconds) && *seconds;
	*seconds = CONDITION_BOOT;
	return true;
}

static bool parse_facility(const char *value, uint64_t *facility)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "kern", LOG_KERN }, { "user", LOG_USER },
		{ "daemon", LOG_DAEMON }, { "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(value, names[i].name)) {
			*facility = names[i].number >> 3;
			return true;
		}
	}
	return false;
}

void *config_memory(void *memory)
{
	if (!memory) {
		fputs("kerrord: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return memory;
}

char *config_copy(const char *text)
{
	return config_memory(strdup(text));
}

static void replace(char **target, const char *value)
{
	free(*target);
	*target = *value ? config_copy(value) : NULL;
}

/* Without the quotes around it */
static void unquote(char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (size < 2 || *text != '"' || text[size - 1] != '"')
		return;
	memmove(text, text + 1, size - 2);
	text[size - 2] = '\0';
}

/* One of two words: 0 or 1 */
static void set_choice(struct parser *parser, const struct option *option, uint64_t *number,
		       const char *value, const char *zero, const char *one)
{
	*number = !strcmp(value, one);
	if (!*number && strcmp(value, zero))
		config_complain(parser, "%s: '%s' is neither %s nor %s", option->name, value,
				zero, one);
}

static void set(struct parser *parser, const struct option *option,
		const char *value, bool check)
{
	struct sink_settings *sink = parser->sink;
	char *base = sink ? (char *)sink : (char *)parser->settings;
	void *target = base + option->offset;
	uint64_t *number = target;

	switch (option->kind) {
	case FILTER:	/* compiled when it is complete */
		replace(target, value);
		return;
	case TEXT:
	case OPTIONAL:
	case PATH:
	case FILE_PATH:
	case OUTPUT:
	case ADDRESS:
	case LISTEN:
	case URL:
	case COMMAND:
	case QUOTED:
		if (!check || config_check_value(parser, option, value))
			replace(target, value);
		if (option->kind == QUOTED)
			unquote(*(char **)target);
		return;
	case GROUP:
		if (!parse_groups(value, number))
			config_complain(parser,
					"groups: '%s' is not one or more of raw, evlog, printk, all",
					value);
		return;
	case SECONDS:
		if (!parse_seconds(value, number))
			config_complain(parser, "%s: '%s' is no time such as 30s, 10m, 12h, 90d",
					option->name, value);
		return;
	case BYTES: {
		static const uint64_t factors[] = { 1 << 10, 1 << 20, 1 << 30 };

		if (!parse_scaled(value, "KMG", factors, number))
			config_complain(parser, "%s: '%s' is no size such as 512K, 16M, 1G",
					option->name, value);
		return;
	}
	case COUNT:
		if (!parse_scaled(value, "", NULL, number) || *number > 10000)
			config_complain(parser, "%s: '%s' is no number from 0 to 10000",
					option->name, value);
		return;
	case THRESHOLD:
		if (!parse_threshold(value, sink))
			config_complain(parser,
					"threshold: '%s' is neither 1 nor like '5 in 1m' (at most 10000)",
					value);
		return;
	case FRAMING:
		set_choice(parser, option, number, value, "octet-counting", "newline");
		return;
	case ENCODING:
		set_choice(parser, option, number, value, "protobuf", "json");
		return;
	case COMPRESSION:
		set_choice(parser, option, number, value, "none", "gzip");
		return;
	case YES:
		set_choice(parser, option, number, value, "no", "yes");
		return;
	case SOURCE:
		*number = !strcmp(value, "nats");
		if (!*number && strcmp(value, "kernel"))
			config_complain(parser, "source: '%s' is neither kernel nor nats", value);
		return;
	case LEVEL:
		if (!parse_level(value, number))
			config_complain(parser,
					"%s: '%s' is none of emerg, alert, crit, err, warning, notice, info, debug",
					option->name, value);
		return;
	case EXPIRY:
		if (!parse_expiry(value, number))
			config_complain(parser,
					"%s: '%s' is neither boot nor never nor a time such as 30s, 10m, 12h, 90d",
					option->name, value);
		return;
	case FACILITY:
		if (!parse_facility(value, number))
			config_complain(parser,
					"facility: '%s' is none of kern, user, daemon, local0 to local7",
					value);
		return;
	case TAG:	/* config_tag() */
		return;
	}
}

void config_set(struct parser *parser, const struct option *option,
		const char *value)
{
	set(parser, option, value, true);
}

void config_set_default(struct parser *parser, const struct option *option)
{
	set(parser, option, option->fallback, false);
}

bool has_word(const char *words, const char *word, size_t size)
{
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') &&
		    (!at[size] || at[size] == ' '))
			return true;
		at += size;
	}
	return false;
}

bool option_is_of(const struct option *option, const char *section)
{
	char word[100];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(section, " "), section);
	return has_word(option->sections, word, strlen(word));
}

static bool is_text(enum kind kind)
{
	return kind <= COMMAND || kind == FILTER;
}

/* Whether an option has the same value in both */
static bool is_same(const struct option *option, const char *a, const char *b)
{
	char *const *text_a = (void *)(a + option->offset);
	char *const *text_b = (void *)(b + option->offset);

	if (!is_text(option->kind))
		return !memcmp(text_a, text_b, sizeof(uint64_t));
	return *text_a && *text_b ? !strcmp(*text_a, *text_b) : *text_a == *text_b;
}

bool config_same_sink(const struct sink_settings *a, const struct sink_settings *b)
{
	if (a->type != b->type || strcmp(a->name, b->name) ||
	    a->threshold != b->threshold || a->period != b->period)
		return false;
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (option->kind != THRESHOLD && option_is_of(option, a->name) &&
		    !is_same(option, (const char *)a, (const char *)b))
			return false;
	}
	return a->filtered == b->filtered && a->collected == b->collected &&
	       !a->store == !b->store && (!a->store || !strcmp(a->store, b->store));
}

void config_free_sink(struct sink_settings *sink)
{
	kerror_filter_free(sink->filter);
	free(sink->places);
	free(sink->filter_text);
	free(sink->name);
	free(sink->path);
	free(sink->address);
	free(sink->endpoint);
	free(sink->headers);
	free(sink->servers);
	free(sink->credentials);
	free(sink->nkey);
	free(sink->nkey_seed);
	free(sink->store);
	free(sink->stream);
	free(sink->heartbeats);
	free(sink->consumer);
	free(sink->tls_ca);
	free(sink->tls_cert);
	free(sink->tls_key);
	free(sink->tls_name);
	free(sink->command);
	free(sink->runner);
	free(sink->key);
	free(sink->raises);
	free(sink->clears);
	free(sink->meaning);
	free(sink->remedy);
	free(sink->instead_of);
	free(sink->text_format);
	free(sink);
}

void config_part_rules(struct settings *settings)
{
	struct sink_settings **at = &settings->sinks, **last = &settings->rules;

	while (*at) {
		struct sink_settings *sink = *at;

		if (sink->type != &rule_sink || sink->command) {
			at = &sink->next;
			continue;
		}
		*at = sink->next;
		sink->next = NULL;
		*last = sink;
		last = &sink->next;
	}
}

static void free_sinks(struct sink_settings *sink)
{
	struct sink_settings *next;

	for (; sink; sink = next) {
		next = sink->next;
		config_free_sink(sink);
	}
}

void config_free(struct settings *settings)
{
	free_sinks(settings->sinks);
	free_sinks(settings->rules);
	for (size_t i = 0; i < settings->file_count; i++)
		free(settings->files[i]);
	free(settings->files);
	config_free_tags(settings->tags);
	free(settings->places);
	free(settings->user);
	free(settings->state);
	free(settings->explain);
	free(settings->rules_folder);
	free(settings->pstore);
	free(settings->listen);
	free(settings->textfile);
	memset(settings, 0, sizeof(*settings));
}
