/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The bytes of an event of KERROR_GROUP_EVLOG or KERROR_GROUP_PRINTK.
 * <linux/kerror.h> brings it here.
 *
 * An event is three parts and nothing else, without padding between them:
 *
 *   1. struct evl_header, header_size bytes (at least EVL_HEADER_SIZE; skip
 *      what is more). Every field is at a fixed offset, so that a socket filter
 *      can select events inside the kernel. Native byte order.
 *   2. The device, device_size bytes with its terminating NUL, or 0 bytes:
 *        b8:0           block device 8:0
 *        c1:3           character device 1:3
 *        n2             network device of interface index 2
 *        +pci:0000:00:1f.2   any other: + subsystem : name
 *   3. The variable part, variable_size bytes, as the format field says:
 *        EVL_FORMAT_NODATA  nothing
 *        EVL_FORMAT_BINARY  the driver's bytes
 *        EVL_FORMAT_STRING  text, not NUL-terminated
 *        EVL_FORMAT_PRINTF  the format string, format_size bytes with its
 *          terminating NUL and no other, then arguments
 *
 * Bytes of somebody who used kernel_error_event() with this group are not evlog: see
 * WELL-FORMED. All text is bytes, most often UTF-8; widths and precisions count bytes.
 *
 * The variable part is at most EVL_VARIABLE_MAX bytes. The rest is cut
 * and EVL_FLAG_TRUNCATED set: data and text at the end. Of a format, the string
 * or text argument that does not fit is shortened, one of another type is
 * absent, and so are all later ones. A format string that does not fit itself
 * is cut and has no arguments. Without EVL_FLAG_TRUNCATED the arguments are
 * exactly those of the format.
 *
 * ARGUMENTS
 *
 * Each is struct evl_argument, size bytes of value, and zeros up to a multiple
 * of 4 bytes of its own, the last one too. They stand in the order of the
 * format string, right behind its NUL:
 *
 *   EVL_ARG_WIDTH      the value of a '*' width, __s32
 *   EVL_ARG_PRECISION  the value of a '*' precision, __s32
 *   EVL_ARG_S32 _U32 _S64 _U64   an integer of the caller's type: int, short
 *                      and char are 32 bits, long (l), size_t (z) and
 *                      ptrdiff_t (t) those of the kernel, ll and L 64 bits.
 *                      Signed is what d and i convert.
 *   EVL_ARG_CHAR       %c, one byte, 0 to 255
 *   EVL_ARG_STRING     %s, size bytes, not NUL-terminated. With
 *                      EVL_ARG_FLAG_INVALID the pointer was NULL or an error
 *                      and the bytes are what vsnprintf() shows instead, with
 *                      the same width and precision.
 *   EVL_ARG_POINTER    plain %p: 4 or 8 bytes, the kernel's pointer size. The
 *                      value is hashed, the same for the same pointer until
 *                      the next boot, but for NULL and error pointers.
 *   EVL_ARG_TEXT       any other %p, and a plain one so early in boot that
 *                      nothing can be hashed: what vsnprintf() made of the
 *                      whole conversion, width and all
 *
 * The arguments of one conversion are its WIDTH if the width is '*', its
 * PRECISION if that is '*', then its value. '%%' has none. A type that you do
 * not know is a value.
 *
 * RENDERING
 *
 * To get the text that vsnprintf() would have made in the kernel, without any
 * limit of length, replace each conversion:
 *
 *   % [-+ #0]* [width] [. [precision]] [hh h l ll L z t] (d i u o x X c s p %)
 *
 * with digits or '*' for width and precision; after p, all letters and digits
 * that follow belong to the conversion: those of ASCII, and the bytes 0xc0 to
 * 0xff but for 0xd7 and 0xf7, which the kernel takes for letters of Latin-1.
 * evl_printf() refuses anything else after %, and '*' in a %%. A flag,
 * precision or length that is not mentioned for a conversion does nothing.
 *
 *   - A negative '*' width means '-' and its absolute value. A negative '*'
 *     precision is 0. A '.' without digits or '*' is no precision.
 *   - Widths are limited to 8388607, precisions to 32767: what is beyond counts as
 *     that. evl_printf() refuses more in digits.
 *   - d, i: the value is first reduced to signed char (hh) or short (h); u, o,
 *     x, X: to unsigned char or unsigned short. Without h it stands as recorded,
 *     o, u, x, X as unsigned, d and i as signed, of 32 bits for EVL_ARG_S32
 *     and _U32, of 64 bits otherwise.
 *   - '+' and ' ' count for d and i only, '+' before ' '. '#' puts 0x or 0X
 *     before x and X, of 0 too, and 0 before o unless the value is 0; that is
 *     no digit of the precision. Precision is the least number of digits; 0 is
 *     no exception: the value 0 has one digit. '0' fills up to the width with
 *     zeros after sign and prefix, whatever the precision; '-' takes '0' back.
 *   - c, s: filled with blanks to the width, '-' on the right; '0' is ignored.
 *     The precision of s is the most bytes shown. c is one byte, NUL included.
 *   - plain p: as x, with flags and precision; without a width, its width is
 *     two digits a byte of the recorded value, with the 0x of '#' among them,
 *     as if with '0'. A '*' is a width, also if its value is 0.
 *   - EVL_ARG_TEXT is the whole conversion: nothing is to be added, and its
 *     WIDTH and PRECISION are of no more use.
 *   - %% is one %, whatever stands between.
 *   - A value of a type that you do not know: the conversion as it stands.
 *   - If the value is absent (truncated), or the format was cut within the
 *     conversion, the text ends before it.
 *
 * One newline that ended the format string has been removed before anything
 * else.
 *
 * WELL-FORMED
 *
 * An event is well-formed if all of this is true; if not, its bytes are all that a
 * reader may show of it:
 *
 *    1. It has at least EVL_HEADER_SIZE bytes, and its magic is EVL_MAGIC.
 *    2. header_size is at least EVL_HEADER_SIZE, and header_size + device_size +
 *       variable_size, without a limit of 32 bits, is the size of the event.
 *    3. The last bytes of comm and of facility are NUL. Bytes behind the first NUL
 *       of each have no meaning.
 *    4. device_size is 0, or the last byte of the device is its only NUL.
 *    5. With EVL_FORMAT_NODATA, variable_size is 0.
 *
 * And with EVL_FORMAT_PRINTF:
 *
 *    6. format_size is at least 1 and at most variable_size; the last byte of the
 *       format string is its only NUL.
 *    7. Each % of the format string begins a conversion as in RENDERING, and %% has no
 *       '*'. With EVL_FLAG_TRUNCATED, the end of the string may cut the last one before
 *       its letter; that one has no arguments, not even those of its '*'.
 *    8. A row of arguments follows the format string. Each is whole, and the
 *       bytes that fill it up are zeros.
 *    9. WIDTH, PRECISION, S32 and U32 have 4 bytes, S64 and U64 have 8, CHAR has 1,
 *       POINTER has 4 or 8. Other types have any number.
 *   10. The arguments of each conversion are those that ARGUMENTS names, in that order.
 *       d, i, u, o, x and X take S32, U32, S64 or U64, whatever the length; c takes CHAR,
 *       s STRING, plain p POINTER or TEXT, any other p TEXT; each takes a type that you
 *       do not know.
 *   11. No argument is left over. None is absent, unless EVL_FLAG_TRUNCATED is set: then
 *       any number of the last ones may be.
 *
 * Nothing else is a condition. With an unknown format, the variable part is bytes. These
 * change nothing: a severity over 7; an unknown flag, version or reserved field;
 * EVL_ARG_FLAG_INVALID in an argument of another type than EVL_ARG_STRING; a format_size
 * without a format string; more than EVL_VARIABLE_MAX bytes. A device that is one NUL is
 * no device.
 *
 * PRINTK
 *
 * With EVL_FLAG_PRINTK, as all events of evlog in KERROR_GROUP_PRINTK have it, the
 * event is a message that the kernel has printed, and
 * its text what the kernel log shows. Its severity is the message's level, its
 * facility the module whose format it is, or "kernel". The format has no level
 * any more, and stands for all of its parts: one that was passed on by %pV has
 * taken the place of that %pV, and its arguments are among the others. A level
 * that an argument of %s began with has been taken off it, and the newline that the
 * argument of a last %s or extension of %p ended with. If the level is an argument
 * of its own ("\001%d", "\001%c"), that one is not there. A message whose
 * format evl_printf() would refuse is an EVL_FORMAT_STRING.
 *
 * EVL_FLAG_OPEN says that no newline ended the message, EVL_FLAG_CONTINUES that
 * it goes on in the line of the one before by the same task, or by an interrupt
 * of the same CPU, if that one is open.
 *
 * EVL_FLAG_IMPORTED says that the message was taken out of the kernel log later: its
 * time is that of the log, it is an EVL_FORMAT_STRING, and CPU, process and user
 * are unknown, and 0.
 */
#ifndef _UAPI_LINUX_EVLOG_H
#define _UAPI_LINUX_EVLOG_H

#include <linux/types.h>

#define EVL_MAGIC		0x7af8
#define EVL_VERSION		4
#define EVL_HEADER_SIZE		144
#define EVL_VARIABLE_MAX	8192
#define EVL_FACILITY_SIZE	60
#define EVL_COMM_SIZE		16

#define EVL_FORMAT_NODATA	0
#define EVL_FORMAT_BINARY	1
#define EVL_FORMAT_STRING	2
#define EVL_FORMAT_PRINTF	3

/* Where the event was raised; in none of the first three: process context. */
#define EVL_FLAG_NMI		0x01
#define EVL_FLAG_INTERRUPT	0x02	/* hardware interrupt */
#define EVL_FLAG_SOFTIRQ	0x04
#define EVL_FLAG_BOOT		0x08	/* before the first program ran */
#define EVL_FLAG_OOPS		0x10	/* an oops or panic was in progress */
#define EVL_FLAG_TRUNCATED	0x20	/* something was cut to fit */
#define EVL_FLAG_PRINTK		0x40	/* see PRINTK */
#define EVL_FLAG_CONTINUES	0x80
#define EVL_FLAG_OPEN		0x100
#define EVL_FLAG_IMPORTED	0x200	/* from the log, as text */

/**
 * struct evl_header - context of an event
 * @time_realtime: nanoseconds since 1970-01-01 UTC (CLOCK_REALTIME)
 * @time_boot: nanoseconds since boot (CLOCK_BOOTTIME); both are made from one look
 *	at CLOCK_MONOTONIC when the event was raised
 * @event_id: CRC-32 (that of zlib) of the format string without a newline at
 *	its end, before any cut; 0 unless %EVL_FORMAT_PRINTF
 * @event_type: the driver's number for this kind of event; 0 with
 *	%EVL_FORMAT_PRINTF means: see @event_id
 * @facility_hash: CRC-32 of the facility's name
 * @flags: EVL_FLAG bits; ignore those you do not know
 * @cpu: number of the CPU
 * @uid: real user ID of the current task, in the initial user namespace
 * @gid: real group ID, likewise
 * @pid: its process ID (thread group), in the initial PID namespace
 * @tid: its thread ID, likewise
 * @variable_size: bytes of the variable part
 * @magic: %EVL_MAGIC
 * @header_size: bytes of this header
 * @device_size: bytes of the device with its NUL, or 0
 * @format_size: bytes of the format string with its NUL, or 0
 * @version: %EVL_VERSION; another one may have added fields at the end
 * @severity: 0 (emergency) to 7 (debug), as syslog's
 * @format: EVL_FORMAT number
 * @reserved: 0
 * @comm: name of the current task; NUL-terminated
 * @facility: name of the driver or subsystem; NUL-terminated
 *
 * In an interrupt the current task is the one that was interrupted.
 */
struct evl_header {
	__u64 time_realtime;
	__u64 time_boot;
	__u32 event_id;
	__u32 event_type;
	__u32 facility_hash;
	__u32 flags;
	__u32 cpu;
	__u32 uid;
	__u32 gid;
	__u32 pid;
	__u32 tid;
	__u32 variable_size;
	__u16 magic;
	__u16 header_size;
	__u16 device_size;
	__u16 format_size;
	__u8 version;
	__u8 severity;
	__u8 format;
	__u8 reserved;
	char comm[EVL_COMM_SIZE];
	char facility[EVL_FACILITY_SIZE];
};

#define EVL_ARG_WIDTH		1
#define EVL_ARG_PRECISION	2
#define EVL_ARG_S32		3
#define EVL_ARG_U32		4
#define EVL_ARG_S64		5
#define EVL_ARG_U64		6
#define EVL_ARG_CHAR		7
#define EVL_ARG_STRING		8
#define EVL_ARG_POINTER		9
#define EVL_ARG_TEXT		10

#define EVL_ARG_FLAG_INVALID	0x1

/**
 * struct evl_argument - starts each argument
 * @type: EVL_ARG number; of one you do not know, only @size can be used
 * @flags: EVL_ARG_FLAG bits
 * @size: bytes of the value that follows, without the zeros after it
 */
struct evl_argument {
	__u8 type;
	__u8 flags;
	__u16 size;
};

#endif /* _UAPI_LINUX_EVLOG_H */
