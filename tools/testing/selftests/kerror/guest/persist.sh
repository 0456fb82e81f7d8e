# SPDX-License-Identifier: GPL-2.0-only
# Events outlive the kernel: each boot looks at those of the one before, drops them, and
# dies in another way, in a flood of events. The host compares what was raised with what
# was recovered. Wants a guest that boots again, RESETS=yes of guest.sh.
. /guest/common.sh
boots list | sed 's/^/# /'
this=$(boots list | awk '$2 == "runs" { print $3 }')
[ -n "$this" ] || exit 1

# Two CPUs and 8 MiB have no room for rings of the default size and for what left them.
[ "$(cat /sys/module/kerror/parameters/staging_kb)" = 64 ] || exit 1

# recovered ID: what there is of the flood, and whether a number is missing in between
recovered() {
	boots events "$1" > /tmp/events || return 1
	awk '/ test event [0-9]+, asked for/ {
		number = $4 + 0
		if (last && number != last + 1)
			gaps++
		if (!last)
			first = number
		last = number
	}
	/ last words / { words++ }
	/^lost / { lost = lost (lost ? "," : "") $2 ":" $3 }
	END {
		printf "first=%d last=%d gaps=%d words=%d lost=%s\n", first, last, gaps,
			words, lost
	}' /tmp/events
}

boots list | awk '$2 != "runs"' > /tmp/before
while read -r id end number release seconds message; do
	found=$(recovered "$id") || exit 1
	echo "RECOVERED boot=$number end=$end release=$release $found message=$message"
	# The same again, and then no more
	[ "$found" = "$(recovered "$id")" ] && boots drop "$id" || exit 1
	! boots events "$id" > /dev/null 2>&1 || exit 1
done < /tmp/before

[ "$this" != 1 ] || boots name 01234567-89ab-cdef-0123-456789abcdef || exit 1
# Kernels of Debian hibernate; the image would lack the region.
if [ "$this" = 1 ] && grep -qw disk /sys/power/state 2> /dev/null &&
   grep -q 'kerror.persist=[0-9]*M@' /proc/cmdline; then
	! echo disk > /sys/power/state && dmesg | grep -q 'kerror: no hibernation' || exit 1
fi
echo "BOOT $this"
[ "$this" != "${last:-}" ] || exit 0
# With the boot parameter crashes=, so many times at random
if [ "${crashes:-0}" -ge "$this" ]; then
	boots flood &
	usleep $((RANDOM * 50))
	[ $((RANDOM % 4)) != 0 ] || echo b > /proc/sysrq-trigger
	[ $((RANDOM % 4)) != 0 ] || echo c > /proc/sysrq-trigger
	echo "RESET ME"
	sleep 60
	exit 1
fi
[ -z "${crashes:-}" ] || exit 0
case $this in
1)
	load_test_module && panic_alone 20
	;;
11)
	case $(uname -r) in
	2.*)
		echo "# SKIP panic in an NMI: Linux 2.6 has no hook for one"
		exit 0
		;;
	esac
	;;
esac
case $this in
7|8|9|10|11)
	# In a hard interrupt, a softirq, a loop until the watchdog bites, a triple fault, an
	# NMI, which SysRq l sends to the other CPUs
	load_test_module || exit 1
	boots flood &
	sleep 1
	set 1 2 4 5 3
	shift $((this - 7))
	raise panic 20 "$1"
	[ "$this" != 11 ] || echo l > /proc/sysrq-trigger
	sleep 60
	exit 1
	;;
2|3|4|5)
	boots flood &
	sleep 1
	case $this in
	2) echo c > /proc/sysrq-trigger ;;
	3) echo b > /proc/sysrq-trigger ;;
	*) echo "RESET ME" ;;
	esac
	sleep 60
	exit 1
	;;
6)
	boots flood &
	sleep 1
	kill $!
	wait $! 2> /dev/null
	boots restart
	sleep 60
	exit 1
	;;
esac
