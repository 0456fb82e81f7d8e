# SPDX-License-Identifier: GPL-2.0-only
# Prints what kerrord has stored; then it panics while events wait in the rings. The host
# has QEMU dump the memory and compares kerror-drgn with what was printed.
. /guest/common.sh
for module in /modules/qemu_fw_cfg-*.ko; do
	[ ! -e "$module" ] || insmod "$module" || exit 1
done
printf '[kerrord]\nuser = root\nstate = /tmp/state\n' > /tmp/conf
printf '[metrics]\ntextfile = /tmp/metrics\ninterval = 1s\n[store]\npath = /tmp/db\n' >> /tmp/conf
kerrord --config /tmp/conf &
insmod /modules/evlog_sample.ko
echo 1 > /sys/module/evlog_sample/parameters/trigger
echo 1 > /sys/module/evlog_sample/parameters/trigger
load_test_module || exit 1
until [ -e /tmp/metrics ]; do sleep 1; done
sleep 1
kill $!
wait $! || exit 1
sed -n '/^[^ ]* kerror_dump\>/p' /proc/kallsyms | sed 's/^/# /'
[ ! -e /proc/kcore ] ||
	head -c 65536 /proc/kcore | tr '\0' '\n' | grep -a 'kerror_dump' | sed 's/^/# /'
echo "BOOT-ID $(cat /proc/sys/kernel/random/boot_id)"
kerrorctl query --store=/tmp/db -o json | sed 's/^/STORED /'
sleep 1
panic_alone 20
sleep 60
exit 1
