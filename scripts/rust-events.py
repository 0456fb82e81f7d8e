#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints what the events of modules in Rust have in common on each run: rust-events.py LOG
#
# LOG is the console of the guest script "rust".
import json
import sys

KEYS = ("severity", "facility", "device", "printk", "event_id", "own_id", "format", "arguments", "text")

with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    for line in log:
        if not line.startswith('{"item":"event"'):
            continue
        item = json.loads(line)
        if item["facility"] == "evlog_rust" or "%pA" in item.get("format", ""):
            print(json.dumps({key: item[key] for key in KEYS if key in item}))
