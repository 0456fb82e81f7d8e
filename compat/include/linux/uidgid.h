/* SPDX-License-Identifier: GPL-2.0-only */
/* 3.5 */
#include <kerror_compat.h>
