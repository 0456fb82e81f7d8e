#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a patched kernel: kernel.sh NAME ARCH [KERNEL_TREE]
#
# NAME is 6.1, 6.12 or 7.3, for Debian's linux-source-NAME and patches/series-NAME, or any
# other name for KERNEL_TREE, which is copied and gets the series that
# make-series.sh prints for it. vanilla-6.12 is 6.12 without the series. ARCH is x86_64, i386, s390x or um; for Linux 2.6
# i386 or x86_64, with the compiler $KCC (gcc unless set). The tree is
# prepared in build/NAME/source, the kernel built in build/NAME/ARCH. Run again, it
# updates only the files that the series has changed, and builds only what depends
# on them. ARCH-FRAGMENT, as in x86_64-debug, adds that fragment to the
# configuration and builds apart; ARCH-FRAGMENT-FRAGMENT adds two. With "source" for
# ARCH, the tree is prepared and nothing built.
. "$(dirname "$0")/common.sh"

[ $# -ge 2 ] || die "usage: kernel.sh NAME x86_64|i386|s390x|um[-FRAGMENT] [KERNEL_TREE]"
KCC=${KCC:-gcc}
name=$1 arch=${2%%-*} tree=${3:-}
source=$BUILD/$name/source
pristine=$BUILD/$name/pristine
out=$BUILD/$name/$2
log=$BUILD/$name/$2.log
patches=$TOP/patches release=${name#vanilla-}
mkdir -p "$BUILD/$name"
# One at a time prepares a tree, or builds in it.
exec 9> "$BUILD/$name.lock"
flock 9

# The kernel's own name of the architecture, and the prefix of its compiler
karch=$arch cross=
[ "$arch" != s390x ] || karch=s390 cross=s390x-linux-gnu-
# Only clang makes code that knows which bytes were initialised.
cc=gcc
[ "${2#*-}" != kmsan ] || cc=clang
# Rust wants packages of Debian 13. rustc takes HOSTCC, its linker, for one word.
rust= hostcc="ccache gcc"
[ "${2#*-}" != rust ] || rust="bindgen rust-src rustc" hostcc=gcc

# fix FILE REGEX SED: edits a file for today's tools, if a line matches: the
# patched copy of one that the series changes, else the one in the tree. sed -i
# makes a new file. The pristine ones stay, so that the series applies.
fix() {
	file=$source/$1
	[ ! -e "$patched/$1" ] || file=$patched/$1
	[ ! -f "$file" ] || ! grep -qE -- "$2" "$file" || sed -E -i "$3" "$file"
}

# fix_old_tree: what keeps Linux 2.6 from being built and booted with today's tools.
fix_old_tree() {
	# make: explicit targets and patterns in one rule are an error
	fix Makefile '^config %config *:' 's/^config %config/%config/'
	fix Makefile '^/ %/ *:' 's,^/ %/,%/,'
	# make: "+ =" is not "+="
	fix drivers/media/dvb/b2c2/Makefile '\+ =' 's/\+ =/+=/'
	# perl: defined() of an array is an error
	fix kernel/timeconst.pl 'defined\(@' 's/defined\((@\w+)\)/\1/'
	# gcc: one name may not be static here and extern there, and a function is
	# as its prototype says (all functions take their arguments in registers)
	fix scripts/kconfig/mconf.c '^static struct menu \*current_menu' 's/^static (struct menu \*current_menu)/\1/'
	fix arch/x86/kernel/ptrace.c '^asmregparm (long|void) syscall_trace' 's/^asmregparm ((long|void) syscall_trace)/\1/'
	fix include/linux/smp.h 'FASTCALL\(smp_send_reschedule' 's/FASTCALL\((smp_send_reschedule\(int cpu\))\)/\1/'
	# as: moves between memory and a segment register are of 16 bits
	grep -rlE 'movl (%%[defgs]s|%%" #seg ").*,%0|movl %0,%%" #seg' "$source/arch/i386/kernel" \
		"$source/include/asm-i386" 2>/dev/null | while read -r file; do
		fix "${file#"$source/"}" movl \
			's/movl ((%%[defgs]s|%%" #seg ").*,%0)/mov \1/; s/movl (%0,%%" #seg)/mov \1/'
	done
	# gcc: the linker's -m must be marked as such
	fix arch/x86/vdso/Makefile '= -m elf' 's/= -m elf/= -Wl,-m,elf/'
	# as: a call of a global function has a relocation that is for programs
	for folder in arch/x86 arch/x86_64; do
		fix $folder/kernel/module.c '^	+case R_X86_64_PC32' 's/case R_X86_64_PC32:/case R_X86_64_PLT32: &/'
	done
	# QEMU: guest.sh says no_timer_check, which x86_64 took the wrong way round
	fix arch/x86_64/kernel/io_apic.c '!no_timer_check && timer' 's/!no_timer_check && timer/no_timer_check || timer/'
	# gcc: there is one header for each major version up to 4
	major=$($KCC -dumpversion | cut -d. -f1)
	if [ -e "$source/include/linux/compiler-gcc4.h" ] && [ "$major" -gt 4 ] &&
		[ ! -e "$source/include/linux/compiler-gcc$major.h" ]; then
		echo '#include <linux/compiler-gcc4.h>' > "$source/include/linux/compiler-gcc$major.h"
	fi
}

need_packages bc bison ccache $cc cpio flex gcc git libc6-dev libelf-dev libssl-dev \
	make patch perl python3 rsync xz-utils ${cross:+gcc-s390x-linux-gnu} $rust

# A tree that another path was given for before is not this one.
if [ "$(cat "$BUILD/$name/unpacked" 2>/dev/null || echo none)" != "$tree" ]; then
	# Nor are its objects, which may be newer than the files of this one.
	rm -rf "$BUILD/$name"
	mkdir -p "$source"
	if [ -n "$tree" ]; then
		step "copying $tree"
		cp -al "$tree/." "$source" 2>/dev/null || cp -a "$tree/." "$source"
	else
		tar=$(kernel_source "$release")
		step "unpacking linux-source-$release"
		tar -C "$source" --strip-components=1 -xf "$tar"
	fi
	printf '%s' "$tree" > "$BUILD/$name/unpacked"
fi
keep_pristine "$name"
case $(release_of "$source") in 2.*) old=yes ;; *) old= ;; esac

# Patched copies of the files are made aside, and only those that differ are
# put into the tree, so that make sees what really changed. No file is written
# in place: it may be a hard link.
if [ -n "$tree" ]; then
	patches=$BUILD/$name/patches
	rm -rf "$patches"
	"$TOP/scripts/make-series.sh" "$pristine" "$patches"
	release=$(basename "$patches"/series-*)
	release=${release#series-}
fi
series=$patches/series-$release
case $name in vanilla-*) series=/dev/null ;; esac
[ -e "$series" ] || die "no series for $release in $patches; give a KERNEL_TREE"
patched=$BUILD/$name/patched
rm -rf "$patched"
mkdir -p "$patched"
cp -rp "$pristine/." "$patched"
while read -r patch; do
	(cd "$patched" && patch -p1 -s -F0 --no-backup-if-mismatch) < "$patches/$patch" ||
		die "$patch does not apply to $source"
done < "$series"
[ -z "$old" ] || fix_old_tree
# User Mode Linux has room for 2696 bytes of the registers of a process, of which
# it sets all or none: no program would run on a processor with AMX (11008).
[ "$karch" != um ] || fix arch/x86/um/user-offsets.c 2696 's/2696/12288/'
# mutants.sh breaks one file on purpose.
if [ "${MUTATE:-}" ]; then
	cp "$patched/$MUTATE_FILE" "$BUILD/$name/intact"
	sed -E -i "$MUTATE" "$patched/$MUTATE_FILE"
	! cmp -s "$patched/$MUTATE_FILE" "$BUILD/$name/intact" || die "nothing in $MUTATE_FILE to mutate"
fi
(cd "$patched" && find . -type f | sed 's,^\./,,' | sort) > "$BUILD/$name/files"
while read -r file; do
	cmp -s "$patched/$file" "$source/$file" && continue
	mkdir -p "$(dirname "$source/$file")"
	cp --remove-destination "$patched/$file" "$source/$file"
done < "$BUILD/$name/files"
if [ -e "$BUILD/$name/added" ]; then
	comm -13 "$BUILD/$name/files" "$BUILD/$name/added" |
		while read -r file; do rm -f "$source/$file"; done
fi
(cd "$pristine" && find . -type f | sed 's,^\./,,' | sort) |
	comm -23 "$BUILD/$name/files" - > "$BUILD/$name/added"
[ "$arch" != source ] || exit 0

# Configuration: everything off but what the fragments ask for.
mkdir -p "$out"
case $old$arch in
yes*) fragments="guest-2.6 $arch-2.6" ;;
i386|x86_64) fragments="guest x86" ;;
*) fragments="guest $arch" ;;
esac
[ "$arch" = "$2" ] || fragments="$fragments $(echo "${2#*-}" | tr - ' ')${old:+-2.6}"
(cd "$SELFTESTS/config" && cat $(printf '%s.config ' $fragments)) > "$out/fragments"
kmake() {
	make -C "$source" O="$out" ARCH="$karch" CROSS_COMPILE="$cross" \
		CC="ccache $cross$cc" HOSTCC="$hostcc" "$@"
}
configure() { KCONFIG_ALLCONFIG="$out/fragments" kmake allnoconfig; }
# Of the lines on standard input, those whose option this release knows and has; the
# rest goes to the file "left-out". Of Linux 2.6: until 2.6.29 NET_NS does not go
# with SYSFS, TIMERFD was broken once; Kconfig.kerror asks for an option of 2.6.32.
known() {
	find "$source" -name 'Kconfig*' ! -path "$source/arch/*" -o \
		-path "$source/arch/[xsu]*/*" -name 'Kconfig*' -o \
		-path "$source/arch/$arch/*" -name 'Kconfig*' |
		xargs awk -v old=$old '
		/^[ \t]*(menu)?config[ \t]/ { option = "CONFIG_" $2; known[option] }
		old && /^[ \t]*depends .*(!SYSFS|BROKEN$)/ { delete known[option] }
		END {
			if (old && !("CONFIG_HAVE_PERF_EVENTS" in known))
				delete known["CONFIG_KERROR_PERSIST"]
			for (option in known) print option
		}' > "$out/known"
	awk -F= -v left="$out/left-out" 'FNR == NR { known[$1]; next }
		$1 in known { print; next }
		{ print $1 > left }' "$out/known" -
}
if [ -n "$old" ]; then
	# Old code means old C, and none of what distributions switch on. The
	# decompressor hangs if -fno-pie comes behind other options.
	cc="ccache $KCC"
	bits=-m32 as="as --32" ld="ld -m elf_i386"
	# Parts of an x86_64 kernel are of 32 bits, and say so. Its decompressor does
	# not say that nobody has switched on SSE.
	[ "$arch" = i386 ] || bits="-mno-sse -mno-mmx" as=as ld=ld
	for flag in "$bits" -fno-pie "-std=gnu89 -fgnu89-inline" -fno-stack-protector -fcf-protection=none; do
		! $KCC $flag -S -o /dev/null -x c /dev/null 2>/dev/null || cc="$cc $flag"
	done
	# Today's headers of the C library do not define these for the host's programs
	hostcc="ccache gcc -std=gnu89 -fcommon -include limits.h -D_GNU_SOURCE -DDEF_SYSSIZE=0x7F00"
	# gcc 3.4 would leave out what only the linker uses, such as each symbol
	# that a module needs; later releases switch that off themselves.
	[ "$($KCC -dumpversion | cut -d. -f1)" -ge 4 ] || cc="$cc -fno-unit-at-a-time"
	# make's MAKEFLAGS have variables, too, which old Makefiles take for options:
	# one with an s made them silent.
	kmake() {
		make -C "$source" O="$out" ARCH="$arch" CC="$cc" AS="$as" LD="$ld" \
			HOSTCC="$hostcc" quiet=quiet_ "$@"
	}
	# Early releases do not read a list of options: all that the fragments make
	# visible is taken as it comes, then asked for again with everything else off.
	configure() {
		kmake allnoconfig && merge 0 && yes "" | kmake oldconfig &&
			merge 1 && yes "" | kmake oldconfig
	}
	merge() {
		awk -F '[= ]' -v off="$1" '
		{ option = $1 == "#" ? $2 : $1 }
		FNR == NR { asked[option] }
		FNR != NR && option in asked { next }
		FNR != NR && off && /=[ym]$/ { $0 = "# " option " is not set" }
		{ print }' "$out/fragments" "$out/.config" > "$out/.config.merged" &&
			mv "$out/.config.merged" "$out/.config"
	}
fi
# Again if an option of the series changed: early releases would do it while they
# build other things.
(cd "$patched" && cat "$out/fragments" $(grep Kconfig "$BUILD/$name/files")) > "$out/options"
if ! cmp -s "$out/options" "$out/options.configured"; then
	step "configuring $name for $2"
	rm -f "$out/left-out"
	configure > "$log" 2>&1 ||
		{ tail -5 "$log" >&2; die "configuring failed: $log"; }
	# =n may also be "is not set"; anything else must be as asked for
	awk -F= '/^CONFIG_/ { last[$1] = $0 } END { for (name in last) print last[name] }' \
		"$out/fragments" | grep -v '=n$' | known |
		while read -r line; do
			grep -qxF "$line" "$out/.config" || echo "$line"
		done > "$out/fragments.missing"
	[ ! -s "$out/left-out" ] ||
		echo "not in this release: $(tr '\n' ' ' < "$out/left-out")" >&2
	[ ! -s "$out/fragments.missing" ] ||
		die "this kernel does not take: $(tr '\n' ' ' < "$out/fragments.missing")"
	cp "$out/options" "$out/options.configured"
fi

targets="${TARGETS:-}"
if [ -z "$targets" ]; then
	case $old$arch in
	um) targets="linux" ;;
	yes*) targets="all" ;;
	*) targets="bzImage modules" ;;
	esac
fi
rm -f "$out/built"
step "building Linux $name for $2 ($targets)"
expected=$(cat "$out/steps" 2>/dev/null || echo 1250)
# Linux 2.6.0 builds fixdep twice at a time, and the second finds half of the first.
{ { [ -z "$old" ] || kmake scripts 2>&1; } && kmake -j"$(nproc)" $targets 2>&1 &&
	touch "$out/built" || rm -f "$out/built"; } | progress "Linux $name" "$expected" > "$log"
[ -e "$out/built" ] || { grep -E 'rror' "$log" | head -20 >&2; die "the build failed: $log"; }
steps=$(grep -c '^  [A-Z]' "$log" || true)
[ "$steps" -lt "$expected" ] || echo "$steps" > "$out/steps"
