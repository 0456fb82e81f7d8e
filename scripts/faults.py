#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Judges what the guest script "faults" has printed: faults.py LOG. Prints a table: fault,
# rule, condition with its key, what cleared it, typed values of the event. Fails if a
# fault of which the kernel said anything was not recognised, if a condition was not
# cleared that should be, or if a rule matched before the fault, or when there was none.
import json
import re
import sys

# What is true of each guest: the modules that it tests are not of Debian.
EXPECTED_ALWAYS = ("kernel-tainted",)
VALUES_MAX = 110


class Fault:
    """What is between FAULT and END."""

    def __init__(self, name, conditions):
        self.name, self.before, self.conditions = name, conditions, dict(conditions)
        self.wanted, self.cleared, self.events = [], [], []
        self.skipped, self.ended, self.said, self.begin = None, False, [], 0

    def line(self, line):
        word, _, rest = line.partition(" ")
        if word == "SKIP":
            self.skipped = rest
        elif word == "BEGIN":
            self.events, self.begin = [], int(rest or 0) * 10**9
        elif word == "RAISED":
            self.wanted.append(rest.split(" ", 1))
        elif word == "CLEARED":
            self.cleared.append(rest.split(" ", 1))
        elif line.startswith("{") and line.endswith("}"):
            self.item(json.loads(line))
        elif line:
            self.said.append(line)

    def item(self, item):
        if item["item"] == "condition":
            self.conditions[item["name"], item["key"]] = item
        elif item["item"] == "event":
            self.events.append(item)

    def messages(self):
        """Those of the kernel since it began"""
        return [event for event in self.events if event["group"] == "printk"]

    def changed(self):
        return [condition for key, condition in self.conditions.items()
                if condition["last"] != self.before.get(key, {}).get("last")]

    def find(self, wanted):
        name, key = (wanted + [""])[:2]
        return [condition for condition in self.conditions.values()
                if condition["name"] == name and condition["key"].startswith(key)]

    def lines(self):
        """Text and arguments of each line of the log, which several events may make up"""
        begun = {}
        for event in self.messages():
            text, arguments = begun.pop(event["tid"], ("", [])) if event.get("continues") else ("", [])
            line = text + event["text"], arguments + event.get("arguments", [])
            if event.get("open"):
                begun[event["tid"]] = line
            yield line

    def values(self, condition):
        """Of the event that the condition had last"""
        found = ""
        for text, arguments in self.lines():
            if text.startswith(condition["text"]):
                found = " ".join(f"{a['type']}={a.get('value')}" for a in arguments)
        return found


def read(path):
    faults, fault, conditions = [], None, {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            line = line.rstrip("\n")
            if line == "BOOT":
                fault, conditions = None, {}
            elif line.startswith("FAULT "):
                fault = Fault(line[6:], conditions)
                faults.append(fault)
            elif fault and line == "END":
                fault.ended, conditions, fault = True, fault.conditions, None
            elif fault:
                fault.line(line)
    return faults


def judge(fault):
    """Whether it was recognised, None if it does not count, and why"""
    changed = fault.changed()
    if fault.skipped:
        return None, "skipped: " + fault.skipped
    if not fault.ended:
        return False, "the guest did not survive it, or hung"
    false = [f"{c['rule']} by '{c['text']}'" for c in changed if c["name"] not in EXPECTED_ALWAYS and
             (fault.name == "none" or c["last"] < fault.begin)]
    if false:
        return False, "false match: " + ", ".join(false)
    if fault.name == "none":
        return None, "no rule, as it should be"
    missing = [" ".join(wanted) for wanted in fault.wanted
               if not any(condition in changed for condition in fault.find(wanted))]
    if missing:
        return False, "no condition " + ", ".join(missing)
    lasting = [" ".join(wanted) for wanted in fault.cleared
               if not any(not condition["raised"] for condition in fault.find(wanted))]
    if lasting:
        return False, "not cleared: " + ", ".join(lasting)
    if changed:
        return True, ""
    return (False, "no rule") if fault.messages() else (None, "the kernel says nothing")


def show(fault, recognised, why):
    if recognised is not True:
        print(f"{fault.name} | {'NOT ' if recognised is False else ''}{why}")
        if recognised is False:
            for line in fault.said[-8:] + [m["text"] + "   " + repr(m.get("format", "")) for m in fault.messages()[:12]]:
                print("    " + line)
        return
    for number, condition in enumerate(fault.changed()):
        cleared = "" if condition["raised"] else "cleared by " + condition["cleared_by"].removeprefix("rule ")
        values = fault.values(condition)
        print(" | ".join((fault.name if not number else "", condition["rule"].removeprefix("rule "),
                          f"{condition['name']} {condition['key']}".strip(), cleared,
                          values[:VALUES_MAX] + ("..." if len(values) > VALUES_MAX else ""))))


def main():
    counts = {True: 0, False: 0, None: 0}
    print("fault | rule | condition | cleared | values")
    for fault in read(sys.argv[1]):
        recognised, why = judge(fault)
        counts[recognised] += 1
        show(fault, recognised, why)
    print(f"{counts[True]} recognised, {counts[False]} not")
    return counts[False] > 0 or not counts[True]


sys.exit(main())
