#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Completes a command line of kerrorctl: complete KERRORCTL WORD..., of which the last word
# is the one to complete, and may be empty. It prints one candidate a line, with a tab and a
# description if there is one. The completions of bash, zsh and fish call it, so that all
# have this one table. Commands and options are those of kerrorctl --help.
tab=$(printf '\t')
severities="emerg alert crit err warning notice info debug"
fields="severity facility device context cpu uid gid pid tid comm type id boot oops truncated
	printk continues open imported kind format text arg[0] argc group machine host boot_id
	instance release version arch livepatch"

# offer PREFIX WORD CANDIDATE...: those that begin with WORD, behind PREFIX
offer() {
	prefix=$1 begins=$2
	shift 2
	for candidate; do
		case $candidate in "$begins"*) printf '%s%s\n' "$prefix" "$candidate" ;; esac
	done
}

# A glob by itself: no shell is asked for files.
offer_files() {
	for file in "$2"*; do
		[ ! -d "$file" ] || file=$file/
		[ ! -e "$file" ] || printf '%s%s\n' "$1" "$file"
	done
}

# The last comparison of a filter. The text before it stays as it is.
offer_filter() {
	word=${2##*[ \(!&|]}
	before=$1${2%"$word"}
	value=${word##*[=<>]}
	case $word in
	severity*[=\<\>]*)	offer "$before${word%"$value"}" "$value" $severities ;;
	context[=!]=*)		offer "$before${word%"$value"}" "$value" process softirq hardirq nmi ;;
	group[=!]=*)		offer "$before${word%"$value"}" "$value" raw evlog printk ;;
	*)			offer "$before" "$word" $fields ;;
	esac
}

# offer_values OPTION PREFIX WORD: false for an option that has no value
offer_values() {
	option=$1
	shift
	case $option in
	--color)		offer "$@" auto always never ;;
	--group | -g)		offer "$@" raw evlog printk all ;;
	--boot | -b)		offer "$@" all current -1 ;;
	--count-by)		offer "$@" facility event device severity hour day host release tag. 'arg[0]' ;;
	--since | --until | -S | -U) offer "$@" today yesterday now -1h -1d ;;
	--filter)		offer_filter "$@" ;;
	--priority | -p)	offer "$@" $severities ;;
	--output | -o)		offer "$@" short short-iso verbose cat json ;;
	--store | --explanations | --kernel | -k | --metrics | --was | --state | -s | -w)
				offer_files "$@" ;;
	*)			return 1 ;;
	esac
}

# begins_with WORD: the lines of standard input that do
begins_with() {
	while IFS= read -r line; do
		case $line in "$1"*) printf '%s\n' "$line" ;; esac
	done
}

program=$1 command=$2 before=
shift
[ $# != 0 ] || { echo "usage: complete KERRORCTL WORD..." >&2; exit 2; }
count=$#
for word; do
	[ "$count" != 2 ] || before=$word
	count=$((count - 1))
done

if [ $# = 1 ] || { [ $# = 2 ] && [ "$command" = help ]; }; then
	{ [ $# != 1 ] || printf -- '--help\tthe commands\n--version\tof this program\n'
	  "$program" --help | sed -n "s/^  \([a-z-]*\)  *\(.*\)/\1$tab\2/p"; } | begins_with "$word"
	exit
fi
case $word in
--*=*)	offer_values "${word%%=*}" "${word%%=*}=" "${word#*=}"; exit 0 ;;
esac
case $before in
-?|--*)	! offer_values "$before" "" "$word" || exit 0 ;;
esac
case $word,$command in
-*)	"$program" "$command" --help |
	sed -n "s/^ *\(-., \)\{0,1\}\(--[a-z-]*=\{0,1\}\)[^ ]* */\2$tab/p" | begins_with "$word" ;;
*,formats | *,check-rules) offer_files "" "$word" ;;
esac
