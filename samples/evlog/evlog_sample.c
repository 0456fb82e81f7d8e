// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sample driver: raises structured events of each form in each context.
 *
 * Copy from here. Load it, then either ask for events one round at a time,
 *
 *	echo 1 > /sys/module/evlog_sample/parameters/trigger
 *
 * or load it with rate=N for N rounds a second. A round is seven events, from
 * process context (that of who writes "trigger"), a timer (softirq), irq_work
 * (hard interrupt) and a kernel thread. Watch them with kerrorctl.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/evlog.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/timer.h>

/* Kinds of event that this driver numbers itself. */
enum { SAMPLE_SENSE = 1, SAMPLE_STATE = 2, SAMPLE_RESET = 3 };

static unsigned int rate;
module_param(rate, uint, 0444);
MODULE_PARM_DESC(rate, "rounds of events per second, up to the timer frequency; 0: only on a trigger");

static struct platform_device *sample_device;
static struct task_struct *sample_thread;
static atomic_t sample_round;

static void sample_hardirq(struct irq_work *work)
{
	evl_printf(EVL_FACILITY, SAMPLE_RESET, LOG_CRIT,
		   "controller reset, status %#010x after %llu us\n",
		   0xdead0000 | atomic_read(&sample_round), 1234567ULL);
}

static struct irq_work sample_irq_work = IRQ_WORK_INIT_HARD(sample_hardirq);

/* Timers run in softirq context. */
static void sample_softirq(struct timer_list *timer)
{
	evl_warn("queue %d stalled for %u ms\n",
		 atomic_read(&sample_round) % 4, 250U);
	irq_work_queue(&sample_irq_work);
	if (rate) {
		wake_up_process(sample_thread);
		mod_timer(timer, jiffies + max(HZ / rate, 1U));
	}
}

static DEFINE_TIMER(sample_timer, sample_softirq);

static void sample_process(void)
{
	static const u8 sense[] = {
		0x70, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x0a,
	};
	int round = atomic_inc_return(&sample_round);

	evl_err("link %s down, error %d\n", "eth-sample", -EIO);
	dev_evl_err(&sample_device->dev, "round %d: bad block at %llu\n",
		    round, 123456789012ULL);
	evl_write(EVL_FACILITY, SAMPLE_SENSE, LOG_ERR, sense, sizeof(sense),
		  EVL_FORMAT_BINARY);
	evl_write(EVL_FACILITY, SAMPLE_STATE, LOG_NOTICE, "recovered", 9,
		  EVL_FORMAT_STRING);
}

static int sample_work(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
		if (kthread_should_stop())
			break;
		if (rate)
			sample_process();
		evl_info_ratelimited("worker scanned round %d, hash %p\n",
				     atomic_read(&sample_round), sample_thread);
	}
	return 0;
}

static int sample_trigger(const char *value, const struct kernel_param *kp)
{
	if (!sample_thread)
		return -EAGAIN;	/* while the module is still loading */
	sample_process();
	wake_up_process(sample_thread);
	mod_timer(&sample_timer, jiffies + 1);
	return 0;
}

static const struct kernel_param_ops sample_trigger_ops = {
	.set = sample_trigger,
};

module_param_cb(trigger, &sample_trigger_ops, NULL, 0200);
MODULE_PARM_DESC(trigger, "write anything: raise one round of events");

static int __init sample_init(void)
{
	struct task_struct *thread;

	sample_device = platform_device_register_simple("evlog_sample",
							PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(sample_device))
		return PTR_ERR(sample_device);
	thread = kthread_run(sample_work, NULL, "evlog_sample");
	if (IS_ERR(thread)) {
		platform_device_unregister(sample_device);
		return PTR_ERR(thread);
	}
	sample_thread = thread;
	if (rate)
		mod_timer(&sample_timer, jiffies + 1);
	return 0;
}

static void __exit sample_exit(void)
{
	rate = 0;
	timer_delete_sync(&sample_timer);
	irq_work_sync(&sample_irq_work);
	kthread_stop(sample_thread);
	platform_device_unregister(sample_device);
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_DESCRIPTION("Sample driver that raises structured events");
MODULE_LICENSE("GPL");
