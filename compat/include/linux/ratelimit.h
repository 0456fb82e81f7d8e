/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.27 */
#include <kerror_compat/driver.h>
