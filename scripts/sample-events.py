#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints what kerrord made of the sample driver's events, as text and as JSON, so
# that it is the same on each kernel: sample-events.py DEMO_LOG CAPTURE_LOG
#
# Left out is what a run cannot have in common with another: times, numbers of
# events, threads and CPUs, whom an interrupt met, the hash of an address, the
# number that each device has before 2.6.11; the machine and its kernel; and the order, as
# contexts race.
import json
import re
import sys

texts, items = [], []
with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    for line in log:
        line = re.sub(r"(platform:evlog_sample)\d+", r"\1", line)
        line = re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip("\n"))
        if not re.match(r"\S+Z \w+ +evlog_sample", line):
            continue
        line = line.split(" ", 1)[1]
        line = re.sub(r"(cpu|pid|tid)=\d+ ", "", line)
        line = re.sub(r"((softirq|hardirq) )comm=\S+ uid=\d+ gid=\d+", r"\1", line)
        line = re.sub(r"(hash |pointer=)(0{8})?[0-9a-f]{8}\b", r"\1HASH", line)
        line = re.sub(r' (host|release|livepatch)="[^"]*"', "", line)
        texts.append(line)
with open(sys.argv[2], encoding="utf-8", errors="replace") as log:
    for line in log:
        if not line.startswith('{"item":"event"'):
            continue
        item = json.loads(re.sub(r"(platform:evlog_sample)\d+", r"\1", line))
        if item.get("facility") != "evlog_sample":
            continue
        for key in ("sequence", "thread", "time_realtime", "time_boot", "cpu", "pid", "tid"):
            del item[key]
        for key in ("time_realtime_string", "boot_id", "instance", "machine", "host", "release",
                    "version", "arch", "livepatch"):
            item.pop(key, None)
        if item["context"] != "process":
            for key in ("comm", "uid", "gid"):
                del item[key]
        for argument in item.get("arguments", []):
            if argument["type"] == "pointer":
                item["text"] = re.sub(f"(0{{8}})?{argument['value'][-8:]}", "HASH", item["text"])
                argument["value"] = "HASH"
        items.append(json.dumps(item))
print("\n".join(sorted(texts) + sorted(items)))
