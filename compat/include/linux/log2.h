/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.20 */
#include <kerror_compat.h>
