# SPDX-License-Identifier: GPL-2.0-only
# The cost of events and of their peers; the boot parameter measure=
# says which parts, see bench.c.
mount -t tracefs none /sys/kernel/tracing || exit 1
insmod /modules/test_evlog_bench.ko || exit 1
echo never > /sys/module/kerror/parameters/printk
sed 's/^/kernel /' /proc/version
clock=$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)
echo "clocksource $clock"
# By ticks there is nothing to measure.
[ "$clock" != jiffies ] && [ "$clock" != refined-jiffies ] || exit 1
bench $(echo "$measure" | tr , ' ')
