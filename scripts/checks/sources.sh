# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: what the kernel's own checkers say of the sources, and whether
# they build otherwise configured. The checkers of a release are in its tree.

# checkpatch NAME: with that release's rules
checkpatch() {
	"$TOP/scripts/kernel.sh" "$1" source || return 1
	# Not of use here: that new files want an entry in MAINTAINERS at once, which
	# a later patch adds; that ENOSYS is for system calls, but it is what these
	# stubs have returned since 2003; that names of the C library have capitals;
	# that a test of formats uses its format twice; that a benchmark calls
	# trace_printk(); that <linux/nmi.h> has what only <asm/nmi.h> has; that a
	# Makefile names one that it includes.
	# In programs, not what is good for the kernel only: its types and macros, BIT(),
	# strscpy(), messages that can be grepped for, which SQL is not; one language.
	# In a test of printk(), that drivers should call something else.
	for patch in "$TOP"/patches/common/*.patch "$TOP"/patches/compat/0001-*.patch \
		     "$TOP"/patches/[6-9].*/*.patch; do
		user=
		case $patch in
		*-tools-*) user=,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,BIT_MACRO,SPLIT_STRING,LONG_LINE,TYPO_SPELLING ;;
		*-selftests-*) user=,PREFER_PR_LEVEL,PRINTK_WITHOUT_KERN_LEVEL,LOGGING_CONTINUATION ;;
		esac
		(cd "$BUILD/$1/source" && perl scripts/checkpatch.pl --strict --no-tree --root="$PWD" \
			--no-summary --terse --show-types --color=never --ignore \
			FILE_PATH_CHANGES,ENOSYS,CAMELCASE,MACRO_ARG_REUSE,INCLUDE_LINUX,TRACE_PRINTK,EMBEDDED_FILENAME$user \
			"$patch") || true
	done | tee "$BUILD/checkpatch.out"
	! grep -qE 'ERROR|WARNING|CHECK' "$BUILD/checkpatch.out"
}

# objects MAKEFILE: of the facility, with their folder
objects() { "$TOP/scripts/make-series.sh" --objects "$1" | sed "s,^,${1%/*}/,"; }
KERROR=$(objects net/netlink/Makefile.kerror)
EVLOG=$(objects kernel/Makefile.evlog)
OBJECTS="$KERROR $EVLOG kernel/test_evlog.o samples/evlog/evlog_sample.o
	kernel/test_evlog_stress.o kernel/test_evlog_hang.o kernel/test_evlog_bench.o kernel/test_evlog_crash.o
	kernel/printk/printk.o"
kbuild() {
	release=$1
	shift
	make -s -C "$BUILD/$release/source" ARCH=x86_64 CC="ccache gcc" "$@"
}

# sparse_is_silent NAME ARCH [W=1] OBJECT...
sparse_is_silent() {
	name=$1 karch=$2 out=$BUILD/$1/sparse-$2.out
	shift 2
	"$TOP/scripts/kernel.sh" "$name" "$karch" || return 1
	kbuild "$name" ARCH="$karch" O="$BUILD/$name/$karch" C=2 CHECK="sparse" "$@" > "$out" 2>&1 ||
		{ cat "$out"; return 1; }
	# Warnings about headers that we include are not ours.
	! grep -E '(kerror|evlog)[a-z_]*\.[ch]:[0-9]+' "$out"
}

kernel_doc_is_silent() {
	"$TOP/scripts/kernel.sh" "$1" source || return 1
	cd "$TOP" && "$BUILD/$1/source/scripts/kernel-doc" -Wall -none \
		include/linux/kerror.h include/linux/evlog.h \
		include/uapi/linux/kerror.h include/uapi/linux/evlog.h \
		include/linux/evlog_printk.h \
		$(for object in $KERROR $EVLOG; do echo "${object%.o}.c"; done) 2>&1 |
		tee "$BUILD/$1/kernel-doc.out"
	! grep -qiE 'warning|error:' "$BUILD/$1/kernel-doc.out"
}

# The kernel's tools read the specification of the protocol, which is that of the headers.
ynl_specification() {
	"$TOP/scripts/kernel.sh" "$1" source &&
	/usr/bin/python3 "$TOP/scripts/ynl-spec.py" "$BUILD/$1/source"
}

# The callers' side with the facility configured out: it is the sample driver
# that shows that the stubs compile.
builds_without() {
	"$TOP/scripts/kernel.sh" "$1" x86_64 || return 1
	out=$BUILD/$1/without-$2
	# The folders that know of it; without CONFIG_NET, net/ builds next to nothing.
	[ "$2" = NET ] && folder=net/ || folder=net/netlink/
	mkdir -p "$out"
	grep -vE "^CONFIG_($2|KERROR|EVLOG|TEST_EVLOG|SAMPLE_EVLOG|UNIX|NET_NS)=" \
		"$BUILD/$1/x86_64/fragments" > "$out/fragments"
	printf 'CONFIG_%s=n\n' "$2" >> "$out/fragments"
	KCONFIG_ALLCONFIG=$out/fragments kbuild "$1" O="$out" allnoconfig &&
	! grep -qE '^CONFIG_(KERROR|EVLOG)=' "$out/.config" &&
	kbuild "$1" O="$out" $folder kernel/printk/ samples/evlog/evlog_sample.o \
		kernel/test_evlog.o -j"$(nproc)" &&
	[ ! -e "$out/net/netlink/kerror.o" ] && [ ! -e "$out/kernel/evlog.o" ]
}

# In the order in which one would post it, each patch leaves a tree whose
# configuration and objects build.
bisectable() {
	"$TOP/scripts/kernel.sh" "$1" x86_64 || return 1
	out=$BUILD/$1/bisect-build
	step_tree=$BUILD/$1/bisect patches=$BUILD/$1/upstream
	rm -rf "$step_tree" "$out"
	mkdir -p "$out"
	"$TOP/scripts/make-series.sh" --upstream "$BUILD/$1/pristine" "$patches" || return 1
	cp -al "$BUILD/$1/source" "$step_tree"
	while read -r file; do rm -f "$step_tree/$file"; done < "$BUILD/$1/added"
	cp -r --remove-destination "$BUILD/$1/pristine/." "$step_tree"
	cp "$BUILD/$1/x86_64/fragments" "$out/fragments"
	for patch in "$patches"/*.patch; do
		case $patch in */0000-cover-letter.patch) continue ;; esac
		echo "== $patch"
		(cd "$step_tree" && patch -p1 -s -F0 --no-backup-if-mismatch) < "$patch" || return 1
		KCONFIG_ALLCONFIG=$out/fragments make -s -C "$step_tree" O="$out" \
			ARCH=x86_64 CC="ccache gcc" allnoconfig || return 1
		there=
		for object in net/netlink/ $EVLOG kernel/printk/printk.o kernel/test_evlog.o samples/evlog/; do
			[ -e "$step_tree/${object%.o}.c" ] || [ -e "$step_tree/${object}Makefile" ] || continue
			there="$there $object"
		done
		make -s -C "$step_tree" O="$out" ARCH=x86_64 CC="ccache gcc" -j"$(nproc)" W=1 $there || return 1
		[ ! -e "$step_tree/tools/kerror/Makefile" ] ||
			make -s -C "$step_tree/tools/kerror" OUTPUT="$out/tools" WERROR=1 lib daemon || return 1
	done
	rm -rf "$step_tree" "$out"
}

# sources_checks NAME: of each release
sources_checks() {
	group "Linux $1: sources"
	check "$1/sparse" sparse_is_silent "$1" x86_64 W=1 $OBJECTS
	check "$1/kernel-doc" kernel_doc_is_silent "$1"
	# 6.1 has no schema for such a protocol.
	[ "$1" = 6.1 ] || check "$1/ynl" ynl_specification "$1"
}

# newest_sources_checks NAME: of one only. The unit tests pass NULL as a string on
# purpose, which gcc minds with W=1.
newest_sources_checks() {
	check "$1/sparse-kunit" sparse_is_silent "$1" um net/netlink/kerror_kunit.o \
		net/netlink/kerror_persist_kunit.o kernel/evlog_kunit.o
	check "$1/bisect" bisectable "$1"
	check "$1/without-kerror" builds_without "$1" KERROR
	check "$1/without-net" builds_without "$1" NET
}
