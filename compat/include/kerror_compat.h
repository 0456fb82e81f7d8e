/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NETLINK_KERROR and evlog on Linux 2.6: what their sources use and these
 * kernels do not have.
 *
 * The series force-includes this file into the objects that it adds to an old
 * kernel; nothing else in the project knows of kernel versions. Drivers need
 * only <linux/evlog.h>, which gets <kerror_compat/driver.h> by way of the
 * stand-in for <linux/stdarg.h>. Each shim names the release from which it is
 * not needed. It is left out if the kernel has the thing, and where that cannot
 * be seen from its name, by version.
 *
 * compat/include/linux/ and net/ hold stand-ins for headers that came later.
 * They are searched after the kernel's own.
 */
#ifndef KERROR_COMPAT_H
#define KERROR_COMPAT_H

#include <kerror_compat/driver.h>
#include <kerror_compat/kernel.h>
#include <kerror_compat/atomic.h>
#include <kerror_compat/task.h>
#include <kerror_compat/clock.h>
#include <kerror_compat/memory.h>
#include <kerror_compat/parameter.h>
#include <kerror_compat/device.h>
#include <kerror_compat/printk.h>

#endif
