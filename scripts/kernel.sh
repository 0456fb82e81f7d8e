#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a patched kernel: kernel.sh NAME ARCH [KERNEL_TREE]
#
# NAME is 6.1 or 6.12, for Debian's linux-source-NAME and patches/NAME, or any
# other name for KERNEL_TREE, which is copied and gets the series that
# make-series.sh prints for it. ARCH is x86_64 or um. The tree is prepared in
# build/NAME/source, the kernel built in build/NAME/ARCH. Run again, it updates
# only the files that the series has changed, and builds only what depends on
# them. ARCH-FRAGMENT, as in x86_64-debug, adds that fragment to the configuration
# and builds apart.
. "$(dirname "$0")/common.sh"

[ $# -ge 2 ] || die "usage: kernel.sh NAME x86_64[-FRAGMENT]|um [KERNEL_TREE]"
name=$1 arch=${2%%-*} tree=${3:-}
source=$BUILD/$name/source
pristine=$BUILD/$name/pristine
out=$BUILD/$name/$2
log=$BUILD/$name/$2.log
series=$TOP/patches/$name
mkdir -p "$BUILD/$name"

need_packages bc bison ccache cpio flex gcc git libc6-dev libelf-dev libssl-dev \
	make patch perl python3 rsync xz-utils

# A tree that another path was given for before is not this one.
if [ "$(cat "$BUILD/$name/unpacked" 2>/dev/null || echo none)" != "$tree" ]; then
	rm -rf "$source" "$pristine" "$BUILD/$name/added" "$BUILD/$name/unpacked"
	mkdir -p "$source"
	if [ -n "$tree" ]; then
		step "copying $tree"
		cp -al "$tree/." "$source" 2>/dev/null || cp -a "$tree/." "$source"
	else
		need_packages "linux-source-$name"
		step "unpacking linux-source-$name"
		tar -C "$source" --strip-components=1 -xf "/usr/src/linux-source-$name.tar.xz"
	fi
	printf '%s' "$tree" > "$BUILD/$name/unpacked"
fi
keep_pristine "$name"

# Patched copies of the files are made aside, and only those that differ are
# put into the tree, so that make sees what really changed. No file is written
# in place: it may be a hard link.
if [ -n "$tree" ]; then
	series=$BUILD/$name/patches
	"$TOP/scripts/make-series.sh" "$pristine" "$series"
fi
[ -e "$series/series" ] || die "no series in $series; give a KERNEL_TREE"
patched=$BUILD/$name/patched
rm -rf "$patched"
mkdir -p "$patched"
cp -rp "$pristine/." "$patched"
while read -r patch; do
	(cd "$patched" && patch -p1 -s -F0 --no-backup-if-mismatch) < "$series/$patch" ||
		die "$patch does not apply to $source"
done < "$series/series"
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

# Configuration: everything off but what the fragments ask for.
mkdir -p "$out"
fragments="$SELFTESTS/config/guest.config $SELFTESTS/config/$arch.config"
[ "$arch" = "$2" ] || fragments="$fragments $SELFTESTS/config/${2#*-}.config"
cat $fragments > "$out/fragments"
kmake() { make -C "$source" O="$out" ARCH="$arch" CC="ccache gcc" HOSTCC="ccache gcc" "$@"; }
if ! cmp -s "$out/fragments" "$out/fragments.configured"; then
	step "configuring $name for $2"
	KCONFIG_ALLCONFIG="$out/fragments" kmake allnoconfig > "$log" 2>&1 ||
		{ tail -5 "$log" >&2; die "configuring failed: $log"; }
	# =n may also be "is not set"; anything else must be as asked for
	awk -F= '/^CONFIG_/ { last[$1] = $0 } END { for (name in last) print last[name] }' \
		"$out/fragments" | grep -v '=n$' |
		while read -r line; do
			grep -qxF "$line" "$out/.config" || echo "$line"
		done > "$out/fragments.missing"
	[ ! -s "$out/fragments.missing" ] ||
		die "this kernel does not take: $(tr '\n' ' ' < "$out/fragments.missing")"
	cp "$out/fragments" "$out/fragments.configured"
fi

targets="${TARGETS:-}"
if [ -z "$targets" ]; then
	case $arch in
	um) targets="linux" ;;
	*) targets="bzImage modules" ;;
	esac
fi
rm -f "$out/built"
step "building Linux $name for $2 ($targets)"
expected=$(cat "$out/steps" 2>/dev/null || echo 1250)
{ kmake -j"$(nproc)" $targets 2>&1 && touch "$out/built" ||
	rm -f "$out/built"; } | progress "Linux $name" "$expected" > "$log"
[ -e "$out/built" ] || { grep -E 'rror' "$log" | head -20 >&2; die "the build failed: $log"; }
steps=$(grep -c '^  [A-Z]' "$log" || true)
[ "$steps" -lt "$expected" ] || echo "$steps" > "$out/steps"
