# SPDX-License-Identifier: GPL-2.0-only
# The acts of one group, one CPU or one task cost the others nothing.
. /guest/common.sh
status=0
load_test_module || exit 1
flood_test || status=1
if has_module test_evlog_hang hang; then
	insmod /modules/test_evlog_hang.ko || exit 1
	hang_test || status=1
	rmmod test_evlog_hang || status=1
fi
rmmod test_evlog || status=1
exit $status
