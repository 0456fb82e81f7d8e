// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines of an event that people read first: short, with the local time, and cut
 * where the terminal ends. On a narrow one they are shorter, for the sake of the text.
 * --output=verbose has everything, see common/print.c.
 */
#include <ctype.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "kerrorctl.h"

#define NS_PER_S 1000000000ULL

/* Columns of a severity's name; a narrow line has its beginning, which tells them apart. */
#define NAME_WIDE 7
#define NAME_NARROW 4

/* Reused: there is one thread. */
static struct buffer buffer;

void local_time(struct buffer *to, uint64_t time, enum output output)
{
	time_t seconds = time / NS_PER_S;
	char text[48];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), output == OUTPUT_ISO ? "%Y-%m-%dT%H:%M:%S" :
		 output == OUTPUT_NARROW ? "%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
	buffer_string(to, text);
	if (output != OUTPUT_ISO)
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

enum output fitting_output(enum output output, size_t width)
{
	return output == OUTPUT_SHORT && is_narrow(width) ? OUTPUT_NARROW : output;
}

/* +pci:0000:00:1f.2 without the bus, which is clear */
static const char *device_name(const char *device)
{
	const char *colon = *device == '+' ? strchr(device, ':') : NULL;

	return colon ? colon + 1 : device;
}

/* "ata[b8:0]: ", "ahci[0000:00:1f.2]: ", or the facility alone if the device says no more */
static void add_source(const struct evl_header *header, const char *device)
{
	buffer_printable(&buffer, header->facility, strlen(header->facility));
	if (*device && strcmp(device, header->facility)) {
		buffer_byte(&buffer, '[');
		buffer_printable(&buffer, device, strlen(device));
		buffer_byte(&buffer, ']');
	}
	buffer_string(&buffer, ": ");
}

static bool is_in_word(const char *text, size_t size, size_t at)
{
	return at < size && (isalnum((unsigned char)text[at]) || text[at] == '_');
}

/* Whether @text has the word @name at its beginning, or @anywhere; case does not matter. */
static bool says(const char *text, size_t size, const char *name, bool anywhere)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i + length <= size && (!i || anywhere); i++)
		if (!strncasecmp(text + i, name, length) && !is_in_word(text, size, i - 1) &&
		    !is_in_word(text, size, i + length))
			return true;
	return false;
}

/*
 * The device or, without one, the facility; neither if the text says so itself, as that of
 * dev_err() does, nor that a message is of the kernel. 0000: is where all of PCI is.
 */
static void add_narrow_source(const struct evl_header *header, const char *device,
			      const char *text, size_t size)
{
	const char *name = *device ? device : header->facility;

	if (!strncmp(name, "0000:", 5))
		name += 5;
	if (!*name || !strcmp(name, "kernel") || says(text, size, name, *device))
		return;
	buffer_printable(&buffer, name, strlen(name));
	buffer_string(&buffer, ": ");
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
	const char *device = device_name(kerror_event_device(event));
	const int room = output == OUTPUT_NARROW ? NAME_NARROW : NAME_WIDE;
	size_t begin = buffer.size, size;
	const char *text = styled_text(style, event, &size);
	const char *color = color_begin(style, severity);

	if (output != OUTPUT_CAT) {
		local_time(&buffer, time, output);
		buffer_byte(&buffer, ' ');
		/* The colour is no column. */
		columns -= columns > buffer.size - begin ? buffer.size - begin : columns;
		buffer_string(&buffer, color);
		begin = buffer.size;
		for (int i = 0; i < room; i++)
			buffer_byte(&buffer, *name ? *name++ : ' ');
		buffer_byte(&buffer, ' ');
		add_host(style, event);
		if (!header) {
			buffer_string(&buffer, kerror_group_name(kerror_event_group(event)));
			buffer_string(&buffer, ": ");
		} else if (output == OUTPUT_NARROW) {
			add_narrow_source(header, device, text, size);
		} else {
			add_source(header, device);
		}
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
