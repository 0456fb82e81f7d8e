/* SPDX-License-Identifier: GPL-2.0-only */
/* For kernel/test_evlog.c only. */
#ifndef KERROR_COMPAT_TEST_H
#define KERROR_COMPAT_TEST_H

#include <kerror_compat.h>

/* 5.4 */
#define fallthrough do { } while (0)

/* 3.2: there is no source of NMIs to test with. */
#define NMI_LOCAL	0
#define NMI_DONE	0
#define register_nmi_handler(type, handler, flags, name) \
	((void)(handler), -EOPNOTSUPP)
#define unregister_nmi_handler(type, name) do { } while (0)

/* 3.11 */
#define atomic_dec_if_positive(v) (atomic_read(v) - 1)

#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 4)
static struct {
	int (*function)(void *data);
	void *data;
} kerror_compat_bound[NR_CPUS];

static int kerror_compat_bind(void *cpu)
{
	set_cpus_allowed(current, cpumask_of_cpu((long)cpu));
	return kerror_compat_bound[(long)cpu].function(
		kerror_compat_bound[(long)cpu].data);
}
#endif

/* 3.10: @name has one number in it, that of the CPU. */
static inline struct task_struct *
kthread_create_on_cpu(int (*function)(void *), void *data, unsigned int cpu,
		      const char *name)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 4)
	/* Starts at once. */
	kerror_compat_bound[cpu].function = function;
	kerror_compat_bound[cpu].data = data;
	return kthread_run(kerror_compat_bind, (void *)(long)cpu, "test_evlog");
#else
	struct task_struct *task = kthread_create(function, data, name, cpu);

	if (!IS_ERR(task))
		kthread_bind(task, cpu);
	return task;
#endif
}

#endif
