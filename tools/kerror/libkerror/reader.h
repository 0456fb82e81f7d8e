/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of a reader, for the files that feed it (reader.c), keep the place
 * in each group (reader_place.c) and take the kernel's messages (reader_message.c).
 */
#ifndef LIBKERROR_READER_H
#define LIBKERROR_READER_H

#include <linux/netlink.h>
#include "internal.h"

#define GROUPS	KERROR_GROUP_COUNT
#define PRINTK	2	/* its index */
#define CAUSES	32	/* more than there are: a newer kernel may have more */

/* The losses of one cause that are accounted for: number first + 1 to last. */
struct losses {
	bool known;
	uint64_t first;
	uint64_t last;
};

struct group {
	bool started;		/* next and seen are known */
	bool from_boot;		/* begin with the first event of this boot */
	bool replay_wanted;
	bool gaps_count;	/* events from next on may have been dropped */
	bool statistics_wanted;
	bool statistics_asked;
	uint32_t next;
	uint32_t seen;		/* next, or later: events up to it exist */
	struct losses losses[CAUSES];
};

struct kerror_reader {
	uint32_t groups;
	bool filtered;
	struct group group[GROUPS];
	int replaying;		/* index of the group, or -1 */
	uint32_t asked;		/* nlmsg_seq of the last replay request */
	int turn;		/* group that may ask first */
	int unsure;		/* group whose replay may yet run, or -1 */
	bool busy;		/* a replay runs that this reader ignores */
	bool overrun;		/* answers may be lost */
	const uint8_t *at;	/* rest of the datagram */
	size_t rest;
	uint32_t source;	/* its nl_groups */
	uint64_t received;
	uint64_t lost;
	struct kerror_event event;
	struct kerror_statistics statistics;
	unsigned int statistics_next;	/* cause to be compared, or CAUSES */
	struct kerror_loss loss;
	int error;
	bool earlier;		/* reads the boot that @request names */
	struct {
		struct nlmsghdr header;
		struct kerror_request body;
		/* Sent if earlier, as kerror_boot_request */
		uint8_t boot[16];
		uint64_t instance;
	} request;
};

/* Whether the group with that index is one of those that the reader is for */
bool reader_reads(const struct kerror_reader *reader, int index);

/* The next event to give is @next; nothing is known of later ones. */
void group_start(struct group *group, uint32_t next);

/* Likewise, but what is known of later ones stays. */
void group_advance(struct group *group, uint32_t next);

/* Begins with the first event of this boot. */
void group_restart(struct group *group);

/* A replay is to be asked for, and finds each gap. */
void group_want_replay(struct group *group);
bool group_wants_replay(const struct group *group);

/* A wanted request is sent now; or it failed, and waits for the next event. */
void group_satisfy(struct group *group);

/* There are events up to @next: those not given yet are to be asked for. */
void reader_saw(struct kerror_reader *reader, int index, uint32_t next);

/* A broadcast came: all that will ever come before @sequence has come. */
void reader_pass_over(struct kerror_reader *reader, int index, uint32_t sequence);

/*
 * Gives up a replay. If it runs after all, what it brings must not be taken
 * for another group's: until one has ended, ask for this group only.
 */
void reader_ask_again(struct kerror_reader *reader);

/* The item of a message of the datagram, or KERROR_ITEM_NONE */
enum kerror_item reader_take_message(struct kerror_reader *reader,
				     const struct nlmsghdr *message);

/* Tells of one cause after the other that has more losses than known. */
enum kerror_item reader_take_statistics(struct kerror_reader *reader);

#endif
