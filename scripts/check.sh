#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests, which are in scripts/checks/: check.sh
# [KERNEL_TREE [ARCH]|--all|--arches|--quick|--stock]
#
# Each test has a name, such as 6.1/panic, prints "ok" or "not ok" and leaves what
# it printed in build/check/NAME. The last line is "N passed, N failed". $ONE, a list
# of shell patterns, chooses some ('6.1/* tools/man'); with $LIST, their names are
# printed and nothing is run.
#
# Without an argument, those of $REPEATED are left out unless $ONE chooses them. Without
# $ONE, two thirds of the tests run beside the others, and are shown at the end.
#
#   KERNEL_TREE	those that run on that kernel
#   --all	all that run on this machine's architecture
#   --arches	on 6.12 for another byte order, for 32 bits, and for 32-bit programs
#   --quick	those that boot nothing
#   --stock	those of the modules, on unmodified kernels of Debian
. "$(dirname "$0")/common.sh"

tree=${1:-} short= again="make check"
case $tree in
"") [ "${ONE:-*}" != '*' ] || short=yes ;;
--arches) again="make arches" ;;
--quick) ;;
--all) again="make check-all" ;;
--stock) again="make stock" ;;
?*) again="make check KSRC=$tree${2:+ ARCH=$2}${KCC:+ KCC=$KCC}" ;;
esac
logs=$BUILD/check
passed=0 failed=0 title=
set -f
ONE=${ONE:-*} LIST=${LIST:-}

# What takes long and the same test on another kernel shows, too
REPEATED='6.1/selftests 6.1/stress 6.1/isolation 6.1/persist 6.1/sparse
	6.12/selftests 6.12/stress 6.12/isolation 6.12/persist 6.12/sparse
	7.3/persist linux-image-amd64_*'

# matches NAME PATTERN...
matches() {
	word=$1
	shift
	for pattern in "$@"; do
		case $word in $pattern) return 0 ;; esac
	done
	return 1
}

wanted() {
	matches "$1" $ONE || return 1
	[ -z "$short" ] || ! matches "$1" $REPEATED
}

# group TITLE: is shown before the first of the tests that follow.
group() { title=$1; }

# check NAME COMMAND...: counts as one; what it prints goes to a file, $log.
check() {
	name=$1 log=$logs/$1 ran=
	shift
	wanted "$name" || return 0
	[ -z "$LIST" ] || { echo "$name"; return 0; }
	[ -z "$title" ] || step "$title" 2>&1
	title=
	mkdir -p "${log%/*}"
	begin=$(date +%s)
	if (set +f; "$@") > "$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name ($(($(date +%s) - begin)) s)"
	else
		failed=$((failed + 1))
		echo "not ok - $name: $log"
		tail -15 "$log" | sed 's/^/    /'
		echo "    again: $again ONE='$name'"
	fi
	ran=yes
}

# check_each NAME COMMAND...: likewise, and counts the results of tests in it, TAP.
check_each() {
	check "$@"
	[ "$ran" ] || return 0
	good=$(grep -aE '^ *ok [0-9]' "$log" | grep -vc '# SKIP' || true)
	skipped=$(grep -acE '^ *ok [0-9].*# SKIP' "$log" || true)
	[ "$skipped" = 0 ] || echo "# $skipped skipped, with the reason, in $log"
	bad=$(grep -acE '^ *not ok [0-9]' "$log" || true)
	passed=$((passed + good)) failed=$((failed + bad))
}

# show REGEX: lines of the last test that are worth seeing
show() { [ -z "$ran" ] || grep -aE "$1" "$log" || true; }

CHECK_PACKAGES="$TOOLS_PACKAGES abigail-tools ccache dpkg-dev fish git libcmocka-dev locales
	mandoc mypy openssl perl protobuf-compiler python3 python3-jsonschema python3-protobuf python3-yaml
	quilt sparse tshark valgrind zsh"
NEWEST=7.3
BOOTED="6.1 6.12 $NEWEST"

quick_sources_checks() {
	group "sources"
	check_each ring make -s -C "$SELFTESTS/ring" check OUTPUT="$BUILD/ring"
	check_each region make -s -C "$SELFTESTS/region" check OUTPUT="$BUILD/region"
	check crashes python3 "$TOP/scripts/checks/test_crashes.py"
	check checkpatch checkpatch $NEWEST
}

# On kernels that we have patched
patched_checks() {
	series_checks
	kunit_checks $NEWEST
	for release in $BOOTED; do guest_checks $release x86_64; done
	group "Linux 6.12: kerrord with journald, rsyslog, bad disks; killed"
	check_each 6.12/daemon kerrord_in_guest
	show '^# (killed|after it was full)'
	check 6.12/lastwords last_words_in_guest
	check 6.12/persist-turns releases_take_turns
	show '^# died of'
}

# On those that Debian built, and without booting one
stock_and_sources_checks() {
	stock_checks linux-image-amd64
	rules_of_other_kernels
	quick_sources_checks
	for release in $BOOTED; do sources_checks $release; done
	newest_sources_checks $NEWEST
}

# lane NAME COMMAND: runs tests while others run, to be shown by show_lane().
lane() {
	rm -f "$logs/lane-$1"*
	(passed=0 failed=0; $2; echo $passed $failed > "$logs/lane-$1.count") > "$logs/lane-$1" 2>&1 &
}

# show_lane NAME: when all have ended
show_lane() {
	cat "$logs/lane-$1"
	read -r more_passed more_failed < "$logs/lane-$1.count" || { more_passed=0 more_failed=1; }
	passed=$((passed + more_passed)) failed=$((failed + more_failed))
}

# all_checks: in three lanes, if there are more than a few tests. Most of the time they wait.
all_checks() {
	if [ "$LIST" ] || [ "$ONE" != '*' ]; then
		patched_checks
		tools_checks
		stock_and_sources_checks
	else
		mkdir -p "$logs"
		lane tools tools_checks
		lane stock stock_and_sources_checks
		trap 'trap - TERM; kill 0' INT TERM
		patched_checks
		step "waiting for what runs beside: $logs/lane-*" 2>&1
		wait
		show_lane tools
		show_lane stock
	fi
	# It builds for other folders what tests of each lane run.
	check_each tools/install tools test-install
}

for part in tools series sources kunit guest stock; do . "$TOP/scripts/checks/$part.sh"; done
case $tree in
"" | --all)
	[ "$LIST" ] || need_packages $CHECK_PACKAGES
	quick_tools_checks
	all_checks
	;;
--quick)
	[ "$LIST" ] || need_packages $CHECK_PACKAGES
	quick_tools_checks
	series_checks
	quick_sources_checks
	;;
--stock) all_stock_checks ;;
--arches)
	for variant in s390x i386 x86_64-compat; do guest_checks 6.12 $variant; done
	;;
*)
	guest_checks "$(name_of "$tree")" "$(arch_of "$tree" "${2:-}")" "$tree"
	# An x86_64 kernel of 2.6 runs the programs of i386, too.
	case $(release_of "$tree"),$arch in
	2.*,x86_64) guest_checks "$(name_of "$tree")" x86_64-compat "$tree" ;;
	esac
	;;
esac
[ -z "$LIST" ] || exit 0
[ $((passed + failed)) != 0 ] || die "no test is named $ONE; LIST=1 lists them"
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
