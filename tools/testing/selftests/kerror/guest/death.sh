# SPDX-License-Identifier: GPL-2.0-only
# On a kernel of a distribution: faults in the tap of printk() end tasks, more of them than
# the tap goes deep. Later messages on that CPU must become events. The boot
# parameter faults= tells PID 1 that the kernel's complaints are wanted.
. /guest/common.sh
[ -e /modules/kerror.ko ] || { echo "ok 1 death # SKIP the facility is built in"; exit 0; }
load_test_module && insmod /modules/test_evlog_death.ko || exit 1
missed=/sys/module/evlog/parameters/tap_missed

if ! echo 10 > /sys/module/test_evlog_death/parameters/deaths 2> /tmp/why; then
	grep -q 'not supported' /tmp/why || { cat /tmp/why; exit 1; }
	echo "ok 1 faults_in_the_tap_end_tasks_only # SKIP no arguments here"
	exit 0
fi
# The watch counts what was missed in the second before.
sleep 2
before=$(cat $missed)
raise "flood 1000 1"
sleep 2
kerrorctl watch --json --group=printk --idle=1000 2> /dev/null > /tmp/events
deaths=$(grep -c '"text":"note: death\[[0-9]*\] exited with preempt_count' /tmp/events)
messages=$(grep -c '"text":"test_evlog: message [0-9]* of CPU' /tmp/events)
echo "# $deaths tasks ended, $messages events of 1000 messages, $before missed, then $(cat $missed)"
[ "$deaths" = 10 ] && [ "$messages" = 1000 ] && [ "$(cat $missed)" = "$before" ] ||
	{ echo "not ok 1 faults_in_the_tap_end_tasks_only"; exit 1; }
echo "ok 1 faults_in_the_tap_end_tasks_only"
