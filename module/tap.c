// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tap: stands in for the hook in printk() that the series has. It traces
 * vprintk_store(), which printk() calls for each message that goes to the log, and
 * hands the arguments of that call to kernel/evlog_printk.c.
 *
 * evlog_main.c starts and ends it, the parameter "tap" switches it. A kernel
 * without ftrace for functions and their arguments gets a kprobe instead.
 *
 * Promise: the tap is not lost silently. While it is on, ftrace cannot be switched
 * off (FTRACE_OPS_FL_PERMANENT). Switching it is an event, and what was printed
 * meanwhile is taken from the log as text, without a gap or a double, see import.c.
 */
#define pr_fmt(fmt) "evlog: " fmt

#include <linux/evlog.h>
#include <linux/evlog_printk.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include "tap.h"

#define EVL_TAPPED	"vprintk_store"

/* Of the events about the tap itself */
enum { EVL_TAP_ON = 1, EVL_TAP_OFF, EVL_TAP_FAILED };

/* Under evl_tap_mutex */
static DEFINE_MUTEX(evl_tap_mutex);
static const char *evl_tap_kind;	/* NULL: it is off */
static int evl_tap_error;
static u64 evl_tap_from;		/* sequence number of the log, see import.c */

static struct evl_seam *evl_tap_notes;

/* evl_tap_notes while the tap is switched, else NULL: it notes what it sees. */
static struct evl_seam *evl_tap_seam;

/*
 * For each message, in any context: with the arguments of vprintk_store(facility,
 * level, dev_info, fmt, args). A va_list is passed by its address on x86-64, where
 * it is an array, and on arm64, where it is larger than two registers.
 */
static __always_inline void evl_tap(unsigned long facility, unsigned long level,
				    unsigned long info, unsigned long fmt,
				    unsigned long args)
{
	struct evl_seam *seam = READ_ONCE(evl_tap_seam);

	if (unlikely(seam) && !(int)facility)
		evl_seam_note(seam, (const char *)fmt, *(va_list *)args);
	evl_forward_printk(facility, level, (const void *)info,
			   (const char *)fmt, *(va_list *)args);
}

/* ------------------------------------------------------------------ */
/* ftrace. */

#if defined(ftrace_regs_get_argument) || \
	(defined(CONFIG_ARM64) && defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))
#define EVL_FTRACE_FLAGS	0
#define EVL_ARGUMENT(fregs, n)	ftrace_regs_get_argument(fregs, n)
#elif defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#define EVL_FTRACE_FLAGS	FTRACE_OPS_FL_SAVE_REGS
#define EVL_ARGUMENT(fregs, n)	\
	regs_get_kernel_argument(ftrace_get_regs(fregs), n)
#endif

#ifdef EVL_ARGUMENT
/*
 * Without protection against recursion, which would drop what is printed by an
 * exception in the midst of this: nothing that this calls prints, except what the
 * hook in printk() would meet, too.
 */
static void notrace evl_tap_ftrace(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops,
				   struct ftrace_regs *fregs)
{
	evl_tap(EVL_ARGUMENT(fregs, 0), EVL_ARGUMENT(fregs, 1),
		EVL_ARGUMENT(fregs, 2), EVL_ARGUMENT(fregs, 3),
		EVL_ARGUMENT(fregs, 4));
}

static struct ftrace_ops evl_tap_ops = {
	.func = evl_tap_ftrace,
	.flags = EVL_FTRACE_FLAGS | FTRACE_OPS_FL_PERMANENT,
};

static int evl_ftrace_on(void)
{
	int err = ftrace_set_filter(&evl_tap_ops, EVL_TAPPED,
				    strlen(EVL_TAPPED), 1);

	return err ?: register_ftrace_function(&evl_tap_ops);
}

static void evl_ftrace_off(void)
{
	unregister_ftrace_function(&evl_tap_ops);
}
#else
static int evl_ftrace_on(void)
{
	return -EOPNOTSUPP;
}

static void evl_ftrace_off(void)
{
}
#endif

/* ------------------------------------------------------------------ */
/* kprobes. */

#ifdef CONFIG_KPROBES
static int evl_tap_kprobe(struct kprobe *probe, struct pt_regs *regs)
{
	evl_tap(regs_get_kernel_argument(regs, 0),
		regs_get_kernel_argument(regs, 1),
		regs_get_kernel_argument(regs, 2),
		regs_get_kernel_argument(regs, 3),
		regs_get_kernel_argument(regs, 4));
	return 0;
}

static struct kprobe evl_tap_probe;

static int evl_kprobe_on(void)
{
	evl_tap_probe = (struct kprobe) {
		.symbol_name = EVL_TAPPED,
		.pre_handler = evl_tap_kprobe,
	};
	return register_kprobe(&evl_tap_probe);
}

static void evl_kprobe_off(void)
{
	unregister_kprobe(&evl_tap_probe);
	/* Those that met another probe on this CPU */
	if (evl_tap_probe.nmissed)
		evl_printf("evlog", 0, LOG_WARNING,
			   "%lu messages did not become events\n",
			   evl_tap_probe.nmissed);
}
#else
static int evl_kprobe_on(void)
{
	return -EOPNOTSUPP;
}

static void evl_kprobe_off(void)
{
}
#endif

/* ------------------------------------------------------------------ */
/* On and off. */

/*
 * Waits until each vprintk_store() that began before the tap changed has ended: it
 * runs with interrupts disabled, except for its first instructions, in which a task
 * may have been preempted.
 */
static void evl_tap_wait(void)
{
	synchronize_rcu();
#ifdef CONFIG_TASKS_RCU
	synchronize_rcu_tasks();
#endif
}

static int evl_tap_on(void)
{
	unsigned long imported, overwritten;
	int err;

	if (evl_tap_kind)
		return 0;
	if (!evl_tap_notes)
		evl_tap_notes = evl_seam_new();
	if (!evl_tap_notes)
		return -ENOMEM;
	WRITE_ONCE(evl_tap_seam, evl_tap_notes);
	evl_tap_kind = "ftrace";
	err = evl_ftrace_on();
	if (err) {
		evl_tap_kind = "kprobe";
		err = evl_kprobe_on();
	}
	evl_tap_error = err;
	if (err) {
		evl_tap_kind = NULL;
		WRITE_ONCE(evl_tap_seam, NULL);
		evl_printf("evlog", EVL_TAP_FAILED, LOG_ERR,
			   "messages of the kernel do not become events: error %d\n",
			   err);
		return err;
	}
	evl_tap_wait();
	evl_import(evl_tap_notes, evl_tap_from, &imported, &overwritten);
	WRITE_ONCE(evl_tap_seam, NULL);
	evl_tap_wait();
	evl_seam_clear(evl_tap_notes);
	evl_printf("evlog", EVL_TAP_ON, LOG_NOTICE,
		   "messages of the kernel become events (%s): %lu from before as text, %lu were overwritten\n",
		   evl_tap_kind, imported, overwritten);
	return 0;
}

static void evl_tap_off(void)
{
	if (!evl_tap_kind)
		return;
	/* The next import begins here, except for what the tap still sees. */
	WRITE_ONCE(evl_tap_seam, evl_tap_notes);
	evl_tap_wait();
	evl_tap_from = evl_log_end();
	if (!strcmp(evl_tap_kind, "ftrace"))
		evl_ftrace_off();
	else
		evl_kprobe_off();
	evl_tap_kind = NULL;
	evl_tap_wait();
	WRITE_ONCE(evl_tap_seam, NULL);
	evl_printf("evlog", EVL_TAP_OFF, LOG_WARNING,
		   "messages of the kernel do not become events: the tap was switched off\n");
}

static int evl_tap_set(const char *value, const struct kernel_param *kp)
{
	bool on;
	int err = kstrtobool(value, &on);

	if (err)
		return err;
	mutex_lock(&evl_tap_mutex);
	if (on)
		err = evl_tap_on();
	else
		evl_tap_off();
	mutex_unlock(&evl_tap_mutex);
	return err;
}

static int evl_tap_get(char *buffer, const struct kernel_param *kp)
{
	int size;

	mutex_lock(&evl_tap_mutex);
	if (evl_tap_kind)
		size = sprintf(buffer, "%s\n", evl_tap_kind);
	else if (evl_tap_error)
		size = sprintf(buffer, "off, error %d\n", evl_tap_error);
	else
		size = sprintf(buffer, "off\n");
	mutex_unlock(&evl_tap_mutex);
	return size;
}

static const struct kernel_param_ops evl_tap_param_ops = {
	.set = evl_tap_set,
	.get = evl_tap_get,
};

/* The parameter can be given to modprobe, before the tap is started. */
static bool evl_tap_wanted = true;

module_param_named(tap_at_start, evl_tap_wanted, bool, 0444);
MODULE_PARM_DESC(tap_at_start, "start with messages of the kernel as events (Y)");
module_param_cb(tap, &evl_tap_param_ops, NULL, 0644);
MODULE_PARM_DESC(tap, "how messages of the kernel become events: ftrace, kprobe or off; write 0 or 1");

void evl_tap_init(void)
{
	if (!evl_tap_wanted)
		return;
	mutex_lock(&evl_tap_mutex);
	evl_tap_on();
	mutex_unlock(&evl_tap_mutex);
}

void evl_tap_exit(void)
{
	mutex_lock(&evl_tap_mutex);
	evl_tap_off();
	evl_seam_free(evl_tap_notes);
	mutex_unlock(&evl_tap_mutex);
}
