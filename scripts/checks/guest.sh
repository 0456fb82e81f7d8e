# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: tests on a running kernel, in QEMU.

# guest_checks NAME ARCH [KERNEL_TREE]
guest_checks() {
	kernel=$1 arch=$2 source_tree=${3:-} suffix=
	[ "$arch" = x86_64 ] || suffix=-$arch
	prefix=$kernel$suffix
	group "Linux $kernel, $arch with 2 CPUs in QEMU"
	ran=
	check "$prefix/kernel" build_kernel
	kernel_built=$ran
	check_each "$prefix/selftests" guest check
	show '^(not ok|# Linux version|# .*kerror_test.c.*(equal|raised|refused|after|answered|events from))'
	check_each "$prefix/stress" stress
	check_each "$prefix/isolation" costs_others_nothing
	show '^# (flood|hang)_test.c'
	check "$prefix/readers" same_by_two_readers
	check "$prefix/demo" demo_shows_all
	check "$prefix/boot" messages_are_events
	show 'lines of the log'
	check "$prefix/panic" panic_prints_what_waits
	check "$prefix/oops" oops_delivers_what_waits
	# The memory of other machines may be cleared when they begin again.
	case $prefix in
	linux-2.6.3[2-9]) check "$prefix/persist" events_outlive_the_kernel ;;
	*-*) ;;
	6.*|7.*) check "$prefix/persist" events_outlive_the_kernel ;;
	esac
	show '^# died of'
	[ "$prefix" != 6.12 ] || check 6.12/persist-cost persistence_costs_callers_nothing
	show '^evl_printf.*times'
	case $prefix in
	6.1 | 6.12) check "$prefix/dump" dump_has_what_is_stored ;;
	esac
	show ' events .* are equal'
}

# On Linux 2.6, a kernel for programs of 32 bits is none of its own.
build_kernel() {
	variant=$arch
	case $kernel in linux-2.*) variant=${arch%-compat} ;; esac
	"$TOP/scripts/kernel.sh" "$kernel" "$variant" $source_tree
}

# need_kernel: if the test that builds it was not wanted
need_kernel() { [ "$kernel_built" ] || build_kernel; }

# guest SCRIPT: boots the kernel.
guest() {
	need_kernel || return 1
	rm -f "$(guest_log "$1")"
	"$TOP/scripts/guest.sh" "$kernel" "$1" "$arch"
}

# Its driver wants tracepoints, hrtimers and NMIs as on x86 in 4.18.
stress() {
	need_kernel || return 1
	grep -qs '^CONFIG_TEST_EVLOG_STRESS=m' "$BUILD/$kernel/$arch/.config" ||
		{ echo "ok 1 stress # SKIP this kernel has no driver for it"; return 0; }
	APPEND="events=200000 forward=8" guest stress
}

# The cost of a flood or a hang for others, with memory of the default sizes
costs_others_nothing() { SIZES= guest isolation; }

# guest_log SCRIPT
guest_log() { echo "$BUILD/$kernel/$1$suffix.log"; }

# printed SCRIPT REGEX...: the guest printed all of them.
printed() {
	file=$(guest_log "$1")
	shift
	for regex in "$@"; do
		grep -aq "$regex" "$file" || { echo "missing: $regex"; return 1; }
	done
}

# This guest must not end with its token.
panic_prints_what_waits() {
	! guest panic &&
	printed panic 'test_evlog: last words 0$' 'test_evlog: last words 19$' \
		'event of 9 bytes, groups 0x1' 'kerror: .*72 61 77 20 77 6f 72 64 73' \
		'Kernel panic.*test_evlog: asked for'
}

oops_delivers_what_waits() {
	! guest oops &&
	printed oops ': last words 0 ' ': last words 19 ' ': 72 61 77 20 77 6f 72 64 73' \
		'pointer dereference'
}

# Each boot says what the one before left; with $CRASHES, so many times at random. Of a
# flood all that the program had seen to be raised is there, without a gap, unless newer
# events took its place in the log. Last words in a flood are there, or counted as lost for
# want of room.
events_outlive_the_kernel() {
	region='reserve_mem=8M:4096:kerror kerror.persist=kerror'
	deaths=11
	case $kernel in 6.1|linux-*) region='memmap=8M$0x18000000 kerror.persist=8M@0x18000000' ;; esac
	# Linux 2.6 has no hook for NMIs, in which the last of them would be.
	case $kernel in linux-2.*) deaths=10 ;; esac
	RESETS=yes TIMEOUT=$((1500 + ${CRASHES:-0} * 60)) MEMORY=512 DEVICES="-device ib700" \
		SIZES="$region${CRASHES:+ crashes=$CRASHES}" guest persist || return 1
	as_raised $deaths "$(guest_log persist)"
}

# as_raised DEATHS LOG: what the guest has recovered after so many deaths
as_raised() {
	awk -v crashes="${CRASHES:-0}" -v deaths="$1" '
	BEGIN {
		split("panic,sysrq-c,sysrq-b,reset,reset,shutdown,panic-hardirq,panic-softirq," \
			"watchdog,triple-fault,panic-nmi", died, ",")
		split("panic,panic,cut,cut,cut,clean,panic,panic,cut,cut,panic", expected, ",")
	}
	/^BOOT / { boot = $2 }
	/^raised / { raised[boot] = $2 + 0 }	# what died may have cut the line
	/^RECOVERED / {
		for (i = 2; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		}
		n = value["boot"]
		seen++
		full = 0
		causes = split(value["lost"], cause, ",")
		for (i = 1; i <= causes; i++) {
			split(cause[i], pair, ":")
			full += pair[2] == "staging-full" ? pair[1] : 0
		}
		good = !value["gaps"] && value["last"] >= raised[n] &&
			(crashes || value["end"] == expected[n]) &&
			(crashes || n == 1 || raised[n] > 0) &&
			(crashes || value["end"] != "panic" || n == 2 || value["words"] == 20 ||
			 n > 1 && value["words"] + full >= 20)
		bad += !good
		printf "# died of %s: Linux %s raised %d at least, recovered %d to %d, last words %d, lost %s: %s\n",
			crashes ? value["end"] : died[n], value["release"], raised[n], value["first"], value["last"], value["words"],
			value["lost"] == "" ? "none" : value["lost"], good ? "ok" : "WRONG"
	}
	END { exit bad || seen != (crashes ? crashes : deaths) }' "$2"
}

# Each release finds what the other one left, in memory that both have at one address.
releases_take_turns() {
	memory=$BUILD/6.12/memory turns=$BUILD/6.12/turns
	rm -f "$memory"
	: > "$turns"
	"$TOP/scripts/kernel.sh" 6.1 x86_64 && "$TOP/scripts/kernel.sh" 6.12 x86_64 || return 1
	for kernel in 6.1 6.12 6.1 6.12; do
		MEMORY_FILE=$memory MEMORY=512 TIMEOUT=300 APPEND=last=4 \
			SIZES='memmap=8M$0x18000000 kerror.persist=8M@0x18000000' \
			"$TOP/scripts/guest.sh" $kernel persist || true
		cat "$BUILD/$kernel/persist.log" >> "$turns"
	done
	rm -f "$memory"
	as_raised 3 "$turns" && grep -q '^GUEST-PASSED$' "$turns" &&
	[ "$(sed -n 's/^RECOVERED .*release=\([0-9]*\.[0-9]*\).*/\1/p' "$turns" | paste -sd ' ')" = "6.1 6.12 6.1" ]
}

# Instructions of a call, in a boot whose events outlive it and in one whose do not.
persistence_costs_callers_nothing() {
	for region in "" 'reserve_mem=8M:4096:kerror kerror.persist=kerror'; do
		CPUS=1 SIZES=$region guest cost >&2 || return 1
		sed -n "s/^evl_printf \([0-9]* [01]\).*/\1/p" "$(guest_log cost)"
	done > "$BUILD/$kernel/persist-cost"
	awk '{ cost[$2] = $1 }
	END {
		printf "evl_printf(): %d instructions, %d with kerror.persist=: %.3f times as many\n",
			cost[0], cost[1], cost[0] ? cost[1] / cost[0] : 0
		exit !cost[0] || !cost[1] || cost[1] > cost[0] * 1.05
	}' "$BUILD/$kernel/persist-cost"
}

# The events that kerror-drgn finds in a dump equal those that kerrord has stored, and the
# events are there, too, that waited when the kernel died.
dump_has_what_is_stored() {
	need_packages python3-drgn && tools lib || return 1
	dump=$BUILD/$kernel/vmcore
	rm -f "$dump"
	! DUMP=$dump TIMEOUT=600 MEMORY=256 DEVICES="-device vmcoreinfo" SIZES=kerror.history_kb=512 \
		APPEND="panic=0 qemu_fw_cfg.ioport=12@0x510:0:1:4" guest dump || return 1
	python3=/usr/bin/python3
	env LD_LIBRARY_PATH="$BUILD/tools" PYTHONPATH="$TOP/tools/kerror/python" $python3 -B \
		"$TOP/scripts/compare-dump.py" "$(guest_log dump)" "$TOP/tools/kerror/drgn/kerror-drgn" "$dump"
	status=$?
	rm -f "$dump"
	return $status
}

# kerrord stores the boots before, kerrorctl shows them.
boots_and_last_words() {
	RESETS=yes TIMEOUT=900 MEMORY=512 SIZES='reserve_mem=8M:4096:kerror kerror.persist=kerror' \
		guest lastwords &&
	printed lastwords '^   -3 .*  panic after [0-9]* s: test_evlog: asked for, Linux 6.12' \
		'^   -2 .*  cut after ' '^   -1 .*  cut after ' '^    0 .*  running' \
		'^events of -3: [1-9][0-9]*$' \
		'boot .* ended (panic: test_evlog: asked for); [1-9][0-9]* of its events are new' \
		'^left: [^ ]* runs 4 ' &&
	[ "$(grep -ac '^left:' "$(guest_log lastwords)")" = 1 ] &&
	grep -A99 '^# kerrorctl lastwords' "$(guest_log lastwords)" | grep -q 'evlog_sample'
}

same_by_two_readers() {
	guest capture &&
	python3 "$SELFTESTS/reader.py" "$(guest_log capture)" > "$BUILD/$kernel/reader$suffix.json" &&
	python3 "$TOP/scripts/compare-readers.py" "$(guest_log capture)" \
		"$BUILD/$kernel/reader$suffix.json" && takes_schema "$(guest_log capture)"
}

# Each line of JSON in a log is one of the schema's.
takes_schema() { python3 "$TOP/tools/kerror/tests/test_schema.py" --lines "$1"; }

# The kernel's messages arrive as events, too.
messages_are_events() {
	APPEND=evlog.printk=8 TIMEOUT=300 guest boot &&
	python3 "$TOP/scripts/compare-boot.py" "$(guest_log boot)" && takes_schema "$(guest_log boot)"
}

# The output of kerrord for the sample driver is the same on each kernel. But before
# 2.6.10 the driver raises at a rate, so that the number of events is not known.
demo_shows_all() {
	demo=$(guest_log demo) events=$BUILD/$kernel/sample-events$suffix.txt
	TIMEOUT=120 guest demo || return 1
	[ -e "$(guest_log capture)" ] || guest capture || return 1
	python3 "$TOP/scripts/sample-events.py" "$demo" "$(guest_log capture)" > "$events" || return 1
	if grep -aq 'it raises at a rate' "$demo"; then
		grep -aq ' events received, 0 lost' "$demo" || return 1
		# The driver's own thread raises them, not a shell; which round the
		# timer and the interrupt see is a matter of chance.
		grep -ve ' queue' -e ' reset' "$TOP/scripts/sample-events.txt" |
			sed 's/comm=sh /comm=evlog_sample /; s/"comm": "sh"/"comm": "evlog_sample"/' |
			sort -u |
			while read -r line; do
				grep -qxF -- "$line" "$events" || { echo "missing: $line"; exit 1; }
			done
	else
		grep -aq '21 events received, 0 lost' "$demo" &&
		diff "$TOP/scripts/sample-events.txt" "$events"
	fi
}

last_words_in_guest() {
	kernel=6.12 arch=x86_64 suffix= kernel_built=
	boots_and_last_words
}

kerrord_in_guest() {
	"$TOP/scripts/kernel.sh" 6.12 x86_64 && "$TOP/scripts/guest.sh" 6.12 daemon
}
