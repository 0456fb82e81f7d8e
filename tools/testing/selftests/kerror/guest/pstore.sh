# SPDX-License-Identifier: GPL-2.0-only
# The first boot panics while events wait. The second one finds the log in ramoops, and
# kerrord stores it: once, and the record is removed when kerrord is told so. Wants a guest
# that boots again, RESETS=yes of guest.sh, and memory that is left alone.
. /guest/common.sh
for module in /modules/ramoops-*.ko; do
	insmod "$module" mem_address=0x18000000 mem_size=0x100000 record_size=0x20000 || exit 1
done
mount -t pstore none /sys/fs/pstore || exit 1
if [ -z "$(ls /sys/fs/pstore)" ]; then
	load_test_module && panic_alone 20
	sleep 60
	exit 1
fi
ls -l /sys/fs/pstore | sed 's/^/# /'
printf '[kerrord]\nuser = root\nstate = /tmp/state\n' > /tmp/conf
printf '[metrics]\ntextfile = /tmp/metrics\ninterval = 1s\n[store]\npath = /tmp/db\n' >> /tmp/conf

# taken NAME: runs kerrord once, and says what is stored
taken() {
	rm -f /tmp/metrics
	kerrord --config /tmp/conf &
	until [ -e /tmp/metrics ]; do sleep 1; done
	kill $!
	wait $! || exit 1
	kerrorctl query --boot=-1 --store=/tmp/db > /tmp/events
	words=$(grep -c 'last words [0-9]*$' /tmp/events)
	echo "$1: $words last words, $(grep -c '72 61 77 20 77 6f 72 64 73' /tmp/events) raw"
}

taken first
echo "# kerrorctl boots" && kerrorctl boots --no-pager --store=/tmp/db | sed 's/^/# /'
echo "# kerrorctl lastwords --limit=5"
kerrorctl lastwords --limit=5 --no-pager --color=never --store=/tmp/db
sed -i 's/^state = .*/&\npstore_remove = yes/' /tmp/conf
taken second
echo "records left: $(ls /sys/fs/pstore | wc -l)"
