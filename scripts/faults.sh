#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Raises faults that happen to machines on an unmodified kernel of Debian, and shows which
# of the installed rules recognises each: faults.sh [META[_SUITE] [FAULT...]]
#
# The faults are the functions of tools/testing/selftests/kerror/guest/faults-*.sh; all of
# them unless some are named. A guest has as many of them, one after another, as it
# survives. Its second serial port is QEMU's own monitor, by which it pulls cables. The
# status is 0 only if each fault of which the kernel says anything was recognised, and
# nothing else.
. "$(dirname "$0")/common.sh"

stock=${1:-linux-image-amd64}
[ $# = 0 ] || shift
known=$(sed -n 's/^fault_\(.*\)() {$/\1/p' "$SELFTESTS"/guest/faults-*.sh)
for name in "$@"; do
	echo "$known" | grep -qx "$name" || die "there is no fault $name, but: $(echo $known)"
done
"$TOP/scripts/stock.sh" "$stock" faults

rest=${*:-$known}
log=$BUILD/$stock/faults.log all=$BUILD/$stock/faults.all
socket=$(mktemp -d)
trap 'rm -rf "$socket"' EXIT

# drive NODE [SECTOR]: a disk without contents, of which the sector cannot be read
drive() {
	echo "-blockdev driver=raw,node-name=$1,file.driver=blkdebug,file.image.driver=null-co,file.image.size=67108864,file.image.read-zeroes=on${2:+,file.inject-error.0.event=read_aio,file.inject-error.0.errno=5,file.inject-error.0.sector=$2}"
}

network() { echo "-netdev user,id=net-$1,restrict=on -device $2,netdev=net-$1,id=$1"; }

export DEVICES="-chardev socket,id=monitor,path=$socket/monitor,server=on,wait=off
	-mon chardev=monitor,mode=readline
	-chardev socket,id=port,path=$socket/monitor -serial chardev:port
	-device i6300esb -device virtio-rng-pci -device qemu-xhci,id=xhci
	-device pcie-root-port,id=port1,slot=1,chassis=1,addr=0x10
	$(network behind virtio-net-pci,aer=on,bus=port1)
	$(network virtio virtio-net-pci) $(network e1000-0 e1000) $(network e1000-1 e1000)
	$(network vmxnet3 vmxnet3)
	$(drive sata 4096) -device ide-hd,drive=sata,bus=ide.0
	$(drive nvme 4096) -device nvme,drive=nvme,id=nvme,serial=kerror
	$(drive virtio 4096) -device virtio-blk-pci,drive=virtio
	$(drive usb) -device usb-storage,drive=usb,bus=xhci.0,port=1,id=stick"
: > "$all"
while [ "$rest" ]; do
	rm -f "$log"
	APPEND="faults=real list=$(echo $rest | tr ' ' ,)" TIMEOUT=${TIMEOUT:-3600} \
		"$TOP/scripts/guest.sh" "$stock" faults > "$log.out" 2>&1 || true
	grep -q '^FAULT ' "$log" || { tail -20 "$log.out" >&2; die "no fault was raised: $log"; }
	{ echo BOOT; cat "$log"; } >> "$all"
	# After a fault that ended the guest, the others get a new one.
	for name in $(sed -n 's/^FAULT //p' "$log"); do
		rest=$(echo $rest | tr ' ' '\n' | grep -vx "$name" || true)
	done
done
python3 "$TOP/scripts/faults.py" "$all"
