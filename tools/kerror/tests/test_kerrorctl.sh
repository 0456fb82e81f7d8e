#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests kerrorctl on a store that make_store fills and on the kernel that
# fake_kernel.c plays. Called by "make test" with the output folder; prints ok or
# what differs.
set -eu
out=$(cd "$1" && pwd)
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
store=$work/events.db
catalogue=$here/../explain/evlog_sample.ini

# An option that nobody frees at the end is no leak worth a failure.
export ASAN_OPTIONS=detect_leaks=0 TZ=UTC
export FAKE_START=1700000000000000000 FAKE_EVENTS=100 FAKE_LOST=7
export TEXTDOMAINDIR="$out/locale"
unset LC_ALL LANG LANGUAGE FAKE_ERROR FAKE_PRINTK FAKE_NO_SYSLOG FAKE_OLD || true

ctl() { timeout 30 "$out/san/tests/kerrorctl" "$@"; }

fail() {
	echo "test_kerrorctl.sh: $*" >&2
	exit 1
}

# Bytes other than newlines that a terminal does not print
controls() { LC_ALL=C tr -d '\12\40-\176\200-\377' | wc -c; }

# same COMMAND...: standard input is what it prints
same() {
	"$@" >"$work/got" 2>"$work/error" || fail "$*: $(cat "$work/error")"
	diff -u - "$work/got" >&2 || fail "$* prints something else"
	[ "$(controls <"$work/got")" = 0 ] || fail "$* prints controls"
}

# has PATTERN COMMAND...: prints a line that matches
has() {
	pattern=$1
	shift
	"$@" >"$work/got" 2>"$work/error" || fail "$*: $(cat "$work/error")"
	grep -q -e "$pattern" "$work/got" ||
		fail "$*: no '$pattern' in: $(cat "$work/got")"
}

# refuses PATTERN ARGUMENT...: status 1, and one line that says why
# misuses PATTERN ARGUMENT...: the same with status 2
refuses() { ends 1 "$@"; }
misuses() { ends 2 "$@"; }
ends() {
	expected=$1 pattern=$2 status=0
	shift 2
	ctl "$@" >"$work/got" 2>"$work/error" || status=$?
	[ $status = "$expected" ] || fail "$*: status $status"
	[ ! -s "$work/got" ] || fail "$*: prints $(cat "$work/got")"
	[ "$(wc -l <"$work/error")" = 1 ] || fail "$*: not one line: $(cat "$work/error")"
	grep -q -e "^kerrorctl: $pattern" "$work/error" ||
		fail "$*: no '$pattern' in: $(cat "$work/error")"
}

# finds NUMBERS OPTION...: of the events that query prints
finds() {
	expected=$1
	shift
	query --json "$@" >"$work/got" || fail "query $*: no success"
	got=$(sed -n 's/.*"number":\([0-9]*\),.*/\1/p' "$work/got" | xargs)
	[ "$got" = "$expected" ] || fail "query $*: finds $got, not $expected"
}

query() { ctl query --store="$store" "$@"; }

"$out/san/tests/make_store" "$store"
old=--until=2024-01-01

# ---- The command line ----

misuses 'no command; see kerrorctl help'
misuses "there is no command 'wach'; did you mean watch?; see kerrorctl help" wach
misuses "there is no command 'qurey'; did you mean query?" qurey
misuses "there is no command 'dmesg'; see kerrorctl help" dmesg
misuses "there is no command 'x'; see" help x
misuses "there is no option '--sice'; did you mean --since?; see kerrorctl query --help" query --sice=-1h
misuses "there is no option '--xyz'; see kerrorctl query --help" query --xyz
misuses "there is no option '-x'; see kerrorctl query --help" query -ux
misuses '--forget tells nothing in JSON; leave out --json' fleet --forget=a --json
misuses "there is no option '-x'; see kerrorctl query --help" query --since=-1h -xu
misuses "option '--json' takes no value; see kerrorctl query --help" query --json=1
misuses "option '--since' lacks its value; see kerrorctl query" query --since
misuses "unexpected argument 'x'; see kerrorctl query --help" query x
misuses "unexpected argument 'x'; see kerrorctl watch --help" watch x
misuses "--color: 'red' is none of never, always, auto" query --color=red
misuses "--count-by: 'x' is none of facility, event, device, sev" query --count-by=x
misuses "--count-by: 'arg' is none of" query --count-by=device,arg
misuses "--count-by: 'arg\[1\]x' is none of" query --count-by='arg[1]x'
misuses "--count-by: more than 8 names" query --count-by=day,day,day,day,day,day,day,day,day
misuses 'no number of an event; kerrorctl query prints them' show
misuses "NUMBER: 'x' is not a number from 1" show x
misuses "unexpected argument '2'" show 1 2
misuses "--limit: '0' is not a number from 1 to " query --limit=0
misuses "--limit: '-1' is not a number from 1 to " query --limit=-1
misuses "--count: '2x' is not a number" watch --count=2x
misuses "--boot: 'x' is none of all, current, -1 and so on" query --boot=x
misuses "--group: 'x' is none of raw, evlog, printk, all" watch --group=x
misuses "--interval: '0' is not a number from 1 to 86400" top --interval=0
misuses "--filter: column 1: .*severity.*kerror-filter(7)" query --filter=severty
misuses "--filter: column 11" watch --filter='severity<=bad'
misuses '--explain needs an option that says which events' watch --explain
misuses "--priority: 'eror' is no severity: emerg, alert" query --priority=eror
misuses "--priority: 'x' is no severity" top -p err..x
misuses "--grep: '(': .*regex(7)" query --grep='('
misuses "--output: 'long' is none of short, short-iso, verbose, cat, json" query -o long
misuses '--follow goes on for ever, so not with' query --follow --reverse
for command in watch query top ack; do
	misuses "--facility: an empty name; see kerrorctl $command --help" $command --facility=
	misuses "--facility: an empty name" $command -F net -F ''
	misuses "option '--facility' lacks its value" $command --facility
	misuses '--facility: .*4096' $command --facility="$(printf '%4096d' 0)"
done
for command in watch query boots lastwords show report ack health clear fleet top stats rules explain formats check-rules selftest \
	send help; do
	has "^  $command " ctl help
	has "^Usage: kerrorctl $command" ctl $command --help
	has "^Usage: kerrorctl $command" ctl help $command
done
has '^  watch ' ctl --help
has '^Usage: kerrorctl formats' ctl catalog -h
has '^kerrorctl [0-9.]*$' ctl --version
# A short option is the same long one in all commands.
for command in $(ctl help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
	ctl $command --help | sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\).*/\1 \2/p'
done | sort -u >"$work/options"
[ -s "$work/options" ] && [ -z "$(cut -d' ' -f1 "$work/options" | uniq -d)" ] ||
	fail "an option means two things: $(cat "$work/options")"
if ctl query --store="$store" >/dev/full 2>"$work/error"; then
	fail "a full disk is no error"
fi
grep -q 'cannot write to standard output' "$work/error" || fail "a full disk"

# ---- query ----

same query --losses $old <<'EOF'
1  2023-11-14 22:13:20 err     net[n2]: link eth0 down, error -5
2  2023-11-14 22:14:20 err     ata[b8:0]: round 7: bad block at 123456789012
3  2023-11-14 22:15:20 err     ata[b8:16]: round 8: bad block at 5
4  2023-11-14 22:16:20 warning net[n2]: queue 1 stalled for 250 ms
5  2023-11-14 22:17:20 crit    net: 70 00 03
6  2023-11-14 22:18:20 info    net\x1b[\x1b[2J]: recovered \x1b[31m\xff ä
   2023-11-14 22:19:20 -- 5 evlog events lost: staging-full
   2023-11-14 22:20:20 -- 2 evlog events lost: sink
7  2023-11-14 23:13:20 err     ata[b8:0]: round 9: bad block at 6
EOF
TZ=CET-1 same query -o short-iso --limit=1 $old <<'EOF'
7  2023-11-15T00:13:20.123456+01:00 err     ata[b8:0]: round 9: bad block at 6
EOF
same query -o cat --reverse --limit=3 $old <<'EOF'
round 9: bad block at 6
recovered \x1b[31m\xff ä
70 00 03
EOF
has '^8  20..-..-.. ..:..:.. -       raw: 72 61 77 20' query --limit=1
has '^{"item":"event","number":8,"time_realtime":[0-9]*,"time_realtime_string":"[0-9]*","boot_id"' \
	query --json --limit=1
same query -o verbose --losses $old <<'EOF'
1 2023-11-14T22:13:20.123456Z err     net[n2] process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: link eth0 down, error -5 <id=048d7147 format="link %s down, error %d" string="eth0" s32=-5>
2 2023-11-14T22:14:20.123456Z err     ata[b8:0] process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: round 7: bad block at 123456789012 <id=fcf2063c format="round %d: bad block at %llu" s32=7 u64=123456789012>
3 2023-11-14T22:15:20.123456Z err     ata[b8:16] process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: round 8: bad block at 5 <id=fcf2063c format="round %d: bad block at %llu" s32=8 u64=5>
4 2023-11-14T22:16:20.123456Z warning net[n2] process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: queue 1 stalled for 250 ms <id=bdd62ee9 format="queue %d stalled for %u ms" s32=1 u32=250>
5 2023-11-14T22:17:20.123456Z crit    net process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: 70 00 03 <type=3 binary=3 bytes>
6 2023-11-14T22:18:20.123456Z info    net\x1b[+x:\x1b[2J] process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: recovered \x1b[31m\xff ä <type=2 string=19 bytes>
2023-11-14 22:19:20 -- 5 evlog events lost: staging-full
2023-11-14 22:20:20 -- 2 evlog events lost: sink
7 2023-11-14T23:13:20.123456Z err     ata[b8:0] process cpu=3 pid=42 tid=43 comm=task uid=1000 gid=0: round 9: bad block at 6 <id=fcf2063c format="round %d: bad block at %llu" s32=9 u64=6>
EOF
same query --json --losses --since=2023-11-14T22:18Z --until=2023-11-14T23:00Z <<'EOF'
{"item":"event","number":6,"boot_id":"01234567-89ab-cdef-0123-456789abcdef","group":"evlog","sequence":4294967045,"thread":42,"time_realtime":1700000300123456789,"time_realtime_string":"1700000300123456789","time_boot":5000000000,"severity":"info","facility":"net\u001b","device":"+x:\u001b[2J","context":"process","cpu":3,"uid":1000,"gid":0,"pid":42,"tid":43,"comm":"task","event_type":2,"kind":"string","text":"recovered \u001b[31m\\xff ä","text_bytes":"7265636f7665726564201b5b33316dff20c3a4"}
{"item":"loss","time_realtime":1700000360000000000,"time_realtime_string":"1700000360000000000","boot_id":"01234567-89ab-cdef-0123-456789abcdef","group":"evlog","cause":"staging-full","count":5,"total":5}
{"item":"loss","time_realtime":1700000420000000000,"time_realtime_string":"1700000420000000000","boot_id":"01234567-89ab-cdef-0123-456789abcdef","group":"evlog","cause":"sink","count":2,"total":2}
EOF
finds '1 2 3 4 5 6 7 8'
finds '1 3 4' --filter='(arg[0]=="eth0" || device!="b8:0") && severity<=warning && kind==printf'
finds '7 8' --limit=2
finds '3 7' --limit=2 --filter='facility=="ata"' $old
finds '7 8' --boot=current
finds '1 2 3 4 5 6 7 8' --boot=all
finds '2' --boot=all --filter='arg[0]==7'
finds '8' --boot=current --limit=1
finds '7' --boot=current $old
finds '' --filter='facility=="nothing"'
finds '2 3 7' --facility=ata $old
finds '1 2 3 4 5 7' --facility=ata -F net --facility=nothing $old
finds '6' --facility="$(printf 'net\033')"
finds '' --facility=nothing
finds '' --facility='*' --facility='net"' --facility='a\'
finds '2 7' --facility=ata --filter='device==n2 || device=="b8:0"' $old
finds '3 7' --limit=2 --filter='severity==err' --facility=ata $old
finds '' --facility=ata --group=raw
finds '1 2 3 4 5 6 7' --group=evlog
finds '8' --group=raw
finds '8' --group=raw --limit=3
finds '' --group=printk
finds '1 2 3 4 5 6 7 8' --group=all
finds '' --group=raw --filter='group==evlog'
has "$(printf '\033')" query --color=always
query --color=never $old >"$work/got"
[ "$(controls <"$work/got")" = 0 ] || fail "colours although there are to be none"
finds '1 2 3 5 7' -p err $old
finds '5' --priority=2 $old
finds '4' -p warning..warning $old
finds '1 4 5' -p 4..crit --facility=net --filter='device==n2 || severity<=crit' $old
finds '2 3 7' --grep='bad BLOCK|bad block' $old
finds '3 7' --grep='bad block$|block at [56]' $old
finds '2 3 7' --grep='ROUND [7-9]|round' $old
finds '' --grep='ROUND'
finds '2 3' --grep='^round [78]:' $old
finds '7' --grep='round' --limit=1 $old
finds '2 3 7' --filter='event_id==fcf2063c' $old
finds '5' --filter='event_type==3'
finds '8 7 6 5 4 3 2 1' --reverse
finds '8 7' -r -n 2
finds '3 2' -r -n 2 --grep='block' --until=2023-11-14T23:00
finds '4 3 2' -r --since=2023-11-14T22:14 --until=2023-11-14T22:17

# ---- Boots ----

finds '7 8' --boot
finds '7 8' -b
finds '7 8' -b 0 -u
finds '7 8' --boot=current --boot=0
finds '1 2 3 4 5 6' -b -1
finds '1 2 3 4 5 6' --boot=-1
finds '1 2 3 4 5 6' -b-1
finds '1 2 3 4 5 6' --boot=1
finds '7 8' -b 2
finds '1 2 3 4 5 6' --boot=01234567
finds '1 2 3 4 5 6' -b 01234567-89ab-cdef-0123-456789abcdef
refuses '--boot: the store has no boot -2; kerrorctl query --list-boots' query --store="$store" -b -2
refuses '--boot: the store has no boot 3; ' query --store="$store" --boot=3
refuses '--boot: the store has no boot ffffffff; ' query --store="$store" --boot=ffffffff
query --list-boots >"$work/got" && cp "$work/got" "$work/got.boots"
head -2 "$work/got" | diff -u - /dev/fd/3 3<<'EOF' || fail "query --list-boots"
 BOOT  ID                                      EVENTS  FIRST                LAST                 END
   -1  01234567-89ab-cdef-0123-456789abcdef         6  2023-11-14 22:13:20  2023-11-14 22:18:20  end unknown; 1 crit, 3 err, 1 warning, 1 info
EOF
grep -q "^    0  $(cat /proc/sys/kernel/random/boot_id)         2  2023-11-14 23:13:20  20" "$work/got" ||
	fail "query --list-boots: $(cat "$work/got")"
has '{"item":"boot","index":-1,"boot_id":"01234567-.*","events":6,"first":1700000000123456789,"first_string":"1700000000123456789","last":1' \
	query --list-boots --json

# Events of two loads of the modules are of one boot.
cp "$store" "$work/loads.db"
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("INSERT INTO boot(boot_id, instance) SELECT boot_id, 7 FROM boot JOIN event USING(boot)"
                 " WHERE id = 5")
database.execute("UPDATE event SET boot = (SELECT boot FROM boot WHERE instance = 7) WHERE id = 5")
database.commit()' "$work/loads.db"
ctl query --list-boots --store="$work/loads.db" | diff -u "$work/got.boots" - ||
	fail "query --list-boots of two loads"
[ "$(ctl query --boot=-1 --json --store="$work/loads.db" | grep -c '"event"')" = 6 ] &&
	has '"number":5,.*"instance":7,' ctl query --json --store="$work/loads.db" -b -1 ||
	fail "query --boot of two loads"

# Lines say of another machine what it is.
cp "$store" "$work/fleet.db"
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE boot SET host = ?, release = ? WHERE boot_id LIKE ?", ("db\033", "6.1", "01234567%"))
database.commit()' "$work/fleet.db"
has '^4  2023-11-14 22:16:20 warning db\\x1b net\[n2\]: queue 1 stalled for 250 ms$' ctl query --store="$work/fleet.db"
has '^7  2023-11-14 23:13:20 err     ata\[b8:0\]: round 9' ctl query --store="$work/fleet.db"
has ' -- 2 evlog events lost: sink <host="db\\x1b" release="6.1">$' ctl query --losses --store="$work/fleet.db"
has ' u32=250 host="db\\x1b" release="6.1">$' ctl query -o verbose --store="$work/fleet.db"
has '"number":4,.*,"host":"db\\u001b","release":"6.1"}$' ctl query --json --store="$work/fleet.db"
has '^  host           db\\x1b$' ctl show --store="$work/fleet.db" 4
[ "$(ctl query --store="$work/fleet.db" --filter='release=="6.1"' | wc -l)" = 6 ] ||
	fail "query --filter of a release"

# ---- On a terminal ----

# terminal COMMAND: what it prints on one of 50 columns
terminal() { script -qec "stty cols 50; $1" /dev/null </dev/null | tr -d '\r'; }
command="$out/san/tests/kerrorctl query --store=$store $old"
export KERROR_PAGER='sed s/^/P:/' TERM=xterm
[ "$(terminal "$command -n 1 --color=never")" = \
	'P:7  11-14 23:13:20 err  b8:0: round 9: bad block at 6' ] || fail "no pager"
[ "$(terminal "$command -n 1 --color=never --no-pager")" = \
	'7  11-14 23:13:20 err  b8:0: round 9: bad block a…' ] || fail "a line that is not cut"
[ "$(KERROR_PAGER='' terminal "$command -n 1 -o cat --color=never")" = 'round 9: bad block at 6' ] ||
	fail "a pager although it is empty"
[ "$(KERROR_PAGER='head -n 1 >/dev/null; echo end' terminal "$command; echo \$?")" = 'end
0' ] || fail "a pager that is left early: $(KERROR_PAGER='head -n 1 >/dev/null; echo end' terminal "$command; echo \$?")"
[ "$(terminal "$command -n 1 --json" | cut -c1-26)" = 'P:{"item":"event","number"' ] || fail "JSON in a pager"
[ "$(terminal "$command" | controls)" != 0 ] || fail "no colours on a terminal"
for variable in NO_COLOR=1 TERM=dumb; do
	[ "$(terminal "env $variable $command" | controls)" = 0 ] || fail "colours with $variable"
done
[ "$(terminal "env NO_COLOR= $command" | controls)" != 0 ] || fail "an empty NO_COLOR"
unset KERROR_PAGER TERM

# ---- Events that kerrord stores meanwhile ----

cp "$store" "$work/follow.db"
cp "$store" "$work/new.db"
# store_more NUMBER: another event as that one
store_more() {
	python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
columns = ("boot, event_group, %s, thread, time, acknowledged, severity, facility, device,"
           "event_id, text, data, arrived")
database.execute("INSERT INTO event(" + columns % "sequence" + ") SELECT " +
                 columns % "sequence + 1000 * (SELECT max(id) FROM event)" +
                 " FROM event WHERE id = ?", (sys.argv[2],))
database.commit()' "$work/follow.db" "$1"
}
: >"$work/followed"
# lines COUNT: waits until so many were printed
lines() {
	for _ in $(seq 300); do
		[ "$(wc -l <"$work/followed")" -lt "$1" ] || return 0
		sleep 0.1
	done
	fail "query --follow: $(cat "$work/followed")"
}
timeout 60 "$out/san/tests/kerrorctl" query -f -n 1 --facility=ata -o cat --store="$work/follow.db" \
	>"$work/followed" &
follower=$!
lines 1
store_more 2	# of which the time is before that of the last one
store_more 1	# which is not asked for
lines 2
store_more 3
lines 3
# A store that was made anew
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("DELETE FROM event WHERE id > 2")
database.commit()' "$work/new.db"
mv "$work/new.db" "$work/follow.db"
lines 4
kill $follower
wait $follower 2>/dev/null || true
diff -u - "$work/followed" <<'EOF' || fail "query --follow"
round 9: bad block at 6
round 7: bad block at 123456789012
round 8: bad block at 5
round 7: bad block at 123456789012
EOF

# ---- Times ----

day=2023-11-14T
finds '2 3' --since=${day}22:14:20.123456789Z --until=${day}22:16:20.123456789Z
finds '3' --since=${day}22:14:20.12345679Z --until=${day}22:16:20Z
finds '2 3' --since="2023-11-14 22:14" --until=${day}22:16
finds '7' --since=${day}22:19 $old
finds '1 2 3 4 5 6 7' --since=2023-11-14 --until=2023-11-15
finds '' --since=2023-11-15 $old
TZ='CET-1CEST,M3.5.0,M10.5.0/3' finds '7' --since=2023-11-15 $old
TZ='CET-1CEST,M3.5.0,M10.5.0/3' finds '7' --since=${day}23:00:00Z $old
finds '8' --since=-2h
finds '8' --since=-120min
finds '8' --since='1 week ago'
finds '8' --since='900 seconds ago'
finds '8' --since=yesterday
finds '1 2 3 4 5 6 7' --until=yesterday
finds '1 2 3 4 5 6 7' --until='10 minutes ago'
finds '1 2 3 4 5 6 7' --until=-30m
finds '2 3' --since=@1700000060.12345678 --until=@1700000180
finds '' --since=@1700003601 $old
finds '8' --since=-1h30m
finds '8' --since='1 day 2 hours ago'
finds '8' --since='yesterday 00:00'
finds '1 2 3 4 5 6 7' --until='yesterday 23:59:59.5' --since=2023-01-01
[ "$(date +%H)" = 00 ] || finds '8' --since=00:00
[ "$(date +%H)" = 00 ] || finds '8' --since='today 00:00:00'
finds '' --since=now
finds '' --since=yesterday --until=today
# Each unit lies between two numbers of another one.
while read -r shorter longer names; do
	for name in $names; do
		finds '' --since="-1 $name" --until="$shorter ago" --filter=oops
		misuses '--since is not before --until' query \
			--since="1$name ago" --until="-$longer"
	done
done <<'EOF'
59s 61s m min minute minutes
59m 61m h hour hours
23h 25h d day days
6d 8d w week weeks
0m 1m s second seconds
EOF
for time in '' x 2023 2023-13-01 2023-02-30 2023-11-14T 2023-11-14T25:00 \
	    2023-11-14T22:13+01:00 2023-11-14T22:13:20.5x 2023-11-14T22:13.5 \
	    -2 -2y 2h '2 hours' '-2h ago' 'ago' '-9999999999h' -144115188075855872w \
	    '5000 weeks ago' 1969-12-31 9999-01-01 Today @ @x @1x @-1 25:00 10:30x 10 \
	    'yesterday ' 'yesterday x' 'tomorrow 10:00' -1h30 '1h ago 30m'; do
	misuses "--since: '$time' is no time such as .*kerrorctl(1)" \
		query --store="$store" --since="$time"
done
misuses '--until: ' query --store="$store" --until=tomorrow
misuses '--since is not before --until' query --since=-1h --until=-2h
misuses '--since is not before --until' query --since=2023-01-01 --until=2023-01-01

# ---- query --count-by ----

same query --count-by=facility $old <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  FACILITY
       3  2023-11-14 22:14:20  2023-11-14 23:13:20  err       ata
       3  2023-11-14 22:13:20  2023-11-14 22:17:20  crit      net
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      net\x1b
EOF
same query --count-by=event $old <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  EVENT
       3  2023-11-14 22:14:20  2023-11-14 23:13:20  err       fcf2063c "round %d: bad block at %llu"
       1  2023-11-14 22:13:20  2023-11-14 22:13:20  err       048d7147 "link %s down, error %d"
       1  2023-11-14 22:16:20  2023-11-14 22:16:20  warning   bdd62ee9 "queue %d stalled for %u ms"
       1  2023-11-14 22:17:20  2023-11-14 22:17:20  crit      binary type=3
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      string type=2
EOF
same query --count-by=device $old --limit=2 --losses <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  DEVICE
       2  2023-11-14 22:14:20  2023-11-14 23:13:20  err       b8:0
       2  2023-11-14 22:13:20  2023-11-14 22:16:20  err       n2
EOF
same query --count-by=severity $old --filter='severity<=warning' <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY
       4  2023-11-14 22:13:20  2023-11-14 23:13:20  err
       1  2023-11-14 22:17:20  2023-11-14 22:17:20  crit
       1  2023-11-14 22:16:20  2023-11-14 22:16:20  warning
EOF
same query --count-by=event --json $old --limit=2 <<'EOF'
{"item":"count","count":3,"first":1700000060123456789,"first_string":"1700000060123456789","last":1700003600123456789,"last_string":"1700003600123456789","severity":"err","kind":"printf","event_id":"fcf2063c","format":"round %d: bad block at %llu"}
{"item":"count","count":1,"first":1700000000123456789,"first_string":"1700000000123456789","last":1700000000123456789,"last_string":"1700000000123456789","severity":"err","kind":"printf","event_id":"048d7147","format":"link %s down, error %d"}
EOF
same query --count-by=device,arg[0] $old -F ata <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  DEVICE  ARG[0]
       1  2023-11-14 22:14:20  2023-11-14 22:14:20  err       b8:0    7
       1  2023-11-14 23:13:20  2023-11-14 23:13:20  err       b8:0    9
       1  2023-11-14 22:15:20  2023-11-14 22:15:20  err       b8:16   8
EOF
same query --count-by=hour,facility $old <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  HOUR              FACILITY
       3  2023-11-14 22:13:20  2023-11-14 22:17:20  crit      2023-11-14 22:00  net
       2  2023-11-14 22:14:20  2023-11-14 22:15:20  err       2023-11-14 22:00  ata
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      2023-11-14 22:00  net\x1b
       1  2023-11-14 23:13:20  2023-11-14 23:13:20  err       2023-11-14 23:00  ata
EOF
TZ=CET-1 same query --count-by=day,severity $old -p err <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  DAY
       3  2023-11-14 23:13:20  2023-11-14 23:15:20  err       2023-11-14
       1  2023-11-14 23:17:20  2023-11-14 23:17:20  crit      2023-11-14
       1  2023-11-15 00:13:20  2023-11-15 00:13:20  err       2023-11-15
EOF
TZ=CET-1 same query --count-by=day --json --filter='arg[0]==9' $old <<'EOF'
{"item":"count","count":1,"first":1700003600123456789,"first_string":"1700003600123456789","last":1700003600123456789,"last_string":"1700003600123456789","severity":"err","day":"2023-11-15"}
EOF
same query --count-by='arg[1],arg[0],facility' --json --limit=2 -F net --grep='down|5 00' $old <<'EOF'
{"item":"count","count":1,"first":1700000000123456789,"first_string":"1700000000123456789","last":1700000000123456789,"last_string":"1700000000123456789","severity":"err","arg[1]":-5,"arg[0]":"eth0","facility":"net"}
EOF
has '^       1  .*  -         raw type=0$' query --count-by=event
# Messages of the kernel that came as text are told apart by their words.
cp "$store" "$work/words.db"
python3 -c 'import sqlite3, struct, sys
database = sqlite3.connect(sys.argv[1])
data = database.execute("SELECT data FROM event WHERE id = 6").fetchone()[0]
columns = "boot, event_group, thread, severity, facility, device, event_id, text"
for at, text in enumerate((b"ata3.00: error -5 at 0x1f, sda12", b"ata12.00: error -71 at 0x0, sda1",
                           b"ata3: deadbeef is 2 words, v1x22", b"\xff1")):
    head = bytearray(data[:-len(b"recovered \x1b[31m\xff \xc3\xa4")])
    struct.pack_into("=I", head, 28, 0x40)
    struct.pack_into("=I", head, 52, len(text))
    database.execute("INSERT INTO event(sequence, time, data, " + columns + ") SELECT ?, time, ?, " +
                     columns + " FROM event WHERE id = 6", (90 + at, bytes(head) + text))
database.commit()' "$work/words.db"
same ctl query --store="$work/words.db" --count-by=event $old --filter='severity==info' <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  EVENT
       2  2023-11-14 22:18:20  2023-11-14 22:18:20  info      string "ata#.#: error -# at #, sda#"
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      string "ata#: deadbeef is # words, v#x#"
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      string "\xff#"
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      string type=2
EOF
has '"count":2,.*"kind":"string","words":"ata#.#: error -# at #, sda#"}$' \
	ctl query --store="$work/words.db" --count-by=event --json
# So are those whose format is that of many messages.
cp "$store" "$work/shared.db"
python3 -c 'import sqlite3, struct, sys, zlib
database = sqlite3.connect(sys.argv[1])
data = database.execute("SELECT data FROM event WHERE id = 6").fetchone()[0]
columns = "boot, event_group, thread, severity, facility, device, event_id, text"
form = b"%s:  %s"
for at, texts in enumerate(((b"one", b"probe 1 failed"), (b"one", b"probe 22 failed"),
                            (b"two", b"no memory"))):
    head = bytearray(data[:-len(b"recovered \x1b[31m\xff \xc3\xa4")])
    variable = form + b"\0" + b"".join(struct.pack("=BBH", 8, 0, len(text)) + text +
                                       bytes(-len(text) % 4) for text in texts)
    struct.pack_into("=I", head, 16, zlib.crc32(form))
    struct.pack_into("=I", head, 28, 0x40)
    struct.pack_into("=I", head, 52, len(variable))
    struct.pack_into("=H", head, 62, len(form) + 1)
    head[66] = 3
    database.execute("INSERT INTO event(sequence, time, data, " + columns + ") SELECT ?, time, ?, " +
                     columns + " FROM event WHERE id = 6", (90 + at, bytes(head) + variable))
database.commit()
print("%08x" % zlib.crc32(form))' "$work/shared.db" >"$work/shared.id"
same ctl query --store="$work/shared.db" --count-by=event $old --filter='severity==info' <<EOF
   COUNT  FIRST                LAST                 SEVERITY  EVENT
       2  2023-11-14 22:18:20  2023-11-14 22:18:20  info      $(cat "$work/shared.id") "one:  probe # failed"
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      $(cat "$work/shared.id") "two:  no memory"
       1  2023-11-14 22:18:20  2023-11-14 22:18:20  info      string type=2
EOF
has '"format":"%s:  %s","own_id":false,"words":"one:  probe # failed"}$' \
	ctl query --store="$work/shared.db" --count-by=event --json
[ "$(ctl query --store="$work/shared.db" --json $old | grep -c '"format":"%s:  %s","own_id":false,"arguments"')" = 3 ] ||
	fail "query --json: no own_id"

# Of several machines, a table has how many; two of one name are two.
cp "$store" "$work/fleet.db"
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
columns = "event_group, thread, severity, facility, device, event_id, text, data"
(old,), (own,) = database.execute("SELECT boot FROM boot ORDER BY boot_id NOT LIKE ?", ("01234567-%",))
database.execute("INSERT INTO boot(boot_id, instance) VALUES(3, 0)")
third = database.execute("SELECT boot FROM boot WHERE boot_id = 3").fetchone()[0]
for boot, *names in ((old, "a", "web-a", "6.1.0"), (own, "b", "web-b", "6.12.0"),
                     (third, "c", "web-a", "6.12.0")):
    database.execute("UPDATE boot SET machine = ?, host = ?, release = ? WHERE boot = ?",
                     (*names, boot))
for boot, sequence, minute in ((own, 90, 20), (third, 90, 10), (third, 91, 30)):
    database.execute("INSERT INTO event(boot, sequence, time, " + columns + ") SELECT ?, ?, ?, " +
                     columns + " FROM event WHERE id = 6",
                     (boot, sequence, (1700000000 + minute * 60) * 10**9))
database.execute("DELETE FROM event WHERE id = 6")
database.commit()' "$work/fleet.db"
fleet() { ctl query --store="$work/fleet.db" "$@"; }
same fleet --count-by=release -g evlog <<'EOF'
   COUNT  HOSTS  FIRST                LAST                 SEVERITY  RELEASE
       5      1  2023-11-14 22:13:20  2023-11-14 22:17:20  crit      6.1.0
       4      2  2023-11-14 22:23:20  2023-11-14 23:13:20  err       6.12.0
EOF
same fleet --count-by=host -g evlog <<'EOF'
   COUNT  HOSTS  FIRST                LAST                 SEVERITY  HOST
       7      2  2023-11-14 22:13:20  2023-11-14 22:43:20  crit      web-a
       2      1  2023-11-14 22:33:20  2023-11-14 23:13:20  err       web-b
EOF
same fleet --count-by=release --json --filter='id==fcf2063c' <<'EOF'
{"item":"count","count":2,"first":1700000060123456789,"first_string":"1700000060123456789","last":1700000120123456789,"last_string":"1700000120123456789","hosts":1,"severity":"err","release":"6.1.0"}
{"item":"count","count":1,"first":1700003600123456789,"first_string":"1700003600123456789","last":1700003600123456789,"last_string":"1700003600123456789","hosts":1,"severity":"err","release":"6.12.0"}
EOF
has '^       3      2  .*  string type=2$' fleet --count-by=event
has '^       3      2  .*  fcf2063c ' fleet --count-by=event
has '"hosts":2,"severity":"err","facility":"ata"' fleet --count-by=facility --json
has '^       3      2  2023-11-14 22:43:20  info      ' ctl report --store="$work/fleet.db" --since=all

# ---- query --new-in ----

same fleet --count-by=event --new-in=6.12.0 -g evlog <<'EOF'
   COUNT  HOSTS  FIRST                LAST                 SEVERITY  EVENT
       3      2  2023-11-14 22:23:20  2023-11-14 22:43:20  info      string type=2
EOF
same fleet --count-by=event --new-in='6.1.?' -n 2 <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY  EVENT
       1  2023-11-14 22:13:20  2023-11-14 22:13:20  err       048d7147 "link %s down, error %d"
       1  2023-11-14 22:16:20  2023-11-14 22:16:20  warning   bdd62ee9 "queue %d stalled for %u ms"
EOF
# Of all releases, all is new; of a selection, what that has.
[ "$(fleet --count-by=event --new-in='6.*' --json)" = "$(fleet --count-by=event --json)" ] ||
	fail "--new-in of all releases"
has 'fcf2063c' fleet --count-by=event --new-in='6.12*' --host=web-b
# A release that is not known is another one.
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE boot SET release = NULL WHERE release = ?", ("6.1.0",))
database.commit()' "$work/fleet.db"
[ "$(fleet --count-by=event --new-in='*' -g evlog | wc -l)" = 2 ] || fail "--new-in of any release"
refuses "the store has no release '6.1.0'; .*--count-by=release" \
	query --store="$work/fleet.db" --count-by=event --new-in=6.1.0
misuses '--new-in chooses rows of a table: say --count-by' query --new-in=6.1.0
for option in --since=-1h --until=now --boot --unacked; do
	misuses '--new-in compares all that the store has' \
		query --count-by=event --new-in=6.1.0 "$option"
done

# ---- The store ----

refuses "store $work/no.db: .*does kerrord run" query --store="$work/no.db"
refuses "store $work/no.db: " ack --store="$work/no.db" 1
[ ! -e "$work/no.db" ] || fail "ack makes a store"
head -c 8192 "$here/test_event.c" >"$work/bad.db"
for command in query 'ack --until=now'; do
	# shellcheck disable=SC2086
	refuses "store $work/bad.db: this is no store of kerrord; name another path" \
		$command --store="$work/bad.db"
done
[ -e "$work/bad.db" ] || fail "ack moves a bad store away"
cp "$store" "$work/locked.db"
chmod 0 "$work/locked.db"
if [ "$(id -u)" != 0 ]; then
	refuses "store $work/locked.db: .*run it as root" query --store="$work/locked.db"
elif setpriv --reuid=65534 --clear-groups test -x "$out/san/tests/kerrorctl"; then
	if setpriv --reuid=65534 --clear-groups "$out/san/tests/kerrorctl" query \
		--store="$work/locked.db" 2>"$work/error"; then
		fail "reads what it may not read"
	fi
	grep -q "^kerrorctl: store .*run it as root" "$work/error" ||
		fail "unreadable store: $(cat "$work/error")"
fi

# ---- ack ----

ack() { ctl ack --store="$store" "$@"; }
misuses 'it takes either numbers, or --until or an option' ack
misuses 'it takes either numbers, or --until or an option' ack --since=-1h
misuses 'it takes either numbers, or --until or an option' ack 1 --until=now
misuses 'it takes either numbers, or --until or an option' ack 1 --since=-1h
misuses "'x' is neither a number nor NUMBER-NUMBER" ack x
misuses "'1-' is neither a number nor NUMBER-NUMBER" ack 1-
misuses "'0' is neither a number nor NUMBER-NUMBER" ack 0
misuses "'1,2' is neither a number nor NUMBER-NUMBER" ack 1,2
misuses "'5-2': the second number is below the first" ack 5-2
same ack 2-3 5 <<'EOF'
3 events acknowledged
EOF
same ack 3-5 99 <<'EOF'
1 events acknowledged
EOF
finds '1 6 7 8' --unacked
finds '7 8' --unacked --limit=2
has '^2 acknowledged 2023-11-14T22:14:20.123456Z err' query -o verbose
has '^2\* 2023-11-14 22:14:20 err' query
has '"number":2,"acknowledged":[0-9]*,"acknowledged_string":"[0-9]*","boot_id"' query --json
same ack --filter='facility=="ata"' --json <<'EOF'
{"acknowledged":1}
EOF
finds '1 6 8' --unacked
same ack --since=2023-11-14T22:18 --until=2023-11-14T23:00 <<'EOF'
1 events acknowledged
EOF
finds '1 8' --unacked
same ack --until=now <<'EOF'
2 events acknowledged
EOF
finds '' --unacked
finds '1 2 3 4 5 6 7 8'

# ---- explain ----

explain() { ctl explain --store="$store" --explanations="$catalogue" "$@"; }
cat >"$work/expected" <<'EOF'
event       fcf2063c
format      round %d: bad block at %llu
facility    ata
device      b8:0
            b8:16
severity    err
count       3
first       2023-11-14 22:14:20
last        2023-11-14 23:13:20
meaning     The device could not read the block at this number of 512 bytes, and has given up.
action      Save the data. Find out with smartctl -a whether the number of such blocks grows, and if so, exchange the disk.
EOF
same explain fcf2063c <"$work/expected"
same explain FCF2063C <"$work/expected"
same explain 'round %d: bad block at %llu' <"$work/expected"
same explain 'round %d: bad block at %llu\n' <"$work/expected"
same explain 'round %d: bad block at %llu
' <"$work/expected"
same explain --json bdd62ee9 <<'EOF'
{"item":"explanation","event_id":"bdd62ee9","formats":["queue %d stalled for %u ms"],"facilities":["net"],"devices":["n2"],"count":1,"first":1700000180123456789,"first_string":"1700000180123456789","last":1700000180123456789,"last_string":"1700000180123456789","format":"queue %d stalled for %u ms","text":"Requests have waited in the queue for so long without one being completed.","action":"None for a single one. If it is the same queue again and again, look at where its interrupts go, in /proc/interrupts.","severity":"warning"}
EOF
has '^action      None.$' explain 82ee4be8
has '^action      None.$' ctl explain 82ee4be8 --explanations="$catalogue" --store="$work/no.db"
grep -q "^kerrorctl: store $work/no.db: " "$work/error" || fail "explain without a store"
printf '[fcf2063c]\ntext = here \033[2J\nno line\n' >"$work/wrong.ini"
has 'meaning     here \\x1b\[2J$' explain fcf2063c --explanations="$work/wrong.ini"
grep -q "wrong.ini, line 3: not .EVENT-ID" "$work/error" || fail "a wrong line"
printf '[fcf2063c]\ntext = C1 \302\233 bidi \342\200\256.\n' >"$work/controls.ini"
has 'meaning     C1 \\xc2\\x9b bidi \\xe2\\x80\\xae.$' explain fcf2063c --explanations="$work/controls.ini"
has '"text":"C1 \\u009b bidi \\u202e."' explain --json fcf2063c --explanations="$work/controls.ini"
misuses 'no event id and no format; see kerrorctl explain' explain
refuses "--explanations: cannot read $work: Is a directory" explain 1 --explanations="$work"
refuses "--explanations: cannot read $work/no.ini: No such file" \
	explain 1 --explanations="$work/no.ini"
refuses 'neither the store nor a file of explanations knows event 00000001' \
	explain 00000001 --store="$store" --explanations="$catalogue"

# The samples are about what the sample driver says.
python3 - "$catalogue" "$here"/../po/*.po "$here/../../../samples/evlog/evlog_sample.c" <<'EOF'
import configparser, re, sys, zlib
catalogue = configparser.ConfigParser(interpolation=None)
catalogue.read(sys.argv[1])
formats = [catalogue[id]["format"] for id in catalogue.sections()]
for id, format in zip(catalogue.sections(), formats):
    assert "%08x" % zlib.crc32(format.encode()) == id, (id, format)
try:
    driver = open(sys.argv[-1]).read()
except FileNotFoundError:
    driver = None
for format in formats:
    assert driver is None or '"' + format + '\\n"' in driver, format
    for po in sys.argv[2:-1]:
        assert 'msgid "' + format + '"' in open(po).read(), (po, format)
assert driver is None or len(formats) == len(re.findall(r'%[^"]*\\n"', driver))
EOF

# ---- show ----

show() { ctl show --store="$store" --explanations="$catalogue" "$@"; }
show 7 >"$work/got" 2>"$work/error" || fail "show: $(cat "$work/error")"
boot=$(cat /proc/sys/kernel/random/boot_id)
sed "s/$boot/BOOT/; s/^\(  acknowledged *\)[^ ].*/\1TIME/" "$work/got" | diff -u - /dev/fd/3 3<<'EOF' || fail "show"
event 7: round 9: bad block at 6
  time           2023-11-14T23:13:20.123456+00:00
  acknowledged   TIME
  group          evlog
  sequence       4294967046
  thread         42
  time_boot      5000000000
  severity       err
  facility       ata
  device         b8:0
  context        process
  cpu            3
  uid            1000
  gid            0
  pid            42
  tid            43
  comm           task
  type           0
  id             fcf2063c
  kind           printf
  format         round %d: bad block at %llu
  arg[0]         9 (s32)
  arg[1]         6 (u64)
  boot_id        BOOT
  source         not known, as this kernel has no index; name one by --kernel
  meaning        The device could not read the block at this number of 512 bytes, and has given up.
  action         Save the data. Find out with smartctl -a whether the number of such blocks grows, and if so, exchange the disk.

The same event before
  2 since 2023-11-14 22:14:20, 1 of the same device; the last:
  2* 2023-11-14 22:14:20 err     ata[b8:0]: round 7: bad block at 123456789012
  3* 2023-11-14 22:15:20 err     ata[b8:16]: round 8: bad block at 5

Within 10 seconds
> 7* 2023-11-14 23:13:20 err     ata[b8:0]: round 9: bad block at 6
EOF
has '^  none in the store$' show 5
has '^  data  *700003$' show 5
has '^  facility       net\\x1b$' show 6
has '^event 8: 72 61 77' show 8
show --json 7 >"$work/got" || fail "show --json"
python3 - "$work/got" <<'EOF' || fail "show --json: $(cat "$work/got")"
import json, sys
shown = json.load(open(sys.argv[1]))
assert shown["event"]["number"] == 7 and shown["event"]["text"] == "round 9: bad block at 6"
assert shown["before"]["count"] == 2 and shown["before"]["of_device"] == 1
assert [event["number"] for event in shown["before"]["last"]] == [2, 3]
assert [item["number"] for item in shown["around"]] == [7] and shown["places"] == []
assert shown["action"].startswith("Save the data.")
EOF
has '^  instance       7$' ctl show --store="$work/loads.db" 5
refuses 'the store has no event 99; kerrorctl query prints' show --store="$store" 99
# Events around it: 20 at most before it, losses, too
cp "$store" "$work/around.db"
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
columns = "boot, event_group, thread, severity, facility, device, event_id, text, data"
for i in range(30):
    database.execute("INSERT INTO event(sequence, time, " + columns + ") SELECT ?, time + ?, " +
                     columns + " FROM event WHERE id = 4", (i, (i - 25) * 300000000))
database.execute("INSERT INTO event(sequence, time, " + columns + ") SELECT 99, time + 10000000001, " +
                 columns + " FROM event WHERE id = 4")
database.execute("UPDATE loss SET time = 1700000190000000000 WHERE cause = ?", ("sink",))
database.commit()' "$work/around.db"
ctl show --store="$work/around.db" 4 >"$work/got" || fail "show, around"
sed -n '/^Within/,$p' "$work/got" >"$work/around"
[ "$(grep -c ': queue 1 stalled' "$work/around")" = 26 ] && grep -q '^> *4\*' "$work/around" &&
	[ "$(tail -1 "$work/around" | cut -c7-)" = '2023-11-14 22:16:30 -- 2 evlog events lost: sink' ] ||
	fail "show, around: $(cat "$work/around")"

# ---- report: see test_report.py, too ----

misuses '--since is not before --until' report --since=now --until=-1h

# ---- Commands of the manual pages ----

# The recipes print what the page says.
"$out/san/tests/make_store" "$work/recipes.db"
python3 - "$out/san/tests/kerrorctl" "$work/recipes.db" "$here/../man/kerrorctl.1" <<'EOF' || fail "a recipe"
import re, sqlite3, subprocess, sys
program, store, page = sys.argv[1:]
database = sqlite3.connect(store)
database.execute("INSERT INTO condition VALUES(?, ?, ?, 3, ?, ?, ?, 0, '', ?, ?, 0, 2, NULL, NULL, 1, 0, '')",
                 ("bad-blocks", "b8:0", "rule", "The disk cannot read some of its blocks.",
                  "Save the data, and replace it.", "round 9: bad block at 6",
                  1700000060123456789, 1700003600123456789))
database.commit()
text = re.search(r"\.Sh RECIPES\n(.*?)\n\.Sh", open(page).read(), re.S)[1]
recipes = re.findall(r"\.Bd -literal\n\$ (.*?)\n(.*?)\.Ed\n", text, re.S)
assert len(recipes) == 5, recipes
for typed, expected in recipes:
    command = re.sub(r"^kerrorctl (\w+)", rf"{program} \1 --store={store}", typed)
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.stdout == expected, (typed, done.stdout, expected)
EOF
# Conditions have a key, or several words as one.
cp "$work/recipes.db" "$work/keys.db"
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE condition SET key = ?", ("bond0 eth0",))
database.commit()' "$work/keys.db"
for words in '' bad-blocks 'bond0 eth0' eth0 bond0 'sdb eth0'; do
	# shellcheck disable=SC2086
	[ "$(case $words in b*0) set -- "$words" ;; *) set -- $words ;; esac
	     ctl health --store="$work/keys.db" "$@" | wc -l)" = 5 ] || fail "health $words"
done
for word in eth ond0 sdb ''; do
	[ "$(ctl health --store="$work/keys.db" "$word" | wc -l)" = 0 ] || fail "health '$word'"
done
# The stand-ins for other programs are used in the right way.
sed -n 's/^\.It .* Ta \(TZ=UTC \)\?kerrorctl //p' "$here/../man/kerror-from-journalctl.7" |
	sed 's/\\(dq/"/g; s/NUMBER/1/; s/ --store=FILE//' >"$work/typed"
[ "$(wc -l <"$work/typed")" -ge 55 ] || fail "kerror-from-journalctl(7) has $(wc -l <"$work/typed") commands"
while read -r typed; do
	status=0
	case $typed in
	watch*) options=--idle=300 ;;
	selftest | 'query -f') options=--help ;;
	*) options="--store=$work/recipes.db" ;;
	esac
	eval "ctl $typed $options" >"$work/got" 2>"$work/error" || status=$?
	[ $status = 0 ] || [ "$typed $status" = 'health 3' ] ||
		fail "kerrorctl $typed: status $status, $(cat "$work/error")"
done <"$work/typed"

# ---- Translations ----

# A locale of our own, as gettext does not translate in that of C, nor, in Debian 13,
# in C.UTF-8.
localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" 2>"$work/error" ||
	fail "no locale de_DE, install the package locales: $(cat "$work/error")"
german() { LOCPATH="$work" LC_ALL=de_DE.UTF-8 "$@"; }
has ': Fehlerhafter Block 123456789012 in Runde 7 <id=fcf2063c format="round' \
	german query --translate -o verbose
has ': Seit 250 ms keine Bewegung in der Warteschlange 1$' german query --translate
has '"value":-5}],"text":"Verbindung eth0 unterbrochen, Fehler -5"' \
	german query --translate --json
has '^translation Fehlerhafter Block %2$llu in Runde %1$d$' \
	german explain --translate fcf2063c
has ': round 7: bad block at 123456789012$' german query
has ': round 7: bad block at 123456789012$' query --translate

# ---- The kernel ----

has '^kernel: severity<=err$' ctl watch --explain --filter='severity<=err && arg[0]>3'
has '^user space: arg\[0\]>3$' ctl watch --explain --filter='severity<=err && arg[0]>3'
has '^kernel: facility=="fake1"$' ctl watch --explain -F fake0 -F fake1
ctl watch --json --idle=300 --facility=fake0 --facility=fake2 --filter='severity==emerg || cpu==9' \
	>"$work/got" 2>"$work/error"
[ "$(grep -o '"facility":"[^"]*"' "$work/got" | sort | uniq -c | xargs)" = \
	'5 facility:fake0 4 facility:fake2' ] || fail "watch --facility: $(cat "$work/got")"
ctl watch --json --count=2 --filter='severity==emerg && arg[0]>8' >"$work/got" 2>"$work/error"
[ "$(grep -o '"text":"[^"]*"' "$work/got" | xargs)" = 'text:event 16: text 16 text:event 24: text 24' ] ||
	fail "watch --filter --count: $(cat "$work/got")"
has '^-- 7 evlog events lost: staging-full$' ctl watch --count=1
FAKE_LOST=0 same ctl watch --limit=3 --idle=300 -o cat --grep='text .*[05]$' <<'EOF'
event 85: text 85
event 90: text 90
event 95: text 95
EOF
FAKE_LOST=0 same ctl watch -n 200 -c 2 -p crit..emerg <<'EOF'
2023-11-14 22:13:20 emerg   fake0[0]: event 0: text 0
2023-11-14 22:13:20 alert   fake1[1]: event 1: text 1
EOF
FAKE_LOST=0 same ctl watch --count=1 -o short-iso <<'EOF'
2023-11-14T22:13:20.000000+00:00 emerg   fake0[0]: event 0: text 0
EOF
ctl watch --idle=300 >"$work/got" 2>"$work/error"
grep -q '^kerrorctl: 100 events received, 7 lost (7 staging-full)$' "$work/error" ||
	fail "watch: $(cat "$work/error")"
FAKE_ERROR=1 refuses 'not permitted to listen; run it as root, or with CAP_SYSLOG or' watch
FAKE_ERROR=1 refuses 'not permitted .*, or with CAP_SYSLOG, which the group printk needs' \
	watch --group=printk
FAKE_ERROR=64 refuses 'this is not the initial network namespace; kernel events exist there only' \
	watch
FAKE_ERROR=93 refuses '.*CONFIG_KERROR=y' watch

# ---- Messages of printk() ----

# received GROUPS OPTION...: of which groups watch prints how many events each
received() {
	expected=$1
	shift
	ctl watch --json --idle=300 "$@" >"$work/got" 2>"$work/error" ||
		fail "watch $*: $(cat "$work/error")"
	groups=$(sed -n 's/^{"item":"event","boot_id":"[-0-9a-f]*","group":"\([a-z]*\)".*/\1/p' "$work/got" |
		sort | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }')
	[ "$groups" = "$expected" ] || fail "watch $*: '$groups', not '$expected'"
}
export FAKE_PRINTK=30
received '100 evlog, 30 printk'
received '100 evlog, 30 printk' --group=all
received '30 printk' --group=printk
received '100 evlog' --group=evlog
received '' --group=raw
received '30 printk' --filter='group==printk'
has '"group":"printk",.*"printk":true' ctl watch --group=printk --json --count=1
has ' emerg   fake0\[+pci:0\] process,printk cpu=3 ' ctl watch --group=printk --count=1 -o verbose
has '^20.*:.. emerg   fake0\[0\]: event 0: text 0$' ctl watch --group=printk --count=1
has '^printk: 30 events raised since boot, 0 lost$' ctl stats
# With CAP_NET_ADMIN alone it says what is missing, once.
export FAKE_NO_SYSLOG=1
received '100 evlog'
[ "$(grep -c '^kerrorctl: nothing of the group printk: that needs CAP_SYSLOG$' "$work/error")" = 1 ] ||
	fail "watch without CAP_SYSLOG: $(cat "$work/error")"
received '100 evlog' --group=evlog
! grep -q CAP_SYSLOG "$work/error" || fail "watch --group=evlog: $(cat "$work/error")"
for group in printk all; do
	refuses 'not permitted .* CAP_SYSLOG, which the group printk needs' watch --group=$group
done
has '^evlog: 107 events raised' ctl stats
! grep -q '^printk: ' "$work/got" || fail "stats without CAP_SYSLOG: $(cat "$work/got")"
grep -q 'nothing of the group printk: that needs CAP_SYSLOG' "$work/error" ||
	fail "stats without CAP_SYSLOG: $(cat "$work/error")"
if [ ! -e /sys/module/evlog/parameters/test ]; then
	ctl selftest --store="$work/no.db" >"$work/got" || true
	grep -q '^permission  ok       .*not to the group printk, which needs CAP_SYSLOG$' "$work/got" ||
		fail "selftest without CAP_SYSLOG: $(cat "$work/got")"
fi
unset FAKE_NO_SYSLOG
# A kernel that does not have the group is no failure.
export FAKE_OLD=1
received '100 evlog'
[ "$(wc -l <"$work/error")" = 1 ] || fail "watch, old kernel: $(cat "$work/error")"
has '^evlog: 107 events raised' ctl stats
! grep -q '^printk: ' "$work/got" || fail "stats, old kernel: $(cat "$work/got")"
unset FAKE_OLD FAKE_PRINTK

# A kernel that raises events as long as the screens last
FAKE_START=$(date +%s)000000000 FAKE_EVENTS=1000000 \
	ctl top --interval=1 --count=2 --limit=3 --filter='facility=="fake0"' >"$work/got"
[ "$(grep -c '  fake0     +pci:[0-4]  12345678 "event %llu: %s"$' "$work/got")" = 6 ] ||
	fail "top: $(cat "$work/got")"
[ "$(controls <"$work/got")" = 0 ] || fail "top is live although there is no terminal"
FAKE_START=$(date +%s)000000000 FAKE_EVENTS=1000000 \
	ctl top --interval=1 --count=1 --json >"$work/got"
grep -q '^{"item":"count","count":[0-9]*,"rate":[0-9.]*,.*"facility":"fake2"' "$work/got" ||
	fail "top --json: $(cat "$work/got")"
# One that has nothing more to say for the last screen: then the totals count.
FAKE_START=$(date +%s)000000000 FAKE_RATE=100 FAKE_EVENTS=220 \
	ctl top --interval=1 --count=4 >"$work/got"
awk '/COUNT/ { rows = "" }
     $2 == "0.0" { rows = rows $1 "\n" }
     END { printf "%s", rows }' "$work/got" >"$work/counts"
if [ ! -s "$work/counts" ] || ! sort -c -n -r "$work/counts"; then
	fail "top, sorted by totals: $(cat "$work/got")"
fi

cat >"$work/metrics.prom" <<'EOF'
# HELP kerror_events_total Events received.
# TYPE kerror_events_total counter
kerror_events_total{facility="a\"b\\",severity="err"} 5
kerror_raw_events_total 0.5
EOF
ctl stats --metrics="$work" >/dev/null 2>"$work/error" || fail "stats: $(cat "$work/error")"
grep -q "no counters of kerrord: $work: Is a directory" "$work/error" ||
	fail "stats of a folder: $(cat "$work/error")"
ctl stats --metrics="$work/metrics.prom" >"$work/got" 2>"$work/error" ||
	fail "stats: $(cat "$work/error")"
for line in '^raw: 0 events raised since boot, 0 lost$' '^printk: 0 events raised' '^evlog: 107 events raised since boot, 7 lost$' \
	    '^  staging-full        7  raised faster .*: enlarge the boot parameter kerror.staging_kb' \
	    '^  nmi                 0  [^:]*$' '^kerrord: 20..-' '^  Events received.$' \
	    '^    kerror_raw_events_total 0.5$'; do
	grep -q "$line" "$work/got" || fail "stats: no '$line' in $(cat "$work/got")"
done
ctl stats --json >"$work/got" 2>"$work/error" || fail "stats --json: $(cat "$work/error")"
grep -q '^{"item":"kernel","group":"evlog","numbered":100,"lost":{"staging-full":7,"no-staging":0,' \
	"$work/got" || fail "stats --json: $(cat "$work/got")"
FAKE_ERROR=1 ctl stats --json --metrics="$work/metrics.prom" >"$work/got" 2>"$work/error" &&
	fail "stats without permission is a success"
diff -u - "$work/got" <<'EOF'
{"item":"kerrord","name":"kerror_events_total","labels":{"facility":"a\"b\\","severity":"err"},"value":5}
{"item":"kerrord","name":"kerror_raw_events_total","value":0.5}
EOF
FAKE_ERROR=1 refuses 'not permitted to listen' top
FAKE_ERROR=1 ctl stats --metrics="$work/no.prom" 2>"$work/error" && fail "stats"
grep -q "no counters of kerrord: $work/no.prom: No such file .*is kerrord running" \
	"$work/error" || fail "stats without metrics: $(cat "$work/error")"

if [ ! -e /sys/module/evlog/parameters/test ]; then
	refuses 'cannot raise a test event: .*/test: No such file .* needs CONFIG_EVLOG=y' send
	ctl selftest --store="$work/no.db" >"$work/got" || true
	grep -q '^receive     ok       the kernel answers, after 100 events' "$work/got" ||
		fail "selftest: $(cat "$work/got")"
	grep -q '^decode      skipped  ' "$work/got" || fail "selftest: $(cat "$work/got")"
fi
misuses "NUMBER: '4294967296' is not a number from 0 to 4294967295" send 4294967296
# verdicts STATUS VERDICTS: of the hops, in their order
verdicts() {
	status=0
	ctl selftest --store="$work/no.db" --json >"$work/got" || status=$?
	[ "$status $(sed 's/.*"verdict":"\([a-zA-Z]*\)".*/\1/' "$work/got" | paste -sd, -)" = "$*" ] ||
		fail "selftest: $(cat "$work/got")"
}
FAKE_ERROR=93 verdicts 1 FAILED,skipped,skipped,skipped,skipped,skipped,skipped

# ---- A kernel without the facility: what is to be done ----

export FAKE_ROOT="$work/root"
modules=$FAKE_ROOT/lib/modules release=$(uname -r)
# lacks REGEX: what selftest says of the kernel, and watch
lacks() {
	FAKE_ERROR=93 verdicts 1 FAILED,skipped,skipped,skipped,skipped,skipped,skipped
	grep -q "\"hop\":\"kernel\".*$1" "$work/got" || fail "not '$1': $(cat "$work/got")"
	FAKE_ERROR=93 refuses ".*$1" watch
}
# modules_of RELEASE LINE: of its modules.dep
modules_of() {
	mkdir -p "$modules/$1"
	printf 'kernel/fs/ext4.ko: kernel/lib/crc16.ko\n%s\n' "$2" >"$modules/$1/modules.dep"
}
lacks 'needs CONFIG_KERROR=y and CONFIG_EVLOG=y, or the package kerror-dkms'
modules_of "$release" 'kernel/driver.ko: updates/dkms/evlog.ko updates/dkms/kerror.ko'
lacks 'or the package kerror-dkms'
# The package is there, and has built it for another kernel.
mkdir -p "$FAKE_ROOT/usr/src/kerror-1.0.0"
: >"$FAKE_ROOT/usr/src/kerror-1.0.0/dkms.conf"
modules_of 6.1.0-1-other 'updates/dkms/evlog.ko: updates/dkms/kerror.ko'
lacks "headers are missing; run: apt install linux-headers-$release && modprobe evlog"
mkdir -p "$modules/$release/build/include"
lacks 'not built for this kernel; run: dkms autoinstall && modprobe evlog'
for suffix in '' .xz; do
	modules_of "$release" "updates/dkms/evlog.ko$suffix: updates/dkms/kerror.ko$suffix"
	lacks 'installed, but not loaded; run: modprobe evlog'
done
mkdir -p "$FAKE_ROOT/sys/kernel/security" "$FAKE_ROOT/sys/module/module/parameters" \
	"$FAKE_ROOT/sys/firmware/efi/efivars"
echo '[none] integrity confidentiality' >"$FAKE_ROOT/sys/kernel/security/lockdown"
echo N >"$FAKE_ROOT/sys/module/module/parameters/sig_enforce"
lacks 'installed, but not loaded; run: modprobe evlog'
echo Y >"$FAKE_ROOT/sys/module/module/parameters/sig_enforce"
lacks 'not loaded, and module.sig_enforce demands a known key; run: mokutil --import /var/lib/dkms/mok.pub'
for mode in 'none [integrity] confidentiality' 'none integrity [confidentiality]'; do
	echo "$mode" >"$FAKE_ROOT/sys/kernel/security/lockdown"
	lacks 'its lockdown demands a known key'
done
secure=$FAKE_ROOT/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
printf "\006\000\000\000\000" >"$secure"
lacks "its lockdown demands a known key"
printf "\006\000\000\000\001" >"$secure"
lacks 'Secure Boot demands a known key'
unset FAKE_ROOT
FAKE_ERROR=12 verdicts 1 ok,FAILED,skipped,skipped,skipped,skipped,skipped
FAKE_ERROR=64 verdicts 1 ok,FAILED,skipped,skipped,skipped,skipped,skipped
grep -q 'not the initial network namespace' "$work/got" || fail "selftest: $(cat "$work/got")"
FAKE_ERROR=1 verdicts 1 ok,ok,FAILED,skipped,skipped,skipped,skipped

# printk TAP LEVEL MISSED VERDICT TEXT: of the hop printk. Without TAP the kernel has the
# series. A kerrord of somebody else may fail the hop store.
export FAKE_PARAMETERS="$work/parameters/"
mkdir -p "$FAKE_PARAMETERS"
printk() {
	rm -f "$FAKE_PARAMETERS"*
	[ -z "$1" ] || { echo "$1" >"$FAKE_PARAMETERS/tap"; echo "$3" >"$FAKE_PARAMETERS/tap_missed"; }
	echo "$2" >"$FAKE_PARAMETERS/printk"
	status=0 failed=0
	ctl selftest --store="$work/no.db" >"$work/got" || status=$?
	! grep -q '^[a-z]*  *FAILED ' "$work/got" || failed=1
	[ "$status" = "$failed" ] && grep -q "^printk      $4  *$5" "$work/got" ||
		fail "selftest, printk $*: $status, $(cat "$work/got")"
}
printk '' 8 0 ok '.*with their arguments (hook); 0 were missed$'
printk ftrace 8 0 ok '.*with their arguments (ftrace); 0 were missed$'
printk kprobe 4 7 warning '.*(kprobe); 7 were missed$'
printk text 8 0 warning '.*as text only; .*: echo 1 > .*tap$'
printk '' 0 0 warning '.*no level is wanted; .*: echo 8 > .*printk$'
printk ftrace 0 0 warning '.*no level is wanted'
printk off 8 0 FAILED '.*the tap is off; switch it on: echo 1 > .*tap$'
printk 'off, error -12' 8 0 FAILED '.*the tap is off, error -12;'
# Without the parameters: a kernel without the hook, or kerror.ko alone
printk_without() {
	rm -f "$FAKE_PARAMETERS"*
	! FAKE_ROOT=$work/root ctl selftest --store="$work/no.db" >"$work/got" || [ "$1" != FAILED ] ||
		fail "selftest without evlog.ko is a success"
	grep -q "^printk      $1  *$2" "$work/got" || fail "selftest, printk: $(cat "$work/got")"
}
printk_without skipped '.*needs CONFIG_KERROR_PRINTK=y$'
mkdir -p "$work/root/sys/module/kerror"
echo live >"$work/root/sys/module/kerror/initstate"
printk_without FAILED '.*kerror.ko is loaded, evlog.ko is not; run: modprobe evlog$'
unset FAKE_PARAMETERS

# ---- formats ----

cat >"$work/kernel.c" <<'EOF'
#define SECTION(name) __attribute__((used, section(name)))
struct entry { const char *fmt, *func, *file; unsigned int line; const char *level, *prefix; }
	__attribute__((packed));
#define ENTRY(number, fmt, level, prefix) \
	static const struct entry entry##number = { fmt, "probe", "drivers/x.c", number, level, prefix }; \
	static const struct entry *const at##number SECTION(".printk_index") = &entry##number
#ifdef INDEX
ENTRY(10, "\0013link %s down, error %d\n", 0, 0);
ENTRY(20, "bad \"block\" %llu\n\n", "\0014", "%s %s: ");
ENTRY(30, "\001c, again\n", 0, 0);
#ifdef NEWER
ENTRY(41, "I/O tag %d QID %d timed out, %s\n", "\0014", "%s %s: ");
#else
ENTRY(40, "I/O %d QID %d timeout, %s\n", "\0014", "%s %s: ");
#endif
ENTRY(50, "queue %d stalled\n", "\0013", "");
#ifdef STRINGS
const char strings[] = "link of %s is up\n\0\0014mirror %d was too old to be read\n";
#endif
#ifdef FRAMES
const char frames[] = "%sXFS (%s): %pV\0log I/O error %d\0[%s] Sense Key : %s ";
#endif
#else
const char text[] = "<3>of %s old\n\0<%d>of level\n\0<c>, on\0no_message\0<4>x\0link of %s is up\n";
#endif
int main(void) { return 0; }
EOF
# compile FILE OPTION...
compile() { file=$1; shift; ${compiler:-gcc} -w -o "$work/$file" "$@" "$work/kernel.c"; }
formats() { ctl formats "$@" | tail -n +2 | tr '\t' '|'; }
mkdir "$work/old" "$work/new" "$work/index" "$work/strings"

compile old/vmlinux -DINDEX -no-pie
same formats "$work/old/vmlinux" <<'EOF'
048d7147|err|printk|kernel|drivers/x.c:10|probe|link %s down, error %d
46d9ebe8|warning|printk|kernel|drivers/x.c:20|probe|%s %s: bad \"block\" %llu\n
c75e2541|continues|printk|kernel|drivers/x.c:30|probe|, again
c9d4b1b6|warning|printk|kernel|drivers/x.c:40|probe|%s %s: I/O %d QID %d timeout, %s
eb22564c|err|evlog|kernel|drivers/x.c:50|probe|queue %d stalled
EOF
ctl formats "$work/old/vmlinux" >"$work/old.catalogue"
# lists_the_same SOURCE: as vmlinux, but for the module's name
lists_the_same() {
	ctl formats "$1" | sed 's/some_driver/kernel/' | diff - "$work/old.catalogue" >&2 ||
		fail "formats $1 is another one"
}
lists_the_same "$work/old.catalogue"
has '^  source  *drivers/x.c:10, probe()$' ctl show --store="$store" --kernel="$work/old/vmlinux" 1
has '^  source  *not among the formats of that kernel$' ctl show --store="$store" --kernel="$work/old/vmlinux" 2
has '"places":\[{"facility":"kernel","file":"drivers/x.c","line":10,"function":"probe"}\]' \
	ctl show --store="$store" --json --kernel="$work/old.catalogue" 1
# The format of a text that came without
same formats --of='queue 7 stalled' "$work/old.catalogue" <<'EOF'
eb22564c|err|evlog|kernel|drivers/x.c:50|probe|queue %d stalled
EOF
refuses 'no format of 5 stands out as that of this text' formats --of='queue x stalled' "$work/old.catalogue"
misuses '--of looks into one kernel' formats --diff --of=x "$work/old.catalogue" "$work/old.catalogue"
cp "$store" "$work/text.db"
python3 - "$work/text.db" <<'EOF'
import sqlite3, struct, sys
database = sqlite3.connect(sys.argv[1])
data, = database.execute("SELECT data FROM event WHERE id = 6").fetchone()
flags, size = struct.unpack_from("=I", data, 28)[0], struct.unpack_from("=I", data, 52)[0]
text = b"link eth7 down, error -110\n"
data = bytearray(data[:len(data) - size] + text)
struct.pack_into("=I", data, 28, flags | 0x40)      # EVL_FLAG_PRINTK
struct.pack_into("=I", data, 52, len(text))
database.execute("UPDATE event SET data = ? WHERE id = 6", (bytes(data),))
database.commit()
EOF
has '^  guessed        id=048d7147 "link %s down, error %d"$' \
	ctl show --store="$work/text.db" --kernel="$work/old.catalogue" 6
has '^  source         drivers/x.c:10, probe()$' \
	ctl show --store="$work/text.db" --kernel="$work/old.catalogue" 6
has '"guess":{"event_id":"048d7147","format":"link %s down, error %d","values":\["eth7","-110"\]}' \
	ctl show --store="$work/text.db" --json --kernel="$work/old.catalogue" 6
# One that can move has its pointers in relocations.
compile moving -DINDEX -fPIE -pie
lists_the_same "$work/moving"
# Packed with zstd, in blocks that are stored as they are
python3 - "$work" <<'EOF'
import struct, sys
kernel = open(sys.argv[1] + "/old/vmlinux", "rb").read()
packed = struct.pack("<IBI", 0xfd2fb528, 0xa0, len(kernel))
for at in range(0, len(kernel), 100000):
    block = kernel[at:at + 100000]
    head = len(block) << 3 | (at + 100000 >= len(kernel))
    packed += head.to_bytes(3, "little") + block
setup = bytearray(1024 + 200)
setup[0x1f1] = 1
struct.pack_into("<IH", setup, 0x202, 0x53726448, 0x20f)
struct.pack_into("<II", setup, 0x248, 200, len(packed) + 4)
open(sys.argv[1] + "/vmlinuz", "wb").write(setup + packed + b"size")
EOF
lists_the_same "$work/vmlinuz"
for compiler in gcc 'gcc -m32' s390x-linux-gnu-gcc aarch64-linux-gnu-gcc; do
	$compiler -c -x c -o "$work/empty" /dev/null 2>/dev/null || continue
	compile some-driver.ko -DINDEX -c
	lists_the_same "$work/some-driver.ko"
done
compiler=gcc
compile old/some-driver.ko -DINDEX -c
gzip -k "$work/old/some-driver.ko"
lists_the_same "$work/old/some-driver.ko.gz"
rm "$work/old/some-driver.ko"
[ "$(ctl formats "$work/old" | wc -l)" = 11 ] || fail "a folder has not all events"
compile strings.ko -c
same formats "$work/strings.ko" <<'EOF'
35d76628|err|printk|strings|||of %s old
bb82b24d|continues|printk|strings|||, on
d1efb4c3|-|string|strings|||link of %s is up
dfeb2a99|-|printk|strings|||of level
EOF
# As the kernel's index shows them; it does not know what raises them.
printf '%s\n' '# <level/flags> filename:line function "format"' \
	'<3> drivers/x.c:10 probe "link %s down, error %d\n"' \
	'<4> drivers/x.c:20 probe "%s %s: bad \"block\" %llu\n\n"' \
	'<c> drivers/x.c:30 probe ", again\n"' \
	'<4> drivers/x.c:40 probe "%s %s: I/O %d QID %d timeout, %s\n"' \
	'<3> drivers/x.c:50 probe "queue %d stalled\n"' >"$work/index/vmlinux"
sed '2,$ s/printk\|evlog/-/' "$work/old.catalogue" >"$work/index.catalogue"
ctl formats "$work/index" | diff - "$work/index.catalogue" || fail "the kernel's index has other events"
same formats --level=err --match=LINK "$work/old.catalogue" <<'EOF'
048d7147|err|printk|kernel|drivers/x.c:10|probe|link %s down, error %d
EOF
same formats --filter='text~"*queue 7 stalled" && cpu==3 && !printk' "$work/old.catalogue" <<'EOF'
eb22564c|err|evlog|kernel|drivers/x.c:50|probe|queue %d stalled
EOF
has '"item":"catalogue","event_id":"048d7147","level":"err","by":"printk","facility":"kernel","file":"drivers/x.c","line":10,"function":"probe","format":"link %s down, error %d"}' \
	ctl formats --json "$work/old/vmlinux"
has '"level":"err","facility":"kernel"' ctl formats --json "$work/index"
printf '%s\n' '# <level/flags> filename:line function "format"' '<3> x.c:1 f "plumless"' \
	'<3> x.c:2 f "buckeroo"' >"$work/collision"
has '^4ddb0c25' ctl formats "$work/collision"
grep -q '4ddb0c25 is the id of two formats: "buckeroo" and "plumless"' "$work/error" ||
	fail "a collision: $(cat "$work/error")"
printf 'id\n' >"$work/no.catalogue"
misuses "--priority: 'x' is no severity" formats --level=x
refuses "cannot read $work/none: No such file" formats "$work/none"
refuses "$work/no.catalogue: neither vmlinux" formats "$work/no.catalogue"
refuses "$work/empty: no events in it" formats "$work/empty"
mkdir "$work/folder"
refuses "$work/folder: neither vmlinux nor modules" formats "$work/folder"
printf '%s\n' '# <level/flags> filename:line function "format"' 'no' >"$work/bad.index"
refuses "$work/bad.index, line 2: not as the kernel's index" formats "$work/bad.index"
[ -e /sys/kernel/debug/printk/index ] ||
	refuses '.*name a catalogue or vmlinux' formats

# Whatever is wrong in a file, it is read or refused.
python3 - "$out/san/tests/kerrorctl" "$work" <<'EOF'
import random, subprocess, sys
program, work = sys.argv[1:]
chance = random.Random(1)
for name in ("some-driver.ko", "moving", "vmlinuz", "old.catalogue", "index/vmlinux"):
    good = open(f"{work}/{name}", "rb").read()
    for _ in range(25):
        bad = bytearray(good)
        for _ in range(chance.choice((1, 4, 64))):
            # Mostly in what describes the file
            at = chance.choice((chance.randrange(64), chance.randrange(len(bad)),
                                -1 - chance.randrange(min(2048, len(bad)))))
            bad[at] = chance.choice((0, 1, 255, chance.randrange(256)))
        if chance.random() < 0.2:
            del bad[chance.randrange(len(bad)):]
        open(f"{work}/bad", "wb").write(bad)
        end = subprocess.run([program, "formats", f"{work}/bad"], capture_output=True,
                             timeout=30)
        assert end.returncode in (0, 1) and b"Sanitizer" not in end.stderr and \
            b"runtime error" not in end.stderr, end.stderr
EOF

# ---- formats --diff ----

compile new/vmlinux -DINDEX -DNEWER -no-pie
changes() { ctl formats --diff "$@" | tr '\t' '|'; }
same changes "$work/old.catalogue" "$work/new/vmlinux" <<'EOF'
reworded|c9d4b1b6 -> b90b4468|warning|printk|kernel|drivers/x.c:40 -> drivers/x.c:41|probe|%s %s: I/O %d QID %d timeout, %s -> %s %s: I/O tag %d QID %d timed out, %s
EOF
grep -q 'of 5 formats 4 are unchanged, 0 have another level, 1 are reworded, 0 are gone; of 5 0 are new; 0 are' \
	"$work/error" || fail "formats --diff: $(cat "$work/error")"
sed 's/^048d7147	err/048d7147	crit/; /, again/d' "$work/old.catalogue" >"$work/other.catalogue"
ctl formats --diff --json "$work/old.catalogue" "$work/other.catalogue" >"$work/got"
[ "$(grep -o '"change":"[a-z]*"' "$work/got" | paste -sd' ')" = '"change":"level" "change":"vanished"' ] &&
	grep -qx '{"item":"summary","old":5,"new":4,"unchanged":3,"level":1,"unlisted":0,"reworded":0,"vanished":1,"appeared":0}' \
	"$work/got" || fail "formats --diff --json: $(cat "$work/got")"
has '^appeared	c75e2541	continues' ctl formats --diff "$work/other.catalogue" "$work/old.catalogue"
compile strings/vmlinux -DINDEX -DSTRINGS -no-pie
sed 's/, again/%s: mirror %d was too old to be read/' "$work/old.catalogue" >"$work/listed.catalogue"
[ "$(ctl formats --diff "$work/listed.catalogue" "$work/strings/vmlinux" 2>/dev/null | cut -c1-17)" = \
	"$(printf 'unlisted\ta64dda0c\nappeared\tc75e2541')" ] || fail "formats --diff with strings"
misuses '--diff needs two kernels' formats --diff "$work/old.catalogue"

# ---- watch --join ----

(export FAKE_FLAGS=384 FAKE_PRINTK=3 FAKE_EVENTS=0
 has '"text":"event 0: text 0event 1: text 1event 2: text 2",' ctl watch --join --json --count=1)

# ---- check-rules ----

cat >"$work/rules.conf" <<'EOF'
[json]
filter = severity<=err

[rule timeout]
filter = id==c9d4b1b6
command = /bin/true

[rule timeout by text]
filter = text~"*QID * timeout, *"
  && device~"+pci:*"
command = /bin/true

[rule link]
filter = text~"link eth0 down, error -*" && arg[1]<0 && facility==kernel
command = /bin/true

[rule sense]
filter = kind==binary && facility=="sbp"
[rule some facility]
filter = facility=="sbp"
[rule facility of evlog]
filter = id==eb22564c && facility=="sbp"
EOF
has '^.*\[json\] can match 3 places' ctl check-rules "$work/rules.conf" "$work/old.catalogue"
[ "$(grep -c 'can match' "$work/got")" = 4 ] && [ "$(grep -c 'unknown: about' "$work/got")" = 3 ] ||
	fail "check-rules: $(cat "$work/got")"
[ "$(grep -c 'CANNOT' "$work/got")" = 0 ] || fail "check-rules: $(cat "$work/got")"
# An id that many messages share is not enough; formats has it, too.
printf '# kerrorctl formats\n%s\tinfo\tprintk\tkernel\t\t\t%s\n' \
	"$(cat "$work/shared.id")" '%s:  %s' >"$work/shared.catalogue"
for also in '' '&& arg[1]=="x"'; do
	printf '[rule many]\nfilter = id==%s %s\n' "$(cat "$work/shared.id")" "$also" >"$work/shared.conf"
	has 'many\] can match 1 places' ctl check-rules "$work/shared.conf" "$work/shared.catalogue"
	[ "$(grep -c "many] filter: $(cat "$work/shared.id") is the id of many .*ask for an argument" "$work/error")" = \
		"$([ -n "$also" ] && echo 0 || echo 1)" ] || fail "check-rules with $also: $(cat "$work/error")"
done
has '"format":"%s:  %s","own_id":false}$' ctl formats --json "$work/shared.catalogue"
# A format that the index does not list may be there as a string, with something before it.
cat >"$work/strings.conf" <<'EOF'
[rule netdev]
filter = text~"e1000 * eth0: link of eth0 is up" && printk
[rule id of netdev]
filter = id==d6ec8ab6
[rule prefix]
filter = text~"BTRFS warning*: mirror 2 was *" && severity==warning
[rule other level]
filter = text~"BTRFS warning*: mirror 2 was *" && severity==err
EOF
ctl check-rules "$work/strings.conf" "$work/strings/vmlinux" >"$work/got" 2>"$work/error" || true
[ "$(grep -c 'unknown: the kernel does not list "link of %s is up" as' "$work/got")" = 2 ] &&
	[ "$(grep -c 'unknown: the kernel does not list "mirror %d was' "$work/got")" = 1 ] &&
	grep -q 'other level\] CANNOT MATCH' "$work/got" || fail "check-rules with strings: $(cat "$work/got")"
# A format in the text has to be one of its strings.
printf '%s\n' '[rule there]' 'filter = id==048d7147' 'text_format = "link of %s is up"' \
	'[rule gone]' 'filter = id==048d7147' 'text_format = link of %s is gone' >"$work/found.conf"
! ctl check-rules "$work/found.conf" "$work/strings/vmlinux" >"$work/got" 2>"$work/error" &&
	grep -q 'there\] can match 1 places' "$work/got" &&
	grep -q 'no event has: text_format = "link of %s is gone"' "$work/got" &&
	grep -q 'reworded to? "link of %s is up"' "$work/got" || fail "check-rules: $(cat "$work/got")"
sed '/rule gone/,$d' "$work/found.conf" >"$work/there.conf"
ctl check-rules --matches "$work/there.conf" "$work/strings/vmlinux" >"$work/few" 2>/dev/null
has 'there\] can match 1 places' ctl check-rules "$work/there.conf" "$work/few"
printf '%s\n' '[rule facility]' 'filter = id==048d7147 && facility=="sbp"' \
	'[rule printk]' 'filter = id==eb22564c && printk' >"$work/joint.conf"
ctl check-rules "$work/joint.conf" "$work/new" >"$work/got" 2>"$work/error" || true
[ "$(grep -c 'no event has all of it' "$work/got")" = 2 ] || fail "check-rules: $(cat "$work/got")"
# A rule whose format was not in the old kernel's list, either, has not been broken.
printf '[rule]\nfilter = text~"no such *"\n' >"$work/never.conf"
has 'unknown: about what is in no catalogue' ctl check-rules --was="$work/old.catalogue" "$work/never.conf" "$work/new"
status=0
ctl check-rules --was="$work/old.catalogue" "$work/rules.conf" "$work/new" >"$work/got" 2>"$work/error" || status=$?
[ $status = 1 ] && grep -q '^kerrorctl: 2 of the filters cannot match' "$work/error" ||
	fail "check-rules: $status $(cat "$work/error")"
cat >"$work/expected" <<'EOF'
rules.conf:5: [rule timeout] CANNOT MATCH: id==c9d4b1b6
	no event has: id==c9d4b1b6
	was about: "%s %s: I/O %d QID %d timeout, %s"
	reworded to? id==b90b4468 "%s %s: I/O tag %d QID %d timed out, %s" (kernel, warning, drivers/x.c:41)
rules.conf:9: [rule timeout by text] CANNOT MATCH: text~"*QID * timeout, *" && device~"+pci:*"
	no event has: text~"*QID * timeout, *"
	was about: "%s %s: I/O %d QID %d timeout, %s"
	reworded to? id==b90b4468 "%s %s: I/O tag %d QID %d timed out, %s" (kernel, warning, drivers/x.c:41)
EOF
grep -v 'can match\|unknown' "$work/got" | sed "s,^$work/,," | diff -u "$work/expected" - >&2 ||
	fail "check-rules says something else"
ctl check-rules --json --was="$work/old.catalogue" "$work/rules.conf" "$work/new" 2>/dev/null |
	grep -q '"section":"rule timeout","filter":"id==c9d4b1b6","verdict":"cannot match","matches":0,"term":"id==c9d4b1b6","was":"%s %s: I/O %d QID' ||
	fail "check-rules --json"
# The operator's words count: a severity, and the meaning of an id.
printf '[rule]\nfilter = severity==emerg && text~*stalled*\n[rule gone]\nfilter = id==c9d4b1b6\n' >"$work/own.conf"
printf '[eb22564c]\nseverity = emerg\n[c9d4b1b6]\nformat = %%s %%s: I/O %%d QID %%d timeout, %%s\n' >"$work/own.ini"
ctl check-rules --explanations="$work/own.ini" "$work/own.conf" "$work/new" >"$work/got" 2>"$work/error" || true
grep -q '\[rule\] can match 1 places' "$work/got" && grep -q 'reworded to? id==b90b4468' "$work/got" ||
	fail "check-rules with a catalogue: $(cat "$work/got" "$work/error")"
# Each part of an outermost || counts; a message that a function prints by %pV, and a text
# that was made before, are strings.
cat >"$work/parts.conf" <<'EOF'
[rule frame]
filter = facility==kernel && format=="%sXFS (%s): log I/O error %d"
[rule frame reworded]
filter = facility==kernel && format=="%sXFS (%s): log error %d"
[rule text]
filter = facility==kernel && format=="%s %s: %s" && arg[2]~"*Sense Key : Medium Error*"
[rule text reworded]
filter = facility==kernel && format=="%s %s: %s" && arg[2]~"*Sense : Medium Error*"
[rule each]
filter = format=="queue %d stalled" || format=="queue %d stuck"
[rule either]
filter = cpu>=0 && (format=="queue %d stalled" || format=="queue %d stuck")
[rule other]
instead_of = either
filter = format=="queue %d is stuck"
[rule module]
filter = facility==sbp && format=="gone" && printk
EOF
mkdir "$work/frames"
compile frames/vmlinux -DINDEX -DFRAMES -no-pie
verdicts() { ctl check-rules "$@" 2>"$work/error" | sed -n 's/.*: \[rule /[/p'; }
verdicts "$work/parts.conf" "$work/frames/vmlinux" >"$work/got"
cat >"$work/expected" <<'EOF'
[frame] unknown: the kernel does not list "log I/O error %d" as a message
[frame reworded] CANNOT MATCH: facility==kernel && format=="%sXFS (%s): log error %d"
[text] unknown: the kernel does not list "[%s] Sense Key : %s " as a message
[text reworded] CANNOT MATCH: facility==kernel && format=="%s %s: %s" && arg[2]~"*Sense : Medium Error*"
[each] CANNOT MATCH: format=="queue %d stuck"
[either] can match 1 places
[other] cannot match, but [rule either] can
[module] CANNOT MATCH: facility==sbp && format=="gone" && printk
EOF
diff -u "$work/expected" "$work/got" >&2 || fail "check-rules of parts"
grep -q '^kerrorctl: 4 of the filters cannot' "$work/error" || fail "check-rules of parts: $(cat "$work/error")"
verdicts --partial "$work/parts.conf" "$work/frames/vmlinux" >"$work/got"
tail -1 "$work/got" | grep -q '^\[module\] is about a module that is not there: facility==sbp &&' ||
	fail "check-rules --partial: $(cat "$work/got")"
grep -q '^kerrorctl: 3 of the filters cannot' "$work/error" || fail "check-rules --partial: $(cat "$work/error")"
ctl check-rules --matches "$work/parts.conf" "$work/frames/vmlinux" >"$work/small" 2>"$work/error" || true
verdicts "$work/parts.conf" "$work/small" | diff -u "$work/expected" - >&2 || fail "check-rules --matches"
printf '[rule x]\nfilter = printk\ninstead_of = y\n' >"$work/other.conf"
refuses "$work/other.conf: \[rule x\] instead_of: there is no \[rule y\]" check-rules "$work/other.conf" "$work/small"
printf '[json]\nfilter = severty==1\n' >"$work/wrong.conf"
refuses "$work/wrong.conf, line 2: \[json\] filter: column 1" check-rules "$work/wrong.conf" "$work/old.catalogue"
misuses 'no configuration to check' check-rules
printf '[json]\n' >"$work/none.conf"
refuses "$work/none.conf: no filter in it" check-rules "$work/none.conf" "$work/old.catalogue"

# ---- Severities of the operator ----

printf '[12345678]\nseverity = crit\n' >"$work/severe.ini"
ctl watch --count=2 --explanations="$work/severe.ini" --filter='severity==crit && arg[0]>3' \
	--json >"$work/got" 2>"$work/error"
[ "$(grep -o '"[a-z_]*severity":"[a-z]*"' "$work/got" | paste -sd' ')" = \
	'"severity":"crit" "kernel_severity":"warning" "severity":"crit" "kernel_severity":"notice"' ] ||
	fail "watch with severities: $(cat "$work/got")"
has '^kernel: id==12345678$' ctl watch --explain --explanations="$work/severe.ini" --filter='severity<=err'
grep -q '^user space: the severity of each id' "$work/got" || fail "watch --explain with severities"
has '; what it passes matches$' ctl watch --explain --explanations="$work/severe.ini" --filter='cpu==1'
awk 'BEGIN { for (i = 0; i < 300; i++) printf "[%08x]\nseverity = err\n", i }' >"$work/many.ini"
has '^user space: all of it' ctl watch --explain --explanations="$work/many.ini" --filter='severity<=err'
refuses "--explanations: cannot read $work/no.ini" watch --explanations="$work/no.ini"
printf '[fcf2063c]\nseverity = 1\n[048d7147]\nseverity = bad\n' >"$work/severe.ini"
has '^severity    alert$' explain fcf2063c --explanations="$work/severe.ini"
grep -q 'severe.ini, line 4: .*not a severity' "$work/error" || fail "a wrong severity"
# The decision of kerrord counts, not the kernel's bytes.
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE event SET severity = 1 WHERE id IN (3, 7)")
database.commit()' "$store"
finds '3 7' --filter='severity==alert'
has '^3[* ] .* alert   ata' query
has '"number":3,.*"severity":"alert","kernel_severity":"err"' query --json
same query --count-by=severity --filter='facility=="ata" && id==fcf2063c' $old <<'EOF'
   COUNT  FIRST                LAST                 SEVERITY
       2  2023-11-14 22:15:20  2023-11-14 23:13:20  alert
       1  2023-11-14 22:14:20  2023-11-14 22:14:20  err
EOF

# ---- Completion ----

# completes CANDIDATES WORD...: of the last word, which the cursor is behind, in each shell
completes() {
	expected=$1
	shift
	got=$(bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_kerrorctl; echo "${COMPREPLY[*]}"' bash \
		"$here/../kerrorctl/completion/kerrorctl.bash" "$out/san/tests/kerrorctl" "$@")
	[ "$got" = "$expected" ] || fail "completion of $*: '$got', not '$expected'"
}
export KERROR_COMPLETE="$here/../kerrorctl/completion/complete.sh"
completes "--help --version watch query boots lastwords show report ack health clear fleet top stats rules explain formats check-rules selftest send help" ""
completes 'err' formats --priority = er
completes 'show stats selftest send' s
completes '--since= --store=' query --s
completes '--help' send --
completes '--facility=' watch --fa
completes 'auto always never' query --color ''
completes 'always' query --color = al
completes 'facility event device severity hour day host release tag. arg[0]' query --count-by ''
completes 'evlog' watch --group = ev
completes 'severity' watch --filter = sev
completes 'severity<=err' watch --filter 'severity<=er'
completes 'severity<=err&&context==softirq' watch --filter 'severity<=err&&context==so'
completes 'boot||text' watch --filter 'boot||te'
completes 'severity<=err' watch --filter "'severity<=er"
completes 'show stats selftest send' help s
completes '' query x
completes "$work/rules.conf" check-rules "$work/rul"

# The same in zsh and fish, with descriptions in fish, if they are there
ln -s "$out/san/tests/kerrorctl" "$work/kerrorctl"
if command -v zsh >/dev/null; then
	zsh -fc 'compadd() { print -r -- "$@[-1]" }; complete() { . "$1" }
		words=(kerrorctl query --s); CURRENT=3; PATH=$2:$PATH; complete "$1"' zsh \
		"$here/../kerrorctl/completion/kerrorctl.zsh" "$work" >"$work/got"
	[ "$(paste -sd' ' "$work/got")" = "--since= --store=" ] || fail "completion in zsh: $(cat "$work/got")"
fi
if command -v fish >/dev/null; then
	HOME=$work PATH=$work:$PATH fish -c "source '$here/../kerrorctl/completion/kerrorctl.fish'
		complete -C 'kerrorctl query --s'; complete -C 'kerrorctl watch -p er'" >"$work/got"
	[ "$(cut -f 1 "$work/got" | paste -sd' ')" = "--since= --store= err" ] ||
		fail "completion in fish: $(cat "$work/got")"
	grep -q "^--store=$(printf '\t')default: " "$work/got" || fail "no description in fish"
fi

echo "test_kerrorctl: ok"
