# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: tests of kerror.ko and evlog.ko on an unmodified kernel of
# Debian, in QEMU.

# stock_guest SCRIPT: boots the kernel of the package $stock.
stock_guest() {
	rm -f "$BUILD/$stock/$1.log"
	"$TOP/scripts/stock.sh" "$stock" && "$TOP/scripts/guest.sh" "$stock" "$1"
}

# Else messages of the kernel are among the events that are expected.
stock_selftests() { APPEND=evlog.printk=0 stock_guest check; }

stock_stress() { APPEND="evlog.printk=0 events=200000 forward=8" LOGLEVEL=6 stock_guest stress; }

stock_messages() {
	TIMEOUT=300 stock_guest boot &&
	python3 "$TOP/scripts/compare-boot.py" "$BUILD/$stock/boot.log"
}

# stock_checks PACKAGE
stock_checks() {
	stock=$1
	group "$1, as Debian built it"
	check "$1/modules" "$TOP/scripts/stock.sh" "$1"
	check_each "$1/selftests" stock_selftests
	check_each "$1/unload" stock_guest unload
	# An emulated serial port loses its interrupt on PREEMPT_RT when so much is
	# printed.
	case $1 in *-rt-*) return ;; esac
	check "$1/boot" stock_messages
	show 'lines of the log'
}

# Each flavour of this release; what takes longer, too
all_stock_checks() {
	for flavour in amd64 cloud-amd64 rt-amd64; do
		stock_checks linux-image-$flavour
		check_each linux-image-$flavour/stress stock_stress
	done
}
