#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares what kerror-drgn finds in a dump of a guest's memory with what kerrord had stored.

Usage: compare-dump.py LOG KERROR-DRGN VMCORE

LOG is the console of the guest script "dump": lines of kerrorctl query, then a panic that
raised events which nobody could deliver any more. All that was stored must be in the dump,
equal and in this order. Its other events must be newer, and those of the panic among them.
"""
import collections
import json
import subprocess
import sys

# Keys that only a store has, or a file of the machine
OF_STORE = "number", "acknowledged", "machine"

# KERROR_SEQUENCE_FIRST
FIRST = 0xffffff00


def without(line):
    return {key: value for key, value in json.loads(line).items() if key not in OF_STORE}


def run(tool, *options, status=0):
    done = subprocess.run([sys.executable, tool, *options], capture_output=True, text=True,
                          check=False)
    if done.returncode != status:
        sys.exit(f"{' '.join(options)}: status {done.returncode}, {done.stdout}{done.stderr}")
    return done


def numbered(events):
    """By group, the numbers, as far from the first of a boot; events are by time"""
    found = collections.defaultdict(list)
    for event in events:
        found[event["group"]].append((event["sequence"] - FIRST) % (1 << 32))
    return {group: sorted(numbers) for group, numbers in found.items()}


def compare(log, tool, vmcore):
    with open(log, encoding="utf-8", errors="replace") as file:
        stored = [without(line[7:]) for line in file if line.startswith("STORED {")]
    done = run(tool, vmcore)
    dumped = [without(line) for line in done.stdout.splitlines()]
    history = [without(line) for line in run(tool, "--only=history", vmcore).stdout.splitlines()]
    waiting = [without(line) for line in run(tool, "--only=waiting", vmcore).stdout.splitlines()]
    if not stored or not any(event["group"] == "evlog" for event in stored):
        sys.exit("the guest stored no events")
    keys = {json.dumps(event, sort_keys=True) for event in stored}
    equal = [event for event in dumped if json.dumps(event, sort_keys=True) in keys]
    if equal != stored:
        differ = [event for event in stored if event not in dumped]
        sys.exit(f"{len(differ)} of {len(stored)} stored events are not in the dump, or not in "
                 f"this order, such as\n{json.dumps((differ or stored)[0])}\n"
                 f"where it has\n{json.dumps(dumped[0])}")
    newest = {event["group"]: event["sequence"] for event in stored}
    for event in dumped:
        if event not in equal and event["group"] in newest and \
                (event["sequence"] - newest[event["group"]]) % (1 << 32) >= 1 << 31:
            sys.exit(f"the dump has what was never stored: {json.dumps(event)}")
    if sorted(map(str, history + waiting)) != sorted(map(str, dumped)):
        sys.exit("--only=history and --only=waiting are not the whole")
    texts = [event.get("text") for event in waiting if event["group"] == "evlog"]
    wanted = [f"last words {number}" for number in range(20)]
    if [text for text in texts if text in wanted] != wanted:
        sys.exit(f"of those that waited, the dump has only {texts}")
    if not any(event.get("data") == b"raw words".hex() for event in waiting):
        sys.exit("the raw event that waited is not in the dump")
    for group, numbers in numbered(history + waiting).items():
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            sys.exit(f"numbers of {group} are missing: {numbers}")
    words = [event for event in waiting if event.get("text") == "last words 0"][0]
    # The times of a waiting event were not written yet.
    if not 0 <= words["time_realtime"] - stored[-1]["time_realtime"] < 600 * 10**9 or \
            words["time_boot"] <= 10**9:
        sys.exit(f"an event that waited has the wrong time: {json.dumps(words)}")
    counts = collections.Counter(event["severity"] for event in history if "severity" in event)
    told = dict(line.split() for line in run(tool, "--severities", vmcore).stdout.splitlines())
    if any(int(number) != counts[name] for name, number in told.items()):
        sys.exit(f"severities: {told}, and the history has {dict(counts)}")
    failed = run(tool, "--address=ffffffff00000000", vmcore, status=1).stderr
    if failed.count("\n") != 1 or "ffffffff00000000" not in failed:
        sys.exit(f"a wrong address gives: {failed}")
    print(done.stderr, end="")
    print(f"# {len(stored)} stored events and the dump's are equal, {len(waiting)} waited")


compare(*sys.argv[1:])
