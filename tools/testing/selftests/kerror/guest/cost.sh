# SPDX-License-Identifier: GPL-2.0-only
# The cost of printk() without the modules, and with each kind of tap, in one boot: the
# least of three rounds that alternate. The table is that of module/README.md. QEMU counts
# instructions, see guest.sh. On a patched kernel: what evl_printf() costs, and whether
# this boot's events outlive it.
. /guest/common.sh
if [ ! -e /modules/test_evlog_cost.ko ]; then
	load_test_module && raise cost 20 100 || exit 1
	echo "evl_printf $(sed -n 's/^cost //p' /dev/test_evlog) $(boots list | grep -c ' runs ')"
	exit 0
fi
rmmod evlog kerror
insmod /modules/test_evlog_cost.ko || exit 1

# measure NAME: adds a line to /tmp/costs
measure() { echo "$(cat /sys/module/test_evlog_cost/parameters/ns) $1" >> /tmp/costs; }

# A message costs more once the log is full.
cat /sys/module/test_evlog_cost/parameters/ns > /dev/null
for round in 1 2 3; do
	measure "without the modules"
	insmod /modules/kerror.ko staging_kb=8192 && insmod /modules/evlog.ko tap=off || exit 1
	measure "tap off"
	for kind in ftrace kprobe text; do
		echo $kind > /sys/module/evlog/parameters/tap || exit 1
		for level in 0 8; do
			echo $level > /sys/module/evlog/parameters/printk
			measure "$kind, $([ $level = 0 ] && echo no || echo each) message forwarded"
		done
	done
	rmmod evlog kerror || exit 1
done
sort -n /tmp/costs | awk '
{ ns = $1; $1 = ""; if (!($0 in least)) { least[$0] = ns; names[++n] = $0 } }
END { base = least[" without the modules"]
	for (i = 1; i <= n; i++)
		printf "|%s | %d | %.2f |\n", names[i], least[names[i]], least[names[i]] / base }'
exit 0
