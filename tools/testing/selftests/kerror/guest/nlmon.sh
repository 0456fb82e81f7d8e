# SPDX-License-Identifier: GPL-2.0-only
# Captures netlink on an nlmon device while a program receives events, on a kernel of a
# distribution. A program that reads such a device needs CAP_NET_RAW only. So the capture
# must have messages about routes, but no event. Prints it in base64, from CAPTURE to END.
. /guest/common.sh

for driver in /modules/[0-9]*nlmon.ko; do
	insmod "$driver" || exit 1
done
ip link add nlmon0 type nlmon && ip link set nlmon0 up || exit 1
# It wants to know who it is to be.
mkdir -p /etc && echo 'root:x:0:0:root:/:/bin/sh' > /etc/passwd
tcpdump -Z root --immediate-mode -i nlmon0 -U -w /tmp/capture 2> /tmp/log &
tcpdump=$!
until grep -q 'listening on' /tmp/log; do
	kill -0 $tcpdump || { cat /tmp/log; exit 1; }
	sleep 0.1
done
timeout 60 kerrorctl watch --count=5 > /tmp/events 2> /dev/null &
watch=$!
# The kernel's messages about this are its events.
while kill -0 $watch 2> /dev/null; do
	echo h > /proc/sysrq-trigger
	sleep 0.2
done
wait $watch || { echo "no events in 60 s"; exit 1; }
# They came before what is captured now.
for second in $(seq 30); do
	ip link show lo > /dev/null
	[ "$(stat -c %s /tmp/capture)" -le 24 ] || break
	sleep 1
done
kill $tcpdump
wait $tcpdump
echo "# events: $(wc -l < /tmp/events)"
echo CAPTURE
base64 /tmp/capture
echo END
