#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests libkerror's interface: which names it has, that no others come with it, and that
# "make abi" tells it from one that has been changed. Called by "make test" with the output
# folder; prints TAP. Tests that need abigail-tools or dpkg-dev are skipped without them.
set -eu
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS || true
number=0
CC=${CC:-cc}

fail() {
	echo "not ok - $*"
	exit 1
}

ok() {
	number=$((number + 1))
	echo "ok $number $*"
}

# same NAME OTHER: two lists of names
same() { diff "$work/$1" "$work/$2" >"$work/diff" || fail "$1 and $2 differ: $(cat "$work/diff")"; }

# Comments, inline functions and the members of structures are no functions of the library.
sed -e '/\/\*.*\*\//s///' -e '/\/\*/,/\*\//d' libkerror/libkerror.h |
	sed -e '/^static inline/,/^}/d' -e 's/(\*/ /g' |
	grep -o 'kerror_[a-z_]*(' | tr -d '(' | sort -u >"$work/header"
sed -n 's/^\t\(kerror_[a-z_]*\);$/\1/p' libkerror/libkerror.map | sort -u >"$work/map"
# A kernel's tree has no debian/.
packages=$([ ! -d debian ] || echo symbols)
[ ! "$packages" ] ||
	sed -n 's/^ \(kerror_[a-z_]*\)@.*/\1/p' debian/libkerror1.symbols | sort -u >"$work/symbols"
nm -D --defined-only "$out/libkerror.so.1" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' |
	sort -u >"$work/shared"
nm -g --defined-only "$out/libkerror.a" | awk 'NF == 3 { print $3 }' | sort -u >"$work/static"
sed -n 's/^\.F[no] "*\(kerror_[a-z_]*\).*/\1/p' man/libkerror.3 | sort -u >"$work/manual"
[ "$(wc -l <"$work/header")" -gt 50 ] || fail "the header has few functions: $(cat "$work/header")"
for list in map $packages shared static; do same header $list; done
ok "header, map, .symbols, shared and static library have the same names, and no others"

comm -23 "$work/header" "$work/manual" >"$work/missing"
[ ! -s "$work/missing" ] || fail "libkerror(3) lacks $(cat "$work/missing")"
for name in $(sed -n '/^struct kerror_argument {/,/^}/p; /^enum kerror_item {/,/^}/p' libkerror/libkerror.h |
		sed -n 's/.*\<\([a-zA-Z_]*\)[,;]$/\1/p'); do
	grep -q "^\.[A-Z].* $name\>" man/libkerror.3 || fail "libkerror(3) lacks $name"
done
ok "the manual page has each function, and the members of kerror_argument and kerror_item"

# A program may have names that the library has inside.
cat >"$work/program.c" <<'C'
#include <libkerror.h>
#include <stdio.h>

int text_add(void);
int text_add(void) { return 7; }

int main(void)
{
#if LIBKERROR_VERSION < LIBKERROR_VERSION_OF(1, 0, 0)
#error
#endif
	printf("%d.%d.%d %d %d\n", LIBKERROR_VERSION_MAJOR, LIBKERROR_VERSION_MINOR,
	       LIBKERROR_VERSION_MICRO, kerror_version() == LIBKERROR_VERSION, text_add());
	return 0;
}
C
for library in "$out/libkerror.a" "$out/libkerror.so.1"; do
	$CC -I"$out/include" -Ilibkerror -o "$work/program" "$work/program.c" "$library" -lmnl \
		-Wl,-rpath,"$out" || fail "no program can be linked with $library"
	"$work/program" >"$work/version"
	[ "$(cat "$work/version")" = "$(sed -n 's/^Version: //p' "$out/libkerror.pc") 1 7" ] ||
		fail "versions differ: $(cat "$work/version" "$out/libkerror.pc")"
done
ok "header, library and libkerror.pc have one version"

if [ "$packages" ] && command -v dpkg-gensymbols >/dev/null; then
	mkdir -p "$work/debian" "$work/root/usr/lib"
	cp debian/control debian/changelog debian/libkerror1.symbols "$work/debian"
	cp "$out/libkerror.so.1" "$work/root/usr/lib"
	(cd "$work" && dpkg-gensymbols -plibkerror1 -Proot -c4 -e"$work/root/usr/lib/libkerror.so.1" \
		>"$work/log" 2>&1) || fail ".symbols: $(cat "$work/log")"
	ok "dpkg-gensymbols finds what is in .symbols"
else
	ok "dpkg-gensymbols # SKIP there is no dpkg-dev, or no debian/"
fi

# altered NAME: builds $work/NAME/libkerror.so.1 of sources that have been changed there
altered() {
	cp -r Makefile libkerror "$work/$1/"
	(cd "$work/$1" && eval "$2") || fail "$1: the sources cannot be changed"
	make -s -C "$work/$1" OUTPUT="$work/$1" UAPI="$uapi" "$work/$1/libkerror.so.1" \
		>"$work/log" 2>&1 || fail "$1: $(tail -5 "$work/log")"
}

uapi=$(cd "${UAPI:-../../include/uapi}" && pwd)
if command -v abidiff >/dev/null; then
	mkdir "$work/same" "$work/added" "$work/wider"
	altered same :
	altered added 'printf "#include \"libkerror.h\"\nint kerror_one_more(void);\nint kerror_one_more(void) { return 1; }\n" \
		>libkerror/one_more.c && sed -i "s/^local:/\tkerror_one_more;\n&/" libkerror/libkerror.map'
	altered wider 'sed -i "s/^\tconst char \*text;\$/&\n\tint more;/" libkerror/libkerror.h'
	abi() { make -s OUTPUT="$out" UAPI="$uapi" abi SINCE="$work/$1/libkerror.so.1" >"$work/log" 2>&1; }
	abi same || fail "another build of the same sources: $(cat "$work/log")"
	! abi added || fail "a function that is no longer there is not noticed"
	grep -q 'kerror_one_more' "$work/log" || fail "not named: $(cat "$work/log")"
	sed 's/^/# /' "$work/log"
	! abi wider || fail "a structure of another size is not noticed"
	grep -q "struct kerror_argument" "$work/log" || fail "not named: $(cat "$work/log")"
	abidiff "$out/libkerror.so.1" "$work/added/libkerror.so.1" >"$work/log" &&
		fail "an added function is not noticed"
	grep -q "Added function.*kerror_one_more\|\[A\].*kerror_one_more" "$work/log" ||
		fail "not named: $(cat "$work/log")"
	ok "make abi tells a library with another function or structure"
else
	ok "make abi # SKIP there is no abigail-tools"
fi
echo "1..$number"
