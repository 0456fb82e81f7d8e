# SPDX-License-Identifier: GPL-2.0-only
# Raises faults that happen to machines, on a kernel of a distribution, with kerrord and
# the rules that are installed. scripts/faults.sh boots it, with devices and a monitor of
# QEMU at the second serial port, and judges what is printed. The boot parameter list=
# names the faults, parted by commas.
#
# Each fault is a function. A line before it names the modules that it needs: stock.sh
# takes these out of Debian's package. It prepares, calls "begin", causes the fault, and
# names with "raised" the condition that has to come, with "cleared" the one that has to
# go. Each waits for that. A fault that this kernel or QEMU cannot have calls "skip". One
# that ends the guest names with "dies" the condition of the console's last lines. One with
# a line "guest:" gets a guest with these variables of guest.sh.
. /guest/common.sh
export PATH=/bin:/usr/sbin

# ---- what the faults are written in ----

# This shell prefers the applets of busybox.
ip() { /bin/ip "$@"; }
mke2fs() { /bin/mke2fs "$@"; }

# skip REASON: ends the fault.
skip() { echo "SKIP $*"; exit 0; }

# A package need not say what is built in; what has parameters shows here.
load() {
	for module in "$@"; do
		modprobe "$module" 2> /tmp/log || [ -e "/sys/module/$module" ] ||
			skip "no module $module"
	done
}

# begin: what comes from now on is of the fault.
begin() {
	sleep 0.3
	mark
	wc -l < $events > /tmp/begun
	echo "BEGIN $(date +%s)"
}

# mark: raises an event, and waits until kerrord has it, so all before it.
mark() {
	marks=$(($(cat /tmp/marks) + 1))
	echo $marks | tee /tmp/marks > /sys/module/evlog/parameters/test
	until grep -q "\"test event $marks," $events; do sleep 0.2; done
}

# since: what kerrord has written since "begin"
since() { tail -n "+$(($(cat /tmp/begun) + 1))" $events; }

# await CHANGE NAME KEY SECONDS: a report that the condition has changed so
await() {
	tries=$(($4 * 2))
	until since | grep -q "condition $2 $3.*$1" || [ $tries = 0 ]; do
		tries=$((tries - 1))
		sleep 0.5
	done
}

# raised NAME [KEY [SECONDS]]: KEY is its beginning.
raised() {
	echo "RAISED $1 ${2:-}"
	await raised "$1" "${2:-}" "${3:-30}"
}

# cleared NAME [KEY [SECONDS]]
cleared() {
	echo "CLEARED $1 ${2:-}"
	await "cleared by" "$1" "${2:-}" "${3:-30}"
}

dies() { echo "DIES $1"; }

# bug NAME [NUMBER]: of the driver with bugs, in a process that it may end
bug() {
	[ -e /dev/test_faults ] || insmod /modules/test_faults.ko
	sh -c "echo '$*' > /dev/test_faults" 2> /dev/null
}

# monitor COMMAND: of QEMU
monitor() { echo "$*" >&9; }

# wait_for FILE
wait_for() {
	tries=100
	until [ -e "$1" ]; do
		tries=$((tries - 1))
		[ $tries != 0 ] || skip "no $1"
		sleep 0.1
	done
}

# interface DRIVER [WHICH]: its name
interface() {
	for link in /sys/class/net/*/device/driver; do
		case $(readlink "$link") in
		*/"$1") link=${link#/sys/class/net/}; echo "${link%%/*}" ;;
		esac
	done | sed -n "${2:-1}p"
}

# disk PATTERN: the name of the first whose path in /sys has it
disk() {
	tries=100
	while [ $tries != 0 ]; do
		for link in /sys/block/*; do
			case $(readlink "$link") in
			*$1*) echo "${link##*/}"; return ;;
			esac
		done
		tries=$((tries - 1))
		sleep 0.1
	done
	return 1
}

# image MEGABYTES: a loop device of that size
image() {
	load loop
	file=$(mktemp /tmp/image.XXXXXX)
	truncate -s "$1M" "$file"
	device=$(losetup -f) && losetup "$device" "$file" && echo "$device"
}

# volume NAME DEVICE MEGABYTES: of the device mapper; NAME may be there already.
volume() {
	table="0 $(($3 * 2048)) linear $2 0"
	[ "$2" != error ] || table="0 $(($3 * 2048)) error"
	if [ -e "/dev/mapper/$1" ]; then
		dmsetup suspend --nolockfs --noflush --noudevsync "$1" &&
		dmsetup load "$1" --table "$table" && dmsetup resume --noudevsync "$1"
	else
		dmsetup create "$1" --noudevsync --table "$table" && dmsetup mknodes "$1"
	fi > /tmp/log 2>&1 || cat /tmp/log
}

# number VOLUME: such as dm-0
number() { dmsetup info -c --noheadings -o blkdevname "$1"; }

uptime_s() { cut -d. -f1 /proc/uptime; }

# stuck: the tasks that nothing but their device can end
stuck() {
	for task in /proc/[0-9]*; do
		grep -q '^State:.D' "$task/status" 2> /dev/null &&
			echo "$(cat "$task/comm") in $(sed -n '2s/.* //p' "$task/stack")"
	done | paste -sd, -
}

for part in kernel disks network; do . /guest/faults-$part.sh; done

# ---- all of them ----

echo 'root:x:0:0::/:/bin/sh
nobody:x:65534:65534::/:/bin/sh
kerror:x:100:100::/:/bin/false' > /etc/passwd
echo 'root:x:0:
nobody:x:65534:
kerror:x:100:' > /etc/group
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
mkdir /run
mount -t cgroup2 none /cgroup && echo +memory > /cgroup/cgroup.subtree_control
mount -t debugfs none /sys/kernel/debug
ip link set lo up
echo /bin/modprobe > /proc/sys/kernel/modprobe
if [ -e /dev/ttyS1 ]; then
	exec 9<> /dev/ttyS1
	stty raw -echo <&9
	# The monitor's words before that came back to it.
	echo >&9
fi
events=/tmp/events
printf '[kerrord]\nrules = /rules.d\n[store]\n[json]\npath = %s\n' $events \
	> /etc/kerror/kerrord.conf
kerrord 2> /tmp/kerrord.err &
until [ -e $events ]; do
	sleep 0.2
	kill -0 $! 2> /dev/null || { cat /tmp/kerrord.err; exit 1; }
done
echo 0 | tee /tmp/begun > /tmp/marks
mark
for name in $(echo "$list" | tr , ' '); do
	echo "FAULT $name"
	wc -l < $events > /tmp/begun
	(fault_$name) 2>&1 &
	end=$(($(uptime_s) + ${limit:-300}))
	while kill -0 $! 2> /dev/null && [ "$(uptime_s)" -lt $end ]; do
		sleep 0.5
	done
	# Of one that hangs, the next ones are independent.
	kill -9 $! 2> /dev/null && echo "HANGS no end after ${limit:-300} s: $(stuck)"
	sleep 1
	mark
	# An oops has the console show all that is printed.
	dmesg -n 1
	sed 's/^/# /' /tmp/kerrord.err
	: > /tmp/kerrord.err
	since
	kerrorctl health --all --json | tee /tmp/health
	echo END
	# The next fault may end the kernel.
	[ -z "${stores:-}" ] || {
		echo STORE
		tar c -C /var/lib/kerror . | gzip | base64
		echo
	}
	# The next fault raises it anew.
	sed -n '/"raised":true/s/.*"name":"\([^"]*\)".*/\1/p' /tmp/health | sort -u |
		while read -r condition; do kerrorctl clear "$condition"; done > /dev/null
done
exit 0
