# SPDX-License-Identifier: GPL-2.0-only
# An oops while events wait: they are delivered all the same. PID 1 then finds
# the kernel's complaint.
. /guest/common.sh
load_test_module || exit 1
kerrorctl watch -o verbose --color=never --group=all > /tmp/events &
sleep 1
# The process that raises them dies.
(raise oops 20)
sleep 2
kill -INT $!
wait $!
# An old kernel's console takes nothing else after an oops.
while read -r event; do
	echo "<0>$event" > /dev/kmsg
done < /tmp/events
exit 0
