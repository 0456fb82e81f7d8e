// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raises events on all CPUs from threads, softirqs, hard interrupts and NMIs, from the
 * moment on when it is loaded, and ends the machine in the way that is written to the
 * parameter "die". It cannot be unloaded. For "make crashes", guest/crash.sh in
 * tools/testing/selftests/kerror.
 *
 * A source is one context on one CPU. Each event has the number of its source, and
 * counts the events of that source from 1 on. At the physical address "marks", which
 * outlives the machine, a source notes before and after each call how far it has come:
 * the host compares that with what was recovered. It is a rate, with bursts now and
 * then, and no busy loop, so that a reader can follow.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/evlog.h>
#include <linux/io.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <asm/desc.h>
#include <asm/nmi.h>

enum kind { BY_THREAD, BY_SOFTIRQ, BY_HARDIRQ, BY_NMI, KINDS };

enum end { END_NOT, PANIC_PROCESS, PANIC_SOFTIRQ, PANIC_HARDIRQ, PANIC_NMI,
	   HANG_ONE, HANG_ALL, TRIPLE_FAULT, ENDS };

/* The first contexts of a panic are in the order of enum kind. */
static const char * const ends[ENDS] = {
	"", "panic-process", "panic-softirq", "panic-hardirq", "panic-nmi",
	"hang-one", "hang-all", "triple-fault",
};

#define MAX_CPUS		8
#define BURST			100
/* One call in so many is a burst. */
#define BURST_ODDS		256
/* QEMU's ib700 resets the machine this long after a write to its port. */
#define WATCHDOG_PORT		0x443
#define WATCHDOG_2_SECONDS	0xe

/**
 * struct crash_mark - how far a source has come; scripts/crashes.py knows it, too
 * @begun: the number that is being raised, or was last
 * @done: the number of which the call has returned
 * @refused: calls that returned an error
 * @time: CLOCK_MONOTONIC of the last return, nanoseconds
 */
struct crash_mark {
	u64 begun;
	u64 done;
	u64 refused;
	u64 time;
};

struct crash_cpu {
	struct timer_list timer;
	struct irq_work irq_work;
	u32 random;
};

static DEFINE_PER_CPU(struct crash_cpu, crash_cpus);
static struct crash_mark (*crash_marks)[KINDS];
static enum end crash_end;

static ulong marks;
module_param(marks, ulong, 0400);
MODULE_PARM_DESC(marks, "physical address of a page that outlives the machine");

static void crash_raise(enum kind kind)
{
	static const char filling[] =
		"and some text, of which an event has more or less than the one before";
	unsigned int cpu = raw_smp_processor_id();
	struct crash_mark *mark = &crash_marks[cpu][kind];
	u64 number = mark->begun + 1;
	int err;

	WRITE_ONCE(mark->begun, number);
	barrier();
	err = evl_info("source %u event %llu %.*s\n", cpu * KINDS + kind, number,
		       (int)(number * 37 % sizeof(filling)), filling);
	if (err)
		WRITE_ONCE(mark->refused, mark->refused + 1);
	WRITE_ONCE(mark->time, ktime_get_mono_fast_ns());
	barrier();
	WRITE_ONCE(mark->done, number);
}

static void crash_raise_some(enum kind kind)
{
	struct crash_cpu *crash = this_cpu_ptr(&crash_cpus);
	unsigned int i, count;

	crash->random = crash->random * 1664525 + 1013904223;
	count = (crash->random >> 16) % BURST_ODDS ? 1 : BURST;
	for (i = 0; i < count; i++)
		crash_raise(kind);
	if (READ_ONCE(crash_end) == PANIC_PROCESS + kind)
		panic("test_evlog_crash: asked for");
}

static void crash_hang(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void crash_irq_work(struct irq_work *work)
{
	crash_raise_some(BY_HARDIRQ);
}

static void crash_softirq(struct timer_list *timer)
{
	crash_raise_some(BY_SOFTIRQ);
	irq_work_queue(this_cpu_ptr(&crash_cpus.irq_work));
	mod_timer(timer, jiffies + 1);
}

static int crash_nmi(unsigned int type, struct pt_regs *regs)
{
	crash_raise_some(BY_NMI);
	return NMI_DONE;
}

static int crash_thread(void *unused)
{
	/* The timer fires on the CPU that starts it. */
	mod_timer(raw_cpu_ptr(&crash_cpus.timer), jiffies + 1);
	for (;;) {
		preempt_disable();
		crash_raise_some(BY_THREAD);
		preempt_enable();
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static int crash_die(const char *value, const struct kernel_param *kp)
{
	static const struct desc_ptr no_handlers;
	int end = sysfs_match_string(ends, value);

	if (end <= END_NOT || !crash_marks)
		return -EINVAL;
	if (end == HANG_ONE || end == HANG_ALL)
		outb(WATCHDOG_2_SECONDS, WATCHDOG_PORT);
	if (end == HANG_ALL)
		smp_call_function(crash_hang, NULL, 0);
	if (end == HANG_ONE || end == HANG_ALL)
		crash_hang(NULL);
	if (end == TRIPLE_FAULT)
		asm volatile("lidt %0; int3" : : "m" (no_handlers));
	WRITE_ONCE(crash_end, end);
	return 0;
}

static const struct kernel_param_ops crash_die_ops = {
	.set = crash_die,
};

module_param_cb(die, &crash_die_ops, NULL, 0200);
MODULE_PARM_DESC(die, "end the machine so");

static int __init crash_init(void)
{
	struct task_struct *thread;
	int cpu;

	if (nr_cpu_ids > MAX_CPUS)
		return -EINVAL;
	crash_marks = memremap(marks, PAGE_SIZE, MEMREMAP_WB);
	if (!crash_marks)
		return -ENOMEM;
	memset(crash_marks, 0, PAGE_SIZE);
	if (register_nmi_handler(NMI_LOCAL, crash_nmi, 0, KBUILD_MODNAME))
		return -EBUSY;
	for_each_possible_cpu(cpu) {
		struct crash_cpu *crash = &per_cpu(crash_cpus, cpu);

		timer_setup(&crash->timer, crash_softirq, TIMER_PINNED);
		crash->irq_work = IRQ_WORK_INIT_HARD(crash_irq_work);
		crash->random = (u32)ktime_get_ns() + cpu;
	}
	for_each_online_cpu(cpu) {
		thread = kthread_create_on_cpu(crash_thread, NULL, cpu, "crash/%u");
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		wake_up_process(thread);
	}
	return 0;
}

module_init(crash_init);
MODULE_DESCRIPTION("Raises events until the machine dies");
MODULE_LICENSE("GPL");
