// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests that the kernel's program of a filter agrees with it: on datagrams that are
 * no events, or cut, and, at random, on filters and events that are also evaluated
 * by rules of this test's own over the bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include "filter_possible.h"
#include "filter_steps.h"

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
	/* The kind of the second message is not known. */
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

/* Filters and events take their values from here, so that they meet. */
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
	/* An operator that binds less than the one around it must have parentheses. */
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

/* ---- The result of the rules, over the bytes ---- */

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

/* The answer for a kind must not contradict the answer for an event of it. */
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("filter_program", tests, open_sockets,
					   close_sockets);
}
