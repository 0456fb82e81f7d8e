// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes CPU 1 raise an event and then hang, for the program hang_test in
 * tools/testing/selftests/kerror, which checks that the events of CPU 0 arrive in
 * time all the same.
 *
 * Writing "WHERE WHAT MILLISECONDS" to the parameter "hang" starts it. WHERE is
 *
 *   irqs-off	a thread that has disabled interrupts
 *   hardirq	a hard interrupt
 *   nmi	an NMI, the next one on that CPU: the program has SysRq-l send it
 *   fifo	a thread of a real-time priority, which nothing else preempts
 *
 * and WHAT is raised before that: "event", "printk" or "nothing". The write returns
 * when the CPU hangs, or when the NMI may come; "hanging" tells whether it does.
 *
 * An interrupt or NMI that finds softirqs disabled does not hang: the CPU may be
 * delivering events, and to hang in the midst of that stops those of all CPUs.
 *
 * Writing a number to "probe" or "probe_printk" raises one event, or prints one
 * message, with that number. "tick_ns" is the time between two ticks.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/evlog.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#ifdef CONFIG_X86
#include <asm/nmi.h>
#endif

#define HANG_CPU	1
#define HANG_MS_MAX	10000

enum hang_what { HANG_NOTHING, HANG_EVENT, HANG_PRINTK };
enum hang_state { HANG_ENDED, HANG_STARTS, HANG_LASTS };

static DEFINE_MUTEX(hang_mutex);
static enum hang_what hang_what;
static unsigned int hang_ms;
static enum hang_state hang_state;
static atomic_t hang_nmi_wanted;
static struct task_struct *hang_thread;

/* Whatever the context; interrupts and the scheduler are the caller's business. */
static void hang_now(void)
{
	u64 end = ktime_get_mono_fast_ns() + (u64)hang_ms * NSEC_PER_MSEC;

	if (hang_what == HANG_EVENT)
		evl_err("CPU %d is about to hang\n", raw_smp_processor_id());
	else if (hang_what == HANG_PRINTK)
		pr_err("CPU %d is about to hang\n", raw_smp_processor_id());
	WRITE_ONCE(hang_state, HANG_LASTS);
	while (ktime_get_mono_fast_ns() < end)
		cpu_relax();
	WRITE_ONCE(hang_state, HANG_ENDED);
}

static int hang_in_thread(void *data)
{
	bool irqs_off = data;
	unsigned long flags;

	if (irqs_off)
		local_irq_save(flags);
	hang_now();
	if (irqs_off)
		local_irq_restore(flags);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

/* In an interrupt. It counts as hung already if the CPU may be delivering. */
static void hang_unless_delivering(void)
{
	if (softirq_count())
		WRITE_ONCE(hang_state, HANG_ENDED);
	else
		hang_now();
}

static void hang_in_hardirq(void *unused)
{
	hang_unless_delivering();
}

#ifdef CONFIG_X86
static int hang_in_nmi(unsigned int type, struct pt_regs *regs)
{
	if (raw_smp_processor_id() == HANG_CPU &&
	    atomic_cmpxchg(&hang_nmi_wanted, 1, 0) == 1)
		hang_unless_delivering();
	return NMI_DONE;
}
#endif

static void hang_reap_thread(void)
{
	if (hang_thread)
		kthread_stop(hang_thread);
	hang_thread = NULL;
}

static int hang_start_thread(bool irqs_off, bool fifo)
{
	hang_thread = kthread_create_on_cpu(hang_in_thread,
					    (void *)(unsigned long)irqs_off,
					    HANG_CPU, "hang/%u");
	if (IS_ERR(hang_thread)) {
		int err = PTR_ERR(hang_thread);

		hang_thread = NULL;
		return err;
	}
	if (fifo)
		sched_set_fifo(hang_thread);
	wake_up_process(hang_thread);
	return 0;
}

/* Returns when CPU 1 hangs. The caller must be on another CPU. */
static int hang_wait(void)
{
	unsigned int ms;

	for (ms = 0; ms < 2000; ms++) {
		if (READ_ONCE(hang_state) != HANG_STARTS)
			return 0;
		usleep_range(1000, 1100);
	}
	return -ETIMEDOUT;
}

static int hang_start(const char *where)
{
	int err;

	if (!strcmp(where, "nmi")) {
		if (!IS_ENABLED(CONFIG_X86))
			return -EOPNOTSUPP;
		atomic_set(&hang_nmi_wanted, 1);
		return 0;
	}
	if (!strcmp(where, "hardirq"))
		err = smp_call_function_single(HANG_CPU, hang_in_hardirq, NULL,
					       0);
	else if (!strcmp(where, "irqs-off"))
		err = hang_start_thread(true, false);
	else if (!strcmp(where, "fifo"))
		err = hang_start_thread(false, true);
	else
		err = -EINVAL;
	return err ?: hang_wait();
}

static int hang_set(const char *value, const struct kernel_param *kp)
{
	static const char * const whats[] = {
		[HANG_NOTHING] = "nothing", [HANG_EVENT] = "event",
		[HANG_PRINTK] = "printk",
	};
	unsigned int ms, which = 0;
	char where[16], what[16];
	int err;

	if (sscanf(value, "%15s %15s %u", where, what, &ms) != 3 ||
	    ms > HANG_MS_MAX)
		return -EINVAL;
	while (which < ARRAY_SIZE(whats) && strcmp(what, whats[which]))
		which++;
	if (which == ARRAY_SIZE(whats))
		return -EINVAL;
	if (!cpu_online(HANG_CPU))
		return -ENODEV;
	mutex_lock(&hang_mutex);
	if (READ_ONCE(hang_state) == HANG_LASTS) {
		mutex_unlock(&hang_mutex);
		return -EBUSY;
	}
	hang_reap_thread();
	hang_what = which;
	hang_ms = ms;
	WRITE_ONCE(hang_state, HANG_STARTS);
	err = hang_start(where);
	if (err)
		WRITE_ONCE(hang_state, HANG_ENDED);
	mutex_unlock(&hang_mutex);
	return err;
}

static const struct kernel_param_ops hang_ops = { .set = hang_set };

module_param_cb(hang, &hang_ops, NULL, 0200);
MODULE_PARM_DESC(hang, "WHERE WHAT MILLISECONDS: have CPU 1 hang");

static int hanging_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%d\n", READ_ONCE(hang_state) == HANG_LASTS);
}

static const struct kernel_param_ops hanging_ops = { .get = hanging_get };

module_param_cb(hanging, &hanging_ops, NULL, 0400);
MODULE_PARM_DESC(hanging, "1 while CPU 1 hangs");

static int hang_probe_set(const char *value, const struct kernel_param *kp)
{
	unsigned long number;
	int err = kstrtoul(value, 0, &number);

	if (err)
		return err;
	/* The argument says whether it is for a message. */
	if (kp->arg)
		pr_err("probe %lu\n", number);
	else
		evl_err("probe %lu\n", number);
	return 0;
}

static const struct kernel_param_ops hang_probe_ops = { .set = hang_probe_set };

module_param_cb(probe, &hang_probe_ops, NULL, 0200);
MODULE_PARM_DESC(probe, "raise one event with this number");
module_param_cb(probe_printk, &hang_probe_ops, &hang_state, 0200);
MODULE_PARM_DESC(probe_printk, "print one message with this number");

static int hang_tick_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%lu\n", (unsigned long)TICK_NSEC);
}

static const struct kernel_param_ops hang_tick_ops = { .get = hang_tick_get };

module_param_cb(tick_ns, &hang_tick_ops, NULL, 0444);
MODULE_PARM_DESC(tick_ns, "nanoseconds between two ticks");

static int __init hang_init(void)
{
#ifdef CONFIG_X86
	return register_nmi_handler(NMI_LOCAL, hang_in_nmi, 0,
				    "test_evlog_hang");
#else
	return 0;
#endif
}

static void __exit hang_exit(void)
{
	hang_reap_thread();
#ifdef CONFIG_X86
	unregister_nmi_handler(NMI_LOCAL, "test_evlog_hang");
#endif
	/* A hard interrupt may still be under way. */
	while (READ_ONCE(hang_state) == HANG_LASTS)
		msleep(20);
}

module_init(hang_init);
module_exit(hang_exit);
MODULE_DESCRIPTION("Makes a CPU hang after it raised an event");
MODULE_LICENSE("GPL");
