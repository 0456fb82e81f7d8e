// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native protocol of systemd-journald (systemd.io/JOURNAL_NATIVE_PROTOCOL):
 * an entry is a datagram, or, if it is too large for one, a sealed file that is
 * passed in one.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "journal.h"

/* As libsystemd asks for; the kernel may give less. */
#define SEND_BUFFER (8 << 20)

#define IDENTIFIER "SYSLOG_IDENTIFIER="

const char *journal_socket = "/run/systemd/journal/socket";

struct journal {
	struct datagrams datagrams;
};

int journal_open(struct journal **result, struct sink *sink)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	const int size = SEND_BUFFER;
	int err;

	if (!journal)
		return -ENOMEM;
	err = datagrams_open_local(&journal->datagrams, sink, journal_socket);
	if (err) {
		free(journal);
		return err;
	}
	setsockopt(journal->datagrams.fd, SOL_SOCKET, SO_SNDBUF, &size,
		   sizeof(size));
	*result = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	datagrams_close(&journal->datagrams);
	free(journal);
}

/* A value with a newline has its length before it instead of "=". */
static void print_field(FILE *file, const struct iovec *field)
{
	const char *name = field->iov_base;
	const char *value = (char *)memchr(name, '=', field->iov_len) + 1;
	size_t size = field->iov_len - (value - name);
	uint64_t length = htole64(size);

	fwrite(name, 1, value - 1 - name, file);
	if (memchr(value, '\n', size)) {
		fputc('\n', file);
		fwrite(&length, sizeof(length), 1, file);
	} else {
		fputc('=', file);
	}
	fwrite(value, 1, size, file);
	fputc('\n', file);
}

/* NULL without memory */
static char *make_entry(const struct iovec *fields, size_t count, size_t *size)
{
	static const struct iovec own = {
		.iov_base = IDENTIFIER "kerrord",
		.iov_len = sizeof(IDENTIFIER "kerrord") - 1,
	};
	char *entry = NULL;
	FILE *file = open_memstream(&entry, size);
	bool named = false;

	if (!file)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		named |= fields[i].iov_len > strlen(IDENTIFIER) &&
			 !memcmp(fields[i].iov_base, IDENTIFIER,
				 strlen(IDENTIFIER));
		print_field(file, &fields[i]);
	}
	if (!named)
		print_field(file, &own);
	if (!fclose(file))
		return entry;
	free(entry);
	return NULL;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t part = write(fd, data, size);

		if (part < 0)
			return -errno;
		data += part;
		size -= part;
	}
	return 0;
}

static int send_file(struct journal *journal, int file)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {
		.header.cmsg_len = CMSG_LEN(sizeof(int)),
		.header.cmsg_level = SOL_SOCKET,
		.header.cmsg_type = SCM_RIGHTS,
	};
	struct msghdr message = {
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
	return datagrams_send(&journal->datagrams, &message);
}

/* journald takes a file only if nobody can change it any more. */
static int send_large(struct journal *journal, const char *entry, size_t size)
{
	int file = memfd_create("kerrord-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (file < 0)
		return -errno;
	err = write_all(file, entry, size);
	if (!err && fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
					     F_SEAL_GROW | F_SEAL_WRITE))
		err = -errno;
	if (!err)
		err = send_file(journal, file);
	close(file);
	return err;
}

int journal_send(struct journal *journal, const struct iovec *fields,
		 size_t count)
{
	struct iovec part;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	size_t size = 0;
	char *entry = make_entry(fields, count, &size);
	int err;

	if (!entry)
		return -ENOMEM;
	part = (struct iovec) { .iov_base = entry, .iov_len = size };
	err = datagrams_send(&journal->datagrams, &message);
	if (err == -EMSGSIZE || err == -ENOBUFS)
		err = send_large(journal, entry, size);
	free(entry);
	return err;
}

int journal_confirm(struct journal *journal)
{
	return datagrams_confirm(&journal->datagrams);
}
