// SPDX-License-Identifier: GPL-2.0-only
/*
 * The times of --since and --until: points of the calendar, times before now, and
 * seconds since 1970. The grammar is in kerrorctl(1), TIMES.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kerrorctl.h"

#define NS_PER_S 1000000000ULL

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Nanoseconds since 1970 of that many seconds, or 0 if they are too many or none */
static uint64_t to_ns(time_t seconds, uint64_t fraction)
{
	if (seconds <= 0 || (uint64_t)seconds > INT64_MAX / NS_PER_S)
		return 0;
	return seconds * NS_PER_S + fraction;
}

/* Takes ".123456789" off the start of @text: nanoseconds. */
static uint64_t parse_fraction(const char **text)
{
	uint64_t fraction = 0, unit = NS_PER_S / 10;

	if (**text != '.')
		return 0;
	for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		fraction += (**text - '0') * unit;
	return fraction;
}

/* Takes "2h", "30 minutes" off the start of @text: seconds, or 0. */
static uint64_t parse_duration(const char **text)
{
	static const struct {
		const char *name;
		unsigned int seconds;
	} units[] = {
		{ "seconds", 1 }, { "second", 1 }, { "s", 1 },
		{ "minutes", 60 }, { "minute", 60 }, { "min", 60 }, { "m", 60 },
		{ "hours", 3600 }, { "hour", 3600 }, { "h", 3600 },
		{ "days", 86400 }, { "day", 86400 }, { "d", 86400 },
		{ "weeks", 604800 }, { "week", 604800 }, { "w", 604800 },
	};
	unsigned long number;
	char *unit;

	errno = 0;
	number = strtoul(*text, &unit, 10);
	/* More than the age of the universe, and it overflows. */
	if (errno || number > UINT32_MAX)
		return 0;
	unit += *unit == ' ';
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t length = strlen(units[i].name);

		if (!strncmp(unit, units[i].name, length) &&
		    (!unit[length] || unit[length] == ' ' ||
		     (unit[length] >= '0' && unit[length] <= '9'))) {
			*text = unit + length;
			return (uint64_t)number * units[i].seconds;
		}
	}
	return 0;
}

/* "-2h", "-1h30m" and "2 hours 5 min ago" */
static uint64_t parse_relative(const char *text)
{
	const bool minus = *text == '-';
	uint64_t seconds = 0, part, now = now_ns();

	text += minus;
	do {
		text += seconds && *text == ' ';
		if (*text < '0' || *text > '9')
			return 0;
		part = parse_duration(&text);
		seconds += part;
	} while (part && (*text >= '0' || (*text == ' ' && text[1] >= '0' && text[1] <= '9')));
	/* "0 seconds" is now. */
	if (strcmp(text, minus ? "" : " ago") || seconds >= now / NS_PER_S)
		return 0;
	return now - seconds * NS_PER_S;
}

/* Takes "23:59[:59[.123456789]]", or nothing, off the start: into @tm and @fraction. */
static bool parse_clock(const char **text, struct tm *tm, uint64_t *fraction)
{
	const char *rest = strptime(*text, "%H:%M:%S", tm);

	*fraction = 0;
	if (rest)
		*fraction = parse_fraction(&rest);
	else
		rest = strptime(*text, "%H:%M", tm);
	if (rest)
		*text = rest;
	return rest;
}

/* 10:30, "yesterday 22:00": of a day that is so many before this one */
static uint64_t parse_clock_of(const char *text, int days_before)
{
	time_t now = time(NULL);
	uint64_t fraction = 0;
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday -= days_before;
	tm.tm_hour = 0;
	tm.tm_min = 0;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	if (*text && !parse_clock(&text, &tm, &fraction))
		return 0;
	return *text ? 0 : to_ns(mktime(&tm), fraction);
}

/* Times that begin with a word, or with the time of a day */
static uint64_t parse_day(const char *text)
{
	static const char *const days[] = { "today", "yesterday" };

	for (int i = 0; i < 2; i++) {
		size_t length = strlen(days[i]);

		if (strncmp(text, days[i], length))
			continue;
		if (!text[length])
			return parse_clock_of("", i);
		return text[length] == ' ' && text[length + 1] ?
		       parse_clock_of(text + length + 1, i) : 0;
	}
	return strchr(text, ':') && strspn(text, "0123456789") <= 2 ?
	       parse_clock_of(text, 0) : 0;
}

/* Parses 2026-01-31[T23:59[:59[.123456789]]][Z]. */
static uint64_t parse_date(const char *text)
{
	struct tm tm = { 0 }, made;
	uint64_t fraction = 0;
	const char *rest;
	time_t seconds;

	if (*text < '0' || *text > '9')
		return 0;
	rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest)
		return 0;
	/* A blank is as good as the T. */
	if (*rest == 'T' || *rest == ' ') {
		rest++;
		if (!parse_clock(&rest, &tm, &fraction))
			return 0;
	}
	tm.tm_isdst = -1;
	made = tm;
	if (!strcmp(rest, "Z"))
		seconds = timegm(&made);
	else if (!*rest)
		seconds = mktime(&made);
	else
		return 0;
	/* February 30 would be March 2. */
	return made.tm_mon == tm.tm_mon ? to_ns(seconds, fraction) : 0;
}

/* Parses @1767225599[.5]. */
static uint64_t parse_epoch(const char *text)
{
	uint64_t seconds, fraction;
	char *end;
	const char *rest;

	if (*text != '@' || text[1] < '0' || text[1] > '9')
		return 0;
	errno = 0;
	seconds = strtoull(text + 1, &end, 10);
	rest = end;
	fraction = parse_fraction(&rest);
	return errno || *rest || seconds > INT64_MAX ? 0 : to_ns(seconds, fraction);
}

uint64_t parse_time(const char *option, const char *value)
{
	static uint64_t (*const parsers[])(const char *text) = {
		parse_day, parse_relative, parse_date, parse_epoch,
	};
	uint64_t time = !strcmp(value, "now") ? now_ns() : 0;

	for (size_t i = 0; !time && i < sizeof(parsers) / sizeof(*parsers); i++)
		time = parsers[i](value);
	if (!time)
		wrong_use("%s: '%s' is no time such as 2026-01-31T23:59, 10:30, today, -1h30m or @1767225599; see TIMES in kerrorctl(1)",
			  option, value);
	return time;
}

uint64_t parse_since(const char *value)
{
	return strcmp(value, "all") ? parse_time("--since", value) : 0;
}

void check_period(uint64_t since, uint64_t until)
{
	if (since && until && since >= until)
		wrong_use("--since is not before --until");
}
