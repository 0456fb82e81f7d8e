# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the guest's scripts: what differs between kernels, from 2.6.0 on.

# A kernel of a distribution gets the facility first.
if [ -e /modules/kerror.ko ] && [ ! -e /sys/module/kerror ]; then
	insmod /modules/kerror.ko $(sed 's/ /\n/g' /proc/cmdline | sed -n 's/^kerror\.//p') &&
	insmod /modules/evlog.ko $(sed 's/ /\n/g' /proc/cmdline | sed -n 's/^evlog\.//p') || exit 1
fi

# load_test_module: with its device, for which devtmpfs makes a node, if it is.
load_test_module() {
	insmod /modules/test_evlog.ko || return 1
	[ -e /dev/test_evlog ] && return
	minor=$(awk '$2 == "test_evlog" { print $1 }' /proc/misc)
	[ -n "$minor" ] && mknod /dev/test_evlog c 10 "$minor"
}

# raise COMMAND...: has the test module raise events.
raise() {
	echo "$*" > /dev/test_evlog
}

# sample_rounds COUNT: COUNT rounds of the sample driver, which is not loaded.
# Before 2.6.10 a module has no files for its parameters: it raises at a rate.
SAMPLE_TRIGGER=/sys/module/evlog_sample/parameters/trigger
sample_rounds() {
	insmod /modules/evlog_sample.ko || return 1
	if [ -e $SAMPLE_TRIGGER ]; then
		for round in $(seq "$1"); do
			[ "$round" = 1 ] || sleep 1
			echo 1 > $SAMPLE_TRIGGER || return 1
		done
		return
	fi
	echo "# no trigger of the sample driver on Linux $(uname -r): it raises at a rate"
	rmmod evlog_sample && insmod /modules/evlog_sample.ko rate=2 &&
		sleep "$1" && rmmod evlog_sample
}

# panic_alone COUNT: panics while COUNT events wait. Where interrupts are off the worker
# cannot run; another CPU's timer could deliver them before that CPU is stopped.
panic_alone() {
	for online in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ ! -e "$online" ] || echo 0 > "$online" || return 1
	done
	taskset -p 1 "$(pidof kerror)" && taskset -p 1 $$ && raise panic "$1"
}

# protocol_number: of NETLINK_KERROR, which may be 7 on Linux 2.6.0 to 2.6.3.
protocol_number() {
	awk '$2 == 27 && $3 == 0 { there = 1 } END { print there ? 27 : 7 }' /proc/net/netlink
}

# has_module NAME TEST: or TAP says that, for want of it, TEST is skipped.
has_module() {
	[ -e "/modules/$1.ko" ] && return
	echo "ok 1 $2 # SKIP no module $1 for Linux $(uname -r)"
	return 1
}

# no_leaks: what kmemleak finds, if it is there
no_leaks() {
	[ -w /sys/kernel/debug/kmemleak ] || return 0
	# A pointer to memory that was freed just now may still be on a stack: look twice.
	echo scan > /sys/kernel/debug/kmemleak
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak
	[ -z "$(cat /sys/kernel/debug/kmemleak)" ]
}
