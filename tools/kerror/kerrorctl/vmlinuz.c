// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpacks a vmlinuz that elfutils cannot: that of x86 with zstd, as Debian has them since
 * 6.12. For catalogue_elf.c. The layout of the file is in the kernel's
 * Documentation/arch/x86/boot.rst, protocol 2.08.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>
#include "catalogue.h"
#include "kerrorctl.h"

#define SETUP_SECTORS	0x1f1
#define HEADER_MAGIC	0x202
#define HEADER_VERSION	0x206
#define PAYLOAD_OFFSET	0x248
#define PAYLOAD_LENGTH	0x24c
#define HEADER_END	0x250

#define SECTOR		512
#define VMLINUZ_MAX	(1 << 28)

static uint32_t number_at(const uint8_t *bytes, size_t size)
{
	uint32_t number = 0;

	while (size--)
		number = number << 8 | bytes[size];
	return number;
}

/* The compressed kernel, which the caller frees, or NULL if there is none */
static uint8_t *read_payload(int fd, size_t *size)
{
	uint8_t header[HEADER_END], *payload;
	unsigned int sectors;
	off_t start;

	if (pread(fd, header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header + HEADER_MAGIC, "HdrS", 4) ||
	    number_at(header + HEADER_VERSION, 2) < 0x208)
		return NULL;
	sectors = header[SETUP_SECTORS] ? : 4;
	start = (sectors + 1) * SECTOR + (off_t)number_at(header + PAYLOAD_OFFSET, 4);
	*size = number_at(header + PAYLOAD_LENGTH, 4);
	if (*size > VMLINUZ_MAX)
		return NULL;
	payload = must_have(malloc(*size + 1));
	if (pread(fd, payload, *size, start) == (ssize_t)*size)
		return payload;
	free(payload);
	return NULL;
}

/* True if all of it was written to @to. Bytes behind its end do not matter. */
static bool unpack(const uint8_t *payload, size_t size, int to)
{
	ZSTD_inBuffer in = { payload, size, 0 };
	ZSTD_DCtx *context = must_have(ZSTD_createDCtx());
	uint8_t buffer[65536];
	size_t left;

	/* The kernel packs itself with the largest window. */
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 31);
	do {
		ZSTD_outBuffer out = { buffer, sizeof(buffer), 0 };

		left = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(left) || (!out.pos && in.pos == in.size && left) ||
		    write(to, buffer, out.pos) != (ssize_t)out.pos)
			break;
	} while (left);
	ZSTD_freeDCtx(context);
	return !left;
}

int vmlinuz_unpack(int fd)
{
	size_t size;
	uint8_t *payload = read_payload(fd, &size);
	int to = payload ? memfd_create("vmlinux", MFD_CLOEXEC) : -1;

	if (payload && to < 0)
		err(EXIT_FAILURE, "cannot unpack the kernel");
	if (to >= 0 && !unpack(payload, size, to)) {
		close(to);
		to = -1;
	}
	free(payload);
	return to;
}
