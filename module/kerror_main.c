// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerror.ko: the transport, for a kernel that a distribution ships. Runs what are
 * initcalls in a kernel with the series, in their order.
 *
 * Each socket of a reader and each module that raises events holds a reference. So
 * the module goes only when nothing uses it. Events are numbered anew after each load:
 * the parameter "instance" tells a reader which numbers those of its socket are.
 */
#define pr_fmt(fmt) "kerror: " fmt

#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include "../net/netlink/kerror_internal.h"

int __init initcall_kerror_early_init(void);
int __init initcall_kerror_init(void);
int __init initcall_kerror_late_init(void);

unsigned long long kerror_instance;
module_param_named(instance, kerror_instance, ullong, 0444);
MODULE_PARM_DESC(instance, "when it was loaded, in microseconds since boot; cannot be set");

static int __init kerror_module_init(void)
{
	int err;

	/* Before there can be a reader; whatever insmod was told */
	kerror_instance = ktime_to_us(ktime_get_boottime());
	initcall_kerror_early_init();
	err = initcall_kerror_init();
	if (!err && !kerror_sock) {
		pr_err("protocol %d is taken: does this kernel have the facility itself?\n",
		       NETLINK_KERROR);
		err = -EBUSY;
	}
	/* Empties the early rings, which go with what only this function needs. */
	initcall_kerror_late_init();
	if (err) {
		kerror_exit();
	} else if (kerror_cpus_pinned()) {
		pr_notice("stays until the next boot, rmmod will refuse: this kernel does not say how to take its callback for CPUs off\n");
		__module_get(THIS_MODULE);
	}
	return err;
}
module_init(kerror_module_init);

static void __exit kerror_module_exit(void)
{
	kerror_exit();
}
module_exit(kerror_module_exit);

MODULE_DESCRIPTION("Error events to user space (NETLINK_KERROR)");
MODULE_LICENSE("GPL");
