# SPDX-License-Identifier: GPL-2.0-only
# The sample driver raises events in four contexts, kerrord prints them, and one of
# them once more as JSON. Where there is no kerrord, for want of its libraries,
# kerrorctl does.
. /guest/common.sh
cpus=$(grep -c '^cpu[0-9]' /proc/stat)
if [ -e /bin/kerrord ]; then
	mkdir -p /run /var/lib
	printf '%s\n' '[kerrord]' 'user = root' '[text]' '[json]' 'path = /tmp/events.json' \
		> /tmp/kerrord.conf
	set -- kerrord --config=/tmp/kerrord.conf
else
	set -- kerrorctl watch -o verbose --color=always
fi
echo "Linux $(uname -r), $cpus CPUs. '$*' waits, the sample driver is loaded:"
"$@" &
sleep 1
sample_rounds 3 || exit 1
sleep 1
kill -INT $!
wait $!
status=$?
[ -e /tmp/events.json ] ||
	kerrorctl watch --json --idle=500 > /tmp/events.json 2>/dev/null
echo
echo "One of them, as a program gets it:"
grep -m1 'bad block' /tmp/events.json
exit $status
