/* SPDX-License-Identifier: GPL-2.0-only */
/* 5.15 */
#include <kerror_compat/driver.h>
