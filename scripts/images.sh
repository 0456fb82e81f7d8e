#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages on a whole Debian, in QEMU: images.sh SUITE [SESSION...]
#
# SUITE is bookworm or trixie. The packages are built in a chroot of it. The disk image
# has its stock kernel and systemd; the guest has no network, so the packages that
# those want are on the disk. images/SESSION lists what is typed at the serial console,
# see console.py; sessions are typed one after the other in one guest. Its output
# goes to standard output and to build/images/SUITE/log.session. It is run as root. The
# image is made anew if one of the packages has changed. SESSION is "install" unless
# given; "none" only makes the image.
. "$(dirname "$0")/common.sh"

case ${1:-} in
bookworm | trixie) suite=$1 ;;
*) die "no SUITE, or another than bookworm and trixie; as in: make images SUITE=bookworm" ;;
esac
shift
[ $# != 0 ] || set -- install
for session in "$@"; do
	[ "$session" = none ] || [ -e "$TOP/scripts/images/$session" ] ||
		die "no session $session; there are: $(cd "$TOP/scripts/images" && echo *)"
done
out=$BUILD/images/$suite
[ "$(id -u)" = 0 ] || die "not root: it makes chroots"
need_packages cpio debootstrap e2fsprogs python3 qemu-system-x86 util-linux
mkdir -p "$out"

# inside FOLDER COMMAND: in a chroot with a /proc, which goes with the command
inside() {
	unshare --mount --pid --fork --mount-proc="$out/$1/proc" chroot "$out/$1" \
		env LC_ALL=C DEBIAN_FRONTEND=noninteractive sh -ec "$2" >> "$out/log" 2>&1 ||
		{ tail -5 "$out/log" >&2; die "failed: $out/log"; }
}

# new_root FOLDER: a minimal Debian
new_root() {
	rm -rf "${out:?}/$1"
	cp -a "$out/base" "$out/$1"
	cp /etc/resolv.conf "$out/$1/etc"
}

: > "$out/log"
if [ ! -e "$out/base/done" ]; then
	step "debootstrap of $suite"
	own_apt "$out/apt" deb
	rm -rf "$out/base"
	debootstrap --variant=minbase "$suite" "$out/base" "$mirror" >> "$out/log" 2>&1 ||
		die "failed: $out/log"
	touch "$out/base/done"
fi

step "building the packages"
sources="$TOP/include $TOP/kernel $TOP/module $TOP/net $TOP/compat $TOP/samples $TOP/tools/kerror"
if [ ! -e "$out/packages/done" ] ||
   [ -n "$(find $sources -name build -prune -o -type f -newer "$out/packages/done" -print -quit)" ]; then
	[ -e "$out/build/ready" ] || new_root build
	rm -rf "$out/build/src" "$out/packages"
	mkdir -p "$out/build/src" "$out/packages"
	(cd "$TOP" && git ls-files -co --exclude-standard include kernel module net compat samples tools/kerror |
		cpio -pdm --quiet "$out/build/src")
	inside build "apt-get update -qq
		cd /src/tools/kerror
		apt-get build-dep -y -qq ./
		apt-get install -y -qq lintian
		apt-get clean
		touch /ready
		DEB_BUILD_OPTIONS=nocheck make deb
		cd build/deb
		lintian --allow-root --fail-on error *.changes"
	for name in kerror kerror-dkms libkerror1 python3-kerror; do
		cp "$out/build/src/tools/kerror/build/deb/$name"_*.deb "$out/packages"
	done
	touch "$out/packages/done"
fi

if [ ! "$out/disk" -nt "$out/packages/done" ]; then
	step "making the image"
	new_root root
	inside root "apt-get update -qq
		apt-get install -y -qq --no-install-recommends build-essential dbus e2fsprogs \
			dkms initramfs-tools kexec-tools linux-headers-amd64 linux-image-amd64 mokutil \
			openssl procps systemd-sysv udev zstd
		apt-get clean"
	cp "$out"/packages/*.deb "$out/root/root"
	# The headers are installed once more by the session "cases".
	inside root "apt-get install -y -qq --download-only /root/*.deb
		apt-get install -y -qq --download-only --reinstall \
			\$(dpkg-query -W -f '\${Package} ' 'linux-headers-*-amd64')"
	echo guest > "$out/root/etc/hostname"
	echo "/dev/vda / ext4 rw 0 1" > "$out/root/etc/fstab"
	echo "PS1='[\$?] guest# '; export TERM=dumb PAGER=cat LC_ALL=C; stty cols 160" \
		>> "$out/root/root/.bashrc"
	getty=$out/root/etc/systemd/system/serial-getty@ttyS0.service.d
	mkdir -p "$getty"
	printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear - dumb\n' \
		> "$getty/autologin.conf"
	# systemd gives its generators 90 seconds, which is little for an emulated machine.
	mkdir -p "$out/root/etc/systemd/system-generators"
	for generator in "$out"/root/usr/lib/systemd/system-generators/*; do
		case $generator in *-fstab-*|*-getty-*) continue ;; esac
		ln -s /dev/null "$out/root/etc/systemd/system-generators/${generator##*/}"
	done
	cp "$out"/root/boot/vmlinuz-* "$out/kernel"
	cp "$out"/root/boot/initrd.img-*64 "$out/initrd"
	rm -f "$out/disk"
	mke2fs -q -t ext4 -d "$out/root" "$out/disk" 4G
	rm -rf "$out/root"
fi

[ "$1" != none ] || exit 0
(cd "$TOP/scripts/images" && cat "$@") > "$out/typed"
step "$* in Debian $suite"
khz=$(awk '/^cpu MHz/ { printf "%d", $4 * 1000; exit }' /proc/cpuinfo)
# The disk stays as it is. On a busy machine, an emulated timer or TSC seems broken. One
# thread for both CPUs, as guest.sh has it for guests that patch code.
TMPDIR=$out python3 "$TOP/scripts/console.py" "$out/typed" "$out/log.session" \
	qemu-system-x86_64 -M q35 -cpu max -accel tcg,thread=single -smp 2 -m 1536 -nodefaults \
	-display none -serial stdio -snapshot -drive "file=$out/disk,format=raw,if=virtio,cache=unsafe" \
	-kernel "$out/kernel" -initrd "$out/initrd" \
	-append "root=/dev/vda rw console=ttyS0 no_timer_check tsc=reliable ${khz:+tsc_early_khz=$khz} loglevel=4 systemd.show_status=0 systemd.default_timeout_start_sec=900 ${APPEND:-}"
