#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes as much of a kernel tree as the generator looks at, from a record of it:
# recorded-tree.sh RELEASE|NAME FOLDER
# or prints such a record: recorded-tree.sh --record KERNEL_TREE ORIGIN
#
# The record of a RELEASE is its series in patches/: the context lines in
# patches/RELEASE, and the lines in patches/RELEASE/tree. The record of a tree that
# has no series there is scripts/trees/NAME, with the same lines as FILE:LINE:TEXT
# behind a comment, which says where the tree is from. All other lines of the tree
# are fillers. So what make-series.sh prints for a tree can be checked without the
# kernel's source at hand.
#
# ORIGIN is that comment. A tree that gets no series is recorded by its release and
# by the files that it has; the reason, a part of what make-series.sh says, is added
# to the record by hand, as a line "# refused: TEXT".
set -eu

usage() {
	echo "usage: recorded-tree.sh RELEASE|NAME FOLDER, or --record KERNEL_TREE ORIGIN" >&2
	exit 1
}
[ $# -ge 2 ] || usage
scripts=$(cd "$(dirname "$0")" && pwd)

# lines_before FOLDER RELEASE: what the series there found in the tree, as
# FILE:LINE:TEXT. Of a file that several patches change, only the first shows it as
# it was.
lines_before() {
	(cd "$1" && awk '
	FNR == 1 { for (file in changing) changed[file]; delete changing }
	/^--- / { file = $2 == "/dev/null" ? "" : substr($2, 3); in_hunk = 0; next }
	/^\+\+\+ / && !in_hunk { changing[substr($2, 3)]; next }
	/^@@ / { split($2, place, /[-,]/); line = place[2]; in_hunk = 1; next }
	/^(diff|-- $)/ { in_hunk = 0 }
	in_hunk && file != "" && !(file in changed) && /^[ -]/ { print file ":" line++ ":" substr($0, 2) }
	' $(cat "series-$2") && cat "$2/tree")
}

# record KERNEL_TREE: more than lines_before() are the protocols of netlink, as one
# that a vendor added may have the number, or be behind the last one.
record() {
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	if "$scripts/make-series.sh" "$1" "$work" > "$work/log" 2>&1; then
		release=$(basename "$work"/series-*)
		lines_before "$work" "${release#series-}"
		cd "$1"
	else
		cat "$work/log" >&2
		cd "$1"
		grep -nE '^(VERSION|PATCHLEVEL|SUBLEVEL) *=' Makefile /dev/null
		grep -n '^	va_copy(args2, args);' kernel/printk/printk.c /dev/null || true
		for file in $("$scripts/make-series.sh" --files); do
			[ ! -e "$file" ] || echo "$file:1:"
		done
	fi > "$work/lines"
	grep -nE '^#define (NETLINK_[A-Z_0-9]+[ 	]+[0-9]+|MAX_LINKS)' \
		include/linux/netlink.h include/uapi/linux/netlink.h >> "$work/lines" 2>/dev/null || true
	sort -u -t: -k1,1 -k2,2n "$work/lines"
}

if [ "$1" = --record ]; then
	[ $# -eq 3 ] || usage
	printf '# %s\n' "$3"
	record "$2"
	exit 0
fi

patches=$scripts/../patches
if [ -e "$patches/series-$1" ]; then
	lines_before "$patches" "$1"
elif [ -e "$scripts/trees/$1" ]; then
	sed '/^#/d' "$scripts/trees/$1"
else
	echo "recorded-tree.sh: there is no patches/series-$1 and no scripts/trees/$1" >&2
	exit 1
fi | awk -v folder="$2" '
{
	match($0, /^[^:]*:[0-9]*:/)
	split(substr($0, 1, RLENGTH), key, ":")
	text[key[1], key[2]] = substr($0, RLENGTH + 1)
	if (key[2] + 0 > last[key[1]] + 0)
		last[key[1]] = key[2]
}
END {
	for (file in last) {
		path = folder "/" file
		parent = path
		sub(/\/[^\/]*$/, "", parent)
		system("mkdir -p \"" parent "\"")
		for (i = 1; i <= last[file]; i++)
			print (file, i) in text ? text[file, i] : "line " i > path
		close(path)
	}
}'
