# SPDX-License-Identifier: GPL-2.0-only
# Causes faults that happen to machines, on a kernel of a distribution, and shows what
# it says of them as events. scripts/try.sh boots it, with a disk and the boot parameter
# sector=, which cannot be read. The script fails if one of the events does not come, or
# if one was lost. Its last part is for programs: the events of errors, EVENTS to END.
. /guest/common.sh

# show: kerrorctl's lines, with what is for programs in a line of its own
show() {
	while IFS= read -r line; do
		case $line in
		*'<id='*) printf '%s\n     <id=%s\n' "${line%%<id=*}" "${line#*<id=}" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

# now TEXT COMMAND FILTER: runs the command, and waits until an event matches.
now() {
	printf 'now: %s\n# %s\n' "$1" "$2"
	sh -c "$2" > /dev/null 2>&1 &
	timeout 60 kerrorctl watch --count=1 --filter="severity<=err && $3" > /tmp/event \
		2> /dev/null
	[ -s /tmp/event ] || { echo "no such event in 60 s: $3"; exit 1; }
	# Other messages of the kernel about it
	sleep 0.5
}

for driver in /modules/[0-9]*.ko; do
	insmod "$driver" || exit 1
done
until [ -e /dev/nvme0n1 ]; do sleep 0.1; done
mkdir /mnt /cgroup
mount -t ext4 /dev/nvme0n1 /mnt && mount -t cgroup2 none /cgroup &&
	echo +memory > /cgroup/cgroup.subtree_control && mkdir /cgroup/small &&
	echo 32M > /cgroup/small/memory.max &&
	echo 1 > /proc/sys/kernel/hung_task_timeout_secs || exit 1
sed 's/ (.* #1/, as Debian built it: #1/' /proc/version
echo "# insmod kerror.ko; insmod evlog.ko"
echo "# kerrorctl watch -o verbose -p err"
mkfifo /tmp/lines
show < /tmp/lines &
shown=$!
kerrorctl watch -o verbose --color="${color:-never}" -p err > /tmp/lines 2>&1 &
watch=$!

now "a program reads a file of which the disk has lost a sector" \
	"dd if=/mnt/ledger of=/dev/null bs=4k iflag=direct" \
	"format~\"%s error, dev %s, sector %llu*\" && arg[1]==\"nvme0n1\" && arg[2]==$sector"
now "a program opens a file whose inode is damaged" \
	"cat /mnt/letters" \
	'format~"EXT4-fs error (device %s): %s:%d: inode #%lu: comm %s:*" &&
		arg[0]=="nvme0n1" && arg[4]=="cat"'
now "a program needs more memory than its control group may have" \
	"echo 0 > /cgroup/small/cgroup.procs; dd if=/dev/zero of=/dev/null bs=100M" \
	'format~"%s: Killed process %d (%s)*" &&
		arg[0]=="Memory cgroup out of memory" && arg[2]=="dd"'
now "a program waits for a file system that stays frozen" \
	"fsfreeze --freeze /mnt; touch /mnt/new" \
	'format~"INFO: task %s:%d blocked*" && arg[0]=="touch"'
fsfreeze --unfreeze /mnt
kill -INT $watch
wait $watch || exit 1
wait $shown
echo EVENTS
kerrorctl watch --json --group=all --filter='severity<=err' --idle=500
echo END
