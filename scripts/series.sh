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
new=$(cd "$TOP" && git ls-files --others --exclude-standard -- net kernel include compat samples \
	tools Documentation | head -3)
[ -z "$new" ] || die "git does not track $(echo $new): the series would lack it; git add it"
tree=$(mktemp -d)
"$TOP/scripts/recorded-tree.sh" "$1" "$tree"
"$TOP/scripts/make-series.sh" "$tree" "${2:-$TOP/patches}"
rm -rf "$tree"
