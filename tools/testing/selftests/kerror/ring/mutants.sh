#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Breaks kerror_ring.h in the ways that mutants.txt lists, and sees that explore
# finds each. "make check" runs it.
#
# usage: mutants.sh RING FOLDER COMMAND...
#
# COMMAND compiles explore with -I FOLDER/NAME and -o FOLDER/NAME/explore, which
# this adds. Prints a line of TAP for each mutant.

set -u
ring=$1
folder=$2
shift 2

bad=0
number=0
while IFS="$(printf '\t')" read -r name expected expression; do
	case $name in
	'' | '#'*) continue ;;
	esac
	number=$((number + 1))
	place=$folder/$number
	mkdir -p "$place"
	sed "$expression" "$ring" >"$place/kerror_ring.h"
	why=
	if cmp -s "$ring" "$place/kerror_ring.h"; then
		why='its expression changes nothing'
	elif ! "$@" -I "$place" -o "$place/explore" 2>"$place/errors"; then
		why="does not compile: $place/errors"
	elif timeout 600 "$place/explore" -q >"$place/log"; then
		why='nothing was found'
	elif ! grep -q "^not ok .*: .*$expected" "$place/log"; then
		why="found otherwise: $(grep -m1 '^not ok' "$place/log")"
	fi
	if [ "$why" ]; then
		echo "not ok - mutant, $name: $why"
		bad=1
	else
		echo "ok - mutant, $name:$(sed -n 's/^not ok .*: / /p' "$place/log")"
	fi
done <"$(dirname "$0")/mutants.txt"
exit $bad
