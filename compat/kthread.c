// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel threads that can be stopped, for kernels before 2.6.4. One at a time
 * is created, and one stopped. And before 2.6.7, for modules.
 */
#include <kerror_compat.h>
#include <linux/module.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 4)
static DECLARE_MUTEX(kthread_lock);
static struct task_struct *kthread_stopping;
static struct completion kthread_exited;

struct kthread_start {
	int (*function)(void *data);
	void *data;
	const char *name;
	struct task_struct *task;
	struct completion started;
};

static int kthread_begin(void *argument)
{
	struct kthread_start *start = argument;
	int (*function)(void *data) = start->function;
	void *data = start->data;

	daemonize("%s", start->name);
	start->task = current;
	complete(&start->started);
	function(data);
	if (kthread_stopping == current)
		complete_and_exit(&kthread_exited, 0);
	return 0;
}

/**
 * kthread_run - create and start a thread
 * @function: runs until it finds kthread_should_stop()
 * @data: its argument
 * @name: without conversions
 *
 * Context: process. Return: the thread or an ERR_PTR().
 */
struct task_struct *kthread_run(int (*function)(void *data), void *data,
				const char *name)
{
	struct kthread_start start = {
		.function = function, .data = data, .name = name,
	};
	int pid;

	init_completion(&start.started);
	pid = kernel_thread(kthread_begin, &start,
			    CLONE_FS | CLONE_FILES | SIGCHLD);
	if (pid < 0)
		return ERR_PTR(pid);
	wait_for_completion(&start.started);
	return start.task;
}
EXPORT_SYMBOL_GPL(kthread_run);

/** kthread_should_stop - whether someone waits for this thread to end */
int kthread_should_stop(void)
{
	return kthread_stopping == current;
}
EXPORT_SYMBOL_GPL(kthread_should_stop);

/**
 * kthread_stop - end a thread that has not ended by itself
 * @task: as kthread_run() returned it
 *
 * Context: process. Return: 0.
 */
int kthread_stop(struct task_struct *task)
{
	down(&kthread_lock);
	init_completion(&kthread_exited);
	smp_wmb();
	kthread_stopping = task;
	wake_up_process(task);
	wait_for_completion(&kthread_exited);
	kthread_stopping = NULL;
	up(&kthread_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(kthread_stop);

/* 2.6.7: before, they are there but not for modules. */
#elif LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 7)
EXPORT_SYMBOL_GPL(kthread_create);
EXPORT_SYMBOL_GPL(kthread_bind);
EXPORT_SYMBOL_GPL(kthread_should_stop);
EXPORT_SYMBOL_GPL(kthread_stop);
#endif
