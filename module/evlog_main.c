// SPDX-License-Identifier: GPL-2.0-only
/*
 * evlog.ko: structured events of drivers, and of the messages of printk(), for a
 * kernel that a distribution ships. Runs what are initcalls in a kernel with the
 * series, and puts a tap in the place of the hook in printk().
 */
#define pr_fmt(fmt) "evlog: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include "../kernel/evlog_internal.h"
#include "tap.h"

int __init initcall_evl_init(void);
int __init initcall_evl_cache_init(void);
int __init initcall_evl_cpu_init(void);

static int __init evlog_module_init(void)
{
	initcall_evl_init();
	initcall_evl_cache_init();
	initcall_evl_cpu_init();
	if (evl_cpu_pinned()) {
		pr_notice("stays until the next boot, rmmod will refuse: this kernel does not say how to take its callback for CPUs off\n");
		__module_get(THIS_MODULE);
	}
	evl_tap_init();
	return 0;
}
module_init(evlog_module_init);

static void __exit evlog_module_exit(void)
{
	evl_tap_exit();
	/* Events that wait are printed as text, if at all. */
	kerror_sync();
	kerror_set_printer(NULL);
	/* The printer is called, and messages are recorded, in RCU read sections. */
	synchronize_rcu();
	evl_cpu_exit();
	evl_cache_exit();
}
module_exit(evlog_module_exit);

MODULE_DESCRIPTION("Structured events of drivers and of printk() (evlog)");
MODULE_LICENSE("GPL");
