/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names the device of an event as sd-journal does, so that programs find it in
 * udev's database. Only kernel/evlog.c includes this.
 */
#ifndef EVLOG_DEVICE_H
#define EVLOG_DEVICE_H

#include <linux/device.h>
#include <linux/kdev_t.h>
#include <linux/netdevice.h>
#include <linux/string.h>
#include "evlog_internal.h"

/*
 * Names @dev as sd-journal does. Returns the bytes with NUL, more than
 * EVL_DEVICE_MAX if it was cut.
 */
static size_t evl_device(const struct device *dev, char *text)
{
	const char *subsystem = dev->class ? dev->class->name :
				dev->bus ? dev->bus->name : "";
	int len;

	if (!strcmp(subsystem, "net"))
		len = snprintf(text, EVL_DEVICE_MAX, "n%d",
			       to_net_dev(dev)->ifindex);
	else if (MAJOR(dev->devt))
		len = snprintf(text, EVL_DEVICE_MAX, "%c%u:%u",
			       strcmp(subsystem, "block") ? 'c' : 'b',
			       MAJOR(dev->devt), MINOR(dev->devt));
	else
		len = snprintf(text, EVL_DEVICE_MAX, "+%s:%s", subsystem,
			       dev_name(dev));
	return len + 1;
}

#endif
