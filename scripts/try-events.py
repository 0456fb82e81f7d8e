#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Says whether each fault of "make try" became an event with its typed arguments, and
# none was lost: try-events.py TRY_LOG. Fails with a line for each that is missing.
#
# The events are of the kernel itself, so that only those arguments are compared that
# mean the same in each release.
import json
import re
import sys

# Name of the fault, beginning of the format, arguments: type and value, or type alone
EXPECTED = [
    ("lost sector", "%s error, dev %s, sector %llu op 0x%x:(%s) ",
     [("string", "critical medium"), ("string", "nvme0n1"), ("u64",), ("u32", 0), ("string", "READ")]),
    ("damaged inode", "EXT4-fs error (device %s): %s:%d: inode #%lu: comm %s: ",
     [("string", "nvme0n1"), ("string",), ("s32",), ("u64",), ("string", "cat")]),
    ("out of memory", "%s: Killed process %d (%s) total-vm:%lukB",
     [("string", "Memory cgroup out of memory"), ("s32",), ("string", "dd"), ("u64",)]),
    ("hung task", "INFO: task %s:%d blocked",
     [("string", "touch"), ("s32",)]),
]


def matches(event, start, arguments):
    found = event.get("arguments", [])
    return (event.get("format", "").startswith(start) and len(found) >= len(arguments) and
            all(argument["type"] == kind and argument["value"] in (value or [argument["value"]]) and
                str(argument["value"]) in event["text"]
                for argument, (kind, *value) in zip(found, arguments)))


with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    part = log.read().partition("\nEVENTS\n")[2].partition("\nEND\n")[0]
items = [json.loads(line) for line in part.splitlines() if line.startswith("{")]
status = 0
for name, start, arguments in EXPECTED:
    events = [item for item in items if item["item"] == "event" and matches(item, start, arguments)]
    for event in events[:1]:
        print(f"{name}: {event['severity']} {event['facility']}: {event['text']}")
    if not events:
        print(f"{name}: no event with the format '{start}...' and {arguments}")
        status = 1
if not re.search(r"kerrorctl: \d+ events received, 0 lost", part) or \
        any(item["item"] != "event" for item in items):
    print("events were lost")
    status = 1
sys.exit(status)
