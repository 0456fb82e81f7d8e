// SPDX-License-Identifier: GPL-2.0-only
/* Events, losses and text to a file. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include "kerrorctl.h"

/* Reused: there is one thread. */
static struct buffer buffer;

static void print_made(FILE *file)
{
	if (buffer.failed)
		errx(EXIT_FAILURE, "out of memory");
	fwrite(buffer.bytes, 1, buffer.size, file);
	buffer.size = 0;
}

struct kerror_origin *own_origin(uint64_t instance)
{
	static struct kerror_origin *origin;

	if (!origin)
		origin = must_have(identity_read(instance));
	return origin;
}

void print_event(FILE *file, const struct print_style *style,
		 const struct kerror_event *event)
{
	event_line(&buffer, style, event);
	print_made(file);
}

void print_loss(FILE *file, const struct print_style *style,
		const struct kerror_loss *loss)
{
	loss_line(&buffer, style, loss);
	print_made(file);
}

void print_event_json(FILE *file, const struct print_style *style,
		      const struct kerror_event *event)
{
	event_json(&buffer, style, event);
	print_made(file);
}

void print_loss_json(FILE *file, const struct print_style *style,
		     const struct kerror_loss *loss)
{
	loss_json(&buffer, style, loss);
	print_made(file);
}

void print_printable(FILE *file, const char *text, size_t size)
{
	buffer_printable(&buffer, text, size);
	print_made(file);
}

void print_clock(FILE *file, uint64_t time)
{
	local_time(&buffer, time, OUTPUT_SHORT);
	fputs(must_have(buffer_terminate(&buffer)) + strlen("2026-01-31 "), file);
	buffer.size = 0;
}

void print_time(FILE *file, uint64_t time)
{
	local_time(&buffer, time, OUTPUT_SHORT);
	print_made(file);
}
