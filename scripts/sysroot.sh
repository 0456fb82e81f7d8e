#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Gets what programs of another architecture are built with and run with:
# sysroot.sh arm64|i386|s390x. Compiler and C library are Debian's cross compiler;
# libmnl, json-c and a static busybox are Debian's packages for that
# architecture, unpacked into build/sysroot-ARCH and not installed. Run again, it
# does nothing. (userland.sh is for Linux 2.6, on which no glibc runs.)
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: sysroot.sh arm64|i386|s390x"
out=$BUILD/sysroot-$1
log=$out.log
case $1 in
arm64) compiler=aarch64 ;;
i386) compiler=i686 ;;
*) compiler=$1 ;;
esac
need_packages apt "gcc-$compiler-linux-gnu" "libc6-dev-$1-cross" pkg-config
[ ! -e "$out/built" ] || exit 0

step "user space for $1: fetching packages"
rm -rf "$out"
mkdir -p "$out/packages"
own_apt "$out/apt" deb -o APT::Architecture="$1" -o APT::Architectures="$1"
(cd "$out/packages" && apt-get $apt -q download \
	libmnl0 libmnl-dev libjson-c5 libjson-c-dev busybox-static) > "$log" 2>&1 ||
	{ tail -5 "$log" >&2; die "no packages for $1: $log"; }
for package in "$out"/packages/*.deb; do dpkg-deb -x "$package" "$out"; done
rm -rf "$out/packages" "$out/apt"
touch "$out/built"
