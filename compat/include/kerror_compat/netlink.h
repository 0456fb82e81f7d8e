/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's side of a netlink socket; compat/netlink.c. */
#ifndef KERROR_COMPAT_NETLINK_H
#define KERROR_COMPAT_NETLINK_H

#include <kerror_compat.h>
#include <kerror_compat/region.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <net/sock.h>

struct net;

/* 2.6.38: until then nobody has it. */
#ifndef CAP_SYSLOG
#define CAP_SYSLOG	CAP_SYS_ADMIN
#define KERROR_COMPAT_NO_CAP_SYSLOG
#endif

/* 3.6; 3.10 */
#define NL_CFG_F_NONROOT_RECV	1

struct netlink_kernel_cfg {
	unsigned int groups;
	unsigned int flags;
	void (*input)(struct sk_buff *skb);
	/* Not called: who joins a group needs CAP_NET_ADMIN (3.16). */
	int (*bind)(struct net *net, int group);
};

/* 3.1; 4.5: start() */
struct netlink_dump_control {
	int (*start)(struct netlink_callback *cb);
	int (*dump)(struct sk_buff *skb, struct netlink_callback *cb);
	int (*done)(struct netlink_callback *cb);
	u32 min_dump_alloc;
};

struct sock *kerror_compat_netlink_create(int unit,
					  const struct netlink_kernel_cfg *cfg);
int kerror_compat_dump_start(struct sock *sk, struct sk_buff *skb,
			     const struct nlmsghdr *nlh,
			     const struct netlink_dump_control *control);
int kerror_compat_multicast(struct sock *sk, struct sk_buff *skb, u32 pid,
			    unsigned int group, gfp_t flags);

#define netlink_kernel_create(net, unit, cfg) \
	kerror_compat_netlink_create(unit, cfg)
#define netlink_dump_start(sk, skb, nlh, control) \
	kerror_compat_dump_start(sk, skb, nlh, control)

/* 4.12 */
#define netlink_ack(skb, nlh, err, extack) \
	netlink_ack(skb, (struct nlmsghdr *)(nlh), err)

/* 3.7: the name of the port's number */
#define portid pid

/* 3.16 */
static inline bool netlink_capable(struct sk_buff *skb, int capability)
{
#ifdef KERROR_COMPAT_NO_CAP_SYSLOG
	/* The right to join a group is the right to ask about it. */
	if (capability == CAP_SYSLOG)
		capability = CAP_NET_ADMIN;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 18)
	return !security_netlink_recv(skb, capability);
#else
	return capability == CAP_NET_ADMIN && !security_netlink_recv(skb);
#endif
}

/* 2.6.26; without bind(), nothing asks */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 26)
#define net_eq(net1, net2)	1
#endif

/* 2.6.17: before, only sending tells whether somebody listens. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 17)
bool kerror_compat_has_listeners(unsigned int group);
#define netlink_has_listeners(sk, group) kerror_compat_has_listeners(group)
#endif

/* 2.6.14: groups were a mask; 2.6.30: the error was positive */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 14)
#define KERROR_COMPAT_GROUP(group)	(1U << ((group) - 1))
#else
#define KERROR_COMPAT_GROUP(group)	(group)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 30)
#define netlink_set_err(sk, pid, group, err) \
	netlink_set_err(sk, pid, KERROR_COMPAT_GROUP(group), -(err))
#endif

/* 2.6.22 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 22)
#define nlmsg_hdr(skb)		((struct nlmsghdr *)(skb)->data)
#endif

#ifndef NLMSG_MIN_TYPE		/* 2.6.15 */
#define NLMSG_MIN_TYPE		0x10
#endif
#ifndef NLMSG_HDRLEN
#define NLMSG_HDRLEN		((int)NLMSG_ALIGN(sizeof(struct nlmsghdr)))
#endif

/* 2.6.15: net/netlink.h; its functions changed until 2.6.20 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 15)
#include <net/netlink.h>
#endif

#define nlmsg_new(size, flags)	alloc_skb(NLMSG_SPACE(size), flags)
#define nlmsg_multicast(sk, skb, pid, group, flags) \
	kerror_compat_multicast(sk, skb, pid, group, flags)
#define nlmsg_unicast(sk, skb, pid) \
	netlink_unicast(sk, skb, pid, MSG_DONTWAIT)

#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 15)
#define nlmsg_data(nlh)		NLMSG_DATA(nlh)
#define nlmsg_len(nlh)		((int)(nlh)->nlmsg_len - NLMSG_HDRLEN)

static inline struct nlmsghdr *nlmsg_put(struct sk_buff *skb, u32 pid, u32 seq,
					 int type, int size, int flags)
{
	struct nlmsghdr *nlh;

	if (skb_tailroom(skb) < (int)NLMSG_SPACE(size))
		return NULL;
	nlh = (struct nlmsghdr *)skb_put(skb, NLMSG_SPACE(size));
	memset(nlh, 0, NLMSG_SPACE(size));
	nlh->nlmsg_len = NLMSG_LENGTH(size);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_pid = pid;
	return nlh;
}
#endif

#endif
