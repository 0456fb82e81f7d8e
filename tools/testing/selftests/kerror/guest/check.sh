# SPDX-License-Identifier: GPL-2.0-only
# The selftests, on a kernel where nothing else raises events.
. /guest/common.sh
sed 's/^/# /' /proc/version

# The sample driver by itself, and unloaded while it raises events.
sample_at_a_rate() {
	insmod /modules/evlog_sample.ko rate=50 || return 1
	kerrorctl watch --json --new --count=200 > /tmp/sample || return 1
	rmmod evlog_sample || return 1
	for context in process softirq hardirq; do
		grep -q "\"context\":\"$context\"" /tmp/sample || return 1
	done
	kerrorctl watch --json --idle=300 > /tmp/sample && insmod /modules/evlog_sample.ko &&
		rmmod evlog_sample
}

status=0
if sample_at_a_rate; then
	echo "ok 1 sample driver at a rate, then unloaded"
else
	echo "not ok 1 sample driver at a rate, then unloaded"
	status=1
fi
load_test_module || exit 1
kerror_test "$@" || status=1
rmmod test_evlog || status=1
exit $status
