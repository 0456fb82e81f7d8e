/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store: events and losses in one SQLite database, which kerrord writes and
 * kerrorctl reads, both at the same time. Every event has the same columns and
 * keeps the bytes that the kernel sent, so that a new kind of event changes no
 * table. The schema is documented in kerrord(8).
 *
 * An event is identified by series, group and sequence number and is there once.
 * How far a series was read is told by what is stored itself, which changes
 * together with it: so a program killed at any point neither repeats nor skips.
 *
 * Functions return 0 or more, or a negative errno; store_message() then says
 * in one line what is wrong and what to do: -ENOSPC (full), -EROFS, -EBUSY (locked by
 * somebody for longer than STORE_PATIENCE_MS), -EACCES, -ENOENT, -EPROTO (made by a
 * newer version), -EEXIST (a file that is not a store), -EUCLEAN (corrupted),
 * -EINVAL (SQLite refuses a value), -EIO.
 */
#ifndef STORE_H
#define STORE_H

#include <stdint.h>
#include "libkerror.h"

#define STORE_PATH		"/var/lib/kerror/events.db"
#define STORE_VERSION		8
#define STORE_PATIENCE_MS	2000

/* What /proc/sys/kernel/random/boot_id holds: 36 characters and NUL. */
#define BOOT_ID_SIZE 37

/**
 * struct series - events that are numbered together: those of one boot or, if a module
 *	raises them, of one load of it
 * @boot_id: of which boot
 * @instance: what kerror_socket_instance() says; 0 in stores of before version 4
 */
struct series {
	char boot_id[BOOT_ID_SIZE];
	uint64_t instance;
};

struct store;

/**
 * store_open() - open a store
 * @store: set to what store_close() closes, on an error too, for its message
 * @path: the database; with @writable it is made if it is absent, an older
 *	version is migrated, and a corrupted one is moved aside to
 *	PATH.corrupt-TIME and begun anew, of which store_message() tells although
 *	0 is returned ("" otherwise). A file that is not a store is left alone.
 * @writable: false for programs that only look
 */
int store_open(struct store **store, const char *path, bool writable);
void store_close(struct store *store);
const char *store_message(const struct store *store);

/* After -EUCLEAN: moves the database aside, so that store_open() begins anew. */
int store_set_aside(const char *path, char *moved_to, size_t size);

/* ---- Writing ---- */

/* All or nothing, up to store_commit(). After an error of any of these: roll back. */
int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* One that is there already stays as it is. Its origin must have a boot_id; it says the series. */
int store_add_event(struct store *store, const struct kerror_event *event);

/* Outside of a transaction: the store wants nothing of that series before @next. */
int store_move_to(struct store *store, struct kerror_origin *origin, uint32_t group,
		  uint32_t next);

/**
 * store_add_loss() - record that events are missing
 * @store: within a transaction
 * @origin: of which machine and series; must have a boot_id
 * @time: when it was learnt, nanoseconds since 1970
 * @loss: as the kernel or the reader told it
 * @cause: its name; one of the kernel's or, for what kerrord itself dropped, "sink" or "poison"
 * @next: if those events had sequence numbers, the one that comes next, which
 *	store_cursor() then returns; NULL otherwise
 */
int store_add_loss(struct store *store, struct kerror_origin *origin, uint64_t time,
		   const struct kerror_loss *loss, const char *cause,
		   const uint32_t *next);

/*
 * The sequence number to go on with: that behind the newest event or history
 * loss. -ENOENT if nothing of @series is there.
 */
int store_cursor(struct store *store, const struct series *series,
		 uint32_t group, uint32_t *next);

/* The total of the last loss of @cause (a kernel's number), or -ENOENT. */
int store_loss_total(struct store *store, const struct series *series,
		     uint32_t group, uint32_t cause, uint64_t *total);

/* ---- Of a collector: events of many machines ---- */

/* The cause of losses of which no machine has told */
#define CAUSE_STREAM "stream"

/*
 * Within a transaction: 1, or 0 if it is there already. With @gaps, numbers before it
 * that are missing are remembered. @time: when the machine received it, of a raw event,
 * or 0. -EINVAL: two machines have the same boot id.
 */
int store_collect_event(struct store *store, const struct kerror_event *event, uint64_t time,
			bool gaps);
int store_collect_loss(struct store *store, struct kerror_origin *origin, uint64_t time,
		       const struct kerror_loss *loss, const char *cause, bool gaps);

/**
 * struct store_heartbeat - what a machine says of itself
 * @time: when, nanoseconds since 1970
 * @interval: seconds until the next one
 * @behind: it has events that the stream does not have yet
 * @filtered: it sends only some of its events, so that gaps are none
 * @group: of each, the next sequence number, and how many events without one are lost
 * @count: how many groups
 */
struct store_heartbeat {
	uint64_t time, interval;
	bool behind, filtered;
	struct {
		uint32_t group, next;
		uint64_t lost;
	} group[KERROR_GROUP_COUNT];
	size_t count;
};

/* Within a transaction: 1 if the machine was silent, else 0 */
int store_collect_heartbeat(struct store *store, struct kerror_origin *origin,
			    const struct store_heartbeat *heartbeat);

/*
 * Outside of transactions: makes losses of the gaps of up to @before, of
 * store_collect_clock(), and calls @named for each.
 */
int store_collect_sweep(struct store *store, int64_t before,
			void (*named)(void *context, struct kerror_origin *origin,
				      const struct kerror_loss *loss),
			void *context);

/*
 * Outside of transactions: calls @found, within one, for machines that have been silent
 * for so many of their intervals; how many, of which there may be more. @listens_since: that
 * long at most, of store_collect_clock(). @until: what was sent by then is there.
 */
int store_collect_silent(struct store *store, int64_t listens_since, int64_t until,
			 unsigned int intervals,
			 int (*found)(void *context, const char *machine, const char *host,
				      uint64_t seconds),
			 void *context);
int64_t store_collect_clock(struct store *store);

/*
 * Outside of transactions: if no machine is silent any more, clears the condition @name of those
 * for which there was no room.
 */
int store_collect_heard(struct store *store, const char *name);

/**
 * struct store_machine - one of a fleet
 * @machine: its id, or its name
 * @host: its name
 * @release: of its kernel
 * @boot_id: of its boot
 * @heard: when its last heartbeat arrived, nanoseconds since 1970; 0: never
 * @interval: seconds between two
 * @behind: it said that it has events that the stream does not have
 * @silent: it should have said more
 * @lag: events that it has and the store does not, as far as is known
 * @lost: events in its losses
 * @collapsed: events that it has and did not send
 * @conditions: how many of it last
 */
struct store_machine {
	const char *machine, *host, *release, *boot_id;
	uint64_t heard, interval, lag, lost, collapsed, conditions;
	bool behind, silent;
};

int store_fleet(struct store *store,
		void (*found)(void *context, const struct store_machine *machine),
		void *context);

/*
 * Within a transaction: a machine, of that id or else that host name, is in no fleet any more,
 * and its conditions are cleared, until its next heartbeat. What is known of its events stays:
 * see store_retain_boots(). Returns how many there are: only one is forgotten.
 */
int store_forget(struct store *store, const char *name);

/*
 * Outside of transactions, of a collector's store: deletes what is known of boots of which
 * nothing has been stored for so long that no stream has any of it.
 */
int store_retain_boots(struct store *store);

/**
 * struct store_boot - what is known of a boot
 * @id: that of the kernel
 * @release: of the kernel, or ""
 * @how: it ended: "clean", "panic" or "cut"; "" if nobody has told
 * @message: of the panic, or ""
 * @began: nanoseconds since 1970; 0: nobody has told
 * @ended: likewise
 * @events: how many there are of it
 * @first: time of the first of them, nanoseconds since 1970, or 0
 * @last: of the last
 * @severity: how many there are of each severity
 */
struct store_boot {
	const char *id, *release, *how, *message;
	uint64_t began, ended, events, first, last, severity[8];
};

/*
 * The origin that the store has of a series, or a new one with boot_id and instance;
 * NULL without memory or on an error.
 */
struct kerror_origin *store_origin(struct store *store, const struct series *series);

/**
 * store_end_boot() - note how a boot ended
 * @store: within a transaction
 * @origin: of it; must have a boot_id
 * @boot: how, message, began and ended
 * @running: the id of the boot that told of it
 */
int store_end_boot(struct store *store, struct kerror_origin *origin,
		   const struct store_boot *boot, const char *running);

/*
 * Deletes what arrived more than @age_s seconds ago, then what arrived first while
 * the file is larger than @bytes; 0: no limit. See store_retain.c for the clock.
 */
int store_retain(struct store *store, uint64_t age_s, uint64_t bytes);

/**
 * struct store_deleted - events that store_retain() has deleted so far
 * @age: because of their age
 * @size: because of the size of the file
 */
struct store_deleted {
	uint64_t age, size;
};

int store_deleted(struct store *store, struct store_deleted *deleted);

/*
 * The size of the write-ahead log, which grows while a program stays in a read
 * transaction, and an attempt to empty it: -EBUSY if such a program is in the way.
 */
uint64_t store_log_bytes(const struct store *store);
int store_shorten_log(struct store *store);

/* -ESTALE if the file was removed, or another one is in its place, else 0 */
int store_check_place(struct store *store);

/* ---- Conditions: what is wrong now ---- */

/*
 * Conditions that a store has at most, and one that has heard of machines; further keys of a
 * name share this one.
 */
#define CONDITIONS_MAX		1024
#define CONDITIONS_FLEET	16384
#define CONDITION_OTHERS	"others"

/* How a condition ends without an event: seconds without another event, or these */
#define CONDITION_NEVER		0
#define CONDITION_BOOT		(-1)

/**
 * struct condition - something that is wrong, or was
 * @name: what is wrong, such as "link-down"
 * @key: with what, such as "eth0", or ""
 * @rule: that raised it
 * @severity: the rule's
 * @meaning: for people, or ""
 * @remedy: likewise: what to do
 * @text: of the last event
 * @found: JSON object of a format that was found in it, or ""
 * @expires: seconds, CONDITION_NEVER or CONDITION_BOOT
 * @since: when it was raised, nanoseconds since 1970
 * @last: when its last event was, likewise
 * @count: events since it was raised
 * @cleared: when it was cleared, or 0: it lasts
 * @cleared_by: "rule NAME", "time", "boot", "operator", or "" while it lasts
 * @changes: how often it was raised or cleared
 * @untold: of these, those of which store_tell_conditions() has not told
 */
struct condition {
	const char *name, *key, *rule, *meaning, *remedy, *text, *found, *cleared_by;
	unsigned int severity;
	int64_t expires;
	uint64_t since, last, count, cleared, changes, untold;
};

/*
 * Within a transaction. Raises @condition, of which @name, @key, @rule, @severity,
 * @meaning, @remedy, @text, @found, @expires and @last are looked at, or counts another event.
 */
int store_raise(struct store *store, const char *boot_id,
		const struct condition *condition);

/* Clears those of @name with that key, NULL: with any; returns how many lasted. */
int64_t store_clear(struct store *store, const char *name, const char *key,
		    const char *by, uint64_t time);

/* The same of all keys of a machine, which are its name, or begin with it */
int64_t store_clear_machine(struct store *store, const char *name, const char *machine,
			    const char *by, uint64_t time);

/*
 * Clears those that have expired: by time, or because they were of another boot than
 * @boot_id. NULL: than the one of which the machine that had it told last.
 */
int store_expire(struct store *store, const char *boot_id);

/* Calls @found for each: those that last first, the worst and then the newest first. */
int store_conditions(struct store *store,
		     void (*found)(void *context, const struct condition *condition),
		     void *context);

/* Calls @found for each that has changed since the last call of this; returns how many. */
int store_tell_conditions(struct store *store,
			  void (*found)(void *context, const struct condition *condition),
			  void *context);

/* ---- Reading ---- */

/* How far a store has been written: the last event and loss there */
struct store_mark {
	int64_t event, loss;
};

int store_mark(struct store *store, struct store_mark *mark);

/**
 * struct store_query - what to look for
 * @since: nanoseconds since 1970, 0: from the beginning
 * @until: nanoseconds since 1970, exclusive; 0: up to now
 * @groups: only what is of these, KERROR_GROUP bits; 0: all
 * @filter: only events that match, or NULL
 * @unacknowledged: only events that nobody has acknowledged
 * @losses: losses, too, between the events by time
 * @limit: at most so many items, the newest of them; 0: all
 * @boot_id: only what is of this boot, or NULL
 * @matches: only events for which it returns true, or NULL
 * @context: of @matches
 * @number: only the event that has this number, or 0
 * @after: only what was stored after that; zeros: all
 * @up_to: only what was there by then; zeros: what is there at the beginning
 * @newest_first: in the other order
 */
struct store_query {
	uint64_t since, until;
	uint32_t groups;
	const struct kerror_filter *filter;
	bool unacknowledged;
	bool losses;
	uint64_t limit;
	const char *boot_id;
	bool (*matches)(void *context, const struct kerror_event *event);
	void *context;
	int64_t number;
	struct store_mark after, up_to;
	bool newest_first;
};

/**
 * struct store_item - an event or a loss that was found; valid within the callback
 * @id: number in the store, what `kerrorctl ack` takes; 0 for a loss
 * @origin: of which machine and series; an event has the same
 * @event: NULL for a loss
 * @acknowledged: nanoseconds since 1970, 0: not
 * @loss: if @event is NULL
 * @cause: name of the loss's cause
 * @time: when the event was raised or the loss learnt, nanoseconds since 1970
 */
struct store_item {
	int64_t id;
	struct kerror_origin *origin;
	const struct kerror_event *event;
	uint64_t acknowledged;
	struct kerror_loss loss;
	const char *cause;
	uint64_t time;
};

/* Calls @found for each, oldest first, until it returns something but 0, which is returned. */
int store_query(struct store *store, const struct store_query *query,
		int (*found)(void *context, const struct store_item *item),
		void *context);

/*
 * Calls @found for each boot that the store has something of, the oldest first. To count
 * the events takes long in a large store: without @count they are 0.
 */
int store_boots(struct store *store, bool count,
		void (*found)(void *context, const struct store_boot *boot), void *context);

/**
 * struct store_place - how far a program has come that follows a store; all zeros: it
 *	has had nothing
 * @event: number of the last event that it had
 * @boot: its row in table boot
 * @group: its group
 * @sequence: its sequence number
 * @loss: number of the last loss that it had
 * @gone: how many events retention has deleted so far before they were given
 */
struct store_place {
	int64_t event, boot, loss;
	uint32_t group, sequence;
	uint64_t gone;
};

/*
 * Calls @found for what arrived after @place: events, then losses, each in the order of
 * arrival, until it returns something but 0, which is returned. With each comes the
 * place to go on with behind it.
 */
int store_follow(struct store *store, struct store_place place,
		 int (*found)(void *context, const struct store_item *item,
			      const struct store_place *place),
		 void *context);

/* Marks events as seen by an operator; returns how many were not yet. */
int64_t store_acknowledge(struct store *store, int64_t first, int64_t last);

/**
 * struct store_summary - what is in the store
 * @events: how many
 * @losses: events recorded as lost
 * @unacknowledged: events that nobody has acknowledged
 * @oldest: time of the oldest event, nanoseconds since 1970, or 0
 * @newest: of the newest
 * @bytes: size of the database
 * @boots: how many boots it has events of
 */
struct store_summary {
	uint64_t events, losses, unacknowledged;
	uint64_t oldest, newest, bytes, boots;
};

int store_summary(struct store *store, struct store_summary *summary);

/* The id of the running boot; fails with -errno. */
int store_boot_id(char id[BOOT_ID_SIZE]);

#endif
