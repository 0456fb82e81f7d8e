#compdef kerrorctl
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of kerrorctl in zsh, found as _kerrorctl in a folder of fpath. complete.sh knows
# what there is.

local -a candidates
local line helper=${KERROR_COMPLETE:-@DATADIR@/kerror/complete}

candidates=("${(@f)$(sh "$helper" "${(@Q)words[1,CURRENT]}")}")
for line in "${candidates[@]}"; do
	case ${line%%$'\t'*} in
	'')	;;
	# The value follows at once.
	*=)	compadd -S '' -- "${line%%$'\t'*}" ;;
	*)	compadd -- "${line%%$'\t'*}" ;;
	esac
done
