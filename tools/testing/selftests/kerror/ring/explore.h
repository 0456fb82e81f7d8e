/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of explore, each part under the name of the file that
 * defines it.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "kernel.h"
#include "kerror_ring.h"

#define RING		128	/* bytes of a ring */
#define EVENTS		16	/* most events of a run */
#define DEPTHS		3	/* a thread, an interrupt, and one that interrupts it */

/* A ring, as kerror_drain.c sees it. The second takes the place of the first. */
struct source {
	struct kerror_ring ring;
	u8 buffer[RING] __attribute__((aligned(8)));
};

extern struct source sources[2];

/* schedule.c: which step comes next */
struct limits {
	unsigned int preemptions;	/* by interrupts and between the threads */
	unsigned int interrupts;
	bool tracing;
};

extern struct limits limits;
extern unsigned int depth;
extern bool in_worker;

unsigned int choose(unsigned int ways);
bool schedule_run(void (*cpu)(void), void (*worker)(void));
bool schedule_next(void);
void schedule_restart(void);
bool schedule_is_new(void);
void worker_idles(void);
void worker_finishes(void);
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the run: what is promised does not hold. */
void fail(const char *why) __attribute__((noreturn));
extern const char *failure;

/* check.c: what is promised */
struct event {
	/* Of the caller */
	size_t size, used;
	u32 pid;
	unsigned int depth;
	/* Of the ring */
	struct source *source;
	struct kerror_record *record;
	unsigned long start;	/* position of the record */
	unsigned long end;
	/* The events so far */
	unsigned int begun, ended;	/* when, in steps; 0: not yet */
	bool in_call;			/* reserves or commits now */
	bool written;			/* reserved */
	bool may_be_seen, must_be_seen;	/* complete */
	bool delivered;
	bool taken;			/* consumed, or just now */
	bool abandoned;
	unsigned int seen;		/* number of the panic that last saw it */
	bool full;			/* there was a moment without room */
};

extern struct event events[EVENTS];
extern unsigned int events_used;
extern unsigned long panics;

/* Those that can tell whether they come before or after an access */
struct affected {
	bool interrupts, other_thread;
};

struct affected check_affected(const volatile void *at, bool writes);
void check_begin(unsigned long base);
void check_point(void);
void check_end(void);
struct event *check_reserve(struct source *source, size_t size, size_t used,
			    u32 pid);
void check_reserved(struct event *event, struct kerror_record *record);
void check_commit(struct event *event);
void check_committed(struct event *event);
void check_peeked(struct source *source, struct kerror_record *record);
void check_deliver(struct source *source, struct kerror_record *record);
void check_abandoned(struct source *source, struct kerror_record *record);

/* explore.c: what runs */
extern struct source *newest;
void produce(unsigned int variant);

#define VARIANTS	4	/* of an event */

#endif
