// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of filters: what each text means or what is wrong with it, and that the
 * program for the kernel agrees. The last test makes filters and events at
 * random, evaluates them by rules of its own over the bytes, and has the running
 * kernel execute the programs, on a pair of datagram sockets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include "build.h"
#include "filter_possible.h"

#define RAW KERROR_GROUP_RAW
#define EVLOG KERROR_GROUP_EVLOG
#define PRINTK KERROR_GROUP_PRINTK
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct kerror_filter *filter_of(const char *text)
{
	struct kerror_filter *filter;
	char message[320];

	if (kerror_filter_new(&filter, text, message, sizeof(message)))
		fail_msg("%s: %s", text, message);
	assert_string_equal(message, "");
	return filter;
}

static struct kerror_event *event_of(uint32_t group, const struct build *build)
{
	struct kerror_event *event = kerror_event_new(group, 1, 2, build->data,
						      build->size);

	assert_non_null(event);
	return event;
}

static void assert_match(const char *text, const struct kerror_event *event,
			 bool expected)
{
	struct kerror_filter *filter = filter_of(text);

	if (kerror_filter_matches(filter, event) != expected)
		fail_msg("%s %s", text,
			 expected ? "does not match" : "matches");
	kerror_filter_free(filter);
}

/* ---- The language ---- */

/* What holds for the event of build_example(), and what does not. */
static const char *const hold[] = {
	"severity==err", "severity==3", "severity<=err", "severity>=err",
	"severity<warning", "severity>crit", "severity!=7", "severity==\"err\"",
	"facility==driver", "facility==\"driver\"", "facility!=\"drive\"",
	"facility~d*r", "facility~\"driver\"", "facility~*", "facility~dr?ver",
	"device==+pci:0000:00:1f.2", "device~\"+pci:*\"", "device!=\"b8:0\"",
	"context==process", "context!=nmi", "context~\"pro*\"",
	"cpu==3", "cpu>2", "cpu<4", "cpu==0x3", "cpu==0X3", "cpu>-1",
	"cpu!=-3", "cpu<18446744073709551615", "cpu==003",
	"uid==1000", "gid==0", "gid==-0", "pid==42", "tid==43", "comm==task",
	"type==7", "id==00000000", "id==0x0", "id<=FFFFFFFF",
	"!boot", "!oops", "!truncated", "!!!oops",
	"kind==printf", "kind!=\"nodata\"", "kind~*i*",
	"format~\"%d %u*100%%\"", "format~%d*",
	"text~\"-5 4294967291*\"", "text~\"*10.0.0.1 100%\"",
	"text~\"*[ab       ]*\"", "text!=\"\"",
	"argc==9", "group==evlog", "group!=raw", "group!=printk",
	/* Numbers are what they are worth, whatever their type. */
	"arg[0]==-5", "arg[0]<0", "arg[0]>-6", "arg[0]!=4294967291",
	"arg[0]<18446744073709551615", "arg[0]>=-9223372036854775808",
	"arg[1]==4294967291", "arg[1]==0xfffffffb", "arg[1]>-5",
	"arg[2]==-5", "arg[2]==-0x5", "arg[2]<0",
	"arg[3]==18446744073709551615", "arg[3]>-1", "arg[3]!=-1",
	"arg[4]==99", "arg[7]==0xfffffffb",
	"arg[5]==abc", "arg[5]==\"abc\"", "arg[5]!=abd", "arg[5]~a*",
	"arg[5]~\"a?c\"", "arg[6]==\"(null)\"", "arg[8]==\"10.0.0.1\"",
	"arg[8]~1*", "arg[8]~1?.0.*",
	/* && binds tighter than ||, and ! than both. */
	"oops && oops || cpu==3", "cpu==3 || oops && oops",
	"!oops && cpu==3", "!(oops && cpu==3)", "!(oops || boot)",
	"!oops || cpu==4", "((((cpu==3))))", "!(!(cpu==3))", "(cpu==3)&&(uid>1)",
	"\tcpu\n==\r3 ", "cpu==3&&uid==1000&&pid==42&&!oops",
	"oops||boot||truncated||cpu==3", "arg [ 0 ] == -5",
	/* Not had, or of another type: false, and ! turns it round. */
	"!(arg[9]==1)", "!(arg[9]!=1)", "!(arg[0]==abc)", "!(arg[0]!=abc)",
	"!(arg[5]==1)", "!(arg[5]!=1)", "!(arg[0]~*)", "!(arg[65535]~*)",
};

static const char *const fail_to_hold[] = {
	"severity==emerg", "severity!=err", "severity<err", "severity>err",
	"facility==Driver", "facility==drive", "facility==drivers",
	"facility~\"drive\"", "facility~\"*x\"", "facility==\"d*r\"",
	"facility!=driver", "facility~\"?driver\"", "facility~\"driver?\"",
	"facility==\"driver\\x00\"", "facility~\"driver\\x00*\"",
	"facility==\"0123456789012345678901234567890123456789012345678901234567890\"",
	"device==\"\"", "context==hardirq", "context!=process", "cpu<3",
	"cpu>3", "cpu!=3", "cpu==-3", "cpu<-1", "cpu>=4294967296",
	"cpu==4294967299", "oops", "boot", "truncated", "kind==nodata",
	"kind!=printf", "text==\"-5\"", "argc!=9", "group==raw", "group==printk",
	"arg[0]==4294967291", "arg[0]==18446744073709551611", "arg[0]>0",
	"arg[1]==-5", "arg[1]<0", "arg[2]==18446744073709551611",
	"arg[3]==-1", "arg[3]<0", "arg[4]==c", "arg[5]!=abc", "arg[5]==ABC",
	"arg[9]==1", "arg[9]!=1", "arg[0]==abc", "arg[0]!=abc", "arg[5]==1",
	"arg[5]!=1", "arg[0]~*", "arg[8]==\"10.0.0.*\"",
	"oops && (oops || cpu==3)", "(cpu==3 || oops) && oops",
	"!cpu==3", "!oops && cpu==4", "!(cpu==3 || oops)",
};

static void test_language(void **state)
{
	struct kerror_event *event;
	struct build build;

	(void)state;
	build_example(&build);
	event = event_of(EVLOG, &build);
	for (size_t i = 0; i < COUNT(hold); i++)
		assert_match(hold[i], event, true);
	for (size_t i = 0; i < COUNT(fail_to_hold); i++)
		assert_match(fail_to_hold[i], event, false);
	kerror_event_free(event);
}

static void test_strings(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
		bool expected;
	} cases[] = {
		{ "a*b", 3, "arg[0]==\"a*b\"", true },
		{ "axb", 3, "arg[0]==\"a*b\"", false },
		{ "axb", 3, "arg[0]==a*b", false },
		{ "axb", 3, "arg[0]==a?b", false },
		{ "a?b", 3, "arg[0]!=a?b", false },
		{ "a*b", 3, "arg[0]~\"a\\*b\"", true },
		{ "axb", 3, "arg[0]~\"a\\*b\"", false },
		{ "a*b", 3, "arg[0]==\"a\\*b\"", true },
		{ "a?b", 3, "arg[0]~\"a\\?b\"", true },
		{ "axb", 3, "arg[0]~\"a\\?b\"", false },
		{ "a*b", 3, "arg[0]~\"a\\x2ab\"", true },
		{ "axb", 3, "arg[0]~\"a\\x2Ab\"", false },
		{ "a\\b", 3, "arg[0]==\"a\\\\b\"", true },
		{ "a\\b", 3, "arg[0]~\"a\\\\b\"", true },
		{ "a\\xyz", 5, "arg[0]~\"a\\\\*\"", true },
		{ "a\"b", 3, "arg[0]==\"a\\\"b\"", true },
		{ "a\nb", 3, "arg[0]==\"a\\x0ab\"", true },
		{ "a\0b", 3, "arg[0]==\"a\\x00b\"", true },
		{ "a\0b", 3, "arg[0]==\"a\"", false },
		{ "a\0b", 3, "arg[0]~\"a?b\"", true },
		{ "\xff", 1, "arg[0]==\"\\xff\"", true },
		{ "\xc3\xa9", 2, "arg[0]==\xc3\xa9", true },
		{ "\xc3\xa9", 2, "arg[0]~\"?\"", false },
		{ "\xc3\xa9", 2, "arg[0]~??", true },
		{ "", 0, "arg[0]==\"\"", true },
		{ "", 0, "arg[0]~\"\"", true },
		{ "", 0, "arg[0]~*", true },
		{ "", 0, "arg[0]~?", false },
		{ "", 0, "arg[0]!=x", true },
		{ "a[b]", 4, "arg[0]~\"a[b]\"", true },
		{ "aab", 3, "arg[0]~*ab", true },
		{ "aabab", 5, "arg[0]~a*ab", true },
		{ "ababac", 6, "arg[0]~*ab*ac", true },
		{ "ababad", 6, "arg[0]~*ab*ac", false },
		{ "abc", 3, "arg[0]~***a***b**c***", true },
		{ "abc", 3, "arg[0]~*?*?*?*", true },
		{ "abc", 3, "arg[0]~*?*?*?*?*", false },
		{ "mississippi", 11, "arg[0]~*iss*ip?i", true },
		{ "mississippi", 11, "arg[0]~m*issip*iss*", false },
		{ "a b=c", 5, "arg[0]==\"a b=c\"", true },
		{ "-", 1, "arg[0]==\"-\"", true },
		{ "err", 3, "arg[0]==err", true },
		{ "8139", 4, "arg[0]==\"8139\"", true },
		{ "8139", 4, "arg[0]==8139", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct kerror_event *event;
		struct build build;

		build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%s");
		build_argument(&build, EVL_ARG_STRING, 0, cases[i].bytes,
			       cases[i].size);
		event = event_of(EVLOG, &build);
		assert_match(cases[i].text, event, cases[i].expected);
		kerror_event_free(event);
	}
}

/* What other events have, or have not. */
static void test_fields(void **state)
{
	static const struct { uint32_t flags; const char *name; } contexts[] = {
		{ EVL_FLAG_BOOT, "process" },
		{ EVL_FLAG_SOFTIRQ, "softirq" },
		{ EVL_FLAG_INTERRUPT | EVL_FLAG_SOFTIRQ, "hardirq" },
		{ EVL_FLAG_NMI | EVL_FLAG_INTERRUPT | EVL_FLAG_SOFTIRQ, "nmi" },
	};
	static const char *const kinds[] = {
		"nodata", "binary", "string", "printf", "binary",
	};
	struct kerror_event *event;
	struct build build;
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(contexts); i++) {
		build_begin(&build, NULL, EVL_FORMAT_NODATA, NULL);
		build.header.flags = contexts[i].flags;
		event = event_of(EVLOG, &build);
		for (size_t j = 0; j < COUNT(contexts); j++) {
			sprintf(text, "context==%s", contexts[j].name);
			assert_match(text, event, i == j);
			sprintf(text, "context!=%s", contexts[j].name);
			assert_match(text, event, i != j);
		}
		assert_match("boot", event, !i);
		kerror_event_free(event);
	}
	for (uint8_t i = 0; i < COUNT(kinds); i++) {
		build_begin(&build, NULL, i, NULL);
		event = event_of(EVLOG, &build);
		sprintf(text, "kind==%s", kinds[i]);
		assert_match(text, event, true);
		sprintf(text, "kind!=%s", kinds[i]);
		assert_match(text, event, false);
		kerror_event_free(event);
	}

	build_begin(&build, NULL, EVL_FORMAT_STRING, NULL);
	build_bytes(&build, "some text", 9);
	build.header.flags = EVL_FLAG_OOPS | EVL_FLAG_TRUNCATED;
	build.header.event_id = 0xfcf2063c;
	event = event_of(EVLOG, &build);
	assert_match("oops && truncated && !boot", event, true);
	assert_match("id==fcf2063c && id==0xFCF2063C && id!=0xf", event, true);
	assert_match("text==\"some text\" && argc==0", event, true);
	/* Neither device nor format nor argument: no comparison holds. */
	assert_match("device==x || device!=x || device~*", event, false);
	assert_match("format==x || format!=x || format~*", event, false);
	assert_match("arg[0]==0 || arg[0]!=0 || arg[0]~*", event, false);
	kerror_event_free(event);

	/* An argument of a type that is not known cannot be compared. */
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%y %c");
	build_argument(&build, 99, 0, "abcd", 4);
	build_argument(&build, EVL_ARG_CHAR, 0, "\xff", 1);
	event = event_of(EVLOG, &build);
	assert_match("argc==2 && arg[1]==255", event, true);
	assert_match("arg[0]==0 || arg[0]!=0 || arg[0]~*", event, false);
	kerror_event_free(event);
}

/*
 * The header counts by its bytes; the rest only of what is well-formed evlog.
 */
static void test_presence(void **state)
{
	struct kerror_event *event;
	struct build build;

	(void)state;
	build_example(&build);
	event = event_of(RAW, &build);
	assert_match("severity==err && facility==driver && !oops", event, true);
	assert_match("text~* || format~* || device~* || argc>=0", event, false);
	assert_match("group==raw && group!=evlog", event, true);
	kerror_event_free(event);

	build.size = EVL_HEADER_SIZE;
	event = event_of(EVLOG, &build);
	assert_match("severity==err && kind==printf", event, true);
	assert_match("text~* || format~* || device~* || argc>=0", event, false);
	kerror_event_free(event);

	build.size--;
	event = event_of(EVLOG, &build);
	assert_match("severity>=0 || cpu>=0 || comm~* || context~* || kind~*",
		     event, false);
	assert_match("!oops && !(severity==err) && group==evlog", event, true);
	kerror_event_free(event);

	build_example(&build);
	build.header.header_size = EVL_HEADER_SIZE - 1;
	event = event_of(EVLOG, &build);
	assert_match("severity>=0", event, false);
	kerror_event_free(event);
	build.header.header_size = 0xff00;
	event = event_of(EVLOG, &build);
	assert_match("severity>=0", event, true);
	kerror_event_free(event);
	build.header.magic ^= 0x100;
	event = event_of(EVLOG, &build);
	assert_match("severity>=0", event, false);
	kerror_event_free(event);

	/* Without a NUL a name has as many bytes as there is room for. */
	build_example(&build);
	memset(build.header.comm, 'c', sizeof(build.header.comm));
	event = event_of(EVLOG, &build);
	assert_match("comm==cccccccccccccccc", event, true);
	assert_match("comm==ccccccccccccccc || comm~*d*", event, false);
	kerror_event_free(event);
}

/* However much text an event makes, only so much is looked at. */
static void test_long_text(void **state)
{
	struct kerror_event *event;
	struct build build;
	int32_t one = 1;

	(void)state;
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%8388607d%8388607d");
	build_argument(&build, EVL_ARG_S32, 0, &one, 4);
	build_argument(&build, EVL_ARG_S32, 0, &one, 4);
	event = event_of(EVLOG, &build);
	assert_match("text~\"  *  \"", event, true);
	assert_match("text~*1", event, false);
	kerror_event_free(event);
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%32768d");
	build_argument(&build, EVL_ARG_S32, 0, &one, 4);
	event = event_of(EVLOG, &build);
	assert_match("text~*1", event, true);
	kerror_event_free(event);
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%32769d");
	build_argument(&build, EVL_ARG_S32, 0, &one, 4);
	event = event_of(EVLOG, &build);
	assert_match("text~\"* \"", event, true);
	assert_match("text~*1", event, false);
	kerror_event_free(event);
}

#define NO_FIELD " where a field is expected; " \
	"there are group severity facility device context boot oops truncated printk continues " \
	"open imported cpu uid gid pid tid comm type id kind format arg[0] text argc"
#define NO_SEVERITY " is no severity; use emerg alert crit err warning notice info debug, or 0 to 7"
#define NO_COMPARISON " where a comparison is expected; use == != < <= > >= or ~"
#define NO_NUMBER " is no number; use digits or 0x, up to 64 bits"
#define IS_NUMBER " is a number; use == != < <= > or >="
#define IS_TEXT " is for numbers, not for text; use == != or ~"
#define NO_ID " is no id; use 8 hexadecimal digits such as fcf2063c"
#define NO_CONTEXT " is no context; use process softirq hardirq nmi"
#define NO_INDEX " where the number of the argument is expected, as in arg[0]"
#define NO_END ": a string that has no end; it needs another \""

static void test_errors(void **state)
{
	static const struct { const char *text, *message; } cases[] = {
		{ "", "column 1: the end of the filter" NO_FIELD },
		{ " \t", "column 3: the end of the filter" NO_FIELD },
		{ "serverity<=err", "column 1: 'serverity'" NO_FIELD },
		{ "cpu==1 && 3<uid", "column 11: '3'" NO_FIELD },
		{ "\"cpu\"==1", "column 1: '\"cpu\"'" NO_FIELD },
		{ "cpu==1 &&", "column 10: the end of the filter" NO_FIELD },
		{ "()", "column 2: ')'" NO_FIELD },
		{ "cpu==1 || || uid==1", "column 11: '||'" NO_FIELD },
		{ "a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		  "column 1: 'a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9...'" NO_FIELD },
		{ "\x01", "column 1: '?'" NO_FIELD },
		{ "$", "column 1: '$'" NO_FIELD },
		{ "cpu", "column 4: the end of the filter" NO_COMPARISON },
		{ "cpu=1", "column 4: '='" NO_COMPARISON },
		{ "cpu 1", "column 5: '1'" NO_COMPARISON },
		{ "cpu !1", "column 5: '!'" NO_COMPARISON },
		{ "oops==1", "column 5: '==' behind a flag, which stands alone: oops or !oops" },
		{ "cpu~1", "column 4: '~' is for text, and cpu" IS_NUMBER },
		{ "severity~err", "column 9: '~' is for text, and severity" IS_NUMBER },
		{ "id~\"f*\"", "column 3: '~' is for text, and id" IS_NUMBER },
		{ "facility < ata", "column 10: '<'" IS_TEXT },
		{ "context>=nmi", "column 8: '>='" IS_TEXT },
		{ "arg[1]<=abc", "column 7: '<='" IS_TEXT },
		{ "arg[1]>\"3\"", "column 7: '>'" IS_TEXT },
		{ "cpu==", "column 6: the end of the filter where a number is expected" },
		{ "severity<=", "column 11: the end of the filter where a value is expected" },
		{ "facility==(", "column 11: '(' where a value is expected" },
		{ "facility==\\*", "column 11: '\\' where a value is expected" },
		{ "cpu==x", "column 6: 'x'" NO_NUMBER },
		{ "cpu==\"1\"", "column 6: '\"1\"'" NO_NUMBER },
		{ "cpu==1x", "column 6: '1x'" NO_NUMBER },
		{ "cpu==0x", "column 6: '0x'" NO_NUMBER },
		{ "cpu==-", "column 6: '-'" NO_NUMBER },
		{ "cpu==--1", "column 6: '--1'" NO_NUMBER },
		{ "cpu<18446744073709551616", "column 5: '18446744073709551616'" NO_NUMBER },
		{ "cpu>-9223372036854775809", "column 5: '-9223372036854775809'" NO_NUMBER },
		{ "arg[0]==10.0.0.1", "column 9: '10.0.0.1' is no number; text needs quotes" },
		{ "arg[0]==.5", "column 9: '.5' is no number; text needs quotes" },
		{ "arg[0]==+pci", "column 9: '+pci' is no number; text needs quotes" },
		{ "severity<=errr", "column 11: 'errr'" NO_SEVERITY },
		{ "severity==8", "column 11: '8'" NO_SEVERITY },
		{ "severity==-1", "column 11: '-1'" NO_SEVERITY },
		{ "severity==00", "column 11: '00'" NO_SEVERITY },
		{ "severity==\"\"", "column 11: '\"\"'" NO_SEVERITY },
		{ "severity==notice_that_is_long", "column 11: 'notice_that_is_long'" NO_SEVERITY },
		{ "id==123", "column 5: '123'" NO_ID },
		{ "id==fcf2063g", "column 5: 'fcf2063g'" NO_ID },
		{ "id==0x1fcf2063c", "column 5: '0x1fcf2063c'" NO_ID },
		{ "context==hardirk", "column 10: 'hardirk'" NO_CONTEXT },
		{ "context!=\"x\"", "column 10: '\"x\"'" NO_CONTEXT },
		{ "kind==text", "column 7: 'text' is no kind; use nodata binary string printf" },
		{ "group!=all", "column 8: 'all' is no group; use raw evlog printk" },
		{ "arg==1", "column 4: '=='" NO_INDEX },
		{ "arg[]==1", "column 5: ']'" NO_INDEX },
		{ "arg[-1]==1", "column 5: '-1'" NO_INDEX },
		{ "arg[65536]==1", "column 5: '65536'" NO_INDEX },
		{ "arg[0==1", "column 6: '==' where ] is expected" },
		{ "(cpu==1",
		  "column 8: the end of the filter where && || or the ) of column 1 is expected" },
		{ "!!(cpu==1 uid==1)",
		  "column 11: 'uid' where && || or the ) of column 3 is expected" },
		{ "cpu==1)", "column 7: ')' where && || or the end is expected" },
		{ "cpu==1 & uid==1", "column 8: '&' where && || or the end is expected" },
		{ "cpu==1 | uid==1", "column 8: '|' where && || or the end is expected" },
		{ "cpu==1 and uid==1", "column 8: 'and' where && || or the end is expected" },
		{ "text~\"abc", "column 6" NO_END },
		{ "text~\"abc\\\"", "column 6" NO_END },
		{ "text~\"abc\\", "column 6" NO_END },
		{ "text~\"a\nb\"", "column 8: a control character; write it as \\x0a" },
		{ "text~\"a\\\x7f\"", "column 9: a control character; write it as \\x7f" },
		{ "text~\"a\\n\"", "column 8: \\n is no escape; use \\\" \\\\ \\* \\? or \\xHH" },
		{ "text~\"a\\x4\"", "column 8: \\x needs two hexadecimal digits" },
		{ "text~\"a\\x\"", "column 8: \\x needs two hexadecimal digits" },
		{ "text~\"a\\x4g\"", "column 8: \\x needs two hexadecimal digits" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct kerror_filter *filter;
		char message[320], cut[20];

		if (kerror_filter_new(&filter, cases[i].text, message,
				      sizeof(message)) != -EINVAL)
			fail_msg("not noticed: %s", cases[i].text);
		assert_string_equal(message, cases[i].message);
		/* Room or not, this is the same error. */
		assert_int_equal(kerror_filter_new(&filter, cases[i].text, cut,
						   sizeof(cut)), -EINVAL);
		assert_memory_equal(cut, message, sizeof(cut) - 1);
		assert_int_equal(cut[sizeof(cut) - 1], 0);
		assert_int_equal(kerror_filter_new(&filter, cases[i].text, cut,
						   3), -EINVAL);
		assert_string_equal(cut, "co");
		assert_int_equal(kerror_filter_new(&filter, cases[i].text,
						   NULL, 0), -EINVAL);
	}
}

/* @count times @part, between @before and @after; to be freed. */
static char *repeat(const char *before, const char *part, size_t count,
		    const char *after)
{
	char *text = malloc(strlen(before) + count * strlen(part) +
			    strlen(after) + 1), *at = text;

	at += sprintf(at, "%s", before);
	while (count--)
		at += sprintf(at, "%s", part);
	sprintf(at, "%s", after);
	return text;
}

static void assert_refused(const char *text, const char *expected)
{
	struct kerror_filter *filter;
	char message[320];

	assert_int_equal(kerror_filter_new(&filter, text, message,
					   sizeof(message)), -EINVAL);
	assert_string_equal(message, expected);
}

/* Instructions that only little-endian machines need for what each event has. */
static size_t for_byte_order(void)
{
	return ntohs(1) == 1 ? 0 : 16;
}

/* On big-endian machines nothing that these are for is too long. */
static void assert_count(const char *text, size_t least, size_t most)
{
	struct kerror_filter *filter = filter_of(text);
	size_t count;

	kerror_filter_program(filter, &count);
	if (for_byte_order())
		assert_in_range(count, least, most);
	kerror_filter_free(filter);
}

static void test_limits(void **state)
{
	static const char wide[] =
		"\"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"";
	struct kerror_event *event;
	struct build build;
	char part[96], *text;

	(void)state;
	build_example(&build);
	event = event_of(EVLOG, &build);

	text = repeat("", " ", 4096 - 6, "cpu==3");
	assert_match(text, event, true);
	free(text);
	text = repeat("", " ", 4096 - 5, "cpu==3");
	assert_refused(text, "column 4097: the filter is longer than 4096 bytes; make it shorter");
	free(text);

	text = repeat("", "(", 32, "cpu==3))))))))))))))))))))))))))))))))");
	assert_match(text, event, true);
	free(text);
	text = repeat("", "(", 33, "cpu==3)))))))))))))))))))))))))))))))))");
	assert_refused(text, "column 33: parentheses in more than 32 others; use fewer");
	free(text);
	/* Side by side is not one in another. */
	text = repeat("cpu==3", "&&(cpu==3)", 400, "");
	assert_match(text, event, true);
	free(text);
	text = repeat("", "!", 4000, "oops");
	assert_match(text, event, false);
	free(text);

	/* Nothing is too long for user space; the kernel does what fits. */
	text = repeat("cpu==3", "&&cpu<4", 580, "");
	assert_match(text, event, true);
	assert_count(text, 4096 - 14, 4096);
	free(text);
	text = repeat("cpu==4", "||cpu<3", 580, "||cpu==3");
	assert_match(text, event, true);
	assert_count(text, 0, 0);
	free(text);
	/* It does without what costs most, wherever that stands. */
	text = repeat("severity<=err&&(cpu==4", "||cpu<3", 500, ")");
	assert_match(text, event, false);
	assert_count(text, 38, 38);
	free(text);
	text = repeat("(cpu==4", "||cpu<3", 500, ")&&severity<=err");
	assert_match(text, event, false);
	assert_count(text, 38, 38);
	free(text);
	/* Targets that are too far for a conditional jump. */
	sprintf(part, "||facility==%s", wide);
	text = repeat("cpu==4", part, 50, "||cpu==3");
	assert_match(text, event, true);
	assert_count(text, 1500, 1700);
	free(text);

	/* Stars take their time, but not for ever. */
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%s");
	text = repeat("", "a", 8000, "");
	build_argument(&build, EVL_ARG_STRING, 0, text, 8000);
	free(text);
	kerror_event_free(event);
	event = event_of(EVLOG, &build);
	assert_non_null(kerror_event_header(event));
	text = repeat("arg[0]~\"", "*aaaaaaa", 500, "b\"");
	assert_match(text, event, false);
	free(text);
	kerror_event_free(event);
}

#define NO_PROGRAM "program: none, which passes everything; "

static void test_explain(void **state)
{
	static const struct {
		const char *text, *explanation;
		size_t count;	/* less those for the byte order */
	} cases[] = {
		{ "severity<=err && facility==\"ata\" && arg[0]>3",
		  "kernel: severity<=err\n"
		  "kernel: facility==\"ata\"\n"
		  "user space: arg[0]>3\n"
		  "program: # instructions; user space looks at what it passes\n", 24 },
		{ " ! ( oops || comm ~ kworker* ) ",
		  "kernel: !oops\n"
		  "kernel: !(comm~kworker*)\n"
		  "program: # instructions; what it passes matches\n", 28 },
		{ "comm~*x || severity<=err",
		  "user space: comm~*x\n"
		  "user space: severity<=err\n"
		  NO_PROGRAM "user space looks at what it passes\n", 0 },
		{ "!(device~b* && severity<=err)",
		  "user space: !(device~b*)\n"
		  "user space: !(severity<=err)\n"
		  NO_PROGRAM "user space looks at what it passes\n", 0 },
		{ "!(device~b* || severity<=err)",
		  "user space: !(device~b*)\n"
		  "kernel: !(severity<=err)\n"
		  "program: # instructions; user space looks at what it passes\n", 22 },
		{ "severity>=0 || !(severity>=0)",
		  "kernel: severity>=0\n"
		  "kernel: !(severity>=0)\n"
		  NO_PROGRAM "what it passes matches\n", 0 },
		{ "context~n* && kind==\"string\" && group==evlog",
		  "kernel: context~n*\n"
		  "kernel: kind==\"string\"\n"
		  "user space: group==evlog\n"
		  "program: # instructions; user space looks at what it passes\n",
		  24 },
		/* What never tells anything is not there. */
		{ "uid>=0 || cpu==1",
		  "kernel: uid>=0\n"
		  "kernel: cpu==1\n"
		  "program: # instructions; what it passes matches\n", 20 },
		{ "arg[ 17 ]!=-1",
		  "user space: arg[17]!=-1\n"
		  NO_PROGRAM "user space looks at what it passes\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct kerror_filter *filter = filter_of(cases[i].text);
		const char *hash = strchr(cases[i].explanation, '#');
		char text[512], cut[10], expected[512];
		size_t length, count;

		assert_int_equal(!kerror_filter_program(filter, &count), !hash);
		length = sprintf(expected, "%s", cases[i].explanation);
		if (hash) {
			assert_int_equal(count, cases[i].count +
					 for_byte_order());
			length = hash - cases[i].explanation;
			length += sprintf(expected + length, "%zu%s", count,
					  hash + 1);
		}
		assert_int_equal(kerror_filter_explain(filter, text,
						       sizeof(text)), length);
		assert_string_equal(text, expected);
		assert_int_equal(kerror_filter_explain(filter, cut,
						       sizeof(cut)), length);
		assert_memory_equal(cut, text, sizeof(cut) - 1);
		assert_int_equal(cut[sizeof(cut) - 1], 0);
		assert_int_equal(kerror_filter_explain(filter, NULL, 0),
				 length);
		kerror_filter_free(filter);
	}
	kerror_filter_free(NULL);
}

static void test_severity_number(void **state)
{
	static const char *const wrong[] = {
		"", "8", "-1", "33", "Err", "error", "e", "3 ", "/", ":",
	};
	char digit[2] = "0";

	(void)state;
	for (int i = 0; i < 8; i++, digit[0]++) {
		assert_int_equal(kerror_severity_number(digit), i);
		assert_int_equal(kerror_severity_number(kerror_severity_name(i)),
				 i);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(kerror_severity_number(wrong[i]), -EINVAL);
}

/* ---- The kernel ---- */

static int sockets[2];	/* datagrams go from 0 to 1, where the program is */

static int open_sockets(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets);
}

static int close_sockets(void **state)
{
	(void)state;
	return close(sockets[0]) | close(sockets[1]);
}

static void attach(const struct kerror_filter *filter)
{
	struct sock_filter pass = { BPF_RET | BPF_K, 0, 0, UINT32_MAX };
	size_t count;
	const struct sock_filter *program = kerror_filter_program(filter,
								  &count);
	struct sock_fprog attached = {
		.len = program ? count : 1,
		.filter = program ? (struct sock_filter *)program : &pass,
	};

	assert_int_equal(setsockopt(sockets[1], SOL_SOCKET, SO_ATTACH_FILTER,
				    &attached, sizeof(attached)), 0);
}

static bool gets_through(const void *datagram, size_t size)
{
	static uint8_t received[KERROR_DATAGRAM_MAX];
	ssize_t result;

	assert_int_equal(send(sockets[0], datagram, size, 0), size);
	result = recv(sockets[1], received, sizeof(received), MSG_DONTWAIT);
	if (result < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	/* Whole, that is. */
	assert_int_equal(result, size);
	assert_memory_equal(received, datagram, size);
	return true;
}

/* A message as it is sent, with the padding of netlink if @padded. */
static size_t make_datagram(void *datagram, uint16_t type, uint16_t flags,
			    const void *data, size_t size, bool padded)
{
	struct nlmsghdr header = {
		.nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = type,
		.nlmsg_flags = flags, .nlmsg_seq = 1, .nlmsg_pid = 2,
	};

	memset(datagram, 0, NLMSG_SPACE(size));
	memcpy(datagram, &header, sizeof(header));
	memcpy((uint8_t *)datagram + NLMSG_HDRLEN, data, size);
	return padded ? NLMSG_SPACE(size) : NLMSG_LENGTH(size);
}

static bool event_gets_through(const struct build *build, size_t size,
			       bool padded)
{
	static uint32_t datagram[KERROR_DATAGRAM_MAX / 4];

	size = make_datagram(datagram, KERROR_MSG_EVENT, 0, build->data, size,
			     padded);
	return gets_through(datagram, size);
}

/* The program drops what certainly does not match, and nothing else. */
static void test_datagrams(void **state)
{
	static const uint16_t others[] = {
		0, NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, KERROR_MSG_LOSS,
		KERROR_MSG_STATISTICS, KERROR_MSG_EVENT << 8, 0x1010,
	};
	struct kerror_filter *filter = filter_of("severity==debug");
	static uint32_t datagram[KERROR_DATAGRAM_MAX / 4];
	struct nlmsghdr *header = (void *)datagram;
	struct build build;
	size_t size;

	(void)state;
	build_example(&build);
	attach(filter);
	size = make_datagram(datagram, KERROR_MSG_EVENT, 0, build.data,
			     build.size, true);
	assert_false(gets_through(datagram, size));
	for (uint16_t flags = 1; flags; flags <<= 1) {
		header->nlmsg_flags = flags;
		assert_int_equal(gets_through(datagram, size),
				 flags == NLM_F_MULTI);
	}
	header->nlmsg_flags = 0;
	for (size_t i = 0; i < COUNT(others); i++) {
		header->nlmsg_type = others[i];
		assert_true(gets_through(datagram, size));
	}
	header->nlmsg_type = KERROR_MSG_EVENT;
	/* Who knows what the second message is. */
	size = NLMSG_LENGTH(build.size);
	assert_false(gets_through(datagram, size));
	assert_false(gets_through(datagram, size + 3));
	assert_true(gets_through(datagram, size + 4));
	assert_true(gets_through(datagram, size - 1));
	for (uint32_t length = 0; length < NLMSG_HDRLEN; length++) {
		header->nlmsg_len = length;
		for (size = 1; size <= NLMSG_HDRLEN; size++)
			assert_true(gets_through(datagram, size));
	}
	header->nlmsg_len = UINT32_MAX;
	assert_true(gets_through(datagram, NLMSG_HDRLEN));

	/* An event without a header has no severity, padded or not. */
	for (size = 0; size < 2 * EVL_HEADER_SIZE; size++)
		assert_false(event_gets_through(&build, size / 2, size % 2));
	kerror_filter_free(filter);
	filter = filter_of("!(severity==err)");
	attach(filter);
	while (size--)
		assert_true(event_gets_through(&build, size / 2, size % 2));
	assert_false(event_gets_through(&build, EVL_HEADER_SIZE, true));
	kerror_filter_free(filter);

	/* A name ends where another field begins. */
	memset(build.data + offsetof(struct evl_header, comm), 'c',
	       sizeof(build.header.comm) + 3);
	filter = filter_of("comm~ccccccccccccccccc*");
	attach(filter);
	assert_false(event_gets_through(&build, build.size, true));
	kerror_filter_free(filter);
	filter = filter_of("comm==cccccccccccccccc && facility~cccver");
	attach(filter);
	assert_true(event_gets_through(&build, build.size, true));
	kerror_filter_free(filter);
}

/* Jumps of any length, up to where one does not reach and beyond. */
static void test_far(void **state)
{
	static const struct { bool any; const char *part, *end; } cases[] = {
		{ true, "||pid==8", "||tid==9)&&!oops" },
		{ true, "||comm==abc", "||tid==9)&&!oops" },
		{ false, "&&tid!=43", "&&tid==9)&&!oops" },
	};
	struct build build;
	size_t count;

	(void)state;
	build_begin(&build, NULL, EVL_FORMAT_NODATA, NULL);
	for (size_t i = 0; i < 140 * COUNT(cases); i++) {
		bool any = cases[i / 140].any;
		char *text = repeat("(pid==7", cases[i / 140].part, i % 140,
				    cases[i / 140].end);
		struct kerror_filter *filter = filter_of(text);

		free(text);
		assert_non_null(kerror_filter_program(filter, &count));
		attach(filter);
		for (int j = 0; j < 8; j++) {
			bool pid = j & 1, tid = j & 2, oops = j & 4;

			build.header.pid = pid ? 7 : 42;
			build.header.tid = tid ? 9 : 43;
			build.header.flags = oops ? EVL_FLAG_OOPS : 0;
			assert_int_equal(event_gets_through(&build, build.size,
							    true),
					 (any ? pid || tid : pid && tid) &&
					 !oops);
		}
		kerror_filter_free(filter);
	}
}

/* ---- At random ---- */

#define FILTERS 10000
#define EVENTS 10	/* for each */

static uint64_t random_state = 0x66696c746572;

static unsigned int below(unsigned int limit)
{
	return (build_random(&random_state) >> 24) % limit;
}

static bool chance(unsigned int in)
{
	return !below(in);
}

/* What values are taken from, in filters and events, so that they meet. */
static const uint64_t numbers[] = {
	0, 1, 2, 3, 4, 5, 7, 42, 127, 128, 255, 256, INT32_MAX, 0x80000000,
	UINT32_MAX, 0x100000000, INT64_MAX, 0x8000000000000000, UINT64_MAX,
	-2ULL, -5ULL, 0xfffffffb, 0x1000000, 0xff000000, 0x00ff00ff,
};

static const char *const words[] = {
	"a", "b", "ab", "a*b", "a?", "kworker/0:1", "\"q\\", "x\x01y", "b8:0",
	"+pci:0000:00:1f.2", "err", "3", "-5", "\xc3\xa9", "usb-storage", "",
	"ata", "atal", "fifteen letters", "sixteen  letters",
	"seventeen letters",
	"a name of fifty-nine letters is as long as they may be here",
	"a name of sixty letters, which no NUL ends if it is a name..",
	"a name of sixty-one letters, which is too long to be a name..",
	"process", "softirq", "hardirq", "nmi", "printf", "binary", "string",
	"nodata", "%d %s", "%",
};

/* Those for facility and comm are fewer, and only some have room for a NUL. */
#define NAMES_FROM 14
#define NAMES 10
#define NAMES_SHORT 5

#define HEADER(field) .offset = offsetof(struct evl_header, field), \
		      .size = sizeof(((struct evl_header *)0)->field)

enum type { A_NUMBER, A_SEVERITY, AN_ID, A_STRING, A_NAME, A_FLAG, ANY };

static const struct field {
	const char *name;
	enum type type;
	uint8_t offset, size;	/* in the header, or 0 */
} fields[] = {
	{ "severity", A_SEVERITY, HEADER(severity) },
	{ "severity", A_SEVERITY, HEADER(severity) },
	{ "facility", A_STRING, HEADER(facility) },
	{ "facility", A_STRING, HEADER(facility) },
	{ "comm", A_STRING, HEADER(comm) },
	{ "cpu", A_NUMBER, HEADER(cpu) },
	{ "uid", A_NUMBER, HEADER(uid) },
	{ "gid", A_NUMBER, HEADER(gid) },
	{ "pid", A_NUMBER, HEADER(pid) },
	{ "tid", A_NUMBER, HEADER(tid) },
	{ "type", A_NUMBER, HEADER(event_type) },
	{ "id", AN_ID, HEADER(event_id) },
	{ "context", A_NAME, HEADER(flags) },
	{ "kind", A_NAME, HEADER(format) },
	{ "boot", A_FLAG, HEADER(flags) },
	{ "oops", A_FLAG, HEADER(flags) },
	{ "truncated", A_FLAG, HEADER(flags) },
	{ "printk", A_FLAG, HEADER(flags) },
	{ "continues", A_FLAG, HEADER(flags) },
	{ "open", A_FLAG, HEADER(flags) },
	{ "imported", A_FLAG, HEADER(flags) },
	{ "group", A_NAME, 0, 0 },
	{ "device", A_STRING, 0, 0 },
	{ "format", A_STRING, 0, 0 },
	{ "text", A_STRING, 0, 0 },
	{ "argc", A_NUMBER, 0, 0 },
	{ "arg", ANY, 0, 0 },
	{ "arg", ANY, 0, 0 },
};

static const char *const operators[] = {
	"==", "!=", "<", "<=", ">", ">=", "~",
};

enum { EQ, NE, LT, LE, GT, GE, LIKE };

/* Sign and magnitude, unlike what is tested. */
struct number { bool minus; uint64_t magnitude; };

static struct number number_of(uint64_t bits, bool is_signed)
{
	bool minus = is_signed && bits >> 63;

	return (struct number) { minus, minus ? -bits : bits };
}

#define STAR 0x200
#define QUESTION 0x201

struct expression {
	enum { TERM, NOT, AND, OR } kind;
	struct expression *parts[3];
	unsigned int part_count;
	const struct field *field;
	unsigned int index, operator;
	bool is_string;
	struct number number;
	uint16_t units[80];	/* bytes, STAR and QUESTION */
	size_t unit_count;
};

static struct expression expressions[200];
static unsigned int expression_count;

/* A word, or a part of it with wildcards. */
static void random_units(struct expression *term)
{
	bool like = term->operator == LIKE, is_name = term->field->size;
	const char *word = is_name ? words[NAMES_FROM + below(NAMES)] :
				     words[below(COUNT(words))];
	size_t size = strlen(word), i = 0;

	if (like && chance(3))
		i = below(size + 1);
	if (like && (i || chance(6)))
		term->units[term->unit_count++] = STAR;
	for (; i < size; i++) {
		bool wild = like && chance(12);

		if (like && chance(20))
			break;
		term->units[term->unit_count++] = !wild ? (uint8_t)word[i] :
						  chance(2) ? QUESTION : STAR;
	}
	if (like && (i < size || chance(3)))
		term->units[term->unit_count++] = STAR;
	if (chance(20))
		term->units[term->unit_count++] = chance(2) ? below(256) : 0;
}

static void set_units(struct expression *term, const char *text)
{
	while (*text)
		term->units[term->unit_count++] = *text++;
}

static void random_term(struct expression *term)
{
	static const char *const names[][5] = {
		{ "process", "softirq", "hardirq", "nmi" },
		{ "printf", "binary", "string", "nodata" },
		{ "raw", "evlog", "raw", "evlog" },
	};

	term->field = &fields[below(COUNT(fields))];
	term->index = below(4);
	term->operator = below(LIKE);
	switch (term->field->type) {
	case A_FLAG:
		return;
	case A_SEVERITY:
		term->number.magnitude = below(8);
		return;
	case AN_ID:
		term->number.magnitude =
			(uint32_t)numbers[below(COUNT(numbers))];
		return;
	case ANY:
		term->is_string = chance(2);
		break;
	default:
		term->is_string = term->field->type != A_NUMBER;
	}
	if (!term->is_string) {
		term->number = number_of(numbers[below(COUNT(numbers))],
					 chance(2));
		return;
	}
	term->operator = chance(2) ? LIKE : below(2);
	if (term->field->type == A_NAME && term->operator != LIKE)
		set_units(term, names[*term->field->name == 'c' ? 0 :
				      *term->field->name == 'k' ? 1 : 2]
				[below(4)]);
	else
		random_units(term);
}

static struct expression *random_expression(unsigned int depth)
{
	struct expression *expression = &expressions[expression_count++];

	assert_true(expression_count <= COUNT(expressions));
	memset(expression, 0, sizeof(*expression));
	expression->kind = depth && !chance(3) ? 1 + below(3) : 0;
	if (expression->kind == TERM) {
		random_term(expression);
		return expression;
	}
	expression->part_count = expression->kind == NOT ? 1 : 2 + below(2);
	for (unsigned int i = 0; i < expression->part_count; i++)
		expression->parts[i] = random_expression(depth - 1);
	return expression;
}

static char text[4096];

static void say(const char *piece)
{
	static const char *const blanks[] = { "", "", "", " ", "\t", "\n " };

	strcat(text, blanks[below(COUNT(blanks))]);
	strcat(text, piece);
}

static void say_units(const struct expression *term)
{
	bool bare = term->unit_count && chance(2);
	char literal[512], *at = literal;

	for (size_t i = 0; i < term->unit_count; i++)
		bare &= term->units[i] >= 0x80 ||
			(term->units[i] &&
			 strchr("abcdefghijklmnopqrstuvwxyz0123456789_.:/+-@%,",
				term->units[i]));
	/* To an argument it would be a number. */
	if (term->field->type == ANY && term->operator != LIKE &&
	    term->units[0] < 'a')
		bare = false;
	if (!bare)
		*at++ = '"';
	for (size_t i = 0; i < term->unit_count; i++) {
		unsigned int unit = term->units[i];

		if (unit == STAR)
			*at++ = '*';
		else if (unit == QUESTION)
			*at++ = '?';
		else if (bare)
			*at++ = unit;
		else if (unit < ' ' || unit == 0x7f || chance(10))
			at += sprintf(at, chance(2) ? "\\x%02x" : "\\x%02X", unit);
		else if (strchr("\"\\", unit) ||
			 (strchr("*?", unit) &&
			  (term->operator == LIKE || chance(2))))
			at += sprintf(at, "\\%c", unit);
		else
			*at++ = unit;
	}
	if (!bare)
		*at++ = '"';
	*at = '\0';
	say(literal);
}

static void say_term(const struct expression *term)
{
	const char *minus = term->number.minus ? "-" : "";
	unsigned long long number = term->number.magnitude;
	char literal[64];

	say(term->field->name);
	if (term->field->type == ANY) {
		sprintf(literal, "%u", term->index);
		say("[");
		say(literal);
		say("]");
	}
	if (term->field->type == A_FLAG) {
		/* Or a field that follows would be part of it. */
		strcat(text, " ");
		return;
	}
	say(operators[term->operator]);
	if (term->is_string) {
		say_units(term);
		return;
	}
	if (term->field->type == A_SEVERITY && chance(2))
		sprintf(literal, "%s", kerror_severity_name(number));
	else if (term->field->type == AN_ID)
		sprintf(literal, chance(2) ? "%08llx" : "0x%llX", number);
	else if (term->field->type != A_SEVERITY && chance(3))
		sprintf(literal, "%s%#llx", minus, number);
	else
		sprintf(literal, "%s%llu", minus, number);
	say(literal);
}

static void say_expression(const struct expression *expression,
			   unsigned int tightest)
{
	static const char *const joints[] = { [AND] = "&&", [OR] = "||" };
	/* What binds less than what it is part of must have parentheses. */
	bool parentheses = (expression->kind == OR && tightest > 0) ||
			   (expression->kind == AND && tightest > 1) ||
			   chance(10);

	if (parentheses)
		say("(");
	if (expression->kind == TERM)
		say_term(expression);
	if (expression->kind == NOT)
		say("!");
	for (unsigned int i = 0; i < expression->part_count; i++) {
		if (i)
			say(joints[expression->kind]);
		say_expression(expression->parts[i], expression->kind == NOT ?
			       2 : expression->kind == AND);
	}
	if (parentheses)
		say(")");
}

/* ---- What the rules say, over the bytes ---- */

struct found {
	bool is_there, is_string;
	struct number number;
	const uint8_t *bytes;
	size_t size;
};

static struct found found_string(const void *bytes, size_t size)
{
	return (struct found) { true, true, { 0 }, bytes, size };
}

static struct found found_number(uint64_t bits, bool is_signed)
{
	return (struct found) { true, false, number_of(bits, is_signed), NULL,
				0 };
}

static struct found find_in_header(const struct field *field,
				   const uint8_t *data)
{
	const uint8_t *at = data + field->offset;
	const char *name;
	uint32_t u32;

	if (field->type == A_STRING)
		return found_string(at, strnlen((const char *)at, field->size));
	if (field->size == 1 && field->type != A_NAME)
		return found_number(*at, false);
	if (field->size == 1) {
		name = *at == 3 ? "printf" : *at == 2 ? "string" :
		       *at == 0 ? "nodata" : "binary";
		return found_string(name, strlen(name));
	}
	memcpy(&u32, at, 4);
	if (field->type == A_NAME) {
		name = u32 & 1 ? "nmi" : u32 & 2 ? "hardirq" :
		       u32 & 4 ? "softirq" : "process";
		return found_string(name, strlen(name));
	}
	if (field->type == A_FLAG) {
		/* By the order of their bits, from the fourth on */
		static const char *const names[] = {
			"boot", "oops", "truncated", "printk", "continues",
			"open", "imported",
		};
		unsigned int i;

		for (i = 0; strcmp(names[i], field->name); i++)
			;
		u32 = u32 >> (i + 3) & 1;
	}
	return found_number(u32, false);
}

/* Number @index of the values; their number is left in @index. */
static struct found find_argument(const uint8_t *at, const uint8_t *end,
				  unsigned int *index)
{
	struct found found = { 0 };
	unsigned int values = 0;

	while (at < end) {
		uint8_t type = at[0];
		const uint8_t *value = at + 4;
		uint64_t u64 = 0;
		uint16_t size;
		uint32_t u32 = 0;

		memcpy(&size, at + 2, 2);
		at = value + (size + 3) / 4 * 4;
		if (type == EVL_ARG_WIDTH || type == EVL_ARG_PRECISION ||
		    values++ != *index)
			continue;
		if (size == 4)
			memcpy(&u32, value, 4);
		if (size == 8)
			memcpy(&u64, value, 8);
		if (type == EVL_ARG_S32)
			found = found_number((int64_t)(int32_t)u32, true);
		if (type == EVL_ARG_S64)
			found = found_number(u64, true);
		if (type == EVL_ARG_U32)
			found = found_number(u32, false);
		if (type == EVL_ARG_U64)
			found = found_number(u64, false);
		if (type == EVL_ARG_POINTER)
			found = found_number(size == 4 ? u32 : u64, false);
		if (type == EVL_ARG_CHAR)
			found = found_number(*value, false);
		if (type == EVL_ARG_STRING || type == EVL_ARG_TEXT)
			found = found_string(value, size);
	}
	*index = values;
	return found;
}

static struct found find(const struct field *field, unsigned int index,
			 uint32_t group, const struct build *build,
			 const struct kerror_event *event)
{
	static char expanded[32769];
	const struct evl_header *header = &build->header;
	const uint8_t *at = build->data + header->header_size;
	struct found nothing = { 0 }, found;
	bool is_printf = header->format == EVL_FORMAT_PRINTF;
	size_t size;

	if (field->size)
		return build->size >= 144 && header->magic == 0x7af8 &&
		       header->header_size >= 144 ?
		       find_in_header(field, build->data) : nothing;
	if (*field->name == 'g')
		return group == RAW ? found_string("raw", 3) :
		       group == EVLOG ? found_string("evlog", 5) :
					found_string("printk", 6);
	if (!kerror_event_header(event))
		return nothing;
	if (*field->name == 'd')
		return header->device_size > 1 ?
		       found_string(at, header->device_size - 1) : nothing;
	at += header->device_size;
	if (*field->name == 'f')
		return is_printf ? found_string(at, header->format_size - 1) :
				   nothing;
	if (*field->name == 't') {
		size = kerror_event_text(event, expanded, sizeof(expanded));
		return found_string(expanded, size < 32768 ? size : 32768);
	}
	found = find_argument(at + header->format_size, is_printf ?
			      at + header->variable_size : at, &index);
	return field->type == ANY ? found : found_number(index, false);
}

static bool fits(const uint16_t *units, size_t count, const uint8_t *bytes,
		 size_t size)
{
	if (!count)
		return !size;
	if (*units == STAR)
		return fits(units + 1, count - 1, bytes, size) ||
		       (size && fits(units, count, bytes + 1, size - 1));
	return size && (*units == QUESTION || *units == *bytes) &&
	       fits(units + 1, count - 1, bytes + 1, size - 1);
}

/* Less than 0, 0 or more. */
static int compare(struct number a, struct number b)
{
	if (a.minus && b.minus)
		return a.magnitude > b.magnitude ? -1 :
		       a.magnitude < b.magnitude;
	if (a.minus || b.minus)
		return a.minus ? -1 : 1;
	return a.magnitude > b.magnitude ? 1 : -(a.magnitude < b.magnitude);
}

static bool term_is_true(const struct expression *term, uint32_t group,
			 const struct build *build,
			 const struct kerror_event *event)
{
	struct found found = find(term->field, term->index, group, build,
				  event);
	int order;

	if (term->field->type == A_FLAG)
		return found.is_there && found.number.magnitude;
	if (!found.is_there || found.is_string != term->is_string)
		return false;
	if (found.is_string)
		return fits(term->units, term->unit_count, found.bytes,
			    found.size) != (term->operator == NE);
	order = compare(found.number, term->number);
	switch (term->operator) {
	case EQ:
		return order == 0;
	case NE:
		return order != 0;
	case LT:
		return order < 0;
	case LE:
		return order <= 0;
	case GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool is_true(const struct expression *expression, uint32_t group,
		    const struct build *build, const struct kerror_event *event)
{
	unsigned int some = 0;

	if (expression->kind == TERM)
		return term_is_true(expression, group, build, event);
	for (unsigned int i = 0; i < expression->part_count; i++)
		some += is_true(expression->parts[i], group, build, event);
	return expression->kind == NOT ? !some :
	       expression->kind == OR ? some : some == expression->part_count;
}

/* ---- Events ---- */

static const struct { uint8_t type, size; const char *conversion; } values[] = {
	{ EVL_ARG_S32, 4, "%d" }, { EVL_ARG_U32, 4, "%u" },
	{ EVL_ARG_S64, 8, "%lld" }, { EVL_ARG_U64, 8, "%llx" },
	{ EVL_ARG_CHAR, 1, "%c" }, { EVL_ARG_STRING, 0, "%s" },
	{ EVL_ARG_STRING, 0, "%-9s" }, { EVL_ARG_POINTER, 8, "%p" },
	{ EVL_ARG_POINTER, 4, "%p" }, { EVL_ARG_TEXT, 0, "%pS" },
	{ EVL_ARG_WIDTH, 4, "%*d" }, { EVL_ARG_TEXT + 1, 8, "%d" },
};

static void random_arguments(struct build *build, const char *device)
{
	unsigned int count = below(5), kinds[4];
	char format[64] = "";

	if (count == 4)
		count = 1;
	for (unsigned int i = 0; i < count; i++) {
		kinds[i] = below(COUNT(values));
		if (chance(3))
			strcat(format, "ab ");
		strcat(format, values[kinds[i]].conversion);
	}
	build_begin(build, device, EVL_FORMAT_PRINTF, format);
	for (unsigned int i = 0; i < count; i++) {
		uint64_t u64 = numbers[below(COUNT(numbers))];
		uint32_t u32 = u64;
		uint8_t u8 = u64;
		const char *word = words[below(COUNT(words))];
		uint8_t size = values[kinds[i]].size;

		if (values[kinds[i]].type == EVL_ARG_WIDTH) {
			u32 = 3;
			build_argument(build, EVL_ARG_WIDTH, 0, &u32, 4);
			build_argument(build, EVL_ARG_S32, 0, &u32, 4);
			continue;
		}
		build_argument(build, values[kinds[i]].type, 0,
			       size == 8 ? (void *)&u64 : size == 4 ?
			       (void *)&u32 : size == 1 ? (void *)&u8 :
			       (const void *)word, size ? size : strlen(word));
	}
}

static void copy_name(char *to, size_t size)
{
	const char *word = words[NAMES_FROM +
				 below(chance(8) ? NAMES : NAMES_SHORT)];

	memset(to, 0, size);
	memcpy(to, word, strlen(word) < size ? strlen(word) : size);
}

static void random_event(struct build *build)
{
	static const char *const devices[] = { NULL, "b8:0", "n2", "",
					       "+pci:0000:00:1f.2" };
	const char *device = devices[below(COUNT(devices))];
	struct evl_header *header = &build->header;
	const char *word = words[below(COUNT(words))];

	if (chance(4)) {
		build_begin(build, device, below(5), NULL);
		if (header->format == EVL_FORMAT_PRINTF)
			header->format = EVL_FORMAT_STRING;
		build_bytes(build, word, strlen(word));
	} else {
		random_arguments(build, device);
	}
	header->severity = chance(20) ? below(256) : below(8);
	header->flags = chance(2) ? below(512) : build_random(&random_state);
	header->cpu = numbers[below(COUNT(numbers))];
	header->uid = numbers[below(COUNT(numbers))];
	header->gid = numbers[below(COUNT(numbers))];
	header->pid = numbers[below(COUNT(numbers))];
	header->tid = numbers[below(COUNT(numbers))];
	header->event_type = numbers[below(COUNT(numbers))];
	header->event_id = numbers[below(COUNT(numbers))];
	copy_name(header->facility, sizeof(header->facility));
	copy_name(header->comm, sizeof(header->comm));

	switch (below(24)) {
	case 0:
		build->size = below(build->size);
		break;
	case 1:
		build->size = EVL_HEADER_SIZE - 3 + below(6);
		break;
	case 2:
		header->magic ^= 1U << below(16);
		break;
	case 3:
		header->header_size = chance(2) ? below(65536) :
				      EVL_HEADER_SIZE - 2 + below(5);
		break;
	case 4:
		build->data[below(build->size)] = below(256);
		break;
	case 5:
		for (size_t i = 0; i < build->size; i++)
			build->data[i] = below(256);
		break;
	}
}

static void dump(const struct build *build)
{
	fprintf(stderr, "%s\nevent:", text);
	for (size_t i = 0; i < build->size; i++)
		fprintf(stderr, " %02x", build->data[i]);
	fprintf(stderr, "\n");
}

/* How often it came to what is tested. */
static struct {
	unsigned int pairs, matched, dropped, structured, decided, programs,
		     headerless, kinds, certain;
} tally;

/* What is possible for its kind must not contradict what an event does. */
static void check_possible(const struct kerror_filter *filter,
			   const struct kerror_event *event, bool matches)
{
	const struct evl_header *header = kerror_event_header(event);
	struct filter_kind kind = { .severity = -1, .known = below(0x200) };
	enum possible possible;

	if (!header || header->format != EVL_FORMAT_PRINTF ||
	    kerror_event_group(event) == RAW ||
	    header->flags & EVL_FLAG_TRUNCATED)
		return;
	/* No kernel raises anything else. */
	assert_int_equal(kerror_event_group(event),
			 header->flags & EVL_FLAG_PRINTK ? PRINTK : EVLOG);
	kind.id = header->event_id;
	kind.format = kerror_event_format(event);
	kind.kind = header->format;
	kind.flags = header->flags;
	if (chance(2))
		kind.severity = header->severity;
	if (chance(2))
		kind.facility = header->facility;
	possible = filter_possible(filter, &kind);
	tally.kinds++;
	tally.certain += possible != PERHAPS;
	if (possible == (matches ? NEVER : ALWAYS))
		fail_msg("it is said to match %s: %s, format %s",
			 matches ? "never" : "always", text, kind.format);
}

static void try_pair(const struct expression *expression,
		     const struct kerror_filter *filter, bool decides)
{
	uint32_t group = EVLOG;
	uint16_t type = chance(50) ? below(0x20) : KERROR_MSG_EVENT;
	uint16_t flags = chance(30) ? below(0x400) : 0;
	uint8_t datagram[KERROR_DATAGRAM_MAX];
	struct kerror_event *event;
	bool matches, through;
	struct build build;
	size_t size;

	random_event(&build);
	if (chance(6))
		group = RAW;
	else if (build.header.flags & EVL_FLAG_PRINTK)
		group = PRINTK;
	event = event_of(group, &build);
	matches = kerror_filter_matches(filter, event);
	if (matches != is_true(expression, group, &build, event)) {
		dump(&build);
		fail_msg("matches() says %d", matches);
	}
	check_possible(filter, event, matches);
	size = make_datagram(datagram, type, flags, build.data, build.size,
			     chance(2));
	through = gets_through(datagram, size);
	tally.pairs++;
	tally.matched += matches;
	tally.dropped += !through;
	tally.structured += !!kerror_event_header(event);
	tally.headerless += build.size < EVL_HEADER_SIZE ||
			    build.header.magic != EVL_MAGIC;
	tally.decided += decides;
	if (type != KERROR_MSG_EVENT || flags & NLM_F_MULTI) {
		matches = true;
		decides = true;
	}
	if ((matches && !through) || (decides && through != matches)) {
		dump(&build);
		fail_msg("matches: %d, gets through: %d", matches, through);
	}
	kerror_event_free(event);
}

static void test_random(void **state)
{
	char explanation[16384];

	(void)state;
	for (unsigned int i = 0; i < FILTERS; i++) {
		const struct expression *expression;
		struct kerror_filter *filter;
		size_t count;

		expression_count = 0;
		expression = random_expression(below(5));
		*text = '\0';
		say_expression(expression, 0);
		filter = filter_of(text);
		assert_in_range(kerror_filter_explain(filter, explanation,
						      sizeof(explanation)),
				1, sizeof(explanation) - 1);
		attach(filter);
		tally.programs += !!kerror_filter_program(filter, &count);
		for (unsigned int j = 0; j < EVENTS; j++)
			try_pair(expression, filter,
				 !strstr(explanation, "user space: "));
		kerror_filter_free(filter);
	}
	print_message("%u pairs of filter and event: %u matched\n",
		      tally.pairs, tally.matched);
	print_message("%u of %u filters have a program; it dropped %u events\n",
		      tally.programs, FILTERS, tally.dropped);
	print_message("%u pairs decided by the program alone\n", tally.decided);
	print_message("%u events well-formed, %u without a header\n",
		      tally.structured, tally.headerless);
	print_message("%u kinds of event, %u of them certain\n", tally.kinds,
		      tally.certain);
	/* Else it was no test. */
	assert_in_range(tally.certain, tally.kinds / 10, tally.kinds * 9 / 10);
	assert_true(tally.kinds > tally.pairs / 20);
	assert_in_range(tally.matched, tally.pairs / 4, tally.pairs * 3 / 4);
	assert_in_range(tally.dropped, tally.pairs / 5, tally.pairs / 2);
	assert_in_range(tally.decided, tally.pairs / 4, tally.pairs * 3 / 4);
	assert_true(tally.headerless > tally.pairs / 50);
}

static void show(char *shown, const char *part)
{
	assert_true(strlen(shown) + strlen(part) < 256);
	strcat(shown, part);
}

static void show_begin(void *context, bool all)
{
	show(context, all ? "all(" : "any(");
}

static void show_end(void *context)
{
	show(context, ")");
}

static void show_term(void *context, const struct kerror_filter_term *term)
{
	char part[128], number[32];

	snprintf(number, sizeof(number), "%s%llu", term->negative ? "-" : "",
		 (unsigned long long)(term->negative ? -term->number :
						       term->number));
	snprintf(part, sizeof(part), "%s%s.%u%s%s ", term->negated ? "!" : "",
		 term->field, term->index, term->comparison,
		 !term->is_string ? number :
		 term->string ? term->string : "pattern");
	show(context, part);
}

static void test_visit(void **state)
{
	static const struct kerror_filter_visitor visitor = {
		.begin = show_begin, .term = show_term, .end = show_end,
	};
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "id==fcf2063c", "id.0==4243719740 " },
		{ "severity<=err && !(arg[3]>-5 || text~\"a*\")",
		  "all(severity.0<=3 all(!arg.3>-5 !text.0~pattern ))" },
		{ "facility~\"ata\" || group!=raw && oops",
		  "any(facility.0~ata all(group.0!=raw oops.00 ))" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kerror_filter *filter;
		char shown[256] = "";

		assert_int_equal(kerror_filter_new(&filter, cases[i].text, NULL,
						   0), 0);
		kerror_filter_visit(filter, &visitor, shown);
		assert_string_equal(shown, cases[i].shown);
		kerror_filter_free(filter);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_presence),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_severity_number),
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_visit),
	};

	return cmocka_run_group_tests_name("filter", tests, open_sockets,
					   close_sockets);
}
