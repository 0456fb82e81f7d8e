# SPDX-License-Identifier: GPL-2.0-only
# The sample driver raises events in four contexts, kerrord prints them.
. /guest/common.sh
cpus=$(grep -c '^cpu[0-9]' /proc/stat)
echo "Linux $(uname -r), $cpus CPUs. kerrord waits, the sample driver is loaded:"
kerrord --color=always &
sleep 1
sample_rounds 3 || exit 1
sleep 1
kill -INT $!
wait $!
