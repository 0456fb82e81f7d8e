# SPDX-License-Identifier: GPL-2.0-only
# A panic while events wait: the console must show them.
insmod /modules/test_evlog.ko || exit 1
kerrord > /dev/null &
sleep 1
echo "panic 20" > /sys/module/test_evlog/parameters/raise
