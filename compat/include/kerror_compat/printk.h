/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel log. */
#ifndef KERROR_COMPAT_PRINTK_H
#define KERROR_COMPAT_PRINTK_H

/* 2.6.24, 2.6.35: all with pr_fmt(), which each source defines */
#undef pr_fmt
#undef pr_emerg
#undef pr_err
#undef pr_warn
#undef pr_notice
#define pr_emerg(fmt, ...)	printk(KERN_EMERG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...)	printk(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)	printk(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...)	printk(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)

/* 2.6.36; before, no format stands for another */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 36)
struct va_format {
	const char *fmt;
	va_list *va;
};
#endif

/* 2.6.9; one caller at a time, as evlog has it */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 9)
static inline int vprintk(const char *fmt, va_list args)
{
	static char line[1024];

	vsnprintf(line, sizeof(line), fmt, args);
	return printk("%s", line);
}
#endif

/* 2.6.22 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 22)
#define DUMP_PREFIX_OFFSET 2
#define print_hex_dump kerror_compat_hex_dump

static inline void kerror_compat_hex_dump(const char *level, const char *prefix,
					  int prefix_type, int row_size,
					  int group_size, const void *data,
					  size_t size, bool ascii)
{
	const u8 *bytes = data;
	char line[3 * 16 + 1];
	size_t at, used;
	int i;

	for (at = 0; at < size; at += 16) {
		used = 0;
		for (i = 0; i < 16 && at + i < size; i++)
			used += scnprintf(line + used, sizeof(line) - used,
					  "%02x ", bytes[at + i]);
		printk("%s%s%08lx: %s\n", level, prefix, (unsigned long)at, line);
	}
}
#elif LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 23)
/* It does not write to the data. */
#define print_hex_dump(level, prefix, type, row, group, data, size, ascii) \
	print_hex_dump(level, prefix, type, row, group, (void *)(data), size, ascii)
#endif

#endif
