#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows the whole path once: builds a patched kernel, boots it, lets the sample
# driver raise events and kerrord print them. demo.sh [KERNEL_TREE [ARCH]]
. "$(dirname "$0")/common.sh"

tree=${1:-}
name=$(name_of "$tree")
arch=$(arch_of "$tree" "${2:-}")
"$TOP/scripts/kernel.sh" "$name" "$arch" "$tree"
step "booting Linux $name in QEMU"
TIMEOUT=120 "$TOP/scripts/guest.sh" "$name" demo "$arch"
cat <<T

Each line above is one event: time, severity, facility [device], context, where
and who it was raised by, its text, and in <> what a program gets instead of
text: the id, the format and the typed arguments.

Go on: "make shell${tree:+ KSRC=$tree}${2:+ ARCH=$2}" gives a shell in this guest, samples/evlog/evlog_sample.c is
the driver to copy from, Documentation/kerror.txt explains it all.
T
