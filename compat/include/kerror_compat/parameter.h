/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module parameters with functions of their own. Before 2.6.10 they can only be
 * set when the kernel boots or the module is loaded.
 */
#ifndef KERROR_COMPAT_PARAMETER_H
#define KERROR_COMPAT_PARAMETER_H

#include <linux/module.h>
#include <linux/moduleparam.h>

/* 2.6.36 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 36)
struct kernel_param_ops {
	int (*set)(const char *value, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};
#endif

/* 4.4: the newline is of the function. */
static inline int kerror_compat_no_newline(char *buffer, int length)
{
	if (length > 0 && buffer[length - 1] == '\n')
		buffer[--length] = '\0';
	return length;
}

/* 2.6.36: takes a pointer to const */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 36)
#define param_set_uint(value, kp) param_set_uint(value, (void *)(kp))
#endif

#undef module_param_cb
#define module_param_cb(name, ops, arg, perm)				\
static int kerror_compat_set_##name(const char *value,			\
				    struct kernel_param *kp)		\
{									\
	return (ops)->set ? (ops)->set(value, (void *)kp) : -EPERM;	\
}									\
static int kerror_compat_get_##name(char *buffer, struct kernel_param *kp) \
{									\
	return (ops)->get ?						\
	       kerror_compat_no_newline(buffer, (ops)->get(buffer, (void *)kp)) : \
	       -EPERM;							\
}									\
module_param_call(name, kerror_compat_set_##name,			\
		  kerror_compat_get_##name, arg, perm)

#endif
