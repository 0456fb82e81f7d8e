#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares the kernel log of a boot with the events of the same boot.

Usage: compare-boot.py LOG

LOG is the console of the guest script "boot": all events as kerrorctl watch --json
prints them, then the kernel log, from /dev/kmsg or, of Linux 2.6, from syslog(2).
Each message of the kernel must be there as an event whose text, level and device
are equal, and each event with "printk" as a message. A difference is shown in a
table by reason; a difference without a known reason is a failure.
"""
import collections
import json
import re
import sys

LEVELS = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

# As the guest script has written them
BY_USER = "a line of user space", "another one", "END OF COMPARISON"

# Lines that are in only one of the two, and why. Those of the log come first.
REASONS = [
    ("log", "written by user space", lambda m: m.facility or m.text in BY_USER),
    ("log", "printed before the kernel read its parameters", lambda m: m.early),
    ("log", "printed for an event that nobody heard", lambda m: m.by_evlog),
    ("both", "longer than a record of the log", lambda m: m.cut),
    ("both", "printed while the events were read", lambda m: m.late),
    ("both", "an address, which only the log of 2.6 shows",
     lambda m: m.addresses),
    ("both", "a line that two CPUs, or an interrupt, wrote into", lambda m: m.mixed),
]


class Message:
    """A line of the log, or what events make of one."""
    early = cut = late = by_evlog = addresses = mixed = has_pointer = imported = False

    def __init__(self, level, text, device="", facility=0):
        self.level, self.text, self.device = level, text, device
        self.facility = facility

    def key(self):
        return (self.level, self.text, self.device)

    def key_without_device(self):
        return (self.level, self.text)

    def key_without_addresses(self):
        text = re.sub(r"(?<![0-9a-f])([0-9a-f]{8}){1,2}(?![0-9a-f])", "address", self.text)
        return (self.level, text, self.device)


def read_console(name):
    """Returns the events and the lines of the log."""
    events, lines, part = [], [], None
    with open(name, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            line = line.rstrip("\n")
            if line in ("EVENTS", "LOG", "END"):
                part = line
            elif part == "EVENTS" and line.startswith('{"item"'):
                events.append(json.loads(line))
            elif part == "LOG":
                lines.append(line)
    return events, lines


def from_kmsg(lines):
    """Records of /dev/kmsg: PRIORITY,SEQUENCE,TIME,FLAGS;TEXT and KEY=VALUE."""
    for line in lines:
        match = re.match(r"(\d+),(\d+),(\d+),([^;]*);(.*)", line)
        if match:
            priority = int(match[1])
            text = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), match[5])
            message = Message(priority & 7, text, facility=priority >> 3)
            yield message
        elif line.startswith(" DEVICE="):
            message.device = line[len(" DEVICE="):]


def from_syslog(lines):
    """Lines of syslog(2): <PRIORITY>[TIME] TEXT, the time only if configured."""
    for line in lines:
        match = re.match(r"<(\d+)>(?:\[ *\d+\.\d+\] )?(.*)", line)
        if match:
            priority = int(match[1])
            yield Message(priority & 7, match[2], facility=priority >> 3)


def from_events(events, by_line):
    """Joins what continues; gives each line by itself if the log does."""
    last = {}
    messages = []
    for event in events:
        if not event.get("printk"):
            continue
        # Each CPU's idle task is number 0.
        where = (event["context"] == "process" and event["tid"]) or f'cpu {event["cpu"]}'
        before = last.pop(where, None)
        text = event.get("text", "")
        if event.get("continues") and before:
            before.text += text
            message = before
        else:
            message = Message(LEVELS.index(event["severity"]), text,
                              "" if by_line else event.get("device", ""))
            message.parts = []
            messages.append(message)
        message.imported |= event.get("imported", False)
        message.has_pointer |= any(argument["type"] in ("pointer", "text")
                                   for argument in event.get("arguments", []))
        message.parts.append(Message(LEVELS.index(event["severity"]), text,
                                     event.get("device", "")))
        if event.get("open"):
            last[where] = message
    if not by_line:
        return messages
    lines = []
    for message in messages:
        for number, line in enumerate(message.text.split("\n")):
            # In the log, Linux 2.6 takes a level at the start of each line.
            inner = re.match("<([0-7])>", line) if number else None
            lines.append(Message(int(inner[1]) if inner else message.level,
                                 line[3:] if inner else line))
            lines[-1].has_pointer = message.has_pointer
    return lines


def take(unmatched, key, log):
    """Takes those of @log that have their like among @unmatched off both."""
    left = []
    like = collections.defaultdict(list)
    for message in unmatched:
        like[key(message)].append(message)
    taken = []
    for message in log:
        if like[key(message)]:
            taken.append((message, like[key(message)].pop()))
        else:
            left.append(message)
    return [message for rest in like.values() for message in rest], left, taken


def classify(message):
    for _, reason, applies in REASONS:
        if applies(message):
            return reason
    return None


def main():
    events, lines = read_console(sys.argv[1])
    records = any(re.match(r"\d+,\d+,\d+,", line) for line in lines)
    log = list(from_kmsg(lines) if records else from_syslog(lines))
    messages = from_events(events, not records)
    # The events that are no messages are paraphrased by evlog.
    raised = {event["facility"] for event in events
              if event["item"] == "event" and event.get("facility") and not event.get("printk")}
    end = next((i for i, m in enumerate(log) if m.text == "END OF COMPARISON"), len(log))
    # With evlog.printk= messages become events from here on.
    start = max((i for i, m in enumerate(log) if m.text.startswith("Kernel command line: ")),
                default=-1)
    if any(m.text == log[0].text for m in messages):
        start = -1
    for i, message in enumerate(log):
        message.early = i <= start
        message.late = i > end
        message.by_evlog = any(message.text.startswith(name) for name in raised)
        message.cut = len(message.text) > 1000
    for message in messages:
        message.cut = len(message.text) > 1000

    only_events, only_log, equal = take(messages, Message.key, log)
    # A message that was taken out of the log as text does not name the device.
    imported = [message for message in only_events if message.imported]
    left, only_log, more = take(imported, Message.key_without_device, only_log)
    only_events = [m for m in only_events if m not in imported] + left
    equal += more
    # Where the log shows addresses, events have hashes of them.
    if not records:
        pointers = [message for message in only_events if message.has_pointer]
        for pair in take(pointers, Message.key_without_addresses, only_log)[2]:
            for message in pair:
                message.addresses = True
    # A line that somebody else wrote into is in pieces here or there.
    pieces = {m.text for m in messages for m in getattr(m, "parts", [])}
    for message in only_log:
        message.mixed = message.text in pieces
    for message in only_events:
        parts = [part.text for part in getattr(message, "parts", [])]
        left = [m.text for m in only_log]
        message.mixed = len(parts) > 1 and all(
            any(part in text for text in left) for part in parts)

    print(f"{len(log)} lines of the log, {len(messages)} of events: {len(equal)} equal "
          "in text, level and device")
    table = collections.Counter()
    unknown = []
    for side, rest in ("log", only_log), ("events", only_events):
        for message in rest:
            reason = classify(message)
            table[side, reason or "?"] += 1
            if not reason:
                unknown.append((side, message))
    for (side, reason), count in sorted(table.items()):
        print(f"{count:6} only in the {side}: {reason}")
    lost = [event for event in events if event["item"] == "loss"]
    for loss in lost:
        print(f"lost: {loss['count']}, {loss['cause']}")
    for side, message in unknown[:40]:
        print(f"only in the {side}: {message.key()}")
    sys.exit(bool(unknown) or bool(lost) or not equal)


main()
