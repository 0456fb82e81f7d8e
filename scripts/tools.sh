#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds libkerror, kerrord and the examples for this machine into build/tools.
. "$(dirname "$0")/common.sh"

need_packages gcc libc6-dev libjson-c-dev libmnl-dev make pkg-config
make -C "$TOP/tools/kerror" OUTPUT="$BUILD/tools" all
echo "See $BUILD/tools; make -C tools/kerror install DESTDIR=... installs it."
