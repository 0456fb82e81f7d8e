#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a kernel that kernel.sh built, in QEMU: guest.sh NAME SCRIPT [KERNEL]
#
# SCRIPT is one of tools/testing/selftests/kerror/guest/. What the guest prints
# goes to standard output and to build/NAME/SCRIPT.log. The status is 0 only if
# the guest ended with its token in time ($TIMEOUT seconds). SCRIPT "shell"
# gives a shell in the guest. KERNEL is x86_64 unless given, see kernel.sh.
. "$(dirname "$0")/common.sh"

[ $# -ge 2 ] || die "usage: guest.sh NAME SCRIPT [KERNEL]"
name=$1 script=$2 variant=${3:-x86_64}
source=$BUILD/$name/source
kernel=$BUILD/$name/$variant
programs=$BUILD/$name/programs
root=$BUILD/$name/root
log=$BUILD/$name/$script.log
[ "$variant" = x86_64 ] || log=$BUILD/$name/$script-$variant.log
[ -e "$SELFTESTS/guest/$script.sh" ] || die "there is no $SELFTESTS/guest/$script.sh"
[ -e "$kernel/built" ] || die "no kernel for $name; run scripts/kernel.sh $name $variant"

need_packages busybox-static cpio gcc kmod libc6-dev libjson-c-dev libmnl-dev make \
	pkg-config qemu-system-x86

# The programs are built where the series puts them, in the patched tree.
mkdir -p "$programs/tools"
make -C "$source/tools/kerror" OUTPUT="$programs/tools" daemon > "$programs/log" 2>&1 &&
make -C "$source/tools/testing/selftests/kerror" OUTPUT="$programs" >> "$programs/log" 2>&1 ||
	{ tail -20 "$programs/log" >&2; die "building the guest's programs failed: $programs/log"; }

rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/guest" "$root/modules"
cp /bin/busybox "$root/bin"
for applet in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox "$root/bin/$applet"; done
cp "$programs/init" "$root/init"
cp "$programs/tools/kerrord" "$programs/kerror_test" "$programs/stress_test" "$programs/capture" "$root/bin"
cp "$SELFTESTS"/guest/*.sh "$root/guest"
cp "$kernel/samples/evlog/evlog_sample.ko" "$kernel"/kernel/test_evlog*.ko "$root/modules"
strip -g "$root"/modules/*.ko "$root"/bin/k* "$root/bin/stress_test" "$root/bin/capture"
# The programs' shared libraries, with the loader
ldd "$root/init" "$root/bin/kerrord" "$root/bin/kerror_test" |
	sed -n 's,^[^/]*\(/[^ ]*\) (.*,\1,p' | sort -u |
	while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1) > "$root.cpio.gz"

# A tick of the serial port wakes no shell: only "shell" reads from it.
[ "$script" = shell ] && input=/dev/stdin || input=/dev/null
cpus=${CPUS:-2}
timeout --foreground "${TIMEOUT:-1500}" qemu-system-x86_64 \
	-M microvm,rtc=on,pic=on,pit=on -cpu max -accel tcg,thread=multi \
	-smp "$cpus" -m "${MEMORY:-1024}" -nodefaults -no-user-config -display none \
	-no-reboot -serial stdio -kernel "$kernel/arch/x86/boot/bzImage" \
	-initrd "$root.cpio.gz" \
	-append "console=ttyS0 tsc=reliable random.trust_cpu=on loglevel=${LOGLEVEL:-1} panic=-1 reboot=t kerror.staging_kb=512 kerror.history_kb=8192 guest=$script cpus=$cpus ${APPEND:-}" \
	< "$input" | stdbuf -oL tr -d "\r" | tee "$log" || true
grep -q '^GUEST-PASSED$' "$log" && exit 0
grep -q '^GUEST-' "$log" || echo "guest.sh: no token: it hung, panicked or did not boot" >&2
exit 1
