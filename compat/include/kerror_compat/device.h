/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices and their names. */
#ifndef KERROR_COMPAT_DEVICE_H
#define KERROR_COMPAT_DEVICE_H

#include <linux/device.h>
#include <linux/kdev_t.h>
#include <linux/netdevice.h>

/* 2.6.26; 2.6.27: of a const device */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 27)
#define dev_name(dev)	((dev)->bus_id)
#endif

/*
 * 2.6.21: before, a device has neither class nor number, so this stands in for
 * kernel/evlog_device.h.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 21)
#define EVLOG_DEVICE_H
#define EVL_DEVICE_MAX	128

static inline size_t evl_device(const struct device *dev, char *text)
{
	return snprintf(text, EVL_DEVICE_MAX, "+%s:%s",
			dev->bus ? dev->bus->name : "", dev_name(dev)) + 1;
}
#endif

/* 5.9 */
struct dev_printk_info {
	char subsystem[16];
	char device[48];
};

/* 3.6 */
#ifndef PLATFORM_DEVID_NONE
#define PLATFORM_DEVID_NONE	(-1)
#endif

#endif
