/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 6.10: cpuhp_setup_state() calls @startup for the CPUs that run already, if the state is
 * CPUHP_BP_PREPARE_DYN. Earlier kernels leave that out, except stable releases from
 * July 2024 on. The series has this file for any kernel that lacks hrtimer_setup().
 */
#ifndef KERROR_COMPAT_CPUHOTPLUG_H
#define KERROR_COMPAT_CPUHOTPLUG_H

#include <linux/cpuhotplug.h>

/* A macro, as <linux/cpu.h> would come before the pr_fmt() of the file. */
#define cpuhp_setup_state(state, name, startup, teardown)		\
({									\
	unsigned int __cpu;						\
	int __ret;							\
									\
	cpus_read_lock();						\
	__ret = cpuhp_setup_state_nocalls_cpuslocked(state, name,	\
						     startup, teardown);\
	if (__ret >= 0)							\
		for_each_online_cpu(__cpu)				\
			(startup)(__cpu);				\
	cpus_read_unlock();						\
	__ret;								\
})

#endif
