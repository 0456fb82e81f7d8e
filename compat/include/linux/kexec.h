/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.13 */
#include <kerror_compat.h>
