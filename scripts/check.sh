#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs all tests: check.sh [KERNEL_TREE [ARCH]|--arches]. Each check prints "ok" or "not
# ok", with its output in build/check/; the last line is "N passed, N failed". With
# KERNEL_TREE, only what runs on that kernel; with --arches, what runs on 6.12 for
# another byte order, for 32 bits, and for 32-bit programs on 64 bits.
. "$(dirname "$0")/common.sh"

tree=${1:-}
logs=$BUILD/check
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0

# check NAME COMMAND...: counts as one; what it prints goes to a file.
check() {
	title=$1
	shift
	log=$logs/$(echo "$title" | tr -c 'a-zA-Z0-9._\n' -)
	begin=$(date +%s)
	if "$@" > "$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $title ($(($(date +%s) - begin)) s)"
	else
		failed=$((failed + 1))
		echo "not ok - $title: $log"
		tail -15 "$log" | sed 's/^/    /'
	fi
}

# count LOG: takes over the results of tests within a check, from TAP lines.
count() {
	good=$(grep -aE '^ *ok [0-9]' "$1" | grep -vc '# SKIP' || true)
	skipped=$(grep -acE '^ *ok [0-9].*# SKIP' "$1" || true)
	[ "$skipped" = 0 ] || echo "# $skipped skipped, with the reason, in $1"
	bad=$(grep -acE '^ *not ok [0-9]' "$1" || true)
	passed=$((passed + good))
	failed=$((failed + bad))
}

finish() {
	echo
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

# ---- on the running kernels ----

# guest_checks NAME ARCH: the selftests, and two readers of the same events.
guest_checks() {
	name=$1 arch=$2 suffix=
	[ "$arch" = x86_64 ] || suffix=-$arch
	step "Linux $name, $arch with 2 CPUs in QEMU" 2>&1
	check "$name$suffix: selftests in the guest" "$TOP/scripts/guest.sh" "$name" check "$arch"
	grep -aE '^(not ok|# Linux version|# .*kerror_test.c.*(equal|raised|refused|after|answered|events from))' \
		"$BUILD/$name/check$suffix.log" || true
	count "$BUILD/$name/check$suffix.log"
	if ! grep -qs '^CONFIG_TEST_EVLOG_STRESS=m' "$BUILD/$name/$arch/.config"; then
		echo "# stress, skipped: its driver wants tracepoints, hrtimers and NMIs as on x86 in 4.18"
	else
		check "$name$suffix: stress, short" env APPEND="events=200000 forward=8" \
			"$TOP/scripts/guest.sh" "$name" stress "$arch"
		count "$BUILD/$name/stress$suffix.log"
	fi
	check "$name$suffix: a flood or a hang costs others nothing" costs_others_nothing
	grep -aE '^# (flood|hang)_test.c' "$BUILD/$name/isolation$suffix.log" || true
	count "$BUILD/$name/isolation$suffix.log"
	check "$name$suffix: events captured" "$TOP/scripts/guest.sh" "$name" capture "$arch"
	check "$name$suffix: an independent reader decodes the same" same_by_two_readers
	check "$name$suffix: the demo's events, as on any kernel" demo_shows_all
	check "$name$suffix: messages of a boot and their events" messages_are_events
	grep -a 'lines of the log' "$logs/$name$suffix--messages-of-a-boot-and-their-events" || true
	check "$name$suffix: a panic prints the events that wait" panic_prints_what_waits
	check "$name$suffix: an oops does not keep the events that wait" oops_delivers_what_waits
}

# With memory of the default sizes.
costs_others_nothing() {
	SIZES= "$TOP/scripts/guest.sh" "$name" isolation "$arch"
}

# This guest must not end with its token.
panic_prints_what_waits() {
	"$TOP/scripts/guest.sh" "$name" panic "$arch" && return 1
	for what in 'test_evlog: last words 0$' 'test_evlog: last words 19$' \
		    'event of 9 bytes, groups 0x1' 'kerror: .*72 61 77 20 77 6f 72 64 73' \
		    'Kernel panic.*test_evlog: asked for'; do
		grep -aq "$what" "$BUILD/$name/panic$suffix.log" || { echo "missing: $what"; return 1; }
	done
}

oops_delivers_what_waits() {
	"$TOP/scripts/guest.sh" "$name" oops "$arch" && return 1
	for what in ': last words 0 ' ': last words 19 ' ': 72 61 77 20 77 6f 72 64 73' \
		    'pointer dereference'; do
		grep -aq "$what" "$BUILD/$name/oops$suffix.log" || { echo "missing: $what"; return 1; }
	done
}

same_by_two_readers() {
	python3 "$SELFTESTS/reader.py" "$BUILD/$name/capture$suffix.log" \
		> "$BUILD/$name/reader$suffix.json" &&
	python3 "$TOP/scripts/compare-readers.py" "$BUILD/$name/capture$suffix.log" \
		"$BUILD/$name/reader$suffix.json"
}

# What the kernel prints arrives as events, too.
messages_are_events() {
	APPEND=evlog.printk=8 TIMEOUT=300 "$TOP/scripts/guest.sh" "$name" boot "$arch" &&
	python3 "$TOP/scripts/compare-boot.py" "$BUILD/$name/boot$suffix.log"
}

# What kerrord prints for the sample driver is the same on each kernel. But before
# 2.6.10 the driver raises at a rate, so that the number of events is not known.
demo_shows_all() {
	demo=$BUILD/$name/demo$suffix.log
	TIMEOUT=120 "$TOP/scripts/guest.sh" "$name" demo "$arch" || return 1
	python3 "$TOP/scripts/sample-events.py" "$demo" "$BUILD/$name/capture$suffix.log" \
		> "$BUILD/$name/sample-events$suffix.txt" || return 1
	if grep -aq 'it raises at a rate' "$demo"; then
		grep -aq ' events received, 0 lost' "$demo" || return 1
		# The driver's own thread raises them, not a shell; which round the
		# timer and the interrupt see is a matter of chance.
		grep -ve ' queue' -e ' reset' "$TOP/scripts/sample-events.txt" |
			sed 's/comm=sh /comm=evlog_sample /; s/"comm": "sh"/"comm": "evlog_sample"/' |
			sort -u |
			while read -r line; do
				grep -qxF -- "$line" "$BUILD/$name/sample-events$suffix.txt" ||
					{ echo "missing: $line"; exit 1; }
			done
	else
		grep -aq '21 events received, 0 lost' "$demo" &&
		diff "$TOP/scripts/sample-events.txt" "$BUILD/$name/sample-events$suffix.txt"
	fi
}

# The unit tests in the kernel, twice: as usual, and without the socket.
kunit() {
	for parameter in "" kerror.test_no_socket=1; do
		timeout 120 "$BUILD/$1/um/linux" mem=256M con=null \
			con0=fd:0,fd:1 panic=-1 kunit.enable=1 $parameter < /dev/null |
			tee "$BUILD/$1/kunit${parameter:+-no-socket}.log"
	done
	for log in "$BUILD/$1/kunit.log" "$BUILD/$1/kunit-no-socket.log"; do
		grep -aqE '^ok [0-9]+ kerror' "$log" &&
		grep -aqE '^ok [0-9]+ evlog$' "$log" &&
		grep -aqE '^ok [0-9]+ evlog_printk$' "$log" || return 1
		grep -aE 'BUG:|WARNING:|not ok' "$log" && return 1
	done
	return 0
}

# ---- on the sources ----

series_is_current() {
	"$TOP/scripts/series.sh" "$1" "$logs/series-$1" &&
	diff -r "$logs/series-$1" "$TOP/patches/$1"
}

# Each patch by itself, on the lines that it needs.
series_is_well_formed() {
	work=$(mktemp -d)
	cp -r "$BUILD/$1/pristine/." "$work" && (cd "$work" && while read -r patch; do
		patch -p1 -F0 --no-backup-if-mismatch < "$TOP/patches/$1/$patch" || exit 1
	 done < "$TOP/patches/$1/series") && rm -rf "$work"
}

# They are for other kernels: only what the compiler's parser says.
compat_headers_parse() {
	(cd "$TOP/compat" && for file in include/kerror_compat.h include/*/*.h *.c; do
		cpp -fpreprocessed -dD "$file" > /dev/null || exit 1
		[ "$(grep -cE '^[ 	]*#[ 	]*if' "$file")" = "$(grep -cE '^[ 	]*#[ 	]*endif' "$file")" ] ||
			{ echo "$file: #if without #endif"; exit 1; }
	 done)
}

# As a maintainer would apply it, on the files that it touches as they were.
series_applies() {
	work=$(mktemp -d)
	(cd "$work" && git init -q && cp -rp "$BUILD/$1/pristine/." . &&
	 git add -A && git -c user.name=x -c user.email=x@x commit -qm base &&
	 git -c user.name=x -c user.email=x@x am "$TOP/patches/$1"/*.patch &&
	 git status --short && cd .. && rm -rf "$work")
}

# quilt needs no more than the file "series".
series_applies_with_quilt() {
	work=$(mktemp -d)
	(cd "$work" && cp -rp "$BUILD/$1/pristine/." . && cp -r "$TOP/patches/$1" patches &&
	 quilt push -a --fuzz=0 && cd .. && rm -rf "$work")
}

# What is let pass in programs, as long as it stands in them
programs=,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE,MULTIPLE_ASSIGNMENTS,BIT_MACRO,COMPARISON_TO_NULL
programs=$programs,ASSIGN_IN_IF,EMBEDDED_FUNCTION_NAME,REPEATED_WORD,STRING_FRAGMENTS,STRCPY
programs=$programs,SUSPECT_COMMA_SEMICOLON,LINE_SPACING

checkpatch() {
	# The newest rules for all. Not of use here: that new files want an entry
	# in MAINTAINERS at once, which the last patch adds; that ENOSYS is for
	# system calls, but it is what these stubs have returned since 2003; that
	# names of the C library have capitals; that a test of formats uses its
	# format twice; that a benchmark calls trace_printk(); that <linux/nmi.h>
	# has what only <asm/nmi.h> has; that a Makefile names one that it includes.
	# In programs, not what is good for the kernel only: its types and macros,
	# strscpy(), messages that can be grepped for, which SQL is not; one language.
	# In a test of printk(), that drivers should call something else.
	for patch in "$TOP/patches/$1"/*.patch; do
		user=
		case $patch in
		*-tools-*) user=,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,SPLIT_STRING,LONG_LINE,TYPO_SPELLING$programs ;;
		*-selftests-*) user=,PREFER_PR_LEVEL,PRINTK_WITHOUT_KERN_LEVEL,LOGGING_CONTINUATION ;;
		esac
		(cd "$BUILD/6.12/source" && perl scripts/checkpatch.pl --strict \
			--no-summary --terse --show-types --color=never --ignore \
			FILE_PATH_CHANGES,ENOSYS,CAMELCASE,MACRO_ARG_REUSE,INCLUDE_LINUX,TRACE_PRINTK,EMBEDDED_FILENAME$user \
			"$patch") || true
	done | tee "$logs/checkpatch-$1.out"
	! grep -qE 'ERROR|WARNING|CHECK' "$logs/checkpatch-$1.out"
}

KERROR="net/netlink/kerror.o net/netlink/kerror_cpu.o net/netlink/kerror_drain.o
	net/netlink/kerror_history.o net/netlink/kerror_netlink.o net/netlink/kerror_print.o
	net/netlink/kerror_worker.o"
EVLOG="kernel/evlog.o kernel/evlog_args.o kernel/evlog_callsite.o kernel/evlog_format.o
	kernel/evlog_render.o kernel/evlog_printk.o kernel/evlog_printk_cache.o
	kernel/evlog_printk_record.o kernel/evlog_printk_slow.o"
OBJECTS="$KERROR $EVLOG kernel/test_evlog.o samples/evlog/evlog_sample.o
	kernel/test_evlog_stress.o kernel/test_evlog_hang.o kernel/test_evlog_bench.o
	kernel/printk/printk.o"
kbuild() {
	kernel=$1
	shift
	make -s -C "$BUILD/$kernel/source" ARCH=x86_64 CC="ccache gcc" "$@"
}

# sparse_is_silent NAME ARCH [W=1] OBJECT...
sparse_is_silent() {
	kernel=$1 arch=$2 out=$logs/sparse-$1-$2.out
	shift 2
	kbuild "$kernel" ARCH="$arch" O="$BUILD/$kernel/$arch" C=2 CHECK="sparse" "$@" > "$out" 2>&1 ||
		{ cat "$out"; return 1; }
	# Warnings about headers that we include are not ours.
	! grep -E '(kerror|evlog)[a-z_]*\.[ch]:[0-9]+' "$out"
}

kernel_doc_is_silent() {
	(cd "$TOP" && perl "$BUILD/$1/source/scripts/kernel-doc" -Wall -none \
		include/linux/kerror.h include/linux/evlog.h \
		include/uapi/linux/kerror.h include/uapi/linux/evlog.h \
		include/linux/evlog_printk.h \
		$(for object in $KERROR $EVLOG; do echo "${object%.o}.c"; done) 2>&1) | tee "$logs/kernel-doc-$1.out"
	! grep -qiE 'warning|error:' "$logs/kernel-doc-$1.out"
}

# The callers' side with the facility configured out: it is the sample driver
# that shows that the stubs compile.
builds_without() {
	out=$BUILD/$1/without-$2
	mkdir -p "$out"
	grep -vE "^CONFIG_($2|KERROR|EVLOG|TEST_EVLOG|SAMPLE_EVLOG|UNIX|NET_NS)=" \
		"$BUILD/$1/x86_64/fragments" > "$out/fragments"
	printf 'CONFIG_%s=n\n' "$2" >> "$out/fragments"
	KCONFIG_ALLCONFIG=$out/fragments kbuild "$1" O="$out" allnoconfig &&
	! grep -qE '^CONFIG_(KERROR|EVLOG)=' "$out/.config" &&
	kbuild "$1" O="$out" kernel/ net/ samples/evlog/evlog_sample.o \
		kernel/test_evlog.o -j"$(nproc)" &&
	[ ! -e "$out/net/netlink/kerror.o" ] && [ ! -e "$out/kernel/evlog.o" ]
}

# Each patch of the series leaves a tree whose configuration and objects build.
bisectable() {
	out=$BUILD/$1/bisect-build
	step_tree=$BUILD/$1/bisect
	rm -rf "$step_tree" "$out"
	mkdir -p "$out"
	cp -al "$BUILD/$1/source" "$step_tree"
	while read -r file; do rm -f "$step_tree/$file"; done < "$BUILD/$1/added"
	cp -r --remove-destination "$BUILD/$1/pristine/." "$step_tree"
	cp "$BUILD/$1/x86_64/fragments" "$out/fragments"
	while read -r patch; do
		echo "== $patch"
		(cd "$step_tree" && patch -p1 -s -F0 --no-backup-if-mismatch) < "$TOP/patches/$1/$patch" || return 1
		KCONFIG_ALLCONFIG=$out/fragments make -s -C "$step_tree" O="$out" \
			ARCH=x86_64 CC="ccache gcc" allnoconfig || return 1
		make -s -C "$step_tree" O="$out" ARCH=x86_64 CC="ccache gcc" -j"$(nproc)" \
			W=1 net/netlink/ || return 1
		for object in $EVLOG kernel/printk/printk.o kernel/test_evlog.o samples/evlog/; do
			[ -e "$step_tree/${object%.o}.c" ] || [ -e "$step_tree/${object}Makefile" ] || continue
			make -s -C "$step_tree" O="$out" ARCH=x86_64 CC="ccache gcc" W=1 $object || return 1
		done
		[ ! -e "$step_tree/tools/kerror/Makefile" ] ||
			make -s -C "$step_tree/tools/kerror" OUTPUT="$out/tools" WERROR=1 lib daemon || return 1
	done < "$TOP/patches/$1/series"
	rm -rf "$step_tree" "$out"
}

# The layout is the same for a 32-bit program.
layout_32_bit() {
	work=$(mktemp -d)
	sed -n '/^#define AT(/,/kerror_request), *"\|^_Static_assert(sizeof(struct kerror_request/p' \
		"$SELFTESTS/kerror_test.c" > "$work/asserts"
	{ printf '#include <stddef.h>\n#include <linux/kerror.h>\n#include <linux/evlog.h>\n'
	  cat "$work/asserts"; } > "$work/layout.c"
	[ "$(grep -c Static_assert "$work/layout.c")" -ge 4 ] || return 1
	for bits in 32 64; do
		gcc -m$bits -fsyntax-only -I"$BUILD/tools/include" \
			-I"/usr/include/$(gcc -print-multiarch)" "$work/layout.c" || return 1
	done
	rm -rf "$work"
}

# Each mutant changes the file that it names, without a build.
mutants_apply() {
	sed '/^#/d' "$TOP/scripts/mutants.txt" > "$logs/mutants.list"
	while IFS= read -r line; do
		file=$TOP/$(printf '%s\n' "$line" | awk -F ' [|] ' '{ print $3 }')
		sed -E "$(printf '%s\n' "$line" | awk -F ' [|] ' '{ print $4 }')" "$file" |
			cmp -s - "$file" && { echo "changes nothing: $line"; return 1; }
	done < "$logs/mutants.list"
	return 0
}

# evlog's parser of formats needs no more of the kernel than this.
parser_in_user_space() {
	work=$(mktemp -d)
	mkdir -p "$work/linux" "$work/uapi/linux"
	echo '#include <ctype.h>' > "$work/linux/ctype.h"
	echo '#include <string.h>' > "$work/linux/string.h"
	printf '%s\n' '#include <stdbool.h>' '#include <stddef.h>' '#include <asm/types.h>' \
		'typedef __u8 u8;' > "$work/linux/types.h"
	cp "$TOP/include/uapi/linux/evlog.h" "$work/uapi/linux"
	gcc -Wall -Wextra -Werror -I"$work" -I"/usr/include/$(gcc -print-multiarch)" \
		-fsyntax-only "$TOP/kernel/evlog_format.c" && rm -rf "$work"
}

user_space_tests() {
	make -C "$TOP/tools/kerror" OUTPUT="$BUILD/tools" WERROR=1 all test
}

no_kernel_to_talk_to() {
	"$BUILD/tools/kerrorctl" watch 2>&1 | tee "$logs/kerrorctl.out"
	grep -q 'CONFIG_KERROR=y' "$logs/kerrorctl.out"
}

if [ "$tree" = --arches ]; then
	for variant in s390x i386 x86_64-compat; do
		check "6.12-$variant: kernel" "$TOP/scripts/kernel.sh" 6.12 $variant
		guest_checks 6.12 $variant
	done
	finish
fi

if [ -n "$tree" ]; then
	name=$(name_of "$tree")
	arch=$(arch_of "$tree" "${2:-}")
	"$TOP/scripts/kernel.sh" "$name" "$arch" "$tree"
	guest_checks "$name" "$arch"
	case $(release_of "$tree"),$arch in 2.*,x86_64) guest_checks "$name" x86_64-compat ;; esac
	finish
fi

need_packages $TOOLS_PACKAGES ccache git libcmocka-dev mandoc openssl perl python3 quilt sparse \
	valgrind

step "user space" 2>&1
check "tools: tests, with sanitizers and under valgrind" user_space_tests
count "$logs/tools--tests--with-sanitizers-and-under-valgrind"
check "layout for 32-bit programs" layout_32_bit
check "parser of formats in user space" parser_in_user_space
check "independent reader: its own tests" python3 "$SELFTESTS/reader.py" --test
check "manual pages" mandoc -T lint -W warning "$TOP"/tools/kerror/man/*.[1378]
check "kerrorctl says what this kernel lacks" no_kernel_to_talk_to

step "series" 2>&1
check "mutants: each changes its file" mutants_apply
check "ring: interleavings, mutants, memory model" make -s -C "$SELFTESTS/ring" check OUTPUT="$BUILD/ring"
count "$logs/ring--interleavings--mutants--memory-model"
for name in 6.1 6.12; do
	check "$name: the checked-in series is what the generator prints" series_is_current "$name"
	check "$name: git am" series_applies "$name"
	check "$name: quilt push" series_applies_with_quilt "$name"
done

for name in 2.6.0 2.6.18 2.6.32 2.6.39; do
	check "$name: the checked-in series is what the generator prints" series_is_current "$name"
	check "$name: patch" series_is_well_formed "$name"
done
check "compat: headers parse" compat_headers_parse

check "6.1: kernel for x86_64" "$TOP/scripts/kernel.sh" 6.1 x86_64
guest_checks 6.1 x86_64
check "6.12: kernel for User Mode Linux" "$TOP/scripts/kernel.sh" 6.12 um
check "6.12: unit tests in the kernel (KUnit)" kunit 6.12
count "$BUILD/6.12/kunit.log"
count "$BUILD/6.12/kunit-no-socket.log"
check "6.12: kernel for x86_64" "$TOP/scripts/kernel.sh" 6.12 x86_64
guest_checks 6.12 x86_64
check "6.12: kerrord with journald, rsyslog, bad disks; killed" "$TOP/scripts/guest.sh" 6.12 daemon
grep -a '^# \(killed\|after it was full\)' "$BUILD/6.12/daemon.log" || true
count "$BUILD/6.12/daemon.log"

step "sources" 2>&1
for name in 6.1 6.12; do
	check "$name: checkpatch --strict" checkpatch "$name"
	check "$name: sparse" sparse_is_silent "$name" x86_64 W=1 $OBJECTS
	check "$name: kernel-doc" kernel_doc_is_silent "$name"
done
# They pass NULL as a string on purpose, which gcc minds with W=1.
check "6.12: sparse, of the unit tests" sparse_is_silent 6.12 um net/netlink/kerror_kunit.o kernel/evlog_kunit.o
check "6.1: every step of the series builds" bisectable 6.1
check "6.1: CONFIG_KERROR=n builds" builds_without 6.1 KERROR
check "6.1: CONFIG_NET=n builds" builds_without 6.1 NET
finish
