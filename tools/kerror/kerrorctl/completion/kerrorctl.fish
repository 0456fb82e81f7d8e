# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of kerrorctl in fish, found as vendor_completions.d/kerrorctl.fish. complete.sh
# knows what there is.

function __kerrorctl
    set -l helper @DATADIR@/kerror/complete
    set -q KERROR_COMPLETE; and set helper $KERROR_COMPLETE
    set -l word (commandline -ct)
    sh $helper (commandline -opc) "$word"
end

complete -c kerrorctl -f -a '(__kerrorctl)'
