#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the examples as far as a kernel without NETLINK_KERROR lets them, and
# builds one the way a program does that was given the installed library.
# Called by "make test" with the output folder; prints ok or what differs.
set -eu
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$out/obj/tests/make_event" >"$work/event"
"$out/examples/decode" "$work/event" >"$work/decoded"
diff -u - "$work/decoded" <<'EOF'
time: 1700000000123456789 ns, 5000000000 ns after boot
severity: err
facility: driver
device: +pci:0000:00:1f.2
context: process, task[42:43] of user 1000:0 on CPU 3
type 7, id 00000000
format: %d %u %lld %llx %c [%*.*s] %s %p %pI4 100%%
s32: 0xfffffffffffffffb
u32: 0xfffffffb
s64: 0xfffffffffffffffb
u64: 0xffffffffffffffff
char: 0x63
string: abc
string: (null)
pointer: 0xfffffffb
text: 10.0.0.1
text: -5 4294967291 -5 ffffffffffffffff c [ab       ] (null) fffffffb 10.0.0.1 100%
EOF

head -c 200 "$work/event" >"$work/cut"
if "$out/examples/decode" "$work/cut" 2>"$work/error"; then
	echo "decode takes an event that is cut" >&2
	exit 1
fi
grep -q 'not an evlog event' "$work/error"
"$out/examples/decode" --json "$work/event" >"$work/json"
grep -q '^{"item":"event","group":"evlog",.*"text":"-5 4294967291 .*"}$' "$work/json"
"$out/examples/decode" --json "$work/cut" | grep -q '^{"item":"event","group":"evlog",.*"data":"[0-9a-f]*"}$'

# Either there is no such protocol, or it listens until it is stopped.
status=0
timeout 1 "$out/examples/watch" >"$work/watched" 2>"$work/error" || status=$?
[ $status = 124 ] || grep -q '^watch: cannot listen: ' "$work/error"

status=0
timeout 1 "$out/examples/filter" 'severity<=err && facility=="ata" && arg[0]>3' \
	>"$work/explained" 2>"$work/error" || status=$?
if [ $status != 124 ]; then
	grep -q '^filter: cannot listen: ' "$work/error"
	sed -i 's/[0-9]* instructions/N instructions/' "$work/explained"
	diff -u - "$work/explained" <<'EOF'
kernel: severity<=err
kernel: facility=="ata"
user space: arg[0]>3
program: N instructions; user space looks at what it passes
EOF
fi
if "$out/examples/filter" 'severity<=error' 2>"$work/error"; then
	echo "filter takes a severity that there is not" >&2
	exit 1
fi
grep -q "^filter: column 11: 'error' is no severity; use emerg " "$work/error"

# The kernel is played: tests/fake_kernel.c
${CC:-cc} -I"$out/include" -Ilibkerror -o "$work/keep" examples/keep.c \
	"$out/fake/libkerror.so.1" -Wl,-rpath,"$(cd "$out/fake" && pwd)"
FAKE_EVENTS=10000 timeout 30 "$work/keep" 4 | head -n 10 >"$work/kept"
diff -u - "$work/kept" <<'EOF'
0.000 emerg fake0: event 0: text 0, id 12345678, by task[42]
0.001 alert fake1: event 1: text 1, id 12345678, by task[42]
0.002 crit fake2: event 2: text 2, id 12345678, by task[42]
0.003 err fake0: event 3: text 3, id 12345678, by task[42]
0.005 notice fake2: event 5: text 5, id 12345678, by task[42]
0.006 info fake0: event 6: text 6, id 12345678, by task[42]
0.007 debug fake1: event 7: text 7, id 12345678, by task[42]
0.008 emerg fake2: event 8: text 8, id 12345678, by task[42]
0.009 alert fake0: event 9: text 9, id 12345678, by task[42]
0.010 crit fake1: event 10: text 10, id 12345678, by task[42]
EOF
if "$out/examples/keep" 65 2>"$work/error"; then
	echo "keep takes a count that there is no room for" >&2
	exit 1
fi
grep -q '^usage: keep COUNT, from 1 to 64' "$work/error"

# Not in $out: other tests run beside this one, and all there would be made again.
${MAKE:-make} -s install-lib DESTDIR="$work" PREFIX=/usr LIBDIR=/usr/lib \
	INCLUDEDIR=/usr/include OUTPUT="$work/build"
export PKG_CONFIG_PATH="$work/usr/lib/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$work"
${CC:-cc} -o "$work/decode" examples/decode.c \
	$(${PKG_CONFIG:-pkg-config} --cflags --libs libkerror)
LD_LIBRARY_PATH="$work/usr/lib" "$work/decode" "$work/event" |
	cmp - "$work/decoded"
echo "examples: ok"
