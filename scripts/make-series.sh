#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the patch series for a kernel tree: make-series.sh KERNEL_TREE FOLDER
# or, as one would post it: make-series.sh --upstream KERNEL_TREE FOLDER
# or the names of the files that it reads there: make-series.sh --files
# or the objects of the facility in a Makefile of it: make-series.sh --objects MAKEFILE
#
# Writes to FOLDER, for a tree of release R, such as 6.12 or 2.6.32:
#
#   common/    patches that only add files, the same for every release
#   compat/    likewise, for releases that lack something
#   R/         hook.patch and printk.patch, which change files of the kernel, and
#              tree, a record of the places for recorded-tree.sh
#   series-R   all patches, in order, for git am and for quilt
#
# With --upstream it writes FOLDER/NNNN-*.patch, a cover letter first; after each
# of them the kernel builds. The tree is only read. The places in its files are
# found by content; if one is not found, this says which and writes nothing. The
# output depends on nothing but the tree and this repository, so that it can be
# compared.
set -eu

die() { echo "make-series: $*" >&2; exit 1; }

# The files that are read of a tree: all of every one, the rest where it is there.
files="init/Kconfig kernel/Makefile net/Kconfig net/netlink/Makefile"
others="MAINTAINERS Makefile include/uapi/linux/netlink.h include/linux/netlink.h
include/linux/hrtimer.h include/linux/irq_work.h include/linux/mm.h kernel/timer.c samples/Kconfig samples/Makefile
kernel/printk.c kernel/printk/printk.c drivers/char/mem.c Documentation/driver-api/index.rst
tools/testing/selftests/Makefile"
[ "$*" != --files ] || { echo $files $others; exit 0; }
top=$(cd "$(dirname "$0")/.." && pwd)
objects() {
	sed -nE 's/^(obj-\$\(CONFIG_KERROR(_PERSIST)?\) \+=|evlog(_printk)?_objects :=|	)([^=]*\.o)( \\)?$/\4/p' \
		"$top/$1" | tr -s ' ' '\n' | sed '/./!d'
}
[ "${1:-}" != --objects ] || { objects "$2"; exit; }
upstream=
[ "${1:-}" != --upstream ] || { upstream=yes; shift; }
[ $# -eq 2 ] || die "usage: make-series.sh [--upstream] KERNEL_TREE FOLDER"
[ -f "$1/Makefile" ] && [ -d "$1/net/netlink" ] ||
	die "$1 is not a kernel source tree; give the folder that has net/netlink/"
tree=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repo=$work/repo
mkdir "$repo"

export GIT_AUTHOR_NAME="kerror maintainers" GIT_COMMITTER_NAME="kerror maintainers"
export GIT_AUTHOR_EMAIL=maintainers@kerror.example
export GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_AUTHOR_DATE="2026-01-01T00:00:00Z" GIT_COMMITTER_DATE="2026-01-01T00:00:00Z"
export LC_ALL=C GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git -C "$repo" init -q

# ---- helpers ----

# take FILE: brings an existing file of the tree into the repository.
take() {
	[ -f "$tree/$1" ] || die "$tree/$1 does not exist"
	mkdir -p "$repo/$(dirname "$1")"
	cp "$tree/$1" "$repo/$1"
	chmod 644 "$repo/$1"
}

# insert FILE before|after|last REGEX TEXT: adds lines at the first match, or
# behind the last one (with $UNTIL, the last one before a line that matches that).
insert() {
	TEXT=$4 REGEX=$3 awk -v where="$2" '
	{ line[NR] = $0 }
	ENVIRON["UNTIL"] != "" && $0 ~ ENVIRON["UNTIL"] { ended = 1 }
	!ended && $0 ~ ENVIRON["REGEX"] && (!at || where == "last") { at = NR }
	END {
		if (!at)
			exit 1
		for (i = 1; i <= NR; i++) {
			if (i == at && where == "before")
				print ENVIRON["TEXT"]
			print line[i]
			if (i == at && where != "before")
				print ENVIRON["TEXT"]
		}
	}' "$repo/$1" > "$work/edited" ||
		die "$1: no line matches /$3/; nothing was written"
	cat "$work/edited" > "$repo/$1"
}

# change FILE REGEX TEXT: puts other text for the first match.
change() {
	TEXT=$3 REGEX=$2 awk '
	!done && match($0, ENVIRON["REGEX"]) {
		$0 = substr($0, 1, RSTART - 1) ENVIRON["TEXT"] substr($0, RSTART + RLENGTH)
		done = 1
	}
	{ print }
	END { exit !done }' "$repo/$1" > "$work/edited" ||
		die "$1: no line matches /$2/; nothing was written"
	cat "$work/edited" > "$repo/$1"
}

# add PATH...: copies files or whole folders, as far as they are tracked here.
add() {
	(cd "$top" && git ls-files -- "$@") > "$work/files"
	[ -s "$work/files" ] || die "this repository tracks none of: $*"
	while read -r file; do
		mkdir -p "$repo/$(dirname "$file")"
		cp -p "$top/$file" "$repo/$file"
	done < "$work/files"
}

# commit SUBJECT, message on standard input
commit() {
	git -C "$repo" add -A
	{ printf '%s\n\n' "$1"; cat
	  printf '\nSigned-off-by: %s <%s>\n' "$GIT_AUTHOR_NAME" "$GIT_AUTHOR_EMAIL"
	} | git -C "$repo" commit -q -F -
}

# ---- what the tree is ----

netlink_h=include/uapi/linux/netlink.h
[ -f "$tree/$netlink_h" ] || netlink_h=include/linux/netlink.h
release=$(awk '$2 == "=" && /^(VERSION|PATCHLEVEL|SUBLEVEL) / { print $3 }' "$tree/Makefile" |
	paste -sd. -)
printk=kernel/printk/printk.c
[ -f "$tree/$printk" ] || printk=kernel/printk.c
# Linux 2.6 gets compat/, which is for it alone.
compat=
case $release in
2.6.*) compat=yes ;;
*)
	release=${release%.*}
	# Since 5.11 vprintk_store() makes the text, and has the arguments twice.
	grep -qs '^	va_copy(args2, args);' "$tree/$printk" ||
		die "no series for Linux $release: $printk has no va_copy(args2, args);" \
			"Linux 3.0 to 5.10 are not supported"
	;;
esac
# Newer kernels have hrtimer_setup() only, older ones hrtimer_init().
hrtimer='-include $(srctree)/compat/include/kerror_compat/hrtimer.h'
! grep -qs 'hrtimer_setup(' "$tree/include/linux/hrtimer.h" || hrtimer=
# Some of the older ones prepare no CPU that runs already.
cpuhotplug='-include $(srctree)/compat/include/kerror_compat/cpuhotplug.h'
# 6.12 and later can keep memory over a reboot.
reserve_mem='-include $(srctree)/compat/include/kerror_compat/reserve_mem.h'
! grep -qs 'reserve_mem_find_by_name(' "$tree/include/linux/mm.h" || reserve_mem=
index=Documentation/driver-api/index.rst
[ -f "$tree/$index" ] || index=
# Some vendors leave it out.
maintainers=MAINTAINERS
[ -f "$tree/$maintainers" ] || maintainers=
files="$files $printk $index $maintainers"
if [ "$compat" ]; then
	files="$files Makefile drivers/char/mem.c"
	[ -f "$tree/include/linux/irq_work.h" ] || files="$files kernel/timer.c"
else
	files="$files samples/Kconfig samples/Makefile tools/testing/selftests/Makefile"
fi
for file in $netlink_h $files; do
	take "$file"
done
grep -q NETLINK_KERROR "$repo/$netlink_h" &&
	die "$tree has NETLINK_KERROR already; give a tree without the series"
git -C "$repo" add -A
git -C "$repo" commit -q -m base
git -C "$repo" tag base

# Number 7 was posted, but has been SELinux's since 2.6.4.
number=7
grep -qE '^#define NETLINK_[A-Z_0-9]+[ 	]+7([ 	]|$)' "$repo/$netlink_h" && number=27
taken=$(sed -nE "s/^#define (NETLINK_[A-Z_0-9]+)[ 	]+$number([ 	].*)?\$/\1/p" "$repo/$netlink_h")
[ -z "$taken" ] || die "$netlink_h gives number $number to $taken; nothing was written"
case $release in
5.*|6.0) echo "make-series: warning: this is tried on Linux 2.6 and from 6.1 on" >&2 ;;
esac

# ---- parts: the files that each adds, the lines that it needs elsewhere, its message ----

parts="netlink evlog printk samples tools tests doc"

# cflags_for MAKEFILE OPTION: for each object that is built for the facility
cflags_for() { objects "$1" | sed "s,.*,CFLAGS_& := $2,"; }

files_netlink() {
	# kerror_dump.c looks for the severity in events of evlog.
	add include/uapi/linux/kerror.h include/uapi/linux/evlog.h include/linux/kerror.h \
		"net/netlink/kerror*.[ch]" \
		":!net/netlink/kerror*_kunit.c" net/netlink/Kconfig.kerror net/netlink/Makefile.kerror
}
hook_netlink() {
	UNTIL='^#define MAX_LINKS' insert $netlink_h last '^#define NETLINK_[A-Z_0-9]+[ \t]+[0-9]+' \
"#define NETLINK_KERROR		$number	/* Error events of the kernel */"
	insert net/Kconfig before '^(config PACKET|source "net/packet/Kconfig")$' \
		'source "net/netlink/Kconfig.kerror"'
	cflags=
	[ -z "$hrtimer" ] || cflags="CFLAGS_kerror_cpu.o := $cpuhotplug
CFLAGS_kerror_worker.o := $hrtimer"
	[ -z "$reserve_mem" ] || cflags="$cflags
CFLAGS_kerror_region_map.o := $reserve_mem"
	[ -z "$compat" ] ||
		cflags=$(cflags_for net/netlink/Makefile.kerror '-include kerror_compat/netlink.h')
	insert net/netlink/Makefile after '^obj-y' \
"${cflags:+$cflags
}"'include $(srctree)/net/netlink/Makefile.kerror'
	[ "$compat" ] || return 0
	# The folder that is searched after the kernel's own headers
	cppflags=CPPFLAGS
	grep -q '^KBUILD_CPPFLAGS' "$repo/Makefile" && cppflags=KBUILD_CPPFLAGS
	insert Makefile before '^(KBUILD_)?CFLAGS[ \t]*:=' \
		"$cppflags += "'-I$(srctree)/compat/include
'
	# There the configuration is known.
	insert Makefile after '^core-y[ \t]*\+= kernel/' 'core-$(CONFIG_KERROR)		+= compat/'
	[ -f "$repo/kernel/timer.c" ] || return 0
	insert init/Kconfig before '^config IKCONFIG$' 'source "compat/Kconfig"
'
	insert kernel/timer.c before '^#include <linux/' '#include <linux/irq_work.h>'
	insert kernel/timer.c before '^\trun_local_timers\([a-z]*\);' '	irq_work_run();'
}
message_netlink() {
	cat <<'M'
netlink: add NETLINK_KERROR, a transport for error events

Programs that watch for errors match regular expressions against the
kernel log, and each reworded printk() silently breaks them. Give kernel
code a way to send an error to user space as data.

kernel_error_event() may be called from any context: it copies the event
into preallocated memory of its CPU, lock-free. One thread numbers the
events, keeps a history and broadcasts them. An event is delivered or
counted under a named cause, a reader that fell behind can ask for what
it missed, and an event that has no listener is printed.
M
}

files_evlog() {
	add include/linux/evlog.h kernel/evlog.c \
		kernel/evlog_args.c kernel/evlog_callsite.c kernel/evlog_format.c \
		kernel/evlog_render.c kernel/evlog_device.h kernel/evlog_fast.h \
		kernel/evlog_format.h kernel/evlog_internal.h kernel/Kconfig.evlog \
		kernel/Makefile.evlog
}
hook_evlog() {
	insert init/Kconfig before '^config IKCONFIG$' 'source "kernel/Kconfig.evlog"
'
	# On Linux 2.6, each object has another snprintf().
	cflags=
	[ -z "$compat" ] || cflags="$(cflags_for kernel/Makefile.evlog '-include kerror_compat/printf.h')
CFLAGS_test_evlog.o := -include kerror_compat/test.h"
	[ -z "$hrtimer" ] || [ "$compat" ] || cflags="CFLAGS_evlog_printk_record.o := $cpuhotplug
CFLAGS_test_evlog_stress.o := $hrtimer"
	insert kernel/Makefile before '^obj-\$\(CONFIG_FUTEX\)' \
"${cflags:+$cflags
}"'include $(srctree)/kernel/Makefile.evlog'
}
message_evlog() {
	cat <<'M'
evlog: add structured events for drivers

evl_printf() takes what printk() takes, and a facility, a kind of event
and a severity. The event that programs receive has the context in a
header, and the arguments as values beside the unexpanded format. Its
CRC identifies the kind of event, so that a program need not look at any
text. evl_write() sends data of the driver's own.
M
}

files_printk() {
	add include/linux/evlog_printk.h kernel/evlog_printk.c kernel/evlog_printk_cache.c \
		kernel/evlog_printk_cache.h kernel/evlog_printk_record.c kernel/evlog_printk_slow.c \
		kernel/Kconfig.evlog_printk
}
hook_printk() {
	insert init/Kconfig after '^source "kernel/Kconfig.evlog"$' 'source "kernel/Kconfig.evlog_printk"'
	insert $printk after '^#include <linux/' '#include <linux/evlog_printk.h>'
	if [ "$compat" ]; then
		insert $printk before '^\tprinted_len \+?= vsc?nprintf\(printk_buf' \
'	evl_forward_printk(0, EVL_LEVEL_OF_LINE, NULL, fmt, args);
'
		insert drivers/char/mem.c after '^#include <linux/' '#include <linux/evlog_printk.h>'
		change drivers/char/mem.c 'printk\("%s", tmp\)' 'printk(evl_devkmsg_fmt, tmp)'
	else
		insert $printk before '^\tva_copy\(args2, args\);' \
'	evl_forward_printk(facility, level, dev_info, fmt, args);
'
	fi
}
message_printk() {
	cat <<'M'
printk: hand messages to evlog

With CONFIG_KERROR_PRINTK each message that the kernel prints is an event,
too: its format and arguments, its level and device, and an id that does
not depend on the values. Programs need not match text any more, and no
driver has to change.

Switched off, which it can be at run time, it is one predicted branch.
The rest of the series works without it.
M
}

files_samples() { add samples/evlog; }
hook_samples() {
	if [ "$compat" ]; then
		insert init/Kconfig before '^config IKCONFIG$' 'source "samples/evlog/Kconfig"
'
		insert Makefile after '^core-\$\(CONFIG_KERROR\)' 'drivers-$(CONFIG_SAMPLE_EVLOG)	+= samples/evlog/'
		echo 'CFLAGS_evlog_sample.o := -include kerror_compat.h' >> "$repo/samples/evlog/Makefile"
	else
		insert samples/Kconfig before '^config SAMPLE_KOBJECT$' \
'source "samples/evlog/Kconfig"
'
		insert samples/Makefile last '^obj-\$\(CONFIG_SAMPLE_[A-Z_]+\)[ \t]*\+= [a-e]' \
'obj-$(CONFIG_SAMPLE_EVLOG)		+= evlog/'
	fi
}
message_samples() {
	cat <<'M'
samples: add a driver that raises structured events

It raises events of each form in process, softirq, hard interrupt and
kernel thread context, on a trigger or at a rate.
M
}

# The kernel has the text of the licence in LICENSES/. quilt takes no binary
# files, which the inputs of the fuzzer are; the vectors are large, and Debian's
# folder is not for the kernel.
files_tools() {
	add tools/kerror ":!tools/kerror/libkerror/COPYING" ":!tools/kerror/tests/corpus" \
		":!tools/kerror/vectors" ":!tools/kerror/debian"
}
hook_tools() { :; }
message_tools() {
	cat <<'M'
tools: add libkerror, kerrord and kerrorctl

libkerror decodes and formats the events of NETLINK_KERROR, and finds
out what was missed. kerrord brings them to a database, files, the
journal, a syslog server and commands; kerrorctl shows them.
M
}

files_tests() {
	add tools/testing/selftests/kerror ":!tools/testing/selftests/kerror/ring" \
		":!tools/testing/selftests/kerror/region" \
		kernel/test_evlog.c kernel/test_evlog_stress.c kernel/test_evlog_hang.c \
		kernel/test_evlog_bench.c kernel/test_evlog_crash.c kernel/test_evlog_trace.h kernel/Kconfig.evlog_test \
		"net/netlink/kerror*_kunit.c" kernel/evlog_kunit.c kernel/evlog_kunit.h \
		kernel/evlog_printk_kunit.c
}
hook_tests() {
	insert init/Kconfig before '^config IKCONFIG$' 'source "kernel/Kconfig.evlog_test"
'
	[ "$compat" ] ||
		insert tools/testing/selftests/Makefile before '^TARGETS \+= kexec$' 'TARGETS += kerror'
}
message_tests() {
	cat <<'M'
selftests: add tests of error events

KUnit tests of rings, history and recording; modules that raise events
of all kinds, or make a CPU hang, and programs that check what arrives.
M
}

files_doc() { add Documentation/kerror.txt Documentation/netlink/specs/kerror.yaml; }
hook_doc() {
	if [ "$index" ]; then
		insert $index after '^   io_ordering$' '   kerror'
		cat > "$repo/Documentation/driver-api/kerror.rst" <<'T'
.. SPDX-License-Identifier: GPL-2.0-only

============
Error events
============

.. include:: ../kerror.txt
   :literal:

Functions
=========

.. kernel-doc:: include/linux/kerror.h

.. kernel-doc:: include/linux/evlog.h
T
	fi
	[ "$maintainers" ] || return 0
	# The section goes before the first one that sorts behind it.
	awk -v fragment="$top/MAINTAINERS.fragment" '
	function flush() {
		while ((getline line < fragment) > 0)
			print line
		print ""
		done = 1
	}
	!done && /^KERNEL / && $0 > "KERNEL ERROR" { flush() }
	{ print }
	END { exit !done }' "$tree/MAINTAINERS" > "$repo/MAINTAINERS" ||
		die "MAINTAINERS: no section matches /^KERNEL /; nothing was written"
}
message_doc() {
	cat <<'M'
Documentation: describe NETLINK_KERROR and evlog

The guide for authors of drivers and of programs, and who maintains it.
M
}

# Releases before 6.13 lack these, and Linux 2.6
compat_hrtimer=compat/include/kerror_compat/hrtimer.h
compat_cpuhotplug=compat/include/kerror_compat/cpuhotplug.h
compat_reserve_mem=compat/include/kerror_compat/reserve_mem.h

# ---- the series ----

# commit, message on standard input
commit() {
	git -C "$repo" add -A
	{ cat
	  printf '\nSigned-off-by: %s <%s>\n' "$GIT_AUTHOR_NAME" "$GIT_AUTHOR_EMAIL"
	} | git -C "$repo" commit -q -F -
}

# print FOLDER FROM [OPTION]...: the patches since FROM
print() {
	folder=$1 from=$2
	shift 2
	git -C "$repo" format-patch -q -N -U1 --zero-commit --no-signature --full-index \
		-o "$folder" "$@" "$from"
}

commit_compat() {
	[ "$hrtimer" ] || return 0
	add $compat_hrtimer $compat_cpuhotplug $compat_reserve_mem
	commit <<'M'
compat: add hrtimer_setup()

Releases before 6.13 have hrtimer_init() instead. Those before 6.12 have
no reserve_mem_find_by_name() either. Before 6.10, cpuhp_setup_state()
may call nothing for the CPUs that run already. The Makefiles include
these headers for the objects that need them.
M
	[ "$compat" ] || return 0
	add compat
	commit <<'M'
compat: add what Linux 2.6 lacks

Headers that stand in for those of later releases, and what is too large
for a header.
M
}

if [ "$upstream" ]; then
	commit_compat
	for part in $parts; do
		files_$part
		hook_$part
		message_$part | commit
	done
	print "$work/out" base -n --cover-letter
	cover=$work/out/0000-cover-letter.patch
	awk -v letter="$top/scripts/cover-letter.txt" '
	/\*\*\* SUBJECT HERE \*\*\*/ {
		getline subject < letter
		sub(/\*\*\* SUBJECT HERE \*\*\*/, subject)
		getline blank < letter
	}
	/\*\*\* BLURB HERE \*\*\*/ {
		while ((getline line < letter) > 0)
			print line
		next
	}
	{ print }' "$cover" > "$work/edited"
	cat "$work/edited" > "$cover"
	mkdir -p "$2"
	rm -f "$2"/[0-9][0-9][0-9][0-9]-*.patch
	cp "$work"/out/*.patch "$2"
	exit 0
fi

for part in $parts; do
	files_$part
	message_$part | commit
done
print "$work/out/common" base
git -C "$repo" tag common
commit_compat
print "$work/out/compat" common
git -C "$repo" tag compat
for part in $parts; do
	[ $part = printk ] || hook_$part
done
commit <<M
netlink, evlog: hook error events into the kernel

Take protocol number $number for error events, and add the lines that the
files of the series need in Makefiles, Kconfig files, the index of the
documentation and MAINTAINERS.
M
git -C "$repo" tag hook
hook_printk
message_printk | commit
mkdir -p "$work/out/$release"
print "$work/out/hook" compat..hook
print "$work/out/printk" hook
mv "$work"/out/hook/*.patch "$work/out/$release/hook.patch"
mv "$work"/out/printk/*.patch "$work/out/$release/printk.patch"
rmdir "$work/out/hook" "$work/out/printk"
rmdir "$work/out/compat" 2>/dev/null || true
# Few have each tree. So leave out of these what neither git am nor patch needs but
# only the whole tree tells: the names of blobs and of functions,
sed -i -E '/^index [0-9a-f]{40}\.\.[0-9a-f]{40} [0-7]+$/d; s/^(@@ [-+,0-9 ]+ @@).*/\1/' \
	"$work/out/$release"/*.patch
# and say what else of the tree made the series so.
(cd "$tree" && {
	case $release in
	2.6.*) grep -nE '^(VERSION|PATCHLEVEL|SUBLEVEL) *=|^KBUILD_CPPFLAGS' Makefile /dev/null ;;
	*) grep -nE '^(VERSION|PATCHLEVEL) *=' Makefile /dev/null; echo 'Makefile:4:SUBLEVEL = 0' ;;
	esac
	grep -m1 -nE '^#define NETLINK_[A-Z_0-9]+[ 	]+7([ 	]|$)' "$netlink_h" /dev/null || true
	[ -z "$compat" ] || [ ! -f include/linux/irq_work.h ] || echo include/linux/irq_work.h:1:
	[ "$hrtimer" ] || echo 'include/linux/hrtimer.h:1:hrtimer_setup('
	[ "$reserve_mem" ] || echo 'include/linux/mm.h:1:reserve_mem_find_by_name('
}) > "$work/out/$release/tree"
cd "$work/out"
for part in common compat "$release"; do
	[ ! -d $part ] || ls $part/*.patch
done > "series-$release"
cd - > /dev/null
mkdir -p "$2"
rm -f "$2"/common/*.patch
[ -z "$compat" ] || rm -f "$2"/compat/*.patch
cp -r "$work"/out/* "$2"
