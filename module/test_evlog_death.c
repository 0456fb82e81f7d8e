// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends tasks in the midst of the tap, for the guest script "death": each prints, and a
 * probe on what makes an event of its message has a fault.
 *
 * Writing N to the parameter "deaths" ends N threads on CPU 0, one after the other.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
static struct task_struct *victim;
static DECLARE_COMPLETION(begun);

static void notrace death_probe(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	/* Messages of the fault itself have none. */
	if (cmpxchg(&victim, current, NULL) == current)
		WRITE_ONCE(*(int *)NULL, 0);
}

static struct ftrace_ops death_ops = { .func = death_probe };

static int death_thread(void *unused)
{
	complete(&begun);
	pr_info("last words\n");
	return 0;
}

static int deaths_set(const char *value, const struct kernel_param *kp)
{
	unsigned int deaths;
	struct task_struct *task;
	int err = kstrtouint(value, 0, &deaths) ?:
		  ftrace_set_filter(&death_ops, "evl_message", strlen("evl_message"), 1) ?:
		  register_ftrace_function(&death_ops);

	if (err)
		return err;
	while (deaths--) {
		task = kthread_create(death_thread, NULL, "death");
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		kthread_bind(task, 0);
		get_task_struct(task);
		WRITE_ONCE(victim, task);
		wake_up_process(task);
		wait_for_completion(&begun);
		/* Waits for its end, however it comes. */
		kthread_stop(task);
		put_task_struct(task);
		if (READ_ONCE(victim))
			err = -EIO;
	}
	unregister_ftrace_function(&death_ops);
	return err;
}
#else
static int deaths_set(const char *value, const struct kernel_param *kp)
{
	return -EOPNOTSUPP;
}
#endif

static const struct kernel_param_ops deaths_ops = { .set = deaths_set };

module_param_cb(deaths, &deaths_ops, NULL, 0200);
MODULE_PARM_DESC(deaths, "how many threads end in the tap, when it is written");

MODULE_DESCRIPTION("Ends tasks in the tap of evlog.ko");
MODULE_LICENSE("GPL");
