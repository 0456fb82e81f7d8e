#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prepares a guest with an unmodified kernel of Debian: stock.sh META
#
# META is a package such as linux-image-amd64, linux-image-rt-amd64 or
# linux-image-6.12-amd64. Its kernel is unpacked to build/META, not installed; its
# headers are installed, and kerror.ko, evlog.ko and the modules of the tests are
# built with them. Then guest.sh META SCRIPT boots it, and its guest loads the modules
# first. Run again, it builds what has changed.
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: stock.sh linux-image-FLAVOUR"
meta=$1
out=$BUILD/$meta

# on_which PACKAGE REGEX: the package that it depends on
on_which() {
	apt-cache show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Depends: //p' | tr ',|' '\n\n' | sed 's/^ *//; s/ .*//' | grep -m1 -E "$2"
}
# Old lists name packages that no mirror has any more.
[ -e "$out/release" ] || apt-get update -qq || true
image=$(on_which "$meta" '^linux-image-[0-9]') ||
	die "no package $meta; apt-cache search linux-image- lists those that there are"
release=${image#linux-image-}
need_packages busybox-static cpio dpkg-dev "linux-headers-$release" make gcc
mkdir -p "$out/x86_64/arch/x86/boot"
if [ "$(cat "$out/release" 2>/dev/null)" != "$release" ]; then
	step "fetching $image"
	(cd "$out" && rm -f ./*.deb && apt-get download -q "$image" > log 2>&1) ||
		{ tail -5 "$out/log" >&2; die "apt-get download $image failed"; }
	rm -rf "$out/unpacked"
	dpkg-deb -x "$out"/linux-image-*.deb "$out/unpacked"
	rm -f "$out"/*.deb
	cp "$out/unpacked/boot/vmlinuz-$release" "$out/x86_64/arch/x86/boot/bzImage"
	echo "$release" > "$out/release"
fi

# The programs of the guest are built in the patched tree that is next to it.
case $release in
6.1.*) near=6.1 ;;
6.12.*) near=6.12 ;;
*) near=7.3 ;;
esac
"$TOP/scripts/kernel.sh" $near source
ln -sfn "../$near/source" "$out/source"

step "building the modules for $release"
make -s -C "$TOP/module" OUTPUT="$out/module" KERNEL="/lib/modules/$release/build" TESTS=1 \
	> "$out/module.log" 2>&1 || { grep -m5 -iE 'error|No such' "$out/module.log" >&2; die "failed: $out/module.log"; }
mkdir -p "$out/x86_64/kernel" "$out/x86_64/samples/evlog"
cp "$out"/module/kernel/*.ko "$out/x86_64/kernel"
cp "$out"/module/samples/evlog/*.ko "$out/x86_64/samples/evlog"
cp "$out"/module/*.ko "$out/x86_64"
touch "$out/x86_64/built"
