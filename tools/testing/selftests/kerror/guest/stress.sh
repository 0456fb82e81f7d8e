# SPDX-License-Identifier: GPL-2.0-only
# Events from everywhere at once; then what the kernel's detectors found.
. /guest/common.sh
has_module test_evlog_stress stress || exit 0
insmod /modules/test_evlog_stress.ko || exit 1
mount -t debugfs none /sys/kernel/debug 2>/dev/null
# A 6.12.117 without anything of ours warns at times (sched_cpu_dying,
# task_non_contending) when a CPU goes on which a task ran 0.9 s before. With no
# runtime for its fair server, so that this is never started, it was not seen.
for server in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
	[ ! -e "$server" ] || echo 0 > "$server" || exit 1
done
STRESS_FORWARD=${forward:-0} STRESS_EVENTS=${events:-1000000} stress_test || exit 1
rmmod test_evlog_stress || exit 1
no_leaks || exit 1
exit 0
