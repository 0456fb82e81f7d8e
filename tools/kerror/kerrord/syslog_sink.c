// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syslog server, by RFC 5424 with the parts of an event as structured data:
 * over the local socket, UDP (RFC 5426) or TCP with octet counting (RFC 6587).
 * The elements are listed in kerrord(8).
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "kerrord.h"

/* The enterprise number that RFC 5612 sets aside for documentation */
#define ID(name) name "@32473"

/* A server that does not take what was sent for so long counts as dead. */
#define SEND_TIMEOUT_S 10

struct connection {
	int fd;
	bool counted;		/* octet counting */
	char host[256];
};

/* Tries each address of HOST:PORT. */
static int connect_remote(const char *address, int type, char *message,
			  size_t size)
{
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	struct addrinfo hints = { .ai_socktype = type }, *all, *one;
	const char *colon = strrchr(address, ':');
	bool brackets = colon && *address == '[' && colon[-1] == ']';
	char host[256];
	int fd = -1, err = -EINVAL;

	if (!colon || colon == address) {
		snprintf(message, size, "address '%s' is not HOST:PORT", address);
		return -EINVAL;
	}
	snprintf(host, sizeof(host), "%.*s",
		 (int)(colon - address) - 2 * brackets, address + brackets);
	err = getaddrinfo(host, colon + 1, &hints, &all);
	if (err) {
		snprintf(message, size, "%s: %s", address, gai_strerror(err));
		return -EHOSTUNREACH;
	}
	for (one = all; one; one = one->ai_next) {
		fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC,
			    one->ai_protocol);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			   sizeof(timeout));
		if (!connect(fd, one->ai_addr, one->ai_addrlen))
			break;
		err = -errno;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(all);
	if (fd < 0)
		snprintf(message, size, "%s: %s", address, strerror(-err));
	return fd < 0 ? err : fd;
}

static int open_connection(struct sink *sink, char *message, size_t size)
{
	const char *address = sink->settings->address ? : "";
	struct connection *connection = calloc(1, sizeof(*connection));
	int fd;

	if (!connection) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	if (!strncmp(address, "unix:", 5)) {
		fd = connect_unix(address + 5, SOCK_DGRAM);
		if (fd < 0)
			snprintf(message, size, "%s: %s; does a syslog server run?",
				 address + 5, strerror(-fd));
	} else if (!strncmp(address, "udp:", 4)) {
		fd = connect_remote(address + 4, SOCK_DGRAM, message, size);
	} else if (!strncmp(address, "tcp:", 4)) {
		fd = connect_remote(address + 4, SOCK_STREAM, message, size);
		connection->counted = true;
	} else {
		fd = -EINVAL;
		snprintf(message, size,
			 "address '%s' begins with none of unix:, udp:, tcp:",
			 address);
	}
	if (fd < 0) {
		free(connection);
		return fd;
	}
	connection->fd = fd;
	if (gethostname(connection->host, sizeof(connection->host) - 1) ||
	    !*connection->host)
		connection->host[0] = '\0';	/* shown as "-" */
	sink->private = connection;
	return 0;
}

static void close_connection(struct sink *sink)
{
	struct connection *connection = sink->private;

	close(connection->fd);
	free(connection);
	sink->private = NULL;
}

/* ---- Messages ---- */

/* Printable ASCII without blanks, as the header's parts must be */
static void print_word(FILE *file, const char *text, size_t most)
{
	if (!*text)
		fputc('-', file);
	for (; *text && most; text++, most--)
		fputc(*text > ' ' && *text < 0x7f ? *text : '_', file);
}

static void print_value(FILE *file, const char *name, const char *text,
			size_t size)
{
	fprintf(file, " %s=\"", name);
	while (size) {
		size_t length = utf8_length(text, size);
		unsigned char first = *text;

		if (first == '"' || first == '\\' || first == ']')
			fprintf(file, "\\%c", first);
		else if (!length || first < ' ' || first == 0x7f)
			fprintf(file, "\\\\x%02x", first);
		else
			fwrite(text, 1, length, file);
		text += length ? length : 1;
		size -= length ? length : 1;
	}
	fputc('"', file);
}

static void print_string(FILE *file, const char *name, const char *text)
{
	print_value(file, name, text, strlen(text));
}

static void print_number(FILE *file, const char *name, uint64_t number)
{
	fprintf(file, " %s=\"%" PRIu64 "\"", name, number);
}

static void print_arguments(FILE *file, const struct kerror_event *event)
{
	struct kerror_argument argument;

	fputs("[" ID("kerrorArguments"), file);
	for (size_t i = 0; !kerror_event_argument(event, i, &argument); i++) {
		char name[32];

		snprintf(name, sizeof(name), "arg%zu", i);
		if (argument.text)
			print_value(file, name, argument.text, argument.size);
		else if (argument.type == EVL_ARG_S32 ||
			 argument.type == EVL_ARG_S64)
			fprintf(file, " %s=\"%" PRId64 "\"", name,
				(int64_t)argument.number);
		else
			print_number(file, name, argument.number);
	}
	fputc(']', file);
}

static void print_event_data(FILE *file, const struct kerror_event *event)
{
	const struct evl_header *header = kerror_event_header(event);

	fputs("[" ID("kerror"), file);
	print_string(file, "group", kerror_group_name(kerror_event_group(event)));
	print_number(file, "sequence", kerror_event_sequence(event));
	if (!header) {
		fputc(']', file);
		return;
	}
	if (*kerror_event_device(event))
		print_string(file, "device", kerror_event_device(event));
	print_string(file, "facility", header->facility);
	print_string(file, "context", kerror_context_name(header->flags));
	print_number(file, "cpu", header->cpu);
	print_number(file, "uid", header->uid);
	print_number(file, "gid", header->gid);
	print_number(file, "pid", header->pid);
	print_number(file, "tid", header->tid);
	print_string(file, "comm", header->comm);
	print_number(file, "type", header->event_type);
	if (header->format == EVL_FORMAT_PRINTF) {
		fprintf(file, " id=\"%08" PRIx32 "\"", (uint32_t)header->event_id);
		print_string(file, "format", kerror_event_format(event));
	}
	fputc(']', file);
	if (kerror_event_argument_count(event))
		print_arguments(file, event);
}

/* One line: newlines within the text are shown as such. */
static void print_message(FILE *file, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = text[i];

		if (byte < ' ' || byte == 0x7f)
			fprintf(file, "\\x%02x", byte);
		else
			fputc(byte, file);
	}
}

static void print_record(FILE *file, const struct sink *sink,
			 const struct record *record)
{
	const struct connection *connection = sink->private;
	const struct evl_header *header =
		record->event ? kerror_event_header(record->event) : NULL;
	uint64_t time = header ? header->time_realtime : record->time;
	unsigned int severity = header ? header->severity & 7 :
				record->kind == RECORD_REPORT ? record->severity :
				4;
	time_t seconds = time / 1000000000;
	const char *text;
	char date[32];
	struct tm tm;
	size_t size;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(file, "<%u>1 %s.%06uZ ",
		(unsigned int)sink->settings->facility << 3 | severity, date,
		(unsigned int)(time % 1000000000 / 1000));
	print_word(file, connection->host, 255);
	fputc(' ', file);
	print_word(file, header ? identifier_of(header) : "kerrord", 48);
	fputs(" - ", file);
	switch (record->kind) {
	case RECORD_EVENT:
		if (header && header->format == EVL_FORMAT_PRINTF)
			fprintf(file, "%08" PRIx32 " ", (uint32_t)header->event_id);
		else
			fputs("event ", file);
		print_event_data(file, record->event);
		fputc(' ', file);
		text = event_text(record->event, &size);
		print_message(file, text, size);
		break;
	case RECORD_LOSS:
		fputs("loss [" ID("kerrorLoss"), file);
		print_string(file, "group", kerror_group_name(record->loss.group));
		print_string(file, "cause", record->cause);
		print_number(file, "count", record->loss.count);
		print_number(file, "total", record->loss.total);
		fprintf(file, "] %" PRIu64 " %s events lost: %s",
			(uint64_t)record->loss.count,
			kerror_group_name(record->loss.group), record->cause);
		break;
	case RECORD_REPORT:
		fprintf(file, "report - %s", record->text);
		break;
	}
}

static int send_all(const struct connection *connection, const char *text,
		    size_t size)
{
	char count[24];
	struct iovec parts[] = {
		{ .iov_base = count,
		  .iov_len = snprintf(count, sizeof(count), "%zu ", size) },
		{ .iov_base = (void *)text, .iov_len = size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (!connection->counted)
		return send(connection->fd, text, size, MSG_NOSIGNAL) < 0 ?
		       -errno : 0;
	while (message.msg_iovlen) {
		sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		while (message.msg_iovlen &&
		       (size_t)sent >= message.msg_iov->iov_len) {
			sent -= message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen) {
			message.msg_iov->iov_base =
				(char *)message.msg_iov->iov_base + sent;
			message.msg_iov->iov_len -= sent;
		}
	}
	return 0;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	const char *address = sink->settings->address;
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	int err = -ENOMEM;

	(void)count;
	if (file) {
		print_record(file, sink, records[0]);
		if (!fclose(file))
			err = send_all(sink->private, text, bytes);
	}
	/* Larger than a datagram may be: the head is better than nothing. */
	if (err == -EMSGSIZE)
		err = send_all(sink->private, text, bytes < 1024 ? bytes : 1024);
	free(text);
	if (!err)
		return 1;
	snprintf(message, size, "%s: %s", address, strerror(-err));
	return err;
}

const struct sink_type syslog_sink = {
	.name = "syslog",
	.keeps_progress = true,
	.open = open_connection,
	.write = write_records,
	.close = close_connection,
};
