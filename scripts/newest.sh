#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Watches the drift of the kernel: newest.sh [SUITE...]
#
# Takes the newest linux-source of each of Debian's SUITES and says for each whether
# the series applies, the kernel builds, boots, and shows the events of the demo. A
# step that fails says what it lacks on the next line; the status is then 1. What
# each printed is in build/newest/.
. "$(dirname "$0")/common.sh"

[ $# != 0 ] || set -- bookworm bookworm-backports trixie trixie-backports sid
out=$BUILD/newest
mkdir -p "$out"
status=0

# newest_of SUITE: sets $package to NAME_VERSION of its newest linux-source
newest_of() {
	SUITES=$1
	own_apt "$out/apt-$1" deb
	package=$(apt-cache $apt search --names-only '^linux-source-[0-9.]+$' | cut -d' ' -f1 |
		while read -r name; do
			apt-cache $apt show "$name" | sed -n "s/^Version: /$name /p"
		done | sort -t- -k3V | tail -1)
}

# try NAME STEP COMMAND...: its result as a column
try() {
	log=$out/$1-$2.log
	shift 2
	if [ -z "$failed" ] && "$@" > "$log" 2>&1; then
		printf ' %-8s' yes
	elif [ -z "$failed" ]; then
		printf ' %-8s' no
		failed=$log
	else
		printf ' %-8s' -
	fi
}

printf '%-20s %-28s %-8s %-8s %-8s\n' suite "newest linux-source" applies builds events
for suite; do
	newest_of "$suite"
	[ "$package" ] || { printf '%-20s none\n' "$suite"; continue; }
	name=${package%% *} failed=
	name=${name#linux-source-}
	printf '%-20s %-28s' "$suite" "$name (${package##* })"
	tree=$out/linux-$name-${package##* }
	if [ ! -e "$tree/Makefile" ]; then
		fetch_source "$name" "$out" 2> "$out/log"
		mkdir -p "$tree"
		tar -C "$tree" --strip-components=1 -xf "$out/linux-source-$name.tar.xz"
		rm "$out/linux-source-$name.tar.xz"
	fi
	guest=$(name_of "$tree")
	try "$name" applies "$TOP/scripts/kernel.sh" "$guest" source "$tree"
	try "$name" builds "$TOP/scripts/kernel.sh" "$guest" x86_64 "$tree"
	try "$name" events env TIMEOUT=120 "$TOP/scripts/guest.sh" "$guest" demo
	echo
	if [ "$failed" ]; then
		status=1
		printf '    %s: %s\n' "$failed" \
			"$(grep -m1 -E 'make-series:|kernel.sh:|error:|guest.sh:' "$failed" || tail -1 "$failed")"
	fi
done
exit $status
