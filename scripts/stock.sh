#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prepares a guest with an unmodified kernel of Debian: stock.sh META[_SUITE] [try|rules|faults|crash]
#
# META is a package such as linux-image-amd64, linux-image-rt-amd64 or
# linux-image-arm64. Its kernel is taken out of the package, not installed, and
# kerror.ko, evlog.ko and the modules of the tests are built with its headers. Then
# guest.sh META[_SUITE] SCRIPT [arm64] boots it, and its guest loads the modules first.
# Run again, it builds what has changed.
#
# Without SUITE, the package is that of this machine, and its headers are installed.
# With SUITE, such as trixie-backports, all is done in a Debian of that release, which
# is made in build/debian-RELEASE: its compiler and C library are those that the
# headers want. A kernel for arm64 needs a SUITE: its headers cannot be installed here.
#
# META may be vanilla-6.12-debug: a 6.12 without the series, built with the detectors
# of the configuration "debug".
#
# SCRIPT "try" needs no tests, so that no kernel's source is unpacked; but the kernel's
# drivers of an NVMe disk with ext4, and of nlmon. "rules" builds nothing and makes no Debian: it makes a
# catalogue of all that the kernel and its modules print, with the kerrorctl of build/tools.
# "faults" builds the driver with bugs, and takes the modules out of the package that
# guest/faults.sh needs. "crash" builds the tests, and has the drivers of "try", too.
. "$(dirname "$0")/common.sh"

case $#,${2:-} in
1,) tests=1 ;;
2,crash) tests=1 ;;
2,try | 2,rules | 2,faults) tests= ;;
*) die "usage: stock.sh linux-image-FLAVOUR[_SUITE] [try|rules|faults|crash]" ;;
esac
what=${2:-}
# Which modules of the tests are built
test_modules=$tests
[ "$what" != faults ] || test_modules=faults
meta=${1%%_*} suite=
[ "$meta" = "$1" ] || suite=${1#*_}
out=$BUILD/$1
variant=x86_64 boot=arch/x86/boot foreign= cross=
case $meta in
*-arm64*)
	variant=arm64 boot=arch/arm64/boot foreign=:arm64 cross=aarch64-linux-gnu
	[ "$suite" ] || die "$meta is not for this machine; say of which suite, as in ${meta}_bookworm"
	;;
esac

# ---- a Debian with compiler and packages ----

# in_debian COMMAND...: in $root, or on this machine. objtool wants /proc; the mount
# goes with the command.
in_debian() {
	if [ "$suite" ]; then
		unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"
	else
		"$@"
	fi
}

# make_debian RELEASE: in $root; what is left of one that failed goes.
make_debian() {
	[ ! -e "$root/made" ] || return 0
	need_packages debootstrap
	[ "$(id -u)" = 0 ] || die "not root: debootstrap and chroot want to be"
	mirror=$(debian_mirror)
	step "making a Debian $1 in $root"
	rm -rf "$root"
	debootstrap --variant=minbase "$1" "$root" "$mirror" > "$root.log" 2>&1 ||
		{ tail -5 "$root.log" >&2; die "debootstrap failed: $root.log"; }
	printf "deb $mirror %s main\n" "$1" "$1-backports" > "$root/etc/apt/sources.list"
	printf '%s;\n' 'APT::Sandbox::User "root"' 'APT::Keep-Downloaded-Packages "false"' \
		> "$root/etc/apt/apt.conf.d/90stock"
	chroot "$root" dpkg --add-architecture arm64
	touch "$root/made"
}

# Where packages are put, and that folder as seen in_debian
packages=$out inside=$out default=
mkdir -p "$out"
if [ "$suite" ] && [ "$what" = rules ]; then
	SUITES=$suite
	own_apt "$out/apt" deb
	default=$apt suite=
elif [ "$suite" ]; then
	root=$BUILD/debian-${suite%-backports}
	make_debian "${suite%-backports}"
	packages=$root/packages inside=/packages default="-o APT::Default-Release=$suite"
fi
mkdir -p "$packages" "$out/$variant/$boot"

# apt_install PACKAGE...
apt_install() {
	step "installing $*"
	in_debian env DEBIAN_FRONTEND=noninteractive apt-get $default -o DPkg::Lock::Timeout=600 install -y -qq \
		--no-install-recommends "$@" > "$out/log" 2>&1 ||
		{ tail -5 "$out/log" >&2; die "apt-get failed: $out/log"; }
}

# fetch PACKAGE: to $packages, where it is the only one
fetch() {
	step "fetching $1"
	rm -f "$packages"/*.deb
	in_debian env -C "$inside" apt-get $default download -q "$1" > "$out/log" 2>&1 ||
		{ tail -5 "$out/log" >&2; die "apt-get download $1 failed: $out/log"; }
}

# on_which PACKAGE REGEX: the packages that it depends on
on_which() {
	in_debian apt-cache $default show --no-all-versions "$1$foreign" 2>/dev/null |
		sed -n 's/^Depends: //p' | tr ',|' '\n\n' | sed 's/^ *//; s/ .*//' | grep -E "$2"
}

# ---- the kernel and its headers ----

# unpack PACKAGE_FILE PATTERN...: the modules whose paths match, to $unpacked
unpack() {
	unpacked=$out/unpacked archive=$1
	shift
	need_packages kmod xz-utils
	rm -rf "$unpacked"
	mkdir -p "$unpacked"
	# Debian 13 has neither modules.builtin nor /lib/modules in the package.
	dpkg-deb --fsys-tarfile "$archive" | tar -C "$unpacked" -x --wildcards '*/modules.*' \
		"$@" 2> "$out/log" || true
	[ -e "$unpacked/lib" ] || ln -s usr/lib "$unpacked/lib"
	depmod -b "$unpacked" "$release"
}

# depends MODULE...: the files of these and of those that they want, in the order in
# which they are loaded
depends() {
	for driver in "$@"; do
		modprobe -d "$unpacked" -S "$release" --show-depends "$driver" ||
			[ "$what" = faults ] || die "${archive##*/} has no module $driver"
	done > "$out/depends" 2> "$out/log"
	awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$out/depends"
}

# put_module FILE TARGET: unpacked
put_module() {
	case $1 in
	*.xz) xz -dc "$1" > "${2%.xz}" ;;
	*) cp "$1" "$2" ;;
	esac
}

# put_drivers PACKAGE_FILE: to $drivers, numbered in the order in which they are loaded
put_drivers() {
	number=100
	unpack "$1" '*/kernel/block/*' '*/kernel/crypto/*' '*/kernel/arch/x86/crypto/*' \
		'*/kernel/drivers/net/nlmon.*' '*/kernel/drivers/nvme/*' '*/kernel/fs/ext4/*' '*/kernel/fs/jbd2/*' \
		'*/kernel/fs/mbcache.*' '*/kernel/lib/*'
	rm -rf "$drivers"
	mkdir -p "$drivers"
	depends nvme ext4 nlmon | while read -r file; do
		number=$((number + 1))
		put_module "$file" "$drivers/$number-${file##*/}"
	done
}

# put_more PACKAGE_FILE: what the tests of dumps and of pstore load, numbered as above
put_more() {
	number=100
	unpack "$1" '*/kernel/drivers/firmware/qemu_fw_cfg.*' '*/kernel/fs/pstore/*' '*/kernel/lib/*'
	rm -rf "$more"
	mkdir -p "$more"
	for wanted in qemu_fw_cfg ramoops; do
		depends $wanted | while read -r file; do
			number=$((number + 1))
			put_module "$file" "$more/$wanted-$number.ko"
		done
	done
	rm -rf "$unpacked"
}

# wanted_modules: what the faults need, with the release that they are taken from
wanted_modules() {
	echo "$release"
	sed -n 's/^# needs: //p' "$SELFTESTS"/guest/faults-*.sh | tr ' ' '\n' | sort -u
}

# put_modules PACKAGE_FILE: to $faults, for modprobe; what the kernel lacks is left out.
put_modules() {
	step "taking the modules of the faults out of the package"
	unpack "$1" '*/kernel/*'
	rm -rf "$faults"
	mkdir -p "$faults/lib/modules/$release"
	cp "$unpacked/lib/modules/$release"/modules.[bo]* "$faults/lib/modules/$release" || true
	depends $(wanted_modules | tail -n +2) | while read -r file; do
		folder=$faults/lib/modules/$release/$(dirname "kernel/${file##*/kernel/}")
		mkdir -p "$folder"
		put_module "$file" "$folder/${file##*/}"
	done
	find "$faults" -name '*.ko' -exec strip -g {} +
	depmod -b "$faults" "$release"
	rm -rf "$unpacked"
	wanted_modules > "$faults/wanted"
}

# put_catalogue: of the image, or of the packages with its parts
put_catalogue() {
	parts=$(on_which "$image" '^linux-(binary|modules)-[0-9]' || true)
	rm -rf "$out/all"
	mkdir -p "$out/all"
	for part in ${parts:-$image}; do
		fetch "$part$foreign"
		dpkg-deb --fsys-tarfile "$packages/$part"_*.deb | tar -x -C "$out/all"
	done
	rm -f "$packages"/*.deb
	step "making a catalogue of $release"
	"$BUILD/tools/kerrorctl" formats "$out/all" > "$out/catalogue.new" 2> "$out/log" ||
		{ tail -5 "$out/log" >&2; die "kerrorctl formats failed: $out/log"; }
	rm -f "$out"/catalogue-*
	mv "$out/catalogue.new" "$out/catalogue-$release"
	rm -rf "$out/all"
}

# fetch_image: kernel and headers of the packages
fetch_image() {
	# Old lists name packages that no mirror has any more.
	[ -e "$out/release" ] || in_debian apt-get $default update -qq || true
	image=$(on_which "$meta" '^linux-image-[0-9]' | head -1)
	[ "$image" ] ||
		die "no package $meta ${suite:+in $suite}; apt-cache search linux-image- lists those that there are"
	release=${image#linux-image-}
	headers=linux-headers-$release
	need_packages busybox-static cpio dpkg-dev make gcc
	if [ "$what" = rules ]; then
		[ -e "$out/catalogue-$release" ] || put_catalogue
		return
	fi
	if [ -z "$suite" ]; then
		need_packages "$headers"
	elif [ ! -e "$root/usr/src/$headers/built" ]; then
		# Headers may want the kernel to be installed, or are for another processor.
		apt_install make gcc ${cross:+gcc-$cross} $(on_which "$headers" '^(linux-headers-.*-common|linux-kbuild|gcc-)')
		fetch "$headers$foreign"
		dpkg-deb --fsys-tarfile "$packages"/*.deb | tar -x -C "$root" --keep-directory-symlink
		touch "$root/usr/src/$headers/built"
	fi
	drivers=$out/$variant/drivers faults=$out/$variant/faults more=$out/$variant/more
	if [ "$(cat "$out/release" 2>/dev/null)" != "$release" ] ||
	   { ! ls "$drivers" 2>/dev/null | grep -q nlmon && case $what in try | crash) ;; *) false ;; esac; } ||
	   { [ -z "$what" ] && [ ! -d "$more" ]; } ||
	   { [ "$what" = faults ] && [ "$(wanted_modules)" != "$(cat "$faults/wanted" 2>/dev/null)" ]; }; then
		rm -f "$out/release"
		# The image of newer releases is a package that only depends on its parts.
		binary=$(on_which "$image" '^linux-binary-[0-9]' | head -1)
		fetch "${binary:-$image}$foreign"
		dpkg-deb --fsys-tarfile "$packages/${binary:-$image}"_*.deb |
			tar -xO --wildcards "*/vmlinuz*" > "$out/$variant/$boot/bzImage"
		modules=$(on_which "$image" '^linux-modules-[0-9]' | head -1)
		[ -z "$modules" ] || fetch "$modules$foreign"
		case $what in
		try | crash) put_drivers "$packages"/linux-*.deb ;;
		faults) put_modules "$packages"/linux-*.deb ;;
		"") put_more "$packages"/linux-*.deb ;;
		esac
		rm -f "$packages"/*.deb
		echo "$release" > "$out/release"
	fi
	kernel=/lib/modules/$release/build
}

if [ "$meta" = vanilla-6.12-debug ]; then
	"$TOP/scripts/kernel.sh" vanilla-6.12 x86_64-debug-modules
	kernel=$BUILD/vanilla-6.12/x86_64-debug-modules release=6.12
	need_packages busybox-static cpio
	cp "$kernel/arch/x86/boot/bzImage" "$out/x86_64/arch/x86/boot"
else
	fetch_image
fi
[ "$what" != rules ] || exit 0

if [ "$tests" ]; then
	# The programs of the guest are built in the patched tree that is next to it.
	case $release in
	6.1.*) near=6.1 ;;
	6.12*) near=6.12 ;;
	*) near=7.3 ;;
	esac
	"$TOP/scripts/kernel.sh" $near source
	ln -sfn "../$near/source" "$out/source"
fi

# ---- the modules ----

step "building the modules for $release"
module=$out/module
build_modules() {
	if [ "$suite" ]; then
		make -s -C "$TOP/module" tree OUTPUT="$module" TESTS=$test_modules &&
		in_debian make -s -j"$(nproc)" -C "/usr/src/$headers" M="/module/$release" \
			${test_modules:+KERROR_TESTS=$test_modules} \
			${cross:+CROSS_COMPILE=$cross-} modules
	else
		make -s -j"$(nproc)" -C "$TOP/module" OUTPUT="$module" \
			KERNEL="$kernel" TESTS=$test_modules
	fi
}
[ -z "$suite" ] || module=$root/module/$release
build_modules > "$out/module.log" 2>&1 ||
	{ grep -m5 -iE 'error|No such' "$out/module.log" >&2; die "failed: $out/module.log"; }
for folder in . ${tests:+kernel samples/evlog}; do
	mkdir -p "$out/$variant/$folder"
	cp "$module/$folder"/*.ko "$out/$variant/$folder"
done
[ -z "$tests" ] || cp "$module"/module/*.ko "$out/$variant/kernel"
[ "$what" != faults ] || cp "$module/module/test_faults.ko" "$faults"
touch "$out/$variant/built"
