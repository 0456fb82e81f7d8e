/* SPDX-License-Identifier: GPL-2.0-only */
/* 4.0 */
#include <kerror_compat.h>
