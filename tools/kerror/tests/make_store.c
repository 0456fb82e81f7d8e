// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills a store with the same events and losses each time, for
 * test_kerrorctl.sh: make_store FILE. All but the last two events are of another
 * boot; the last one is raw, and so of the time at which this runs.
 */
#include <stdio.h>
#include <zlib.h>
#include "build.h"
#include "store.h"

#define OTHER_BOOT	"01234567-89ab-cdef-0123-456789abcdef"
#define BEGIN_S		1700000000ULL	/* 2023-11-14T22:13:20Z */

static struct store *store;
static struct kerror_origin *own, *other;
static int error;

static void add(struct kerror_origin *origin, uint32_t group, const struct build *build)
{
	static uint32_t sequence = KERROR_SEQUENCE_FIRST;
	struct kerror_event *event;

	event = kerror_event_new(group, sequence++, 42, build->data,
				 build->size);
	kerror_event_set_origin(event, origin);
	if (!error)
		error = store_add_event(store, event);
	kerror_event_free(event);
}

/* Begins an event @minute minutes after BEGIN_S. */
static void begin(struct build *build, unsigned int minute, uint8_t severity,
		  const char *facility, const char *device, uint8_t kind,
		  const char *format)
{
	build_begin(build, device, kind, format);
	build->header.time_realtime = (BEGIN_S + minute * 60) * 1000000000 +
				      123456789;
	build->header.severity = severity;
	snprintf(build->header.facility, sizeof(build->header.facility), "%s",
		 facility);
	build->header.event_type = 0;
	if (format)
		build->header.event_id = crc32(0, (const Bytef *)format,
					       strlen(format));
}

static void add_block_error(struct kerror_origin *origin, unsigned int minute,
			    const char *device, int32_t round, uint64_t block)
{
	struct build build;

	begin(&build, minute, 3, "ata", device, EVL_FORMAT_PRINTF,
	      "round %d: bad block at %llu");
	build_argument(&build, EVL_ARG_S32, 0, &round, 4);
	build_argument(&build, EVL_ARG_U64, 0, &block, 8);
	add(origin, KERROR_GROUP_EVLOG, &build);
}

static void add_loss(unsigned int minute, uint32_t cause, const char *name,
		     uint64_t count)
{
	const struct kerror_loss loss = {
		.count = count, .total = count, .group = KERROR_GROUP_EVLOG,
		.cause = cause,
	};

	if (!error)
		error = store_add_loss(store, other,
				       (BEGIN_S + minute * 60) * 1000000000,
				       &loss, name, NULL);
}

static void fill(struct kerror_origin *origin)
{
	static const char recovered[] = "recovered \033[31m\xff \xc3\xa4";
	int32_t link_error = -5, queue = 1;
	uint32_t ms = 250;
	struct build build;

	begin(&build, 0, 3, "net", "n2", EVL_FORMAT_PRINTF,
	      "link %s down, error %d");
	build_argument(&build, EVL_ARG_STRING, 0, "eth0", 4);
	build_argument(&build, EVL_ARG_S32, 0, &link_error, 4);
	add(other, KERROR_GROUP_EVLOG, &build);

	add_block_error(other, 1, "b8:0", 7, 123456789012);
	add_block_error(other, 2, "b8:16", 8, 5);

	begin(&build, 3, 4, "net", "n2", EVL_FORMAT_PRINTF,
	      "queue %d stalled for %u ms");
	build_argument(&build, EVL_ARG_S32, 0, &queue, 4);
	build_argument(&build, EVL_ARG_U32, 0, &ms, 4);
	add(other, KERROR_GROUP_EVLOG, &build);

	begin(&build, 4, 2, "net", NULL, EVL_FORMAT_BINARY, NULL);
	build.header.event_type = 3;
	build_bytes(&build, "\x70\x00\x03", 3);
	add(other, KERROR_GROUP_EVLOG, &build);

	begin(&build, 5, 6, "net\033", "+x:\033[2J", EVL_FORMAT_STRING, NULL);
	build.header.event_type = 2;
	build_bytes(&build, recovered, sizeof(recovered) - 1);
	add(other, KERROR_GROUP_EVLOG, &build);

	add_loss(6, KERROR_LOST_STAGING_FULL,
		 kerror_cause_name(KERROR_LOST_STAGING_FULL), 5);
	add_loss(7, KERROR_CAUSES, "sink", 2);

	add_block_error(origin, 60, "b8:0", 9, 6);
	memcpy(build.data, "raw bytes", 9);
	build.size = 9;
	add(origin, KERROR_GROUP_RAW, &build);
}

int main(int argc, char **argv)
{
	char boot_id[BOOT_ID_SIZE];

	error = argc == 2 ? store_boot_id(boot_id) : -1;
	own = build_origin(boot_id);
	other = build_origin(OTHER_BOOT);
	if (!error)
		error = store_open(&store, argv[1], true);
	if (!error)
		error = store_begin(store);
	if (!error)
		fill(own);
	if (!error)
		error = store_commit(store);
	if (error)
		fprintf(stderr, "make_store: %s\n", store_message(store));
	store_close(store);
	kerror_origin_release(own);
	kerror_origin_release(other);
	return error != 0;
}
