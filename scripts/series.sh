#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the checked-in series of a release anew: series.sh RELEASE [FOLDER]
#
# RELEASE is one that patches/ has a record of, FOLDER is patches/ unless given.
# A new release is recorded by: make-series.sh KERNEL_TREE patches
. "$(dirname "$0")/common.sh"

[ $# -ge 1 ] || die "usage: series.sh RELEASE [FOLDER]"
need_packages git
tree=$(mktemp -d)
"$TOP/scripts/recorded-tree.sh" "$1" "$tree"
"$TOP/scripts/make-series.sh" "$tree" "${2:-$TOP/patches}"
rm -rf "$tree"
