/* SPDX-License-Identifier: GPL-2.0-only */
/* 2.6.18 */
#include <asm/uaccess.h>
