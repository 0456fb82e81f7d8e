// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tap: stands in for the hook in printk() that the series has. It makes events
 * of the kernel's messages by one of the kinds in tap_kinds.c.
 *
 * evlog_main.c starts and ends it, the parameter "tap" chooses the kind.
 *
 * Promise: the tap is not lost silently. Switching it is an event. Messages of the time
 * between are taken from the log as text, without a gap or a double, see import.c.
 * Once a second a watch looks whether the tap still sees what goes to the log. If it
 * does not, such as when all kprobes are disarmed, the watch says so and goes on with
 * the log as text. Messages that did not become events are counted, and announced.
 */
#define pr_fmt(fmt) "evlog: " fmt

#include <linux/evlog.h>
#include <linux/evlog_printk.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "tap.h"

/* Of the events about the tap itself */
enum {
	EVL_TAP_ON = 1, EVL_TAP_OFF, EVL_TAP_FAILED, EVL_TAP_MISSED, EVL_TAP_TWICE,
};

/* How soon a message of the log becomes an event: at once while there are more */
#define EVL_TEXT_PERIOD	max(HZ / 50, 1)
#define EVL_WATCH_PERIOD HZ

/* Under evl_tap_mutex */
static DEFINE_MUTEX(evl_tap_mutex);
static const struct evl_tap_kind *evl_tap_kind;	/* NULL: it is off */
static int evl_tap_error;
static u64 evl_tap_from;		/* sequence number of the log, see import.c */
static bool evl_tap_ready;		/* false while modprobe's parameters are read */

/* Messages that the tap saw while it was switched; NULL while it is on */
static struct evl_seam *evl_tap_notes;

/* evl_tap_notes while the tap is switched, else NULL: it notes what it sees. */
static struct evl_seam *evl_tap_seam;

/* Messages that did not become events. Written under evl_tap_mutex. */
static unsigned long evl_tap_missed;

/* Calls of vprintk_store() that the tap saw */
static DEFINE_PER_CPU(unsigned long, evl_tap_calls);

/*
 * A function that the tap calls may print, by a probe on it or an exception in it, and
 * so call the tap again. That must end; printk() has a limit for itself, beyond the tap.
 * The count is of one task: a fault in the tap may end the task before it counts down.
 */
#define EVL_TAP_NESTED	8
static DEFINE_PER_CPU(struct task_struct *, evl_tap_task);
static DEFINE_PER_CPU(unsigned int, evl_tap_nested);
static DEFINE_PER_CPU(unsigned long, evl_tap_too_deep);

static const struct evl_tap_kind *const evl_text = &evl_tap_kinds[EVL_TAP_TEXT];

/*
 * For each message, in any context: with the arguments of vprintk_store(facility,
 * level, dev_info, fmt, args). A va_list is passed by its address on x86-64, where
 * it is an array, and on arm64, where it is larger than two registers.
 */
void evl_tap_seen(unsigned long facility, unsigned long level,
		  unsigned long info, unsigned long fmt, unsigned long args)
{
	struct evl_seam *seam = READ_ONCE(evl_tap_seam);

	preempt_disable_notrace();
	raw_cpu_inc(evl_tap_calls);
	if (raw_cpu_read(evl_tap_task) != current) {
		raw_cpu_write(evl_tap_nested, 0);
		raw_cpu_write(evl_tap_task, current);
	}
	if (unlikely(raw_cpu_inc_return(evl_tap_nested) > EVL_TAP_NESTED)) {
		raw_cpu_inc(evl_tap_too_deep);
		goto out;
	}
	if (unlikely(seam) && !(int)facility)
		evl_seam_note(seam, (const char *)fmt, *(va_list *)args);
	evl_forward_printk(facility, level, (const void *)info,
			   (const char *)fmt, *(va_list *)args);
out:
	raw_cpu_dec(evl_tap_nested);
	preempt_enable_notrace();
}

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

static void evl_tap_count_missed(unsigned long count, const char *why)
{
	if (!count)
		return;
	WRITE_ONCE(evl_tap_missed, evl_tap_missed + count);
	evl_printf("evlog", EVL_TAP_MISSED, LOG_WARNING,
		   "%lu messages of the kernel did not become events: %s\n",
		   count, why);
}

/* ------------------------------------------------------------------ */
/* The watch, and the reader of the log. */

static struct {
	unsigned long missed, too_deep, calls;	/* of the tap, at the last look */
	u64 end;			/* of the log */
	u64 good;			/* the tap has seen what the log has before */
	bool doubt;
} evl_watch;

static void evl_tap_off(const char *why);
static int evl_tap_on(const struct evl_tap_kind *wanted);

static unsigned long evl_of_all_cpus(unsigned long __percpu *count)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(count, cpu));
	return sum;
}

static void evl_look_for_missed(void)
{
	unsigned long missed = evl_tap_kind->missed();
	unsigned long too_deep = evl_of_all_cpus(&evl_tap_too_deep);

	evl_tap_count_missed(too_deep - evl_watch.too_deep,
			     "they were printed while events of others were made");
	evl_watch.too_deep = too_deep;
	evl_tap_count_missed(missed - evl_watch.missed,
			     "another probe was handled on their CPU");
	/* It saw that there was a message. */
	evl_watch.calls -= missed - evl_watch.missed;
	evl_watch.missed = missed;
}

/*
 * Whether the log grew twice without a call. Once is no proof: a call that an earlier
 * look has counted may not have been in the log then.
 */
static bool evl_tap_is_dead(void)
{
	u64 end = evl_log_end();
	unsigned long calls = evl_of_all_cpus(&evl_tap_calls);
	/* If it died since the last look, the log grew by more than the calls. */
	long unseen = (end - evl_watch.end) - (calls - evl_watch.calls);
	bool doubt = calls == evl_watch.calls && end != evl_watch.end;
	bool dead = doubt && evl_watch.doubt;

	evl_watch.doubt = doubt || (evl_watch.doubt && end == evl_watch.end);
	if (!evl_watch.doubt)
		evl_watch.good = end - max(unseen, 0L);
	evl_watch.calls = calls;
	evl_watch.end = end;
	return dead;
}

static void evl_watch_begin(void)
{
	evl_watch.missed = 0;
	evl_watch.too_deep = evl_of_all_cpus(&evl_tap_too_deep);
	evl_watch.doubt = false;
	evl_watch.end = evl_log_end();
	evl_watch.good = evl_watch.end;
	evl_watch.calls = evl_of_all_cpus(&evl_tap_calls);
}

/* Takes messages that came to the log. Returns how many became events. */
static unsigned long evl_read_log(void)
{
	struct evl_imported count = evl_import(NULL, evl_tap_from);

	evl_tap_from = count.next;
	evl_tap_count_missed(count.overwritten, "the log has them no more");
	return count.events;
}

static void evl_tap_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(evl_tap_work, evl_tap_look);

static void evl_look_again(unsigned long delay)
{
	mod_delayed_work(system_long_wq, &evl_tap_work, delay);
}

static void evl_tap_look(struct work_struct *work)
{
	/* The holder may wait for this to end. */
	if (!mutex_trylock(&evl_tap_mutex)) {
		evl_look_again(1);
		return;
	}
	if (evl_tap_kind == evl_text) {
		evl_look_again(evl_read_log() ? 1 : EVL_TEXT_PERIOD);
	} else if (evl_tap_kind) {
		evl_look_for_missed();
		evl_look_again(EVL_WATCH_PERIOD);
		if (evl_tap_is_dead()) {
			evl_tap_off("the tap no longer sees them");
			evl_tap_from = evl_watch.good;
			evl_tap_on(evl_text);
		}
	}
	mutex_unlock(&evl_tap_mutex);
}

/* ------------------------------------------------------------------ */
/* On and off. */

static void evl_tap_off(const char *why)
{
	const struct evl_tap_kind *kind = evl_tap_kind;
	u64 before = evl_log_end();

	if (!kind)
		return;
	if (kind == evl_text) {
		evl_read_log();
	} else {
		/* The next import begins here, except for what the tap still sees. */
		evl_tap_notes = evl_seam_new();
		WRITE_ONCE(evl_tap_seam, evl_tap_notes);
		evl_tap_wait();
		evl_tap_from = evl_log_cut();
		kind->off();
		evl_tap_wait();
		WRITE_ONCE(evl_tap_seam, NULL);
		if (evl_tap_notes)
			evl_seam_settle(evl_tap_notes, before, evl_tap_from);
		evl_look_for_missed();
	}
	evl_tap_kind = NULL;
	evl_printf("evlog", EVL_TAP_OFF, LOG_WARNING,
		   "messages of the kernel do not become events: %s\n", why);
}

/* Switches to @kind. The tap is off. */
static int evl_tap_start(const struct evl_tap_kind *kind)
{
	struct evl_imported count;
	bool first = !evl_tap_from;
	int err;

	if (!evl_tap_notes)
		evl_tap_notes = evl_seam_new();
	if (!evl_tap_notes)
		return -ENOMEM;
	WRITE_ONCE(evl_tap_seam, evl_tap_notes);
	err = kind->on();
	evl_tap_wait();
	if (!err)
		count = evl_import(evl_tap_notes, evl_tap_from);
	WRITE_ONCE(evl_tap_seam, NULL);
	evl_tap_wait();
	if (err)
		return err;
	evl_tap_from = count.next;
	evl_tap_kind = kind;
	evl_watch_begin();
	evl_printf("evlog", EVL_TAP_ON,
		   kind == evl_text ? LOG_WARNING : LOG_NOTICE,
		   "messages of the kernel become events (%s): %lu from before as text, %lu were overwritten\n",
		   kind->name, count.events, count.overwritten);
	if (evl_seam_beyond(evl_tap_notes))
		evl_printf("evlog", EVL_TAP_TWICE, LOG_NOTICE,
			   "up to %u messages of the kernel are there twice: so many came while the tap was switched\n",
			   evl_seam_beyond(evl_tap_notes));
	evl_seam_free(evl_tap_notes);
	evl_tap_notes = NULL;
	/* The tap did not miss those from before the module. */
	if (!first)
		WRITE_ONCE(evl_tap_missed, evl_tap_missed + count.overwritten);
	evl_look_again(kind == evl_text ? EVL_TEXT_PERIOD : EVL_WATCH_PERIOD);
	return 0;
}

/* Switches to @wanted, or to the best that there is. */
static int evl_tap_on(const struct evl_tap_kind *wanted)
{
	const struct evl_tap_kind *before = evl_tap_kind, *kind;
	int err;

	if (before && (wanted ? wanted == before : before != evl_text))
		return 0;
	evl_tap_off("the tap is switched to another kind");
	kind = wanted ?: evl_tap_kinds;
	while ((err = evl_tap_start(kind)) && !wanted && kind != evl_text)
		kind++;
	evl_tap_error = err;
	if (!err)
		return 0;
	evl_printf("evlog", EVL_TAP_FAILED, LOG_ERR,
		   "messages of the kernel do not become events by %s: error %d\n",
		   kind->name, err);
	/* The tap of before is better than none. */
	if (before && !evl_tap_start(before))
		evl_tap_error = 0;
	return err;
}

static void evl_tap_stop(void)
{
	evl_tap_off("the tap was switched off");
	cancel_delayed_work_sync(&evl_tap_work);
}

/* ------------------------------------------------------------------ */
/* The parameters. */

/* The parameter of modprobe */
static const struct evl_tap_kind *evl_tap_wanted;
static bool evl_tap_unwanted;

static int evl_tap_set(const char *value, const struct kernel_param *kp)
{
	const struct evl_tap_kind *wanted = NULL;
	bool on = true;
	int i, err = 0;

	for (i = 0; i < EVL_TAP_KINDS; i++)
		if (sysfs_streq(value, evl_tap_kinds[i].name))
			wanted = &evl_tap_kinds[i];
	if (!wanted)
		err = kstrtobool(value, &on);
	if (err)
		return err;
	mutex_lock(&evl_tap_mutex);
	if (!evl_tap_ready) {
		evl_tap_wanted = wanted;
		evl_tap_unwanted = !on;
	} else if (on) {
		err = evl_tap_on(wanted);
	} else {
		evl_tap_stop();
	}
	mutex_unlock(&evl_tap_mutex);
	return err;
}

static int evl_tap_get(char *buffer, const struct kernel_param *kp)
{
	int size;

	mutex_lock(&evl_tap_mutex);
	if (!evl_tap_kind && evl_tap_error)
		size = sprintf(buffer, "off, error %d\n", evl_tap_error);
	else
		size = sprintf(buffer, "%s\n", evl_tap_kind ? evl_tap_kind->name : "off");
	mutex_unlock(&evl_tap_mutex);
	return size;
}

static const struct kernel_param_ops evl_param_ops = { .set = evl_tap_set, .get = evl_tap_get };

module_param_cb(tap, &evl_param_ops, NULL, 0644);
MODULE_PARM_DESC(tap, "how messages of the kernel become events: ftrace, kprobe, text, 1 (the best of them) or 0 (off)");
module_param_named(tap_missed, evl_tap_missed, ulong, 0444);
MODULE_PARM_DESC(tap_missed, "how many messages did not become events, though the tap was on or is on again");

void evl_tap_init(void)
{
	mutex_lock(&evl_tap_mutex);
	evl_tap_ready = true;
	if (!evl_tap_unwanted && evl_tap_on(evl_tap_wanted))
		evl_tap_on(NULL);
	mutex_unlock(&evl_tap_mutex);
}

void evl_tap_exit(void)
{
	mutex_lock(&evl_tap_mutex);
	/* The parameter is there for a moment longer. */
	evl_tap_ready = false;
	evl_tap_stop();
	evl_tap_free();
	evl_seam_free(evl_tap_notes);
	mutex_unlock(&evl_tap_mutex);
}
