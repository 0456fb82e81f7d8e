// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raises events from everywhere at once, for the program stress_test in
 * tools/testing/selftests/kerror: a thread on each CPU, timers in softirqs,
 * hrtimers and irq_work in hard interrupts, NMIs, under the runqueue lock,
 * inside the delivery of other events, and inside printk().
 *
 * Writing a number to the parameter "start" has the sources raise that many
 * events; "raised" and "raised_by" tell how many there were for the three groups
 * and by each kind of source. Each event begins with its source and, for
 * each group, that source's counter, so that a reader can check order and
 * completeness.
 */
#include <linux/console.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/evlog.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/tracepoint.h>
#ifdef CONFIG_X86
#include <asm/nmi.h>
#endif

enum kind { BY_THREAD, BY_SOFTIRQ, BY_HRTIMER, BY_IRQ_WORK, BY_NMI,
	    BY_SCHEDULER, BY_DELIVERY, BY_PRINTK, KINDS };

/* By index: those that KERROR_GROUP_ALL stands for */
static const unsigned int stress_groups[] = {
	KERROR_GROUP_RAW, KERROR_GROUP_EVLOG, KERROR_GROUP_PRINTK,
};

#define GROUPS			ARRAY_SIZE(stress_groups)
#define STRESS_PERIOD_NS	500000	/* of the hrtimers */

/* A source is one kind on one CPU. */
struct stress_cpu {
	u32 counter[KINDS][GROUPS];
	unsigned int active[KINDS];
	struct timer_list timer;
	struct hrtimer hrtimer;
	struct irq_work irq_work;
	struct task_struct *thread;
};

/* How raw events and binary data begin; stress_test.c knows it, too. */
struct stress_event {
	u32 source;
	u32 counter[GROUPS];
};

static DEFINE_PER_CPU(struct stress_cpu, stress_cpus);
static atomic_long_t raised[GROUPS];
static atomic_long_t raised_by[KINDS];
static atomic_long_t left;
static const char filling[2048] = "filling";

/*
 * Raises one event, of a shape that depends on the counter. A source must not
 * interrupt itself, or its events would not be in the order of its counter.
 */
static void stress_raise(enum kind kind)
{
	struct stress_cpu *cpu;
	struct stress_event event;
	struct iovec iov[2] = {
		{ (void __force __user *)&event, sizeof(event) },
		{ (void __force __user *)filling, 0 },
	};
	unsigned int groups = KERROR_GROUP_EVLOG;
	u32 *counter, shape;
	unsigned int i;

	if (atomic_long_read(&left) <= 0)
		return;
	preempt_disable_notrace();
	cpu = this_cpu_ptr(&stress_cpus);
	if (cpu->active[kind])
		goto out;
	cpu->active[kind] = 1;
	barrier();
	atomic_long_dec(&left);
	atomic_long_inc(&raised_by[kind]);

	counter = cpu->counter[kind];
	event.source = raw_smp_processor_id() * KINDS + kind;
	memcpy(event.counter, counter, sizeof(event.counter));
	shape = (counter[0] + counter[1]) % 16;
	if (shape == 0)
		groups = KERROR_GROUP_RAW;
	else if (shape == 1)
		groups = KERROR_GROUP_ALL;
	for (i = 0; i < GROUPS; i++) {
		if (!(groups & stress_groups[i]))
			continue;
		counter[i]++;
		atomic_long_inc(&raised[i]);
	}

	switch (shape) {
	case 0:
	case 1:
		iov[1].iov_len = counter[0] * 37 % sizeof(filling);
		kernel_error_event_iov(iov, 2, groups);
		break;
	case 2:
		evl_write("stress", 1, LOG_INFO, &event, sizeof(event),
			  EVL_FORMAT_BINARY);
		break;
	case 3:
		evl_printf("stress", 2, LOG_INFO, "%u %u %*ph", event.source,
			   event.counter[1], 60, filling);
		break;
	case 4:
		evl_printf("stress", 2, LOG_INFO, "%u %u %-1500s",
			   event.source, event.counter[1], filling);
		break;
	default:
		evl_printf("stress", 2, LOG_INFO, "%u %u %s %#llx %p",
			   event.source, event.counter[1], "string",
			   0x123456789abcdefULL, cpu);
	}
	barrier();
	cpu->active[kind] = 0;
out:
	preempt_enable_notrace();
}

static void stress_irq_work(struct irq_work *work)
{
	stress_raise(BY_IRQ_WORK);
}

static void stress_softirq(struct timer_list *timer)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		stress_raise(BY_SOFTIRQ);
	if (atomic_long_read(&left) > 0)
		mod_timer(timer, jiffies + 1);
}

static enum hrtimer_restart stress_hrtimer(struct hrtimer *timer)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		stress_raise(BY_HRTIMER);
	if (atomic_long_read(&left) <= 0)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(STRESS_PERIOD_NS));
	return HRTIMER_RESTART;
}

static int stress_thread(void *unused)
{
	struct stress_cpu *cpu = raw_cpu_ptr(&stress_cpus);
	unsigned long i;

	/* Timers fire on the CPU that starts them. */
	mod_timer(&cpu->timer, jiffies + 1);
	hrtimer_start(&cpu->hrtimer, ns_to_ktime(STRESS_PERIOD_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
	for (i = 0; atomic_long_read(&left) > 0 && !kthread_should_stop(); i++) {
		stress_raise(BY_THREAD);
		if (i % 16 == 0)
			irq_work_queue(&cpu->irq_work);
		/* High enough for any console. */
		if (i % 4096 == 0)
			pr_emerg("test_evlog_stress: round %lu\n", i);
		/* Leave something for the worker and the readers. */
		if (i % 64 == 0)
			usleep_range(200, 400);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

#ifdef CONFIG_X86
static int stress_nmi(unsigned int type, struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		stress_raise(BY_NMI);
	return NMI_DONE;
}
#endif

/* A console: under the console lock, called by printk(). */
static void stress_write(struct console *console, const char *text,
			 unsigned int length)
{
	stress_raise(BY_PRINTK);
}

static struct console stress_console = {
	.name = "stress",
	.write = stress_write,
	.flags = CON_ENABLED,
	.index = -1,
};

/* Probes of tracepoints; further arguments are of no interest. */

/* Under the runqueue lock, interrupts off. */
static void stress_on_switch(void *unused)
{
	stress_raise(BY_SCHEDULER);
}

/*
 * While the drain worker allocates what it sends. Not each time: that would
 * raise one event for each that is delivered.
 */
static void stress_on_allocation(void *unused)
{
	static unsigned int allocations;

	if (!strcmp(current->comm, "kerror") && allocations++ % 8 == 0)
		stress_raise(BY_DELIVERY);
}

static struct {
	const char *name;
	void *probe;
	struct tracepoint *tracepoint;
} stress_probes[] = {
	{ "sched_switch", stress_on_switch },
	{ "kmem_cache_alloc", stress_on_allocation },
	{ "kmem_cache_alloc_node", stress_on_allocation },
};

static void stress_find(struct tracepoint *tracepoint, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stress_probes); i++)
		if (!strcmp(tracepoint->name, stress_probes[i].name))
			stress_probes[i].tracepoint = tracepoint;
}

static void stress_probe(bool on)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stress_probes); i++) {
		struct tracepoint *tracepoint = stress_probes[i].tracepoint;

		if (!tracepoint)
			continue;
		if (on)
			tracepoint_probe_register(tracepoint,
						  stress_probes[i].probe, NULL);
		else
			tracepoint_probe_unregister(tracepoint,
						    stress_probes[i].probe,
						    NULL);
	}
	if (!on)
		tracepoint_synchronize_unregister();
}

static DEFINE_MUTEX(stress_mutex);
static bool started;

/* Returns after the last source has come to rest. */
static int stress_start(const char *value, const struct kernel_param *kp)
{
	unsigned long events;
	int cpu, threads = 0, err = kstrtoul(value, 0, &events);

	if (err)
		return err;
	if (!started)
		return -EAGAIN;	/* the module is still being loaded */
	mutex_lock(&stress_mutex);
	atomic_long_set(&left, events);
	stress_probe(true);
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct task_struct *thread =
			kthread_create_on_cpu(stress_thread, NULL, cpu,
					      "stress/%u");

		per_cpu(stress_cpus, cpu).thread = thread;
		if (IS_ERR(thread))
			continue;
		threads++;
		wake_up_process(thread);
	}
	cpus_read_unlock();
	while (threads && atomic_long_read(&left) > 0 &&
	       !signal_pending(current))
		msleep_interruptible(20);
	atomic_long_set(&left, 0);
	for_each_possible_cpu(cpu) {
		struct stress_cpu *stress = &per_cpu(stress_cpus, cpu);

		if (!IS_ERR_OR_NULL(stress->thread))
			kthread_stop(stress->thread);
		stress->thread = NULL;
		timer_delete_sync(&stress->timer);
		hrtimer_cancel(&stress->hrtimer);
		irq_work_sync(&stress->irq_work);
	}
	stress_probe(false);
	mutex_unlock(&stress_mutex);
	if (!threads)
		return -ENOMEM;
	return signal_pending(current) ? -EINTR : 0;
}

static const struct kernel_param_ops stress_start_ops = {
	.set = stress_start,
};

module_param_cb(start, &stress_start_ops, NULL, 0200);
MODULE_PARM_DESC(start, "raise so many events");

static int stress_raised(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%ld %ld %ld\n", atomic_long_read(&raised[0]),
		       atomic_long_read(&raised[1]),
		       atomic_long_read(&raised[2]));
}

static const struct kernel_param_ops stress_raised_ops = {
	.get = stress_raised,
};

module_param_cb(raised, &stress_raised_ops, NULL, 0400);
MODULE_PARM_DESC(raised, "events raised for the groups RAW, EVLOG and PRINTK");

static int stress_raised_by(char *buffer, const struct kernel_param *kp)
{
	int kind, size = 0;

	for (kind = 0; kind < KINDS; kind++)
		size += sprintf(buffer + size, "%ld ",
				atomic_long_read(&raised_by[kind]));
	return size;
}

static const struct kernel_param_ops stress_raised_by_ops = {
	.get = stress_raised_by,
};

module_param_cb(raised_by, &stress_raised_by_ops, NULL, 0400);
MODULE_PARM_DESC(raised_by, "events raised by each kind of source");

static int __init stress_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct stress_cpu *stress = &per_cpu(stress_cpus, cpu);

		timer_setup(&stress->timer, stress_softirq, TIMER_PINNED);
		hrtimer_setup(&stress->hrtimer, stress_hrtimer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
		init_irq_work(&stress->irq_work, stress_irq_work);
	}
	for_each_kernel_tracepoint(stress_find, NULL);
#ifdef CONFIG_X86
	if (register_nmi_handler(NMI_LOCAL, stress_nmi, 0, "test_evlog_stress"))
		return -EBUSY;
#endif
	register_console(&stress_console);
	started = true;
	return 0;
}

static void __exit stress_exit(void)
{
	unregister_console(&stress_console);
#ifdef CONFIG_X86
	unregister_nmi_handler(NMI_LOCAL, "test_evlog_stress");
#endif
}

module_init(stress_init);
module_exit(stress_exit);
MODULE_DESCRIPTION("Raises events from everywhere at once");
MODULE_LICENSE("GPL");
