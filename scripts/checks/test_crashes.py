#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what crashes.py calls wrong."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import crashes


class Judge(unittest.TestCase):
    """One source, which has begun 11 events and is done with 10."""

    def judge(self, stored=(11, 11, 11), lost=None, how="panic", marks=(11, 10, 0, 1)):
        self.crash = {"way": "panic-nmi", "marks": {0: marks}}
        return crashes.judge(self.crash, {0: stored} if stored else {}, lost or {}, how)

    def test_all_is_there(self):
        self.assertEqual(self.judge(), [])
        self.assertEqual(self.crash["missing"], 0)
        self.assertEqual((self.crash["last"], self.crash["recovered"]), (["process/0", 10], 11))

    def test_one_that_had_not_returned_may_be_missing(self):
        self.assertEqual(self.judge((10, 10, 10)), [])
        self.assertEqual(self.crash["missing"], 0)

    def test_one_is_missing(self):
        self.assertEqual(self.judge((9, 9, 9)), ["1 are missing, 0 are counted"])

    def test_one_is_missing_before_the_last(self):
        self.assertEqual(self.judge((10, 10, 11)), ["1 are missing, 0 are counted"])

    def test_all_are_missing(self):
        self.assertEqual(self.judge(None), ["10 are missing, 0 are counted"])

    def test_a_loss_is_counted(self):
        self.assertEqual(self.judge((7, 7, 10), {"ring_full": 2, "torn": 1}), [])
        self.assertEqual(self.crash["missing"], 3)

    def test_a_loss_is_counted_too_low(self):
        self.assertEqual(self.judge((7, 7, 10), {"ring_full": 2}),
                         ["3 are missing, 2 are counted"])

    def test_one_is_there_twice(self):
        self.assertEqual(self.judge((12, 11, 11)), ["process/0: 1 twice"])

    def test_one_was_never_raised(self):
        self.assertEqual(self.judge((11, 11, 12)), ["process/0: 12 is there, 11 was the last"])

    def test_the_boot_is_not_listed(self):
        self.assertEqual(self.judge(how=None), ["the boot is not listed"])

    def test_the_boot_ended_otherwise(self):
        self.assertEqual(self.judge(how="cut"), ["it is listed as cut"])

    def test_the_last_is_that_of_the_source_that_raised_last(self):
        crash = {"way": "reset", "marks": {3: (4, 4, 0, 20), 6: (9, 9, 0, 10)}}
        self.assertEqual(crashes.judge(crash, {3: (3, 3, 3), 6: (9, 9, 9)}, {"torn": 1}, "cut"), [])
        self.assertEqual((crash["last"], crash["recovered"]), (["nmi/0", 4], 3))
        self.assertEqual(crash["raised"], 13)


if __name__ == "__main__":
    unittest.main()
