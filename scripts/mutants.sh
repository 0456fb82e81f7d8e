#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Proves that the tests can fail: mutants.sh [NAME...]
#
# Breaks Linux 6.12 with the series on purpose, once for each line of mutants.txt
# (or those with a NAME), and has the test run that the line names. A mutant that
# passes it is a failure. The last line is "N passed, N failed"; what each guest
# printed is in build/mutants/. Allow half an hour.
. "$(dirname "$0")/common.sh"

logs=$BUILD/mutants
mkdir -p "$logs"
passed=0 failed=0 kernels=

# caught TEST LOG: says by what. A guest without a token hung or crashed.
caught() {
	case $1 in
	kunit:*)
		! grep -aqE "^ok [0-9]+ ${1#*:}$" "$2" &&
			{ grep -aoE 'not ok [0-9]+ test_.*' "$2" || echo "KUnit did not finish"; }
		;;
	tools:*)
		! grep -aq '^MUTANT-PASSED$' "$2" &&
			{ grep -aoE '\[  FAILED  \] test_.*' "$2" || echo "${1#tools:} crashed"; }
		;;
	panic)
		! grep -aq 'test_evlog: last words 19$' "$2" && echo "the console shows no last words"
		;;
	*)
		grep -aq '^GUEST-PASSED$' "$2" && return 1
		grep -aE "^not ok [0-9]+ .*${1#stress.}|^kernel log:" "$2" ||
			{ grep -aq '^GUEST-' "$2" || echo "the guest hung or crashed"; }
		;;
	esac | head -1 | grep .
}

# in_tools PROGRAM: a test program of tools/kerror, of a copy of the sources with the mutant
in_tools() {
	tree=$logs/tree
	mkdir -p "$tree/tools" "$tree/include"
	cp -ru "$TOP/tools/kerror" "$tree/tools"
	cp -ru "$TOP/include/uapi" "$tree/include"
	sed -E "$MUTATE" "$TOP/$MUTATE_FILE" > "$tree/$MUTATE_FILE"
	make -s -C "$tree/tools/kerror" OUTPUT="$tree/out" "$tree/out/obj/tests/$1" \
		> "$logs/build" 2>&1 || return 1
	"$tree/out/obj/tests/$1" && echo MUTANT-PASSED
	cp "$TOP/$MUTATE_FILE" "$tree/$MUTATE_FILE"
}

sed '/^#/d' "$(dirname "$0")/mutants.txt" > "$logs/list"
while IFS= read -r line <&3; do
	field() { printf '%s\n' "$line" | awk -F ' [|] ' -v n="$1" '{ print $n }'; }
	name=$(field 1) test=$(field 5)
	case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
	log=$logs/$name.log
	kernel=x86_64
	[ "$test" = "${test#kunit:}" ] || kernel=um
	[ "$test" = "${test#tools:}" ] || kernel=
	export MUTATE_FILE="$(field 3)" MUTATE="$(field 4)"
	[ -z "$kernel" ] || "$TOP/scripts/kernel.sh" 6.12 $kernel > "$log.build" 2>&1 ||
		die "$name does not build: $log.build"
	kernels=$kernels$kernel
	case $test in
	tools:*)
		in_tools "${test#tools:}" > "$log" 2>&1 || die "$name does not build: $logs/build"
		;;
	kunit:*)
		FILTER=${test#*:} "$TOP/scripts/kunit.sh" 6.12 > "$log" 2>&1 || true
		;;
	panic)
		TIMEOUT=100 "$TOP/scripts/guest.sh" 6.12 panic > "$log" 2>&1 || true
		;;
	*)
		APPEND="test=${test#kerror.}" TIMEOUT=180 "$TOP/scripts/guest.sh" 6.12 one \
			> "$log" 2>&1 || true
		;;
	esac
	if by=$(caught "$test" "$log"); then
		passed=$((passed + 1))
		echo "ok - $name ($(field 2)): $by"
	else
		failed=$((failed + 1))
		echo "not ok - $name ($(field 2)): $test did not notice: $log"
	fi
done 3< "$logs/list"
# Undone
unset MUTATE MUTATE_FILE
for kernel in ${kernels:+um x86_64}; do "$TOP/scripts/kernel.sh" 6.12 $kernel > "$logs/build" 2>&1; done
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
