#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds what a guest with an old kernel needs: userland.sh i386|x86_64. It goes
# to build/userland-ARCH:
#
#   bin/ARCH-musl-gcc          C compiler for static programs
#   bin/ARCH-musl-pkg-config   finds libmnl and json-c, which are static, too
#   bin/ARCH-musl-strip
#   busybox, applets           shell and tools; their names
#   selftests/                 the harness of the kernel's selftests
#
# A static program of today's glibc refuses to start on Linux 2.6 ("kernel too
# old"). musl tries the system call of today and then that of old, so that one
# program runs on 2.6.0 and on everything after it. All is made from Debian's
# sources: those of this machine's suite, or, where a mirror lacks one, of a later
# suite, or unpacked ones in $SOURCES/PACKAGE. libmnl.c stands in for a libmnl that
# no suite has. The kernel's headers are those of linux-source-6.1, as a C
# library has an opinion of its own about them. Run again, it does nothing.
. "$(dirname "$0")/common.sh"

case ${1:-} in
i386) prefix=i686-linux-gnu- machine=-march=i686 compiler=gcc-i686-linux-gnu ;;
x86_64) prefix=x86_64-linux-gnu- machine= compiler=gcc ;;
*) die "usage: userland.sh i386|x86_64" ;;
esac
arch=$1
out=$BUILD/userland-$arch
work=$out/build
log=$out/log
cc=$out/bin/$arch-musl-gcc
kernel=linux-source-6.1

# The wrapper has paths in it, and this file has all decisions.
stamp="$out $(cat "$0" "$TOP/scripts/libmnl.c" | cksum)"
[ "$(cat "$out/built" 2>/dev/null || true)" != "$stamp" ] || exit 0

need_packages apt bzip2 cmake gcc $compiler libc6-dev make perl \
	pkg-config rsync xz-utils
rm -rf "$out"
mkdir -p "$out/bin" "$work"

# run COMMAND...: what it prints goes to the log.
run() { "$@" >> "$log" 2>&1 || { tail -20 "$log" >&2; die "'$*' failed: $log"; }; }

# ---- sources ----

# unpack PACKAGE: puts its source, without Debian's changes, to $work/PACKAGE: that
# of this machine's suite, or of a later one. Fails if no suite has it.
unpack() {
	if [ -d "${SOURCES:-}/$1" ]; then
		cp -r "$SOURCES/$1" "$work/$1"
		return
	fi
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	for suite in $own trixie sid; do
		download "$1" $suite || continue
		[ $suite = $own ] || echo "$1: the mirror lacks $own's source, so this is $suite's"
		mkdir "$work/$1"
		tar -C "$work/$1" --strip-components=1 -xf "$work/$suite/$1"_*.orig.tar.*[!c]
		return
	done
	return 1
}

# download PACKAGE SUITE: fetches its source to $work/SUITE.
download() (
	exec >> "$log" 2>&1
	SUITES=$2
	own_apt "$work/$2" deb-src && cd "$work/$2" &&
		apt-get $apt -q source --download-only --tar-only "$1"
)

step "user space for $arch: fetching sources"
for package in musl libmnl json-c busybox; do
	echo "$package"
	unpack $package && continue
	[ $package = libmnl ] ||
		die "no source of $package: $log; unpack it to FOLDER/$package and set SOURCES=FOLDER"
	echo "libmnl: no suite's source is on the mirror, so scripts/libmnl.c stands in"
done

# ---- compiler ----

step "user space for $arch: headers of $kernel"
mkdir -p "$work/kernel"
tar -C "$work/kernel" --strip-components=1 -xf "$(kernel_source 6.1)" \
	"$kernel/Makefile" "$kernel/Kbuild" "$kernel/scripts" "$kernel/include" \
	"$kernel/arch/x86" "$kernel/tools/testing/selftests/kselftest.h" \
	"$kernel/tools/testing/selftests/kselftest_harness.h" "$kernel/tools/include"
run make -C "$work/kernel" ARCH=$arch headers_install INSTALL_HDR_PATH="$out"
# The programs say "../kselftest_harness.h", found by way of this folder.
mkdir -p "$out/selftests/kerror"
cp "$work"/kernel/tools/testing/selftests/kselftest*.h "$out/selftests"

step "user space for $arch: musl"
(cd "$work/musl" && run ./configure --target=$arch-linux-musl --prefix="$out" \
	--disable-shared --enable-wrapper=gcc CC=${prefix}gcc CFLAGS="-O2 $machine")
run make -C "$work/musl" -j"$(nproc)" install CROSS_COMPILE=$prefix
# No position-independent programs: what maps them at random is newer.
cat > "$cc" <<T
#!/bin/sh
exec ${prefix}gcc -specs "$out/lib/musl-gcc.specs" $machine -fno-pie -no-pie -static "\$@"
T
cat > "$out/bin/$arch-musl-pkg-config" <<T
#!/bin/sh
PKG_CONFIG_LIBDIR="$out/lib/pkgconfig" PKG_CONFIG_PATH= exec pkg-config --static "\$@"
T
ln -s "$(command -v ${prefix}strip)" "$out/bin/$arch-musl-strip"
chmod +x "$out"/bin/$arch-musl-gcc "$out"/bin/$arch-musl-pkg-config

# ---- libraries ----

step "user space for $arch: libmnl, json-c"
mkdir -p "$out/lib/pkgconfig"
if [ -d "$work/libmnl" ]; then
	version=$(sed -n 's/^AC_INIT(\[libmnl\], \[\(.*\)\])/\1/p' "$work/libmnl/configure.ac")
	cp -r "$work/libmnl/include/libmnl" "$out/include"
	(cd "$work/libmnl/src" && echo "#define HAVE_VISIBILITY_HIDDEN 1" > config.h &&
		run "$cc" -O2 -I. -I../include -c attr.c callback.c nlmsg.c socket.c)
else
	# Its header is the same on each architecture.
	need_packages libmnl-dev
	version=$(pkg-config --modversion libmnl)
	mkdir -p "$work/libmnl/src"
	cp -r /usr/include/libmnl "$out/include"
	run "$cc" -O2 -Wall -Wextra -c -o "$work/libmnl/src/socket.o" "$TOP/scripts/libmnl.c"
fi
run ${prefix}ar rcs "$out/lib/libmnl.a" "$work"/libmnl/src/*.o
cat > "$out/lib/pkgconfig/libmnl.pc" <<T
Name: libmnl
Description: Minimalistic Netlink communication library
Version: $version
Libs: -L$out/lib -lmnl
Cflags: -I$out/include
T
# Neither getrandom() nor rdrand: where they are not, json-c complains aloud.
run cmake -S "$work/json-c" -B "$work/json-c/b" -DCMAKE_SYSTEM_NAME=Linux \
	-DCMAKE_SYSTEM_PROCESSOR=${prefix%%-*} -DCMAKE_C_COMPILER="$cc" \
	-DCMAKE_AR="$(command -v ${prefix}ar)" -DCMAKE_INSTALL_PREFIX="$out" \
	-DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
	-DBUILD_STATIC_LIBS=ON -DBUILD_TESTING=OFF -DBUILD_APPS=OFF -DDISABLE_WERROR=ON \
	-DDISABLE_EXTRA_LIBS=ON -DENABLE_RDRAND=OFF -DHAVE_GETRANDOM=OFF
run cmake --build "$work/json-c/b" -j"$(nproc)" --target install

# ---- busybox ----

step "user space for $arch: busybox"
# Its configuration has no fragments: switch on the applets that are wanted in
# one that has all off, and leave the features that they then have undecided, so
# that they get their defaults.
wanted="LFS STATIC LONG_OPTS SHOW_USAGE FEATURE_EDITING FEATURE_TAB_COMPLETION
	SH_IS_ASH CTTYHACK SETSID CAT ECHO PRINTF LS CP MV RM LN MKDIR RMDIR TOUCH
	CHMOD CHOWN MKNOD MKFIFO STAT READLINK BASENAME DIRNAME HEAD TAIL SORT UNIQ
	CUT TR WC TEE SEQ EXPR TEST TEST1 TRUE FALSE SLEEP USLEEP UNAME ID NPROC
	DATE DD SYNC DF ENV OD TIMEOUT MD5SUM SHA256SUM YES TTY STTY CHROOT AWK SED
	GREP EGREP FIND XARGS CMP DIFF VI HEXDUMP MORE CLEAR INSMOD RMMOD LSMOD
	DMESG MOUNT UMOUNT MOUNTPOINT KILL KILLALL PGREP PKILL TASKSET PIDOF PS FREE TOP
	BB_SYSCTL UPTIME"
run make -C "$work/busybox" HOSTCC=gcc allnoconfig
awk -v wanted="$wanted" '
BEGIN { for (i = split(wanted, names); i; i--) on["CONFIG_" names[i]] }
$1 == "#" && $2 in on { print $2 "=y"; next }
/^CONFIG_SH_IS_NONE=y|^(# )?CONFIG_(ASH|FEATURE)_/ && !/_MOUNT_LABEL/ { next }
{ print }' "$work/busybox/.config" > "$work/busybox.config"
cp "$work/busybox.config" "$work/busybox/.config"
{ yes '' | make -C "$work/busybox" HOSTCC=gcc oldconfig; } >> "$log" 2>&1
bb() { make -C "$work/busybox" CC="$cc" HOSTCC=gcc AR=${prefix}ar \
	STRIP=${prefix}strip SKIP_STRIP=y "$@"; }
{ bb -j"$(nproc)" busybox busybox.links 2>&1 && touch "$work/busybox.built" || true; } |
	progress busybox 340 >> "$log"
[ -e "$work/busybox.built" ] || { tail -20 "$log" >&2; die "busybox was not built: $log"; }
${prefix}strip -o "$out/busybox" "$work/busybox/busybox"
sed 's,.*/,,' "$work/busybox/busybox.links" | grep -vx busybox | sort -u > "$out/applets"

# The build's folder is large; the log is kept.
rm -rf "$work"
echo "$stamp" > "$out/built"
