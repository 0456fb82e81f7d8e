# SPDX-License-Identifier: GPL-2.0-only
# Sourced by faults.sh, which says how a fault is written: disks and file systems.

# ---- disks ----

# slow DEVICE: it reads a hundred bytes a second, but for the first command.
slow() { monitor block_set_io_throttle "$1" 100 0 0 0 0 0; }

fast() { monitor block_set_io_throttle "$1" 0 0 0 0 0 0; }

# needs: virtio_blk virtio_pci
fault_virtio_read_error() {
	load virtio_pci virtio_blk
	name=$(disk /block/vd) || skip "no virtio disk"
	begin
	dd if="/dev/$name" of=/dev/null bs=4k skip=512 count=1 iflag=direct 2> /dev/null
	raised disk-error "$name"
}

# needs: scsi_debug sd_mod
fault_scsi_medium() {
	load sd_mod scsi_debug
	name=$(disk /pseudo_) || skip "no disk of scsi_debug"
	echo 2 > /sys/bus/pseudo/drivers/scsi_debug/opts
	begin
	dd if="/dev/$name" of=/dev/null bs=4k skip=580 count=8 2> /dev/null
	raised disk-error "$name"
	raised medium-error "$name"
	echo 0 > /sys/bus/pseudo/drivers/scsi_debug/opts
}

fault_scsi_offline() {
	load sd_mod scsi_debug
	name=$(disk /pseudo_) || skip "no disk of scsi_debug"
	exec 3< "/dev/$name"
	begin
	echo offline > "/sys/block/$name/device/state"
	dd of=/dev/null bs=4k count=1 skip=700 <&3 2> /dev/null
	raised disk-offline "$name"
	echo running > "/sys/block/$name/device/state"
}

# needs: ahci
fault_sata_read_error() {
	load ahci sd_mod
	name=$(disk /ata) || skip "no SATA disk"
	begin
	dd if="/dev/$name" of=/dev/null bs=4k skip=512 count=1 iflag=direct 2> /dev/null
	raised ata-error
	raised disk-error "$name"
}

# needs: nvme
fault_nvme_read_error() {
	load nvme
	name=$(disk /nvme) || skip "no NVMe disk"
	begin
	dd if="/dev/$name" of=/dev/null bs=4k skip=512 count=1 iflag=direct 2> /dev/null
	raised disk-error "$name"
}

# A disk answers late. The second command waits for 40 s, and QEMU for as long as that when
# the controller is reset; without an end of its own, that would be for ever.
fault_nvme_timeout() {
	load nvme
	name=$(disk /nvme) || skip "no NVMe disk"
	stalls=/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
	echo 3000 > "/sys/block/$name/queue/io_timeout"
	# Nothing else is to be told of a guest that stands still.
	echo 60 | tee /proc/sys/kernel/watchdog_thresh > $stalls
	begin
	slow nvme
	for skip in 0 100; do
		dd if="/dev/$name" of=/dev/null bs=4k skip=$skip count=1 iflag=direct 2> /dev/null &
	done
	raised nvme-timeout nvme0
	# The first timeout aborts a command, the second resets the controller.
	sleep 8
	fast nvme
	cleared nvme-timeout nvme0 60
	wait
	echo 10 > /proc/sys/kernel/watchdog_thresh
	echo 21 > $stalls
}

# needs: virtio_scsi
# Nothing is printed: the driver waits for as long as it takes.
fault_virtio_scsi_stuck() {
	load virtio_scsi sd_mod
	name=$(disk "/virtio*/host") || skip "no virtio SCSI disk"
	echo 3 > "/sys/block/$name/device/timeout"
	begin
	slow stuck
	for skip in 0 100; do
		dd if="/dev/$name" of=/dev/null bs=4k skip=$skip count=1 iflag=direct 2> /dev/null &
	done
	sleep 10
	fast stuck
	wait
}

fault_volume_gone() {
	load dm-mod
	volume gone "$(image 16)" 16
	volume gone error 16
	begin
	dd if=/dev/zero of=/dev/mapper/gone bs=4k count=1 conv=fsync 2> /dev/null
	raised disk-error "$(number gone)"
}

# needs: dm-raid raid1
# A disk of a mirror fails; the mirror is made anew and written again.
fault_mirror() {
	load dm-raid raid1
	for leg in 0 1; do
		volume leg$leg "$(image 16)" 16
		volume meta$leg "$(image 4)" 4
	done
	legs="region_size 1024 2 /dev/mapper/meta0 /dev/mapper/leg0"
	legs="$legs /dev/mapper/meta1 /dev/mapper/leg1"
	dmsetup create mirror --noudevsync --table "0 16384 raid raid1 4 0 nosync $legs" ||
		skip "no mirror"
	dmsetup mknodes mirror
	volume leg1 error 16
	begin
	dd if=/dev/zero of=/dev/mapper/mirror bs=4k count=4 conv=fsync 2> /dev/null &
	raised array-degraded
	wait
	dmsetup remove --noudevsync mirror
	volume leg1 "$(image 16)" 16
	dmsetup create mirror --noudevsync --table "0 16384 raid raid1 5 0 rebuild 1 $legs"
	cleared array-degraded
	dmsetup remove --noudevsync mirror
}

# needs: dm-multipath dm-round-robin
fault_path() {
	load dm-multipath dm-round-robin
	device=$(image 8)
	volume path0 "$device" 8
	volume path1 "$device" 8
	dmsetup create paths --noudevsync --table "0 16384 multipath 2 queue_mode bio 0 1 1 \
		round-robin 0 2 1 /dev/mapper/path0 1 /dev/mapper/path1 1" || skip "no multipath"
	dmsetup mknodes paths
	volume path0 error 8
	begin
	dd if=/dev/mapper/paths of=/dev/null bs=4k count=4 iflag=direct 2> /dev/null
	raised path-failed
	volume path0 "$device" 8
	path=$(dmsetup info -c --noheadings --separator : -o major,minor path0)
	dmsetup message paths 0 "reinstate_path $path"
	cleared path-failed
}

# needs: dm-thin-pool
fault_thin_pool() {
	load dm-thin-pool
	meta=$(image 2) data=$(image 16)
	dmsetup create pool --noudevsync --table "0 16384 thin-pool $meta $data 128 32" ||
		skip "no pool"
	dmsetup mknodes pool
	dmsetup message pool 0 "create_thin 0"
	dmsetup create thin --noudevsync --table "0 65536 thin /dev/mapper/pool 0"
	dmsetup mknodes thin
	begin
	dd if=/dev/zero of=/dev/mapper/thin bs=64k count=200 oflag=direct 2> /dev/null &
	raised thin-pool-low
	raised thin-pool-full
	dmsetup suspend --noudevsync --noflush pool
	dmsetup load pool --table "0 32768 thin-pool $meta $data 128 32"
	dmsetup resume --noudevsync pool
	cleared thin-pool-full
	wait
}

# ---- file systems ----

fault_ext4_inode() {
	load ext4
	device=$(image 64)
	mke2fs -q -F -t ext4 "$device" && mount -t ext4 "$device" /mnt && mkdir /mnt/dir
	echo 1 > /mnt/dir/one
	umount /mnt
	debugfs -w -R "set_inode_field dir/one extra_isize 65535" "$device" 2> /dev/null
	mount -t ext4 "$device" /mnt
	begin
	ls -l /mnt/dir > /dev/null 2>&1
	raised filesystem-error "${device#/dev/}"
	umount /mnt
}

fault_ext4_read_only() {
	load ext4 dm-mod
	device=$(image 64)
	volume ext4 "$device" 64
	mke2fs -q -F -t ext4 -e remount-ro /dev/mapper/ext4 && mount -t ext4 /dev/mapper/ext4 /mnt
	echo 1 > /mnt/one
	sync
	volume ext4 error 64
	begin
	dd if=/dev/zero of=/mnt/two bs=64k count=10 2> /dev/null
	sync
	touch /mnt/three 2> /dev/null
	raised journal-aborted "$(number ext4)"
	raised filesystem-read-only "$(number ext4)"
	volume ext4 "$device" 64
	umount /mnt
	mount -t ext4 /dev/mapper/ext4 /mnt
	cleared filesystem-read-only "$(number ext4)"
	umount /mnt
}

# needs: xfs
fault_xfs_shutdown() {
	load xfs dm-mod
	device=$(image 310)
	volume xfs "$device" 310
	mkfs.xfs -q -f /dev/mapper/xfs && mount -t xfs /dev/mapper/xfs /mnt || skip "no XFS"
	echo 1 > /mnt/one
	sync
	volume xfs error 310
	begin
	dd if=/dev/zero of=/mnt/two bs=64k count=10 2> /dev/null
	sync
	raised filesystem-error "$(number xfs)"
	raised filesystem-shut-down "$(number xfs)"
	volume xfs "$device" 310
	umount /mnt
	mount -t xfs /dev/mapper/xfs /mnt
	cleared filesystem-shut-down "$(number xfs)"
	umount /mnt
}

# needs: btrfs
fault_btrfs_checksum() {
	load btrfs
	device=$(image 256)
	mkfs.btrfs -q -f -m single -d single "$device" && mount -t btrfs "$device" /mnt ||
		skip "no btrfs"
	head -c 65536 /dev/zero | tr '\0' Q > /mnt/one
	umount /mnt
	fault overwrite "$(cat "/sys/block/${device#/dev/}/loop/backing_file")" QQQQQQQQQQQQQQQQ
	blockdev --flushbufs "$device"
	mount -t btrfs "$device" /mnt
	begin
	cat /mnt/one > /dev/null 2>&1
	raised checksum-failed "${device#/dev/}"
	raised filesystem-error "${device#/dev/}"
	umount /mnt
}
