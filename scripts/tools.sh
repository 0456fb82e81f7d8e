#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds libkerror, kerrord, kerrorctl and the examples for this machine into build/tools.
. "$(dirname "$0")/common.sh"

need_packages $TOOLS_PACKAGES
make -C "$TOP/tools/kerror" OUTPUT="$BUILD/tools" all
echo "See $BUILD/tools; make -C tools/kerror install DESTDIR=... installs it."
