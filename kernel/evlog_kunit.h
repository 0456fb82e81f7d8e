/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the KUnit tests of evlog: a socket, and the last event received. */
#ifndef EVLOG_KUNIT_H
#define EVLOG_KUNIT_H

#include <kunit/test.h>
#include <linux/evlog.h>

/* The next argument of that event, and the end of its arguments. */
extern const u8 *evl_test_at, *evl_test_end;

int evl_test_open(struct kunit *test, unsigned int groups);
void evl_test_exit(struct kunit *test);
const struct evl_header *evl_test_receive(struct kunit *test);

#endif
