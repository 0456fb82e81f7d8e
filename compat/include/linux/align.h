/* SPDX-License-Identifier: GPL-2.0-only */
/* 5.8 */
#include <kerror_compat.h>
