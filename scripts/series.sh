#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the checked-in series anew: series.sh NAME [FOLDER]
#
# NAME is 6.1 or 6.12, for Debian's linux-source-NAME. FOLDER is patches/NAME
# unless given.
. "$(dirname "$0")/common.sh"

[ $# -ge 1 ] || die "usage: series.sh NAME [FOLDER]"
need_packages git xz-utils
keep_pristine "$1"
"$TOP/scripts/make-series.sh" "$BUILD/$1/pristine" "${2:-$TOP/patches/$1}"
