/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * NETLINK_KERROR: error events from the kernel to user space.
 *
 * This file specifies the protocol. A reader can be written from it, from
 * <linux/evlog.h> for the payload of one group, and from netlink(7).
 *
 * THE SOCKET
 *
 *   fd = socket(AF_NETLINK, SOCK_RAW or SOCK_DGRAM, NETLINK_KERROR);	(27)
 *   bind(fd, { .nl_family = AF_NETLINK, .nl_groups = mask of groups });
 *
 * Joining a group, by bind() or by NETLINK_ADD_MEMBERSHIP, needs a capability in
 * the initial user namespace, else EPERM: CAP_SYSLOG for KERROR_GROUP_PRINTK and
 * its _BATCH, CAP_SYSLOG or CAP_NET_ADMIN for all others. A socket of another
 * network namespace than the initial one gets ENONET: no events exist there.
 * Everything is in native byte order. A
 * receive buffer of KERROR_DATAGRAM_MAX bytes holds any datagram. Ignore what
 * does not come from nl_pid 0, message types that you do not know, and bytes
 * behind the end of a payload that you know.
 *
 * GROUPS
 *
 * A group is a bit of nl_groups; as a membership number, bit 0 is 1.
 *
 *   KERROR_GROUP_RAW    what kernel_error_event() was given, byte for byte
 *   KERROR_GROUP_EVLOG  events of evl_printf() and evl_write(), <linux/evlog.h>
 *   KERROR_GROUP_PRINTK messages of printk() as events, <linux/evlog.h>. Without
 *                       CONFIG_KERROR_PRINTK the group is defined and empty.
 *
 *   KERROR_GROUP_RAW_BATCH, KERROR_GROUP_EVLOG_BATCH, KERROR_GROUP_PRINTK_BATCH
 *                       the same messages, but several in a datagram if several
 *                       are ready, for readers that have no filter and want
 *                       throughput. Join these or the ones above; no event is
 *                       raised for them.
 *
 * Each group has numbers, a history and a share of each CPU's memory of its own:
 * a flood of one group takes nothing from the others. An event that was raised for
 * several groups is delivered once to each. Joining a group that is not defined is
 * allowed and delivers nothing, so that a mask of KERROR_GROUP_ALL works, but
 * brings each event twice.
 *
 * WHAT THE KERNEL SENDS
 *
 * Broadcasts hold one message a datagram, those to a _BATCH group one or more,
 * each padded to 4 bytes; msg_name of recvmsg() has the one group in nl_groups.
 * Answers to requests have nl_groups 0 and may hold several messages.
 *
 *   KERROR_MSG_EVENT   nlmsghdr, then the event's bytes. nlmsg_seq is the
 *                      event's sequence number in its group, nlmsg_pid the
 *                      thread that was current when it was raised (whatever
 *                      was interrupted, if that was in an interrupt).
 *   KERROR_MSG_LOSS    nlmsghdr, then struct kerror_loss. nlmsg_seq is the
 *                      sequence number of the event that comes next.
 *   KERROR_MSG_STATISTICS   answer to a statistics request
 *   NLMSG_DONE         end of a replay: an int, 0; nlmsg_seq of the request
 *   NLMSG_ERROR        answer to a request that failed; struct nlmsgerr
 *
 * SEQUENCE NUMBERS
 *
 * Each group numbers its events without a gap, modulo 2^32, from
 * KERROR_SEQUENCE_FIRST at boot. Compare as (__s32)(a - b). Loss notices take
 * no number. A reader that expects N and gets an event M later than N has
 * missed M - N events, which a replay from N brings.
 *
 * LOSSES
 *
 * An event that could not be numbered is counted under one cause of enum
 * kerror_cause, and a loss notice goes into the stream as soon as possible
 * afterwards. A notice has the count since the previous notice of that cause
 * and the total since boot: a reader that remembers the total it knows counts
 * exactly, even if it missed a notice, and recognises one it has seen. The
 * total before the first notice that a reader sees is total - count. So at any
 * time, for each group:
 *
 *   events raised = events numbered + the sum of the totals of all causes
 *
 * KERROR_LOST_HISTORY is different: it is of one reader. A replay sends it
 * when events that were asked for are no longer in the history; total is 0.
 *
 * REQUESTS
 *
 * nlmsghdr with NLM_F_REQUEST, then struct kerror_request, sent to port 0.
 * The sender needs the same capability as a listener of that group, but need not
 * have joined it.
 *
 *   KERROR_MSG_REPLAY with NLM_F_DUMP: the history of one group, as messages
 *   flagged NLM_F_MULTI that are otherwise those that were broadcast, loss
 *   notices included (their nlmsg_seq and nlmsg_pid are the event's, not the
 *   request's; their group is that of the request), oldest first, up to the
 *   event that is the newest when NLMSG_DONE is made. It begins at the sequence
 *   number asked for or, with KERROR_REPLAY_BOOT, at the first event since
 *   boot. Events that are no longer there are announced by a
 *   KERROR_LOST_HISTORY notice: its count is theirs, its nlmsg_seq that of the
 *   next event that is there, or will be. There may be more of them, anywhere
 *   in a replay that is slower than the events. Broadcasts may arrive between
 *   the messages of a replay. The messages of a replay and its NLMSG_DONE are
 *   not dropped when the receive queue is full: they wait until it is read.
 *   Errors: EINVAL (group, flags, or a sequence number that has not been given
 *   yet), EBUSY (a replay is running on this socket), ENOBUFS (the receive
 *   queue is full: the replay has begun nevertheless).
 *
 *   KERROR_MSG_STATISTICS: one struct kerror_statistics, with the nlmsg_seq of
 *   the request.
 *
 * EARLIER BOOTS
 *
 * With the boot parameter kerror.persist= the kernel keeps what it numbered, and what
 * waits for a number, in memory that outlives it. The next kernel hands it out, until
 * a program says that it has it. There is room for a few boots; if nobody takes them,
 * the oldest makes room for a new one.
 *
 *   KERROR_MSG_BOOTS with NLM_F_DUMP: one KERROR_MSG_BOOT, with a struct kerror_boot,
 *   per boot, oldest first, and this boot last; then NLMSG_DONE. No boot at
 *   all: this kernel keeps nothing. The body is a struct kerror_request of zeros.
 *
 *   KERROR_MSG_REPLAY with KERROR_REPLAY_EARLIER: the body is a struct
 *   kerror_boot_request. It asks for one group of that boot, as in a replay, from
 *   the first event on. First comes what was numbered, under its number, with the
 *   loss notices in between. Numbers that are missing are announced by
 *   KERROR_LOST_HISTORY notices. Then comes what had no number yet, by its time; it
 *   gets the numbers that follow. At the end are notices of losses that were counted
 *   and of which no notice before tells, and of events that were being written,
 *   KERROR_LOST_ABANDONED.
 *   The same request brings the same messages, however often it is sent. Errors:
 *   ENOENT (no such boot, or it is this one), ENOMEM.
 *
 *   KERROR_MSG_BOOT_NAME: gives this boot the name under which the next kernel hands
 *   it out, such as /proc/sys/kernel/random/boot_id. Without, it has a random
 *   one. The body is a struct kerror_boot_request with group 0.
 *
 *   KERROR_MSG_BOOT_DROP: clears all that is left of an earlier boot, or answers
 *   ENOENT. The body is a struct kerror_boot_request with group 0.
 *
 * All but the replay want CAP_SYSLOG.
 *
 * Anything else that user space sends gets NLMSG_ERROR: EINVAL for a malformed
 * message or one without NLM_F_REQUEST, EPERM without the capability,
 * EOPNOTSUPP for another message type. The rest of its datagram is dropped.
 * NLM_F_ACK is honoured.
 *
 * WHAT A READER DOES
 *
 * It joins its groups. To have all since boot, it asks for a replay with
 * KERROR_REPLAY_BOOT and expects whatever that brings first, an event or a
 * KERROR_LOST_HISTORY notice; else it expects the first broadcast. From then
 * on, of each group: accept an event if its number is the one expected, drop it
 * if it is earlier, ask for a replay from the expected one if it is later.
 * While that replay runs, drop broadcasts that are later than expected; the
 * replay brings them. A KERROR_LOST_HISTORY notice sets the number expected.
 * When recvmsg() says ENOBUFS, broadcasts were dropped: ask for a replay of
 * each group, one after the other. That is all it takes to lose nothing that
 * the history still holds, and to know the number of the rest.
 */
#ifndef _UAPI_LINUX_KERROR_H
#define _UAPI_LINUX_KERROR_H

#include <linux/types.h>

#define KERROR_GROUP_RAW	0x1U
#define KERROR_GROUP_EVLOG	0x2U
#define KERROR_GROUP_RAW_BATCH	0x4U
#define KERROR_GROUP_EVLOG_BATCH 0x8U
#define KERROR_GROUP_PRINTK	0x10U
#define KERROR_GROUP_PRINTK_BATCH 0x20U
#define KERROR_GROUP_ALL	(~0U)

/* Message types start at NLMSG_MIN_TYPE. */
#define KERROR_MSG_EVENT	0x10
#define KERROR_MSG_LOSS		0x11
#define KERROR_MSG_REPLAY	0x12
#define KERROR_MSG_STATISTICS	0x13
#define KERROR_MSG_BOOTS	0x14
#define KERROR_MSG_BOOT		0x15
#define KERROR_MSG_BOOT_NAME	0x16
#define KERROR_MSG_BOOT_DROP	0x17

/* Near the end of the number space, so that each boot passes the wrap. */
#define KERROR_SEQUENCE_FIRST	0xffffff00U

/* Most bytes of one event; a longer one is refused with EMSGSIZE. */
#define KERROR_EVENT_MAX	9216

/* Most bytes of one datagram from the kernel. */
#define KERROR_DATAGRAM_MAX	32768

/**
 * enum kerror_cause - why events were lost
 * @KERROR_LOST_STAGING_FULL: the CPU's ring for the group was full; enlarge
 *	kerror.staging_kb
 * @KERROR_LOST_NO_STAGING: no memory for the CPU's rings when it came up; shrink
 *	kerror.staging_kb
 * @KERROR_LOST_TOO_LONG: more than %KERROR_EVENT_MAX bytes; the caller got
 *	EMSGSIZE
 * @KERROR_LOST_NMI: raised in an NMI on an architecture whose
 *	compare-and-exchange is not safe there
 * @KERROR_LOST_RATE_LIMIT: suppressed by a _ratelimited call
 * @KERROR_LOST_ABANDONED: the code that was writing it died in an oops
 * @KERROR_LOST_HISTORY: overwritten in the history before this reader asked
 *	for it; enlarge kerror.history_kb or read faster
 * @KERROR_CAUSES: number of causes; a newer kernel may have more
 */
enum kerror_cause {
	KERROR_LOST_STAGING_FULL,
	KERROR_LOST_NO_STAGING,
	KERROR_LOST_TOO_LONG,
	KERROR_LOST_NMI,
	KERROR_LOST_RATE_LIMIT,
	KERROR_LOST_ABANDONED,
	KERROR_LOST_HISTORY,
	KERROR_CAUSES
};

/**
 * struct kerror_loss - payload of %KERROR_MSG_LOSS
 * @count: events lost since the previous notice of this cause in this group
 * @total: events lost of this cause in this group since boot, or 0 for
 *	%KERROR_LOST_HISTORY
 * @group: one bit
 * @cause: of enum kerror_cause; ignore none, a newer kernel may have more
 */
struct kerror_loss {
	__u64 count;
	__u64 total;
	__u32 group;
	__u32 cause;
};

/* Flag of a replay request: from the first event since boot. */
#define KERROR_REPLAY_BOOT	0x1
/* of the boot that is named behind the request; without other flags */
#define KERROR_REPLAY_EARLIER	0x2

/**
 * struct kerror_request - payload of a request
 * @group: one defined bit
 * @flags: 0 or, for a replay, %KERROR_REPLAY_BOOT
 * @sequence: for a replay without %KERROR_REPLAY_BOOT, the first event wanted;
 *	it may be the one that the next event will get. Else 0.
 * @reserved: 0
 */
struct kerror_request {
	__u32 group;
	__u32 flags;
	__u32 sequence;
	__u32 reserved;
};

/**
 * struct kerror_statistics - payload of an answered %KERROR_MSG_STATISTICS
 * @numbered: events that got a sequence number since boot
 * @lost: per cause, events lost since boot; ends with the message
 * @group: the group asked for
 * @sequence_next: number of the next event
 * @sequence_oldest: number of the oldest event in the history, or
 *	@sequence_next if it is empty
 * @history_size: bytes of this group's history
 * @staging_size: bytes of each CPU's ring for this group; where memory is in pieces,
 *	a ring may have fewer
 * @causes: elements of @lost
 */
struct kerror_statistics {
	__u64 numbered;
	__u32 group;
	__u32 sequence_next;
	__u32 sequence_oldest;
	__u32 history_size;
	__u32 staging_size;
	__u32 causes;
	__u64 lost[KERROR_CAUSES];
};

/**
 * struct kerror_boot_request - payload of a request about a boot
 * @request: as above
 * @boot: the name of the boot
 * @instance: as in struct kerror_boot; 0 in KERROR_MSG_BOOT_NAME
 */
struct kerror_boot_request {
	struct kerror_request request;
	__u8 boot[16];
	__u64 instance;
};

/**
 * enum kerror_boot_end - how a boot ended
 * @KERROR_END_NONE: it runs
 * @KERROR_END_CLEAN: shut down, or kerror.ko was unloaded
 * @KERROR_END_PANIC: by a panic
 * @KERROR_END_CUT: without a word: a reset, a hang, no power
 */
enum kerror_boot_end {
	KERROR_END_NONE,
	KERROR_END_CLEAN,
	KERROR_END_PANIC,
	KERROR_END_CUT
};

/**
 * struct kerror_boot - payload of %KERROR_MSG_BOOT
 * @boot: its name
 * @instance: of kerror.ko, each load of which is told of as a boot: its parameter of
 *	that name; 0 if it was built in
 * @time_realtime: CLOCK_REALTIME when the kernel started, nanoseconds
 * @time_boot: CLOCK_BOOTTIME of its last sign of life, nanoseconds; up to a second
 *	before the end, or more on an idle machine
 * @number: counts the boots that used this memory
 * @end: of enum kerror_boot_end
 * @overwritten: boots that made room for this one, and that nobody had taken
 * @release: of the kernel, with a NUL
 * @message: of the panic, with a NUL
 */
struct kerror_boot {
	__u8 boot[16];
	__u64 instance;
	__u64 time_realtime;
	__u64 time_boot;
	__u64 number;
	__u32 end;
	__u32 overwritten;
	char release[64];
	char message[240];
};

#endif /* _UAPI_LINUX_KERROR_H */
