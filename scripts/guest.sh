#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a kernel that kernel.sh built, in QEMU, or as User Mode Linux if KERNEL
# begins with um: guest.sh NAME SCRIPT [KERNEL]
#
# SCRIPT is one of tools/testing/selftests/kerror/guest/. The guest's output
# goes to standard output and to build/NAME/SCRIPT.log. The status is 0 only if
# the guest ended with its token in time ($TIMEOUT seconds). SCRIPT "shell"
# gives a shell in the guest. SIZES are the boot parameters of the kernel's memory for
# events; an empty one leaves it at its default. DEVICES are options of QEMU, TSC one of the kernel. KERNEL is
# x86_64 unless given, see kernel.sh. The programs are for the kernel's architecture, but
# for i386 if it is x86_64-compat; for Linux 2.6 they are static, see userland.sh, and
# x86_64-compat is its x86_64. SCRIPT "try" has PID 1 and kerrorctl only, "rust" samples, too, "nlmon" tcpdump; "faults" has
# kerrord with its rules, too, and what makes file systems. With RESETS, the guest boots
# again when it dies, its memory as it was, and is reset when it prints "RESET ME"; it
# ends with its token. With DUMP, a panic of the guest ends it, and QEMU dumps its memory to
# that file first. With COMMAND, it is not booted: that file gets QEMU's command, an
# argument per line. With MEMORY_FILE, its memory is that file and outlives QEMU, on x86.
# With COUNT, each instruction takes a nanosecond of the guest; CPUS is 1 then.
. "$(dirname "$0")/common.sh"

[ $# -ge 2 ] || die "usage: guest.sh NAME SCRIPT [KERNEL]"
name=$1 script=$2 variant=${3:-x86_64}
source=$BUILD/$name/source
# A kernel of a distribution has no source here.
release=$(cat "$BUILD/$name/release" 2>/dev/null || release_of "$source")
kernel=$BUILD/$name/$variant
case $release in 2.*) kernel=${kernel%-compat} ;; esac
log=$BUILD/$name/$script.log
[ "$variant" = x86_64 ] || log=$BUILD/$name/$script-$variant.log
[ -e "$SELFTESTS/guest/$script.sh" ] || die "there is no $SELFTESTS/guest/$script.sh"
[ -e "$kernel/built" ] || die "no kernel for $name; run scripts/kernel.sh $name $variant"

# The programs: those of this machine, or others, or such as Linux 2.6 wants.
kind=cross qemu=qemu-system-x86
case $release,$variant in
2.*,i386*|2.*-compat) kind=old arch=i386 ;;
2.*) kind=old arch=x86_64 ;;
*,s390x*) arch=s390x compiler=s390x-linux-gnu qemu=qemu-system-misc ;;
*,arm64*) arch=arm64 compiler=aarch64-linux-gnu triplet=$compiler qemu=qemu-system-arm ;;
*,i386*|*-compat) arch=i386 compiler=i686-linux-gnu ;;
*) kind=native arch=x86_64 ;;
esac
case $script in
try | nlmon | rust) kind=light ;;
faults) kind=faults ;;
esac
need_packages busybox-static cpio e2fsprogs kmod make $qemu
case $kind in
native) suffix= ;;
light | faults) suffix=-$kind ;;
*) suffix=-$arch ;;
esac
programs=$BUILD/$name/programs$suffix root=$BUILD/$name/root$suffix
case $kind in
light) need_packages gcc libc6-dev libmnl-dev pkg-config $([ "$script" != nlmon ] || echo tcpdump) ;;
faults) need_packages $TOOLS_PACKAGES btrfs-progs dmsetup iproute2 xfsprogs ;;
native)
	need_packages $TOOLS_PACKAGES
	[ "$script" != daemon ] || need_packages rsyslog sqlite3 systemd
	[ "$script" != crash ] || need_packages sqlite3
	;;
cross)
	"$TOP/scripts/sysroot.sh" $arch
	sysroot=$BUILD/sysroot-$arch
	libraries=$sysroot/usr/lib/${triplet:-$arch-linux-gnu}
	;;
old)
	"$TOP/scripts/userland.sh" $arch
	userland=$BUILD/userland-$arch
	;;
esac

# build_native: without libcurl and libnats, whose libraries would be a third of the guest's
build_native() {
	make -C "$source/tools/kerror" OUTPUT="$programs/tools" OTLP=n NATS=n daemon control &&
	make -C "$source/tools/testing/selftests/kerror" OUTPUT="$programs"
}

# build_light: without kerrord and the tests, so that no kernel's source is needed
build_light() {
	make -j"$(nproc)" -C "$TOP/tools/kerror" OUTPUT="$programs/tools" STORE=n control &&
	build_small init
}

# build_faults: likewise, but with kerrord
build_faults() {
	make -j"$(nproc)" -C "$TOP/tools/kerror" OUTPUT="$BUILD/tools" daemon control &&
	ln -sfn "$BUILD/tools" "$programs/tools" && build_small init && build_small fault
}

# build_small PROGRAM: of the selftests, of which it has a single file
build_small() {
	[ "$programs/$1" -nt "$SELFTESTS/$1.c" ] ||
		gcc -O2 -g -Wall -D_GNU_SOURCE -o "$programs/$1" "$SELFTESTS/$1.c"
}

# build_cross: without kerrord, which wants more libraries than there are.
build_cross() {
	set -- CC=$compiler-gcc AR=$compiler-ar LDFLAGS="-L$libraries" \
		PKG_CONFIG="env PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$libraries/pkgconfig pkg-config"
	make -C "$source/tools/kerror" OUTPUT="$programs/tools" "$@" STORE=n control &&
	make -C "$source/tools/testing/selftests/kerror" OUTPUT="$programs" "$@"
}

# build_old: without the Makefile of the selftests, which 2.6 has none of.
build_old() {
	cc=$userland/bin/$arch-musl-gcc
	from=$source
	[ -e "$from/tools/kerror/Makefile" ] && [ -e "$from/include/uapi/linux/kerror.h" ] ||
		from=$TOP
	tests=$from/tools/testing/selftests/kerror
	make -C "$from/tools/kerror" OUTPUT="$programs/tools" CC="$cc" \
		PKG_CONFIG="$userland/bin/$arch-musl-pkg-config" STORE=n control || return 1
	for program in init boots capture kerror_test flood_test hang_test; do
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
step "building the guest's programs"
mkdir -p "$programs"
[ $kind = faults ] || mkdir -p "$programs/tools"
build_$kind > "$programs/log" 2>&1 ||
	{ tail -20 "$programs/log" >&2; die "building the guest's programs failed: $programs/log"; }

# fill_native: with the programs' shared libraries and their loader
fill_native() {
	fill /bin/busybox
	cp "$programs/tools/kerrord" "$root/bin"
	servers=
	if [ "$script" = daemon ]; then
		servers="/usr/bin/journalctl /usr/bin/sqlite3 /usr/lib/systemd/systemd-journald
			 /usr/sbin/rsyslogd $(ls /usr/lib/*/rsyslog/im[u]*.so /usr/lib/*/rsyslog/lmnet.so)"
		for file in $servers; do
			mkdir -p "$root$(dirname "$file")"
			cp "$file" "$root$file"
		done
	fi
	if [ "$script" = crash ]; then
		servers=/usr/bin/sqlite3
		cp $servers "$root/bin"
		# A kernel that was built here has none that are modules.
		case $name in linux-image-*) cp "$kernel"/drivers/*.ko "$root/modules" ;; esac
	fi
	fill_tests strip
	fill_libraries "$root/bin/kerrord" "$root/bin/kerror_test" $servers
}

fill_light() {
	fill /bin/busybox
	[ "$script" != rust ] || cp "$kernel"/samples/*/*.ko "$root/modules"
	strip -g "$root"/modules/*.ko "$root"/bin/k*
	[ "$script" = rust ] || cp "$kernel"/drivers/*.ko "$root/modules"
	[ "$script" != nlmon ] || { set -- /usr/bin/tcpdump; cp "$@" "$root/bin"; }
	fill_libraries "$@"
}

fill_faults() {
	fill /bin/busybox
	mkdir -p "$root/lib" "$root/mnt" "$root/cgroup" "$root/etc/kerror" "$root/var/lib"
	set -- /sbin/dmsetup /sbin/mke2fs /sbin/debugfs /sbin/mkfs.xfs /sbin/mkfs.btrfs /bin/ip
	cp -L --remove-destination "$@" "$programs/fault" "$programs/tools/kerrord" "$root/bin"
	cp -r "$TOP/tools/kerror/rules.d" "$root"
	cp -r "$kernel/faults/lib/modules" "$root/lib"
	cp "$kernel/faults/test_faults.ko" "$root/modules"
	strip -g "$root"/modules/*.ko "$root"/bin/k*
	fill_libraries "$programs/tools/kerrord" "$@"
}

# fill_libraries PROGRAM...: what these, PID 1 and kerrorctl load
fill_libraries() {
	ldd "$root/init" "$root/bin/kerrorctl" "$@" |
		sed -n 's,^[^/]*\(/[^ ]*\) (.*,\1,p' | sort -u |
		while read -r library; do
			mkdir -p "$root$(dirname "$library")"
			cp -L "$library" "$root$library"
		done
}

# fill_cross: likewise, but nothing here can load them.
fill_cross() {
	fill "$sysroot/bin/busybox"
	fill_tests $compiler-strip
	mkdir "$root/lib"
	cp -L /usr/$compiler/lib/ld*.so.[12] /usr/$compiler/lib/libc.so.6 \
		"$libraries"/lib*.so.? "$root/lib"
}

# fill BUSYBOX
fill() {
	cp "$1" "$root/bin"
	for applet in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox "$root/bin/$applet"; done
	# The facility itself, for a kernel of a distribution, see stock.sh
	[ ! -e "$kernel/kerror.ko" ] || cp "$kernel/kerror.ko" "$kernel/evlog.ko" "$root/modules"
	[ ! -d "$kernel/more" ] || cp "$kernel"/more/*.ko "$root/modules"
}

# fill_tests STRIP
fill_tests() {
	cp "$programs/kerror_test" "$programs/flood_test" "$programs/hang_test" "$programs/capture" \
		"$programs/stress_test" "$programs/bench" "$programs/boots" "$root/bin"
	cp "$kernel/samples/evlog/evlog_sample.ko" "$kernel"/kernel/test_evlog*.ko "$root/modules"
	"$1" -g "$root"/modules/*.ko "$root"/bin/k* "$root"/bin/*_test \
		"$root/bin/bench" "$root/bin/capture" "$root/bin/boots"
}

fill_old() {
	objects=${image%/arch/*}
	cp "$userland/busybox" "$programs/kerror_test" "$programs/flood_test" \
		"$programs/hang_test" "$programs/capture" "$programs/boots" "$root/bin"
	while read -r applet; do ln -s busybox "$root/bin/$applet"; done < "$userland/applets"
	for module in "$objects"/samples/evlog/evlog_sample.ko "$objects"/kernel/test_evlog.ko; do
		[ ! -e "$module" ] || cp "$module" "$root/modules"
	done
	"$userland/bin/$arch-musl-strip" "$root/init" "$root"/bin/k* "$root"/bin/*_test "$root/bin/capture" \
		"$root/bin/boots"
	for module in "$root"/modules/*.ko; do
		[ ! -e "$module" ] || strip -g "$module"
	done
}

# Old kernels may have been built in their source.
for image in "$kernel"/linux "$kernel"/arch/*/boot/bzImage "$source"/arch/*/boot/bzImage none; do
	[ ! -e "$image" ] || break
done
[ "$image" != none ] || die "no bzImage in $kernel or $source"
rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/guest" "$root/modules"
cp "$programs/init" "$root/init"
cp "$programs/tools/kerrorctl" "$root/bin"
cp "$SELFTESTS"/guest/*.sh "$root/guest"
fill_$kind

# Before 2.6.6 there is no program to be run in an initramfs: those kernels get
# a file system in a RAM disk.
case $release in
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
[ "${variant%%-*}" != um ] || cpus=1
# Devices that the broad configuration has drivers for; the disks have nothing on them.
devices=${DEVICES:-}
case $variant in
*-broad)
	drive() { devices="$devices -drive driver=null-co,size=64M,read-zeroes=on,if=none,id=$1 -device $2,drive=$1"; }
	devices="-audiodev none,id=audio -device e1000e -device rtl8139 -device virtio-net-pci -device vmxnet3 -device pcnet
		-device i82559er -device igb -device qemu-xhci -device usb-ehci,id=ehci -device intel-hda
		-device hda-duplex,audiodev=audio -device ES1370,audiodev=audio -device AC97,audiodev=audio
		-device i6300esb
		-device virtio-rng-pci -device virtio-scsi-pci,id=scsi -device megasas -device pvscsi
		-device lsi53c895a -vga std -device ich9-ahci,id=ahci"
	[ $kind != old ] || devices="-audiodev none,id=audio -device e1000 -device rtl8139 -device pcnet -device i82559er
		-device piix3-usb-uhci -device usb-ehci,id=ehci -device ES1370,audiodev=audio
		-device AC97,audiodev=audio -device lsi53c895a,id=scsi -vga std"
	qemu-system-x86_64 -device help 2>/dev/null | grep -q '"igb"' || devices=$(echo "$devices" | sed 's/-device igb//')
	drive disk0 scsi-hd,bus=scsi.0
	drive disk1 usb-storage,bus=ehci.0
	[ $kind = old ] || { drive disk2 nvme,serial=kerror; drive disk3 virtio-blk-pci; drive disk4 ide-hd,bus=ahci.0; }
	;;
esac
# These patch code in a flood. In QEMU 7.2, a CPU with a thread of its own may go on with an
# instruction that another CPU has replaced; it then handles one breakpoint for ever.
accel=thread=multi
case $script,$name in
tap,* | unload,* | death,* | crash,linux-image-*) accel=thread=single ;;
cost,*) COUNT=yes ;;
esac
# A nanosecond of the guest is an instruction, whatever else this machine does.
[ -z "${COUNT:-}" ] || accel="thread=single -icount shift=0,sleep=off"
parameters="${SIZES-kerror.staging_kb=512 kerror.history_kb=8192} guest=$script cpus=$cpus ${APPEND:-}"
if [ $kind = old ]; then
	# One thread for both CPUs: with two, one boot in fifty or so hung on a busy
	# machine. An emulated timer may be late for the kernel's check of it. An
	# old kernel takes each "x=" that it does not know for PID 1's, up to 6.
	case $variant in i386*) system=i386 ;; *) system=x86_64 ;; esac
	set -- qemu-system-$system -M pc -accel tcg,thread=single \
		-smp "$cpus,sockets=$cpus,cores=1,threads=1" -m "${MEMORY:-512}" \
		-append "console=ttyS0 loglevel=${LOGLEVEL:-1} panic=1 no_timer_check $boot $parameters"
elif [ "${variant%%-*}" = um ]; then
	set -- "$image" mem="${MEMORY:-512}M" initrd="$initrd" rdinit=/init con=null con0=fd:0,fd:1 \
		loglevel="${LOGLEVEL:-1}" off=1 panic=-1 $parameters
elif [ $arch = arm64 ]; then
	# QEMU's manual: the architecture's algorithm to sign pointers is slow to emulate.
	set -- qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on -accel tcg,$accel \
		-smp "$cpus" -m "${MEMORY:-1024}" \
		-append "console=ttyAMA0 random.trust_cpu=on loglevel=${LOGLEVEL:-1} panic=-1 $parameters"
elif [ $arch = s390x ]; then
	set -- qemu-system-s390x -cpu max -accel tcg,thread=multi \
		-smp "$cpus" -m "${MEMORY:-1024}" \
		-append "console=ttysclp0 random.trust_cpu=on loglevel=${LOGLEVEL:-1} panic=-1 $parameters"
else
	# Without ACPI, which the small kernel has not, its tables tell of all CPUs.
	machine=microvm,acpi=off,rtc=on,pic=on,pit=on
	# The emulated TSC has this machine's rate. A guest on a busy machine often
	# fails to measure it, and counts ticks instead; or finds that no timer works.
	khz=$(awk '/^cpu MHz/ { printf "%d", $4 * 1000; exit }' /proc/cpuinfo)
	case $accel in *icount*) khz=1000000 ;; esac
	case $name in linux-image-*) machine=q35 ;; esac
	# microvm has no PCI; these need none.
	case $devices in "" | "-device vmcoreinfo" | "-device ib700") ;; *) machine=q35 ;; esac
	set -- qemu-system-x86_64 -M $machine -cpu "${CPU:-max}" -accel tcg,$accel \
		-smp "$cpus" -m "${MEMORY:-1024}" \
		-append "console=ttyS0 no_timer_check ${TSC-tsc=reliable} ${khz:+tsc_early_khz=$khz} random.trust_cpu=on loglevel=${LOGLEVEL:-1} panic=-1 reboot=t $parameters"
fi
[ "${1##*/}" = linux ] || set -- "$@" -nodefaults -no-user-config -display none -no-reboot \
	-serial stdio $devices -kernel "$image" -initrd "$initrd"
[ -z "${MEMORY_FILE:-}" ] || set -- "$@" -machine memory-backend=memory \
	-object "memory-backend-file,id=memory,size=${MEMORY}M,mem-path=$MEMORY_FILE,share=on"
if [ "${COMMAND:-}" ]; then
	printf '%s\n' "$@" > "$COMMAND"
	exit 0
fi
# QEMU has a monitor in place of -no-reboot, which a program writes to.
[ -z "${DUMP:-}" ] || RESETS=yes
if [ "${RESETS:-}" ]; then
	monitor=$BUILD/$name/monitor
	rm -f "$monitor.in" "$monitor.out"
	mkfifo "$monitor.in" "$monitor.out"
	set -- "$@" -chardev pipe,id=monitor,path="$monitor" -mon chardev=monitor
	for argument; do
		shift
		[ "$argument" = -no-reboot ] || set -- "$@" "$argument"
	done
	exec 3<> "$monitor.in" 4<> "$monitor.out"
	: > "$log"
	tail -n +1 --pid=$$ -f "$log" | while read -r line; do
		case $line in
		"RESET ME"*) echo system_reset >&3 ;;
		*"end Kernel panic"*)
			[ "${DUMP:-}" ] || continue
			printf '%s\n' "dump-guest-memory $DUMP" quit >&3
			break
			;;
		GUEST-*) echo quit >&3; break ;;
		esac
	done &
fi
step "booting Linux $release"
timeout --foreground "${TIMEOUT:-1500}" "$@" < "$input" |
	stdbuf -oL tr -d "\r" | tee "$log" || true
grep -q '^GUEST-PASSED$' "$log" && exit 0
grep -q '^GUEST-' "$log" || echo "guest.sh: no token: it hung, panicked or did not boot" >&2
exit 1
