/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events with the fields that test_evlog_bench.c gives evl_printf(), to
 * compare with. Included by that file only, and by the tracing macros.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM test_evlog_bench

#if !defined(TEST_EVLOG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TEST_EVLOG_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

TRACE_EVENT(bench_3,
	    TP_PROTO(int queue, u64 since, const char *device),
	    TP_ARGS(queue, since, device),
	    TP_STRUCT__entry(__field(int, queue)
			     __field(u64, since)
			     __array(char, device, 8)),
	    TP_fast_assign(__entry->queue = queue;
			   __entry->since = since;
			   strscpy(__entry->device, device,
				   sizeof(__entry->device));),
	    TP_printk("queue %d stalled since %llu on %s", __entry->queue,
		      __entry->since, __entry->device)
);

TRACE_EVENT(bench_8,
	    TP_PROTO(int queue, u64 since, const char *device,
		     unsigned int filled, unsigned long size,
		     unsigned int status, char letter, int number),
	    TP_ARGS(queue, since, device, filled, size, status, letter, number),
	    TP_STRUCT__entry(__field(int, queue)
			     __field(u64, since)
			     __array(char, device, 8)
			     __field(unsigned int, filled)
			     __field(unsigned long, size)
			     __field(unsigned int, status)
			     __field(char, letter)
			     __field(int, number)),
	    TP_fast_assign(__entry->queue = queue;
			   __entry->since = since;
			   strscpy(__entry->device, device,
				   sizeof(__entry->device));
			   __entry->filled = filled;
			   __entry->size = size;
			   __entry->status = status;
			   __entry->letter = letter;
			   __entry->number = number;),
	    TP_printk("queue %d stalled since %llu on %s, %u of %lu, status %08x, %c%d",
		      __entry->queue, __entry->since, __entry->device,
		      __entry->filled, __entry->size, __entry->status,
		      __entry->letter, __entry->number)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE test_evlog_trace
#include <trace/define_trace.h>
