#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes of a series as much of its kernel tree as the generator looks at:
# recorded-tree.sh RELEASE FOLDER
#
# Those are the context lines of the patches in patches/RELEASE, at their places,
# and the lines in patches/RELEASE/tree. All other lines are fillers. So a
# checked-in series can be compared with what make-series.sh prints now, without
# the kernel's source at hand.
set -eu

[ $# -eq 2 ] || { echo "usage: recorded-tree.sh RELEASE FOLDER" >&2; exit 1; }
cd "$(dirname "$0")/../patches"
[ -e "series-$1" ] || { echo "recorded-tree.sh: there is no patches/series-$1" >&2; exit 1; }
{
	# Lines that were there before: FILE:LINE:TEXT. Of a file that several patches
	# change, only the first shows it as it was.
	awk '
	FNR == 1 { for (file in changing) changed[file]; delete changing }
	/^--- / { file = $2 == "/dev/null" ? "" : substr($2, 3); in_hunk = 0; next }
	/^\+\+\+ / && !in_hunk { changing[substr($2, 3)]; next }
	/^@@ / { split($2, place, /[-,]/); line = place[2]; in_hunk = 1; next }
	/^(diff|-- $)/ { in_hunk = 0 }
	in_hunk && file != "" && !(file in changed) && /^[ -]/ { print file ":" line++ ":" substr($0, 2) }
	' $(cat "series-$1")
	cat "$1/tree"
} | awk -v folder="$2" '
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
