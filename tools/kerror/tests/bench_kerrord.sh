#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Instructions of kerrord for an event on its way from the kernel, which is played, to its
# store, and those of bench_bare, which inserts the same rows: bench_kerrord.sh FOLDER of the
# programs. What runs once does not count, nor what plays the kernel. Needs valgrind.
set -eu

out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
few=2000 many=12000
mkdir "$work/explain"
printf '[kerrord]\nuser = root\nstate = %s\nexplain = %s\n[metrics]\ntextfile = %s\ninterval = 1s\n[store]\npath = %s\n' \
	"$work/state" "$work/explain" "$work/metrics" "$work/db" > "$work/conf"

# store EVENTS: has kerrord store so many, and bench_bare insert them
store() {
	rm -rf "$work/state" "$work/metrics" "$work"/db* "$work"/new*
	FAKE_RATE=1000000 FAKE_EVENTS=$1 FAKE_START=$(($(date +%s%N) - 1000000000)) \
		valgrind --tool=callgrind --callgrind-out-file="$work/kerrord.$1" \
		"$out/kerrord" -c "$work/conf" > "$work/err" 2>&1 &
	daemon=$!
	tries=0
	until grep -q "written_total{sink=\"store\"} $1\$" "$work/metrics" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 6000 ] || { cat "$work/err" >&2; exit 1; }
		sleep 0.1
	done
	kill $daemon
	wait $daemon
	valgrind --tool=callgrind --toggle-collect=insert_rows \
		--callgrind-out-file="$work/bare.$1" "$out/bench_bare" "$work/db" "$work/new" \
		> "$work/err" 2>&1 || { cat "$work/err" >&2; exit 1; }
}

# of PROGRAM WHAT: instructions for an event
of() {
	for events in $few $many; do
		callgrind_annotate --inclusive=yes --threshold=100 "$work/$1.$events" |
			tr -d , | awk -v what="$2" 'index($0, what) && !n++ { print $1 }'
	done | awk -v events=$((many - few)) '{ n[NR] = $1 }
		END { printf "%d", (n[2] - n[1]) / events }'
}

store $few
store $many
kerrord=$(($(of kerrord "PROGRAM TOTALS") - $(of kerrord fake_kernel.c:make_event)))
bare=$(of bare "PROGRAM TOTALS")
awk -v kerrord="$kerrord" -v bare="$bare" 'BEGIN {
	printf "kerrord %d, bare SQLite %d instructions an event: %.2f\n", kerrord, bare, kerrord / bare }'
