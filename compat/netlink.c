// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink as net/netlink/kerror.c uses it, on kernels before 3.0. There is one
 * socket.
 */
#include <kerror_compat/netlink.h>
#undef netlink_kernel_create
#undef netlink_dump_start

static struct sock *kerror_sk;
static void (*kerror_input)(struct sk_buff *skb);

/* 2.6.24: input gets one message, and not a queue of them. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 24)
static void receive_queue(struct sock *sk, int len)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->sk_receive_queue))) {
		kerror_input(skb);
		kfree_skb(skb);
	}
}
#endif

/**
 * kerror_compat_netlink_create - netlink_kernel_create() in all its shapes
 * @unit: number of the protocol
 * @cfg: groups and input
 *
 * Context: process. Return: the socket or NULL.
 */
struct sock *kerror_compat_netlink_create(int unit,
					  const struct netlink_kernel_cfg *cfg)
{
	kerror_input = cfg->input;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 24)
	kerror_sk = netlink_kernel_create(&init_net, unit, cfg->groups,
					  cfg->input, NULL, THIS_MODULE);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 22)
	kerror_sk = netlink_kernel_create(unit, cfg->groups, receive_queue,
					  NULL, THIS_MODULE);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 14)
	kerror_sk = netlink_kernel_create(unit, cfg->groups, receive_queue,
					  THIS_MODULE);
#else
	kerror_sk = netlink_kernel_create(unit, receive_queue);
#endif
	return kerror_sk;
}

static int broadcast(struct sock *sk, struct sk_buff *skb, u32 pid,
		     unsigned int group, gfp_t flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 14)
	NETLINK_CB(skb).dst_groups = KERROR_COMPAT_GROUP(group);
#else
	NETLINK_CB(skb).dst_group = group;
#endif
	return netlink_broadcast(sk, skb, pid, KERROR_COMPAT_GROUP(group), flags);
}

/*
 * 2.6.17: netlink_has_listeners(). A group gets each message, and its _BATCH
 * several at a time. All messages are sent to the group. They are sent to its
 * _BATCH, too, one by one, until a listener there has got one. From then on the
 * result of each batch tells whether a listener is left. One at a time sends.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 17)
static unsigned long kerror_batch_listeners;

/* The number of a group's _BATCH; 0 of one that is a _BATCH itself */
static unsigned int batch_of(unsigned int group)
{
	static const u8 batches[] = { [1] = 3, [2] = 4, [5] = 6 };

	return group < sizeof(batches) ? batches[group] : 0;
}

/**
 * kerror_compat_has_listeners - whether to send to a group
 * @group: number of the group, from 1
 *
 * Context: under kerror_drain_lock. Return: false if sending single messages finds it out.
 */
bool kerror_compat_has_listeners(unsigned int group)
{
	return batch_of(group) ||
	       (kerror_batch_listeners & (1UL << group));
}

static int broadcast_and_find_out(struct sock *sk, struct sk_buff *skb, u32 pid,
				  unsigned int group, gfp_t flags)
{
	unsigned int batch = batch_of(group);
	struct sk_buff *copy;
	int err;

	if (!batch) {
		err = broadcast(sk, skb, pid, group, flags);
		if (err == -ESRCH)
			kerror_batch_listeners &= ~(1UL << group);
		return err;
	}
	if (kerror_compat_has_listeners(batch))
		return broadcast(sk, skb, pid, group, flags);
	copy = skb_clone(skb, flags);
	err = broadcast(sk, skb, pid, group, flags);
	if (!copy || broadcast(sk, copy, pid, batch, flags) == -ESRCH)
		return err;
	kerror_batch_listeners |= 1UL << batch;
	return err == -ESRCH ? 0 : err;
}
#endif

/**
 * kerror_compat_multicast - send a message to a group
 * @sk: the socket
 * @skb: the message, which is taken over
 * @pid: who shall not get it
 * @group: number of the group, from 1
 * @flags: for allocations
 *
 * Context: under kerror_drain_lock. Return: 0 or -ESRCH or -ENOBUFS, as netlink_broadcast().
 */
int kerror_compat_multicast(struct sock *sk, struct sk_buff *skb, u32 pid,
			    unsigned int group, gfp_t flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 17)
	return broadcast_and_find_out(sk, skb, pid, group, flags);
#else
	return broadcast(sk, skb, pid, group, flags);
#endif
}

/* The one kind of dump that there is; set before it can run. */
static struct netlink_dump_control kerror_dump_control;

/*
 * 3.1: a buffer as large as a dump wants. Here it is a page, so fill one that
 * is large enough. Messages that fit go back to the caller in @skb. The others are
 * queued as the caller would do it; an empty message in @skb then says that the
 * dump goes on.
 *
 * Called under a spinlock before 2.6.21.
 */
static int dump_enlarged(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sock *sk = skb->sk;	/* whose memory it is: the reader's */
	struct sk_buff *enlarged;
	int size = 0;

	enlarged = alloc_skb(kerror_dump_control.min_dump_alloc, GFP_ATOMIC);
	if (!enlarged)
		goto again;
	size = kerror_dump_control.dump(enlarged, cb);
	if (size <= skb_tailroom(skb)) {
		if (size > 0)
			memcpy(skb_put(skb, size), enlarged->data, size);
		kfree_skb(enlarged);
		return size;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 32)
	if (sk_filter(sk, enlarged)) {
		kfree_skb(enlarged);
		goto again;
	}
#endif
	skb_set_owner_r(enlarged, sk);
	skb_queue_tail(&sk->sk_receive_queue, enlarged);
	sk->sk_data_ready(sk, size);
again:
	/* Read the queue, and the dump goes on from where it stands. */
	return nlmsg_put(skb, NETLINK_CB(cb->skb).pid, cb->nlh->nlmsg_seq,
			 NLMSG_NOOP, 0, NLM_F_MULTI) ? (int)skb->len : 0;
}

/* 2.6.16: had to be there */
static int dump_done(struct netlink_callback *cb)
{
	return 0;
}

/**
 * kerror_compat_dump_start - netlink_dump_start() that can enlarge its buffer
 * @sk: the socket
 * @skb: the request
 * @nlh: its header
 * @control: the function, and how much room it needs
 *
 * Context: process. Return: -EINTR if it was begun, else another errno.
 */
int kerror_compat_dump_start(struct sock *sk, struct sk_buff *skb,
			     const struct nlmsghdr *nlh,
			     const struct netlink_dump_control *control)
{
	int err;

	kerror_dump_control = *control;
	err = netlink_dump_start(sk, skb, (struct nlmsghdr *)nlh, dump_enlarged,
				 dump_done);
	return err ? err : -EINTR;
}
