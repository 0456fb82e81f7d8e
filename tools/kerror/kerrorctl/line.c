// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines of an event that people read first: short, with the local time, and cut
 * where the terminal ends. --output=verbose has everything, see common/print.c.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "kerrorctl.h"

#define NS_PER_S 1000000000ULL

/* Reused: there is one thread. */
static struct buffer buffer;

void local_time(struct buffer *to, uint64_t time, bool iso)
{
	time_t seconds = time / NS_PER_S;
	char text[48];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), iso ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
	buffer_string(to, text);
	if (!iso)
		return;
	buffer_byte(to, '.');
	buffer_padded(to, time % NS_PER_S / 1000, 6);
	strftime(text, sizeof(text), "%z", &tm);
	/* +0100 is +01:00 */
	buffer_add(to, text, 3);
	buffer_byte(to, ':');
	buffer_add(to, text + 3, 2);
}

size_t terminal_width(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ?
	       size.ws_col : 0;
}

/* "ata[b8:0]", "ahci[0000:00:1f.2]", or the facility alone if the device says no more */
static void add_source(const struct evl_header *header, const struct kerror_event *event)
{
	const char *device = kerror_event_device(event), *name = device;

	buffer_printable(&buffer, header->facility, strlen(header->facility));
	/* +pci:0000:00:1f.2: the bus is clear. */
	if (*device == '+' && strchr(device, ':'))
		name = strchr(device, ':') + 1;
	if (!*device || !strcmp(name, header->facility))
		return;
	buffer_byte(&buffer, '[');
	buffer_printable(&buffer, name, strlen(name));
	buffer_byte(&buffer, ']');
}

/* The host, unless it is that of every line */
static void add_host(const struct print_style *style, const struct kerror_event *event)
{
	const char *host = kerror_origin_get(kerror_event_origin(event), "host");
	const char *own = kerror_origin_get(style->own, "host");

	if (!host || (own && !strcmp(host, own)))
		return;
	buffer_printable(&buffer, host, strlen(host));
	buffer_byte(&buffer, ' ');
}

/* How many columns the bytes from @begin on take, about: one for each character */
static size_t columns_from(size_t begin)
{
	size_t columns = 0;

	for (size_t i = begin; i < buffer.size; i++)
		columns += (buffer.bytes[i] & 0xc0) != 0x80;
	return columns;
}

/* Cuts what begins at @begin to so many columns. */
static void cut(size_t begin, size_t columns)
{
	size_t at = begin;

	if (columns_from(begin) <= columns)
		return;
	for (size_t left = columns ? columns - 1 : 0; left; left--)
		do
			at++;
		while ((buffer.bytes[at] & 0xc0) == 0x80);
	buffer.size = at;
	buffer_string(&buffer, "…");
}

static void print_made(FILE *file)
{
	if (buffer.failed)
		errx(EXIT_FAILURE, "out of memory");
	fwrite(buffer.bytes, 1, buffer.size, file);
	buffer.size = 0;
}

void print_short(FILE *file, const struct print_style *style, enum output output,
		 const struct kerror_event *event, uint64_t time, size_t columns)
{
	const struct evl_header *header = kerror_event_header(event);
	unsigned int severity = header ? header->severity : LOG_NOTICE;
	const char *name = header ? kerror_severity_name(severity) : "-";
	size_t begin = buffer.size, size;
	const char *text = styled_text(style, event, &size);
	const char *color = color_begin(style, severity);

	if (output != OUTPUT_CAT) {
		local_time(&buffer, time, output == OUTPUT_ISO);
		buffer_byte(&buffer, ' ');
		/* The colour is no column. */
		columns -= columns > buffer.size - begin ? buffer.size - begin : columns;
		buffer_string(&buffer, color);
		begin = buffer.size;
		buffer_string(&buffer, name);
		buffer_add(&buffer, "        ", 8 - strlen(name));
		add_host(style, event);
		if (header)
			add_source(header, event);
		else
			buffer_string(&buffer, kerror_group_name(kerror_event_group(event)));
		buffer_string(&buffer, ": ");
	} else {
		buffer_string(&buffer, color);
		begin = buffer.size;
	}
	buffer_printable(&buffer, text, size);
	if (columns)
		cut(begin, columns);
	buffer_string(&buffer, color_end(style));
	buffer_byte(&buffer, '\n');
	print_made(file);
}
