/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.15 */
#include <kerror_compat/netlink.h>
