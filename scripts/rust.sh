#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests samples/evlog/evlog.rs with the rustc that Linux 7.3 wants: rust.sh
#
# That is Debian 13's, in a chroot in build/rust, as root. Calls that are right must pass
# their values to C, where printf() takes the place of evl_printf_at(); each line of the
# file "refused" must not compile, for the reason that it begins with. Then Linux 7.3 is
# built there with CONFIG_RUST=y and booted: each line of its log must be an event, and those
# of modules in Rust have all that the file "events" has. Prints TAP.
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || die "not root: it makes a chroot"
need_packages debootstrap
root=$BUILD/rust/root log=$BUILD/rust/log
mkdir -p "$BUILD/rust"
packages=gcc,libc6-dev,rust-clippy,rustc,rustfmt
if [ "$(cat "$root/ready" 2>/dev/null)" != $packages ]; then
	step "debootstrap of trixie, with rustc"
	rm -rf "$root"
	debootstrap --variant=minbase --include=$packages trixie "$root" \
		"$(debian_mirror)" > "$log" 2>&1 || { tail -5 "$log" >&2; die "failed: $log"; }
	echo $packages > "$root/ready"
fi

# Files to be compiled are where they are in the sources.
test=tools/testing/selftests/kerror/rust work=$root/src
rm -rf "$work"
mkdir -p "$work/samples/evlog" "$work/$test"
cp "$TOP/samples/evlog/evlog.rs" "$work/samples/evlog"
cp "$SELFTESTS"/rust/* "$work/$test"
# in_root COMMAND...: in the chroot, with a /proc, by which rustfmt finds its stack, and this
# repository where it is here. The mounts go with the command.
mkdir -p "$root$TOP" "$root$BUILD"
in_root() {
	unshare --mount sh -ec 'mount -t proc proc "$0/proc"
		for folder in "$1" "$2"; do mount --bind "$folder" "$0$folder"; done
		shift 2
		exec chroot "$0" "$@"' "$root" "$TOP" "$BUILD" env -C "/src/$test" "$@"
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

in_root "$TOP/scripts/kernel.sh" 7.3 x86_64-rust
lints=$(sed -n '/^export rust_common_flags/,/^$/s/.*\(-[ADW]clippy::[a-z_]*\).*/\1/p' "$BUILD/7.3/source/Makefile")
status=0
in_root env CLIPPY_CONF_DIR="$BUILD/7.3/source" clippy-driver --edition 2021 -D warnings $lints \
	--emit=metadata main.rs > "$log" 2>&1 || status=$?
result $status "the kernel's lints of clippy"
status=0
guest=$BUILD/7.3/rust-x86_64-rust.log
rm -f "$guest"
APPEND=evlog.printk=8 TIMEOUT=300 "$TOP/scripts/guest.sh" 7.3 rust x86_64-rust > "$log" 2>&1 &&
	python3 "$TOP/scripts/compare-boot.py" "$guest" > "$log" 2>&1 || status=$?
result $status "each line of the log is an event with its text"
status=0
python3 "$TOP/scripts/rust-events.py" "$guest" > "$work/events" 2> "$log" &&
	! grep -vxF -f "$work/events" "$SELFTESTS/rust/events" > "$log" || status=1
result $status "events of evl_err!(), pr_info!() and dev_info!()"
echo "1..$number"
exit $bad
