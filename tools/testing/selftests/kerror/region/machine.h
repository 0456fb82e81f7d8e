/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine that writes its region with the kernel's own code, for check.c and deaths.c. */
#ifndef REGION_MACHINE_H
#define REGION_MACHINE_H

#include <stdio.h>
#include <linux/kerror.h>
#include "stubs.h"
#include "kerror_region.h"
#include "kerror_ring.h"

#define LOG		16384
#define RING		4096
#define RINGS		4
#define SLOT		(KERROR_SLOT_ALIGN * 18)
#define MOST		4096
#define RAW		0U
#define EVLOG		1U

/* Ends the test with the line that was wrong. */
#define EXPECT(condition)						\
do {									\
	if (!(condition)) {						\
		printf("# %s, line %d: %s\n", __FILE__, __LINE__,	\
		       #condition);					\
		return false;						\
	}								\
} while (0)

/* A machine: its region, what its kernel knows of it, and what was raised. */
struct machine {
	struct kerror_slot *slot;
	struct kerror_log log[KERROR_SLOT_GROUPS];
	struct kerror_ring ring[RINGS];
	u32 sequence;
};

/* The events that were found, and their number */
extern struct kerror_found found[MOST];
extern unsigned int count;
extern struct kerror_survey survey;

/* Seed of any(), and what the clock adds to each time */
extern u64 state, clock_step;

extern unsigned int tests, failed;

u32 any(u32 below);
u32 any_size(void);

void machine_start(struct machine *machine);
void machine_end(struct machine *machine);
void make_data(u8 *data, u32 number, u32 size);
void log_message(struct machine *machine, unsigned int group, u16 type, u16 ring,
		 u32 position, u32 number, const void *data, u32 size);
void log_event(struct machine *machine, unsigned int group, u16 ring, u32 position,
	       u32 number, u32 size);
struct kerror_record *reserve(struct machine *machine, u32 ring, u32 number, u32 size);
bool raise_event(struct machine *machine, u32 ring, u32 number, u32 size);
u32 position_of(const struct kerror_ring *ring, const struct kerror_record *record);
bool look(const struct machine *machine, unsigned int group);

void result(bool good, const char *name);
void run(bool (*test)(struct machine *machine), const char *name);

#define RUN(test)	run(test, #test)

#endif
