# SPDX-License-Identifier: GPL-2.0-only
# One of many boots of "make crashes": kerrord stores what the boots before left, and what
# this one raises, on a disk that persists. Then this one dies. Boot parameters, by
# scripts/crashes.py:
#   way=	how it dies, see test_evlog_crash.c; or sysrq-b, reset, or none: the last one
#   after=	milliseconds after the flood began
#   early=	1: the flood begins before kerrord
#   look=	boots, with commas, of which is told what the store has
#   marks=	where the flood notes how far it has come
. /guest/common.sh
store=/tmp/disk/events.db
mkdir -p /tmp/disk /run/kerror
for module in /modules/[0-9]*.ko; do
	[ ! -e "$module" ] || insmod "$module" || exit 1
done
for tries in $(seq 50); do
	for disk in /dev/vda /dev/nvme0n1; do [ ! -b $disk ] || break 2; done
	usleep 100000
done
mount -t ext4 $disk /tmp/disk || exit 1

# stage TEXT: how long it took until here
stage() { echo "# $1 at $(cut -d ' ' -f 1 /proc/uptime) s"; }
stage "the disk is there"
boots list | sed 's/^/KEPT /'
echo "BOOT $(cat /proc/sys/kernel/random/boot_id)"
flood() {
	insmod /modules/test_evlog_crash.ko marks="$marks" || exit 1
	echo "FLOOD"
}
[ "$early" = 0 ] || flood
printf '[kerrord]\nuser = root\nstate = /tmp/disk/state\n[store]\npath = %s\n' $store > /tmp/conf
kerrord --config /tmp/conf 2>&1 &
daemon=$!
if [ "$early" = 0 ]; then
	# One is this one: what the others left is in the store.
	for tries in $(seq 300); do
		[ "$(boots list | wc -l)" != 1 ] || break
		usleep 100000
	done
	[ "$(boots list | wc -l)" = 1 ] ||
		{ echo "WRONG kerrord left a boot with the kernel"; exit 1; }
	stage "stored"
	for boot in $(echo "$look" | tr , ' '); do
		sqlite3 -readonly -separator ' ' $store "
			SELECT 'STORED', '$boot', source, count(*), count(DISTINCT number),
				max(number)
			FROM (SELECT CAST(substr(text, 8) AS INTEGER) source,
				CAST(substr(text, instr(text, 'event ') + 6) AS INTEGER) number
				FROM event JOIN boot USING (boot)
				WHERE boot_id = '$boot' AND facility = 'test_evlog_crash')
			GROUP BY source;
			SELECT 'LOST', '$boot', cause, sum(count) FROM loss JOIN boot USING (boot)
			WHERE boot_id = '$boot' AND event_group = 2 GROUP BY cause" || exit 1
	done
	stage "asked the store"
	kerrorctl boots --json --no-pager --store=$store |
		sed -n 's/.*"boot_id":"\([^"]*\)".*"how":"\([^"]*\)".*/LISTED \1 \2/p'
	dmesg | grep -E 'BUG:|WARNING:|Oops|kerror: .*sum' | sed 's/^/WRONG /'
	stage "asked kerrorctl"
	echo "LOOKED"
fi
if [ "$way" = none ]; then
	kill $daemon
	wait $daemon
	umount /tmp/disk
	exit
fi
[ "$early" != 0 ] || flood
usleep $((after * 1000))
echo "DIES"
case $way in
reset) ;;
sysrq-b) echo b > /proc/sysrq-trigger ;;
*) echo "$way" > /sys/module/test_evlog_crash/parameters/die ;;
esac
# SysRq l sends an NMI to the other CPUs.
[ "$way" != panic-nmi ] || echo l > /proc/sysrq-trigger
sleep 60
exit 1
