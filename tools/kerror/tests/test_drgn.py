#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests kerror-drgn with memory that is made here: of kernels that stopped in the midst of what
they did. It runs with the libkerror of fake_kernel.c, by LD_LIBRARY_PATH. Prints TAP.
"""

import importlib.machinery
import importlib.util
import os
import struct
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "python"))
sys.modules["drgn"] = types.ModuleType("drgn")
loader = importlib.machinery.SourceFileLoader("tool", os.path.join(HERE, "..", "drgn", "kerror-drgn"))
tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("tool", loader))
sys.modules["tool"] = tool
loader.exec_module(tool)

RAW, COMMITTED, RING, HISTORY = 0x1, 1, 512, 1024
DUMP, SOURCE, OLD, BUFFER, HISTORIES, MESSAGES, LOST, CPU = (0x1000 * i for i in range(1, 9))
FIRST = 0xffffff00
ABANDONED = 5


class Kernel:
    """A kernel with one CPU and the group RAW. Its memory is what kerror-drgn reads."""
    order, sign = "little", "<"

    def __init__(self, next_at=RING - 64):
        self.bytes = bytearray(0x9000)
        self.tail = self.next = self.head = next_at
        self.delivers = (0, 0, 0)
        self.messages = 0
        self.sequence = FIRST

    def read(self, address, size, physical=False):
        return None if physical or address + size > len(self.bytes) else \
            bytes(self.bytes[address:address + size])

    def must(self, address, size):
        return self.read(address, size)

    def put(self, address, form, *values):
        struct.pack_into("<" + form, self.bytes, address, *values)

    def reserve(self, data, state=None, size=None):
        """A record of which so much was written; its position"""
        length = 24 + len(data) + 7 & ~7
        left = RING - self.head % RING
        if left < length:
            self.put(BUFFER + self.head % RING, "I", left | 3)
            self.head += left
        at, self.head = self.head, self.head + length
        self.put(BUFFER + at % RING, "4IQ", length | COMMITTED if state is None else state,
                 len(data) if size is None else size, RAW, 7, at)
        self.bytes[BUFFER + at % RING + 24:BUFFER + at % RING + 24 + len(data)] = data
        if size == 0:
            self.put(BUFFER + at % RING + 8, f"{length - 8}s", b"")
        return at

    def publish(self, kind, data):
        """A message in the history"""
        self.put(MESSAGES + self.messages, "IHHII", 16 + len(data), kind, 0, self.sequence, 7)
        self.bytes[MESSAGES + self.messages + 16:MESSAGES + self.messages + 16 + len(data)] = data
        self.messages += 16 + len(data) + 3 & ~3

    def collect(self, lost=0):
        """What the tool finds: of each event number and data, of each loss its count"""
        self.put(DUMP, "16s2Q8Q2Q7Q20H", tool.MAGIC, DUMP, 0, *[0] * 10, LOST, CPU, OLD, HISTORIES,
                 *self.delivers, 8, 1, 6, 64, 128, 24, 0, 8, 0, 8, 16, 24, 32, 40,
                 0, 8, 16, 24, 32, 40)
        self.put(CPU, "QQ", SOURCE, 0)
        self.put(SOURCE, "6Q", 0, self.head, RING, BUFFER, self.tail, self.next)
        self.put(HISTORIES, "4QI", self.messages, 0, HISTORY, MESSAGES, self.sequence)
        self.put(LOST + 8 * ABANDONED, "Q", lost)
        found = tool.Found()
        items = tool.collect(tool.Layout(self, DUMP), {}, None, found, False)
        return found, [item.count if isinstance(item, tool.kerror.Loss) else
                       (item.sequence - FIRST, item.data) for _, item in items]


def test_numbered_event_is_there_once():
    """An event that has its number is in the ring no more, though others are like it"""
    kernel = Kernel()
    first = kernel.reserve(b"same")
    kernel.reserve(b"same")
    kernel.delivers = (SOURCE, first, 0)
    kernel.publish(tool.EVENT, b"same")
    # The kernel had no time to count it.
    found, items = kernel.collect()
    assert items == [(0, b"same"), (1, b"same")] and found.waiting == 1, items


def test_event_without_number_is_there_once():
    """An event that the kernel was about to number is in the ring still"""
    kernel = Kernel()
    kernel.publish(tool.EVENT, b"same")
    kernel.sequence += 1
    kernel.delivers = (SOURCE, kernel.reserve(b"same"), kernel.messages)
    kernel.reserve(b"same")
    found, items = kernel.collect()
    assert items == [(number, b"same") for number in range(3)] and found.waiting == 2, items


def test_holes_hide_nothing():
    """Events behind one of which nothing was written, or its size, are found"""
    for size, writing in ((0, 0), (60, 1)):
        kernel = Kernel()
        kernel.reserve(b"before")
        kernel.reserve(bytes(60), state=0, size=size)
        kernel.reserve(b"behind")
        found, items = kernel.collect()
        assert items == [(0, b"before"), (1, b"behind")], items
        assert (found.writing, found.damaged) == (writing, 0), found


def test_last_reservation_is_no_event():
    """What was reserved, and nothing of it written, ends the ring"""
    kernel = Kernel()
    kernel.reserve(b"before")
    kernel.reserve(bytes(60), state=0, size=0)
    found, items = kernel.collect()
    assert items == [(0, b"before")] and not found.damaged, items


def test_losses_are_told_once():
    """A loss is in a notice or it is told; one whose notice is no longer there, too"""
    for told in (0, 3, 5):
        kernel = Kernel()
        if told:
            kernel.publish(tool.LOSS, struct.pack("<QQII", 1, told, RAW, ABANDONED))
        _, items = kernel.collect(lost=5)
        assert items == ([1] if told else []) + ([5 - told] if told < 5 else []), items


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = False
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} {test.__doc__}")
        except AssertionError as error:
            failed = True
            print(f"# {error}\nnot ok {number} {test.__doc__}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
