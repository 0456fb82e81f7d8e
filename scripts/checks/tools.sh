# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: tests of what runs on this machine, without a kernel.

# tools TARGET: of the Makefile in tools/kerror
tools() { make -C "$TOP/tools/kerror" OUTPUT="$BUILD/tools" WERROR=1 "$@"; }

# The layout is the same for a 32-bit program.
layout_32_bit() {
	work=$(mktemp -d)
	sed -n '/^#define AT(/,/kerror_request), *"\|^_Static_assert(sizeof(struct kerror_request/p' \
		"$SELFTESTS/kerror_test.c" > "$work/asserts"
	{ printf '#include <stddef.h>\n#include <linux/kerror.h>\n#include <linux/evlog.h>\n'
	  cat "$work/asserts"; } > "$work/layout.c"
	[ "$(grep -c Static_assert "$work/layout.c")" -ge 4 ] || return 1
	for bits in 32 64; do
		gcc -m$bits -fsyntax-only -I"$BUILD/tools/include" \
			-I"/usr/include/$(gcc -print-multiarch)" "$work/layout.c" || return 1
	done
	rm -rf "$work"
}

# evlog's parser of formats needs no more of the kernel than this.
parser_in_user_space() {
	work=$(mktemp -d)
	mkdir -p "$work/linux" "$work/uapi/linux"
	echo '#include <ctype.h>' > "$work/linux/ctype.h"
	echo '#include <string.h>' > "$work/linux/string.h"
	printf '%s\n' '#include <stdbool.h>' '#include <stddef.h>' '#include <asm/types.h>' \
		'typedef __u8 u8;' > "$work/linux/types.h"
	cp "$TOP/include/uapi/linux/evlog.h" "$work/uapi/linux"
	gcc -Wall -Wextra -Werror -I"$work" -I"/usr/include/$(gcc -print-multiarch)" \
		-fsyntax-only "$TOP/kernel/evlog_format.c" && rm -rf "$work"
}

no_kernel_to_talk_to() {
	tools control && { "$BUILD/tools/kerrorctl" watch 2>&1 | tee "$BUILD/tools/kerrorctl.out"; }
	# Where kerror-dkms is installed, it names the modules.
	grep -q 'CONFIG_KERROR=y\|evlog.ko is ' "$BUILD/tools/kerrorctl.out"
}

quick_tools_checks() {
	group "user space"
	check tools/build tools all test-programs
	check tools/layout-32 layout_32_bit
	check tools/parser parser_in_user_space
	check tools/reader python3 "$SELFTESTS/reader.py" --test
	check tools/man mandoc -T lint -W warning $(set +f; ls "$TOP"/tools/kerror/man/*.[1378])
	check tools/no-kernel no_kernel_to_talk_to
}

# Debian's prometheus starts a server when it is installed, so that its promtool is only
# unpacked. Without it, the test skips what needs it.
prometheus_examples() {
	promtool=$(command -v promtool || echo "$BUILD/promtool/usr/bin/promtool")
	[ -e "$promtool" ] || {
		mkdir -p "$BUILD/promtool"
		(cd "$BUILD/promtool" && apt-get -q download prometheus && dpkg-deb -x prometheus_*.deb . &&
			rm prometheus_*.deb)
	} || echo "# Debian's prometheus cannot be fetched"
	tools test-prometheus PROMTOOL="$promtool"
}

tools_checks() {
	group "user space, with sanitizers and under valgrind"
	[ "$LIST" ] || [ "${NATS_SERVER:-}" ] || { ! wanted tools/nats && ! wanted tools/fleet; } ||
		export NATS_SERVER="$(nats_server)"
	for test in abi units vectors schema python wireshark fuzz examples kerrorctl report terminal \
		rules sinks syslog otlp paths kerrord nats fleet collector container day outputs hostile; do
		check_each tools/$test tools test-$test
	done
	check_each tools/prometheus prometheus_examples
}
