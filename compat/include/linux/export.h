/* SPDX-License-Identifier: GPL-2.0-only */
/* 3.2 */
#include <kerror_compat.h>
