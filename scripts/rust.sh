#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests samples/evlog/evlog.rs with the rustc that Linux 7.3 wants: rust.sh
#
# That is Debian 13's, in a chroot in build/rust, as root. Calls that are right must pass
# their values to C, where printf() takes the place of evl_printf_at(); each line of the
# file "refused" must not compile, for the reason that it begins with. Prints TAP.
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || die "not root: it makes a chroot"
need_packages debootstrap
root=$BUILD/rust/root log=$BUILD/rust/log
mkdir -p "$BUILD/rust"
if [ ! -e "$root/ready" ]; then
	step "debootstrap of trixie, with rustc"
	rm -rf "$root"
	debootstrap --variant=minbase --include=gcc,libc6-dev,rustc,rustfmt trixie "$root" \
		"$(debian_mirror)" > "$log" 2>&1 || { tail -5 "$log" >&2; die "failed: $log"; }
	touch "$root/ready"
fi

# What is compiled is where it is in the sources.
test=tools/testing/selftests/kerror/rust work=$root/src
rm -rf "$work"
mkdir -p "$work/samples/evlog" "$work/$test"
cp "$TOP/samples/evlog/evlog.rs" "$work/samples/evlog"
cp "$SELFTESTS"/rust/* "$work/$test"
# in_root COMMAND...: in the chroot, with a /proc, by which rustfmt finds its stack. The mount
# goes with the command.
in_root() {
	unshare --mount sh -ec 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"' \
		"$root" env -C "/src/$test" "$@"
}
compile() {
	in_root rustc --edition 2021 -D warnings -D missing_docs -D unreachable_pub -C linker=gcc \
		-C link-arg=printf.o "$@" > "$log" 2>&1
}

bad=0 number=0
# result STATUS WHAT
result() {
	number=$((number + 1))
	[ "$1" = 0 ] && printf 'ok %s\n' "$number $2" || { bad=1; printf 'not ok %s\n' "$number $2"; sed 's/^/# /' "$log" | head -20; }
}
in_root gcc -O2 -c printf.c
status=0
{ compile main.rs && in_root ./main > "$work/got" && diff "$work/got" "$SELFTESTS/rust/expected" > "$log"; } ||
	status=$?
result $status "values reach C"
status=0
in_root rustfmt --check --edition 2021 main.rs > "$log" 2>&1 || status=$?
result $status "rustfmt"
while IFS='|' read -r reason call; do
	{ sed '/^fn main/,$d' "$SELFTESTS/rust/main.rs"; printf 'fn main() { %s; }\n' "$call"; } > "$work/$test/refused.rs"
	status=0
	! compile refused.rs && grep -q "$reason" "$log" || status=1
	result $status "refused: $call"
done < "$SELFTESTS/rust/refused"
echo "1..$number"
exit $bad
