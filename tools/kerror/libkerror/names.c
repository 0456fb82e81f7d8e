// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of the protocol's numbers, as kerrord prints them, which do not change; and the
 * library's own number.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

unsigned int kerror_version(void)
{
	return LIBKERROR_VERSION;
}

static const char *name(const char *const *names, size_t count, size_t index)
{
	return index < count && names[index] ? names[index] : "unknown";
}

#define NAME(names, index) name(names, sizeof(names) / sizeof(*(names)), index)

static const char *const severities[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
};

const char *kerror_severity_name(unsigned int severity)
{
	return NAME(severities, severity);
}

int kerror_severity_number(const char *text)
{
	int severity;

	if (*text >= '0' && *text <= '7' && !text[1])
		return *text - '0';
	for (severity = 0; severity < 8; severity++)
		if (!strcmp(text, severities[severity]))
			return severity;
	return -EINVAL;
}

const char *kerror_cause_name(unsigned int cause)
{
	static const char *const names[] = {
		[KERROR_LOST_STAGING_FULL] = "staging-full",
		[KERROR_LOST_NO_STAGING] = "no-staging",
		[KERROR_LOST_TOO_LONG] = "too-long",
		[KERROR_LOST_NMI] = "nmi",
		[KERROR_LOST_RATE_LIMIT] = "rate-limit",
		[KERROR_LOST_ABANDONED] = "abandoned",
		[KERROR_LOST_HISTORY] = "history",
	};

	return NAME(names, cause);
}

const char *kerror_group_name(uint32_t group)
{
	return group == KERROR_GROUP_RAW ? "raw" :
	       group == KERROR_GROUP_EVLOG ? "evlog" :
	       group == KERROR_GROUP_PRINTK ? "printk" : "unknown";
}

int kerror_group_number(const char *text)
{
	unsigned int index;

	for (index = 0; index < KERROR_GROUP_COUNT; index++)
		if (!strcmp(text, kerror_group_name(kerror_group_at(index))))
			return kerror_group_at(index);
	return -EINVAL;
}

const char *kerror_context_name(uint32_t flags)
{
	return flags & EVL_FLAG_NMI ? "nmi" :
	       flags & EVL_FLAG_INTERRUPT ? "hardirq" :
	       flags & EVL_FLAG_SOFTIRQ ? "softirq" : "process";
}

const char *kerror_argument_name(unsigned int type)
{
	static const char *const names[] = {
		[EVL_ARG_WIDTH] = "width",
		[EVL_ARG_PRECISION] = "precision",
		[EVL_ARG_S32] = "s32",
		[EVL_ARG_U32] = "u32",
		[EVL_ARG_S64] = "s64",
		[EVL_ARG_U64] = "u64",
		[EVL_ARG_CHAR] = "char",
		[EVL_ARG_STRING] = "string",
		[EVL_ARG_POINTER] = "pointer",
		[EVL_ARG_TEXT] = "text",
	};

	return NAME(names, type);
}

void kerror_boot_text(const uint8_t boot[16], char text[37])
{
	for (int i = 0; i < 16; i++)
		text += sprintf(text, "%s%02x",
				i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				boot[i]);
}

int kerror_boot_parse(const char *text, uint8_t boot[16])
{
	unsigned int byte;

	for (int i = 0; i < 16; i++) {
		text += *text == '-';
		if (!isxdigit((unsigned char)text[0]) ||
		    !isxdigit((unsigned char)text[1]) ||
		    sscanf(text, "%2x", &byte) != 1)
			return -EINVAL;
		boot[i] = byte;
		text += 2;
	}
	return *text ? -EINVAL : 0;
}
