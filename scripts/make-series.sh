#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the patch series for a kernel tree: make-series.sh KERNEL_TREE FOLDER
# or the names of the files that it reads there: make-series.sh --files
#
# Writes FOLDER/NNNN-*.patch and FOLDER/series, for git am and for quilt; for
# Linux 2.6 also FOLDER/tree, for recorded-tree.sh. The tree is only read. The
# places in its files are found by content; if one is not found, this says which
# and writes nothing. The output depends on nothing but the tree and this
# repository, so that it can be compared.
set -eu

die() { echo "make-series: $*" >&2; exit 1; }

# What is read of a tree: all of every one, the rest where it is there.
files="MAINTAINERS init/Kconfig kernel/Makefile net/netlink/Makefile"
others="Makefile include/uapi/linux/netlink.h include/linux/netlink.h
include/linux/hrtimer.h include/linux/irq_work.h kernel/timer.c samples/Kconfig samples/Makefile
kernel/printk.c kernel/printk/printk.c drivers/char/mem.c
tools/testing/selftests/Makefile"
[ "$*" != --files ] || { echo $files $others; exit 0; }
[ $# -eq 2 ] || die "usage: make-series.sh KERNEL_TREE FOLDER"
[ -f "$1/Makefile" ] && [ -d "$1/net/netlink" ] ||
	die "$1 is not a kernel source tree; give the folder that has net/netlink/"
tree=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/.." && pwd)
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

netlink_h=include/uapi/linux/netlink.h
[ -f "$tree/$netlink_h" ] || netlink_h=include/linux/netlink.h
# Linux 2.6 gets compat/, which is for it alone.
compat=
case $(sed -n 's/^VERSION *= *//p; s/^PATCHLEVEL *= */./p' "$tree/Makefile" | tr -d '\n') in
2.6) compat=yes ;;
[345].*) echo "make-series: warning: this is tried on Linux 2.6 and from 6.1 on" >&2 ;;
esac
# Newer kernels have hrtimer_setup() only, older ones hrtimer_init().
hrtimer='-include $(srctree)/compat/include/kerror_compat/hrtimer.h'
! grep -qs 'hrtimer_setup(' "$tree/include/linux/hrtimer.h" || hrtimer=
[ -z "$compat" ] || hrtimer=
printk=kernel/printk/printk.c
[ -f "$tree/$printk" ] || printk=kernel/printk.c
files="$files $printk"
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
grep -qE "^#define NETLINK_[A-Z_0-9]+[ 	]+$number([ 	]|\$)" "$repo/$netlink_h" &&
	die "$netlink_h gives number $number to another protocol"
kconfigs="net/netlink/Kconfig.kerror kernel/Kconfig.evlog kernel/Kconfig.evlog_test"
[ -z "$compat" ] || kconfigs="$kconfigs samples/evlog/Kconfig"
[ ! -f "$repo/kernel/timer.c" ] || kconfigs="$kconfigs compat/Kconfig"
UNTIL='^#define MAX_LINKS' insert $netlink_h last '^#define NETLINK_[A-Z_0-9]+[ \t]+[0-9]+' \
"#define NETLINK_KERROR		$number	/* Error events of the kernel */"
insert init/Kconfig before '^config IKCONFIG$' \
"$(printf 'source "%s"\n' $kconfigs)
"
# On Linux 2.6, each object has another snprintf().
cflags=
[ -z "$compat" ] || cflags=$(cd "$top" && git ls-files -- 'kernel/evlog*.c' | grep -v _kunit |
	sed 's,.*/,CFLAGS_,; s,c$,o := -include kerror_compat/printf.h,'
	echo 'CFLAGS_test_evlog.o := -include kerror_compat/test.h')
insert kernel/Makefile before '^obj-\$\(CONFIG_FUTEX\)' \
"${cflags:+$cflags
}${hrtimer:+CFLAGS_test_evlog_stress.o := $hrtimer
}"'include $(srctree)/kernel/Makefile.evlog'
cflags=
if [ "$compat" ]; then
	cflags=$(sed -n 's/^obj-$(CONFIG_KERROR) += //p' "$top/net/netlink/Makefile.kerror" |
		tr ' ' '\n' | sed 's/.*/CFLAGS_& := -include kerror_compat\/netlink.h/')
elif [ "$hrtimer" ]; then
	cflags="CFLAGS_kerror_worker.o := $hrtimer"
fi
insert net/netlink/Makefile after '^obj-y' \
"
${cflags:+$cflags
}"'include $(srctree)/net/netlink/Makefile.kerror'
add kernel/Makefile.evlog net/netlink/Makefile.kerror
if [ "$compat" ]; then
	# What is searched after the kernel's own headers
	cppflags=CPPFLAGS
	grep -q '^KBUILD_CPPFLAGS' "$repo/Makefile" && cppflags=KBUILD_CPPFLAGS
	insert Makefile before '^(KBUILD_)?CFLAGS[ \t]*:=' \
		"$cppflags += "'-I$(srctree)/compat/include
'
	# There the configuration is known.
	insert Makefile after '^core-y[ \t]*\+= kernel/' \
'core-$(CONFIG_KERROR)		+= compat/
drivers-$(CONFIG_SAMPLE_EVLOG)	+= samples/evlog/'
	if [ -f "$repo/kernel/timer.c" ]; then
		insert kernel/timer.c before '^#include <linux/' '#include <linux/irq_work.h>'
		insert kernel/timer.c before '^\trun_local_timers\(\);' '	irq_work_run();'
	fi
else
	insert samples/Kconfig before '^config SAMPLE_KOBJECT$' \
'source "samples/evlog/Kconfig"
'
	insert samples/Makefile last '^obj-\$\(CONFIG_SAMPLE_[A-Z_]+\)[ \t]*\+= [a-e]' \
'obj-$(CONFIG_SAMPLE_EVLOG)		+= evlog/'
	insert tools/testing/selftests/Makefile before '^TARGETS \+= kexec$' 'TARGETS += kerror'
fi
for file in $kconfigs samples/evlog/Kconfig; do
	mkdir -p "$repo/$(dirname $file)"
	echo '# SPDX-License-Identifier: GPL-2.0-only' > "$repo/$file"
done
# kernel/timer.c needs this one at once.
[ ! -f "$repo/kernel/timer.c" ] || add compat/include/linux/irq_work.h
commit "netlink: reserve NETLINK_KERROR and hook it into the build" <<M
Take protocol number $number for error events, and add the lines to Makefiles
and Kconfig files that the following patches need. The new Kconfig files
are empty so far: nothing can be switched on before it is there.

No other patch of the series changes what is built from existing files,
but for the one that hooks into printk().
M

add include/uapi/linux/kerror.h include/linux/kerror.h "net/netlink/kerror*.[ch]" \
    ":!net/netlink/kerror_kunit.c" net/netlink/Kconfig.kerror \
    ${compat:+compat} ${hrtimer:+compat/include/kerror_compat/hrtimer.h}
commit "netlink: add NETLINK_KERROR, a transport for error events" <<'M'
Programs that watch for errors match regular expressions against the
kernel log, and each reworded printk() silently breaks them. Give kernel
code a way to send an error to user space as data.

kernel_error_event() may be called from any context: it copies the event
into preallocated memory of its CPU, lock-free. One thread numbers the
events, keeps a history and broadcasts them. An event is delivered or
counted under a named cause, a reader that fell behind can ask for what
it missed, and events that nobody hears are printed.
M

add include/uapi/linux/evlog.h include/linux/evlog.h kernel/evlog.c \
    kernel/evlog_args.c kernel/evlog_callsite.c kernel/evlog_format.c \
    kernel/evlog_render.c kernel/evlog_device.h kernel/evlog_format.h \
    kernel/evlog_internal.h kernel/Kconfig.evlog
commit "evlog: add structured events for drivers" <<'M'
evl_printf() takes what printk() takes, and a facility, a kind of event
and a severity. The event that programs receive has the context in a
header, and the arguments as values beside the unexpanded format. Its
CRC identifies the kind of event, so that a program need not look at any
text. evl_write() sends data of the driver's own.
M

add include/linux/evlog_printk.h kernel/evlog_printk.c kernel/evlog_printk_cache.c \
    kernel/evlog_printk_record.c kernel/evlog_printk_slow.c kernel/Kconfig.evlog_printk
insert $printk after '^#include <linux/' '#include <linux/evlog_printk.h>'
insert init/Kconfig after '^source "kernel/Kconfig.evlog"$' 'source "kernel/Kconfig.evlog_printk"'
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
commit "printk: hand messages to evlog" <<'M'
With CONFIG_KERROR_PRINTK each message that the kernel prints is an event,
too: its format and arguments, its level and device, and an id that does
not depend on the values. Programs need not match text any more, and no
driver has to change.

Switched off, which it can be at run time, it is one predicted branch.
The rest of the series works without this patch.
M

add samples/evlog
[ -z "$compat" ] || echo 'CFLAGS_evlog_sample.o := -include kerror_compat.h' >> "$repo/samples/evlog/Makefile"
commit "samples: add a driver that raises structured events" <<'M'
It raises events of each form in process, softirq, hard interrupt and
kernel thread context, on a trigger or at a rate.
M

# The kernel has the text of the licence in LICENSES/. quilt takes no binary
# files, which the inputs of the fuzzer are; Debian's folder is not for the kernel.
add tools/kerror ":!tools/kerror/libkerror/COPYING" ":!tools/kerror/tests/corpus" ":!tools/kerror/debian"
commit "tools: add libkerror, kerrord and kerrorctl" <<'M'
libkerror decodes and formats the events of NETLINK_KERROR, and finds
out what was missed. kerrord brings them to a database, files, the
journal, a syslog server and commands; kerrorctl shows them.
M

add tools/testing/selftests/kerror ":!tools/testing/selftests/kerror/ring" kernel/test_evlog.c kernel/test_evlog_stress.c \
    kernel/test_evlog_hang.c \
    kernel/test_evlog_bench.c kernel/test_evlog_trace.h kernel/Kconfig.evlog_test \
    net/netlink/kerror_kunit.c kernel/evlog_kunit.c kernel/evlog_kunit.h \
    kernel/evlog_printk_kunit.c
commit "selftests: add tests of error events" <<'M'
KUnit tests of staging, history and recording; a module that raises
events of all kinds, and programs that check what arrives.
M

add Documentation/kerror.txt
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
commit "Documentation: describe NETLINK_KERROR and evlog" <<'M'
The guide for authors of drivers and of programs, and who maintains it.
M

git -C "$repo" format-patch -q -U1 --zero-commit --no-signature --full-index \
	-o "$work/patches" base
mkdir -p "$2"
top_of_output=$(cd "$2" && pwd)
rm -f "$2"/[0-9][0-9][0-9][0-9]-*.patch "$2/series" "$2/tree"
cp "$work"/patches/*.patch "$2"
(cd "$2" && ls [0-9][0-9][0-9][0-9]-*.patch > series)

[ "$compat" ] || exit 0
# Few have an old tree. So leave out of its series what neither git am nor patch
# needs but only the whole tree tells: the names of blobs and of functions,
sed -i -E '/^index [0-9a-f]{40}\.\.[0-9a-f]{40} [0-7]+$/d; s/^(@@ [-+,0-9 ]+ @@).*/\1/' \
	"$2"/[0-9][0-9][0-9][0-9]-*.patch
# and say what else of the tree made the series so.
(cd "$tree" && {
	grep -nE '^(VERSION|PATCHLEVEL) *=|^KBUILD_CPPFLAGS' Makefile /dev/null
	grep -nE '^#define NETLINK_[A-Z_0-9]+[ 	]+7([ 	]|$)' "$netlink_h" /dev/null || true
	[ ! -f include/linux/irq_work.h ] || echo include/linux/irq_work.h:1:
} > "$top_of_output/tree")
