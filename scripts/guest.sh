#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a kernel that kernel.sh built, in QEMU: guest.sh NAME SCRIPT [KERNEL]
#
# SCRIPT is one of tools/testing/selftests/kerror/guest/. What the guest prints
# goes to standard output and to build/NAME/SCRIPT.log. The status is 0 only if
# the guest ended with its token in time ($TIMEOUT seconds). SCRIPT "shell"
# gives a shell in the guest. KERNEL is x86_64 unless given, see kernel.sh. i386
# may be any Linux from 2.6.0 on; its programs are static, see userland.sh.
. "$(dirname "$0")/common.sh"

[ $# -ge 2 ] || die "usage: guest.sh NAME SCRIPT [KERNEL]"
name=$1 script=$2 variant=${3:-x86_64}
source=$BUILD/$name/source
kernel=$BUILD/$name/$variant
programs=$BUILD/$name/programs
root=$BUILD/$name/root
log=$BUILD/$name/$script.log
[ "$variant" = x86_64 ] || log=$BUILD/$name/$script-$variant.log
case $variant in
i386*)
	arch=i386 programs=$programs-i386 root=$root-i386 userland=$BUILD/userland-i386
	packages="cpio e2fsprogs make qemu-system-x86"
	;;
*)
	arch=x86_64
	packages="busybox-static cpio gcc kmod libc6-dev libjson-c-dev libmnl-dev make
		pkg-config qemu-system-x86"
	;;
esac
[ -e "$SELFTESTS/guest/$script.sh" ] || die "there is no $SELFTESTS/guest/$script.sh"
[ -e "$kernel/built" ] || die "no kernel for $name; run scripts/kernel.sh $name $variant"

need_packages $packages
[ $arch != i386 ] || "$TOP/scripts/userland.sh"

# build_x86_64: with the shared libraries of this machine
build_x86_64() {
	make -C "$source/tools/kerror" OUTPUT="$programs/tools" daemon &&
	make -C "$source/tools/testing/selftests/kerror" OUTPUT="$programs"
}

# build_i386: without the Makefile of the selftests, which 2.6 has none of.
build_i386() {
	cc=$userland/bin/i386-musl-gcc
	from=$source
	[ -e "$from/tools/kerror/Makefile" ] && [ -e "$from/include/uapi/linux/kerror.h" ] ||
		from=$TOP
	tests=$from/tools/testing/selftests/kerror
	make -C "$from/tools/kerror" OUTPUT="$programs/tools" CC="$cc" \
		PKG_CONFIG="$userland/bin/i386-musl-pkg-config" daemon || return 1
	for program in init capture kerror_test; do
		[ "$programs/$program" -nt "$tests/$program.c" ] &&
		[ "$programs/$program" -nt "$tests/listener.h" ] &&
		[ "$programs/$program" -nt "$programs/tools/libkerror.a" ] &&
		[ "$programs/$program" -nt "$cc" ] && continue
		# The folder is for "../kselftest_harness.h".
		"$cc" -O2 -g -Wall -Wextra -D_GNU_SOURCE -I"$programs/tools/include" \
			-I"$from/tools/kerror/libkerror" -I"$userland/selftests/kerror" \
			-o "$programs/$program" "$tests/$program.c" \
			"$programs/tools/libkerror.a" -lmnl || return 1
	done
}

# The programs are built where the series puts them, in the patched tree.
mkdir -p "$programs/tools"
build_$arch > "$programs/log" 2>&1 ||
	{ tail -20 "$programs/log" >&2; die "building the guest's programs failed: $programs/log"; }

# fill_x86_64: with the programs' shared libraries and their loader
fill_x86_64() {
	image=$kernel/arch/x86/boot/bzImage
	cp /bin/busybox "$root/bin"
	for applet in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox "$root/bin/$applet"; done
	cp "$programs/stress_test" "$root/bin"
	cp "$kernel/samples/evlog/evlog_sample.ko" "$kernel"/kernel/test_evlog*.ko "$root/modules"
	strip -g "$root"/modules/*.ko "$root"/bin/k* "$root/bin/stress_test" "$root/bin/capture"
	ldd "$root/init" "$root/bin/kerrord" "$root/bin/kerror_test" |
		sed -n 's,^[^/]*\(/[^ ]*\) (.*,\1,p' | sort -u |
		while read -r library; do
			mkdir -p "$root$(dirname "$library")"
			cp -L "$library" "$root$library"
		done
}

# fill_i386: old kernels may have been built in their source.
fill_i386() {
	for image in "$kernel"/arch/x86/boot/bzImage "$kernel"/arch/i386/boot/bzImage \
		     "$source"/arch/x86/boot/bzImage "$source"/arch/i386/boot/bzImage none; do
		[ ! -e "$image" ] || break
	done
	[ "$image" != none ] || die "no bzImage in $kernel or $source"
	objects=${image%/arch/*}
	cp "$userland/busybox" "$root/bin"
	while read -r applet; do ln -s busybox "$root/bin/$applet"; done < "$userland/applets"
	for module in "$objects"/samples/evlog/evlog_sample.ko "$objects"/kernel/test_evlog.ko; do
		[ ! -e "$module" ] || cp "$module" "$root/modules"
	done
	i686-linux-gnu-strip "$root/init" "$root"/bin/k* "$root/bin/capture"
	for module in "$root"/modules/*.ko; do
		[ ! -e "$module" ] || i686-linux-gnu-strip -g "$module"
	done
}

rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/guest" "$root/modules"
cp "$programs/init" "$root/init"
cp "$programs/tools/kerrord" "$programs/kerror_test" "$programs/capture" "$root/bin"
cp "$SELFTESTS"/guest/*.sh "$root/guest"
fill_$arch

# Before 2.6.6 there is no program to be run in an initramfs: those kernels get
# a file system in a RAM disk.
case $(release_of "$source") in
2.6.[0-5])
	kbytes=$(($(du -sk "$root" | cut -f1) * 5 / 4 + 2048))
	rm -f "$root.ext2"
	mke2fs -q -F -t ext2 -b 1024 -I 128 -O none,filetype,sparse_super -m 0 \
		-E root_owner=0:0 -d "$root" "$root.ext2" "$kbytes"
	gzip -1 < "$root.ext2" > "$root.gz"
	initrd=$root.gz boot="root=/dev/ram0 rw ramdisk_size=$kbytes init=/init"
	;;
*)
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1) > "$root.cpio.gz"
	initrd=$root.cpio.gz boot=
	;;
esac

# A tick of the serial port wakes no shell: only "shell" reads from it.
[ "$script" = shell ] && input=/dev/stdin || input=/dev/null
cpus=${CPUS:-2}
parameters="kerror.staging_kb=512 kerror.history_kb=8192 guest=$script cpus=$cpus ${APPEND:-}"
if [ $arch = i386 ]; then
	# An emulated timer may be late for the kernel's check of it. An old
	# kernel takes each "x=" that it does not know for PID 1's, up to 6.
	set -- qemu-system-i386 -M pc -accel tcg,thread=multi \
		-smp "$cpus,sockets=$cpus,cores=1,threads=1" -m "${MEMORY:-512}" \
		-append "console=ttyS0 loglevel=${LOGLEVEL:-1} panic=1 no_timer_check $boot $parameters"
else
	set -- qemu-system-x86_64 -M microvm,rtc=on,pic=on,pit=on -cpu max -accel tcg,thread=multi \
		-smp "$cpus" -m "${MEMORY:-1024}" \
		-append "console=ttyS0 tsc=reliable random.trust_cpu=on loglevel=${LOGLEVEL:-1} panic=-1 reboot=t $parameters"
fi
timeout --foreground "${TIMEOUT:-1500}" "$@" -nodefaults -no-user-config -display none \
	-no-reboot -serial stdio -kernel "$image" -initrd "$initrd" \
	< "$input" | stdbuf -oL tr -d "\r" | tee "$log" || true
grep -q '^GUEST-PASSED$' "$log" && exit 0
grep -q '^GUEST-' "$log" || echo "guest.sh: no token: it hung, panicked or did not boot" >&2
exit 1
