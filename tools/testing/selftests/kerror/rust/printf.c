// SPDX-License-Identifier: GPL-2.0-only
/* Prints what evl_printf_at() of the kernel is called with. */
#include <stdarg.h>
#include <stdio.h>

int evl_printf_at(void *callsite, const void *dev, const char *facility,
		  int event_type, int severity, const char *fmt, ...)
{
	va_list args;

	printf("%s%s%s %d %d: ", callsite ? "callsite " : "", dev ? "dev " : "", facility,
	       event_type, severity);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("%s", fmt[0] && fmt[__builtin_strlen(fmt) - 1] == '\n' ? "" : "\n");
	return severity > 7 ? -28 : 0;
}
