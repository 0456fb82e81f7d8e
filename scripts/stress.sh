#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The long form of the stress tests: builds 6.12 with the kernel's own detectors
# and has events raised from everywhere at once, with each message of the kernel among
# them: stress.sh [EVENTS [KERNEL...]]. A debug kernel is slow in emulation, and so is its
# build: allow an hour. KERNELs are those below, all of them unless given. um-kasan corrupts
# what another kernel left, $ROUNDS times.
. "$(dirname "$0")/common.sh"

events=${1:-1000000}
[ $# -le 1 ] && set -- x86_64 x86_64-debug x86_64-kcsan x86_64-kmsan x86_64-rt um-kasan || shift
failed=0

# run KERNEL MEGABYTES: one guest.
run() {
	log=$BUILD/6.12/stress-$1.log
	[ "$1" != x86_64 ] || log=$BUILD/6.12/stress.log
	"$TOP/scripts/kernel.sh" 6.12 "$1"
	step "stress of $1: $events events"
	if MEMORY=$2 TIMEOUT=3600 APPEND="events=$events forward=8" \
	   "$TOP/scripts/guest.sh" 6.12 stress "$1" > "$BUILD/6.12/stress.out" 2>&1; then
		echo "ok - $1"
	else
		echo "not ok - $1: $log"
		failed=1
	fi
	grep -aE '^(ok|not ok)|raised|messages of|^kernel log' "$log" | sed 's/^/    /'
}

# Memory of another kernel, in which anything may be
corrupt() {
	rounds=${ROUNDS:-100000}
	step "$rounds corruptions of what outlives the kernel: KASAN"
	if KERNEL=um-kasan TIMEOUT=3600 FILTER=kerror_persist "$TOP/scripts/kunit.sh" 6.12 \
	   kerror_persist_kunit.rounds="$rounds" > "$BUILD/6.12/stress.out" 2>&1 &&
	   grep -qE "ok [0-9]+ test_persist_corrupted" "$BUILD/6.12/kunit.log" &&
	   ! grep -aE '^ *not ok|BUG:|WARNING:' "$BUILD/6.12/kunit.log"; then
		echo "ok - um-kasan"
	else
		echo "not ok - um-kasan: $BUILD/6.12/kunit.log"
		failed=1
	fi
	grep -a 'corrupted' "$BUILD/6.12/kunit.log" | sed 's/^/    /'
}

for kernel; do
	case $kernel in
	x86_64) run x86_64 1024 ;;
	x86_64-debug) run x86_64-debug 640 ;;	# KASAN, lockdep, kmemleak, failing allocations
	x86_64-kcsan) run x86_64-kcsan 1024 ;;	# data races
	x86_64-kmsan) run x86_64-kmsan 2048 ;;	# bytes that nobody has initialised
	x86_64-rt) run x86_64-rt 1024 ;;	# PREEMPT_RT
	um-kasan) corrupt ;;
	*) die "there is no $kernel here; say some of: x86_64 x86_64-debug x86_64-kcsan x86_64-kmsan x86_64-rt um-kasan" ;;
	esac
done
exit $failed
