// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of kerror_format_match(): texts that formats can become and others, and that
 * each text which kerror_event_text() makes of a format fits that format.
 */
#include <errno.h>
#include <stdio.h>
#include "build.h"

/* What @format's conversions became, each behind a '|'; "-": it does not fit */
static void expect(const char *format, const char *text, const char *values)
{
	struct kerror_span spans[4];
	char found[256] = "-";
	size_t size = 0;
	int count = kerror_format_match(format, text, strlen(text), spans, 4);

	if (count >= 0)
		found[0] = '\0';
	else
		assert_int_equal(count, -ENOENT);
	for (int i = 0; i < count && i < 4; i++)
		size += snprintf(found + size, sizeof(found) - size, "|%.*s",
				 (int)spans[i].size, spans[i].start);
	assert_string_equal(found, values);
}

static void test_values(void **state)
{
	(void)state;
	expect("", "", "");
	expect("link up", "link up", "");
	expect("link up", "link up ", "-");
	expect("link up", "link u", "-");
	expect("%s: link %s", "eth0: link up", "|eth0|up");
	expect("%s: link %s", "eth0: a: link b: link c", "|eth0: a|b: link c");
	expect("100%% of %d", "100% of 7", "|7");
	expect("[%c%c]", "[ab]", "|a|b");
	expect("[%c]", "[]", "-");
	expect("error %d on %s", "error -5 on sda", "|-5|sda");
	expect("error %d on %s", "error x on sda", "-");
	expect("error %d", "error ", "-");
	expect("error %d", "error -", "-");
	expect("%5d|", "   12|", "|12");
	expect("%-5d|", "12   |", "|12");
	expect("status 0x%x", "status 0xdead", "|dead");
	expect("status %#x", "status 0xdead", "|0xdead");
	expect("status %x", "status ghij", "-");
	expect("%o%s", "789", "|7|89");
	expect("%x%s", "12fg", "|12f|g");
	expect("%pI4:%u", "10.0.0.1:80", "|10.0.0.1|80");
	expect("%.*s end", "abc end", "|abc");
	expect("%s", "", "|");
	expect("%s%s", "ab", "||ab");
	/* The kernel does not know it. */
	expect("at %", "at %", "|%");
}

/* Formats that are those of many messages, and others */
static void test_own_id(void **state)
{
	static const char *const shared[] = {
		"", "%", "%s", "%s: %pA", "%pV", "%*pE: %s", "[%08llx] %c%%", "%pISpfsc", "12 %d: 0%o",
		"%p\xe9", "-%-+ #08.3ll",
	};
	static const char *const own[] = {
		"a", "%sa", "%s: Z %pA", "%dx", "0x%x", "\xc3\xa9 %s", "%pA\xd7", "%%s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
		assert_false(kerror_format_own_id(shared[i]));
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		assert_true(kerror_format_own_id(own[i]));
}

/* More conversions than there is room for */
static void test_room(void **state)
{
	struct kerror_span span;

	(void)state;
	assert_int_equal(kerror_format_match("%d %d %d", "1 2 3", 5, &span, 1), 3);
	assert_int_equal(span.size, 1);
	assert_int_equal(kerror_format_match("%d %d %d", "1 2 3", 5, NULL, 0), 3);
}

/* It ends, though there are more ways than there is time. */
static void test_bounded(void **state)
{
	char format[512] = "", text[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (int i = 0; i < 60; i++)
		strcat(format, "%s%da");
	assert_int_equal(kerror_format_match(format, text, sizeof(text), NULL, 0), -ENOENT);
}

static void test_random(void **state)
{
	static const char *const pieces[] = {
		"%d", "%u", "%5d", "%-6u", "%x", "%08x", "%#x", "%o", "%s", "%10s",
		"%c", " ", ": ", "error ", "%%", "a", "0x",
	};
	uint64_t random = 88172645463325252;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char format[128] = "", text[512];
		struct kerror_event *event;
		struct build build;
		int pieces_left = build_random(&random) % 8, values = 0;
		size_t size;

		while (pieces_left--)
			strcat(format, pieces[build_random(&random) %
					      (sizeof(pieces) / sizeof(*pieces))]);
		build_begin(&build, NULL, EVL_FORMAT_PRINTF, format);
		for (const char *at = format; (at = strchr(at, '%')); at++) {
			char letter = at[1 + strspn(at + 1, "-#0123456789")];
			uint32_t number = build_random(&random) >> build_random(&random) % 64;

			if (letter == '%') {
				at++;
				continue;
			}
			values++;
			if (letter == 'c')
				build_argument(&build, EVL_ARG_CHAR, 0, "7", 1);
			else if (letter == 's')
				build_argument(&build, EVL_ARG_STRING, 0, "a 7", number % 4);
			else
				build_argument(&build, letter == 'd' ? EVL_ARG_S32 : EVL_ARG_U32,
					       0, &number, 4);
		}
		event = kerror_event_new(KERROR_GROUP_EVLOG, 0, 6, build.data, build.size);
		assert_non_null(event);
		size = kerror_event_text(event, text, sizeof(text));
		if (kerror_format_match(format, text, size, NULL, 0) != values)
			fail_msg("\"%s\" does not fit \"%s\"", text, format);
		kerror_event_free(event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_own_id),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
