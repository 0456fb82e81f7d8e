// SPDX-License-Identifier: GPL-2.0-only
/*
 * snprintf() for kernel/evlog_args.c and kernel/evlog_render.c, on kernels that
 * print addresses.
 *
 * Where the kernel's own vsnprintf() prints a pointer's digits, be it for %p or
 * for an extension that it does not know, the digits of a hash of it take their
 * place. The key is random and made late in boot; before, the digits are zero.
 */
#include <kerror_compat.h>
#include <linux/module.h>
#include <linux/random.h>

static u64 pointer_key[2];
static int pointer_key_made;

static u64 rotate(u64 word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void siphash_round(u64 *v)
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 of eight bytes. */
static u64 siphash(u64 message)
{
	u64 v[4] = {
		0x736f6d6570736575ULL ^ pointer_key[0],
		0x646f72616e646f6dULL ^ pointer_key[1],
		0x6c7967656e657261ULL ^ pointer_key[0],
		0x7465646279746573ULL ^ pointer_key[1],
	};
	u64 words[2] = { message, 8ULL << 56 };
	int i;

	for (i = 0; i < 2; i++) {
		v[3] ^= words[i];
		siphash_round(v);
		siphash_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Replaces the digits of @pointer in @text, one for one. */
static void hide_pointer(char *text, const void *pointer)
{
	char digits[2 * sizeof(pointer) + 1], hashed[2 * sizeof(pointer) + 1];
	int length = sprintf(digits, "%lx", (unsigned long)pointer);
	u32 hash = pointer_key_made ? siphash((unsigned long)pointer) : 0;

	if ((unsigned long)pointer < PAGE_SIZE)
		return;
	/* As today: 32 bits, whatever the size of a pointer is. */
	sprintf(hashed, "%0*lx", length,
		(unsigned long)hash & (~0UL >> (BITS_PER_LONG - 4 * length)));
	while ((text = strstr(text, digits)))
		memcpy(text, hashed, length);
}

/* 2.6.34: %pUb, of 16 bytes. Of %pU* there is no other here. */
static int print_uuid(char *buffer, size_t size, const u8 *id)
{
	return snprintf(buffer, size,
			"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7],
			id[8], id[9], id[10], id[11], id[12], id[13], id[14],
			id[15]);
}

/* @fmt has one conversion, perhaps with '*', or is a text. */
static int kerror_compat_vsnprintf(char *buffer, size_t size, const char *fmt,
				   va_list args)
{
	const char *p = strchr(fmt, '%');
	const char *letter = p ? p + 1 + strspn(p + 1, "-+ #0123456789.*") : "";
	const void *pointer;
	char text[256];
	va_list copy;
	int length;

	va_copy(copy, args);
	if (!strcmp(fmt, "%s") && IS_ERR_VALUE(va_arg(copy, char *))) {
		va_end(copy);
		length = snprintf(text, sizeof(text), "(efault)");
	} else {
		va_end(copy);
		/* Some of these kernels write to a buffer of no size. */
		if (*letter != 'p')
			return size ? vsnprintf(buffer, size, fmt, args) :
				      vsnprintf(text, 1, fmt, args);
		va_copy(copy, args);
		length = vsnprintf(text, sizeof(text), fmt, args);
		for (; p != letter; p++)
			if (*p == '*')
				va_arg(copy, int);
		pointer = va_arg(copy, void *);
		va_end(copy);
		if (!strcmp(fmt, "%pUb") && (unsigned long)pointer >= PAGE_SIZE)
			length = print_uuid(text, sizeof(text), pointer);
		else
			hide_pointer(text, pointer);
	}
	if (size)
		strlcpy(buffer, text, size);
	return min_t(int, length, sizeof(text) - 1);
}

/**
 * kerror_compat_snprintf - snprintf() that hides addresses
 * @buffer: where to
 * @size: its bytes
 * @fmt: at most one conversion if it has a %p, and then at most 255 bytes
 *
 * Context: any. Return: as snprintf().
 */
int kerror_compat_snprintf(char *buffer, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = kerror_compat_vsnprintf(buffer, size, fmt, args);
	va_end(args);
	return length;
}

/**
 * kerror_compat_scnprintf - scnprintf() that hides addresses
 * @buffer: where to
 * @size: its bytes
 * @fmt: as for kerror_compat_snprintf()
 *
 * Context: any. Return: as scnprintf().
 */
int kerror_compat_scnprintf(char *buffer, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = kerror_compat_vsnprintf(buffer, size, fmt, args);
	va_end(args);
	if (length >= (int)size)
		length = size ? size - 1 : 0;
	return length;
}

/* 2.6.4 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 6, 4)
int scnprintf(char *buffer, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vscnprintf(buffer, size, fmt, args);
	va_end(args);
	return length;
}
EXPORT_SYMBOL(scnprintf);
#endif

static int __init kerror_compat_printf_init(void)
{
	get_random_bytes(pointer_key, sizeof(pointer_key));
	pointer_key_made = 1;
	return 0;
}
late_initcall(kerror_compat_printf_init);
