/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file: what the kernel's configuration and its netlink.h say
 * in a kernel with the series.
 */
#ifndef KERROR_MODULE_H
#define KERROR_MODULE_H

#define CONFIG_KERROR			1
#define CONFIG_KERROR_STAGING_KB	256
#define CONFIG_KERROR_HISTORY_KB	1024
#define CONFIG_KERROR_PERSIST		1
#define CONFIG_EVLOG			1
#define CONFIG_KERROR_PRINTK		1
#define CONFIG_KERROR_PRINTK_LEVEL	8

#define NETLINK_KERROR			27

#endif
