#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs all tests of this folder, and numbers the lines of TAP that they print.
#
# usage: ... OUTPUT RING COMMAND...    (see mutants.sh)

cd "$(dirname "$0")" || exit 2
output=$1
ring=$2
shift 2

# Promise: the status is 0 only if all tests ran to their end, and passed.
run()
{
	"$@" || echo "not ok - $1 ended with $?"
}

echo 'TAP version 13'
{
	run "$output/explore"
	run ./mutants.sh "$ring" "$output/mutants" "$@"
	run python3 ./lkmm.py litmus/*.litmus
} | awk '
	sub(/^ok - /, "")	{ print "ok " ++n " - " $0; fflush(); next }
	sub(/^not ok - /, "")	{ print "not ok " ++n " - " $0; bad = 1; next }
	{ print }
	END { print "1.." n; exit bad || !n }'
