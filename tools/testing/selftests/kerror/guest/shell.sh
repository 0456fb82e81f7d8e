# SPDX-License-Identifier: GPL-2.0-only
# A shell to try things in; its exit ends the guest.
. /guest/common.sh
insmod /modules/evlog_sample.ko
cat <<'T'

The sample driver is loaded. Try:
  kerrorctl watch --color=always &
T
if [ -e $SAMPLE_TRIGGER ]; then
	echo "  echo 1 > $SAMPLE_TRIGGER"
	echo "  cat /sys/module/kerror/parameters/printk"
else
	echo "  rmmod evlog_sample; insmod /modules/evlog_sample.ko rate=1"
fi
cat <<'T'
"exit" ends the guest.

T
setsid cttyhack sh
exit 0
