# SPDX-License-Identifier: GPL-2.0-only
# One test, which the boot parameter test= names: as in kerror_test, or, after
# "stress.", "flood." or "hang.", in the program of that name.
. /guest/common.sh
case $test in
stress.*)
	insmod /modules/test_evlog_stress.ko || exit 1
	STRESS_EVENTS=${events:-200000} stress_test -t "${test#stress.}"
	;;
flood.*)
	load_test_module && flood_test -t "${test#flood.}"
	;;
hang.*)
	load_test_module && insmod /modules/test_evlog_hang.ko || exit 1
	hang_test -t "${test#hang.}"
	;;
*)
	load_test_module && kerror_test -t "$test"
	;;
esac
