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
TIMEOUT=120 "$TOP/scripts/guest.sh" "$name" demo "$arch"
cat <<T

A line is one event: time, severity, facility [device], context, where and by
whom it was raised, its text, and in <> what a program gets instead of text: the
id, the format and the typed arguments.

Next:
  make shell${tree:+ KSRC=$tree}${2:+ ARCH=$2}    a shell in this guest; try kerrorctl selftest
  samples/evlog/evlog_sample.c    the driver to copy from
  patches/README.md               how to add this to your kernel
  tools/kerror/README.md          how to install kerrord and kerrorctl
  Documentation/kerror.txt        the guide
T
