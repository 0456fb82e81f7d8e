# SPDX-License-Identifier: GPL-2.0-only
# Modules in Rust print messages and raise events; then the log and all events, as of
# boot.sh: for scripts/rust.sh.
for module in evlog_rust rust_print rust_driver_faux; do
	insmod /modules/$module.ko && rmmod $module || exit 1
done
. /guest/boot.sh
