// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with the classic bugs, for the guest script "faults". It needs nothing of
 * the facility.
 *
 * Writing the name of a bug to /dev/test_faults runs it in the writer, which some bugs
 * end: a device, as the kernel would keep the lock of a module's parameters. A number
 * after the name is the duration in seconds, or the order of the allocation.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

/* The CPU of a bug that keeps one */
#define BUSY_CPU	1

/* More allocations of megabytes than the zone of DMA has room for */
#define ALLOCATIONS	64

static unsigned int argument;

static void read_at(unsigned long address)
{
	unsigned long *at = (unsigned long *)address;

	OPTIMIZER_HIDE_VAR(at);
	READ_ONCE(*at);
}

static void bug_null(void)
{
	read_at(16);
}

static void bug_page_fault(void)
{
	read_at(0xffffa00012345000UL);
}

/* As a list that was poisoned by list_del() */
static void bug_protection(void)
{
	read_at(0xdead000000000100UL);
}

static void bug_divide(void)
{
	unsigned int zero = 0;

	OPTIMIZER_HIDE_VAR(zero);
	pr_info("%u\n", 100 / zero);
}

static void bug_warn(void)
{
	WARN_ON(1);
}

static void bug_warn_text(void)
{
	WARN(1, "test_faults: unit %d in state %d\n", 3, 7);
}

static void bug_bug(void)
{
	bool wrong = true;

	OPTIMIZER_HIDE_VAR(wrong);
	BUG_ON(wrong);
}

static void bug_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_dec(&count);
}

static void bug_list_del(void)
{
	static struct list_head entry;
	LIST_HEAD(list);

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
}

static void bug_list_add(void)
{
	static struct list_head one, two;
	LIST_HEAD(list);

	list_add(&one, &list);
	one.prev = &two;
	list_add(&two, &list);
}

static void bug_sleep(void)
{
	preempt_disable();
	msleep(20);
	preempt_enable();
}

/* An order that no list of a CPU takes, so that the page is looked at soon */
static void bug_bad_page(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 4);

	if (!page)
		return;
	page->mapping = (void *)0x1000;
	__free_pages(page, 4);
}

static void bug_allocation(void)
{
	static struct page *pages[ALLOCATIONS];
	unsigned int count = 0;

	while (count < ALLOCATIONS &&
	       (pages[count] = alloc_pages(GFP_ATOMIC | GFP_DMA, argument)))
		count++;
	while (count--)
		__free_pages(pages[count], argument);
}

/* The second time, it gives the reference back. */
static void bug_net_reference(void)
{
	static struct net_device *leaked;

	if (leaked) {
		dev_put(leaked);
		leaked = NULL;
		return;
	}
	leaked = dev_get_by_name(&init_net, "leaked");
	if (!leaked)
		pr_info("there is no interface leaked\n");
}

static void spin(void)
{
	unsigned long end = jiffies + argument * HZ;

	while (time_before(jiffies, end))
		cpu_relax();
}

static int soft_lockup(void *unused)
{
	preempt_disable();
	spin();
	preempt_enable();
	return 0;
}

static int rcu_stall(void *unused)
{
	rcu_read_lock();
	spin();
	rcu_read_unlock();
	return 0;
}

/* Its own ticks do not come, and others may not, either. */
static int interrupts_off(void *unused)
{
	u64 end;

	local_irq_disable();
	end = ktime_get_mono_fast_ns() + argument * NSEC_PER_SEC;
	while (ktime_get_mono_fast_ns() < end)
		cpu_relax();
	local_irq_enable();
	return 0;
}

static void keep_busy(int (*how)(void *))
{
	kthread_run_on_cpu(how, NULL, BUSY_CPU, "busy/%u");
}

static void bug_soft_lockup(void)
{
	keep_busy(soft_lockup);
}

static void bug_rcu_stall(void)
{
	keep_busy(rcu_stall);
}

static void bug_interrupts_off(void)
{
	keep_busy(interrupts_off);
}

static const struct {
	const char *name;
	void (*cause)(void);
} bugs[] = {
	{ "null", bug_null }, { "page-fault", bug_page_fault },
	{ "protection", bug_protection }, { "divide", bug_divide },
	{ "warn", bug_warn }, { "warn-text", bug_warn_text }, { "bug", bug_bug },
	{ "refcount", bug_refcount }, { "list-del", bug_list_del },
	{ "list-add", bug_list_add }, { "sleep", bug_sleep },
	{ "bad-page", bug_bad_page }, { "allocation", bug_allocation },
	{ "net-reference", bug_net_reference },
	{ "soft-lockup", bug_soft_lockup }, { "rcu-stall", bug_rcu_stall },
	{ "interrupts-off", bug_interrupts_off },
};

static ssize_t faults_write(struct file *file, const char __user *buffer, size_t size,
			    loff_t *offset)
{
	char line[40], name[32];
	unsigned int which;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, buffer, size))
		return -EFAULT;
	line[size] = '\0';
	argument = 0;
	if (sscanf(line, "%31s %u", name, &argument) < 1)
		return -EINVAL;
	for (which = 0; which < ARRAY_SIZE(bugs); which++) {
		if (strcmp(name, bugs[which].name))
			continue;
		bugs[which].cause();
		return size;
	}
	return -EINVAL;
}

static const struct file_operations faults_operations = {
	.owner = THIS_MODULE,
	.write = faults_write,
};

static struct miscdevice faults_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "test_faults",
	.mode = 0200,
	.fops = &faults_operations,
};

module_misc_device(faults_device);

MODULE_DESCRIPTION("Has the bugs that drivers have");
MODULE_LICENSE("GPL");
