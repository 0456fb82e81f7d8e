/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.23 */
#include <kerror_compat.h>
