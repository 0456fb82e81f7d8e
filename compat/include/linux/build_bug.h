/* SPDX-License-Identifier: GPL-2.0-only */
/* 4.13 */
#include <kerror_compat.h>
