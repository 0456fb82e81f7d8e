// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures printk(), for the guest script "cost". It needs nothing of the facility, so
 * that it measures without it, too.
 *
 * Reading the parameter "ns" prints messages in turns, and gives the nanoseconds that
 * one took in the fastest turn.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>

/* A turn is shorter than a tick, and a pause after it lets events be delivered. */
#define TURNS		50
#define MESSAGES	100

static int ns_get(char *buffer, const struct kernel_param *kp)
{
	u64 start, best = U64_MAX;
	int turn, i;

	for (turn = 0; turn < TURNS; turn++) {
		start = ktime_get_ns();
		for (i = 0; i < MESSAGES; i++)
			pr_info("cost: %d of %#x in %s\n", i, MESSAGES,
				current->comm);
		best = min(best, ktime_get_ns() - start);
		msleep(20);
	}
	return sprintf(buffer, "%llu\n", best / MESSAGES);
}

static const struct kernel_param_ops ns_ops = { .get = ns_get };

module_param_cb(ns, &ns_ops, NULL, 0400);
MODULE_PARM_DESC(ns, "nanoseconds of one printk(), when it is read");

MODULE_DESCRIPTION("Measures printk()");
MODULE_LICENSE("GPL");
