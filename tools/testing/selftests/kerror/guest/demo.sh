# SPDX-License-Identifier: GPL-2.0-only
# The sample driver raises events in four contexts, kerrord prints them.
echo "Linux $(uname -r), $(nproc) CPUs. kerrord waits, the sample driver is loaded:"
insmod /modules/evlog_sample.ko || exit 1
kerrord --color=always &
sleep 1
for round in 1 2 3; do
	echo 1 > /sys/module/evlog_sample/parameters/trigger || exit 1
	sleep 1
done
kill -INT $!
wait $!
