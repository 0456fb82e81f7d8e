#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Raises faults that happen to machines on an unmodified kernel of Debian, and shows which
# of the installed rules recognises each: faults.sh [META[_SUITE] [FAULT...]]
#
# The faults are the functions of tools/testing/selftests/kerror/guest/faults-*.sh; all of
# them unless some are named. A guest has as many of them, one after another, as it
# survives. Its second serial port is QEMU's own monitor, by which it pulls cables. A fault
# has LIMIT seconds (300); a guest that does not end it then is ended. With STORES=yes, the
# log has kerrord's store after each fault, for test_otlp.py; SEND=yes runs that, too. The
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

newline='
'
rest=${*:-$known} limit=${LIMIT:-300}
log=$BUILD/$stock/faults.log all=$BUILD/$stock/faults.all
STORES=${STORES:-${SEND:-}}
socket=$(mktemp -d)
trap 'rm -rf "$socket"' EXIT
need_packages acpica-tools

# guest_of FAULT: the variables of guest.sh that it wants
guest_of() {
	awk -v name="fault_$1() {" '/^# guest: / { guest = substr($0, 10) }
		/^fault_/ { if ($0 == name) print guest; guest = "" }' "$SELFTESTS"/guest/faults-*.sh
}

# A part that is as hot as the spare byte of the first serial port says
cat > "$socket/hot.asl" <<-'END'
	DefinitionBlock ("", "SSDT", 2, "KERROR", "HOT", 1) {
		Scope (\_TZ) {
			OperationRegion (PORT, SystemIO, 0x3ff, 1)
			Field (PORT, ByteAcc, NoLock, Preserve) { BYTE, 8 }
			ThermalZone (HOT0) {
				Method (_TMP) { If (LEqual (BYTE, 0xa5)) { Return (3831) } Return (3000) }
				Method (_CRT) { Return (3731) }
				Name (_TZP, 10)
			}
		}
	}
END
iasl -p "$socket/hot" "$socket/hot.asl" > "$socket/hot.out" 2>&1 ||
	{ cat "$socket/hot.out" >&2; die "iasl failed"; }

# watch GUEST: ends one that makes no progress, which the monitor may not tell any more
watch() {
	faults=0 ends=$(($(date +%s) + 600 + limit))
	while kill -0 "$1" 2> /dev/null; do
		sleep 2
		began=$(grep -c '^FAULT ' "$log" 2> /dev/null || true)
		[ "${began:-0}" = "$faults" ] || ends=$(($(date +%s) + limit + 100))
		faults=${began:-0}
		[ "$(date +%s)" -gt $ends ] || continue
		echo "HANGS no end after $((limit + 100)) s, nor of the whole guest" >> "$log.hangs"
		kill "$(cat "$socket/pid")"
		return
	done
}

# drive NODE [SECTOR]: a disk without contents, of which the sector cannot be read
drive() {
	echo "-blockdev driver=raw,node-name=$1,file.driver=blkdebug,file.image.driver=null-co,file.image.size=67108864,file.image.read-zeroes=on${2:+,file.inject-error.0.event=read_aio,file.inject-error.0.errno=5,file.inject-error.0.sector=$2}"
}

network() { echo "-netdev user,id=net-$1,restrict=on -device $2,netdev=net-$1,id=$1"; }

export DEVICES="-pidfile $socket/pid -acpitable file=$socket/hot.aml -chardev socket,id=monitor,path=$socket/monitor,server=on,wait=off
	-mon chardev=monitor,mode=readline
	-chardev socket,id=port,path=$socket/monitor -serial chardev:port
	-device i6300esb -device virtio-rng-pci -device virtio-scsi-pci,id=scsi -device qemu-xhci,id=xhci
	-device pcie-root-port,id=port1,slot=1,chassis=1,addr=0x10
	$(network behind virtio-net-pci,aer=on,bus=port1)
	$(network virtio virtio-net-pci) $(network e1000-0 e1000) $(network e1000-1 e1000)
	$(network vmxnet3 vmxnet3)
	$(drive sata 4096) -device ide-hd,drive=sata,bus=ide.0
	$(drive nvme 4096) -device nvme,drive=nvme,id=nvme,serial=kerror
	$(drive virtio 4096) -device virtio-blk-pci,drive=virtio
	$(drive scsi) -device scsi-hd,drive=scsi,bus=scsi.0,id=stuck
	$(drive usb) -device usb-storage,drive=usb,bus=xhci.0,port=1,id=stick"
: > "$all"
while [ "$rest" ]; do
	rm -f "$log" "$log.hangs"
	guest=$(guest_of ${rest%%[ "$newline"]*}) list=
	for name in $rest; do
		[ "$(guest_of "$name")" != "$guest" ] || list=$list,$name
	done
	env $guest APPEND="iomem=relaxed faults=real limit=$limit list=${list#,}${STORES:+ stores=yes}" \
		TIMEOUT=${TIMEOUT:-7200} "$TOP/scripts/guest.sh" "$stock" faults > "$log.out" 2>&1 &
	watch $!
	wait $! || true
	grep -q '^FAULT ' "$log" || { tail -20 "$log.out" >&2; die "no fault was raised: $log"; }
	# Those before may have damaged the kernel: one that ended or stopped the guest, and was
	# not to, is raised again as the first of another.
	last=$(sed -n 's/^FAULT //p' "$log" | tail -n 1)
	if [ "$(grep -c '^FAULT ' "$log")" -gt 1 ] &&
	   ! sed -n "/^FAULT $last\$/,\$p" "$log" | grep -qE '^(END|DIES)'; then
		echo "$last is raised again, in a guest of its own" >&2
		sed -i "/^FAULT $last\$/,\$d" "$log"
		rm -f "$log.hangs"
	fi
	{ echo BOOT; cat "$log" "$log.hangs" 2> /dev/null || true; } >> "$all"
	# After a fault that ended the guest, the others get a new one.
	for name in $(sed -n 's/^FAULT //p' "$log"); do
		rest=$(echo $rest | tr ' ' '\n' | grep -vx "$name" || true)
	done
done
python3 "$TOP/scripts/faults.py" "$TOP/tools/kerror/rules.d" "$all"
[ -z "${SEND:-}" ] || {
	need_packages $TOOLS_PACKAGES protobuf-compiler python3-protobuf
	OTLP_FAULTS=$all make -s -C "$TOP/tools/kerror" OUTPUT="$BUILD/tools" test-programs test-otlp
}
