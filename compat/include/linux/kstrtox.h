/* SPDX-License-Identifier: GPL-2.0-only */
/* 5.13 */
#include <kerror_compat.h>
