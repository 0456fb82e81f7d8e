/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lays out evlog events as the kernel does, and random numbers that are the
 * same in each run. For the tests.
 */
#ifndef TESTS_BUILD_H
#define TESTS_BUILD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "libkerror.h"

struct build {
	union {
		uint8_t data[KERROR_EVENT_MAX];
		struct evl_header header;
	};
	size_t size;
};

static inline void build_bytes(struct build *build, const void *bytes,
			       size_t size)
{
	memcpy(build->data + build->size, bytes, size);
	build->size += size;
	build->header.variable_size += size;
}

/* Begins an event; with a @format arguments may follow, else bytes. */
static inline void build_begin(struct build *build, const char *device,
			       uint8_t format, const char *text)
{
	size_t device_size = device ? strlen(device) + 1 : 0;
	struct evl_header header = {
		.time_realtime = 1700000000123456789, .time_boot = 5000000000,
		.event_type = 7, .cpu = 3, .uid = 1000, .pid = 42, .tid = 43,
		.magic = EVL_MAGIC, .header_size = EVL_HEADER_SIZE,
		.device_size = device_size, .version = EVL_VERSION,
		.severity = 3, .format = format, .comm = "task",
		.facility = "driver",
	};

	memset(build, 0, sizeof(*build));
	memcpy(build->data, &header, sizeof(header));
	build->size = EVL_HEADER_SIZE + device_size;
	if (device)
		memcpy(build->data + EVL_HEADER_SIZE, device, device_size);
	if (text) {
		build->header.format_size = strlen(text) + 1;
		build_bytes(build, text, strlen(text) + 1);
	}
}

static inline void build_argument(struct build *build, uint8_t type,
				  uint8_t flags, const void *value, size_t size)
{
	static const uint8_t zeros[4];
	struct evl_argument head = {
		.type = type, .flags = flags, .size = size,
	};

	build_bytes(build, &head, sizeof(head));
	build_bytes(build, value, size);
	build_bytes(build, zeros, -size & 3);
}

/* One with every part and type of argument. */
static inline void build_example(struct build *build)
{
	int32_t s32 = -5, width = -9, precision = 2;
	uint32_t u32 = 0xfffffffb;
	int64_t s64 = -5;
	uint64_t u64 = UINT64_MAX;

	build_begin(build, "+pci:0000:00:1f.2", EVL_FORMAT_PRINTF,
		    "%d %u %lld %llx %c [%*.*s] %s %p %pI4 100%%");
	build_argument(build, EVL_ARG_S32, 0, &s32, 4);
	build_argument(build, EVL_ARG_U32, 0, &u32, 4);
	build_argument(build, EVL_ARG_S64, 0, &s64, 8);
	build_argument(build, EVL_ARG_U64, 0, &u64, 8);
	build_argument(build, EVL_ARG_CHAR, 0, "c", 1);
	build_argument(build, EVL_ARG_WIDTH, 0, &width, 4);
	build_argument(build, EVL_ARG_PRECISION, 0, &precision, 4);
	build_argument(build, EVL_ARG_STRING, 0, "abc", 3);
	build_argument(build, EVL_ARG_STRING, EVL_ARG_FLAG_INVALID, "(null)",
		       6);
	build_argument(build, EVL_ARG_POINTER, 0, &u32, 4);
	build_argument(build, EVL_ARG_TEXT, 0, "10.0.0.1", 8);
}

#define BUILD_EXAMPLE_TEXT \
	"-5 4294967291 -5 ffffffffffffffff c [ab       ] (null) fffffffb " \
	"10.0.0.1 100%"

/* One that has no more than a boot */
static inline struct kerror_origin *build_origin(const char *boot_id)
{
	struct kerror_origin *origin = kerror_origin_new();

	if (origin && kerror_origin_set(origin, "boot_id", boot_id)) {
		kerror_origin_release(origin);
		origin = NULL;
	}
	return origin;
}

/* One that has every field; a value may be any text. */
static inline struct kerror_origin *build_whole_origin(void)
{
	static const char *const fields[][2] = {
		{ "machine", "0123456789abcdef0123456789abcdef" }, { "host", "host" },
		{ "instance", "4000001" },
		{ "release", "6.1.0-50-amd64" }, { "version", "#1 SMP Debian 6.1.192-1" },
		{ "arch", "x86_64" }, { "livepatch", "one two" },
		{ "tag.rack", "r17" },
		{ "tag.hostile", "\"]\\ \033[31m\xff\xe2\x80\xae \xc3\xa4" },
	};
	struct kerror_origin *origin =
		build_origin("01234567-89ab-cdef-0123-456789abcdef");

	for (size_t i = 0; origin && i < sizeof(fields) / sizeof(*fields); i++)
		if (kerror_origin_set(origin, fields[i][0], fields[i][1])) {
			kerror_origin_release(origin);
			origin = NULL;
		}
	return origin;
}

/* Marsaglia's xorshift64. */
static inline uint64_t build_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* cmocka wants what it does not include, before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#endif
