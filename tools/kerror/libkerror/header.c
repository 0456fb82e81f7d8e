// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The context of an event, value by value, for programs that cannot know the layout of
 * struct evl_header: those of another language call these. Promises what
 * kerror_event_header() promises: nothing of an event that is not well-formed.
 */
#include <errno.h>
#include "internal.h"

int kerror_event_severity(const struct kerror_event *event)
{
	return event->structured ? event->header.severity : -ENODATA;
}

int kerror_event_kind(const struct kerror_event *event)
{
	return event->structured ? event->header.format : -ENODATA;
}

uint32_t kerror_event_flags(const struct kerror_event *event)
{
	return event->structured ? event->header.flags : 0;
}

uint64_t kerror_event_time_realtime(const struct kerror_event *event)
{
	return event->structured ? event->header.time_realtime : 0;
}

uint64_t kerror_event_time_boot(const struct kerror_event *event)
{
	return event->structured ? event->header.time_boot : 0;
}

const char *kerror_event_facility(const struct kerror_event *event)
{
	return event->structured ? event->header.facility : "";
}

const char *kerror_event_comm(const struct kerror_event *event)
{
	return event->structured ? event->header.comm : "";
}

uint32_t kerror_event_id(const struct kerror_event *event)
{
	return event->structured ? event->header.event_id : 0;
}

uint32_t kerror_event_type(const struct kerror_event *event)
{
	return event->structured ? event->header.event_type : 0;
}

uint32_t kerror_event_cpu(const struct kerror_event *event)
{
	return event->structured ? event->header.cpu : 0;
}

uint32_t kerror_event_uid(const struct kerror_event *event)
{
	return event->structured ? event->header.uid : 0;
}

uint32_t kerror_event_gid(const struct kerror_event *event)
{
	return event->structured ? event->header.gid : 0;
}

uint32_t kerror_event_pid(const struct kerror_event *event)
{
	return event->structured ? event->header.pid : 0;
}

uint32_t kerror_event_tid(const struct kerror_event *event)
{
	return event->structured ? event->header.tid : 0;
}
