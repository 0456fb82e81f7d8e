// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways to see messages of printk(), best first: ftrace, a kprobe, the log as text.
 *
 * tap.c switches one of them on and off. The first two trace vprintk_store(), which
 * printk() calls for each message that goes to the log, and hand its arguments to
 * evl_tap_seen(). The third one traces nothing: tap.c reads the log instead.
 *
 * Promise: while ftrace is used, it cannot be switched off (FTRACE_OPS_FL_PERMANENT).
 * Messages that a kprobe misses are counted.
 */
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include "tap.h"

#define EVL_TAPPED	"vprintk_store"

/* As evl_tap_seen() takes the va_list. i386, riscv and others pass it by value. */
#if defined(CONFIG_X86_64) || defined(CONFIG_ARM64)
#define EVL_LIST_BY_ADDRESS	1
#else
#define EVL_LIST_BY_ADDRESS	0
#endif

/* ------------------------------------------------------------------ */
/* ftrace. */

#if !EVL_LIST_BY_ADDRESS
/* None of the two */
#elif defined(ftrace_regs_get_argument) || \
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
	evl_tap_seen(EVL_ARGUMENT(fregs, 0), EVL_ARGUMENT(fregs, 1),
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

/* Else the filter outlives the module. Not in evl_ftrace_off(): it may be left dangling. */
void evl_tap_free(void)
{
	ftrace_free_filter(&evl_tap_ops);
}
#else
static int evl_ftrace_on(void)
{
	return -EOPNOTSUPP;
}

static void evl_ftrace_off(void)
{
}

void evl_tap_free(void)
{
}
#endif

static unsigned long evl_ftrace_missed(void)
{
	return 0;
}

/* ------------------------------------------------------------------ */
/* kprobes. */

#if defined(CONFIG_KPROBES) && EVL_LIST_BY_ADDRESS
static int evl_tap_kprobe(struct kprobe *probe, struct pt_regs *regs)
{
	evl_tap_seen(regs_get_kernel_argument(regs, 0),
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
}

/* Those that were printed while another probe was handled on the CPU */
static unsigned long evl_kprobe_missed(void)
{
	return READ_ONCE(evl_tap_probe.nmissed);
}
#else
static int evl_kprobe_on(void)
{
	return -EOPNOTSUPP;
}

static void evl_kprobe_off(void)
{
}

static unsigned long evl_kprobe_missed(void)
{
	return 0;
}
#endif

/* ------------------------------------------------------------------ */
/* The log. */

static int evl_text_on(void)
{
	return 0;
}

const struct evl_tap_kind evl_tap_kinds[EVL_TAP_KINDS] = {
	{ "ftrace", evl_ftrace_on, evl_ftrace_off, evl_ftrace_missed },
	{ "kprobe", evl_kprobe_on, evl_kprobe_off, evl_kprobe_missed },
	[EVL_TAP_TEXT] = { "text", evl_text_on },
};
