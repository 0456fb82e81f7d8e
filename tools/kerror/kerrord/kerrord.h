/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of kerrord.
 *
 * One thread receives and offers each record to every sink. A sink is a thread
 * with a bounded queue of its own, so that one that is slow, stuck or dead stops
 * neither the others nor the receiver. It gets events that do not fit into its queue
 * out of the kernel's history later; what is gone there by then is counted, and
 * told in its own stream as a loss.
 *
 * config.c    the configuration file, and others of config.h
 * receive.c   from the socket to the sinks; where to begin after a restart
 * record.c    what goes through the queues
 * identity.c  of which machine it is
 * sink.c      queue of any sink, and others of sink.h; sink_lines.c of the kernel log
 * catch_up.c  what a sink had no room for, out of the kernel's history
 * earlier.c   boots that ended, out of memory that outlives the kernel
 * pstore.c    the same, out of the end of the log that pstore has kept
 * patience.c  waits for a peer that may be stuck
 * store_sink.c, file_sink.c, journald_sink.c, syslog_sink.c
 * rule_sink.c, and others of rule.h
 * conditions.c  rules without a command, of the store
 * found.c     a format in the text of an event, for rules
 * syslog_peer.c, kept.c  connection of a syslog_sink, and what it sends again
 * stream.c, tls.c  a TCP or TLS connection
 * otlp_sink.c, and others of otlp.h
 * nats_sink.c out of the store; nats_peer.c, nats_server.c  its connection
 * nats_collect.c  into the store, of other machines; nats_record.c  the messages;
 * nats_streams.c  makes what it reads
 * local.c     datagrams, to a local socket above all
 * journal.c   systemd's journal
 * metrics.c   counters for Prometheus
 * metrics_http.c
 * reload.c    SIGHUP: sinks end and begin
 * privileges.c
 */
#ifndef KERRORD_H
#define KERRORD_H

#include <pthread.h>
#include <stdatomic.h>
#include "explanations.h"
#include "kerror_paths.h"
#include "output.h"
#include "store.h"

/* Groups that a configuration can name, by their index in libkerror.h */
#define GROUPS KERROR_GROUP_COUNT

/* ---- Configuration ---- */

/**
 * struct sink_settings - a section that makes a sink
 * @places: of the section, then of each option, see config.h
 * @type: what the section's name begins with
 * @name: the whole name, such as "json archive"
 * @path: of the database, the file ("-": standard output) or "unix:" socket
 * @filter: only events that match, or NULL
 * @queue: most bytes that wait
 * @max_age: seconds, 0: for ever
 * @max_size: bytes, 0: no limit
 * @max_log: of a store: bytes of its log, 0: no limit
 * @address: of a syslog server
 * @facility: number of the syslog facility
 * @newline: a message ends with a newline, instead of beginning with its length
 * @endpoint: URL of an otlp server
 * @json: requests are JSON, instead of protobuf
 * @gzip: and are compressed
 * @lines: of a JSON file: lines that several events make up are there, too
 * @headers: file of lines for the head of each request, or NULL
 * @servers: URLs of nats servers
 * @credentials: file that a nats server knows us by, or NULL
 * @nkey: public key that it knows us by, or NULL
 * @nkey_seed: file of its seed
 * @store: path of the store that a nats sink follows, or a collector fills
 * @collected: of a store: a collector fills it
 * @filtered: of a nats sink: it does not send all, because of a filter
 * @stream: of JetStream, that a collector reads
 * @heartbeats: likewise, of heartbeats, or NULL
 * @consumer: durable, of both
 * @grace: seconds that a gap may last
 * @replicas: of the streams that --make-streams makes
 * @stream_size: bytes of the first of them, 0: no limit
 * @heartbeat: seconds between two of them
 * @collapse: how many events of a kind and second are sent before the others are counted
 * @tls_ca: file of the authorities whose certificates a server may have
 * @tls_cert: file of the own certificate
 * @tls_key: file of its key
 * @tls_name: that the server's certificate must have; NULL: that of @address
 * @command: what a rule runs, and its arguments
 * @timeout: seconds that it, or a request, may take
 * @threshold: so many events...
 * @period: ...within so many seconds make a rule fire
 * @key: events count together that have this in common; NULL: all
 * @stuck: seconds without progress after which it counts as stuck, 0: never
 * @cooldown: seconds after a command succeeded in which the same key does not fire
 * @retries: how often a command that failed is run again
 * @retry_after: seconds before the first time; each one later doubles
 * @backlog: commands that may wait
 * @runner: socket of the unit that runs commands, or NULL
 * @raises: condition that an event raises, instead of a command; or NULL
 * @clears: conditions that it clears, parted by blanks; or NULL
 * @severity: of the condition
 * @meaning: for people, or NULL
 * @remedy: likewise
 * @instead_of: for kerrorctl check-rules, or NULL
 * @text_format: that the text must have in it, or NULL
 * @expires: seconds, or one of CONDITION_NEVER, CONDITION_BOOT
 */
struct sink_settings {
	struct sink_settings *next;
	struct place *places;
	const struct sink_type *type;
	char *name;
	char *path;
	struct kerror_filter *filter;
	char *filter_text;
	uint64_t queue;
	uint64_t max_age, max_size, max_log;
	char *address;
	uint64_t facility;
	uint64_t newline;
	char *endpoint, *headers;
	uint64_t json, gzip, lines;
	char *servers, *credentials, *nkey, *nkey_seed, *store;
	char *stream, *heartbeats, *consumer;
	uint64_t grace, heartbeat, replicas, silent, stream_size, collapse;
	bool filtered, collected;
	char *tls_ca, *tls_cert, *tls_key, *tls_name;
	char *command;
	uint64_t timeout, threshold, period, cooldown;
	uint64_t stuck;
	uint64_t retries, retry_after, backlog;
	char *runner;
	char *key;
	char *raises, *clears, *meaning, *remedy, *instead_of, *text_format;
	uint64_t severity, expires;
};

/**
 * struct tag - an option of the section of tags
 * @name: "tag." and the option's name
 * @value: what each record says of this machine
 * @file: the path that gave it, of struct settings
 */
struct tag {
	struct tag *next;
	char *name, *value;
	const char *file;
};

/**
 * struct settings - the whole file, with its drop-ins
 * @files: their paths; @file_count of them
 * @places: of each option of no sink, see config.h
 * @groups: KERROR_GROUP bits
 * @collects: events come from a [collector] and not from the kernel
 * @user: whom to become if started as root
 * @state: folder of the cursors
 * @explain: folder of the operators' catalogues
 * @rules_folder: of the rules that are read first, or NULL
 * @pstore: folder of pstore's records, or ""
 * @pstore_remove: a record that was taken is removed
 * @max_text: bytes that the text of an event is cut to
 * @listen: address and port of the metrics' HTTP server, or NULL
 * @textfile: file of the metrics, or NULL
 * @interval: seconds between two writings of it
 * @tags: of this machine
 * @sinks: in the order of the file
 * @rules: likewise those without a command
 */
struct settings {
	char **files;
	size_t file_count;
	struct place *places;
	uint64_t groups, collects;
	char *user;
	char *state;
	char *explain;
	char *rules_folder;
	char *pstore;
	uint64_t pstore_remove;
	uint64_t max_text;
	char *listen;
	char *textfile;
	uint64_t interval;
	struct tag *tags;
	struct sink_settings *sinks, *rules;
};

#define CONFIG_PATH KERROR_SYSCONFDIR "/kerrord.conf"
#define RULES_FOLDER KERROR_DATADIR "/rules.d"

/*
 * Reads the files of the folder of rules, the file, then its drop-ins: files in the
 * folder PATH.d whose names end in .conf, in order. Of an option given twice the last counts. With
 * @check_machine, users, folders and commands have to be there. 0, or -EINVAL after
 * a line for each error, with its place and the remedy, on standard error.
 */
int config_read(struct settings *settings, const char *path, bool check_machine);
void config_free(struct settings *settings);
void config_free_sink(struct sink_settings *sink);

/* Whether both sections have the same name and the same values */
bool config_same_sink(const struct sink_settings *a, const struct sink_settings *b);

/*
 * The rule of that name, as far as the file can be read, or NULL; complains of
 * nothing. @settings has to be freed in any case.
 */
const struct sink_settings *config_read_rule(struct settings *settings,
					     const char *path, const char *name);

/* A configuration file of the defaults, in which each option is explained */
void config_print_sample(FILE *file);

/* ---- Records ---- */

enum record_kind { RECORD_EVENT, RECORD_LINE, RECORD_LOSS, RECORD_REPORT };

/**
 * struct record - what goes through the queues; shared and never changed
 * @references: how many hold it
 * @kind: which of the following is of use
 * @time: nanoseconds since 1970: when it was received
 * @received: likewise of CLOCK_MONOTONIC, which nobody can set
 * @bytes: what it counts in a queue
 * @event: of RECORD_EVENT; of RECORD_LINE the one that those of a line make up
 * @loss: of RECORD_LOSS
 * @cause: its name
 * @origin: of RECORD_LOSS and RECORD_REPORT; an event has its own
 * @next: of RECORD_LOSS of events with a number: the one that comes after them
 * @severity: of RECORD_REPORT: what kerrord itself has to say
 * @collected: by a collector, of any machine: each record is new to each sink
 * @text: of RECORD_REPORT; of RECORD_LOSS what @cause points to
 * @about: of RECORD_REPORT: the sink that it is about
 */
struct record {
	atomic_uint references;
	enum record_kind kind;
	uint64_t time, received;
	size_t bytes;
	struct kerror_event *event;
	struct kerror_loss loss;
	const char *cause;
	struct kerror_origin *origin;
	uint32_t next;
	unsigned int severity;
	bool collected;
	const char *about;
	char text[];
};

/* Each returns a record with one reference, or NULL without memory. */
struct record *record_of_event(const struct kerror_event *event,
			       const struct explanations *explanations);
/* Takes the event of a joiner, unless there is no memory. */
struct record *record_of_line(struct kerror_event *event);
struct record *record_of_loss(const struct kerror_loss *loss, const char *cause,
			      uint32_t next);
/* The cause of what a sink dropped, which is none of the kernel's */
#define CAUSE_SINK "sink"

/* The cause of an event that a sink cannot write, however often it tries */
#define CAUSE_POISON "poison"

struct record *record_of_report(const char *about, unsigned int severity,
				const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Whether it is a loss of events that had a sequence number */
bool record_is_numbered_loss(const struct record *record);

/* Whom a log is to name: of what printk() has printed the kernel, as ever */
const char *identifier_of(const struct evl_header *header);

/* Of whatever kind it is */
struct kerror_origin *record_origin(const struct record *record);

struct record *record_get(struct record *record);
void record_put(struct record *record);

uint64_t now_ns(clockid_t clock);

/* FNV-1a of 64 bits; of several pieces, @hash is that of the ones before. */
#define HASH_BEGIN	0xcbf29ce484222325ULL

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (const unsigned char *at = bytes, *end = at + size; at < end; at++)
		hash = (hash ^ *at) * 0x100000001b3ULL;
	return hash;
}

/* ---- Identity ---- */

/*
 * Looks again who this machine is, with @tags and the instance of the socket; by the
 * receiver. True if that has changed.
 */
bool identity_look(const struct tag *tags, uint64_t instance);

/* The last one that it saw, with a reference; NULL before that. From any thread. */
struct kerror_origin *identity(void);

/* Has the events that @reader gives from now on come from there. */
void identity_use(struct kerror_reader *reader);

/* ---- Sinks ---- */

/* The events of one group that a sink has had */
struct progress {
	uint32_t known;			/* next is valid */
	uint32_t next;			/* sequence number that it waits for */
	uint64_t lost[KERROR_CAUSES];	/* totals; UINT64_MAX: not known */
};

struct sink;

/**
 * struct sink_type - a kind of sink
 * @name: of its sections
 * @gather_ms: for so long records are gathered before write() gets them; an event of
 *	severity err or worse is not kept waiting
 * @keeps_progress: there is to be a file about what it has had
 * @patient: at the end it gets longer, for it bounds by itself how long it takes
 * @follows_store: it takes what it sends out of the store, in idle(); the receiver gives
 *	it nothing, and it does not matter where that begins
 * @spread: after a failure it waits for longer by chance, so that many machines do not
 *	come back at once
 * @load_progress: finds out from the sink itself what it has had; called
 *	before anything else, by the receiver's thread, and once more by the
 *	sink's if that failed. 0, or a negative errno
 * @open: called by the sink's thread, again after each failure. 0, or a
 *	negative errno with a line in @message
 * @wants_line: whether it is to have a RECORD_LINE, of which it had what it wants of the
 *	events; NULL: it has none
 * @write: deliver records; returns how many of them, from the first on, were,
 *	or a negative errno with a line in @message if none; NULL with @follows_store
 * @keep: called after what @write returned was noted as done
 * @idle: called about once a second; as @open
 * @reopen: SIGHUP; called by the sink's thread
 * @close: after a failure and at the end
 * @end: frees what it keeps beyond close(), at the end
 */
struct sink_type {
	const char *name;
	unsigned int gather_ms;
	bool keeps_progress, patient, spread, follows_store;
	int (*load_progress)(struct sink *sink, struct progress *progress);
	int (*open)(struct sink *sink, char *message, size_t size);
	bool (*wants_line)(const struct sink *sink, const struct kerror_event *line);
	int (*write)(struct sink *sink, struct record *const *records,
		     size_t count, char *message, size_t size);
	void (*keep)(struct sink *sink);
	int (*idle)(struct sink *sink, char *message, size_t size);
	void (*reopen)(struct sink *sink);
	void (*close)(struct sink *sink);
	void (*end)(struct sink *sink);
};

extern const struct sink_type store_sink, json_sink, text_sink, journald_sink,
			      syslog_sink, otlp_sink, nats_sink, collector_sink, rule_sink;

/* Fills in the path of a file of the sink in its state folder. */
void sink_state_path(const struct sink *sink, const char *suffix, char *path,
		     size_t size);

/* The most records that write() gets at once */
#define BATCH 512

struct entry {
	struct entry *next;
	struct record *record;
};

/**
 * struct sink - one at work
 * @next: list
 * @settings: its section
 * @type: same as the settings'
 * @series: what the kernel numbers now
 * @state: folder for its file
 * @private: the type's own
 * @progress: what was offered to it; of the receiver
 * @done: what was written, and what its filter kept away before that; of its thread
 * @begin: likewise what had been written when it began
 * @begun: that is known
 * @state_fd: its progress file, or -1
 * @retry_at: CLOCK_MONOTONIC: after a failure, no attempt before it; of its thread
 * @lock: for what follows
 * @changed: signalled when there is work, or the end
 * @first: the queue
 * @last: where the next entry goes
 * @queued: bytes in the queue
 * @level: @progress when the queue was empty: once nothing is in hand, all of it is done
 * @has_level: there is one that its thread has not had
 * @loaded: it is known what it had before
 * @stop: end when the queue is empty
 * @reopen: SIGHUP came
 * @gathering: its thread waits for more, and need not be woken for each record
 * @urgent: one of those that wait is not to be kept waiting
 * @thread: runs sink_thread()
 * @written: counters for the metrics
 * @poison: records that could not be written and were skipped
 * @collapsed: events that were counted and not sent
 * @failures: how often opening or writing failed
 * @dropped_total: events that the history no longer had
 * @repeated: events that were sent again, which the peer may have twice
 * @doubtful: events that the peer may not have, although it seemed so
 * @rejected: records that the peer took and threw away, as it says
 * @deleted_age: of a store: events that retention deleted because of their age
 * @deleted_size: likewise because of the size of the file
 * @log_bytes: of a store: the size of its write-ahead log
 * @fired: of a rule: commands that were run
 * @failed: of a rule: commands that failed
 * @waiting: of a rule: commands that are to run
 * @up: the last attempt was a success
 * @oldest: when the oldest record that waits was received, 0: none
 * @busy_since: when it last made progress (CLOCK_MONOTONIC), 0: nothing to do
 * @stuck: there was no progress for longer than the settings allow
 * @stuck_at: when that was noticed; of the receiver
 * @filtered: its filter kept an event away since the last @level; of the receiver
 * @full_at: CLOCK_MONOTONIC: when it was reported that a collector's record did not fit
 * @started: there is a thread; of the receiver
 * @ended: its thread is no more; of the receiver
 * @give_up: its thread shall not wait for the peer any longer
 * @give_up_fd: an eventfd that says the same to poll()
 * @behind: gets its events from the history; set by the receiver only
 * @passed: groups of which an event passed it by since then, KERROR_GROUP bits; likewise
 * @behind_at: the first message that it was to have from there; likewise
 * @offered: the message after the last that the receiver had; likewise
 * @catch_up: reads it; of the receiver
 * @report: where a report about this sink goes
 */
struct sink {
	struct sink *next;
	const struct sink_settings *settings;
	const struct sink_type *type;
	const struct series *series;
	const char *state;
	void *private;
	struct progress progress[GROUPS];
	struct progress done[GROUPS];
	struct progress begin[GROUPS];
	int state_fd;
	uint64_t retry_at;
	bool loaded, begun;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct entry *first, **last;
	size_t queued;
	struct progress level[GROUPS];
	bool stop, reopen, gathering, urgent, has_level;

	pthread_t thread;
	atomic_ullong written, dropped_total, poison, collapsed, failures, fired;
	atomic_ullong failed, waiting;
	atomic_ullong repeated, doubtful, rejected;
	atomic_ullong deleted_age, deleted_size, log_bytes;
	atomic_bool up, stuck, give_up, behind;
	atomic_ullong oldest, busy_since;
	uint64_t stuck_at, full_at;
	bool started, ended, filtered;
	uint32_t passed, behind_at, offered;
	int give_up_fd;
	struct catch_up *catch_up;
	void (*report)(struct sink *about, unsigned int severity,
		       const char *text);
};

/* Makes a sink and finds out what it had before; NULL without memory. */
struct sink *sink_new(const struct sink_settings *settings,
		      const struct series *series, const char *state,
		      void (*report)(struct sink *about, unsigned int severity,
				     const char *text));

/* Starts the thread of one that has none; if that fails, it is reported once. */
void sink_start(struct sink *sink);

/*
 * Puts the record into its queue if it has not had it and its filter matches. An
 * event that does not fit leaves the sink behind: sink_offer() then passes it by,
 * and sink_feed() returns false. A loss is put there as long as no event of its group
 * passed by: what the history lacked before that is not for want of room in a queue.
 */
void sink_offer(struct sink *sink, struct record *record);
bool sink_feed(struct sink *sink, struct record *record);
/* The same of what was collected: what does not fit is dropped and counted. */
void sink_offer_collected(struct sink *sink, struct record *record);
void sink_reopen(struct sink *sink);

/*
 * For the receiver, when no line is open: what the filter kept away need not be asked for
 * after a restart, and is no loss when the history has it no longer.
 */
void sink_note_filtered(struct sink *sink);

/* Bytes in its queue */
size_t sink_queued(struct sink *sink);

/* Tells the thread to write what waits and then to end. */
void sink_stop(struct sink *sink);

/* True if it has ended */
bool sink_join(struct sink *sink);
/* For its thread: whether it is to return */
bool sink_is_to_end(struct sink *sink);
void sink_free(struct sink *sink);

/* A connection to the local socket @path that never blocks, or a negative errno */
int connect_unix(const char *path, int type);

/* ---- Lines ---- */

/* Hands over an event that the sinks have had, if it can be of a line. */
void lines_add(struct kerror_joiner *joiner, const struct kerror_event *event);

/*
 * The record of a line that is complete, or has not gone on by @now, as of now_ms(): 0 while
 * there may be more to read, UINT64_MAX for each that there is. NULL: no more. To be called
 * after each event, and after lines_wait().
 */
struct record *lines_next(struct kerror_joiner *joiner, uint64_t now);

/* Milliseconds of the clock that is never set back */
uint64_t now_ms(void);

/* Milliseconds until it has something, or -1 */
int lines_wait(const struct kerror_joiner *joiner);

/*
 * Whether a filter matches a line and not its first part, which was looked at when it came:
 * nothing waits for the others. Of an event that is no line, whether it matches.
 */
bool is_new_to(const struct kerror_filter *filter, const struct kerror_event *event);

/* ---- Patience ---- */

/*
 * For the sink's thread: waits until @fd is ready for @events, for at most
 * @ms (-1: as long as it takes). 0, -ETIMEDOUT, or -ECANCELED if the daemon ends
 * and does not wait any longer.
 */
int sink_wait(struct sink *sink, int fd, short events, int ms);

/* For the sink's thread: the peer has taken something. */
void sink_moves(struct sink *sink);

/*
 * For the sink's thread: waits until the peer has read all that was written to
 * the stream socket or pipe @fd. 0, -ECANCELED, or the error of a peer that went
 * without having read it.
 */
int sink_wait_until_read(struct sink *sink, int fd);

/* For the receiver: reports a sink that became stuck, or goes on. */
void sink_watch(struct sink *sink);

/* For the receiver: whether there is something that sink_watch() must look at */
bool sink_is_busy(struct sink *sink);

/*
 * For the receiver: has those that sink_stop() was called for write what waits and
 * end, as long as there is hope. False if a thread is stuck: @ended is not set
 * then, and nothing of that sink may be freed.
 */
bool sinks_end(struct sink *sinks);

/*
 * Whoever reads standard error, such as a journald that is stopped, may read no more.
 * A report that does not fit is then lost there; the other sinks have them, too.
 */
void reports_never_wait(void);

/* Its value before, for programs that do not expect that */
extern int commands_output;

/* ---- Catching up ---- */

struct explanations;

/* Stores what the kernel kept of earlier boots, and names this one: earlier.c */
void earlier_boots(const struct settings *settings, const char *boot_id);

/*
 * The origin of what another boot has left: as the store has it. If it has none, machine
 * and tags are those of now, and @release may be "". NULL without memory.
 */
struct kerror_origin *origin_of_boot(struct store *store, const struct series *series,
				     const char *release);

#define PSTORE_PATH "/sys/fs/pstore"

/* Copies new records of pstore to the state folder; with the rights to read them. */
void pstore_take(const struct settings *settings);

/* Stores those copies; the boot @running is not theirs. */
void pstore_store(const struct settings *settings, const char *running);

/* Has @reader begin after what @progress says, of each of @groups. */
void begin_after(struct kerror_reader *reader, uint32_t groups,
		 const struct progress *progress);

/*
 * For the receiver: feeds a sink that is behind, as far as it has room, until it
 * is where @reader is. True if there was something to do.
 */
bool catch_up(struct sink *sink, const struct kerror_reader *reader,
	      uint32_t groups, const struct explanations *explanations);
void catch_up_end(struct sink *sink);

/* ---- Conditions ---- */

/*
 * Has the rules of @settings, and none of those before, from now on. The first store
 * has the conditions.
 */
void conditions_use(const struct settings *settings);

/*
 * For the store's thread, within a transaction: what the event raises and clears. 1 if
 * it was something, else 0 or a negative errno. Of a line that was joined of several
 * events, the first one must have been here already.
 */
int conditions_event(struct sink *sink, struct store *store,
		     const struct kerror_event *event);

/* For the same, outside: tells all sinks what has changed, whoever changed it. */
int conditions_tell(struct sink *sink, struct store *store);

/* Their metrics */
void conditions_print(FILE *file);

/* ---- The rest ---- */

struct metrics;

/*
 * Listens, and returns the program's exit status when told to stop. SIGHUP reads
 * @path again into @settings.
 */
int receive(struct settings *settings, const char *path);

/*
 * For a collector: gives a record of that origin, and its reference, to the other sinks and
 * to the metrics.
 */
void collect_offer(const struct sink *collector, struct record *record,
		   struct kerror_origin *origin);

/* Makes what the collector reads; the program's exit status. */
int nats_make_streams(const struct settings *settings);

/* Held while the list of sinks changes, or is walked by another thread */
extern pthread_mutex_t sinks_lock;

/*
 * Makes @next, which is right, the settings, and *@sinks their sinks, of which
 * @make makes new ones. Those are behind: catch_up() feeds them.
 */
void reload_apply(struct settings *settings, struct settings *next,
		  struct sink **sinks,
		  struct sink *(*make)(const struct sink_settings *settings),
		  struct metrics *metrics);

/* From any thread: on standard error, and to all sinks but @about. */
void report_about(const char *about, unsigned int severity, const char *text);

/* Leaves root for @user, and all capabilities but CAP_SYSLOG. */
void privileges_prepare(const struct settings *settings);
void privileges_drop(const struct settings *settings);

/* Counts one event, or one loss; by the receiver. */
void metrics_event(struct metrics *metrics, const struct kerror_event *event);
void metrics_loss(struct metrics *metrics, const struct kerror_loss *loss);
void metrics_statistics(struct metrics *metrics,
			const struct kerror_statistics *statistics);

/*
 * An address that cannot be used is reported, and tried again by a thread of
 * its own: metrics are worth less than the events.
 */
struct metrics *metrics_start(const struct settings *settings,
			      const struct sink *sinks);
/* With sinks_lock held */
void metrics_set_sinks(struct metrics *metrics, const struct sink *sinks);
void metrics_write_file(struct metrics *metrics);
void metrics_stop(struct metrics *metrics);

/* The lines before those of a metric; the value of a label, which has no newline */
void metrics_describe(FILE *file, const char *name, const char *type,
		      const char *help);
void metrics_label(FILE *file, const char *label);

/* For the HTTP server: it calls metrics_print() from threads of its own. */
void metrics_print(FILE *file, struct metrics *metrics);
void metrics_serve(struct metrics *metrics, const char *listen);
/* False if it is still busy, so that @metrics must stay. */
bool metrics_serve_end(void);

#endif
