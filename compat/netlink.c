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

/* The kinds of dumps that were asked for; each has a function of its own below. */
#define DUMPS	3

static struct netlink_dump_control kerror_dumps[DUMPS];
static DEFINE_SPINLOCK(kerror_dumps_lock);

/* Of a dump with a start(), which has none of its own there: whether it has run */
#define STARTED	3

/*
 * 3.1: a buffer as large as a dump wants. Here it is a page, so fill one that
 * is large enough. Messages that fit go back to the caller in @skb. The others are
 * queued as the caller would do it; an empty message in @skb then says that the
 * dump goes on.
 *
 * Called under a spinlock before 2.6.21.
 */
static int dump_enlarged(const struct netlink_dump_control *control,
			 struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sock *sk = skb->sk;	/* whose memory it is: the reader's */
	struct sk_buff *enlarged;
	int size = 0;

	if (control->start && !cb->args[STARTED]) {
		size = control->start(cb);
		if (size)
			return size;
		cb->args[STARTED] = 1;
	}
	enlarged = alloc_skb(max_t(u32, control->min_dump_alloc, PAGE_SIZE),
			     GFP_ATOMIC);
	if (!enlarged)
		goto again;
	size = control->dump(enlarged, cb);
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
static int dump_done(const struct netlink_dump_control *control,
		     struct netlink_callback *cb)
{
	if (!control->done || (control->start && !cb->args[STARTED]))
		return 0;
	return control->done(cb);
}

/* Before 3.1 nothing but its functions tells of which kind a dump is. */
#define DUMP(kind)							\
static int dump_##kind(struct sk_buff *skb, struct netlink_callback *cb) \
{									\
	return dump_enlarged(&kerror_dumps[kind], skb, cb);		\
}									\
									\
static int done_##kind(struct netlink_callback *cb)			\
{									\
	return dump_done(&kerror_dumps[kind], cb);			\
}

DUMP(0)
DUMP(1)
DUMP(2)

static int (*const dump_functions[DUMPS])(struct sk_buff *skb,
					  struct netlink_callback *cb) = {
	dump_0, dump_1, dump_2,
};

static int (*const done_functions[DUMPS])(struct netlink_callback *cb) = {
	done_0, done_1, done_2,
};

/* Of a kind is what has the same function. */
static int kind_of(const struct netlink_dump_control *control)
{
	int kind = 0;

	spin_lock(&kerror_dumps_lock);
	while (kind < DUMPS && kerror_dumps[kind].dump &&
	       kerror_dumps[kind].dump != control->dump)
		kind++;
	if (kind < DUMPS && !kerror_dumps[kind].dump)
		kerror_dumps[kind] = *control;
	spin_unlock(&kerror_dumps_lock);
	return kind;
}

/**
 * kerror_compat_dump_start - netlink_dump_start() that can enlarge its buffer
 * @sk: the socket
 * @skb: the request
 * @nlh: its header
 * @control: its functions, and how much room it needs
 *
 * 4.5: an error of start() is that of the request. So it is tried here; the dump
 * starts again by itself, as there is nothing that both know.
 *
 * Context: process. Return: -EINTR if it was begun, else another errno.
 */
int kerror_compat_dump_start(struct sock *sk, struct sk_buff *skb,
			     const struct nlmsghdr *nlh,
			     const struct netlink_dump_control *control)
{
	struct netlink_callback trial = {
		.skb = skb,
		.nlh = (struct nlmsghdr *)nlh,
	};
	int kind = kind_of(control);
	int err;

	if (kind == DUMPS)
		return -EOPNOTSUPP;
	if (control->start) {
		err = control->start(&trial);
		if (err)
			return err;
		control->done(&trial);
	}
	err = netlink_dump_start(sk, skb, (struct nlmsghdr *)nlh,
				 dump_functions[kind], done_functions[kind]);
	return err ? err : -EINTR;
}
