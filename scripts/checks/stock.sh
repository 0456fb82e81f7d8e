# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: tests of kerror.ko and evlog.ko on unmodified kernels of
# Debian, in QEMU.

# stock_guest SCRIPT: boots the kernel of $stock.
stock_guest() {
	rm -f "$(stock_log "$1")"
	"$TOP/scripts/stock.sh" "$stock" && "$TOP/scripts/guest.sh" "$stock" "$1" "$variant"
}

# stock_log SCRIPT
stock_log() { echo "$BUILD/$stock/$1$suffix.log"; }

# Else messages of the kernel are among the events that are expected.
stock_selftests() { APPEND=evlog.printk=0 stock_guest check; }

stock_stress() { APPEND="evlog.printk=0 events=200000 forward=8" LOGLEVEL=6 stock_guest stress; }

# The log must hold all that is compared with it.
stock_tap() { APPEND=log_buf_len=16M stock_guest tap; }

# Two CPUs that take turns hang where instructions are counted.
stock_cost() { CPUS=1 stock_guest cost; }

stock_death() { APPEND=faults=death stock_guest death; }

stock_messages() {
	TIMEOUT=900 stock_guest boot &&
	python3 "$TOP/scripts/compare-boot.py" "$(stock_log boot)" && takes_schema "$(stock_log boot)"
}

# kerror itself prints the messages that boots.conf is about, and no distribution's kernel.
own_rules() {
	sed -n 's/.*format=="kerror: \(.*\)"$/\1/p' "$TOP/tools/kerror/rules.d/boots.conf" > "$small"
	[ "$(grep -c '^filter' "$TOP/tools/kerror/rules.d/boots.conf")" = "$(wc -l < "$small")" ] &&
	while read -r format; do
		grep -qF "$format" "$TOP/net/netlink/kerror_region_map.c" ||
			{ echo "kerror does not print: $format"; return 1; }
	done < "$small"
}

# The rules that are installed, against all that the kernel and its modules print; and
# each of a few messages that is reworded is noticed.
stock_rules() {
	rules=$BUILD/$stock/rules.d small=$BUILD/$stock/matches
	mkdir -p "$BUILD/$stock" && rm -rf "$rules" && cp -r "$TOP/tools/kerror/rules.d" "$rules" &&
	rm "$rules/boots.conf" && own_rules || return 1
	tools control && "$TOP/scripts/stock.sh" "$stock" rules &&
	"$BUILD/tools/kerrorctl" check-rules --matches "$rules" "$BUILD/$stock"/catalogue-* > "$small" &&
	"$BUILD/tools/kerrorctl" check-rules "$rules" "$small" || return 1
	for words in 'blocked|stuck' 'Killed process|Ended process' 'error, dev|fault, dev' \
		'log I/O error|log error' 'Failing path|Path' 'Sense Key|Sense'; do
		sed "s|$words|" "$small" > "$small.reworded"
		! "$BUILD/tools/kerrorctl" check-rules "$rules" "$small.reworded" > "$small.out" &&
			grep 'CANNOT MATCH' "$small.out" || { echo "not noticed: $words"; return 1; }
	done
}

# The faults of "make try" are events with typed arguments.
stock_try() {
	"$TOP/scripts/try.sh" "$stock" && python3 "$TOP/scripts/try-events.py" "$BUILD/$stock/try.log"
}

# The installed rules against the kernels of Debian 12, Debian 13 and its backports
# that are not this machine's
rules_of_other_kernels() {
	group "kernels of other Debian releases"
	for suite in bookworm trixie trixie-backports; do
		[ "$suite" != "$(. /etc/os-release; echo "$VERSION_CODENAME")" ] || continue
		stock=linux-image-amd64_$suite
		check "$stock/rules" stock_rules
	done
}

# A capture of nlmon in a guest has other protocols, but no event.
stock_nlmon() {
	"$TOP/scripts/stock.sh" "$stock" try && TIMEOUT=300 "$TOP/scripts/guest.sh" "$stock" nlmon &&
		sed '1,/^CAPTURE$/d; /^END$/,$d' "$BUILD/$stock/nlmon.log" | python3 -c '
import base64, struct, sys
data, at, protocols = base64.b64decode(sys.stdin.read()), 24, []
while at < len(data):
    size = struct.unpack_from("<I", data, at + 8)[0]
    protocols += struct.unpack_from(">H", data, at + 16 + 14)
    at += 16 + size
print("protocols:", *protocols)
sys.exit(0 not in protocols or 27 in protocols)'
}

# A few of the faults of "make faults", none of which takes long
stock_faults() {
	STORES=yes "$TOP/scripts/faults.sh" "$stock" none oom_cgroup hung_task_frozen bug refcount segfault \
		scsi_medium nvme_read_error path ext4_inode link_e1000 conntrack usb
}

# The events of the same boots, by OTLP, compared with their JSON
stock_otlp() { OTLP_FAULTS=$BUILD/$stock/faults.all tools test-programs test-otlp; }

stock_persist() {
	kernel=$stock arch=$variant kernel_built=yes
	"$TOP/scripts/stock.sh" "$stock" && events_outlive_the_kernel
}

# The next boot finds what panic printed, in ramoops, once, whatever kerrord is told.
stock_pstore() {
	RESETS=yes TIMEOUT=900 MEMORY=512 SIZES='memmap=1M$0x18000000' stock_guest pstore &&
	kernel=$stock kernel_built=yes &&
	printed pstore '^# .* panic after [0-9]* s: test_evlog: asked for' \
		'^first: 20 last words, 1 raw$' '^second: 20 last words, 1 raw$' '^records left: 0$'
}

stock_dump() {
	kernel=$stock arch=$variant kernel_built=yes
	"$TOP/scripts/stock.sh" "$stock" && dump_has_what_is_stored
}

loaded_often() { APPEND=loads=100 stock_guest unload; }

# stock_checks PACKAGE[_SUITE]
stock_checks() {
	stock=$1 variant=x86_64 suffix=
	case $1 in *-arm64*) variant=arm64 suffix=-arm64 ;; esac
	group "$1, as Debian built it"
	if [ "$1" = linux-image-amd64 ]; then
		check "$1/nlmon" stock_nlmon
		show '^protocols:'
		check "$1/try" stock_try
		show '^(lost sector|damaged inode|out of memory|hung task):'
	fi
	check "$1/rules" stock_rules
	if [ "$1" = linux-image-amd64 ]; then
		check "$1/faults" stock_faults
		show ' recognised, '
		check_each "$1/otlp" stock_otlp
		show '^# boot '
	fi
	check "$1/modules" "$TOP/scripts/stock.sh" "$1"
	check_each "$1/selftests" stock_selftests
	check_each "$1/unload" stock_guest unload
	check_each "$1/tap" stock_tap
	check_each "$1/death" stock_death
	# An emulated serial port loses its interrupt on PREEMPT_RT when so much is
	# printed.
	case $1 in *-rt-*) return ;; esac
	check "$1/boot" stock_messages
	show 'lines of the log'
	[ "$variant" = arm64 ] || check "$1/persist" stock_persist
	show '^# died of'
	[ "$variant" = arm64 ] || check "$1/pstore" stock_pstore
	[ "$variant" = arm64 ] || check "$1/dump" stock_dump
	show ' events .* are equal'
}

# Each flavour, architecture and release; what takes longer, too
all_stock_checks() {
	for kernel in linux-image-amd64 linux-image-cloud-amd64 linux-image-rt-amd64 \
		linux-image-arm64_bookworm linux-image-amd64_bookworm-backports \
		linux-image-amd64_trixie linux-image-amd64_trixie-backports; do
		stock_checks $kernel
		check_each $kernel/stress stock_stress
		show 'everywhere.*raised [0-9]'
		check $kernel/cost stock_cost
		show '^\|'
	done
	stock=vanilla-6.12-debug
	group "6.12 without the series: KASAN, lockdep, kmemleak"
	check $stock/modules "$TOP/scripts/stock.sh" $stock
	check_each $stock/unload loaded_often
	check_each $stock/tap stock_tap
}
