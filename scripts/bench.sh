#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Measures what events cost, and what else there is: bench.sh [KERNEL_NAME [PART...]]
#
# Boots Linux KERNEL_NAME (6.12) as User Mode Linux, whose kernel runs at native
# speed, for the caller's cost, in QEMU with 2 CPUs for all, and in QEMU with one, where
# each instruction counts as a nanosecond, for the caller's cost. All that is
# compared is measured in the same boot, but for what the hook in printk() costs that
# is not used: that is between two kernels, booted in turns. Writes the measurements
# as they are, tables and plots to Documentation/kerror-bench/. PART is um, qemu,
# instructions or hook: only these are measured anew.
. "$(dirname "$0")/common.sh"

name=${1:-6.12}
[ $# = 0 ] || shift
parts=${*:-um qemu instructions hook}
report=$TOP/Documentation/kerror-bench
work=$BUILD/bench
need_packages gnuplot-nox python3
mkdir -p "$work" "$report"
wanted() { case " $parts " in *" $1 "*) ;; *) return 1 ;; esac; }
! { wanted um || wanted hook; } ||
	TARGETS="linux modules" "$TOP/scripts/kernel.sh" "$name" um-bench
! wanted hook || TARGETS="linux modules" "$TOP/scripts/kernel.sh" "$name" um-bench-unforwarded
! { wanted qemu || wanted instructions; } || "$TOP/scripts/kernel.sh" "$name" x86_64-bench

parameters="audit=1 audit_backlog_limit=8192"
default="kerror.staging_kb=256 kerror.history_kb=1024"
# As much memory for each that keeps events, so that it is not this that makes
# the difference between readers.
large="kerror.staging_kb=1024 kerror.history_kb=8192 log_buf_len=1M trace_buf_size=1M"

# boot WHERE KERNEL PARTS PARAMETERS: what is printed goes to WHERE.log
boot() {
	# Where the clock was found to be unstable, the guest refuses to measure.
	for try in 1 2 3; do
		APPEND="measure=$3 $4 $parameters" TIMEOUT=900 \
			"$TOP/scripts/guest.sh" "$name" bench "$2" > "$work/$1.log" 2>&1 && return
	done
	tail -5 "$work/$1.log" >&2
	die "measuring in $1 failed: $work/$1.log"
}

# run WHERE KERNEL PARTS PARAMETERS: measurements and what they were made on to
# WHERE.txt
run() {
	step "measuring in $1: load of this machine $(cut -d' ' -f1-3 /proc/loadavg)"
	boot "$@"
	{ echo "processor $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) CPUs"
	  echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
	  echo "config $2: guest, $(echo "${2%%-*}" | sed s/_64//) and bench of tools/testing/selftests/kerror/config, over allnoconfig"
	  echo "command guest.sh $name bench $2 with measure=$3 $4 $parameters"
	  grep -aE '^(kernel|clocksource|cost|ratio|rate|latency|memory) ' "$work/$1.log"
	} > "$report/$1.txt"
}

# On a busy machine an emulated kernel fails to find out how fast its clock is.
khz=$(awk '/^cpu MHz/ { printf "%d", $4 * 1000; exit }' /proc/cpuinfo)
! wanted um || run um um-bench cost "$default"
! wanted qemu || run qemu x86_64-bench cost,readers "$large tsc_early_khz=$khz"
if wanted instructions; then
	export COUNT=yes CPUS=1
	run instructions x86_64-bench cost "$large"
	unset COUNT CPUS
fi

if wanted hook; then
	step "measuring printk() with and without the hook, in turns"
	for number in 1 2 3 4 5 6 7 8; do
		for kernel in um-bench um-bench-unforwarded; do
			boot $kernel $kernel printk "$default"
			sed -nE "s/^(cost|ratio) /\1 $number $kernel /p" "$work/$kernel.log"
		done
	done > "$work/hook.txt"
	mv "$work/hook.txt" "$report/hook.txt"
fi

step "tables and plots in $report"
python3 "$TOP/scripts/bench-report.py" "$report" "$work" > "$work/report.md"
(cd "$report" && gnuplot -e "data='$work'" "$TOP/scripts/bench.gnuplot")
mv "$work/report.md" "$report/README.md"
sed -n '/^## Budgets/,/^## /p' "$report/README.md" | grep '^|'
