#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the checked-in series anew: series.sh NAME [FOLDER]
#
# NAME is 6.1 or 6.12, for Debian's linux-source-NAME, or that of a series for
# Linux 2.6 in patches/, which has a record of its tree. FOLDER is patches/NAME
# unless given.
. "$(dirname "$0")/common.sh"

[ $# -ge 1 ] || die "usage: series.sh NAME [FOLDER]"
need_packages git xz-utils
tree=$BUILD/$1/pristine
case $1 in
2.6.*)
	rm -rf "$tree"
	"$TOP/scripts/recorded-tree.sh" "$TOP/patches/$1" "$tree"
	;;
*)
	keep_pristine "$1"
	;;
esac
"$TOP/scripts/make-series.sh" "$tree" "${2:-$TOP/patches/$1}"
