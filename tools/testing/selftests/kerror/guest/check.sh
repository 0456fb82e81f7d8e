# SPDX-License-Identifier: GPL-2.0-only
# The selftests, on a kernel where nothing else raises events.
insmod /modules/test_evlog.ko || exit 1
kerror_test "$@"
