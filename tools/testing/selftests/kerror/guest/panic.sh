# SPDX-License-Identifier: GPL-2.0-only
# A panic while events wait: the console must show them.
. /guest/common.sh
load_test_module || exit 1
kerrorctl watch > /dev/null &
sleep 1
# Panics of today show on the console whatever is in the log; not those of old.
case $(uname -r) in 2.*) dmesg -n 8 ;; esac
panic_alone 20
