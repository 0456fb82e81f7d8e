# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of kerrorctl in bash, found as share/bash-completion/completions/kerrorctl;
# needs no more than bash. complete.sh knows what there is.

_kerrorctl()
{
	local words=("${COMP_WORDS[0]}") word previous= i

	# readline has "=" for a word of its own; complete.sh has --option=value for one. A word
	# whose quotes are open begins with them.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]#[\"\']}
		if [[ ($word == = && $previous == --*) || ($previous == --*= && $word != --*) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		previous=${words[-1]}
	done
	mapfile -t COMPREPLY < <(sh "${KERROR_COMPLETE:-@DATADIR@/kerror/complete}" "${words[@]}" |
		cut -f 1)
	# readline replaces what is behind the "=" only.
	[[ ${words[-1]} != --*=* ]] || COMPREPLY=("${COMPREPLY[@]#--*=}")
	# The value follows at once.
	[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

complete -F _kerrorctl kerrorctl
