# SPDX-License-Identifier: GPL-2.0-only
# On a kernel of a distribution: the facility is unloaded and loaded again in a flood
# of messages, and its tap is switched off and on. Messages of that time must
# have become events, each once; the boot parameter loads= says how often. A kerrord
# that keeps its store must store the events of each load, although their numbers
# begin anew.
. /guest/common.sh
[ -e /modules/kerror.ko ] || { echo "ok 1 unload # SKIP the facility is built in"; exit 0; }
status=0

# result NUMBER NAME: of the last command
result() {
	if [ $? = 0 ]; then echo "ok $1 $2"; else echo "not ok $1 $2"; status=1; fi
}

load() {
	insmod /modules/kerror.ko staging_kb=4096 history_kb=8192 && insmod /modules/evlog.ko
}

# Prints messages of the kernel, without end: each names the process, a new one.
flood() {
	while :; do sh -c 'echo 1 > /proc/sys/vm/drop_caches'; done
}

# Each of the newest messages of the flood in the log is an event, once. Those of the
# moment in which the tap is switched come before those out of the log.
equal_to_the_log() {
	kerrorctl watch --json --group=printk --idle=500 2>/dev/null |
		grep -o '"text":"sh ([0-9]*): drop_caches' | sed 's/.*"sh/sh/' | sort > /tmp/texts
	dmesg | grep -o 'sh ([0-9]*): drop_caches' | tail -n "$1" | sort > /tmp/log
	[ "$(wc -l < /tmp/log)" = "$1" ] || return 1
	grep -Fxf /tmp/log /tmp/texts | diff /tmp/log -
}

# stored OPTION...: what kerrord has stored, a JSON object a line
stored() { kerrorctl query --store=/tmp/kerrord/db --json "$@"; }

# has_burst COUNT: of the test module
has_burst() {
	[ "$(stored --filter='text~"burst *"' | grep -c "\"text\":\"burst [0-9]* of $1\"")" = "$1" ]
}

# The numbers of the events of each load and group: whether one is missing or there
# twice. Says how many there are.
numbers_are_whole() {
	stored --losses > /tmp/stored
	! grep '"item":"loss"' /tmp/stored || return 1
	sed 's/.*"instance":\([0-9]*\),"group":"\([a-z]*\)","sequence":\([0-9]*\),.*/\1 \2 \3/' \
		/tmp/stored | sort -u > /tmp/numbers
	[ "$(wc -l < /tmp/numbers)" = "$(wc -l < /tmp/stored)" ] || return 1
	awk '{ at = $3 - 4294967040; at += at < 0 ? 4294967296 : 0
	       count[$1 " " $2]++; last[$1 " " $2] = at > last[$1 " " $2] ? at : last[$1 " " $2] }
	     END { for (load in count) {
			print "# load " load ": " count[load] " stored, the last is " last[load]
			wrong += count[load] != last[load] + 1 }
		exit wrong > 0 }' /tmp/numbers
}

# The second load has fewer events than the one before, the third one more.
kerrord_over_three_loads() {
	mkdir -p /tmp/kerrord
	printf '[kerrord]\nuser = root\nstate = /tmp/kerrord\n[store]\npath = /tmp/kerrord/db\n' \
		> /tmp/kerrord/conf
	for count in 300 100 500; do
		rmmod evlog && rmmod kerror && load && load_test_module || return 1
		kerrord --config /tmp/kerrord/conf 2> /tmp/kerrord/err &
		daemon=$!
		raise "burst $count"
		for try in $(seq 60); do
			has_burst $count && break
			sleep 0.5
		done
		kill $daemon
		wait $daemon || { cat /tmp/kerrord/err; return 1; }
		has_burst $count || return 1
		rmmod test_evlog || return 1
	done
	has_burst 300 && has_burst 100 && numbers_are_whole &&
		[ "$(cut -d ' ' -f 1 /tmp/numbers | sort -u | wc -l)" = 3 ]
}

rmmod evlog && rmmod kerror
result 1 modules_without_users_are_unloaded

insmod /modules/kerror.ko history_kb=8192 && insmod /modules/evlog.ko
kerrorctl watch --group=printk > /dev/null &
reader=$!
sleep 1
rmmod evlog && ! rmmod kerror 2> /tmp/why && grep -q 'in use\|temporarily' /tmp/why
result 2 a_reader_keeps_the_transport
kill $reader
wait $reader 2>/dev/null
rmmod kerror
result 3 and_it_goes_with_the_reader

flood &
flood=$!
for load in $(seq "${loads:-10}"); do
	load || break
	kerrorctl watch --json --group=printk --count=50 > /dev/null || break
	rmmod evlog && rmmod kerror || break
	loaded=$load
done
echo "# loaded and unloaded $loaded times"
[ ! -e /sys/module/kerror ] && [ "$loaded" = "${loads:-10}" ]
result 4 loaded_and_unloaded_in_a_flood

load
sleep 1
# So many are compared; a slow machine has not printed them yet.
until [ "$(dmesg | grep -c 'sh ([0-9]*): drop_caches')" -ge 200 ]; do
	sleep 1
done
kill $flood
wait $flood 2>/dev/null
sleep 1
equal_to_the_log 200
result 5 without_a_gap_or_a_double_where_the_import_ends

tap=/sys/module/evlog/parameters/tap
grep -q 'ftrace\|kprobe' $tap && echo 0 > $tap && grep -q off $tap
result 6 the_tap_is_switched_off
flood &
flood=$!
sleep 0.2
echo 1 > $tap
sleep 0.2
kill $flood
wait $flood 2>/dev/null
sleep 1
equal_to_the_log 200
result 7 what_was_printed_meanwhile_is_there_once
kerrorctl watch --json --group=evlog --idle=300 2>/dev/null > /tmp/events
grep -q 'do not become events: the tap was switched off' /tmp/events &&
	grep -q 'messages of the kernel become events (.*): [1-9]' /tmp/events
result 8 switching_is_told_in_the_stream

! echo 0 > /proc/sys/kernel/ftrace_enabled 2>/dev/null || ! grep -q ftrace $tap
result 9 ftrace_cannot_be_switched_off_below_it

if type kerrord > /dev/null; then
	kerrord_over_three_loads
	result 10 kerrord_stores_each_event_of_three_loads_once
else
	echo "ok 10 kerrord_stores_each_event_of_three_loads_once # SKIP there is no kerrord here"
fi

mount -t debugfs none /sys/kernel/debug 2> /dev/null
no_leaks
result 11 no_memory_is_left
exit $status
