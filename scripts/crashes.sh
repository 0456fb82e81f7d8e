#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Lets kernels die at random in a flood of events, one after another, in QEMU machines whose
# memory and disk survive: crashes.sh [NUMBER [KERNEL...]]
#
# KERNEL is 6.1, 6.12 or 7.3, patched, or a package of Debian such as linux-image-amd64, see
# stock.sh. With WAYS, a list, they die in these ways only. crashes.py has the rest. Results
# are in build/crashes; run again, it goes on until there are NUMBER of these kernels. With
# MINUTES, it begins no crash later than that after the kernels are built.
. "$(dirname "$0")/common.sh"

number=${1:-200}
[ $# -le 1 ] || shift
[ $# -gt 1 ] || [ "${1:-}" != "$number" ] || set --
[ $# != 0 ] || set -- 6.1 6.12
folder=$BUILD/crashes
mkdir -p "$folder"
need_packages e2fsprogs python3
for kernel; do
	case $kernel in
	linux-image-*)
		variant=x86_64
		"$TOP/scripts/stock.sh" "$kernel" crash
		;;
	*)
		variant=x86_64-crash
		"$TOP/scripts/kernel.sh" "$kernel" $variant
		;;
	esac
	MEMORY=512 SIZES='memmap=8M$0x18000000 memmap=64K$0x18900000 kerror.persist=8M@0x18000000' \
		COMMAND=$folder/$kernel.command "$TOP/scripts/guest.sh" "$kernel" crash $variant
done
exec python3 "$TOP/scripts/crashes.py" "$folder" "$number" "${WAYS:-all}" "$@"
