# SPDX-License-Identifier: GPL-2.0-only
# kerrord and kerrorctl with the real kernel, systemd-journald and rsyslog, with
# disks that are full or read-only, and killed again and again under load.
. /guest/common.sh
[ -z "$TRACE" ] || set -x
export PATH=/bin:/usr/bin:/usr/sbin

number=0
# verdict NAME STATUS; the next one begins without a daemon
verdict() {
	[ "$2" = 0 ] || sed 's/^/# /' /tmp/kerrord.err
	killall -q -9 kerrord
	: > /tmp/kerrord.err
	number=$((number + 1))
	if [ "$2" = 0 ]; then
		echo "ok $number daemon.$1"
	else
		echo "not ok $number daemon.$1"
		failed=1
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	tries=$(($1 * 5))
	shift
	until "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "# not in time: $*"; return 1; }
		sleep 0.2
	done
}

# is VALUE WHAT...: says what differs
is() {
	value=$1
	shift
	result=$("$@")
	[ "$result" = "$value" ] || { echo "# '$*' gives '$result', not '$value'"; return 1; }
}

sql() { sqlite3 /var/lib/kerror/events.db "$1"; }
metric() { sed -n "s/^$1 //p" /run/kerror/metrics.prom; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
numbered() { kerrorctl stats --json | sed -n 's/.*"group":"evlog",.*"numbered":\([0-9]*\).*/\1/p'; }
stored_all() { [ "$(sql 'select count(*) from event where event_group = 2')" = "$(numbered)" ]; }

json_has_events() { [ "$(grep -c '"item":"event"' /tmp/json)" -ge "$1" ]; }

# configure SECTIONS: with the store
configure() {
	printf '[metrics]\ninterval = 1s\n[store]\n%b' "$1" > /etc/kerror/kerrord.conf
}

start() {
	kerrord 2>> /tmp/kerrord.err &
	daemon=$!
	wait_for 60 metric_is 'kerror_sink_up{sink="store"}' 1
}

stop() {
	kill "$daemon"
	wait "$daemon"
}

mkdir -p /etc/kerror /run/systemd/journal /run/log/journal /var/lib /var/log /tmp
echo 'root:x:0:0::/:/bin/sh
kerror:x:100:100::/:/bin/false' > /etc/passwd
echo 'root:x:0:
kerror:x:100:' > /etc/group
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
mount -t tmpfs none /tmp
mount -t tmpfs -o mode=755 none /var/lib
mount -t cgroup2 cgroup2 /sys/fs/cgroup
load_test_module || exit 1

# ---- servers ----
/usr/lib/systemd/systemd-journald &
cat > /etc/rsyslog.conf <<'T'
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="/tmp/rsyslog" UseSpecialParser="off" ParseHostname="on")
template(name="parts" type="string" string="%pri%|%app-name%|%msgid%|%structured-data%|%msg%\n")
action(type="omfile" file="/tmp/syslog" template="parts")
T
rsyslogd -n -f /etc/rsyslog.conf -i /tmp/rsyslogd.pid &
wait_for 30 test -S /run/systemd/journal/socket -a -S /tmp/rsyslog

servers_get_each_part() {
	configure '[json]\npath = /tmp/json\n[journald]\n[syslog]\naddress = unix:/tmp/rsyslog\n'
	kerrord --check-config &&
	start &&
	# Whoever is nobody, with one capability
	is "100 100 100 100" awk '/^Uid/ { print $2, $3, $4, $5 }' "/proc/$daemon/status" &&
	is 0000000400000000 awk '/^CapPrm/ { print $2 }' "/proc/$daemon/status" &&
	is 0000000400000000 awk '/^CapEff/ { print $2 }' "/proc/$daemon/status" &&
	sample_rounds 3 && raise "limited 50" &&
	wait_for 30 stored_all &&
	wait_for 30 grep -q rate-limit /tmp/json || return 1
	sleep 2
	stop || return 1
	count=$(grep -c '"item":"event"' /tmp/json)
	is "$(numbered)" echo "$count" &&
	is "$count" journal_has 'KERROR_SEQUENCE=.*' KERROR_GROUP=evlog &&
	is 3 journal_has 'MESSAGE=round [0-9]*: bad block at 123456789012' KERROR_ID=fcf2063c &&
	is 3 journal_has KERROR_ARG_1=123456789012 KERROR_ID=fcf2063c PRIORITY=3 \
		KERROR_DEVICE=+platform:evlog_sample &&
	is 40 journal_sum KERROR_LOST MESSAGE_ID=5f0c2d1cf4a84cd58f0e0a6d7c9b3e21 &&
	is "$count" grep -c '\[kerror@32473 ' /tmp/syslog &&
	is 3 grep -cE "^3\|evlog_sample\|fcf2063c\|$data$arguments\| ?$text" /tmp/syslog &&
	grep -q 'kerrorLoss@32473 group="evlog" cause="rate-limit"' /tmp/syslog
}

# journal_has FIELD=REGEX MATCH...: in how many entries
journal_has() {
	field=$1
	shift
	journalctl -q -o export "$@" | grep -c "^$field\$"
}

# journal_sum FIELD MATCH...
journal_sum() {
	field=$1
	shift
	journalctl -q -o export "$@" |
		awk -F= -v field="$field" '$1 == field { sum += $2 } END { print sum }'
}

# The line that rsyslog made of one of the sample driver's events
data='\[kerror@32473 .*device="\+platform:evlog_sample".*\]'
arguments='\[kerrorArguments@32473 arg0="[0-9]+" arg1="123456789012"\]'
text='round [0-9]+: bad block at 123456789012$'

servers_get_each_part
verdict servers_get_each_part $?

# load SECONDS: some thousands of events a second
load() {
	end=$(($(date +%s) + $1))
	while [ "$(date +%s)" -lt $end ]; do
		raise "burst 500"
		sleep 0.02
	done
}

# A few lines of it are in the log for people to look at.
session() {
	rm -f /tmp/json
	start || return 1
	for command in "kerrorctl selftest" "kerrorctl send 7" "kerrorctl stats" \
		       "kerrorctl query --since=-1h --limit=3" \
		       "kerrorctl query --count-by=event" \
		       "kerrorctl query --filter severity<=crit --json --limit=1" \
		       "kerrorctl ack --until=now" "kerrorctl query --unacked" \
		       "kerrorctl explain fcf2063c" \
		       "kerrorctl watch --count=1 --filter facility==\"evlog\"&&arg[0]==7" \
		       "kerrorctl watch --explain --filter severity<=err&&arg[0]>3" \
		       "kerrorctl top --count=1 --interval=2"; do
		echo "# \$ $command"
		case $command in *top*) echo 1 > $SAMPLE_TRIGGER; load 3 & ;; esac
		timeout 60 $command > /tmp/output 2>&1
		status=$?
		sed 's/^/# /' /tmp/output
		[ $status = 0 ] || { echo "# status $status"; stop; return 1; }
	done
	# The journal may take longer for the load's events than kerrord waits for it.
	wait $!
	wait_for 120 metric_is 'kerror_sink_queue_bytes{sink="journald"}' 0
	stop
}
session
verdict each_command_of_kerrorctl $?

killed_again_and_again() {
	configure '[json]\npath = /tmp/json\n'
	load "$((KILLS / 2 + 5))" &
	loader=$!
	for round in $(seq "$KILLS"); do
		kerrord 2>> /tmp/kerrord.err &
		sleep "0.$((RANDOM % 6 + 2))"
		kill -9 $!
		wait $! 2> /dev/null
	done
	wait $loader
	start && wait_for 120 settled
	stop
	distinct=$(sql 'select count(distinct sequence) from event where event_group = 2')
	echo "# killed $KILLS times: $(account)"
	stored=$(sql 'select count(*) from event where event_group = 2')
	[ "$stored" -gt 0 ] && is "$stored" echo "$distinct" && settled &&
	# The losses that the kernel counted are known in full, and once.
	is 0 sql "select count(*) from (select sum(count) s, max(total) t from loss
		where cause <> 'history' group by cause, event_group) where s <> t"
}

# account: where each numbered event is
account() {
	places=$(sql "select (select count(*) from event where event_group = 2)
		|| ' stored' || group_concat(' + ' || n || ' ' || cause, '')
		from (select sum(count) n, cause from loss where event_group = 2
		and cause in ('history', 'sink') group by cause)")
	echo "$(numbered) numbered = $places"
}

# settled: each event is stored, or recorded as one that was numbered and lost
settled() {
	is "$(numbered)" sql "select (select count(*) from event where event_group = 2) +
		(select coalesce(sum(count), 0) from loss where event_group = 2
		and cause in ('history', 'sink'))"
}
KILLS=$(sed -n 's/.*kills=\([0-9]*\).*/\1/p' /proc/cmdline)
KILLS=${KILLS:-20}
killed_again_and_again
verdict killed_again_and_again $?

store_on_a_full_disk() {
	umount /var/lib
	mount -t tmpfs -o size=600k,mode=755 none /var/lib
	rm -f /tmp/json
	configure '[json]\npath = /tmp/json\n'
	kerrord 2>> /tmp/kerrord.err &
	daemon=$!
	for round in $(seq 8); do
		raise "burst 500"
		sleep 0.5
	done
	wait_for 60 grep -q 'database or disk is full; make room' /tmp/kerrord.err || return 1
	before=$(grep -c '"item":"event"' /tmp/json)
	raise "burst 500"
	wait_for 60 json_has_events $((before + 500)) || return 1
	grep '"item":"report"' /tmp/json | tail -1 | sed 's/^/# /'
	metric_is 'kerror_sink_up{sink="store"}' 0 || return 1
	mount -o remount,size=64m /var/lib
	wait_for 90 settled
	result=$?
	stop
	sed 's/^/# /' /tmp/kerrord.err
	echo "# after it was full: $(account)"
	return $result
}
store_on_a_full_disk
verdict store_on_a_full_disk $?

store_on_a_read_only_disk() {
	mount -o remount,ro /var/lib
	rm -f /tmp/json
	kerrord 2>> /tmp/kerrord.err &
	daemon=$!
	raise "burst 100"
	wait_for 60 grep -q 'event' /tmp/json || return 1
	wait_for 30 grep -q 'it needs a file system .* that can be written' /tmp/kerrord.err ||
		return 1
	mount -o remount,rw /var/lib
	wait_for 90 settled
	result=$?
	stop
	sed 's/^/# /' /tmp/kerrord.err
	return $result
}
store_on_a_read_only_disk
verdict store_on_a_read_only_disk $?

exit ${failed:-0}
