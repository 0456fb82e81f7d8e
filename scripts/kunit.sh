#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a kernel as User Mode Linux and runs its unit tests: kunit.sh NAME
# [PARAMETER...]
#
# $FILTER chooses tests, as evlog.test_site; PARAMETERs are for the kernel. Prints
# KUnit's output, which is in build/NAME/kunit.log, too. $KERNEL is um, or um-kasan.
. "$(dirname "$0")/common.sh"

[ $# -ge 1 ] || die "usage: kunit.sh NAME [PARAMETER...]"
name=$1
shift
kernel=${KERNEL:-um}
"$TOP/scripts/kernel.sh" "$name" "$kernel"
timeout "${TIMEOUT:-120}" "$BUILD/$name/$kernel/linux" mem=256M con=null con0=fd:0,fd:1 panic=-1 kunit.enable=1 \
	${FILTER:+"kunit.filter_glob=$FILTER"} "$@" < /dev/null 2>&1 | tee "$BUILD/$name/kunit.log"
