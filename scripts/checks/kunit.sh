# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by check.sh: the unit tests in the kernel, in User Mode Linux, twice: as
# usual, and without the socket.

# kunit NAME [PARAMETER]
kunit() {
	FILTER= "$TOP/scripts/kunit.sh" "$@"
	for suite in kerror kerror_persist evlog evlog_printk; do
		# Without the socket, those of evlog have nothing to look at.
		grep -aqE "^ok [0-9]+ $suite${2:+( # SKIP.*)?}\$" "$BUILD/$1/kunit.log" || return 1
	done
	! grep -aE 'BUG:|WARNING:|not ok' "$BUILD/$1/kunit.log"
}

kunit_checks() {
	group "Linux $1: unit tests in the kernel"
	check_each "$1/kunit" kunit "$1"
	check_each "$1/kunit-no-socket" kunit "$1" kerror.test_no_socket=1
}
