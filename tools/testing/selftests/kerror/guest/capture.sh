# SPDX-License-Identifier: GPL-2.0-only
# The same events twice: as kerrord --json prints them, and as bytes for
# another reader.
insmod /modules/evlog_sample.ko || exit 1
insmod /modules/test_evlog.ko || exit 1
for round in 1 2 3; do
	echo 1 > /sys/module/evlog_sample/parameters/trigger || exit 1
	usleep 100000
done
for command in "raw 0 1" "raw 100 3" "iov 30 4294967295" "write 0 0" \
	       "write 50 1" "long 9000" "facility 80" contexts table "random 7 100" \
	       "limited 30"; do
	echo "$command" > /sys/module/test_evlog/parameters/raise || exit 1
done
kerrord --json --group=all --idle=500 || exit 1
capture
