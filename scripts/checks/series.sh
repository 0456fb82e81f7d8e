# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: tests of patches/, of compat/ and of mutants.txt, without a
# kernel's source.

RELEASES=$(cd "$TOP/patches" && set +f && ls -d series-* | sed 's/^series-//' | sort -V)

# The patches are those that the generator prints for the recorded tree of a release.
series_is_current() {
	work=$(mktemp -d)
	"$TOP/scripts/series.sh" "$1" "$work" || return 1
	(cd "$work" && find . -type f) | while read -r file; do
		diff "$work/$file" "$TOP/patches/$file" || exit 1
	done && rm -rf "$work"
}

# Nothing but that is there: no patch is left over from a subject of before.
patches_are_listed() {
	cd "$TOP/patches" && cat series-* | sort -u > "$BUILD/listed" &&
	ls */*.patch | diff - "$BUILD/listed"
}

# As a maintainer would apply it, on the places that it touches.
series_applies() {
	work=$(mktemp -d)
	"$TOP/scripts/recorded-tree.sh" "$1" "$work" && (cd "$work" && git init -q &&
	 git add -A && git -c user.name=x -c user.email=x@x commit -qm base &&
	 sed "s,^,$TOP/patches/," "$TOP/patches/series-$1" |
		xargs git -c user.name=x -c user.email=x@x am &&
	 [ -z "$(git status --short)" ]) && rm -rf "$work"
}

# quilt needs no more than the file of the series.
series_applies_with_quilt() {
	work=$(mktemp -d)
	"$TOP/scripts/recorded-tree.sh" "$1" "$work" &&
	(cd "$work" && QUILT_PATCHES=$TOP/patches QUILT_SERIES=series-$1 quilt push -a --fuzz=0) &&
	rm -rf "$work"
}

# The generator makes a series for the tree of another vendor or release, and it applies;
# or the record has "# refused: TEXT", and that is in the one line that it says.
tree_gets_series() {
	work=$(mktemp -d)
	refused=$(sed -n 's/^# refused: //p' "$TOP/scripts/trees/$1")
	"$TOP/scripts/recorded-tree.sh" "$1" "$work/tree" || return 1
	if "$TOP/scripts/make-series.sh" "$work/tree" "$work/patches" > "$work/log" 2>&1; then
		[ -z "$refused" ] || { echo "not refused: $refused"; return 1; }
		while read -r patch; do
			(cd "$work/tree" && patch -p1 -s -F0) < "$work/patches/$patch" || return 1
		done < "$(echo "$work"/patches/series-*)"
	else
		cat "$work/log"
		[ "$refused" ] && grep -qF -- "$refused" "$work/log" &&
			[ "$(wc -l < "$work/log")" -eq 1 ] && [ ! -e "$work/patches" ] || return 1
	fi
	rm -rf "$work"
}

# KSRC=: the series that is made for a tree is in what kernel.sh builds of it.
own_tree_is_patched() {
	work=$(mktemp -d)
	"$TOP/scripts/recorded-tree.sh" "$1" "$work" || return 1
	"$TOP/scripts/kernel.sh" own-tree source "$work" || return 1
	for file in kerror.c kerror_cpu.c; do
		cmp "$TOP/net/netlink/$file" "$BUILD/own-tree/source/net/netlink/$file" || return 1
	done
	rm -rf "$work" "$BUILD/own-tree"
}

# They are for other kernels: only what the compiler's parser says.
compat_headers_parse() {
	cd "$TOP/compat" && for file in include/kerror_compat.h include/*/*.h *.c; do
		cpp -fpreprocessed -dD "$file" > /dev/null || return 1
		[ "$(grep -cE '^[ 	]*#[ 	]*if' "$file")" = "$(grep -cE '^[ 	]*#[ 	]*endif' "$file")" ] ||
			{ echo "$file: #if without #endif"; return 1; }
	done
}

# What the modules have in place of the kernel's options has the defaults of these.
module_has_the_defaults() {
	awk '/^config / { option = $2 }
	     /^\tdefault [0-9]+$/ { print "#define CONFIG_" option, $2 }' \
		"$TOP/net/netlink/Kconfig.kerror" "$TOP"/kernel/Kconfig.evlog* > "$BUILD/defaults" &&
	[ -s "$BUILD/defaults" ] && while read -r line; do
		tr -s '\t' ' ' < "$TOP/module/kerror_module.h" | grep -qxF "$line" ||
			{ echo "module/kerror_module.h lacks: $line"; return 1; }
	done < "$BUILD/defaults"
}

# Each mutant changes the file that it names, without a build, and a test has the name
# that it gives.
mutants_apply() {
	sed '/^#/d' "$TOP/scripts/mutants.txt" | while IFS= read -r line; do
		field() { printf '%s\n' "$line" | awk -F ' [|] ' -v n="$1" '{ print $n }'; }
		file=$TOP/$(field 3) test=$(field 5)
		! sed -E "$(field 4)" "$file" | cmp -s - "$file" ||
			{ echo "changes nothing: $line"; exit 1; }
		case $test in
		kunit:*|panic) ;;
		tools:*)
			[ -e "$TOP/tools/kerror/tests/${test#tools:}.c" ] ||
				{ echo "no such test: $line"; exit 1; }
			;;
		*)
			grep -qE "^TEST_F(_TIMEOUT)?\(.*\<${test#*.}\>" "$SELFTESTS"/*_test.c ||
				{ echo "no such test: $line"; exit 1; }
			;;
		esac
	done
}

series_checks() {
	group "series"
	for release in $RELEASES; do
		check "series/$release-current" series_is_current "$release"
		check "series/$release-git-am" series_applies "$release"
		check "series/$release-quilt" series_applies_with_quilt "$release"
	done
	for tree in $(ls "$TOP/scripts/trees"); do
		check "series/trees-$tree" tree_gets_series "$tree"
	done
	check series/own-tree own_tree_is_patched 2.6.39
	check series/listed patches_are_listed
	check series/compat compat_headers_parse
	check series/module module_has_the_defaults
	check series/mutants mutants_apply
}
