# SPDX-License-Identifier: GPL-2.0-only
# On a kernel of a distribution: the tap of printk() is switched off and on in a flood of
# messages, by each kind; it is used beside others; and what it misses, or that it was
# taken away, is noticed. Each message of the log must be an event, once. The log must
# hold all of it: log_buf_len=16M.
. /guest/common.sh
[ -e /modules/kerror.ko ] || { echo "ok 1 tap # SKIP the facility is built in"; exit 0; }
status=0
number=0
tap=/sys/module/evlog/parameters/tap
missed=/sys/module/evlog/parameters/tap_missed
tracing=/sys/kernel/tracing
mount -t tracefs none $tracing
mount -t debugfs none /sys/kernel/debug 2> /dev/null

# result NAME: of the last command
result() {
	if [ $? = 0 ]; then good=ok; else good="not ok" status=1; fi
	number=$((number + 1))
	echo "$good $number $1"
}

# load KIND: anew, and forgets the log
load() {
	rmmod test_evlog 2> /dev/null
	rmmod evlog kerror
	dmesg -c > /dev/null
	insmod /modules/kerror.ko staging_kb=8192 history_kb=65536 &&
		insmod /modules/evlog.ko tap="$1" && load_test_module
}

# Prints from all CPUs, until /tmp/flood is gone. No part of it is long: the tap waits
# until each task that runs has been switched.
flood() {
	touch /tmp/flood
	while [ -e /tmp/flood ]; do raise "flood 100 1"; sleep 0.02; done &
	flood=$!
}

end_flood() {
	rm -f /tmp/flood
	wait $flood
}

# take: the messages of the module in the log and in the events go to /tmp/log and /tmp/texts.
take() {
	sleep 1
	kerrorctl watch --json --group=printk --idle=1000 2> /dev/null |
		grep -o '"text":"test_evlog: [mp][^"]*' | sed 's/"text":"//' | sort > /tmp/texts
	dmesg | grep -o 'test_evlog: [mp].*' | sort > /tmp/log
	echo "# $(wc -l < /tmp/log) messages in the log, $(wc -l < /tmp/texts) events"
}

# equal_to_the_log LEAST: each of these messages is an event, as often; there are LEAST
# or more.
equal_to_the_log() {
	take
	[ "$(wc -l < /tmp/log)" -ge "$1" ] && diff /tmp/log /tmp/texts > /tmp/diff
	set -- $?
	[ "$1" = 0 ] || { head -5 /tmp/diff; kerrorctl stats; } | sed 's/^/# /'
	return "$1"
}

# told TEXT: how often the stream says so
told() {
	kerrorctl watch --json --group=evlog --idle=300 2> /dev/null | grep -c "$1"
}

# wait_for COMMAND...: for five seconds
wait_for() {
	for try in $(seq 25); do
		"$@" && return
		sleep 0.2
	done
	return 1
}

# printed_by_a_probe KIND: messages in the handler of a kprobe, which another kprobe
# does not see, and others do
printed_by_a_probe() {
	raise "probe 100" || return 1
	if [ "$1" != kprobe ]; then
		equal_to_the_log 100 && [ "$(cat $missed)" = 0 ]
		return
	fi
	wait_for grep -qx 100 $missed && [ "$(told '100 messages of the kernel did not')" = 1 ]
}

# open_lines KIND: a line that is open when the tap is switched
open_lines() {
	raise "open 1" && echo 0 > $tap && raise "open 2" && echo "$1" > $tap && raise "open 3" &&
		echo 0 > $tap && echo "$1" > $tap && raise "flood 2 1" && equal_to_the_log 5
}

for kind in ${kinds:-ftrace kprobe text}; do
	load $kind && grep -qx $kind $tap && [ "$(told "become events ($kind)")" = 1 ]
	result "$kind.chosen_by_name_and_told"

	flood
	for round in 1 2 3 4 5; do
		sleep 0.2
		echo 0 > $tap && grep -qx off $tap || break
		sleep 0.2
		echo $kind > $tap && grep -qx $kind $tap || break
	done
	sleep 0.2
	end_flood
	[ "$round" = 5 ] && equal_to_the_log 2000 && [ "$(cat $missed)" = 0 ]
	result "$kind.off_and_on_in_a_flood"
	[ "$(told 'the tap was switched off')" = 5 ] && [ "$(told "become events ($kind)")" = 6 ]
	result "$kind.each_time_is_told"

	printed_by_a_probe $kind
	result "$kind.what_a_kprobe_prints"

	load $kind && open_lines $kind
	result "$kind.lines_that_are_open"
done

# Others trace the same function: a kprobe of tracefs, and the tracer of functions.
for kind in ftrace kprobe; do
	load $kind
	echo 'p:second vprintk_store' > $tracing/kprobe_events &&
		echo 1 > $tracing/events/kprobes/second/enable &&
		echo vprintk_store > $tracing/set_ftrace_filter &&
		echo function > $tracing/current_tracer &&
		raise "flood 1000 1" &&
		[ "$(awk '$1 == "second" { print $2 + $3 }' $tracing/kprobe_profile)" -ge 1000 ] &&
		[ "$(grep -c 'vprintk_store <-' $tracing/trace)" -ge 1000 ] &&
		echo 0 > $tracing/events/kprobes/second/enable &&
		echo > $tracing/kprobe_events && echo nop > $tracing/current_tracer &&
		raise "flood 1000 1" && equal_to_the_log 2000 && grep -qx $kind $tap
	result "$kind.beside_other_users_of_the_function"
done

# A probe on what makes the events prints, and so calls the tap again: that has an end.
load ftrace
if raise "nest 100" 2> /dev/null; then
	wait_for grep -qx 100 $missed && take &&
		[ "$(told 'while events of others were made')" -ge 1 ] &&
		[ "$(wc -l < /tmp/log) $(wc -l < /tmp/texts)" = "900 800" ]
	result ftrace.a_probe_on_the_tap_that_prints
else
	number=$((number + 1))
	echo "ok $number ftrace.a_probe_on_the_tap_that_prints # SKIP no arguments here"
fi

# Without times in the log, those of the import; else it is that of the boot's beginning.
load text && echo N > /sys/module/printk/parameters/time && raise "flood 10 1" && sleep 1 &&
	kerrorctl watch --json --group=printk --idle=500 2> /dev/null |
	grep 'text":"test_evlog: message' > /tmp/events &&
	[ "$(wc -l < /tmp/events)" = 10 ] && ! grep '"time_boot":[0-9]\{1,9\},' /tmp/events
result text.without_times
echo Y > /sys/module/printk/parameters/time

load ftrace
! echo 0 > /proc/sys/kernel/ftrace_enabled 2> /dev/null && raise "flood 1000 1" &&
	equal_to_the_log 1000
result ftrace.cannot_be_switched_off

# ftrace is off before: another kind takes its place. On x86, a kprobe would want ftrace.
rmmod test_evlog evlog kerror
echo 0 > /proc/sys/kernel/ftrace_enabled
load 1
for try in $(seq 25); do raise "flood 100 1"; grep -qx text $tap && break; sleep 0.2; done
raise "flood 1000 1" && equal_to_the_log 1100 && [ "$(cat $missed)" = 0 ] && ! grep -q ftrace $tap
result ftrace.switched_off_before
echo 1 > /proc/sys/kernel/ftrace_enabled

# All kprobes are disarmed: the watch goes on with the log.
load kprobe
echo 0 > /sys/kernel/debug/kprobes/enabled
for try in $(seq 25); do raise "flood 100 1"; grep -qx text $tap && break; sleep 0.2; done
[ "$(told 'the tap no longer sees them')" = 1 ] && [ "$(told 'become events (text)')" = 1 ] &&
	raise "flood 1000 1" && equal_to_the_log 1000
result kprobe.taken_away_goes_on_as_text
echo 1 > /sys/kernel/debug/kprobes/enabled

echo 1 > $tap && grep -qx ftrace $tap && ! echo better > $tap 2> /dev/null && grep -qx ftrace $tap
result the_best_is_chosen_and_nonsense_refused
exit $status
