#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints measured.txt: what the outputs of one event look like and cost, how often
# the store syncs, what hostile events take, how long queries last. Called by
# "make measured" with the output folder; needs strace and valgrind.
set -eu
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# syncs RATE SEVERITY: of 5 seconds with RATE events each; "mixed": half err or worse
syncs() {
	rm -rf "${work:?}"/*
	mkdir "$work/explain"
	[ "$2" = mixed ] || printf '[12345678]\nseverity = %s\n' "$2" >"$work/explain/all.ini"
	printf '[kerrord]\nuser = root\nstate = %s\nexplain = %s\n[metrics]\ntextfile = %s\ninterval = 1s\n[store]\npath = %s\n' \
		"$work/state" "$work/explain" "$work/metrics" "$work/db" >"$work/conf"
	FAKE_RATE=$1 FAKE_EVENTS=$((5 * $1)) FAKE_START=$(date +%s%N) strace -f -qq \
		-e trace=fdatasync,fsync -o "$work/trace" \
		"$out/obj/tests/kerrord" -c "$work/conf" 2>"$work/err" &
	daemon=$!
	tries=0
	until grep -q "written_total{sink=\"store\"} $((5 * $1))\$" "$work/metrics" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { cat "$work/err" >&2; exit 1; }
		sleep 0.1
	done
	kill "$(cat "/proc/$daemon/task/$daemon/children")"
	wait $daemon
	printf '%8d %-8s %8d %6d\n' "$1" "$2" $((5 * $1)) "$(grep -c 'sync(' "$work/trace")"
}

echo "Made by \"make measured\" on $(date +%Y-%m-%d), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)."
echo
echo "The same event in all outputs"
echo "-----------------------------"
"$out/obj/tests/show_outputs"
echo
echo "Instructions of each output, an event with four arguments (callgrind)"
echo "---------------------------------------------------------------------"
sh tests/bench_outputs.sh "$out/obj/tests/bench_outputs"
echo
echo "Calls of fdatasync() and fsync() of kerrord with a store (strace)"
echo "-----------------------------------------------------------------"
echo "events/s severity   events  calls"
for rate in 100 1000; do
	syncs $rate info
	syncs $rate mixed
	syncs $rate err
done
echo
echo "10,000 hostile events through all sinks at once (test_hostile.py)"
echo "-----------------------------------------------------------------"
python3 tests/test_hostile.py "$out/obj/tests/kerrord"
echo
echo "Queries over a million events (bench_store)"
echo "-------------------------------------------"
"$out/obj/tests/bench_store" "$work/bench.db" 1000000
