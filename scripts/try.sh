#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows events of real faults on an unmodified kernel of Debian: try.sh [META]
#
# Fetches the kernel of META, which is linux-image-amd64 unless given, builds kerror.ko
# and evlog.ko for it, and boots it in QEMU. Its disk has an unreadable sector in the file
# "ledger" and a damaged inode, that of "letters"; the guest script try causes the other
# faults. The status is 0 only if each fault became an event, and none was lost.
. "$(dirname "$0")/common.sh"

stock=${1:-linux-image-amd64}
need_packages e2fsprogs
"$TOP/scripts/stock.sh" $stock try

out=$BUILD/$stock
disk=$out/disk files=$out/files log=$out/try.log
rm -rf "$disk" "$files" "$log"
mkdir -p "$files"
yes "1200.00 paid" | head -c 65536 > "$files/ledger"
echo "Dear reader" > "$files/letters"
{
	truncate -s 32M "$disk" &&
	/sbin/mke2fs -q -F -t ext4 -b 4096 -d "$files" "$disk" &&
	/sbin/debugfs -w -R "set_inode_field letters extra_isize 65535" "$disk" &&
	block=$(/sbin/debugfs -R "bmap ledger 5" "$disk")
} > "$out/log" 2>&1 || { tail -5 "$out/log" >&2; die "making a disk failed: $out/log"; }
sector=$((block * 8))

# show: what the guest prints, without what is not for people
show() {
	hidden=
	while IFS= read -r line; do
		case $line in
		"now: "*) step "$line" ;;
		EVENTS) hidden=yes ;;
		END) hidden= ;;
		"qemu-system-x86_64: aio failed"*|GUEST-PASSED|*"reboot: Restarting system") ;;
		*) [ "$hidden" ] || printf '%s\n' "$line" ;;
		esac
	done 2>&1
}

[ -t 1 ] && color=always || color=never
bad=file.inject-error.0
DEVICES="-device nvme,drive=disk,serial=kerror -blockdev driver=raw,node-name=disk,file.driver=blkdebug,file.image.driver=file,file.image.filename=$disk,$bad.event=read_aio,$bad.errno=5,$bad.sector=$sector" \
APPEND="faults=real sector=$sector color=$color" TIMEOUT=${TIMEOUT:-300} \
	"$TOP/scripts/guest.sh" $stock try 2>&1 | show
grep -qs '^GUEST-PASSED$' "$log" || die "it did not go as expected: $log"
cat <<T

Each event is two lines here. The first is for people: time, severity, facility,
context, who raised it, and the text. The second is what a program gets instead of
text: the id, the format and the typed arguments. The first event as JSON:

$(sed -n '/^EVENTS$/,/^END$/p' "$log" | grep -m1 'error, dev %s')

Nothing in this kernel was changed: its printk() said all this, kerror.ko and evlog.ko
made events of it.

Next:
  module/README.md            kerror.ko and evlog.ko for your machine
  tools/kerror/README.md      kerrord and kerrorctl for your machine
  make demo                   events of a driver that calls dev_evl_err()
  make check                  all tests
T
