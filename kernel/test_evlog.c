// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raises test events for the programs in tools/testing/selftests/kerror, which
 * check what arrives. They ask for events by writing one of the commands in
 * test_commands[], with its numbers, to /dev/test_evlog; the write fails with
 * what the call under test returned. Reading it tells what only the kernel
 * knows: the events raised and refused, the address of a buffer, and what a
 * call costs.
 *
 * Format cases come in pairs with the same event type, the number of the case:
 * evl_printf() of a call, then, as binary data, what vsnprintf() makes of it. Or they
 * are printed: once as they are, once by %pV.
 */
#define pr_fmt(fmt) "test_evlog: " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/evlog.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kerror.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#ifdef CONFIG_TEST_EVLOG_EXTENSIONS
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/netdev_features.h>
#include <linux/rtc.h>
#include <linux/socket.h>
#include <linux/time.h>
#include <linux/uuid.h>
#endif
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#include <linux/ftrace.h>
#endif
#ifdef CONFIG_X86
#include <asm/io.h>
#include <asm/nmi.h>
#endif

#define FACILITY	"test_evlog"
#define TEXT_SIZE	16384

/* Events that were asked for, and those of them that were refused. */
static atomic_long_t raised, refused;
static char text[TEXT_SIZE];	/* under test_mutex */
static DEFINE_MUTEX(test_mutex);

static int count(int err)
{
	atomic_long_inc(&raised);
	if (err)
		atomic_long_inc(&refused);
	return err;
}

/* Cases are printed. Under test_mutex. */
static bool printing;

static __printf(1, 2)
void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
	count(0);
}

/* Prints a case in both ways. The log has "case NUMBER: " before the text. */
static __printf(2, 3)
void print_case(int number, const char *fmt, ...)
{
	static char format[1024];	/* another text at one address each time */
	struct va_format inner = { .fmt = fmt };
	va_list args;

	snprintf(format, sizeof(format), KERN_INFO "case %d: %s\n", number, fmt);
	va_start(args, fmt);
	vprintk(format, args);
	va_end(args);
	count(0);
	va_start(args, fmt);
	inner.va = &args;
	print(KERN_INFO "case %d: %pV\n", number, &inner);
	va_end(args);
}

/* Raises both events of a case, or prints it. */
#define CASE(number, fmt, ...)						\
do {									\
	int length, case_number = (number);				\
									\
	if (printing) {							\
		print_case(case_number, fmt, ##__VA_ARGS__);		\
		break;							\
	}								\
	count(evl_printf(FACILITY, case_number, LOG_INFO, fmt,		\
			 ##__VA_ARGS__));				\
	length = scnprintf(text, sizeof(text), fmt, ##__VA_ARGS__);	\
	count(evl_write(FACILITY, case_number, LOG_INFO, text, length,	\
			EVL_FORMAT_BINARY));				\
} while (0)

/* Whether vsnprintf() is that of today; see the option's help. */
#define TODAY	IS_ENABLED(CONFIG_TEST_EVLOG_EXTENSIONS)

static int cases_of_integers(int n)
{
	static const int values[] = { 0, 1, -1, 42, INT_MAX, INT_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		int v = values[i];
		long l = v * 65537L;
		long long ll = v * 4294967297LL;

		CASE(++n, "%d %i %u", v, v, v);
		CASE(++n, "%o %x %X", v, v, v);
		if (v || TODAY)
			CASE(++n, "%#o %#x %#X", v, v, v);
		CASE(++n, "[%8d] [%-8d] [%08d] [%-08d]", v, v, v, v);
		CASE(++n, "[%+d] [% d] [%+ d] [%+u] [% x]", v, v, v, v, v);
		CASE(++n, "[%.5d] [%8.5d] [%-8.5d] [%08.5d]", v, v, v, v);
		CASE(++n, "[%#10x] [%#010x] [%-#10x] [%#.6x]", v, v, v, v);
		if (v || TODAY)
			CASE(++n, "[%.0d] [%.d] [%.0x] [%#.0o]", v, v, v, v);
		CASE(++n, "%hd %hu %hx %ho %hi", v, v, v, v, v);
		if (TODAY)
			CASE(++n, "%hhd %hhu %hhx %hhX %hhi", v, v, v, v, v);
		CASE(++n, "%ld %lu %lx %lo", l, l, l, l);
		CASE(++n, "[%20ld] [%-20lu] [%020lx]", l, l, l);
		CASE(++n, "%lld %llu %llx %llo", ll, ll, ll, ll);
		if (TODAY)
			CASE(++n, "%zd %zu %zx %td", (size_t)l, (size_t)l,
			     (size_t)l, (ptrdiff_t)l);
		CASE(++n, "[%*d] [%-*d] [%0*d]", 9, v, 9, v, 9, v);
		CASE(++n, "[%*d] [%.*d] [%*.*d]", -9, v, 4, v, 9, 4, v);
		CASE(++n, "[%.*d] [%*.*x]", -3, v, -9, -1, v);
	}
	return n;
}

static int cases_of_text(int n)
{
	static const char high[] = "gr\xc3\xbc\xc3\x9f \x80\xff\x01 end";
	static const char unterminated[4] = { 'a', 'b', 'c', 'd' };

	CASE(++n, "plain text, no conversion");
	CASE(++n, "%s", "");
	CASE(++n, "");
	CASE(++n, "%%");
	CASE(++n, "100%% of %d%%", 7);
	CASE(++n, "%5% %-5% %05%");
	CASE(++n, "%c%c%c", 'a', 0, 0xff);
	CASE(++n, "[%5c] [%-5c] [%05c] [%*c]", 'x', 'y', 'z', 4, 'w');
	CASE(++n, "%s and %s", "one", "two");
	CASE(++n, "[%10s] [%-10s] [%010s]", "abc", "abc", "abc");
	CASE(++n, "[%.2s] [%10.2s] [%-10.2s] [%.0s]", "abc", "abc", "abc",
	     "abc");
	CASE(++n, "[%.*s] [%*.*s] [%*s]", 2, "abc", 10, 2, "abc", -10, "abc");
	CASE(++n, "[%.*s]", -1, "abc");
	CASE(++n, "%.4s", unterminated);
	CASE(++n, "%s", high);
	CASE(++n, "[%20s] [%-20s] [%.7s]", high, high, high);
	CASE(++n, "\x80\xfe format with bytes over 127: %d", 1);
	CASE(++n, "%s", (char *)NULL);
	CASE(++n, "[%10s] [%-10s] [%.3s]", (char *)NULL, (char *)NULL,
	     (char *)NULL);
	CASE(++n, "%ls %hs", "long", "short");
	CASE(++n, "\ttab, \"quotes\", back\\slash, new\nline %s", "in\nside");
	CASE(++n, "%s: %d, %s %#llx %c %u%%", "mix", -5, "of", 1ULL << 40, 'c',
	     99U);
	return n;
}

#ifdef CONFIG_TEST_EVLOG_EXTENSIONS
__printf(2, 3)
static void case_of_va_format(int n, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	CASE(n, "nested: %pV, after: %d", &vaf, 7);
	va_end(args);
}

static int cases_of_pointers(int n)
{
	static const u8 bytes[16] = {
		0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0xc0, 0xa8,
		0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x01,
	};
	static struct resource resource =
		DEFINE_RES_MEM_NAMED(0xfee00000, 0x1000, "apic");
	static struct resource port = DEFINE_RES_IO(0x3f8, 8);
	static const struct sockaddr_in in4 = {
		.sin_family = AF_INET, .sin_port = cpu_to_be16(80),
		.sin_addr.s_addr = cpu_to_be32(0x7f000001),
	};
	static const struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = cpu_to_be16(80),
		.sin6_addr.s6_addr[15] = 1,
	};
	static const struct rtc_time rtc = {
		.tm_sec = 59, .tm_min = 58, .tm_hour = 23, .tm_mday = 31,
		.tm_mon = 11, .tm_year = 99,
	};
	char unchecked[] = { '%', 'p', 'x', ' ', '%', 'd', '\0' };
	phys_addr_t physical = 0x12345678;
	dma_addr_t dma = 0x9abcdef0;
	unsigned long vm_flags = VM_READ | VM_EXEC;
	gfp_t flags = GFP_KERNEL;
	netdev_features_t features = 0x1234;
	unsigned long bits[2] = { 0x5a5aUL, 0x1UL };
	unsigned long *bitmap = bits;
	time64_t time = 1234567890;
	u32 fourcc = 0x34325241;
	void *p = text;

	CASE(++n, "%s %s", (char *)ERR_PTR(-EIO), (char *)ZERO_SIZE_PTR);
	CASE(++n, "[%12s] [%.4s]", (char *)ERR_PTR(-ENOMEM),
	     (char *)ERR_PTR(-1));
	CASE(++n, "%p", p);
	CASE(++n, "[%20p] [%-20p] [%020p]", p, p, p);
	CASE(++n, "[%#p] [%.20p] [%5p] [%+p]", p, p, p, p);
	CASE(++n, "[%*p] [%-*p]", 20, p, 20, p);
	CASE(++n, "%p %p %d", NULL, ERR_PTR(-EIO), 3);
	CASE(++n, "[%10p] [%-20p]", NULL, ERR_PTR(-EIO));
	CASE(++n, "%pK", p);
	CASE(++n, unchecked, p, 5);
	CASE(++n, "%pe %pe", ERR_PTR(-EIO), ERR_PTR(-4000));
	CASE(++n, "%pe", p);
	CASE(++n, "%pS %ps", schedule, schedule);
	CASE(++n, "[%40pS] [%-40ps] %pB", schedule, schedule, schedule);
	CASE(++n, "%pSR %pSb", schedule, schedule);
	CASE(++n, "%pR %pr", &resource, &resource);
	CASE(++n, "%pR", &port);
	CASE(++n, "%pM %pm %pMF %pMR", bytes, bytes, bytes, bytes);
	CASE(++n, "%pI4 %pi4 %pI4h %pI4l", bytes + 4, bytes + 4, bytes + 4,
	     bytes + 4);
	CASE(++n, "%pI6 %pi6 %pI6c", bytes, bytes, bytes + 8);
	CASE(++n, "%pIS %pISp %piS", &in4, &in4, &in4);
	CASE(++n, "%pIS %pISpc %pISc", &in6, &in6, &in6);
	CASE(++n, "%pUb %pUB %pUl %pUL", bytes, bytes, bytes, bytes);
	CASE(++n, "%*ph", 16, bytes);
	CASE(++n, "%*phC|%*phD|%*phN", 6, bytes, 6, bytes, 6, bytes);
	CASE(++n, "%4ph %.2ph", bytes, bytes);
	CASE(++n, "%*pE %*pEa", 16, bytes, 16, bytes);
	CASE(++n, "%*pb %*pbl", 70, bitmap, 70, bitmap);
	CASE(++n, "%pa %pap %pad", &physical, &physical, &dma);
	CASE(++n, "%pGg %pGv", &flags, &vm_flags);
	CASE(++n, "%pNF", &features);
	CASE(++n, "%ptR %ptRd %ptRt", &rtc, &rtc, &rtc);
	CASE(++n, "%ptT %ptTs", &time, &time);
	CASE(++n, "%p4cc", &fourcc);
	CASE(++n, "%pI4 %pM %pUb", NULL, NULL, NULL);
	CASE(++n, "%pI6c %pR", ERR_PTR(-EIO), ERR_PTR(-EIO));
	CASE(++n, "%ph", bytes);
	CASE(++n, "%pOF %pfw", NULL, NULL);
	CASE(++n, "%s %pI4 %d %u", "around", bytes, 1, 2U);
	case_of_va_format(++n, "%d %s %#x", -1, "inner", 255);
	case_of_va_format(++n, "%pI4 %*d", bytes, 6, 42);
	return n;
}
#else
static int cases_of_pointers(int n)
{
	return n;
}
#endif

static int test_table(unsigned long a, unsigned long b)
{
	cases_of_pointers(cases_of_text(cases_of_integers(0)));
	return 0;
}

/* ------------------------------------------------------------------ */
/* Random calls. */

static unsigned int below(struct rnd_state *random, unsigned int limit)
{
	return prandom_u32_state(random) % limit;
}

#define PICK(random, list)	((list)[below(random, ARRAY_SIZE(list))])

enum value { VALUE_INT, VALUE_LONG, VALUE_LONG_LONG, VALUE_STRING,
	     VALUE_POINTER };

/* How many of them are tried: pointers come last. */
#define VALUES	(VALUE_POINTER + TODAY)

/* Appends a conversion for @value; returns how many '*' it has. */
static int random_conversion(struct rnd_state *random, char *fmt, size_t size,
			     enum value value)
{
	static const char * const extensions[] = {
		"", "", "", "", "S", "s", "B", "e", "K", "M", "m", "MR", "I4",
		"i4", "I4h", "I6", "I6c", "i6", "Ub", "UL", "hN", "hC", "E",
	};
	static const char integers[] = { 'd', 'i', 'u', 'o', 'x', 'X' };
	static const char * const int_qualifiers[] = { "", "", "h", "hh" };
	static const char * const long_qualifiers[] = { "l", "z", "t" };
	static const char * const long_long_qualifiers[] = { "ll", "L" };
	static const char flags[] = { '-', '+', ' ', '0', '#' };
	/* Of 32 bits vsnprintf() may show %tu of a negative value with 64. */
	unsigned int longs = !TODAY ? 1 : BITS_PER_LONG == 32 ? 2 : 3;
	size_t used = scnprintf(fmt, size, "%%");
	int stars = 0;

	while (below(random, 3) == 0)
		used += scnprintf(fmt + used, size - used, "%c",
				  flags[below(random, 4 + TODAY)]);
	switch (below(random, 4)) {
	case 0:
		used += scnprintf(fmt + used, size - used, "*");
		stars++;
		break;
	case 1:
		used += scnprintf(fmt + used, size - used, "%u",
				  1 + below(random, 40));
	}
	switch (below(random, 6)) {
	case 0:
		used += scnprintf(fmt + used, size - used, ".*");
		stars++;
		break;
	case 1:
		used += scnprintf(fmt + used, size - used, ".%u",
				  below(random, 30));
		break;
	case 2:
		if (TODAY)
			used += scnprintf(fmt + used, size - used, ".");
	}
	switch (value) {
	case VALUE_INT:
		if (below(random, 8) == 0)
			scnprintf(fmt + used, size - used, "c");
		else
			scnprintf(fmt + used, size - used, "%s%c",
				  int_qualifiers[below(random, 3 + TODAY)],
				  PICK(random, integers));
		break;
	case VALUE_LONG:
		scnprintf(fmt + used, size - used, "%s%c",
			  long_qualifiers[below(random, longs)],
			  PICK(random, integers));
		break;
	case VALUE_LONG_LONG:
		scnprintf(fmt + used, size - used, "%s%c",
			  PICK(random, long_long_qualifiers),
			  PICK(random, integers));
		break;
	case VALUE_STRING:
		scnprintf(fmt + used, size - used, "s");
		break;
	default:
		/* No letter may follow by chance, but one of Latin-1. */
		scnprintf(fmt + used, size - used, "p%s%s",
			  PICK(random, extensions),
			  below(random, 4) ? "." : "\xe9");
	}
	return stars;
}

/* Appends text with every byte but NUL, and '%' only doubled. */
static void random_text(struct rnd_state *random, char *to, unsigned int most)
{
	unsigned int length = below(random, most);

	while (length--) {
		*to = 1 + below(random, 255);
		if (*to++ == '%')
			*to++ = '%';
	}
	/* One newline at the end of a format would be dropped. */
	*to++ = '.';
	*to = '\0';
}

static u64 random_number(struct rnd_state *random)
{
	u64 number = (u64)prandom_u32_state(random) << 32 |
		     prandom_u32_state(random);

	return number >> below(random, 64);
}

static const void *random_pointer(struct rnd_state *random, const void *valid)
{
	switch (below(random, 8)) {
	case 0:
		return NULL;
	case 1:
		if (TODAY)
			return ERR_PTR(-(long)below(random, MAX_ERRNO) - 1);
		fallthrough;
	default:
		return valid;
	}
}

#define CASE_WITH_STARS(number, stars, fmt, a, b, value)		\
do {									\
	if ((stars) == 2)						\
		CASE(number, fmt, a, b, value);				\
	else if ((stars) == 1)						\
		CASE(number, fmt, a, value);				\
	else								\
		CASE(number, fmt, value);				\
} while (0)

/* One conversion with its '*'s, with text around it. */
static void random_case(struct rnd_state *random, int n)
{
	char fmt[256], string[128];
	const void *pointer;
	enum value value = below(random, VALUES);
	int a = (int)below(random, 100) - 40, b = (int)below(random, 50) - 10;
	u64 number = random_number(random);
	size_t used;
	int stars;

	random_text(random, fmt, 20);
	used = strlen(fmt);
	stars = random_conversion(random, fmt + used, sizeof(fmt) - used,
				  value);
	strcat(fmt, ".");
	random_text(random, fmt + strlen(fmt), 20);
	if (below(random, 2))
		number = -number;
	switch (value) {
	case VALUE_INT:
		CASE_WITH_STARS(n, stars, fmt, a, b, (int)number);
		break;
	case VALUE_LONG:
		CASE_WITH_STARS(n, stars, fmt, a, b, (long)number);
		break;
	case VALUE_LONG_LONG:
		CASE_WITH_STARS(n, stars, fmt, a, b, (long long)number);
		break;
	case VALUE_STRING:
		random_text(random, string, 60);
		pointer = random_pointer(random, string);
		CASE_WITH_STARS(n, stars, fmt, a, b, (const char *)pointer);
		break;
	default:
		/* Any extension may read this much. */
		prandom_bytes_state(random, string, sizeof(string));
		pointer = random_pointer(random, string);
		CASE_WITH_STARS(n, stars, fmt, a, b, pointer);
	}
}

/* Five conversions of all kinds, without '*'. */
static void random_mixed_case(struct rnd_state *random, int n)
{
	static const enum value values[] = {
		VALUE_INT, VALUE_STRING, VALUE_LONG_LONG, VALUE_LONG,
		VALUE_POINTER,
	};
	char fmt[512] = "", string[128];
	const void *text_value, *pointer;
	u64 number = random_number(random);
	unsigned int i;
	size_t used;

	for (i = 0; i < VALUES; i++) {
		random_text(random, fmt + strlen(fmt), 10);
		used = strlen(fmt);
		while (random_conversion(random, fmt + used,
					 sizeof(fmt) - used, values[i]))
			;
		strcat(fmt, ".");
	}
	random_text(random, string, 60);
	text_value = random_pointer(random, string);
	pointer = random_pointer(random, string);
	CASE(n, fmt, (int)number, text_value, (long long)number, (long)number,
	     pointer);
}

/* Raises what evl_printf() takes, then what vsnprintf() makes of it. */
static __printf(2, 3)
int garbage_case(int number, const char *fmt, ...)
{
	va_list list;
	int err, size;

	va_start(list, fmt);
	err = count(evl_vprintf(FACILITY, number, LOG_INFO, fmt, list));
	va_end(list);
	if (err)
		return err == -EINVAL ? 0 : err;
	va_start(list, fmt);
	size = vsnprintf(text, TEXT_SIZE, fmt, list);
	va_end(list);
	return count(evl_write(FACILITY, number, LOG_INFO, text, size,
			       EVL_FORMAT_BINARY));
}

/*
 * Formats of random characters. evl_printf() must take those that vsnprintf() takes,
 * which warns of all others. None of them reads memory, or has '*'.
 */
static int test_garbage(unsigned long seed, unsigned long cases)
{
	static const char letters[] = "%%%%%-+ #0.128hlLztdiuoxXcaqn&\x80";
	struct rnd_state random;
	unsigned int at, digits;
	unsigned long i, w[4];
	char fmt[25];
	int err;

	if (!TODAY)
		return -EOPNOTSUPP;
	prandom_seed_state(&random, seed);
	for (i = 1; i <= cases; i++) {
		for (at = 0; at < ARRAY_SIZE(w); at++)
			w[at] = random_number(&random);
		digits = 0;
		for (at = 0; at < sizeof(fmt) - 1; at++) {
			fmt[at] = letters[below(&random, sizeof(letters) - 1)];
			/* Not on 32 bits, as in random_conversion(). */
			if (BITS_PER_LONG == 32 && fmt[at] == 't')
				fmt[at] = 'z';
			digits = isdigit(fmt[at]) ? digits + 1 : 0;
			/* No text may be longer than an event. */
			if (digits > 2)
				fmt[at] = 'd';
		}
		fmt[below(&random, sizeof(fmt))] = '\0';
		fmt[sizeof(fmt) - 1] = '\0';
		/* A dozen conversions, of two words each on 32 bits */
		err = garbage_case(i, fmt, w[0], w[1], w[2], w[3], w[0], w[1],
				   w[2], w[3], w[0], w[1], w[2], w[3], w[0],
				   w[1], w[2], w[3], w[0], w[1], w[2], w[3],
				   w[0], w[1], w[2], w[3]);
		if (err)
			return err;
	}
	return 0;
}

/* Each seed makes its own sequence of cases. */
static int test_random(unsigned long seed, unsigned long cases)
{
	struct rnd_state random;
	unsigned long i;

	prandom_seed_state(&random, seed);
	for (i = 1; i <= cases; i++) {
		if (below(&random, 4))
			random_case(&random, i);
		else
			random_mixed_case(&random, i);
	}
	return 0;
}

static int test_print_table(unsigned long a, unsigned long b)
{
	printing = true;
	test_table(0, 0);
	printing = false;
	return 0;
}

static int test_print_random(unsigned long seed, unsigned long cases)
{
	printing = true;
	test_random(seed, cases);
	printing = false;
	return 0;
}

#ifdef CONFIG_KPROBES
static noinline void test_probed(void)
{
	barrier();
}

static int test_probe_handler(struct kprobe *probe, struct pt_regs *regs)
{
	pr_info("printed by a probe\n");
	return 0;
}

/* Messages that a kprobe on printk() cannot see: another one is handled. */
static int test_probe(unsigned long messages, unsigned long b)
{
	struct kprobe probe = {
		.addr = (kprobe_opcode_t *)test_probed,
		.pre_handler = test_probe_handler,
	};
	int err = register_kprobe(&probe);

	if (err)
		return err;
	while (messages--)
		test_probed();
	unregister_kprobe(&probe);
	return 0;
}
#else
static int test_probe(unsigned long messages, unsigned long b)
{
	return -EOPNOTSUPP;
}
#endif

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
static void notrace test_nested(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	pr_info("message in the midst of an event\n");
}

static struct ftrace_ops test_nested_ops = { .func = test_nested };

/* A probe on what makes events of messages prints, whenever it is called. */
static int test_nest(unsigned long messages, unsigned long b)
{
	int err = ftrace_set_filter(&test_nested_ops, "evl_message",
				    strlen("evl_message"), 1) ?:
		  register_ftrace_function(&test_nested_ops);

	if (err)
		return err;
	while (messages--)
		pr_info("message with a probe\n");
	return unregister_ftrace_function(&test_nested_ops);
}
#else
static int test_nest(unsigned long messages, unsigned long b)
{
	return -EOPNOTSUPP;
}
#endif

/* ------------------------------------------------------------------ */
/* Other events. */

static int test_burst(unsigned long events, unsigned long b)
{
	unsigned long i;

	for (i = 0; i < events; i++) {
		count(evl_printf(FACILITY, 1, LOG_INFO, "burst %lu of %lu", i,
				 events));
		cond_resched();
	}
	return 0;
}

/* Nothing else runs on this CPU meanwhile but interrupts, unless they are @off, too. */
static int test_at_once(unsigned long events, unsigned long off)
{
	unsigned long flags, i;

	preempt_disable();
	local_irq_save(flags);
	if (!off)
		local_irq_restore(flags);
	for (i = 0; i < events; i++)
		count(evl_printf(FACILITY, 17, LOG_ERR, "error %lu of %lu in %s",
				 i, events, current->comm));
	if (off)
		local_irq_restore(flags);
	preempt_enable();
	return 0;
}

/* The next message of anything ends the line. */
static int test_open(unsigned long message, unsigned long b)
{
	printk(KERN_INFO FACILITY ": message %lu is open", message);
	return 0;
}

static DECLARE_COMPLETION(thread_done);
static struct task_struct *threads[NR_CPUS];	/* under test_mutex */

/* Starts @function on each CPU; the last error, or 0. */
static int start_threads(int (*function)(void *data), void *data)
{
	int cpu, err = 0;

	for_each_online_cpu(cpu) {
		threads[cpu] = kthread_create_on_cpu(function, data, cpu,
						     "test_evlog/%u");
		if (IS_ERR(threads[cpu])) {
			err = PTR_ERR(threads[cpu]);
			continue;
		}
		wake_up_process(threads[cpu]);
	}
	return err;
}

/* How each function of start_threads() ends */
static int end_thread(void)
{
	complete(&thread_done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Returns when all have ended. */
static void stop_threads(void)
{
	int cpu;

	/* A thread that is stopped before it has begun does nothing. */
	for_each_online_cpu(cpu)
		if (!IS_ERR(threads[cpu]))
			wait_for_completion(&thread_done);
	for_each_online_cpu(cpu)
		if (!IS_ERR(threads[cpu]))
			kthread_stop(threads[cpu]);
}

static int burst_thread(void *events)
{
	unsigned long flags, i;

	for (i = 0; i < (unsigned long)events; i++) {
		local_irq_save(flags);
		count(evl_printf(FACILITY, 2, LOG_INFO, "cpu %u event %lu",
				 smp_processor_id(), i));
		local_irq_restore(flags);
		cond_resched();
	}
	return end_thread();
}

/* From all CPUs at once, with interrupts off. */
static int test_all_cpus(unsigned long events, unsigned long b)
{
	int err = start_threads(burst_thread, (void *)events);

	stop_threads();
	return err;
}

/* Messages that each CPU has printed so far */
static unsigned long flood_printed[NR_CPUS];

static unsigned long flood_progress(void)
{
	unsigned long progress = 0;
	int cpu;

	for_each_online_cpu(cpu)
		progress += READ_ONCE(flood_printed[cpu]);
	return progress;
}

static int flood_thread(void *messages)
{
	int cpu = raw_smp_processor_id();
	unsigned long i;

	for (i = 1; i <= (unsigned long)messages; i++) {
		pr_info("message %lu of CPU %d\n", i, cpu);
		WRITE_ONCE(flood_printed[cpu], i);
		cond_resched();
	}
	return end_thread();
}

/*
 * Errors that are raised while all CPUs print as fast as they can: one each time
 * that another part of the messages is printed.
 */
static int test_flood(unsigned long messages, unsigned long events)
{
	unsigned long of_each = messages / num_online_cpus(), i;
	unsigned long all = of_each * num_online_cpus();
	int err;

	memset(flood_printed, 0, sizeof(flood_printed));
	err = start_threads(flood_thread, (void *)of_each);
	for (i = 0; !err && i < events; i++) {
		/*
		 * One per tick at most. A scheduler may keep this task from
		 * running for long: it would raise all that is due at once,
		 * and that is more than a ring holds.
		 */
		do {
			schedule_timeout_interruptible(1);
		} while (flood_progress() < all / events * i);
		count(evl_printf(FACILITY, 15, LOG_ERR, "error %lu of %lu", i,
				 events));
	}
	stop_threads();
	return err;
}

static atomic_t interrupts_left;
static DECLARE_COMPLETION(interrupts_done);

static void test_interrupt(struct irq_work *work)
{
	count(evl_printf(FACILITY, 3, LOG_ERR, "interrupt %d",
			 atomic_read(&interrupts_left)));
	if (atomic_dec_and_test(&interrupts_left))
		complete(&interrupts_done);
}

/* On PREEMPT_RT, others run in a thread. */
static struct irq_work test_irq_work = IRQ_WORK_INIT_HARD(test_interrupt);

/* Hard interrupts, while the caller's process may do what it likes. */
static int test_hardirq(unsigned long events, unsigned long b)
{
	unsigned long i;

	reinit_completion(&interrupts_done);
	atomic_set(&interrupts_left, events);
	for (i = 0; i < events; i++) {
		irq_work_queue(&test_irq_work);
		irq_work_sync(&test_irq_work);
		cond_resched();
	}
	wait_for_completion(&interrupts_done);
	return 0;
}

static DECLARE_COMPLETION(softirq_done);

static void test_softirq(struct timer_list *timer)
{
	count(evl_printf(FACILITY, 4, LOG_ERR, "softirq"));
	complete(&softirq_done);
}

static DEFINE_TIMER(test_timer, test_softirq);

static int test_contexts(unsigned long a, unsigned long b)
{
	count(evl_printf(FACILITY, 5, LOG_ERR, "process"));
	reinit_completion(&softirq_done);
	mod_timer(&test_timer, jiffies + 1);
	wait_for_completion(&softirq_done);
	return test_hardirq(1, 0);
}

static const void *pattern(unsigned long size)
{
	unsigned long i;

	for (i = 0; i < min_t(unsigned long, size, sizeof(text)); i++)
		text[i] = i * 7 + 1;
	return text;
}

static int test_raw(unsigned long size, unsigned long groups)
{
	/* Longer data is refused before it is read. */
	return count(kernel_error_event(pattern(size), size, groups));
}

static int test_iov(unsigned long size, unsigned long groups)
{
	const char *data = pattern(size);
	struct iovec iov[4] = {
		{ (void __force __user *)data, 1 },
		{ NULL, 0 },
		{ (void __force __user *)(data + 1), size - 1 },
		{ (void __force __user *)data, 0 },
	};

	return count(kernel_error_event_iov(iov, 4, groups));
}

/* Pieces whose lengths add up to a small number if the sum wraps. */
static int test_wrapping_iov(unsigned long a, unsigned long b)
{
	struct iovec iov[2] = {
		{ (void __force __user *)text, ~0UL },
		{ (void __force __user *)text, 17 },
	};

	return count(kernel_error_event_iov(iov, 2, KERROR_GROUP_RAW));
}

static int test_write(unsigned long size, unsigned long format)
{
	return count(evl_write(FACILITY, 6, LOG_ERR, pattern(size), size,
			       format));
}

static int test_severity(unsigned long severity, unsigned long b)
{
	return count(evl_printf(FACILITY, 7, severity, "severity"));
}

/* A facility of @length letters. */
static int test_facility_name(unsigned long length, unsigned long b)
{
	char name[128] = "";

	memset(name, 'f', min_t(unsigned long, length, sizeof(name) - 1));
	return count(evl_printf(name, 8, LOG_ERR, "facility"));
}

static int test_refused_format(unsigned long which, unsigned long b)
{
	static const char * const formats[] = {
		"%n", "%d %n", "%y", "%", "%l", "%*%", "%8388608d", "%.32768d",
	};
	int value;

	if (which >= ARRAY_SIZE(formats))
		return -ERANGE;
	return count(evl_printf(FACILITY, 9, LOG_ERR, formats[which], &value,
				&value));
}

/* The parameter "address" tells which one. */
static int test_pointer(unsigned long a, unsigned long b)
{
	return count(evl_printf(FACILITY, 10, LOG_ERR,
				"%p %pK %s %d", text, text, "s", 1));
}

static int test_long(unsigned long size, unsigned long b)
{
	memset(text, 'x', sizeof(text) - 1);
	text[min_t(unsigned long, size, sizeof(text) - 1)] = '\0';
	return count(evl_printf(FACILITY, 11, LOG_ERR, "%d %s %d", 1, text,
				2));
}

static int test_limited(unsigned long events, unsigned long b)
{
	unsigned long i;

	for (i = 0; i < events; i++)
		count(evl_err_ratelimited("limited %lu", i));
	return 0;
}

/* Nanoseconds of a call: instructions, where QEMU counts those. */
static unsigned long cost;

/* Without what is done later for an event. The pause lets a turn be delivered. */
static int test_cost(unsigned long turns, unsigned long calls)
{
	unsigned long flags, best = ULONG_MAX, i;
	u64 begin;

	while (turns--) {
		local_irq_save(flags);
		begin = ktime_get_mono_fast_ns();
		for (i = 0; i < calls; i++)
			count(evl_printf(FACILITY, 16, LOG_INFO,
					 "call %lu of %#lx in %s", i, calls,
					 current->comm));
		best = min(best, (unsigned long)(ktime_get_mono_fast_ns() - begin));
		local_irq_restore(flags);
		schedule_timeout_uninterruptible(2);
	}
	cost = best / max(calls, 1UL);
	return 0;
}

/* A call that walks its arguments twice if it is printed, too. */
static int test_two_walks(unsigned long a, unsigned long b)
{
	return count(evl_printf(FACILITY, 12, LOG_ERR,
				"walk %d %s %llu %c %*d %s %ld", 1, "two",
				3333333333333ULL, '4', 5, 5, "six", -7L));
}

static atomic_t nmi_wanted;

/* Whether the handler could be registered. */
static bool nmi_handled;

/* Whether the next NMI ends the kernel. */
static bool nmi_panics;

/* Events that the worker cannot have delivered from this CPU. */
static void last_words(unsigned long events)
{
	unsigned long i;

	local_irq_disable();
	for (i = 0; i < events; i++)
		count(evl_printf(FACILITY, 14, LOG_INFO, "last words %lu", i));
	count(kernel_error_event("raw words", 9, KERROR_GROUP_RAW));
}

static unsigned long panic_words;

static void end_kernel(void)
{
	/* As in an interrupt: else Linux 2.6.0 writes its disks first. */
	local_bh_disable();
	last_words(panic_words);
	panic("test_evlog: asked for");
}

static void end_in_interrupt(struct irq_work *work)
{
	end_kernel();
}

static struct irq_work end_irq_work = IRQ_WORK_INIT_HARD(end_in_interrupt);

static void end_in_softirq(struct timer_list *timer)
{
	end_kernel();
}

static DEFINE_TIMER(end_timer, end_in_softirq);

#ifdef CONFIG_X86
/* QEMU's ib700 resets the machine this long after a write to its port. */
#define WATCHDOG_PORT		0x443
#define WATCHDOG_2_SECONDS	0xe

/* Hangs with interrupts off, until the watchdog resets the machine. */
static void end_by_watchdog(void)
{
	local_irq_disable();
	outb(WATCHDOG_2_SECONDS, WATCHDOG_PORT);
	for (;;)
		cpu_relax();
}

/* Without handlers, the third fault resets the machine. */
static void end_by_triple_fault(void)
{
	static const u8 no_handlers[10];

	asm volatile("lidt %0; int3" : : "m" (no_handlers));
}
#else
static void end_by_watchdog(void) { }
static void end_by_triple_fault(void) { }
#endif

/* Where the kernel is to end; the last two without a panic */
enum { PROCESS, HARDIRQ, SOFTIRQ, NMI, WATCHDOG, TRIPLE_FAULT };

static int test_panic(unsigned long events, unsigned long where)
{
	panic_words = events;
	if (where == HARDIRQ)
		irq_work_queue(&end_irq_work);
	else if (where == SOFTIRQ)
		mod_timer(&end_timer, jiffies + 1);
	else if (where == NMI && nmi_handled)
		WRITE_ONCE(nmi_panics, true);
	else if (where == WATCHDOG)
		end_by_watchdog();
	else if (where == TRIPLE_FAULT)
		end_by_triple_fault();
	else
		end_kernel();
	return 0;
}

/* Ends the task, not the kernel. */
static int test_oops(unsigned long events, unsigned long b)
{
	last_words(events);
	WRITE_ONCE(*(int *)NULL, 0);
	return 0;
}

#ifdef CONFIG_X86
/* Runs in each NMI; the program asks for one by way of SysRq. */
static int test_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	if (atomic_dec_if_positive(&nmi_wanted) >= 0)
		count(evl_printf(FACILITY, 13, LOG_ERR, "nmi on cpu %d",
				 raw_smp_processor_id()));
	if (READ_ONCE(nmi_panics))
		end_kernel();
	return NMI_DONE;
}
#endif

static int test_nmi(unsigned long events, unsigned long b)
{
	if (!nmi_handled)
		return -EOPNOTSUPP;
	atomic_set(&nmi_wanted, events);
	return 0;
}

static const struct test_command {
	const char *name;
	int (*run)(unsigned long a, unsigned long b);
} test_commands[] = {
	{ "table", test_table },
	{ "random", test_random },		/* seed, cases */
	{ "print-table", test_print_table },
	{ "print-random", test_print_random },	/* seed, cases */
	{ "probe", test_probe },		/* messages */
	{ "nest", test_nest },			/* messages */
	{ "garbage", test_garbage },		/* seed, cases */
	{ "burst", test_burst },		/* events */
	{ "at-once", test_at_once },		/* events, with interrupts off */
	{ "all-cpus", test_all_cpus },		/* events of each */
	{ "flood", test_flood },		/* messages, events */
	{ "open", test_open },			/* which message */
	{ "hardirq", test_hardirq },		/* events */
	{ "contexts", test_contexts },
	{ "nmi", test_nmi },			/* events, in the next NMIs */
	{ "raw", test_raw },			/* bytes, groups */
	{ "iov", test_iov },			/* bytes, groups */
	{ "wrapping-iov", test_wrapping_iov },
	{ "write", test_write },		/* bytes, format */
	{ "severity", test_severity },		/* severity */
	{ "facility", test_facility_name },		/* letters */
	{ "refused-format", test_refused_format },	/* which */
	{ "pointer", test_pointer },
	{ "long", test_long },			/* bytes of the %s */
	{ "limited", test_limited },		/* calls */
	{ "cost", test_cost },			/* turns, calls */
	{ "two-walks", test_two_walks },
	{ "panic", test_panic },		/* events, where */
	{ "oops", test_oops },			/* events */
};

static ssize_t test_write_command(struct file *file, const char __user *buffer,
				  size_t size, loff_t *at)
{
	unsigned long a = 0, b = 0;
	char command[64], name[32];
	int err = -EOPNOTSUPP;
	unsigned int i;

	if (size >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buffer, size))
		return -EFAULT;
	command[size] = '\0';
	if (sscanf(command, "%31s %lu %lu", name, &a, &b) < 1)
		return -EINVAL;
	mutex_lock(&test_mutex);
	for (i = 0; i < ARRAY_SIZE(test_commands); i++) {
		if (!strcmp(name, test_commands[i].name)) {
			err = test_commands[i].run(a, b);
			break;
		}
	}
	mutex_unlock(&test_mutex);
	return err ? err : (ssize_t)size;
}

static ssize_t test_read_counters(struct file *file, char __user *buffer,
				  size_t size, loff_t *at)
{
	char line[128];
	size_t length;

	if (*at)
		return 0;
	/* The address is what the command "pointer" prints with %p. */
	length = scnprintf(line, sizeof(line),
			   "raised %ld\nrefused %ld\naddress %lx\ncost %lu\n",
			   (long)atomic_long_read(&raised),
			   (long)atomic_long_read(&refused),
			   (unsigned long)text, cost);
	if (size < length)
		return -EINVAL;
	if (copy_to_user(buffer, line, length))
		return -EFAULT;
	*at = length;
	return length;
}

static const struct file_operations test_operations = {
	.owner = THIS_MODULE,
	.read = test_read_counters,
	.write = test_write_command,
};

static struct miscdevice test_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = FACILITY,
	.fops = (void *)&test_operations,
};

static int __init test_init(void)
{
	int err = misc_register(&test_device);

	if (err)
		return err;
#ifdef CONFIG_X86
	nmi_handled = !register_nmi_handler(NMI_LOCAL, test_nmi_handler, 0,
					    FACILITY);
#endif
	return 0;
}

static void __exit test_exit(void)
{
#ifdef CONFIG_X86
	if (nmi_handled)
		unregister_nmi_handler(NMI_LOCAL, FACILITY);
#endif
	timer_delete_sync(&test_timer);
	irq_work_sync(&test_irq_work);
	misc_deregister(&test_device);
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("Raises test events");
MODULE_LICENSE("GPL");
