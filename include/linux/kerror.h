/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transport of error events to user space: in-kernel interface.
 *
 * For code that sends bytes of a format of its own. A driver that has a message
 * wants <linux/evlog.h>. The protocol is in <uapi/linux/kerror.h>, the
 * implementation in net/netlink/kerror.c.
 */
#ifndef _LINUX_KERROR_H
#define _LINUX_KERROR_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <uapi/linux/kerror.h>

/*
 * Flag for kerror_reserve(), beside the groups: the data begins with two u64, which
 * the worker sets to the event's CLOCK_REALTIME and CLOCK_BOOTTIME in nanoseconds.
 * The caller reads one clock only.
 */
#define KERROR_STAMPED		0x80000000U

struct kerror_record;
struct kerror_ring;

/**
 * struct kerror_reservation - room for one event, between reserve and commit
 * @data: where to write the event; zeroed
 * @record: private to the transport
 * @ring: private to the transport
 * @cause: if there was no room, what to count the event as lost under
 */
struct kerror_reservation {
	void *data;
	struct kerror_record *record;
	struct kerror_ring *ring;
	enum kerror_cause cause;
};

#ifdef CONFIG_KERROR

int kernel_error_event(const void *data, size_t len, unsigned int groups);
int kernel_error_event_iov(const struct iovec *iov, unsigned int nseg,
			   unsigned int groups);

int kerror_reserve(struct kerror_reservation *reservation, size_t size,
		   unsigned int groups);
void kerror_commit(struct kerror_reservation *reservation, size_t used);
void kerror_count_lost(unsigned int groups, enum kerror_cause cause);
bool kerror_is_printing(void);
void kerror_sync(void);

void kerror_set_printer(bool (*printer)(const void *data, size_t len));

#else /* CONFIG_KERROR */

static inline int kernel_error_event(const void *data, size_t len,
				     unsigned int groups)
{
	return -ENOSYS;
}

static inline int kernel_error_event_iov(const struct iovec *iov,
					 unsigned int nseg,
					 unsigned int groups)
{
	return -ENOSYS;
}

#endif /* CONFIG_KERROR */

#endif /* _LINUX_KERROR_H */
