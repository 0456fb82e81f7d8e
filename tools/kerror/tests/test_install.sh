#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests what "make install" puts where, and that "make" works after "make deb".
# Called by "make test" with the output folder; prints TAP.
set -eu
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS || true
number=0

fail() {
	echo "not ok - $*"
	exit 1
}

ok() {
	number=$((number + 1))
	echo "ok $number $*"
}

install() { make -s OUTPUT="$out" DESTDIR="$work/dest" "$@" install >"$work/log" 2>&1 || fail "$(cat "$work/log")"; }

# What "make deb" leaves behind: dependencies of a copy, and folders named *.d
copy=$work/out/deb/kerror-1.0.0
mkdir -p "$copy/build/obj" "$copy/explain.d"
echo 'build/obj/x.o: no/such/file.c' >"$copy/build/obj/x.d"
make -n OUTPUT="$work/out" lib >"$work/log" 2>&1 || fail "after deb: $(tail -3 "$work/log")"
make -n OUTPUT="$work/out" clean >"$work/log" 2>&1 || fail "after deb: $(tail -3 "$work/log")"
ok "make works after make deb"

# Libraries that need not be there
make -n OUTPUT="$work/out" OTLP=n NATS=n daemon >"$work/log" 2>&1 || fail "without libcurl: $(tail -3 "$work/log")"
! grep -q -- '-lcurl\|-lnats\|kerrord/otlp\|kerrord/nats' "$work/log" || fail "without libcurl, kerrord is built with it"
grep -q 'kerrord has no \[otlp\]: that needs libcurl' "$work/log" || fail "nothing is said of libcurl"
grep -q 'kerrord has no \[nats\]: that needs libnats' "$work/log" || fail "nothing is said of libnats"
ok "a build without libcurl says what it lacks"

install
conf=$work/dest/etc/kerror/kerrord.conf
sed -i 's/#max_age = 90d/max_age = 7d/' "$conf"
cp "$conf" "$work/edited"
install
cmp -s "$conf" "$work/edited" || fail "the edited kerrord.conf is overwritten"
grep -q 'kerrord.conf stays as it is' "$work/log" || fail "nothing is said of kerrord.conf"
ok "an edited configuration stays"

for path in usr/local/sbin/kerrord usr/local/bin/kerrorctl usr/local/lib/libkerror.so.1 \
	usr/local/lib/systemd/system/kerrord.service \
	usr/local/lib/systemd/system/kerror-collector.service \
	usr/local/lib/systemd/system/kerror-rules.socket \
	usr/local/lib/systemd/system/kerror-rules@.service etc/kerror/kerrord.conf.d \
	etc/logrotate.d/kerror usr/local/share/kerror/rules.d/storage.conf \
	usr/local/lib/sysusers.d/kerror.conf usr/local/lib/udev/rules.d/70-kerror.rules; do
	[ -e "$work/dest/$path" ] || fail "$path is missing"
done
for path in bash-completion/completions/kerrorctl zsh/site-functions/_kerrorctl \
	fish/vendor_completions.d/kerrorctl.fish; do
	grep -q '/usr/local/share/kerror/complete' "$work/dest/usr/local/share/$path" ||
		fail "$path is missing, or does not find what knows the options"
done
sh "$work/dest/usr/local/share/kerror/complete" "$out/kerrorctl" query --si | grep -q '^--since=' ||
	fail "the installed completion knows no options"
unit=$work/dest/usr/local/lib/systemd/system/kerrord.service
grep -q '^ExecStart=/usr/local/sbin/kerrord' "$unit" || fail "the unit starts another kerrord"
! grep '@[A-Z]*@' "$work"/dest/usr/local/lib/systemd/system/kerr* || fail "a unit has a name of the Makefile in it"
grep -q '^ExecStart=.* --config=/etc/kerror/collector.conf$' "${unit%kerrord.service}kerror-collector.service" ||
	fail "the collector reads another file"
grep -q '^ConditionPathExists=/sys/module/kerror$' "$unit" || fail "the unit has no condition"
grep -q '^WantedBy=.* sys-module-evlog.device$' "$unit" || fail "the module does not start the unit"
ok "files are where the prefix says"

# The page of the configuration is made of it.
for option in $("$out/kerrord" --print-config | sed -n 's/^#\([a-z_]*\) = .*/\1/p'); do
	grep -q "^\.It Cm $option = " "$work/dest/usr/local/share/man/man5/kerrord.conf.5" ||
		fail "kerrord.conf(5) lacks $option"
done
! command -v mandoc >/dev/null ||
	mandoc -T lint -W warning "$work/dest/usr/local/share/man/man5/kerrord.conf.5" >"$work/log" 2>&1 ||
	fail "$(cat "$work/log")"
for command in $("$out/kerrorctl" --help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
	for option in $("$out/kerrorctl" "$command" --help | grep -o -- '^ *\(-., \)\?--[a-z-]*' |
			sed 's/.*--//'); do
		grep -q "Fl Fl $option\>" man/kerrorctl.1 || fail "kerrorctl(1) lacks $command --$option"
	done
done
for name in $(sed -n '/^.Sh DELIVERY/,/^.Sh METRICS/s/^\.Li \([a-z_]*_[a-z_]*\).*/\1/p' man/kerrord.8); do
	grep -q "^def $name(" tests/test_*.py || fail "kerrord(8) names a test $name, which is not there"
done
ok "the manual pages have every option, and name tests that exist"

# A mended library reaches the programs, wherever it is installed.
for program in sbin/kerrord bin/kerrorctl; do
	file=$work/dest/usr/local/$program
	readelf -d "$file" >"$work/dynamic"
	grep -q 'NEEDED.*\[libkerror\.so\.1\]' "$work/dynamic" || fail "$program has a copy of libkerror"
	grep -q 'RUNPATH.*\[/usr/local/lib\]' "$work/dynamic" || fail "$program does not find libkerror"
	! grep -q "$out" "$work/dynamic" || fail "$program looks into the folder it was built in"
done
make -n OUTPUT="$out" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu "$out/installed/kerrord" >"$work/log"
! grep 'installed/kerrord' "$work/log" | grep -q rpath || fail "a RUNPATH of a system's folder"
"$out/kerrord" --help >"$work/log" || fail "the program in $out does not run"
ok "the programs use the shared library"

make -s OUTPUT="$out" DESTDIR="$work/dest" PYTHONDIR=/python install-python >"$work/log" 2>&1 ||
	fail "$(cat "$work/log")"
[ "$(cd / && LD_LIBRARY_PATH="$out" PYTHONPATH="$work/dest/python" python3 -B -c \
	'import kerror; print(kerror.library_version)')" = "$(sed -n 's/^Version: //p' "$out/libkerror.pc")" ] ||
	fail "the installed Python package does not find the library"
[ -e "$work/dest/python/kerror/py.typed" ] || fail "the Python package lacks its mark of types"
ok "the installed Python package works with the library"
echo "1..$number"
