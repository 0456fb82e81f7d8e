// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the language of filters: what each text means, or what is wrong with it.
 */
#include <stdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include "filter_steps.h"

/* Filters that match the event of build_example(), and filters that do not. */
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

/* Of any event, whatever its bytes are; the kernel leaves it to user space. */
static void test_origin(void **state)
{
	static const char *const holds[] = {
		"host==host", "host!=hosts", "host~h?st", "release~\"6.1.*\"", "version~*Debian*",
		"machine==0123456789abcdef0123456789abcdef", "arch==x86_64",
		"livepatch~*two*", "tag.rack==r17", "tag.rack~r*", "tag.hostile~\"\\\"*\"", "!(tag.none==r17)", "!(tag.none!=r17)",
		"!(tag.rac==r17)", "!(tag.rackk==r17)", "boot_id~01234567*",
		"instance==4000001", "(!boot && host==host)",
	};
	struct kerror_origin *origin = build_whole_origin();
	struct kerror_filter *filter;
	struct kerror_event *event;
	struct build build;
	char shown[256];

	(void)state;
	build_example(&build);
	for (int known = 0; known < 2; known++) {
		event = event_of(EVLOG, &build);
		kerror_event_set_origin(event, known ? origin : NULL);
		for (size_t i = 0; i < COUNT(holds); i++)
			assert_match(holds[i], event, known || *holds[i] == '!');
		kerror_event_free(event);
		build.size = 9;
	}
	event = event_of(EVLOG, &build);
	kerror_event_set_origin(event, origin);
	assert_match("host==host", event, true);
	kerror_event_free(event);
	kerror_origin_release(origin);
	filter = filter_of("cpu==3 && !(tag.rack==\"r 1\")");
	kerror_filter_explain(filter, shown, sizeof(shown));
	assert_non_null(strstr(shown, "user space: !(tag.rack==\"r 1\")\n"));
	kerror_filter_free(filter);
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

/* Fields that other events have, or have not. */
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
	build_begin(&build, NULL, EVL_FORMAT_PRINTF, "%d %c");
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

/* Asks one filter of a long text, time and again. */
struct asker {
	const struct kerror_filter *filter;
	const struct kerror_event *event;
	bool expected;
	unsigned int wrong;
};

static void *ask(void *argument)
{
	struct asker *asker = argument;

	for (int i = 0; i < 300; i++)
		asker->wrong += kerror_filter_matches(asker->filter, asker->event) !=
				asker->expected;
	return NULL;
}

/* A filter is const for those who ask it: two threads do not see each other's text. */
static void test_threads(void **state)
{
	static const char *const formats[] = { "%30000dx", "%30000dy" };
	struct kerror_filter *filter = filter_of("text~\"* 1x\"");
	struct asker askers[2];
	pthread_t threads[2];
	struct build build;
	int32_t one = 1;

	(void)state;
	for (int i = 0; i < 2; i++) {
		build_begin(&build, NULL, EVL_FORMAT_PRINTF, formats[i]);
		build_argument(&build, EVL_ARG_S32, 0, &one, 4);
		askers[i] = (struct asker) {
			.filter = filter, .event = event_of(EVLOG, &build), .expected = !i,
		};
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(askers[i].wrong, 0);
		kerror_event_free((struct kerror_event *)askers[i].event);
	}
	kerror_filter_free(filter);
}

#define NO_FIELD " where a field is expected; " \
	"there are group severity facility device context boot oops truncated printk continues " \
	"open imported cpu uid gid pid tid comm type id kind format arg[0] text argc " \
	"machine host boot_id instance release version arch livepatch tag.NAME"
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
		{ "tag", "column 1: 'tag'" NO_FIELD },
		{ "tag.==x", "column 1: 'tag.'" NO_FIELD },
		{ "tag.Rack==x", "column 1: 'tag.Rack'" NO_FIELD },
		{ "host<x", "column 5: '<'" IS_TEXT },
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
		char message[400], cut[20];

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

static void assert_refused(const char *text, const char *expected)
{
	struct kerror_filter *filter;
	char message[400];

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
		/* A test that never decides anything is not there. */
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
		{ "tag.rack==r17 && host!=a", "all(tag.rack.0==r17 host.0!=a )" },
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
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_presence),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_severity_number),
		cmocka_unit_test(test_visit),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
