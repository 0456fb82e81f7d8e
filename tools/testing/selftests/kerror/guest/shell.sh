# SPDX-License-Identifier: GPL-2.0-only
# A shell to try things in; its exit ends the guest.
insmod /modules/evlog_sample.ko
cat <<'T'

The sample driver is loaded. Try:
  kerrord --color=always &
  echo 1 > /sys/module/evlog_sample/parameters/trigger
  cat /sys/module/kerror/parameters/printk
"exit" ends the guest.

T
setsid cttyhack sh
exit 0
