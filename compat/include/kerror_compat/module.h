/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a build as modules: a module has one initcall, so that those of its files
 * become functions, which module/kerror_main.c or module/evlog_main.c calls in
 * order. kerror_internal.h and evlog_internal.h include this.
 */
#ifndef KERROR_COMPAT_MODULE_H
#define KERROR_COMPAT_MODULE_H

#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/module.h>

#undef early_initcall
#undef subsys_initcall
#undef late_initcall
#define KERROR_INITCALL(function)					\
	int __init initcall_##function(void);				\
	int __init initcall_##function(void)				\
	{								\
		return function();					\
	}
#define early_initcall(function)	KERROR_INITCALL(function)
#define subsys_initcall(function)	KERROR_INITCALL(function)
#define late_initcall(function)		KERROR_INITCALL(function)

#endif
