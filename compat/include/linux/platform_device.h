/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.15: before, in linux/device.h, and until 2.6.8 without a short form. */
#ifndef KERROR_COMPAT_PLATFORM_DEVICE_H
#define KERROR_COMPAT_PLATFORM_DEVICE_H

#include <kerror_compat.h>
#include <linux/device.h>
#include <linux/slab.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 8)
static inline void kerror_compat_device_release(struct device *dev)
{
	kfree(to_platform_device(dev));
}

static inline struct platform_device *
platform_device_register_simple(char *name, unsigned int id,
				struct resource *resources, unsigned int number)
{
	struct platform_device *device = kmalloc(sizeof(*device), GFP_KERNEL);
	int err;

	if (!device)
		return ERR_PTR(-ENOMEM);
	memset(device, 0, sizeof(*device));
	device->name = name;
	/* Each device has a number. */
	device->id = id == (unsigned int)-1 ? 0 : id;
	device->dev.release = kerror_compat_device_release;
	err = platform_device_register(device);
	if (err) {
		kfree(device);
		return ERR_PTR(err);
	}
	return device;
}
#endif

#endif
