#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Instructions for each output of one event, without those that run once:
# bench_outputs.sh PROGRAM. Needs valgrind.
set -e

collected() {	# output count
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
		sed -n 's/.*Collected : //p'
}

program=$1
echo "instructions per event"
for output in text json line syslog journal environment; do
	less=$(collected $output 1000)
	more=$(collected $output 2000)
	printf '%-12s %6d\n' $output $(((more - less) / 1000))
done
