// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the text that is made of a format and recorded arguments. The table
 * holds what the kernel's vsnprintf() makes of the same call, above all where
 * that is not what printf(3) makes; where both agree, printf(3) is asked. And
 * of the text that is made of these arguments with another format.
 */
#include <stdio.h>
#include <stdlib.h>
#include "build.h"

struct value {
	uint8_t type;
	uint8_t size;
	uint64_t number;
	const char *text;
};

#define WIDTH(n)	{ EVL_ARG_WIDTH, 4, (uint64_t)(n), NULL }
#define PRECISION(n)	{ EVL_ARG_PRECISION, 4, (uint64_t)(n), NULL }
#define S32(n)		{ EVL_ARG_S32, 4, (uint64_t)(n), NULL }
#define U32(n)		{ EVL_ARG_U32, 4, (uint64_t)(n), NULL }
#define S64(n)		{ EVL_ARG_S64, 8, (uint64_t)(n), NULL }
#define U64(n)		{ EVL_ARG_U64, 8, (uint64_t)(n), NULL }
#define CHAR(n)		{ EVL_ARG_CHAR, 1, (n), NULL }
#define P32(n)		{ EVL_ARG_POINTER, 4, (n), NULL }
#define P64(n)		{ EVL_ARG_POINTER, 8, (n), NULL }
#define STRING(s)	{ EVL_ARG_STRING, sizeof(s) - 1, 0, (s) }
#define TEXT(s)		{ EVL_ARG_TEXT, sizeof(s) - 1, 0, (s) }

static const struct {
	const char *format;
	struct value values[6];
	const char *text;
} cases[] = {
	/* Text and percent signs; what stands between them is dropped. */
	{ "", { { 0 } }, "" },
	{ "text only", { { 0 } }, "text only" },
	{ "100%%", { { 0 } }, "100%" },
	{ "%5%|%-08.3l%|%%%%", { { 0 } }, "%|%|%%" },

	/* Signedness is of the letter and size of the record. */
	{ "%d %i %u", { S32(-1), S32(-2), U32(-1) }, "-1 -2 4294967295" },
	{ "%d %d", { U32(-1), U64(-1) }, "-1 -1" },
	{ "%u %x", { S32(-1), S64(-1) }, "4294967295 ffffffffffffffff" },
	{ "%ld %lu", { S64(-1), U64(-1) }, "-1 18446744073709551615" },
	{ "%ld %lu", { S32(-1), U32(-1) }, "-1 4294967295" },
	{ "%lld %lli", { S64(INT64_MIN), S64(INT64_MAX) },
	  "-9223372036854775808 9223372036854775807" },
	{ "%zu %td %zx", { U64(-1), S64(-1), U32(-1) },
	  "18446744073709551615 -1 ffffffff" },
	{ "%llo", { U64(-1) }, "1777777777777777777777" },

	/* h and hh reduce; nothing else does. */
	{ "%hd %hu", { S32(0x18000), U32(0x18000) }, "-32768 32768" },
	{ "%hhd %hhu", { S32(0x180), U32(0x1ff) }, "-128 255" },
	{ "%hx %hhX %ho", { U32(-1), U32(-1), U32(-1) }, "ffff FF 177777" },

	/* Flags. */
	{ "%5d|%-5d|%05d|%-05d|", { S32(42), S32(42), S32(42), S32(42) },
	  "   42|42   |00042|42   |" },
	{ "%5d|%-5d|%05d|", { S32(-42), S32(-42), S32(-42) },
	  "  -42|-42  |-0042|" },
	{ "%+d|% d|%+ d|% +d|", { S32(1), S32(1), S32(1), S32(1) },
	  "+1| 1|+1|+1|" },
	{ "%+d|% d|%+05d|% 05d|", { S32(-1), S32(-1), S32(1), S32(1) },
	  "-1|-1|+0001| 0001|" },
	{ "%+u|% u|%+x|% o|", { U32(1), U32(1), U32(1), U32(1) }, "1|1|1|1|" },
	{ "%#x|%#X|%#o|%#d|%#u|", { U32(255), U32(255), U32(8), S32(9),
	  U32(9) }, "0xff|0XFF|010|9|9|" },
	/* 0x stands before 0, too; the 0 of o does not. */
	{ "%#x|%#X|%#o|%#6x|", { U32(0), U32(0), U32(0), U32(0) },
	  "0x0|0X0|0|   0x0|" },
	{ "%#08x|%#-8x|%#8x|%#08o|", { U32(255), U32(255), U32(255), U32(8) },
	  "0x0000ff|0xff    |    0xff|00000010|" },
	{ "%2d|%02d|%1x|", { S32(100), S32(100), U32(0x123) }, "100|100|123|" },

	/* Precision is a least number of digits, and 0 is no exception. */
	{ "%.3d|%.3d|%.3x|%.1d|", { S32(5), S32(-5), U32(10), S32(123) },
	  "005|-005|00a|123|" },
	{ "%.0d|%.d|%.0x|", { S32(0), S32(0), U32(0) }, "0|0|0|" },
	{ "%6.3d|%-6.3d|%+6.3d|", { S32(5), S32(5), S32(5) },
	  "   005|005   |  +005|" },
	/* '0' holds in spite of it. */
	{ "%06.3d|%06.3d|%#08.3x|", { S32(5), S32(-5), U32(10) },
	  "000005|-00005|0x00000a|" },
	{ "%#.3o|%#.4x|%#8.4x|", { U32(8), U32(10), U32(10) },
	  "0010|0x000a|  0x000a|" },
	{ "%.25d", { S32(-7) }, "-0000000000000000000000007" },

	/* '*'. */
	{ "%*d|%*d|%0*d|", { WIDTH(5), S32(1), WIDTH(-5), S32(1), WIDTH(-5),
	  S32(1) }, "    1|1    |1    |" },
	{ "%.*d|%.*d|", { PRECISION(3), S32(1), PRECISION(-3), S32(0) },
	  "001|0|" },
	{ "%*.*s|", { WIDTH(6), PRECISION(2), STRING("abc") }, "    ab|" },
	{ "%.*s|%.*s|", { PRECISION(-1), STRING("abc"), PRECISION(0),
	  STRING("abc") }, "||" },
	{ "%-*s|%*s|", { WIDTH(-4), STRING("a"), WIDTH(0), STRING("a") },
	  "a   |a|" },

	/* Characters and strings; bytes of them, NUL and '%' included. */
	{ "%c%3c|%-3c|%03c|%.0c|", { CHAR('a'), CHAR('b'), CHAR('c'),
	  CHAR('d'), CHAR('e') }, "a  b|c  |  d|e|" },
	{ "%c|", { CHAR(0xff) }, "\xff|" },
	{ "%s|%5s|%-5s|%05s|%2s|", { STRING("abc"), STRING("abc"),
	  STRING("abc"), STRING("abc"), STRING("abc") },
	  "abc|  abc|abc  |  abc|abc|" },
	{ "%.2s|%.s|%.0s|%5.1s|%.9s|", { STRING("abc"), STRING("abc"),
	  STRING("abc"), STRING("abc"), STRING("abc") },
	  "ab|abc||    a|abc|" },
	{ "%s|%ls|", { STRING("%d"), STRING("") }, "%d||" },
	{ "%10s|%.3s|", { STRING("(null)"), STRING("(efault)") },
	  "    (null)|(ef|" },

	/* Pointers: two digits a byte of the kernel's, not of the reader's. */
	{ "%p %p", { P32(0x1234), P64(0x1234) }, "00001234 0000000000001234" },
	{ "%20p|%-20p|%020p|", { P64(0xab), P64(0xab), P64(0xab) },
	  "                  ab|ab                  |000000000000000000ab|" },
	{ "%#p|%-p|%+p|%4p|%.4p|", { P32(0xab), P32(0xab), P32(0xab),
	  P32(0xab), P32(0xab) }, "0x0000ab|ab      |000000ab|  ab|000000ab|" },
	{ "%*p|%-*p|", { WIDTH(4), P64(1), WIDTH(3), P64(2) }, "   1|2  |" },
	/* Other letters of the kernel make it text, width and all. */
	{ "%-20pI4c|%pS%%", { TEXT("1.2.3.4"), TEXT("f+0x1/0x2") },
	  "1.2.3.4|f+0x1/0x2%" },
	{ "%*pbl;", { WIDTH(64), TEXT("0-3") }, "0-3;" },
	{ "%p!", { TEXT("(____ptrval____)") }, "(____ptrval____)!" },

	/* Bytes that the kernel takes for letters, and the two that it does not. */
	{ "%p\xc0\xe9\xff|%p\xd7|%p\xf7|%p\xbf", { TEXT("a"), TEXT("b"),
	  TEXT("c"), TEXT("d") }, "a|b\xd7|c\xf7|d\xbf" },
	/* Values of types that are not known. */
	{ "%d %-08.*llx|%d", { { 11, 4, 1, NULL }, PRECISION(5),
	  { 255, 8, 1, NULL }, S32(7) }, "%d %-08.*llx|7" },

	/* Where arguments end, the text does. */
	{ "a %d b", { { 0 } }, "a " },
	{ "a %d b %d c %% d", { S32(1) }, "a 1 b " },
	{ "a %*d b", { WIDTH(9) }, "a " },
	{ "a %s b", { STRING("cut") }, "a cut b" },
	/* The format string may be cut anywhere, too. */
	{ "a %", { { 0 } }, "a " },
	{ "a %-08.3l", { { 0 } }, "a " },
};

static struct kerror_event *event_of(const char *format,
				     const struct value *values, size_t count)
{
	struct kerror_event *event;
	struct build build;

	build_begin(&build, NULL, EVL_FORMAT_PRINTF, format);
	/* Some have fewer arguments than conversions. */
	build.header.flags = EVL_FLAG_TRUNCATED;
	for (; count && values->type; values++, count--) {
		uint32_t u32 = values->number;
		uint8_t u8 = values->number;

		build_argument(&build, values->type, 0,
			       values->text ? values->text :
			       values->size == 1 ? (void *)&u8 :
			       values->size == 4 ? (void *)&u32 :
			       (const void *)&values->number, values->size);
	}
	event = kerror_event_new(KERROR_GROUP_EVLOG, 0, 0, build.data,
				 build.size);
	assert_non_null(event);
	assert_non_null(kerror_event_format(event));
	return event;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kerror_event *event = event_of(cases[i].format,
						      cases[i].values, 6);
		char text[256];
		size_t length = kerror_event_text(event, text, sizeof(text));

		if (strcmp(text, cases[i].text))
			fail_msg("\"%s\" makes \"%s\" instead of \"%s\"",
				 cases[i].format, text, cases[i].text);
		assert_int_equal(length, strlen(cases[i].text));
		kerror_event_free(event);
	}
}

static void test_nul(void **state)
{
	static const struct value values[] = { CHAR(0), STRING("x\0y") };
	struct kerror_event *event = event_of("%2c%4s.", values, 2);
	char text[16];

	(void)state;
	assert_int_equal(kerror_event_text(event, text, sizeof(text)), 7);
	assert_memory_equal(text, " \0 x\0y.", 8);
	kerror_event_free(event);
}

static void test_limits(void **state)
{
	static const struct {
		const char *format;
		struct value values[2];
		size_t length;
	} limits[] = {
		{ "%8388607d", { S32(1) }, 8388607 },
		{ "%9999999999999999999999d", { S32(1) }, 8388607 },
		{ "%*d", { WIDTH(INT32_MAX), S32(1) }, 8388607 },
		{ "%*d", { WIDTH(INT32_MIN), S32(1) }, 8388607 },
		{ "%.32767d", { S32(1) }, 32767 },
		{ "%.99999999999999999999999d", { S32(1) }, 32767 },
		{ "%.*d", { PRECISION(INT32_MAX), S32(1) }, 32767 },
		{ "%.*d", { PRECISION(INT32_MIN), S32(1) }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct kerror_event *event = event_of(limits[i].format,
						      limits[i].values, 2);
		char text[8];

		assert_int_equal(kerror_event_text(event, text, sizeof(text)),
				 limits[i].length);
		assert_int_equal(text[limits[i].length < 7 ?
				      limits[i].length : 7], 0);
		kerror_event_free(event);
	}
}

/* Random conversions, less those where printf(3) differs or is undefined. */
static void test_against_printf(void **state)
{
	static const char *const qualifiers[] = { "", "hh", "h", "l", "ll" };
	uint64_t random = 0x666f726d6174;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		uint64_t bits = build_random(&random);
		char letter = "diuoxXcs"[bits % 8], format[64], text[128],
		     expected[128];
		bool is_text = letter == 'c' || letter == 's';
		bool is_signed = letter == 'd' || letter == 'i';
		int precision = bits >> 8 & 1 ? (int)(bits >> 9) & 15 : -1;
		const char *qualifier = is_text ? "" :
					qualifiers[(bits >> 16) % 5];
		bool is_64 = *qualifier == 'l';
		/* Of all sizes, 0 among them. */
		uint64_t number = build_random(&random) >> (bits >> 24) % 64;
		struct value value = {
			is_64 ? is_signed ? EVL_ARG_S64 : EVL_ARG_U64 :
			is_signed ? EVL_ARG_S32 : EVL_ARG_U32,
			is_64 ? 8 : 4, bits >> 32 & 1 ? -number : number, NULL
		};
		struct kerror_event *event;

		if (!is_64)
			value.number = (uint32_t)value.number;
		if (letter == 'c')
			value = (struct value)CHAR(' ' + number % 64);
		else if (letter == 's')
			value = (struct value)STRING("string");
		sprintf(format, "<%%%s%s%s%s%s",
			bits >> 33 & 1 ? "-" : "", bits >> 34 & 1 ? "+" : "",
			bits >> 35 & 1 ? " " : "",
			!is_text && bits >> 36 & 1 &&
			(letter != 'o' || precision < 0) &&
			(number & 0xff) ? "#" : "",
			!is_text && bits >> 37 & 1 && precision < 0 ? "0" : "");
		if (bits >> 38 & 1)
			sprintf(format + strlen(format), "%d",
				1 + (int)(bits >> 39 & 31));
		if (precision > 0 && letter != 'c')
			sprintf(format + strlen(format), ".%d", precision);
		sprintf(format + strlen(format), "%s%c>", qualifier, letter);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		if (letter == 's')
			snprintf(expected, sizeof(expected), format, "string");
		else if (is_64)
			snprintf(expected, sizeof(expected), format,
				 (unsigned long long)value.number);
		else
			snprintf(expected, sizeof(expected), format,
				 (int)value.number);
#pragma GCC diagnostic pop
		event = event_of(format, &value, 1);
		kerror_event_text(event, text, sizeof(text));
		if (strcmp(text, expected))
			fail_msg("\"%s\" of %#llx makes \"%s\", not \"%s\"",
				 format, (unsigned long long)value.number, text,
				 expected);
		kerror_event_text_as(event, format, text, sizeof(text));
		assert_string_equal(text, expected);
		kerror_event_free(event);
	}
}

/* ---- Other formats ---- */

static const struct {
	const char *format;
	struct value values[4];
	const char *translation;
	const char *text;
} translations[] = {
	/* In order, or by number; of one value as often as wanted. */
	{ "%s failed: %d", { STRING("ata"), S32(-5) },
	  "Fehler von %s: %d.", "Fehler von ata: -5." },
	{ "%s failed: %d", { STRING("ata"), S32(-5) },
	  "Fehler %2$d von %1$s (%1$s)", "Fehler -5 von ata (ata)" },
	{ "%s failed: %d", { STRING("ata"), S32(-5) }, "kaputt", "kaputt" },
	{ "%s failed: %d", { STRING("ata"), S32(-5) }, "", "" },
	/* A number does not count for those without. */
	{ "%s %d %c", { STRING("a"), S32(2), CHAR('c') },
	  "%3$c %s %2$d %d", "c a 2 2" },

	/* Flags, width and precision are of the translation. */
	{ "%-9s|%09d", { STRING("ata"), S32(5) }, "%.2s|%+4d", "at|  +5" },
	{ "%d", { S32(255) }, "%1$#06x %1$o %1$-5X|%1$.5u",
	  "0x00ff 377 FF   |00255" },

	/* Unless it is '*': then it is what was recorded for that value. */
	{ "%*d %s", { WIDTH(5), S32(1), STRING("x") },
	  "%2$s|%1$d|%1$*d|%1$-*d|", "x|1|    1|1    |" },
	{ "%*d", { WIDTH(-5), S32(1) }, "%0*d|", "1    |" },
	{ "%.*s %.*s", { PRECISION(1), STRING("abc"), PRECISION(2),
	  STRING("xyz") }, "%2$.*s %1$.*s %s", "xy a abc" },
	{ "%*.*d", { WIDTH(6), PRECISION(3), S32(7) }, "%*d|%1$.*d|%1$*.*d|",
	  "     7|007|   007|" },
	{ "%d %5s", { S32(1), STRING("x") }, "%*.*d%*.*s|", "1x|" },

	/* The size of a value is that of the record, and its h of the driver. */
	{ "%lld %d", { S64(INT64_MIN), S32(-1) }, "%d %lld",
	  "-9223372036854775808 -1" },
	{ "%d", { S32(0x1ff) }, "%hhd %1$hx", "511 1ff" },
	{ "%hhx %hd", { U32(0x1ff), S32(0x18000) }, "%d %x", "-1 8000" },
	{ "%u", { U32(-1) }, "%d %1$i %1$x", "-1 -1 ffffffff" },

	/* An argument that does not fit is shown as the original has it. */
	{ "%#x|%-5s|%3c|%08d", { U32(31), STRING("abc"), CHAR('c'), S32(-2) },
	  "%s|%d|%s|%c", "0x1f|abc  |  c|-0000002" },
	{ "%*d %.*s", { WIDTH(4), S32(1), PRECISION(2), STRING("abc") },
	  "%s %p", "   1 ab" },
	{ "%p %5d", { P32(0xab), S32(1) }, "%x %p %1$d", "000000ab     1 000000ab" },
	{ "%-6p|", { P32(0xab) }, "%x|%1$4x|", "ab    |ab    |" },
	{ "%p", { P64(0xab) }, "%4p %1$p", "  ab 00000000000000ab" },
	{ "%pI4 %pS", { TEXT("10.0.0.1"), TEXT("f+0x1") },
	  "%2$s %1$20p %1$d %pI4 %s", "f+0x1 10.0.0.1 10.0.0.1 10.0.0.1 f+0x1" },
	{ "%d %-08llx|", { { 11, 4, 1, NULL }, { 255, 8, 1, NULL } },
	  "%2$d %1$s", "%-08llx %d" },

	/* A conversion without an argument stands as it is. */
	{ "%d", { S32(1) }, "%d %d %2$-5d %9$s %d", "1 %d %2$-5d %9$s %d" },
	{ "%d", { S32(1) }, "%0$d %00001$d %4294967297$d %18446744073709551617$d|",
	  "%0$d 1 %4294967297$d %18446744073709551617$d|" },
	{ "%d %s", { S32(1) }, "%2$s: %1$d", "%2$s: 1" },
	{ "no value", { { 0 } }, "%s %1$s %%", "%s %1$s %" },

	/* Nor is anything a conversion that the kernel does not know. */
	{ "%d", { S32(1) }, "%y %n %1$n %a %-1$d %$d %1$$ %d",
	  "%y %n %1$n %a %-1$d %$d %1$$ 1" },
	{ "%d", { S32(1) }, "5%% %5% %1$% %", "5% % % %" },
	{ "%d", { S32(1) }, "%1$", "%1$" },
	{ "%d", { S32(1) }, "%1$-08.3l", "%1$-08.3l" },
	{ "%d", { S32(1) }, "%\xc3\xa4 %d", "%\xc3\xa4 1" },

	/* A p takes letters with it, but only those of ASCII. */
	{ "%p", { P32(1) }, "%pX7 %1$p\xe7\x9a\x84", "00000001 00000001\xe7\x9a\x84" },
	{ "%p\xc0 %d", { TEXT("t"), S32(1) }, "%2$d %1$p.", "1 t." },
};

static void assert_text_as(const struct kerror_event *event,
			   const char *format, const char *expected)
{
	size_t length = strlen(expected);
	char text[256], cut[4];

	assert_int_equal(kerror_event_text_as(event, format, text,
					      sizeof(text)), length);
	if (strcmp(text, expected))
		fail_msg("\"%s\" makes \"%s\" instead of \"%s\"", format, text,
			 expected);
	assert_int_equal(kerror_event_text_as(event, format, NULL, 0), length);
	assert_int_equal(kerror_event_text_as(event, format, cut, sizeof(cut)),
			 length);
	assert_memory_equal(cut, text, length < 3 ? length : 3);
	assert_int_equal(cut[length < 3 ? length : 3], 0);
}

static void test_translations(void **state)
{
	struct kerror_event *event;
	struct build build;

	(void)state;
	for (size_t i = 0; i < sizeof(translations) / sizeof(*translations);
	     i++) {
		event = event_of(translations[i].format,
				 translations[i].values, 4);
		assert_text_as(event, translations[i].translation,
			       translations[i].text);
		kerror_event_free(event);
	}
	/* With its own format, or none, an event has its own text. */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];

		event = event_of(cases[i].format, cases[i].values, 6);
		assert_text_as(event, NULL, cases[i].text);
		kerror_event_text_as(event, cases[i].format, text,
				     sizeof(text));
		/* Where it ends early, the rest stands as it is. */
		if (!strchr(cases[i].format, '\xc0') &&
		    strncmp(text, cases[i].text, strlen(cases[i].text)))
			fail_msg("\"%s\" makes \"%s\" of itself",
				 cases[i].format, text);
		kerror_event_free(event);
	}
	/* Without one there is nothing to translate. */
	build_begin(&build, NULL, EVL_FORMAT_STRING, NULL);
	build_bytes(&build, "text", 4);
	event = kerror_event_new(KERROR_GROUP_EVLOG, 0, 0, build.data,
				 build.size);
	assert_text_as(event, "%s %d", "text");
	kerror_event_free(event);
	event = kerror_event_new(KERROR_GROUP_RAW, 0, 0, "\xff", 1);
	assert_text_as(event, "%s %d", "ff");
	kerror_event_free(event);
}

/* Whatever a translator may write. */
static void test_random_translations(void **state)
{
	static const char letters[] = "%%%%%$$$***...0123456789-+ #hlLztdiuoxXcspny\xe7";
	static const struct value values[] = {
		WIDTH(7), S32(-5), PRECISION(2), STRING("string"), CHAR('c'),
		P64(1), TEXT("text"), { 99, 4, 1, NULL }, U64(-1),
	};
	struct kerror_event *event = event_of("%*d %.*s %c %p %pS %d %llx",
					      values, 9);
	uint64_t random = 0x7472616e73;
	static char text[1 << 16];
	char translation[32];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		size_t size = build_random(&random) % sizeof(translation);
		size_t length;

		for (size_t j = 0; j < size; j++)
			translation[j] = letters[(build_random(&random) >> 20) %
						 (sizeof(letters) - 1)];
		translation[size] = '\0';
		length = kerror_event_text_as(event, translation, NULL, 0);
		assert_int_equal(kerror_event_text_as(event, translation, text,
						      sizeof(text)), length);
		assert_int_equal(text[length < sizeof(text) ?
				      length : sizeof(text) - 1], 0);
		if (!strchr(translation, '%'))
			assert_string_equal(text, translation);
	}
	kerror_event_free(event);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_against_printf),
		cmocka_unit_test(test_translations),
		cmocka_unit_test(test_random_translations),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
