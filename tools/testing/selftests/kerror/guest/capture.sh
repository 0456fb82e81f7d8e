# SPDX-License-Identifier: GPL-2.0-only
# The same events twice: as kerrorctl watch --json prints them, and as bytes for
# another reader.
. /guest/common.sh
sample_rounds 3 || exit 1
load_test_module || exit 1
for command in "raw 0 1" "raw 100 3" "iov 30 4294967295" "write 0 0" \
	       "write 50 1" "long 9000" "facility 80" contexts table "random 7 100" \
	       "limited 30"; do
	raise "$command" || exit 1
done
kerrorctl watch --json --group=all --idle=500 || exit 1
capture "$(protocol_number)"
