# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of kerrorctl in bash: commands and options, which it asks kerrorctl
# itself for, values of options, and fields of filters. Made for being found as
# share/bash-completion/completions/kerrorctl, but needs no more than bash.

_kerrorctl_filter()
{
	local fields="severity facility device context cpu uid gid pid tid comm
		type id boot oops truncated printk continues open imported kind format text
		arg[0] argc group"
	local word=${1##*[ \(!&|]} before
	local severities="emerg alert crit err warning notice info debug"

	# What comes before the last word stays as it is.
	before=${1%"$word"}
	case $word in
	severity*[=\<\>]*)
		before=$before${word%"${word##*[=<>]}"}
		compgen -P "$before" -W "$severities" -- "${word##*[=<>]}" ;;
	context[=!]=*)
		before=$before${word%"${word##*=}"}
		compgen -P "$before" -W "process softirq hardirq nmi" -- "${word##*=}" ;;
	group[=!]=*)
		before=$before${word%"${word##*=}"}
		compgen -P "$before" -W "raw evlog printk" -- "${word##*=}" ;;
	*)
		compgen -P "$before" -W "$fields" -- "$word" ;;
	esac
}

_kerrorctl_values()
{
	local option=$1 word=$2

	case $option in
	--color)	compgen -W "auto always never" -- "$word" ;;
	--group | -g)	compgen -W "raw evlog printk all" -- "$word" ;;
	--boot | -b)	compgen -W "all current -1" -- "$word" ;;
	--count-by)	compgen -W "facility event device severity hour day arg[0]" -- "$word" ;;
	--since | --until | -S | -U)
			compgen -W "today yesterday now -1h -1d" -- "$word" ;;
	--filter)	_kerrorctl_filter "$word" ;;
	--priority | -p) compgen -W "emerg alert crit err warning notice info debug" -- "$word" ;;
	--output | -o)	compgen -W "short short-iso verbose cat json" -- "$word" ;;
	--store | --explanations | --kernel | -k | --metrics | --was | --state | -s | -w)
			compgen -f -- "$word" ;;
	*)		return 1 ;;
	esac
}

_kerrorctl()
{
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
	local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
	local candidates

	# readline has "=" for a word of its own.
	[ "$word" != = ] || word=
	[ "$option" != = ] || option=${COMP_WORDS[COMP_CWORD - 2]}
	if ((COMP_CWORD == 1)); then
		candidates=$(compgen -W "--help $("$program" --help |
			sed -n 's/^  \([a-z-]*\)  .*/\1/p')" -- "$word")
	elif [[ $option == -* ]] &&
	     candidates=$(_kerrorctl_values "$option" "$word"); then
		:
	elif [[ $word == -* ]]; then
		candidates=$(compgen -W "$("$program" "$command" --help |
			grep -o -e '--[a-z-]*=\{0,1\}')" -- "$word")
	elif [[ $command == formats || $command == check-rules ]]; then
		candidates=$(compgen -f -- "$word")
	fi
	mapfile -t COMPREPLY < <([ -z "$candidates" ] || echo "$candidates")
	# The value follows at once.
	[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

complete -F _kerrorctl kerrorctl
