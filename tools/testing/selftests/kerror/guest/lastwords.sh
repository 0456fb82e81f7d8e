# SPDX-License-Identifier: GPL-2.0-only
# Three boots end: in a panic, by SysRq b in a flood, by a reset. The fourth stores what
# they left, twice, and shows it. Wants RESETS=yes of guest.sh.
. /guest/common.sh
this=$(boots list | awk '$2 == "runs" { print $3 }')
[ -n "$this" ] || exit 1
case $this in
1)
	load_test_module && panic_alone 20
	;;
2)
	boots flood > /dev/null &
	sleep 1
	echo b > /proc/sysrq-trigger
	;;
3)
	insmod /modules/evlog_sample.ko
	echo 1 > /sys/module/evlog_sample/parameters/trigger
	echo "RESET ME"
	;;
*)
	# The store lists this boot, too, as soon as it has an event of it.
	insmod /modules/evlog_sample.ko
	echo 1 > /sys/module/evlog_sample/parameters/trigger
	printf '[kerrord]\nuser = root\nstate = /tmp/state\n[store]\npath = /tmp/db\n' > /tmp/conf
	for round in 1 2; do
		kerrord --config /tmp/conf &
		sleep 3
		kill $!
		wait $! || exit 1
	done
	boots list | sed 's/^/left: /'
	# On this console they would wait for a key, in a pager.
	echo "# kerrorctl boots" && kerrorctl boots --no-pager --store=/tmp/db &&
	echo "events of -3: $(kerrorctl query --boot=-3 --store=/tmp/db | grep -c 'last words')" &&
	echo "# kerrorctl lastwords --limit=5" &&
	kerrorctl lastwords --limit=5 --no-pager --color=never --store=/tmp/db
	exit
	;;
esac
sleep 60
exit 1
