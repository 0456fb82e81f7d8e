#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares what two readers made of the same events.

Usage: compare-readers.py LOG OTHER

LOG is the console of the guest script "capture", in which kerrorctl watch --json has
printed one object a line. OTHER is what the independent reader made of the
same stream of bytes. They must agree in every key of every item, except for those of the
machine, which the kernel does not send, and the digits of large numbers.
"""
import json
import sys


def bare(value):
    """Without what the kernel's own reader does not tell: digits of large numbers, bytes, own_id"""
    if isinstance(value, list):
        return [bare(each) for each in value]
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items()
                if not key.endswith(("_string", "_bytes")) and key != "own_id"}
    return value


OF_MACHINE = {"boot_id", "instance", "machine", "host", "release", "version", "arch", "livepatch"}


def items(name):
    found = []
    with open(name, encoding="utf-8") as file:
        for line in file:
            if line.startswith('{"item"'):
                found.append({key: value for key, value in bare(json.loads(line)).items()
                              if key not in OF_MACHINE})
    return sorted(found, key=lambda item: json.dumps(item, sort_keys=True))


ours, others = items(sys.argv[1]), items(sys.argv[2])
# Two readers agree that an event is bytes, too. Those of other groups than raw are the
# kernel's own and well-formed, except for bytes that were sent to all groups.
sent = {item["data"] for item in ours if item["group"] == "raw" and "data" in item}
bytes_only = [item for item in ours if item["item"] == "event" and item["group"] != "raw" and
              "kind" not in item and item["data"] not in sent]
for item in bytes_only[:5]:
    print("not well-formed:", json.dumps(item))
kinds = {item.get("kind", item["item"]) for item in ours}
different = [pair for pair in zip(ours, others) if pair[0] != pair[1]]
for our, other in different[:5]:
    print("kerrorctl:", json.dumps(our), "\nreader: ", json.dumps(other))
print(f"{len(ours)} items of kerrorctl, {len(others)} of the reader, "
      f"{len(different)} different; kinds: {', '.join(sorted(kinds))}")
sys.exit(bool(different or bytes_only) or len(ours) != len(others) or
         not {"printf", "binary", "string", "nodata", "loss"} <= kinds)
