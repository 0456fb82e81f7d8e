// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures what raising an event costs, beside other ways to tell user space
 * of one, for the program bench in tools/testing/selftests/kerror.
 *
 * Two commands are written to /dev/evlog_bench:
 *
 *   cost WHAT CONTEXT LISTENERS BURST ROUNDS
 *	Times ROUNDS bursts of BURST calls in process, softirq or hardirq
 *	context, or on all CPUs at once ("all-cpus", hardirq), with so many
 *	listeners; a burst must fit where its events wait. Between two of them
 *	all is delivered and read. The next read of the same file gives the
 *	calls that failed, then picoseconds per call of each round.
 *   raise WHAT COUNT PAUSE
 *	Raises COUNT events in process context, with PAUSE microseconds after
 *	each. Their argument "since" is CLOCK_MONOTONIC right before the call.
 *
 * Promise: all ways to raise are called through the same pointer, with the
 * same arguments, in the same boot. Listeners are sockets as those of user
 * space, but read by this module, so that they cost nothing while it measures.
 */
#include <linux/atomic.h>
#include <linux/audit.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/evlog.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/platform_device.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/trace_events.h>
#include <linux/uaccess.h>
#include <net/netlink.h>
#include <net/sock.h>

#define CREATE_TRACE_POINTS
#include "test_evlog_trace.h"

#define FACILITY	"evlog_bench"
#define DEVICE		"eth0"
#define LISTENERS_MAX	32
#define ROUNDS_MAX	200
#define WARM_UP		2	/* rounds that are not counted */

/* The same events for all, of 0, 3 and 8 arguments. */
#define FORMAT_0	"queue stalled\n"
#define FORMAT_3	"queue %d stalled since %llu on %s\n"
#define FORMAT_8	"queue %d stalled since %llu on %s, %u of %lu, status %08x, %c%d\n"

/* Arguments of FORMAT_3 and _8 as evlog records them. */
#define RECORD_3	(8 + 12 + 4 + ALIGN(sizeof(DEVICE) - 1, 4))
#define RECORD_8	(RECORD_3 + 8 + 4 + sizeof(long) + 8 + 8 + 8)

static struct platform_device *device;
static struct sock *broadcaster;
static int broadcaster_number;
static const u8 payload[4096] = { 1, 2, 3 };

/*
 * The floor: a look at the clock and the event's bytes copied to where the
 * next one goes, as in a ring.
 */
static u8 floor_from[8192], floor_ring[65536];
static unsigned int floor_at;

static __always_inline void floor_copy(size_t size)
{
	u8 *to = floor_ring + floor_at;

	*(u64 *)floor_from = ktime_get_mono_fast_ns();
	memcpy(to, floor_from, size);
	floor_at += ALIGN(size, 8);
	if (floor_at > sizeof(floor_ring) - sizeof(floor_from))
		floor_at = 0;
}

/* A way to raise one event: the @i-th of its burst. Counts failures. */
typedef void bench_call(int i, u64 since, int *failed);

#define CALL(name, expression)						\
static noinline void name(int i, u64 since, int *failed)		\
{									\
	*failed += (expression) != 0;					\
}

/* Those that do not fail, or do not say so */
#define DO(name, ...)							\
static noinline void name(int i, u64 since, int *failed)		\
{									\
	__VA_ARGS__;							\
}

DO(call_nothing)
DO(call_clock, *(u64 *)floor_from = ktime_get_mono_fast_ns())
DO(call_floor_0, floor_copy(EVL_HEADER_SIZE + sizeof(FORMAT_0) - 1))
DO(call_floor_3, floor_copy(EVL_HEADER_SIZE + sizeof(FORMAT_3) - 1 + RECORD_3))
DO(call_floor_8, floor_copy(EVL_HEADER_SIZE + sizeof(FORMAT_8) - 1 + RECORD_8))
DO(call_floor_64, floor_copy(EVL_HEADER_SIZE + 64))
DO(call_floor_256, floor_copy(EVL_HEADER_SIZE + 256))
DO(call_floor_1024, floor_copy(EVL_HEADER_SIZE + 1024))
DO(call_floor_4096, floor_copy(EVL_HEADER_SIZE + 4096))
DO(call_floor_raw, floor_copy(64))
CALL(call_evl_0, evl_printf(FACILITY, 1, LOG_DEBUG, FORMAT_0))
CALL(call_evl_3, evl_printf(FACILITY, 1, LOG_DEBUG, FORMAT_3, i, since,
			    DEVICE))
CALL(call_evl_8, evl_printf(FACILITY, 1, LOG_DEBUG, FORMAT_8, i, since,
			    DEVICE, 17U, 4096UL, 0x80000123U, 'q', -1))
CALL(call_write_64, evl_write(FACILITY, 1, LOG_DEBUG, payload, 64,
			      EVL_FORMAT_BINARY))
CALL(call_write_256, evl_write(FACILITY, 1, LOG_DEBUG, payload, 256,
			       EVL_FORMAT_BINARY))
CALL(call_write_1024, evl_write(FACILITY, 1, LOG_DEBUG, payload, 1024,
				EVL_FORMAT_BINARY))
CALL(call_write_4096, evl_write(FACILITY, 1, LOG_DEBUG, payload, 4096,
				EVL_FORMAT_BINARY))
CALL(call_raw, kernel_error_event(payload, 64, KERROR_GROUP_RAW))
DO(call_printk_0, _printk(KERN_DEBUG FORMAT_0))
DO(call_printk_3, _printk(KERN_DEBUG FORMAT_3, i, since, DEVICE))
DO(call_printk_8, _printk(KERN_DEBUG FORMAT_8, i, since, DEVICE, 17U, 4096UL,
			  0x80000123U, 'q', -1))
DO(call_dev_printk, dev_info(&device->dev, FORMAT_3, i, since, DEVICE))

DO(call_trace_printk_0, trace_printk(FORMAT_0))
DO(call_trace_printk_3, trace_printk(FORMAT_3, i, since, DEVICE))
DO(call_trace_printk_8, trace_printk(FORMAT_8, i, since, DEVICE, 17U, 4096UL,
				     0x80000123U, 'q', -1))

DO(call_trace_event_3, trace_bench_3(i, since, DEVICE))
DO(call_trace_event_8, trace_bench_8(i, since, DEVICE, 17U, 4096UL,
				     0x80000123U, 'q', -1))
DO(call_audit, audit_log(NULL, GFP_ATOMIC, AUDIT_KERNEL_OTHER,
			 "op=stalled queue=%d since=%llu device=%s", i, since,
			 DEVICE))

static noinline void call_uevent(int i, u64 since, int *failed)
{
	char queue[24], when[32];
	char *env[5] = { "OP=stalled", queue, when, "DEVICE=" DEVICE };

	snprintf(queue, sizeof(queue), "QUEUE=%d", i);
	snprintf(when, sizeof(when), "SINCE=%llu", since);
	*failed += kobject_uevent_env(&device->dev.kobj, KOBJ_CHANGE, env) != 0;
}

/* As in the design of 2003: the caller broadcasts. */
static noinline void call_broadcast(int i, u64 since, int *failed)
{
	size_t size = EVL_HEADER_SIZE + sizeof(FORMAT_3) - 1 + RECORD_3;
	struct sk_buff *skb = alloc_skb(NLMSG_SPACE(size), GFP_ATOMIC);
	struct nlmsghdr *nlh;

	if (!skb) {
		++*failed;
		return;
	}
	nlh = nlmsg_put(skb, 0, i, NLMSG_MIN_TYPE, size, 0);
	*(u64 *)floor_from = ktime_get_mono_fast_ns();
	memcpy(nlmsg_data(nlh), floor_from, size);
	netlink_broadcast(broadcaster, skb, 0, 1, GFP_ATOMIC);
}

enum listened { NOBODY, KERROR, AUDIT, UEVENT, BROADCAST };
/* In the order in which less and less is allowed. */
enum context { PROCESS, SOFTIRQ, HARDIRQ, ALL_CPUS, CONTEXTS };

static const char *const context_names[] = {
	"process", "softirq", "hardirq", "all-cpus",
};

static const struct bench {
	const char *name;
	bench_call *call;
	enum listened listened;
	enum context most;	/* where it may be called */
} benches[] = {
	{ "nothing", call_nothing, NOBODY, ALL_CPUS },
	{ "clock", call_clock, NOBODY, ALL_CPUS },
	{ "floor_0", call_floor_0, NOBODY, ALL_CPUS },
	{ "floor_3", call_floor_3, NOBODY, ALL_CPUS },
	{ "floor_8", call_floor_8, NOBODY, ALL_CPUS },
	{ "floor_64", call_floor_64, NOBODY, ALL_CPUS },
	{ "floor_256", call_floor_256, NOBODY, ALL_CPUS },
	{ "floor_1024", call_floor_1024, NOBODY, ALL_CPUS },
	{ "floor_4096", call_floor_4096, NOBODY, ALL_CPUS },
	{ "floor_raw_64", call_floor_raw, NOBODY, ALL_CPUS },
	{ "evl_printf_0", call_evl_0, KERROR, ALL_CPUS },
	{ "evl_printf_3", call_evl_3, KERROR, ALL_CPUS },
	{ "evl_printf_8", call_evl_8, KERROR, ALL_CPUS },
	{ "evl_write_64", call_write_64, KERROR, ALL_CPUS },
	{ "evl_write_256", call_write_256, KERROR, ALL_CPUS },
	{ "evl_write_1024", call_write_1024, KERROR, ALL_CPUS },
	{ "evl_write_4096", call_write_4096, KERROR, ALL_CPUS },
	{ "kernel_error_event_64", call_raw, KERROR, ALL_CPUS },
	{ "printk_0", call_printk_0, NOBODY, ALL_CPUS },
	{ "printk_3", call_printk_3, NOBODY, ALL_CPUS },
	{ "printk_8", call_printk_8, NOBODY, ALL_CPUS },
	{ "dev_printk_3", call_dev_printk, NOBODY, ALL_CPUS },
	{ "trace_printk_0", call_trace_printk_0, NOBODY, ALL_CPUS },
	{ "trace_printk_3", call_trace_printk_3, NOBODY, ALL_CPUS },
	{ "trace_printk_8", call_trace_printk_8, NOBODY, ALL_CPUS },
	{ "trace_event_3", call_trace_event_3, NOBODY, ALL_CPUS },
	{ "trace_event_8", call_trace_event_8, NOBODY, ALL_CPUS },
	{ "audit_log_3", call_audit, AUDIT, ALL_CPUS },
	{ "kobject_uevent_3", call_uevent, UEVENT, PROCESS },
	{ "broadcast_3", call_broadcast, BROADCAST, SOFTIRQ },
};

static const struct bench *bench_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(benches); i++)
		if (!strcmp(name, benches[i].name))
			return &benches[i];
	return NULL;
}

/* ------------------------------------------------------------------ */
/* Listeners. */

struct listeners {
	struct socket *sock[LISTENERS_MAX];
	unsigned int number;
};

static void listeners_close(struct listeners *listeners)
{
	while (listeners->number)
		sock_release(listeners->sock[--listeners->number]);
}

static int listeners_open(struct listeners *listeners, unsigned int number,
			  enum listened listened)
{
	const struct {
		int protocol;
		u32 groups;
	} to[] = {
		[KERROR] = { NETLINK_KERROR,
			     KERROR_GROUP_RAW | KERROR_GROUP_EVLOG |
			     KERROR_GROUP_PRINTK },
		[AUDIT] = { NETLINK_AUDIT, BIT(AUDIT_NLGRP_READLOG - 1) },
		[UEVENT] = { NETLINK_KOBJECT_UEVENT, 1 },
		[BROADCAST] = { broadcaster_number, 1 },
	};
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = to[listened].groups,
	};
	struct socket *sock;
	int err = 0;

	while (!err && listeners->number < number) {
		err = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW,
				       to[listened].protocol, &sock);
		if (err)
			break;
		listeners->sock[listeners->number++] = sock;
		sock->sk->sk_rcvbuf = SZ_16M;
		/* The type of its second argument differs between releases. */
		err = kernel_bind(sock, (void *)&address, sizeof(address));
	}
	if (err)
		listeners_close(listeners);
	return err;
}

/* Reads all there is. */
static void listeners_read(struct listeners *listeners)
{
	unsigned int i;
	int size;

	for (i = 0; i < listeners->number; i++) {
		do {
			struct msghdr message = { .msg_flags = MSG_DONTWAIT };

			size = kernel_recvmsg(listeners->sock[i], &message,
					      NULL, 0, 0, MSG_DONTWAIT);
		} while (size >= 0 || size == -ENOBUFS);
	}
}

/* ------------------------------------------------------------------ */
/* Caller's cost. */

struct burst {
	struct irq_work work;
	struct tasklet_struct tasklet;
	struct completion done;
	bench_call *call;
	int size;
	atomic_t cpus;
	atomic_t failed;
	atomic64_t time;
};

struct result {
	unsigned int failed, rounds;
	u64 picoseconds[ROUNDS_MAX];
};

/* In the context that is to be measured, preemption disabled. */
static void burst_run(struct burst *burst)
{
	bench_call *call = burst->call;
	int failed = 0, i;
	u64 start;

	start = ktime_get_mono_fast_ns();
	for (i = 0; i < burst->size; i++)
		call(i, start, &failed);
	atomic64_add(ktime_get_mono_fast_ns() - start, &burst->time);
	atomic_add(failed, &burst->failed);
}

static void burst_in_softirq(struct tasklet_struct *tasklet)
{
	struct burst *burst = from_tasklet(burst, tasklet, tasklet);

	burst_run(burst);
	complete(&burst->done);
}

static void burst_in_hardirq(struct irq_work *work)
{
	struct burst *burst = container_of(work, struct burst, work);

	burst_run(burst);
	complete(&burst->done);
}

/* Hard interrupt on each CPU, at the same time. */
static void burst_on_cpu(void *data)
{
	struct burst *burst = data;

	atomic_inc(&burst->cpus);
	while (atomic_read(&burst->cpus) < num_online_cpus())
		cpu_relax();
	burst_run(burst);
}

/* Returns the nanoseconds that it took, on average of the CPUs. */
static u64 burst_in(struct burst *burst, enum context context)
{
	atomic64_set(&burst->time, 0);
	reinit_completion(&burst->done);
	switch (context) {
	case HARDIRQ:
		irq_work_queue(&burst->work);
		wait_for_completion(&burst->done);
		break;
	case SOFTIRQ:
		tasklet_schedule(&burst->tasklet);
		wait_for_completion(&burst->done);
		break;
	case ALL_CPUS:
		cpus_read_lock();
		atomic_set(&burst->cpus, 0);
		on_each_cpu(burst_on_cpu, burst, 1);
		cpus_read_unlock();
		return div_u64(atomic64_read(&burst->time),
			       atomic_read(&burst->cpus));
	default:
		preempt_disable();
		burst_run(burst);
		preempt_enable();
	}
	return atomic64_read(&burst->time);
}

static int measure(struct result *result, const struct bench *bench,
		   enum context context, unsigned int number, int size,
		   int rounds)
{
	struct listeners *listeners = kzalloc(sizeof(*listeners), GFP_KERNEL);
	struct burst burst = {
		.work = IRQ_WORK_INIT_HARD(burst_in_hardirq),
		.call = bench->call,
		.size = size,
	};
	int i, err = listeners ? 0 : -ENOMEM;
	u64 time;

	if (!err && number)
		err = listeners_open(listeners, number, bench->listened);
	tasklet_setup(&burst.tasklet, burst_in_softirq);
	init_completion(&burst.done);
	for (i = -WARM_UP; !err && i < rounds; i++) {
		time = burst_in(&burst, context);
		if (i >= 0)
			result->picoseconds[i] = div_u64(time * 1000, size);
		/* The worker delivers, and what it has freed is freed. */
		msleep(20);
		listeners_read(listeners);
		if (signal_pending(current))
			err = -EINTR;
	}
	irq_work_sync(&burst.work);
	tasklet_kill(&burst.tasklet);
	if (listeners)
		listeners_close(listeners);
	kfree(listeners);
	result->failed = atomic_read(&burst.failed);
	result->rounds = rounds;
	return err;
}

/* ------------------------------------------------------------------ */
/* The device. */

static int raise_for_readers(const struct bench *bench, int count, int pause)
{
	int i, failed = 0;

	for (i = 0; i < count && !signal_pending(current); i++) {
		bench->call(i, ktime_get_ns(), &failed);
		if (pause)
			usleep_range(pause, pause + pause / 8);
		else
			cond_resched();
	}
	return i < count ? -EINTR : 0;
}

static ssize_t bench_command(struct file *file, const char __user *buffer,
			     size_t size, loff_t *at)
{
	char line[128], what[32], where[16];
	struct result *result = file->private_data;
	const struct bench *bench;
	unsigned int number;
	int context, burst, rounds, err;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, buffer, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "raise %31s %d %d", what, &burst, &rounds) == 3) {
		bench = bench_named(what);
		if (!bench)
			return -ENOENT;
		err = raise_for_readers(bench, burst, rounds);
		return err ? err : size;
	}
	if (sscanf(line, "cost %31s %15s %u %d %d", what, where, &number,
		   &burst, &rounds) != 5)
		return -EINVAL;
	bench = bench_named(what);
	context = match_string(context_names, CONTEXTS, where);
	if (!bench || context < 0)
		return -ENOENT;
	if (context > bench->most || (number && bench->listened == NOBODY))
		return -EOPNOTSUPP;
	if (number > LISTENERS_MAX || burst < 1 || rounds < 1 ||
	    rounds > ROUNDS_MAX)
		return -ERANGE;
	err = measure(result, bench, context, number, burst, rounds);
	return err ? err : size;
}

static ssize_t bench_result(struct file *file, char __user *buffer,
			    size_t size, loff_t *at)
{
	struct result *result = file->private_data;
	char *text = kmalloc(SZ_4K, GFP_KERNEL);
	unsigned int i;
	ssize_t done;
	int length;

	if (!text)
		return -ENOMEM;
	length = scnprintf(text, SZ_4K, "%u", result->failed);
	for (i = 0; i < result->rounds; i++)
		length += scnprintf(text + length, SZ_4K - length, " %llu",
				    result->picoseconds[i]);
	length += scnprintf(text + length, SZ_4K - length, "\n");
	done = simple_read_from_buffer(buffer, size, at, text, length);
	kfree(text);
	return done;
}

static int bench_open(struct inode *inode, struct file *file)
{
	struct result *result = kzalloc(sizeof(*result), GFP_KERNEL);

	file->private_data = result;
	return result ? 0 : -ENOMEM;
}

static int bench_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations bench_operations = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.release = bench_release,
	.read = bench_result,
	.write = bench_command,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = FACILITY,
	.fops = &bench_operations,
	.mode = 0600,
};

static int __init bench_init(void)
{
	struct netlink_kernel_cfg cfg = { .groups = 1 };
	int err;

	/* Any protocol that this kernel has not. */
	for (broadcaster_number = MAX_LINKS - 1;
	     broadcaster_number > NETLINK_KERROR && !broadcaster;
	     broadcaster_number -= !broadcaster)
		broadcaster = netlink_kernel_create(&init_net,
						    broadcaster_number, &cfg);
	if (!broadcaster)
		return -EBUSY;
	device = platform_device_register_simple(FACILITY, -1, NULL, 0);
	err = PTR_ERR_OR_ZERO(device);
	if (err)
		goto no_device;
	err = trace_set_clr_event("test_evlog_bench", NULL, 1);
	if (!err)
		err = misc_register(&bench_device);
	if (!err)
		return 0;
	platform_device_unregister(device);
no_device:
	netlink_kernel_release(broadcaster);
	return err;
}

static void __exit bench_exit(void)
{
	misc_deregister(&bench_device);
	trace_set_clr_event("test_evlog_bench", NULL, 0);
	platform_device_unregister(device);
	netlink_kernel_release(broadcaster);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Measures what an event costs");
MODULE_LICENSE("GPL");
