# SPDX-License-Identifier: GPL-2.0-only
# Sourced by faults.sh, which says how a fault is written: memory, the kernel and programs,
# buses.

# ---- memory ----

# needs: i6300esb virtio_balloon mce-inject edac_mce_amd
# Nothing happens: drivers of all devices, and a quiet second.
fault_none() {
	begin
	modprobe -qa $(find /sys/devices -name modalias -exec cat {} + | sort -u)
	sleep 3
}

# A program grows beyond the limit of its group.
fault_oom_cgroup() {
	mkdir /cgroup/small
	echo 32M > /cgroup/small/memory.max
	begin
	sh -c 'echo 0 > /cgroup/small/cgroup.procs; dd if=/dev/zero of=/dev/null bs=100M'
	raised cgroup-out-of-memory dd
	raised cgroup-limit-reached /small
}

fault_oom_global() {
	begin
	tail /dev/zero
	raised out-of-memory tail
}

fault_page_allocation() {
	begin
	bug allocation 9
	raised page-allocation-failed sh
}

# A page is taken out of use, as after a report of the hardware.
fault_memory_failure() {
	[ -e /sys/devices/system/memory/hard_offline_page ] || skip "no CONFIG_MEMORY_FAILURE"
	begin
	echo 0x10000000 > /sys/devices/system/memory/hard_offline_page
	raised memory-failure
}

# A page of a program is broken.
fault_memory_failure_used() {
	[ -e /sys/devices/system/memory/hard_offline_page ] || skip "no CONFIG_MEMORY_FAILURE"
	begin
	fault poison
	raised memory-failure
}

fault_machine_check() {
	echo 1 > /sys/devices/system/machinecheck/machinecheck0/check_interval
	begin
	monitor mce 0 8 0x8c00004000010090 0 0x12345000 0x86
	raised machine-check "0 8"
}

# guest: CPU=Skylake-Client
# One that needs no action; then one of a page that nobody uses, of which only the page is told.
fault_machine_check_uncorrected() {
	echo 1 > /sys/devices/system/machinecheck/machinecheck0/check_interval
	begin
	monitor mce 0 8 0xb000000000000090 0xd 0 0
	raised machine-check-uncorrected "0 8"
	monitor mce 0 9 0xbd000000000000c0 0xd 0x12345000 0x8c
	raised memory-failure
}

fault_machine_check_fatal() {
	begin
	dies machine-check-uncorrected
	dies kernel-panic
	monitor mce 0 8 0xbe00000000010090 5 0x12345000 0x86
	sleep 60
}

# ---- the kernel and programs ----

# needs: dm-mod ext4 loop
# A device answers no more: it is suspended.
fault_hung_task() {
	echo 2 > /proc/sys/kernel/hung_task_timeout_secs
	volume hung "$(image 32)" 32
	mke2fs -q -F -t ext4 -E lazy_itable_init=0 /dev/mapper/hung &&
		mount -t ext4 /dev/mapper/hung /mnt
	dmsetup suspend --noflush --nolockfs --noudevsync hung
	begin
	dd if=/dev/zero of=/mnt/file bs=4k count=4 conv=fsync 2> /dev/null &
	raised task-hung dd
	dmsetup resume --noudevsync hung
	echo 120 > /proc/sys/kernel/hung_task_timeout_secs
	wait
	umount /mnt
}

# A file system is frozen for a snapshot, and stays so.
fault_hung_task_frozen() {
	echo 2 > /proc/sys/kernel/hung_task_timeout_secs
	device=$(image 32)
	mke2fs -q -F -t ext4 -E lazy_itable_init=0 "$device" && mount -t ext4 "$device" /mnt
	fsfreeze --freeze /mnt
	begin
	touch /mnt/new &
	raised task-hung touch
	fsfreeze --unfreeze /mnt
	echo 120 > /proc/sys/kernel/hung_task_timeout_secs
	wait
	umount /mnt
}

fault_null_pointer() {
	begin
	bug null
	raised kernel-oops
}

fault_page_fault() {
	begin
	bug page-fault
	raised kernel-oops
}

fault_general_protection() {
	begin
	bug protection
	raised kernel-oops
}

fault_divide_error() {
	begin
	bug divide
	raised kernel-oops
}

fault_warn() {
	begin
	bug warn
	raised kernel-warning
}

fault_warn_text() {
	begin
	bug warn-text
	raised kernel-warning
}

fault_bug() {
	begin
	bug "bug"
	raised kernel-bug
	raised kernel-oops
}

fault_refcount() {
	begin
	bug refcount
	raised memory-corrupted
}

fault_list_del() {
	begin
	bug list-del
	raised memory-corrupted
}

fault_list_add() {
	begin
	bug list-add
	raised memory-corrupted
}

fault_scheduling_while_atomic() {
	begin
	bug sleep
	raised scheduling-while-atomic sh
}

fault_bad_page() {
	begin
	bug bad-page
	raised memory-corrupted
}

# needs: crc8
# A module whose license is another one
fault_taint() {
	find /lib/modules -name crc8.ko | grep -q . || skip "no module crc8"
	sed -e 's/license=Dual BSD.GPL/license=Dual BSD ABC/' -e 's/license=GPL/license=ABC/' \
		"$(find /lib/modules -name crc8.ko)" > /tmp/crc8.ko
	begin
	insmod /tmp/crc8.ko
	raised kernel-tainted crc8
}

fault_segfault() {
	begin
	fault null
	raised program-crashed fault
}

fault_invalid_opcode() {
	begin
	fault opcode
	raised program-crashed fault
}

fault_file_max() {
	begin
	before=$(cat /proc/sys/fs/file-max)
	echo $(($(cut -f1 /proc/sys/fs/file-nr) + 20)) > /proc/sys/fs/file-max
	su -s /bin/sh nobody -c 'for i in $(seq 200); do sleep 2 < /dev/null & done' 2> /dev/null
	echo "$before" > /proc/sys/fs/file-max
	raised file-max-reached
}

fault_panic() {
	begin
	dies kernel-panic
	echo c > /proc/sysrq-trigger
	sleep 60
}

fault_soft_lockup() {
	echo 3 > /proc/sys/kernel/watchdog_thresh
	begin
	bug soft-lockup 14
	raised cpu-stuck 1 60
	sleep 10
	echo 10 > /proc/sys/kernel/watchdog_thresh
}

fault_rcu_stall() {
	echo 3 > /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
	begin
	bug rcu-stall 12
	raised rcu-stall "" 60
	sleep 10
	echo 21 > /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
}

# needs: crc8
# Another CPU, which loads a module, waits for that one to see it.
fault_interrupts_off() {
	echo 3 > /proc/sys/kernel/watchdog_thresh
	begin
	bug interrupts-off 20
	modprobe crc8 && modprobe -r crc8
	raised cpu-stuck "" 60
	echo 10 > /proc/sys/kernel/watchdog_thresh
}

# guest: CPU=Skylake-Client TSC=
# The clock that the processor's is compared with stands still for a moment.
fault_clock() {
	clock=/sys/devices/system/clocksource/clocksource0/current_clocksource
	[ "$(cat $clock)" = tsc ] || skip "the clock is $(cat $clock)"
	begin
	fault hold-hpet
	raised clock-unstable tsc
}

# needs: thermal
# The temperature that the firmware tells is above the critical one: ttyS0 has a spare
# byte, of which scripts/faults.sh has the firmware make it.
fault_temperature() {
	load thermal
	[ -e /sys/class/thermal/thermal_zone0 ] || skip "no thermal zone"
	echo /bin/true > /proc/sys/kernel/poweroff_cmd
	begin
	printf '\245' | dd of=/dev/port bs=1 seek=1023 conv=notrunc 2> /dev/null
	raised temperature-critical thermal_zone0
	raised hardware-protection
	printf '\0' | dd of=/dev/port bs=1 seek=1023 conv=notrunc 2> /dev/null
}

# ---- buses ----

# needs: aer_inject
fault_pcie_corrected() {
	load aer_inject
	device=$(ls -d /sys/bus/pci/devices/0000:01:00.0) || skip "no PCIe port"
	begin
	# Bus 1, device 0, function 0, no uncorrected error, corrected: bad TLP
	printf '\1\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' \
		> /dev/aer_inject
	raised pcie-corrected "${device##*/}"
	# It stands between the kernel and the device.
	rmmod aer_inject
}

fault_pcie_fatal() {
	[ -e /sys/bus/pci/devices/0000:01:00.0 ] || skip "no PCIe port"
	load virtio_pci
	begin
	monitor pcie_aer_inject_error behind MALF_TLP 1 2 3 4
	raised pcie-error 0000:01:00.0
	raised pcie-not-recovered
}

# needs: xhci-pci usb-storage
fault_usb() {
	load xhci-pci usb-storage sd_mod
	name=$(disk /usb) || skip "no USB disk"
	begin
	monitor device_del stick
	raised usb-disconnected
	monitor device_add usb-storage,drive=usb,bus=xhci.0,port=1,id=stick
	cleared usb-disconnected
}
