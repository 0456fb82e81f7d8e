// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the commands share that look into kerrord's store: opening it, and the
 * times of --since and --until.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kerrorctl.h"
#include "store.h"

#define NS_PER_S 1000000000ULL

void check_store(const struct store *store, int64_t result)
{
	if (result < 0)
		errx(EXIT_FAILURE, "%s", store_message(store));
}

struct store *open_store(const struct common *common, bool writable)
{
	const char *path = common->store ? common->store : STORE_PATH;
	struct store *store;

	/*
	 * First without the right to write, which would make one that is absent
	 * and move one aside that is corrupted: that is for kerrord to do.
	 */
	check_store(store, store_open(&store, path, false));
	if (writable) {
		store_close(store);
		check_store(store, store_open(&store, path, true));
	}
	return store;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The last midnight here, or that of so many days before */
static time_t midnight(int days_before)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday -= days_before;
	tm.tm_hour = 0;
	tm.tm_min = 0;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/* Parses "2h", "30 minutes": seconds, and @rest behind it; or returns false. */
static bool parse_duration(const char *text, uint64_t *seconds,
			   const char **rest)
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
	number = strtoul(text, &unit, 10);
	/* More than the age of the universe, and it overflows. */
	if (*text < '0' || *text > '9' || errno || number > UINT32_MAX)
		return false;
	unit += *unit == ' ';
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t length = strlen(units[i].name);

		if (!strncmp(unit, units[i].name, length) &&
		    (!unit[length] || unit[length] == ' ')) {
			*seconds = (uint64_t)number * units[i].seconds;
			*rest = unit + length;
			return true;
		}
	}
	return false;
}

/* Parses "-2h" and "2 hours ago"; nanoseconds, or 0. */
static uint64_t parse_relative(const char *text)
{
	uint64_t seconds, now = now_ns();
	const char *rest;

	if (!parse_duration(text + (*text == '-'), &seconds, &rest) ||
	    strcmp(rest, *text == '-' ? "" : " ago") ||
	    seconds >= now / NS_PER_S)
		return 0;
	return now - seconds * NS_PER_S;
}

/* Parses 2026-01-31[T23:59[:59[.123456789]]][Z]; nanoseconds, or 0. */
static uint64_t parse_date(const char *text)
{
	static const char *const formats[] = { "T%H:%M:%S", "T%H:%M", "" };
	uint64_t fraction = 0, unit = NS_PER_S / 10;
	struct tm tm, made;
	const char *rest;
	char copy[64];
	time_t seconds;
	size_t i;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy) ||
	    *text < '0' || *text > '9')
		return 0;
	/* A blank is as good as the T. */
	if (strchr(copy, ' '))
		*strchr(copy, ' ') = 'T';
	for (i = 0; i < 3; i++) {
		memset(&tm, 0, sizeof(tm));
		rest = strptime(copy, "%Y-%m-%d", &tm);
		if (!rest)
			return 0;
		rest = strptime(rest, formats[i], &tm);
		if (rest)
			break;
	}
	if (!i && *rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			fraction += (*rest - '0') * unit;
	tm.tm_isdst = -1;
	made = tm;
	if (!strcmp(rest, "Z"))
		seconds = timegm(&made);
	else if (!*rest)
		seconds = mktime(&made);
	else
		return 0;
	/* February 30 would be March 2. */
	if (made.tm_mon != tm.tm_mon || seconds <= 0 ||
	    (uint64_t)seconds > INT64_MAX / NS_PER_S)
		return 0;
	return seconds * NS_PER_S + fraction;
}

uint64_t parse_time(const char *option, const char *value)
{
	uint64_t time = !strcmp(value, "now") ? now_ns() :
			!strcmp(value, "today") ? midnight(0) * NS_PER_S :
			!strcmp(value, "yesterday") ? midnight(1) * NS_PER_S :
			parse_relative(value);

	if (!time)
		time = parse_date(value);
	if (!time)
		errx(EXIT_FAILURE,
		     "%s: '%s' is no time such as 2026-01-31T23:59, today, -2h or '10 minutes ago'; see TIMES in kerrorctl(1)",
		     option, value);
	return time;
}

void check_period(uint64_t since, uint64_t until)
{
	if (since && until && since >= until)
		errx(EXIT_FAILURE, "--since is not before --until");
}
