# SPDX-License-Identifier: GPL-2.0-only
# The whole kernel log, and all events since boot, after a boot with much to say:
# for scripts/compare-boot.py. Messages must be forwarded from the first one on.
. /guest/common.sh

# Kernel code that prints in ways of its own.
mount -t debugfs none /sys/kernel/debug 2> /dev/null
for device in /dev/nvme0n1 /dev/sda /dev/sdb /dev/vda /dev/ram0 /dev/hda; do
	for type in ext4 ext3 ext2 xfs btrfs vfat iso9660; do
		mount -t $type $device /mnt 2> /dev/null
	done
done
for interface in $(ls /sys/class/net); do
	ip link set "$interface" up 2> /dev/null || ifconfig "$interface" up 2> /dev/null
done
ip link add link eth0 name eth0.5 type vlan id 5 2> /dev/null
{ brctl addbr br0 && brctl addif br0 eth0 && brctl delif br0 eth0; } 2> /dev/null
for key in h m p q w t l; do
	echo $key > /proc/sysrq-trigger
done 2> /dev/null
cpu=/sys/devices/system/cpu/cpu1/online
[ ! -w $cpu ] || { echo 0 > $cpu; echo 1 > $cpu; }
# A line of user space is no event, and a line that evlog prints is none again.
echo "a line of user space" > /dev/kmsg
echo "<3>another one" > /dev/kmsg
# Where it raises at a rate it is gone already.
sample_rounds 1 && rmmod evlog_sample 2> /dev/null
# The lines behind it were printed while the events were read.
sleep 2
echo "END OF COMPARISON" > /dev/kmsg
echo "EVENTS"
kerrorctl watch --json --group=all --idle=1000
echo "LOG"
timeout 3 cat /dev/kmsg > /tmp/log 2> /dev/null
[ -s /tmp/log ] && cat /tmp/log || dmesg -r -s 4000000 || exit 1
echo "END"
exit 0
